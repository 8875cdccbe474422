//! Who may call what: one table, and the gate that keeps it. A method without a
//! row cannot be called, and a test compares the table with the contract.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::operator::Role;
use engine::act::scope_of;
use engine::contacts::AskedBy;
use engine::people::Principal;
use engine::{Actor, Engine};
use http::{HeaderMap, Request, Response, header};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::lifetime::end_when;

/// How soon after a right is gone an open stream ends: within five seconds, and
/// this leaves time for the look itself.
const STILL_VALID: Duration = Duration::from_secs(2);

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever is signed in or has a token.
    SignedIn,
    /// At least this role.
    AtLeast(Role),
    /// A token that may bridge lines.
    Bridge,
}

const OPERATOR: Access = Access::AtLeast(Role::Operator);
const SUPERVISOR: Access = Access::AtLeast(Role::Supervisor);
const ADMIN: Access = Access::AtLeast(Role::Admin);

/// Every method of the contract, with who may call it.
pub const TABLE: &[(&str, &[(&str, Access)])] = &[
    (
        "switchboard.admin.v1.Admin",
        &[
            ("SetUp", Access::Public),
            ("GetSetUp", Access::Public),
            ("Login", Access::Public),
            ("Logout", Access::SignedIn),
            ("ChangePassword", Access::SignedIn),
            ("ListSessions", Access::SignedIn),
            ("RevokeSession", Access::SignedIn),
            ("ListOperators", ADMIN),
            ("CreateOperator", ADMIN),
            ("UpdateOperator", ADMIN),
            ("SetOperatorPassword", ADMIN),
            ("CreateToken", ADMIN),
            ("ListTokens", ADMIN),
            ("RevokeToken", ADMIN),
            ("ListLines", ADMIN),
            ("ListDeadLetters", ADMIN),
            ("GetDeadLetter", ADMIN),
            ("ReplayDeadLetter", ADMIN),
            ("ListAudit", ADMIN),
            ("ListCannedReplies", OPERATOR),
            ("SaveCannedReply", OPERATOR),
            ("DeleteCannedReply", OPERATOR),
            ("VerifyAudit", ADMIN),
            ("ListWebhooks", ADMIN),
            ("ResumeWebhook", ADMIN),
            ("TestWebhook", ADMIN),
        ],
    ),
    (
        "switchboard.channels.v1.ChannelBridge",
        &[("PushInbound", Access::Bridge), ("Connect", Access::Bridge)],
    ),
    (
        "switchboard.contacts.v1.ContactDirectory",
        &[
            ("ResolveContact", SUPERVISOR),
            ("GetContact", OPERATOR),
            ("ListContacts", OPERATOR),
            ("SearchContacts", OPERATOR),
            ("UpdateContact", OPERATOR),
            ("LinkIdentity", OPERATOR),
            ("UnlinkIdentity", OPERATOR),
            ("MergeContacts", OPERATOR),
            ("UndoMerge", OPERATOR),
            ("EraseContact", ADMIN),
            ("ImportContacts", ADMIN),
            ("ExportContacts", ADMIN),
            ("WatchContacts", SUPERVISOR),
        ],
    ),
    (
        "switchboard.inbox.v1.Inbox",
        &[
            ("GetMe", OPERATOR),
            ("SetPresence", OPERATOR),
            ("ListConversations", OPERATOR),
            ("GetConversation", OPERATOR),
            ("ListTimeline", OPERATOR),
            ("AcceptOffer", OPERATOR),
            ("DeclineOffer", OPERATOR),
            ("TakeConversation", OPERATOR),
            ("SendMessage", OPERATOR),
            ("ListTemplates", OPERATOR),
            ("EditMessage", OPERATOR),
            ("DeleteMessage", OPERATOR),
            ("React", OPERATOR),
            ("AddNote", OPERATOR),
            ("MarkRead", OPERATOR),
            ("SetTyping", OPERATOR),
            ("TransferConversation", OPERATOR),
            ("SnoozeConversation", OPERATOR),
            ("FinishConversation", OPERATOR),
            ("ReopenConversation", OPERATOR),
            ("StartConversation", OPERATOR),
            ("JoinConversation", OPERATOR),
            ("SearchMessages", OPERATOR),
            ("SaveDraft", OPERATOR),
            ("BlockIdentity", OPERATOR),
            ("UnblockIdentity", SUPERVISOR),
            ("ListBlocks", SUPERVISOR),
            ("ListMentions", OPERATOR),
            ("MarkMentionsRead", OPERATOR),
            ("DismissSuggestion", OPERATOR),
            ("ScheduleCallback", OPERATOR),
            ("ListObligations", OPERATOR),
            ("ResolveObligation", OPERATOR),
            ("Subscribe", OPERATOR),
            ("ScoreConversation", SUPERVISOR),
            ("ListRatings", SUPERVISOR),
        ],
    ),
    (
        "switchboard.routing.v1.Routing",
        &[
            ("ListQueues", OPERATOR),
            ("GetQueue", SUPERVISOR),
            ("WatchQueues", OPERATOR),
            ("ExplainOffer", OPERATOR),
            ("Reassign", SUPERVISOR),
            ("MoveToFront", SUPERVISOR),
            ("ForcePresence", SUPERVISOR),
            ("GetMetrics", OPERATOR),
            ("WhyStillWaiting", OPERATOR),
            ("WhyNotMe", OPERATOR),
            ("GetProof", SUPERVISOR),
        ],
    ),
];

