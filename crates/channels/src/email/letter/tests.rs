use std::path::{Path, PathBuf};

use domain::identity::Trust;
use domain::message::{Content, Inbound, InboundKind};
use lettre::message::header::ContentType;
use lettre::message::{Attachment as Encoded, MultiPart, SinglePart};
use proptest::prelude::*;

use self::poison::{Outcome, Poison};
use super::super::journal::Found;
use super::super::normalize::{normalize_entry, normalize_letter, open as open_entry};
use super::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/email")
        .join(name)
}

/// The letters in a folder, by name.
fn letters(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let paths = std::fs::read_dir(folder).expect("a folder of letters");
    let mut letters: Vec<_> = paths
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|it| it == "eml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("readable"))
        })
        .collect();
    letters.sort();
    letters
}

/// Reports in the words of many servers lie apart.
#[test]
fn letters_become_what_they_became() {
    for place in ["fixtures", "letter/reports"] {
        for (name, raw) in letters(&folder(place)) {
            let outcome = normalize_letter(&raw).map_err(|malformed| malformed.to_string());
            insta::with_settings!({
                snapshot_path => folder(place),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                match outcome {
                    Ok(events) => insta::assert_json_snapshot!(name, events),
                    Err(malformed) => insta::assert_snapshot!(name, malformed),
                }
            });
        }
    }
}

/// The words that a reply's text expects for its brief; none when all of it is new.
fn expected_brief(name: &str) -> Option<String> {
    let path = folder("letter/replies").join(name).with_extension("txt");
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim_end().to_owned())
}

/// Letters laid out as mail programs lay them out, half of them in Russian.
#[test]
fn what_is_new_in_a_reply_is_found() {
    let letters = letters(&folder("letter/replies"));
    let own = Own {
        line: LineId::from("support"),
        addresses: vec!["support@shop.example".to_owned()],
        trusted_servers: Vec::new(),
    };
    let mut wrong = Vec::new();
    for (name, raw) in &letters {
        let reading = read(raw, false, &own).expect("a letter");
        let expect = expected_brief(name);
        if reading.letter.brief != expect {
            wrong.push(format!(
                "{name}: {:?}\n  not {expect:?}",
                reading.letter.brief
            ));
        }
        // What is left out is kept in the whole text.
        let whole = &reading.text.plain;
        let brief = reading.letter.brief.unwrap_or_default();
        let marks = |line: &&str| !line.trim_start_matches(['>', ' ']).is_empty();
        for line in brief.lines().filter(marks) {
            let words = line.trim_start_matches(['>', ' ']);
            assert!(whole.contains(words), "{name}: {words}");
        }
        assert!(
            whole.len() >= brief.trim_matches(['>', ' ', '\n']).len() / 2,
            "{name}"
        );
    }
    let right = letters.len() - wrong.len();
    println!(
        "{right} of {} replies are cut exactly\n{}",
        letters.len(),
        wrong.join("\n")
    );
    assert!(letters.len() >= 60);
    assert!(right * 100 >= letters.len() * 95, "{}", wrong.join("\n"));
}

#[expect(unreachable_pub, reason = "the end-to-end tests have the same letters")]
#[path = "../../../../../tests/src/mail/poison.rs"]
mod poison;

