//! The Cloud API, as its documentation has it: events of all numbers of an app come to one
//! webhook, signed as a whole, with everything beyond ASCII escaped, and again until they
//! are taken; errors are JSON with a code; what was accepted is told to have arrived, or
//! not, only later.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::desk::{Answer, Desk, Fault, Seen};
use super::platform::{Acts, Buttons, Call, HEART, Platform, forged_signatures, found};

/// A system user's token.
pub const TOKEN: &str = "EAAJB0cV1ZBsBAOtoken";
/// The app's secret, with which its webhook is signed.
pub const APP_SECRET: &str = "5ebe2294ecd0e0f08eab7690d2a6ee69";
/// What the webhook is set up with.
pub const VERIFY_TOKEN: &str = "a-word-of-sixteen-letters";
/// The app's two numbers, by their ids.
pub const NUMBER: &str = "106540352242922";
/// The other one.
pub const OTHER_NUMBER: &str = "106540352242923";
/// The account that both belong to.
pub const ACCOUNT: &str = "102290129340398";
/// Templates told at once.
const TEMPLATES_PAGE: usize = 2;
const SIGNATURE_HEADER: &str = "x-hub-signature-256";
const VERSION: &str = "/v23.0/";

/// An app with its numbers.
pub struct WhatsApp {
    /// Its port.
    pub desk: Desk,
    app: Arc<App>,
}

#[derive(Default)]
struct App {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    numbers: u64,
    /// What the webhook did not take yet, in order.
    waiting: Vec<Event>,
    /// What was sent to clients, each with its id.
    sent: Vec<Value>,
    files: BTreeMap<String, Bytes>,
    templates: Vec<Value>,
    /// Where the app's dashboard says that calls go.
    webhook: Option<String>,
    unreachable: BTreeSet<String>,
    /// The token is good no more.
    revoked: bool,
}

/// Something that is told by the webhook.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which number it is for.
    pub number: &'static str,
    /// Of which kind the change is.
    pub field: &'static str,
    /// The list in which it stands.
    pub list: &'static str,
    /// The event itself.
    pub event: Value,
    /// Whom it is about; none where that is not told.
    pub contact: Value,
}

impl WhatsApp {
    /// Opens a server.
    pub async fn start() -> Self {
        let app = Arc::new(App::default());
        let served = Arc::clone(&app);
        let desk = Desk::open(name_of, move |seen| {
            let app = Arc::clone(&served);
            async move { app.answer(&seen) }
        })
        .await;
        app.state().numbers = 100;
        Self { desk, app }
    }

    /// Where the API is, with its version.
    pub fn api_url(&self) -> String {
        format!("{}{}", self.desk.url, VERSION.trim_end_matches('/'))
    }

    /// What is configured of the line of a number.
    pub fn number(&self, number: &str) -> toml::Table {
        let url = self.api_url();
        toml::toml! {
            phone_number_id = number
            token = TOKEN
            app_secret = APP_SECRET
            verify_token = VERIFY_TOKEN
            api_url = url
        }
    }

    /// Something happens: it is told until it is taken.
    pub fn happens(&self, event: Event) {
        self.app.state().waiting.push(event);
    }

    /// A client writes; answers the message's id.
    pub fn says(&self, client: &str, text: &str) -> String {
        self.sends(client, "text", json!({"text": {"body": text}}))
    }

    /// A client sends a message of a kind with these fields; answers its id.
    pub fn sends(&self, client: &str, kind: &str, fields: Value) -> String {
        let event = self.message(client, kind, fields);
        let id = event.event["id"].as_str().unwrap().to_owned();
        self.happens(event);
        id
    }

    /// A message as the webhook has it.
    pub fn message(&self, client: &str, kind: &str, fields: Value) -> Event {
        let id = self.app.state().name();
        let mut event = json!({
            "from": client, "from_user_id": user_id(client), "id": id,
            "timestamp": moment(), "type": kind,
        });
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        Event {
            number: NUMBER,
            field: "messages",
            list: "messages",
            event,
            contact: contact(client),
        }
    }

    /// Somebody writes into the app's dashboard where calls go.
    pub fn leads_to(&self, url: &str) {
        self.app.state().webhook = Some(url.to_owned());
    }

    /// A template that the account wrote, approved or not.
    pub fn template(&self, template: Value) {
        self.app.state().templates.push(template);
    }

