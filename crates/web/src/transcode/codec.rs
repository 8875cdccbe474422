//! JSON ↔ protobuf ↔ frames. gRPC and Connect frame a message alike: a byte of
//! flags, four bytes of length, the message.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::StatusCode;
use prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Deserializer;
use serde_json::Value;
use tonic::Code;

use super::error::Failure;

const PREFIX_BYTES: usize = 5;
const COMPRESSED: u8 = 0b01;

/// Reads canonical proto3 JSON. An empty body is an empty message. Depth is bounded
/// by `serde_json`, at 128.
pub(super) fn from_json(
    message: &MessageDescriptor,
    json: &[u8],
) -> Result<DynamicMessage, Failure> {
    if json.iter().all(u8::is_ascii_whitespace) {
        return Ok(DynamicMessage::new(message.clone()));
    }
    let mut source = serde_json::Deserializer::from_slice(json);
    let read = deserialize(message, &mut source)?;
    source.end().map_err(|error| unreadable(&error))?;
    Ok(read)
}

/// Reads what was put together from query parameters.
pub(super) fn from_value(
    message: &MessageDescriptor,
    json: Value,
) -> Result<DynamicMessage, Failure> {
    deserialize(message, json)
}

fn deserialize<'de, D>(message: &MessageDescriptor, source: D) -> Result<DynamicMessage, Failure>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(message.clone(), source, &options)
        .map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::invalid(format!("the request cannot be read: {error}"))
}

/// Reads an encoded answer of ours.
pub(super) fn from_proto(
    message: &MessageDescriptor,
    bytes: Bytes,
) -> Result<DynamicMessage, Failure> {
    DynamicMessage::decode(message.clone(), bytes)
        .map_err(|_| Failure::internal("the answer cannot be read"))
}

/// Writes canonical proto3 JSON.
pub(super) fn to_json(message: &DynamicMessage) -> Result<Vec<u8>, Failure> {
    let mut target = serde_json::Serializer::new(Vec::new());
    message
        .serialize_with_options(&mut target, &SerializeOptions::new())
        .map_err(|_| Failure::internal("the answer cannot be written as JSON"))?;
    Ok(target.into_inner())
}

/// Frames an encoded request for gRPC.
pub(super) fn to_grpc_frame(message: &DynamicMessage) -> Result<Bytes, Failure> {
    frame(0, &message.encode_to_vec())
}

/// Puts flags and length before a message.
pub(super) fn frame(flags: u8, message: &[u8]) -> Result<Bytes, Failure> {
    let length = u32::try_from(message.len())
        .map_err(|_| Failure::new(Code::ResourceExhausted, "the message is too large"))?;
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(flags);
    framed.put_u32(length);
    framed.put_slice(message);
    Ok(framed.freeze())
}

/// Takes the first whole message out of what has arrived so far.
pub(super) fn take_frame(
    arrived: &mut BytesMut,
    message_bytes_max: usize,
) -> Result<Option<(u8, Bytes)>, Failure> {
    let Some(prefix) = arrived.get(..PREFIX_BYTES) else {
        return Ok(None);
    };
    let (flags, mut length) = (prefix[0], &prefix[1..]);
    let length = usize::try_from(length.get_u32()).unwrap_or(usize::MAX);
    if length > message_bytes_max {
        return Err(too_large(message_bytes_max));
    }
    if flags & COMPRESSED != 0 {
        return Err(Failure::new(
            Code::Unimplemented,
            "compressed messages are not taken",
        ));
    }
    if arrived.len() < PREFIX_BYTES + length {
        return Ok(None);
    }
    arrived.advance(PREFIX_BYTES);
    Ok(Some((flags, arrived.split_to(length).freeze())))
}

pub(super) fn too_large(message_bytes_max: usize) -> Failure {
    Failure::new(
        Code::ResourceExhausted,
        format!("the message is larger than {message_bytes_max} bytes"),
    )
    .with_http_status(StatusCode::PAYLOAD_TOO_LARGE)
}
