//! What servers say when a letter could not be delivered.

use domain::text;

const REASON_CHARS_MAX: usize = 300;

/// How reports begin that tell of a failure, in whatever words around it.
const FAILURES: &[&str] = &[
    "address not found",
    "could not be delivered",
    "couldn't be delivered",
    "couldn\u{2019}t be delivered",
    "wasn't delivered",
    "wasn\u{2019}t delivered",
    "was not delivered",
    "delivery failed",
    "delivery failure",
    "delivery has failed",
    "delivery status notification (failure)",
    "delivery to the following recipient failed",
    "delivery to the following recipients failed",
    "did not reach the following recipient",
    "failure notice",
    "i wasn't able to deliver your message",
    "mail delivery failed",
    "message blocked",
    "message not delivered",
    "returned mail",
    "returned to sender",
    "undeliverable",
    "undelivered mail",
    "unable to deliver",
    "адрес не найден",
    "возвращено отправителю",
    "доставка не удалась",
    "недоставленное сообщение",
    "не было доставлено",
    "не доставлено",
    "не может быть доставлено",
    "не может быть отправлено",
    "не удалось доставить",
    "невозможно доставить",
    "ошибка доставки",
    "сбой доставки",
];
/// The server goes on trying.
const DELAYS: &[&str] = &[
    "(delay)",
    "delayed mail",
    "delivery delayed",
    "has been delayed",
    "still being retried",
    "will be retried",
    "will retry",
    "warning: could not send message",
    "warning: message",
    "доставка задерживается",
    "доставка отложена",
    "попытки доставки будут продолжены",
];
/// The address is not good.
const NOBODY: &[&str] = &[
    "address not found",
    "does not exist",
    "doesn't exist",
    "invalid recipient",
    "mailbox not found",
    "mailbox unavailable",
    "no such user",
    "recipient not found",
    "unknown user",
    "unrouteable address",
    "user unknown",
    "адрес не найден",
    "не существует",
    "не найден",
    "нет такого пользователя",
    "неверный адрес",
];
/// There is no room now, and there may be later.
const FULL: &[&str] = &[
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "quota exceeded",
    "переполнен",
];
/// What stands before the copy of our letter.
const COPIES: &[&str] = &[
    "--- below this line is a copy",
    "------ this is a copy of",
    "----- original message",
    "----- исходное сообщение",
    "original message headers",
    "заголовки исходного сообщения",
    "копия сообщения",
    "текст вашего письма",
];

fn has_any(words: &str, known: &[&str]) -> bool {
    known.iter().any(|known| words.contains(known))
}

/// Whether words tell of a failure, and not of a delay.
pub(super) fn tells_failure(words: &str) -> bool {
    let words = words.to_lowercase();
    has_any(&words, FAILURES) && !has_any(before_copy(&words), DELAYS)
}

/// The server's own words.
pub(super) fn before_copy(words: &str) -> &str {
    let mut end = 0;
    for line in words.split_inclusive('\n') {
        let lower = line.trim_start().to_lowercase();
        if COPIES.iter().any(|known| lower.starts_with(known)) {
            break;
        }
        end += line.len();
    }
    &words[..end]
}

/// The code that says most, such as `5.1.1`: many servers write `5.0.0` and the true one
/// in their words.
pub(super) fn best(status: &str, diagnostic: &str) -> Option<String> {
    let told = enhanced(status);
    let in_words = enhanced(diagnostic);
    let says_nothing = told.as_deref().is_none_or(|code| code.ends_with(".0.0"));
    match (told, in_words) {
        (_, Some(code)) if says_nothing => Some(code),
        (Some(code), _) => Some(code),
        (None, _) => reply(diagnostic),
    }
}