/// What becomes of a letter has these limits, whatever it is.
#[track_caller]
fn check_limits(name: &str, raw: &[u8], events: &[Inbound]) {
    assert!(events.len() <= 20, "{name}: {}", events.len());
    for event in events {
        assert!((1..=256).contains(&event.event_key.len()), "{name}");
        assert!((1..=256).contains(&event.thread_key.len()), "{name}");
        assert!(event.attachments.len() <= 30, "{name}");
        assert!(event.thread.references.len() <= 101, "{name}");
        assert_eq!(event.sender.identities.len(), 1, "{name}");
        let identity = &event.sender.identities[0];
        assert_eq!(
            domain::identity::normalize(identity, "RU").as_ref(),
            Ok(identity),
            "{name}"
        );
        let letter = event.letter.as_deref().expect("a letter");
        assert!(
            letter.to.len() <= 1_000 && letter.cc.len() <= 1_000,
            "{name}"
        );
        for file in &event.attachments {
            assert!(file.size_bytes <= raw.len() as u64, "{name}");
            assert_eq!(
                domain::text::file_name(&file.file_name),
                file.file_name,
                "{name}"
            );
        }
        if let InboundKind::Message(Content::Text(text)) = &event.kind {
            assert!(text.plain.len() <= clean::TEXT_BYTES_MAX, "{name}");
            assert_eq!(clean::body(&text.plain), text.plain, "{name}");
            let html = text.html.as_deref().unwrap_or_default();
            assert!(html.len() <= 8 << 20, "{name}: {}", html.len());
            let loads = ["<script", " src=\"http", "javascript:"];
            assert!(!loads.iter().any(|bad| html.contains(bad)), "{name}");
        }
    }
}

#[test]
fn poison_does_no_harm() {
    let letters = poison::letters();
    assert!(letters.len() >= 60, "{}", letters.len());
    let mut wrong = Vec::new();
    for Poison { name, raw, outcome } in &letters {
        lines::READ.with(|read| read.set(0));
        let read = normalize_letter(raw);
        let told = match &read {
            Err(_) => Outcome::Dead,
            Ok(events) => {
                let letter = events[0].letter.as_deref().expect("a letter");
                let mut warnings = letter.warnings.clone();
                warnings.remove(&Warning::Unverified);
                Outcome::Shown(warnings)
            }
        };
        if told != *outcome {
            wrong.push(format!("{name}: {told:?}, not {outcome:?}"));
        }
        // Each line is looked at a few times, however many there are.
        let work = lines::READ.with(std::cell::Cell::get);
        assert!(
            work <= 4 * raw.len() + (1 << 20),
            "{name}: {work} of {}",
            raw.len()
        );
        check_limits(name, raw, &read.unwrap_or_default());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads bytes, and everything that they bring along.
fn read_all(raw: &[u8]) {
    let events = normalize_letter(raw).unwrap_or_default();
    check_limits("made up", raw, &events);
    let letter = Bytes::copy_from_slice(raw);
    for file in events.iter().flat_map(|event| &event.attachments) {
        let source = file.source.as_deref().expect("a source");
        let pieces = open(&letter, source).expect("a file that is told can be had");
        let length: usize = pieces.map(|piece| piece.len()).sum();
        assert!(length <= raw.len(), "{length}");
    }
}

/// A letter as another program writes it.
fn encoded(subject: &str, text: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let alternative = MultiPart::alternative_plain_html(
        text.to_owned(),
        format!("<p>{}</p>", crate::sanitize::html_from_plain(text)),
    );
    let mut parts = MultiPart::mixed().multipart(alternative);
    for (name, content) in files {
        let kind = ContentType::parse("application/x-thing").expect("a type");
        let file: SinglePart = Encoded::new(name.clone()).body(content.clone(), kind);
        parts = parts.singlepart(file);
    }
    let letter = lettre::Message::builder()
        .from("Анна <anna@client.example>".parse().expect("an address"))
        .to("support@shop.example".parse().expect("an address"))
        .subject(subject)
        .multipart(parts);
    letter.expect("a letter").formatted()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_are_a_panic(raw in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read_all(&raw);
        read_all(&[b"From: a@client.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", raw.as_slice()].concat());
    }

    #[test]
    fn no_mixture_of_what_letters_are_made_of_is_a_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "From: ", "To: ", "a@b.example", "<", ">", "(", ")", "\"", "\\", ",", ";", ":", "=",
            "\r\n", "\n", "\r", " ", "\t", "--b", "--", "=?utf-8?B?", "=?koi8-r?Q?", "?=", "0JA=",
            "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: text/html\r\n",
            "Content-Type: message/rfc822\r\n", "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Disposition: attachment",
            "; filename*0*=utf-8''%D0%90", "; filename=", "Action: failed\r\n", "> ", "-- ",
            "On 2 Nov 2026, a@b wrote:", "От: ", "Дата: ", "Тема: ", "\0", "\u{202e}", "п",
            "<blockquote type=cite>", "</blockquote>", "begin 644 a\n", "end", "[", "]",
            "Authentication-Results: mx; dmarc=pass", "Message-ID: <", "References: ",
        ]), 0..80),
    ) {
        read_all(pieces.concat().as_bytes());
    }

    #[test]
    fn what_another_program_wrote_is_what_is_read(
        subject in "[ -~а-яё]{0,80}",
        text in "[ -~а-яё\n]{0,300}",
        files in prop::collection::vec(
            ("[a-zа-я0-9 '%]{1,40}\\.[a-z]{1,4}", prop::collection::vec(any::<u8>(), 0..3_000)),
            0..4,
        ),
    ) {
        // Of runs of blanks the writer makes what nobody is to read as blanks.
        let subject = domain::text::line(&subject, 998);
        let raw = encoded(&subject, &text, &files);
        let events = normalize_letter(&raw).expect("a letter");
        let letter = events[0].letter.as_deref().expect("a letter");
        prop_assert_eq!(&letter.subject, &subject);
        prop_assert_eq!(&letter.from.name, "Анна");
        let InboundKind::Message(Content::Text(read)) = &events[0].kind else {
            panic!("no message");
        };
        prop_assert_eq!(read.plain.trim(), text.trim());
        prop_assert_eq!(events[0].attachments.len(), files.len());
        let raw = Bytes::from(raw);
        for (file, (name, content)) in events[0].attachments.iter().zip(&files) {
            prop_assert_eq!(&file.file_name, &domain::text::file_name(name));
            prop_assert_eq!(file.size_bytes, content.len() as u64);
            let pieces = open(&raw, file.source.as_deref().expect("a source"));
            let read: Vec<Bytes> = pieces.expect("a file").collect();
            prop_assert_eq!(&read.concat(), content);
        }
    }
}

