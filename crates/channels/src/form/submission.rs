use domain::message::Attachment;
use domain::{LineId, Timestamp};
use serde::{Deserialize, Serialize};

/// What the journal keeps of a submission.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the field is called so in the form, too"
)]
pub(super) struct Submission {
    pub(super) submission_id: String,
    pub(super) line: LineId,
    pub(super) at: Timestamp,
    pub(super) fields: Vec<Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) attachments: Vec<Attachment>,
}

/// One filled field, in the order of the form.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

impl Submission {
    pub(super) fn event_key(&self) -> String {
        format!("f:{}", self.submission_id)
    }
}

/// The first value of a field that is not blank.
pub(super) fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .filter(|field| field.name == name)
        .map(|field| field.value.trim())
        .find(|value| !value.is_empty())
}

/// The canonical writing of a UUID; none when it is not one.
pub(super) fn uuid(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let hex = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (hex && lengths.eq([8, 4, 4, 4, 12])).then(|| text.to_ascii_lowercase())
}

/// A random UUID.
pub(super) fn random_uuid(random: [u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random[..16]);
    let number = u128::from_be_bytes(bytes);
    // Version 4, variant 1 (RFC 9562).
    let number = number & !(0xf000_u128 << 64) | 0x4000_u128 << 64;
    let number = number & !(0xc000_u128 << 48) | 0x8000_u128 << 48;
    let hex = format!("{number:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_uuid_is_one() {
        assert_eq!(
            random_uuid([0xff; 32]),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        assert_eq!(random_uuid([0; 32]), "00000000-0000-4000-8000-000000000000");
        assert!(uuid(&random_uuid([7; 32])).is_some());
        assert_eq!(uuid("0-0-0-0-0"), None);
        assert_eq!(uuid("gggggggg-0000-4000-8000-000000000000"), None);
    }
}
