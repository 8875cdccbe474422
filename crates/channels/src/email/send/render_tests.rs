use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::identity::{Identity, Trust};
use domain::message::{
    Action, Address as Told, Attachment, Letter, Outbound, Recipient, Text, Thread, ToSend,
};
use domain::{LineId, MessageId, ThreadId, Timestamp};

use serde_json::Value;

use super::super::config::Config;
use super::render::{Piece, Rendered, render};
use crate::SendError;

pub(super) const TOKEN: &str = "abcdefghijklmnopqrst";

pub(super) fn config() -> Config {
    Config {
        line: LineId::from("mail"),
        region: "RU".to_owned(),
        address: "support@shop.example".to_owned(),
        display_name: "Shop".to_owned(),
        aliases: Vec::new(),
        trusted_servers: Vec::new(),
        plus_addresses: false,
        signature: String::new(),
        letter_bytes_max: 50 << 20,
        mailboxes: Vec::new(),
        smtp: None,
    }
}

pub(super) fn outbound(text: &str) -> Outbound {
    Outbound {
        message: MessageId::new(7),
        line: LineId::from("mail"),
        recipient: Recipient {
            thread: ThreadId::new(3),
            thread_key: "first@client.example".to_owned(),
            identity: Some(Identity {
                kind: "email".to_owned(),
                issuer: String::new(),
                value: "ann@client.example".to_owned(),
                trust: Trust::Asserted,
            }),
            context: Thread {
                subject: Some("Order 7".to_owned()),
                ..Thread::default()
            },
            token: TOKEN.to_owned(),
        },
        sent_at: Timestamp(1_700_000_000_123),
        author_name: "Ben".to_owned(),
        automatic: false,
        part: None,
        action: Action::Send(ToSend {
            text: Text::plain(text),
            ..ToSend::default()
        }),
    }
}

pub(super) fn attach(outbound: &mut Outbound, name: &str, media_type: &str, content: &[u8]) {
    let Action::Send(ToSend { attachments, .. }) = &mut outbound.action else {
        unreachable!();
    };
    attachments.push(Attachment {
        file_name: name.to_owned(),
        media_type: media_type.to_owned(),
        size_bytes: content.len() as u64,
        // Stands in for the digest: the tests' files are found by it.
        sha256: String::from_utf8_lossy(content).into_owned(),
        ..Attachment::default()
    });
}

pub(super) fn address(outbound: &mut Outbound, letter: Letter) {
    let Action::Send(ToSend { letter: told, .. }) = &mut outbound.action else {
        unreachable!();
    };
    *told = Some(Box::new(letter));
}

pub(super) fn told(name: &str, address: &str) -> Told {
    Told {
        name: name.to_owned(),
        address: address.to_owned(),
    }
}

