//! What a request says of its sender: its key, its page's origin, the addresses that proxies wrote, and a viewer's token.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use chrono::{DateTime, Utc};
use heatstrip::{
    access::{
        address::{Network, account, client},
        key::{Role, Secret, check_name, check_origin},
    },
    events::terms::{SigningSecret, Terms, is_unguessable},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(secret) = Secret::parse(text) {
        assert_eq!(secret.text(), text);
        assert!(text.is_ascii() && text.len() == "hsr_".len() + 43);
        assert_eq!(Secret::parse(secret.text()).map(|again| again.hash()), Some(secret.hash()));
        assert!(!format!("{secret:?}").contains(&text[4..]), "it cannot be printed");
    }
    assert!(Role::named(text).is_none_or(|role| role.name() == text));
    if check_name(text).is_ok() {
        assert!(text.is_ascii() && (1..=64).contains(&text.len()));
    }
    if check_origin(text).is_ok() {
        assert!(text.starts_with("http") && !text.contains(','));
    }

    let peer = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let (proxies, said) = text.split_once('\n').unwrap_or(("10.0.0.0/8", text));
    let proxies: Vec<Network> = proxies.split(' ').filter_map(|network| network.parse().ok()).collect();
    let found = client(peer, said.split(','), &proxies);
    assert!(found == peer || proxies.is_empty() || proxies.iter().any(|network| network.contains(peer)));
    assert_eq!(account(account(found)), account(found));

    let now = DateTime::<Utc>::from_timestamp(1_795_255_200, 0).expect("an instant");
    let secret = SigningSecret::new("a secret".to_owned());
    let terms = Terms {
        key: "site".into(),
        is_public: true,
        signing_secret: Some(secret.clone()),
        ..Terms::default()
    };
    // Nobody makes up a token that is good for an id that can be guessed.
    assert!(terms.check("v", "ann", Some(text), now).is_err());
    assert_eq!(terms.check("v", text, None, now).is_ok(), is_unguessable(text));
    let signed = secret.sign("site", text, now + chrono::TimeDelta::hours(1));
    assert!(terms.check("v", text, Some(&signed), now).is_ok());
    assert!(terms.check("v", text, Some(&signed), now + chrono::TimeDelta::hours(1)).is_err());
});
