//! Whose thread is whose at a browser that several people use.
//!
//! The token alone names a thread, until a signed user is identified there: then
//! it is theirs for good, with what they wrote before signing in. Anybody else at
//! this browser has a thread apart, made of the token and of who they are, so
//! they see nothing of the owner's and find their own again.

use domain::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::identify::User;
use super::routes::Endpoint;
use super::socket::Ending;
use super::ticket;
use super::visit::Visit;
use super::visitor::Token;
use crate::host::Refused;

/// A working day with what comes before and after it.
const SESSION_LIFETIME: Millis = Millis::from_secs(24 * 3_600);

/// Who was identified: given to the page, so that it stays who it is when its
/// connection is lost after the site's own token ran out.
#[derive(Debug, Deserialize, Serialize)]
struct Session {
    visitor_id: String,
    /// In the open, as in the site's token: by it a page tells users apart.
    #[serde(flatten)]
    user: User,
    until: Timestamp,
}

/// The thread of whoever sits at a browser now. It becomes a signed user's if it
/// was nobody's.
pub(super) async fn thread_of(
    endpoint: &Endpoint,
    token: &Token,
    user: Option<&User>,
) -> Result<String, Refused> {
    let config = &endpoint.chat.config;
    let first = token.browser_id();
    if config.identity_secret.is_none() {
        return Ok(first);
    }
    let Some(User { user_id, .. }) = user else {
        let owner = endpoint.host.thread_owner(&config.line, &first).await?;
        return Ok(match owner {
            None => first,
            Some(_) => token.thread_of_guest(),
        });
    };
    let bound = endpoint.host.bind_thread(&config.line, &first, user_id);
    let is_theirs = bound.await? == *user_id;
    Ok(if is_theirs {
        first
    } else {
        token.thread_of_user(user_id)
    })
}

/// The user whom a ticket names; none when it is not good here and now.
pub(super) fn user_of(endpoint: &Endpoint, session: &str, browser_id: &str) -> Option<User> {
    endpoint.chat.config.identity_secret.as_ref()?;
    let session: Session = ticket::read(session, &key(endpoint))?;
    let good = session.visitor_id == browser_id && session.until > endpoint.host.now();
    good.then_some(session.user)
}

impl Visit {
    pub(super) fn session(&self, user: &User) -> String {
        let session = Session {
            visitor_id: self.browser_id.clone(),
            user: user.clone(),
            until: self.endpoint.host.now() + SESSION_LIFETIME,
        };
        ticket::sign(&session, &key(&self.endpoint))
    }

    /// Ends the connection of somebody not signed in whose thread has become a
    /// signed user's since, by another connection of the browser. What was read
    /// before this call was read while it was nobody's.
    pub(super) async fn check_ownership(&self) -> Result<(), Ending> {
        let config = &self.endpoint.chat.config;
        let may_lose = config.identity_secret.is_some()
            && self.facts.user.is_none()
            && self.visitor_id == self.browser_id;
        if !may_lose {
            return Ok(());
        }
        let owner = self
            .endpoint
            .host
            .thread_owner(&config.line, &self.visitor_id);
        match owner.await? {
            None => Ok(()),
            Some(_) => Err(Ending::SignedIn),
        }
    }
}

/// Bound to the line: another line may be another company's.
fn key(endpoint: &Endpoint) -> [u8; 32] {
    let line = &endpoint.chat.config.line;
    endpoint.host.secret(&format!("webchat session {line}"))
}
