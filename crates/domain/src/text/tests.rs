use proptest::prelude::*;

use super::*;

/// Characters that these functions treat specially, and some that they do not.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "/\\.:*?\"<>| \t\r\n\0\u{7f}\u{85}\u{a0}\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\
         \u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fe0f}\u{20e3}\u{3164}\u{3000}\u{e0067}\u{e007f}\u{ff0f}\
         \u{1f3f4}\u{1f469}\u{1f4bb}\u{2764}#1aConnul\u{fffe}नक्ष\u{646}\u{627}яß"
            .chars()
            .collect::<Vec<_>>(),
    );
    let any = prop_oneof![8 => special, 2 => any::<char>()];
    prop::collection::vec(any, 0..80).prop_map(|chars| chars.into_iter().collect())
}

fn check(function: fn(&str) -> String, cases: &[(&str, &str)]) {
    for (raw, expect) in cases {
        assert_eq!(function(raw), *expect, "{raw:?}");
    }
}

#[test]
fn names() {
    check(
        display_name,
        &[
            ("  Анна \t\r\n Иванова  ", "Анна Иванова"),
            ("Adm\u{200b}in\u{200d}", "Admin"),
            ("\u{202e}nimda", "nimda"),
            ("\u{2066}a\u{2069}", "a"),
            ("\u{3164}\u{3164}", ""),
            ("a\u{2028}b\u{a0}\u{3000}c", "a b c"),
            ("a\0b\u{1b}[31m", "ab[31m"),
            ("Anna 👩\u{200d}💻", "Anna 👩\u{200d}💻"),
            (
                "❤\u{fe0f}\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3}",
                "❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3}",
            ),
            ("1\u{fe0f}a", "1a"),
            (
                "\u{646}\u{6cc}\u{200c}\u{646}",
                "\u{646}\u{6cc}\u{200c}\u{646}",
            ),
            ("a\u{e0061}\u{e0062}", "a"),
        ],
    );
    assert_eq!(display_name(&"я".repeat(300)), "я".repeat(200));
}

#[test]
fn bodies() {
    check(
        |raw| body(raw, 1000),
        &[
            ("a\r\nb\rc\nd\u{2028}e", "a\nb\nc\nd\ne"),
            ("  a\tb  ", "  a\tb  "),
            ("a\0b\u{1b}c", "abc"),
            ("\u{202e}cod.exe\u{202c}", "cod.exe"),
            ("\u{200f}\u{5e9}\u{200e}a", "\u{200f}\u{5e9}\u{200e}a"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            (
                "🏴\u{e0067}\u{e0062}\u{e007f}x\u{e0061}",
                "🏴\u{e0067}\u{e0062}\u{e007f}x",
            ),
        ],
    );
    assert_eq!(body("яяя", 2), "яя");
}

#[test]
fn file_names() {
    check(
        file_name,
        &[
            ("report.pdf", "report.pdf"),
            ("отчёт за май.pdf", "отчёт за май.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a.txt", "a.txt"),
            ("..\u{ff0f}..\u{ff0f}a", "_.._a"),
            (".htaccess", "htaccess"),
            ("..", "file"),
            ("", "file"),
            ("dir/", "file"),
            (" . .a. . ", "a"),
            ("a.php\0.jpg", "a.php.jpg"),
            ("ann\u{202e}gpj.exe", "anngpj.exe"),
            ("a\u{200b}.e\u{200d}xe", "a.exe"),
            ("file.txt::$DATA", "file.txt__$DATA"),
            ("con", "_con"),
            ("NUL.tar.gz", "_NUL.tar.gz"),
            ("COM1 .txt", "_COM1 .txt"),
            ("COM10.txt", "COM10.txt"),
            ("lpt\u{b9}.txt", "_lpt\u{b9}.txt"),
            ("a\r\nSet-Cookie: x", "a Set-Cookie_ x"),
        ],
    );
    let long = file_name(&format!("{}.docx", "я".repeat(300)));
    assert!(long.len() <= 255 && long.ends_with("я.docx"), "{long}");
    let long = file_name(&"x".repeat(300));
    assert_eq!(long.len(), 255);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn lines_are_safe(raw in hostile(), max in 0_usize..40) {
        let once = line(&raw, max);
        prop_assert!(once.chars().count() <= max);
        prop_assert!(!once.chars().any(|c| is_unsafe(c) && !is_joint(c)));
        prop_assert!(!once.contains("  "));
        prop_assert_eq!(once.trim(), &once);
        prop_assert_eq!(line(&once, max), once);
    }

    #[test]
    fn bodies_are_safe(raw in hostile(), max in 0_usize..60) {
        let once = body(&raw, max);
        prop_assert!(once.chars().count() <= max);
        prop_assert!(!once.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        prop_assert!(!once.chars().any(reorders));
        prop_assert_eq!(body(&once, max), once);
    }

    #[test]
    fn file_names_are_safe(raw in hostile(), repeat in 1_usize..20) {
        let once = file_name(&raw.repeat(repeat));
        prop_assert!(!once.is_empty() && once.len() <= FILE_NAME_BYTES_MAX);
        prop_assert!(!once.contains(['/', '\\', '\0', ':']));
        prop_assert!(!once.starts_with('.') && !once.ends_with(['.', ' ']));
        prop_assert!(!once.chars().any(is_unsafe));
        prop_assert!(!is_device(&once));
        prop_assert_eq!(file_name(&once), once);
    }

    #[test]
    fn any_text_passes_twice(raw in any::<String>()) {
        prop_assert_eq!(display_name(&display_name(&raw)), display_name(&raw));
        prop_assert_eq!(preview(&preview(&raw)), preview(&raw));
        prop_assert_eq!(file_name(&file_name(&raw)), file_name(&raw));
    }
}