/// The letter with its files in it, as they go out.
pub(super) fn whole(rendered: &Rendered) -> Vec<u8> {
    use base64::Engine as _;
    let mut out = Vec::new();
    for piece in &rendered.pieces {
        match piece {
            Piece::Ready(bytes) => out.extend_from_slice(bytes),
            Piece::File(file) => {
                for line in file.sha256.as_bytes().chunks(57) {
                    let line = base64::engine::general_purpose::STANDARD.encode(line);
                    out.extend_from_slice(line.as_bytes());
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }
    out
}

fn shown(outbound: &Outbound, config: &Config) -> String {
    let letter = whole(&render(config, outbound).unwrap());
    check_lines(&letter);
    String::from_utf8(letter).unwrap().replace("\r\n", "\n")
}

/// What servers refuse, and what some of them take for the end of a letter.
fn check_lines(letter: &[u8]) {
    for line in letter.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").expect("every line ends");
        assert!(line.len() <= 998, "{}", line.len());
        let clean = |byte: &u8| *byte == b'\t' || (0x20..0x7f).contains(byte);
        assert!(line.iter().all(clean), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_first_letter() {
    insta::assert_snapshot!(shown(
        &outbound("Hello,\nsee https://shop.example/7."),
        &config()
    ));
}

#[test]
fn an_answer() {
    let mut outbound = outbound("Да, конечно.");
    let context = &mut outbound.recipient.context;
    context.subject =
        Some("RE[2]: Заказ № 7: где он находится и когда его привезут на дачу?".to_owned());
    context.references = ["first@client.example", "second@client.example", "<third@x>"]
        .map(str::to_owned)
        .to_vec();
    if let Action::Send(ToSend { reply_to, .. }) = &mut outbound.action {
        *reply_to = Some("second@client.example 0123456789abcdef".to_owned());
    }
    let mut config = config();
    config.plus_addresses = true;
    config.display_name = "Магазин «Ромашка»".to_owned();
    config.signature = "С уважением,\nМагазин".to_owned();
    insta::assert_snapshot!(shown(&outbound, &config));
}

#[test]
fn a_letter_to_many_about_something_else() {
    let mut outbound = outbound("Dear all");
    address(
        &mut outbound,
        Letter {
            subject:
                "A subject that is so long that it does not fit into one line of the letter's head"
                    .to_owned(),
            to: vec![
                told("Ann \"A\" O'Neil, jun.", "ann@client.example"),
                told("", "ben@client.example"),
            ],
            cc: vec![
                told("Вера Павловна Лопухова-Кирсанова", "vera@почта.рф"),
                told("Ann", "ann@client.example"),
            ],
            ..Letter::default()
        },
    );
    let rendered = render(&config(), &outbound).unwrap();
    let recipients: Vec<String> = rendered
        .recipients
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        recipients,
        [
            "ann@client.example",
            "ben@client.example",
            "vera@xn--80a1acny.xn--p1ai"
        ]
    );
    insta::assert_snapshot!(shown(&outbound, &config()));
}

#[test]
fn an_automatic_letter_says_so() {
    let mut outbound = outbound("We are closed.");
    outbound.automatic = true;
    let shown = shown(&outbound, &config());
    for mark in [
        "\nAuto-Submitted: auto-replied\n",
        "\nX-Auto-Response-Suppress: All\n",
        "\nPrecedence: bulk\n",
        "\nSwitchboard-Loop: mail\n",
    ] {
        assert!(shown.contains(mark), "{shown}");
    }
    assert!(render(&config(), &outbound).unwrap().automatic);
}

#[test]
fn files() {
    let mut outbound = outbound("Two files");
    attach(
        &mut outbound,
        "договор поставки оборудования для кухни (окончательный вариант).pdf",
        "application/pdf",
        "%PDF ".repeat(40).as_bytes(),
    );
    attach(
        &mut outbound,
        "letter.eml",
        "message/rfc822",
        b"From: x\r\n\r\n.",
    );
    attach(&mut outbound, "empty.txt", "text/plain", b"");
    // An empty file has a digest, too.
    let Action::Send(ToSend { attachments, .. }) = &mut outbound.action else {
        unreachable!()
    };
    attachments[2].sha256 = "e3b0".to_owned();
    attachments[2].size_bytes = 4;
    let rendered = render(&config(), &outbound).unwrap();
    assert_eq!(rendered.size(), whole(&rendered).len() as u64);
    insta::assert_snapshot!(shown(&outbound, &config()));
}

#[test]
fn the_size_of_files_is_known_beforehand() {
    for size in [1, 2, 3, 56, 57, 58, 113, 114, 115, 5_000] {
        let mut outbound = outbound("");
        attach(&mut outbound, "a", "a/b", "x".repeat(size).as_bytes());
        let rendered = render(&config(), &outbound).unwrap();
        assert_eq!(rendered.size(), whole(&rendered).len() as u64, "{size}");
    }
}

#[test]
fn a_letter_is_the_same_on_every_try_and_its_name_is_not_guessed() {
    let first = render(&config(), &outbound("Hi")).unwrap();
    assert_eq!(first, render(&config(), &outbound("Hi")).unwrap());
    assert_eq!(
        Some(&first.name),
        super::name(&config(), &outbound("Hi")).as_ref()
    );
    assert!(first.name.ends_with("@shop.example"), "{}", first.name);
    assert_eq!(first.name.len(), 32 + "@shop.example".len());
    let mut other = outbound("Hi");
    other.message = MessageId::new(8);
    assert_ne!(super::name(&config(), &other), Some(first.name.clone()));
    let mut other = outbound("Hi");
    other.recipient.token = "bbcdefghijklmnopqrst".to_owned();
    assert_ne!(super::name(&config(), &other), Some(first.name));
    other.recipient.token.clear();
    assert_eq!(super::name(&config(), &other), None);
    assert!(matches!(
        render(&config(), &other),
        Err(SendError::Rejected { .. })
    ));
}

#[test]
fn of_many_references_the_first_and_the_last_stay() {
    let mut outbound = outbound("Hi");
    outbound.recipient.context.references = (0..100).map(|n| format!("n{n}@x")).collect();
    let shown = shown(&outbound, &config());
    let references = shown.split("References: ").nth(1).unwrap();
    let references: Vec<&str> = references
        .split_whitespace()
        .take_while(|word| word.starts_with('<'))
        .collect();
    assert_eq!(references.len(), 20);
    assert_eq!(
        (references[0], references[1], references[19]),
        ("<n0@x>", "<n81@x>", "<n99@x>")
    );
    assert!(shown.contains("\nIn-Reply-To: <n99@x>\n"));
}

#[test]
fn what_cannot_be_written_to_is_told() {
    for wrong in [
        "",
        "ann",
        "ann@",
        "@client.example",
        "a b@client.example",
        "ann@client.example\r\nRCPT TO:<x@y.example>",
        "ann@client example",
        "=?utf-8?B?YQ==?=@client.example",
        "<ann@client.example>",
    ] {
        let mut outbound = outbound("Hi");
        outbound.recipient.identity.as_mut().unwrap().value = wrong.to_owned();
        let refused = render(&config(), &outbound);
        assert!(
            matches!(refused, Err(SendError::Rejected { .. })),
            "{wrong}: {refused:?}"
        );
    }
    let mut nobody = outbound("Hi");
    nobody.recipient.identity = None;
    assert!(render(&config(), &nobody).is_err());
    let mut crowd = outbound("Hi");
    let to = (0..101)
        .map(|n| told("", &format!("n{n}@x.example")))
        .collect();
    address(
        &mut crowd,
        Letter {
            to,
            ..Letter::default()
        },
    );
    assert!(render(&config(), &crowd).is_err());
    let mut edit = outbound("Hi");
    edit.action = Action::Delete {
        target: "x".to_owned(),
    };
    assert_eq!(render(&config(), &edit), Err(SendError::Unsupported));
}

/// What would end a line, or become one when it is decoded.
const BREAKS: [&str; 12] = [
    "\r\nBcc: evil@evil.example\r\n",
    "\nBcc: evil@evil.example",
    "\rBcc: evil@evil.example",
    "\0Bcc: evil@evil.example",
    "\u{2028}Bcc: evil@evil.example",
    "\u{85}Bcc: evil@evil.example\u{b}Bcc: evil@evil.example\u{c}",
    "=?utf-8?B?DQpCY2M6IGV2aWxAZXZpbC5leGFtcGxl?=",
    "=?utf-8?Q?=0D=0ABcc:_evil@evil.example?=",
    "=?us-ascii?q?=0aBcc:_evil@evil.example?= =?us-ascii?q?=0d?=",
    "%0D%0ABcc: evil@evil.example",
    "\"\r\n\r\nBcc: evil@evil.example\r\n.\r\nMAIL FROM:<>\r\n",
    "\r\n\r\n--files-\r\nContent-Type: text/html\r\n\r\n",
];

/// Puts a text into every field there is.
fn everywhere(evil: &str) -> (Config, Outbound) {
    let mut config = config();
    config.display_name = format!("Shop{evil}");
    config.signature = format!("Shop{evil}");
    config.plus_addresses = true;
    let mut outbound = outbound(&format!("Hi{evil}"));
    outbound.author_name = format!("Ben{evil}");
    outbound.line = LineId::from(format!("mail{evil}").as_str());
    outbound.recipient.token = format!("abc{evil}");
    outbound.recipient.context.references = vec![format!("a@x{evil}"), format!("<{evil}b@x>")];
    address(
        &mut outbound,
        Letter {
            subject: format!("Order{evil}7"),
            to: vec![told(&format!("Ann{evil}"), "ann@client.example")],
            cc: vec![told(evil, "ben@client.example")],
            ..Letter::default()
        },
    );
    attach(
        &mut outbound,
        &format!("a{evil}.pdf"),
        &format!("application/pdf{evil}"),
        b"x",
    );
    if let Action::Send(ToSend { reply_to, .. }) = &mut outbound.action {
        *reply_to = Some(format!("c@x{evil}"));
    }
    (config, outbound)
}

#[test]
fn nothing_written_into_a_field_becomes_a_field() {
    let names = |letter: &str| {
        let head = letter.split("\r\n\r\n").next().unwrap_or_default();
        let fields = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']));
        let names = fields.map(|field| field.split(':').next().unwrap_or_default().to_owned());
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        names.for_each(|name| *count.entry(name).or_default() += 1);
        count
    };
    for evil in BREAKS {
        let (config, outbound) = everywhere(evil);
        let rendered = render(&config, &outbound).unwrap();
        let letter = whole(&rendered);
        check_lines(&letter);
        let letter = String::from_utf8(letter).unwrap();
        for (name, count) in names(&letter) {
            let known = [
                "Date",
                "From",
                "Reply-To",
                "To",
                "Cc",
                "Subject",
                "Message-ID",
                "In-Reply-To",
                "References",
                "Switchboard-Loop",
                "MIME-Version",
                "Content-Type",
            ];
            assert!(
                known.contains(&name.as_str()) && count == 1,
                "{evil:?}: {count} of {name} in {letter}"
            );
        }
        let head = letter.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("\nBcc"), "{head}");
        // What was there before is not taken for an encoded word.
        assert!(
            !head.contains("evil_") && !head.contains("_evil@") && !head.contains("DQpC"),
            "{head}"
        );
        assert_eq!(rendered.recipients.len(), 2, "{evil:?}");
        for recipient in &rendered.recipients {
            assert!(
                recipient
                    .to_string()
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic())
            );
        }
        let parsed = mail_parser::MessageParser::default()
            .parse(letter.as_bytes())
            .unwrap();
        assert_eq!(parsed.attachment_count(), 1, "{evil:?}: {letter}");
        assert!(parsed.header("Bcc").is_none());
        let subject = parsed.subject().unwrap();
        assert!(!subject.contains(['\r', '\n', '\0']), "{subject:?}");
        assert_eq!(
            subject,
            super::field::Line::new(&format!("Order{evil}7")).as_str()
        );
    }
}

/// Reads letters by a program that is not ours.
const READER: &str = r#"
import email, email.policy, hashlib, json, sys
def people(letter, name):
    field = letter[name]
    return [[it.display_name, it.addr_spec] for it in field.addresses] if field else []
def read(letter):
    letter = email.message_from_bytes(letter, policy=email.policy.default)
    return {
        "subject": letter["subject"], "name": letter["message-id"],
        "from": people(letter, "from"), "reply_to": people(letter, "reply-to"),
        "to": people(letter, "to"), "cc": people(letter, "cc"),
        "answers": letter["in-reply-to"], "references": (letter["references"] or "").split(),
        "plain": letter.get_body(("plain",)).get_content(),
        "html": letter.get_body(("html",)).get_content_type(),
        "files": [
            [it.get_filename(), it.get_content_type(),
             hashlib.sha256(it.get_payload(decode=True)).hexdigest()]
            for it in letter.iter_attachments()],
        "defects": [str(it) for part in letter.walk() for it in part.defects],
    }
print(json.dumps([read(it) for it in sys.stdin.buffer.read().split(b"\0")]))
"#;

fn read_by_another(letters: &[Vec<u8>]) -> Result<Vec<Value>, String> {
    let mut reader = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("python3 cannot be run: {error}"))?;
    let mut said = reader.stdin.take().unwrap();
    said.write_all(&letters.join(&0)).unwrap();
    drop(said);
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success());
    Ok(serde_json::from_slice(&read.stdout).unwrap())
}

