//! Canned replies: texts that operators answer with, shared or their own.

use std::collections::BTreeSet;

use domain::{QueueId, text};
use store::{CannedReply, RepliesAfter, Tx, Variant, View};

use super::{ActError, Actor};
use crate::Engine;
use crate::reason::Reason;

/// The longest shortcut, in characters: it is typed by hand.
const SHORTCUT_CHARS_MAX: usize = 32;
/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;
/// The longest text, in characters: as long as a note or another wording.
const TEXT_CHARS_MAX: usize = 16_000;
/// Other languages of one canned reply.
const VARIANTS_MAX: usize = 20;
/// The longest tag of a language, in bytes.
const LOCALE_BYTES_MAX: usize = 35;
/// Shared canned replies in all.
const SHARED_MAX: i64 = 5_000;
/// Canned replies of one operator's own.
const PERSONAL_MAX: i64 = 500;

/// What a canned reply is to be.
#[derive(Clone, Debug)]
pub struct NewCannedReply {
    /// The one to change; none makes a new one.
    pub id: Option<i64>,
    /// The actor's own instead of shared.
    pub personal: bool,
    /// What is typed to find it.
    pub shortcut: String,
    /// What lists show.
    pub title: String,
    /// The text, with its variables.
    pub text: String,
    /// The queues it is for; none is everybody.
    pub queues: BTreeSet<QueueId>,
    /// The same in other languages.
    pub variants: Vec<Variant>,
    /// The version it was read at; 0 saves in any case.
    pub version: i64,
}

/// Which canned replies to list.
#[derive(Clone, Debug, Default)]
pub struct WantedReplies {
    /// Words that stand in them.
    pub query: String,
    /// Only those for everybody or for this queue.
    pub queue: Option<QueueId>,
    /// Where the page begins.
    pub after: RepliesAfter,
    /// How many.
    pub limit: usize,
}

impl Engine {
    /// A page of the canned replies that the actor may use, and where the next begins.
    pub async fn canned_replies(
        &self,
        actor: &Actor,
        wanted: WantedReplies,
    ) -> Result<(Vec<CannedReply>, Option<RepliesAfter>), ActError> {
        let who = actor.clone();
        let query = text::line(&wanted.query, 200);
        self.read(move |view| {
            let more = i64::try_from(wanted.limit + 1).unwrap_or(i64::MAX);
            let mut found = view.canned_replies(
                who.operator,
                who.queues(),
                wanted.queue.as_ref(),
                &query,
                &wanted.after,
                more,
            )?;
            let next = (found.len() > wanted.limit)
                .then(|| found.get(wanted.limit - 1))
                .flatten()
                .map(|last| RepliesAfter {
                    shortcut: last.shortcut.clone(),
                    id: last.id,
                });
            found.truncate(wanted.limit);
            Ok((found, next))
        })
        .await
    }

