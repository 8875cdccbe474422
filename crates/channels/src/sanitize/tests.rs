use super::*;

#[track_caller]
fn check(raw: &str, expect: &str) {
    let safe = html(raw).expect("not too large");
    assert_eq!(safe, expect);
    assert_eq!(html(&safe).as_deref(), Some(expect), "not the same again");
}

#[test]
fn what_is_shown_stays() {
    check("<p>Hello <b>you</b></p>", "<p>Hello <b>you</b></p>");
    check("a &lt; b &amp; c", "a &lt; b &amp; c");
    check("1 < 2 > 0", "1 &lt; 2 &gt; 0");
    check(
        r#"<a href="https://a.example/?q=1&amp;r=2" target="_blank" onclick="x">a</a>"#,
        r#"<a href="https://a.example/?q=1&amp;r=2" rel="noopener nofollow">a</a>"#,
    );
    check(
        r#"<img src="cid:logo@x" alt="Logo" width=10>"#,
        r#"<img src="cid:logo@x" alt="Logo" width="10">"#,
    );
    check("<img src=https://e.example/p.gif alt='A cat'>", "A cat");
    check(
        "R&D &copy AT&T; &bogus; &amp &#1071;",
        "R&amp;D &amp;copy AT&amp;T; &amp;bogus; &amp;amp Я",
    );
    check(
        "<table><tr><td colspan=2>a<td>b<tr><td>c</table>",
        "<table><tbody><tr><td colspan=\"2\">a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>",
    );
    check(
        "<ul><li>a<li>b<ul><li>c</ul><li>d</ul>",
        "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>",
    );
}

#[test]
fn what_runs_loads_or_styles_goes() {
    for raw in [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//e.example/x.js></SCRIPT >",
        "<style>*{background:url(//e.example)}</style>",
        "<svg><script>alert(1)</script></svg>",
        "<svg/onload=alert(1)>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<template><img src=x onerror=alert(1)></template>",
        "<form action=//e.example><input name=p><button formaction=javascript:alert(1)>x</button></form>",
        "<img src=http://e.example/p.gif>",
        "<img src=\"data:image/svg+xml;base64,AAAA\">",
        "<img src=x onerror=alert(1)>",
        "<img srcset='//e.example/p.gif 2x'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' java\tscript:alert(1)'>x</a>",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<a href='//e.example'>x</a>",
        "<a href='cid:1'>x</a>",
        "<link rel=stylesheet href=//e.example><meta http-equiv=refresh content='0;url=//e.example'><base href=//e.example>",
        "<p style='background:url(//e.example)' class=x id=y data-z=1>x</p>",
        "<!--[if IE]><script>alert(1)</script><![endif]-->",
        "<object data=//e.example></object><embed src=//e.example><video poster=//e.example></video>",
        "<body background=//e.example onload=alert(1)>",
        "<a title='\"><script>alert(1)</script>' href=https://a.example>x</a>",
    ] {
        let safe = html(raw).expect("small");
        assert_eq!(
            html(&safe).as_ref(),
            Some(&safe),
            "not the same again: {raw}"
        );
        // What stands in quotes is text; only what is a tag or an attribute counts.
        let mut bare = String::new();
        for (index, part) in safe.split('"').enumerate() {
            if index % 2 == 0 {
                bare.push_str(part);
            }
        }
        for bad in [
            "<script",
            "<style",
            "<svg",
            "<math",
            "<iframe",
            "<form",
            "on",
            "e.example",
            "style=",
            "class=",
            "target=",
        ] {
            let text_too = bad == "on" && !bare.contains('=');
            assert!(
                text_too || !bare.contains(bad) || bare.contains("noopener"),
                "{raw} gave {safe}"
            );
        }
        for bad in [
            "javascript:",
            "src=\"http",
            "src=\"data",
            "href=\"//",
            "href=\"data",
            "href=\"cid",
        ] {
            assert!(!safe.contains(bad), "{raw} gave {safe}");
        }
    }
}

#[test]
fn pictures_of_a_letter_are_held() {
    for (raw, expect) in [
        (
            "<img src=https://e.example/p.gif?a=1&b=2 alt='A cat' width=10 onload=x>",
            "<img data-src=\"https://e.example/p.gif?a=1&amp;b=2\" alt=\"A cat\" width=\"10\">",
        ),
        (
            "<img src=//e.example/p.gif>",
            "<img data-src=\"https://e.example/p.gif\">",
        ),
        ("<img src=cid:a@b>", "<img src=\"cid:a@b\">"),
        ("<img src=javascript:alert(1) alt=x>", "x"),
        ("<img data-src=javascript:alert(1)>", ""),
        ("<img src='data:image/png;base64,AAAA' alt=y>", "y"),
        ("<p data-src=https://e.example>x</p>", "<p>x</p>"),
        (
            "<img src=x data-src=https://e.example/a srcset=https://e.example/b>",
            "",
        ),
    ] {
        let safe = letter(raw).expect("not too large");
        assert_eq!(safe, expect, "{raw}");
        assert_eq!(letter(&safe).as_deref(), Some(expect), "not the same again");
        assert!(!html(&safe).expect("small").contains("data-src"), "{raw}");
    }
    assert_eq!(
        html_from_plain("a <b>\n\nc & d"),
        "a &lt;b&gt;<br><br>c &amp; d"
    );
}

