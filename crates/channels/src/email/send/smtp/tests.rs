use std::sync::Arc;
use std::time::Duration;

use domain::message::{Delivery, Letter, Outbound, Receipt, ToSend};

use super::super::super::config::{Login, OAuth, Secret, Security, Sent, Smtp};
use super::super::super::oauth::Tokens;
use super::super::super::oauth::tests::provider;
use super::super::Sender;
use super::super::render_tests::{address, attach, config, outbound, told};
use super::peer::{Act, Desk, Peer, Script};
use crate::{Host, SendError};

fn host() -> Arc<dyn Host> {
    Arc::new(Desk::default())
}

fn sender_with(peer: &Peer, login: Option<Login>) -> Sender {
    let mut config = config();
    config.smtp = Some(Smtp {
        server: peer.server(),
        login,
        sent: Sent::Provider,
    });
    Sender::new(&Arc::new(config), &Arc::new(Tokens::default())).unwrap()
}

fn sender(peer: &Peer) -> Sender {
    let secret = Secret::Password("s3cret".to_owned());
    let user = "support".to_owned();
    sender_with(peer, Some(Login { user, secret }))
}

async fn send(peer: &Peer, outbound: &Outbound) -> Result<Receipt, SendError> {
    sender(peer).send(outbound, &host()).await
}

fn kind(outcome: &Result<Receipt, SendError>) -> &'static str {
    match outcome {
        Ok(_) => "sent",
        Err(SendError::RetryAfter { .. }) => "later",
        Err(SendError::LineBusy { .. }) => "line busy",
        Err(SendError::Rejected { .. }) => "rejected",
        Err(SendError::ContactUnreachable { .. }) => "unreachable",
        Err(SendError::Uncertain(_)) => "uncertain",
        Err(SendError::Reauthorize(_)) => "reauthorise",
        Err(SendError::Unsupported) => "unsupported",
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let peer = Peer::start(Script::default()).await;
    let mut letter = outbound(".\n..\nHi\n.");
    attach(&mut letter, "a.txt", "text/plain", b"content");
    let receipt = send(&peer, &letter).await.unwrap();
    assert_eq!(receipt.delivery, Delivery::Sent);
    assert_eq!(receipt.error_text, "");
    assert_eq!(receipt.message_id, super::super::name(&config(), &letter));
    let seen = peer.seen();
    let rendered = super::super::render::render(&config(), &letter).unwrap();
    let whole = super::super::render_tests::whole(&rendered);
    assert_eq!(seen.letters, [String::from_utf8(whole).unwrap()]);
    assert!(
        seen.letters[0].contains("\r\n.\r\n..\r\nHi\r\n.\r\n"),
        "{}",
        seen.letters[0]
    );
    let commands: Vec<&str> = seen
        .commands
        .iter()
        .map(|(_, command)| command.as_str())
        .collect();
    let size = format!("MAIL FROM:<support@shop.example> SIZE={}", rendered.size());
    assert_eq!(
        commands,
        [
            "EHLO shop.example",
            "AUTH PLAIN AHN1cHBvcnQAczNjcmV0",
            &size,
            "RCPT TO:<ann@client.example>",
            "DATA"
        ]
    );
}

#[test]
fn what_a_failure_means_depends_on_where_it_is() {
    // At every stage: refused for now, refused for good, hung up, silent, no SMTP, without
    // an end.
    let table = [
        (
            "greeting",
            ["later", "later", "later", "later", "later", "later"],
        ),
        (
            "EHLO",
            ["later", "later", "later", "later", "later", "later"],
        ),
        (
            "AUTH",
            ["later", "reauthorise", "later", "later", "later", "later"],
        ),
        (
            "MAIL",
            ["later", "rejected", "later", "later", "later", "later"],
        ),
        (
            "RCPT",
            ["later", "rejected", "later", "later", "later", "later"],
        ),
        (
            "DATA",
            ["later", "rejected", "later", "later", "later", "later"],
        ),
        (
            "letter",
            ["later", "rejected", "later", "later", "later", "later"],
        ),
        (
            ".",
            [
                "later",
                "rejected",
                "uncertain",
                "uncertain",
                "uncertain",
                "uncertain",
            ],
        ),
    ];
    let acts = [
        Act::SayAndClose("451 4.3.0 not now"),
        Act::SayAndClose("554 5.0.0 no"),
        Act::Close,
        Act::Silence,
        Act::SayAndClose("HTTP/1.1 400 Bad Request"),
        Act::Endless,
    ];
    for (stage, expected) in table {
        for (act, expected) in acts.into_iter().zip(expected) {
            // A clock of its own: it may be left running by itself.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let (outcome, taken) = runtime.unwrap().block_on(fail(stage, act));
            assert_eq!(kind(&outcome), expected, "{stage} {act:?}: {outcome:?}");
            assert_eq!(taken, usize::from(stage == "."), "{stage} {act:?}");
        }
    }
}

