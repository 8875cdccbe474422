//! What is large waits for itself alone.

use std::sync::Arc;

use async_trait::async_trait;
use channels::{Channel, Descriptor, Envelope, Host, Kind, Malformed, SendError};
use domain::message::{Inbound, Outbound, Receipt};
use e2e::TestGateway;
use e2e::mail::{Clients, Kept, settled};
use engine::settings::Line;
use futures::StreamExt as _;
use tokio::sync::Mutex;

/// More than is read beside others.
const LARGE_BYTES: usize = 400_000;

/// Reads letters; the large ones as long as nobody holds the key.
struct Reader {
    kind: &'static Kind,
    key: Arc<Mutex<()>>,
}

#[async_trait]
impl Channel for Reader {
    fn descriptor(&self) -> &'static Descriptor {
        self.kind.descriptor
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        if raw.len() >= LARGE_BYTES {
            drop(self.key.blocking_lock());
        }
        (self.kind.normalize)(raw)
    }

    async fn send(&self, _: &Outbound, _: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        Err(SendError::Unsupported)
    }
}

async fn gateway(key: &Arc<Mutex<()>>) -> TestGateway {
    let key = Arc::clone(key);
    TestGateway::start_with(move |settings| {
        let kind = channels::registry::find("email").unwrap();
        let key = Arc::clone(&key);
        settings.lines.push(Line {
            id: "mail".into(),
            display_name: "Shop".to_owned(),
            kind,
            queue: "main".into(),
            default_region: "RU".to_owned(),
            hours: None,
            channel: Arc::new(Reader { kind, key }),
        });
    })
    .await
}

async fn take_in(gateway: &TestGateway, key: &str, letter: Vec<u8>) {
    let is_large = letter.len() >= LARGE_BYTES;
    let mut envelope = Envelope {
        event_key: key.to_owned(),
        raw: letter.into(),
        rest: None,
    };
    if is_large {
        let content = futures::stream::iter([Ok(std::mem::take(&mut envelope.raw))]);
        let stored = gateway
            .engine()
            .store_file("letter.eml", u64::MAX, content.boxed());
        envelope.rest = Some(stored.await.unwrap());
    }
    let line = "mail".into();
    gateway.engine().accept(&line, envelope).await.unwrap();
}

async fn until_came(kept: &Kept, count: usize) {
    let wait = async {
        while kept.messages("inbound").len() < count {
            tokio::task::yield_now().await;
        }
    };
    e2e::soon("what is small", wait).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_what_is_large_but_its_own_thread() {
    let key = Arc::new(Mutex::new(()));
    let held = Arc::clone(&key).lock_owned().await;
    let gateway = gateway(&key).await;
    let mut clients = Clients::new(3);
    let large = clients.longer_letter(&"and more\r\n".repeat(LARGE_BYTES / 9));
    take_in(&gateway, "large", large).await;
    for number in 1..9 {
        take_in(&gateway, &number.to_string(), clients.letter()).await;
    }
    let kept = Kept::open(&gateway.store_path());
    // Two clients have written three letters each, and the third waits for the first.
    until_came(&kept, 6).await;
    assert_eq!(kept.in_state(0), 3);
    drop(held);
    settled(&gateway).await;
    clients.check(&kept);
}
