//! The async shell: takes events in, finds the contact, lets the domain decide,
//! hands answers over, and tells everybody who listens. No business rule stands
//! here; the domain has them.

pub mod act;
mod asked;
mod attendance;
mod callback;
mod change;
pub mod clock;
pub mod contacts;
mod disk;
mod feed;
pub mod files;
mod held;
mod host;
mod hub;
mod intake;
pub mod limits;
mod metering;
mod new_rules;
mod notices;
pub mod obligations;
mod opening;
mod outbox;
pub mod people;
mod process;
mod proof;
mod rating;
mod reason;
pub mod reload;
mod rights;
mod routing;
pub mod serving;
pub mod settings;
mod signs;
mod standing;
mod supervise;
mod templates;
mod timers;
pub mod uploads;
pub mod webhooks;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use channels::Host;
use domain::{LineId, Timestamp};
use store::{Hooks, OpenError, Signals, Store, StoreError};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use act::{ActError, Actor, Scope};
pub use feed::{Feed, Form, Reader, Step, Told};
pub use hub::Typing;
pub use proof::Proof;
pub use reason::Reason;
pub use settings::{Line, Settings};

pub use attendance::Attending;

use attendance::Attendance;
use clock::Ahead;
use contacts::Directory;
use disk::Disk;
use files::Files;
use hub::Hub;
use limits::ClientLimits;
use rights::Rights;
use serving::Serving;

/// The clock that everything is told the time by.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store opened but does not read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The folder of files.
    #[error("the folder for files cannot be used: {0}")]
    Files(#[from] std::io::Error),
    /// The contact directory's address.
    #[error("[contacts] endpoint: {0}")]
    Contacts(String),
}

/// A running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    serving: Arc<watch::Sender<Arc<Serving>>>,
    store: Arc<Store>,
    files: Files,
    directory: Directory,
    feed: Arc<Feed>,
    rights: Arc<Rights>,
    hub: Arc<Hub>,
    limits: ClientLimits,
    /// One large entry in memory at a time.
    large: Arc<tokio::sync::Semaphore>,
    signs: Arc<signs::Signs>,
    templates: templates::Templates,
    disk: Disk,
    clock: Ahead,
    wakes: Arc<Wakes>,
    pending: Arc<AtomicUsize>,
    /// Where what was journalled goes to be processed.
    entries: process::Entrance,
    /// Journal entries that wait for their line.
    held: Mutex<held::Held>,
    catching_up: tokio::sync::Mutex<()>,
    link_key: [u8; 32],
    local_secret: String,
    last_inbound: Mutex<BTreeMap<LineId, Timestamp>>,
    attendance: Arc<Attendance>,
    present: standing::Present,
    refusals: outbox::Refusals,
    /// Where it is written who of the clients came and went.
    comings: mpsc::Sender<standing::Coming>,
    failures: people::Failures,
    runners: webhooks::Runners,
    /// One look at a time.
    prover: tokio::sync::Mutex<proof::Prover>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What a commit wakes.
struct Wakes {
    outbox: Notify,
    timers: Notify,
    directory: broadcast::Sender<()>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            outbox: Notify::new(),
            timers: Notify::new(),
            directory: broadcast::Sender::new(1),
        }
    }
}

async fn enrol(store: &Store, told: Vec<webhooks::Webhook>) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    store
        .write::<_, StoreError>(move |tx| webhooks::enrol(tx, &told))
        .await
}

impl Engine {
    /// Opens the store, takes up what was left unfinished, and connects the lines.
    pub async fn start(settings: Settings, clock: Clock) -> Result<Self, StartError> {
        Self::start_with(settings, clock, store::Options::default()).await
    }

