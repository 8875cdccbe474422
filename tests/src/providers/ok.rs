//! Odnoklassniki's servers, as their documentation and libraries have them: calls are not
//! signed, refusals come with the status of success and a number, a file is handed over
//! elsewhere and not ready at once, and events that are asked for stay until they are read.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::Method;
use bytes::Bytes;
use http_body_util::Full;
use proto::channels::v1::DeliveryState;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::desk::{Answer, Desk, Fault, Fields, Seen, query};
use super::platform::{Acts, Buttons, Call, Platform, found};
use crate::{http, until};

/// The access key of the group of every scenario.
pub const TOKEN: &str = "tkn18YdUJZe4R5vLp0sQxW7zN2mKcJhGfDsA:CQABPOJKAKEKEKEKE";
/// The end of the address that OK calls.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// How long a poll is held where nothing comes, whatever it asks for.
const POLL: Duration = Duration::from_secs(1);
/// So often a message with a fresh file is refused.
const NOT_READY: usize = 1;
const TEXT_MAX: usize = 4_000;
const FILES_MAX: usize = 5;

/// A server with one group.
pub struct Odnoklassniki {
    /// Its port.
    pub desk: Desk,
    group: Arc<Group>,
}

struct Group {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    url: String,
    numbers: i64,
    /// Everything that happened: a place in it is a marker.
    events: Vec<Value>,
    read: usize,
    is_asked: bool,
    /// What those who are called have not taken.
    waiting: Vec<Value>,
    subscriptions: Vec<Value>,
    /// What is in the chats.
    messages: Vec<Value>,
    /// How often each token will still be refused.
    tokens: BTreeMap<String, usize>,
    files: BTreeMap<String, Bytes>,
    /// Chats that there are.
    chats: BTreeSet<String>,
    stopped: BTreeSet<String>,
    revoked: bool,
}

impl Odnoklassniki {
    /// Opens a server.
    pub async fn start() -> Self {
        let group = Arc::new(Group {
            state: Mutex::default(),
            news: Notify::new(),
        });
        let served = Arc::clone(&group);
        let desk = Desk::open(name_of, move |seen| {
            let group = Arc::clone(&served);
            async move { group.answer(&seen).await }
        })
        .await;
        group.state().url.clone_from(&desk.url);
        Self { desk, group }
    }

    /// A client does something; answers how it is told.
    pub fn happens(&self, kind: &str, client: i64, fields: Value) -> Value {
        let event = event(kind, client, fields);
        self.again(event.clone());
        event
    }

    /// Tells something once more, as after an answer that was lost.
    pub fn again(&self, event: Value) {
        let mut state = self.group.state();
        state.events.push(event.clone());
        state.waiting.push(event);
        drop(state);
        self.group.news.notify_waiters();
    }

    /// A client writes; answers the name of the message.
    pub fn says(&self, client: i64, text: &str) -> String {
        self.sends(client, json!({ "text": text }))
    }

    /// A client sends a message; answers its name.
    pub fn sends(&self, client: i64, message: Value) -> String {
        let message = self.message(client, message);
        let mid = message["mid"].as_str().unwrap().to_owned();
        self.happens("MESSAGE_CREATED", client, json!({ "message": message }));
        mid
    }

    /// A message of a client's, as events have it.
    pub fn message(&self, client: i64, fields: Value) -> Value {
        let mut state = self.group.state();
        let chat = chat(client);
        state.chats.insert(chat.clone());
        let said = state.keep_message(&user(client), &chat, fields);
        said["message"].clone()
    }

    /// What tells of a message of a client's.
    fn told(&self, client: &str, fields: Value) -> String {
        let client = client.parse().unwrap();
        let message = self.message(client, fields);
        event("MESSAGE_CREATED", client, json!({ "message": message })).to_string()
    }

    /// A client forbids messages of the group, and nobody is told.
    pub fn stop(&self, client: i64) {
        self.group.state().stopped.insert(chat(client));
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.group.state();
        let path = format!("/file/{}", state.next());
        state.files.insert(path.clone(), content.into());
        format!("{}{path}", state.url)
    }

    /// The access key is taken back, or given again.
    pub fn revoke(&self, revoked: bool) {
        self.group.state().revoked = revoked;
    }

    /// Somebody else has the events sent to them, too.
    pub fn subscribe(&self, url: &str) {
        let subscription = json!({"url": url, "time": now()});
        self.group.state().subscriptions.push(subscription);
    }

