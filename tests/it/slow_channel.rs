//! A channel that takes its time holds up neither what clients wrote nor the end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use channels::registry::Kind as ChannelKind;
use channels::{
    Capability, Channel, Descriptor, Envelope, FetchError, File, Host, Malformed, RunError,
    SendError,
};
use domain::Timestamp;
use domain::message::{
    Attachment, Content, Inbound, InboundKind, Medium, Outbound, Receipt, Sender, Text, Thread,
};
use e2e::{TestGateway, soon};
use engine::Settings;
use engine::settings::Line;
use proto::channels::v1::DeliveryState;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const WORDS: &str = "see the scan";
const AWAY: &str = "the provider is away";

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "slow",
    display_name: "Slow",
    medium: Medium::Messenger,
    capabilities: &[Capability::Reply],
    text_length_max: 1_000,
    attachment_bytes_max: 1_000,
    delivery_bytes_max: 1_000,
    idempotent_send: false,
};
static KIND: ChannelKind = ChannelKind {
    descriptor: &DESCRIPTOR,
    build: |_| Err(Vec::new()),
    normalize: |_| Ok(Vec::new()),
    example: "",
};

/// Brings one message with a file that cannot be had, and ends no sending.
struct Slow {
    fetched: watch::Sender<u32>,
    sent: watch::Sender<u32>,
}

#[async_trait]
impl Channel for Slow {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, _: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        Ok(vec![Inbound {
            event_key: "1".to_owned(),
            message_id: Some("1".to_owned()),
            thread_key: "anna".to_owned(),
            sent_at: Timestamp(0),
            sender: Sender::default(),
            thread: Thread::default(),
            attachments: vec![Attachment {
                file_name: "scan.png".to_owned(),
                source: Some("scan".to_owned()),
                ..Attachment::default()
            }],
            letter: None,
            album: None,
            kind: InboundKind::Message(Content::Text(Text::plain(WORDS))),
        }])
    }

    async fn fetch(&self, _: &Bytes, _: &Attachment) -> Result<File, FetchError> {
        self.fetched.send_modify(|count| *count += 1);
        Err(FetchError::Later(AWAY.to_owned()))
    }

    async fn send(&self, _: &Outbound, _: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        self.sent.send_modify(|count| *count += 1);
        std::future::pending().await
    }

    fn send_time_max(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        let envelope = Envelope {
            event_key: "1".to_owned(),
            raw: Bytes::from_static(b"1"),
            rest: None,
        };
        let accepted = host.accept(&"slow".into(), envelope).await;
        accepted.map_err(|refused| RunError(refused.to_string()))?;
        stop.cancelled().await;
        Ok(())
    }
}

fn line(channel: &Arc<Slow>) -> Line {
    Line {
        id: "slow".into(),
        display_name: "Slow".to_owned(),
        kind: &KIND,
        queue: "main".into(),
        default_region: "RU".to_owned(),
        hours: None,
        channel: Arc::clone(channel) as Arc<dyn Channel>,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_and_an_answer_that_does_not_go_have_an_end() {
    let slow = Arc::new(Slow {
        fetched: watch::Sender::new(0),
        sent: watch::Sender::new(0),
    });
    let lines = Arc::clone(&slow);
    let mut gateway = TestGateway::start_with(move |settings: &mut Settings| {
        settings.lines.push(line(&lines));
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut fetched = slow.fetched.subscribe();
    let tried = fetched.wait_for(|count| *count >= 3);
    soon("the file is asked for again", tried).await.unwrap();
    gateway.clock().advance(121_000);

    let conversation = anna.accept().await;
    let message = anna.messages(&conversation.id).await.remove(0);
    assert_eq!(e2e::operator::text_of(&message), WORDS);
    assert_eq!(message.attachments[0].file_name, "scan.png");
    assert_eq!(message.attachments[0].problem, AWAY);
    assert_eq!(message.attachments[0].sha256, "");

    let said = anna.say(&conversation.id, "1", "Thanks").await.unwrap();
    let mut sent = slow.sent.subscribe();
    soon("it is handed over", sent.wait_for(|count| *count == 1))
        .await
        .unwrap();
    soon("the gateway stops", gateway.stop()).await;
    gateway.restart().await;
    let mut anna = gateway.sign_in("anna").await;
    let messages = anna.messages(&conversation.id).await;
    let said = messages.iter().find(|message| message.id == said.id);
    let said = said.unwrap();
    assert_eq!(said.delivery(), DeliveryState::Uncertain);
    assert_eq!(said.delivery_error, "the gateway stopped while sending");
    assert_eq!(
        *slow.sent.borrow(),
        1,
        "what may have been sent is not sent again"
    );
}
