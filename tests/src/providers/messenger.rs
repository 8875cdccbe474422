//! The Graph API as Messenger and Instagram have it by its documentation: events of an
//! app's accounts come to one webhook, signed as a whole, and again until they are taken;
//! errors are JSON with a code and a second one; what was sent is shown again as an echo.

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

use super::desk::{Answer, Desk, Fault, Fields, Seen, query};
use super::platform::{Acts, Buttons, Call, HEART, Platform, forged_signatures, found};
use crate::{http, until};

/// The account's token.
pub const TOKEN: &str = "EAAJB0cV1ZBsBAOpage";
/// The app's secret, with which its webhook is signed.
pub const APP_SECRET: &str = "5ebe2294ecd0e0f08eab7690d2a6ee69";
/// What the webhook is set up with.
pub const VERIFY_TOKEN: &str = "a-word-of-sixteen-letters";
/// The app.
pub const APP: &str = "1517776481860111";
const SIGNATURE_HEADER: &str = "x-hub-signature-256";
const VERSION: &str = "/v23.0";

/// The server of a page.
pub type Messenger = Graph<false>;
/// The server of an account of Instagram.
pub type Instagram = Graph<true>;

/// A server with one account.
pub struct Graph<const IS_INSTAGRAM: bool> {
    /// Its port.
    pub desk: Desk,
    account: Arc<Account<IS_INSTAGRAM>>,
}

#[derive(Default)]
struct Account<const IS_INSTAGRAM: bool> {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    numbers: u64,
    /// What the webhook did not take yet, in order.
    waiting: Vec<Value>,
    /// What was sent to clients, each with its id.
    sent: Vec<Value>,
    /// What was fetched for them, or handed over.
    taken: Vec<Bytes>,
    /// Clients' files.
    files: BTreeMap<String, Bytes>,
    /// What the app is told of.
    subscribed: Vec<String>,
    unreachable: BTreeSet<String>,
    /// They wrote too long ago.
    silent: BTreeSet<String>,
    /// The token is good no more.
    revoked: bool,
}

