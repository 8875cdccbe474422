use std::path::{Path, PathBuf};

use super::super::normalize::normalize_letter;
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

#[test]
fn letters_become_what_they_became() {
    for (name, raw) in letters(&folder("fixtures")) {
        let outcome = normalize_letter(&raw).map_err(|malformed| malformed.to_string());
        insta::with_settings!({
            snapshot_path => folder("fixtures"),
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