/// A letter that has everything.
fn full() -> (Config, Outbound) {
    let mut config = config();
    config.display_name = "Магазин «Ромашка»".to_owned();
    config.plus_addresses = true;
    config.signature = "-- \n.\n=3D".to_owned();
    let mut outbound = outbound("Привет!\n.\nFrom here = there\n\n  две строки");
    outbound.recipient.context.references = vec!["first@x".to_owned(), "second@x".to_owned()];
    address(
        &mut outbound,
        Letter {
            subject: "Ваш заказ № 12345 «Кухня» — =?utf-8?Q?=0D=0A?= и ещё очень много слов 🙂, чтобы было длинно".to_owned(),
            to: vec![told("O'Neil, Ann \"A\" \\", "ann@client.example"), told("Иван", "ivan@почта.рф")],
            cc: vec![told("=?utf-8?B?DQo=?=", "ben@client.example"), told("", "\"a..b\"@client.example")],
            ..Letter::default()
        },
    );
    attach(
        &mut outbound,
        "Счёт №7 (копия) — =?utf-8?B?Lg==?=.pdf",
        "application/pdf",
        "%PDF ".repeat(500).as_bytes(),
    );
    attach(&mut outbound, "plain.txt", "text/plain", b"one\ntwo");
    (config, outbound)
}

