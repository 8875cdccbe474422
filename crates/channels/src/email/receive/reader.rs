//! Reads an open folder: lists what is new, fetches it in batches, has it taken in, and
//! only then moves the cursor and tidies up.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use domain::{Millis, Timestamp};
use sha2::{Digest as _, Sha256};

use super::cursor::{Cursor, Now, Withheld};
use super::intake::Intake;
use super::session::{Answer, Selected, Session, Trouble};
use super::spool::{self, Spooled};
use super::wire;
use crate::Envelope;
use crate::registry::email::config::{After, History, Mailbox};
use crate::registry::email::journal::Found;

/// A larger letter is kept in a file while it comes.
pub(super) const SMALL_BYTES_MAX: u32 = 256 << 10;
/// What is asked for at once: as many letters as one commit takes without making others
/// wait, and no more bytes than memory can hold many times.
const BATCH_LETTERS_MAX: usize = 50;
const BATCH_BYTES_MAX: u64 = 4 << 20;
/// Of a folder's letters so many are listed at once.
const LISTED_MAX: usize = 500_000;
/// How often a letter is asked for that the server does not give out, and how many of
/// them are remembered.
const TRIES_MAX: u8 = 5;
const WITHHELD_MAX: usize = 50;

/// What stays between the connections of one folder.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Letters up to this one are fetched one by one: an answer with one of them could
    /// not be understood.
    careful_until: u32,
}

/// A folder that is being read.
pub(super) struct Reader<'a> {
    pub(super) session: &'a mut Session,
    pub(super) intake: &'a Intake,
    pub(super) mailbox: &'a Mailbox,
    pub(super) folder: &'a str,
    pub(super) selected: Selected,
    pub(super) memory: &'a mut Memory,
    pub(super) cursor: Cursor,
    saved: Cursor,
    /// Letters could not be moved or marked: those before wait for the next connection.
    pub(super) is_untidy: bool,
}

/// A letter as it is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) uid: u32,
    /// As the server reckons; the largest number where it does not.
    pub(super) bytes: u32,
    pub(super) received_at: Option<Timestamp>,
    pub(super) is_seen: bool,
}

/// What came of a letter that was asked for.
enum Got {
    Whole(Box<Envelope>),
    /// It is longer than was said.
    Long,
    /// It is shorter than was said, and not the only one that was asked for.
    Less,
}

impl<'a> Reader<'a> {
    /// Goes on where the folder was left.
    pub(super) async fn open(
        session: &'a mut Session,
        intake: &'a Intake,
        mailbox: &'a Mailbox,
        folder: &'a str,
        selected: Selected,
        memory: &'a mut Memory,
    ) -> Result<Self, Trouble> {
        let name = bookmark_name(mailbox, folder);
        let note = intake.bookmark(&name).await?;
        let stored: Option<Cursor> = note.and_then(|note| serde_json::from_str(&note).ok());
        let mut reader = Self {
            session,
            intake,
            mailbox,
            folder,
            selected,
            memory,
            cursor: Cursor::default(),
            saved: Cursor::default(),
            is_untidy: false,
        };
        let Selected {
            uid_validity,
            uid_next,
            ..
        } = reader.selected;
        if let Some(stored) = stored {
            if stored.goes_on(uid_validity, uid_next) {
                reader.cursor = stored.clone();
                reader.saved = stored;
                reader.tidy_the_rest().await?;
                return Ok(reader);
            }
            reader.begin(Some(&stored)).await?;
        } else {
            reader.begin(None).await?;
        }
        reader.memory.careful_until = 0;
        reader.save().await?;
        Ok(reader)
    }

    async fn begin(&mut self, before: Option<&Cursor>) -> Result<(), Trouble> {
        let mut now = Now {
            uid_validity: self.selected.uid_validity,
            last_uid: self
                .selected
                .uid_next
                .map_or(0, |next| next.saturating_sub(1)),
            last_at: None,
        };
        if self.selected.exists > 0 {
            let answer = self
                .session
                .fetch("*:*", "UID INTERNALDATE", |told| {
                    let uid = told.uid.unwrap_or_default();
                    if uid >= now.last_uid || told.received_at > now.last_at {
                        now.last_at = told.received_at.or(now.last_at);
                    }
                    now.last_uid = now.last_uid.max(uid);
                })
                .await?;
            answer.done("the last letter cannot be looked at")?;
            // A letter from the future must not keep out what comes until then.
            let present = self.intake.host.now();
            now.last_at = now.last_at.map(|at| at.min(present));
        }
        self.cursor = Cursor::begin(before, now, self.mailbox.history);
        Ok(())
    }