    /// Somebody writes to a client in the app on the business's own phone.
    pub fn types_on_the_phone(&self, client: &str, text: &str) {
        let id = self.app.state().name();
        self.happens(Event {
            number: NUMBER,
            field: "smb_message_echoes",
            list: "message_echoes",
            event: json!({
                "from": "15550783881", "to": client, "to_user_id": user_id(client), "id": id,
                "timestamp": moment(), "type": "text", "text": {"body": text},
            }),
            contact: contact(client),
        });
    }

    /// It is told what became of the message that was sent as this one.
    pub fn status(&self, sent: usize, status: &str) {
        self.happens(told(&self.sent()[sent], status));
    }

    /// Keeps a file; answers its id.
    pub fn keep(&self, content: impl Into<Bytes>) -> String {
        let mut state = self.app.state();
        state.numbers += 1;
        let id = format!("10033834213{}", state.numbers);
        state.files.insert(id.clone(), content.into());
        id
    }

    /// A client is not there any more.
    pub fn lose(&self, client: &str) {
        let mut state = self.app.state();
        state.unreachable.insert(client.to_owned());
    }

    /// The token is good no more, or again.
    pub fn revoke(&self, revoked: bool) {
        self.app.state().revoked = revoked;
    }

    /// What was sent, in order, each with its id.
    pub fn sent(&self) -> Vec<Value> {
        self.app.state().sent.clone()
    }

    /// The texts that were sent to a client.
    pub fn texts_of(&self, client: &str) -> Vec<String> {
        let user_id = user_id(client);
        let sent = self.sent().into_iter();
        let of_client = sent.filter(|it| it["to"] == client || it["recipient"] == *user_id);
        of_client
            .filter_map(|sent| sent["text"]["body"].as_str().map(str::to_owned))
            .collect()
    }

    /// What the webhook did not take yet.
    pub fn waiting(&self) -> Vec<Event> {
        self.app.state().waiting.clone()
    }

