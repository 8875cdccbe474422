//! Query parameters as a request message.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Number, Value};

use super::error::Failure;

/// No request of the contract nests deeper.
const DEPTH_MAX: usize = 8;

/// A request as the query tells it.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// Connect's `?encoding=json&message=…`.
    Json(String),
    /// Fields by their JSON names, dotted where they nest.
    Fields(Value),
}

pub(super) fn to_json(input: &MessageDescriptor, query: &str) -> Result<Request, Failure> {
    let pairs: Vec<(String, String)> = pairs_of(query)?;
    if pairs.iter().any(|(name, _)| name == "encoding") {
        return message(&pairs).map(Request::Json);
    }
    let mut fields = Map::new();
    for (name, value) in &pairs {
        set(input, &mut fields, name, value)?;
    }
    Ok(Request::Fields(Value::Object(fields)))
}

fn pairs_of(query: &str) -> Result<Vec<(String, String)>, Failure> {
    let uri: http::Uri = format!("/?{query}")
        .parse()
        .map_err(|_| Failure::invalid("the query cannot be read"))?;
    axum::extract::Query::try_from_uri(&uri)
        .map(|query| query.0)
        .map_err(|_| Failure::invalid("the query cannot be read"))
}

fn message(pairs: &[(String, String)]) -> Result<String, Failure> {
    let mut text = "";
    let mut is_base64 = false;
    for (name, value) in pairs {
        match (name.as_str(), value.as_str()) {
            ("message", value) => text = value,
            ("base64", value) => is_base64 = value == "1",
            ("encoding", "json") | ("connect", "v1") | ("compression", "" | "identity") => {}
            (name, _) => {
                return Err(Failure::invalid(format!(
                    "the query parameter `{name}` is not taken like this"
                )));
            }
        }
    }
    if !is_base64 {
        return Ok(text.to_owned());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Failure::invalid("the query parameter `message` is not base64 of JSON"))
}

fn set(
    input: &MessageDescriptor,
    fields: &mut Map<String, Value>,
    name: &str,
    value: &str,
) -> Result<(), Failure> {
    let unknown = || Failure::invalid(format!("the query parameter `{name}` is not a field"));
    let path: Vec<_> = name.split('.').collect();
    let (leaf, parents) = path.split_last().ok_or_else(unknown)?;
    if parents.len() >= DEPTH_MAX {
        return Err(unknown());
    }
    let mut at = input.clone();
    let mut object = fields;
    for parent in parents {
        let field = find(&at, parent).ok_or_else(unknown)?;
        let Kind::Message(below) = field.kind() else {
            return Err(unknown());
        };
        if field.is_list() || field.is_map() {
            return Err(unknown());
        }
        at = below;
        let child = object
            .entry(field.json_name())
            .or_insert_with(|| Value::Object(Map::new()));
        object = child.as_object_mut().ok_or_else(unknown)?;
    }
    let field = find(&at, leaf).ok_or_else(unknown)?;
    if field.is_map() {
        return Err(unknown());
    }
    let scalar = scalar(&field, value);
    if field.is_list() {
        let list = object
            .entry(field.json_name())
            .or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().ok_or_else(unknown)?.push(scalar);
    } else if object
        .insert(field.json_name().to_owned(), scalar)
        .is_some()
    {
        return Err(Failure::invalid(format!(
            "the query parameter `{name}` is given twice"
        )));
    }
    Ok(())
}

fn find(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}

/// The value as JSON writes it; what does not fit its kind is left as text, which
/// the JSON reader then refuses by name.
fn scalar(field: &FieldDescriptor, value: &str) -> Value {
    let text = || Value::String(value.to_owned());
    match field.kind() {
        Kind::Bool => value.parse().map_or_else(|_| text(), Value::Bool),
        Kind::Enum(_) => value
            .parse::<i32>()
            .map_or_else(|_| text(), |number| Value::Number(Number::from(number))),
        Kind::Double
        | Kind::Float
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64
        | Kind::String
        | Kind::Bytes
        | Kind::Message(_) => text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(message: &str, query: &str, expect: Result<Request, &str>) {
        let contract = prost_reflect::DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let input = contract.get_message_by_name(message).unwrap();
        let seen = to_json(&input, query).map_err(|failure| failure.message);
        assert_eq!(seen, expect.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn puts_fields_together() {
        const RESOLVE: &str = "switchboard.contacts.v1.ResolveContactRequest";
        let fields = |json| Ok(Request::Fields(json));
        check(RESOLVE, "", fields(json!({})));
        check(
            RESOLVE,
            "source.lineId=site&defaultRegion=RU&profile.display_name=%D0%90%20%2B",
            fields(json!({
                "source": {"lineId": "site"},
                "defaultRegion": "RU",
                "profile": {"displayName": "А +"},
            })),
        );
        check(
            "switchboard.inbox.v1.SendMessageRequest",
            "uploadIds=a&uploadIds=b",
            fields(json!({"uploadIds": ["a", "b"]})),
        );
        let not_a_field = |name| format!("the query parameter `{name}` is not a field");
        check(RESOLVE, "nope=1", Err(&not_a_field("nope")));
        check(RESOLVE, "source.nope=1", Err(&not_a_field("source.nope")));
        check(
            RESOLVE,
            "identities.kind=x",
            Err(&not_a_field("identities.kind")),
        );
        check(
            RESOLVE,
            "profile.attributes.a=x",
            Err(&not_a_field("profile.attributes.a")),
        );
        let deep = "a.".repeat(10_000);
        check(RESOLVE, &format!("{deep}=1"), Err(&not_a_field(&deep)));
    }

    #[test]
    fn takes_a_connect_get() {
        const SUBSCRIBE: &str = "switchboard.inbox.v1.SubscribeRequest";
        let text = Ok(Request::Json("{\"cursor\":\"7\"}".to_owned()));
        let plain = "connect=v1&encoding=json&message=%7B%22cursor%22%3A%227%22%7D";
        check(SUBSCRIBE, plain, text);
        let text = Ok(Request::Json("{\"cursor\":\"7\"}".to_owned()));
        let encoded = "encoding=json&base64=1&message=eyJjdXJzb3IiOiI3In0";
        check(SUBSCRIBE, encoded, text);
        check(
            SUBSCRIBE,
            "encoding=proto&message=x",
            Err("the query parameter `encoding` is not taken like this"),
        );
    }
}