impl<const IS_INSTAGRAM: bool> Graph<IS_INSTAGRAM> {
    /// The account's id.
    pub const ACCOUNT: &'static str = if IS_INSTAGRAM {
        "17841405822304914"
    } else {
        "1067280970047460"
    };

    /// Opens a server.
    pub async fn start() -> Self {
        let account = Arc::new(Account::<IS_INSTAGRAM>::default());
        let served = Arc::clone(&account);
        let desk = Desk::open(name_of, move |seen| {
            let account = Arc::clone(&served);
            async move { account.answer(&seen).await }
        })
        .await;
        account.state().numbers = 100;
        Self { desk, account }
    }

    /// Something happens: it is told until it is taken.
    pub fn happens(&self, event: Value) {
        self.account.state().waiting.push(event);
    }

    /// A client writes; answers the message's id.
    pub fn says(&self, client: &str, text: &str) -> String {
        self.sends(client, json!({ "text": text }))
    }

    /// A client sends a message with these fields; answers its id.
    pub fn sends(&self, client: &str, fields: Value) -> String {
        let event = self.message(client, fields);
        let id = event["message"]["mid"].as_str().unwrap().to_owned();
        self.happens(event);
        id
    }

    /// A message as the webhook has it.
    pub fn message(&self, client: &str, fields: Value) -> Value {
        let mut message = fields;
        message["mid"] = json!(self.account.state().name());
        self.event(client, "message", message)
    }

    /// Something that a client did.
    pub fn event(&self, client: &str, kind: &str, what: Value) -> Value {
        let mut event = json!({
            "sender": {"id": client}, "recipient": {"id": Self::ACCOUNT},
            "timestamp": engine::clock::now().0,
        });
        event[kind] = what;
        event
    }

    /// A message of the account: what somebody wrote in Meta's own app.
    pub fn types_there(&self, client: &str, text: &str) {
        let message = json!({
            "mid": self.account.state().name(), "is_echo": true, "text": text,
            "app_id": 263_902_037_430_900_i64,
        });
        self.echoes(client, message);
    }

    /// What was sent as this one is shown again.
    pub fn echo(&self, sent: usize) {
        let sent = self.sent()[sent].clone();
        let mut message = json!({"mid": sent["mid"], "is_echo": true});
        if !IS_INSTAGRAM {
            message["app_id"] = json!(APP.parse::<u64>().unwrap());
            message["metadata"] = sent["message"]["metadata"].clone();
        }
        if sent["message"]["text"].is_string() {
            message["text"] = sent["message"]["text"].clone();
        }
        if let Some(kind) = sent["message"]["attachment"]["type"].as_str() {
            let url = self.keep("what was sent");
            message["attachments"] = json!([{"type": kind, "payload": {"url": url}}]);
        }
        self.echoes(sent["recipient"]["id"].as_str().unwrap(), message);
    }

    fn echoes(&self, client: &str, message: Value) {
        let mut event = self.event(client, "message", message);
        event["sender"] = json!({"id": Self::ACCOUNT});
        event["recipient"] = json!({"id": client});
        self.happens(event);
    }

    /// Keeps a file; answers its address.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.account.state();
        state.numbers += 1;
        let path = format!("/files/{}/file.png", state.numbers);
        state.files.insert(path.clone(), content.into());
        format!("{}{path}?_nc_cat=1", self.desk.url)
    }

    /// A client is not there any more.
    pub fn lose(&self, client: &str) {
        let mut state = self.account.state();
        state.unreachable.insert(client.to_owned());
    }

    /// A client was silent for more than a day.
    pub fn falls_silent(&self, client: &str) {
        self.account.state().silent.insert(client.to_owned());
    }

    /// Somebody ends the subscription, or some of it.
    pub fn is_told_of(&self, events: &[&str]) {
        let events = events.iter().map(|event| (*event).to_owned());
        self.account.state().subscribed = events.collect();
    }

    /// What the app is told of.
    pub fn subscribed(&self) -> Vec<String> {
        self.account.state().subscribed.clone()
    }

    /// The token is good no more, or again.
    pub fn revoke(&self, revoked: bool) {
        self.account.state().revoked = revoked;
    }

    /// What was sent, in order, each with its id.
    pub fn sent(&self) -> Vec<Value> {
        self.account.state().sent.clone()
    }

    /// Files that were handed over or fetched, in order.
    pub fn taken(&self) -> Vec<Bytes> {
        self.account.state().taken.clone()
    }

    /// The texts that were sent to a client.
    pub fn texts_of(&self, client: &str) -> Vec<String> {
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|sent| sent["recipient"]["id"] == client);
        of_client
            .filter_map(|sent| sent["message"]["text"].as_str().map(str::to_owned))
            .collect()
    }

    /// Calls the webhook with everything that is not taken, an event a call.
    pub async fn deliver(&self, hook: &str) {
        let waiting = std::mem::take(&mut self.account.state().waiting);
        for event in waiting {
            let call = self.call(&Self::notice(&[event], "messaging"));
            while call.post(hook).await.status != 200 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// One call of the webhook with several events, as its bytes.
    pub fn notice(events: &[Value], list: &str) -> String {
        let object = if IS_INSTAGRAM { "instagram" } else { "page" };
        let mut entry = json!({"id": Self::ACCOUNT, "time": engine::clock::now().0});
        entry[list] = json!(events);
        escaped(&json!({"object": object, "entry": [entry]}).to_string())
    }
}

impl<const IS_INSTAGRAM: bool> Platform for Graph<IS_INSTAGRAM> {
    const KIND: &'static str = if IS_INSTAGRAM {
        "instagram"
    } else {
        "messenger"
    };
    const SENDS: &'static str = "messages";

    async fn open() -> Self {
        Self::start().await
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn called(&self) -> toml::Table {
        let url = format!("{}{VERSION}", self.desk.url);
        let mut options = toml::toml! {
            token = TOKEN
            app_secret = APP_SECRET
            verify_token = VERIFY_TOKEN
            app_id = APP
            api_url = url
        };
        let key = if IS_INSTAGRAM {
            "account_id"
        } else {
            "page_id"
        };
        options.insert(key.to_owned(), Self::ACCOUNT.into());
        options
    }

    async fn ready(&self) {
        until("the app is told", || async {
            !self.subscribed().is_empty()
        })
        .await;
    }

    fn words(&self, client: &str, text: &str) -> String {
        let event = self.message(client, json!({ "text": text }));
        Self::notice(&[event], "messaging")
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let hologram = json!({"attachments": [{"type": "hologram", "payload": {"id": 7}}]});
        let odd = [
            self.message(client, hologram),
            self.message(client, json!({"is_unsupported": true})),
            self.event(client, "dance", json!({"steps": 3})),
        ];
        odd.map(|odd| Self::notice(&[odd], "messaging")).to_vec()
    }

    fn call(&self, body: &str) -> Call {
        Call::with(body, SIGNATURE_HEADER, sign(APP_SECRET, body))
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        let mut forged = forged_signatures(body, SIGNATURE_HEADER, APP_SECRET, sign);
        let bare = sign(APP_SECRET, body).replace("sha256=", "");
        forged.push(Call::with(body, SIGNATURE_HEADER, bare));
        forged.push(Call::with(body, "x-hub-signature", sign(APP_SECRET, body)));
        forged
    }

    fn is_taken(answer: &http::Answer) -> bool {
        answer.status == 200 && answer.text() == "EVENT_RECEIVED"
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client)
    }

    fn quoted(&self, body: &str) -> Option<String> {
        let body: Value = serde_json::from_str(body).unwrap();
        let mid = &body["entry"][0]["messaging"][0]["message"]["mid"];
        Some(format!("\"reply_to\":{{\"mid\":{mid}}}"))
    }

    fn flood() -> (Fault, i64) {
        (Fault::Answer(400, refusal(613, 0, "rate limit")), 60_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl<const IS_INSTAGRAM: bool> Buttons for Graph<IS_INSTAGRAM> {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let reply = found(
            &self.sent().pop()?["message"]["quick_replies"],
            "title",
            label,
        )?;
        let pressed = json!({"text": label, "quick_reply": {"payload": reply["payload"]}});
        Some(Self::notice(&[self.message(client, pressed)], "messaging"))
    }
}

impl<const IS_INSTAGRAM: bool> Graph<IS_INSTAGRAM> {
    /// What tells what the client did who was sent the last message.
    fn done(&self, kind: &str, what: impl Fn(&Value) -> Value) -> Option<String> {
        let sent = self.sent().pop()?;
        let event = self.event(sent["recipient"]["id"].as_str()?, kind, what(&sent["mid"]));
        Some(Self::notice(&[event], "messaging"))
    }
}

impl<const IS_INSTAGRAM: bool> Acts for Graph<IS_INSTAGRAM> {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let files = pictures.iter().map(|content| {
            let url = self.keep(content.clone());
            json!({"type": "image", "payload": {"url": url}})
        });
        let files: Vec<Value> = files.collect();
        let event = self.message(client, json!({"text": text, "attachments": files}));
        vec![Self::notice(&[event], "messaging")]
    }

    fn late(&self, client: &str, text: &str, hours: i64) -> Option<String> {
        let mut event = self.message(client, json!({ "text": text }));
        event["timestamp"] = json!(engine::clock::now().0 - hours * 3_600_000);
        Some(Self::notice(&[event], "messaging"))
    }

    fn arrives(&self) -> Option<String> {
        let until = |_: &Value| json!({"watermark": engine::clock::now().0});
        (!IS_INSTAGRAM).then(|| self.done("delivery", until))?
    }

    fn reads(&self) -> Option<String> {
        self.done("read", |mid| {
            if IS_INSTAGRAM {
                json!({ "mid": mid })
            } else {
                json!({"watermark": engine::clock::now().0})
            }
        })
    }

    fn likes(&self) -> Option<String> {
        self.done(
            "reaction",
            |mid| json!({"mid": mid, "action": "react", "reaction": "love", "emoji": HEART}),
        )
    }
}

/// With everything beyond ASCII written as `\uXXXX`.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").unwrap();
        }
    }
    out
}

