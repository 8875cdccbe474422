//! Avito's messenger, as its description of the API has it: tokens are short-lived, the
//! webhook is called within an address of the line's own and told of the account's own
//! messages, too; what nobody has read stays unread; a picture is handed over first.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

use super::desk::{Answer, Desk, Fault, Seen, form, query};
use super::platform::{Acts, Call, Platform};
use crate::until;

/// The account.
pub const ACCOUNT: i64 = 94_235_311;
/// What stands in the address that is called.
pub const SECRET: &str = "7h3-s3cret_of-the-hook";
const CLIENT_ID: &str = "Kf3sJ8xQmZ2vLw9TtYpB";
const CLIENT_SECRET: &str = "vN5r-of-the-application-2Wq";
const TEXT_MAX: usize = 1_000;
const HOUR_SECS: i64 = 3_600;
/// Where an advertisement is.
pub const ITEM_URL: &str = "https://avito.ru/moskva/avtomobili/mazda_3_2008_1768287444";

/// A server with one account.
pub struct Avito {
    /// Its port.
    pub desk: Desk,
    shop: Arc<Shop>,
}

#[derive(Default)]
struct Shop {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    url: String,
    numbers: u64,
    /// Whom the webhook goes to.
    subscriptions: Vec<Value>,
    /// What it did not take yet, in order.
    waiting: Vec<Value>,
    /// What is in the chats, each message with its chat.
    messages: Vec<Value>,
    files: BTreeMap<String, Bytes>,
    /// Pictures that were handed over.
    pictures: BTreeMap<String, Bytes>,
    /// The token that is good.
    token: String,
    tokens: usize,
    revoked: bool,
    /// Chats that the account may not write in.
    closed: BTreeSet<String>,
    /// The webhook is told of what is sent before the sender is answered.
    hasty: bool,
}

impl Avito {
    /// Opens a server.
    pub async fn start() -> Self {
        let shop = Arc::new(Shop::default());
        let served = Arc::clone(&shop);
        let desk = Desk::open(name_of, move |seen| {
            let shop = Arc::clone(&served);
            async move { shop.answer(&seen).await }
        })
        .await;
        shop.state().url.clone_from(&desk.url);
        Self { desk, shop }
    }

    /// A client writes; answers the name of the message.
    pub fn says(&self, client: &str, text: &str) -> String {
        self.sends(client, "text", json!({"text": text}), Value::Null)
    }

    /// A client sends a message of a kind, which perhaps answers another.
    pub fn sends(&self, client: &str, kind: &str, content: Value, quote: Value) -> String {
        let mut message = self.message(client, client, kind, content);
        if !quote.is_null() {
            message["quote"] = quote;
        }
        self.happens(message)
    }

    /// Somebody writes in Avito's own app, as the account.
    pub fn writes(&self, client: &str, text: &str) -> String {
        let account = ACCOUNT.to_string();
        self.happens(self.message(client, &account, "text", json!({"text": text})))
    }

    /// There is a message, and it is told.
    fn happens(&self, message: Value) -> String {
        let id = self.misses(message.clone());
        self.again(message);
        id
    }

    /// There is a message, and the webhook is not told.
    pub fn misses(&self, message: Value) -> String {
        let id = message["id"].as_str().unwrap().to_owned();
        self.shop.state().messages.push(message);
        id
    }

    /// Tells of a message, perhaps once more.
    pub fn again(&self, message: Value) {
        let event = self.event("message", message);
        self.shop.state().waiting.push(event);
    }

    /// A message in a client's chat.
    pub fn message(&self, client: &str, author: &str, kind: &str, content: Value) -> Value {
        let mut state = self.shop.state();
        state.fresh(&chat_of(client), author.parse().unwrap(), kind, content)
    }

    /// An event as the webhook has it.
    pub fn event(&self, kind: &str, message: Value) -> Value {
        self.shop.state().event(kind, message)
    }

    /// A client takes a message back.
    pub fn takes_back(&self, id: &str) {
        let mut state = self.shop.state();
        let mut messages = state.messages.iter_mut();
        let message = messages.find(|message| message["id"] == id).unwrap();
        message["type"] = json!("deleted");
        message["content"] = json!({});
        let event = message.clone();
        let event = state.event("message", event);
        state.waiting.push(event);
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.shop.state();
        let path = format!("/file/{}", state.number());
        state.files.insert(path.clone(), content.into());
        format!("{}{path}", self.desk.url)
    }

