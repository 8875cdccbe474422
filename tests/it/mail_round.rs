//! A letter's way through the gateway and back, by real servers.

use std::sync::Arc;

use e2e::mail::{
    Act, Dovecot, Exim, Hoodiecrow, Kept, Proxy, SUPPORT, Side, TokenDesk, gateway, header, letter,
    mailbox, section, settled,
};
use e2e::operator::text_of;
use e2e::{OperatorClient, or_skip, soon};
use proto::inbox::v1::event::Kind;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

const ANNA: &str = "anna@client.test";
const SALES: &str = "sales@shop.test";

/// A letter that answers another.
fn answer(id: &str, to: &str, references: &str, text: &str) -> Vec<u8> {
    let parent = references.split_whitespace().last().unwrap_or_default();
    let head = format!("In-Reply-To: {parent}\r\nReferences: {references}\r\n");
    let letter = letter(ANNA, to, id, "Re: Order 5", text);
    [head.into_bytes(), letter].concat()
}

/// Waits for so many messages of clients, whoever has them.
async fn hears(operator: &mut OperatorClient, texts: &[String]) {
    let mut missing = texts.to_vec();
    while !missing.is_empty() {
        let heard = operator
            .wait_for("a letter", |kind| match kind {
                Kind::MessageAdded(message) => Some(text_of(&message).trim_end().to_owned()),
                _ => None,
            })
            .await;
        missing.retain(|text| *text != heard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_the_answer_in_the_same_thread() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, ANNA]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    let ca = &dovecot.authority().pem;
    // As in the world: enciphered, with passwords.
    let section = format!(
        "address = {SUPPORT:?}\npassword = \"secret\"\nca = {ca:?}\nplus_addresses = true\n\
         signature = \"Shop, since 1999\"\n\
         [[mailbox]]\nhost = \"localhost\"\nport = {}\nsecurity = \"tls\"\nhistory = \"all\"\n\
         [smtp]\nhost = \"localhost\"\nport = {}\nsecurity = \"starttls\"\n",
        dovecot.imaps(),
        exim.submission(),
    );
    let gateway = gateway(&section).await;
    let mut olga = gateway.ready_operator("olga").await;
    let first = letter(ANNA, SUPPORT, "1@client.test", "Order 5", "Where is it?");
    exim.submit(ANNA, SUPPORT, &first).await;
    let conversation = olga.accept().await;
    assert_eq!(conversation.subject, "Order 5");
    let messages = olga.messages(&conversation.id).await;
    assert_eq!(text_of(&messages[0]).trim_end(), "Where is it?");

    olga.say(&conversation.id, "1", "It is on its way.")
        .await
        .unwrap();
    dovecot.arrived(ANNA, "INBOX", 1).await;
    let read = dovecot.read(ANNA, "INBOX").await;
    let ours = &read[0];
    assert_eq!(header(ours, "In-Reply-To"), "<1@client.test>");
    assert_eq!(header(ours, "References"), "<1@client.test>");
    assert_eq!(header(ours, "Subject"), "Re: Order 5");
    assert!(
        header(ours, "From").contains(SUPPORT),
        "{}",
        header(ours, "From")
    );
    assert!(e2e::mail::contains(ours, "It is on its way."));
    assert!(e2e::mail::contains(ours, "Shop, since 1999"));
    let copies = dovecot.arrived(SUPPORT, "Sent", 1).await;
    assert_eq!(header(&copies[0], "Message-ID"), header(ours, "Message-ID"));

    // To the address that we ask answers to; its program keeps the references.
    let to = header(ours, "Reply-To");
    let to = to.split(['<', '>']).nth(1).unwrap_or(&to);
    let references = format!("<1@client.test> {}", header(ours, "Message-ID"));
    exim.submit(
        ANNA,
        to,
        &answer("2@client.test", to, &references, "Thanks!"),
    )
    .await;
    // And one that keeps nothing: the address alone tells.
    let bare = letter(
        ANNA,
        to,
        "3@client.test",
        "no subject",
        "And the other one?",
    );
    exim.submit(ANNA, to, &bare).await;
    hears(
        &mut olga,
        &["Thanks!".to_owned(), "And the other one?".to_owned()],
    )
    .await;
    let mut texts: Vec<_> = olga.messages(&conversation.id).await;
    texts.sort_by_key(|message| message.id.parse::<i64>().unwrap_or_default());
    assert_eq!(texts.len(), 4, "{texts:?}");
    settled(&gateway).await;
    let kept = Kept::open(&gateway.store_path());
    assert_eq!(kept.messages("inbound").len(), 3);
    assert_eq!(kept.to_send(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_in_two_mailboxes_is_one_message() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let section = section(dovecot.imap(), 9, "") + &mailbox(SALES, dovecot.imap());
    let gateway = gateway(&section).await;
    let mut olga = gateway.ready_operator("olga").await;
    let once = letter(ANNA, "all@shop.test", "1@client.test", "x", "once");
    let other = letter(
        ANNA,
        "all@shop.test",
        "1@client.test",
        "x",
        "another under that name",
    );
    for letter in [&once, &other] {
        dovecot.deliver(SUPPORT, letter).await;
        dovecot.deliver(SALES, letter).await;
    }
    for account in [SUPPORT, SALES] {
        let last = letter(ANNA, account, account, "x", account);
        dovecot.deliver(account, &last).await;
    }
    hears(&mut olga, &[SUPPORT.to_owned(), SALES.to_owned()]).await;
    settled(&gateway).await;
    let kept = Kept::open(&gateway.store_path());
    let expected = [
        (SUPPORT, 1),
        ("another under that name", 1),
        ("once", 1),
        (SALES, 1),
    ];
    let expected = expected.map(|(text, count)| (text.to_owned(), count));
    assert_eq!(kept.counts(), expected.into());
    assert_eq!(kept.deliveries().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_without_extensions_are_read_too() {
    let mut old = or_skip!(Hoodiecrow::start().await);
    let section = format!(
        "address = {SUPPORT:?}\n[[mailbox]]\nhost = \"127.0.0.1\"\nport = {}\n\
         security = \"none\"\nuser = {:?}\npassword = {:?}\nhistory = \"all\"\n\
         poll_secs = 1\nafter = \"move:Processed\"\n",
        old.imap(),
        Hoodiecrow::USER,
        Hoodiecrow::SECRET,
    );
    old.deliver(&letter(ANNA, SUPPORT, "0", "x", "before"))
        .await;
    let gateway = gateway(&section).await;
    let mut olga = gateway.ready_operator("olga").await;
    let mut texts = vec!["before".to_owned()];
    for number in 1..5 {
        let text = format!("letter {number}");
        old.deliver(&letter(ANNA, SUPPORT, &text, "x", &text)).await;
        texts.push(text);
    }
    hears(&mut olga, &texts).await;
    settled(&gateway).await;
    let kept = Kept::open(&gateway.store_path());
    assert!(
        kept.counts().values().all(|count| *count == 1),
        "{:?}",
        kept.counts()
    );
    assert_eq!(kept.messages("inbound").len(), 5);
    assert_eq!(
        old.letters().await.len(),
        5,
        "nothing is lost where nothing can be moved"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_idle_and_move_letters_are_asked_for_and_copied() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let poor = Proxy::without(dovecot.imap(), &["IDLE", "MOVE"]).await;
    let more = "poll_secs = 1\nafter = \"move:Processed\"\n";
    let gateway = gateway(&section(poor.port(), 9, more)).await;
    let mut olga = gateway.ready_operator("olga").await;
    dovecot
        .deliver(SUPPORT, &letter(ANNA, SUPPORT, "1", "x", "one"))
        .await;
    hears(&mut olga, &["one".to_owned()]).await;
    dovecot
        .deliver(SUPPORT, &letter(ANNA, SUPPORT, "2", "x", "two"))
        .await;
    hears(&mut olga, &["two".to_owned()]).await;
    dovecot.arrived(SUPPORT, "Processed", 2).await;
    settled(&gateway).await;
    let kept = Kept::open(&gateway.store_path());
    assert_eq!(kept.messages("inbound").len(), 2);
}

/// A line whose mailbox is opened by short-lived tokens.
fn by_token(dovecot: &Dovecot, desk: &TokenDesk) -> String {
    format!(
        "address = {SUPPORT:?}\n[[mailbox]]\nhost = \"127.0.0.1\"\nport = {}\n\
         security = \"none\"\nhistory = \"all\"\n\
         [mailbox.oauth]\ntoken_url = {:?}\nclient_id = \"shop\"\nrefresh_token = \"refresh\"\n",
        dovecot.imap(),
        desk.url,
    )
}

/// A token serves for as many connections as it is good for.
#[tokio::test(flavor = "multi_thread")]
async fn short_lived_tokens_open_the_mailbox() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let desk = TokenDesk::start(SUPPORT).await;
    let section = by_token(&dovecot, &desk);
    let gateway = gateway(&section).await;
    let mut olga = gateway.ready_operator("olga").await;
    for text in ["one", "two"] {
        let letter = letter(ANNA, SUPPORT, text, "x", text);
        dovecot.deliver(SUPPORT, &letter).await;
        hears(&mut olga, &[text.to_owned()]).await;
        dovecot.kick(SUPPORT);
    }
    assert_eq!(desk.given(), 1);
}

/// The mailbox keeps what comes meanwhile; its line says why nobody reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_whose_token_is_refused_is_read_when_it_is_given_again() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let desk = TokenDesk::start(SUPPORT).await;
    desk.close(true);
    let gateway = gateway(&by_token(&dovecot, &desk)).await;
    let mut olga = gateway.ready_operator("olga").await;
    let texts = ["one", "two", "three"];
    for text in texts {
        let letter = letter(ANNA, SUPPORT, text, "x", text);
        dovecot.deliver(SUPPORT, &letter).await;
    }
    let told = async {
        loop {
            let line = gateway.engine().line(&"mail".into()).unwrap();
            let trouble = line.channel.trouble().unwrap_or_default();
            if trouble.contains("the consent was taken back") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the line says what is wrong", told).await;
    assert!(desk.refused() > 0);
    assert_eq!(Kept::open(&gateway.store_path()).deliveries().len(), 0);
    desk.close(false);
    hears(&mut olga, &texts.map(str::to_owned)).await;
    settled(&gateway).await;
    let kept = Kept::open(&gateway.store_path());
    assert_eq!(kept.messages("inbound").len(), texts.len());
    let line = gateway.engine().line(&"mail".into()).unwrap();
    assert_eq!(line.channel.trouble(), None);
    // Whoever tries often is locked out.
    assert!(desk.refused() <= 2, "{}", desk.refused());
}

/// Printed, not judged: how soon a letter is there that a server tells of, after the
/// server told it. Dovecot itself waits half a second for more.
#[tokio::test(flavor = "multi_thread")]
async fn letters_are_told_at_once() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let told = Arc::new(watch::Sender::new(None));
    let telling = Arc::clone(&told);
    let proxy = Proxy::start(dovecot.imap(), move |_, side, line| {
        if side == Side::Server && line.ends_with(b" EXISTS\r\n") {
            telling.send_replace(Some(Instant::now()));
        }
        Act::Pass
    })
    .await;
    // Asked so seldom that only being told can bring it in time.
    let gateway = gateway(&section(proxy.port(), 9, "poll_secs = 3600\n")).await;
    let mut olga = gateway.ready_operator("olga").await;
    let mut took = Vec::new();
    for number in 0..10 {
        let text = format!("letter {number}");
        let letter = letter(ANNA, SUPPORT, &text, "x", &text);
        dovecot.deliver(SUPPORT, &letter).await;
        hears(&mut olga, &[text]).await;
        let at = told.borrow().unwrap();
        took.push(at.elapsed().as_millis());
    }
    took.sort_unstable();
    let figures = json!({"test": "mail_idle_latency", "p50_ms": took[5], "max_ms": took[9]});
    println!("{figures}");
}
