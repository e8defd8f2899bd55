//! Regions: where viewers watched, as the player or the proxy in front of us names it.

use std::fmt;

use crate::events::refusal::Reason;

/// The region name that stands for all regions; no heartbeat may carry it.
pub const GLOBAL: &str = "GLOBAL";

/// A region: 2 to 16 of `A-Z 0-9 -`, never [`GLOBAL`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// Raises lower case and checks the bounds.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        match text.len() {
            0 => return Err(Reason::Empty),
            1 => return Err(Reason::BadFormat),
            2..=16 => {}
            _ => return Err(Reason::TooLong),
        }
        let raised = text.to_ascii_uppercase();
        if !raised.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-') {
            return Err(Reason::BadFormat);
        }
        if raised == GLOBAL {
            return Err(Reason::Reserved);
        }
        Ok(Region(raised))
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region's name, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Region::parse(text)
            .map_err(|reason| format!("a region is 2-16 of A-Z, 0-9 and '-', not GLOBAL ({reason})"))
    }
}

/// The regions of a question, with commas between them: ascending, each once. The union of all regions and some of them
/// is the union of all.
pub fn parse_union(text: &str) -> Result<Vec<String>, Reason> {
    let mut regions = Vec::new();
    let mut global = false;
    for name in text.split(',') {
        if name.eq_ignore_ascii_case(GLOBAL) {
            global = true;
        } else {
            regions.push(Region::parse(name)?.into_string());
        }
    }
    if global {
        return Ok(vec![GLOBAL.to_owned()]);
    }
    regions.sort_unstable();
    regions.dedup();
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unions() {
        assert_eq!(parse_union("kr,JP,kr"), Ok(vec!["JP".to_owned(), "KR".to_owned()]));
        assert_eq!(parse_union("JP,global"), Ok(vec!["GLOBAL".to_owned()]));
        assert_eq!(parse_union("JP,"), Err(Reason::Empty));
        assert_eq!(parse_union("GLOBAL,j"), Err(Reason::BadFormat));
    }
}
