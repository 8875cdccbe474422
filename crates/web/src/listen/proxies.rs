//! Who a request comes from, when proxies stand between.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;

/// The proxies whose word about the client is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: u128,
    mask: u128,
}

/// A proxy is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as 10.0.0.7 or a network such as 10.0.0.0/8")]
pub struct ProxyError(String);

impl TrustedProxies {
    /// Reads a list of addresses and networks.
    pub fn parse<'a>(proxies: impl IntoIterator<Item = &'a str>) -> Result<Self, ProxyError> {
        let networks = proxies.into_iter().map(str::parse);
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// The nearest address that is not one of our proxies. What stands to the left of
    /// it in the header is the client's own invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.contains(client) {
            return client;
        }
        let forwarded = headers.get_all("x-forwarded-for");
        for line in forwarded.iter().rev() {
            let line = line.to_str().unwrap_or_default();
            for entry in line.rsplit(',') {
                let Some(address) = address(entry.trim()) else {
                    return client;
                };
                client = address;
                if !self.contains(client) {
                    return client;
                }
            }
        }
        client
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let bits = bits(ip);
        self.0
            .iter()
            .any(|network| bits & network.mask == network.address)
    }
}

impl FromStr for Network {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ProxyError(text.to_owned());
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

/// Some proxies add the port.
fn address(entry: &str) -> Option<IpAddr> {
    let with_port = || entry.parse().map(|entry: std::net::SocketAddr| entry.ip());
    let bracketed = entry
        .strip_prefix('[')
        .and_then(|entry| entry.strip_suffix(']'));
    let ip: IpAddr = bracketed
        .unwrap_or(entry)
        .parse()
        .or_else(|_| with_port())
        .ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_client() {
        let proxies = TrustedProxies::parse(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).unwrap();
        let check = |peer: &str, forwarded: &[&str], expect: &str| {
            let headers = forwarded
                .iter()
                .map(|line| {
                    (
                        http::HeaderName::from_static("x-forwarded-for"),
                        line.parse().unwrap(),
                    )
                })
                .collect();
            let seen = proxies.client(peer.parse().unwrap(), &headers);
            assert_eq!(seen.to_string(), expect, "{peer} {forwarded:?}");
        };
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check(
            "127.0.0.1",
            &["6.6.6.6, 198.51.100.1, 10.1.2.3"],
            "198.51.100.1",
        );
        check(
            "127.0.0.1",
            &["6.6.6.6", "198.51.100.1", "10.1.2.3"],
            "198.51.100.1",
        );
        check("127.0.0.1", &["6.6.6.6, nonsense, 10.1.2.3"], "10.1.2.3");
        check("fd12::1", &["198.51.100.1:4711"], "198.51.100.1");
        check("fd12::1", &["[2001:db8::5]:4711"], "2001:db8::5");
        check("10.9.9.9", &["10.1.1.1, 10.2.2.2"], "10.1.1.1");
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.0/33", "example.com", "10.0.0/8", "::/129"] {
            assert!(TrustedProxies::parse([text]).is_err(), "{text}");
        }
        let everybody = TrustedProxies::parse(["::/0"]).unwrap();
        assert!(everybody.contains("203.0.113.9".parse().unwrap()));
        let v4 = TrustedProxies::parse(["0.0.0.0/0"]).unwrap();
        assert!(v4.contains("203.0.113.9".parse().unwrap()));
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
    }
}
