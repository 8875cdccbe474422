//! The contract suite: what holds for every kind of channel, whichever it is. Each
//! is built from its own example, as a reader of the documentation builds it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::LineId;
use domain::message::Inbound;
use toml::{Table, Value};

use crate::registry::{KINDS, Kind, LineSetup};
use crate::{Channel, ConfigProblem};

/// Stands in for what an example cannot show.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn folder(kind: &Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(kind.descriptor.kind.replace('-', "_"))
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

/// The example's section with the first `#` taken off each line: all that a reader is
/// told to do.
fn uncommented(kind: &Kind) -> String {
    let section = kind
        .example
        .lines()
        .skip_while(|line| *line != "# [[line]]");
    let bare = section.map(|line| line.strip_prefix('#').unwrap_or(line).trim_start());
    bare.map(|line| line.to_owned() + "\n").collect()
}

/// The same with the keys that stay behind a second `#`.
fn with_every_key(kind: &Kind) -> String {
    let is_key = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| {
            key.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    let text = uncommented(kind);
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(bare) if bare.starts_with('[') || is_key(bare) => bare,
        Some(_) | None => line,
    });
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// The line that a text configures, its secrets filled in.
fn setup(kind: &Kind, text: &str) -> LineSetup {
    let name = kind.descriptor.kind;
    let mut table: Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{name}: {error}in:\n{text}"));
    let Some(Value::Array(lines)) = table.remove("line") else {
        panic!("{name}: no [[line]]:\n{text}");
    };
    let [Value::Table(options)] = lines.as_slice() else {
        panic!("{name}: not one [[line]]:\n{text}");
    };
    let mut options = options.clone();
    assert_eq!(
        options.remove("channel").as_ref().and_then(Value::as_str),
        Some(name)
    );
    let id = options.remove("id").unwrap_or_else(|| panic!("{name}: id"));
    assert!(options.remove("queue").is_some(), "{name}: queue");
    LineSetup {
        id: LineId::from(id.as_str().expect("an id")),
        display_name: "Line".to_owned(),
        default_region: "RU".to_owned(),
        public_url: "https://gateway.example".to_owned(),
        options: options.into_iter().map(filled_in).collect(),
    }
}

/// What the gateway reads from a key's file, and what everybody has to make up.
fn filled_in((key, value): (String, Value)) -> (String, Value) {
    let secret = || Value::String(SECRET.to_owned());
    match (key.strip_suffix("_file"), value) {
        (Some(bare), _) => (bare.to_owned(), secret()),
        (None, Value::String(text)) if text == "…" => (key, secret()),
        (None, Value::Table(table)) => (key, within(table)),
        (None, Value::Array(items)) => {
            let items = items.into_iter().map(|item| {
                let table = item.as_table().cloned();
                table.map_or(item, within)
            });
            (key, Value::Array(items.collect()))
        }
        (None, value) => (key, value),
    }
}

fn within(table: Table) -> Value {
    Value::Table(table.into_iter().map(filled_in).collect())
}

fn channel(kind: &Kind) -> Arc<dyn Channel> {
    (kind.build)(&setup(kind, &uncommented(kind))).expect("a good configuration")
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
        let channel = channel(kind);
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
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{name}"
        );
        assert!(descriptor.text_length_max > 0 && descriptor.delivery_bytes_max > 0);
        assert_eq!(channel(kind).descriptor().kind, name);
        let example = kind.example;
        assert!(
            example.contains(&format!("# channel = \"{name}\"")),
            "{name}"
        );
        assert!(example.lines().all(|line| line.starts_with('#')), "{name}");
    }
}

#[test]
fn examples_are_good_configurations() {
    for kind in KINDS {
        for text in [uncommented(kind), with_every_key(kind)] {
            let problems = (kind.build)(&setup(kind, &text)).err();
            assert_eq!(problems, None, "{}:\n{text}", kind.descriptor.kind);
        }
    }
}

#[test]
fn unknown_and_wrong_keys_are_told_all_at_once() {
    for kind in KINDS {
        let mut setup = setup(kind, &uncommented(kind));
        for key in ["no_such_key", "neither_this"] {
            setup.options.insert(key.to_owned(), Value::Integer(1));
        }
        let problems = (kind.build)(&setup).err().expect("a refusal");
        let keys: Vec<&str> = problems.iter().map(|told| told.key.as_str()).collect();
        let name = kind.descriptor.kind;
        assert_eq!(keys, ["neither_this", "no_such_key"], "{name}");
    }
}

#[test]
fn what_is_missing_is_told_by_its_key() {
    for kind in KINDS {
        let mut setup = setup(kind, &uncommented(kind));
        setup.options.clear();
        for ConfigProblem { key, problem } in (kind.build)(&setup).err().unwrap_or_default() {
            let name = kind.descriptor.kind;
            assert!(!key.is_empty() && !problem.is_empty(), "{name}: {key}");
        }
    }
}
