//! Rules about the source itself: a rule without a test is a wish.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longer than this, a file holds more than one thing.
const RUST_LINES_MAX: usize = 800;
const SCRIPT_LINES_MAX: usize = 420;
/// Channels' names that are also a medium, the kind of an identity or an everyday word.
const MORE_THAN_A_CHANNEL: [&str; 7] =
    ["email", "form", "max", "messenger", "ok", "telegram", "vk"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file below a folder with one of the extensions.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn rooms_know_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("domain", [].as_slice()),
        ("proto", &[]),
        ("store", &["domain"]),
        ("channels", &["domain"]),
        ("engine", &["channels", "domain", "proto", "store"]),
        ("web", &["channels", "domain", "engine", "proto", "store"]),
        (
            "bench",
            &["channels", "domain", "engine", "proto", "store", "web"],
        ),
        (
            "switchboard",
            &[
                "bench", "channels", "domain", "engine", "proto", "store", "web",
            ],
        ),
    ]);
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let room = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let known: BTreeSet<&str> = manifest["dependencies"]
            .as_table()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|name| allowed.contains_key(name))
            .collect();
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("the room {room} has no row here"));
        for name in known {
            assert!(may.contains(&name), "{room} must not know {name}");
        }
    }
}

#[test]
fn the_database_is_the_stores_alone() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(
            folder.ends_with("store") || !manifest.contains("rusqlite"),
            "{} must not speak SQL",
            folder.display()
        );
    }
}

#[test]
fn a_channels_name_stands_in_its_folder_only() {
    for room in ["domain", "engine", "store", "web"] {
        for file in files(&root().join("crates").join(room).join("src"), &["rs"]) {
            let text = fs::read_to_string(&file).unwrap();
            for kind in channels::registry::KINDS {
                let name = kind.descriptor.kind;
                if MORE_THAN_A_CHANNEL.contains(&name) {
                    continue;
                }
                assert!(
                    !text.contains(&format!("\"{name}\"")),
                    "{} names the channel {name}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn files_hold_one_thing() {
    let mut long = Vec::new();
    for folder in ["crates", "tests", "xtask"] {
        for file in files(&root().join(folder), &["rs", "js"]) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            let max = if file.extension().is_some_and(|extension| extension == "js") {
                SCRIPT_LINES_MAX
            } else {
                RUST_LINES_MAX
            };
            if lines > max {
                long.push(format!("{}: {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn every_method_has_a_row_of_rights() {
    let pool = prost_reflect::DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let mut methods = 0;
    for service in pool.services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            assert!(
                web::access::access_of(&path).is_some(),
                "{path} has no row in web::access::TABLE"
            );
            methods += 1;
        }
    }
    let rows: usize = web::access::TABLE
        .iter()
        .map(|(_, methods)| methods.len())
        .sum();
    assert_eq!(rows, methods, "a row names no method");
}

#[test]
fn the_contract_is_documented() {
    for file in files(&root().join("proto"), &["proto"]) {
        let text = fs::read_to_string(&file).unwrap();
        let mut before = "";
        for line in text.lines() {
            let trimmed = line.trim();
            let declares = trimmed.starts_with("message ")
                || trimmed.starts_with("enum ")
                || trimmed.starts_with("service ")
                || trimmed.starts_with("rpc ")
                || (trimmed.contains(" = ")
                    && trimmed.ends_with(';')
                    && !trimmed.starts_with("//"))
                    && !trimmed.starts_with("syntax");
            if declares {
                assert!(
                    before.trim().starts_with("//"),
                    "{}: nothing is said of `{trimmed}`",
                    file.display()
                );
            }
            before = line;
        }
    }
}
