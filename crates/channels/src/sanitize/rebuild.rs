//! Writes foreign HTML anew: only elements we show, properly nested, not deep.
//!
//! The real parser repairs bad nesting by copying elements, which lets a small
//! text become a huge tree. What comes out of here needs no repair.

use super::escape::escape;
use super::shown::{BLOCKS, CELLS, COMMON, LISTS, ROW_GROUPS, SHOWN, TABLE_PARTS, is_heading};
use super::tokens::{Token, Tokens};
use super::{Images, is_held};

/// Deeper elements lose their tags, not their text. Nested mail quotations with
/// tables stay below it.
const DEPTH_MAX: usize = 64;

/// Longer values of attributes are left out; the longest links have some 2,000.
const VALUE_BYTES_MAX: usize = 4_096;

/// More in one text than prose ever has.
const ESCAPED_MAX: usize = 1_000;

/// Writes a text anew.
pub(super) fn rebuild(html: &str, images: Images) -> String {
    let mut writer = Writer {
        out: String::with_capacity(html.len()),
        escaped: 0,
        open: Vec::new(),
        images,
    };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Open { name, attributes } => {
                if let Some((name, own)) = SHOWN.iter().find(|(shown, _)| *shown == name) {
                    writer.open(name, own, &attributes);
                }
            }
            Token::Close { name } => {
                if let Some(at) = writer.find(&[name.as_str()], barriers(&name)) {
                    writer.close_to(at);
                }
            }
        }
    }
    writer.close_to(0);
    writer.out
}

