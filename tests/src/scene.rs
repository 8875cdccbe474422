//! A gateway with one line, the provider behind it, and an operator who is ready.

use std::time::Duration;

use domain::message::Medium;
use proto::channels::v1::DeliveryState;
use proto::contacts::v1 as contacts;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use rusqlite::Connection;
use toml::Table;

use crate::operator::text_of;
use crate::providers::platform::Platform;
use crate::{Bridge, OperatorClient, TestGateway, bridge, gateway, http, soon};

/// Everybody who is there.
pub struct Scene<P> {
    /// The provider's server.
    pub provider: P,
    /// The gateway.
    pub gateway: TestGateway,
    /// The operator.
    pub olga: OperatorClient,
    /// The line's id.
    pub line: &'static str,
    /// The conversation that it is about, once there is one.
    pub conversation: String,
    /// Whether the line asks, and is not called.
    asks: bool,
}

/// While time passes, this is how often it is looked at what happened.
const TICK: Duration = Duration::from_millis(5);

impl<P> Scene<P> {
    /// Begins with a line of a kind, which is also its id.
    pub async fn begin(provider: P, kind: &'static str, options: Table) -> Self {
        let gateway = TestGateway::start_with(move |settings| {
            let public_url = settings.public_url.clone();
            let line = gateway::line_with(kind, kind, "main", &public_url, options.clone());
            settings.lines.push(line);
            // Olga has room for everybody.
            settings.rules.capacity.cost.insert(Medium::Messenger, 0);
        })
        .await;
        Self::with(provider, kind, gateway).await
    }

    /// Begins with a gateway that runs already.
    pub async fn with(provider: P, line: &'static str, gateway: TestGateway) -> Self {
        let olga = gateway.ready_operator("olga").await;
        Self {
            provider,
            gateway,
            olga,
            line,
            conversation: String::new(),
            asks: false,
        }
    }

    /// Olga takes the next client, who wrote this.
    pub async fn takes(&mut self, text: &str) -> pb::Conversation {
        let conversation = self.olga.accept().await;
        assert_eq!(conversation.last_message_text, text);
        self.conversation.clone_from(&conversation.id);
        conversation
    }

    /// Somebody calls whose number is proven, and Olga takes it; answers the conversation.
    pub async fn is_called_from(&mut self, number: &str) -> String {
        let bridge = Bridge::connect(&self.gateway).await;
        let mut called = bridge::message("li", "m-1", "By telephone");
        let identities = &mut called.sender.as_mut().unwrap().identities;
        identities.push(contacts::Identity {
            kind: "phone".to_owned(),
            value: number.to_owned(),
            trust: contacts::Trust::Proven.into(),
            ..Default::default()
        });
        bridge.push(called).await.unwrap();
        self.olga.accept().await.id
    }

    /// Waits for a button that a client presses; answers what it says and what it brings.
    pub async fn pressed(&mut self) -> (String, String) {
        self.olga
            .wait_for("a press", |kind| match kind {
                Kind::MessageAdded(pb::Message {
                    content: Some(pb::message::Content::Postback(press)),
                    ..
                }) => Some((press.title, press.payload)),
                _ => None,
            })
            .await
    }

    /// Olga writes.
    pub async fn says(&mut self, client_id: &str, text: &str) -> pb::Message {
        let id = self.conversation.clone();
        self.olga.say(&id, client_id, text).await.unwrap()
    }

    /// The next time that a message is changed so.
    pub async fn changed(&mut self, id: &str, is_so: impl Fn(&pb::Message) -> bool) -> pb::Message {
        self.olga
            .wait_for("a change", |kind| match kind {
                Kind::MessageChanged(message) if message.id == id && is_so(&message) => {
                    Some(message)
                }
                _ => None,
            })
            .await
    }

    /// What becomes of a message.
    pub async fn fate(&mut self, of: &pb::Message, wanted: DeliveryState) -> pb::Message {
        self.changed(&of.id, |message| message.delivery() == wanted)
            .await
    }

    /// The whole conversation.
    pub async fn messages(&mut self) -> Vec<pb::Message> {
        let id = self.conversation.clone();
        self.olga.messages(&id).await
    }

    /// The words of the whole conversation.
    pub async fn texts(&mut self) -> Vec<String> {
        let all = self.messages().await;
        all.iter().map(|one| text_of(one).to_owned()).collect()
    }

    /// Sends a file up; answers the id of the upload.
    pub async fn uploads(&self, name: &str, content: &[u8]) -> String {
        let request = http::request(::http::Method::POST, "/uploads", Some(&self.olga.token))
            .header("x-file-name", name)
            .body(content.to_vec().into())
            .unwrap();
        let answer = http::send(&self.gateway.url(), request).await;
        answer.json()["uploadId"].as_str().unwrap().to_owned()
    }

