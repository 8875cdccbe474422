//! Which sites may use a line: an exact list of origins.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::LineSetup;
use crate::options::Options;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The sites that may use a line.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    listed: Vec<String>,
    absent_allowed: bool,
}

impl Origins {
    /// Reads `origins`, by default the gateway's own, and `allow_no_origin`.
    pub(crate) fn read(options: &mut Options, setup: &LineSetup, absent_default: bool) -> Self {
        let listed = match options.list("origins") {
            Some(listed) => {
                if let Some(wrong) = listed.iter().find(|origin| !is_origin(origin)) {
                    options.problem(
                        "origins",
                        format!("{wrong:?} is not an origin: write https://host or https://host:port, in lower case, with nothing behind it and no *"),
                    );
                }
                listed
            }
            None => own(&setup.public_url),
        };
        Self {
            listed,
            absent_allowed: options.flag_or("allow_no_origin", absent_default),
        }
    }

    /// Whether a request with these headers may go on.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => self.absent_allowed,
            (Some(origin), None) => self.lists(origin.as_bytes()),
            (Some(_), Some(_)) => false,
        }
    }

    /// Whether a page at this address belongs to a listed site.
    pub(crate) fn covers(&self, url: &str) -> bool {
        self.listed.iter().any(|origin| {
            url.strip_prefix(origin.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        })
    }

    /// Lets the page of a listed site read an answer.
    pub(crate) fn expose(&self, request: &HeaderMap, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = request.get(header::ORIGIN)
            && self.lists(origin.as_bytes())
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("retry-after"),
            );
        }
        response
    }

    /// Answers a browser that asks before it sends.
    pub(crate) fn preflight(&self, request: &HeaderMap, methods: &'static str) -> Response {
        if !self.admits(request) {
            return self.expose(request, StatusCode::FORBIDDEN.into_response());
        }
        let allowed: [(HeaderName, &'static str); 3] = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, x-file-name",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, "3600"),
        ];
        self.expose(request, (StatusCode::NO_CONTENT, allowed).into_response())
    }

    fn lists(&self, origin: &[u8]) -> bool {
        self.listed.iter().any(|listed| listed.as_bytes() == origin)
    }
}

fn is_origin(text: &str) -> bool {
    let Some(host) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]_".contains(c);
    !host.is_empty() && !host.ends_with(':') && host.chars().all(allowed)
}

/// The gateway's own origin. On one's own machine the three names of it are the
/// same place, and which of them is typed is chance.
fn own(public_url: &str) -> Vec<String> {
    let Some((scheme, rest)) = public_url.split_once("://") else {
        return Vec::new();
    };
    let authority = rest
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    for name in LOOPBACK {
        if let Some(port) = authority.strip_prefix(name)
            && (port.is_empty() || port.starts_with(':'))
        {
            return LOOPBACK
                .iter()
                .map(|name| format!("{scheme}://{name}{port}"))
                .collect();
        }
    }
    vec![format!("{scheme}://{authority}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(origins: &[&str]) -> HeaderMap {
        origins
            .iter()
            .map(|origin| {
                (
                    header::ORIGIN,
                    HeaderValue::from_str(origin).expect("ASCII"),
                )
            })
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    #[test]
    fn only_the_exact_origin_is_admitted() {
        let origins = Origins {
            listed: vec!["https://shop.example".to_owned()],
            absent_allowed: false,
        };
        assert!(origins.admits(&request(&["https://shop.example"])));
        for foreign in [
            &[][..],
            &["null"],
            &["http://shop.example"],
            &["https://shop.example:8443"],
            &["https://shop.example.evil.example"],
            &["https://evil-shop.example"],
            &["https://SHOP.example"],
            &["https://shop.example/"],
            &["https://shop.example", "https://shop.example"],
        ] {
            assert!(!origins.admits(&request(foreign)), "{foreign:?}");
        }
        assert!(origins.covers("https://shop.example/thanks?x=1"));
        assert!(!origins.covers("https://shop.example.evil.example/"));
        assert!(!origins.covers("https://shop.example@evil.example/"));
    }

    #[test]
    fn ones_own_machine_has_three_names() {
        let own = own("http://127.0.0.1:8080");
        assert!(own.contains(&"http://localhost:8080".to_owned()));
        assert_eq!(super::own("https://chat.example"), ["https://chat.example"]);
        assert_eq!(
            super::own("https://localhost.example"),
            ["https://localhost.example"]
        );
    }

    #[test]
    fn an_origin_has_no_path_and_no_star() {
        for good in [
            "https://a.example",
            "http://localhost:3000",
            "http://[::1]:80",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "https://*.a.example",
            "a.example",
            "https://a.example/",
            "ftp://a",
            "https://A.example",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