struct Writer {
    out: String,
    /// Escaped characters in the text since the last tag.
    escaped: usize,
    open: Vec<&'static str>,
    images: Images,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.in_table_part() {
            if text.trim_ascii().is_empty() {
                return;
            }
            self.make_cell();
        }
        let mut rest = text;
        while let Some(end) = self.next_break(rest) {
            escape(&rest[..end], &mut self.out);
            self.out.push_str("<span></span>");
            rest = &rest[end..];
        }
        escape(rest, &mut self.out);
    }

    /// Where a text has to be broken. At each character that is escaped, the
    /// serialiser searches the whole rest of a text once more.
    fn next_break(&mut self, text: &str) -> Option<usize> {
        let counts = |c: char| matches!(c, '&' | '<' | '>' | '\u{80}'..='\u{bf}');
        for (at, _) in text.char_indices().filter(|(_, c)| counts(*c)) {
            self.escaped += 1;
            if self.escaped > ESCAPED_MAX {
                self.escaped = 0;
                return Some(at);
            }
        }
        None
    }

    fn open(&mut self, name: &'static str, own: &[&str], attributes: &[(String, &str)]) {
        if name == "img" && !is_of_this_mail(attributes) {
            if let Some(address) = self.held(attributes) {
                self.hold(&address, own, attributes);
                return;
            }
            // Nothing is loaded from elsewhere; the words for it are shown.
            if let Some((_, alt)) = attributes.iter().find(|(name, _)| name == "alt") {
                self.text(alt);
            }
            return;
        }
        if !self.make_room(name) || self.open.len() >= DEPTH_MAX {
            return;
        }
        self.tag(name, own, attributes);
        if !matches!(name, "br" | "hr" | "img") {
            self.open.push(name);
        }
    }

    fn tag(&mut self, name: &str, own: &[&str], attributes: &[(String, &str)]) {
        self.escaped = 0;
        self.out.push('<');
        self.out.push_str(name);
        for (index, (attribute, value)) in attributes.iter().enumerate() {
            let known = own.contains(&attribute.as_str()) || COMMON.contains(&attribute.as_str());
            let again = attributes[..index]
                .iter()
                .any(|(earlier, _)| earlier == attribute);
            if known && !again && value.len() <= VALUE_BYTES_MAX {
                self.out.push(' ');
                self.out.push_str(attribute);
                self.out.push_str("=\"");
                escape(value, &mut self.out);
                self.out.push('"');
            }
        }
        self.out.push('>');
    }

    /// The address of a picture from elsewhere, where such are held.
    fn held(&self, attributes: &[(String, &str)]) -> Option<String> {
        let find = |wanted: &str| {
            let found = attributes.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim_ascii())
        };
        let address = find("src")
            .filter(|it| !it.is_empty())
            .or(find("data-src"))?;
        let address = match address.strip_prefix("//") {
            Some(rest) => format!("https://{rest}"),
            None => address.to_owned(),
        };
        (self.images == Images::Held && is_held(&address) && address.len() <= VALUE_BYTES_MAX)
            .then_some(address)
    }

    fn hold(&mut self, address: &str, own: &[&str], attributes: &[(String, &str)]) {
        let others = attributes
            .iter()
            .filter(|(name, _)| name != "src" && name != "data-src");
        let mut kept: Vec<(String, &str)> = vec![("data-src".to_owned(), address)];
        kept.extend(others.cloned());
        if self.make_room("img") && self.open.len() < DEPTH_MAX {
            self.tag("img", &[own, &["data-src"]].concat(), &kept);
        }
    }

    /// Closes and opens what the parser would close and open by itself. False
    /// when the element has no place here.
    fn make_room(&mut self, name: &'static str) -> bool {
        if CELLS.contains(&name) || name == "tr" || ROW_GROUPS.contains(&name) {
            return self.make_room_in_table(name);
        }
        if self.in_table_part() {
            self.make_cell();
        }
        if BLOCKS.contains(&name) {
            self.close_nearest(&["p"], &["table", "td", "th"]);
        }
        match name {
            "a" => self.close_nearest(&["a"], &["table", "td", "th"]),
            "li" => self.close_nearest(
                &["li"],
                &["dl", "ol", "ul", "blockquote", "table", "td", "th"],
            ),
            "dd" | "dt" => self.close_nearest(
                &["dd", "dt"],
                &["dl", "ol", "ul", "blockquote", "table", "td", "th"],
            ),
            heading
                if is_heading(heading) && self.open.last().is_some_and(|top| is_heading(top)) =>
            {
                self.close_to(self.open.len() - 1);
            }
            _ => {}
        }
        true
    }

    fn make_room_in_table(&mut self, name: &str) -> bool {
        let Some(table) = self.find(&["table"], &[]) else {
            return false;
        };
        if table + 4 > DEPTH_MAX {
            return false;
        }
        if CELLS.contains(&name) {
            if let Some(row) = self.find(&["tr"], &["table"]) {
                self.close_to(row + 1);
            } else {
                self.close_to_row_parent(table);
                self.push("tr");
            }
        } else if name == "tr" {
            self.close_to_row_parent(table);
        } else {
            self.close_to(table + 1);
        }
        true
    }

    fn close_to_row_parent(&mut self, table: usize) {
        let parent = self.find(ROW_GROUPS, &["table"]).unwrap_or(table);
        self.close_to(parent + 1);
    }

    /// Text straight in a table would be moved in front of it; it stays in its
    /// place in a cell of its own.
    fn make_cell(&mut self) {
        if self.open.last() != Some(&"tr") {
            self.push("tr");
        }
        self.push("td");
    }

    fn push(&mut self, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        self.open.push(name);
    }

    fn in_table_part(&self) -> bool {
        self.open
            .last()
            .is_some_and(|top| TABLE_PARTS.contains(top))
    }

    fn close_nearest(&mut self, names: &[&str], barriers: &[&str]) {
        if let Some(at) = self.find(names, barriers) {
            self.close_to(at);
        }
    }

    /// Finds the innermost open element of these names, not looking past a
    /// barrier.
    fn find(&self, names: &[&str], barriers: &[&str]) -> Option<usize> {
        let at = self
            .open
            .iter()
            .rposition(|open| names.contains(open) || barriers.contains(open))?;
        names.contains(&self.open[at]).then_some(at)
    }

    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            self.escaped = 0;
            if let Some(name) = self.open.pop() {
                self.out.push_str("</");
                self.out.push_str(name);
                self.out.push('>');
            }
        }
    }
}

/// What an end tag cannot reach across: a stray one must not close the table its
/// cell is in.
fn barriers(closing: &str) -> &'static [&'static str] {
    if closing == "table" {
        &[]
    } else if TABLE_PARTS.contains(&closing) || CELLS.contains(&closing) {
        &["table"]
    } else if LISTS.contains(&closing) {
        CELLS
    } else {
        &["td", "th", "table"]
    }
}

fn is_of_this_mail(attributes: &[(String, &str)]) -> bool {
    let source = attributes.iter().find(|(name, _)| name == "src");
    let scheme = source.and_then(|(_, source)| source.get(..4));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"))
}
