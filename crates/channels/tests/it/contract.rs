//! What holds for every kind of channel, whichever it is.

use std::path::{Path, PathBuf};

use channels::registry::{KINDS, Kind};
use domain::message::Inbound;

use crate::host::{channel, setup};

fn folder(kind: &Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(kind.descriptor.kind)
}

/// Raw payloads, by name.
fn fixtures(kind: &Kind) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder(kind).join("fixtures")).expect("a folder of fixtures");
    let mut fixtures: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| !path.to_string_lossy().contains(".snap"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("readable"))
        })
        .collect();
    fixtures.sort();
    assert!(
        !fixtures.is_empty(),
        "{} has no fixtures",
        kind.descriptor.kind
    );
    fixtures
}

#[test]
fn fixtures_become_what_they_became() {
    for kind in KINDS {
        for (name, raw) in fixtures(kind) {
            let outcome = (kind.normalize)(&raw).map_err(|malformed| malformed.to_string());
            insta::with_settings!({
                snapshot_path => folder(kind).join("fixtures"),
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

#[test]
fn a_redelivery_is_the_same_events() {
    for kind in KINDS {
        let channel = channel(kind.descriptor.kind, "");
        for (name, raw) in fixtures(kind) {
            let first = (kind.normalize)(&raw);
            assert_eq!(first, (kind.normalize)(&raw), "{name}");
            assert_eq!(channel.normalize(&raw), channel.normalize(&raw), "{name}");
            for event in first.into_iter().flatten() {
                check_event(kind, &name, &event);
            }
        }
    }
}

/// What the engine relies on.
fn check_event(kind: &Kind, name: &str, event: &Inbound) {
    let of = format!("{} {name}", kind.descriptor.kind);
    assert!(
        (1..=256).contains(&event.event_key.len()),
        "{of}: event key"
    );
    assert!(
        (1..=256).contains(&event.thread_key.len()),
        "{of}: thread key"
    );
    assert!(
        !event.sender.identities.is_empty(),
        "{of}: an unknown sender"
    );
    assert!(event.sender.identities.len() <= 20, "{of}: identities");
    assert!(event.attachments.len() <= 30, "{of}: attachments");
    let name_shown = &event.sender.display_name;
    assert_eq!(&domain::text::display_name(name_shown), name_shown, "{of}");
    for identity in &event.sender.identities {
        let normal = domain::identity::normalize(identity, "RU");
        assert_eq!(
            normal.as_ref(),
            Ok(identity),
            "{of}: not in its normal form"
        );
    }
}

#[test]
fn foreign_bytes_are_malformed_and_never_a_panic() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + &close.repeat(10_000);
    let long = "x".repeat(1 << 20);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks", b" \n ".to_vec()),
        ("not UTF-8", b"\xff\xfe\x00{".to_vec()),
        ("NUL", vec![0; 64]),
        ("deep list", deep("[", "]").into_bytes()),
        ("deep object", deep("{\"a\":", "}").into_bytes()),
        (
            "long string",
            format!("{{\"message\":\"{long}\"}}").into_bytes(),
        ),
        (
            "long frame",
            format!("{{\"type\":\"message\",\"client_id\":\"a\",\"text\":\"{long}\"}}")
                .into_bytes(),
        ),
        ("number", b"1".to_vec()),
        ("null", b"null".to_vec()),
        ("list", b"[]".to_vec()),
        ("open", b"{".to_vec()),
        ("empty object", b"{}".to_vec()),
    ];
    for kind in KINDS {
        for (name, raw) in &cases {
            let outcome = (kind.normalize)(raw);
            assert!(outcome.is_err(), "{} took {name}", kind.descriptor.kind);
        }
    }
}

#[test]
fn cut_and_flipped_fixtures_are_never_a_panic() {
    for kind in KINDS {
        for (_, raw) in fixtures(kind) {
            for length in 0..raw.len() {
                let _ = (kind.normalize)(&raw[..length]);
            }
            for at in 0..raw.len() {
                let mut flipped = raw.clone();
                flipped[at] ^= 0x15;
                let _ = (kind.normalize)(&flipped);
            }
        }
    }
}

#[test]
fn descriptors_are_whole() {
    for kind in KINDS {
        let descriptor = kind.descriptor;
        let name = descriptor.kind;
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        );
        assert!(descriptor.text_length_max > 0 && descriptor.delivery_bytes_max > 0);
        assert_eq!(channel(name, "").descriptor().kind, name);
        let example = kind.example;
        assert!(
            example.contains(&format!("# channel = \"{name}\"")),
            "{name}"
        );
        assert!(example.lines().all(|line| line.starts_with('#')), "{name}");
    }
}

/// The documented section, without its comment marks, is one that works.
#[test]
fn examples_are_good_configurations() {
    for kind in KINDS {
        let name = kind.descriptor.kind;
        let keys: String = kind
            .example
            .lines()
            .map(|line| line.trim_start_matches(['#', ' ']))
            .map(|line| line.replace("[line.texts.ru]", "[texts.ru]"))
            .filter(|line| line.starts_with('[') || is_key(line))
            .filter(|line| {
                let head = [
                    "[[line]]",
                    "id = ",
                    "channel = ",
                    "queue = ",
                    "identity_secret = ",
                ];
                !head.iter().any(|head| line.starts_with(head))
            })
            .map(|line| line + "\n")
            .collect();
        let problems = (kind.build)(&setup(name, &keys)).err();
        assert_eq!(problems, None, "{name}:\n{keys}");
    }
}

#[test]
fn unknown_and_wrong_keys_are_told_all_at_once() {
    for kind in KINDS {
        let name = kind.descriptor.kind;
        let problems = (kind.build)(&setup(name, "no_such_key = 1\nneither_this = 2")).err();
        let keys: Vec<String> = problems
            .expect("a refusal")
            .into_iter()
            .map(|problem| problem.key)
            .collect();
        assert_eq!(keys, ["neither_this", "no_such_key"], "{name}");
    }
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        key.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}
