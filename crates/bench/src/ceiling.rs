//! The least that a durable answer costs: bodies are appended to a file, and those
//! that came in the meantime share a sync.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::child::let_go;
use crate::figures::say;

/// Bodies that wait for the file; more make their senders wait.
const WAITING_MAX: usize = 8_192;

type Job = (Bytes, oneshot::Sender<()>);

/// Serves until standard input ends, which is when the parent has.
pub(crate) async fn serve(file: &Path) -> anyhow::Result<()> {
    let file = File::create(file).context("making the file")?;
    let (jobs, waiting) = mpsc::channel(WAITING_MAX);
    std::thread::spawn(move || append(file, waiting));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("Ready. {}", listener.local_addr()?))?;
    let mut end = std::pin::pin!(let_go());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                let jobs = jobs.clone();
                let service = service_fn(move |request| answer(jobs.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
            () = &mut end => return Ok(()),
        }
    }
}

async fn answer(
    jobs: mpsc::Sender<Job>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let (done, durable) = oneshot::channel();
    let is_durable = jobs.send((body, done)).await.is_ok() && durable.await.is_ok();
    let mut response = Response::new(Full::from(r#"{"ok":true}"#));
    if !is_durable {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

fn append(mut file: File, mut waiting: mpsc::Receiver<Job>) {
    let mut bytes = Vec::new();
    let mut answers = Vec::new();
    while let Some((body, done)) = waiting.blocking_recv() {
        bytes.extend_from_slice(&body);
        answers.push(done);
        while let Ok((body, done)) = waiting.try_recv() {
            bytes.extend_from_slice(&body);
            answers.push(done);
        }
        if file
            .write_all(&bytes)
            .and_then(|()| file.sync_data())
            .is_err()
        {
            return;
        }
        bytes.clear();
        for done in answers.drain(..) {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }
}