    /// Keeps a voice message; answers its name.
    pub fn speaks(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.shop.state();
        let name = format!("3e798a9b-{}", state.number());
        state.files.insert(format!("/file/{name}"), content.into());
        name
    }

    /// The application is good no more, or again.
    pub fn revoke(&self, revoked: bool) {
        self.shop.state().revoked = revoked;
    }

    /// The token ends before its time.
    pub fn end_token(&self) {
        self.shop.state().token.clear();
    }

    /// The account may not write to a client any more.
    pub fn close(&self, client: &str) {
        self.shop.state().closed.insert(chat_of(client));
    }

    /// The webhook is told of what is sent before the sender is answered.
    pub fn hurry(&self) {
        self.shop.state().hasty = true;
    }

    /// Somebody changes whom the webhook goes to.
    pub fn subscribe(&self, subscriptions: Vec<Value>) {
        self.shop.state().subscriptions = subscriptions;
    }

    /// Where the webhook goes.
    pub fn hooks(&self) -> Vec<String> {
        self.shop.state().hooks()
    }

    /// Whether a client's messages are read.
    pub fn is_read(&self, client: &str) -> bool {
        let chat = chat_of(client);
        let state = self.shop.state();
        let mut of_client = state.messages.iter().filter(|it| it["chat_id"] == *chat);
        of_client.all(|message| !is_unread(message))
    }

