//! The contract's services: each method reads its request, asks the engine, and
//! tells the answer. Rights are the gate's, rules the domain's.

mod admin;
mod board;
mod bridge;
mod directory;
mod inbox;
mod metrics;
mod replies;
mod routing;

use std::collections::HashMap;
use std::time::Duration;

use domain::operator::{Operator, Role};
use engine::{ActError, Engine, Reason};
use proto::admin::v1::admin_server::AdminServer;
use proto::channels::v1::channel_bridge_server::ChannelBridgeServer;
use proto::inbox::v1 as pb;
use proto::routing::v1::routing_server::RoutingServer;
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::access::{Caller, Gate};
use crate::convert::Lens;
use crate::origin::PublicOrigin;

/// Whose reasons these are.
const DOMAIN: &str = "switchboard";
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;

/// Every service of ours, behind the gate. A feed says every so often that it is alive.
pub fn routes(engine: &Engine, public: &PublicOrigin, beat_every: Duration) -> Routes {
    let inbox = inbox::Served::new(engine, beat_every);
    let routing = RoutingServer::new(routing::Service(engine.clone()));
    let admin = AdminServer::new(admin::Service::new(engine, public));
    let bridge = ChannelBridgeServer::new(bridge::Service(engine.clone()));
    let directory = directory::Proxy::new(engine);
    Routes::new(Gate::new(engine, inbox))
        .add_service(Gate::new(engine, routing))
        .add_service(Gate::new(engine, admin))
        .add_service(Gate::new(engine, bridge))
        .add_service(Gate::new(engine, directory))
}

/// Who calls; the gate put it there.
fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Status::unauthenticated("sign in first"))
}

fn lens(engine: &Engine, caller: &Caller) -> Lens {
    Lens::new(engine, &caller.actor)
}

/// An act's failure, by its code, with a reason that programs and pages know it by.
#[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(status)`")]
fn status(error: ActError) -> Status {
    let text = error.to_string();
    match &error {
        ActError::NotFound(what) => {
            let values = HashMap::from([("what".to_owned(), (*what).to_owned())]);
            let details = ErrorDetails::with_error_info("NOT_FOUND", DOMAIN, values);
            Status::with_error_details(Code::NotFound, text, details)
        }
        ActError::Denied(reason) => refused(Code::PermissionDenied, reason),
        ActError::Refused(reason) | ActError::Unsupported(reason) => {
            refused(Code::FailedPrecondition, reason)
        }
        ActError::Exists(reason) => refused(Code::AlreadyExists, reason),
        ActError::Stale(reason) => refused(Code::Aborted, reason),
        ActError::Invalid { field, problem } => {
            let mut details = details(problem);
            details.add_bad_request_violation(*field, problem.to_string());
            Status::with_error_details(Code::InvalidArgument, text, details)
        }
        ActError::Store(error) => {
            tracing::error!(%error, "an act failed");
            Status::unavailable("the store cannot be used just now")
        }
    }
}

/// A refusal: the reason's sentence, and its code and values for whoever says it in
/// other words.
fn refused(code: Code, reason: &Reason) -> Status {
    Status::with_error_details(code, reason.to_string(), details(reason))
}

fn details(reason: &Reason) -> ErrorDetails {
    let (reason, values) = reason.told();
    ErrorDetails::with_error_info(reason, DOMAIN, values)
}

fn store_status(error: store::StoreError) -> Status {
    status(ActError::Store(error))
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Status {
    status(ActError::Invalid {
        field,
        problem: Reason::Malformed {
            problem: problem.into(),
        },
    })
}

/// Reads an id. One that cannot be ours names nothing.
fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, Status> {
    text.parse().map_err(|_| status(ActError::NotFound(what)))
}

fn optional_id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<Option<T>, Status> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(text, what).map(Some)
    }
}

fn page_size(asked: i32, default: usize, max: usize) -> Result<usize, Status> {
    match usize::try_from(asked) {
        Ok(0) => Ok(default),
        Ok(size) if size <= max => Ok(size),
        Ok(_) | Err(_) => Err(invalid("page_size", format!("give 1 to {max}"))),
    }
}

/// A page token that is one number.
fn page_number(token: &str) -> Result<Option<i64>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    token
        .parse()
        .map(Some)
        .map_err(|_| invalid("page_token", "not one of this list's"))
}

fn role(asked: pb::Role) -> Result<Role, Status> {
    crate::convert::role_from(asked).ok_or_else(|| invalid("role", "give a role"))
}

/// A person as the answer to their own call.
fn operator(lens: &Lens, operator: &Operator) -> pb::Operator {
    crate::convert::operator(lens, operator)
}
