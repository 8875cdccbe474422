use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use tokio::time::timeout;
use tonic::Streaming;

use super::ledger::{Books, Reply, read_words};
use super::load::Load;
use super::operator::signed;
use super::process::Server;
use super::visitor::Visitor;
use crate::operator::{Signed, text_of};
use crate::soon;

/// How long a store that is worked off by another process may go unlooked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a comparison of the clients' books with the gateway's found. Everything but
/// the first two has to be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Messages of clients that were acknowledged.
    pub acked: usize,
    /// Messages of operators that were accepted.
    pub replies: usize,
    /// Acknowledged, and not there.
    pub lost: usize,
    /// There more than once.
    pub doubled: usize,
    /// There before one that its sender wrote earlier.
    pub misordered: usize,
    /// Accepted replies that the client was not shown exactly once, in order.
    pub replies_wrong: usize,
    /// There, though it was refused or nobody wrote it.
    pub invented: usize,
    /// Threads with more than one open conversation.
    pub open_twice: usize,
    /// Journal entries that are not done, and hand-overs that have not ended well.
    pub unaccounted: usize,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        let counts = Self {
            acked: self.acked,
            replies: self.replies,
            ..Self::default()
        };
        *self == counts
    }
}

/// Waits until the gateway has worked everything off, then compares.
pub async fn audit(server: &Server, load: &mut Load) -> Findings {
    let admin = signed(&server.url, &load.tokens.admin).await.unwrap();
    let mut inbox = InboxClient::new(admin);
    quiet(&mut inbox, &server.store).await;
    let conversations = conversations(&mut inbox).await;
    let mut threads: BTreeMap<String, Vec<pb::Message>> = BTreeMap::new();
    for conversation in &conversations {
        let messages = messages(&mut inbox, &conversation.id).await;
        let thread = threads.entry(conversation.thread_id.clone()).or_default();
        thread.extend(messages);
    }
    for messages in threads.values_mut() {
        messages.sort_by_key(|message| message.id.parse::<i64>().unwrap());
    }
    let mut shown = Vec::new();
    for visitor in &mut load.visitors {
        shown.push(told(visitor).await);
    }
    let books = load.ledger.books();
    let mut findings = Findings {
        open_twice: open_twice(&conversations),
        unaccounted: unaccounted(&server.store),
        ..Findings::default()
    };
    inbound(&books, &threads, &mut findings);
    outbound(&books, &threads, &mut findings);
    findings.replies_wrong += to_visitors(&threads, &shown);
    findings.replies_wrong += to_bridge(&books, &threads);
    findings
}

/// What a page knows that was there all the time, and one that is opened now.
async fn told(visitor: &mut Visitor) -> (String, [BTreeMap<i64, String>; 2]) {
    visitor.catch_up().await.unwrap();
    let name = visitor.name.clone();
    let kept = visitor.ledger.books().shown.get(&name).cloned();
    let anew = visitor.replay().await;
    (name, [kept.unwrap_or_default(), anew])
}

/// Waits until everything is worked off, however much there is, as long as it becomes less.
async fn quiet(inbox: &mut InboxClient<Signed>, store: &Path) {
    let subscribe = pb::SubscribeRequest::default();
    let mut feed = inbox.subscribe(subscribe).await.unwrap().into_inner();
    let mut left = waiting(store);
    while left > 0 {
        left = soon("what waits becomes less", less(&mut feed, store, left)).await;
    }
}

/// Looks again whenever the feed tells of something, and a little later all the same:
/// an entry that nobody is shown ends without a word.
async fn less(feed: &mut Streaming<pb::SubscribeResponse>, store: &Path, than: usize) -> usize {
    loop {
        let left = waiting(store);
        if left < than {
            return left;
        }
        if let Ok(event) = timeout(LOOK_AGAIN, feed.message()).await {
            event.unwrap();
        }
    }
}

fn count(store: &Path, sql: &str) -> usize {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(store, read_only).unwrap();
    let counted = connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    usize::try_from(counted.unwrap()).unwrap()
}

fn waiting(store: &Path) -> usize {
    let sql = "select (select count(*) from journal where state = 0)
                    + (select count(*) from outbox)";
    count(store, sql)
}

fn unaccounted(store: &Path) -> usize {
    let sql = "select (select count(*) from journal where state <> 1)
                    + (select count(*) from outbox)
                    + (select count(*) from message where direction = 'outbound'
                         and doc ->> '$.delivery' <> 'sent')";
    count(store, sql)
}

