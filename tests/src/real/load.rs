use std::collections::{BTreeSet, VecDeque};

use domain::OperatorId;
use proto::admin::v1 as pb;
use proto::admin::v1::admin_client::AdminClient;
use proto::inbox::v1::{Membership, Role};
use tokio::task::JoinSet;

use super::bridge::{Pusher, Receiver};
use super::form::Form;
use super::gate::{Gate, persist};
use super::ledger::Ledger;
use super::operator::{Operator, channel, signed};
use super::process::{Life, Server};
use super::random::Random;
use super::visitor::Visitor;
use crate::gateway::PASSWORD;
use crate::operator::{OperatorClient, Signed};
use crate::soon;

/// How many of each there are.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    /// Visitors of the site.
    pub visitors: u64,
    /// Messages a visitor leaves unanswered before the next one.
    pub unanswered_max: usize,
    /// Servers that submit forms.
    pub forms: u64,
    /// Threads of the bridge.
    pub threads: u64,
    /// Operators.
    pub operators: u64,
}

/// The tokens of the people and programs of a gateway.
#[derive(Debug)]
pub struct Tokens {
    pub(super) admin: String,
    bridge: String,
    operators: Vec<String>,
}

/// Everybody around the gateway.
pub struct Load {
    gate: Gate,
    /// What they wrote down.
    pub ledger: Ledger,
    pub(super) tokens: Tokens,
    pub(super) visitors: Vec<Visitor>,
    tasks: JoinSet<Option<Visitor>>,
    receiver: JoinSet<()>,
}

/// Starts a gateway for the first time and makes its people, by the link it prints;
/// then stops it, so that all of that is on the disk.
pub async fn set_up(server: &mut Server, crew: Crew) -> Tokens {
    let Life::Ready(_, Some(token)) = server.start(&[]).await else {
        panic!("a new gateway tells how to set it up:\n{}", server.said());
    };
    let mut admin = AdminClient::new(channel(&server.url).await.unwrap());
    let first = pb::SetUpRequest {
        set_up_token: token,
        login: "boss".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Boss".to_owned(),
    };
    admin.set_up(first).await.unwrap();
    let boss = sign_in(&server.url, "boss").await;
    let mut admin = AdminClient::new(signed(&server.url, &boss).await.unwrap());
    let mut operators = Vec::new();
    for number in 0..crew.operators {
        let login = format!("o{number}");
        make_operator(&mut admin, &login, "main").await;
        operators.push(sign_in(&server.url, &login).await);
    }
    let bridge = pb::CreateTokenRequest {
        name: "bridge".to_owned(),
        role: Role::Operator.into(),
        bridge_line_ids: vec!["bridge".to_owned()],
        ..Default::default()
    };
    let bridge = admin
        .create_token(bridge)
        .await
        .unwrap()
        .into_inner()
        .secret;
    server.stop().await;
    Tokens {
        admin: boss,
        bridge,
        operators,
    }
}

/// Makes another operator, of a queue, who is signed in and Ready.
pub async fn hire(url: &str, tokens: &Tokens, login: &str, queue: &str) -> OperatorClient {
    let mut admin = AdminClient::new(signed(url, &tokens.admin).await.unwrap());
    let id = make_operator(&mut admin, login, queue).await;
    let token = sign_in(url, login).await;
    let mut operator = OperatorClient::connect(url, id, &token).await;
    operator.ready().await;
    operator
}

async fn make_operator(admin: &mut AdminClient<Signed>, login: &str, queue: &str) -> OperatorId {
    let operator = pb::CreateOperatorRequest {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: login.to_owned(),
        role: Role::Operator.into(),
        queues: vec![Membership {
            queue_id: queue.to_owned(),
            rank: 0,
            position: 0,
        }],
        ..Default::default()
    };
    let made = admin.create_operator(operator).await.unwrap();
    OperatorId::new(made.into_inner().id.parse().unwrap())
}

async fn sign_in(url: &str, login: &str) -> String {
    let mut admin = AdminClient::new(channel(url).await.unwrap());
    let login = pb::LoginRequest {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
        token: true,
    };
    admin.login(login).await.unwrap().into_inner().token
}

impl Load {
    /// Everybody comes, and waits for the gate.
    pub fn begin(url: &str, gate: &Gate, tokens: Tokens, crew: Crew, random: &mut Random) -> Self {
        let ledger = Ledger::default();
        let mut this = Self {
            gate: gate.clone(),
            ledger: ledger.clone(),
            tokens,
            visitors: Vec::new(),
            tasks: JoinSet::new(),
            receiver: JoinSet::new(),
        };
        for number in 0..crew.visitors {
            let visitor = Visitor {
                url: url.to_owned(),
                name: format!("v{number}"),
                gate: gate.clone(),
                ledger: ledger.clone(),
                unanswered_max: crew.unanswered_max,
                token: None,
                cursor: 0,
                unanswered: VecDeque::new(),
            };
            let client = persist(gate.clone(), visitor);
            this.tasks.spawn(async move { Some(client.await) });
        }
        for index in 0..crew.forms {
            let form = Form {
                url: url.to_owned(),
                name: format!("f{index}"),
                index,
                gate: gate.clone(),
                ledger: ledger.clone(),
                unanswered: None,
            };
            this.run(persist(gate.clone(), form));
        }
        this.begin_bridge(url, crew);
        for (number, token) in this.tokens.operators.clone().into_iter().enumerate() {
            let operator = Operator {
                url: url.to_owned(),
                name: format!("o{number}"),
                token,
                gate: gate.clone(),
                ledger: ledger.clone(),
                random: Random::new(random.number()),
                acts: 0,
                unanswered: None,
                cursor: String::new(),
            };
            this.run(persist(gate.clone(), operator));
        }
        this
    }

    fn begin_bridge(&mut self, url: &str, crew: Crew) {
        if crew.threads == 0 {
            return;
        }
        let (gate, ledger) = (self.gate.clone(), self.ledger.clone());
        let token = self.tokens.bridge.clone();
        for index in 0..crew.threads {
            let pusher = Pusher {
                url: url.to_owned(),
                token: token.clone(),
                name: format!("b{index}"),
                gate: gate.clone(),
                ledger: ledger.clone(),
                unanswered: None,
            };
            self.run(persist(gate.clone(), pusher));
        }
        let receiver = Receiver {
            url: url.to_owned(),
            token,
            ledger,
            done: BTreeSet::new(),
        };
        self.receiver.spawn(async move {
            persist(gate, receiver).await;
        });
    }

    fn run<C: Send + 'static>(&mut self, client: impl Future<Output = C> + Send + 'static) {
        self.tasks.spawn(async move {
            client.await;
            None
        });
    }

    /// Nobody begins anything new; what was begun is finished.
    pub async fn drain(&mut self) {
        self.gate.drain();
        let finish = async {
            while let Some(done) = self.tasks.join_next().await {
                self.visitors.extend(done.unwrap());
            }
        };
        soon("everybody finishes what they began", finish).await;
        self.visitors
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
}
