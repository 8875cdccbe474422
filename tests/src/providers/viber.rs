//! Viber's API, as its documentation has it: the webhook is called while it is set, and
//! again with what it did not take; every answer has the status of success and tells by a
//! code of its own; files are fetched from where they are said to be.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::Method;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::Sha256;

use super::desk::{Answer, Desk, Fault, Seen};
use super::platform::{Acts, Buttons, Call, Platform, forged_signatures, found};
use crate::{http, until};

/// The bot's token.
pub const TOKEN: &str = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9";
/// What a picture's or a video's address has to end with.
const ENDINGS: [(&str, &[&str]); 2] = [
    ("picture", &[".jpeg", ".png", ".gif"]),
    ("video", &[".mp4"]),
];
/// What who opens the chat for the first time is told.
pub const WELCOME: &str = "Здравствуйте! Напишите нам.";
const SIGNATURE_HEADER: &str = "x-viber-content-signature";
const CALL_BYTES_MAX: usize = 30_000;

/// A server with one bot.
pub struct Viber {
    /// Its port.
    pub desk: Desk,
    bot: Arc<Bot>,
}

#[derive(Default)]
struct Bot {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: u64,
    webhook: String,
    /// What the webhook did not take yet, in order.
    waiting: Vec<Value>,
    /// What was sent to clients, each with its token.
    sent: Vec<Value>,
    /// What was fetched for them.
    fetched: Vec<Bytes>,
    /// Clients' files.
    files: BTreeMap<String, Bytes>,
    subscribed: BTreeSet<String>,
    /// The token is good no more.
    revoked: bool,
}

impl Viber {
    /// Opens a server.
    pub async fn start() -> Self {
        let bot = Arc::new(Bot::default());
        // Beyond 2⁶³: tokens are no floats, and not signed.
        bot.state().tokens = 17_778_326_890_086_572_700;
        let served = Arc::clone(&bot);
        let desk = Desk::open(name_of, move |seen| {
            let bot = Arc::clone(&served);
            async move { bot.answer(&seen).await }
        })
        .await;
        Self { desk, bot }
    }

    /// Something happens: it is told until it is taken.
    pub fn happens(&self, event: Value) {
        self.bot.state().waiting.push(event);
    }

    /// A client writes, and by that subscribes.
    pub fn says(&self, client: &str, text: &str) {
        self.sends(client, json!({"type": "text", "text": text}));
    }

    /// A client sends a message with these fields.
    pub fn sends(&self, client: &str, message: Value) {
        self.bot.state().subscribed.insert(client.to_owned());
        self.happens(self.message(client, message));
    }

    /// A message as the webhook has it.
    pub fn message(&self, client: &str, message: Value) -> Value {
        let mut event = self.event("message");
        event["sender"] = user(client);
        event["message"] = message;
        // It comes back what went along with what the client was sent last.
        let state = self.bot.state();
        let mut sent = state.sent.iter().rev();
        let last = sent.find(|sent| sent["receiver"] == client);
        if let Some(tracking) = last.map(|sent| sent["tracking_data"].clone()) {
            event["message"]["tracking_data"] = tracking;
        }
        event
    }

    /// An event of a kind, with a token of its own.
    pub fn event(&self, kind: &str) -> Value {
        json!({
            "event": kind, "timestamp": engine::clock::now().0,
            "chat_hostname": "SN-CHAT-05_", "message_token": self.bot.state().token(),
        })
    }

    /// A client opens the chat, perhaps by a link that says something.
    pub fn opens(&self, client: &str, context: Option<&str>) {
        let mut event = self.event("conversation_started");
        event["type"] = json!("open");
        event["user"] = user(client);
        event["subscribed"] = json!(self.bot.state().subscribed.contains(client));
        if let Some(context) = context {
            event["context"] = json!(context);
        }
        self.happens(event);
    }

    /// A client wants no more messages.
    pub fn unsubscribes(&self, client: &str) {
        self.bot.state().subscribed.remove(client);
        let mut event = self.event("unsubscribed");
        event["user_id"] = json!(client);
        self.happens(event);
    }

    /// A client's device tells of the message that was sent as this one.
    pub fn receipt(&self, sent: usize, kind: &str) {
        self.happens(self.told(&self.sent()[sent], kind));
    }

