//! Who a request comes from, when proxies stand between.

use std::net::IpAddr;

use channels::networks::{NetworkError, Networks};
use http::HeaderMap;

/// The proxies whose word about the client is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Networks);

impl TrustedProxies {
    /// Reads a list of addresses and networks.
    pub fn parse<'a>(proxies: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        Networks::parse(proxies).map(Self)
    }

    /// The nearest address that is not one of our proxies. What stands to the left of
    /// it in the header is the client's own invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.0.contains(client) {
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
                if !self.0.contains(client) {
                    return client;
                }
            }
        }
        client
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
}
