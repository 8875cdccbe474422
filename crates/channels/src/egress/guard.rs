//! What may be reached when somebody else says where: what is public, and nothing else.
//! Addresses are checked where they are looked up for the connection itself, so a name
//! that changes its mind in between gains nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// How names are looked up.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// What is outside, and how it is found.
#[derive(Clone)]
pub(super) struct World {
    pub(super) lookup: Lookup,
    /// Which addresses everybody can reach.
    pub(super) is_public: fn(IpAddr) -> bool,
    /// The one port of other people's servers.
    pub(super) port: u16,
}

/// Which addresses a client may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Any: the administrator says where.
    Anywhere,
    /// This machine, because what is said goes in clear.
    Here,
    /// What everybody can reach.
    Public,
}

/// An address that must not be reached.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} must not be reached")]
pub(super) struct Denied(pub(super) IpAddr);

/// Looks names up for a connection.
pub(super) struct Resolver {
    pub(super) world: World,
    pub(super) reach: Reach,
    /// The proxy's name, which was configured.
    pub(super) proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.world.lookup)(name.as_str().to_owned());
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        let is_allowed: fn(IpAddr) -> bool = match self.reach {
            Reach::Here => |address| address.is_loopback(),
            Reach::Public if !is_proxy => self.world.is_public,
            Reach::Public | Reach::Anywhere => |_| true,
        };
        Box::pin(async move {
            let found = found.await?;
            // One that is denied spoils the others: the name is somebody's trick.
            if let Some(address) = found.iter().find(|address| !is_allowed(address.ip())) {
                return Err(Denied(address.ip()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl World {
    /// The one that there is. Names are looked up as by every program of this machine.
    pub(super) fn real() -> Self {
        Self {
            lookup: Arc::new(|name| {
                Box::pin(async move { Ok(lookup_host((name, 0)).await?.collect()) })
            }),
            is_public,
            port: 443,
        }
    }

    /// Reads an address that somebody gave us. A host that is a number is checked here,
    /// as nobody looks it up.
    pub(super) fn admit(&self, url: &Url) -> Result<(), String> {
        if url.scheme() != "https" {
            return Err("its address is not https".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its address has a user in it".to_owned());
        }
        if url.port_or_known_default() != Some(self.port) {
            return Err("its address has a port of its own".to_owned());
        }
        let host = url.host_str().unwrap_or_default();
        let number = host.trim_start_matches('[').trim_end_matches(']');
        match number.parse::<IpAddr>() {
            Ok(address) if !(self.is_public)(address) => Err(Denied(address).to_string()),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Whether everybody can reach an address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What the registry of special addresses (RFC 6890) leaves, without those by which
/// clouds tell a machine its secrets.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const DENIED: [(Ipv4Addr, u32); 17] = [
        (Ipv4Addr::UNSPECIFIED, 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(168, 63, 129, 16), 32),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 52, 193, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    let address = address.to_bits();
    DENIED
        .iter()
        .all(|(net, bits)| (address ^ net.to_bits()) >> (32 - bits) != 0)
}

/// Global unicast alone, without what stands for an address of the old kind (Teredo,
/// 6to4) or is for examples and the protocol's own. All other forms of such (mapped,
/// compatible, NAT64) are outside of it, as is what is local.
fn is_public_v6(address: Ipv6Addr) -> bool {
    const DENIED: [(Ipv6Addr, u32); 4] = [
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
        (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ];
    let address = address.to_bits();
    let is_global = address >> 125 == 0b001;
    is_global
        && DENIED
            .iter()
            .all(|(net, bits)| (address ^ net.to_bits()) >> (128 - bits) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "149.154.167.220",
        "168.63.129.15",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2a00:1450:4010:c0e::8a",
        "2606:4700:4700::1111",
    ];

    #[test]
    fn what_is_public_and_what_is_not() {
        for (texts, expect) in [(DENIED, false), (PUBLIC, true)] {
            for text in texts {
                assert_eq!(is_public(text.parse().unwrap()), expect, "{text}");
            }
        }
    }
}
