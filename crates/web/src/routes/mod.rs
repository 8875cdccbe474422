//! What stands beside the contract: webhooks, uploads, files, and what channels
//! bring of their own.

mod files;
mod hooks;
mod letters;
mod lines;
mod uploads;

use axum::Router;
use engine::Engine;

/// Routes that check their callers themselves.
pub fn open(engine: &Engine) -> Router {
    files::routes(engine)
        .merge(hooks::routes(engine))
        .merge(letters::routes(engine))
        .merge(lines::routes(engine))
}

/// Routes that take a session cookie.
pub fn guarded(engine: &Engine) -> Router {
    uploads::routes(engine)
}
