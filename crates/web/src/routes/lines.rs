//! What channels bring of their own. A reload changes which lines there are, so
//! their routes are looked up at each request and put together after each change.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use engine::Engine;
use engine::serving::{Served, Serving};
use tower::ServiceExt as _;

/// The routes of the lines there are.
#[derive(Clone)]
struct Lines {
    engine: Engine,
    together: Arc<Mutex<Together>>,
}

struct Together {
    /// What they were made for.
    serving: Arc<Serving>,
    /// Of each line that has any, so that those of an unchanged one are kept.
    each: Vec<(Served, Router)>,
    all: Router,
}

/// Answers whatever nothing else does.
pub(super) fn routes(engine: &Engine) -> Router {
    let serving = engine.serving();
    let lines = Lines {
        together: Arc::new(Mutex::new(put_together(engine, serving, &[]))),
        engine: engine.clone(),
    };
    Router::new().fallback(answer).with_state(lines)
}

async fn answer(State(lines): State<Lines>, request: Request) -> Result<Response, Infallible> {
    let all = lines.now();
    all.oneshot(request).await
}

impl Lines {
    fn now(&self) -> Router {
        let serving = self.engine.serving();
        let mut together = self.together.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&together.serving, &serving) {
            *together = put_together(&self.engine, serving, &together.each);
        }
        together.all.clone()
    }
}

fn put_together(engine: &Engine, serving: Arc<Serving>, before: &[(Served, Router)]) -> Together {
    let mut each = Vec::new();
    let mut all = Router::new();
    for served in serving.lines() {
        let channel = &served.line.channel;
        let kept = before
            .iter()
            .find(|(before, _)| Arc::ptr_eq(&before.line.channel, channel))
            .map(|(_, router)| router.clone());
        let fresh = || Arc::clone(channel).routes(engine.host(), served.stop.clone());
        if let Some(router) = kept.or_else(fresh) {
            all = all.merge(router.clone());
            each.push((served.clone(), router));
        }
    }
    Together { serving, each, all }
}
