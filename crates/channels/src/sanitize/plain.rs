use super::shown::is_block;
use super::tokens::{Token, Tokens};

/// Turns HTML into the text a reader would see.
pub fn plain_from_html(html: &str) -> String {
    let mut page = Page::default();
    for token in Tokens::new(html) {
        page.token(token);
    }
    page.out
}

/// A line that stands where an older letter begins.
pub const OLDER: &str = "\u{1e}";

/// The same with the marks that mail programs leave in their HTML: what is quoted has a
/// `>` before each line, a signature begins with `--`, an older letter with [`OLDER`].
pub fn quoted_plain_from_html(html: &str) -> String {
    let mut page = Page::default();
    // Which of the open quotations are shown as such.
    let mut quotes: Vec<bool> = Vec::new();
    let mut shown = 0;
    for token in Tokens::new(html) {
        match &token {
            Token::Open { name, attributes } if name == "blockquote" => {
                let is_shown = is_cited(attributes) || page.out.trim_end().ends_with(':');
                let is_shown = is_shown && shown < QUOTES_MAX;
                shown += usize::from(is_shown);
                quotes.push(is_shown);
            }
            Token::Close { name } if name == "blockquote" => {
                page.at_least(1);
                shown -= usize::from(quotes.pop() == Some(true));
            }
            Token::Open { name, attributes } if name != "blockquote" => {
                if let Some(mark) = mark(attributes) {
                    page.at_least(1);
                    page.write(mark);
                    page.at_least(1);
                }
            }
            Token::Open { .. } | Token::Close { .. } | Token::Text(_) => {}
        }
        page.token(token);
        page.quotes = shown;
    }
    page.out
}

/// Deeper ones are shown as deep as this.
const QUOTES_MAX: usize = 5;

fn find<'a>(attributes: &[(String, &'a str)], wanted: &str) -> &'a str {
    let found = attributes.iter().find(|(name, _)| name == wanted);
    found.map_or("", |(_, value)| value)
}

/// Whether a program marked a quotation as one.
fn is_cited(attributes: &[(String, &str)]) -> bool {
    let class = find(attributes, "class");
    let by_class = ["gmail_quote", "protonmail_quote", "wmi-quote", "mail-quote"];
    find(attributes, "type").eq_ignore_ascii_case("cite")
        || by_class.iter().any(|known| class.contains(known))
        || !find(attributes, "cite").is_empty()
        || find(attributes, "style").contains("border-left")
}

/// What a program marked as the beginning of a signature or of an older letter.
fn mark(attributes: &[(String, &str)]) -> Option<&'static str> {
    const OLDER_IDS: &[&str] = &[
        "appendonsend",
        "divRplyFwdMsg",
        "mail-editor-reference-message-container",
        "isForwardContent",
    ];
    const OLDER_CLASSES: &[&str] = &[
        "OutlookMessageHeader",
        "ms-outlook-mobile-reference-message",
        "yahoo_quoted",
        "zmail_extra",
    ];
    const SIGNATURE_CLASSES: &[&str] = &["gmail_signature", "moz-signature"];
    let (id, class) = (find(attributes, "id"), find(attributes, "class"));
    // The ids of what somebody answers to are changed by some programs: `x_divRplyFwdMsg`.
    let id = id.trim_start_matches("x_");
    let has = |known: &[&str]| class.split_ascii_whitespace().any(|it| known.contains(&it));
    if OLDER_IDS.contains(&id) || has(OLDER_CLASSES) {
        Some(OLDER)
    } else if id == "Signature" || has(SIGNATURE_CLASSES) {
        Some("--")
    } else {
        None
    }
}

#[derive(Default)]
struct Page {
    out: String,
    /// How deep what is written is quoted.
    quotes: usize,
    /// Spaces and line ends are written only before the next word.
    space: bool,
    line_ends: usize,
}

impl Page {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.text(text),
            Token::Open { name, .. } => match name.as_str() {
                "br" => self.line_break(),
                "li" => {
                    self.at_least(1);
                    self.write("- ");
                }
                "td" | "th" => self.space = true,
                "p" => self.at_least(2),
                block if is_block(block) => self.at_least(1),
                _ => {}
            },
            Token::Close { name } => match name.as_str() {
                "p" => self.at_least(2),
                block if is_block(block) => self.at_least(1),
                _ => {}
            },
        }
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if character.is_ascii_whitespace() {
                self.space = true;
                rest = &rest[1..];
            } else if character == '&' {
                let (decoded, length) = entity(rest);
                if decoded == ' ' {
                    self.space = true;
                } else {
                    self.write(decoded.encode_utf8(&mut [0; 4]));
                }
                rest = &rest[length..];
            } else {
                let end = rest
                    .find(|c: char| c.is_ascii_whitespace() || c == '&')
                    .unwrap_or(rest.len());
                self.write(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }

    fn write(&mut self, words: &str) {
        let is_first = self.out.is_empty();
        if !is_first {
            for _ in 0..self.line_ends {
                self.out.push('\n');
            }
            if self.line_ends == 0 && self.space && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
        }
        if self.quotes > 0 && (is_first || self.line_ends > 0) {
            self.out.extend(std::iter::repeat_n('>', self.quotes));
            self.out.push(' ');
        }
        self.line_ends = 0;
        self.space = false;
        self.out.push_str(words);
    }

    fn line_break(&mut self) {
        self.line_ends = (self.line_ends + 1).min(2);
    }

    fn at_least(&mut self, line_ends: usize) {
        self.line_ends = self.line_ends.max(line_ends);
    }
}

/// The entities that people's programs write; any other stays as it is written.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '•'),
    ("copy", '©'),
    ("deg", '°'),
    ("euro", '€'),
    ("gt", '>'),
    ("hellip", '…'),
    ("laquo", '«'),
    ("ldquo", '“'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rdquo", '”'),
    ("reg", '®'),
    ("rsquo", '’'),
    ("sect", '§'),
    ("times", '×'),
    ("trade", '™'),
];

/// Decodes the entity that a text begins with; the ampersand itself when it is
/// none.
fn entity(text: &str) -> (char, usize) {
    let name = text.get(1..).unwrap_or_default();
    let Some(end) = name.bytes().take(10).position(|byte| byte == b';') else {
        return ('&', 1);
    };
    let name = &name[..end];
    let decoded = if let Some(hex) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        numbered(u32::from_str_radix(hex, 16).ok())
    } else if let Some(decimal) = name.strip_prefix('#') {
        numbered(decimal.parse().ok())
    } else {
        NAMED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, character)| *character)
    };
    match decoded {
        Some(character) => (character, end + 2),
        None => ('&', 1),
    }
}

fn numbered(number: Option<u32>) -> Option<char> {
    let character = char::from_u32(number?)?;
    Some(if character.is_control() {
        ' '
    } else {
        character
    })
}
