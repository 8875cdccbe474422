//! Copies of what was sent, in the mailbox's folder for that, so that whoever looks into
//! the mailbox sees both sides.
//!
//! A letter is sent whether or not there is a copy of it. Those that wait are lost when
//! the gateway ends, and when so many wait that no more find room.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use domain::message::Outbound;
use futures::{Stream, stream};
use tokio::sync::mpsc;

use super::super::config::{Config, Mailbox, Secret, Sent};
use super::super::oauth::Tokens;
use super::super::receive::{self, Session, Trouble};
use super::render::{Rendered, render};
use super::smtp::Pouring;
use crate::Host;

/// So many wait for a mailbox that is away. What waits has no files in it.
const WAITING_MAX: usize = 256;
/// So often a copy is tried.
const TRIES_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_secs(30);
/// After a wrong password: whoever tries too often is locked out.
const LOGIN_PAUSE: Duration = Duration::from_mins(15);
/// What the folder is called where the server does not say which one it is.
const USUAL_NAMES: [&str; 6] = [
    "Sent",
    "Sent Items",
    "Sent Messages",
    "INBOX.Sent",
    "Отправленные",
    "Отправленные письма",
];

/// Keeps copies.
pub(super) struct Copies {
    clerk: Arc<Clerk>,
    waiting: OnceLock<mpsc::Sender<Order>>,
}

/// A letter that was sent.
struct Order {
    outbound: Outbound,
    host: Arc<dyn Host>,
}

/// Whoever puts the copies where they belong.
struct Clerk {
    config: Arc<Config>,
    tokens: Arc<Tokens>,
    mailbox: Mailbox,
    folder: Sent,
}

impl Copies {
    /// None where the provider keeps them by itself, or there is no mailbox.
    pub(super) fn new(config: &Arc<Config>, tokens: &Arc<Tokens>) -> Option<Self> {
        let folder = config.smtp.as_ref().map(|smtp| smtp.sent.clone())?;
        let mailbox = config.mailboxes.first()?;
        if folder == Sent::Provider {
            return None;
        }
        let clerk = Clerk {
            config: Arc::clone(config),
            tokens: Arc::clone(tokens),
            mailbox: mailbox.clone(),
            folder,
        };
        Some(Self {
            clerk: Arc::new(clerk),
            waiting: OnceLock::new(),
        })
    }

    /// Has a copy put away, later.
    pub(super) fn keep(&self, outbound: &Outbound, host: &Arc<dyn Host>) {
        let waiting = self.waiting.get_or_init(|| {
            let (waiting, orders) = mpsc::channel(WAITING_MAX);
            tokio::spawn(Arc::clone(&self.clerk).work(orders));
            waiting
        });
        let order = Order {
            outbound: outbound.clone(),
            host: Arc::clone(host),
        };
        if waiting.try_send(order).is_err() {
            tracing::warn!(line.id = %outbound.line, "no copy of a letter: too many wait");
        }
    }
}

impl Clerk {
    /// Ends with the line.
    async fn work(self: Arc<Self>, mut orders: mpsc::Receiver<Order>) {
        let mut tries = 0;
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(order) = orders.recv().await else {
                    return;
                };
                waiting.push_back(order);
            }
            let Err(trouble) = self.put_away(&mut waiting, &mut orders).await else {
                tries = 0;
                continue;
            };
            tries += 1;
            let line = &self.config.line;
            tracing::warn!(line.id = %line, error = %trouble, "a copy of a letter is not kept");
            if tries >= TRIES_MAX {
                waiting.pop_front();
                tries = 0;
            }
            let is_locked = matches!(trouble, Trouble::Credentials(_));
            tokio::time::sleep(if is_locked { LOGIN_PAUSE } else { PAUSE }).await;
        }
    }

    /// Puts away all that waits, by one connection.
    async fn put_away(
        &self,
        waiting: &mut VecDeque<Order>,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Result<(), Trouble> {
        let Some(first) = waiting.front() else {
            return Ok(());
        };
        let mut session = self.enter(&first.host).await?;
        let folder = self.folder(&mut session).await?;
        while let Some(order) = waiting.front() {
            self.put(&mut session, &folder, order).await?;
            waiting.pop_front();
            waiting.extend(orders.try_recv());
        }
        Ok(())
    }

    async fn enter(&self, host: &Arc<dyn Host>) -> Result<Session, Trouble> {
        let Secret::OAuth(oauth) = &self.mailbox.login.secret else {
            return receive::enter(&self.mailbox, None).await;
        };
        let token = self.tokens.token(&self.config.line, oauth, host).await;
        let token = token.map_err(|error| Trouble::Lost(error.to_string()))?;
        let entered = receive::enter(&self.mailbox, Some(&token.value)).await;
        if matches!(entered, Err(Trouble::Credentials(_))) {
            self.tokens.forget(oauth, &token).await;
            if !token.is_fresh {
                return Err(Trouble::Lost("a token was refused".to_owned()));
            }
        }
        entered
    }

    /// What the folder is called.
    async fn folder(&self, session: &mut Session) -> Result<String, Trouble> {
        match &self.folder {
            Sent::Folder(name) => Ok(name.clone()),
            Sent::Marked | Sent::Provider => {
                let folders = session.folders().await?;
                let marked = folders.iter().find(|folder| folder.is_sent);
                let named = |name: &&&str| folders.iter().any(|folder| folder.name == **name);
                let usual = USUAL_NAMES
                    .iter()
                    .find(named)
                    .map(|name| (*name).to_owned());
                let found = marked.map(|folder| folder.name.clone()).or(usual);
                found.ok_or_else(|| {
                    Trouble::Refused("there is no folder of sent letters".to_owned())
                })
            }
        }
    }

    async fn put(&self, session: &mut Session, folder: &str, order: &Order) -> Result<(), Trouble> {
        // It went out like this.
        let Ok(letter) = render(&self.config, &order.outbound) else {
            return Ok(());
        };
        let size = letter.size();
        let bytes = std::pin::pin!(poured(&letter, &order.host));
        let mut answer = session.append(folder, size, bytes).await?;
        if answer.try_create && !answer.is_ok {
            session.create(folder).await?;
            let bytes = std::pin::pin!(poured(&letter, &order.host));
            answer = session.append(folder, size, bytes).await?;
        }
        if answer.is_ok {
            return Ok(());
        }
        Err(Trouble::Refused(format!("{folder}: {}", answer.text)))
    }
}

fn poured<'a>(
    letter: &'a Rendered,
    host: &'a Arc<dyn Host>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'a {
    stream::try_unfold(Pouring::new(letter, host), |mut pouring| async move {
        let piece = pouring.next().await?;
        Ok(piece.map(|piece| (piece, pouring)))
    })
}

#[cfg(test)]
#[path = "sent_tests.rs"]
mod tests;
