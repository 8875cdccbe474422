//! A contact directory as a company's own system would serve it: another process,
//! another store, the required methods only. For the scenarios.
//!
//! `contact-directory LISTEN FILE [late MS | broken]`: `late` does the work and
//! answers after so long, `broken` refuses everything.

mod book;
mod service;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use proto::contacts::v1::contact_directory_server::ContactDirectoryServer;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use book::Book;
use service::{Mood, Service};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (listen, file, mood) = match words.as_slice() {
        [listen, file] => (listen, file, Mood::Well),
        [listen, file, "late", ms] => {
            let late = ms.parse().context("reading how late")?;
            (listen, file, Mood::Late(Duration::from_millis(late)))
        }
        [listen, file, "broken"] => (listen, file, Mood::Broken),
        _ => anyhow::bail!("contact-directory LISTEN FILE [late MS | broken]"),
    };
    let book = Book::open(Path::new(file)).context("reading the book")?;
    let listener = TcpListener::bind(listen).await.context("listening")?;
    let address = listener.local_addr().context("asking for the port")?;
    writeln!(std::io::stdout(), "http://{address}").context("telling the address")?;
    Server::builder()
        .add_service(ContactDirectoryServer::new(Service::new(book, mood)))
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await
        .context("serving")
}