fn own() -> Own {
    Own {
        line: LineId::from("support"),
        addresses: vec![
            "support@shop.example".to_owned(),
            "help@shop.example".to_owned(),
        ],
        trusted_servers: vec!["mx.shop.example".to_owned()],
    }
}

fn read_text(text: &str) -> Reading {
    let raw = text.replace('\n', "\r\n");
    read(raw.as_bytes(), false, &own()).expect("a letter")
}

const VOUCHED: &str =
    "Authentication-Results: mx.shop.example; dmarc=pass header.from=client.example\n";

#[expect(clippy::too_many_lines, reason = "the cases are a table")]
#[test]
fn only_what_our_server_says_of_one_plain_sender_is_more_than_a_claim() {
    let asserted = Trust::Asserted;
    let claimed = Trust::Claimed;
    let forged_name = "From: \"ceo@bank.example\" <anna@client.example>\n";
    for (fields, address, trust) in [
        (
            VOUCHED.to_owned() + "From: anna@client.example\n",
            "anna@client.example",
            asserted,
        ),
        (
            VOUCHED.to_owned() + "From: Anna <Anna@CLIENT.example>\n",
            "Anna@client.example",
            asserted,
        ),
        (
            VOUCHED.to_owned() + forged_name,
            "anna@client.example",
            asserted,
        ),
        (
            "From: anna@client.example\n".to_owned(),
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: boss@bank.example\n",
            "boss@bank.example",
            claimed,
        ),
        // What is not `From` vouches for nothing and names nobody.
        (
            VOUCHED.to_owned()
                + "From: thief@evil.example\nSender: anna@client.example\nReply-To: anna@client.example\nCc: anna@client.example\nReturn-Path: <anna@client.example>\nReferences: <ours@shop.example>\n",
            "thief@evil.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: anna@client.example, thief@evil.example\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: us: anna@client.example;\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: thief@evil.example <anna@client.example>\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: anna@client.example\nFrom: thief@evil.example\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "Fr om: anna@client.example\nFrom: thief@evil.example\n",
            "thief@evil.example",
            claimed,
        ),
        (
            "Authentication-Results: mx.other.example; dmarc=none\n".to_owned()
                + VOUCHED
                + "From: anna@client.example\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.replace("pass", "fail") + "From: anna@client.example\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "Sender: anna@client.example\n",
            "anna@client.example",
            claimed,
        ),
        (
            VOUCHED.to_owned() + "From: \u{438}\u{432}\u{430}\u{43d}@client.example\n",
            "\u{438}\u{432}\u{430}\u{43d}@client.example",
            asserted,
        ),
    ] {
        let reading = read_text(&format!("{fields}To: support@shop.example\n\nHello"));
        let sender = reading.sender.expect("a sender");
        assert_eq!(
            (sender.value.as_str(), sender.trust),
            (address, trust),
            "{fields}"
        );
        let warnings = &reading.letter.warnings;
        let told = warnings.contains(&Warning::Unverified) || warnings.contains(&Warning::Forged);
        assert_eq!(told, trust == claimed, "{fields}");
        assert_eq!(
            warnings.contains(&Warning::Forged),
            fields.contains("dmarc=fail"),
            "{fields}"
        );
    }
}

