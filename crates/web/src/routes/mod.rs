//! What stands beside the contract: webhooks, uploads, files, and what channels
//! bring of their own.

mod files;
mod hooks;
mod uploads;

use axum::Router;
use engine::Engine;

/// Routes that check their callers themselves.
pub fn open(engine: &Engine) -> Router {
    let mut router = files::routes(engine).merge(hooks::routes(engine));
    for line in &engine.settings().lines {
        if let Some(own) = line
            .channel
            .clone()
            .routes(engine.host(), engine.stopping())
        {
            router = router.merge(own);
        }
    }
    router
}

/// Routes that take a session cookie.
pub fn guarded(engine: &Engine) -> Router {
    uploads::routes(engine)
}
