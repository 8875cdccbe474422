//! The server of the Bot API, as its source has it: updates of one chat go one after the
//! other and are told again until they are taken; a webhook and `getUpdates` exclude each
//! other; errors are JSON with a code and words.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::desk::{Answer, Desk, Fault, Seen};
use super::platform::{Acts, Albums, Buttons, Call, HEART, Platform, forged_secrets, found};

/// The bot of every scenario.
pub const TOKEN: &str = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// What the webhook is called with.
pub const SECRET: &str = "a-secret-of-sixteen";
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// How long a poll is held where nothing comes, whatever it asks for.
const POLL: Duration = Duration::from_millis(500);

/// A server with one bot.
pub struct Telegram {
    /// Its port.
    pub desk: Desk,
    bot: Arc<Bot>,
}

#[derive(Default)]
struct Bot {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    numbers: i64,
    /// Not confirmed yet, in order.
    updates: BTreeMap<i64, Value>,
    webhook: String,
    secret: String,
    /// What is in each chat, by its number.
    sent: Vec<Value>,
    files: BTreeMap<String, Bytes>,
    blocked: BTreeSet<i64>,
    /// Tokens that are good no more are all.
    revoked: bool,
    /// Times that a message was shown to be typed, buttons that were answered.
    signs: Vec<Value>,
}

impl Telegram {
    /// Opens a server.
    pub async fn start() -> Self {
        let bot = Arc::new(Bot::default());
        let served = Arc::clone(&bot);
        let desk = Desk::open(method_of, move |seen| {
            let bot = Arc::clone(&served);
            async move { bot.answer(&seen).await }
        })
        .await;
        Self { desk, bot }
    }

    /// Something happens: it is told until it is taken. Answers its number.
    pub fn happens(&self, kind: &str, what: Value) -> i64 {
        let mut state = self.bot.state();
        let number = state.next();
        let update = json!({"update_id": number, kind: what});
        state.updates.insert(number, update);
        drop(state);
        self.bot.news.notify_waiters();
        number
    }

    /// A client writes; answers the number of the message.
    pub fn says(&self, client: i64, text: &str) -> i64 {
        self.sends(client, json!({"text": text}))
    }

    /// A client sends a message with these fields.
    pub fn sends(&self, client: i64, fields: Value) -> i64 {
        let number = self.bot.state().next();
        self.happens("message", self.message(client, number, fields));
        number
    }

    /// A message as updates have it.
    pub fn message(&self, client: i64, number: i64, fields: Value) -> Value {
        let mut message = json!({
            "message_id": number,
            "from": user(client),
            "chat": chat(client),
            "date": 1_794_650_000 + number % 1_000_000,
        });
        for (name, value) in fields.as_object().unwrap() {
            message[name] = value.clone();
        }
        message
    }

    /// Tells an update once more, as after an answer that was lost.
    pub fn again(&self, update: Value) {
        let number = update["update_id"].as_i64().unwrap();
        self.bot.state().updates.insert(number, update);
        self.bot.news.notify_waiters();
    }

