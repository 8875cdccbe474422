//! What makes a name or an address look like another.

use domain::text;
use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

/// Cyrillic letters that look like Latin ones.
const CYRILLIC_LIKE_LATIN: &str = "аеорсухіјѕһԁԛԝӏАВЕКМНОРСТХУІЈЅҺԚԜӀ";
/// Latin letters that look like Cyrillic ones.
const LATIN_LIKE_CYRILLIC: &str = "aeopcyxijABEKMHOPCTXYIJ";
/// Greek letters that look like Latin ones.
const GREEK_LIKE_LATIN: &str = "ανορτυικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    /// Written together in Chinese, Japanese and Korean.
    EastAsian,
    /// Any other, told by where its letters stand.
    Other(u32),
}

fn script(c: char) -> Option<Script> {
    if !c.is_alphabetic() {
        return None;
    }
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => {
            Script::Cyrillic
        }
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Script::EastAsian,
        other => Script::Other(u32::from(other) >> 7),
    })
}

/// A domain as it is shown: in its own letters where each part of it is of one script
/// that is not made of look-alikes; else as it is sent.
pub(super) fn shown_domain(ascii: &str) -> String {
    let unicode = unicode(ascii);
    if is_like_another(&unicode) {
        ascii.to_owned()
    } else {
        unicode
    }
}

/// Whether a domain, as it is sent, has letters in it that look like others.
pub(super) fn domain_is_like_another(ascii: &str) -> bool {
    is_like_another(&unicode(ascii))
}

fn unicode(ascii: &str) -> String {
    let (unicode, valid) =
        Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    match valid {
        Ok(()) if !unicode.chars().any(text::is_unsafe) => unicode.into_owned(),
        Ok(()) | Err(_) => ascii.to_owned(),
    }
}

fn is_like_another(unicode: &str) -> bool {
    let top = unicode.rsplit('.').next().unwrap_or_default();
    unicode.split('.').any(|label| {
        let mut scripts = label.chars().filter_map(script);
        let Some(first) = scripts.next() else {
            return false;
        };
        let mixed = scripts.any(|script| script != first);
        let all_like = |like: &str| {
            label
                .chars()
                .filter(|c| c.is_alphabetic())
                .all(|c| like.contains(c))
        };
        let posing = (first == Script::Cyrillic && all_like(CYRILLIC_LIKE_LATIN))
            || (first == Script::Greek && all_like(GREEK_LIKE_LATIN));
        mixed || (posing && top.is_ascii())
    })
}

/// Whether a word of a text has letters of another script put among its own that look
/// like them.
pub(super) fn has_mixed_word(words: &str) -> bool {
    words.split(|c: char| !c.is_alphabetic()).any(|word| {
        let of = |wanted: Script| word.chars().filter(move |c| script(*c) == Some(wanted));
        let all_in = |wanted: Script, like: &str| of(wanted).all(|c| like.contains(c));
        let has = |wanted: Script| of(wanted).next().is_some();
        let with_cyrillic = has(Script::Latin)
            && has(Script::Cyrillic)
            && (all_in(Script::Cyrillic, CYRILLIC_LIKE_LATIN)
                || all_in(Script::Latin, LATIN_LIKE_CYRILLIC));
        let with_greek =
            has(Script::Latin) && has(Script::Greek) && all_in(Script::Greek, GREEK_LIKE_LATIN);
        with_cyrillic || with_greek
    })
}

/// Whether a name shows an address, and not the one it stands beside.
pub(super) fn shows_other_address(name: &str, address: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c);
    name.replace(['\u{ff20}', '\u{fe6b}'], "@")
        .split(is_end)
        .filter(|word| {
            let parts = word.rsplit_once('@');
            parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        })
        .any(|shown| shown.to_lowercase() != address.to_lowercase())
}

/// Whether characters that are not seen would be left out of a text.
pub(super) fn has_invisible(raw: &str) -> bool {
    let seen = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    seen(raw) != seen(&text::line(raw, usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_shown_in_their_letters_where_that_deceives_nobody() {
        for (ascii, expect) in [
            ("shop.example", "shop.example"),
            ("xn--80a1acny.xn--p1ai", "почта.рф"),
            ("xn--mnchen-3ya.example", "münchen.example"),
            ("xn--wgv71a119e.jp", "日本語.jp"),
            // аррӏе, all Cyrillic; pаypal with one Cyrillic letter.
            ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
            ("xn--pypal-4ve.com", "xn--pypal-4ve.com"),
            ("xn--", "xn--"),
        ] {
            assert_eq!(shown_domain(ascii), expect);
            assert_eq!(
                domain_is_like_another(ascii),
                ascii.contains(".com"),
                "{ascii}"
            );
        }
    }

    #[test]
    fn names_that_deceive_are_told() {
        for (name, expect) in [
            ("Sb\u{435}rbank", true),
            ("С\u{6f}фья", true),
            ("SMMщик", false),
            ("ООО Ромашка IT-отдел", false),
            ("Ann Doe", false),
            ("G\u{3bf}\u{3bf}gle", true),
        ] {
            assert_eq!(has_mixed_word(name), expect, "{name}");
        }
        for (name, expect) in [
            ("Ann", false),
            ("a@b.example", false),
            ("A@B.EXAMPLE", false),
            ("ceo@bank.example", true),
            ("Boss <ceo@bank.example>", true),
            ("ceo\u{ff20}bank.example", true),
            ("@nickname", false),
        ] {
            assert_eq!(shows_other_address(name, "a@b.example"), expect, "{name}");
        }
        for (raw, expect) in [
            ("Pay\u{200b}pal", true),
            ("\u{202e}nna", true),
            ("Ann  Doe", false),
            ("👨\u{200d}👩\u{200d}👧 Family", false),
        ] {
            assert_eq!(has_invisible(raw), expect, "{raw:?}");
        }
    }
}
