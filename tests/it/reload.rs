//! Another configuration while the gateway runs: taken whole or not at all, and
//! nobody is disturbed whom it does not concern.

use domain::operator::Role;
use e2e::gateway::{PASSWORD, line};
use e2e::operator::Bearer;
use e2e::real::{Life, Server};
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, http, soon};
use engine::reload::Difference;
use http::request;
use proto::channels::v1 as channels;
use proto::channels::v1::channel_bridge_client::ChannelBridgeClient;
use proto::inbox::v1 as pb;
use proto::inbox::v1::Folder;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;

const SALES: &str = "[[queue]]\nid = \"sales\"\n";
const SHOP: &str = "[[line]]\nid = \"shop\"\nchannel = \"webchat\"\nqueue = \"sales\"\n";

/// A gateway as a process, and its configuration so far.
struct Running {
    server: Server,
    config: String,
    boss: OperatorClient,
    _folder: TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
        let config = std::fs::read_to_string(&server.config).unwrap();
        let config = config.replace("level = \"warn\"", "level = \"info\"");
        std::fs::write(&server.config, &config).unwrap();
        let Life::Ready(_, Some(token)) = server.start(&[]).await else {
            panic!("{}", server.said());
        };
        let first = json!({"setUpToken": token, "login": "boss", "password": PASSWORD, "displayName": "Boss"});
        admin(&server, "SetUp", None, first).await;
        let login = json!({"login": "boss", "password": PASSWORD, "token": true});
        let signed_in = admin(&server, "Login", None, login).await;
        let id = signed_in["operator"]["id"].as_str().unwrap();
        let id = domain::OperatorId::new(id.parse().unwrap());
        let token = signed_in["token"].as_str().unwrap();
        let boss = OperatorClient::connect(&server.url, id, token).await;
        Self {
            server,
            config,
            boss,
            _folder: folder,
        }
    }

    /// Reloads, and answers what the log tells of it.
    async fn reload(&self, config: &str) -> String {
        let before = self.server.said().len();
        self.server.reload(config);
        let told = async {
            loop {
                let said = self.server.said().split_off(before);
                if said.ends_with('\n') && is_whole(&said) {
                    return said;
                }
                tokio::task::yield_now().await;
            }
        };
        soon("the log tells of the reload", told).await
    }

    /// The next queue that whoever is signed in is told of.
    async fn changed_queue(&mut self) -> pb::QueueSummary {
        self.boss
            .wait_for("a changed queue", |kind| match kind {
                Kind::QueueChanged(queue) => Some(queue),
                _ => None,
            })
            .await
    }

    async fn status(&self, path: &str) -> u16 {
        let request = request(::http::Method::GET, path, None);
        let answer = http::send(
            &self.server.url,
            request.body(http_body_util::Full::default()).unwrap(),
        )
        .await;
        answer.status.as_u16()
    }

    async fn queues(&self) -> Vec<String> {
        let method = "switchboard.routing.v1.Routing/ListQueues";
        let token = Some(self.boss.token.as_str());
        let answer = http::call(&self.server.url, method, token, &json!({})).await;
        let queues = answer.json()["queues"].as_array().unwrap().clone();
        let ids = queues.iter().map(|queue| queue["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    /// The file's name, as problems begin with it.
    fn file(&self) -> String {
        self.server.config.display().to_string()
    }
}

/// A refusal is followed by its problems, a line each.
fn is_whole(said: &str) -> bool {
    if said.contains("the configuration was reloaded") {
        return true;
    }
    let Some((_, rest)) = said.split_once("; problems: ") else {
        return false;
    };
    let mut lines = rest.lines();
    let count = lines.next().and_then(|count| count.trim().parse().ok());
    count.is_some_and(|count: usize| lines.count() >= count)
}

async fn admin(server: &Server, method: &str, token: Option<&str>, body: Value) -> Value {
    let method = format!("switchboard.admin.v1.Admin/{method}");
    http::call(&server.url, &method, token, &body).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_queues_come_change_and_go() {
    let mut gateway = Running::start().await;
    let url = gateway.server.url.clone();
    let mut site = Visitor::open(&url, "site", None, 0).await;
    site.say("c-1", "before").await;
    assert_eq!(gateway.status("/chat/shop/config").await, 404);

    let grown = format!("{}{SALES}{SHOP}", gateway.config);
    let told = gateway.reload(&grown).await;
    assert!(
        told.contains("line \"shop\" added, queue \"sales\" added\n"),
        "{told}"
    );
    let mut shop = Visitor::open(&url, "shop", None, 0).await;
    shop.say("c-1", "to the shop").await;
    gateway.boss.hears("to the shop").await;
    assert_eq!(gateway.queues().await, ["main", "sales"]);
    site.say("c-2", "after the first").await;

    // Only the line that has changed is built anew.
    let titled = format!(
        "{}{SALES}name = \"Sales\"\n{SHOP}title = \"The shop\"\n",
        gateway.config
    );
    let told = gateway.reload(&titled).await;
    assert!(
        told.contains("line \"shop\" changed, queue \"sales\" changed\n"),
        "{told}"
    );
    assert_eq!(shop.frame("bye").await["reason"], "restart");
    let (token, cursor) = shop.vanish();
    let mut shop = Visitor::open(&url, "shop", Some(&token), cursor).await;
    shop.say("c-2", "again").await;
    site.say("c-3", "after the second").await;

    // A queue is dropped when nothing is in it.
    let told = gateway.reload(&gateway.config).await;
    assert!(
        told.contains(&format!(
            "{}:1: queue \"sales\": holds conversations (1 waiting",
            gateway.file()
        )),
        "{told}"
    );
    assert_eq!(gateway.queues().await, ["main", "sales"]);
    shop.say("c-3", "still here").await;
    let waiting = gateway.boss.list(Folder::Waiting).await.conversations;
    let sold = waiting
        .iter()
        .find(|found| found.queue_id == "sales")
        .unwrap();
    let take = pb::TakeConversationRequest {
        conversation_id: sold.id.clone(),
        ..Default::default()
    };
    gateway.boss.inbox.take_conversation(take).await.unwrap();
    let told = gateway.reload(&gateway.config).await;
    assert!(
        told.contains("(0 waiting, 1 with operators, 0 put away)"),
        "{told}"
    );
    gateway.boss.finish(&sold.id).await.unwrap();
    let told = gateway.reload(&gateway.config).await;
    assert!(
        told.contains("line \"shop\" removed, queue \"sales\" removed\n"),
        "{told}"
    );
    assert_eq!(gateway.queues().await, ["main"]);
    assert_eq!(gateway.status("/chat/shop/config").await, 404);
    assert_eq!(gateway.status("/chat/site/config").await, 200);
    site.say("c-4", "after the last").await;
    let told = gateway.reload(&gateway.config).await;
    assert!(told.contains("nothing has changed\n"), "{told}");
    gateway.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_open_hear_of_changed_queues() {
    let mut gateway = Running::start().await;
    let plain = gateway.config.clone();
    gateway.reload(&format!("{plain}{SALES}")).await;
    let added = gateway.changed_queue().await;
    assert_eq!((added.id.as_str(), added.removed), ("sales", false));

    let verdicts = "name = \"Sales\"\ndispositions = [\"Sold\"]\n";
    gateway.reload(&format!("{plain}{SALES}{verdicts}")).await;
    let changed = gateway.changed_queue().await;
    assert_eq!(changed.display_name, "Sales");
    assert_eq!(changed.dispositions, ["Sold"]);

    gateway.reload(&plain).await;
    let removed = gateway.changed_queue().await;
    assert_eq!((removed.id.as_str(), removed.removed), ("sales", true));
    gateway.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_refused_whole() {
    let mut gateway = Running::start().await;
    let url = gateway.server.url.clone();
    let mut site = Visitor::open(&url, "site", None, 0).await;
    let lines = |text: &str| text.lines().count();
    let file = gateway.file();

    let good_so_far = format!("{}{SALES}{SHOP}", gateway.config);
    let wrong =
        format!("{good_so_far}[[line]]\nid = \"x\"\nchannel = \"pigeon\"\nqueue = \"nowhere\"\n");
    let told = gateway.reload(&wrong).await;
    assert!(
        told.contains("ERROR") && told.contains("the one before goes on; problems: 2\n"),
        "{told}"
    );
    for (line, problem) in [
        (3, "line \"x\".channel: \"pigeon\" is unknown"),
        (4, "line \"x\".queue: \"nowhere\" is unknown"),
    ] {
        let line = lines(&good_so_far) + line;
        assert!(
            told.contains(&format!("{file}:{line}: {problem}")),
            "{told}"
        );
    }
    assert_eq!(gateway.status("/chat/shop/config").await, 404);
    site.say("c-1", "still here").await;

    // What is read at the start alone is told by its key, and the rest waits for it.
    let restart = good_so_far
        .replace("listen = \"127.0.0.1:", "listen = \"127.0.0.2:")
        .replace("acts_per_minute_max = 1000000", "acts_per_minute_max = 7");
    let told = gateway.reload(&restart).await;
    for (line, key) in [(2, "server.listen"), (6, "limits.acts_per_minute_max")] {
        let problem = format!("{file}:{line}: {key}: has changed, which needs a restart");
        assert!(told.contains(&problem), "{told}");
    }
    assert!(told.contains("problems: 2\n"), "{told}");
    assert_eq!(gateway.status("/chat/shop/config").await, 404);

    let quiet = good_so_far.replace("level = \"info\"", "level = \"debug\"");
    let told = gateway.reload(&quiet).await;
    assert!(
        told.contains("queue \"sales\" added, log level \"debug\"\n"),
        "{told}"
    );
    site.say("c-2", "and on").await;
    drop(site);
    soon("the log tells more", async {
        while !gateway.server.said().contains("DEBUG") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gateway.server.stop().await;
}

/// Answers that a bridge's program is handed.
async fn handed(bridge: &Bridge, url: &str) -> tonic::Streaming<channels::ConnectResponse> {
    let channel = Endpoint::from_shared(url.to_owned())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let signed = InterceptedService::new(channel, Bearer(bridge.token.clone()));
    let hello = channels::ConnectRequest {
        frame: Some(channels::connect_request::Frame::Hello(
            channels::ConnectHello {
                line_id: "bridge".to_owned(),
            },
        )),
    };
    let frames = futures::StreamExt::chain(tokio_stream::once(hello), futures::stream::pending());
    let answer = ChannelBridgeClient::new(signed).connect(frames).await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_line_keeps_what_it_owes() {
    let gateway = TestGateway::start().await;
    let engine = gateway.engine();
    let mut anna = gateway.ready_operator("anna").await;
    let mut boss = gateway.person("boss", Role::Admin, &["main"]).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut served = handed(&bridge, &gateway.url()).await;
    bridge.says("client", "1", "hello").await;
    let conversation = anna.accept().await;

    let without = engine::Settings {
        lines: engine
            .settings()
            .lines
            .iter()
            .filter(|line| line.id.as_str() != "bridge")
            .cloned()
            .collect(),
        ..engine::Settings::clone(&engine.settings())
    };
    anna.say(&conversation.id, "a-1", "never received")
        .await
        .unwrap();
    soon("the first answer", served.message()).await.unwrap();
    let changes = engine.reload(without).await.unwrap();
    assert_eq!(changes.lines.removed, ["bridge".into()]);
    assert_eq!(changes.unsent, [("bridge".into(), 1)]);
    let cut = soon("the program is told", served.message())
        .await
        .unwrap_err();
    assert_eq!(cut.code(), tonic::Code::Unavailable);
    let refused = bridge
        .push(e2e::bridge::message("client", "2", "more"))
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::NotFound);
    let refused = anna.say(&conversation.id, "a-2", "more").await;
    assert!(
        refused
            .unwrap_err()
            .message()
            .contains("not connected any more")
    );

    // Back again: what it owed goes out.
    let mut with = engine::Settings::clone(&engine.settings());
    with.lines
        .push(line("bridge", "bridge", "other", &gateway.url()));
    let changes = engine.reload(with).await.unwrap();
    assert_eq!(
        changes.lines,
        Difference {
            added: vec!["bridge".into()],
            ..Difference::default()
        }
    );
    let mut served = handed(&bridge, &gateway.url()).await;
    let owed = soon("what it owed", served.message())
        .await
        .unwrap()
        .unwrap();
    assert!(format!("{owed:?}").contains("never received"), "{owed:?}");
    bridge.says("another", "1", "to the other queue").await;
    let opened = boss.hears("to the other queue").await;
    let waiting = boss.list(Folder::Waiting).await.conversations;
    let opened = waiting
        .iter()
        .find(|found| found.id == opened.conversation_id)
        .unwrap();
    assert_eq!(opened.queue_id, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_line_is_processed_when_it_comes() {
    let mut gateway =
        TestGateway::start_with(|settings| settings.limits.journal_pending_max = 2).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut boss = gateway.person("boss", Role::Admin, &["main"]).await;
    bridge.says("client", "1", "hello").await;
    boss.hears("hello").await;
    let path = gateway.store_path();
    gateway.stop().await;
    // As if another configuration had had more lines.
    let store = rusqlite::Connection::open(&path).unwrap();
    for number in 2..6 {
        let waits = "insert into journal (seq, line, event_key, received_at, raw)
             select 100000 + ?1, 'late', ?1, received_at,
                    cast(replace(replace(cast(raw as text), 'bridge', 'late'),
                                 'client:1', 'client:' || ?1) as blob)
             from journal where line = 'bridge'";
        store.execute(waits, [number]).unwrap();
    }
    drop(store);
    gateway.restart().await;

    let mut boss = gateway.sign_in("boss").await;
    let engine = gateway.engine();
    let mut with = engine::Settings::clone(&engine.settings());
    with.lines
        .push(line("late", "bridge", "main", &gateway.url()));
    engine.reload(with).await.unwrap();
    for _ in 2..6 {
        boss.hears("hello").await;
    }
    // They were counted on and off again.
    let bridge = bridge.again(&gateway).await;
    for number in 2..6 {
        bridge.says("client", &number.to_string(), "and more").await;
        boss.hears("and more").await;
    }
}