    /// Whom OK calls.
    pub fn subscriptions(&self) -> Vec<String> {
        let state = self.group.state();
        let urls = state.subscriptions.iter().map(|one| &one["url"]);
        urls.map(|url| url.as_str().unwrap().to_owned()).collect()
    }

    /// What the group sent, in order.
    pub fn sent(&self) -> Vec<Value> {
        let state = self.group.state();
        let sent = state.messages.iter();
        sent.filter(|message| message["sender"]["group_id"].is_string())
            .cloned()
            .collect()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: i64) -> Vec<String> {
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|message| message["recipient"]["chat_id"] == chat(client));
        of_client
            .filter_map(|message| message["message"]["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// Calls everybody with what they have not taken, in order and as often as it takes;
    /// answers how many calls were refused.
    pub async fn deliver(&self) -> usize {
        let waiting = std::mem::take(&mut self.group.state().waiting);
        let mut refused = 0;
        for url in self.subscriptions() {
            for event in &waiting {
                while call(&url, event).await != 200 {
                    refused += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        refused
    }
}

impl Platform for Odnoklassniki {
    const KIND: &'static str = "ok";
    const SENDS: &'static str = "POST me/messages";
    /// The chat has it.
    const TAKEN: DeliveryState = DeliveryState::Sent;

    async fn open() -> Self {
        Self::start().await
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn called(&self) -> toml::Table {
        let url = self.desk.url.clone();
        toml::toml! {
            token = TOKEN
            webhook_secret = SECRET
            api_url = url
        }
    }

    fn asking(&self) -> Option<toml::Table> {
        let mut options = self.called();
        options.insert("intake".to_owned(), "poll".into());
        Some(options)
    }

    async fn ready(&self) {
        until("it is called", || async {
            !self.subscriptions().is_empty()
        })
        .await;
    }

    fn words(&self, client: &str, text: &str) -> String {
        self.told(client, json!({ "text": text }))
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let client = client.parse().unwrap();
        let hologram = json!({"attachments": [{"type": "HOLOGRAM", "payload": {"size": 7}}]});
        let message = self.message(client, hologram);
        let sent = event("MESSAGE_CREATED", client, json!({ "message": message }));
        let danced = event("USER_DANCED", client, json!({}));
        vec![sent.to_string(), danced.to_string()]
    }

    fn call(&self, body: &str) -> Call {
        Call::behind(body, format!("/{SECRET}"))
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        let behind = [
            String::new(),
            format!("?{SECRET}"),
            format!("/{}", &SECRET[1..]),
            format!("/{SECRET}{SECRET}"),
            format!("/{SECRET}/"),
            format!("/{}", SECRET.replace('a', "A")),
            "/an-older-secret-of-ours-as-long-as-it".to_owned(),
        ];
        let calls = behind.map(|behind| Call::behind(body, behind));
        calls.to_vec()
    }

    fn tell(&self, body: &str) {
        self.again(serde_json::from_str(body).unwrap());
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client.parse().unwrap())
    }

    fn quoted(&self, body: &str) -> Option<String> {
        let event: Value = serde_json::from_str(body).unwrap();
        Some(format!("\"reply_to\":{}", event["message"]["mid"]))
    }

    fn flood() -> (Fault, i64) {
        let told = error(11, "LIMIT_REACHED : Limit reached");
        (Fault::Answer(200, told), 10_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for Odnoklassniki {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let pressed = self.sent().pop()?;
        let button = found(&pressed["message"]["attachments"], "text", label)?;
        let fields = json!({"callbackId": "press", "payload": button["payload"],
            "message": pressed["message"]});
        Some(event("MESSAGE_CALLBACK", client.parse().unwrap(), fields).to_string())
    }
}

impl Acts for Odnoklassniki {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let files = pictures.iter().map(|content| {
            let url = self.keep(content.clone());
            json!({"type": "IMAGE", "payload": {"url": url}})
        });
        let files: Vec<Value> = files.collect();
        vec![self.told(client, json!({"text": text, "attachments": files}))]
    }
}

/// Something that a client does, as it is told.
fn event(kind: &str, client: i64, fields: Value) -> Value {
    let mut event = json!({"webhookType": kind, "sender": user(client),
        "recipient": {"chat_id": chat(client)}, "timestamp": now()});
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// A person, as OK tells them.
pub fn user(id: i64) -> Value {
    json!({"name": "Анна Иванова", "user_id": format!("user:{id}")})
}

/// A client's chat with the group.
pub fn chat(client: i64) -> String {
    format!("chat:C{client:x}")
}

fn now() -> i64 {
    engine::clock::now().0
}

async fn call(url: &str, event: &Value) -> u16 {
    let (address, path) = url.split_at(url.find("/hooks").unwrap());
    let request = http::request(Method::POST, path, None)
        .header("content-type", "application/json")
        .body(Full::from(event.to_string()))
        .unwrap();
    http::send(address, request).await.status.as_u16()
}

/// `POST /me/messages/chat:C1?…` is `POST me/messages`, or `sign` where it says nothing;
/// `GET /file/7` is `GET file`.
fn name_of(seen: &Seen) -> String {
    if seen.json()["sender_action"].is_string() {
        return "sign".to_owned();
    }
    let path = seen.path.split('?').next().unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/');
    match parts.next().unwrap_or_default() {
        "me" => format!("{} me/{}", seen.method, parts.next().unwrap_or_default()),
        first => format!("{} {first}", seen.method),
    }
}

impl State {
    fn next(&mut self) -> i64 {
        self.numbers += 1;
        98_211_023_614_189_000 + self.numbers
    }

    fn keep_message(&mut self, sender: &Value, chat: &str, fields: Value) -> Value {
        let seq = self.next();
        let bare = chat.trim_start_matches("chat:");
        let mut message = json!({"seq": seq, "mid": format!("mid:{bare}.{seq:x}")});
        for (name, value) in fields.as_object().unwrap() {
            message[name] = value.clone();
        }
        let said = json!({"sender": sender, "recipient": {"chat_id": chat},
            "message": message, "timestamp": now()});
        self.messages.push(said.clone());
        said
    }

    /// Everything that is posted to chats.
    fn post(&mut self, path: &str, body: &Value) -> Answer {
        let chat = body["recipient"]["chat_id"].as_str().unwrap_or_default();
        let place = path.trim_start_matches("/me/messages/");
        if place != chat || !self.chats.contains(chat) {
            return refused(705, "CHAT_NOT_FOUND : Chat not found");
        }
        if body["sender_action"].is_string() {
            return done(json!({"success": true}));
        }
        if self.stopped.contains(chat) {
            return refused(458, "PRIVACY_RESTRICTION : errors.user.privacy");
        }
        if let Some(refusal) = self.refusal(&body["message"]) {
            return refusal;
        }
        let group = json!({"name": "Shop", "group_id": "group:123456789012345"});
        let said = self.keep_message(&group, chat, body["message"].clone());
        done(json!({"recipient_id": chat, "message_id": said["message"]["mid"]}))
    }

    /// What is wrong with a message.
    fn refusal(&mut self, message: &Value) -> Option<Answer> {
        let wrong = |words: &str| Some(refused(100, &format!("PARAM : {words}")));
        let text = message["text"].as_str().unwrap_or_default();
        let mut files = message["attachments"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if let [keyboard] = &files[..]
            && keyboard["type"] == "INLINE_KEYBOARD"
            && keyboard["payload"]["keyboard"]["buttons"].is_array()
            && !text.is_empty()
        {
            files.clear();
        }
        if text.is_empty() && files.is_empty() {
            return wrong("no text and no attachment");
        }
        if text.encode_utf16().count() > TEXT_MAX {
            return wrong("text is too long");
        }
        if files.len() > FILES_MAX {
            return wrong("too many attachments");
        }
        for file in &files {
            let token = file["payload"]["token"].as_str().unwrap_or_default();
            let kind = file["type"].as_str().unwrap_or("-");
            match self.tokens.get_mut(token) {
                Some(_) if !token.starts_with(kind) => return wrong("another type"),
                None => return wrong("no such token"),
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    return wrong("attachment.not.ready");
                }
            }
        }
        None
    }

    fn history(&self, path: &str, query: &Fields) -> Answer {
        let chat = path.trim_start_matches("/me/messages/");
        let of_chat = self.messages.iter().rev();
        let of_chat = of_chat.filter(|message| message["recipient"]["chat_id"] == chat);
        let count = query["count"].parse().unwrap();
        done(json!({"messages": of_chat.take(count).collect::<Vec<_>>()}))
    }

    fn subscribed(&mut self, body: &Value) -> Answer {
        if body["longPolling"] == true && body["types"].is_array() {
            self.is_asked = true;
        } else if body["url"].is_string() {
            self.subscriptions
                .push(json!({"url": body["url"], "time": now()}));
        } else {
            return refused(100, "PARAM : no address");
        }
        done(json!({"success": true}))
    }

    /// A place for a file; of pictures the token comes later.
    fn place(&mut self, query: &Fields) -> Answer {
        let kind = query["type"].as_str();
        let token = format!("{kind}-{}", self.next());
        let url = format!("{}/upload/{token}?sig=lS8ThopDldI&id=22125556", self.url);
        if kind == "IMAGE" {
            return done(json!({"url": url, "file_id": "1519bf4"}));
        }
        self.tokens.insert(token.clone(), NOT_READY);
        done(json!({"url": url, "token": token}))
    }

    fn upload(&mut self, seen: &Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap_or_default();
        let token = path.rsplit('/').next().unwrap_or_default().to_owned();
        let form = String::from_utf8_lossy(&seen.body).into_owned();
        if seen.path.contains("access_token") || !form.contains("name=\"file\"; filename=\"") {
            return refused(4, "REQUEST : no file");
        }
        if form.contains("filename=\"virus") {
            return refused(505, "PHOTO_NO_IMAGE : this is not allowed");
        }
        if !token.starts_with("IMAGE") {
            return (200, Bytes::new());
        }
        self.tokens.insert(token.clone(), 0);
        done(json!({"photos": {"a+b==": {"token": token}}}))
    }
}

impl Group {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let name = name_of(seen);
        match name.as_str() {
            "GET file" => {
                return match self.state().files.get(&seen.path) {
                    Some(content) => (200, content.clone()),
                    None => (404, Bytes::new()),
                };
            }
            "POST upload" => return self.state().upload(seen),
            _ => {}
        }
        let query = query(&seen.path);
        let is_known = query.get("access_token").is_some_and(|key| key == TOKEN);
        if !is_known || self.state().revoked {
            return refused(102, "PARAM_SESSION_EXPIRED : Session expired");
        }
        let kind = seen.headers.get("content-type");
        let is_json = kind.is_some_and(|kind| kind == "application/json;charset=utf-8");
        if seen.method == Method::POST && !is_json {
            return refused(4, "REQUEST : no JSON");
        }
        if name == "GET me/updates" {
            return self.updates(&query).await;
        }
        let (mut state, body) = (self.state(), seen.json());
        let path = seen.path.split('?').next().unwrap_or_default();
        match name.as_str() {
            "GET me/info" => done(json!({"name": "Shop", "group_id": "group:123456789012345"})),
            "GET me/messages" => state.history(path, &query),
            "POST me/messages" | "sign" => state.post(path, &body),
            "GET me/fileUploadUrl" => state.place(&query),
            "GET me/subscriptions" => done(json!({"subscriptions": state.subscriptions})),
            "POST me/subscribe" => state.subscribed(&body),
            "POST me/unsubscribe" => {
                state.subscriptions.retain(|one| one["url"] != body["url"]);
                done(json!({"success": true}))
            }
            _ => refused(3, "METHOD : no such method"),
        }
    }

    async fn updates(&self, query: &Fields) -> Answer {
        let news = self.news.notified();
        let from = {
            let state = self.state();
            if !state.is_asked {
                return refused(5_000, "INVALID_RESPONSE : no subscription");
            }
            let marker = query.get("marker").map(|marker| marker.parse());
            match marker {
                Some(Ok(marker)) => marker,
                Some(Err(_)) => return refused(100, "PARAM : marker"),
                None => state.read,
            }
        };
        if self.state().events.len() <= from {
            let _ = tokio::time::timeout(POLL, news).await;
        }
        let mut state = self.state();
        let told: Vec<Value> = state.events.iter().skip(from).take(100).cloned().collect();
        let until = from + told.len();
        if query["commit"] == "true" {
            state.read = state.read.max(until);
        }
        done(json!({"updates": told, "marker": until.to_string()}))
    }
}

fn done(told: Value) -> Answer {
    (200, told.to_string().into())
}

/// OK refuses with the status of success.
fn refused(code: i64, words: &str) -> Answer {
    (200, error(code, words).to_string().into())
}

/// An answer that is a refusal.
pub fn error(code: i64, words: &str) -> Value {
    json!({"error_code": code, "error_msg": words, "error_data": null})
}
