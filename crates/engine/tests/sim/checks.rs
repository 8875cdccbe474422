//! What must hold whenever nothing is under way.

use std::time::Duration;

use domain::conversation::{Conversation, State};
use domain::event::Cursor;
use domain::message::Medium;
use domain::operator::{GRACE, Link, Operator, Presence};
use domain::proof::Standing;
use domain::{ConversationId, Millis, Timestamp};
use engine::Step;
use store::{StoreError, View};

use crate::life::Life;
use crate::world::World;

/// So much later than it should be something may be seen to.
const SLACK: Millis = Millis(1_500);
/// So long the feed may take.
const LONGEST_NEWS: Duration = Duration::from_secs(5);
/// A page that is closed for so long is closed.
const PATIENCE: Millis = Millis::from_secs(5);
/// The same after a start.
const PATIENCE_AT_START: Millis = Millis::from_secs(15);

/// What stands in the rows.
struct Rows {
    last: Cursor,
    operators: Vec<Operator>,
    open: Vec<Option<Conversation>>,
    broken: Vec<(&'static str, i64)>,
    in_two_places: i64,
    journal: (i64, i64),
    deadlines: [Option<Timestamp>; 3],
}

fn rows(view: &View<'_>, open: &[ConversationId]) -> Result<Rows, StoreError> {
    let open = open.iter().map(|id| view.conversation(*id));
    Ok(Rows {
        last: view.last_cursor()?,
        operators: view.all_operators()?,
        open: open.collect::<Result<_, _>>()?,
        broken: view.violations()?,
        in_two_places: view.in_two_places()?,
        journal: view.journal_counts()?,
        deadlines: [
            view.next_conversation_deadline()?,
            view.next_operator_deadline()?,
            view.next_obligation_deadline()?,
        ],
    })
}

impl World {
    /// Reads what the feed tells.
    pub(crate) async fn read_on(&mut self, life: &mut Life) {
        let last = life.engine.read::<_, StoreError>(|view| view.last_cursor());
        let last = match last.await {
            Ok(last) => last,
            Err(error) => return self.violations.push(format!("the store: {error}")),
        };
        while life.reader.cursor() < last {
            let Ok(step) = tokio::time::timeout(LONGEST_NEWS, life.reader.next()).await else {
                let (known, what) = (life.reader.cursor(), "is not told");
                return self
                    .violations
                    .push(format!("R15: {last:?} {what} after {known:?}"));
            };
            match step {
                Ok(Step::Events(events)) => {
                    for event in events {
                        let found = self.known.see(event.event(), &self.settings.rules);
                        self.violations.extend(found);
                    }
                }
                Ok(Step::Reset(cursor)) => {
                    let what = format!("R15: the feed begins anew at {cursor:?}");
                    return self.violations.push(what);
                }
                Err(error) => return self.violations.push(format!("the feed: {error}")),
            }
        }
        let counts = self.known.witness.take_counts();
        self.known.figures.judged += counts.offers;
        self.known.figures.not_judged += counts.not_judged;
    }

    pub(crate) async fn check(&mut self, life: &mut Life) {
        let rows = match self.up_to_date(life).await {
            Ok(rows) => rows,
            Err(error) => return self.violations.push(format!("the store: {error}")),
        };
        let floors = match life.engine.floors().await {
            Ok(floors) => floors,
            Err(error) => return self.violations.push(format!("the store: {error}")),
        };
        let now = life.engine.now();
        let mut found = Vec::new();
        if floors.0 != floors.1 {
            found.push("the floor is not what stands in the rows".to_owned());
        }
        self.of_rows(&rows, now, &mut found);
        let left = self.known.witness.look(now, &self.settings.rules);
        found.extend(left.iter().map(|left| format!("witness: {left:?}")));
        for operator in self.known.operators.values() {
            self.of_operator(life, operator, now, &mut found);
        }
        for conversation in self.known.open.values() {
            self.of_conversation(conversation, now, &mut found);
        }
        self.of_clients(now, &mut found);
        self.violations.extend(found);
    }

