//! Letters of ours on their way out, by real servers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::operator::Role;
use e2e::mail::{Dovecot, Exim, Kept, SUPPORT, contains, gateway, header, letter, mailbox};
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, or_skip, soon};
use proto::channels::v1::letter::Warning;
use proto::channels::v1::{DeliveryState, LetterAddress};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use tonic::Code;

const ANNA: &str = "anna@client.test";
const BEN: &str = "ben@client.test";

/// A line that hands letters over to Exim.
fn section(dovecot: &Dovecot, smtp: &str) -> String {
    format!(
        "address = {SUPPORT:?}\n{}[smtp]\n\
         host = \"localhost\"\n{smtp}",
        mailbox(SUPPORT, dovecot.imap())
    )
}

/// In clear, unasked who we are.
fn plainly(exim: &Exim) -> String {
    format!(
        "port = {}\nsecurity = \"none\"\nlogin = false\nsent = \"none\"\n",
        exim.mx()
    )
}

/// Somebody writes, and an operator has it.
async fn conversation_of(
    from: &str,
    dovecot: &Dovecot,
    operator: &mut OperatorClient,
) -> pb::Conversation {
    let name = format!("first-of-{from}");
    let first = letter(from, SUPPORT, &name, "Order 5", "Where is it?");
    dovecot.deliver(SUPPORT, &first).await;
    operator.accept().await
}

/// Waits until it is known what became of a message.
async fn fate(operator: &mut OperatorClient, id: &str) -> (DeliveryState, String) {
    operator
        .wait_for("the fate of a letter", |kind| match kind {
            Kind::MessageChanged(message) if message.id == id => {
                let is_over = message.delivery() != DeliveryState::Queued;
                is_over.then(|| (message.delivery(), message.delivery_error))
            }
            _ => None,
        })
        .await
}

fn address(name: &str, address: &str) -> LetterAddress {
    LetterAddress {
        name: name.to_owned(),
        address: address.to_owned(),
    }
}