/// The first code of the form `5.1.1`.
fn enhanced(words: &str) -> Option<String> {
    codes(words).find_map(|word| {
        let mut parts = word.split('.');
        let class = parts.next()?;
        let number = |part: Option<&str>| {
            part.is_some_and(|it| {
                (1..=3).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit())
            })
        };
        let is_code = matches!(class, "4" | "5") && number(parts.next()) && number(parts.next());
        (is_code && parts.next().is_none()).then(|| word.to_owned())
    })
}

/// The first reply of a server, such as `550`.
fn reply(words: &str) -> Option<String> {
    let is_reply = |word: &&str| {
        word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().all(|b| b.is_ascii_digit())
    };
    codes(words).find(is_reply).map(str::to_owned)
}

fn codes(words: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '.');
    words.split(is_end).map(|word| word.trim_end_matches('.'))
}

/// The line in which a server's own words give a code, or name the fault.
pub(super) fn line_of(words: &str) -> Option<String> {
    let own = before_copy(words);
    let lines = || own.lines().map(str::trim).take(200);
    let with_code = lines().find(|line| enhanced(line).is_some());
    let with_reply = || lines().find(|line| begins_with_reply(line));
    let with_words = || {
        lines().find(|line| {
            let lower = line.to_lowercase();
            has_any(&lower, NOBODY) || has_any(&lower, FULL)
        })
    };
    let with_failure = || lines().find(|line| has_any(&line.to_lowercase(), FAILURES));
    with_code
        .or_else(with_reply)
        .or_else(with_words)
        .or_else(with_failure)
        .map(str::to_owned)
}

fn begins_with_reply(line: &str) -> bool {
    // Only where it stands as servers write it, not as any number.
    line.split(": ").any(|part| {
        let code = part.split([' ', '-']).next().unwrap_or_default();
        reply(part).is_some_and(|reply| reply == code)
    })
}

/// Whether another try is of no use; none when it is not told.
pub(super) fn is_permanent(code: Option<&str>, words: &str) -> Option<bool> {
    let words = words.to_lowercase();
    if code.is_some_and(|code| code.ends_with(".2.2")) || has_any(&words, FULL) {
        return Some(false);
    }
    match code.and_then(|code| code.bytes().next()) {
        Some(b'5') => Some(true),
        Some(b'4') => Some(false),
        Some(_) | None => has_any(&words, NOBODY).then_some(true),
    }
}

/// One line for people, with the code in it.
pub(super) fn reason(code: Option<&str>, words: &str) -> String {
    let words = text::line(words, REASON_CHARS_MAX);
    match code {
        Some(code) if !words.contains(code) => {
            text::line(&format!("{code} {words}"), REASON_CHARS_MAX)
        }
        Some(_) | None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_code_is_found() {
        for (status, words, expect) in [
            ("5.1.1", "", Some("5.1.1")),
            ("5.0.0", "550 5.1.1 <a@b>: unknown", Some("5.1.1")),
            ("4.4.7 (expired)", "550 5.1.1 x", Some("4.4.7")),
            ("", "550 no such user", Some("550")),
            ("", "host 10.5.1.1 said no", None),
            ("", "550-5.7.1 blocked", Some("5.7.1")),
            ("", "", None),
        ] {
            assert_eq!(best(status, words).as_deref(), expect, "{status} {words}");
        }
    }

    #[test]
    fn failures_are_told_from_delays() {
        assert!(tells_failure(
            "Mail delivery failed: returning message to sender"
        ));
        assert!(tells_failure("Ваше письмо не может быть доставлено"));
        assert!(!tells_failure(
            "Delivery Status Notification (Delay)\nWill retry; undeliverable later"
        ));
        assert!(!tells_failure("Where is my order?"));
        assert_eq!(is_permanent(Some("5.2.2"), ""), Some(false));
        assert_eq!(is_permanent(None, "No such user here"), Some(true));
        assert_eq!(is_permanent(None, "something"), None);
        assert_eq!(reason(Some("5.1.1"), "User\nunknown"), "5.1.1 User unknown");
    }
}