    /// Takes in everything that is new.
    pub(super) async fn catch_up(&mut self) -> Result<(), Trouble> {
        self.session.has_news = false;
        let mut letters = self.list().await?;
        let last = letters.back().map(|letter| letter.uid);
        let (cursor, history) = (&self.cursor, self.mailbox.history);
        letters.retain(|letter| {
            history == History::All || cursor.wants(letter.uid, letter.is_seen, letter.received_at)
        });
        while let Some(first) = letters.front().copied() {
            if first.bytes > SMALL_BYTES_MAX {
                letters.pop_front();
                self.take_large(first).await?;
            } else {
                let batch = batch(&mut letters, self.memory.careful_until);
                self.take_small(&batch).await?;
            }
        }
        if let Some(last) = last {
            self.advance(last);
        }
        self.save().await?;
        self.ask_again().await
    }

    /// What stands behind the cursor, in order.
    async fn list(&mut self) -> Result<VecDeque<Letter>, Trouble> {
        let after = self.cursor.uid;
        let items = match self.mailbox.history {
            History::Unseen => "UID RFC822.SIZE INTERNALDATE FLAGS",
            History::New | History::All => "UID RFC822.SIZE INTERNALDATE",
        };
        let mut letters: Vec<Letter> = Vec::new();
        let from = format!("{}:*", after.saturating_add(1));
        let answer = self
            .session
            .fetch(&from, items, |told| {
                // The last letter is always told of, new or not; others' changes, too.
                let Some(uid) = told.uid.filter(|uid| *uid > after) else {
                    return;
                };
                if letters.len() < LISTED_MAX && (told.bytes, told.received_at) != (None, None) {
                    letters.push(Letter {
                        uid,
                        bytes: told.bytes.unwrap_or(u32::MAX),
                        received_at: told.received_at,
                        is_seen: told.flags.as_ref().is_some_and(|flags| {
                            flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Seen"))
                        }),
                    });
                }
            })
            .await?;
        // An empty folder has no last letter, which some servers call an error.
        if !answer.is_ok && !letters.is_empty() {
            answer.done("the new letters cannot be listed")?;
        }
        letters.sort_by_key(|letter| letter.uid);
        letters.dedup_by_key(|letter| letter.uid);
        Ok(letters.into())
    }

    async fn take_small(&mut self, batch: &[Letter]) -> Result<(), Trouble> {
        let (mut got, end) = self.fetch_small(batch).await;
        let missing: Vec<Letter> = batch
            .iter()
            .filter(|letter| !got.contains_key(&letter.uid))
            .copied()
            .collect();
        let is_refused = matches!(&end, Ok(answer) if !answer.is_ok);
        // After a break, only what came without a gap is known to be all there was.
        let whole = match (&end, missing.first()) {
            (Err(_), Some(gap)) => batch
                .iter()
                .take_while(|letter| letter.uid < gap.uid)
                .count(),
            (Ok(_), _) | (Err(_), None) => batch.len(),
        };
        let mut ready = Vec::new();
        for letter in &batch[..whole] {
            match got.remove(&letter.uid) {
                Some(Got::Whole(envelope)) => ready.push((letter.uid, *envelope)),
                Some(Got::Long) if end.is_ok() => {
                    self.take_in(std::mem::take(&mut ready)).await?;
                    self.take_large(*letter).await?;
                }
                Some(Got::Less) if end.is_ok() => {
                    self.take_in(std::mem::take(&mut ready)).await?;
                    Box::pin(self.take_small(&[*letter])).await?;
                }
                Some(Got::Long | Got::Less) => break,
                None => {}
            }
        }
        self.take_in(ready).await?;
        match end {
            Ok(_) => {
                if is_refused {
                    self.withhold(&missing).await?;
                }
                if let Some(last) = batch.last() {
                    self.advance(last.uid);
                }
                self.save().await
            }
            Err(Trouble::Garbled(reason)) => {
                self.suspect(batch, &missing).await?;
                Err(Trouble::Garbled(reason))
            }
            Err(other) => Err(other),
        }
    }

