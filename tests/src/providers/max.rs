//! MAX's servers, as their schema and libraries have them: updates have no number, are told
//! again until they are committed or taken with exactly 200, and by either way only; a file
//! is handed over elsewhere and not ready at once; errors are a code and words.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::Method;
use bytes::Bytes;
use proto::channels::v1::DeliveryState;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::desk::{Answer, Desk, Fault, Fields, Seen, query};
use super::platform::{Acts, Buttons, Call, Platform, forged_secrets, found};
use crate::until;

/// The bot of every scenario.
pub const TOKEN: &str = "f9LHodD0cOJf4_DkJGeq8BkDgc5vgSwZocVrn44oirfMzUQ4mv5k";
/// What the webhook is called with.
pub const SECRET: &str = "a-secret-of-sixteen";
const SECRET_HEADER: &str = "x-max-bot-api-secret";
/// How long a poll is held where nothing comes, whatever it asks for.
const POLL: Duration = Duration::from_millis(500);
/// So often a message with a fresh file is refused.
const NOT_READY: usize = 2;

/// A server with one bot.
pub struct Max {
    /// Its port.
    pub desk: Desk,
    bot: Arc<Bot>,
}

struct Bot {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    url: String,
    numbers: i64,
    /// Everything that happened: a place in it is a marker.
    updates: Vec<Value>,
    committed: usize,
    /// What those who are called have not taken.
    waiting: Vec<Value>,
    subscriptions: Vec<Value>,
    /// What is in the dialogues.
    messages: Vec<Value>,
    /// How often each token will still be refused.
    tokens: BTreeMap<String, usize>,
    files: BTreeMap<String, Bytes>,
    /// Who has a dialogue with the bot.
    clients: BTreeSet<i64>,
    stopped: BTreeSet<i64>,
    revoked: bool,
}

impl Max {
    /// Opens a server.
    pub async fn start() -> Self {
        let bot = Arc::new(Bot {
            state: Mutex::default(),
            news: Notify::new(),
        });
        let served = Arc::clone(&bot);
        let desk = Desk::open(name_of, move |seen| {
            let bot = Arc::clone(&served);
            async move { bot.answer(&seen).await }
        })
        .await;
        bot.state().url.clone_from(&desk.url);
        Self { desk, bot }
    }

    /// Something happens; answers how it is told.
    pub fn happens(&self, kind: &str, fields: Value) -> Value {
        let update = update(kind, fields);
        self.again(update.clone());
        update
    }

    /// Tells something once more, as after an answer that was lost.
    pub fn again(&self, update: Value) {
        let mut state = self.bot.state();
        state.updates.push(update.clone());
        state.waiting.push(update);
        drop(state);
        self.bot.news.notify_waiters();
    }

    /// A client writes; answers the name of the message.
    pub fn says(&self, client: i64, text: &str) -> String {
        self.sends(client, json!({"text": text}), Value::Null)
    }

    /// A client sends a message with this body and link.
    pub fn sends(&self, client: i64, body: Value, link: Value) -> String {
        let message = self.message(client, body, link);
        let mid = message["body"]["mid"].as_str().unwrap().to_owned();
        self.happens("message_created", json!({"message": message}));
        mid
    }

    /// A message of a client's, as updates have it.
    pub fn message(&self, client: i64, body: Value, link: Value) -> Value {
        let mut state = self.bot.state();
        state.clients.insert(client);
        let mut message = state.fresh(&user(client), client);
        for (name, value) in body.as_object().unwrap() {
            message["body"][name] = value.clone();
        }
        // What is nothing is left out.
        if !link.is_null() {
            message["link"] = link;
        }
        state.messages.push(message.clone());
        message
    }

    /// The first message of a client.
    pub fn first_of(&self, client: i64) -> Value {
        let state = self.bot.state();
        let mut all = state.messages.iter();
        let first = all.find(|message| message["sender"]["user_id"] == client);
        first.unwrap().clone()
    }