#[test]
fn what_nobody_wrote_is_told() {
    use Automatic::{Complaint, List, Notice, Reply, Report};
    for (fields, expect) in [
        ("", None),
        ("Auto-Submitted: no\n", None),
        ("Auto-Submitted: auto-replied\n", Some(Reply)),
        (
            "Auto-Submitted: auto-replied (vacation); owner=x\n",
            Some(Reply),
        ),
        ("Auto-Submitted: auto-generated\n", Some(Notice)),
        ("Auto-Submitted: auto-notified\n", Some(Notice)),
        ("X-Autoreply: yes\n", Some(Reply)),
        ("Precedence: auto_reply\n", Some(Reply)),
        (
            "Precedence: bulk\nAuto-Submitted: auto-replied\n",
            Some(Reply),
        ),
        ("Subject: Out of Office: Re: order\n", Some(Reply)),
        ("Subject: Автоматический ответ: заказ\n", Some(Reply)),
        ("Subject: Re: Автоматический ответ: заказ\n", None),
        ("Return-Path: <>\n", Some(Notice)),
        (
            "Return-Path: <>\nIn-Reply-To: <ours@shop.example>\n",
            Some(Reply),
        ),
        ("Return-Path: <>\nSubject: Re: order\n", Some(Reply)),
        ("From: postmaster@client.example\n", Some(Notice)),
        (
            "Return-Path: <>\nFrom: postmaster@client.example\n",
            Some(Report),
        ),
        (
            "Return-Path: <anna@client.example>\nReturn-Path: <>\n",
            None,
        ),
        ("Precedence: bulk\n", Some(List)),
        ("Precedence: first-class\n", None),
        ("List-Id: <news.client.example>\n", Some(List)),
        ("List-Unsubscribe: <https://client.example/u>\n", Some(List)),
        ("Precedence: junk\n", Some(Notice)),
        ("X-Auto-Response-Suppress: OOF\n", Some(Notice)),
        ("X-Loop: 1\n", Some(Notice)),
        ("Feedback-ID: 1:2\n", Some(Notice)),
        ("Switchboard-Loop: support\n", Some(Notice)),
        ("Switchboard-Loop: other\n", None),
        ("From: Support <Help+x@Shop.example>\n", Some(Notice)),
        ("From: no-reply@client.example\n", Some(Notice)),
        ("From: MAILER-DAEMON@client.example\n", Some(Report)),
        (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
            Some(Report),
        ),
        (
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n",
            Some(Complaint),
        ),
    ] {
        let from = if fields.contains("From:") {
            ""
        } else {
            "From: anna@client.example\n"
        };
        let body = "--b\n\nHello\n--b--\n";
        let reading = read_text(&format!("{fields}{from}To: support@shop.example\n\n{body}"));
        assert_eq!(reading.letter.automatic, expect, "{fields}");
    }
}

