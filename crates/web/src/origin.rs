//! Whether a browser's request comes from our own pages.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};

/// The address under which browsers reach the gateway, without its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin {
    origin: Arc<str>,
    secure: bool,
}

/// The public address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as https://chat.example.com")]
pub struct PublicUrlError(String);

/// A request that a browser sent on behalf of somebody else's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request comes from another site's page")]
pub struct CrossSite;

impl CrossSite {
    /// The reason as programs read it.
    pub const REASON: &'static str = "CROSS_SITE_REQUEST";
}

impl IntoResponse for CrossSite {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "code": "permission_denied",
            "reason": Self::REASON,
            "message": self.to_string(),
        });
        (StatusCode::FORBIDDEN, axum::Json(body)).into_response()
    }
}

impl FromStr for PublicOrigin {
    type Err = PublicUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let refused = || PublicUrlError(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let host = uri.host().filter(|host| !host.is_empty());
        let (Some(scheme), Some(host)) = (uri.scheme_str(), host) else {
            return Err(refused());
        };
        let (secure, default_port) = match scheme {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return Err(refused()),
        };
        let host = host.to_ascii_lowercase();
        // Browsers leave the default port out of the Origin header.
        let origin = match uri.port_u16().filter(|port| *port != default_port) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self {
            origin: origin.into(),
            secure,
        })
    }
}

impl PublicOrigin {
    /// The origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach the gateway by https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Checks a request that may change something. Only what a browser would
    /// authenticate by itself, by a cookie, can be forged by another page.
    pub fn admits_write(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), CrossSite> {
        let forgeable = headers.contains_key(header::COOKIE)
            && !headers.contains_key(header::AUTHORIZATION)
            && !method.is_safe();
        if !forgeable {
            return Ok(());
        }
        let same_origin = fetch_site(headers) == Some("same-origin");
        let admitted = match headers.get(header::ORIGIN) {
            Some(origin) => {
                let origin = origin.to_str().unwrap_or_default();
                origin == self.as_str() || (same_origin && is_own_host(origin, uri, headers))
            }
            None => same_origin,
        };
        admitted.then_some(()).ok_or(CrossSite)
    }

    /// Checks a request that only reads, but whose answer another page must not
    /// get at.
    pub fn admits_read(&self, headers: &HeaderMap) -> Result<(), CrossSite> {
        let admitted = match fetch_site(headers) {
            Some(site) => matches!(site, "same-origin" | "none"),
            None => headers
                .get(header::ORIGIN)
                .is_none_or(|origin| origin.as_bytes() == self.as_str().as_bytes()),
        };
        admitted.then_some(()).ok_or(CrossSite)
    }
}

/// Middleware for routes that take a session cookie.
pub async fn guard(State(public): State<PublicOrigin>, request: Request, next: Next) -> Response {
    match public.admits_write(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(cross_site) => cross_site.into_response(),
    }
}

fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("sec-fetch-site")
        .map(|site| site.to_str().unwrap_or("invalid"))
}

/// The page was loaded by another name of ours, such as `localhost`.
fn is_own_host(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| headers.get(header::HOST)?.to_str().ok());
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == origin_host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn normalises_the_public_address() {
        let check = |url: &str, expect: Option<(&str, bool)>| {
            let parsed = url.parse::<PublicOrigin>().ok();
            let seen = parsed.as_ref().map(|p| (p.as_str(), p.is_secure()));
            assert_eq!(seen, expect, "{url}");
        };
        check(
            "https://Chat.Example.com:443/x",
            Some(("https://chat.example.com", true)),
        );
        check(
            "http://127.0.0.1:8080",
            Some(("http://127.0.0.1:8080", false)),
        );
        check("http://[::1]:80", Some(("http://[::1]", false)));
        check("ftp://example.com", None);
        check("example.com", None);
        check("", None);
    }

    #[test]
    fn writes_by_cookie_come_from_our_pages() {
        let public: PublicOrigin = "https://chat.example.com".parse().unwrap();
        let check = |pairs: &[(&'static str, &'static str)], expect: bool| {
            let uri = Uri::from_static("/x");
            let seen = public.admits_write(&Method::POST, &uri, &headers(pairs));
            assert_eq!(seen.is_ok(), expect, "{pairs:?}");
        };
        let cookie = ("cookie", "session=1");
        check(&[], true);
        check(&[("origin", "https://evil.example")], true);
        check(&[cookie, ("authorization", "Bearer x")], true);
        check(&[cookie], false);
        check(&[cookie, ("origin", "https://chat.example.com")], true);
        check(
            &[cookie, ("origin", "https://chat.example.com.evil.example")],
            false,
        );
        check(&[cookie, ("origin", "https://evil.example")], false);
        check(&[cookie, ("origin", "null")], false);
        check(&[cookie, ("sec-fetch-site", "same-origin")], true);
        check(&[cookie, ("sec-fetch-site", "same-site")], false);
        let local = ("origin", "http://localhost:8080");
        let same = ("sec-fetch-site", "same-origin");
        check(&[cookie, local, same, ("host", "localhost:8080")], true);
        check(&[cookie, local, same, ("host", "chat.example.com")], false);
        check(&[cookie, local, ("host", "localhost:8080")], false);
    }

    #[test]
    fn reads_come_from_our_pages_or_no_page() {
        let public: PublicOrigin = "https://chat.example.com".parse().unwrap();
        let check = |pairs: &[(&'static str, &'static str)], expect: bool| {
            assert_eq!(
                public.admits_read(&headers(pairs)).is_ok(),
                expect,
                "{pairs:?}"
            );
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "https://evil.example")], false);
    }
}