/// What stands beside the contract and asks for nothing: whether the gateway is well,
/// and the contract's own text, which is public. Neither tells anything of what a
/// gateway holds.
pub const OPEN: &[&str] = &[
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Who may call the method at a path; none when there is no such row.
pub fn access_of(path: &str) -> Option<Access> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let (_, methods) = TABLE.iter().find(|(name, _)| *name == service)?;
    methods
        .iter()
        .find(|(name, _)| *name == method)
        .map(|(_, access)| *access)
}

/// The cookie that carries a session. Behind TLS its name binds it to our host.
pub(crate) fn cookie_name(secure: bool) -> &'static str {
    if secure {
        "__Host-switchboard"
    } else {
        "switchboard"
    }
}

/// The secret that a request carries.
pub(crate) fn secret_of(headers: &HeaderMap) -> Option<String> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if let Some(secret) = bearer {
        return Some(secret.trim().to_owned());
    }
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let value_of = |name: &str| {
        cookies.split(';').find_map(|cookie| {
            let (found, value) = cookie.trim().split_once('=')?;
            (found == name).then(|| value.to_owned())
        })
    };
    value_of(cookie_name(true)).or_else(|| value_of(cookie_name(false)))
}

/// Who calls. In the extensions of every request that passed the gate.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) actor: Actor,
}

/// Finds out who calls.
pub(crate) async fn caller_of(
    engine: &Engine,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Status> {
    let Some(secret) = secret_of(headers) else {
        return Ok(None);
    };
    let unavailable = |error: store::StoreError| {
        tracing::error!(%error, "nobody can be recognised");
        Status::unavailable("the store cannot be used just now")
    };
    let Some(principal) = engine.principal(&secret).await.map_err(unavailable)? else {
        return Ok(None);
    };
    let actor = engine.actor(&principal).await.map_err(unavailable)?;
    Ok(Some(Caller { principal, actor }))
}

fn admit(access: Option<Access>, caller: Option<&Caller>) -> Result<(), Status> {
    let Some(access) = access else {
        return Err(Status::unimplemented("there is no such method"));
    };
    if access == Access::Public {
        return Ok(());
    }
    let Some(caller) = caller else {
        return Err(Status::unauthenticated(
            "sign in, or send a token as `authorization: Bearer …`",
        ));
    };
    let bridges = !caller.principal.bridge_lines.is_empty();
    let admitted = match access {
        Access::Public | Access::SignedIn => true,
        // A bridge's token is for bridging, unless it acts as an operator or has
        // more rights.
        Access::AtLeast(role) => {
            caller.principal.role >= role
                && (caller.principal.operator.is_some() || caller.principal.role > Role::Operator)
        }
        Access::Bridge => bridges,
    };
    if admitted {
        Ok(())
    } else {
        Err(Status::permission_denied(match access {
            Access::Bridge => "this needs a token that may bridge the line".to_owned(),
            Access::AtLeast(role) => format!("this needs the role {role:?} or more"),
            Access::Public | Access::SignedIn => "this is not for you".to_owned(),
        }))
    }
}

/// A gRPC service behind the table.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    engine: Engine,
    inner: S,
}

impl<S> Gate<S> {
    pub(crate) fn new(engine: &Engine, inner: S) -> Self {
        Self {
            engine: engine.clone(),
            inner,
        }
    }
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let engine = self.engine.clone();
        Box::pin(async move {
            let caller = match caller_of(&engine, request.headers()).await {
                Ok(caller) => caller,
                Err(status) => return Ok(status.into_http()),
            };
            if let Err(status) = admit(access_of(request.uri().path()), caller.as_ref()) {
                return Ok(status.into_http());
            }
            let Some(caller) = caller else {
                return inner.call(request).await;
            };
            let principal = caller.principal.clone();
            let by = AskedBy(scope_of(Some(&caller.actor)));
            request.extensions_mut().insert(by);
            request
                .extensions_mut()
                .insert(store::Auditor::from(&caller.actor));
            request.extensions_mut().insert(caller);
            let response = inner.call(request).await?;
            Ok(response.map(|body| Body::new(end_when(body, revoked(engine, principal)))))
        })
    }
}

/// Ends when a principal may not go on.
async fn revoked(engine: Engine, principal: Principal) -> Status {
    loop {
        tokio::time::sleep(STILL_VALID).await;
        // A store in trouble ends no session.
        if let Ok(false) = engine.still_valid(&principal).await {
            return Status::unauthenticated("the session or token has ended");
        }
    }
}