    /// Makes a canned reply, or changes one.
    pub async fn save_canned_reply(
        &self,
        actor: &Actor,
        client_id: &str,
        new: NewCannedReply,
    ) -> Result<CannedReply, ActError> {
        let new = checked(new)?;
        let (engine, who) = (self.clone(), actor.clone());
        let fingerprint = format!("canned reply {new:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            engine.write_canned_reply(tx, &who, new)
        })
        .await
    }

    fn write_canned_reply(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        new: NewCannedReply,
    ) -> Result<CannedReply, ActError> {
        let before = match new.id {
            Some(id) => Some(changeable(tx, actor, id)?),
            None => None,
        };
        let owner = if new.personal {
            Some(actor.person()?)
        } else {
            must_supervise(actor)?;
            None
        };
        if let Some(before) = &before
            && new.version != 0
            && new.version != before.version
        {
            return Err(ActError::Stale(Reason::ChangedMeanwhile));
        }
        let had = before.as_ref().map(|before| &before.queues);
        self.check_queues(&new.queues, had)?;
        if before.as_ref().is_none_or(|before| before.owner != owner) {
            let max = if owner.is_some() {
                PERSONAL_MAX
            } else {
                SHARED_MAX
            };
            if tx.canned_reply_count(owner)? >= max {
                return Err(ActError::Refused(Reason::TooManyReplies { max }));
            }
        }
        let reply = CannedReply {
            id: before.as_ref().map_or_else(|| tx.fresh_id(), |one| one.id),
            owner,
            shortcut: new.shortcut,
            title: new.title,
            text: new.text,
            queues: new.queues,
            variants: new.variants,
            changed_at: tx.now(),
            changed_by: actor.operator,
            version: before.as_ref().map_or(1, |before| before.version + 1),
            uses: before.as_ref().map_or(0, |before| before.uses),
        };
        if !tx.save_canned_reply(&reply)? {
            return Err(ActError::Exists(Reason::ShortcutTaken {
                shortcut: reply.shortcut,
            }));
        }
        if before.as_ref().is_some_and(|before| before.owner != owner) {
            // Whoever had it in the list before hears of it too.
            tx.tell_canned_replies(before.and_then(|before| before.owner))?;
            audit(tx, actor, "canned_reply.change", &reply)?;
        } else if before.is_some() {
            audit(tx, actor, "canned_reply.change", &reply)?;
        } else {
            audit(tx, actor, "canned_reply.add", &reply)?;
        }
        Ok(reply)
    }

    /// Removes a canned reply.
    pub async fn delete_canned_reply(
        &self,
        actor: &Actor,
        client_id: &str,
        id: i64,
    ) -> Result<(), ActError> {
        let who = actor.clone();
        let fingerprint = format!("delete canned reply {id}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let reply = changeable(tx, &who, id)?;
            tx.delete_canned_reply(&reply)?;
            audit(tx, &who, "canned_reply.delete", &reply)?;
            Ok(())
        })
        .await
    }

    /// Within the writer's turn, so that no reload drops a queue before it is used.
    /// What it was for before may stay, though the queue is gone.
    fn check_queues(
        &self,
        wanted: &BTreeSet<QueueId>,
        before: Option<&BTreeSet<QueueId>>,
    ) -> Result<(), ActError> {
        let serving = self.serving();
        let had = |queue: &QueueId| before.is_some_and(|before| before.contains(queue));
        match wanted
            .iter()
            .find(|queue| !serving.has_queue(queue) && !had(queue))
        {
            Some(queue) => Err(ActError::Invalid {
                field: "canned_reply.queue_ids",
                problem: Reason::NoQueue {
                    queue: queue.clone(),
                },
            }),
            None => Ok(()),
        }
    }
}

fn audit(tx: &mut Tx<'_>, actor: &Actor, act: &str, reply: &CannedReply) -> Result<(), ActError> {
    let whose = if reply.owner.is_some() {
        "personal"
    } else {
        "shared"
    };
    let detail = format!("{whose}: {}", reply.title);
    tx.audit(actor.operator, act, &reply.shortcut, &detail)?;
    Ok(())
}

/// A canned reply that the actor may save or remove. Others' own are not there.
fn changeable(view: &View<'_>, actor: &Actor, id: i64) -> Result<CannedReply, ActError> {
    let found = view
        .canned_reply(id)?
        .filter(|reply| match reply.owner {
            Some(owner) => actor.operator == Some(owner),
            None => may_use(actor, reply),
        })
        .ok_or(ActError::NotFound("canned reply"))?;
    if found.owner.is_none() {
        must_supervise(actor)?;
    }
    Ok(found)
}

fn may_use(actor: &Actor, shared: &CannedReply) -> bool {
    shared.queues.is_empty()
        || actor
            .queues()
            .is_none_or(|queues| !queues.is_disjoint(&shared.queues))
}

fn must_supervise(actor: &Actor) -> Result<(), ActError> {
    if actor.supervises() {
        Ok(())
    } else {
        Err(ActError::Denied(Reason::OnlySupervisorsShare))
    }
}

fn checked(new: NewCannedReply) -> Result<NewCannedReply, ActError> {
    let shortcut = shortcut(&new.shortcut).ok_or(ActError::Invalid {
        field: "canned_reply.shortcut",
        problem: Reason::Shortcut {
            max: SHORTCUT_CHARS_MAX,
        },
    })?;
    let title = text::line(&new.title, TITLE_CHARS_MAX + 1);
    if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX {
        return Err(ActError::Invalid {
            field: "canned_reply.title",
            problem: Reason::Length {
                max: TITLE_CHARS_MAX,
            },
        });
    }
    if new.variants.len() > VARIANTS_MAX {
        return Err(ActError::Invalid {
            field: "canned_reply.variants",
            problem: Reason::TooManyVariants { max: VARIANTS_MAX },
        });
    }
    let mut variants = Vec::with_capacity(new.variants.len());
    let mut locales = BTreeSet::new();
    for variant in new.variants {
        let locale = locale(&variant.locale)
            .filter(|locale| locales.insert(locale.to_lowercase()))
            .ok_or(ActError::Invalid {
                field: "canned_reply.variants.locale",
                problem: Reason::LanguageTag,
            })?;
        let text = words("canned_reply.variants.text", &variant.text)?;
        variants.push(Variant { locale, text });
    }
    Ok(NewCannedReply {
        shortcut,
        title,
        text: words("canned_reply.text", &new.text)?,
        variants,
        ..new
    })
}

