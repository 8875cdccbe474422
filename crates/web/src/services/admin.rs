//! Signing in, people, tokens, lines, dead letters.

mod log;
mod webhooks;

use std::net::IpAddr;
use std::sync::Arc;

use channels::host::ClientIp;
use domain::LineId;
use engine::contacts::convert::timestamp;
use engine::limits::Limiter;
use engine::people::{Browser, NewOperator, OperatorChange, SignedIn};
use engine::{Actor, Engine, Reason};
use http::HeaderValue;
use proto::admin::v1 as pb;
use proto::admin::v1::admin_server::Admin;
use proto::inbox::v1 as pb_inbox;
use store::{ApiToken, JournalEntry, StoreError};
use tonic::{Code, Request, Response, Status};

use super::{
    PAGE_DEFAULT, PAGE_MAX, caller, id, lens, operator, optional_id, page_number, page_size,
    refused, replies, role, status, store_status,
};
use crate::access::cookie_name;
use crate::convert::{Lens, memberships_from};
use crate::origin::PublicOrigin;

/// Sign-ins one address and one login may try a minute: enough for a person who
/// mistypes, little for a program that guesses. A login is slowed down only
/// together with the address, so nobody can lock a colleague out.
const SIGN_INS_PER_MINUTE: u32 = 10;
/// Sign-ins one address may try a minute, whatever the logins: an office behind one
/// address in the morning, not a list of stolen passwords.
const SIGN_INS_OF_ADDRESS_PER_MINUTE: u32 = 60;

pub(super) struct Service {
    engine: Engine,
    secure: bool,
    sign_ins: Arc<Limiter<(IpAddr, String)>>,
    addresses: Arc<Limiter<IpAddr>>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    pub(super) fn new(engine: &Engine, public: &PublicOrigin) -> Self {
        Self {
            engine: engine.clone(),
            secure: public.is_secure(),
            sign_ins: Arc::new(Limiter::per_minute(SIGN_INS_PER_MINUTE)),
            addresses: Arc::new(Limiter::per_minute(SIGN_INS_OF_ADDRESS_PER_MINUTE)),
        }
    }

    fn slow_down<T>(&self, request: &Request<T>, login: &str) -> Result<(), Status> {
        let ip = request
            .extensions()
            .get::<ClientIp>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |ip| ip.0);
        let now = self.engine.now();
        let key = (ip, login.trim().to_lowercase());
        let admitted = self.addresses.take(ip, now);
        admitted
            .and_then(|()| self.sign_ins.take(key, now))
            .map_err(|wait| {
                let seconds = wait.0.0.div_euclid(1_000) + 1;
                refused(Code::ResourceExhausted, &Reason::TooManyTries { seconds })
            })
    }

    /// The answer to a sign-in: a browser gets a cookie, a program a token.
    fn signed_in(&self, signed_in: &SignedIn, as_token: bool) -> Answer<pb::LoginResponse> {
        let actor = Actor {
            operator: Some(signed_in.operator.id),
            token: None,
            role: signed_in.operator.role,
            scope: engine::Scope::All,
        };
        let lens = Lens::new(&self.engine, &actor);
        let mut response = Response::new(pb::LoginResponse {
            operator: Some(operator(&lens, &signed_in.operator)),
            token: if as_token {
                signed_in.token.clone()
            } else {
                String::new()
            },
        });
        if !as_token {
            self.set_cookie(&mut response, &signed_in.token, 30 * 86_400)?;
        }
        Ok(response)
    }

    fn set_cookie<T>(
        &self,
        response: &mut Response<T>,
        value: &str,
        max_age_s: u32,
    ) -> Result<(), Status> {
        let name = cookie_name(self.secure);
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
        let value = HeaderValue::from_str(&cookie)
            .map_err(|_| Status::internal("a cookie could not be made"))?;
        response
            .metadata_mut()
            .as_mut()
            .insert(http::header::SET_COOKIE, value);
        Ok(())
    }
}

fn browser<T>(request: &Request<T>) -> Browser {
    Browser {
        user_agent: request
            .metadata()
            .get("user-agent")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        address: request.extensions().get::<ClientIp>().map(|ip| ip.0),
    }
}

