//! What one connected visitor does and is shown.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::Millis;
use domain::event::Cursor;
use domain::message::{Attachment, Delivery};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::journal::{Did, Entry, Facts};
use super::ownership;
use super::protocol::{ClientFrame, Hello, Rated, ServerFrame, Shown, Written};
use super::routes::Endpoint;
use super::seeing::Unread;
use super::socket::{Ending, Wire};
use super::visitor::Token;
use crate::host::{Accepted, ClientMessage, Refused, ThreadSignal};
use crate::{Envelope, clean};

/// Messages read from the log at a time.
const PAGE: usize = 50;

/// Messages of ours whose receipt is awaited. A page that shows more without
/// telling has lost interest in receipts.
const UNREAD_MAX: usize = 64;

/// Frames in one window. A person's typing and reading makes a few a second.
const FRAMES_PER_WINDOW_MAX: u32 = 120;
const WINDOW: Duration = Duration::from_secs(10);

pub(super) struct Visit {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) ip: IpAddr,
    pub(super) token: Token,
    /// Whether the page has to be told of the token.
    is_new: bool,
    /// What the token itself names, whoever is signed in.
    pub(super) browser_id: String,
    /// Whose thread this is.
    pub(super) visitor_id: String,
    pub(super) signals: broadcast::Receiver<ThreadSignal>,
    pub(super) cursor: Cursor,
    /// Whether there is a conversation already.
    pub(super) begun: bool,
    pub(super) facts: Facts,
    pub(super) unread: VecDeque<Unread>,
    pub(super) page: Page,
    window: (Instant, u32),
}

/// What the page shows.
#[derive(Default)]
pub(super) struct Page {
    /// Another thread than the visitor's.
    is_old: bool,
    /// A place in the queue.
    pub(super) stands: bool,
}

pub(super) type Reply = Option<ServerFrame<'static>>;

impl Visit {
    pub(super) async fn begin(
        endpoint: Arc<Endpoint>,
        ip: IpAddr,
        hello: &Hello,
    ) -> Result<Self, Ending> {
        let known = hello.token.as_deref().and_then(Token::read);
        // A page whose token is spoilt gets another, rather than no chat.
        let is_new = known.is_none();
        let token = known.unwrap_or_else(|| Token::new(endpoint.host.random_bytes()));
        let browser_id = token.browser_id();
        let session = hello.session.as_deref();
        let user = session.and_then(|text| ownership::user_of(&endpoint, text, &browser_id));
        let visitor_id = if is_new {
            browser_id.clone()
        } else {
            ownership::thread_of(&endpoint, &token, user.as_ref()).await?
        };
        let cursor_of = hello.visitor_id.as_deref().unwrap_or(&browser_id);
        let goes_on = !is_new && cursor_of == visitor_id;
        let short = |text: &Option<String>| {
            text.as_deref()
                .map(|text| domain::text::line(clean::clip_str(text, 8_192), 1_000))
        };
        // Nothing can fail any more, so whoever came also goes.
        endpoint.comes(&visitor_id);
        Ok(Self {
            cursor: Cursor(if goes_on { hello.cursor.max(0) } else { 0 }),
            begun: false,
            facts: Facts {
                user,
                locale: hello
                    .locale
                    .clone()
                    .filter(|locale| clean::is_locale(locale)),
                page: short(&hello.page),
                referrer: short(&hello.referrer),
                ..Facts::default()
            },
            unread: VecDeque::new(),
            page: Page::default(),
            window: (Instant::now(), 0),
            // Listening begins before reading, so that nothing falls between.
            signals: endpoint.host.watch(&endpoint.chat.config.line, &visitor_id),
            endpoint,
            ip,
            token,
            is_new,
            browser_id,
            visitor_id,
        })
    }

    pub(super) fn position(&self) -> Cursor {
        self.cursor
    }

    pub(super) fn cursor(&self) -> i64 {
        self.cursor.0
    }

    /// Leaves the thread for another one.
    pub(super) fn move_to(&mut self, visitor_id: String) {
        if visitor_id == self.visitor_id {
            return;
        }
        let line = &self.endpoint.chat.config.line;
        self.signals = self.endpoint.host.watch(line, &visitor_id);
        self.endpoint.leaves(&self.visitor_id);
        self.endpoint.comes(&visitor_id);
        self.visitor_id = visitor_id;
        self.cursor = Cursor(0);
        self.begun = false;
        self.unread.clear();
        self.page.is_old = true;
    }

    pub(super) fn has_moved(&self) -> bool {
        self.page.is_old
    }

    /// Finds the place of a page that comes again. A cursor past the end is of a
    /// log that is no more, after a restored backup: the page begins anew then.
    pub(super) async fn resume(&mut self) -> Result<(), Ending> {
        if self.cursor.0 > 0 {
            let at = self.read_log(Cursor(self.cursor.0 - 1), 1).await?;
            self.begun = !at.is_empty();
            if at.is_empty() {
                self.cursor = Cursor(0);
            }
        }
        Ok(())
    }

    pub(super) async fn welcome(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        let token = self.is_new.then(|| self.token.text());
        wire.queue(&ServerFrame::Welcome {
            line: &self.endpoint.chat.config.line,
            visitor_token: token.as_deref(),
            visitor_id: &self.visitor_id,
            cursor: self.cursor.0,
            limits: &self.endpoint.chat.config.page.limits,
            server_time: self.endpoint.host.now(),
        })
        .await
    }

