//! Networks: where somebody may come from.

use std::net::IpAddr;
use std::str::FromStr;

/// Addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: u128,
    mask: u128,
}

/// Something is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as 10.0.0.7 or a network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl Networks {
    /// Reads a list of addresses and networks.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        let networks = networks.into_iter().map(str::parse);
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let bits = bits(ip);
        self.0
            .iter()
            .any(|network| bits & network.mask == network.address)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NetworkError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| refused())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.trim().parse::<u32>().map_err(|_| refused())?,
            None => width,
        };
        if length > width {
            return Err(refused());
        }
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        Ok(Self {
            address: bits(address) & mask,
            mask,
        })
    }
}

/// Every address as the IPv6 one that stands for it.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.0/33", "example.com", "10.0.0/8", "::/129"] {
            assert!(Networks::parse([text]).is_err(), "{text}");
        }
        let everybody = Networks::parse(["::/0"]).unwrap();
        assert!(everybody.contains("203.0.113.9".parse().unwrap()));
        let v4 = Networks::parse(["0.0.0.0/0"]).unwrap();
        assert!(v4.contains("203.0.113.9".parse().unwrap()));
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
    }
}
