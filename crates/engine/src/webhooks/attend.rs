//! What an admin sees of webhooks and does about them.

use std::sync::Arc;

use domain::event::Cursor;
use domain::{Millis, Timestamp};
use store::{Auditor, StoreError, WebhookRow};

use super::delivery::deliver;
use super::{Webhook, resumed};
use crate::reason::malformed;
use crate::{ActError, Actor, Engine, people};

/// Where a webhook goes on that is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeFrom {
    /// With the event that failed.
    Failed,
    /// With the one after it.
    Next,
    /// With what happens from now on.
    Now,
}

/// A webhook and how it does.
#[derive(Clone)]
pub struct WebhookStatus {
    /// As configured; none when it is not any more.
    pub webhook: Option<Arc<Webhook>>,
    /// How far it is.
    pub row: WebhookRow,
    /// How many events are behind its cursor, wanted or not.
    pub behind: u64,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Whether it took the event.
    pub is_taken: bool,
    /// The HTTP status; none when there was no answer.
    pub status: Option<u16>,
    /// What it said, or why there was no answer.
    pub text: String,
    /// How long it took.
    pub took: Millis,
}

impl Engine {
    /// Every webhook, also those that are not configured any more.
    pub async fn webhooks(&self) -> Result<Vec<WebhookStatus>, StoreError> {
        let settings = self.settings();
        let (rows, newest) = self
            .read::<_, StoreError>(|view| Ok((view.webhooks()?, view.last_cursor()?)))
            .await?;
        let of = |id: &str| {
            let webhook = settings.webhooks.iter().find(|webhook| webhook.id == id);
            webhook.cloned().map(Arc::new)
        };
        let each = rows.into_iter().map(|row| WebhookStatus {
            webhook: of(&row.id),
            behind: u64::try_from(newest.0 - row.cursor.0).unwrap_or(0),
            row,
        });
        Ok(each.collect())
    }

    /// Delivers to a webhook again, at once: one that was given up, or one that waits
    /// for its next try.
    pub async fn resume_webhook(
        &self,
        actor: &Actor,
        client_id: &str,
        id: &str,
        from: ResumeFrom,
    ) -> Result<(), ActError> {
        let by = Auditor::from(actor);
        let name = id.to_owned();
        let fingerprint = format!("resume webhook {id} {from:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let mut row = tx.webhook(&name)?.ok_or(ActError::NotFound("webhook"))?;
            let newest = tx.last_cursor()?;
            let detail = match from {
                ResumeFrom::Failed => "with the event that failed".to_owned(),
                ResumeFrom::Next => {
                    row.cursor = Cursor(row.cursor.0 + 1).min(newest);
                    format!("without event {}", row.cursor.0)
                }
                ResumeFrom::Now => {
                    let skipped = newest.0 - row.cursor.0;
                    row.cursor = newest;
                    format!("without {skipped} events")
                }
            };
            resumed(&mut row);
            tx.change_webhook(&row)?;
            tx.audit(by, "webhook.resume", &name, &detail)?;
            Ok(())
        })
        .await?;
        self.inner.runners.of(id).notify_one();
        Ok(())
    }

    /// Sends an event of no meaning to a webhook, at once, and says what came of it.
    pub async fn test_webhook(&self, actor: &Actor, id: &str) -> Result<Tested, ActError> {
        let settings = self.settings();
        let webhook = settings
            .webhooks
            .iter()
            .find(|webhook| webhook.id == id)
            .ok_or(ActError::NotFound("webhook"))?;
        self.note(actor, "webhook.test", id, "").await?;
        let invalid = |problem: String| ActError::Invalid {
            field: "webhook_id",
            problem: malformed(problem),
        };
        let client = webhook.client().map_err(invalid)?;
        let begun = self.now();
        let event = format!("test_{}", people::fresh_secret());
        let body = test_body(begun).into();
        let outcome = deliver(&client, webhook, &event, body, begun).await;
        let took = self.now().since(begun);
        Ok(match outcome {
            Ok(reply) => Tested {
                is_taken: reply.is_taken(),
                status: Some(reply.status.as_u16()),
                text: reply.to_string(),
                took,
            },
            Err(problem) => Tested {
                is_taken: false,
                status: None,
                text: problem,
                took,
            },
        })
    }
}

/// Shaped as every event, and telling nothing.
fn test_body(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    format!("{{\"type\":\"webhook_test\",\"timestamp\":\"{at}\",\"cursor\":\"\",\"data\":{{}}}}")
}
