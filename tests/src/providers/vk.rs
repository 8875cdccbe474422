//! VK's servers, as its schema and its libraries have them: errors come with the status of
//! success, a message is known again by its `random_id`, a long poll forgets, and whatever
//! a community is sent it is told of, too.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use proto::channels::v1::DeliveryState;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::desk::{Answer, Desk, Fault, Fields, Seen, form, query};
use super::platform::{Acts, Buttons, Call, Platform, found};
use crate::{http, until};

/// The access key of every scenario.
pub const TOKEN: &str = "vk1.a.0123456789abcdefghijklmnopqrst";
/// The community of every scenario.
pub const GROUP: i64 = 218_765_432;
/// What the webhook is called with.
pub const SECRET: &str = "a_secret_of_sixteen";
/// How long a poll is held where nothing comes, whatever it asks for.
const POLL: Duration = Duration::from_millis(500);

/// A server with one community.
pub struct Vk {
    /// Its port.
    pub desk: Desk,
    community: Arc<Community>,
}

#[derive(Default)]
struct Community {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    numbers: i64,
    /// Everything that happened: a place in it is a `ts`.
    events: Vec<Value>,
    /// What is before it is not told any more.
    forgotten: usize,
    /// What a long poll is asked with.
    key: usize,
    /// What the server of the Callback API has not taken.
    waiting: Vec<Value>,
    servers: Vec<Value>,
    code: usize,
    /// What is in the dialogues.
    messages: Vec<Value>,
    /// What is known again, by the dialogue and the `random_id`.
    known: BTreeMap<(i64, i64), Value>,
    /// Uploads that are not saved yet, and what is stored elsewhere.
    files: BTreeMap<String, Bytes>,
    blocked: BTreeSet<i64>,
    revoked: bool,
    /// The next confirmation does not come to VK.
    doubts: bool,
}

impl Vk {
    /// Opens a server.
    pub async fn start() -> Self {
        let community = Arc::new(Community::default());
        let served = Arc::clone(&community);
        let desk = Desk::open(method_of, move |seen| {
            let community = Arc::clone(&served);
            async move { community.answer(&seen).await }
        })
        .await;
        Self { desk, community }
    }

    /// Something happens; answers how it is told.
    pub fn happens(&self, kind: &str, object: Value) -> Value {
        let event = self.community.state().happens(kind, object);
        self.community.news.notify_waiters();
        event
    }

    /// Tells something once more, as after an answer that was lost.
    pub fn again(&self, event: Value) {
        self.community.state().tell(event);
        self.community.news.notify_waiters();
    }

    /// A client writes; answers the number in the dialogue.
    pub fn says(&self, client: i64, text: &str) -> i64 {
        self.sends(client, json!({"text": text}))
    }

    /// A client sends a message with these fields.
    pub fn sends(&self, client: i64, fields: Value) -> i64 {
        let told = self.community.state().written(client, fields);
        let number = told["message"]["conversation_message_id"].as_i64();
        self.happens("message_new", told);
        number.unwrap()
    }

    /// Somebody writes to a client in VK's own app.
    pub fn writes_in_app(&self, client: i64, text: &str) {
        let number = self.community.state().next_in(client);
        let fields = json!({"text": text, "out": 1, "admin_author_id": 7, "random_id": -1});
        self.happens("message_reply", message(client, -GROUP, number, fields));
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.community.state();
        let path = format!("/file/{}", state.next());
        state.files.insert(path.clone(), content.into());
        format!("{}{path}", self.desk.url)
    }

    /// A client blocks the community.
    pub fn block(&self, client: i64) {
        self.community.state().blocked.insert(client);
    }

    /// The access key is taken back, or given again.
    pub fn revoke(&self, revoked: bool) {
        let mut state = self.community.state();
        state.revoked = revoked;
        state.key += 1;
    }

    /// The next confirmation of a server does not come to VK.
    pub fn doubt(&self) {
        self.community.state().doubts = true;
    }

    /// The key of the long poll is not good any more.
    pub fn change_key(&self) {
        self.community.state().key += 1;
    }

