use phonenumber::metadata::{DATABASE, Descriptor};
use proptest::prelude::*;

use super::phone::plans;
use super::*;
use crate::identity::Trust;

fn identity(kind: &str, value: &str) -> Identity {
    Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value: value.to_owned(),
        trust: Trust::Claimed,
    }
}

fn normal(kind: &str, value: &str, region: &str) -> Result<String, InvalidIdentity> {
    normalize(&identity(kind, value), region).map(|identity| identity.value)
}

#[test]
fn phones() {
    let cases = [
        ("89161234567", "RU", "+79161234567"),
        ("8 (916) 123-45-67", "RU", "+79161234567"),
        ("79161234567", "RU", "+79161234567"),
        ("9161234567", "ru", "+79161234567"),
        ("+7 916 123 45 67", "", "+79161234567"),
        ("+7 8 916 123-45-67", "", "+79161234567"),
        ("8 800 555-35-35", "RU", "+78005553535"),
        ("+78005553535", "US", "+78005553535"),
        ("8 (812) 334-44-55", "RU", "+78123344455"),
        ("8 701 123 45 67", "RU", "+77011234567"),
        (
            "\u{ff0b}\u{ff17}\u{ff19}\u{ff11}\u{ff16}1234567",
            "",
            "+79161234567",
        ),
        (
            "\u{202a}+7 916 123\u{2011}45\u{2011}67\u{202c}",
            "",
            "+79161234567",
        ),
        ("tel:+7-916-123-45-67", "", "+79161234567"),
        ("007 916 123 45 67", "RU", "+79161234567"),
        ("810 44 20 7946 0958", "RU", "+442079460958"),
        ("+44 (0)20 7946 0958", "RU", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("442079460958", "RU", "+442079460958"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("+39 06 698 12345", "US", "+390669812345"),
        ("06 698 12345", "IT", "+390669812345"),
        ("+375 800 1234567", "", "+3758001234567"),
        ("+800 1234 0000", "", "+80012340000"),
        // Not assigned, though it could be tomorrow.
        ("+7 123 456 78 90", "", "+71234567890"),
    ];
    for (raw, region, expect) in cases {
        assert_eq!(
            normal("phone", raw, region).as_deref(),
            Ok(expect),
            "{raw} {region}"
        );
    }
}

#[test]
fn not_phones() {
    let cases = [
        ("89161234567", ""),
        ("89161234567", "XX"),
        ("123-45-67", "RU"),
        ("900", "RU"),
        ("+", "RU"),
        ("++79161234567", "RU"),
        ("+0079161234567", "RU"),
        ("1+79161234567", "RU"),
        ("+79161234567 ext. 5", "RU"),
        ("MyBank", "RU"),
        ("+999 1234567890", "RU"),
        ("+7916123456789012345", "RU"),
        (".;phone-context=", "US"),
        ("+dwPAA;phone-context=AA", "US"),
        ("tel:0;phone-context=+\u{10000}", "US"),
        ("+1;phone-context=ééé", "US"),
        ("tel:+;phone-context=", "US"),
        ("𝟙𝟚𝟛𝟜𝟝𝟞𝟟", "US"),
        ("NaN", "US"),
        ("-1", "US"),
        ("0xabad1dea", "US"),
        ("012-345-678-901-234-567-890-123-456-789", "US"),
        ("1;DROP TABLE users", "US"),
    ];
    for (raw, region) in cases {
        assert_eq!(
            normal("phone", raw, region),
            Err(InvalidIdentity::Phone),
            "{raw}"
        );
    }
    let long = format!("+7916{}", "1".repeat(300));
    assert_eq!(normal("phone", &long, "RU"), Err(InvalidIdentity::Phone));
}

/// Every example of the plan reads as itself, with the plus and as dialled there.
#[test]
fn examples_of_every_region() {
    let (mut examples, mut dialled_differs) = (0, Vec::new());
    for region in DATABASE.iter() {
        for example in plans(region.descriptors()).filter_map(Descriptor::example) {
            let expect = format!("+{}{example}", region.country_code());
            assert_eq!(
                normal("phone", &expect, "").as_deref(),
                Ok(expect.as_str()),
                "{}",
                region.id()
            );
            examples += 1;
            let dialled = normal("phone", example, region.id());
            if region.id() != "001" && dialled.as_deref() != Ok(expect.as_str()) {
                dialled_differs.push((region.id(), example, dialled));
            }
        }
    }
    assert!(examples > 1_000, "{examples}");
    assert!(
        dialled_differs.is_empty(),
        "{examples} {}: {dialled_differs:?}",
        dialled_differs.len()
    );
}

#[test]
fn emails() {
    let cases = [
        ("Anna.Ivanova@Example.COM", "Anna.Ivanova@example.com"),
        ("  a+shop@example.com ", "a+shop@example.com"),
        ("анна@почта.рф", "анна@xn--80a1acny.xn--p1ai"),
        ("a@ＥＸＡＭＰＬＥ。com", "a@example.com"),
        ("a@example.com.", "a@example.com"),
        ("a@localhost", "a@localhost"),
        ("\"a..b\"@example.com", "\"a..b\"@example.com"),
    ];
    for (raw, expect) in cases {
        assert_eq!(normal("email", raw, "").as_deref(), Ok(expect), "{raw}");
    }
}

#[test]
fn not_emails() {
    let long = format!("{}@example.com", "a".repeat(310));
    let cases = [
        ("a", InvalidIdentity::Email),
        ("@example.com", InvalidIdentity::Email),
        ("a@", InvalidIdentity::Email),
        ("a b@example.com", InvalidIdentity::Email),
        ("Anna <a@example.com>", InvalidIdentity::Email),
        ("a@b@example.com", InvalidIdentity::Email),
        (
            "\"victim@bank.example\"@evil.example",
            InvalidIdentity::Email,
        ),
        ("a,b@example.com", InvalidIdentity::Email),
        ("a\u{200b}b@example.com", InvalidIdentity::Email),
        ("a\u{202e}b@example.com", InvalidIdentity::Email),
        (
            "a@example.com\r\nBcc: b@example.com",
            InvalidIdentity::Control,
        ),
        ("a\0@example.com", InvalidIdentity::Control),
        ("a\u{2028}@example.com", InvalidIdentity::Control),
        ("a@exa mple.com", InvalidIdentity::Domain),
        ("a@example..com", InvalidIdentity::Domain),
        ("a@-example.com", InvalidIdentity::Domain),
        ("a@[127.0.0.1]", InvalidIdentity::Email),
        ("a@xn--a", InvalidIdentity::Domain),
        ("", InvalidIdentity::Empty),
        (&long, InvalidIdentity::TooLong),
    ];
    for (raw, expect) in cases {
        let result = normal("email", raw, "");
        // A domain literal is refused either way.
        let same = result == Err(expect) || (raw.contains('[') && result.is_err());
        assert!(same, "{raw:?}: {result:?}");
    }
}

#[test]
fn other_kinds_stay_verbatim() {
    let telegram = Identity {
        kind: "telegram".to_owned(),
        issuer: "bot-1".to_owned(),
        value: " 00042 ".to_owned(),
        trust: Trust::Proven,
    };
    assert_eq!(normalize(&telegram, "RU"), Ok(telegram.clone()));
    let of_kind = |kind: &str| normalize(&identity(kind, "x"), "").err();
    for kind in ["", "Phone", "a b", "é", &"k".repeat(33)] {
        assert_eq!(of_kind(kind), Some(InvalidIdentity::Kind), "{kind}");
    }
    let mut issued = telegram.clone();
    issued.issuer = "i".repeat(129);
    assert_eq!(normalize(&issued, ""), Err(InvalidIdentity::Issuer));
    issued.issuer = "a\nb".to_owned();
    assert_eq!(normalize(&issued, ""), Err(InvalidIdentity::Issuer));
}

#[test]
fn phone_and_email_have_no_issuer() {
    for (kind, value) in [("phone", "+79161234567"), ("email", "a@example.com")] {
        let mut issued = identity(kind, value);
        issued.issuer = "somebody".to_owned();
        assert_eq!(normalize(&issued, ""), Ok(identity(kind, value)));
    }
}

#[test]
fn keys() {
    let cases = [
        ("Anna+Shop@example.com", "anna@example.com"),
        ("+tag@example.com", "+tag@example.com"),
        ("\"anna+x\"@example.com", "anna@example.com"),
        ("a.b@example.com", "a.b@example.com"),
    ];
    for (value, expect) in cases {
        assert_eq!(identity("email", value).key().matched, expect, "{value}");
    }
    assert_eq!(identity("vk", "A+b").key().matched, "A+b");
}

fn regions() -> impl Strategy<Value = String> {
    let known = DATABASE.iter().map(|plan| plan.id().to_owned());
    prop_oneof![
        prop::sample::select(known.collect::<Vec<_>>()),
        Just("RU".to_owned()),
        // Regions of the list that have no plan.
        prop::sample::select(vec!["AQ".to_owned(), "BV".to_owned(), "GS".to_owned()]),
        "[A-Z]{0,3}",
    ]
}

fn addresses() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+]?[0-9]{1,16}",
        "[+8]?[0-9() -]{1,20}",
        "(tel:)?[+0-9;=a-z]{1,30}",
        "[a-zA-Z0-9.+\"-]{1,12}@[a-zA-Z0-9.ßПя。-]{1,16}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_normal_form_is_its_own(
        kind in prop::sample::select(vec!["phone", "email", "telegram"]),
        raw in addresses(),
        region in regions(),
        other_region in regions(),
    ) {
        if let Ok(once) = normalize(&identity(kind, &raw), &region) {
            let twice = normalize(&once, &other_region);
            prop_assert_eq!(twice.as_ref(), Ok(&once));
            prop_assert!(!once.value.chars().any(breaks_a_line));
            if kind == "phone" {
                prop_assert!(once.value.len() <= 16 && once.value.starts_with('+'));
                prop_assert!(once.value[1..].bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn punctuation_does_not_matter(digits in "9[0-9]{9}", gap in "[ ()./-]{0,2}") {
        let spaced: String = digits.chars().flat_map(|c| [c.to_string(), gap.clone()]).collect();
        let expect = Ok(format!("+7{digits}"));
        prop_assert_eq!(normal("phone", &format!("+7{digits}"), ""), expect.clone());
        if spaced.chars().count() < 38 {
            prop_assert_eq!(normal("phone", &format!("8{spaced}"), "RU"), expect);
        }
    }

    #[test]
    fn case_and_tag_do_not_matter(name in "[a-z]{1,8}", tag in "[a-z0-9]{0,5}") {
        let plain = identity("email", &format!("{name}@example.com"));
        let tagged = identity("email", &format!("{}+{tag}@Example.com", name.to_uppercase()));
        let tagged = normalize(&tagged, "");
        prop_assert_eq!(tagged.map(|tagged| tagged.key()), Ok(plain.key()));
    }
}
