//! Entries too large to be read while others wait: each is read in its own lane, one at
//! a time, and the beginning tells which lane that is.

use std::io;
use std::sync::Arc;

use domain::message::Inbound;
use store::Taken;
use tokio::io::AsyncReadExt as _;

use super::{read, rest};
use crate::{Engine, Line};

/// As much as others have that are read at once.
const BEGINNING_BYTES: u64 = 256 << 10;

/// What the beginning of an entry says; nothing where it cannot be read.
pub(super) async fn beginning(
    engine: &Engine,
    line: &Line,
    raw: &[u8],
    rest: &str,
) -> Vec<Inbound> {
    let beginning = read_beginning(engine, raw, rest).await;
    let inbounds = beginning.map(|beginning| read(line, &beginning));
    // Whoever reads the whole of it will say why.
    inbounds
        .unwrap_or_else(|_| Ok(Vec::new()))
        .unwrap_or_default()
}

async fn read_beginning(engine: &Engine, raw: &[u8], rest: &str) -> io::Result<Vec<u8>> {
    let path = engine.inner.files.path_of(rest);
    let path = path.ok_or(io::ErrorKind::NotFound)?;
    let mut beginning = raw.to_vec();
    let file = tokio::fs::File::open(path).await?;
    file.take(BEGINNING_BYTES)
        .read_to_end(&mut beginning)
        .await?;
    Ok(beginning)
}

/// What the whole of an entry says, or why it cannot be read.
pub(super) async fn read_whole(
    engine: &Engine,
    line: &Arc<Line>,
    entry: &Taken,
) -> Result<Vec<Inbound>, String> {
    let large = Arc::clone(&engine.inner.large);
    let _one_at_a_time = large.acquire_owned().await;
    let raw = rest::whole(engine, entry).await;
    let raw = raw.map_err(|error| error.to_string())?;
    let line = Arc::clone(line);
    let reading = tokio::task::spawn_blocking(move || read(&line, &raw));
    reading.await.map_err(|error| error.to_string())?
}