    /// A client starts the bot.
    pub fn starts(&self, client: i64, payload: Option<&str>) {
        self.bot.state().stopped.remove(&client);
        self.bot.state().clients.insert(client);
        let mut told = json!({"chat_id": chat(client), "user": user(client)});
        if let Some(payload) = payload {
            told["payload"] = json!(payload);
        }
        self.happens("bot_started", told);
    }

    /// A client stops the bot; whether it is told of that is up to the scenario.
    pub fn stop(&self, client: i64) {
        self.bot.state().stopped.insert(client);
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.bot.state();
        let path = format!("/file/{}", state.next());
        state.files.insert(path.clone(), content.into());
        format!("{}{path}", state.url)
    }

    /// The token is taken back, or given again.
    pub fn revoke(&self, revoked: bool) {
        self.bot.state().revoked = revoked;
    }

    /// Somebody else has the updates sent to them, too.
    pub fn subscribe(&self, url: &str) {
        let subscription = json!({"url": url, "time": now(), "update_types": null});
        self.bot.state().subscriptions.push(subscription);
    }

    /// Whom MAX calls.
    pub fn subscriptions(&self) -> Vec<Value> {
        self.bot.state().subscriptions.clone()
    }

    /// What the bot sent, in order, as it is in the dialogues now.
    pub fn sent(&self) -> Vec<Value> {
        let state = self.bot.state();
        let sent = state.messages.iter();
        sent.filter(|message| message["sender"]["is_bot"] == true)
            .cloned()
            .collect()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: i64) -> Vec<String> {
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|message| message["recipient"]["user_id"] == client);
        of_client
            .filter_map(|message| message["body"]["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// Calls everybody with what they have not taken, in order and as often as it takes;
    /// answers how many calls were refused.
    pub async fn deliver(&self) -> usize {
        let (subscriptions, waiting) = {
            let mut state = self.bot.state();
            let waiting = std::mem::take(&mut state.waiting);
            (state.subscriptions.clone(), waiting)
        };
        let mut refused = 0;
        for subscription in subscriptions {
            for update in &waiting {
                while call(&subscription, update).await != 200 {
                    refused += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        refused
    }
}

impl Max {
    fn options(&self, intake: &str) -> toml::Table {
        let url = self.desk.url.clone();
        toml::toml! {
            token = TOKEN
            intake = intake
            webhook_secret = SECRET
            api_url = url
        }
    }

    /// What tells of a message of a client's.
    fn told(&self, kind: &str, client: &str, body: Value) -> String {
        let message = self.message(client.parse().unwrap(), body, Value::Null);
        update(kind, json!({ "message": message })).to_string()
    }
}

impl Platform for Max {
    const KIND: &'static str = "max";
    const SENDS: &'static str = "POST messages";
    // It is looked for.
    const TAKEN: DeliveryState = DeliveryState::Sent;

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
        until("it is subscribed", || async {
            !self.subscriptions().is_empty()
        })
        .await;
    }

    fn hook(&self) -> Option<String> {
        Some(self.subscriptions().first()?["url"].as_str()?.to_owned())
    }

    fn words(&self, client: &str, text: &str) -> String {
        self.told("message_created", client, json!({"text": text}))
    }

    fn renamed(&self, body: &str) -> String {
        let mut update: Value = serde_json::from_str(body).unwrap();
        let at = update["timestamp"].as_i64().unwrap();
        update["timestamp"] = json!(at + self.bot.state().next() % 1_000);
        update.to_string()
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let hologram = json!({"attachments": [{"type": "hologram", "payload": {"id": 7}}]});
        vec![
            self.told("message_created", client, hologram),
            self.told("message_danced", client, json!({"text": "?"})),
        ]
    }

    fn call(&self, body: &str) -> Call {
        Call::with(body, SECRET_HEADER, SECRET)
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        forged_secrets(body, SECRET_HEADER, SECRET)
    }

    fn tell(&self, body: &str) {
        self.again(serde_json::from_str(body).unwrap());
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client.parse().unwrap())
    }

    fn quoted(&self, body: &str) -> Option<String> {
        let update: Value = serde_json::from_str(body).unwrap();
        Some(format!("\"mid\":{}", update["message"]["body"]["mid"]))
    }

    fn flood() -> (Fault, i64) {
        let told = error("too.many.requests", "Too many requests");
        (Fault::Answer(429, told), 2_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for Max {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let pressed = self.sent().pop()?;
        let button = found(&pressed["body"]["attachments"], "text", label)?;
        let at = self.bot.state().next();
        let press = json!({"timestamp": now(), "callback_id": format!("press {at}"),
            "payload": button["payload"], "user": user(client.parse().unwrap())});
        let fields = json!({"callback": press, "message": pressed});
        Some(update("message_callback", fields).to_string())
    }
}

impl Acts for Max {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let files = pictures.iter().map(|content| {
            let url = self.keep(content.clone());
            json!({"type": "image", "payload": {"url": url, "token": "t"}})
        });
        let files: Vec<Value> = files.collect();
        let body = json!({"text": text, "attachments": files});
        vec![self.told("message_created", client, body)]
    }
}

/// An update as it is told.
fn update(kind: &str, fields: Value) -> Value {
    let mut update = json!({"update_type": kind, "timestamp": now(), "user_locale": "ru"});
    for (name, value) in fields.as_object().unwrap() {
        update[name] = value.clone();
    }
    update
}

/// A person, as MAX tells them.
pub fn user(id: i64) -> Value {
    json!({"user_id": id, "first_name": "Анна", "last_name": "Иванова", "is_bot": false,
        "last_activity_time": now(), "name": "Анна Иванова"})
}

/// The number of a client's dialogue with the bot.
pub fn chat(client: i64) -> i64 {
    client / 3
}

fn bot() -> Value {
    json!({"user_id": 229_229_229, "first_name": "Shop", "username": "shop_bot",
        "is_bot": true, "last_activity_time": now(), "name": "Shop"})
}

fn now() -> i64 {
    engine::clock::now().0
}

async fn call(subscription: &Value, update: &Value) -> u16 {
    let secret = subscription["secret"].as_str().unwrap();
    let call = Call::with(&update.to_string(), SECRET_HEADER, secret);
    let answer = call.post(subscription["url"].as_str().unwrap()).await;
    answer.status.as_u16()
}

/// `POST /messages?…` is `POST messages`, `GET /file/7` is `GET file`.
fn name_of(seen: &Seen) -> String {
    let path = seen.path.split('?').next().unwrap_or_default();
    let first = path.trim_start_matches('/').split('/').next();
    format!("{} {}", seen.method, first.unwrap_or_default())
}

impl State {
    fn next(&mut self) -> i64 {
        self.numbers += 1;
        116_328_147_937_082_000 + self.numbers
    }

    /// A message without words.
    fn fresh(&mut self, sender: &Value, client: i64) -> Value {
        let seq = self.next();
        json!({
            "sender": sender, "timestamp": now(),
            "recipient": {"chat_id": chat(client), "chat_type": "dialog", "user_id": client},
            "body": {"mid": format!("mid.{seq:032x}"), "seq": seq},
        })
    }

    fn send(&mut self, query: &Fields, body: &Value) -> Answer {
        let client: i64 = query["user_id"].parse().unwrap();
        if !self.clients.contains(&client) {
            return refused(404, "chat.not.found", "dialog.not.found");
        }
        if self.stopped.contains(&client) {
            let words = format!("Key: error.dialog.suspended, args: [{client},].");
            return refused(403, "chat.denied", &words);
        }
        if let Some(refusal) = self.refusal(body) {
            return refusal;
        }
        let mut message = self.fresh(&bot(), client);
        message["body"]["text"] = body["text"].clone();
        message["body"]["attachments"] = body["attachments"].clone();
        message["link"] = body["link"].clone();
        self.messages.push(message.clone());
        done(json!({ "message": message }))
    }

    /// What is wrong with a message.
    fn refusal(&mut self, body: &Value) -> Option<Answer> {
        let wrong = |words: &str| Some(refused(400, "proto.payload", words));
        for name in ["text", "attachments", "link"] {
            body.get(name)?;
        }
        let text = body["text"].as_str().unwrap_or_default();
        let mut files = body["attachments"].as_array().cloned().unwrap_or_default();
        if let [keyboard] = &files[..]
            && keyboard["type"] == "inline_keyboard"
            && keyboard["payload"]["buttons"].is_array()
            && !text.is_empty()
        {
            files.clear();
        }
        if text.is_empty() && files.is_empty() {
            return wrong("Must have at least a text or an attachment");
        }
        if text.encode_utf16().count() > 4_000 {
            return wrong("text: size must be between 0 and 4000");
        }
        let is_alone = |file: &Value| matches!(file["type"].as_str(), Some("file" | "audio"));
        if files.len() > 12 || (files.len() > 1 && files.iter().any(is_alone)) {
            return wrong("Must be the only attachment in message");
        }
        for file in &files {
            let payload = &file["payload"];
            let photo = payload["photos"]
                .as_object()
                .and_then(|all| all.values().next());
            let token = photo.unwrap_or(payload)["token"]
                .as_str()
                .unwrap_or_default();
            match self.tokens.get_mut(token) {
                None => return wrong("Invalid token"),
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    return Some(refused(400, "attachment.not.ready", ""));
                }
            }
        }
        None
    }

    fn change(&mut self, method: &Method, query: &Fields, body: &Value) -> Answer {
        let mid = &query["message_id"];
        let mut all = self.messages.iter();
        let Some(at) = all.position(|message| message["body"]["mid"] == *mid) else {
            return refused(404, "not.found", "Message not found");
        };
        if *method == Method::DELETE {
            self.messages.remove(at);
            return done(json!({"success": true}));
        }
        // What is nothing stays as it is.
        for name in ["text", "attachments"] {
            if !body[name].is_null() {
                self.messages[at]["body"][name] = body[name].clone();
            }
        }
        done(json!({"success": true}))
    }

    fn history(&self, query: &Fields) -> Answer {
        let (chat, count): (i64, usize) = (
            query["chat_id"].parse().unwrap(),
            query["count"].parse().unwrap(),
        );
        let of_chat = self.messages.iter().rev();
        let of_chat = of_chat.filter(|message| message["recipient"]["chat_id"] == chat);
        done(json!({"messages": of_chat.take(count).collect::<Vec<_>>()}))
    }

    fn on_subscriptions(&mut self, method: &Method, query: &Fields, body: &Value) -> Answer {
        if *method == Method::GET {
            let mut told = self.subscriptions.clone();
            for subscription in &mut told {
                subscription.as_object_mut().unwrap().remove("secret");
            }
            return done(json!({ "subscriptions": told }));
        }
        let url = query.get("url").map_or(&body["url"], |_| &Value::Null);
        let url = query.get("url").map_or(url.clone(), |url| json!(url));
        self.subscriptions.retain(|known| known["url"] != url);
        if *method == Method::POST {
            let mut subscription = body.clone();
            subscription["time"] = json!(now());
            self.subscriptions.push(subscription);
        }
        done(json!({"success": true}))
    }

    /// A place for a file; of videos and voices the token comes first.
    fn place(&mut self, query: &Fields) -> Answer {
        let kind = query["type"].as_str();
        let token = format!("{kind}-{}", self.next());
        let url = format!("{}/upload/{token}", self.url);
        match kind {
            "video" | "audio" => {
                self.tokens.insert(token.clone(), NOT_READY);
                done(json!({"url": url, "token": token}))
            }
            _ => done(json!({ "url": url })),
        }
    }

    fn upload(&mut self, seen: &Seen) -> Answer {
        let token = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
        let form = String::from_utf8_lossy(&seen.body).into_owned();
        let is_strange = seen.headers.contains_key("authorization");
        if is_strange || !form.contains("name=\"data\"; filename=\"") {
            return refused(400, "wrong", "no file in the field \"data\"");
        }
        if form.contains("filename=\"virus") {
            return refused(415, "unsupported.type", "this type is not allowed");
        }
        match token.split('-').next() {
            Some("image") => {
                self.tokens.insert(token.clone(), 0);
                done(json!({"photos": {"a+b==": {"token": token}}}))
            }
            Some("file") => {
                self.tokens.insert(token.clone(), NOT_READY);
                done(json!({"fileId": self.next(), "token": token}))
            }
            _ => {
                let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<retval>1</retval>";
                (200, xml.into())
            }
        }
    }
}

impl Bot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let name = name_of(seen);
        match name.as_str() {
            "GET file" => {
                return match self.state().files.get(&seen.path) {
                    Some(content) => (200, content.clone()),
                    None => refused(404, "not.found", ""),
                };
            }
            "POST upload" => return self.state().upload(seen),
            _ => {}
        }
        let given = seen.headers.get("authorization");
        let is_known = given.is_some_and(|given| given == TOKEN) && !self.state().revoked;
        if !is_known {
            return refused(401, "verify.token", "Invalid access_token");
        }
        let query = query(&seen.path);
        if name == "GET updates" {
            return self.updates(&query).await;
        }
        let (mut state, body) = (self.state(), seen.json());
        match name.as_str() {
            "GET me" => done(bot()),
            "GET messages" => state.history(&query),
            "POST messages" => state.send(&query, &body),
            "PUT messages" | "DELETE messages" => state.change(&seen.method, &query, &body),
            "POST uploads" => state.place(&query),
            "GET videos" => {
                let token = seen.path.rsplit('/').next().unwrap_or_default();
                let url = format!("{}/file/{token}", state.url);
                done(
                    json!({"token": token, "width": 9, "height": 9, "duration": 1,
                    "urls": {"mp4_1080": null, "mp4_720": url, "hls": "https://hls.example/"}}),
                )
            }
            "GET subscriptions" | "POST subscriptions" | "DELETE subscriptions" => {
                state.on_subscriptions(&seen.method, &query, &body)
            }
            "POST answers" if body["notification"].is_null() && body["message"].is_null() => {
                refused(400, "proto.payload", "nothing to answer")
            }
            "POST answers" | "POST chats" => done(json!({"success": true})),
            _ => refused(404, "not.found", "no such method"),
        }
    }

    async fn updates(&self, query: &Fields) -> Answer {
        let news = self.news.notified();
        let from = {
            let mut state = self.state();
            if !state.subscriptions.is_empty() {
                return refused(405, "method.not.allowed", "The bot has a subscription");
            }
            // What is before the marker is committed.
            if let Some(marker) = query.get("marker") {
                state.committed = marker.parse().unwrap();
            }
            state.committed
        };
        if self.state().updates.len() <= from {
            let _ = tokio::time::timeout(POLL, news).await;
        }
        let state = self.state();
        let told: Vec<&Value> = state.updates.iter().skip(from).take(100).collect();
        done(json!({"updates": told, "marker": from + told.len()}))
    }
}

fn done(told: Value) -> Answer {
    (200, told.to_string().into())
}

fn refused(status: u16, code: &str, words: &str) -> Answer {
    let body = json!({"code": code, "message": words});
    (status, body.to_string().into())
}

/// An answer that is a refusal.
pub fn error(code: &str, words: &str) -> Value {
    json!({"code": code, "message": words})
}