    /// Shows what there is, and says so.
    pub(super) async fn catch_up(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        self.page = Page::default();
        self.replay(wire).await?;
        let cursor = self.cursor();
        wire.queue(&ServerFrame::Synced { cursor }).await?;
        self.show_standing(wire).await?;
        self.ask_for_rating(wire).await?;
        wire.flush().await
    }

    /// Queues whatever the log holds after the cursor.
    pub(super) async fn replay(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        loop {
            let page = self.read_log(self.cursor, PAGE).await?;
            let last = page.len() < PAGE;
            if !page.is_empty() {
                self.check_ownership().await?;
            }
            for message in page {
                self.show(message, wire).await?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Does what a frame says; the answer is for this page alone.
    pub(super) async fn take(&mut self, frame: ClientFrame) -> Result<Reply, Ending> {
        if !self.within_window() {
            return Ok(Some(ServerFrame::try_later(
                client_id(frame),
                "too_often",
                Millis(i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)),
            )));
        }
        if frame.touches_thread() {
            self.check_ownership().await?;
        }
        Ok(self.act(frame).await)
    }

    async fn act(&mut self, frame: ClientFrame) -> Reply {
        match frame {
            ClientFrame::Hello(_) => Some(ServerFrame::Error {
                code: "unexpected",
                text: "hello comes once".to_owned(),
            }),
            ClientFrame::Message(written) => self.write(written).await,
            ClientFrame::React {
                client_id,
                message_id,
                emoji,
            } => self.react(client_id, message_id, emoji).await,
            ClientFrame::Typing { active } => {
                if self.begun {
                    let endpoint = &self.endpoint;
                    let line = &endpoint.chat.config.line;
                    endpoint.host.typing(line, &self.visitor_id, active);
                }
                None
            }
            ClientFrame::Delivered { cursor } => self.see(cursor, Delivery::Delivered).await,
            ClientFrame::Read { cursor } => self.see(cursor, Delivery::Read).await,
            ClientFrame::Identify { token } => self.identify(&token).await,
            ClientFrame::Profile(profile) => self.describe(profile),
            ClientFrame::Rating(rated) => self.rate(rated).await,
            ClientFrame::Callback {
                client_id,
                phone,
                comment,
            } => self.leave_number(client_id, &phone, &comment).await,
            ClientFrame::Ping {} => Some(ServerFrame::Pong {}),
        }
    }

    pub(super) async fn accept(&self, did: Did) -> Result<Accepted, Refused> {
        let line = &self.endpoint.chat.config.line;
        let entry = Entry {
            line: line.clone(),
            visitor_id: self.visitor_id.clone(),
            at: self.endpoint.host.now(),
            facts: self.facts.clone(),
            did,
        };
        let raw =
            serde_json::to_vec(&entry).map_err(|error| Refused::Invalid(error.to_string()))?;
        let envelope = Envelope {
            event_key: entry.event_key(),
            raw: Bytes::from(raw),
            rest: None,
        };
        self.endpoint.host.accept(line, envelope).await
    }

    pub(super) async fn read_log(
        &self,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<ClientMessage>, Ending> {
        let line = &self.endpoint.chat.config.line;
        let host = &self.endpoint.host;
        Ok(host
            .thread_log(line, &self.visitor_id, after, limit)
            .await?)
    }

    async fn show(&mut self, message: ClientMessage, wire: &mut Wire) -> Result<(), Ending> {
        self.begun = true;
        self.cursor = self.cursor.max(message.cursor);
        self.unread.retain(|unread| unread.message != message.id);
        if let Some(unread) = Unread::of(&message) {
            if self.unread.len() == UNREAD_MAX {
                self.unread.pop_front();
            }
            self.unread.push_back(unread);
        }
        let endpoint = Arc::clone(&self.endpoint);
        let line = &endpoint.chat.config.line;
        let url = |file: &Attachment| endpoint.host.file_link(line, &self.visitor_id, file);
        let shown = Shown::new(message, &self.visitor_id, url);
        wire.queue(&ServerFrame::Message(Box::new(shown))).await
    }

    fn within_window(&mut self) -> bool {
        let (began, frames) = &mut self.window;
        if began.elapsed() >= WINDOW {
            *began = Instant::now();
            *frames = 0;
        }
        *frames += 1;
        *frames <= FRAMES_PER_WINDOW_MAX
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.endpoint.leaves(&self.visitor_id);
    }
}

fn client_id(frame: ClientFrame) -> Option<String> {
    match frame {
        ClientFrame::Message(Written { client_id, .. })
        | ClientFrame::React { client_id, .. }
        | ClientFrame::Rating(Rated { client_id, .. })
        | ClientFrame::Callback { client_id, .. } => Some(client_id),
        ClientFrame::Hello(_)
        | ClientFrame::Typing { .. }
        | ClientFrame::Delivered { .. }
        | ClientFrame::Read { .. }
        | ClientFrame::Identify { .. }
        | ClientFrame::Profile(_)
        | ClientFrame::Ping {} => None,
    }
}