#[tonic::async_trait]
impl Admin for Service {
    async fn set_up(&self, request: Request<pb::SetUpRequest>) -> Answer<pb::LoginResponse> {
        self.slow_down(&request, "")?;
        let browser = browser(&request);
        let request = request.into_inner();
        let signed_in = self
            .engine
            .set_up(
                &request.set_up_token,
                &request.login,
                request.password,
                &request.display_name,
                &browser,
            )
            .await
            .map_err(status)?;
        self.signed_in(&signed_in, false)
    }

    async fn get_set_up(&self, _: Request<pb::GetSetUpRequest>) -> Answer<pb::GetSetUpResponse> {
        let open = self.engine.set_up_is_open().await.map_err(store_status)?;
        Ok(Response::new(pb::GetSetUpResponse { open }))
    }

    async fn login(&self, request: Request<pb::LoginRequest>) -> Answer<pb::LoginResponse> {
        self.slow_down(&request, &request.get_ref().login)?;
        let browser = browser(&request);
        let request = request.into_inner();
        let signed_in = self
            .engine
            .sign_in(&request.login, request.password, browser)
            .await
            .map_err(|error| {
                if let engine::ActError::Denied(reason) = error {
                    refused(Code::Unauthenticated, &reason)
                } else {
                    status(error)
                }
            })?;
        self.signed_in(&signed_in, request.token)
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Answer<pb::LogoutResponse> {
        let caller = caller(&request)?;
        if let Some(session) = caller.principal.session {
            self.engine
                .end_session(&caller.principal, session)
                .await
                .map_err(status)?;
        }
        let mut response = Response::new(pb::LogoutResponse {});
        self.set_cookie(&mut response, "", 0)?;
        Ok(response)
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Answer<pb::ChangePasswordResponse> {
        let caller = caller(&request)?;
        self.slow_down(&request, &format!("{:?}", caller.principal.operator))?;
        let browser = browser(&request);
        let request = request.into_inner();
        self.engine
            .change_password(
                &caller.principal,
                request.current_password,
                request.new_password,
                browser,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(pb::ChangePasswordResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Answer<pb::ListSessionsResponse> {
        let caller = caller(&request)?;
        let me = caller.actor.person().map_err(status)?;
        let sessions = self
            .engine
            .read::<_, StoreError>(move |view| view.sessions_of(me))
            .await
            .map_err(store_status)?;
        Ok(Response::new(pb::ListSessionsResponse {
            sessions: sessions
                .into_iter()
                .map(|session| pb::Session {
                    id: session.id.to_string(),
                    created_at: Some(timestamp(session.created_at)),
                    last_used_at: Some(timestamp(session.last_used_at)),
                    current: caller.principal.session == Some(session.id),
                    user_agent: session.user_agent,
                })
                .collect(),
        }))
    }

    async fn revoke_session(
        &self,
        request: Request<pb::RevokeSessionRequest>,
    ) -> Answer<pb::RevokeSessionResponse> {
        let caller = caller(&request)?;
        let session = number(&request.into_inner().session_id, "session")?;
        self.engine
            .end_session(&caller.principal, session)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::RevokeSessionResponse {}))
    }

    async fn list_operators(
        &self,
        request: Request<pb::ListOperatorsRequest>,
    ) -> Answer<pb::ListOperatorsResponse> {
        let lens = lens(&self.engine, &caller(&request)?);
        let mut operators = self
            .engine
            .read::<_, StoreError>(|view| view.all_operators())
            .await
            .map_err(store_status)?;
        operators.sort_by_key(|known| (known.disabled, known.display_name.to_lowercase()));
        Ok(Response::new(pb::ListOperatorsResponse {
            operators: operators
                .iter()
                .map(|known| operator(&lens, known))
                .collect(),
        }))
    }

    async fn create_operator(
        &self,
        request: Request<pb::CreateOperatorRequest>,
    ) -> Answer<pb_inbox::Operator> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let role = role(request.role())?;
        let new = NewOperator {
            login: request.login,
            password: request.password,
            display_name: request.display_name,
            role,
            memberships: memberships_from(request.queues),
            skills: request.skills.into_iter().collect(),
            capacity: u32::try_from(request.capacity).unwrap_or(0),
            auto_accept: request.auto_accept,
        };
        let added = self
            .engine
            .add_operator(Some(&caller.actor), &request.client_id, new)
            .await
            .map_err(status)?;
        Ok(Response::new(operator(
            &lens(&self.engine, &caller),
            &added,
        )))
    }

    async fn update_operator(
        &self,
        request: Request<pb::UpdateOperatorRequest>,
    ) -> Answer<pb_inbox::Operator> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = OperatorChange {
            role: role(request.role())?,
            display_name: request.display_name,
            memberships: memberships_from(request.queues),
            skills: request.skills.into_iter().collect(),
            capacity: u32::try_from(request.capacity).unwrap_or(0),
            auto_accept: request.auto_accept,
            disabled: request.disabled,
        };
        let changed = self
            .engine
            .change_operator(
                Some(&caller.actor),
                &request.client_id,
                id(&request.operator_id, "operator")?,
                wanted,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(operator(
            &lens(&self.engine, &caller),
            &changed,
        )))
    }

    async fn set_operator_password(
        &self,
        request: Request<pb::SetOperatorPasswordRequest>,
    ) -> Answer<pb::SetOperatorPasswordResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.engine
            .set_password(
                Some(&caller.actor),
                id(&request.operator_id, "operator")?,
                request.password,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(pb::SetOperatorPasswordResponse {}))
    }

