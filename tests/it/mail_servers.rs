//! The mail servers that other scenarios are played with are real, and do what they are
//! told.

use e2e::mail::{
    Act, Authority, Dovecot, Exim, Hoodiecrow, Manner, Peer, Proxy, SECRET, Side, contains, header,
    letter, lmtp, read, smtp,
};
use e2e::{or_skip, soon};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const ANNA: &str = "anna@client.test";
const SHOP: &str = "help@shop.test";

/// Says something in a protocol of lines, and reads to the line that answers it.
struct Talk<S>(BufStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn until(&mut self, begins: &str) -> Option<String> {
        let read = async {
            loop {
                let mut line = String::new();
                if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return None;
                }
                if line.starts_with(begins) {
                    return Some(line);
                }
            }
        };
        soon(begins, read).await
    }

    async fn say(&mut self, line: &str, answer: &str) -> Option<String> {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
        self.until(answer).await
    }
}

async fn dial(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

async fn encipher(
    stream: TcpStream,
    authority: &Authority,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(authority.client_config());
    connector.connect(name, stream).await
}

#[tokio::test]
async fn a_delivered_letter_is_read_by_imap() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA]).await);
    let sent = letter(
        "bob@outside.test",
        ANNA,
        "1@outside.test",
        "Привет",
        "две\r\n.\r\nстроки",
    );
    dovecot.deliver("anna+token@client.test", &sent).await;
    let read = dovecot.read(ANNA, "INBOX").await;
    assert_eq!(read.len(), 1);
    assert!(
        read[0].ends_with(&sent),
        "byte for byte below the server's own headers"
    );
    assert_eq!(header(&read[0], "Delivered-To"), "anna+token@client.test");
    assert_eq!(dovecot.letters(ANNA, "INBOX"), read);
    let refused = lmtp(
        dovecot.lmtp(),
        "x@outside.test",
        &["nobody@client.test"],
        &sent,
    )
    .await;
    assert_eq!(refused[0].code, 550);
}

#[tokio::test]
async fn folders_are_changed_from_outside() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA]).await);
    let texts = |letters: &[Vec<u8>]| -> Vec<String> {
        letters
            .iter()
            .map(|letter| header(letter, "Subject"))
            .collect()
    };
    dovecot.stock(ANNA, ["1", "2", "3"].map(|n| letter(SHOP, ANNA, n, n, n)));
    dovecot.append(ANNA, "Sent", &letter(ANNA, SHOP, "4", "4", "4"));
    dovecot.expunge(ANNA, "INBOX", "uid 2");
    dovecot.set_validity(ANNA, "INBOX", 77);
    assert_eq!(texts(&dovecot.read(ANNA, "INBOX").await), ["1", "3"]);
    assert_eq!(texts(&dovecot.letters(ANNA, "INBOX")), ["1", "3"]);
    assert_eq!(texts(&dovecot.letters(ANNA, "Sent")), ["4"]);
    let status = dovecot.doveadm(
        &["mailbox", "status", "-u", ANNA, "uidvalidity", "INBOX"],
        b"",
    );
    assert!(status.contains("uidvalidity=77"), "{status}");
}

#[tokio::test]
async fn a_kicked_client_is_dropped_and_a_stopped_server_comes_back() {
    let mut dovecot = or_skip!(Dovecot::start(&[ANNA]).await);
    for is_kick in [true, false] {
        let mut idle = Talk(BufStream::new(dial(dovecot.imap()).await));
        idle.until("* OK").await.unwrap();
        idle.say(&format!("a login {ANNA} {SECRET}"), "a OK")
            .await
            .unwrap();
        idle.say("b select INBOX", "b OK").await.unwrap();
        idle.say("c idle", "+").await.unwrap();
        dovecot
            .deliver(ANNA, &letter(SHOP, ANNA, "1", "1", "1"))
            .await;
        idle.until("* ").await.unwrap();
        // What clients do to letters is told.
        idle.say("done", "c OK").await.unwrap();
        idle.say("d store 1 +flags (\\Seen)", "d OK").await.unwrap();
        dovecot
            .told(&["imap(anna@client.test)", "flag_change", "uid=1"])
            .await;
        idle.say("e idle", "+").await.unwrap();
        if is_kick {
            dovecot.kick(ANNA);
        } else {
            dovecot.stop().await;
            assert!(
                TcpStream::connect(("127.0.0.1", dovecot.imap()))
                    .await
                    .is_err()
            );
        }
        assert_eq!(idle.until("e OK").await, None);
    }
    dovecot.begin().await;
    assert_eq!(dovecot.read(ANNA, "INBOX").await.len(), 2);
}

