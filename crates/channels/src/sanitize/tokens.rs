//! A linear reader of foreign HTML. It need not agree with a browser: what it
//! makes of the text is written anew and read once more by the real parser.

/// Attributes past this many are skipped; real mail has a handful.
const ATTRIBUTES_MAX: usize = 32;

/// Elements whose content is not text for people.
const RAW: &[&str] = &[
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "template",
    "noscript",
];

/// A piece of HTML.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Characters, entities not decoded.
    Text(&'a str),
    /// The beginning of an element.
    Open {
        name: String,
        attributes: Vec<(String, &'a str)>,
    },
    /// The end of an element.
    Close { name: String },
}

/// Reads a text token by token.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    fn text(&mut self, length: usize) -> Token<'a> {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Token::Text(text)
    }

    fn skip_past(&mut self, end: &str) {
        self.rest = match self.rest.find(end) {
            Some(at) => &self.rest[at + end.len()..],
            None => "",
        };
    }

    fn skip_raw(&mut self, name: &str) {
        while let Some(at) = self.rest.find("</") {
            self.rest = &self.rest[at..];
            let found = self.rest.as_bytes().get(2..2 + name.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
                return;
            }
            self.rest = &self.rest[2..];
        }
        self.rest = "";
    }

    fn open(&mut self) -> Token<'a> {
        let (name, rest) = tag_name(&self.rest[1..]);
        let (attributes, rest) = read_attributes(rest);
        self.rest = rest;
        if RAW.contains(&name.as_str()) {
            self.skip_raw(&name);
        }
        Token::Open { name, attributes }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let at = match self.rest.find('<') {
                _ if self.rest.is_empty() => return None,
                Some(0) => 0,
                Some(at) => return Some(self.text(at)),
                None => return Some(self.text(self.rest.len())),
            };
            let after = &self.rest[at + 1..];
            if let Some(comment) = after.strip_prefix("!--") {
                self.rest = comment;
                self.skip_past("-->");
            } else if after.starts_with(['!', '?']) {
                self.skip_past(">");
            } else if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return Some(self.open());
            } else if let Some(closing) = after.strip_prefix('/') {
                let (name, _) = tag_name(closing);
                self.skip_past(">");
                return Some(Token::Close { name });
            } else {
                return Some(self.text(1));
            }
        }
    }
}

fn tag_name(text: &str) -> (String, &str) {
    let end = text
        .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
        .unwrap_or(text.len());
    // No element has a longer name; the cut keeps memory in proportion.
    let name: String = text[..end].chars().take(16).collect();
    (name.to_ascii_lowercase(), &text[end..])
}

/// Reads up to and past the `>` that ends the tag. A tag without an end swallows
/// the rest, as it does in browsers.
fn read_attributes(mut rest: &str) -> (Vec<(String, &str)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (attributes, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (attributes, after);
        }
        let (name, value, after) = read_attribute(rest);
        if attributes.len() < ATTRIBUTES_MAX && name.len() <= 16 {
            attributes.push((name.to_ascii_lowercase(), value));
        }
        rest = after;
    }
}

fn read_attribute(text: &str) -> (&str, &str, &str) {
    // The first character belongs to the name whatever it is, so that each call
    // gets on.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text[first..]
        .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))
        .map_or(text.len(), |end| first + end);
    let (name, rest) = text.split_at(end);
    let Some(rest) = rest.trim_ascii_start().strip_prefix('=') else {
        return (name, "", rest);
    };
    let rest = rest.trim_ascii_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            return match quoted.split_once(quote) {
                Some((value, rest)) => (name, value, rest),
                None => (name, quoted, ""),
            };
        }
    }
    let end = rest
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(rest.len());
    (name, &rest[..end], &rest[end..])
}
