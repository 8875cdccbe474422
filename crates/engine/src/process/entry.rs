//! One journal entry: who sent it, then everything it changes in one transaction.

use std::sync::Arc;
use std::time::Duration;

use channels::Sign;
use domain::identity::{Identity, Profile, Trust, normalize};
use domain::message::{Content, Inbound, InboundKind, Sender};
use domain::{Timestamp, text};
use store::{JournalState, StoreError, ThreadRow, View};

use super::{Work, apply, rest, threading};
use crate::contacts::{Asked, Found, named};
use crate::opening::{KnownContact, PROVISIONAL, is_provisional};
use crate::{Engine, Line};

/// How long a provider may take to tell who somebody is.
const INTRODUCTION_MAX: Duration = Duration::from_secs(5);
const SUBJECT_CHARS_MAX: usize = 998;

/// Who a sender is, as far as could be found out.
#[derive(Clone)]
pub(super) enum Who {
    /// Kept out.
    Blocked,
    /// The thread's contact, about whom nothing is new.
    Same,
    /// As the directory says.
    Found(Box<Found>),
    /// The directory cannot tell now.
    Unknown,
}

/// Does an entry that is tried since some time.
pub(super) async fn attempt(
    engine: &Engine,
    work: &Work,
    since: Timestamp,
) -> Result<(), StoreError> {
    let mut prepared = Vec::with_capacity(work.inbounds.len());
    for inbound in &work.inbounds {
        let mut inbound = inbound.clone();
        tidy(&work.line, &mut inbound.sender);
        let line = &work.line.id;
        let is_known = engine
            .store()
            .read_rows::<_, StoreError>(|view| {
                threading::place(view, line, &mut inbound)?;
                apply::is_known(view, line, &inbound)
            })
            .await?;
        if !is_known {
            rest::fetch(engine, work, since, &mut inbound).await?;
        }
        let who = who(engine, &work.line, &mut inbound).await?;
        prepared.push((inbound, who));
    }
    let (seq, line, received_at) = (work.seq, Arc::clone(&work.line), work.received_at);
    let (now, rules) = (engine.clone(), engine.rules());
    let pressed = pressed(&prepared);
    engine
        .store()
        .write_behind::<_, StoreError>(move |tx| {
            let refused = prepared.iter().all(|(_, who)| matches!(who, Who::Blocked));
            let (state, note) = if refused && !prepared.is_empty() {
                (JournalState::Refused, "the sender is blocked")
            } else {
                (JournalState::Done, "")
            };
            if !tx.journal_end(seq, state, note)? {
                return Ok(());
            }
            let line = now.serving().as_now(&line);
            for (inbound, who) in prepared.clone() {
                let thread_key = inbound.thread_key.clone();
                apply::apply(tx, &rules, &line, received_at, inbound, who)?;
                now.expect_writer_back(tx, &rules, &line, &thread_key)?;
            }
            Ok(())
        })
        .await?;
    for (thread_key, sign) in pressed {
        show(engine, &work.line, thread_key, sign).await?;
    }
    store::faults::point("after-process");
    let waited = engine.now().since(received_at);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric needs no more than 52 bits"
    )]
    metrics::histogram!("inbound_processing_seconds").record(waited.0 as f64 / 1_000.0);
    Ok(())
}

/// Presses of buttons, of which their clients want to see that they came.
fn pressed(prepared: &[(Inbound, Who)]) -> Vec<(String, Sign)> {
    let presses = prepared.iter().filter_map(|(inbound, _)| {
        let is_press = matches!(inbound.kind, InboundKind::Message(Content::Postback { .. }));
        let id = inbound.message_id.clone().filter(|_| is_press)?;
        Some((inbound.thread_key.clone(), Sign::Pressed(id)))
    });
    presses.collect()
}

async fn show(
    engine: &Engine,
    line: &Line,
    thread_key: String,
    sign: Sign,
) -> Result<(), StoreError> {
    let id = line.id.clone();
    let thread = engine
        .read::<_, StoreError>(move |view| view.thread_by_key(&id, &thread_key))
        .await?;
    if let Some(thread) = thread {
        engine.show(&line.id, thread.recipient(), sign);
    }
    Ok(())
}

/// Brings what the channel tells of the sender into normal forms and limits. What
/// cannot be read as an identity is not one.
fn tidy(line: &Line, sender: &mut Sender) {
    sender.display_name = text::display_name(&sender.display_name);
    sender.identities = sender
        .identities
        .iter()
        .take(20)
        .filter_map(|identity| normalize(identity, &line.default_region).ok())
        .collect();
    let mut profile = Profile {
        display_name: std::mem::take(&mut sender.display_name),
        locale: sender.locale.take(),
        avatar_url: sender.avatar_url.take(),
        attributes: std::mem::take(&mut sender.attributes),
    };
    profile.trim();
    sender.display_name = profile.display_name;
    sender.locale = profile.locale;
    sender.avatar_url = profile.avatar_url;
    sender.attributes = profile.attributes;
}

