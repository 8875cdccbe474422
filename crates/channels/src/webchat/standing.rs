//! Where a visitor stands in the queue, and the number they can leave.

use domain::identity::{Identity, Trust, normalize};
use domain::rating::COMMENT_LENGTH_MAX;

use super::journal::Did;
use super::protocol::{Place, ServerFrame, is_client_id};
use super::socket::{Ending, Wire};
use super::visit::{Reply, Visit};
use crate::host::{Act, Standing};

impl Visit {
    /// Queues where the visitor stands, for a page that knows nothing of it yet.
    pub(super) async fn show_standing(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        let line = &self.endpoint.chat.config.line;
        let standing = self.endpoint.host.standing(line, &self.visitor_id).await?;
        self.stand(standing, wire).await
    }

    /// Queues where the visitor stands now; who never waited is told nothing.
    pub(super) async fn stand(
        &mut self,
        standing: Option<Standing>,
        wire: &mut Wire,
    ) -> Result<(), Ending> {
        let stood = std::mem::replace(&mut self.page.stands, standing.is_some());
        if standing.is_none() && !stood {
            return Ok(());
        }
        self.check_ownership().await?;
        let place = Place::of(standing);
        wire.queue(&ServerFrame::Standing(place)).await
    }

    pub(super) async fn leave_number(
        &mut self,
        client_id: String,
        phone: &str,
        comment: &str,
    ) -> Reply {
        let asked = match self.check_callback(&client_id, phone, comment) {
            Ok(asked) => asked,
            Err((code, text)) => return Some(ServerFrame::refused(Some(client_id), code, text)),
        };
        let act = if self.begun { Act::Write } else { Act::Begin };
        // What was typed suggests a contact from now on.
        let typed = &mut self.facts.profile.phone;
        typed.get_or_insert(asked.clone());
        let did = Did::Callback {
            client_id: client_id.clone(),
            phone: asked,
            comment: comment.to_owned(),
        };
        let reply = self.admit_and_accept(act, client_id, did).await;
        if matches!(reply, Some(ServerFrame::Ack { .. })) {
            self.begun = true;
        }
        reply
    }

    /// The number as it is dialled.
    fn check_callback(
        &self,
        client_id: &str,
        phone: &str,
        comment: &str,
    ) -> Result<String, (&'static str, &'static str)> {
        if !is_client_id(client_id) {
            return Err((
                "client_id",
                "client_id has to be 1 to 64 of A-Z a-z 0-9 . _ -",
            ));
        }
        if comment.chars().count() > COMMENT_LENGTH_MAX {
            return Err(("text_too_long", "the comment is too long"));
        }
        if !self.begun {
            self.check_prechat()?;
        }
        let typed = Identity {
            kind: "phone".to_owned(),
            issuer: String::new(),
            value: phone.trim().to_owned(),
            trust: Trust::Claimed,
        };
        normalize(&typed, &self.endpoint.chat.config.region)
            .map(|dialled| dialled.value)
            .map_err(|_| {
                (
                    "phone",
                    "that is not a phone number; write it with the country code",
                )
            })
    }
}
