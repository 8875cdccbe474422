//! Messages written, changed, read, and what is not sent yet.

use domain::message::Message;
use engine::act::{NewLetter, NewMessage};
use engine::{ActError, Engine};
use proto::inbox::v1 as pb;
use tonic::{Request, Response, Status};

use super::super::{caller, id, lens, optional_id, status};
use super::Answer;
use crate::access::Caller;
use crate::convert::{address_from, message};

pub(super) async fn send_message(
    engine: &Engine,
    request: Request<pb::SendMessageRequest>,
) -> Answer<pb::Message> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let new = NewMessage {
        conversation: id(&request.conversation_id, "conversation")?,
        text: request.text,
        upload_ids: request.upload_ids,
        reply_to: optional_id(&request.reply_to_message_id, "message")?,
        client_id: request.client_id,
        // What is no id names nothing.
        canned_replies: request
            .canned_reply_ids
            .iter()
            .map(|id| id.parse().unwrap_or(0))
            .collect(),
        letter: request.letter.map(letter).transpose()?,
    };
    let written = engine.send_message(&caller.actor, new).await;
    told(engine, &caller, written)
}

fn letter(letter: pb::LetterToSend) -> Result<NewLetter, Status> {
    let addresses = |list: Vec<_>| list.into_iter().map(address_from).collect();
    Ok(NewLetter {
        subject: letter.subject,
        to: addresses(letter.to),
        cc: addresses(letter.cc),
        forwarded: optional_id(&letter.forwarded_message_id, "message")?,
    })
}

pub(super) async fn edit_message(
    engine: &Engine,
    request: Request<pb::EditMessageRequest>,
) -> Answer<pb::Message> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.message_id, "message")?;
    let written = engine
        .edit_message(&caller.actor, &request.client_id, wanted, &request.text)
        .await;
    told(engine, &caller, written)
}

pub(super) async fn delete_message(
    engine: &Engine,
    request: Request<pb::DeleteMessageRequest>,
) -> Answer<pb::Message> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.message_id, "message")?;
    let written = engine
        .delete_message(&caller.actor, &request.client_id, wanted)
        .await;
    told(engine, &caller, written)
}

pub(super) async fn react(
    engine: &Engine,
    request: Request<pb::ReactRequest>,
) -> Answer<pb::Message> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.message_id, "message")?;
    let written = engine
        .react(&caller.actor, &request.client_id, wanted, &request.emoji)
        .await;
    told(engine, &caller, written)
}

pub(super) async fn add_note(
    engine: &Engine,
    request: Request<pb::AddNoteRequest>,
) -> Answer<pb::Message> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    let named = request
        .mentioned_operator_ids
        .iter()
        .map(|named| id(named, "operator"))
        .collect::<Result<Vec<_>, _>>()?;
    let written = engine
        .add_note(
            &caller.actor,
            &request.client_id,
            wanted,
            &request.text,
            &named,
        )
        .await;
    told(engine, &caller, written)
}

pub(super) async fn mark_read(
    engine: &Engine,
    request: Request<pb::MarkReadRequest>,
) -> Answer<pb::MarkReadResponse> {
    let caller = caller(&request)?;
    let wanted = id(&request.into_inner().conversation_id, "conversation")?;
    engine
        .mark_read(&caller.actor, wanted)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::MarkReadResponse {}))
}

pub(super) async fn set_typing(
    engine: &Engine,
    request: Request<pb::SetTypingRequest>,
) -> Answer<pb::SetTypingResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    engine
        .set_typing(&caller.actor, wanted, request.active)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::SetTypingResponse {}))
}

pub(super) async fn save_draft(
    engine: &Engine,
    request: Request<pb::SaveDraftRequest>,
) -> Answer<pb::SaveDraftResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    engine
        .save_draft(&caller.actor, wanted, &request.text)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::SaveDraftResponse {}))
}

fn told(
    engine: &Engine,
    caller: &Caller,
    written: Result<Message, ActError>,
) -> Answer<pb::Message> {
    let lens = lens(engine, caller);
    written
        .map(|written| Response::new(message(&lens, &written)))
        .map_err(status)
}
