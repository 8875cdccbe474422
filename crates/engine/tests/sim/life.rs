//! One run of the gateway, from its start until it is stopped or dies.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use domain::event::Cursor;
use domain::{Millis, OperatorId, Timestamp};
use engine::{Attending, Clock, Engine, Reader, Settings, StartError};
use store::{Durability, Options, StoreError};
use tokio::time::Instant;

pub(crate) struct Life {
    pub(crate) engine: Engine,
    pub(crate) began: Timestamp,
    pub(crate) reader: Reader,
    /// Who has a page open, and since when.
    pub(crate) feeds: BTreeMap<OperatorId, (Attending, Timestamp)>,
    /// When somebody's last page was closed.
    pub(crate) left: BTreeMap<OperatorId, Timestamp>,
}

impl Life {
    /// Starts the gateway at a moment. Time passes as the runtime's own.
    pub(crate) async fn begin(
        settings: Settings,
        at: Timestamp,
        cursor: Cursor,
    ) -> Result<Self, StartError> {
        let begin = Instant::now();
        let clock: Clock = Arc::new(move || {
            let passed = Instant::now().saturating_duration_since(begin);
            at + Millis(i64::try_from(passed.as_millis()).expect("it is small"))
        });
        let options = Options {
            on_one_thread: true,
            ..Durability::Normal.into()
        };
        let engine = Engine::start_with(settings, clock, options).await?;
        Ok(Self {
            began: engine.now(),
            reader: engine.read_feed(Some(cursor)),
            engine,
            feeds: BTreeMap::new(),
            left: BTreeMap::new(),
        })
    }

    /// Waits until everybody has done what there is to do now.
    pub(crate) async fn rest(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Lets so much time pass at once, as it does for a machine that is suspended.
    pub(crate) async fn stand_still(&self, span: Millis) {
        let span = u64::try_from(span.0).expect("time goes forward");
        tokio::time::advance(Duration::from_millis(span)).await;
        self.rest().await;
    }

    /// Lets so much time pass from one deadline to the next. In between nothing happens
    /// but looks around, which are left out.
    pub(crate) async fn pass(&self, span: Millis) -> Result<(), StoreError> {
        let end = self.engine.now() + span;
        loop {
            let now = self.engine.now();
            let due = self.next_deadline().await?;
            // What is overdue is nothing to wait for.
            let next = due.filter(|due| *due > now).map_or(end, |due| due.min(end));
            self.stand_still(next.since(now)).await;
            if self.engine.now() >= end {
                return Ok(());
            }
        }
    }

    pub(crate) async fn next_deadline(&self) -> Result<Option<Timestamp>, StoreError> {
        let deadlines = self.engine.read::<_, StoreError>(|view| {
            Ok([
                view.next_conversation_deadline()?,
                view.next_operator_deadline()?,
                view.next_obligation_deadline()?,
            ])
        });
        Ok(deadlines.await?.into_iter().flatten().min())
    }

    pub(crate) fn open_feed(&mut self, operator: OperatorId) {
        let now = self.engine.now();
        let opened = self.engine.attend(operator);
        self.feeds.entry(operator).or_insert((opened, now));
    }

    pub(crate) fn close_feed(&mut self, operator: OperatorId) {
        if self.feeds.remove(&operator).is_some() {
            self.left.insert(operator, self.engine.now());
        }
    }
}

/// Goes on with something for so many turns at most; none when it was cut off in the
/// middle.
pub(crate) async fn cut_short<T>(turns: u64, what: impl Future<Output = T>) -> Option<T> {
    let mut what = pin!(what);
    let mut left = turns;
    poll_fn(|context| match what.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}
