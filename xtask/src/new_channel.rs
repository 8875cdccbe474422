//! `cargo xtask new-channel NAME`: a copy of the channel `skeleton` under another
//! name. The skeleton is compiled, linted and held to the contract by the tests of
//! `channels`, so that what comes of it is, too.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

const SOURCE: &str = "crates/channels/src";
const PAGES: &str = "docs/channels";
const EXAMPLE: &str = "config/switchboard.toml";

/// What is copied, as a kind and as a title.
const SKELETON: &str = "skeleton";
const SKELETON_TITLE: &str = "Skeleton";
/// The file of its folder that is a page of the documentation.
const PAGE: &str = "page.md";

/// The longest kind: it is the kind of an identity, too.
const NAME_CHARS_MAX: usize = 32;

/// Words that cannot name a module.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Writes a channel of this kind; tells the files that are new or changed.
pub(crate) fn run(root: &Path, name: &str) -> anyhow::Result<Vec<PathBuf>> {
    check(name)?;
    let module = name.replace('-', "_");
    let registry = root.join(SOURCE).join("registry.rs");
    let old_registry = read(&registry)?;
    check_free(root, name, &module, &old_registry)?;
    // Everything is read and made before anything is written.
    let example = root.join(EXAMPLE);
    let mut written = copies(root, name, &module)?;
    written.push((registry, register(&old_registry, &module)?));
    written.push((example.clone(), show(&read(&example)?, root, name)?));
    for (path, text) in &written {
        write(path, text)?;
    }
    Ok(written.into_iter().map(|(path, _)| path).collect())
}

fn check(name: &str) -> anyhow::Result<()> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        name.len() <= NAME_CHARS_MAX
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(good)
            && !name.ends_with('-')
            && !name.contains("--"),
        "{name:?} is no kind of channel: give at most {NAME_CHARS_MAX} small letters and digits, \
         with single - between words, such as sms-test"
    );
    ensure!(
        !KEYWORDS.contains(&name),
        "{name:?} is a word of Rust: give another, such as {name}-channel"
    );
    Ok(())
}

/// Refuses what is there already, and names that mean something where the new
/// module stands.
fn check_free(root: &Path, name: &str, module: &str, registry: &str) -> anyhow::Result<()> {
    let source = root.join(SOURCE);
    let taken = [
        source.join(module),
        source.join(format!("{module}.rs")),
        // A module may not be called as the one around it.
        source.join(SKELETON).join(format!("{module}.rs")),
        root.join(PAGES).join(format!("{name}.md")),
    ];
    for path in taken {
        ensure!(
            !path.exists(),
            "the name {name:?} is taken by {}: give another, or remove that first",
            path.display()
        );
    }
    ensure!(
        !registry.contains(&format!("{module}::")),
        "the name {name:?} is taken by something that registry.rs uses: give another"
    );
    Ok(())
}

/// The skeleton's files under the new name, with their places.
fn copies(root: &Path, name: &str, module: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let skeleton = root.join(SOURCE).join(SKELETON);
    let mut copies = Vec::new();
    let mut folders = vec![skeleton.clone()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let place = match path.strip_prefix(&skeleton)? {
                page if page == Path::new(PAGE) => root.join(PAGES).join(format!("{name}.md")),
                file => root.join(SOURCE).join(module).join(file),
            };
            copies.push((place, renamed(&read(&path)?, name)));
        }
    }
    copies.sort();
    Ok(copies)
}

fn renamed(text: &str, name: &str) -> String {
    text.replace(SKELETON_TITLE, &title(name))
        .replace(SKELETON, name)
}

fn title(name: &str) -> String {
    let mut title = name.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// Adds the module and its kind to the two lists of the registry.
fn register(registry: &str, module: &str) -> anyhow::Result<String> {
    let mut lines: Vec<&str> = registry.lines().collect();
    let declaration = format!("mod {module};");
    insert(&mut lines, "mod ", &declaration).context("finding the modules in registry.rs")?;
    let kind = format!("    {module}::KIND,");
    let list = lines
        .iter()
        .position(|line| line.contains("KINDS: &[Kind]"));
    let list = list.context("finding KINDS in registry.rs")?;
    let mut kinds = lines.split_off(list + 1);
    insert(&mut kinds, "    ", &kind).context("finding the kinds in registry.rs")?;
    lines.extend(kinds);
    Ok(lines.join("\n") + "\n")
}

/// Puts a line in order among the first ones that begin so.
fn insert<'a>(lines: &mut Vec<&'a str>, begin: &str, line: &'a str) -> anyhow::Result<()> {
    let first = lines.iter().position(|other| other.starts_with(begin));
    let first = first.context("there is nothing to stand beside")?;
    let behind = lines[first..]
        .iter()
        .position(|other| !other.starts_with(begin) || other.contains("#[") || *other > line);
    lines.insert(behind.map_or(lines.len(), |behind| first + behind), line);
    Ok(())
}

