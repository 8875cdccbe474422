//! What mail programs put between the new words and the old.

use crate::sanitize::OLDER;

/// Lines that one sentence of who wrote what is wrapped over.
const WRAPPED_MAX: usize = 4;
const SENTENCE_BYTES_MAX: usize = 400;

/// What a line is, with those that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An older letter begins: its header, or a line that says so.
    Older,
    /// So many lines tell who wrote what follows.
    Wrote { length: usize },
    /// The signature begins.
    Signature,
}

/// What stands at the beginning of these lines.
pub(super) fn mark(lines: &[&str]) -> Option<Mark> {
    let first = lines.first()?.trim();
    if first == "--" || first == "\u{2014}" {
        return Some(Mark::Signature);
    }
    if first == OLDER || is_older_line(first) || is_wrote_within(first) || is_header(lines) {
        return Some(Mark::Older);
    }
    wrote(lines).map(|length| Mark::Wrote { length })
}

/// Whether a line is quoted: `>`, or `AB>` as The Bat! writes it.
pub(super) fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    let Some(at) = line.find('>').filter(|at| *at <= 10) else {
        return false;
    };
    let initials = &line[..at];
    let after = &line[at + 1..];
    initials.is_empty()
        || (initials.chars().count() <= 4
            && initials.chars().all(char::is_alphabetic)
            && initials.chars().any(char::is_uppercase)
            && (after.is_empty() || after.starts_with([' ', '>'])))
}

/// Whether a line says that what follows is handed on, and so what the letter is about.
pub(super) fn forwards(line: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "begin forwarded message",
        "forwarded message",
        "forwarded by",
        "начало переадресованного сообщения",
        "начало пересылаемого сообщения",
        "переадресованное сообщение",
        "пересланное сообщение",
        "пересылаемое сообщение",
    ];
    let bare = bare(line);
    BEGINNINGS
        .iter()
        .any(|beginning| bare.starts_with(beginning))
        && (line.trim().starts_with('-') || line.trim().ends_with(':') || bare.len() < 60)
}

/// A line in lower case without the dashes around it.
fn bare(line: &str) -> String {
    let bare = line.trim().trim_matches(|c: char| "-=_*# ".contains(c));
    if bare.len() > SENTENCE_BYTES_MAX {
        return String::new();
    }
    bare.to_lowercase()
}

fn is_older_line(line: &str) -> bool {
    const LINES: &[&str] = &[
        "original message",
        "original email",
        "original appointment",
        "reply message",
        "исходное сообщение",
        "исходное письмо",
        "исходное сообщение от",
        "первоначальное сообщение",
        "оригинальное сообщение",
        "ursprüngliche nachricht",
        "message d'origine",
        "mensaje original",
    ];
    let has_dashes = line.starts_with("--") || line.starts_with("__") || line.starts_with("==");
    has_dashes && LINES.contains(&bare(line).trim_end_matches(':'))
}

/// Whether an older letter's header begins: who, and at least two of when, to whom and
/// about what in the next lines.
fn is_header(lines: &[&str]) -> bool {
    const WHO: &[&str] = &["from", "от", "от кого", "von", "de"];
    const MORE: &[&str] = &[
        "sent",
        "date",
        "to",
        "cc",
        "subject",
        "отправлено",
        "дата",
        "кому",
        "копия",
        "тема",
        "gesendet",
        "an",
        "betreff",
        "envoyé",
        "à",
        "objet",
        "reply-to",
        "importance",
        "важность",
    ];
    let is_rule = |line: &str| {
        let line = line.trim();
        line.len() >= 10 && line.bytes().all(|byte| byte == b'_' || byte == b'-')
    };
    let field = |line: &str| {
        let line = line.trim().trim_start_matches(['*', '>', ' ']);
        let (name, _) = line.split_once(':')?;
        (name.len() <= 40).then(|| name.trim_matches(['*', ' ', '\u{a0}']).to_lowercase())
    };
    let mut rest = lines
        .iter()
        .skip_while(|line| line.trim().is_empty() || is_rule(line));
    let skipped = lines.len() - rest.clone().count();
    if skipped > 4 || (skipped > 0 && !lines.first().is_some_and(|line| is_rule(line))) {
        return false;
    }
    let who = rest.next().and_then(|line| field(line));
    if !who.is_some_and(|who| WHO.contains(&who.as_str())) {
        return false;
    }
    let mut more = 0;
    for line in rest.take(8).filter(|line| !line.trim().is_empty()) {
        match field(line) {
            Some(name) if MORE.contains(&name.as_str()) => more += 1,
            // A long list of people goes on in the next line.
            Some(_) | None if more > 0 && line.contains('@') => {}
            Some(_) | None => break,
        }
    }
    more >= 2
}

