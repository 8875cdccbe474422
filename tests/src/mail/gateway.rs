use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channels::LineSetup;
use domain::Timestamp;
use domain::hours::Schedule;
use engine::settings::{Line, Settings};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::SECRET;
use crate::{TestGateway, soon};

const HOUR_MS: i64 = 3_600_000;

/// The line's address in every scenario.
pub const SUPPORT: &str = "help@shop.test";

/// A section for a line of mail: letters are read from the mailbox of [`SUPPORT`] and
/// handed over to `smtp`, in clear within this machine. `more` stands in the mailbox's
/// table.
pub fn section(imap: u16, smtp: u16, more: &str) -> String {
    section_of(SUPPORT, imap, smtp, more)
}

/// As [`section`], for another address.
pub fn section_of(address: &str, imap: u16, smtp: u16, more: &str) -> String {
    format!(
        "address = {address:?}\ntrusted_servers = [\"mx.shop.test\"]\nplus_addresses = true\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\nsecurity = \"none\"\nlogin = false\n\
         sent = \"none\"\n{}{more}",
        mailbox(address, imap)
    )
}

/// A mailbox's table, everything of it taken.
pub fn mailbox(account: &str, imap: u16) -> String {
    format!(
        "[[mailbox]]\nhost = \"127.0.0.1\"\nport = {imap}\nsecurity = \"none\"\n\
         user = {account:?}\npassword = {SECRET:?}\nhistory = \"all\"\n"
    )
}

/// A line's table in the configuration of a gateway that is a process of its own, with
/// the mailbox of [`SUPPORT`]; what is read is moved to `Processed`. `more` stands behind.
pub fn line(folder: &Path, imap: u16, more: &str) -> String {
    let secret = folder.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    format!(
        "[[line]]\nid = \"mail\"\nchannel = \"email\"\nqueue = \"main\"\naddress = {SUPPORT:?}\n\
         letter_mib_max = 70\n\
         [[line.mailbox]]\nhost = \"127.0.0.1\"\nport = {imap}\nsecurity = \"none\"\n\
         password_file = \"{}\"\nhistory = \"all\"\nafter = \"move:Processed\"\n{more}",
        secret.display()
    )
}

/// A gateway with a line `mail` of the queue `main`, besides its others.
pub async fn gateway(section: &str) -> TestGateway {
    gateway_with(section, |_| {}).await
}

/// As [`gateway`], with a change to the settings.
pub async fn gateway_with(
    section: &str,
    change: impl Fn(&mut Settings) + Send + Sync + 'static,
) -> TestGateway {
    let options: toml::Table = toml::from_str(section).unwrap();
    TestGateway::start_with(move |settings| {
        let line = built("mail", options.clone(), &settings.public_url);
        settings.lines.push(line);
        change(settings);
    })
    .await
}

/// Hours that are closed for as long as any scenario goes on.
pub fn never() -> Arc<Schedule> {
    let today = usize::try_from(engine::clock::now().0 / (24 * HOUR_MS) + 3).unwrap();
    let mut week = [const { "" }; 7];
    week[(today + 4) % 7] = "24h";
    let week = week.map(|hours| hours.parse().unwrap());
    Arc::new(Schedule::new("UTC".parse().unwrap(), week, Vec::new()))
}

/// Another line of mail of the queue `main`.
pub fn add_line(settings: &mut Settings, id: &str, section: &str) {
    let options = toml::from_str(section).unwrap();
    let line = built(id, options, &settings.public_url);
    settings.lines.push(line);
}

fn built(id: &str, options: toml::Table, url: &str) -> Line {
    let kind = channels::registry::find("email").unwrap();
    let setup = LineSetup {
        id: id.into(),
        display_name: "Shop".to_owned(),
        default_region: "RU".to_owned(),
        public_url: url.to_owned(),
        options,
    };
    Line {
        id: id.into(),
        display_name: "Shop".to_owned(),
        kind,
        queue: "main".into(),
        default_region: "RU".to_owned(),
        hours: None,
        channel: (kind.build)(&setup).unwrap(),
    }
}

/// A gateway's store, read beside it.
#[derive(Debug)]
pub struct Kept {
    store: Connection,
}

/// A message as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its conversation.
    pub conversation: i64,
    /// Its words.
    pub text: String,
    /// When it was written.
    pub sent_at: Timestamp,
    /// When the gateway had it.
    pub stored_at: Timestamp,
}

impl Kept {
    /// Opens it.
    pub fn open(path: &Path) -> Self {
        let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        Self { store }
    }

    /// The deliveries that are durable.
    pub fn deliveries(&self) -> Vec<String> {
        let mut found = self
            .store
            .prepare("select event_key from journal where line = 'mail' order by seq")
            .unwrap();
        let keys = found.query_map([], |row| row.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    }

    /// How many deliveries are not done: 0 for those that wait, 2 for those that could not
    /// be read.
    pub fn in_state(&self, state: i64) -> i64 {
        let count = "select count(*) from journal where line = 'mail' and state = ?1";
        let count = self.store.query_row(count, [state], |row| row.get(0));
        count.unwrap()
    }

    /// The deliveries that are in a state, see [`Self::in_state`].
    pub fn deliveries_in(&self, state: i64) -> Vec<String> {
        let mut found = self
            .store
            .prepare("select event_key from journal where line = 'mail' and state = ?1")
            .unwrap();
        let keys = found.query_map([state], |row| row.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    }

    /// The messages of a direction: `inbound` or `outbound`.
    pub fn messages(&self, direction: &str) -> Vec<KeptMessage> {
        let mut found = self
            .store
            .prepare(
                "select conversation, doc from message
                 where line = 'mail' and direction = ?1 order by id",
            )
            .unwrap();
        let rows = found
            .query_map([direction], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?))
            })
            .unwrap();
        rows.map(Result::unwrap)
            .map(|(conversation, doc)| {
                let doc: Value = serde_json::from_str(&doc).unwrap();
                let at = |key: &str| Timestamp(doc[key].as_i64().unwrap_or_default());
                KeptMessage {
                    conversation,
                    text: plain(&doc).trim_end().to_owned(),
                    sent_at: at("sent_at"),
                    stored_at: at("stored_at"),
                }
            })
            .collect()
    }

    /// How often each text came.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for message in self.messages("inbound") {
            *counts.entry(message.text).or_default() += 1;
        }
        counts
    }

    /// How many hand-overs are still to be done.
    pub fn to_send(&self) -> i64 {
        let count = "select count(*) from outbox where line = 'mail'";
        self.store.query_row(count, [], |row| row.get(0)).unwrap()
    }
}

/// Waits until everything that came is worked off, and all that follows is handed over.
pub async fn settled(gateway: &TestGateway) {
    let kept = Kept::open(&gateway.store_path());
    let wait = async {
        while kept.in_state(0) > 0 || kept.to_send() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("everything is worked off", wait).await;
}

fn plain(doc: &Value) -> String {
    let text = doc.pointer("/content/text/plain");
    let text = text.or_else(|| doc.pointer("/content/plain"));
    text.and_then(Value::as_str).unwrap_or_default().to_owned()
}
