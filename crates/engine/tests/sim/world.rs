//! A gateway and everybody around it, through all its lives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use channels::host::{Accepted, Host};
use domain::{MessageId, Millis, OperatorId, Timestamp};
use engine::{ActError, Settings};
use futures::future::join_all;
use tempfile::TempDir;

use crate::acts::{Act, Client, Letter, Outcome};
use crate::dice::Dice;
use crate::known::Known;
use crate::life::{Life, cut_short};
use crate::office::{self, BEGINNING};
use crate::provider::Provider;

/// Acts that are remembered, to be done again.
const BEFORE_MAX: usize = 16;

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) settings: Settings,
    pub(crate) provider: Arc<Provider>,
    /// The time, while nothing runs.
    pub(crate) now: Timestamp,
    pub(crate) known: Known,
    pub(crate) people: Vec<OperatorId>,
    pub(crate) clients: Vec<Client>,
    pub(crate) letters: Vec<Letter>,
    /// What was acknowledged of answers, by the ids of their writers.
    pub(crate) answers: BTreeMap<String, MessageId>,
    /// What was done, or was being done when the gateway died.
    pub(crate) before: Vec<Act>,
    pub(crate) violations: Vec<String>,
    /// Tells everything that happens.
    pub(crate) tells: bool,
    pub(crate) ids: u64,
    _folder: TempDir,
}

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another one.
    GoOn,
    /// The gateway dies, in the middle of something.
    Die,
    /// It is stopped, and started again.
    Stop,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        // In memory, where a file can be.
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        let folder = folder.expect("a folder");
        let mut dice = Dice::new(seed);
        let provider = Arc::new(Provider::new(dice.next()));
        let settings = office::settings(folder.path(), &mut dice, &provider);
        std::fs::write(&settings.store_path, office::template()).expect("there is room");
        Self {
            now: BEGINNING + dice.between(0, 600_000),
            dice,
            settings,
            provider,
            known: Known::default(),
            people: Vec::new(),
            clients: Vec::new(),
            letters: Vec::new(),
            answers: BTreeMap::new(),
            before: Vec::new(),
            violations: Vec::new(),
            tells: false,
            ids: 0,
            _folder: folder,
        }
    }

    /// Everything that happens in so many steps, and then the end, in which everybody is
    /// served.
    pub(crate) fn go(&mut self, steps: u64) {
        let mut left = steps;
        let mut drained = false;
        while !drained && self.violations.is_empty() {
            // How often others have their turn is the dice's, too.
            let turns = self.dice.pick(&[1, 3, 61]).expect("choices");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .event_interval(turns)
                .build()
                .expect("a runtime");
            drained = runtime.block_on(self.live(&mut left));
            // Whatever runs dies with it.
            drop(runtime);
        }
    }

    /// One life of the gateway; true when it was the last.
    async fn live(&mut self, left: &mut u64) -> bool {
        let starting = Life::begin(self.settings.clone(), self.now, self.known.cursor);
        let turns = if self.dice.one_in(6) && *left > 0 {
            self.dice.below(120)
        } else {
            u64::MAX
        };
        let mut life = match cut_short(turns, starting).await {
            Some(Ok(life)) => life,
            Some(Err(error)) => {
                self.violations.push(format!("it does not start: {error}"));
                return true;
            }
            None => {
                self.note(|_| format!("dies at the start, after {turns} turns"));
                self.known.figures.crashes += 1;
                return false;
            }
        };
        self.note(|world| format!("starts at {}", world.now));
        self.everybody_comes_back(&mut life).await;
        while *left > 0 {
            *left -= 1;
            self.known.figures.steps += 1;
            let next = self.step(&mut life).await;
            if !self.violations.is_empty() {
                let when = format!("{left} steps before the end, at {}", life.engine.now());
                self.violations.push(when);
                return true;
            }
            self.now = life.engine.now();
            match next {
                Next::GoOn => {}
                Next::Die => {
                    self.known.figures.crashes += 1;
                    self.now = self.now + self.dice.between(0, 20_000);
                    return false;
                }
                Next::Stop => {
                    self.known.figures.stops += 1;
                    life.feeds.clear();
                    life.engine.stop().await;
                    self.now = life.engine.now() + self.dice.between(0, 20_000);
                    return false;
                }
            }
        }
        self.drain(&mut life).await;
        true
    }

    /// Pages find the gateway again, and so do programs: some soon, some never.
    async fn everybody_comes_back(&mut self, life: &mut Life) {
        life.rest().await;
        self.read_on(life).await;
        if self.people.is_empty() {
            self.people = self.known.operators.keys().copied().collect();
            for (number, whom) in self.people.clone().into_iter().enumerate() {
                let id = self.fresh_id();
                let hired = crate::acts::rehire(&mut self.dice, number, whom, id);
                self.perform(life, vec![hired]).await;
            }
        }
        for client in &mut self.clients {
            client.since = life.engine.now();
            client.present &= !self.dice.one_in(8);
            client.left_waiting = None;
            if client.present {
                let key = &client.key;
                life.engine.client_present(&client.line, key, true);
            } else {
                client.left_waiting = self.known.waits(&client.key);
            }
        }
        for whom in self.people.clone() {
            if !self.dice.one_in(5) {
                life.open_feed(whom);
            }
        }
        life.rest().await;
        self.check(life).await;
    }

    async fn step(&mut self, life: &mut Life) -> Next {
        match self.dice.below(100) {
            0..=79 => {
                let several = if self.dice.one_in(4) {
                    2 + self.dice.below(3)
                } else {
                    1
                };
                let acts = (0..several).filter_map(|_| self.next_act(life)).collect();
                self.perform(life, acts).await;
            }
            80..=83 => return self.die_in_the_middle(life).await,
            84 => return Next::Stop,
            85..=87 => {
                let span = self.dice.between(1, 90_000);
                self.note(|_| format!("stands still for {} ms", span.0));
                life.stand_still(span).await;
            }
            88..=90 => {
                let span = u64::try_from(self.dice.between(1, 4_000).0).expect("it is small");
                self.note(|_| format!("{span} ms pass"));
                tokio::time::sleep(Duration::from_millis(span)).await;
            }
            _ => {
                let span = self.dice.between(1_000, 60_000);
                self.wait(life, span).await;
            }
        }
        if self.dice.one_in(2) {
            let moment = self.dice.between(1, 3_000);
            self.wait(life, moment).await;
        }
        life.rest().await;
        self.check(life).await;
        Next::GoOn
    }

    pub(crate) async fn wait(&mut self, life: &Life, span: Millis) {
        self.note(|_| format!("{} ms pass", span.0));
        if let Err(error) = life.pass(span).await {
            self.violations.push(format!("the store: {error}"));
        }
    }

    /// Several things are done, and the gateway dies before all of them are.
    async fn die_in_the_middle(&mut self, life: &mut Life) -> Next {
        let several = 1 + self.dice.below(4);
        let acts: Vec<Act> = (0..several).filter_map(|_| self.next_act(life)).collect();
        let turns = self.dice.below(60);
        self.note(|_| format!("dies after {turns} turns of what follows"));
        for act in &acts {
            self.note(|_| act.name.clone());
        }
        self.remember(&acts);
        let running = join_all(acts.iter().map(|act| (act.run)(life.engine.clone())));
        // What was told is kept in mind; what was done and not told is found out.
        if let Some(outcomes) = cut_short(turns, running).await {
            self.learn(outcomes);
        }
        Next::Die
    }

    /// Does things, at once if there are several, and waits until they are done.
    pub(crate) async fn perform(&mut self, life: &Life, acts: Vec<Act>) {
        for act in &acts {
            self.note(|_| act.name.clone());
        }
        self.remember(&acts);
        let running = acts.iter().map(|act| (act.run)(life.engine.clone()));
        let outcomes = join_all(running).await;
        self.learn(outcomes);
    }

    fn remember(&mut self, acts: &[Act]) {
        self.before.extend_from_slice(acts);
        let excess = self.before.len().saturating_sub(BEFORE_MAX);
        self.before.drain(..excess);
    }

    fn learn(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Letter(number, Ok(accepted)) => {
                    let letter = &mut self.letters[number];
                    if letter.taken && accepted == Accepted::New {
                        let what = format!("R2: {} was taken twice", letter.id);
                        self.violations.push(what);
                    }
                    letter.taken = true;
                }
                Outcome::Letter(number, Err(refused)) => {
                    let id = &self.letters[number].id;
                    self.violations.push(format!("{id} was refused: {refused}"));
                }
                Outcome::Answer(id, Ok(message)) => {
                    self.known.figures.answers += 1;
                    let first = *self.answers.entry(id.clone()).or_insert(message.id);
                    if first != message.id {
                        let what = format!("R6: {id} is {first} and {}", message.id);
                        self.violations.push(what);
                    }
                }
                Outcome::Answer(_, Err(error)) | Outcome::Done(Err(error)) => self.failed(error),
                Outcome::Done(Ok(())) => {}
            }
        }
    }

    fn failed(&mut self, error: ActError) {
        self.known.figures.refused += 1;
        self.note(|_| format!("  {error}"));
        if let ActError::Store(error) = error {
            self.violations.push(format!("the store: {error}"));
        }
    }

    pub(crate) fn note(&self, what: impl FnOnce(&Self) -> String) {
        if self.tells {
            eprintln!("{}", what(self));
        }
    }

    /// Everybody who is not there, by number.
    pub(crate) fn absent(&self) -> BTreeSet<usize> {
        let clients = self.clients.iter().enumerate();
        clients
            .filter(|(_, client)| !client.present)
            .map(|(index, _)| index)
            .collect()
    }
}
