//! The address of a client, through proxies. Pure.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u32,
    is_v4: bool,
}

impl Network {
    /// True if the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
        self.is_v4 == address.is_ipv4() && (left_aligned(address) ^ self.bits) & mask == 0
    }
}

/// Returns the bits of an address from the left.
fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network: write one like 10.0.0.0/8, or an address");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(most), str::parse).ok().filter(|&prefix: &u32| prefix <= most);
        Ok(Network {
            bits: left_aligned(address),
            prefix: prefix.ok_or_else(wrong)?,
            is_v4: address.is_ipv4(),
        })
    }
}

/// Returns the client's address: the peer's, or what a proxy says of it.
///
/// Each proxy adds the address that it sees to the right, so the rightmost that is none of our own proxies is the last that
/// one of them saw for itself; whatever stands left of it is the client's own word. `said` are the entries from left to
/// right. Only a proxy of ours is believed, if it is known which they are.
pub fn client<'a>(
    peer: IpAddr,
    said: impl DoubleEndedIterator<Item = &'a str>,
    proxies: &[Network],
) -> IpAddr {
    let is_ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !proxies.is_empty() && !is_ours(peer) {
        return peer;
    }
    let mut nearest = peer;
    for entry in said.rev() {
        // What cannot be read was not written by a proxy: whatever stands left of it counts no more than it does.
        let Some(address) = entry_address(entry) else { break };
        nearest = address;
        if !is_ours(address) {
            break;
        }
    }
    nearest
}

/// Reads an entry, which may have a port.
fn entry_address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let with_port = || entry.rsplit_once(':').and_then(|(host, _)| host.parse().ok());
    let address: Option<IpAddr> = bare.unwrap_or(entry).parse().ok().or_else(with_port);
    address.map(|address| address.to_canonical())
}

/// Returns what stands for a client in budgets. A household or a server has a whole /64 of IPv6, and may use any of it.
pub fn account(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, said: &str, proxies: &[&str]) -> String {
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().expect("a network")).collect();
        let said = said.split(',').filter(|entry| !entry.is_empty());
        client(peer.parse().expect("an address"), said, &proxies).to_string()
    }

    #[test]
    fn what_the_client_says_of_itself_is_not_believed() {
        assert_eq!(of("10.0.0.1", "6.6.6.6, 203.0.113.9", &[]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", &["10.0.0.0/8"]), "203.0.113.9");
        // Who does not come through our proxies says nothing.
        assert_eq!(of("203.0.113.9", "6.6.6.6", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", "", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", "6.6.6.6, nonsense, 10.0.0.2", &["10.0.0.0/8"]), "10.0.0.2");
    }

    #[test]
    fn entries_may_have_ports_and_brackets() {
        assert_eq!(of("10.0.0.1", "203.0.113.9:4711", &[]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", "[2001:db8::7]:4711", &[]), "2001:db8::7");
        assert_eq!(of("::ffff:10.0.0.1", "::ffff:203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn a_household_is_one_client() {
        let account = |text: &str| account(text.parse().expect("an address")).to_string();
        assert_eq!(account("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(account("::ffff:203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn networks_are_bounded() {
        for bad in ["10.0.0.0/33", "10.0.0.0/", "::/129", "example.org", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        let all: Network = "::/0".parse().expect("a network");
        assert!(all.contains("2001:db8::1".parse().expect("an address")));
        assert!(!all.contains("10.0.0.1".parse().expect("an address")));
    }
}