#[test]
fn a_thread_is_told_by_references_and_by_the_token() {
    let token = "abcdefghijklmnopqr27";
    let ours = format!("support+{token}@shop.example");
    for (fields, expect) in [
        (format!("Delivered-To: {ours}\nTo: x@y.example\n"), true),
        (
            format!("X-Original-To: {}\nTo: x@y.example\n", ours.to_uppercase()),
            true,
        ),
        (format!("To: x@y.example, Shop <{ours}>\n"), true),
        (format!("Cc: {}\n", ours.replace("support", "help")), true),
        (format!("To: {}\n", ours.replace("shop", "evil")), false),
        (format!("To: {}\n", ours.replace("support", "other")), false),
        ("To: support+short@shop.example\n".to_owned(), false),
        (format!("Subject: support+{token}@shop.example\n"), false),
        (format!("From: {ours}\n"), false),
    ] {
        let reading = read_text(&format!("{fields}From: a@client.example\n\nHello"));
        let told = reading.thread.token.as_deref();
        assert_eq!(told, expect.then_some(token), "{fields}");
    }
    let first = "Delivered-To: support+aaaaaaaaaaaaaaaaaaaa@shop.example\nDelivered-To: ";
    let reading = read_text(&format!("{first}{ours}\nFrom: a@client.example\n\nHello"));
    assert_eq!(
        reading.thread.token.as_deref(),
        Some("aaaaaaaaaaaaaaaaaaaa")
    );

    let many: String = (0..300).fold(String::new(), |all, n| all + &format!("<{n}@x> "));
    let reading = read_text(&format!(
        "From: a@b.example\nIn-Reply-To: <last@x> (of Monday)\nReferences: {many}<1@x>\n\n"
    ));
    let references = &reading.thread.references;
    assert_eq!(references.len(), 100);
    assert_eq!(
        (
            references[0].as_str(),
            references[98].as_str(),
            references[99].as_str()
        ),
        ("0@x", "1@x", "last@x")
    );
}

#[test]
fn the_same_letter_is_known_in_another_mailbox() {
    let letter =
        "Message-ID: <one@client.example>\r\nFrom: a@client.example\r\nSubject: x\r\n\r\nHello\r\n";
    let id = |raw: &str| {
        read(raw.as_bytes(), false, &own())
            .expect("a letter")
            .external_id
    };
    let first = id(letter);
    assert!(
        first.starts_with("one@client.example ") && first.len() == 35,
        "{first}"
    );
    let traces = "Delivered-To: help@shop.example\r\nReceived: by mx2\r\nAuthentication-Results: mx.shop.example; none\r\n";
    assert_eq!(id(&(traces.to_owned() + letter)), first);
    assert_eq!(id(&letter.replace("\r\n", "\n")), first);
    for (from, to) in [
        ("Hello", "Hullo"),
        ("Subject: x", "Subject: y"),
        ("a@client", "b@client"),
    ] {
        assert_ne!(id(&letter.replace(from, to)), first, "{to}");
    }
    assert_eq!(id(&letter.replace("Message-ID", "X-None")).len(), 16);
    let long = letter.replace("one@", &"o".repeat(300));
    assert_eq!(id(&long).len(), 16);
}