    /// What a client's device tells of a message that was sent.
    fn told(&self, sent: &Value, kind: &str) -> Value {
        let mut event = self.event(kind);
        event["message_token"] = sent["message_token"].clone();
        event["user_id"] = sent["receiver"].clone();
        if kind == "failed" {
            event["desc"] = json!("failure description");
        }
        event
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.bot.state();
        let path = format!("/file/{}", state.token());
        state.files.insert(path.clone(), content.into());
        format!("{}{path}", self.desk.url)
    }

    /// The token is good no more, or again.
    pub fn revoke(&self, revoked: bool) {
        self.bot.state().revoked = revoked;
    }

    /// Somebody removes the webhook.
    pub fn forget_webhook(&self) {
        self.bot.state().webhook.clear();
    }

    /// Where events go; empty while they go nowhere.
    pub fn webhook(&self) -> String {
        self.bot.state().webhook.clone()
    }

    /// What was sent, in order.
    pub fn sent(&self) -> Vec<Value> {
        self.bot.state().sent.clone()
    }

    /// What was fetched for clients, in order.
    pub fn fetched(&self) -> Vec<Bytes> {
        self.bot.state().fetched.clone()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: &str) -> Vec<String> {
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|sent| sent["receiver"] == client);
        of_client
            .filter_map(|sent| sent["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// What the webhook did not take yet.
    pub fn waiting(&self) -> Vec<Value> {
        self.bot.state().waiting.clone()
    }

    /// Calls the webhook with everything that is not taken, as often as it takes. What is
    /// answered to somebody who opens the chat, they are shown.
    pub async fn deliver(&self) {
        let hook = self.webhook();
        let waiting = std::mem::take(&mut self.bot.state().waiting);
        for event in waiting {
            let body = event.to_string();
            let answer = loop {
                let answer = self.call(&body).post(&hook).await;
                if answer.status == 200 {
                    break answer;
                }
                tokio::task::yield_now().await;
            };
            let mut welcome = answer.json();
            if event["event"] == "conversation_started" && welcome.is_object() {
                welcome["receiver"] = event["user"]["id"].clone();
                self.bot.state().sent.push(welcome);
            }
        }
    }
}

impl Platform for Viber {
    const KIND: &'static str = "viber";
    const SENDS: &'static str = "send_message";

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
            sender_name = "Магазин"
            welcome = WELCOME
            api_url = url
        }
    }

    async fn ready(&self) {
        until("the webhook is set", || async {
            !self.webhook().is_empty()
        })
        .await;
    }

    fn client(number: u32) -> String {
        format!("{number:022}==")
    }

    fn hook(&self) -> Option<String> {
        Some(self.webhook())
    }

    fn words(&self, client: &str, text: &str) -> String {
        self.bot.state().subscribed.insert(client.to_owned());
        let message = json!({"type": "text", "text": text});
        self.message(client, message).to_string()
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let mut event = self.event("danced");
        event["sender"] = user(client);
        let message = json!({"type": "hologram", "size": 7});
        vec![self.message(client, message).to_string(), event.to_string()]
    }

    fn call(&self, body: &str) -> Call {
        signed(body)
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        forged_signatures(body, SIGNATURE_HEADER, TOKEN, sign)
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client)
    }

    fn flood() -> (Fault, i64) {
        (Fault::Answer(200, refusal(12, "tooManyRequests")), 10_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for Viber {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        // What is pressed is said.
        found(&self.sent().pop()?["keyboard"], "ActionBody", label)?;
        Some(self.words(client, label))
    }
}

impl Acts for Viber {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let mut words = std::iter::once(text).chain(std::iter::repeat(""));
        let messages = pictures.iter().map(|content| {
            let (media, text) = (self.keep(content.clone()), words.next());
            let picture = json!({"type": "picture", "text": text, "media": media});
            self.message(client, picture).to_string()
        });
        messages.collect()
    }

    fn arrives(&self) -> Option<String> {
        Some(self.told(&self.sent().pop()?, "delivered").to_string())
    }

    fn reads(&self) -> Option<String> {
        Some(self.told(&self.sent().pop()?, "seen").to_string())
    }
}

/// A client as events have them.
pub fn user(client: &str) -> Value {
    json!({
        "id": client, "name": format!("Client {client}"), "avatar": "https://example.com/a.jpg",
        "country": "RU", "language": "ru-RU", "api_version": 10,
    })
}

fn signed(body: &str) -> Call {
    Call::with(body, SIGNATURE_HEADER, sign(TOKEN, body))
}

/// What a body is signed with.
pub fn sign(token: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
    let code = mac.chain_update(body).finalize().into_bytes();
    code.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The method, or `file`.
fn name_of(seen: &Seen) -> String {
    let path = seen.path.trim_start_matches('/');
    let name = path.split('/').next().unwrap_or_default();
    name.to_owned()
}

impl State {
    fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }
}