/// How many lines tell who wrote what follows, if they do.
fn wrote(lines: &[&str]) -> Option<usize> {
    let mut sentence = String::new();
    for (index, line) in lines.iter().take(WRAPPED_MAX).enumerate() {
        let line = line.trim();
        if line.is_empty() || (index > 0 && is_quoted(line) && !line.contains('@')) {
            return None;
        }
        if index > 0 {
            sentence.push(' ');
        }
        sentence.push_str(line);
        if sentence.len() > SENTENCE_BYTES_MAX {
            return None;
        }
        if is_wrote(&sentence) {
            // A line above that is a sentence of somebody's own does not belong to it.
            let below = lines[1..=index].join(" ");
            let is_told_below = (1..=index).any(|at| wrote(&lines[at..=index]).is_some());
            let has_day = |text: &str| has_date(text) || has_time(text);
            let is_whole = !is_told_below || (has_day(lines[0]) && !has_day(&below));
            return is_whole.then_some(index + 1);
        }
    }
    None
}

fn is_wrote(sentence: &str) -> bool {
    const VERBS: &[&str] = &[
        "wrote",
        "writes",
        "написал(а)",
        "написал",
        "написала",
        "написали",
        "писал(а)",
        "писал",
        "писала",
        "писали",
        "пишет",
        "пишете",
        "сообщил",
        "сообщила",
        "сообщил(а)",
        "schrieb",
        "a écrit",
        "escribió",
        "ha scritto",
    ];
    let end = sentence.trim_end();
    // Zoho and Lotus Notes put dashes around it, and no colon.
    let has_dashes = end.starts_with("---") && end.ends_with("---");
    let Some(body) = end.strip_suffix(':').or(has_dashes.then_some(end)) else {
        return false;
    };
    let lower = body.to_lowercase();
    let body = lower
        .trim_matches(|c: char| c == '-' || c.is_whitespace())
        .trim_end_matches(':');
    let ends_with_verb = VERBS.iter().any(|verb| {
        let before = body.strip_suffix(verb);
        before
            .is_some_and(|before| before.is_empty() || before.ends_with([' ', ',', '>', '\u{a0}']))
    });
    let has_verb = || {
        let mut words = body.split([' ', ',', '\u{a0}']);
        words.any(|word| VERBS.contains(&word))
    };
    let (has_date, has_time) = (has_date(body), has_time(body));
    let has_address = body.contains('@');
    if ends_with_verb {
        return has_date || has_time || has_address;
    }
    if has_verb() {
        return has_date || has_time;
    }
    // Gmail, Yandex and Mail.ru in Russian use no verb.
    has_address && body.ends_with(['>', ')', ']']) && has_date && has_time
}

/// Whether an older letter begins within a line, behind who wrote it.
fn is_wrote_within(line: &str) -> bool {
    const ENDS: &[&str] = &["> wrote: ", "> написал(а): ", "> пишет: "];
    let end = ENDS
        .iter()
        .find_map(|end| line.find(end).map(|at| at + end.len()));
    end.is_some_and(|end| end <= SENTENCE_BYTES_MAX && is_wrote(line[..end].trim_end()))
}

