//! Lists of addresses (RFC 5322, 6532), as they are written and as they are meant.

use super::words;

/// A field with more is read no further.
const ADDRESSES_MAX: usize = 100;
const ADDRESS_BYTES_MAX: usize = 320;

/// Somebody in a list, before anything is made safe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) name: String,
    /// `local@domain`, or what stands in its place.
    pub(super) address: String,
}

/// A list of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) mailboxes: Vec<Mailbox>,
    /// Some are members of a group.
    pub(super) has_group: bool,
    /// Programs may read it in more than one way.
    pub(super) is_odd: bool,
    /// There were more.
    pub(super) is_cut: bool,
}

/// Reads the value of a field.
pub(super) fn read(value: &str) -> List {
    let mut reader = Reader::default();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if reader.list.mailboxes.len() == ADDRESSES_MAX {
            reader.list.is_cut = true;
            return reader.list;
        }
        let escaped = if c == '\\' && (reader.comment_depth > 0 || reader.is_quoted) {
            chars.next()
        } else {
            None
        };
        reader.take(c, escaped);
    }
    reader.list.is_odd |= reader.is_quoted || reader.comment_depth > 0 || reader.angle.is_some();
    reader.end();
    reader.list
}

#[derive(Default)]
struct Reader {
    list: List,
    /// What stands outside of angles: as written, and as read.
    raw: String,
    words: String,
    angle: Option<String>,
    /// What stood in angles that were closed.
    address: Option<String>,
    comment: String,
    comment_depth: usize,
    is_quoted: bool,
}

impl Reader {
    fn take(&mut self, c: char, escaped: Option<char>) {
        if self.comment_depth > 0 {
            match c {
                '(' => self.comment_depth += 1,
                ')' => self.comment_depth -= 1,
                _ => {}
            }
            if self.comment_depth > 0 {
                self.comment.push(escaped.unwrap_or(c));
            }
        } else if self.is_quoted {
            self.is_quoted = c != '"';
            self.raw(c, escaped);
            if self.is_quoted {
                self.words.push(escaped.unwrap_or(c));
            }
        } else if let Some(angle) = &mut self.angle {
            match c {
                '>' => self.address = self.angle.take(),
                '<' => self.list.is_odd = true,
                _ => angle.push(c),
            }
        } else {
            self.take_bare(c);
        }
    }

    fn take_bare(&mut self, c: char) {
        match c {
            '(' => self.comment_depth = 1,
            '"' => {
                self.is_quoted = true;
                self.raw.push(c);
            }
            '<' => {
                if self.address.is_some() {
                    self.list.is_odd = true;
                    self.end();
                }
                self.angle = Some(String::new());
            }
            ',' => self.end(),
            ';' => {
                self.end();
            }
            // A group's name ends; an address holds a colon only within brackets.
            ':' if self.address.is_none() && !self.raw.contains(['@', '[']) => {
                self.list.has_group = true;
                self.raw.clear();
                self.words.clear();
                self.comment.clear();
            }
            _ => {
                self.raw.push(c);
                self.words.push(c);
            }
        }
    }

    fn raw(&mut self, c: char, escaped: Option<char>) {
        self.raw.push(c);
        self.raw.extend(escaped);
    }

    /// Ends somebody's entry.
    fn end(&mut self) {
        let in_angle = self.address.take().or(self.angle.take());
        let raw = std::mem::take(&mut self.raw);
        let words = std::mem::take(&mut self.words);
        let comment = std::mem::take(&mut self.comment);
        let (name, address) = if let Some(angle) = in_angle {
            self.list.is_odd |= raw.contains('@') && !raw.contains('"');
            (words, without_route(&angle).to_owned())
        } else {
            let (before, address) = bare(raw.trim());
            self.list.is_odd |= !before.is_empty();
            (before.to_owned(), address.to_owned())
        };
        let address: String = address.chars().filter(|c| !c.is_whitespace()).collect();
        let has_name = !name.trim().is_empty() || address.is_empty();
        let name = if has_name { name } else { comment };
        let name = words::decode(name.trim());
        if address.is_empty() && name.is_empty() {
            return;
        }
        let is_long = address.len() > ADDRESS_BYTES_MAX;
        self.list.is_odd |= is_long;
        self.list.mailboxes.push(Mailbox {
            name,
            address: if is_long { String::new() } else { address },
        });
    }
}