/// A letter with a file of many bytes that are no text.
fn with_file(from: &str, file: &[u8]) -> Vec<u8> {
    let lines: Vec<String> = file.chunks(57).map(|line| STANDARD.encode(line)).collect();
    format!(
        "From: <{from}>\r\nTo: <{SUPPORT}>\r\nMessage-ID: <with-file@client.test>\r\n\
         Subject: Scan\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the scan\r\n--b\r\n\
         Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename*=utf-8''%D0%A1%D0%BA%D0%B0%D0%BD.bin\r\n\r\n\
         {}\r\n--b--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

/// What a letter begins with that is ours: servers write above it.
fn own_part(letter: &[u8]) -> &[u8] {
    let marks: [&[u8]; 1] = [b"\r\nDate: "];
    let at = letter
        .windows(marks[0].len())
        .position(|window| window == marks[0]);
    &letter[at.unwrap() + 2..]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_to_many_with_its_files() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, ANNA, BEN]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    // Enciphered from the first byte, with a password.
    let smtp = format!(
        "port = {}\nsecurity = \"tls\"\nuser = {SUPPORT:?}\npassword = \"secret\"\nca = {:?}\n",
        exim.submissions(),
        dovecot.authority().pem
    );
    let gateway = gateway(&section(&dovecot, &smtp)).await;
    let mut olga = gateway.ready_operator("olga").await;
    let file: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    dovecot.deliver(SUPPORT, &with_file(ANNA, &file)).await;
    let conversation = olga.accept().await;
    let scan = olga.messages(&conversation.id).await.remove(0);
    assert_eq!(scan.attachments[0].file_name, "Скан.bin");

    let request = pb::SendMessageRequest {
        conversation_id: conversation.id.clone(),
        client_id: "1".to_owned(),
        text: "Смотрите.\n.\nFrom us".to_owned(),
        letter: Some(pb::LetterToSend {
            subject: "Скан договора".to_owned(),
            to: vec![address("Анна", ANNA), address("", BEN)],
            cc: vec![address("Nobody", "refused@client.test")],
            forwarded_message_id: scan.id,
        }),
        ..Default::default()
    };
    let sent = olga.inbox.send_message(request).await.unwrap().into_inner();
    let (delivery, problem) = fate(&mut olga, &sent.id).await;
    assert_eq!(delivery, DeliveryState::Sent);
    let begins = "refused@client.test: there is no such mailbox: 550 5.1.1";
    assert!(problem.starts_with(begins), "{problem}");

    let copy = dovecot.arrived(SUPPORT, "Sent", 1).await.remove(0);
    for account in [ANNA, BEN] {
        dovecot.arrived(account, "INBOX", 1).await;
        let read = dovecot.read(account, "INBOX").await.remove(0);
        assert_eq!(
            own_part(&read),
            own_part(&[b"\r\n", copy.as_slice()].concat())
        );
    }
    assert!(header(&copy, "Cc").contains("refused@client.test"));
    assert_eq!(header(&copy, "From"), format!("Shop <{SUPPORT}>"));
    assert!(header(&copy, "To").starts_with("=?utf-8?B?"));
    assert!(contains(
        &copy,
        "filename*=utf-8''%D0%A1%D0%BA%D0%B0%D0%BD.bin"
    ));
    let lines: Vec<String> = file.chunks(57).map(|line| STANDARD.encode(line)).collect();
    assert!(contains(&copy, &lines.join("\r\n")), "the file came whole");
    assert_eq!(
        dovecot.flags(SUPPORT, "Sent"),
        ["S"],
        "as one that was read"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_is_told_at_the_letter() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    let gateway = gateway(&section(&dovecot, &plainly(&exim))).await;
    let mut olga = gateway.ready_operator("olga").await;
    for (client, expected, is_reachable) in [
        (
            "refused@client.test",
            "there is no such mailbox: 550 5.1.1",
            false,
        ),
        ("full@client.test", "the mailbox is full: 552 5.2.2", true),
    ] {
        let conversation = conversation_of(client, &dovecot, &mut olga).await;
        let said = olga
            .say(&conversation.id, client, "Tomorrow.")
            .await
            .unwrap();
        let (delivery, problem) = fate(&mut olga, &said.id).await;
        assert_eq!(delivery, DeliveryState::Failed);
        assert!(problem.starts_with(expected), "{problem}");
        let again = olga.say(&conversation.id, "again", "Hello?").await;
        assert_eq!(again.is_ok(), is_reachable, "{client}: {again:?}");
        olga.finish(&conversation.id).await.unwrap();
    }

    // For now only: it waits, and nobody is told that it failed.
    let conversation = conversation_of("greylisted@client.test", &dovecot, &mut olga).await;
    let said = olga.say(&conversation.id, "3", "Tomorrow.").await.unwrap();
    seen_by(&exim, "Greylisted, come later").await;
    let kept = Kept::open(&gateway.store_path());
    assert_eq!(kept.to_send(), 1);
    let messages = olga.messages(&conversation.id).await;
    let said = messages
        .iter()
        .find(|message| message.id == said.id)
        .unwrap();
    assert_eq!(said.delivery(), DeliveryState::Queued);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_writes_first_and_is_answered_in_the_same_thread() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, ANNA]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    let gateway = gateway(&section(&dovecot, &plainly(&exim))).await;
    let mut olga = gateway.ready_operator("olga").await;
    let request = pb::StartConversationRequest {
        client_id: "begin".to_owned(),
        line_id: "mail".to_owned(),
        address: format!(" {ANNA} "),
        subject: "Your order".to_owned(),
        ..Default::default()
    };
    let begun = olga.inbox.start_conversation(request.clone()).await;
    let begun = begun.unwrap().into_inner();
    // The same call again is the same conversation.
    let again = olga.inbox.start_conversation(request.clone()).await;
    assert_eq!(again.unwrap().into_inner().id, begun.id);
    assert_eq!(begun.subject, "Your order");
    assert_eq!(begun.operator_id, olga.id.to_string());
    assert_eq!(begun.contact.unwrap().address, ANNA);

    olga.say(&begun.id, "1", "It is ready.").await.unwrap();
    dovecot.arrived(ANNA, "INBOX", 1).await;
    let ours = dovecot.read(ANNA, "INBOX").await.remove(0);
    assert_eq!(header(&ours, "Subject"), "Your order");
    assert_eq!(header(&ours, "To"), ANNA);
    assert_eq!(header(&ours, "References"), "");
    let id = header(&ours, "Message-ID");
    let head = format!("In-Reply-To: {id}\r\nReferences: {id}\r\n");
    let answer = letter(ANNA, SUPPORT, "2@client.test", "Re: Your order", "Thanks!");
    let answer = [head.into_bytes(), answer].concat();
    dovecot.deliver(SUPPORT, &answer).await;
    let told = olga.wait_for("an answer", |kind| match kind {
        Kind::MessageAdded(message) => text_of(&message).contains("Thanks!").then_some(message),
        _ => None,
    });
    let message = told.await;
    assert_eq!(message.conversation_id, begun.id);
    let warnings: Vec<_> = message.letter.unwrap().warnings().collect();
    assert!(!warnings.contains(&Warning::Stranger), "{warnings:?}");
    olga.say(&begun.id, "2", "Welcome.").await.unwrap();
    dovecot.arrived(ANNA, "INBOX", 2).await;
    let read = dovecot.read(ANNA, "INBOX").await;
    let next = read.iter().find(|letter| contains(letter, "Welcome."));
    assert_eq!(header(next.unwrap(), "Subject"), "Re: Your order");

    for (line, address, field) in [
        ("mail", "nobody", "address"),
        ("mail", SUPPORT, "address"),
        ("site", ANNA, "line_id"),
        ("form", ANNA, "write first"),
        ("gone", ANNA, "line"),
    ] {
        let wrong = pb::StartConversationRequest {
            client_id: format!("{line} {address}"),
            line_id: line.to_owned(),
            address: address.to_owned(),
            ..request.clone()
        };
        let refused = olga.inbox.start_conversation(wrong).await.unwrap_err();
        let told = format!("{refused:?}");
        assert!(told.contains(field), "{line} {address}: {told}");
    }
}

/// A line of a queue that is not theirs is none for them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_first_by_another_queue_s_line() {
    let gateway = gateway(&e2e::mail::section(9, 9, "")).await;
    let mut stranger = gateway.person("sam", Role::Operator, &["other"]).await;
    let request = pb::StartConversationRequest {
        client_id: "begin".to_owned(),
        line_id: "mail".to_owned(),
        address: ANNA.to_owned(),
        ..Default::default()
    };
    let refused = stranger.inbox.start_conversation(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_for_the_right_password() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    let smtp = format!(
        "port = {}\nsecurity = \"starttls\"\nuser = {SUPPORT:?}\npassword = \"wrong\"\n\
         ca = {:?}\nsent = \"none\"\n",
        exim.submission(),
        dovecot.authority().pem
    );
    let gateway: TestGateway = gateway(&section(&dovecot, &smtp)).await;
    let mut olga = gateway.ready_operator("olga").await;
    for client in ["1@client.test", "2@client.test"] {
        let conversation = conversation_of(client, &dovecot, &mut olga).await;
        olga.say(&conversation.id, client, "Tomorrow.")
            .await
            .unwrap();
        seen_by(&exim, "535 Incorrect authentication data").await;
    }
    assert_eq!(Kept::open(&gateway.store_path()).to_send(), 2);
}

/// Waits until the server wrote something down.
async fn seen_by(exim: &Exim, words: &str) {
    let look = async {
        while !exim.log().contains(words) {
            tokio::task::yield_now().await;
        }
    };
    soon(words, look).await;
}
