use serde_json::{Value, json};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn sign(claims: &Value, secret: &str) -> String {
    let signed = URL_SAFE_NO_PAD.encode(claims.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn claims(change: &Value) -> Value {
    let mut claims = json!({"aud": "site", "iat": 1_700_000_000, "exp": 1_700_000_300,
        "jti": "j-1", "user_id": "u-1", "email": "a@b.example"});
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn browser() -> Token {
    Token::new([7; 32])
}

fn check(token: &str) -> Result<Signed, NotIdentified> {
    verify(token, SECRET, &LineId::from("site"), &browser(), NOW)
}

#[test]
fn a_good_token_tells_the_user() {
    let signed = check(&sign(&claims(&json!({})), SECRET)).unwrap();
    assert_eq!(signed.user.user_id, "u-1");
    assert_eq!(signed.user.email.as_deref(), Some("a@b.example"));
    assert_eq!(signed.expires, Timestamp(1_700_000_300_000));
}

#[test]
fn a_token_may_name_the_visitor_as_any_welcome_did() {
    for visitor in [
        browser().browser_id(),
        browser().thread_of_guest(),
        browser().thread_of_user("u-1"),
    ] {
        check(&sign(&claims(&json!({"visitor": visitor})), SECRET)).unwrap();
    }
}

#[test]
fn wrong_claims_are_refused() {
    for (change, expect) in [
        (json!({"aud": "other"}), NotIdentified::NotForHere),
        (json!({"visitor": "v-2"}), NotIdentified::NotForHere),
        (
            json!({"visitor": browser().thread_of_user("u-2")}),
            NotIdentified::NotForHere,
        ),
        (json!({"exp": 1_700_000_000}), NotIdentified::Expired),
        (json!({"exp": 1_699_999_999}), NotIdentified::Expired),
        (
            json!({"exp": 1_700_000_306, "iat": 1_700_000_100}),
            NotIdentified::Expired,
        ),
        (json!({"exp": 1_700_000_301}), NotIdentified::Expired),
        (
            json!({"exp": i64::MAX, "iat": i64::MAX}),
            NotIdentified::Expired,
        ),
        (
            json!({"exp": i64::MAX, "iat": i64::MIN}),
            NotIdentified::Expired,
        ),
        (json!({"exp": "1700000300"}), NotIdentified::Malformed),
        (json!({"aud": ["site"]}), NotIdentified::Malformed),
        (json!({"jti": ""}), NotIdentified::Malformed),
        (json!({"jti": "x".repeat(129)}), NotIdentified::Malformed),
        (json!({"user_id": ""}), NotIdentified::Malformed),
        (json!({"user_id": "a\u{0}b"}), NotIdentified::Malformed),
    ] {
        let token = sign(&claims(&change), SECRET);
        assert_eq!(check(&token), Err(expect), "{change}");
    }
}

#[test]
fn forged_tokens_are_refused() {
    let good = sign(&claims(&json!({})), SECRET);
    let (signed, signature) = good.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    for (token, expect) in [
        (
            sign(&claims(&json!({})), "another secret of thirty-two byte"),
            NotIdentified::Forged,
        ),
        (format!("{signed}."), NotIdentified::Forged),
        (
            format!("{signed}.{}", &signature[..8]),
            NotIdentified::Forged,
        ),
        (format!("{none}.{signed}."), NotIdentified::Malformed),
        (
            format!("{none}.{signed}.{signature}"),
            NotIdentified::Malformed,
        ),
        (format!("{none}.{signed}"), NotIdentified::Forged),
        (signed.to_owned(), NotIdentified::Malformed),
        (String::new(), NotIdentified::Malformed),
        ("x".repeat(5_000), NotIdentified::Malformed),
        (format!("{signed}.***"), NotIdentified::Malformed),
    ] {
        assert_eq!(check(&token), Err(expect), "{token}");
    }
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).unwrap();
        assert!(check(&flipped).is_err(), "position {at}");
    }
}

#[test]
fn a_token_serves_one_browser() {
    let spent = Spent::default();
    let signed = check(&sign(&claims(&json!({})), SECRET)).unwrap();
    assert_eq!(spent.spend(&signed, "v-1", NOW), Ok(false));
    assert_eq!(spent.spend(&signed, "v-1", NOW), Ok(true));
    assert_eq!(
        spent.spend(&signed, "v-2", NOW),
        Err(NotIdentified::Replayed)
    );
    spent.restore(&signed);
    assert_eq!(spent.spend(&signed, "v-2", NOW), Ok(false));
}

#[test]
fn the_memory_of_spent_tokens_is_bounded_and_fails_closed() {
    let spent = Spent::default();
    let mut signed = check(&sign(&claims(&json!({})), SECRET)).unwrap();
    for n in 0..SPENT_MAX {
        signed.jti = n.to_string();
        assert_eq!(spent.spend(&signed, "v", NOW), Ok(false));
    }
    signed.jti = "one more".to_owned();
    assert_eq!(spent.spend(&signed, "v", NOW), Err(NotIdentified::Busy));
    let later = signed.expires;
    assert_eq!(spent.spend(&signed, "v", later), Ok(false));
}
