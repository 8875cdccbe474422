//! The audit log: who reads it, and whether it is whole.

use std::time::Duration;

use domain::Millis;
use store::{AuditEntry, AuditFilter, AuditSeal, AuditVerdict, Auditor, StoreError};

use crate::people::Principal;
use crate::{ActError, Actor, Engine};

/// Who pages through the log has read it once.
const ONE_READING: Millis = Millis::from_secs(60);
/// The log is read whole at the start and then so often: it is read in a moment, and
/// only hands on the file itself can have changed it.
const VERIFY_EVERY: Duration = Duration::from_hours(24);

impl From<&Actor> for Auditor {
    fn from(actor: &Actor) -> Self {
        Self {
            operator: actor.operator,
            token: actor.token,
        }
    }
}

impl From<&Principal> for Auditor {
    fn from(principal: &Principal) -> Self {
        Self {
            operator: principal.operator,
            token: principal.token,
        }
    }
}

/// Who acts; the command line when nobody is named.
pub(crate) fn by(actor: Option<&Actor>) -> Auditor {
    actor.map(Auditor::from).unwrap_or_default()
}

impl Engine {
    /// What was done, before a number, the newest first. That it was read is noted, too.
    pub async fn list_audit(
        &self,
        actor: &Actor,
        filter: AuditFilter,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, ActError> {
        self.note_reading(actor, "audit.read").await?;
        self.read(move |view| Ok(view.audit_before(before, &filter, limit)?))
            .await
    }

    async fn note_reading(&self, actor: &Actor, act: &'static str) -> Result<(), ActError> {
        let by = Auditor::from(actor);
        let noted = self
            .store()
            .write(move |tx| tx.audit_reading(by, act, ONE_READING));
        Ok(noted.await.map_err(|error: StoreError| error)?)
    }

    /// Notes something that is about to be done elsewhere.
    pub async fn note(
        &self,
        actor: &Actor,
        act: &'static str,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let by = Auditor::from(actor);
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        self.store()
            .write(move |tx| tx.audit(by, act, &subject, &detail))
            .await
    }

    /// Reads the whole log and says whether it is as it was written.
    pub async fn verify_audit(
        &self,
        elsewhere: Option<AuditSeal>,
    ) -> Result<AuditVerdict, StoreError> {
        self.read(move |view| view.verify_audit(elsewhere)).await
    }
}

/// Looks after the log, and writes its seal to the program's own log, which may be
/// kept on another machine.
pub(crate) async fn watch(engine: Engine) {
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        match engine.verify_audit(None).await {
            Ok(AuditVerdict {
                seal,
                problem: None,
            }) => {
                metrics::gauge!("audit_broken").set(0);
                tracing::info!(audit.seal = %seal, "the audit log is whole");
            }
            Ok(AuditVerdict {
                seal,
                problem: Some(problem),
            }) => {
                metrics::gauge!("audit_broken").set(1);
                tracing::error!(
                    audit.seal = %seal,
                    problem,
                    "the audit log was touched: keep a copy of the store and compare it with a \
                     backup"
                );
            }
            Err(error) => tracing::error!(%error, "the audit log could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(VERIFY_EVERY) => {}
        }
    }
}
