//! What a visitor writes.

use domain::MessageId;
use domain::message::Attachment;

use super::files;
use super::journal::Did;
use super::protocol::{ServerFrame, Written, is_client_id};
use super::visit::{Reply, Visit};
use crate::clean;
use crate::host::{Accepted, Act, Refused};

impl Visit {
    pub(super) async fn write(&mut self, written: Written) -> Reply {
        let attachments = match self.check(&written) {
            Ok(attachments) => attachments,
            Err((code, text)) => {
                return Some(ServerFrame::refused(Some(written.client_id), code, text));
            }
        };
        let act = if self.begun { Act::Write } else { Act::Begin };
        let client_id = written.client_id.clone();
        let did = Did::Write {
            client_id: written.client_id,
            text: written.text,
            attachments,
            reply_to: written.reply_to,
        };
        let reply = self.admit_and_accept(act, client_id, did).await;
        if matches!(reply, Some(ServerFrame::Ack { .. })) {
            self.begun = true;
        }
        reply
    }

    fn check(&self, written: &Written) -> Result<Vec<Attachment>, (&'static str, &'static str)> {
        let page = &self.endpoint.chat.config.page;
        if !is_client_id(&written.client_id) {
            return Err((
                "client_id",
                "client_id has to be 1 to 64 of A-Z a-z 0-9 . _ -",
            ));
        }
        if written.text.chars().count() > page.limits.text_length_max {
            return Err(("text_too_long", "the text is too long"));
        }
        if written.text.trim().is_empty() && written.upload_ids.is_empty() {
            return Err(("empty", "there is neither a text nor a file"));
        }
        if written.upload_ids.len() > page.limits.files_per_message_max {
            return Err(("too_many_files", "there are too many files"));
        }
        if written
            .reply_to
            .as_deref()
            .is_some_and(|id| !clean::is_key(id))
        {
            return Err(("reply_to", "reply_to is not an id"));
        }
        if !self.begun {
            self.check_prechat()?;
        }
        written
            .upload_ids
            .iter()
            .map(|id| files::find(&self.endpoint, id, &self.browser_id))
            .collect::<Option<Vec<_>>>()
            .ok_or((
                "upload_id",
                "an upload is unknown, somebody else's or too old",
            ))
    }

    pub(super) fn check_prechat(&self) -> Result<(), (&'static str, &'static str)> {
        let page = &self.endpoint.chat.config.page;
        let profile = &self.facts.profile;
        if page.consent.required && profile.consent != Some(true) {
            return Err(("consent_required", "send profile with consent: true first"));
        }
        let missing = page.prechat.iter().any(|field| {
            let value = match field.name.as_str() {
                "name" => &profile.name,
                "email" => &profile.email,
                _ => &profile.phone,
            };
            field.required && value.as_deref().is_none_or(|value| value.trim().is_empty())
        });
        if missing && self.facts.user.is_none() {
            return Err((
                "profile_required",
                "send profile with the required fields first",
            ));
        }
        Ok(())
    }

    pub(super) async fn react(
        &mut self,
        client_id: String,
        target: String,
        emoji: String,
    ) -> Reply {
        let target_known = target.parse::<MessageId>().is_ok();
        if !is_client_id(&client_id) || !target_known || emoji.chars().count() > 16 {
            let text = "a reaction has a client_id, a message_id and one emoji";
            return Some(ServerFrame::refused(Some(client_id), "reaction", text));
        }
        let did = Did::React {
            client_id: client_id.clone(),
            target,
            emoji,
        };
        self.admit_and_accept(Act::Write, client_id, did).await
    }

    pub(super) async fn admit_and_accept(&self, act: Act, client_id: String, did: Did) -> Reply {
        let admitted = self.endpoint.host.admit(act, self.ip, &self.browser_id);
        if let Err(wait) = admitted {
            return Some(ServerFrame::try_later(Some(client_id), "too_often", wait.0));
        }
        Some(match self.accept(did).await {
            Ok(Accepted::New | Accepted::Duplicate) => ServerFrame::Ack { client_id },
            Err(Refused::Busy { retry_after, .. }) => {
                ServerFrame::try_later(Some(client_id), "busy", retry_after)
            }
            Err(Refused::Invalid(why)) => ServerFrame::refused(Some(client_id), "refused", &why),
        })
    }
}