    /// As [`Self::start`], with a say in how the store is opened.
    pub async fn start_with(
        settings: Settings,
        clock: Clock,
        opened: store::Options,
    ) -> Result<Self, StartError> {
        // Beside the rest of the start: the first phone number is not to wait for it.
        tokio::task::spawn_blocking(domain::identity::warm_up);
        let clock = Ahead::over(clock);
        let feed = Arc::new(Feed::new());
        let rights = Arc::new(Rights::default());
        let hub = Arc::new(Hub::new());
        let wakes = Arc::new(Wakes::default());
        // One slot for each entry that intake lets wait, so that a commit never
        // blocks on its readers.
        let (taken, entries) = process::queue(settings.limits.journal_pending_max + 1);
        let (comings, coming) = mpsc::channel(standing::COMINGS_MAX);
        let stop = CancellationToken::new();
        let serving = Serving::begin(settings.clone(), &stop);
        let serving = Arc::new(watch::Sender::new(Arc::new(serving)));
        let taking = taken.clone();
        let hooks = hooks(&serving, &clock, &feed, &rights, &hub, &wakes, taking);
        let store = Arc::new(Store::open_with(&settings.store_path, opened, hooks)?);
        let files = Files::open(&settings.files_path)?;
        files.sweep_incoming()?;
        let (newest, written_at) = store
            .read::<_, StoreError>(|view| Ok((view.last_cursor()?, view.last_written_at()?)))
            .await?;
        feed.start_at(newest);
        clock.not_before(written_at);
        let link_key = people::link_key(&store).await?;
        enrol(&store, settings.webhooks.clone()).await?;
        let directory =
            Directory::open(&settings, &store, &wakes.directory).map_err(StartError::Contacts)?;
        let engine = Self {
            inner: Arc::new(Inner {
                serving,
                store,
                files,
                directory,
                feed,
                rights,
                hub,
                limits: ClientLimits::new(settings.limits.acts_per_minute_max),
                large: Arc::new(tokio::sync::Semaphore::new(1)),
                signs: Arc::default(),
                templates: templates::Templates::default(),
                disk: Disk::default(),
                clock,
                wakes,
                pending: Arc::new(AtomicUsize::new(0)),
                entries: taken,
                held: Mutex::default(),
                catching_up: tokio::sync::Mutex::default(),
                link_key,
                local_secret: people::fresh_secret(),
                last_inbound: Mutex::default(),
                attendance: Arc::default(),
                present: standing::Present::default(),
                refusals: outbox::Refusals::default(),
                comings,
                failures: people::Failures::default(),
                runners: webhooks::Runners::default(),
                prover: tokio::sync::Mutex::default(),
                stop,
                tasks: TaskTracker::new(),
            }),
        };
        // Asking the disk takes a thread.
        if !opened.on_one_thread {
            engine.look_at_disk().await;
            engine.supervise_restarting("disk", disk::run);
        }
        engine.run(entries, coming).await?;
        Ok(engine)
    }

    async fn run(
        &self,
        mut entries: process::Queue,
        coming: mpsc::Receiver<standing::Coming>,
    ) -> Result<(), StoreError> {
        self.expect_back().await?;
        // A store that takes nothing is said by readiness, and served as far as it goes.
        if let Err(error) = self.begin_with_the_rules().await {
            tracing::error!(%error, "what waits goes by the rules of before");
        }
        if let Err(error) = self.expect_clients_back().await {
            tracing::error!(%error, "nobody is expected back");
        }
        self.supervise("comings", standing::follow(self.clone(), coming));
        self.supervise_restarting("attendance", attendance::run);
        self.supervise_restarting("standing", standing::tell);
        let left = process::left_over(self).await?;
        self.inner.pending.fetch_add(left.len(), Ordering::Relaxed);
        entries.begin_with(left);
        self.supervise("process", process::run(self.clone(), entries));
        self.supervise_restarting("outbox", outbox::run);
        self.supervise_restarting("timers", timers::run);
        self.supervise_restarting("guard", timers::guard);
        self.supervise_restarting("metering", metering::run);
        self.supervise_restarting("contacts", contacts::reconcile::run);
        self.supervise_restarting("audit", act::audit::watch);
        for served in self.serving().lines() {
            self.supervise_line(served.clone(), None);
        }
        self.tell_of_the_unconfigured().await
    }

    /// Stops taking work, finishes what is under way, and closes the store.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Looks at once for what time alone has brought, as after the clock was set forward.
    pub fn look_again(&self) {
        self.inner.wakes.outbox.notify_one();
        self.inner.wakes.timers.notify_one();
    }

