//! How letters come in by what an administrator configured: with whom the gateway talks,
//! which letters it takes, and what it leaves behind on the server.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::mail::{Act, Dovecot, Kept, Proxy, SECRET, SUPPORT, gateway, letter, mailbox};
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, or_skip};
use proto::inbox::v1::event::Kind;

const ANNA: &str = "anna@client.test";
const SALES: &str = "sales@shop.test";

fn written(text: &str) -> Vec<u8> {
    letter(ANNA, SUPPORT, &format!("{text}@client.test"), "x", text)
}

/// A line with these mailboxes.
fn line(mailboxes: &str) -> String {
    format!("address = {SUPPORT:?}\n{mailboxes}")
}

async fn desk(section: &str) -> (TestGateway, OperatorClient) {
    let gateway = gateway(section).await;
    let role = domain::operator::Role::Supervisor;
    let operator = gateway.person("olga", role, &["main"]).await;
    (gateway, operator)
}

/// The next letter's words.
async fn hears(operator: &mut OperatorClient) -> String {
    operator
        .wait_for("a letter", |kind| match kind {
            Kind::MessageAdded(message) => Some(text_of(&message).trim_end().to_owned()),
            _ => None,
        })
        .await
}

fn trouble(gateway: &TestGateway) -> String {
    let settings = gateway.engine().settings();
    let line = settings
        .lines
        .iter()
        .find(|line| line.id.as_str() == "mail");
    gateway.engine().line_status(line.expect("the line"))
}

#[tokio::test]
async fn servers_are_recognised_by_their_own_authority() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let ca = dovecot.authority().pem();
    let mailbox = |user: &str, security: &str, port: u16| {
        format!(
            "[[mailbox]]\nhost = \"localhost\"\nport = {port}\nsecurity = {security:?}\n\
             user = {user:?}\npassword = {SECRET:?}\n"
        )
    };
    let implicit = mailbox(SUPPORT, "tls", dovecot.imaps());
    let starttls = mailbox(SALES, "starttls", dovecot.imap());
    let both = format!("ca = '''{ca}'''\n{implicit}{starttls}");
    let (_gateway, mut operator) = desk(&line(&both)).await;
    for account in [SUPPORT, SALES] {
        dovecot.told(&["Login:", account]).await;
    }
    dovecot.deliver(SUPPORT, &written("implicit")).await;
    assert_eq!(hears(&mut operator).await, "implicit");
    dovecot.deliver(SALES, &written("starttls")).await;
    assert_eq!(hears(&mut operator).await, "starttls");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_password() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    // One that takes STARTTLS out of what is said is not talked to in clear.
    let stripped = Proxy::start(dovecot.imap(), |_, _, line| {
        let said = String::from_utf8_lossy(line).to_uppercase();
        if said.contains("STARTTLS") && !said.contains("CAPABILITY") {
            return Act::Replace(b"x NOOP\r\n".to_vec());
        }
        Act::Pass
    })
    .await;
    let tables = format!(
        "[[mailbox]]\nhost = \"localhost\"\nport = {}\nuser = {SUPPORT:?}\npassword = {SECRET:?}\n\
         [[mailbox]]\nhost = \"localhost\"\nport = {}\nsecurity = \"starttls\"\nuser = {SALES:?}\n\
         password = {SECRET:?}\n",
        dovecot.imaps(),
        stripped.port()
    );
    let (gateway, _operator) = desk(&line(&tables)).await;
    e2e::soon("both are told of", async {
        loop {
            let told = trouble(&gateway);
            if told.contains("TLS: ") && told.contains(SUPPORT) && told.contains(SALES) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!dovecot.log().iter().any(|line| line.contains("Login:")));
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again_at_once_and_holds_up_no_other() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let counted = Proxy::start(dovecot.imap(), |_, _, _| Act::Pass).await;
    let wrong = mailbox(SALES, counted.port()).replace(SECRET, "wrong");
    let wrong = format!("{wrong}folders = [\"INBOX\", \"Sent\", \"Processed\"]\n");
    let good = mailbox(SUPPORT, dovecot.imap());
    let (gateway, mut operator) = desk(&line(&(wrong + &good))).await;
    let refused = || {
        let log = dovecot.log();
        log.iter()
            .filter(|line| line.contains("auth failed"))
            .count()
    };
    dovecot.told(&["auth failed"]).await;
    for number in 0..5 {
        let text = format!("number {number}");
        dovecot.deliver(SUPPORT, &written(&text)).await;
        assert_eq!(hears(&mut operator).await, text);
    }
    assert_eq!(refused(), 1);
    assert!(counted.connections() <= 3, "one for each folder at most");
    assert!(
        trouble(&gateway).contains("does not let us in"),
        "{}",
        trouble(&gateway)
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there_holds_up_no_other() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let folders = "folders = [\"Nowhere\", \"INBOX\"]\n";
    let section = line(&(mailbox(SUPPORT, dovecot.imap()) + folders));
    let (gateway, mut operator) = desk(&section).await;
    dovecot.deliver(SUPPORT, &written("hello")).await;
    assert_eq!(hears(&mut operator).await, "hello");
    e2e::soon("it is told of", async {
        while !trouble(&gateway).contains("Nowhere cannot be opened") {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_there_before_is_left_in_peace() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    dovecot.stock(SUPPORT, ["one", "two"].map(written));
    let section = line(&mailbox(SUPPORT, dovecot.imap()).replace("\"all\"", "\"new\""));
    let (gateway, mut operator) = desk(&section).await;
    e2e::soon("it has looked", async {
        while trouble(&gateway) != "up" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    dovecot.deliver(SUPPORT, &written("three")).await;
    assert_eq!(hears(&mut operator).await, "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_waited_with_what_they_answer_are_one_conversation() {
    const COUNT: usize = 120;
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let chain = (0..COUNT).map(|number| {
        let letter = letter(ANNA, SUPPORT, &format!("{number}@client.test"), "x", "y");
        let before = number.checked_sub(1).map_or(String::new(), |before| {
            format!("In-Reply-To: <{before}@client.test>\r\n")
        });
        [before.into_bytes(), letter].concat()
    });
    dovecot.stock(SUPPORT, chain);
    let gateway = gateway(&line(&mailbox(SUPPORT, dovecot.imap()))).await;
    let kept = Kept::open(&gateway.store_path());
    e2e::soon("every letter is there", async {
        while kept.messages("inbound").len() < COUNT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let messages = kept.messages("inbound").into_iter();
    let conversations: BTreeSet<i64> = messages.map(|message| message.conversation).collect();
    assert_eq!(conversations.len(), 1);
}

#[tokio::test]
async fn letters_are_marked_as_configured() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let seen = mailbox(SUPPORT, dovecot.imap()) + "after = \"seen\"\n";
    let keyword = mailbox(SALES, dovecot.imap()) + "after = \"keyword:$Processed\"\n";
    let (_gateway, mut operator) = desk(&line(&(seen + &keyword))).await;
    for account in [SUPPORT, SALES] {
        dovecot.deliver(account, &written(account)).await;
        assert_eq!(hears(&mut operator).await, account);
    }
    dovecot.told(&["flag_change", SUPPORT]).await;
    dovecot.told(&["flag_change", SALES]).await;
    assert_eq!(dovecot.flags(SUPPORT, "INBOX"), ["S"]);
    // The first keyword of a maildir is its letter `a`.
    assert_eq!(dovecot.flags(SALES, "INBOX"), ["a"]);
}
