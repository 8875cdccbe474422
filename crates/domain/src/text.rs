//! Safe text from foreign bytes. Every function gives back its own output
//! unchanged, so text may pass through more than once.

mod localized;

use std::iter::Peekable;
use std::str::Chars;

pub use localized::Localized;

const DISPLAY_NAME_CHARS_MAX: usize = 200;
const PREVIEW_CHARS_MAX: usize = 200;
const FILE_NAME_BYTES_MAX: usize = 255;
const EXTENSION_BYTES_MAX: usize = 32;
const FILE_NAME_UNKNOWN: &str = "file";

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';

/// A person's name as a foreign program shows it: one line of at most 200
/// characters; empty when nothing of it is visible.
pub fn display_name(raw: &str) -> String {
    line(raw, DISPLAY_NAME_CHARS_MAX)
}

/// The beginning of a message for lists: one line of at most 200 characters.
pub fn preview(raw: &str) -> String {
    line(raw, PREVIEW_CHARS_MAX)
}

/// One line of at most `chars_max` characters. White space collapses; what hides
/// or reorders text goes, except joiners where emoji and scripts need them.
pub fn line(raw: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut previous = ' ';
    let mut joint = None;
    let mut count = 0;
    for c in raw.chars() {
        if c == EMOJI_STYLE && is_emoji(previous) {
            if count < chars_max && !out.ends_with(EMOJI_STYLE) {
                out.push(c);
                count += 1;
            }
            continue;
        }
        if is_joint(c) {
            joint = Some(c);
            continue;
        }
        let c = if is_blank(c) { ' ' } else { c };
        if is_unsafe(c) || (c == ' ' && previous == ' ') {
            continue;
        }
        let joint = joint.take().filter(|joint| joins(previous, *joint, c));
        count += 1 + usize::from(joint.is_some());
        if count > chars_max {
            break;
        }
        out.extend(joint);
        out.push(c);
        previous = c;
    }
    out.truncate(out.trim_end().len());
    out
}

/// A message of at most `chars_max` characters. Line breaks become `\n`; tabs,
/// emoji sequences and the marks of right-to-left scripts stay; what reorders
/// text or carries it unseen goes.
pub fn body(raw: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(raw.len().min(chars_max.saturating_mul(4)));
    let mut chars = raw.chars().peekable();
    let mut in_flag = false;
    let mut count = 0;
    while count < chars_max {
        let Some(c) = next_of_body(&mut chars) else {
            break;
        };
        // Tag characters draw the flags of regions; anywhere else they are a text
        // that only programs see.
        in_flag = c == BLACK_FLAG || (in_flag && is_tag(c));
        if is_body(c) || (in_flag && is_tag(c)) {
            out.push(c);
            count += 1;
        }
    }
    out
}

/// A name under which a file can be stored and offered on any system: at most 255
/// bytes, the last part of a path only, never empty.
pub fn file_name(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name = String::new();
    for c in last.chars().filter(|c| !is_joint(*c)) {
        match c {
            _ if is_blank(c) && name.ends_with(' ') => {}
            _ if is_blank(c) => name.push(' '),
            _ if is_unsafe(c) => {}
            _ if is_reserved_in_names(c) => name.push('_'),
            _ => name.push(c),
        }
    }
    let name = name.trim_matches([' ', '.']);
    let name = if is_device(name) {
        format!("_{name}")
    } else {
        name.to_owned()
    };
    let name = shortened(&name);
    if name.is_empty() {
        FILE_NAME_UNKNOWN.to_owned()
    } else {
        name
    }
}

/// True for a character that is not shown itself and changes or hides what is.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || reorders(c)
        || is_noncharacter(c)
        || is_tag(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2065}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// White space of every kind, and letters that draw nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        )
}

/// Embeddings, overrides, isolates and the deprecated controls after them.
fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

fn is_joint(c: char) -> bool {
    matches!(c, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER | EMOJI_STYLE)
}

/// True when the invisible character between two visible ones changes how they
/// are drawn, so that it does not only make two equal names different.
fn joins(previous: char, joint: char, next: char) -> bool {
    match joint {
        ZERO_WIDTH_JOINER => {
            (is_emoji(previous) && is_emoji(next)) || (is_joining(previous) && is_joining(next))
        }
        ZERO_WIDTH_NON_JOINER => is_joining(previous) && is_joining(next),
        _ => matches!(previous, '0'..='9' | '#' | '*') && next == KEYCAP,
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Letters of Arabic and Indic scripts, whose shape depends on joiners.
fn is_joining(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}')
}

/// The next character with every kind of line break told as `\n`.
fn next_of_body(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let c = chars.next()?;
    Some(match c {
        '\r' => {
            chars.next_if_eq(&'\n');
            '\n'
        }
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        _ => c,
    })
}

fn is_body(c: char) -> bool {
    let carries = matches!(c, '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    c == '\n' || c == '\t' || !(c.is_control() || reorders(c) || is_noncharacter(c) || carries)
}

/// What Windows refuses in names, and look-alikes that it turns into a separator.
fn is_reserved_in_names(c: char) -> bool {
    matches!(
        c,
        '<' | '>'
            | ':'
            | '"'
            | '|'
            | '?'
            | '*'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{2216}'
            | '\u{29f5}'
            | '\u{29f8}'
            | '\u{29f9}'
            | '\u{fe68}'
            | '\u{ff0f}'
            | '\u{ff1a}'
            | '\u{ff3c}'
    )
}

/// Windows opens a device by such a name, whatever the extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let port = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    let mut number = port.unwrap_or_default().chars();
    matches!(
        (number.next(), number.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

fn shortened(name: &str) -> String {
    if name.len() <= FILE_NAME_BYTES_MAX {
        return name.to_owned();
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|extension| extension.len() <= EXTENSION_BYTES_MAX);
    let Some(extension) = extension else {
        let end = name.floor_char_boundary(FILE_NAME_BYTES_MAX);
        return name[..end].trim_end_matches([' ', '.']).to_owned();
    };
    let stem = &name[..name.len() - extension.len() - 1];
    let end = stem.floor_char_boundary(FILE_NAME_BYTES_MAX - extension.len() - 1);
    format!("{}.{extension}", &stem[..end])
}

#[cfg(test)]
mod tests;
