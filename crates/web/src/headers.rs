//! What every answer tells the browser about its own limits.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::origin::PublicOrigin;

/// Blob pictures, sound and film are previews of files that are being uploaded.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; \
     worker-src 'self'; manifest-src 'self'; frame-src 'self'; object-src 'none'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The microphone is for calls from the inbox.
const PERMISSIONS_POLICY: &str = "accelerometer=(), browsing-topics=(), camera=(), \
     display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(self), \
     midi=(), payment=(), usb=()";

const EVERYWHERE: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// Puts the headers on every answer. A route that has set one of them itself knows
/// better.
pub(crate) async fn secure(
    State(public): State<PublicOrigin>,
    request: Request,
    next: Next,
) -> Response {
    let for_other_sites = is_for_other_sites(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in EVERYWHERE {
        set_if_absent(headers, name, value);
    }
    if for_other_sites {
        set_if_absent(headers, "cross-origin-resource-policy", "cross-origin");
        set_if_absent(headers, "access-control-allow-origin", "*");
    } else {
        set_if_absent(headers, "cross-origin-resource-policy", "same-origin");
    }
    if public.is_secure() {
        set_if_absent(headers, "strict-transport-security", "max-age=31536000");
    }
    response
}

/// The site chat's own files are loaded by the pages of those who use it.
fn is_for_other_sites(path: &str) -> bool {
    path == "/widget.js" || path.starts_with("/widget/")
}

fn set_if_absent(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers
        .entry(HeaderName::from_static(name))
        .or_insert(HeaderValue::from_static(value));
}
