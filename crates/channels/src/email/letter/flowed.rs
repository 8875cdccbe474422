//! Text whose lines were wrapped on the way (RFC 3676).

/// Joins what was one line. Quotation marks stay; a line joins only what is quoted as
/// deep as it is.
pub(super) fn unwrapped(text: &str, deletes_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let words = &line[depth..];
        let words = words.strip_prefix(' ').unwrap_or(words);
        let is_signature = words == "-- ";
        if open == Some(depth) && !is_signature {
            out.push_str(words);
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 && !words.is_empty() {
                out.push(' ');
            }
            out.push_str(words);
        }
        open = (words.ends_with(' ') && !is_signature).then_some(depth);
        if open.is_some() && deletes_space {
            out.pop();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    #[test]
    fn wrapped_lines_are_one_again() {
        for (raw, deletes, expect) in [
            ("one \ntwo\nthree", false, "one two\nthree"),
            ("one \r\ntwo\r\nthree", true, "onetwo\nthree"),
            ("> a \n> b\n>> c \nd", false, "> a b\n>> c \nd"),
            ("text \n-- \nAnn", false, "text \n-- \nAnn"),
            ("a\n\n b", false, "a\n\nb"),
        ] {
            assert_eq!(unwrapped(raw, deletes), expect, "{raw:?}");
        }
    }
}
