//! Somebody else's contact directory, which is away, late or broken for a while:
//! nothing is lost, nobody is there twice afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::Millis;
use domain::operator::Role;
use e2e::{Bridge, OperatorClient, TestGateway, soon};
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
    let url = directory.url.clone();
    TestGateway::start_with(move |settings| {
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
    assert_eq!(messages, KNOWN + ALL + (ALL - KNOWN) + (BACK - KNOWN));
    assert_eq!(ids.len(), ALL);
    assert_eq!(every_contact(&mut client).await, ids);
    for table in ["conversation", "thread", "message", "provisional"] {
        assert_eq!(left_provisional(&gateway, table), 0, "{table}");
    }
    eprintln!("slowest ack {well:?} with the directory, {ill:?} without; healed in {healed:?}");
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