#[tokio::test]
async fn both_ways_to_encipher_are_there_for_who_believes_the_authority() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA]).await);
    let ours = dovecot.authority();
    let stream = encipher(dial(dovecot.imaps()).await, ours).await.unwrap();
    let mut tls = Talk(BufStream::new(stream));
    tls.until("* OK").await.unwrap();
    tls.say(&format!("a login {ANNA} {SECRET}"), "a OK")
        .await
        .unwrap();

    let mut plain = Talk(BufStream::new(dial(dovecot.imap()).await));
    plain.until("* OK").await.unwrap();
    plain.say("a starttls", "a OK").await.unwrap();
    let stream = encipher(plain.0.into_inner(), ours).await.unwrap();
    let mut tls = Talk(BufStream::new(stream));
    tls.say(&format!("a login {ANNA} {SECRET}"), "a OK")
        .await
        .unwrap();

    let stranger = Authority::new();
    assert!(
        encipher(dial(dovecot.imaps()).await, &stranger)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_submitted_letter_arrives_and_reports_come_back() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA, SHOP]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    exim.submit(
        ANNA,
        "help+token@shop.test",
        &letter(ANNA, SHOP, "1", "hello", "hi"),
    )
    .await;
    let came = dovecot.arrived(SHOP, "INBOX", 1).await;
    assert_eq!(header(&came[0], "Delivered-To"), "help+token@shop.test");
    let results = header(&came[0], "Authentication-Results");
    assert_eq!(results, "mx.shop.test; dmarc=fail header.from=client.test");

    exim.submit(
        SHOP,
        "nosuch@client.test",
        &letter(SHOP, "nosuch@client.test", "2", "x", "x"),
    )
    .await;
    exim.submit(
        SHOP,
        "unknown@client.test",
        &letter(SHOP, "unknown@client.test", "3", "x", "x"),
    )
    .await;
    exim.submit(
        SHOP,
        "later@client.test",
        &letter(SHOP, "later@client.test", "4", "x", "x"),
    )
    .await;
    let reports = dovecot.arrived(SHOP, "INBOX", 3).await;
    for report in &reports[1..] {
        assert_eq!(header(report, "Return-Path"), "<>");
        assert!(
            contains(report, "Action: failed"),
            "{}",
            String::from_utf8_lossy(report)
        );
    }
    for (to, code) in [
        ("refused@client.test", 550),
        ("greylisted@client.test", 451),
        ("full@client.test", 552),
    ] {
        let replies = smtp(exim.mx(), SHOP, &[to], b"x").await;
        assert_eq!(replies[0].code, code, "{replies:?}");
    }
    let unasked = smtp(exim.submission(), SHOP, &[ANNA], b"x").await;
    assert_eq!(unasked[0].code, 550, "{unasked:?}");
}

#[tokio::test]
async fn people_submit_with_their_password_and_under_tls_only() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA, SHOP]).await);
    let exim = or_skip!(Exim::start(&dovecot).await);
    let ours = dovecot.authority();
    let mut plain = Talk(BufStream::new(dial(exim.submission()).await));
    plain.until("220").await.unwrap();
    plain.say("EHLO here", "250 ").await.unwrap();
    plain
        .say("AUTH PLAIN AGFubmFAY2xpZW50LnRlc3QAc2VjcmV0", "5")
        .await
        .unwrap();
    plain.say("STARTTLS", "220").await.unwrap();
    let after = encipher(plain.0.into_inner(), ours).await.unwrap();
    let implicit = encipher(dial(exim.submissions()).await, ours)
        .await
        .unwrap();
    for (number, stream) in [after, implicit].into_iter().enumerate() {
        let mut tls = Talk(BufStream::new(stream));
        if number == 1 {
            tls.until("220").await.unwrap();
        }
        tls.say("EHLO here", "250 ").await.unwrap();
        tls.say("AUTH PLAIN AGFubmFAY2xpZW50LnRlc3QAd3Jvbmc=", "535")
            .await
            .unwrap();
        tls.say("AUTH PLAIN AGFubmFAY2xpZW50LnRlc3QAc2VjcmV0", "235")
            .await
            .unwrap();
        tls.say(&format!("MAIL FROM:<{ANNA}>"), "250")
            .await
            .unwrap();
        tls.say(&format!("RCPT TO:<{SHOP}>"), "250").await.unwrap();
        tls.say("DATA", "354").await.unwrap();
        let text = String::from_utf8(letter(ANNA, SHOP, "1", "x", "x")).unwrap();
        tls.say(&format!("{text}."), "250").await.unwrap();
        let came = dovecot.arrived(SHOP, "INBOX", number + 1).await;
        let results = header(&came[number], "Authentication-Results");
        assert_eq!(results, "mx.shop.test; dmarc=pass header.from=client.test");
    }
}

