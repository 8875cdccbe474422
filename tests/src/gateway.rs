//! A whole gateway in this process, on a port and a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use channels::LineSetup;
use domain::Timestamp;
use domain::operator::{Membership, Role};
use domain::routing::{QueueRules, RoutingRules};
use engine::people::NewOperator;
use engine::settings::{ContactsEndpoint, Limits, Line, Queue};
use engine::{Engine, Settings, StartError};
use store::OpenError;
use tempfile::TempDir;
use tokio::net::TcpListener;
use web::Gateway;
use web::listen::Options;

use crate::{OperatorClient, Visitor, soon};

/// Every password in the scenarios.
pub const PASSWORD: &str = "correct horse battery";

/// A running gateway.
pub struct TestGateway {
    folder: Arc<TempDir>,
    change: Change,
    options: Options,
    gateway: Option<Gateway>,
    clock: TestClock,
}

type Change = Arc<dyn Fn(&mut Settings) + Send + Sync>;

/// The wall clock, moved on by hand where a scenario needs it.
#[derive(Clone, Debug, Default)]
pub struct TestClock {
    ahead_ms: Arc<AtomicI64>,
}

impl TestClock {
    /// Lets so much time pass at once.
    pub fn advance(&self, by_ms: i64) {
        self.ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        Timestamp(engine::clock::now().0 + self.ahead_ms.load(Ordering::SeqCst))
    }
}

impl TestGateway {
    /// Starts with the lines `site` (webchat), `form` and `bridge`, and the queues
    /// `main` (all of them) and `other`.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As [`Self::start`], with a change to the settings.
    pub async fn start_with(change: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
        Self::start_as(Options::default(), change).await
    }

    /// As [`Self::start_with`], taking connections in another way.
    pub async fn start_as(
        options: Options,
        change: impl Fn(&mut Settings) + Send + Sync + 'static,
    ) -> Self {
        // RUST_LOG shows what a scenario's gateway says; a second call is refused.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let mut this = Self {
            folder: Arc::new(TempDir::new().unwrap()),
            change: Arc::new(change),
            options,
            gateway: None,
            clock: TestClock::default(),
        };
        this.boot().await;
        this
    }

    async fn boot(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = settings(self.folder.path(), &url);
        (self.change)(&mut settings);
        let engine = soon("the store is let go", self.take_store(settings)).await;
        let options = self.options.clone();
        let gateway = Gateway::start(engine, listener, options, None).unwrap();
        // By no chance, so that a scenario goes the same way each time.
        web::webhooks::deliver(gateway.engine(), Arc::new(|| 0)).unwrap();
        self.gateway = Some(gateway);
    }

    /// A process that ends lets go of its store at once; here the last tasks of
    /// the gateway before may still hold it for a moment.
    async fn take_store(&self, settings: Settings) -> Engine {
        loop {
            let clock = self.clock.clone();
            let started = Engine::start(settings.clone(), Arc::new(move || clock.now()));
            match started.await {
                Ok(engine) => return engine,
                Err(StartError::Store(OpenError::InUse(_))) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Stops as by SIGTERM, and starts again on the same store.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.boot().await;
    }

    /// Stops as by SIGTERM.
    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
    }

    fn running(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.running().engine()
    }

    /// The clock.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Lets so much time pass at once, and what waited for it happen.
    pub fn passes(&self, by_ms: i64) {
        self.clock.advance(by_ms);
        self.engine().look_again();
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.running().address())
    }

    /// The store's file.
    pub fn store_path(&self) -> PathBuf {
        self.engine().settings().store_path.clone()
    }

    /// Makes an operator of some queues, and signs them in.
    pub async fn person(&self, login: &str, role: Role, queues: &[&str]) -> OperatorClient {
        let memberships = queues
            .iter()
            .map(|queue| Membership {
                queue: (*queue).into(),
                rank: 0,
                position: 0,
            })
            .collect();
        let new = NewOperator {
            login: login.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: login.to_owned(),
            role,
            memberships,
            skills: domain::routing::Skills::default(),
            capacity: 0,
            auto_accept: false,
        };
        self.engine().add_operator(None, "", new).await.unwrap();
        self.sign_in(login).await
    }

    /// Makes an operator of the queue `main`, signs them in and makes them Ready.
    pub async fn ready_operator(&self, login: &str) -> OperatorClient {
        let mut operator = self.person(login, Role::Operator, &["main"]).await;
        operator.ready().await;
        operator
    }

    /// Signs in somebody who was made before.
    pub async fn sign_in(&self, login: &str) -> OperatorClient {
        let signed_in = self
            .engine()
            .sign_in(login, PASSWORD.to_owned(), "test")
            .await
            .unwrap();
        OperatorClient::connect(&self.url(), signed_in.operator.id, &signed_in.token).await
    }

    /// A new visitor of the line `site`, with the chat open.
    pub async fn visitor(&self) -> Visitor {
        Visitor::open(&self.url(), "site", None, 0).await
    }
}

/// The settings of a scenario.
pub fn settings(folder: &Path, url: &str) -> Settings {
    let queues = ["main", "other"];
    let rules = queues.map(|queue| (queue.into(), QueueRules::new(queue.into())));
    Settings {
        store_path: folder.join("switchboard.db"),
        files_path: folder.join("files"),
        public_url: url.to_owned(),
        contacts: ContactsEndpoint::BuiltIn,
        lines: vec![
            line("site", "webchat", "main", url),
            line("form", "form", "main", url),
            line("bridge", "bridge", "main", url),
        ],
        queues: queues
            .iter()
            .map(|queue| Queue {
                id: (*queue).into(),
                display_name: (*queue).to_owned(),
                ask_rating: true,
            })
            .collect(),
        rules: RoutingRules {
            queues: rules.into_iter().collect(),
            ..RoutingRules::default()
        },
        limits: Limits {
            // The scenarios come from one address.
            acts_per_minute_max: 1_000_000,
            disk_free_bytes_min: 0,
            ..Limits::default()
        },
        webhooks: Vec::new(),
    }
}

/// A line of a kind with nothing configured but what it needs.
pub fn line(id: &str, kind: &str, queue: &str, url: &str) -> Line {
    line_with(id, kind, queue, url, toml::Table::new())
}

/// The same with options of its own.
pub fn line_with(id: &str, kind: &str, queue: &str, url: &str, options: toml::Table) -> Line {
    let kind = channels::registry::find(kind).unwrap();
    let setup = LineSetup {
        id: id.into(),
        display_name: id.to_owned(),
        default_region: "RU".to_owned(),
        public_url: url.to_owned(),
        options,
    };
    Line {
        id: id.into(),
        display_name: id.to_owned(),
        kind,
        queue: queue.into(),
        default_region: "RU".to_owned(),
        hours: None,
        channel: (kind.build)(&setup).unwrap(),
    }
}
