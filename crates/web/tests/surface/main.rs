//! The port, with a contact directory that answers from a script.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod connections;
mod directory;
mod json;
mod native;
mod pages;
mod streams;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use directory::{Directory, Opened};
use http::Request;
use http_body_util::BodyExt as _;
use proto::contacts::v1::contact_directory_server::ContactDirectoryServer;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use web::{Limits, Metrics, Parts, Readiness, Reason};

const SERVICE: &str = "/switchboard.contacts.v1.ContactDirectory";

/// The surface and the hands by which a test holds it.
struct Surface {
    app: Router,
    opened: mpsc::Receiver<Opened>,
    readiness: watch::Sender<Readiness>,
    stopping: CancellationToken,
}

fn surface() -> Surface {
    surface_at("https://chat.example.com")
}

fn surface_at(public_url: &str) -> Surface {
    let (directory, opened) = Directory::new();
    let (readiness, observed) = watch::channel(Readiness::default());
    let stopping = CancellationToken::new();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let app = web::app(Parts {
        grpc: tonic::service::Routes::new(ContactDirectoryServer::new(directory)),
        open: Router::new().route("/hooks/x", axum::routing::post(|| async { "ok" })),
        guarded: Router::new().route("/uploads", axum::routing::post(|| async { "ok" })),
        public: public_url.parse().unwrap(),
        readiness: observed,
        metrics: Some(Metrics {
            handle: recorder.handle(),
            access: std::sync::Arc::new(web::metrics::Asker::is_local),
        }),
        limits: Limits::default(),
        stopping: stopping.clone(),
    });
    Surface {
        app: app.unwrap(),
        opened,
        readiness,
        stopping,
    }
}

fn not_ready() -> Readiness {
    Readiness {
        reasons: vec![Reason {
            component: "store".to_owned(),
            problem: "the disk is full".to_owned(),
        }],
    }
}

impl Surface {
    async fn send(&self, request: Request<Body>) -> Response {
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn unary(&self, method: &str, json: impl Into<Body>) -> Response {
        self.send(post(method, "application/json", json)).await
    }
}

fn post(method: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("{SERVICE}/{method}"))
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

fn get(path_and_query: &str) -> Request<Body> {
    Request::get(path_and_query).body(Body::empty()).unwrap()
}

async fn json(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (status, value)
}

/// The next piece of a stream as text.
async fn piece(body: &mut Body) -> String {
    let frame = body.frame().await.expect("the stream goes on").unwrap();
    String::from_utf8_lossy(&frame.into_data().unwrap()).into_owned()
}
