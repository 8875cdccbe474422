//! Nobody is taken for a client who is not: what a letter says of itself, of its thread
//! and of who vouches for it opens nothing of a client's, and tells nobody of it.

mod attacks;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::operator::Role;
use domain::text::Localized;
use e2e::mail::{
    Dovecot, Kept, Manner, Peer, Post, SUPPORT, add_line, contains, gateway_with, header, never,
    section, section_of, settled,
};
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, or_skip};
use proto::channels::v1::LetterAddress;
use proto::channels::v1::letter::Warning;
use proto::contacts::v1 as contacts;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::json;

use attacks::{Attack, Place, SENDERS, THREADS, VOUCHERS};

const SALES: &str = "sales@shop.test";
const KIRA: &str = "kira@client.test";
const BORIS: &str = "boris@plain.test";
const CARL: &str = "carl@client.test";
/// What only a client and we may know.
const SECRETS: [&str; 2] = ["the code is 4711", "the answer is 0815"];

/// A client with a conversation, and what their letters and ours can be told by.
struct Client {
    address: &'static str,
    conversation: pb::Conversation,
    contact: contacts::Contact,
    name: String,
    ours: String,
    token: String,
}

struct Scene {
    dovecot: Dovecot,
    outside: Peer,
    gateway: TestGateway,
    boss: OperatorClient,
    heard: Vec<pb::Message>,
}