    async fn fetch_small(
        &mut self,
        batch: &[Letter],
    ) -> (BTreeMap<u32, Got>, Result<Answer, Trouble>) {
        let uids: Vec<u32> = batch.iter().map(|letter| letter.uid).collect();
        let found: Vec<Found> = batch.iter().map(|letter| self.found(letter)).collect();
        // One byte more than is wanted tells whether there is more.
        let items = format!("UID BODY.PEEK[]<0.{}>", SMALL_BYTES_MAX + 1);
        let mut got = BTreeMap::new();
        let asked = wire::set(&uids);
        let fetched = self.session.fetch(&asked, &items, |told| {
            let (Some(uid), Some((from, letter))) = (told.uid, told.content) else {
                return;
            };
            let Ok(at) = uids.binary_search(&uid) else {
                return;
            };
            let is_long = from.is_some() && letter.len() > SMALL_BYTES_MAX as usize;
            // Some servers answer in full for the first of several letters only. Alone it
            // is taken as it comes: others do not reckon well.
            let is_less = batch.len() > 1
                && batch[at].bytes <= SMALL_BYTES_MAX
                && letter.len() < batch[at].bytes as usize;
            let letter = if is_long {
                Got::Long
            } else if is_less {
                Got::Less
            } else {
                Got::Whole(Box::new(whole_letter(found[at].clone(), letter)))
            };
            got.insert(uid, letter);
        });
        let end = fetched.await;
        (got, end)
    }

    async fn take_large(&mut self, letter: Letter) -> Result<(), Trouble> {
        let found = self.found(&letter);
        match spool::fetch(self.session, self.intake, &letter, found).await {
            Ok(Spooled::Whole(envelope)) => {
                self.take_in(vec![(letter.uid, *envelope)]).await?;
            }
            Ok(Spooled::Gone) => {}
            Ok(Spooled::Withheld) => self.withhold(&[letter]).await?,
            Err(Trouble::Garbled(reason)) => {
                self.suspect(&[letter], &[letter]).await?;
                return Err(Trouble::Garbled(reason));
            }
            Err(other) => return Err(other),
        }
        self.advance(letter.uid);
        self.save().await
    }

    /// Has letters taken in, and moves or marks them once that is durable.
    async fn take_in(&mut self, letters: Vec<(u32, Envelope)>) -> Result<(), Trouble> {
        let Some(last) = letters.last().map(|(uid, _)| *uid) else {
            return Ok(());
        };
        let (uids, envelopes): (Vec<u32>, Vec<Envelope>) = letters.into_iter().unzip();
        self.intake.accept(envelopes).await?;
        self.advance(last);
        self.save().await?;
        self.tidy(&uids).await
    }

    fn advance(&mut self, uid: u32) {
        self.cursor.uid = self.cursor.uid.max(uid);
        if self.mailbox.after == After::Leave {
            self.cursor.tidied = self.cursor.uid;
        }
    }

    pub(super) async fn save(&mut self) -> Result<(), Trouble> {
        if self.cursor == self.saved {
            return Ok(());
        }
        let note = serde_json::to_string(&self.cursor).unwrap_or_default();
        let name = bookmark_name(self.mailbox, self.folder);
        self.intake.set_bookmark(&name, &note).await?;
        self.saved = self.cursor.clone();
        Ok(())
    }

    /// After an answer that could not be understood: of several letters any may be the
    /// one, so they are fetched one by one; a single one is left for later.
    async fn suspect(&mut self, batch: &[Letter], missing: &[Letter]) -> Result<(), Trouble> {
        if let ([letter], [_]) = (batch, missing) {
            self.withhold(&[*letter]).await?;
            self.advance(letter.uid);
            self.save().await
        } else {
            let last = batch.last().map_or(0, |letter| letter.uid);
            self.memory.careful_until = self.memory.careful_until.max(last);
            Ok(())
        }
    }

    /// Remembers letters that are there and were not given out.
    async fn withhold(&mut self, letters: &[Letter]) -> Result<(), Trouble> {
        for letter in letters {
            let (uid, bytes) = (letter.uid, letter.bytes);
            let known = self.cursor.withheld.iter_mut();
            let tries = known
                .filter(|known| known.uid == uid)
                .map(|known| known.tries)
                .next();
            self.cursor.withheld.retain(|known| known.uid != uid);
            let tries = tries.map_or(1, |tries| tries.saturating_add(1));
            self.cursor.withheld.push(Withheld {
                uid,
                bytes,
                tries,
                again_at: self.intake.host.now() + pause_after(tries),
            });
        }
        while self.cursor.withheld.len() > WITHHELD_MAX {
            let oldest = self.cursor.withheld.remove(0);
            self.give_up(&oldest).await?;
        }
        Ok(())
    }