    /// Calls the webhook with everything that is not taken, an event a call.
    pub async fn deliver(&self, hook: &str) {
        let waiting = std::mem::take(&mut self.app.state().waiting);
        for event in waiting {
            let call = self.call(&notice(&[event]));
            while call.post(hook).await.status != 200 {
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Platform for WhatsApp {
    const KIND: &'static str = "whatsapp";
    const SENDS: &'static str = "messages";

    async fn open() -> Self {
        Self::start().await
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn called(&self) -> toml::Table {
        self.number(NUMBER)
    }

    fn client(number: u32) -> String {
        format!("79161{number:06}")
    }

    fn words(&self, client: &str, text: &str) -> String {
        notice(&[self.message(client, "text", json!({"text": {"body": text}}))])
    }

    fn strange(&self, client: &str) -> Vec<String> {
        let hologram = json!({"hologram": {"id": 7}});
        let odd = [
            self.message(client, "hologram", hologram),
            self.message(client, "unsupported", json!({})),
        ];
        odd.map(|odd| notice(&[odd])).to_vec()
    }

    fn unreadable() -> &'static [&'static str] {
        &[
            "not JSON",
            "{}",
            "[]",
            r#"{"entry":[{"changes":[{"value":7}]}]}"#,
        ]
    }

    fn call(&self, body: &str) -> Call {
        Call::with(body, SIGNATURE_HEADER, sign(APP_SECRET, body))
    }

    fn forged(&self, body: &str) -> Vec<Call> {
        let mut forged = forged_signatures(body, SIGNATURE_HEADER, APP_SECRET, sign);
        let bare = sign(APP_SECRET, body).replace("sha256=", "");
        forged.push(Call::with(body, SIGNATURE_HEADER, bare));
        forged.push(Call::with(body, SIGNATURE_HEADER, "sha256="));
        forged
    }

    fn given(&self, client: &str) -> Vec<String> {
        self.texts_of(client)
    }

    fn quoted(&self, body: &str) -> Option<String> {
        let notice: Value = serde_json::from_str(body).unwrap();
        let message = &notice["entry"][0]["changes"][0]["value"]["messages"][0];
        Some(format!("\"message_id\":{}", message["id"]))
    }

    fn flood() -> (Fault, i64) {
        let told = refusal(130_429, "Rate limit hit");
        (Fault::Answer(400, told), 10_000)
    }

    fn shut_out(&self, is_out: bool) {
        self.revoke(is_out);
    }
}

impl Buttons for WhatsApp {
    fn press(&self, client: &str, label: &str) -> Option<String> {
        let sent = self.sent().pop()?;
        let choice = found(&sent["interactive"], "title", label)?;
        let kind = match sent["interactive"]["type"].as_str()? {
            "list" => "list_reply",
            _ => "button_reply",
        };
        let fields = json!({"interactive": {"type": kind, kind: choice},
            "context": {"from": "15550783881", "id": sent["id"]}});
        Some(notice(&[self.message(client, "interactive", fields)]))
    }
}

impl Acts for WhatsApp {
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String> {
        let mut captions = std::iter::once(text).chain(std::iter::repeat(""));
        let messages = pictures.iter().map(|content| {
            let (id, caption) = (self.keep(content.clone()), captions.next());
            let image = json!({"id": id, "mime_type": "image/png", "caption": caption});
            notice(&[self.message(client, "image", json!({ "image": image }))])
        });
        messages.collect()
    }

    fn late(&self, client: &str, text: &str, hours: i64) -> Option<String> {
        let mut event = self.message(client, "text", json!({"text": {"body": text}}));
        let written = engine::clock::now().0 / 1_000 - hours * 3_600;
        event.event["timestamp"] = json!(written.to_string());
        Some(notice(&[event]))
    }

    fn arrives(&self) -> Option<String> {
        Some(notice(&[told(&self.sent().pop()?, "delivered")]))
    }

    fn reads(&self) -> Option<String> {
        Some(notice(&[told(&self.sent().pop()?, "read")]))
    }

    fn likes(&self) -> Option<String> {
        let sent = self.sent().pop()?;
        let reaction = json!({"message_id": sent["id"], "emoji": HEART});
        let client = sent["to"].as_str()?;
        let event = self.message(client, "reaction", json!({ "reaction": reaction }));
        Some(notice(&[event]))
    }
}

/// What became of a message that was sent; failed ones tell no more of the recipient than
/// where it was sent to.
fn told(sent: &Value, status: &str) -> Event {
    let to = &sent["to"];
    let mut event = json!({
        "id": sent["id"], "status": status, "timestamp": moment(),
        "biz_opaque_callback_data": sent["biz_opaque_callback_data"],
    });
    if to.is_string() {
        event["recipient_id"] = to.clone();
    }
    let mut contact = Value::Null;
    if status == "failed" {
        event["errors"] = json!([{
            "code": 131_049, "title": "Not delivered", "message": "Not delivered",
            "error_data": {"details": "Not delivered to keep the ecosystem healthy"},
        }]);
    } else if let Some(client) = to.as_str() {
        event["recipient_user_id"] = json!(user_id(client));
        contact = self::contact(client);
    }
    Event {
        number: NUMBER,
        field: "messages",
        list: "statuses",
        event,
        contact,
    }
}

/// A client's id at the business.
pub fn user_id(client: &str) -> String {
    format!("RU.{client}8")
}

/// Seconds, written as a text.
fn moment() -> String {
    (engine::clock::now().0 / 1_000).to_string()
}

fn contact(client: &str) -> Value {
    json!({"profile": {"name": format!("Client {client}")}, "wa_id": client,
           "user_id": user_id(client)})
}

/// One call of the webhook with several events, as its bytes.
pub fn notice(events: &[Event]) -> String {
    let changes = events.iter().map(|event| {
        let metadata =
            json!({"display_phone_number": "15550783881", "phone_number_id": event.number});
        let mut value = json!({"messaging_product": "whatsapp", "metadata": metadata});
        value[event.list] = json!([event.event]);
        if event.contact.is_object() {
            value["contacts"] = json!([event.contact]);
        }
        json!({"field": event.field, "value": value})
    });
    let changes: Vec<Value> = changes.collect();
    let entry = json!([{"id": ACCOUNT, "changes": changes}]);
    escaped(&json!({"object": "whatsapp_business_account", "entry": entry}).to_string())
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
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let code = mac.chain_update(body).finalize().into_bytes();
    format!("sha256={}", hex(&code))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// `messages` is a message or a `sign`; then `media`, `number`, `file_id`, `file` and
/// `message_templates`.
fn name_of(seen: &Seen) -> String {
    let path = seen.path.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = match last {
        "messages" if seen.json()["status"] == "read" => "sign",
        "messages" | "media" | "message_templates" => last,
        NUMBER | OTHER_NUMBER => "number",
        _ if path.starts_with("/files/") => "file",
        _ => "file_id",
    };
    name.to_owned()
}

impl State {
    fn name(&mut self) -> String {
        self.numbers += 1;
        format!("wamid.HBgLNzkxNjEyMzQ1NjcVAgASGBQz{}==", self.numbers)
    }
}

impl App {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, seen: &Seen) -> Answer {
        let given = seen.headers.get("authorization");
        let is_known = given.is_some_and(|given| *given == format!("Bearer {TOKEN}"));
        if !is_known || self.state().revoked {
            let words = "Error validating access token: the session is invalid";
            return refused(401, 190, words);
        }
        let path = seen.path.split('?').next().unwrap_or_default();
        let id = path.rsplit('/').next().unwrap_or_default();
        match name_of(seen).as_str() {
            "number" => {
                let mut told = json!({
                    "id": id, "display_phone_number": "+1 555-078-3881",
                    "verified_name": "Shop", "quality_rating": "GREEN",
                });
                if let Some(url) = &self.state().webhook {
                    told["webhook_configuration"] = json!({ "application": url });
                }
                done(told)
            }
            "message_templates" => self.templates(seen),
            "sign" => done(json!({"success": true})),
            "messages" => self.send(seen.json()),
            "media" => {
                let id = format!("2{}", self.state().name().len() + seen.body.len());
                done(json!({ "id": id }))
            }
            "file" => match self.state().files.get(id) {
                Some(content) => (200, content.clone()),
                None => (404, Bytes::new()),
            },
            _ => self.file(seen, id),
        }
    }

    /// A page of templates, fewer than were asked for.
    fn templates(&self, seen: &Seen) -> Answer {
        let asked = seen.path.split_once("after=");
        let after = asked.map_or(0, |(_, after)| after.parse().unwrap());
        let state = self.state();
        let page: Vec<_> = state
            .templates
            .iter()
            .skip(after)
            .take(TEMPLATES_PAGE)
            .collect();
        let behind = after + page.len();
        let mut told = json!({"data": page, "paging": {"cursors": {"after": behind.to_string()}}});
        if behind < state.templates.len() {
            told["paging"]["next"] = json!("https://graph.facebook.com/next");
        }
        done(told)
    }

    fn file(&self, seen: &Seen, id: &str) -> Answer {
        let Some(content) = self.state().files.get(id).cloned() else {
            let words = "Unsupported get request. The object does not exist or may not be seen";
            let mut refusal = refusal(100, words);
            refusal["error"]["error_subcode"] = json!(33);
            return (400, refusal.to_string().into());
        };
        let host = seen.headers.get("host").unwrap().to_str().unwrap();
        done(json!({
            "messaging_product": "whatsapp", "id": id,
            "url": format!("http://{host}/files/{id}"),
            "mime_type": "image/png", "file_size": content.len(),
            "sha256": hex(&Sha256::digest(&content)),
        }))
    }

    fn send(&self, mut fields: Value) -> Answer {
        let client = fields["to"].as_str().or(fields["recipient"].as_str());
        let kind = fields["type"].as_str().unwrap_or_default().to_owned();
        let is_whole = fields["messaging_product"] == "whatsapp" && fields[&kind].is_object();
        let Some(client) = client.map(str::to_owned).filter(|_| is_whole) else {
            return refused(400, 100, "Invalid parameter");
        };
        let text = fields["text"]["body"].as_str();
        if text.is_some_and(|text| text.is_empty() || text.chars().count() > 4_096) {
            return refused(
                400,
                100,
                "Param text.body must be 1 to 4096 characters long",
            );
        }
        let mut state = self.state();
        if state.unreachable.contains(&client) {
            return refused(400, 131_026, "Message undeliverable");
        }
        let id = state.name();
        fields["id"] = json!(id);
        state.sent.push(fields);
        done(json!({
            "messaging_product": "whatsapp",
            "contacts": [{"input": client, "wa_id": client}],
            "messages": [{"id": id, "message_status": "accepted"}],
        }))
    }
}

fn done(result: Value) -> Answer {
    (200, result.to_string().into())
}

/// As the API refuses something.
pub fn refusal(code: i64, details: &str) -> Value {
    json!({"error": {
        "message": format!("(#{code}) refused"), "type": "OAuthException", "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": "AXRz8",
    }})
}

fn refused(status: u16, code: i64, details: &str) -> Answer {
    (status, refusal(code, details).to_string().into())
}
