//! A letter's words: plain, and the same as HTML.

use domain::message::Text;
use domain::text;

use crate::sanitize;

/// Between the words and the signature; programs cut it off there.
const SIGNATURE_MARK: &str = "-- ";

/// The words with the signature below.
pub(super) fn plain(words: &Text, signature: &str) -> String {
    let words = text::body(&words.plain, usize::MAX);
    let words = words.trim_end();
    let signature = text::body(signature, usize::MAX);
    match signature.trim() {
        "" => format!("{words}\n"),
        signature => format!("{words}\n\n{SIGNATURE_MARK}\n{signature}\n"),
    }
}

/// The same as HTML, for programs that show nothing else well.
pub(super) fn html(words: &Text, signature: &str) -> String {
    let mut body = match words.html.as_deref().and_then(sanitize::html) {
        Some(html) => html,
        None => paragraphs(text::body(&words.plain, usize::MAX).trim_end()),
    };
    let signature = text::body(signature, usize::MAX);
    let signature = signature.trim();
    if !signature.is_empty() {
        body.push_str(&paragraphs(&format!("{SIGNATURE_MARK}\n{signature}")));
    }
    format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"></head><body>\n{body}</body></html>\n"
    )
}

fn paragraphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for paragraph in text.split("\n\n").map(|it| it.trim_matches('\n')) {
        if paragraph.is_empty() {
            continue;
        }
        out.push_str("<p>");
        for (index, line) in paragraph.split('\n').enumerate() {
            if index > 0 {
                out.push_str("<br>\n");
            }
            push_line(&mut out, line);
        }
        out.push_str("</p>\n");
    }
    out
}

/// A line with its addresses in the web made links.
fn push_line(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some(start) = next_link(rest) {
        let (before, from) = rest.split_at(start);
        let ends = |c: char| c.is_whitespace() || "<>\"'`".contains(c);
        let url = &from[..from.find(ends).unwrap_or(from.len())];
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '»', '”']);
        push_escaped(out, before);
        out.push_str("<a href=\"");
        push_escaped(out, url);
        out.push_str("\">");
        push_escaped(out, url);
        out.push_str("</a>");
        rest = &from[url.len()..];
    }
    push_escaped(out, rest);
}

fn next_link(text: &str) -> Option<usize> {
    let starts = ["https://", "http://"].map(|scheme| {
        let mut found = text.match_indices(scheme).map(|(at, _)| at);
        found.find(|at| {
            let before = text[..*at].chars().next_back();
            let after = text[at + scheme.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
        })
    });
    starts.into_iter().flatten().min()
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_paragraphs_and_links_are_kept() {
        let text = Text::plain(
            "Hello <Ann> & \"Co\",\nsee https://shop.example/a?b=1&c=2.\n\n\n\nx http://http://, ahttps://no",
        );
        insta::assert_snapshot!(html(&text, "Shop\nhttps://shop.example/"), @r#"
        <!doctype html>
        <html><head><meta charset="utf-8"></head><body>
        <p>Hello &lt;Ann&gt; &amp; &quot;Co&quot;,<br>
        see <a href="https://shop.example/a?b=1&amp;c=2">https://shop.example/a?b=1&amp;c=2</a>.</p>
        <p>x <a href="http://http://">http://http://</a>, ahttps://no</p>
        <p>-- <br>
        Shop<br>
        <a href="https://shop.example/">https://shop.example/</a></p>
        </body></html>
        "#);
    }

    #[test]
    fn formatted_words_are_made_safe_again() {
        let text = Text {
            plain: "Hi".to_owned(),
            html: Some("<p onclick=x>Hi<script>alert(1)</script></p>".to_owned()),
        };
        let shown = html(&text, "");
        assert!(shown.contains("<p>Hi</p>"), "{shown}");
        assert!(!shown.contains("script"), "{shown}");
    }

    #[test]
    fn a_signature_stands_below_its_mark() {
        let text = Text::plain("Hi\r\nthere\n\n");
        assert_eq!(plain(&text, ""), "Hi\nthere\n");
        assert_eq!(plain(&text, "\r\nShop\r\n"), "Hi\nthere\n\n-- \nShop\n");
    }
}