/// A letter as it would come from the server that takes letters in for us.
fn letter(head: &str, text: &str) -> Vec<u8> {
    let head = head.replace("{name}", text);
    let (fields, body) = head.split_once("\n\n").unwrap_or((&head, text));
    let has = |name: &str| fields.lines().any(|line| line.starts_with(name));
    let id = text.replace(|c: char| !c.is_ascii_alphanumeric(), ".");
    let mut letter = fields.to_owned();
    for (name, value) in [
        ("Message-ID:", format!("<{id}@evil.test>")),
        ("To:", format!("<{SUPPORT}>")),
        ("Subject:", "Order 5".to_owned()),
        ("Date:", "Thu, 26 Nov 2026 10:00:00 +0000".to_owned()),
    ] {
        if !has(name) {
            letter.extend(["\n", name, " ", &value]);
        }
    }
    format!("{letter}\n\n{body}\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

impl Scene {
    /// A gateway that is closed and tells everybody so.
    async fn open() -> Result<Self, String> {
        let dovecot = Dovecot::start(&[SUPPORT, SALES]).await?;
        let outside = Peer::start(Manner::Silent, dovecot.lmtp()).await;
        let sales = section_of(SALES, dovecot.imap(), outside.port(), "");
        let ours = section(dovecot.imap(), outside.port(), "");
        let gateway = gateway_with(&ours, move |settings| {
            add_line(settings, "sales", &sales);
            let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
            main.hours = Some(never());
            main.closed_reply = Some(Arc::new(Localized::new("We are closed until Monday.")));
        })
        .await;
        let mut boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
        boss.ready().await;
        Ok(Self {
            dovecot,
            outside,
            gateway,
            boss,
            heard: Vec::new(),
        })
    }

    /// Waits for a message with these words in it.
    async fn hears(&mut self, words: &str) -> pb::Message {
        loop {
            let mut heard = self.heard.iter();
            if let Some(message) = heard.find(|message| text_of(message).contains(words)) {
                return message.clone();
            }
            let next = self.boss.wait_for(words, |kind| match kind {
                Kind::MessageAdded(message) => Some(message),
                _ => None,
            });
            let next = next.await;
            self.heard.push(next);
        }
    }

    async fn comes(&mut self, head: &str, text: &str) -> pb::Message {
        let letter = letter(head, text);
        self.dovecot.deliver(SUPPORT, &letter).await;
        self.hears(text).await
    }

    /// Answers as the inbox does when nobody says to whom.
    async fn answers(&mut self, conversation: &str, text: &str) -> Post {
        self.boss.say(conversation, text, text).await.unwrap();
        self.posted(text).await
    }

    /// Waits until a letter with these words is outside.
    async fn posted(&self, words: &str) -> Post {
        let mut count = 1;
        loop {
            let posts = self.outside.came(count).await;
            if let Some(post) = posts.iter().find(|post| contains(&post.letter, words)) {
                return post.clone();
            }
            count = posts.len() + 1;
        }
    }

    async fn conversation(&mut self, id: &str) -> pb::Conversation {
        let conversation_id = id.to_owned();
        let request = pb::GetConversationRequest { conversation_id };
        let answer = self.boss.inbox.get_conversation(request).await.unwrap();
        answer.into_inner().conversation.unwrap()
    }

    async fn contact_of(&self, conversation: &pb::Conversation) -> contacts::Contact {
        let mut directory = ContactDirectoryClient::new(self.boss.signed());
        let contact_id = conversation.contact.clone().unwrap().id;
        let request = contacts::GetContactRequest { contact_id };
        directory.get_contact(request).await.unwrap().into_inner()
    }

    /// A client writes, and gets an answer.
    async fn client(&mut self, address: &'static str, to: &str, vouch: &str) -> Client {
        let text = format!("{address}: {}", SECRETS[0]);
        let name = format!("<first-of-{address}>");
        let head = format!("{vouch}From: <{address}>\nTo: <{to}>\nMessage-ID: {name}");
        self.dovecot.deliver(to, &letter(&head, &text)).await;
        let first = self.hears(&text).await;
        let request = pb::TakeConversationRequest {
            conversation_id: first.conversation_id.clone(),
            client_id: String::new(),
        };
        self.boss.inbox.take_conversation(request).await.unwrap();
        let answer = format!("{address}: {}", SECRETS[1]);
        let post = self.answers(&first.conversation_id, &answer).await;
        assert_eq!(post.recipients, [address]);
        let conversation = self.conversation(&first.conversation_id).await;
        let reply_to = header(&post.letter, "Reply-To");
        let token = reply_to.split(['+', '@']).nth(1).unwrap();
        assert_eq!(token.len(), 20, "{reply_to}");
        Client {
            address,
            contact: self.contact_of(&conversation).await,
            conversation,
            name,
            ours: header(&post.letter, "Message-ID"),
            token: token.to_owned(),
        }
    }

    async fn clients(&mut self) -> [Client; 3] {
        let vouch = "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\n";
        [
            self.client(KIRA, SUPPORT, vouch).await,
            self.client(BORIS, SUPPORT, "").await,
            self.client(CARL, SALES, vouch).await,
        ]
    }
}

/// What an attacker fills in.
fn filled(head: &str, number: usize, clients: &[Client; 3]) -> String {
    let [kira, boris, carl] = clients;
    let mine = "Authentication-Results: mx.shop.test; dmarc=pass header.from=evil.test";
    [
        ("{mine}", mine),
        ("{me}", &format!("mallory{number}@evil.test")),
        ("{kira}", &kira.name),
        ("{boris}", &boris.name),
        ("{ours}", &kira.ours),
        ("{boris-ours}", &boris.ours),
        ("{token}", &kira.token),
        ("{sales-ours}", &carl.ours),
        ("{sales-token}", &carl.token),
    ]
    .iter()
    .fold(head.to_owned(), |head, (mark, value)| {
        head.replace(mark, value)
    })
}

/// Every attack with its whole header.
fn all() -> Vec<(&'static Attack, String)> {
    let mut all = Vec::new();
    for attack in SENDERS {
        all.push((attack, attack.head.to_owned()));
    }
    for attack in VOUCHERS {
        all.push((attack, format!("From: <{KIRA}>\n{}", attack.head)));
    }
    for attack in THREADS {
        let is_named = attack.head.lines().any(|line| line.starts_with("From:"));
        let from = if is_named {
            ""
        } else {
            "{mine}\nFrom: <{me}>\n"
        };
        all.push((attack, format!("{from}{}", attack.head)));
    }
    all
}

/// What went wrong, by what is not to happen.
#[derive(Debug, Default)]
struct Wrongs {
    attached: Vec<String>,
    merged: Vec<String>,
    raised: Vec<String>,
    untold: Vec<String>,
    disclosed: Vec<String>,
}

async fn judge(scene: &mut Scene, attack: &Attack, clients: &[Client; 3], wrongs: &mut Wrongs) {
    let message = scene.hears(attack.name).await;
    let letter = message.letter.clone().unwrap();
    let told: BTreeSet<Warning> = letter.warnings().collect();
    if !attack.told.iter().all(|warning| told.contains(warning)) {
        let wrong = format!("{}: {told:?}, not {:?}", attack.name, attack.told);
        wrongs.untold.push(wrong);
    }
    let conversation = scene.conversation(&message.conversation_id).await;
    let is_in = |client: &&Client| client.conversation.thread_id == conversation.thread_id;
    let client = clients.iter().find(is_in);
    let is_stranger = told.contains(&Warning::Stranger);
    if client.is_some() != (attack.place == Place::AsStranger) || client.is_some() && !is_stranger {
        wrongs.attached.push(attack.name.to_owned());
    }
    if client.is_some() {
        return;
    }
    let contact = scene.contact_of(&conversation).await;
    if clients.iter().any(|client| client.contact.id == contact.id) {
        wrongs.merged.push(attack.name.to_owned());
    }
    let is_raised = contact.identities.iter().any(|it| {
        let of_client = clients
            .iter()
            .any(|client| client.address.eq_ignore_ascii_case(&it.value));
        of_client && it.trust() != contacts::Trust::Claimed
    });
    if is_raised {
        wrongs.raised.push(attack.name.to_owned());
    }
}

/// What a letter of ours tells to whom it is not for, and who did not write it themselves.
fn disclosed(post: &Post, clients: &[Client; 3], heads: &[String]) -> Option<String> {
    let is_client = |to: &String| clients.iter().any(|client| client.address == to);
    if post.recipients.iter().all(is_client) {
        return None;
    }
    let tokens = clients.iter().map(|client| client.token.as_str());
    let wrote = |secret: &&str| {
        let mut heads = heads.iter().filter(|head| head.contains(*secret));
        heads.any(|head| post.recipients.iter().all(|to| head.contains(to)))
    };
    let told = SECRETS
        .into_iter()
        .chain(tokens)
        .find(|secret| contains(&post.letter, secret) && !wrote(secret));
    told.map(|secret| format!("{secret:?} to {:?}", post.recipients))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_a_client() {
    let mut scene = or_skip!(Scene::open().await);
    let clients = scene.clients().await;
    let all = all();
    let mut heads = Vec::new();
    for (number, (attack, head)) in all.iter().enumerate() {
        heads.push(filled(head, number, &clients));
        let letter = letter(&heads[number], attack.name);
        scene.dovecot.deliver(SUPPORT, &letter).await;
    }
    let mut wrongs = Wrongs::default();
    for (attack, _) in &all {
        judge(&mut scene, attack, &clients, &mut wrongs).await;
    }
    settled(&scene.gateway).await;
    for client in &clients {
        let conversation = scene.conversation(&client.conversation.id).await;
        if scene.contact_of(&conversation).await != client.contact {
            wrongs.merged.push(format!("{} changed", client.address));
        }
        // Whoever wrote last, the answer is for the client.
        let text = format!("{}: and {}", client.address, SECRETS[1]);
        scene.answers(&client.conversation.id, &text).await;
    }
    let posts = scene.outside.posts();
    let told = posts.iter();
    let told = told.filter_map(|post| disclosed(post, &clients, &heads));
    wrongs.disclosed.extend(told);
    let figures = json!({
        "test": "mail_trust", "attacks": all.len(), "answered_by_itself": posts.len() - 6,
        "wrong_attached": wrongs.attached.len(), "merged": wrongs.merged.len(),
        "trust_raised": wrongs.raised.len(), "not_told": wrongs.untold.len(),
        "disclosed": wrongs.disclosed.len(),
    });
    println!("{figures}");
    assert!(posts.len() > 20, "strangers are told that nobody is there");
    let wrong = format!("{wrongs:#?}");
    assert_eq!(wrong, format!("{:#?}", Wrongs::default()));
}

/// What is to turn an answer elsewhere, in the thread of a client who is vouched for and
/// of one who is not.
const TURNS: [(&str, &str); 9] = [
    (KIRA, "{mine}\nFrom: <{me}>\nIn-Reply-To: {ours}"),
    (
        KIRA,
        "{mine}\nFrom: <{me}>\nIn-Reply-To: {ours}\nReply-To: <two@evil.test>",
    ),
    (
        KIRA,
        "From: <kira@client.test>\nIn-Reply-To: {ours}\nReply-To: <{me}>",
    ),
    (
        KIRA,
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\n\
         From: <kira@client.test>\nIn-Reply-To: {ours}\nReply-To: <{me}>",
    ),
    (
        KIRA,
        "From: <kira@client.test>\nTo: <help+{token}@shop.test>\nCc: <{me}>",
    ),
    (
        BORIS,
        "From: <boris@plain.test>\nReferences: {boris}\nReply-To: <{me}>",
    ),
    (
        BORIS,
        "From: <boris@plain.test>\nIn-Reply-To: {boris-ours}\nReply-To: <{me}>, <{me}>",
    ),
    (
        BORIS,
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=plain.test\n\
         From: <boris@plain.test>\nIn-Reply-To: {boris-ours}\nReply-To: <{me}>",
    ),
    (
        BORIS,
        "From: <boris@plain.test>\nReferences: {boris}\nCc: <{me}>\nSender: <{me}>",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_letter_turns_answers_away_from_a_client() {
    let mut scene = or_skip!(Scene::open().await);
    let clients = scene.clients().await;
    for (number, (address, head)) in TURNS.into_iter().enumerate() {
        let of = |client: &&Client| client.address == address;
        let client = clients.iter().find(of).unwrap();
        let head = filled(head, number, &clients);
        let came = scene.comes(&head, &format!("turn {number}")).await;
        assert_eq!(came.conversation_id, client.conversation.id, "{head}");
        let text = format!("answer {number}");
        let post = scene.answers(&client.conversation.id, &text).await;
        assert_eq!(post.recipients, [address], "{head}");
        let now = scene.conversation(&client.conversation.id).await;
        assert_eq!(now.contact.unwrap().id, client.contact.id, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_heard_and_the_thread_stays_the_client_s() {
    let mut scene = or_skip!(Scene::open().await);
    let clients = scene.clients().await;
    let [kira, ..] = &clients;
    let id = kira.conversation.id.clone();
    let request = pb::SendMessageRequest {
        conversation_id: id.clone(),
        client_id: "both".to_owned(),
        text: "to both of you".to_owned(),
        letter: Some(pb::LetterToSend {
            to: vec![to(KIRA)],
            cc: vec![to("mallory0@evil.test")],
            ..Default::default()
        }),
        ..Default::default()
    };
    scene.boss.inbox.send_message(request).await.unwrap();
    scene.posted("to both of you").await;
    let head = filled("{mine}\nFrom: <{me}>\nReferences: {ours}", 0, &clients);
    for (more, text) in [
        ("", "from a guest"),
        ("\nReply-To: <two@evil.test>", "and again"),
    ] {
        let came = scene.comes(&format!("{head}{more}"), text).await;
        assert_eq!(came.conversation_id, id);
        let warnings: Vec<_> = came.letter.unwrap().warnings().collect();
        assert!(!warnings.contains(&Warning::Stranger), "{warnings:?}");
        let post = scene.answers(&id, &format!("after {text}")).await;
        assert_eq!(post.recipients, [KIRA]);
        let now = scene.conversation(&id).await;
        assert_eq!(now.contact.unwrap().id, kira.contact.id);
    }
}

/// A form on a site writes for its visitor; from the first answer on it is the visitor's.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_answers_elsewhere_gets_them_there() {
    let mut scene = or_skip!(Scene::open().await);
    let head = "From: <robot@form.test>\nReply-To: <kira@client.test>";
    let first = scene.comes(head, "by a form").await;
    let id = first.conversation_id;
    let request = pb::TakeConversationRequest {
        conversation_id: id.clone(),
        client_id: String::new(),
    };
    scene.boss.inbox.take_conversation(request).await.unwrap();
    let post = scene.answers(&id, "to whom the form names").await;
    assert_eq!(post.recipients, [KIRA]);
    let vouch = "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test";
    let ours = header(&post.letter, "Message-ID");
    let own = format!("{vouch}\nFrom: <{KIRA}>\nIn-Reply-To: {ours}");
    let own = scene.comes(&own, "from her").await;
    assert_eq!(own.conversation_id, id);
    let conversation = scene.conversation(&id).await;
    assert_eq!(conversation.contact.unwrap().address, KIRA);
    assert_eq!(scene.answers(&id, "to her").await.recipients, [KIRA]);
    // Whoever is vouched for may ask for it at any time.
    let home = format!("{vouch}\nFrom: <{KIRA}>\nIn-Reply-To: {ours}\nReply-To: <k@home.test>");
    scene.comes(&home, "answer me at home").await;
    let post = scene.answers(&id, "to her home").await;
    assert_eq!(post.recipients, ["k@home.test"]);
}

fn to(address: &str) -> LetterAddress {
    LetterAddress {
        name: String::new(),
        address: address.to_owned(),
    }
}

/// So many tries of each kind; a token has 100 bits.
const GUESSES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_guessed() {
    let mut scene = or_skip!(Scene::open().await);
    let clients = scene.clients().await;
    let [kira, ..] = &clients;
    let mut guesses = BTreeSet::new();
    for number in 0..GUESSES {
        let at = number % kira.token.len();
        let swapped = |by: u8| {
            let mut letters = kira.token.clone().into_bytes();
            letters[at] = b'a' + (letters[at] + by) % 26;
            letters.rotate_right(number / kira.token.len());
            String::from_utf8(letters).unwrap()
        };
        guesses.insert(swapped(u8::try_from(number).unwrap()));
        guesses.insert(kira.token[at..].repeat(20)[..20].to_owned());
        guesses.insert(format!("{number:a>20}"));
    }
    guesses.remove(&kira.token);
    let head = "{mine}\nFrom: <{me}>\nTo: <help+{guess}@shop.test>";
    for (number, guess) in guesses.iter().enumerate() {
        let head = filled(&head.replace("{guess}", guess), number, &clients);
        let letter = letter(&head, &format!("guess {number}."));
        scene.dovecot.deliver(SUPPORT, &letter).await;
    }
    for number in 0..guesses.len() {
        scene.hears(&format!("guess {number}.")).await;
    }
    let kept = Kept::open(&scene.gateway.store_path());
    let messages = kept.messages("inbound");
    let ours = clients
        .each_ref()
        .map(|client| client.conversation.id.clone());
    let shown = messages.iter().filter(|it| it.text.starts_with("guess "));
    let wrong = shown
        .clone()
        .filter(|it| ours.contains(&it.conversation.to_string()));
    let (tries, wrong) = (shown.count(), wrong.count());
    println!(
        "{}",
        json!({"test": "mail_trust_tokens", "tries": tries, "wrong_attached": wrong})
    );
    assert_eq!((tries, wrong), (guesses.len(), 0));
}
