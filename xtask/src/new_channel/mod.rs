//! `cargo xtask new-channel NAME`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// The files of a channel's folder.
const FILES: [(&str, &str); 8] = [
    ("mod.rs", include_str!("mod.rs.txt")),
    ("config.rs", include_str!("config.rs.txt")),
    ("example.toml", include_str!("example.toml.txt")),
    ("api.rs", include_str!("api.rs.txt")),
    ("normalize.rs", include_str!("normalize.rs.txt")),
    ("render.rs", include_str!("render.rs.txt")),
    ("client.rs", include_str!("client.rs.txt")),
    ("fixtures/text.json", include_str!("text.json.txt")),
];

const PAGE: &str = include_str!("page.md.txt");

/// Writes a channel of this kind; tells the files that are new or changed.
pub(crate) fn run(root: &Path, name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(good),
        "{name:?} is no name for a channel: small letters, digits and -"
    );
    let module = name.replace('-', "_");
    let source = root.join("crates/channels/src");
    let folder = source.join(&module);
    ensure!(!folder.exists(), "{} is there already", folder.display());
    // Read everything before anything is written.
    let library = source.join("lib.rs");
    let registry = source.join("registry.rs");
    let new_library = declare(&read(&library)?, &module).context("changing lib.rs")?;
    let new_registry = register(&read(&registry)?, &module).context("changing registry.rs")?;
    let mut written = vec![library.clone(), registry.clone()];
    write(&library, &new_library)?;
    write(&registry, &new_registry)?;
    for (file, template) in FILES {
        written.push(folder.join(file));
        write(&folder.join(file), &fill(template, name))?;
    }
    let page = root.join(format!("docs/channels/{name}.md"));
    write(&page, &fill(PAGE, name))?;
    written.push(page);
    Ok(written)
}

fn fill(template: &str, name: &str) -> String {
    let mut title = name.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    template.replace("TITLE", &title).replace("NAME", name)
}

/// Adds `mod NAME;` to the private modules, in order.
fn declare(library: &str, module: &str) -> anyhow::Result<String> {
    let line = format!("mod {module};");
    let mut lines: Vec<&str> = library.lines().collect();
    let Some(first) = lines.iter().position(|line| line.starts_with("mod ")) else {
        bail!("there is no private module to stand beside");
    };
    let behind = lines[first..]
        .iter()
        .position(|other| !other.starts_with("mod ") || *other > line.as_str());
    lines.insert(first + behind.unwrap_or(0), &line);
    Ok(lines.join("\n") + "\n")
}

/// Adds the kind to the import and to the list, in order.
fn register(registry: &str, module: &str) -> anyhow::Result<String> {
    let registry = within(registry, "use crate::{", "}", module)?;
    let kind = format!("{module}::KIND");
    within(&registry, "KINDS: &[Kind] = &[", "]", &kind)
}

/// Adds an item to a list in brackets.
fn within(text: &str, open: &str, close: &str, item: &str) -> anyhow::Result<String> {
    let (before, rest) = text
        .split_once(open)
        .with_context(|| format!("finding {open}"))?;
    let (list, after) = rest
        .split_once(close)
        .with_context(|| format!("finding {close}"))?;
    let mut items: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|i| !i.is_empty())
        .collect();
    // Types stand before modules, as the formatter has them.
    let rank = |item: &str| {
        (
            item.starts_with(|c: char| c.is_lowercase()),
            item.to_owned(),
        )
    };
    let place = items.iter().position(|other| rank(other) > rank(item));
    items.insert(place.unwrap_or(items.len()), item);
    Ok(format!("{before}{open}{}{close}{after}", items.join(", ")))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{read, run, write};

    const LIBRARY: &str =
        "//! Channels.\n\npub mod registry;\n\nmod bridge;\nmod webchat;\n\nuse x;\n";
    const REGISTRY: &str = "\
use crate::{Channel, Kind, bridge, webchat};

pub const KINDS: &[Kind] = &[bridge::KIND, webchat::KIND];
";

    #[test]
    fn a_new_channel_is_written_and_registered() {
        let root = tempfile::tempdir().expect("a folder");
        let source = root.path().join("crates/channels/src");
        write(&source.join("lib.rs"), LIBRARY).expect("written");
        write(&source.join("registry.rs"), REGISTRY).expect("written");

        let written = run(root.path(), "pigeon-post").expect("a channel");

        let library = read(&source.join("lib.rs")).expect("read");
        assert!(
            library.contains("mod bridge;\nmod pigeon_post;\nmod webchat;\n"),
            "{library}"
        );
        let registry = read(&source.join("registry.rs")).expect("read");
        let expected = "\
use crate::{Channel, Kind, bridge, pigeon_post, webchat};

pub const KINDS: &[Kind] = &[bridge::KIND, pigeon_post::KIND, webchat::KIND];
";
        assert_eq!(registry, expected);
        for path in &written {
            let text = read(path).expect("read");
            assert!(
                !text.contains("NAME") && !text.contains("TITLE"),
                "{}",
                path.display()
            );
        }
        let folder = source.join("pigeon_post");
        let example = read(&folder.join("example.toml")).expect("read");
        assert!(example.starts_with("# Pigeon post: "), "{example}");
        assert!(
            example.contains("# channel = \"pigeon-post\"\n"),
            "{example}"
        );
        assert!(root.path().join("docs/channels/pigeon-post.md").is_file());
        assert!(
            run(root.path(), "pigeon-post").is_err(),
            "it is there already"
        );
    }

    #[test]
    fn only_a_kind_is_a_name() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["", "Pigeon", "../x", "1x", "a_b"] {
            assert!(run(root.path(), name).is_err(), "{name}");
        }
    }
}