    /// What was told so far is forgotten.
    pub fn forget_events(&self) {
        let mut state = self.community.state();
        state.forgotten = state.events.len();
    }

    /// An hour is over: no message is known again by its `random_id`.
    pub fn forget_random_ids(&self) {
        self.community.state().known.clear();
    }

    /// What the community sent, in order, as it is in the dialogues now.
    pub fn sent(&self) -> Vec<Value> {
        let state = self.community.state();
        let sent = state.messages.iter();
        sent.filter(|message| message["out"] == 1 && message["deleted"].is_null())
            .cloned()
            .collect()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: i64) -> Vec<String> {
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|message| message["peer_id"] == client);
        of_client
            .filter_map(|message| message["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// Reads a message of the community's up to and with it.
    pub fn reads(&self, client: i64, number: i64) {
        self.happens("message_read", read(client, number));
    }

    /// The fields that calls of a method came with.
    pub fn fields_of(&self, method: &str) -> Vec<Fields> {
        let seen = self.desk.seen(method);
        seen.iter().map(|seen| form(&seen.body)).collect()
    }

    /// The state of the server that VK calls, if there is one.
    pub fn server(&self) -> Option<Value> {
        self.community.state().servers.first().cloned()
    }

    /// Calls the server with everything that it has not taken, in order and as often as it
    /// takes; answers how many calls were refused.
    pub async fn deliver(&self) -> usize {
        let server = self.server().unwrap();
        let waiting = std::mem::take(&mut self.community.state().waiting);
        let mut refused = 0;
        for mut event in waiting {
            event["secret"] = server["secret_key"].clone();
            while call(&server, &event).await != "ok" {
                refused += 1;
                tokio::task::yield_now().await;
            }
        }
        refused
    }
}

impl Vk {
    fn options(&self, intake: &str) -> toml::Table {
        let url = self.desk.url.clone();
        toml::toml! {
            token = TOKEN
            group_id = GROUP
            intake = intake
            webhook_secret = SECRET
            api_url = url
        }
    }

    /// What tells of a message of a client's.
    fn told(&self, kind: &str, client: &str, fields: Value) -> String {
        let mut state = self.community.state();
        let told = state.written(client.parse().unwrap(), fields);
        state.event(kind, told).to_string()
    }
}

impl Platform for Vk {
    const KIND: &'static str = "vk";
    const SENDS: &'static str = "messages.send";
    // It is sent again, and known again.
    const TAKEN: DeliveryState = DeliveryState::Sent;
    const DROPPED: DeliveryState = DeliveryState::Sent;

    async fn open() -> Self {
        Self::start().await
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn called(&self) -> toml::Table {
        self.options("webhook")
    }

    fn asking(&self) -> Option<toml::Table> {
        Some(self.options("poll"))
    }

    async fn ready(&self) {
        until("the server is confirmed", || async {
            self.server().is_some_and(|server| server["status"] == "ok")
        })
        .await;
    }

    async fn is_asked(&self) {
        self.desk.until_seen("lp", 1).await;
    }

    fn hook(&self) -> Option<String> {
        Some(self.server()?["url"].as_str()?.to_owned())
    }

    fn words(&self, client: &str, text: &str) -> String {
        self.told("message_new", client, json!({"text": text}))
    }

    fn renamed(&self, body: &str) -> String {
        let mut event: Value = serde_json::from_str(body).unwrap();
        event["event_id"] = json!(format!("{:040x}", self.community.state().next()));
        event.to_string()
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let hologram = json!({"attachments": [{"type": "hologram", "hologram": {"id": 7}}]});
        vec![
            self.told("message_new", client, hologram),
            self.told("message_new", client, json!({})),
            self.told("message_danced", client, json!({"text": "?"})),
        ]
    }

    fn unreadable() -> &'static [&'static str] {
        // Who it is from stands in it.
        &[
            r#"{"type":"message_new","group_id":218765432}"#,
            r#"{"type":"message_new","group_id":218765432,"object":7}"#,
            r#"{"type":"message_new","group_id":218765432,"event_id":"","object":{"message":[]}}"#,
        ]
    }

    fn call(&self, body: &str) -> Call {
        Call::bare(&signed(body, json!(SECRET)))
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        let secrets = [
            Value::Null,
            json!(""),
            json!(7),
            json!("a_secret_of_sixtee"),
            json!("A_SECRET_OF_SIXTEEN"),
            json!("an_older_secret_of_ours"),
        ];
        let mut forged: Vec<String> = secrets.map(|secret| signed(body, secret)).to_vec();
        forged.push(body.to_owned());
        // Of another community, and what says nothing of where it is from.
        let own = format!("\"group_id\":{GROUP}");
        let other = format!("\"group_id\":{}", GROUP + 1);
        forged.push(signed(body, json!(SECRET)).replace(&own, &other));
        forged.push(format!("{body}{{"));
        forged.iter().map(|body| Call::bare(body)).collect()
    }

    fn is_taken(answer: &http::Answer) -> bool {
        answer.status == 200 && answer.text() == "ok"
    }

    fn tell(&self, body: &str) {
        self.again(serde_json::from_str(body).unwrap());
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client.parse().unwrap())
    }

    fn quoted(&self, body: &str) -> Option<String> {
        let event: Value = serde_json::from_str(body).unwrap();
        let number = &event["object"]["message"]["conversation_message_id"];
        Some(format!("%22conversation_message_ids%22%3A%5B{number}%5D"))
    }

    fn flood() -> (Fault, i64) {
        let told = error(6, "Too many requests per second");
        (Fault::Answer(200, told), 1_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for Vk {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let sent = self.fields_of("messages.send").pop()?;
        let keyboard: Value = serde_json::from_str(sent.get("keyboard")?).unwrap();
        let action = found(&keyboard, "label", label)?;
        let fields = json!({"text": label, "payload": action["payload"]});
        Some(self.told("message_new", client, fields))
    }
}

impl Vk {
    /// What tells what the client did who was sent the last message.
    fn done(&self, kind: &str, what: impl Fn(i64, i64) -> Value) -> Option<String> {
        let sent = self.sent().pop()?;
        let number = sent["conversation_message_id"].as_i64()?;
        let what = what(sent["peer_id"].as_i64()?, number);
        Some(self.community.state().event(kind, what).to_string())
    }
}

impl Acts for Vk {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let files = pictures.iter().map(|content| {
            let url = self.keep(content.clone());
            let sizes = json!([{"type": "z", "width": 900, "height": 900, "url": url}]);
            json!({"type": "photo", "photo": {"sizes": sizes}})
        });
        let files: Vec<Value> = files.collect();
        let fields = json!({"text": text, "attachments": files});
        vec![self.told("message_new", client, fields)]
    }

    fn reads(&self) -> Option<String> {
        self.done("message_read", read)
    }

    fn likes(&self) -> Option<String> {
        // The first of the reactions is a heart.
        self.done("message_reaction_event", |client, number| {
            json!({"reacted_id": client, "peer_id": client, "cmid": number, "reaction_id": 1})
        })
    }
}

/// That a client read what was sent, up to this one.
fn read(client: i64, number: i64) -> Value {
    json!({"from_id": client, "peer_id": client,
        "read_message_id": number, "conversation_message_id": number})
}

/// An event with a secret in it.
fn signed(body: &str, secret: Value) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap();
    event["secret"] = secret;
    event.to_string()
}

/// A message as events have it.
pub fn message(peer: i64, from: i64, number: i64, fields: Value) -> Value {
    let mut message = json!({
        "id": 9_000 + number, "conversation_message_id": number, "date": engine::clock::now().0 / 1_000,
        "peer_id": peer, "from_id": from, "out": 0, "text": "", "attachments": [],
        "fwd_messages": [], "important": false, "random_id": 0, "version": number,
    });
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

/// An answer that is a refusal.
pub fn error(code: i64, words: &str) -> Value {
    json!({"error": {"error_code": code, "error_msg": words, "request_params": []}})
}

/// What a server of the Callback API answers; nothing where it refuses.
async fn call(server: &Value, event: &Value) -> String {
    let call = Call::bare(&event.to_string());
    let answer = call.post(server["url"].as_str().unwrap()).await;
    if answer.status.is_success() {
        answer.text()
    } else {
        String::new()
    }
}

/// `/method/messages.send` is `messages.send`, `/file/…` is `file`.
fn method_of(seen: &Seen) -> String {
    let path = seen.path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/method").unwrap_or(path);
    let first = path.trim_start_matches('/').split('/').next();
    first.unwrap_or_default().to_owned()
}

impl State {
    fn next(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    /// The next number in a dialogue: they differ between dialogues.
    fn next_in(&mut self, client: i64) -> i64 {
        self.next() + client % 1_000
    }

    /// An event with a name of its own.
    fn event(&mut self, kind: &str, object: Value) -> Value {
        let id = format!("{:040x}", self.next());
        json!({"type": kind, "event_id": id, "v": "5.199", "group_id": GROUP,
            "object": object})
    }

    fn happens(&mut self, kind: &str, object: Value) -> Value {
        let event = self.event(kind, object);
        self.tell(event.clone());
        event
    }

    /// A client's message, which is then in the dialogue; answers how it is told.
    fn written(&mut self, client: i64, fields: Value) -> Value {
        let number = self.next_in(client);
        let message = message(client, client, number, fields);
        self.messages.push(message.clone());
        json!({"message": message, "client_info": {"lang_id": 0}})
    }

    fn tell(&mut self, event: Value) {
        self.events.push(event.clone());
        self.waiting.push(event);
    }

    fn send(&mut self, fields: &Fields) -> Value {
        let peer: i64 = number(fields, "peer_ids");
        if fields
            .get("message")
            .is_some_and(|text| text.chars().count() > 4_096)
        {
            return error(914, "Message is too long");
        }
        if !fields.contains_key("message") && !fields.contains_key("attachment") {
            return error(
                100,
                "One of the parameters specified was missing or invalid: message is empty or invalid",
            );
        }
        if self.blocked.contains(&peer) {
            let words = "Can't send messages for users without permission";
            return json!({"response": [{"peer_id": peer, "message_id": 0,
                "conversation_message_id": 0, "error": {"code": 901, "description": words}}]});
        }
        let random = number(fields, "random_id");
        if let Some(known) = self.known.get(&(peer, random)) {
            return json!({"response": [known]});
        }
        let cmid = self.next_in(peer);
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let said = json!({"text": text("message"), "out": 1, "random_id": random,
            "payload": text("payload"), "attachments": attached(&text("attachment")),
            "forward": text("forward")});
        let sent = message(peer, -GROUP, cmid, said);
        self.messages.push(sent.clone());
        self.happens("message_reply", sent);
        let told = json!({"peer_id": peer, "message_id": 9_000 + cmid,
            "conversation_message_id": cmid});
        self.known.insert((peer, random), told.clone());
        json!({"response": [told]})
    }

    /// The message of the community's that a call is about.
    fn named(&mut self, fields: &Fields, name: &str) -> Option<&mut Value> {
        let (peer, cmid): (i64, i64) = (number(fields, "peer_id"), number(fields, name));
        self.messages.iter_mut().find(|message| {
            message["peer_id"] == peer && message["conversation_message_id"] == cmid
        })
    }

    fn change(&mut self, method: &str, fields: &Fields) -> Value {
        let name = if method == "messages.edit" {
            "cmid"
        } else {
            "cmids"
        };
        let Some(message) = self.named(fields, name) else {
            return error(
                100,
                "One of the parameters specified was missing or invalid",
            );
        };
        if method == "messages.edit" {
            message["text"] = json!(fields["message"]);
            // What is not named again is taken out.
            let files = fields.get("attachment").cloned().unwrap_or_default();
            message["attachments"] = attached(&files);
        } else {
            message["deleted"] = json!(1);
        }
        json!({"response": 1})
    }

    fn history(&self, fields: &Fields) -> Value {
        let (peer, count): (i64, usize) = (number(fields, "peer_id"), number(fields, "count"));
        let of_peer = self.messages.iter().rev();
        let of_peer = of_peer.filter(|message| message["peer_id"] == peer);
        let items: Vec<&Value> = of_peer.take(count).collect();
        json!({"response": {"count": items.len(), "items": items}})
    }

    /// Nobody ever reads anything.
    fn unread(&self) -> Value {
        let theirs = self.messages.iter().filter(|message| message["out"] == 0);
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for message in theirs {
            *counts
                .entry(message["peer_id"].as_i64().unwrap())
                .or_default() += 1;
        }
        let items = counts.into_iter().map(|(peer, count)| {
            json!({"conversation": {"peer": {"id": peer, "type": "user", "local_id": peer},
                "unread_count": count}})
        });
        let items: Vec<Value> = items.collect();
        json!({"response": {"count": items.len(), "items": items}})
    }

    fn servers(&mut self, method: &str, fields: &Fields) -> Value {
        let text = |name: &str| json!(fields.get(name).cloned().unwrap_or_default());
        // Each change makes another word of confirmation.
        self.code += 1;
        if method == "groups.addCallbackServer" {
            let id = self.next();
            self.servers
                .push(json!({"id": id, "title": text("title"), "creator_id": 7,
                "url": text("url"), "secret_key": text("secret_key"), "status": "wait"}));
            return json!({"response": {"server_id": id}});
        }
        let id: i64 = number(fields, "server_id");
        let mut servers = self.servers.iter_mut();
        let Some(server) = servers.find(|server| server["id"] == id) else {
            return error(104, "Not found");
        };
        for name in ["url", "title", "secret_key"] {
            server[name] = text(name);
        }
        server["status"] = json!("wait");
        json!({"response": 1})
    }

    fn code(&self) -> String {
        format!("c0de{:04x}", self.code)
    }
}

/// What is attached, as messages have it, of how it was named.
fn attached(named: &str) -> Value {
    let named = named.split(',').filter(|name| !name.is_empty());
    let each = named.map(|name| {
        let at = name.find(|it: char| !it.is_ascii_lowercase()).unwrap();
        let (kind, id) = name.split_at(at);
        let parts: Vec<&str> = id.split('_').collect();
        let number = |index: usize| parts[index].parse::<i64>().unwrap();
        json!({"type": kind, kind: {"owner_id": number(0), "id": number(1),
            "access_key": parts.get(2)}})
    });
    each.collect()
}

impl Community {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let host = seen.headers["host"].to_str().unwrap();
        let method = method_of(seen);
        match method.as_str() {
            "lp" => return done(self.news(&query(&seen.path)).await),
            "file" => {
                let file = self.state().files.get(&seen.path).cloned();
                return file.map_or_else(|| (404, Bytes::new()), |file| (200, file));
            }
            "upload" => return done(upload(seen)),
            _ => {}
        }
        let fields = form(&seen.body);
        let is_good = fields
            .get("access_token")
            .is_some_and(|token| token == TOKEN);
        if !is_good || self.state().revoked {
            return done(error(
                5,
                "User authorization failed: invalid access_token (4).",
            ));
        }
        if method == "groups.getCallbackServers" {
            self.confirm().await;
        }
        let told = self.told(&method, &fields, host);
        self.news.notify_waiters();
        done(told)
    }

    fn told(&self, method: &str, fields: &Fields, host: &str) -> Value {
        let mut state = self.state();
        match method {
            "groups.getById" => json!({"response": {"groups": [{"id": GROUP, "name": "Shop"}]}}),
            "groups.getLongPollServer" => json!({"response": {
                "server": format!("http://{host}/lp/{GROUP}"),
                "key": state.key.to_string(), "ts": state.events.len().to_string()}}),
            "groups.getCallbackConfirmationCode" => json!({"response": {"code": state.code()}}),
            "groups.getCallbackServers" => json!({"response": {
                "count": state.servers.len(), "items": state.servers}}),
            "groups.addCallbackServer" | "groups.editCallbackServer" => {
                state.servers(method, fields)
            }
            "messages.send" => state.send(fields),
            "messages.edit" | "messages.delete" => state.change(method, fields),
            "messages.getHistory" => state.history(fields),
            "messages.getConversations" => state.unread(),
            "groups.getTokenPermissions" => {
                let rights = ["photos", "docs", "messages", "manage"];
                let rights = rights.map(|right| json!({"name": right, "setting": 1}));
                json!({"response": {"mask": 1, "permissions": rights}})
            }
            "groups.getLongPollSettings" => json!({"response": {
                "is_enabled": true, "api_version": "5.199", "events": {}}}),
            "messages.getByConversationMessageId" => {
                let found = state.named(fields, "conversation_message_ids").cloned();
                json!({"response": {"count": 1, "items": [found]}})
            }
            "users.get" => json!({"response": [{"id": number::<i64>(fields, "user_ids"),
                "first_name": "Анна", "last_name": "Иванова", "screen_name": "anna_i",
                "photo_200": "https://sun9-1.userapi.com/anna.jpg"}]}),
            "photos.getMessagesUploadServer" => json!({"response": {
                "upload_url": format!("http://{host}/upload/photo?act=do"), "album_id": -3}}),
            "docs.getMessagesUploadServer" => json!({"response": {
                "upload_url": format!("http://{host}/upload/file?act=do")}}),
            "photos.saveMessagesPhoto" => {
                let id = state.next();
                json!({"response": [{"id": id, "owner_id": -GROUP, "access_key": "k",
                    "photo": fields["photo"], "hash": fields["hash"]}]})
            }
            "docs.save" => {
                let id = state.next();
                json!({"response": {"type": "doc", "doc": {"id": id, "owner_id": -GROUP,
                    "title": fields["title"]}}})
            }
            _ => json!({"response": 1}),
        }
    }

    /// Asks every server that waits for it for the word.
    async fn confirm(&self) {
        let (servers, code) = {
            let state = self.state();
            (state.servers.clone(), state.code())
        };
        for (at, server) in servers.iter().enumerate() {
            if server["status"] == "wait" {
                let asked = json!({"type": "confirmation", "group_id": GROUP});
                let is_right = call(server, &asked).await == code;
                let mut state = self.state();
                let is_heard = !std::mem::take(&mut state.doubts);
                let status = if is_right && is_heard { "ok" } else { "failed" };
                state.servers[at]["status"] = json!(status);
            }
        }
    }

    async fn news(&self, query: &Fields) -> Value {
        let news = self.news.notified();
        let ts: usize = number(query, "ts");
        let (length, forgotten, key) = {
            let state = self.state();
            (state.events.len(), state.forgotten, state.key)
        };
        if query["key"] != key.to_string() {
            return json!({"failed": 2});
        }
        if ts < forgotten {
            // A number here, a text elsewhere.
            return json!({"failed": 1, "ts": length});
        }
        if ts > length {
            return json!({"failed": 3});
        }
        if ts == length {
            let _ = tokio::time::timeout(POLL, news).await;
        }
        let state = self.state();
        json!({"ts": state.events.len().to_string(), "updates": state.events[ts..]})
    }
}

fn upload(seen: &Seen) -> Value {
    let is_photo = seen.path.starts_with("/upload/photo");
    let text = String::from_utf8_lossy(&seen.body);
    let field = if is_photo {
        "name=\"photo\""
    } else {
        "name=\"file\""
    };
    if !text.contains(field) {
        return json!({"error": "no_file"});
    }
    if text.contains(".exe\"") {
        return json!({"error": "ERR_UPLOAD_FILE_NOT_UPLOADED: file type not allowed"});
    }
    let length = seen.body.len();
    if is_photo {
        json!({"server": 7, "photo": format!("[{{\"bytes\":{length}}}]"), "hash": "h"})
    } else {
        json!({"file": format!("{length}|f")})
    }
}

fn done(told: Value) -> Answer {
    (200, told.to_string().into())
}

fn number<T: std::str::FromStr>(fields: &Fields, name: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    fields[name].parse().unwrap()
}