async fn conversations(inbox: &mut InboxClient<Signed>) -> Vec<pb::Conversation> {
    let mut all = BTreeMap::new();
    for folder in [pb::Folder::AllOpen, pb::Folder::Ended] {
        let mut request = pb::ListConversationsRequest {
            folder: folder.into(),
            page_size: 200,
            ..Default::default()
        };
        loop {
            let page = inbox.list_conversations(request.clone()).await;
            let page = page.unwrap().into_inner();
            let found = page.conversations.into_iter();
            all.extend(found.map(|conversation| (conversation.id.clone(), conversation)));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
    }
    all.into_values().collect()
}

async fn messages(inbox: &mut InboxClient<Signed>, conversation: &str) -> Vec<pb::Message> {
    let mut all = Vec::new();
    let mut request = pb::ListTimelineRequest {
        conversation_id: conversation.to_owned(),
        page_size: 200,
        ..Default::default()
    };
    loop {
        let page = inbox.list_timeline(request.clone()).await;
        let page = page.unwrap().into_inner();
        all.extend(page.messages);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

fn open_twice(conversations: &[pb::Conversation]) -> usize {
    let mut open = BTreeSet::new();
    conversations
        .iter()
        .filter(|conversation| conversation.state() != pb::ConversationState::Closed)
        .filter(|conversation| !open.insert(&conversation.thread_id))
        .count()
}

fn inbound(books: &Books, threads: &BTreeMap<String, Vec<pb::Message>>, found: &mut Findings) {
    let mut there: BTreeMap<(&str, u64), usize> = BTreeMap::new();
    for messages in threads.values() {
        let mut last = 0;
        for message in messages {
            if message.direction() != pb::Direction::Inbound {
                continue;
            }
            let words = read_words(text_of(message));
            let sent = words.and_then(|(sender, _)| books.inbound.get(sender));
            let (Some((sender, number)), Some(sent)) = (words, sent) else {
                found.invented += 1;
                continue;
            };
            found.invented += usize::from(number > sent.last);
            found.misordered += usize::from(number < last);
            last = number;
            *there.entry((sender, number)).or_default() += 1;
        }
    }
    found.doubled += there.values().map(|times| times - 1).sum::<usize>();
    for (sender, sent) in &books.inbound {
        found.acked += sent.acked.len();
        let is_lost = |number: &&u64| !there.contains_key(&(sender.as_str(), **number));
        found.lost += sent.acked.iter().filter(is_lost).count();
    }
}

fn outbound(books: &Books, threads: &BTreeMap<String, Vec<pb::Message>>, found: &mut Findings) {
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for messages in threads.values() {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for message in replies(messages) {
            let words = text_of(message);
            match books.replies.get(words) {
                Some(Reply::Acked) => {}
                Some(Reply::Open | Reply::Refused) | None => found.invented += 1,
            }
            *there.entry(words).or_default() += 1;
            if let Some((operator, number)) = read_words(words) {
                let earlier = last.insert(operator, number);
                found.misordered += usize::from(earlier.is_some_and(|earlier| earlier > number));
            }
        }
    }
    found.doubled += there.values().map(|times| times - 1).sum::<usize>();
    let acked = books
        .replies
        .iter()
        .filter(|(_, reply)| **reply == Reply::Acked);
    for (words, _) in acked {
        found.replies += 1;
        found.lost += usize::from(!there.contains_key(words.as_str()));
    }
}

fn replies(messages: &[pb::Message]) -> impl Iterator<Item = &pb::Message> {
    messages
        .iter()
        .filter(|message| message.direction() == pb::Direction::Outbound)
}

/// The messages of the thread that a sender writes in.
fn thread_of<'a>(
    threads: &'a BTreeMap<String, Vec<pb::Message>>,
    name: &str,
) -> impl Iterator<Item = &'a pb::Message> {
    let writes_there = |messages: &&Vec<pb::Message>| {
        let mut words = messages
            .iter()
            .filter_map(|message| read_words(text_of(message)));
        words.any(|(sender, _)| sender == name)
    };
    threads.values().find(writes_there).into_iter().flatten()
}

type Shown = (String, [BTreeMap<i64, String>; 2]);

fn to_visitors(threads: &BTreeMap<String, Vec<pb::Message>>, shown: &[Shown]) -> usize {
    let mut wrong = 0;
    for (name, views) in shown {
        let sent: BTreeMap<i64, String> = thread_of(threads, name)
            .filter(|message| message.direction() == pb::Direction::Outbound)
            .map(|message| (message.id.parse().unwrap(), text_of(message).to_owned()))
            .collect();
        for view in views {
            wrong += sent
                .iter()
                .filter(|(id, text)| view.get(id) != Some(text))
                .count();
            wrong += view.keys().filter(|id| !sent.contains_key(id)).count();
        }
    }
    wrong
}

fn to_bridge(books: &Books, threads: &BTreeMap<String, Vec<pb::Message>>) -> usize {
    let names = books.inbound.keys().filter(|name| name.starts_with('b'));
    let mut wrong = 0;
    for name in names {
        let sent: Vec<i64> = thread_of(threads, name)
            .filter(|message| message.direction() == pb::Direction::Outbound)
            .map(|message| message.id.parse().unwrap())
            .collect();
        let given = books.bridged.get(name).cloned().unwrap_or_default();
        if given != sent {
            wrong += given.len().abs_diff(sent.len()).max(1);
        }
    }
    wrong
}
