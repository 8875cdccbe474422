//! Reads fields out of the bodies that pages send, within limits.

use serde_json::Value;

use super::submission::Field;
use crate::clean;

pub(super) const FIELDS_MAX: usize = 50;
pub(super) const NAME_BYTES_MAX: usize = 64;
pub(super) const VALUE_BYTES_MAX: usize = 16 << 10;

/// Why a body is not a submission, and on account of which field.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum FieldError {
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    #[error("at most {FIELDS_MAX} fields are taken")]
    TooMany,
    #[error("a field's name has to be 1 to {NAME_BYTES_MAX} bytes")]
    Name,
    #[error("a value is at most {VALUE_BYTES_MAX} bytes")]
    TooLong { field: String },
    #[error("a value has to be a text, a number, true, false or a list of them")]
    NotAValue { field: String },
}

impl FieldError {
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Self::TooLong { field } | Self::NotAValue { field } => Some(field),
            Self::Malformed(_) | Self::TooMany | Self::Name => None,
        }
    }
}

/// Adds a field, if it is one. Blank ones are not kept.
pub(super) fn add(fields: &mut Vec<Field>, name: &str, value: &str) -> Result<(), FieldError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(FieldError::Name);
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(FieldError::TooLong {
            field: name.to_owned(),
        });
    }
    if value.trim().is_empty() {
        return Ok(());
    }
    if fields.len() >= FIELDS_MAX {
        return Err(FieldError::TooMany);
    }
    fields.push(Field {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    Ok(())
}

/// Reads `{"name": "…", …}`.
pub(super) fn from_json(body: &[u8]) -> Result<Vec<Field>, FieldError> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| FieldError::Malformed(error.to_string()))?;
    let Value::Object(object) = value else {
        return Err(FieldError::Malformed(
            "it has to be a JSON object".to_owned(),
        ));
    };
    let mut fields = Vec::new();
    for (name, value) in object {
        add_json(&mut fields, &name, value, true)?;
    }
    Ok(fields)
}

fn add_json(
    fields: &mut Vec<Field>,
    name: &str,
    value: Value,
    list_allowed: bool,
) -> Result<(), FieldError> {
    match value {
        Value::Null => Ok(()),
        Value::Bool(value) => add(fields, name, if value { "true" } else { "false" }),
        Value::Number(value) => add(fields, name, &value.to_string()),
        Value::String(value) => add(fields, name, &value),
        Value::Array(values) if list_allowed => values
            .into_iter()
            .try_for_each(|value| add_json(fields, name, value, false)),
        Value::Array(_) | Value::Object(_) => Err(FieldError::NotAValue {
            field: name.chars().take(NAME_BYTES_MAX).collect(),
        }),
    }
}

/// Reads `name=…&email=…`.
pub(super) fn from_urlencoded(body: &[u8]) -> Result<Vec<Field>, FieldError> {
    let mut fields = Vec::new();
    for pair in body
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        add(&mut fields, &decode(name)?, &decode(value)?)?;
    }
    Ok(fields)
}

fn decode(encoded: &[u8]) -> Result<String, FieldError> {
    clean::percent_decode(encoded, true)
        .ok_or_else(|| FieldError::Malformed("it is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: Result<Vec<Field>, FieldError>, expect: &[(&str, &str)]) {
        let read = read.expect("readable");
        let pairs: Vec<(&str, &str)> = read
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str()))
            .collect();
        assert_eq!(pairs, expect);
    }

    #[test]
    fn bodies_become_fields() {
        check(
            from_urlencoded(b"name=Anna+B&email=a%40b.example&x=%D0%AF&x=2&empty=&&flag&bad=%zz%4"),
            &[
                ("name", "Anna B"),
                ("email", "a@b.example"),
                ("x", "Я"),
                ("x", "2"),
                ("bad", "%zz%4"),
            ],
        );
        check(
            from_json(br#"{"name":"A","n":1.50,"ok":true,"no":null,"list":["x","y"]}"#),
            &[
                ("list", "x"),
                ("list", "y"),
                ("n", "1.5"),
                ("name", "A"),
                ("ok", "true"),
            ],
        );
    }

    #[test]
    fn what_is_too_much_is_named() {
        let many = "f=1&".repeat(51);
        assert_eq!(from_urlencoded(many.as_bytes()), Err(FieldError::TooMany));
        let long = format!("message={}", "x".repeat(VALUE_BYTES_MAX + 1));
        assert_eq!(
            from_urlencoded(long.as_bytes()),
            Err(FieldError::TooLong {
                field: "message".to_owned()
            })
        );
        assert_eq!(from_urlencoded(b"=1"), Err(FieldError::Name));
        assert!(matches!(
            from_urlencoded(b"a=%ff"),
            Err(FieldError::Malformed(_))
        ));
        for nested in [r#"{"a":{}}"#, r#"{"a":[["x"]]}"#] {
            let read = from_json(nested.as_bytes());
            assert_eq!(
                read,
                Err(FieldError::NotAValue {
                    field: "a".to_owned()
                })
            );
        }
        let deep = "[".repeat(10_000);
        assert!(matches!(
            from_json(deep.as_bytes()),
            Err(FieldError::Malformed(_))
        ));
    }
}
