//! Where a call goes. The address comes from the administrator's own file, so any host
//! will do; what is said goes over TLS, unless it stays on this machine.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

const URL_BYTES_MAX: usize = 2_000;

/// An `https://` address, or an `http://` one of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) is_tls: bool,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// The host as headers have it.
    pub(super) authority: String,
    pub(super) path: PathAndQuery,
}

impl Target {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be an address such as \"https://crm.example.com/path\"";
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(expected.to_owned());
        };
        if text.len() > URL_BYTES_MAX {
            return Err(format!("is longer than {URL_BYTES_MAX} bytes"));
        }
        if text.contains('#') {
            return Err("must not have a part behind a #".to_owned());
        }
        if authority.as_str().contains('@') {
            return Err("must not contain a user or a password".to_owned());
        }
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let is_tls = if *scheme == Scheme::HTTPS {
            true
        } else if *scheme == Scheme::HTTP && is_local(host) {
            false
        } else if *scheme == Scheme::HTTP {
            return Err(
                "must begin with https:// unless it is on this machine: clients' words \
                        must not go over the network in clear"
                    .to_owned(),
            );
        } else {
            return Err("must begin with https://".to_owned());
        };
        if host.is_empty() || authority.as_str().ends_with(':') {
            return Err(expected.to_owned());
        }
        let path = uri.path_and_query().cloned();
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}

/// Without the query, in which some receivers have their keys.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path.path())
    }
}

fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, shown, port) in [
            (
                "https://crm.example.com/hook?key=1",
                "https://crm.example.com/hook",
                443,
            ),
            (
                "https://crm.example.com:8443",
                "https://crm.example.com:8443/",
                8443,
            ),
            ("https://10.0.0.7/a", "https://10.0.0.7/a", 443),
            ("http://127.0.0.1:9000/a", "http://127.0.0.1:9000/a", 9000),
            ("http://localhost/a", "http://localhost/a", 80),
            ("http://[::1]:81/a", "http://[::1]:81/a", 81),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.to_string().as_str(), target.port), (shown, port));
        }
        assert_eq!(Target::parse("http://[::1]:81/a").unwrap().host, "::1");
    }

    #[test]
    fn what_would_go_in_clear_or_nowhere_is_refused() {
        for text in [
            "http://crm.example.com/hook",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://0.0.0.0/",
            "http://10.0.0.7/",
            "http://[::]/",
            "ftp://crm.example.com/",
            "https://user:secret@crm.example.com/",
            "https:///hook",
            "https://crm.example.com:/",
            "https://crm.example.com/#part",
            "crm.example.com/hook",
            "/hook",
            "",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
