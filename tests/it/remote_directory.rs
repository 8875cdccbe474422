//! Somebody else's contact directory, which is away, late or broken for a while:
//! nothing is lost, nobody is there twice afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Millis;
use domain::operator::Role;
use e2e::real::given;
use e2e::{Bridge, OperatorClient, TestGateway, soon};
use engine::Settings;
use engine::contacts::conformance::{Verdict, check};
use engine::contacts::remote;
use engine::settings::ContactsEndpoint;
use futures::future::join_all;
use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::contacts::v1::watch_contacts_response::Change;
use proto::inbox::v1 as inbox;
use proto::inbox::v1::event::Kind;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

const TIMEOUT: Millis = Millis(200);

/// The program, while it lives.
struct Directory {
    file: PathBuf,
    listen: String,
    url: String,
    child: Child,
}

impl Directory {
    async fn start(folder: &Path) -> Self {
        let file = folder.join("directory.jsonl");
        let (child, url) = spawn("127.0.0.1:0", &file, &[]).await;
        let listen = url.trim_start_matches("http://").to_owned();
        Self {
            file,
            listen,
            url,
            child,
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port and file.
    async fn again(&mut self, mood: &[&str]) {
        self.kill();
        (self.child, self.url) = spawn(&self.listen, &self.file, mood).await;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn spawn(listen: &str, file: &Path, mood: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_contact-directory"))
        .arg(listen)
        .arg(file)
        .args(mood)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        line
    });
    let line = soon("the directory is up", line).await.unwrap();
    assert!(line.starts_with("http://"), "{line:?}");
    (child, line.trim().to_owned())
}

async fn gateway_with(directory: &Directory) -> TestGateway {
    gateway_and(directory, |_| {}).await
}

async fn gateway_and(
    directory: &Directory,
    change: impl Fn(&mut Settings) + Send + Sync + 'static,
) -> TestGateway {
    let url = directory.url.clone();
    TestGateway::start_with(move |settings| {
        change(settings);
        settings.contacts = ContactsEndpoint::Remote {
            url: url.clone(),
            token: None,
            timeout: TIMEOUT,
        };
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_conforms() {
    let folder = TempDir::new().unwrap();
    let directory = Directory::start(folder.path()).await;
    let cases = check(remote(&directory.url, None).unwrap(), |_| {}).await;
    for case in &cases {
        assert!(!matches!(case.verdict, Verdict::Fail(_)), "{case}");
    }
    let passed = cases
        .iter()
        .filter(|case| matches!(case.verdict, Verdict::Pass(_)));
    assert_eq!(passed.count(), cases.len() - 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_directory_does_not_conform() {
    let folder = TempDir::new().unwrap();
    let mut directory = Directory::start(folder.path()).await;
    directory.again(&["broken"]).await;
    let cases = check(remote(&directory.url, None).unwrap(), |_| {}).await;
    let failed = cases
        .iter()
        .filter(|case| matches!(case.verdict, Verdict::Fail(_)));
    assert!(failed.count() > 20);
    directory.kill();
    let cases = check(remote(&directory.url, None).unwrap(), |_| {}).await;
    assert_eq!(cases.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_away_for_a_while() {
    outage(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_late_for_a_while() {
    outage(Some(&["late", "1000"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_broken_for_a_while() {
    outage(Some(&["broken"])).await;
}

/// The directory comes back as from a backup of its contacts alone: its log begins
/// anew, and what happened to two of them meanwhile was never told.
fn lose_the_log(directory: &Directory, contacts: &[String]) {
    let [renamed, merged, into] = contacts else {
        panic!("{contacts:?}")
    };
    let written = std::fs::read_to_string(&directory.file).unwrap();
    let mut steps: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut last = json!({"entries": [], "changes": [], "answer": null});
    for step in &mut steps {
        step["changes"] = json!([]);
        for entry in step["entries"].as_array().unwrap() {
            let (id, mut entry) = (entry[0].as_str().unwrap(), entry.clone());
            if id == renamed {
                entry[1]["profile"]["display_name"] = json!("Renamed");
            } else if id == merged {
                entry[1]["merged_into"] = json!(into);
                entry[1]["identities"] = json!([]);
            } else {
                continue;
            }
            last["entries"].as_array_mut().unwrap().push(entry);
        }
    }
    steps.push(last);
    let lines: Vec<String> = steps.iter().map(|step| format!("{step}\n")).collect();
    std::fs::write(&directory.file, lines.concat()).unwrap();
}

/// Waits until the gateway has followed the directory to a cursor.
async fn followed_to(gateway: &TestGateway, directory: &Directory, cursor: &str) {
    let key = format!("contacts_cursor {}", directory.url);
    let follow = async {
        loop {
            let key = key.clone();
            let read = gateway.engine().read(move |view| view.meta(&key));
            let known: Result<Option<String>, store::StoreError> = read.await;
            if known.unwrap().as_deref() == Some(cursor) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(&format!("the cursor {cursor}"), follow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_lost_its_log_is_read_anew() {
    let folder = TempDir::new().unwrap();
    let mut directory = Directory::start(folder.path()).await;
    let gateway = gateway_with(&directory).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut admin = gateway.person("admin", Role::Admin, &["main"]).await;
    // Where an empty cursor begins is where the directory is: at nothing.
    followed_to(&gateway, &directory, "0").await;
    write(&bridge, 0..3, "before").await;
    heard(&mut admin, 3).await;
    followed_to(&gateway, &directory, "3").await;
    let mut before = conversations(&mut admin).await;
    before.sort_by_key(|found| found.thread_id.clone());
    let contact_of = |found: &inbox::Conversation| found.contact.clone().unwrap().id;
    let contacts: Vec<String> = before.iter().map(contact_of).collect();

    directory.kill();
    lose_the_log(&directory, &contacts);
    directory.again(&[]).await;
    followed_to(&gateway, &directory, "0").await;
    let mut after = conversations(&mut admin).await;
    after.sort_by_key(|found| found.thread_id.clone());
    let shown: Vec<String> = after.iter().map(contact_of).collect();
    assert_eq!(
        shown,
        [&contacts[0], &contacts[2], &contacts[2]].map(String::clone)
    );
    let name = after[0].contact.clone().unwrap().display_name;
    assert_eq!(name, "Renamed");

    // From there it is followed as ever.
    write(&bridge, 7..8, "after").await;
    followed_to(&gateway, &directory, "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nothing_identifies_is_known_by_the_thread() {
    let folder = TempDir::new().unwrap();
    let mut directory = Directory::start(folder.path()).await;
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let mut gateway = gateway_and(&directory, move |settings| {
        if is_gone.load(Ordering::SeqCst) {
            settings.lines.retain(|line| line.id.as_str() != "bridge");
        }
    })
    .await;
    let bridge = Bridge::connect(&gateway).await;
    let mut admin = gateway.person("admin", Role::Admin, &["main"]).await;
    // The bridge makes an identity of the thread's key, which cannot be one.
    let anonymous = |key: &str| {
        let mut message = e2e::bridge::message("nobody", key, key);
        message.thread_key = "somewhere\u{2028}else".to_owned();
        message.sender = None;
        message
    };
    bridge.push(anonymous("while all is well")).await.unwrap();
    admin.hears("while all is well").await;
    let [found] = conversations(&mut admin).await.try_into().unwrap();
    let known = found.contact.clone().unwrap();
    assert!(!known.provisional, "{known:?}");
    assert!(
        client(&directory)
            .await
            .get_contact(pb::GetContactRequest {
                contact_id: known.id.clone(),
            })
            .await
            .is_ok()
    );
    bridge.push(anonymous("once more")).await.unwrap();
    admin.hears("once more").await;
    assert_eq!(conversations(&mut admin).await[0].contact, found.contact);

    // One who was left provisional by an earlier release is settled too, whatever has
    // become of the line.
    directory.kill();
    let mut other = anonymous("while it is away");
    other.thread_key = "elsewhere\u{2028}yet".to_owned();
    bridge.push(other).await.unwrap();
    admin.hears("while it is away").await;
    let store_path = gateway.store_path();
    gateway.stop().await;
    let store = Connection::open(store_path).unwrap();
    let forgotten = store.execute(
        "update provisional set doc = json_set(doc, '$.sender.identities', json('[]'))",
        (),
    );
    assert_eq!(forgotten.unwrap(), 1);
    drop(store);
    directory.again(&[]).await;
    gone.store(true, Ordering::SeqCst);
    gateway.restart().await;
    gateway.clock().advance(600_000);
    let settled = async {
        while left_provisional(&gateway, "provisional") > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("everybody is confirmed", settled).await;
    let mut admin = gateway.sign_in("admin").await;
    let waiting = conversations(&mut admin).await;
    assert_eq!((waiting.len(), provisional(&waiting)), (2, 0));
}

const KNOWN: usize = 10;
const ALL: usize = 40;
/// Of the others, those up to here write again when all is well; about the rest the
/// gateway has to ask by itself.
const BACK: usize = 25;

async fn outage(mood: Option<&[&str]>) {
    let folder = TempDir::new().unwrap();
    let mut directory = Directory::start(folder.path()).await;
    let mut gateway = gateway_with(&directory).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut admin = gateway.person("admin", Role::Admin, &["main"]).await;
    let well = write(&bridge, 0..KNOWN, "before").await;
    heard(&mut admin, KNOWN).await;

    match mood {
        Some(mood) => directory.again(mood).await,
        None => directory.kill(),
    }
    // The known ones, and thirty whom nobody knows, several messages each.
    let ill = write(&bridge, 0..ALL, "during").await;
    write(&bridge, KNOWN..ALL, "again").await;
    heard(&mut admin, ALL + ALL - KNOWN).await;
    let more = meanwhile(&bridge, &mut admin).await;
    let waiting = conversations(&mut admin).await;
    assert_eq!(waiting.len(), ALL);
    assert_eq!(provisional(&waiting), ALL - KNOWN);

    // What waits for the directory outlives the gateway too.
    gateway.restart().await;
    let bridge = bridge.again(&gateway).await;
    let mut admin = gateway.sign_in("admin").await;
    directory.again(&[]).await;
    gateway.clock().advance(600_000);
    let healed = Instant::now();
    write(&bridge, KNOWN..BACK, "after").await;
    healed_by_itself(&mut admin).await;
    let healed = healed.elapsed();

    let mut client = client(&directory).await;
    let mut ids = BTreeSet::new();
    let mut messages = 0;
    for conversation in conversations(&mut admin).await {
        let contact = conversation.contact.unwrap();
        let asked = pb::ResolveContactRequest {
            identities: vec![identity(&contact.display_name)],
            ..Default::default()
        };
        let found = client.resolve_contact(asked).await.unwrap().into_inner();
        assert_eq!(found.outcome(), pb::Outcome::Matched);
        assert_eq!(found.contact.unwrap().id, contact.id);
        assert!(!contact.provisional);
        ids.insert(contact.id);
        messages += admin.messages(&conversation.id).await.len();
    }
    let written = KNOWN + ALL + (ALL - KNOWN) + (BACK - KNOWN) + more;
    assert_eq!(messages, written);
    assert_eq!(ids.len(), ALL);
    assert_eq!(every_contact(&mut client).await, ids);
    for table in ["conversation", "thread", "message", "provisional"] {
        assert_eq!(left_provisional(&gateway, table), 0, "{table}");
    }
    eprintln!(
        "{written} messages of {ALL} clients, all there, {ALL} contacts; slowest ack {well:?} \
         with the directory, {ill:?} without; healed in {healed:?}"
    );
}

/// How long the directory stays so, in seconds, in a soak; in a normal run no longer
/// than it takes. Everybody whom nobody knows writes once a second, the messages
/// counted.
async fn meanwhile(bridge: &Bridge, admin: &mut OperatorClient) -> usize {
    let rounds = given("SWITCHBOARD_SOAK_OUTAGE_SECS").unwrap_or(0);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    for round in 0..rounds {
        second.tick().await;
        write(bridge, KNOWN..ALL, &format!("still {round}")).await;
        heard(admin, ALL - KNOWN).await;
    }
    usize::try_from(rounds).unwrap() * (ALL - KNOWN)
}

/// So many clients write once each, all at the same time; the slowest ack.
async fn write(bridge: &Bridge, who: std::ops::Range<usize>, what: &str) -> Duration {
    let acks = who.map(|number| async move {
        let started = Instant::now();
        bridge.says(&format!("client-{number}"), what, what).await;
        started.elapsed()
    });
    join_all(acks).await.into_iter().max().unwrap_or_default()
}

/// Reads the feed until so many messages have come.
async fn heard(admin: &mut OperatorClient, count: usize) {
    for number in 0..count {
        let what = format!("message {number} of {count}");
        admin
            .wait_for(&what, |kind| match kind {
                Kind::MessageAdded(_) => Some(()),
                _ => None,
            })
            .await;
    }
}

async fn conversations(admin: &mut OperatorClient) -> Vec<inbox::Conversation> {
    admin.list(inbox::Folder::Waiting).await.conversations
}

fn provisional(conversations: &[inbox::Conversation]) -> usize {
    let contacts = conversations.iter().flat_map(|found| &found.contact);
    contacts.filter(|contact| contact.provisional).count()
}

/// Follows the feed until every provisional contact has become a real one and every
/// late message is there.
async fn healed_by_itself(admin: &mut OperatorClient) {
    for number in 0..(ALL - KNOWN) + (BACK - KNOWN) {
        let what = format!("step {number} of healing");
        admin
            .wait_for(&what, |kind| match kind {
                Kind::ContactsMerged(_) | Kind::MessageAdded(_) => Some(()),
                _ => None,
            })
            .await;
    }
}

fn left_provisional(gateway: &TestGateway, table: &str) -> i64 {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = Connection::open_with_flags(gateway.store_path(), read_only).unwrap();
    let sql = format!("select count(*) from {table} where contact like 'provisional-%'");
    store.query_row(&sql, (), |row| row.get(0)).unwrap()
}

fn identity(who: &str) -> pb::Identity {
    let message = e2e::bridge::message(who, "", "");
    message.sender.unwrap().identities.remove(0)
}

async fn client(directory: &Directory) -> ContactDirectoryClient<Channel> {
    let endpoint = Endpoint::from_shared(directory.url.clone()).unwrap();
    ContactDirectoryClient::new(endpoint.connect().await.unwrap())
}

/// Everybody the directory has ever made.
async fn every_contact(client: &mut ContactDirectoryClient<Channel>) -> BTreeSet<String> {
    let mut watch = async |cursor: &str| {
        let request = pb::WatchContactsRequest {
            cursor: cursor.to_owned(),
        };
        client.watch_contacts(request).await.unwrap().into_inner()
    };
    let newest = watch("").await.message().await.unwrap().unwrap().cursor;
    let mut changes = watch("0").await;
    let mut ids = BTreeSet::new();
    loop {
        let step = soon("a change", changes.message()).await.unwrap().unwrap();
        if let Some(Change::Changed(contact)) = step.change {
            ids.insert(contact.id);
        }
        if step.cursor == newest {
            return ids;
        }
    }
}
