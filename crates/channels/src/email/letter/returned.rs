//! Letters of ours that came back: reports in the standard's form (RFC 3464) and those
//! that servers write in words of their own.

use super::header::{self, Header};
use super::lines::LineEnd;
use super::walk::{Part, Structure};
use super::{Own, address, automatic, people, status, thread, transfer};

/// What is read of a report, and of the letter that came back.
const READ_BYTES_MAX: usize = 64 << 10;
const RECIPIENTS_MAX: usize = 20;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry::email) struct Returned {
    /// The name of our letter.
    pub(in crate::registry::email) target: String,
    pub(in crate::registry::email) failures: Vec<Failure>,
}

/// Whom a letter did not reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::registry::email) struct Failure {
    /// Empty when it could not be told.
    pub(in crate::registry::email) recipient: String,
    /// Another try is of no use.
    pub(in crate::registry::email) permanent: bool,
    pub(in crate::registry::email) reason: String,
}

/// The letter that a report is about, by the name it gives itself.
pub(super) fn original(raw: &[u8], structure: &Structure<'_>) -> Option<String> {
    let returned = structure.parts.iter().find(|part| {
        let types = [
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "message/global-headers",
        ];
        types.contains(&part.media_type())
    })?;
    let bytes = decoded(raw, returned);
    let (header, _) = header::read(&bytes, 0, LineEnd::of(&bytes), |_| false);
    Some(thread::message_id(&header)).filter(|id| !id.is_empty())
}

/// What came back, if a letter tells that and of which letter of ours. `words` are what
/// it says to people.
pub(super) fn read(
    raw: &[u8],
    structure: &Structure<'_>,
    words: &str,
    own: &Own,
) -> Option<Returned> {
    let header = &structure.parts.first()?.header;
    let failures = match automatic::report_type(structure).as_deref() {
        Some("delivery-status" | "") => standard(raw, structure, words)?,
        Some(_) => return None,
        None => in_words(header, structure, raw, words, own)?,
    };
    let target = original(raw, structure).or_else(|| named(header, words, own))?;
    Some(Returned { target, failures })
}

/// The failures that a report tells in the standard's form; none when nothing failed.
fn standard(raw: &[u8], structure: &Structure<'_>, words: &str) -> Option<Vec<Failure>> {
    let is_status = |part: &&Part<'_>| {
        matches!(
            part.media_type(),
            "message/delivery-status" | "message/global-delivery-status"
        )
    };
    let mut failures = Vec::new();
    for part in structure.parts.iter().filter(is_status).take(10) {
        let bytes = decoded(raw, part);
        let mut at = 0;
        while at < bytes.len() && failures.len() < RECIPIENTS_MAX {
            let (group, next) = header::read(&bytes, at, LineEnd::of(&bytes), |_| false);
            failures.extend(failure(&group, words));
            // A line that is no field ends a group and begins none.
            at = if next > at { next } else { bytes.len() };
        }
    }
    (!failures.is_empty()).then_some(failures)
}

fn failure(group: &Header<'_>, words: &str) -> Option<Failure> {
    let action = group.value("Action").to_ascii_lowercase();
    if action.split([' ', ';', '(']).next() != Some("failed") {
        return None;
    }
    let names = [
        "Original-Recipient",
        "Final-Recipient",
        "X-Actual-Recipient",
    ];
    let recipient = names.iter().find_map(|name| {
        let value = group.value(name);
        let address = value
            .rsplit_once(';')
            .map_or(value.as_str(), |(_, address)| address);
        let list = address::read(address);
        list.mailboxes
            .iter()
            .find_map(|it| people::normal(&it.address))
    });
    let diagnostic = group.words("Diagnostic-Code");
    let diagnostic = match diagnostic.split_once(';') {
        Some((kind, rest)) if !kind.contains(' ') => rest.trim(),
        Some(_) | None => diagnostic.trim(),
    };
    let code = status::best(&group.value("Status"), diagnostic);
    let told = if diagnostic.is_empty() {
        status::line_of(words).unwrap_or_default()
    } else {
        diagnostic.to_owned()
    };
    Some(Failure {
        recipient: recipient.unwrap_or_default(),
        permanent: status::is_permanent(code.as_deref(), &told).unwrap_or(true),
        reason: status::reason(code.as_deref(), &told),
    })
}