/// An old way to tell by which servers to send it: `@a,@b:local@domain`.
fn without_route(angle: &str) -> &str {
    let angle = angle.trim();
    match angle.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address,
        Some(_) | None => angle,
    }
}

/// What stands before an address without angles, and the address.
fn bare(raw: &str) -> (&str, &str) {
    if !raw.contains('@') {
        return (raw, "");
    }
    // Quotes in the local part may hold spaces.
    if raw.starts_with('"')
        && raw
            .rfind('"')
            .is_some_and(|end| raw[end..].starts_with("\"@"))
    {
        return ("", raw);
    }
    match raw.rsplit_once(char::is_whitespace) {
        Some((before, last)) if last.contains('@') && !last.starts_with('@') => {
            (before.trim(), last)
        }
        Some(_) | None => ("", raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expect: &[(&str, &str)]) -> List {
        let list = read(raw);
        let told: Vec<(&str, &str)> = list
            .mailboxes
            .iter()
            .map(|it| (it.name.as_str(), it.address.as_str()))
            .collect();
        assert_eq!(told, expect, "{raw}");
        list
    }

    #[test]
    fn lists_are_read_as_they_are_written() {
        for (raw, expect) in [
            ("a@b.example", &[("", "a@b.example")][..]),
            ("Ann <a@b.example>", &[("Ann", "a@b.example")]),
            (
                "\"Doe, Ann \\\"A\\\"\" <a@b.example>",
                &[("Doe, Ann \"A\"", "a@b.example")],
            ),
            (
                "a@b.example (Ann (the one))",
                &[("Ann (the one)", "a@b.example")],
            ),
            (
                "A <a@b.example>, , B <c@d.example>",
                &[("A", "a@b.example"), ("B", "c@d.example")],
            ),
            (
                "=?utf-8?B?0J/RgNC40LLQtdGC?= <a@b.example>",
                &[("Привет", "a@b.example")],
            ),
            (
                "\"=?utf-8?Q?a=2Cb?=\" <a@b.example>",
                &[("a,b", "a@b.example")],
            ),
            ("Иван <иван@почта.рф>", &[("Иван", "иван@почта.рф")]),
            ("\"john doe\"@b.example", &[("", "\"johndoe\"@b.example")]),
            ("<@x,@y:a@b.example>", &[("", "a@b.example")]),
            ("<>", &[]),
            ("", &[]),
            ("a@[IPv6:::1]", &[("", "a@[IPv6:::1]")]),
        ] {
            let list = check(raw, expect);
            assert!(!list.is_odd && !list.has_group, "{raw}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_told() {
        for (raw, expect) in [
            (
                "Friends: A <a@b.example>, c@d.example;",
                &[("A", "a@b.example"), ("", "c@d.example")][..],
            ),
            ("undisclosed-recipients:;", &[]),
        ] {
            assert!(check(raw, expect).has_group, "{raw}");
        }
        for (raw, expect) in [
            (
                "ceo@shop.example <a@b.example>",
                &[("ceo@shop.example", "a@b.example")][..],
            ),
            (
                "<a@b.example> <c@d.example>",
                &[("", "a@b.example"), ("", "c@d.example")],
            ),
            ("Ann a@b.example", &[("Ann", "a@b.example")]),
            ("Ann <a@b.example", &[("Ann", "a@b.example")]),
            ("\"Ann <a@b.example>", &[("\"Ann", "<a@b.example>")]),
            ("no address", &[("no address", "")]),
            ("Ann <<a@b.example>>", &[("Ann >", "a@b.example")]),
        ] {
            assert!(check(raw, expect).is_odd, "{raw}");
        }
    }

    #[test]
    fn many_are_not_all_read() {
        let list = read(&"a@b.example, ".repeat(1_000));
        assert_eq!((list.mailboxes.len(), list.is_cut), (ADDRESSES_MAX, true));
        assert!(read(&"(".repeat(10_000)).mailboxes.is_empty());
    }
}
