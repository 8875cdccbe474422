//! Operators whose machine or connection dies without a word: nothing is closed, and
//! nothing is heard of them any more.

use std::time::Duration;

use domain::Millis;
use domain::message::Medium;
use domain::operator::Role;
use e2e::http::{Events, call};
use e2e::{OperatorClient, TestGateway, Visitor, soon};
use proto::inbox::v1 as pb;
use proto::inbox::v1::ConversationState as State;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};
use socket2::{SockFilter, SockRef};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use web::listen::{Options, Watch};

/// Never, within a test.
const NEVER: Duration = Duration::from_hours(1);
const FEED: &str = "/switchboard.inbox.v1.Inbox/Subscribe";

/// A gateway that watches its clients in this way. Nobody is asked for so short that the
/// time of an offer is over first.
async fn gateway(watch: Watch) -> TestGateway {
    let options = Options {
        watch,
        ..Options::default()
    };
    TestGateway::start_as(options, |settings| {
        let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
        let long = Millis::from_secs(86_400);
        main.offer_timeout.insert(Medium::Chat, long);
        main.abandon_after = Millis(0);
    })
    .await
}

/// A wire between a client and the gateway. When it is cut, both ends stay open, and
/// nothing goes through.
struct Wire {
    url: String,
    cut: CancellationToken,
}

impl Wire {
    async fn to(gateway: &TestGateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let there = gateway.url().replace("http://", "");
        let cut = CancellationToken::new();
        let is_cut = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&there).await.unwrap();
                let is_cut = is_cut.clone();
                tokio::spawn(async move {
                    let copied = tokio::io::copy_bidirectional(&mut client, &mut server);
                    tokio::select! {
                        _ = copied => {}
                        () = is_cut.cancelled() => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, cut }
    }
}

/// A browser's event stream. When its machine dies, its system confirms nothing more.
struct Browser {
    stream: TcpStream,
}

impl Browser {
    async fn open(url: &str, token: &str) -> Self {
        let host = url.replace("http://", "");
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request =
            format!("GET {FEED} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        while !said.windows(7).any(|part| part == b"\"ready\"") {
            let read = soon("the feed", stream.read_buf(&mut said)).await.unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&said));
        }
        Self { stream }
    }

    /// Every packet is dropped before the system looks at it.
    fn die(&self) {
        const RETURN: u16 = 6;
        let drop_all = SockFilter::new(RETURN, 0, 0, 0);
        SockRef::from(&self.stream)
            .attach_filter(&[drop_all])
            .unwrap();
    }
}

/// Somebody who speaks JSON and has no feed of their own.
struct Caller {
    url: String,
    token: String,
    id: String,
}

impl Caller {
    async fn of(gateway: &TestGateway, login: &str) -> Self {
        // Made, with a feed that ends at once.
        let made = gateway.person(login, Role::Operator, &["main"]).await;
        Self {
            url: gateway.url(),
            token: made.token.clone(),
            id: made.id.to_string(),
        }
    }