/// What becomes of a letter, and how many the server has.
async fn fail(stage: &'static str, act: Act) -> (Result<Receipt, SendError>, usize) {
    let on = vec![(stage, act)];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let mut letter = outbound("Hi");
    if stage == "letter" {
        // More than the sockets between us hold.
        attach(&mut letter, "much", "text/plain", b"much of x");
        large(&mut letter, 24 << 20);
    }
    let outcome = send(&peer, &letter).await;
    (outcome, peer.seen().letters.len())
}

fn large(outbound: &mut Outbound, size_bytes: u64) {
    let domain::message::Action::Send(ToSend { attachments, .. }) = &mut outbound.action else {
        unreachable!()
    };
    attachments[0].size_bytes = size_bytes;
}

#[tokio::test]
async fn what_the_server_says_decides() {
    for (stage, answer, expected, words) in [
        ("greeting", "421 4.3.2 later", "later", "421"),
        (
            "AUTH",
            "535 5.7.8 bad credentials",
            "reauthorise",
            "535 5.7.8 bad credentials",
        ),
        (
            "AUTH",
            "534 5.7.9 application password",
            "reauthorise",
            "534",
        ),
        ("AUTH", "454 4.7.0 later", "later", "454"),
        ("MAIL", "530 5.7.0 authenticate first", "reauthorise", "530"),
        ("MAIL", "552 5.3.4 too big", "rejected", "too large"),
        ("MAIL", "452 4.3.1 no room", "later", "452"),
        ("MAIL", "421 4.7.0 too many", "later", "421"),
        (
            "RCPT",
            "550 5.1.1 no such user",
            "unreachable",
            "there is no such mailbox: 550 5.1.1 no such user",
        ),
        (
            "RCPT",
            "550-5.1.1 no\r\n550 5.1.1 such user",
            "unreachable",
            "no such mailbox",
        ),
        ("RCPT", "550 no", "rejected", "550 no"),
        (
            "RCPT",
            "550 5.7.1 relaying denied",
            "rejected",
            "by its rules",
        ),
        ("RCPT", "552 5.2.2 full", "rejected", "the mailbox is full"),
        ("RCPT", "450 4.7.1 greylisted", "later", "greylisted"),
        ("RCPT", "251 forwarded", "sent", ""),
        ("RCPT", "334 odd", "later", "334"),
        ("DATA", "554 5.5.1 no recipients", "rejected", "554"),
        ("DATA", "250 what", "later", "250"),
        (
            ".",
            "554 5.7.1 spam",
            "rejected",
            "by its rules: 554 5.7.1 spam",
        ),
        (".", "552 too big", "rejected", "too large"),
        (".", "451 4.7.1 greylisted", "later", "greylisted"),
        (".", "421 4.3.2 closing", "later", "closing"),
        (".", "354 what", "uncertain", "354"),
        (".", "250 taken\r\n250 twice", "sent", ""),
    ] {
        let on = vec![(stage, Act::Say(answer))];
        let peer = Peer::start(Script {
            on,
            ..Script::default()
        })
        .await;
        let outcome = send(&peer, &outbound("Hi")).await;
        assert_eq!(kind(&outcome), expected, "{stage} {answer}: {outcome:?}");
        let said = outcome.map_or_else(|error| error.to_string(), |it| it.error_text);
        assert!(said.contains(words), "{stage} {answer}: {said}");
    }
}