#[test]
fn others_read_what_was_written() {
    use sha2::Digest as _;
    let digest = |text: &str| {
        let mut hex = String::new();
        for byte in sha2::Sha256::digest(text.as_bytes()) {
            write!(hex, "{byte:02x}").unwrap();
        }
        hex
    };
    let (config, outbound) = full();
    let rendered = render(&config, &outbound).unwrap();
    let letter = whole(&rendered);
    let parsed = mail_parser::MessageParser::default()
        .parse(&letter)
        .unwrap();
    assert_eq!(parsed.attachment_count(), 2);
    let file_name = |index| {
        use mail_parser::MimeHeaders as _;
        parsed
            .attachment(index)
            .unwrap()
            .attachment_name()
            .unwrap()
            .to_owned()
    };
    let expected = domain::text::file_name("Счёт №7 (копия) — =?utf-8?B?Lg==?=.pdf");
    assert_eq!(
        (file_name(0), file_name(1)),
        (expected.clone(), "plain.txt".to_owned())
    );
    let read = match read_by_another(&[letter]) {
        Ok(mut read) => read.remove(0),
        Err(reason) => return println!("skipped: others_read_what_was_written: {reason}"),
    };
    let Action::Send(ToSend {
        letter: Some(told), ..
    }) = &outbound.action
    else {
        unreachable!()
    };
    insta::assert_json_snapshot!(read);
    assert_eq!(read["subject"], told.subject.as_str());
    assert_eq!(read["name"], format!("<{}>", rendered.name));
    assert_eq!(
        read["files"],
        serde_json::json!([
            [expected, "application/pdf", digest(&"%PDF ".repeat(500))],
            ["plain.txt", "text/plain", digest("one\ntwo")],
        ])
    );
}

#[test]
fn others_find_nothing_that_was_slipped_in() {
    let letters = BREAKS.map(|evil| {
        let (config, outbound) = everywhere(evil);
        whole(&render(&config, &outbound).unwrap())
    });
    let read = match read_by_another(&letters) {
        Ok(read) => read,
        Err(reason) => {
            return println!("skipped: others_find_nothing_that_was_slipped_in: {reason}");
        }
    };
    assert_eq!(read.len(), BREAKS.len());
    for (read, evil) in read.iter().zip(BREAKS) {
        for field in ["to", "cc", "files"] {
            assert_eq!(read[field].as_array().unwrap().len(), 1, "{evil:?}: {read}");
        }
        assert_eq!(read["defects"], serde_json::json!([]), "{evil:?}: {read}");
        for field in ["subject", "from", "to", "cc", "files"] {
            let said = read[field].to_string();
            let breaks = ["\\r", "\\n", "\\u0000"];
            assert!(
                !breaks.iter().any(|it| said.contains(it)),
                "{field}: {said}"
            );
        }
    }
}