    /// Olga sends what she sent up.
    pub async fn sends_files(
        &mut self,
        client_id: &str,
        text: &str,
        files: &[&str],
    ) -> pb::Message {
        let request = pb::SendMessageRequest {
            conversation_id: self.conversation.clone(),
            client_id: client_id.to_owned(),
            text: text.to_owned(),
            upload_ids: files.iter().map(|id| (*id).to_owned()).collect(),
            ..Default::default()
        };
        let sent = self.olga.inbox.send_message(request).await;
        sent.unwrap().into_inner()
    }

    /// Whose a conversation is.
    pub async fn contact(&mut self, conversation: &str) -> String {
        let request = pb::GetConversationRequest {
            conversation_id: conversation.to_owned(),
        };
        let answer = self.olga.inbox.get_conversation(request).await.unwrap();
        let conversation = answer.into_inner().conversation.unwrap();
        conversation.contact.unwrap().id
    }

    /// Waits until the clients of two conversations are one: the directory tells it in its
    /// own time.
    pub async fn become_one(&mut self, one: &str, other: &str) {
        let wait = async {
            while self.contact(one).await != self.contact(other).await {
                tokio::time::sleep(TICK).await;
            }
        };
        soon("they are one", wait).await;
    }

    /// Makes sure that there are only so many conversations.
    pub async fn nobody_else_waits(&self, known: usize) {
        let role = domain::operator::Role::Supervisor;
        let mut boss = self.gateway.person("boss", role, &[]).await;
        let all = boss.list(pb::Folder::AllOpen).await;
        assert_eq!(all.conversations.len(), known);
    }

    /// What is wrong with the line, as an administrator is told.
    pub fn trouble(&self) -> Option<String> {
        let engine = self.gateway.engine();
        let line = engine.line(&self.line.into()).unwrap();
        Some(engine.line_status(&line)).filter(|status| status != "up")
    }

    /// Counts something in the store.
    pub fn count(&self, sql: &str) -> i64 {
        let store = Connection::open(self.gateway.store_path()).unwrap();
        store.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// How much was made durable of what came.
    pub fn journaled(&self) -> i64 {
        self.count("select count(*) from journal")
    }

    /// How much waits to be sent.
    pub fn unsent(&self) -> i64 {
        self.count("select count(*) from outbox")
    }

    /// How many threads have something that is being sent, or is to be by now.
    pub fn due(&self) -> i64 {
        let now = self.gateway.clock().now().0;
        self.count(&format!(
            "select count(*) from outbox where next_at <= {now}
               and id in (select min(id) from outbox group by thread)"
        ))
    }

    /// Lets so much time pass, so much at a time.
    pub async fn passes(&self, span_ms: i64, step_ms: i64) {
        for _ in 0..span_ms / step_ms {
            self.gateway.passes(step_ms);
            tokio::time::sleep(TICK).await;
        }
    }

    /// Lets time pass, so much at a time, until something is so.
    pub async fn passes_until(&self, what: &str, step_ms: i64, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            while !is_so(self) {
                self.gateway.passes(step_ms);
                tokio::time::sleep(TICK).await;
            }
        };
        soon(what, wait).await;
    }
}

impl<P: Platform> Scene<P> {
    /// Begins with a line that is called.
    pub async fn called() -> Self {
        let provider = P::open().await;
        let options = provider.called();
        let scene = Self::begin(provider, P::KIND, options).await;
        scene.provider.ready().await;
        scene
    }

    /// Begins with a line that asks, where there is such a way.
    pub async fn asking() -> Self {
        let provider = P::open().await;
        let Some(options) = provider.asking() else {
            return Self::called().await;
        };
        let scene = Self::begin(provider, P::KIND, options).await;
        scene.provider.is_asked().await;
        Self {
            asks: true,
            ..scene
        }
    }

    /// Where the provider calls.
    pub fn hook(&self) -> String {
        let by_hand = || format!("{}/hooks/{}", self.gateway.url(), self.line);
        self.provider.hook().unwrap_or_else(by_hand)
    }

    /// Whether the line asks, and is not called.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The provider brings something, which has to be taken.
    pub async fn brings(&self, body: &str) {
        if self.asks {
            return self.provider.tell(body);
        }
        let answer = self.provider.call(body).post(&self.hook()).await;
        assert!(P::is_taken(&answer), "{answer:?} to {body}");
    }

    /// A client writes for the first time, and Olga takes it; answers the conversation.
    pub async fn meets(&mut self, client: &str) -> String {
        self.brings(&self.provider.words(client, client)).await;
        self.takes(client).await.id
    }

    /// A client writes, and Olga reads it.
    pub async fn hears(&mut self, client: &str, text: &str) -> pb::Message {
        self.brings(&self.provider.words(client, text)).await;
        self.olga.hears(text).await
    }
}