#[tokio::test]
async fn whoever_is_refused_does_not_hold_up_the_others() {
    let three = |outbound: &mut Outbound| {
        let to = ["ann", "ben", "eve"].map(|name| told("", &format!("{name}@client.example")));
        address(
            outbound,
            Letter {
                to: to.to_vec(),
                ..Letter::default()
            },
        );
    };
    let on = vec![("RCPT TO:<ben", Act::Say("550 5.1.1 unknown"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let mut letter = outbound("Hi");
    three(&mut letter);
    let receipt = send(&peer, &letter).await.unwrap();
    let expected = "ben@client.example: there is no such mailbox: 550 5.1.1 unknown";
    assert_eq!(receipt.error_text, expected);
    assert_eq!(peer.seen().letters.len(), 1);

    // For now: everybody waits, but not for ever.
    let on = vec![("RCPT TO:<ben", Act::Say("450 4.2.0 later"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let outcome = send(&peer, &letter).await;
    assert_eq!((kind(&outcome), peer.seen().letters.len()), ("later", 0));
    letter.sent_at.0 -= 3_600_000;
    let receipt = send(&peer, &letter).await.unwrap();
    assert!(
        receipt.error_text.starts_with("ben@client.example: "),
        "{}",
        receipt.error_text
    );
    assert_eq!(peer.seen().letters.len(), 1);

    let on = vec![("RCPT", Act::Say("550 5.1.1 unknown"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let outcome = send(&peer, &letter).await;
    assert_eq!((kind(&outcome), peer.seen().letters.len()), ("rejected", 0));
}

#[tokio::test]
async fn after_two_days_a_letter_is_given_up() {
    let on = vec![("MAIL", Act::Say("451 4.7.1 later"))];
    let script = Script {
        on,
        ..Script::default()
    };
    let peer = Peer::start(script).await;
    let mut letter = outbound("Hi");
    letter.sent_at.0 -= 2 * 86_400_000 - 10_000;
    assert_eq!(kind(&send(&peer, &letter).await), "later");
    letter.sent_at.0 -= 10_000;
    assert_eq!(kind(&send(&peer, &letter).await), "rejected");
}

#[tokio::test]
async fn an_automatic_letter_is_of_nobody_where_the_server_takes_that() {
    let mut letter = outbound("Closed");
    letter.automatic = true;
    let peer = Peer::start(Script::default()).await;
    send(&peer, &letter).await.unwrap();
    let of_nobody = |(_, command): &(usize, String)| command.starts_with("MAIL FROM:<> ");
    assert!(peer.seen().commands.iter().any(of_nobody));

    let on = vec![("MAIL FROM:<>", Act::Say("553 5.7.1 not your address"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    send(&peer, &letter).await.unwrap();
    let own = |(_, command): &(usize, String)| command.starts_with("MAIL FROM:<support@");
    assert!(peer.seen().commands.iter().any(own));
}

#[tokio::test]
async fn what_a_server_never_takes_is_not_begun() {
    let offers = vec!["SIZE 1000", "AUTH PLAIN"];
    let peer = Peer::start(Script {
        offers,
        ..Script::default()
    })
    .await;
    let mut letter = outbound("Hi");
    attach(&mut letter, "a", "text/plain", "x".repeat(1_000).as_bytes());
    assert_eq!(kind(&send(&peer, &letter).await), "rejected");
    let mut letter = outbound("Hi");
    letter.recipient.identity.as_mut().unwrap().value = "анна@client.example".to_owned();
    assert_eq!(kind(&send(&peer, &letter).await), "rejected");
    assert!(!peer.seen().verbs().contains(&"MAIL"));

    let offers = vec!["SMTPUTF8", "AUTH PLAIN"];
    let peer = Peer::start(Script {
        offers,
        ..Script::default()
    })
    .await;
    send(&peer, &letter).await.unwrap();
    let mail = "MAIL FROM:<support@shop.example> SMTPUTF8";
    assert!(
        peer.seen()
            .commands
            .iter()
            .any(|(_, command)| command == mail)
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_read_sends_nothing() {
    for (broken, expected) in [
        (Some(std::io::ErrorKind::NotFound), "rejected"),
        (Some(std::io::ErrorKind::PermissionDenied), "later"),
        (None, "rejected"),
    ] {
        let peer = Peer::start(Script::default()).await;
        let mut letter = outbound("Hi");
        attach(&mut letter, "a", "text/plain", b"content");
        // Not as long as it was.
        large(&mut letter, 8);
        let desk = Desk {
            broken,
            ..Desk::default()
        };
        let host: Arc<dyn Host> = Arc::new(desk);
        let sender = sender(&peer);
        let outcome = sender.send(&letter, &host).await;
        assert_eq!(kind(&outcome), expected, "{outcome:?}");
        // The next one goes by another connection: this one stands in a letter.
        sender.send(&outbound("Hi"), &host).await.unwrap();
        let seen = peer.seen();
        assert_eq!((seen.letters.len(), seen.connections), (1, 2));
    }
}

#[tokio::test]
async fn every_way_to_log_in_is_known() {
    for (offers, expected) in [
        (
            vec!["AUTH LOGIN"],
            vec!["AUTH LOGIN", "c3VwcG9ydA==", "czNjcmV0"],
        ),
        (
            vec!["AUTH=LOGIN PLAIN"],
            vec!["AUTH PLAIN AHN1cHBvcnQAczNjcmV0"],
        ),
    ] {
        let peer = Peer::start(Script {
            offers,
            ..Script::default()
        })
        .await;
        send(&peer, &outbound("Hi")).await.unwrap();
        let seen = peer.seen();
        let commands: Vec<&str> = seen
            .commands
            .iter()
            .map(|(_, command)| command.as_str())
            .collect();
        assert_eq!(commands[1..=expected.len()], expected);
    }
    for offers in [vec![], vec!["AUTH CRAM-MD5 XOAUTH2"]] {
        let peer = Peer::start(Script {
            offers,
            ..Script::default()
        })
        .await;
        let outcome = send(&peer, &outbound("Hi")).await;
        assert_eq!(kind(&outcome), "later", "{outcome:?}");
        assert_eq!(peer.seen().verbs(), ["EHLO"]);
    }
    let peer = Peer::start(Script::default()).await;
    let nobody = sender_with(&peer, None);
    nobody.send(&outbound("Hi"), &host()).await.unwrap();
    assert!(!peer.seen().verbs().contains(&"AUTH"));
}

#[tokio::test]
async fn a_token_lets_us_in_and_a_stale_one_is_replaced() {
    let xoauth2 = |token: &str| {
        use base64::Engine as _;
        let proof = format!("user=support\x01auth=Bearer {token}\x01\x01");
        format!(
            "AUTH XOAUTH2 {}",
            base64::engine::general_purpose::STANDARD.encode(proof)
        )
    };
    let stale: &'static str = Box::leak(xoauth2("stale").into_boxed_str());
    let offers = vec!["AUTH PLAIN XOAUTH2"];
    let on = vec![
        (stale, Act::Say("334 eyJzdGF0dXMiOiI0MDAifQ==")),
        ("answer", Act::Say("535 5.7.8 expired")),
    ];
    for (tokens, expected) in [
        (["good", "good"], "sent"),
        (["stale", "good"], "reauthorise"),
    ] {
        let peer = Peer::start(Script {
            offers: offers.clone(),
            on: on.clone(),
            ..Script::default()
        })
        .await;
        let oauth = provider(&tokens).await;
        let (user, secret) = ("support".to_owned(), Secret::OAuth(oauth));
        let sender = sender_with(&peer, Some(Login { user, secret }));
        let outcome = sender.send(&outbound("Hi"), &host()).await;
        assert_eq!(kind(&outcome), expected, "{outcome:?}");
        let seen = peer.seen();
        assert_eq!(seen.commands[1].1, xoauth2(tokens[0]));
        if expected == "sent" {
            continue;
        }
        // It says why, and hears that we heard.
        assert_eq!(seen.commands[2].1, "");
    }

    // One that was good before and is no more: another is had at once.
    let peer = Peer::start(Script {
        offers,
        on,
        ..Script::default()
    })
    .await;
    let oauth = provider(&["stale", "good"]).await;
    let host = host();
    let tokens = Arc::new(Tokens::default());
    let line = domain::LineId::from("mail");
    tokens.token(&line, &oauth, &host).await.unwrap();
    let (user, secret) = ("support".to_owned(), Secret::OAuth(oauth));
    let mut config = config();
    let login = Some(Login { user, secret });
    config.smtp = Some(Smtp {
        server: peer.server(),
        login,
        sent: Sent::Provider,
    });
    let sender = Sender::new(&Arc::new(config), &tokens).unwrap();
    sender.send(&outbound("Hi"), &host).await.unwrap();
    let seen = peer.seen();
    assert_eq!((seen.connections, seen.letters.len()), (2, 1));
}

#[tokio::test]
async fn nothing_is_said_in_clear_where_it_must_not_be() {
    let security = Security::StartTls;
    let with = |offers: &[&'static str], on| Script {
        offers: offers.to_vec(),
        on,
        security,
    };
    let peer = Peer::start(with(&["STARTTLS", "AUTH PLAIN"], vec![])).await;
    send(&peer, &outbound("Hi")).await.unwrap();
    assert_eq!(peer.seen().verbs()[..4], ["EHLO", "STAR", "EHLO", "AUTH"]);

    // Somebody in between takes the offer out, refuses it, or speaks before it.
    for (offers, on) in [
        (&["AUTH PLAIN"][..], vec![]),
        (
            &["STARTTLS", "AUTH PLAIN"],
            vec![("STARTTLS", Act::Say("454 not now"))],
        ),
        (
            &["STARTTLS", "AUTH PLAIN"],
            vec![("STARTTLS", Act::Say("220 go\r\n250-x\r\n250 AUTH PLAIN"))],
        ),
        (&["STARTTLS", "AUTH PLAIN"], vec![("STARTTLS", Act::Close)]),
        (
            &["STARTTLS", "AUTH PLAIN"],
            vec![("greeting", Act::Say("220 hi\r\n250-x\r\n250 AUTH PLAIN"))],
        ),
    ] {
        let peer = Peer::start(with(offers, on)).await;
        let outcome = send(&peer, &outbound("Hi")).await;
        assert_eq!(kind(&outcome), "later", "{outcome:?}");
        let seen = peer.seen();
        assert!(
            !seen.verbs().contains(&"AUTH") && !seen.verbs().contains(&"MAIL"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn a_server_is_who_its_certificate_says() {
    let security = Security::Implicit;
    let peer = Peer::start(Script {
        security,
        ..Script::default()
    })
    .await;
    send(&peer, &outbound("Hi")).await.unwrap();
    let other = Peer::start(Script {
        security,
        ..Script::default()
    })
    .await;
    for authorities in [None, Some(other.pem.clone())] {
        let mut config = config();
        let mut server = peer.server();
        server.authorities = authorities;
        config.smtp = Some(Smtp {
            server,
            login: None,
            sent: Sent::Provider,
        });
        let sender = Sender::new(&Arc::new(config), &Arc::default()).unwrap();
        let outcome = sender.send(&outbound("Hi"), &host()).await;
        let Err(SendError::RetryAfter { reason, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(reason.contains("TLS was refused"), "{reason}");
    }
    assert_eq!(peer.seen().letters.len(), 1);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_letter_and_not_for_ever() {
    let peer = Peer::start(Script::default()).await;
    let sender = sender(&peer);
    for _ in 0..3 {
        sender.send(&outbound("Hi"), &host()).await.unwrap();
    }
    assert_eq!(peer.seen().connections, 1);
    assert_eq!(
        peer.seen()
            .verbs()
            .iter()
            .filter(|verb| **verb == "RSET")
            .count(),
        2
    );
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(61)).await;
    tokio::time::resume();
    while !peer.seen().verbs().contains(&"QUIT") {
        tokio::task::yield_now().await;
    }
    sender.send(&outbound("Hi"), &host()).await.unwrap();
    assert_eq!(peer.seen().connections, 2);
}

#[tokio::test]
async fn a_kept_connection_that_is_of_no_use_costs_nothing() {
    for on in [
        vec![("RSET", Act::Close)],
        vec![("RSET", Act::SayAndClose("421 4.4.2 idle"))],
        vec![("RSET", Act::Say("500 what"))],
        vec![(".", Act::SayAndClose("250 taken"))],
        vec![(".", Act::Say("250 taken\r\n421 bye"))],
    ] {
        let peer = Peer::start(Script {
            on: on.clone(),
            ..Script::default()
        })
        .await;
        let sender = sender(&peer);
        for _ in 0..2 {
            sender.send(&outbound("Hi"), &host()).await.unwrap();
        }
        let seen = peer.seen();
        assert_eq!((seen.connections, seen.letters.len()), (2, 2), "{on:?}");
    }
}

#[tokio::test]
async fn after_a_refusal_the_connection_goes_on() {
    let on = vec![("RCPT TO:<ben", Act::Say("550 5.1.1 no"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let sender = sender(&peer);
    let mut letter = outbound("Hi");
    letter.recipient.identity.as_mut().unwrap().value = "ben@client.example".to_owned();
    assert_eq!(kind(&sender.send(&letter, &host()).await), "unreachable");
    sender.send(&outbound("Hi"), &host()).await.unwrap();
    let seen = peer.seen();
    assert_eq!((seen.connections, seen.letters.len()), (1, 1));
}

#[tokio::test]
async fn a_server_that_is_closed_to_us_is_left_in_peace() {
    for (stage, answer, rest) in [("AUTH", "535 5.7.8 no", 60), ("greeting", "554 no", 10)] {
        let on = vec![(stage, Act::Say(answer))];
        let peer = Peer::start(Script {
            on,
            ..Script::default()
        })
        .await;
        let sender = sender(&peer);
        let first = sender.send(&outbound("Hi"), &host()).await;
        for _ in 0..20 {
            assert_eq!(
                kind(&sender.send(&outbound("Hi"), &host()).await),
                kind(&first)
            );
        }
        assert_eq!(peer.seen().connections, 1);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(rest)).await;
        tokio::time::resume();
        assert_eq!(
            kind(&sender.send(&outbound("Hi"), &host()).await),
            kind(&first)
        );
        assert_eq!(peer.seen().connections, 2);
    }
}

#[tokio::test]
async fn few_letters_are_handed_over_at_once() {
    let peer = Peer::start(Script::default()).await;
    let sender = sender(&peer);
    let letter = outbound("Hi");
    let host = host();
    let sends = (0..16).map(|_| sender.send(&letter, &host));
    for outcome in futures::future::join_all(sends).await {
        outcome.unwrap();
    }
    let seen = peer.seen();
    assert_eq!(seen.letters.len(), 16);
    assert!(seen.under_way_most <= 4, "{}", seen.under_way_most);
}

#[tokio::test]
async fn nobody_is_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let peer = Peer::start(Script::default()).await;
    let mut server = peer.server();
    server.port = port;
    let mut config = config();
    config.smtp = Some(Smtp {
        server,
        login: None,
        sent: Sent::Provider,
    });
    let sender = Sender::new(&Arc::new(config), &Arc::default()).unwrap();
    assert_eq!(kind(&sender.send(&outbound("Hi"), &host()).await), "later");
    let silent = Sender::new(
        &Arc::new(super::super::render_tests::config()),
        &Arc::default(),
    );
    let outcome = silent.unwrap().send(&outbound("Hi"), &host()).await;
    assert_eq!(outcome, Err(SendError::Unsupported));
}

#[test]
fn secrets_are_not_shown() {
    let oauth = OAuth {
        token_url: String::new(),
        client_id: String::new(),
        client_secret: "s3cret".to_owned(),
        refresh_token: "s3cret".to_owned(),
        scope: String::new(),
    };
    for secret in [Secret::Password("s3cret".to_owned()), Secret::OAuth(oauth)] {
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