async fn who(engine: &Engine, line: &Line, inbound: &mut Inbound) -> Result<Who, StoreError> {
    let needs_contact = match &inbound.kind {
        InboundKind::Message(_) | InboundKind::CallbackRequest { .. } => true,
        InboundKind::Reaction { .. }
        | InboundKind::Edit { .. }
        | InboundKind::Delete { .. }
        | InboundKind::Receipt { .. }
        | InboundKind::Reached { .. }
        | InboundKind::Aside(_)
        | InboundKind::Echo { .. }
        | InboundKind::Bounce { .. }
        | InboundKind::Typing { .. }
        | InboundKind::Membership(_)
        | InboundKind::Rating { .. } => false,
    };
    let (blocked, thread, is_another) = engine
        .store()
        .read_rows::<_, StoreError>(|view| {
            let blocked = is_blocked(view, &inbound.sender.identities)?;
            let thread = view.thread_by_key(&line.id, &inbound.thread_key)?;
            let is_another = match &thread {
                Some(thread) => {
                    threading::is_stranger(inbound) || threading::is_guest(view, thread, inbound)?
                }
                None => false,
            };
            Ok((blocked, thread, is_another))
        })
        .await?;
    if blocked {
        return Ok(Who::Blocked);
    }
    match &thread {
        Some(thread) => as_before(&mut inbound.sender, &thread.sender),
        None if needs_contact => introduce(line, inbound).await,
        None => {}
    }
    let same = thread
        .as_ref()
        .is_some_and(|thread| says_nothing_new(thread, &inbound.sender));
    if same || !needs_contact || is_another {
        return Ok(Who::Same);
    }
    let asked = Asked {
        line_id: &line.id,
        line: Some(line),
        sender: named(
            &inbound.sender,
            &line.id,
            &inbound.thread_key,
            thread.as_ref(),
        ),
    };
    match engine.directory().find(asked, engine.now(), false).await {
        Ok(found) => Ok(Who::Found(Box::new(found))),
        Err(error) => {
            metrics::counter!("provisional_contacts_total").increment(1);
            tracing::warn!(line.id = %line.id, %error, "going on with a provisional contact");
            Ok(Who::Unknown)
        }
    }
}

/// Asks the provider about a thread that nobody wrote in before.
async fn introduce(line: &Line, inbound: &mut Inbound) {
    let (mut sender, mut thread) = (inbound.sender.clone(), inbound.thread.clone());
    let told = line.channel.introduce(&mut sender, &mut thread);
    if tokio::time::timeout(INTRODUCTION_MAX, told).await.is_ok() {
        let subject = thread.subject.take();
        thread.subject = subject.map(|subject| text::line(&subject, SUBJECT_CHARS_MAX));
        (inbound.sender, inbound.thread) = (sender, thread);
        tidy(line, &mut inbound.sender);
    }
}

/// What an event does not tell of its sender is as it was.
fn as_before(sender: &mut Sender, before: &Sender) {
    if sender.display_name.is_empty() {
        sender.display_name.clone_from(&before.display_name);
        if sender.avatar_url.is_none() {
            sender.avatar_url.clone_from(&before.avatar_url);
        }
        if sender.locale.is_none() {
            sender.locale.clone_from(&before.locale);
        }
        if sender.attributes.is_empty() {
            sender.attributes.clone_from(&before.attributes);
        }
    }
}

/// What is claimed keeps nobody out: else anybody could block anybody.
pub(super) fn is_blocked(view: &View<'_>, identities: &[Identity]) -> Result<bool, StoreError> {
    for identity in identities {
        if identity.trust > Trust::Claimed && view.is_blocked(&identity.key())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn says_nothing_new(thread: &ThreadRow, sender: &Sender) -> bool {
    let same = sender.identities.is_empty()
        || thread.sender == *sender
        || is_claimed_again(&thread.sender, sender);
    same && !is_provisional(&thread.contact)
}

/// Whether somebody claims the same again: by claims alone the directory finds nobody,
/// and would take them for somebody new as soon as they write their name otherwise.
fn is_claimed_again(before: &Sender, sender: &Sender) -> bool {
    let is_claim = |identity: &Identity| identity.trust == Trust::Claimed;
    before.identities == sender.identities && sender.identities.iter().all(is_claim)
}

/// A contact of our own until the directory can be asked.
pub(crate) fn provisional(id: i64, sender: &Sender) -> KnownContact {
    KnownContact {
        id: domain::ContactId::new(format!("{PROVISIONAL}{id}")),
        profile: Profile {
            display_name: sender.display_name.clone(),
            ..Profile::default()
        },
        provisional: true,
    }
}

/// The sender's own time, unless it is in the future.
pub(super) fn sent_at(claimed: Timestamp, received_at: Timestamp) -> Timestamp {
    if claimed.0 <= 0 {
        received_at
    } else {
        claimed.min(received_at)
    }
}