/// The failures that a server tells in words.
fn in_words(
    header: &Header<'_>,
    structure: &Structure<'_>,
    raw: &[u8],
    words: &str,
    own: &Own,
) -> Option<Vec<Failure>> {
    let told = [thread::subject(header).as_str(), words].join("\n");
    let from = header.value("From");
    let from = address::read(&from);
    let from = from.mailboxes.first().map_or("", |it| it.address.as_str());
    let failed = address::read(&header.value("X-Failed-Recipients"));
    let is_from_server = automatic::is_machine(from)
        || automatic::has_no_return(header)
        || !failed.mailboxes.is_empty();
    if !is_from_server || !status::tells_failure(&told) {
        // Some keep the standard's report and forget to say what the whole is.
        return standard(raw, structure, words).filter(|_| is_from_server);
    }
    let own_words = status::before_copy(words);
    let line = status::line_of(own_words).unwrap_or_else(|| thread::subject(header));
    let code = status::best("", &line);
    let mut recipients: Vec<String> = failed
        .mailboxes
        .iter()
        .filter_map(|it| people::normal(&it.address))
        .collect();
    if recipients.is_empty() {
        recipients = recipients_in(own_words, own);
    }
    recipients.truncate(RECIPIENTS_MAX);
    if recipients.is_empty() {
        recipients.push(String::new());
    }
    let failure = |recipient: String| Failure {
        recipient,
        permanent: status::is_permanent(code.as_deref(), own_words).unwrap_or(false),
        reason: status::reason(code.as_deref(), &line),
    };
    Some(recipients.into_iter().map(failure).collect())
}

/// Whom the words tell of: every address that begins a line of its own, or the first
/// there is.
fn recipients_in(words: &str, own: &Own) -> Vec<String> {
    let mut beginning = Vec::new();
    let mut first = None;
    for line in words.lines().take(200) {
        for word in line.split(|c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c)) {
            let word = word.trim_end_matches('.');
            let Some(found) = people::normal(word).filter(|it| it.contains('.')) else {
                continue;
            };
            if own.is_own(&found) || automatic::is_machine(&found) {
                continue;
            }
            let begins = line.trim_start().trim_start_matches('<').starts_with(word);
            if begins && !beginning.contains(&found) {
                beginning.push(found.clone());
            }
            first.get_or_insert(found);
        }
    }
    if beginning.is_empty() {
        beginning.extend(first);
    }
    beginning
}

/// The name of our letter where it is told apart from the letter itself: what the
/// report refers to, or a name with a domain of ours in its words.
fn named(header: &Header<'_>, words: &str, own: &Own) -> Option<String> {
    let own_domain = |id: &String| {
        let domain = id.rsplit('@').next().unwrap_or_default();
        let mut domains = own.addresses.iter().filter_map(|it| it.rsplit('@').next());
        domains.any(|ours| ours.eq_ignore_ascii_case(domain)) && !own.is_own(id)
    };
    let mut ids: Vec<String> = ["X-Original-Message-ID", "In-Reply-To", "References"]
        .iter()
        .flat_map(|name| thread::ids(&header.value(name)))
        .collect();
    if let Some(ours) = ids.iter().rfind(|id| own_domain(id)) {
        return Some(ours.clone());
    }
    let is_name = |line: &&str| {
        let start = line.trim_start().get(..11);
        start.is_some_and(|start| start.eq_ignore_ascii_case("message-id:"))
    };
    let told = words.lines().filter(is_name).flat_map(|line| {
        let (_, value) = line.split_once(':').unwrap_or_default();
        thread::ids(value)
    });
    let told: Vec<String> = told.take(10).collect();
    let in_angles = thread::ids(words).into_iter().find(own_domain);
    told.iter()
        .find(|id| own_domain(id))
        .or(told.first())
        .cloned()
        .or(in_angles)
        .or_else(|| ids.pop())
}

fn decoded(raw: &[u8], part: &Part<'_>) -> Vec<u8> {
    let encoded = &raw[part.body.clone()];
    let (bytes, _) = transfer::start(encoded, part.encoding(), READ_BYTES_MAX);
    bytes
}