    /// Asks once more for letters that were not given out, when it is time.
    async fn ask_again(&mut self) -> Result<(), Trouble> {
        let now = self.intake.host.now();
        let due = |known: &&Withheld| known.again_at <= now;
        let due: Vec<Withheld> = self.cursor.withheld.iter().filter(due).cloned().collect();
        if due.is_empty() {
            return self.save().await;
        }
        let uids: Vec<u32> = due.iter().map(|known| known.uid).collect();
        let mut there = Vec::new();
        let answer = self
            .session
            .fetch(&wire::set(&uids), "UID", |told| there.extend(told.uid))
            .await?;
        answer.done("letters that were not given out cannot be listed")?;
        for known in due {
            let letter = Letter {
                uid: known.uid,
                bytes: known.bytes,
                ..Letter::default()
            };
            if !there.contains(&known.uid) {
                self.forget(known.uid);
            } else if known.tries >= TRIES_MAX {
                self.give_up(&known).await?;
                self.forget(known.uid);
            } else {
                // Written down first: the answer may cost the connection.
                self.withhold(&[letter]).await?;
                self.save().await?;
                let found = self.found(&letter);
                let spooled = spool::fetch(self.session, self.intake, &letter, found).await?;
                if let Spooled::Whole(envelope) = spooled {
                    self.intake.accept(vec![*envelope]).await?;
                    self.forget(known.uid);
                    self.save().await?;
                    self.tidy(&[known.uid]).await?;
                }
            }
        }
        self.save().await
    }

    fn forget(&mut self, uid: u32) {
        self.cursor.withheld.retain(|known| known.uid != uid);
    }

    /// Leaves word of a letter that cannot be had, where a person sees it.
    async fn give_up(&mut self, letter: &Withheld) -> Result<(), Trouble> {
        tracing::error!(
            line.id = %self.intake.line, folder = self.folder, uid = letter.uid,
            "the server does not give out a letter; it is noted as a dead letter"
        );
        let mut found = self.found(&Letter {
            uid: letter.uid,
            ..Letter::default()
        });
        found.cut_from = Some(u64::from(letter.bytes));
        self.intake.accept(vec![whole_letter(found, b"")]).await
    }

    fn found(&self, letter: &Letter) -> Found {
        Found {
            mailbox: self.mailbox.name.clone(),
            folder: self.folder.to_owned(),
            uid_validity: self.cursor.uid_validity,
            uid: letter.uid,
            received_at: letter.received_at.unwrap_or_else(|| self.intake.host.now()),
            ..Found::default()
        }
    }
}

/// The next small letters, none of them empty-handed.
fn batch(letters: &mut VecDeque<Letter>, careful_until: u32) -> Vec<Letter> {
    let mut batch: Vec<Letter> = Vec::new();
    let mut bytes = 0;
    while let Some(letter) = letters.front() {
        bytes += u64::from(letter.bytes);
        let is_full = batch.len() == BATCH_LETTERS_MAX || bytes > BATCH_BYTES_MAX;
        let is_suspect = batch
            .first()
            .is_some_and(|first| first.uid <= careful_until);
        if !batch.is_empty() && (is_full || is_suspect) || letter.bytes > SMALL_BYTES_MAX {
            break;
        }
        batch.extend(letters.pop_front());
    }
    batch
}

/// Minutes at first, then hours.
fn pause_after(tries: u8) -> Millis {
    Millis::from_secs(30 << (2 * i64::from(tries.clamp(1, TRIES_MAX) - 1)))
}

/// What is to be journalled of a letter that is here as a whole.
pub(super) fn whole_letter(mut found: Found, letter: &[u8]) -> Envelope {
    found.digest = hex(&Sha256::digest(letter));
    Envelope {
        event_key: found.event_key(),
        raw: found.entry(letter),
        rest: None,
    }
}

/// The beginning of a digest, enough to tell letters of one number apart.
fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn bookmark_name(mailbox: &Mailbox, folder: &str) -> String {
    format!("{} {folder}", mailbox.name)
}
