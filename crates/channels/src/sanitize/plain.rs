use super::shown::is_block;
use super::tokens::{Token, Tokens};

/// Turns HTML into the text a reader would see.
pub fn plain_from_html(html: &str) -> String {
    let mut page = Page::default();
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Open { name, .. } => match name.as_str() {
                "br" => page.line_break(),
                "li" => {
                    page.at_least(1);
                    page.write("- ");
                }
                "td" | "th" => page.space = true,
                "p" => page.at_least(2),
                block if is_block(block) => page.at_least(1),
                _ => {}
            },
            Token::Close { name } => match name.as_str() {
                "p" => page.at_least(2),
                block if is_block(block) => page.at_least(1),
                _ => {}
            },
        }
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    /// Spaces and line ends are written only before the next word.
    space: bool,
    line_ends: usize,
}

impl Page {
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
        if !self.out.is_empty() {
            for _ in 0..self.line_ends {
                self.out.push('\n');
            }
            if self.line_ends == 0 && self.space && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
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
