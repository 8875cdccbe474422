//! Messages written, changed, read, and what is not sent yet.

use domain::message::{FilledTemplate, Message, Template, TemplateVariable};
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
        buttons: request.buttons,
        template: request.template.map(filled),
    };
    let written = engine.send_message(&caller.actor, new).await;
    told(engine, &caller, written)
}

fn filled(template: pb::TemplateToSend) -> FilledTemplate {
    FilledTemplate {
        name: template.name,
        language: template.language,
        values: template.values.into_iter().collect(),
    }
}

pub(super) async fn list_templates(
    engine: &Engine,
    request: Request<pb::ListTemplatesRequest>,
) -> Answer<pb::ListTemplatesResponse> {
    let caller = caller(&request)?;
    let line = request.into_inner().line_id;
    let told = engine.templates(&caller.actor, &line.as_str().into()).await;
    let told = told.map_err(status)?;
    let templates = told.iter().map(template).collect();
    Ok(Response::new(pb::ListTemplatesResponse { templates }))
}

fn template(template: &Template) -> pb::Template {
    let variable = |variable: &TemplateVariable| pb::TemplateVariable {
        id: variable.id.clone(),
        example: variable.example.clone(),
    };
    pb::Template {
        name: template.name.clone(),
        language: template.language.clone(),
        category: template.category.clone(),
        text: template.text.clone(),
        variables: template.variables.iter().map(variable).collect(),
        buttons: template.buttons.clone(),
        takes_file: template.file.is_some(),
        file_kind: template.file.unwrap_or_default().to_owned(),
    }
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