/// Whether there is something like a day: a year of this century, or `2.11.26`.
fn has_date(text: &str) -> bool {
    let is_number = |part: &str, length: Range| {
        length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_end = |c: char| c.is_whitespace() || ",;<>()[]\"".contains(c);
    text.split(is_end).any(|word| {
        let is_year = word.len() == 4 && word.starts_with("20") && is_number(word, 4..=4);
        let parts: Vec<&str> = word.split(['.', '/', '-']).take(4).collect();
        let is_day = parts.len() >= 3 && parts[..3].iter().all(|part| is_number(part, 1..=4));
        is_year || is_day
    })
}

type Range = std::ops::RangeInclusive<usize>;

fn has_time(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == ':'))
        .any(|word| {
            let mut parts = word.split(':');
            let two = |part: Option<&str>| part.is_some_and(|part| (1..=2).contains(&part.len()));
            two(parts.next()) && two(parts.next())
        })
}

/// Whether a line is one that programs put below every letter.
pub(super) fn is_program_signature(line: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "download spark",
        "enviado desde mi",
        "envoyé de mon",
        "envoyé depuis mon",
        "inviato da",
        "get outlook for",
        "mit freundlichen grüßen gesendet von",
        "sent from",
        "sent via",
        "sent using",
        "sent with",
        "von meinem iphone gesendet",
        "загрузить outlook для",
        "отправлено из",
        "отправлено с ",
        "отправлено через",
        "отправлено от моего",
        "отправлено при помощи",
        "отправлено мобильн",
        "получить outlook для",
        "получите outlook для",
        "скачать outlook для",
        "послано с ",
        "простите за краткость",
        "извините за краткость",
        "please excuse my brevity",
        "please excuse the brevity",
        "get bluemail for",
        "пожалуйста, извините за краткость",
    ];
    // A sentence of somebody's own is longer, or is not the last.
    let line = line.trim().trim_start_matches(['-', '*', '_', ' ']);
    if line.len() > 160 {
        return false;
    }
    let lower = line.to_lowercase();
    BEGINNINGS
        .iter()
        .any(|beginning| lower.starts_with(beginning))
}

/// Whether a paragraph is what a company's lawyers put below every letter.
pub(super) fn is_disclaimer(lines: &[&str]) -> bool {
    const BEGINNINGS: &[&str] = &[
        "confidentiality notice",
        "disclaimer",
        "please consider the environment",
        "no viruses found",
        "the information contained in this",
        "this email has been checked for viruses",
        "this email has been scanned for viruses",
        "virus-free",
        "the information in this",
        "this communication is confidential",
        "this e-mail and any",
        "this email and any",
        "this e-mail is confidential",
        "this email is confidential",
        "this message and any",
        "this message contains confidential",
        "this message is confidential",
        "без вирусов",
        "внимание! данное",
        "данное письмо проверено на вирусы",
        "это письмо проверено на вирусы",
        "это сообщение проверено на вирусы",
        "внимание! это",
        "данное сообщение и любые",
        "данное электронное сообщение",
        "данное письмо и любые",
        "информация в этом",
        "информация, содержащаяся в",
        "настоящее сообщение",
        "настоящее электронное",
        "содержание данного",
        "это сообщение и любые",
        "это электронное сообщение",
        "эта информация",
        "уведомление о конфиденциальности",
        "пожалуйста, подумайте об окружающей",
        "подумайте об окружающей среде",
    ];
    let mut bare = lines
        .iter()
        .map(|line| line.trim().trim_start_matches(['*', '_', '-', ' ']));
    let first = bare.find(|line| !line.is_empty()).unwrap_or_default();
    let lower = first.to_lowercase();
    BEGINNINGS
        .iter()
        .any(|beginning| lower.starts_with(beginning))
}