fn words(field: &'static str, raw: &str) -> Result<String, ActError> {
    let words = text::body(raw, TEXT_CHARS_MAX + 1);
    if words.trim().is_empty() || words.chars().count() > TEXT_CHARS_MAX {
        return Err(ActError::Invalid {
            field,
            problem: Reason::Length {
                max: TEXT_CHARS_MAX,
            },
        });
    }
    Ok(words)
}

/// In small letters; none when it is none.
fn shortcut(raw: &str) -> Option<String> {
    let shortcut = raw.trim().trim_start_matches('/').to_lowercase();
    let valid = (1..=SHORTCUT_CHARS_MAX).contains(&shortcut.chars().count())
        && shortcut
            .chars()
            .all(|c| c.is_alphanumeric() || "._-".contains(c));
    valid.then_some(shortcut)
}

/// A language's tag as it is written; none when it is none.
fn locale(raw: &str) -> Option<String> {
    let locale = raw.trim().replace('_', "-");
    let mut parts = locale.split('-');
    let language = parts.next()?;
    let valid = locale.len() <= LOCALE_BYTES_MAX
        && (2..=3).contains(&language.len())
        && language.chars().all(|c| c.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        });
    valid.then_some(locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortcut_is_one_word_in_small_letters() {
        for (raw, expected) in [
            ("hello", Some("hello")),
            ("/Hello ", Some("hello")),
            ("Привет-2", Some("привет-2")),
            ("a.b_c", Some("a.b_c")),
            ("", None),
            ("/", None),
            ("two words", None),
            ("a/b", None),
            ("a:b", None),
            ("{{x}}", None),
        ] {
            assert_eq!(shortcut(raw).as_deref(), expected, "{raw:?}");
        }
        assert!(shortcut(&"я".repeat(32)).is_some());
        assert!(shortcut(&"я".repeat(33)).is_none());
    }

    #[test]
    fn a_language_is_a_tag() {
        for (raw, expected) in [
            ("ru", Some("ru")),
            (" pt_BR ", Some("pt-BR")),
            ("sr-Latn-RS", Some("sr-Latn-RS")),
            ("", None),
            ("r", None),
            ("русский", None),
            ("en--US", None),
            ("en-", None),
        ] {
            assert_eq!(locale(raw).as_deref(), expected, "{raw:?}");
        }
    }

    fn new() -> NewCannedReply {
        NewCannedReply {
            id: None,
            personal: false,
            shortcut: "hello".to_owned(),
            title: "Greeting".to_owned(),
            text: "Hello {{client.name}}".to_owned(),
            queues: BTreeSet::new(),
            variants: Vec::new(),
            version: 0,
        }
    }

    #[test]
    fn what_is_too_long_or_empty_is_refused_with_its_field() {
        let variant = |locale: &str, text: &str| Variant {
            locale: locale.to_owned(),
            text: text.to_owned(),
        };
        let cases = [
            (
                NewCannedReply {
                    text: "a".repeat(TEXT_CHARS_MAX + 1),
                    ..new()
                },
                "canned_reply.text",
            ),
            (
                NewCannedReply {
                    text: " \n ".to_owned(),
                    ..new()
                },
                "canned_reply.text",
            ),
            (
                NewCannedReply {
                    title: "a".repeat(TITLE_CHARS_MAX + 1),
                    ..new()
                },
                "canned_reply.title",
            ),
            (
                NewCannedReply {
                    variants: vec![variant("ru", "а"), variant("RU", "б")],
                    ..new()
                },
                "canned_reply.variants.locale",
            ),
            (
                NewCannedReply {
                    variants: vec![variant("ru", "")],
                    ..new()
                },
                "canned_reply.variants.text",
            ),
            (
                NewCannedReply {
                    variants: vec![variant("ru", "а"); VARIANTS_MAX + 1],
                    ..new()
                },
                "canned_reply.variants",
            ),
        ];
        for (new, expected) in cases {
            match checked(new) {
                Err(ActError::Invalid { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
        let longest = NewCannedReply {
            text: "я".repeat(TEXT_CHARS_MAX),
            ..new()
        };
        assert!(checked(longest).is_ok());
    }
}