    async fn call(&self, method: &str, body: Value) {
        let method = format!("switchboard.inbox.v1.Inbox/{method}");
        let answer = call(&self.url, &method, Some(&self.token), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

struct Watched {
    gateway: TestGateway,
    boss: OperatorClient,
    /// Theirs; they are asked about the second.
    talk: String,
    asked: String,
    _visitors: [Visitor; 2],
}

impl Watched {
    /// An operator of this id talks with one and is asked about another.
    async fn with(
        gateway: TestGateway,
        mut boss: OperatorClient,
        id: &str,
        accept: impl AsyncFnOnce(String),
    ) -> Self {
        let mut first = gateway.visitor().await;
        first.say("c-1", "hello").await;
        let (offer, talk) = offered(&mut boss, id).await;
        accept(offer).await;
        let mut second = gateway.visitor().await;
        second.say("c-1", "hello").await;
        let (_, asked) = offered(&mut boss, id).await;
        Self {
            gateway,
            boss,
            talk,
            asked,
            _visitors: [first, second],
        }
    }

    /// First they are disconnected, and what they are asked goes to a colleague; when they
    /// are not back for long, their chat goes, too.
    async fn loses(mut self, id: &str, colleague: &str) {
        let (talk, asked) = (self.talk.clone(), self.asked.clone());
        let clock = self.gateway.clock().clone();
        let boss = &mut self.boss;
        let passes = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                ticks.tick().await;
                clock.advance(200);
            }
        };
        let order = async {
            let mut order = Vec::new();
            while order.len() < 4 {
                let next = boss.wait_for("what follows", |kind| match kind {
                    Kind::PresenceChanged(now) if now.id == id => match now.routing_state() {
                        pb::RoutingState::Disconnected => Some("disconnected"),
                        pb::RoutingState::NotReady => Some("offline"),
                        _ => None,
                    },
                    Kind::PresenceChanged(now) if now.id == colleague => {
                        let is_gone = now.routing_state() == pb::RoutingState::Disconnected;
                        is_gone.then_some("the colleague is disconnected")
                    }
                    Kind::OfferMade(made) => {
                        let offer = made.offer.unwrap();
                        let is_theirs = offer.operator_id == colleague;
                        let what = [(&asked, "asked elsewhere"), (&talk, "given elsewhere")];
                        let found = what.iter().find(|(id, _)| **id == offer.conversation_id);
                        found.filter(|_| is_theirs).map(|(_, what)| *what)
                    }
                    Kind::ConversationChanged(now) if now.id == talk => {
                        let is_back = now.returned && now.state() == State::Queued;
                        is_back.then_some("returned")
                    }
                    _ => None,
                });
                let next = next.await;
                if order.last() != Some(&next) {
                    order.push(next);
                }
            }
            order
        };
        let order = tokio::select! {
            order = order => order,
            () = passes => unreachable!("time does not end"),
        };
        let expected = ["disconnected", "asked elsewhere", "offline", "returned"];
        assert_eq!(order, expected);
    }
}

/// Waits until somebody is asked: the offer and its conversation.
async fn offered(boss: &mut OperatorClient, id: &str) -> (String, String) {
    boss.wait_for("an offer", |kind| match kind {
        Kind::OfferMade(made) => {
            let offer = made.offer.unwrap();
            (offer.operator_id == id).then_some((offer.id, offer.conversation_id))
        }
        _ => None,
    })
    .await
}

/// A program that is stuck, or whose way is cut where its system still confirms, answers no
/// pings.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_answers_no_pings() {
    let gateway = gateway(Watch {
        ping_every: Duration::from_millis(300),
        ping_answered_within: Duration::from_secs(2),
        confirmed_within: NEVER,
        beat_every: NEVER,
    })
    .await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let made = gateway.person("anna", Role::Operator, &["main"]).await;
    let wire = Wire::to(&gateway).await;
    let mut anna = OperatorClient::connect(&wire.url, made.id, &made.token).await;
    drop(made);
    anna.ready().await;
    let id = anna.id.to_string();
    let accept = async |offer: String| {
        anna.accept_offer(&offer).await.unwrap();
    };
    let watched = Watched::with(gateway, boss, &id, accept).await;
    // The same, by a way that is not cut.
    let other = Wire::to(&watched.gateway).await;
    let made = watched
        .gateway
        .person("bob", Role::Operator, &["main"])
        .await;
    let mut bob = OperatorClient::connect(&other.url, made.id, &made.token).await;
    drop(made);
    bob.ready().await;
    wire.cut.cancel();
    watched.loses(&id, &bob.id.to_string()).await;
    drop((anna, bob));
}

/// A machine that is dead confirms nothing that it is sent, and the feed beats.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_whose_machine_is_dead() {
    let gateway = gateway(Watch {
        ping_every: Duration::from_secs(6),
        ping_answered_within: NEVER,
        confirmed_within: Duration::from_secs(1),
        beat_every: Duration::from_millis(300),
    })
    .await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let anna = Caller::of(&gateway, "anna").await;
    let page = Browser::open(&gateway.url(), &anna.token).await;
    let ready = json!({"presence": "READY"});
    anna.call("SetPresence", ready.clone()).await;
    let accept = async |offer: String| anna.call("AcceptOffer", json!({"offerId": offer})).await;
    let watched = Watched::with(gateway, boss, &anna.id, accept).await;
    let bob = Caller::of(&watched.gateway, "bob").await;
    let others = Events::open(&watched.gateway.url(), FEED, &bob.token, "").await;
    bob.call("SetPresence", ready).await;
    page.die();
    watched.loses(&anna.id, &bob.id).await;
    drop((page, others));
}
