use std::collections::BTreeMap;

use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Sender, Text, Thread};
use domain::{LineId, Timestamp, text};
use sha2::{Digest, Sha256};

use super::submission::{Field, Submission, uuid, value};
use super::{DESCRIPTOR, fields};
use crate::{Malformed, clean};

/// Fields that have a place of their own.
const KNOWN: &[&str] = &[
    "consent",
    "email",
    "locale",
    "message",
    "name",
    "phone",
    "subject",
    "submission_id",
];

pub(super) fn normalize(raw: &[u8], line: &str, region: &str) -> Result<Vec<Inbound>, Malformed> {
    if raw.len() > DESCRIPTOR.delivery_bytes_max {
        return Err(Malformed("the submission is larger than 1 MiB".to_owned()));
    }
    let submission = match serde_json::from_slice::<Submission>(raw) {
        Ok(submission) => submission,
        Err(_) => read_plain(raw, line)?,
    };
    if uuid(&submission.submission_id).is_none() {
        return Err(Malformed("submission_id is not a UUID".to_owned()));
    }
    Ok(vec![convert(submission, region)])
}

/// Reads a body as a page sends it. Its id comes from its content, so that the
/// same body is the same submission.
fn read_plain(raw: &[u8], line: &str) -> Result<Submission, Malformed> {
    let malformed = |error: fields::FieldError| Malformed(error.to_string());
    let trimmed = raw.trim_ascii();
    let fields = if trimmed.starts_with(b"{") || trimmed.starts_with(b"[") {
        fields::from_json(trimmed).map_err(malformed)?
    } else if trimmed.contains(&b'=') {
        fields::from_urlencoded(trimmed).map_err(malformed)?
    } else {
        return Err(Malformed(
            "neither a JSON object nor an urlencoded form".to_owned(),
        ));
    };
    if fields.is_empty() {
        return Err(Malformed("no field is filled".to_owned()));
    }
    let digest = Sha256::digest(trimmed);
    let submission_id = value(&fields, "submission_id")
        .and_then(uuid)
        .unwrap_or_else(|| super::submission::random_uuid(digest.into()));
    Ok(Submission {
        submission_id,
        line: LineId::from(line),
        at: Timestamp(0),
        fields,
        attachments: Vec::new(),
    })
}

fn convert(submission: Submission, region: &str) -> Inbound {
    let fields = &submission.fields;
    let claims = ["email", "phone"]
        .into_iter()
        .filter_map(|kind| {
            let value = value(fields, kind)?;
            Some(Identity {
                kind: kind.to_owned(),
                issuer: String::new(),
                value: value.to_owned(),
                trust: Trust::Claimed,
            })
        })
        .collect();
    let (claims, unread) = clean::identities(claims, 2, region);
    let mut identities = vec![Identity {
        kind: "form".to_owned(),
        issuer: submission.line.as_str().to_owned(),
        value: submission.submission_id.clone(),
        trust: Trust::Proven,
    }];
    identities.extend(claims);
    let extra: Vec<&Field> = fields
        .iter()
        .filter(|field| !KNOWN.contains(&field.name.as_str()))
        .collect();
    Inbound {
        event_key: submission.event_key(),
        message_id: Some(submission.submission_id.clone()),
        thread_key: submission.submission_id.clone(),
        sent_at: submission.at,
        sender: Sender {
            identities,
            display_name: text::display_name(value(fields, "name").unwrap_or_default()),
            avatar_url: None,
            locale: value(fields, "locale")
                .filter(|locale| clean::is_locale(locale))
                .map(str::to_owned),
            attributes: attributes(&extra),
        },
        thread: Thread {
            subject: value(fields, "subject").map(|subject| text::line(subject, 998)),
            ..Thread::default()
        },
        kind: InboundKind::Message(Content::Text(Text::plain(words(fields, &extra, &unread)))),
        attachments: submission.attachments,
        letter: None,
        album: None,
    }
}

/// The message, then whatever else was filled in, a line each.
fn words(fields: &[Field], extra: &[&Field], unread: &[(String, String)]) -> String {
    let mut words = value(fields, "message").unwrap_or_default().to_owned();
    let unread = unread
        .iter()
        .map(|(kind, value)| (kind.as_str(), value.as_str()));
    let extra = extra
        .iter()
        .map(|field| (field.name.as_str(), field.value.as_str()));
    for (index, (name, value)) in unread.chain(extra).enumerate() {
        if !words.is_empty() {
            words.push_str(if index == 0 { "\n\n" } else { "\n" });
        }
        words.push_str(&text::line(name, 64));
        words.push_str(": ");
        words.push_str(value.trim());
    }
    clean::body(&words)
}

fn attributes(extra: &[&Field]) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for field in extra {
        attributes
            .entry(format!("form.{}", field.name))
            .or_insert_with(|| text::line(field.value.trim(), 200));
    }
    clean::attributes(attributes)
}