    async fn create_token(
        &self,
        request: Request<pb::CreateTokenRequest>,
    ) -> Answer<pb::CreateTokenResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (added, secret) = self
            .engine
            .add_token(
                Some(&caller.actor),
                &request.name,
                role(request.role())?,
                optional_id(&request.operator_id, "operator")?,
                request
                    .bridge_line_ids
                    .iter()
                    .map(|line| LineId::from(line.as_str()))
                    .collect(),
            )
            .await
            .map_err(status)?;
        Ok(Response::new(pb::CreateTokenResponse {
            token: Some(token(&added)),
            secret,
        }))
    }

    async fn list_tokens(
        &self,
        _: Request<pb::ListTokensRequest>,
    ) -> Answer<pb::ListTokensResponse> {
        let tokens = self
            .engine
            .read::<_, StoreError>(|view| view.tokens())
            .await
            .map_err(store_status)?;
        Ok(Response::new(pb::ListTokensResponse {
            tokens: tokens.iter().map(token).collect(),
        }))
    }

    async fn revoke_token(
        &self,
        request: Request<pb::RevokeTokenRequest>,
    ) -> Answer<pb::RevokeTokenResponse> {
        let caller = caller(&request)?;
        let token = number(&request.into_inner().token_id, "token")?;
        self.engine
            .revoke_token(Some(&caller.actor), token)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::RevokeTokenResponse {}))
    }

    async fn list_lines(&self, _: Request<pb::ListLinesRequest>) -> Answer<pb::ListLinesResponse> {
        let settings = self.engine.settings();
        let waiting = self
            .engine
            .waiting_for_lines()
            .await
            .map_err(store_status)?;
        Ok(Response::new(pb::ListLinesResponse {
            unconfigured: waiting
                .into_iter()
                .map(|pending| pb::UnconfiguredLine {
                    line_id: pending.line.to_string(),
                    waiting_count: pending.count,
                    oldest_at: Some(timestamp(pending.oldest_at)),
                })
                .collect(),
            lines: settings
                .lines
                .iter()
                .map(|line| pb::LineStatus {
                    line: Some(super::inbox::line(line)),
                    queue_id: line.queue.to_string(),
                    status: self.engine.line_status(line),
                    last_inbound_at: self.engine.last_inbound(&line.id).map(timestamp),
                })
                .collect(),
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Answer<pb::ListDeadLettersResponse> {
        let request = request.into_inner();
        let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let before = page_number(&request.page_token)?.unwrap_or(i64::MAX);
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut found = self
            .engine
            .read::<_, StoreError>(move |view| view.dead_letters(before, more))
            .await
            .map_err(store_status)?;
        let next = (found.len() > limit)
            .then(|| found.get(limit - 1).map(|last| last.seq.to_string()))
            .flatten();
        found.truncate(limit);
        Ok(Response::new(pb::ListDeadLettersResponse {
            dead_letters: found
                .into_iter()
                .map(|entry| dead_letter(entry, false))
                .collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<pb::GetDeadLetterRequest>,
    ) -> Answer<pb::DeadLetter> {
        let caller = caller(&request)?;
        let seq = number(&request.into_inner().id, "dead letter")?;
        let found = self.engine.dead_letter(&caller.actor, seq).await;
        let found = found.map_err(status)?;
        Ok(Response::new(dead_letter(found, true)))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<pb::ReplayDeadLetterRequest>,
    ) -> Answer<pb::ReplayDeadLetterResponse> {
        let caller = caller(&request)?;
        let seq = number(&request.into_inner().id, "dead letter")?;
        self.engine
            .replay_dead_letter(Some(&caller.actor), seq)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::ReplayDeadLetterResponse {}))
    }

    async fn list_audit(
        &self,
        request: Request<pb::ListAuditRequest>,
    ) -> Answer<pb::ListAuditResponse> {
        let caller = caller(&request)?;
        log::list_audit(&self.engine, &caller, &request.into_inner()).await
    }

    async fn verify_audit(
        &self,
        request: Request<pb::VerifyAuditRequest>,
    ) -> Answer<pb::VerifyAuditResponse> {
        log::verify_audit(&self.engine, &request.into_inner()).await
    }

    async fn list_webhooks(
        &self,
        _: Request<pb::ListWebhooksRequest>,
    ) -> Answer<pb::ListWebhooksResponse> {
        webhooks::list(&self.engine).await
    }

    async fn resume_webhook(
        &self,
        request: Request<pb::ResumeWebhookRequest>,
    ) -> Answer<pb::ResumeWebhookResponse> {
        let caller = caller(&request)?;
        webhooks::resume(&self.engine, &caller, &request.into_inner()).await
    }

    async fn test_webhook(
        &self,
        request: Request<pb::TestWebhookRequest>,
    ) -> Answer<pb::TestWebhookResponse> {
        let caller = caller(&request)?;
        webhooks::test(&self.engine, &caller, &request.into_inner()).await
    }

    async fn list_canned_replies(
        &self,
        request: Request<pb::ListCannedRepliesRequest>,
    ) -> Answer<pb::ListCannedRepliesResponse> {
        replies::list(&self.engine, request).await
    }

    async fn save_canned_reply(
        &self,
        request: Request<pb::SaveCannedReplyRequest>,
    ) -> Answer<pb::CannedReply> {
        replies::save(&self.engine, request).await
    }

    async fn delete_canned_reply(
        &self,
        request: Request<pb::DeleteCannedReplyRequest>,
    ) -> Answer<pb::DeleteCannedReplyResponse> {
        replies::delete(&self.engine, request).await
    }
}

fn number(text: &str, what: &'static str) -> Result<i64, Status> {
    text.parse()
        .map_err(|_| status(engine::ActError::NotFound(what)))
}

fn token(token: &ApiToken) -> pb::Token {
    pb::Token {
        id: token.id.to_string(),
        name: token.name.clone(),
        role: crate::convert::role(token.role).into(),
        operator_id: token
            .operator
            .map(|operator| operator.to_string())
            .unwrap_or_default(),
        bridge_line_ids: token.bridge_lines.iter().map(ToString::to_string).collect(),
        created_at: Some(timestamp(token.created_at)),
        revoked_at: token.revoked_at.map(timestamp),
    }
}

fn dead_letter(entry: JournalEntry, with_raw: bool) -> pb::DeadLetter {
    pb::DeadLetter {
        id: entry.seq.to_string(),
        line_id: entry.line.to_string(),
        event_key: entry.event_key,
        received_at: Some(timestamp(entry.received_at)),
        attempts: i32::try_from(entry.attempts).unwrap_or(i32::MAX),
        error: entry.note,
        raw: if with_raw { entry.raw } else { Vec::new() },
    }
}