    /// Keeps a file; answers its id.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.bot.state();
        let id = format!("AgACAgIAAxkBAAI{}", state.next());
        state.files.insert(id.clone(), content.into());
        id
    }

    /// The files of expired messages are gone.
    pub fn lose_files(&self) {
        self.bot.state().files.clear();
    }

    /// A client blocks the bot.
    pub fn block(&self, client: i64) {
        self.bot.state().blocked.insert(client);
    }

    /// The owner makes a new token.
    pub fn revoke(&self, revoked: bool) {
        self.bot.state().revoked = revoked;
    }

    /// What is in the chats, as it was sent, in order.
    pub fn sent(&self) -> Vec<Value> {
        self.bot.state().sent.clone()
    }

    /// The texts that a client was sent.
    pub fn texts_of(&self, client: i64) -> Vec<String> {
        let state = self.bot.state();
        // A form has numbers as texts.
        let told = &client.to_string();
        let of_client = state
            .sent
            .iter()
            .filter(|sent| sent["chat_id"] == json!(client) || sent["chat_id"] == *told);
        of_client
            .filter_map(|sent| sent["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// Signs that were shown.
    pub fn signs(&self) -> Vec<Value> {
        self.bot.state().signs.clone()
    }

    /// Where the webhook leads, if there is one.
    pub fn webhook(&self) -> String {
        self.bot.state().webhook.clone()
    }

    /// Somebody with the token removes the webhook.
    pub fn remove_webhook(&self) {
        self.bot.state().webhook.clear();
    }

    /// Calls the webhook with everything that is not taken, each chat in its order and the
    /// chats at once, as often as it takes; answers how many calls were refused.
    pub async fn deliver(&self) -> usize {
        let (url, secret, updates) = {
            let state = self.bot.state();
            let updates: Vec<Value> = state.updates.values().cloned().collect();
            (state.webhook.clone(), state.secret.clone(), updates)
        };
        let mut chats: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for update in updates {
            let chat = chat_of(&update);
            chats.entry(chat).or_default().push(update);
        }
        let chats = chats.into_values().map(|updates| {
            let (url, secret, bot) = (url.clone(), secret.clone(), Arc::clone(&self.bot));
            tokio::spawn(async move { bot.deliver_chat(&url, &secret, updates).await })
        });
        let mut refused = 0;
        for chat in chats.collect::<Vec<_>>() {
            refused += chat.await.unwrap();
        }
        refused
    }
}

impl Telegram {
    /// The update that tells of a message with these fields.
    fn update(&self, client: &str, fields: Value) -> Value {
        let (client, mut state) = (client.parse().unwrap(), self.bot.state());
        let (number, update) = (state.next(), state.next());
        drop(state);
        json!({"update_id": update, "message": self.message(client, number, fields)})
    }

    fn options(&self, intake: &str) -> toml::Table {
        let url = self.desk.url.clone();
        toml::toml! {
            token = TOKEN
            intake = intake
            webhook_secret = SECRET
            api_url = url
        }
    }
}

impl Platform for Telegram {
    const KIND: &'static str = "telegram";
    const SENDS: &'static str = "sendMessage";

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
        self.desk.until_seen("setWebhook", 1).await;
    }

    fn hook(&self) -> Option<String> {
        Some(self.webhook())
    }

    fn words(&self, client: &str, text: &str) -> String {
        self.update(client, json!({"text": text})).to_string()
    }

    fn renamed(&self, body: &str) -> String {
        let mut update: Value = serde_json::from_str(body).unwrap();
        update["update_id"] = json!(self.bot.state().next());
        update.to_string()
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let fields = json!({"hologram": {"size": 7}});
        vec![
            self.update(client, fields).to_string(),
            self.update(client, json!({})).to_string(),
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
        let number = &update["message"]["message_id"];
        Some(format!("\"message_id\":{number}"))
    }

    fn flood() -> (Fault, i64) {
        let told = json!({"ok": false, "error_code": 429,
            "description": "Too Many Requests: retry after 100",
            "parameters": {"retry_after": 100}});
        (Fault::Answer(429, told), 100_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for Telegram {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let pressed = self.sent().pop()?;
        let button = found(&pressed["reply_markup"], "text", label)?;
        let id: i64 = client.parse().unwrap();
        let mut state = self.bot.state();
        let (number, update) = (state.next(), state.next());
        drop(state);
        let mut message = self.message(id, number, json!({"text": pressed["text"]}));
        message["reply_markup"] = pressed["reply_markup"].clone();
        let press = json!({"id": number.to_string(), "from": user(id), "message": message,
            "chat_instance": "-42", "data": button["callback_data"]});
        Some(json!({"update_id": update, "callback_query": press}).to_string())
    }
}

impl Albums for Telegram {
    fn pieces(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let mut captions = std::iter::once(text).chain(std::iter::repeat(""));
        let pieces = pictures.iter().map(|content| {
            let id = self.keep(content.clone());
            let photo = json!([{"file_id": id, "file_unique_id": id, "width": 9, "height": 9}]);
            let caption = captions.next().unwrap();
            let fields = json!({"photo": photo, "caption": caption, "media_group_id": text});
            self.update(client, fields).to_string()
        });
        pieces.collect()
    }
}

impl Acts for Telegram {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        self.pieces(client, text, pictures)
    }

    fn likes(&self) -> Option<String> {
        let sent = self.sent().pop()?;
        let client = sent["chat_id"].as_i64()?;
        let update = self.bot.state().next();
        let reaction = json!({"chat": chat(client), "user": user(client),
            "message_id": sent["message_id"], "date": 1, "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": HEART}]});
        Some(json!({"update_id": update, "message_reaction": reaction}).to_string())
    }
}

/// A person, as the Bot API tells them.
pub fn user(id: i64) -> Value {
    json!({"id": id, "is_bot": false, "first_name": format!("Client {id}"), "language_code": "ru"})
}

/// Their private chat with the bot.
pub fn chat(id: i64) -> Value {
    json!({"id": id, "first_name": format!("Client {id}"), "type": "private"})
}

fn chat_of(update: &Value) -> String {
    let of = update.as_object().unwrap().values();
    of.filter_map(|value| value.get("chat").or(value.get("from")))
        .map(|chat| chat["id"].to_string())
        .next()
        .unwrap_or_default()
}

/// `/bot…/sendMessage` is `sendMessage`, `/file/bot…/…` is `file`.
fn method_of(seen: &Seen) -> String {
    let path = seen.path.split('?').next().unwrap_or_default();
    if path.starts_with("/file/") {
        return "file".to_owned();
    }
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

impl State {
    fn next(&mut self) -> i64 {
        self.numbers += 1;
        9_007_199_254_740_992 + self.numbers
    }
}

impl Bot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver_chat(&self, url: &str, secret: &str, updates: Vec<Value>) -> usize {
        let mut refused = 0;
        for update in updates {
            let call = Call::with(&update.to_string(), SECRET_HEADER, secret);
            loop {
                if call.post(url).await.status.is_success() {
                    let number = update["update_id"].as_i64().unwrap();
                    self.state().updates.remove(&number);
                    break;
                }
                // The next of this chat waits for it.
                refused += 1;
                tokio::task::yield_now().await;
            }
        }
        refused
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap_or_default();
        let is_known = path.contains(TOKEN) && !self.state().revoked;
        if !is_known {
            // A wrong token is a path that is not there; one that was good is refused.
            let (code, words) = if path.contains(TOKEN) {
                (401, "Unauthorized")
            } else {
                (404, "Not Found")
            };
            return refused(code, words);
        }
        if path.starts_with("/file/") {
            let id = path.rsplit('/').next().unwrap_or_default();
            return match self.state().files.get(id) {
                Some(content) => (200, content.clone()),
                None => refused(404, "Not Found"),
            };
        }
        let method = method_of(seen);
        let fields = fields_of(seen);
        match method.as_str() {
            "getMe" => done(json!({
                "id": 123_456, "is_bot": true, "first_name": "Shop", "username": "shop_bot",
                "can_join_groups": true, "can_read_all_group_messages": false,
                "supports_inline_queries": false,
            })),
            "getUpdates" => self.updates(&fields).await,
            "setWebhook" | "deleteWebhook" | "getWebhookInfo" => self.hook(&method, &fields),
            "getFile" => self.file(&fields),
            "sendChatAction" | "answerCallbackQuery" => {
                self.state().signs.push(fields);
                done(json!(true))
            }
            _ => self.send(&method, fields),
        }
    }

    async fn updates(&self, fields: &Value) -> Answer {
        let offset = fields["offset"].as_i64().unwrap_or(0);
        let news = self.news.notified();
        {
            let mut state = self.state();
            if !state.webhook.is_empty() {
                let words = "Conflict: can't use getUpdates method while webhook is active; \
                             use deleteWebhook to delete the webhook first";
                return refused(409, words);
            }
            // What is before the offset is confirmed.
            state.updates = state.updates.split_off(&offset);
        }
        let is_empty = self.state().updates.is_empty();
        if is_empty {
            let _ = tokio::time::timeout(POLL, news).await;
        }
        let state = self.state();
        let told: Vec<&Value> = state.updates.values().take(100).collect();
        done(json!(told))
    }

    fn hook(&self, method: &str, fields: &Value) -> Answer {
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let mut state = self.state();
        match method {
            "setWebhook" => {
                (state.webhook, state.secret) = (text("url"), text("secret_token"));
                done(json!(true))
            }
            "deleteWebhook" => {
                state.webhook.clear();
                done(json!(true))
            }
            _ => done(json!({
                "url": state.webhook, "has_custom_certificate": false,
                "pending_update_count": state.updates.len(),
            })),
        }
    }

    fn file(&self, fields: &Value) -> Answer {
        let id = fields["file_id"].as_str().unwrap_or_default();
        match self.state().files.get(id) {
            Some(content) => done(json!({
                "file_id": id, "file_unique_id": id, "file_size": content.len(),
                "file_path": format!("documents/{id}"),
            })),
            None => refused(
                400,
                "Bad Request: wrong file_id or the file is temporarily unavailable",
            ),
        }
    }

    fn send(&self, method: &str, mut fields: Value) -> Answer {
        let chat = fields["chat_id"].as_i64();
        let chat = chat.or_else(|| fields["chat_id"].as_str()?.parse().ok());
        let Some(chat) = chat else {
            return refused(400, "Bad Request: chat not found");
        };
        let mut state = self.state();
        if state.blocked.contains(&chat) {
            return refused(403, "Forbidden: bot was blocked by the user");
        }
        let length = |name: &str| {
            let text = fields[name].as_str().unwrap_or_default();
            text.encode_utf16().count()
        };
        if length("text") > 4_096 || length("caption") > 1_024 {
            return refused(400, "Bad Request: message is too long");
        }
        if method == "sendMessage" && length("text") == 0 {
            return refused(400, "Bad Request: message text is empty");
        }
        let number = state.next();
        fields["method"] = json!(method);
        fields["message_id"] = if method.starts_with("send") {
            json!(number)
        } else {
            fields["message_id"].clone()
        };
        state.sent.push(fields.clone());
        match method {
            "deleteMessage" | "setMessageReaction" => done(json!(true)),
            _ => done(json!({
                "message_id": fields["message_id"], "chat": self::chat(chat),
                "date": 1_794_650_000, "text": fields["text"],
            })),
        }
    }
}

fn done(result: Value) -> Answer {
    (
        200,
        json!({"ok": true, "result": result}).to_string().into(),
    )
}

fn refused(code: u16, description: &str) -> Answer {
    let body = json!({"ok": false, "error_code": code, "description": description});
    (code, body.to_string().into())
}

/// What was sent, whether as JSON or as a form with a file.
fn fields_of(seen: &Seen) -> Value {
    let json = seen.json();
    if json.is_object() {
        return json;
    }
    let kind = seen.headers.get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some((_, boundary)) = kind.split_once("boundary=") else {
        return json!({});
    };
    let mut fields = json!({});
    for part in parts(&seen.body, boundary.trim_matches('"')) {
        let (name, content) = part;
        fields[name] = json!(content);
    }
    fields
}

/// The fields of a form: their names, and what is in them; of files how long they are.
fn parts(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let text = body
        .iter()
        .map(|byte| char::from(*byte))
        .collect::<String>();
    let mark = format!("--{boundary}");
    let parts = text.split(mark.as_str()).filter_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        let bytes: Vec<u8> = content.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let told = if head.contains("filename") {
            format!("{} bytes", bytes.len())
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Some((name.to_owned(), told))
    });
    parts.collect()
}
