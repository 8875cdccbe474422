//! Where a call goes. The address comes from the administrator's own file, so any host
//! will do; what is said goes over TLS, unless it stays on this machine.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;
use reqwest::Url;

const URL_BYTES_MAX: usize = 2_000;

/// An `https://` address, or an `http://` one of this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

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
        if *scheme == Scheme::HTTP && !is_local(host) {
            return Err(
                "must begin with https:// unless it is on this machine: clients' words \
                        must not go over the network in clear"
                    .to_owned(),
            );
        }
        if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
            return Err("must begin with https://".to_owned());
        }
        if host.is_empty() || authority.as_str().ends_with(':') {
            return Err(expected.to_owned());
        }
        let url = Url::parse(text).map_err(|_| expected.to_owned())?;
        Ok(Self(url))
    }

    /// The whole address but for the query, in which some receivers have their keys.
    pub fn without_query(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.into()
    }

    pub(super) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether an address is of the same server.
    pub(super) fn is_origin_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// The address of something below. What would lead out of it is refused.
    pub(super) fn below(&self, path: &str) -> Result<Url, String> {
        let mut url = self.0.clone();
        if path.is_empty() {
            return Ok(url);
        }
        let is_plain = |part: &str| !matches!(part.replace("%2e", ".").as_str(), "." | "..");
        let is_inside = path.to_ascii_lowercase().split('/').all(is_plain);
        if !is_inside || path.contains(|it: char| it == '\\' || it.is_control()) {
            return Err("a path that leads elsewhere is not called".to_owned());
        }
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        Ok(url)
    }
}

/// The server alone: some have their keys in the path.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
        for (text, shown, origin) in [
            (
                "https://crm.example.com/hook?key=1",
                "https://crm.example.com/hook",
                "https://crm.example.com",
            ),
            (
                "https://crm.example.com:8443",
                "https://crm.example.com:8443/",
                "https://crm.example.com:8443",
            ),
            (
                "https://10.0.0.7/a",
                "https://10.0.0.7/a",
                "https://10.0.0.7",
            ),
            (
                "http://127.0.0.1:9000/a",
                "http://127.0.0.1:9000/a",
                "http://127.0.0.1:9000",
            ),
            (
                "http://localhost/a",
                "http://localhost/a",
                "http://localhost",
            ),
            ("http://[::1]:81/a", "http://[::1]:81/a", "http://[::1]:81"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.without_query(), shown);
            assert_eq!(
                (target.to_string(), format!("{target:?}")),
                (origin.into(), origin.into())
            );
        }
    }

    #[test]
    fn calls_stay_below_the_base() {
        for (base, path, expect) in [
            ("https://a.example", "", "https://a.example/"),
            (
                "https://a.example/hook/?key=1",
                "",
                "https://a.example/hook/?key=1",
            ),
            (
                "https://a.example/v1/",
                "/send",
                "https://a.example/v1/send",
            ),
            (
                "https://a.example/v1?key=1",
                "send",
                "https://a.example/v1/send?key=1",
            ),
            (
                "https://a.example",
                "bot1:a/getMe",
                "https://a.example/bot1:a/getMe",
            ),
            (
                "https://a.example",
                "//b.example/",
                "https://a.example/b.example/",
            ),
            (
                "https://a.example",
                "@b.example",
                "https://a.example/@b.example",
            ),
            (
                "https://a.example/v1",
                "a?b#c d",
                "https://a.example/v1/a%3Fb%23c%20d",
            ),
            (
                "https://a.example/v1",
                "a/..b/c..",
                "https://a.example/v1/a/..b/c..",
            ),
        ] {
            let url = Target::parse(base).unwrap().below(path);
            assert_eq!(url.unwrap().as_str(), expect);
        }
        let target = Target::parse("https://a.example/v1").unwrap();
        for path in [
            "..",
            "../v2",
            "a/../../v2",
            "a/./b",
            "%2e%2e/v2",
            ".%2E/v2",
            "..\\v2",
            ".\t./v2",
            "a\r\nb",
        ] {
            assert!(target.below(path).is_err(), "{path}");
        }
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
