//! `/metrics` for Prometheus.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use channels::host::ClientIp;
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Who asks for the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Where from; none when some undeclared proxy stands between.
    pub ip: Option<IpAddr>,
    /// The bearer token, if one was given.
    pub token: Option<String>,
}

impl Asker {
    /// Asks from this very machine.
    pub fn is_local(&self) -> bool {
        self.ip.is_some_and(|ip| ip.is_loopback())
    }
}

/// Decides who may read the metrics.
pub type Access = Arc<dyn Fn(&Asker) -> bool + Send + Sync>;

/// What is measured, and who may read it.
#[derive(Clone)]
pub struct Metrics {
    /// Renders what the recorder has.
    pub handle: PrometheusHandle,
    /// Who may read it.
    pub access: Access,
}

/// Makes the process record its metrics. To be called once; the handle's
/// `run_upkeep` wants a call every few seconds when nobody reads.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    #[expect(clippy::cast_precision_loss, reason = "a day has few enough seconds")]
    let steps = domain::metrics::STEPS_S.map(|end| end as f64);
    let mut builder = PrometheusBuilder::new();
    // In steps, so that a service level of many queues or hours can be made of them.
    for name in [
        "queue_answer_wait_seconds",
        "queue_abandon_wait_seconds",
        "queue_first_reply_seconds",
    ] {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &steps)?;
    }
    builder.install_recorder()
}

pub(crate) fn routes(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state(metrics)
}

async fn render(State(metrics): State<Metrics>, request: Request) -> Response {
    if !(metrics.access)(&asker(&request)) {
        return (StatusCode::FORBIDDEN, "metrics are not for you\n").into_response();
    }
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, metrics.handle.render()).into_response()
}

fn asker(request: &Request) -> Asker {
    let headers = request.headers();
    let ip = request.extensions().get::<ClientIp>().map(|ip| ip.0);
    // A proxy on this machine that nobody declared must not make the whole world
    // look local.
    let behind_proxy = ["x-forwarded-for", "forwarded", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    Asker {
        ip: ip.filter(|ip| !(behind_proxy && ip.is_loopback())),
        token: bearer(headers).map(str::to_owned),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