#[tokio::test]
async fn a_server_without_extensions_is_there_too() {
    let mut server = or_skip!(Hoodiecrow::start().await);
    let sent = letter("bob@outside.test", "testuser", "1", "hello", "hi");
    server.deliver(&sent).await;
    assert_eq!(server.letters().await, std::slice::from_ref(&sent));
    let mut talk = Talk(BufStream::new(dial(server.imap()).await));
    talk.until("* OK").await.unwrap();
    talk.say("a login testuser testpass", "a OK").await.unwrap();
    let able = talk.say("b capability", "* CAPABILITY").await.unwrap();
    for word in ["IDLE", "MOVE", "UIDPLUS"] {
        assert!(!able.contains(word), "{able}");
    }
    let login = (Hoodiecrow::USER, Hoodiecrow::SECRET);
    match read(server.imap(), login.0, login.1, "INBOX").await {
        Ok(letters) => assert_eq!(letters, [sent]),
        Err(reason) => println!("skipped: another client: {reason}"),
    }
}

#[tokio::test]
async fn a_proxy_spoils_what_it_is_told_to() {
    let dovecot = or_skip!(Dovecot::start(&[ANNA]).await);
    let poor = Proxy::without(dovecot.imap(), &["IDLE", "MOVE"]).await;
    let mut talk = Talk(BufStream::new(dial(poor.port()).await));
    assert!(!talk.until("* OK").await.unwrap().contains("IDLE"));
    talk.say(&format!("a login {ANNA} {SECRET}"), "a OK")
        .await
        .unwrap();
    let able = talk.say("b capability", "* CAPABILITY").await.unwrap();
    assert!(!able.contains("MOVE") && able.contains("UIDPLUS"), "{able}");

    dovecot
        .deliver(ANNA, &letter(SHOP, ANNA, "1", "cut", "here"))
        .await;
    let cut = Proxy::start(dovecot.imap(), |number, side, line| {
        if number == 0 && side == Side::Server && line.starts_with(b"Subject: cut") {
            return Act::Cut(b"Subj".to_vec());
        }
        Act::Pass
    })
    .await;
    for is_cut in [true, false] {
        let mut talk = Talk(BufStream::new(dial(cut.port()).await));
        talk.until("* OK").await.unwrap();
        talk.say(&format!("a login {ANNA} {SECRET}"), "a OK")
            .await
            .unwrap();
        talk.say("b select INBOX", "b OK").await.unwrap();
        let answer = talk.say("c fetch 1 body.peek[]", "c OK").await;
        assert_eq!(answer.is_none(), is_cut);
    }
    assert_eq!(cut.connections(), 2);
}

#[tokio::test]
async fn peers_answer_in_their_manner() {
    let dovecot = or_skip!(Dovecot::start(&[SHOP]).await);
    let sent = letter(SHOP, ANNA, "1@shop.test", "Your order", "hello");
    let manners = [
        Manner::Silent,
        Manner::Vacation,
        Manner::RudeVacation,
        Manner::Bounce,
    ];
    for manner in manners {
        let peer = Peer::start(manner, dovecot.lmtp()).await;
        let replies = smtp(peer.port(), SHOP, &[ANNA], &sent).await;
        assert!(replies.iter().all(e2e::mail::Reply::is_ok), "{replies:?}");
        assert_eq!(peer.came(1).await[0].letter, sent);
    }
    let came = dovecot.arrived(SHOP, "INBOX", 3).await;
    let marked: Vec<_> = came
        .iter()
        .map(|letter| header(letter, "Auto-Submitted"))
        .collect();
    assert_eq!(marked, ["auto-replied", "", "auto-replied"]);
    assert_eq!(header(&came[1], "In-Reply-To"), "<1@shop.test>");
    assert!(contains(&came[2], "Status: 5.1.1"));
}