    /// The rows, and everything known that was written before they were read.
    async fn up_to_date(&mut self, life: &mut Life) -> Result<Rows, StoreError> {
        let mut tries = 0;
        loop {
            self.read_on(life).await;
            let open: Vec<ConversationId> = self.known.open.keys().copied().collect();
            let rows = life.engine.read(move |view| rows(view, &open)).await?;
            // Something may have happened in between.
            if rows.last == self.known.cursor || tries == 3 {
                return Ok(rows);
            }
            tries += 1;
            life.rest().await;
        }
    }

    fn of_rows(&self, rows: &Rows, now: Timestamp, found: &mut Vec<String>) {
        if rows.last != self.known.cursor {
            let (last, told) = (rows.last, self.known.cursor);
            found.push(format!("the log ends at {last:?}, and {told:?} was told"));
        }
        for (rule, number) in &rows.broken {
            found.push(format!("{rule}: {number}"));
        }
        if rows.in_two_places > 0 {
            found.push(format!("{} are in two places", rows.in_two_places));
        }
        if rows.journal != (0, 0) {
            found.push(format!("journal: {:?} wait or are dead", rows.journal));
        }
        for late in rows.deadlines.iter().flatten() {
            if *late + SLACK < now {
                found.push(format!("R17: something was due at {late}, it is {now}"));
            }
        }
        for differing in self.known.witness.differing(&rows.operators) {
            found.push(format!("{differing} is not what the log says"));
        }
        for (row, told) in rows.open.iter().zip(self.known.open.values()) {
            if row.as_ref() != Some(told) {
                found.push(format!("the log says {told:?}, the row {row:?}"));
            }
        }
        let standing = self.known.open.values();
        let standing = standing.filter_map(|told| Some((told.id, Standing::of(told)?)));
        let witnessed = self.known.witness.sample(None, usize::MAX);
        if !witnessed.eq(standing
            .collect::<Vec<_>>()
            .iter()
            .map(|(id, it)| (*id, it)))
        {
            found.push("the witness has seen something else".to_owned());
        }
    }

    fn of_operator(&self, life: &Life, it: &Operator, now: Timestamp, found: &mut Vec<String>) {
        let id = it.id;
        let asked = self
            .known
            .offers
            .values()
            .find(|offer| offer.operator == id);
        let takes_offers = it.presence == Presence::Ready
            && it.link != Link::Down
            && !it.not_responding
            && !it.disabled;
        if let Some(offer) = asked
            && !takes_offers
        {
            found.push(format!("T14: {} stays with {it:?}", offer.id));
        }
        if let Some((_, since)) = life.feeds.get(&id) {
            if it.link != Link::Up && *since + SLACK < now {
                found.push(format!(
                    "{id} has a page open since {since} and is {:?}",
                    it.link
                ));
            }
            return;
        }
        let gone_at = match life.left.get(&id) {
            Some(left) => *left + PATIENCE,
            None => life.began + PATIENCE_AT_START,
        };
        if it.link == Link::Up && gone_at + SLACK < now {
            found.push(format!(
                "{id} has had no page since {gone_at} and is connected"
            ));
        }
    }

    fn of_conversation(&self, it: &Conversation, now: Timestamp, found: &mut Vec<String>) {
        if let State::Active { operator, since } = it.state
            && it.medium.is_live()
            && let Some(down) = self.known.down.get(&operator)
            && since.max(*down) + GRACE + SLACK < now
        {
            found.push(format!("T2: {operator} is lost and has {}", it.id));
        }
    }

    /// Who left has given up, and who is there has not.
    fn of_clients(&mut self, now: Timestamp, found: &mut Vec<String>) {
        for client in &mut self.clients {
            let mut open = self.known.open.values();
            let theirs = open.find(|it| it.client.display_name == client.key);
            let Some(it) = theirs.filter(|it| it.medium == Medium::Chat) else {
                client.left_waiting = None;
                continue;
            };
            if !it.waits() || it.callback.is_some() {
                client.left_waiting = None;
            }
            let is_left = client.left_waiting == Some(it.id) && it.away.is_none();
            if is_left && client.since + SLACK < now {
                found.push(format!("{} left at {} and waits", client.key, client.since));
            }
            let gave_up = matches!(it.state, State::Abandoned { .. });
            if client.present && gave_up && client.since + SLACK < now {
                found.push(format!("{} is there and has given up", client.key));
            }
        }
    }
}