/// Adds the channel's section to the documented example, in the order of kinds.
fn show(example: &str, root: &Path, name: &str) -> anyhow::Result<String> {
    const HEAD: &str = "\n# --- ";
    let section = read(&root.join(SOURCE).join(SKELETON).join("example.toml"))?;
    let section = format!(
        "{HEAD}{} ---\n{}\n",
        title(name),
        renamed(&section, name).trim_end()
    );
    let kind_of = |section: &str| {
        let (_, rest) = section.split_once("# channel = \"")?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let later = example
        .match_indices(HEAD)
        .find(|(at, _)| kind_of(&example[*at..]).is_some_and(|kind| kind.as_str() > name));
    let at = later.map_or(example.len(), |(at, _)| at);
    let (before, after) = example.split_at(at);
    Ok(format!("{before}{section}{after}"))
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
    use std::path::Path;

    use tempfile::TempDir;

    use super::{EXAMPLE, SKELETON, SOURCE, copies, read, run, write};
    use crate::root;

    /// What the command needs of the project, in a folder of its own.
    fn project() -> TempDir {
        let (ours, copy) = (root().expect("called by cargo"), TempDir::new().unwrap());
        for (path, text) in copies(&ours, SKELETON, SKELETON).expect("a skeleton") {
            let file = path.strip_prefix(&ours).expect("ours");
            let file = if file.ends_with("skeleton.md") {
                Path::new(SOURCE).join(SKELETON).join("page.md")
            } else {
                file.to_owned()
            };
            write(&copy.path().join(file), &text).expect("written");
        }
        for file in [format!("{SOURCE}/registry.rs"), EXAMPLE.to_owned()] {
            let text = read(&ours.join(&file)).expect("read");
            write(&copy.path().join(&file), &text).expect("written");
        }
        copy
    }

    #[test]
    fn a_new_channel_is_written_and_registered() {
        let root = project();
        let written = run(root.path(), "pigeon-post").expect("a channel");

        let files: Vec<_> = written
            .iter()
            .map(|path| path.strip_prefix(root.path()).expect("inside"))
            .map(|path| path.display().to_string())
            .collect();
        let folder = format!("{SOURCE}/pigeon_post");
        let expected = [
            format!("{folder}/api.rs"),
            format!("{folder}/client.rs"),
            format!("{folder}/config.rs"),
            format!("{folder}/example.toml"),
            format!("{folder}/fixtures/text.json"),
            format!("{folder}/fixtures/text.snap"),
            format!("{folder}/mod.rs"),
            format!("{folder}/normalize.rs"),
            format!("{folder}/render.rs"),
            "docs/channels/pigeon-post.md".to_owned(),
            format!("{SOURCE}/registry.rs"),
            EXAMPLE.to_owned(),
        ];
        assert_eq!(files, expected);
        for path in &written[..10] {
            let text = read(path).expect("read").to_lowercase();
            assert!(!text.contains(SKELETON), "{}", path.display());
        }
        let registry = read(&root.path().join(SOURCE).join("registry.rs")).expect("read");
        // Among the others, in their order, whichever there are. The skeleton stands apart.
        for (own, begins, ends) in [
            ("mod pigeon_post;", "mod ", ";"),
            ("    pigeon_post::KIND,", "    ", "::KIND,"),
        ] {
            let of_kinds = |line: &&str| line.starts_with(begins) && line.ends_with(ends);
            let listed = registry.lines().filter(of_kinds);
            let listed: Vec<&str> = listed.filter(|line| !line.contains(SKELETON)).collect();
            assert!(listed.contains(&own) && listed.is_sorted(), "{registry}");
        }
    }

    #[test]
    fn its_section_stands_in_order_in_the_example() {
        for (name, title) in [
            ("aardvark", "Aardvark"),
            ("pigeon-post", "Pigeon post"),
            ("zz-last", "Zz last"),
        ] {
            let root = project();
            let old = read(&root.path().join(EXAMPLE)).expect("read");
            run(root.path(), name).expect("a channel");
            let new = read(&root.path().join(EXAMPLE)).expect("read");

            let kinds = new.lines().filter(|line| line.starts_with("# channel = "));
            assert!(kinds.is_sorted(), "{name}:\n{new}");
            let begin = new.find(&format!("\n# --- {title} ---\n"));
            let (before, rest) = new.split_at(begin.expect("a section"));
            let (section, after) = rest.split_at(rest.len() - (old.len() - before.len()));
            assert_eq!(format!("{before}{after}"), old);
            assert!(section.contains(&format!("# channel = \"{name}\"\n")));
        }
    }

    #[test]
    fn a_name_that_is_no_kind_or_taken_is_refused_with_what_to_do() {
        let root = project();
        let long = "x".repeat(33);
        for name in [
            "", "Pigeon", "../x", "1x", "a_b", "a-", "a--b", "-a", "é", "async", &long, "webchat",
            "skeleton", "config", "std", "domain",
        ] {
            if name == "webchat" {
                let folder = root.path().join(SOURCE).join(name);
                write(&folder.join("mod.rs"), "").expect("written");
            }
            let refused = run(root.path(), name).expect_err(name).to_string();
            assert!(refused.contains(": give "), "{refused}");
        }
        run(root.path(), "pigeon-post").expect("a channel");
        let again = run(root.path(), "pigeon-post").expect_err("it is there already");
        assert!(again.to_string().contains("is taken by"), "{again}");
    }
}