#[test]
fn an_entry_of_the_journal_becomes_an_event() {
    let entry = |uid: u32, cut_from: Option<u64>, letter: &[u8]| {
        let found = Found {
            mailbox: "main".to_owned(),
            folder: "INBOX".to_owned(),
            uid_validity: 7,
            uid,
            digest: "d".to_owned(),
            received_at: domain::Timestamp(1_000),
            cut_from,
        };
        found.entry(letter)
    };
    let letter = std::fs::read(folder("fixtures/russian.eml")).expect("a letter");
    let first = entry(1, None, &letter);
    let events = normalize_entry(&first, &own()).expect("an event");
    assert_eq!(events[0].event_key, "main INBOX 7 1 d");
    assert_eq!(events[0].sent_at, domain::Timestamp(1_000));
    assert_eq!(
        events[0].thread.token.as_deref(),
        Some("abcdefghijklmnopqr27")
    );
    let again = normalize_entry(&entry(2, None, &letter), &own()).expect("an event");
    assert_eq!(again[0].event_key, "main INBOX 7 2 d");
    assert_eq!(again[0].message_id, events[0].message_id);

    let file = &events[0].attachments[1];
    let pieces = open_entry(&first, file.source.as_deref().expect("a source"));
    assert_eq!(
        pieces.expect("a file").collect::<Vec<_>>().concat(),
        b"%PDF-1.4\n"
    );
    assert!(open_entry(&first, "part 0").is_none() && open_entry(&first, "part 99").is_none());

    let beginning = entry(3, Some(10_000_000), &letter[..letter.len() / 2]);
    let cut = normalize_entry(&beginning, &own()).expect("an event");
    let warnings = &cut[0].letter.as_deref().expect("a letter").warnings;
    assert!(warnings.contains(&Warning::Cut) && !warnings.contains(&Warning::Broken));
    assert!(normalize_entry(b"no entry", &own()).is_err());
    assert!(normalize_entry(&entry(4, None, b""), &own()).is_err());
}

#[test]
fn letters_without_a_name_that_say_the_same_are_as_many_as_came() {
    let id = |uid: u32, received_at: i64, letter: &str| {
        let found = Found {
            mailbox: "main".to_owned(),
            folder: "INBOX".to_owned(),
            uid,
            received_at: domain::Timestamp(received_at),
            ..Found::default()
        };
        let events = normalize_entry(&found.entry(letter.as_bytes()), &own());
        events.expect("an event")[0].message_id.clone()
    };
    let bare = "From: a@client.example\r\n\r\nHello\r\n";
    assert_ne!(id(1, 1_000, bare), id(2, 2_000, bare));
    // A folder that begins another life gives the letter another number.
    assert_eq!(id(1, 1_000, bare), id(2, 1_000, bare));
    let named = format!("Message-ID: <one@client.example>\r\n{bare}");
    assert_eq!(id(1, 1_000, &named), id(2, 2_000, &named));
}

/// How long letters take that are as large as letters may be.
#[test]
#[ignore = "a measurement: run it by name, with --no-capture"]
fn large_letters_in_figures() {
    const BYTES: usize = 64 << 20;
    let letter = |body: &str| {
        let head =
            "From: a@client.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
        let file = "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        let body = body.repeat(BYTES / body.len());
        Bytes::from(format!(
            "{head}\r\nHello\r\n--b\r\n{file}{body}\r\n--b--\r\n"
        ))
    };
    for (name, body) in [
        ("base64", format!("{}\r\n", "QUFB".repeat(19))),
        ("line ends", "\n".to_owned()),
        ("hyphens", "--\r\n".to_owned()),
        ("almost delimiters", "--b-\r\n".to_owned()),
        ("one line", "x".to_owned()),
    ] {
        let letter = letter(&body);
        let begun = tokio::time::Instant::now();
        let events = normalize_letter(&letter).expect("a letter");
        let read = begun.elapsed();
        let file = &events[0].attachments[0];
        let pieces = open(&letter, file.source.as_deref().expect("a source"));
        let bytes: usize = pieces.expect("the file").map(|piece| piece.len()).sum();
        let all = begun.elapsed();
        println!("{name}: read in {read:?}; with its file of {bytes} bytes in {all:?}");
    }
    for Poison { name, raw, .. } in poison::letters() {
        let begun = tokio::time::Instant::now();
        let _ = normalize_letter(&raw);
        let read = begun.elapsed();
        if read > std::time::Duration::from_millis(10) {
            println!("{name}: {} bytes read in {read:?}", raw.len());
        }
    }
}
