//! What becomes of letters on the server once they are durable here. Losing this loses
//! no letter, so a server that refuses it is told of and otherwise let be.

use super::reader::Reader;
use super::session::{Answer, Trouble};
use super::wire;
use crate::registry::email::config::After;

impl Reader<'_> {
    /// Marks or moves letters that were just taken.
    pub(super) async fn tidy(&mut self, uids: &[u32]) -> Result<(), Trouble> {
        if self.is_untidy || uids.is_empty() || self.mailbox.after == After::Leave {
            return Ok(());
        }
        match self.try_tidy(&wire::set(uids)).await {
            Ok(()) => {
                let last = uids.last().copied().unwrap_or_default();
                self.cursor.tidied = self.cursor.tidied.max(last);
                Ok(())
            }
            Err(Trouble::Refused(reason)) => {
                self.is_untidy = true;
                tracing::warn!(
                    line.id = %self.intake.line, folder = self.folder, reason,
                    "letters stay as they are on the server"
                );
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// Does what was left to do when the connection before ended.
    pub(super) async fn tidy_the_rest(&mut self) -> Result<(), Trouble> {
        let (from, to) = (self.cursor.tidied.saturating_add(1), self.cursor.uid);
        if self.mailbox.after == After::Leave || from > to {
            return Ok(());
        }
        let cursor = &self.cursor;
        let mut left = Vec::new();
        let answer = self
            .session
            .fetch(&format!("{from}:{to}"), "UID INTERNALDATE FLAGS", |told| {
                let has = |name: &str| {
                    let flags = told.flags.iter().flatten();
                    flags.clone().any(|flag| flag.eq_ignore_ascii_case(name))
                };
                let uid = told.uid.filter(|uid| (from..=to).contains(uid));
                left.extend(uid.filter(|uid| {
                    !has("\\Deleted")
                        && cursor.wants(*uid, has("\\Seen"), told.received_at)
                        && cursor.withheld.iter().all(|known| known.uid != *uid)
                }));
            })
            .await?;
        answer.done("the letters before cannot be listed")?;
        left.sort_unstable();
        left.dedup();
        self.tidy(&left).await?;
        if !self.is_untidy {
            self.cursor.tidied = to;
        }
        Ok(())
    }

    async fn try_tidy(&mut self, uids: &str) -> Result<(), Trouble> {
        let mailbox = self.mailbox;
        if self.selected.is_read_only {
            let reason = "the folder can only be read".to_owned();
            return Err(Trouble::Refused(reason));
        }
        match &mailbox.after {
            After::Leave => Ok(()),
            After::Seen => self.flag(uids, "\\Seen").await,
            After::Keyword(keyword) => {
                if !self.selected.keeps(keyword) {
                    let reason = format!("the server takes no keyword {keyword}");
                    return Err(Trouble::Refused(reason));
                }
                self.flag(uids, keyword).await
            }
            After::Move(folder) => self.move_to(uids, folder).await,
        }
    }

    async fn flag(&mut self, uids: &str, flag: &str) -> Result<(), Trouble> {
        let command = format!("UID STORE {uids} +FLAGS.SILENT ({flag})");
        let answer = self.session.run(&command, |_| {}).await?;
        answer.done("letters cannot be marked")
    }

    /// Without MOVE by way of a copy. A plain EXPUNGE would remove what others deleted,
    /// so without UIDPLUS the letters only stay marked as deleted.
    async fn move_to(&mut self, uids: &str, folder: &str) -> Result<(), Trouble> {
        if self.session.can("MOVE") {
            let moved = self.put_into("UID MOVE", uids, folder).await?;
            return moved.done("letters cannot be moved");
        }
        let copied = self.put_into("UID COPY", uids, folder).await?;
        copied.done("letters cannot be copied")?;
        self.flag(uids, "\\Deleted").await?;
        if self.session.can("UIDPLUS") {
            let command = format!("UID EXPUNGE {uids}");
            let answer = self.session.run(&command, |_| {}).await?;
            answer.done("letters cannot be expunged")?;
        }
        Ok(())
    }

    /// Makes the folder if it is not there.
    async fn put_into(&mut self, verb: &str, uids: &str, folder: &str) -> Result<Answer, Trouble> {
        let folder = wire::folder_name(folder);
        let command = format!("{verb} {uids} {folder}");
        let answer = self.session.run(&command, |_| {}).await?;
        if answer.is_ok || !answer.try_create {
            return Ok(answer);
        }
        let made = self
            .session
            .run(&format!("CREATE {folder}"), |_| {})
            .await?;
        made.done("the folder to move letters to cannot be made")?;
        self.session.run(&command, |_| {}).await
    }
}