    /// What the account sent and did not take back.
    pub fn sent(&self) -> Vec<Value> {
        let state = self.shop.state();
        let sent = state
            .messages
            .iter()
            .filter(|it| it["author_id"] == ACCOUNT);
        sent.filter(|it| it["type"] != "deleted").cloned().collect()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: &str) -> Vec<String> {
        let chat = chat_of(client);
        let sent = self.sent().into_iter().filter(|it| it["chat_id"] == *chat);
        sent.filter_map(|it| it["content"]["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// The pictures that were handed over.
    pub fn pictures(&self) -> Vec<Bytes> {
        self.shop.state().pictures.values().cloned().collect()
    }

    /// Calls the webhook with everything that is not taken, as often as it takes.
    pub async fn deliver(&self) {
        let waiting = std::mem::take(&mut self.shop.state().waiting);
        for event in waiting {
            self.shop.tell(&event).await;
        }
    }
}

impl Platform for Avito {
    const KIND: &'static str = "avito";
    const SENDS: &'static str = "messages";

    async fn open() -> Self {
        Self::start().await
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn called(&self) -> toml::Table {
        let url = self.desk.url.clone();
        toml::toml! {
            user_id = ACCOUNT
            client_id = CLIENT_ID
            client_secret = CLIENT_SECRET
            webhook_secret = SECRET
            api_url = url
        }
    }

    fn asking(&self) -> Option<toml::Table> {
        let mut options = self.called();
        options.insert("check_secs".to_owned(), 1.into());
        Some(options)
    }

    async fn is_asked(&self) {
        self.desk.until_seen("chats", 1).await;
    }

    async fn ready(&self) {
        until("the webhook is set", || async { !self.hooks().is_empty() }).await;
    }

    fn words(&self, client: &str, text: &str) -> String {
        let message = self.message(client, client, "text", json!({"text": text}));
        self.event("message", message).to_string()
    }

    fn renamed(&self, body: &str) -> String {
        let mut event: Value = serde_json::from_str(body).unwrap();
        let message = event["payload"]["value"].take();
        self.event("message", message).to_string()
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let message = |kind| self.message(client, client, kind, json!({"depth": 7}));
        let all = [
            ("message", "hologram"),
            ("message", "appCall"),
            ("danced", "text"),
        ];
        let all = all.map(|(event, kind)| self.event(event, message(kind)).to_string());
        all.to_vec()
    }

    /// Nothing at all is how somebody looks whether we are there.
    fn unreadable() -> &'static [&'static str] {
        &["not JSON", "[]", "7", "\"\"", "{\"id\":\"\"}"]
    }

    fn call(&self, body: &str) -> Call {
        Call::behind(body, format!("/{SECRET}"))
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        let behind = [
            String::new(),
            format!("/{}", &SECRET[1..]),
            format!("/{SECRET}{SECRET}"),
            format!("/{SECRET}/"),
            format!("/{}", SECRET.to_uppercase()),
            "/an-older-secret-of-ours".to_owned(),
            format!("?{SECRET}"),
        ];
        behind.map(|behind| Call::behind(body, behind)).to_vec()
    }

    /// The webhook is not called: it is there, and unread.
    fn tell(&self, body: &str) {
        let mut event: Value = serde_json::from_str(body).unwrap();
        let mut message = event["payload"]["value"].take();
        message["direction"] = json!("in");
        message["is_read"] = json!(false);
        self.misses(message);
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client)
    }

    fn flood() -> (Fault, i64) {
        (
            Fault::Answer(429, refusal(429, "Too many requests")),
            10_000,
        )
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Acts for Avito {
    /// No words go along.
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let images = pictures.iter().map(|content| {
            let sizes = json!({"1280x960": self.keep(content.clone())});
            let message = self.message(client, client, "image", json!({"image": {"sizes": sizes}}));
            self.event("message", message).to_string()
        });
        std::iter::once(self.words(client, text))
            .chain(images)
            .collect()
    }
}

fn chat_of(client: &str) -> String {
    format!("u2i-{client}~Kz_Q")
}

fn client_of(chat: &str) -> Option<i64> {
    let client = chat.strip_prefix("u2i-")?.strip_suffix("~Kz_Q")?;
    client.parse().ok()
}

fn is_unread(message: &Value) -> bool {
    message["direction"] == "in" && message["is_read"] == false
}

fn now_secs() -> i64 {
    engine::clock::now().0 / 1_000
}

/// Where a call goes, without the account.
fn parts(path: &str) -> Vec<&str> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["messenger", version, "accounts", account, rest @ ..]
            if *account == ACCOUNT.to_string() =>
        {
            [&[*version], rest].concat()
        }
        other => other.to_vec(),
    }
}

fn name_of(seen: &Seen) -> String {
    let name = match parts(&seen.path).as_slice() {
        ["v3", "chats", _, "messages"] => "history",
        ["v1", "chats", _, "messages"] => "messages",
        ["v1", "chats", _, "messages", "image"] => "image",
        ["v1", "chats", _, "messages", _] => "delete",
        ["v1", "chats", _, "read"] => "read",
        ["v2", "chats", _] => "chat",
        other => other.last().unwrap_or(&""),
    };
    name.to_owned()
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn hooks(&self) -> Vec<String> {
        let urls = self.subscriptions.iter();
        let urls = urls.filter(|it| it["version"] == "3");
        urls.filter_map(|it| it["url"].as_str().map(str::to_owned))
            .collect()
    }

    fn fresh(&mut self, chat: &str, author: i64, kind: &str, content: Value) -> Value {
        let is_own = author == ACCOUNT;
        json!({
            "id": format!("bdcc5bac2d00345f1cc66fa6{:08}", self.number()),
            "chat_id": chat, "chat_type": "u2i", "item_id": 1_768_287_444,
            "user_id": ACCOUNT, "author_id": author, "created": now_secs(),
            "published_at": "2026-11-14T09:13:20Z", "read": null,
            "direction": if is_own { "out" } else { "in" }, "is_read": is_own,
            "type": kind, "content": content,
        })
    }

    fn event(&mut self, kind: &str, mut message: Value) -> Value {
        let fields = message.as_object_mut().unwrap();
        for of_lists in ["direction", "is_read"] {
            fields.remove(of_lists);
        }
        json!({
            "id": format!("f1a9-{}", self.number()), "version": "v3.0.0",
            "timestamp": now_secs(), "payload": {"type": kind, "value": message},
        })
    }

    fn chat(&self, chat: &str) -> Value {
        let mut of_chat = self.messages.iter().rev();
        let last = of_chat.find(|it| it["chat_id"] == chat);
        let client = client_of(chat);
        let profile = json!({
            "url": format!("https://avito.ru/user/{}/profile", client.unwrap_or_default()),
            "avatar": {
                "default": "https://www.avito.st/stub_avatars/_/14_256x256.png",
                "images": {"256x256": "https://www.avito.st/avatars/256x256.png"},
            },
        });
        json!({
            "id": chat, "created": 1_571_412_836, "updated": now_secs(),
            "context": {"type": "item", "value": {
                "id": 1_768_287_444, "title": "Mazda 3 2008", "price_string": "300 000 ₽",
                "status_id": 10, "url": ITEM_URL, "user_id": ACCOUNT,
            }},
            "users": [
                {"id": ACCOUNT, "name": "Магазин"},
                {"id": client, "name": "Анна", "public_user_profile": profile},
            ],
            "last_message": last,
        })
    }

    fn is_known(&self, seen: &Seen) -> bool {
        let given = seen.headers.get("authorization");
        let given = given.and_then(|given| given.to_str().ok());
        let good = format!("Bearer {}", self.token);
        !self.revoked && !self.token.is_empty() && given == Some(good.as_str())
    }

    fn grant(&mut self, seen: &Seen) -> Answer {
        let fields = form(&seen.body);
        let is_good = fields["grant_type"] == "client_credentials"
            && fields["client_id"] == CLIENT_ID
            && fields["client_secret"] == CLIENT_SECRET;
        if !is_good || self.revoked {
            let denied = json!({"error": "invalid_client", "error_description": "No such client"});
            return told(400, denied);
        }
        self.tokens += 1;
        self.token = format!("kChqt9ewQNAcwgbHp4yFd-{}", self.tokens);
        let token = &self.token;
        told(
            200,
            json!({"access_token": token, "expires_in": 86_400, "token_type": "Bearer"}),
        )
    }
}

impl Shop {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls everybody until they have taken it.
    async fn tell(&self, event: &Value) {
        let hooks = self.state().hooks();
        for hook in hooks {
            let call = Call::bare(&event.to_string());
            while call.post(&hook).await.status != 200 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let parts = parts(&seen.path);
        if let ["file", _] = parts.as_slice() {
            return match self.state().files.get(&seen.path) {
                Some(content) => (200, content.clone()),
                None => (404, Bytes::new()),
            };
        }
        if parts == ["token"] {
            return self.state().grant(seen);
        }
        if !self.state().is_known(seen) {
            return told(401, refusal(401, "Unauthorized"));
        }
        if takes_nothing(&parts) && !seen.body.is_empty() {
            return told(400, refusal(400, "nothing is expected"));
        }
        match parts.as_slice() {
            ["v1", "chats", chat, "messages"] => self.send(chat, &seen.json()).await,
            ["v1", "chats", chat, "messages", "image"] => {
                self.send_picture(chat, &seen.json()).await
            }
            ["v1", "uploadImages"] => self.take_picture(seen),
            ["v1", "chats", _, "messages", id] => self.delete(id),
            other => self.look(other, seen),
        }
    }

    fn look(&self, parts: &[&str], seen: &Seen) -> Answer {
        let mut state = self.state();
        let answer = match parts {
            ["core", "v1", "accounts", "self"] => json!({"id": ACCOUNT, "name": "Магазин"}),
            ["messenger", "v1", "subscriptions"] => json!({"subscriptions": state.subscriptions}),
            ["messenger", "v3", "webhook"] => {
                let url = seen.json()["url"].clone();
                state.subscriptions.retain(|known| known["url"] != url);
                let subscription = json!({"url": url, "version": "3"});
                state.subscriptions.push(subscription);
                json!({"ok": true})
            }
            ["messenger", "v1", "webhook", "unsubscribe"] => {
                let url = seen.json()["url"].clone();
                state.subscriptions.retain(|known| known["url"] != url);
                json!({"ok": true})
            }
            ["v2", "chats"] => {
                let query = query(&seen.path);
                assert_eq!(
                    (&*query["unread_only"], &*query["chat_types"]),
                    ("true", "u2i,u2u")
                );
                let unread = state.messages.iter().filter(|it| is_unread(it));
                let chats = unread.filter_map(|it| it["chat_id"].as_str());
                let chats: BTreeSet<&str> = chats.collect();
                let chats: Vec<Value> = chats.into_iter().map(|chat| state.chat(chat)).collect();
                json!({ "chats": chats })
            }
            ["v2", "chats", chat] => state.chat(chat),
            ["v3", "chats", chat, "messages"] => {
                let of_chat = state.messages.iter().filter(|it| it["chat_id"] == *chat);
                let mut messages: Vec<Value> = of_chat.rev().cloned().collect();
                for message in &mut messages {
                    let fields = message.as_object_mut().unwrap();
                    for of_events in ["chat_id", "chat_type", "item_id", "user_id", "published_at"]
                    {
                        fields.remove(of_events);
                    }
                }
                json!(messages)
            }
            ["v1", "chats", chat, "read"] => {
                let of_chat = state
                    .messages
                    .iter_mut()
                    .filter(|it| it["chat_id"] == *chat);
                of_chat.for_each(|message| message["is_read"] = json!(true));
                json!({"ok": true})
            }
            ["v1", "getVoiceFiles"] => {
                let id = query(&seen.path)["voice_ids"].clone();
                let url = format!("{}/file/{id}", state.url);
                json!({"voices_urls": {id: url}})
            }
            _ => return told(404, refusal(404, "Not found")),
        };
        told(200, answer)
    }

    async fn send(&self, chat: &str, fields: &Value) -> Answer {
        let text = fields["message"]["text"].as_str().unwrap_or_default();
        let is_whole = (1..=TEXT_MAX).contains(&text.chars().count());
        if fields["type"] != "text" || !is_whole {
            return told(400, refusal(400, "Validation error"));
        }
        self.put(chat, "text", json!({"text": text})).await
    }

    async fn send_picture(&self, chat: &str, fields: &Value) -> Answer {
        let id = fields["image_id"].as_str().unwrap_or_default();
        if !self.state().pictures.contains_key(id) {
            return told(400, refusal(400, "No such image"));
        }
        let sizes = json!({"1280x960": format!("{}/file/{id}", self.state().url)});
        self.put(chat, "image", json!({"image": {"sizes": sizes}}))
            .await
    }

    /// Puts a message of the account's into a chat, and tells of it.
    async fn put(&self, chat: &str, kind: &str, content: Value) -> Answer {
        if client_of(chat).is_none() {
            return told(404, refusal(404, "Not found"));
        }
        let (message, event, is_hasty) = {
            let mut state = self.state();
            if state.closed.contains(chat) {
                return told(403, refusal(403, "Forbidden"));
            }
            let message = state.fresh(chat, ACCOUNT, kind, content);
            state.messages.push(message.clone());
            let event = state.event("message", message.clone());
            if !state.hasty {
                state.waiting.push(event.clone());
            }
            (message, event, state.hasty)
        };
        if is_hasty {
            self.tell(&event).await;
        }
        let fields = ["id", "created", "direction", "type", "content"];
        let fields = fields.map(|name| (name.to_owned(), message[name].clone()));
        told(200, Value::Object(fields.into_iter().collect()))
    }

    /// A picture, as a form has it.
    fn take_picture(&self, seen: &Seen) -> Answer {
        let at = |what: &[u8]| seen.body.windows(what.len()).position(|it| it == what);
        let (Some(head), Some(_)) = (at(b"\r\n\r\n"), at(b"name=\"uploadfile[]\"")) else {
            return told(400, refusal(400, "No uploadfile[]"));
        };
        let content = seen.body.slice(head + 4..);
        let end = content.windows(4).rposition(|it| it == b"\r\n--").unwrap();
        let mut state = self.state();
        let id = format!("12345.{}", state.number());
        state.pictures.insert(id.clone(), content.slice(..end));
        state
            .files
            .insert(format!("/file/{id}"), content.slice(..end));
        told(
            200,
            json!({id: {"1280x960": "https://img.example/1280x960.png"}}),
        )
    }

    fn delete(&self, id: &str) -> Answer {
        let mut state = self.state();
        let mut messages = state.messages.iter_mut();
        let Some(message) = messages.find(|it| it["id"] == id && it["author_id"] == ACCOUNT) else {
            return told(404, refusal(404, "Not found"));
        };
        if message["created"].as_i64().unwrap() + HOUR_SECS < now_secs() {
            return told(400, refusal(400, "Too late"));
        }
        message["type"] = json!("deleted");
        told(200, json!({}))
    }
}

/// As Avito refuses something.
pub fn refusal(code: u16, words: &str) -> Value {
    json!({"error": {"code": code, "message": words}})
}

/// What is done by its address alone.
fn takes_nothing(parts: &[&str]) -> bool {
    match parts {
        ["v1", "chats", _, "messages", id] => *id != "image",
        other => other.ends_with(&["v1", "subscriptions"]) || other.ends_with(&["read"]),
    }
}

fn told(status: u16, answer: Value) -> Answer {
    (status, answer.to_string().into())
}