#[test]
fn hostile_shapes_cost_little() {
    let n = 20_000;
    let cases = [
        "<div>".repeat(100_000),
        "<b>".repeat(100_000),
        "<a href=https://a.example>".repeat(10_000),
        "<p><b>".repeat(10_000),
        "<table><tr><td>".repeat(50_000),
        "<table>x".repeat(n),
        "</div>".repeat(n),
        "<".repeat(n),
        "<a ".repeat(n),
        "<a/".repeat(n),
        "<a '\"=".repeat(n),
        "<!--".repeat(n),
        "<script>".repeat(n),
        "</script".repeat(n),
        "&".repeat(100_000),
        "«".repeat(100_000),
        format!("<a title='{}'>", "&".repeat(n)),
        "&#x110000;".repeat(50_000),
        format!("<a {}>", "a=1 ".repeat(n)),
        "<b title=x><i title=y>".repeat(20) + &"</p><p>x".repeat(10_000),
        "<ul><li>".repeat(10_000),
        "<dl><dd>".repeat(10_000),
    ];
    for case in cases {
        let safe = html(&case).expect("below the cap");
        assert!(
            safe.len() <= 6 * case.len() + 4_096,
            "{} of {}",
            safe.len(),
            case.len()
        );
        assert!(
            depth(&safe) <= 128,
            "{}",
            case.chars().take(20).collect::<String>()
        );
        let plain = plain_from_html(&case);
        assert!(plain.len() <= case.len() * 2 + 16);
    }
}

/// The deepest nesting of something that is properly nested.
fn depth(safe: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in tokens::Tokens::new(safe) {
        match token {
            tokens::Token::Open { name, .. }
                if !matches!(name.as_str(), "br" | "hr" | "img" | "col") =>
            {
                depth += 1;
                deepest = deepest.max(depth);
            }
            tokens::Token::Close { .. } => depth = depth.saturating_sub(1),
            tokens::Token::Open { .. } | tokens::Token::Text(_) => {}
        }
    }
    deepest
}

#[test]
fn too_large_is_not_shown_but_still_read() {
    let large = format!("<p>{}</p>", "x".repeat(HTML_BYTES_MAX));
    assert_eq!(html(&large), None);
    assert_eq!(plain_from_html(&large).len(), HTML_BYTES_MAX);
}

#[test]
fn the_real_parser_has_nothing_to_repair() {
    for raw in [
        "<p>a<p>b<div>c</p>d",
        "<b><i>x</b>y</i>",
        "<table>text<b>x<tr><td><table><td>y</table>z</table>",
        "<h1>a<h2>b",
        "<a href=https://a.example>x<a href=https://b.example>y",
        "<dl><dt>a<dd>b<dt>c</dl>",
        "<p><table><td>x</p>y</table>",
        "<li>a<li>b",
        "<ul><b><li>a<li>b</ul>",
        "<td>stray</td><tr>",
        "<blockquote><p>q</blockquote>r",
    ] {
        let written = rebuild::rebuild(raw, Images::Left);
        let cleaned = CLEANER.clean(&written).to_string();
        let bare = |text: &str| {
            text.replace("<tbody>", "")
                .replace("</tbody>", "")
                .replace(" rel=\"noopener nofollow\"", "")
        };
        assert_eq!(bare(&cleaned), bare(&written), "{raw}");
    }
}

#[test]
fn plain_text_reads_as_the_page_did() {
    for (raw, expect) in [
        ("<p>Hello,<br>you</p><p>Bye</p>", "Hello,\nyou\n\nBye"),
        ("a  \n b", "a b"),
        ("<ul><li>one<li>two</ul>end", "- one\n- two\nend"),
        (
            "<style>x{}</style><title>t</title>a<script>b</script>c",
            "ac",
        ),
        (
            "&lt;b&gt; &amp;amp; &laquo;x&raquo; &#1071;&#x42F; &bogus; &",
            "<b> &amp; «x» ЯЯ &bogus; &",
        ),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("a<!-- x -->b", "ab"),
        ("x &#0;&#7;&#xD800; y", "x &#xD800; y"),
        ("", ""),
    ] {
        assert_eq!(plain_from_html(raw), expect, "{raw}");
    }
}