impl Bot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        if seen.method == Method::GET {
            return match self.state().files.get(&seen.path) {
                Some(content) => (200, content.clone()),
                None => (404, Bytes::new()),
            };
        }
        let given = seen.headers.get("x-viber-auth-token");
        if given.is_none_or(|given| given != TOKEN) || self.state().revoked {
            return told(refusal(2, "invalidAuthToken"));
        }
        let fields = seen.json();
        let answer = match name_of(seen).as_str() {
            "set_webhook" => self.set_webhook(&fields).await,
            "get_account_info" => json!({
                "status": 0, "status_message": "ok", "id": "pa:75346594275468546724",
                "name": "Shop", "uri": "shop", "webhook": self.webhook(),
                "event_types": ["delivered", "seen"], "subscribers_count": 35,
            }),
            "send_message" => self.send(fields, seen.body.len()).await,
            _ => return (404, Bytes::new()),
        };
        told(answer)
    }

    fn webhook(&self) -> Value {
        let webhook = self.state().webhook.clone();
        if webhook.is_empty() {
            return Value::Null;
        }
        json!(webhook)
    }

    async fn set_webhook(&self, fields: &Value) -> Value {
        let url = fields["url"].as_str().unwrap_or_default();
        let token = self.state().token();
        let event = json!({"event": "webhook", "timestamp": 1, "message_token": token});
        let body = event.to_string();
        let answer = signed(&body).post(url).await;
        if answer.status != 200 {
            return refusal(1, "Result:Bad Request");
        }
        url.clone_into(&mut self.state().webhook);
        let types = fields["event_types"].clone();
        json!({"status": 0, "status_message": "ok", "event_types": types})
    }

    async fn send(&self, mut fields: Value, length: usize) -> Value {
        if let Some(refused) = self.refused(&fields, length) {
            return refused;
        }
        if let Some(media) = fields["media"].as_str() {
            let Some(content) = fetched(fields["type"].as_str().unwrap(), media).await else {
                return refusal(3, "badData: the media cannot be had");
            };
            self.state().fetched.push(content);
        }
        let mut state = self.state();
        let token = state.token();
        fields["message_token"] = json!(token);
        state.sent.push(fields);
        json!({
            "status": 0, "status_message": "ok", "message_token": token,
            "chat_hostname": "SN-CHAT-05_", "billing_status": 1,
        })
    }

    fn refused(&self, fields: &Value, length: usize) -> Option<Value> {
        let letters = |name: &Value| name.as_str().map_or(0, |name| name.chars().count());
        let kind = fields["type"].as_str().unwrap_or_default();
        let is_whole = match kind {
            "text" => (1..=7_000).contains(&letters(&fields["text"])),
            "picture" => fields["text"].is_string() && letters(&fields["text"]) <= 768,
            "video" => fields["size"].is_u64(),
            "file" => fields["size"].is_u64() && letters(&fields["file_name"]) > 0,
            _ => false,
        };
        let is_named = (1..=28).contains(&letters(&fields["sender"]["name"]));
        if !is_whole || !is_named || length > CALL_BYTES_MAX {
            return Some(refusal(3, "badData"));
        }
        let state = self.state();
        if state.webhook.is_empty() {
            return Some(refusal(10, "webhookNotSet"));
        }
        let receiver = fields["receiver"].as_str().unwrap_or_default();
        let is_subscribed = state.subscribed.contains(receiver);
        (!is_subscribed).then(|| refusal(6, "receiverNotSubscribed"))
    }
}

/// What is at an address, where it is one that Viber takes.
async fn fetched(kind: &str, media: &str) -> Option<Bytes> {
    let path = media.split('?').next().unwrap_or_default();
    let wanted = ENDINGS.iter().find(|(known, _)| *known == kind);
    let is_good = wanted.is_none_or(|(_, ends)| ends.iter().any(|end| path.ends_with(end)));
    let (address, path) = media.split_at(media.find("/files/")?);
    let request = http::request(Method::GET, path, None);
    let answer = http::send(address, request.body(Full::default()).unwrap()).await;
    let is_good = is_good && answer.status == 200 && media.len() <= 2_000;
    is_good.then_some(answer.body)
}

/// As Viber refuses something.
pub fn refusal(code: i64, words: &str) -> Value {
    json!({"status": code, "status_message": words})
}

fn told(answer: Value) -> Answer {
    (200, answer.to_string().into())
}