/// What a body is signed with.
pub fn sign(secret: &str, body: &str) -> String {
    format!("sha256={}", code(secret, body))
}

fn code(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let code = mac.chain_update(text).finalize().into_bytes();
    code.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// `messages` is a message or a `sign`; then `message_attachments`, `subscribed_apps`,
/// `subscribe`, `debug_token`, `me`, `file`, and `client` for who somebody is.
fn name_of(seen: &Seen) -> String {
    let path = seen.path.split('?').next().unwrap_or_default();
    if path.starts_with("/files/") {
        return "file".to_owned();
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = match last {
        "messages" if seen.json()["sender_action"].is_string() => "sign",
        "subscribed_apps" if seen.method == Method::POST => "subscribe",
        "messages" | "message_attachments" | "subscribed_apps" | "debug_token" | "me" => last,
        _ => "client",
    };
    name.to_owned()
}

impl State {
    fn name(&mut self) -> String {
        self.numbers += 1;
        format!("m_fTq8oLumEyIp3Q2MR-aY7IfLZDamVrALniheU{}", self.numbers)
    }
}

impl<const IS_INSTAGRAM: bool> Account<IS_INSTAGRAM> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, seen: &Seen) -> Answer {
        let (name, asked) = (name_of(seen), query(&seen.path));
        if name == "file" {
            let path = seen.path.split('?').next().unwrap();
            let content = self.state().files.get(path).cloned();
            return content.map_or((404, Bytes::new()), |content| (200, content));
        }
        if name == "debug_token" {
            return self.token(&asked);
        }
        let given = seen.headers.get("authorization");
        let is_known = given.is_some_and(|given| *given == format!("Bearer {TOKEN}"));
        if !is_known || self.state().revoked {
            return refused(401, 190, 463, "Error validating access token");
        }
        let proof = asked.get("appsecret_proof");
        if proof.is_some_and(|proof| *proof != code(APP_SECRET, TOKEN)) {
            return refused(400, 100, 0, "Invalid appsecret_proof provided");
        }
        match name.as_str() {
            "me" => done(Self::told()),
            "subscribe" => {
                let fields = asked.get("subscribed_fields").unwrap().split(',');
                self.state().subscribed = fields.map(str::to_owned).collect();
                done(json!({"success": true}))
            }
            "subscribed_apps" => self.apps(),
            "sign" => done(json!({"recipient_id": seen.json()["recipient"]["id"]})),
            "messages" => self.send(seen.json()).await,
            "message_attachments" if !IS_INSTAGRAM => {
                let mut state = self.state();
                state.taken.push(seen.body.clone());
                state.numbers += 1;
                done(json!({"attachment_id": state.numbers.to_string()}))
            }
            "client" if IS_INSTAGRAM => done(json!({"name": "Анна", "username": "anna.p"})),
            "client" => done(json!({"first_name": "Анна", "last_name": "Петрова"})),
            _ => refused(400, 100, 33, "Unsupported request"),
        }
    }

    /// Who the account is. Instagram has two ids for it.
    fn told() -> Value {
        let id = Graph::<IS_INSTAGRAM>::ACCOUNT;
        if IS_INSTAGRAM {
            json!({"id": "28978671838402975", "user_id": id, "username": "shop"})
        } else {
            json!({"id": id, "name": "Shop"})
        }
    }

    /// Who is told of the account's events.
    fn apps(&self) -> Answer {
        let fields = self.state().subscribed.clone();
        let other = json!({"id": "1", "name": "Other", "subscribed_fields": ["messages"]});
        let ours = json!({"id": APP, "name": "Gateway", "subscribed_fields": fields});
        let all = if fields.is_empty() {
            vec![other]
        } else {
            vec![other, ours]
        };
        done(json!({ "data": all }))
    }

    /// What a token allows, for its app.
    fn token(&self, asked: &Fields) -> Answer {
        let is = |key: &str, wanted: &str| asked.get(key).is_some_and(|given| given == wanted);
        let is_app = is("access_token", &format!("{APP}|{APP_SECRET}"));
        if !is_app || !is("input_token", TOKEN) {
            return refused(400, 190, 0, "Invalid OAuth access token signature");
        }
        let scopes = [
            "pages_messaging",
            "pages_manage_metadata",
            "instagram_business_manage_messages",
        ];
        let is_valid = !self.state().revoked;
        done(json!({"data": {"app_id": APP, "is_valid": is_valid, "scopes": scopes}}))
    }

    async fn send(&self, mut fields: Value) -> Answer {
        if let Some(refused) = self.refused(&fields) {
            return refused;
        }
        let url = fields["message"]["attachment"]["payload"]["url"].as_str();
        if let Some(url) = url {
            let Some(content) = fetched(url).await else {
                return refused(400, 100, 2_018_008, "Failed to fetch the file from the url");
            };
            self.state().taken.push(content);
        }
        let mut state = self.state();
        let id = state.name();
        fields["mid"] = json!(id);
        let recipient = fields["recipient"]["id"].clone();
        state.sent.push(fields);
        done(json!({"recipient_id": recipient, "message_id": id}))
    }

    fn refused(&self, fields: &Value) -> Option<Answer> {
        let message = &fields["message"];
        let client = fields["recipient"]["id"].as_str().unwrap_or_default();
        let (text, payload) = (message["text"].as_str(), &message["attachment"]["payload"]);
        let length = text.map(|text| {
            if IS_INSTAGRAM {
                text.len()
            } else {
                text.encode_utf16().count()
            }
        });
        let max = if IS_INSTAGRAM { 1_000 } else { 2_000 };
        let is_short = length.is_none_or(|length| (1..=max).contains(&length));
        let has_one = text.is_some() != message["attachment"].is_object();
        let named = if IS_INSTAGRAM {
            payload["url"].is_string() && message["metadata"].is_null()
        } else {
            payload["attachment_id"].is_string() && message["metadata"].is_string()
        };
        let is_tagged = fields["messaging_type"] == "MESSAGE_TAG" && fields["tag"] == "HUMAN_AGENT";
        let is_typed = fields["messaging_type"] == "RESPONSE" || is_tagged;
        if !is_short || !has_one || !is_typed || !(named || text.is_some()) {
            return Some(refused(400, 100, 0, "Invalid parameter"));
        }
        let state = self.state();
        if state.unreachable.contains(client) {
            let words = "This person isn't available right now.";
            return Some(refused(400, 551, 1_545_041, words));
        }
        let is_late = state.silent.contains(client) && !is_tagged;
        let subcode = if IS_INSTAGRAM { 2_534_022 } else { 2_018_278 };
        let words = "This message is sent outside of allowed window.";
        is_late.then(|| refused(400, 10, subcode, words))
    }
}

/// What is at an address.
async fn fetched(url: &str) -> Option<Bytes> {
    let (address, path) = url.split_at(url.find("/files/")?);
    let request = http::request(Method::GET, path, None);
    let answer = http::send(address, request.body(Full::default()).unwrap()).await;
    (answer.status == 200).then_some(answer.body)
}

fn done(result: Value) -> Answer {
    (200, result.to_string().into())
}

/// As the API refuses something.
pub fn refusal(code: i64, subcode: i64, words: &str) -> Value {
    json!({"error": {
        "message": format!("(#{code}) {words}"), "type": "OAuthException", "code": code,
        "error_subcode": subcode, "fbtrace_id": "AXRz8",
    }})
}

fn refused(status: u16, code: i64, subcode: i64, words: &str) -> Answer {
    (status, refusal(code, subcode, words).to_string().into())
}
