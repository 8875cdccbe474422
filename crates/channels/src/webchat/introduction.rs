//! Who a visitor is and says they are.

use domain::Millis;

use super::identify::{self, NotIdentified};
use super::journal::Did;
use super::ownership;
use super::protocol::{Profile, Scalar, ServerFrame};
use super::visit::{Reply, Visit};
use crate::clean;
use crate::host::Accepted;

/// They are written with every message of the connection.
const ATTRIBUTES_MAX: usize = 20;

/// When to say again who one is, while the store does not answer.
const BUSY: Millis = Millis::from_secs(2);

impl Visit {
    pub(super) async fn identify(&mut self, token: &str) -> Reply {
        match self.try_identify(token).await {
            Ok(identified) => Some(identified),
            Err(error @ NotIdentified::Busy) => {
                Some(ServerFrame::try_later(None, error.code(), BUSY))
            }
            Err(error) => {
                let text = error.to_string();
                Some(ServerFrame::refused(None, error.code(), &text))
            }
        }
    }

    async fn try_identify(&mut self, token: &str) -> Result<ServerFrame<'static>, NotIdentified> {
        let chat = &self.endpoint.chat;
        let secret = chat.config.identity_secret.as_deref();
        let secret = secret.ok_or(NotIdentified::NotConfigured)?;
        let now = self.endpoint.host.now();
        let signed = identify::verify(token, secret, &chat.config.line, &self.token, now)?;
        let user_id = signed.user.user_id.clone();
        // What was typed or is on its way here is the first one's: for somebody
        // else the page connects anew.
        if self
            .facts
            .user
            .as_ref()
            .is_some_and(|user| user.user_id != user_id)
        {
            return Err(NotIdentified::NotForHere);
        }
        if !chat.spent.spend(&signed, &self.browser_id, now)? {
            let jti = signed.jti.clone();
            match self.accept(Did::Identify { jti }).await {
                Ok(Accepted::New) => {}
                Ok(Accepted::Duplicate) => {
                    chat.spent.restore(&signed);
                    return Err(NotIdentified::Replayed);
                }
                Err(_) => {
                    chat.spent.restore(&signed);
                    return Err(NotIdentified::Busy);
                }
            }
        }
        let thread = ownership::thread_of(&self.endpoint, &self.token, Some(&signed.user));
        let visitor_id = thread.await.map_err(|_| NotIdentified::Busy)?;
        let session = self.session(&signed.user);
        self.facts.user = Some(signed.user);
        self.move_to(visitor_id);
        Ok(ServerFrame::Identified {
            user_id,
            visitor_id: self.visitor_id.clone(),
            cursor: self.cursor(),
            session,
        })
    }

    pub(super) fn describe(&mut self, profile: Profile) -> Reply {
        let short = |text: Option<String>| {
            text.map(|text| domain::text::line(clean::clip_str(&text, 1_024), 320))
        };
        let profile = Profile {
            name: short(profile.name),
            email: short(profile.email),
            phone: short(profile.phone),
            consent: profile.consent,
            attributes: profile
                .attributes
                .into_iter()
                .filter(|(name, _)| !name.is_empty() && name.len() <= 64)
                .take(ATTRIBUTES_MAX)
                .filter_map(|(name, value)| {
                    Some((name, Scalar::Text(short(Some(value.to_string()))?)))
                })
                .collect(),
        };
        self.facts.profile = profile;
        None
    }
}