    /// Cancelled when the gateway is to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stop.clone()
    }

    /// A secret with an admin's rights, for the command line on this machine; made
    /// anew at each start and kept nowhere in the store.
    pub fn local_secret(&self) -> &str {
        &self.inner.local_secret
    }

    /// The settings in use.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(self.inner.serving.borrow().settings())
    }

    /// A line by its id.
    pub fn line(&self, id: &LineId) -> Option<Arc<Line>> {
        let serving = self.inner.serving.borrow();
        serving.line(id).map(|served| Arc::clone(&served.line))
    }

    /// Lines whose deliveries come by a webhook: the line of this name, and those that
    /// share the webhook of an app.
    pub fn lines_of_hook(&self, hook: &str) -> Vec<Arc<Line>> {
        let serving = self.inner.serving.borrow();
        let of_hook = serving.lines().filter(|served| {
            let line = &served.line;
            line.id.as_str() == hook || line.channel.hook() == Some(hook)
        });
        of_hook.map(|served| Arc::clone(&served.line)).collect()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The feed of events.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.inner.feed
    }

    /// Begins to read the feed.
    pub fn read_feed(&self, cursor: Option<domain::event::Cursor>) -> Reader {
        self.inner.feed.read(&self.inner.store, cursor)
    }

    /// Who is typing, from now on.
    pub fn watch_typing(&self) -> broadcast::Receiver<Typing> {
        self.inner.hub.watch_typing()
    }

    /// The contact directory, built in or not.
    pub fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// The folder of files.
    pub fn files(&self) -> &Files {
        &self.inner.files
    }

    /// This engine, as channels see it.
    pub fn host(&self) -> Arc<dyn Host> {
        Arc::new(self.clone())
    }

    /// Why the gateway should not be given work, if there is a reason.
    pub fn unready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(damage) = self.inner.store.damage() {
            reasons.push(format!(
                "the store is damaged, restore a backup of it: {damage}"
            ));
        } else if !self.inner.store.is_healthy() {
            reasons.push("the store cannot be written".to_owned());
        }
        if self.inner.disk.is_nearly_full() {
            reasons.push("the disk is nearly full: free some space".to_owned());
        }
        if self.inner.stop.is_cancelled() {
            reasons.push("the gateway is stopping".to_owned());
        }
        reasons
    }

    /// Reads the store.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&store::View<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.store.read(query).await
    }

    fn store(&self) -> &Arc<Store> {
        &self.inner.store
    }

    fn rules(&self) -> Arc<domain::routing::RoutingRules> {
        Arc::clone(self.inner.serving.borrow().rules())
    }
}

fn hooks(
    serving: &Arc<watch::Sender<Arc<Serving>>>,
    clock: &Ahead,
    feed: &Arc<Feed>,
    rights: &Arc<Rights>,
    hub: &Arc<Hub>,
    wakes: &Arc<Wakes>,
    taken: process::Entrance,
) -> Hooks {
    let (clock, serving) = (clock.clone(), Arc::clone(serving));
    let (feed, rights) = (Arc::clone(feed), Arc::clone(rights));
    let (hub, wakes) = (Arc::clone(hub), Arc::clone(wakes));
    let measured = Arc::clone(&serving);
    Hooks {
        now: Box::new(move || clock.now()),
        settle: Box::new(move |tx| {
            let rules = Arc::clone(serving.borrow().rules());
            routing::pass(tx, &rules)
        }),
        committed: Box::new(move |signals| {
            metering::tell(&signals.counted, &measured.borrow());
            rights.follow(&signals.events);
            wake(signals, &feed, &hub, &wakes, &taken);
        }),
    }
}

fn wake(signals: Signals, feed: &Feed, hub: &Hub, wakes: &Wakes, taken: &process::Entrance) {
    for entry in signals.journal {
        if !taken.push(entry) {
            // Intake bounds what waits; this is a gateway that is stopping.
            tracing::warn!("an envelope waits for the next start");
        }
    }
    obligations::count(&signals.events);
    feed.publish(&signals.events);
    hub.grown(&signals.threads);
    hub.ended(&signals.ended);
    if signals.outbox {
        wakes.outbox.notify_one();
    }
    if signals.deadline.is_some() {
        wakes.timers.notify_one();
    }
    if signals.directory {
        // An error means that nobody watches the directory.
        let _ = wakes.directory.send(());
    }
}
