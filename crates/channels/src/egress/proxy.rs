//! Where a line's provider is reached only through somebody else.

use std::fmt;

use reqwest::Url;

/// A proxy: `http://`, `https://`, `socks5://` (names are looked up here) or `socks5h://`
/// (names are looked up there), with a user and a password if need be.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Url);

impl Proxy {
    /// Reads an address. What is wrong is told without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be an address such as \"socks5://user:password@10.0.0.1:1080\"";
        let url = Url::parse(text).map_err(|_| expected.to_owned())?;
        if !["http", "https", "socks5", "socks5h"].contains(&url.scheme()) {
            return Err("must begin with http://, https://, socks5:// or socks5h://".to_owned());
        }
        let is_bare = matches!(url.path(), "" | "/");
        if url.host_str().is_none_or(str::is_empty) || !is_bare || url.query().is_some() {
            return Err(expected.to_owned());
        }
        Ok(Self(url))
    }

    /// Its own host.
    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it looks names up itself, so that we do not see the addresses.
    pub(super) fn looks_up(&self) -> bool {
        self.0.scheme() != "socks5"
    }

    pub(super) fn rule(&self) -> reqwest::Result<reqwest::Proxy> {
        reqwest::Proxy::all(self.0.clone())
    }
}

/// Without the user and the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_their_passwords_kept() {
        for (text, host, looks_up) in [
            ("http://proxy.example.com:3128", "proxy.example.com", true),
            (
                "https://u:secret@proxy.example.com/",
                "proxy.example.com",
                true,
            ),
            ("socks5://u:secret@10.0.0.1:1080", "10.0.0.1", false),
            ("socks5h://[::1]:1080", "[::1]", true),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((proxy.host(), proxy.looks_up()), (host, looks_up));
            assert!(!format!("{proxy:?}").contains("secret"));
            proxy.rule().unwrap();
        }
        for text in [
            "",
            "10.0.0.1:1080",
            "ftp://u:secret@10.0.0.1",
            "socks4://10.0.0.1",
            "http://",
            "http://proxy.example.com/secret",
            "socks5://proxy.example.com:99999",
        ] {
            let problem = Proxy::parse(text).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
