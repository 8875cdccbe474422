/// Writes a text so that it is a text to the parser. Proper entities stay.
pub(super) fn escape(text: &str, out: &mut String) {
    for (at, character) in text.char_indices() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A bare ampersand makes the parser look ahead and come back, which
            // takes it a minute for a megabyte of them.
            '&' if !begins_entity(&text[at + 1..]) => out.push_str("&amp;"),
            '\n' | '\t' => out.push(character),
            '\r' => {}
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
}

fn begins_entity(after: &str) -> bool {
    let name = after.strip_prefix('#').unwrap_or(after);
    // The longest name of an entity has 31 letters.
    let end = name
        .bytes()
        .take(32)
        .position(|byte| !byte.is_ascii_alphanumeric());
    end.is_some_and(|end| end > 0 && name.as_bytes()[end] == b';')
}
