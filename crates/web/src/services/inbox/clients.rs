//! Who writes: what the directory knows of them, who is kept out, who may be whom.

use domain::ContactId;
use domain::conversation::Conversation;
use domain::identity::Identity;
use engine::contacts::convert::{identity, identity_from, timestamp};
use engine::{ActError, Engine};
use proto::inbox::v1 as pb;
use store::{Block, StoreError};
use tonic::{Request, Response, Status};

use super::super::{
    PAGE_DEFAULT, PAGE_MAX, caller, invalid, page_number, page_size, status, store_status,
};
use super::Answer;

pub(super) async fn block_identity(
    engine: &Engine,
    request: Request<pb::BlockIdentityRequest>,
) -> Answer<pb::Block> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let asked = given(request.identity.as_ref())?;
    let blocked = engine
        .block_identity(&caller.actor, &request.client_id, &asked, &request.reason)
        .await
        .map_err(status)?;
    Ok(Response::new(block(&blocked)))
}

pub(super) async fn unblock_identity(
    engine: &Engine,
    request: Request<pb::UnblockIdentityRequest>,
) -> Answer<pb::UnblockIdentityResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let asked = given(request.identity.as_ref())?;
    engine
        .unblock_identity(&caller.actor, &request.client_id, &asked)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::UnblockIdentityResponse {}))
}

pub(super) async fn list_blocks(
    engine: &Engine,
    request: Request<pb::ListBlocksRequest>,
) -> Answer<pb::ListBlocksResponse> {
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let offset = page_number(&request.page_token)?.unwrap_or(0).max(0);
    let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut blocks = engine
        .read::<_, StoreError>(move |view| view.blocks(offset, more))
        .await
        .map_err(store_status)?;
    let next_page_token = if blocks.len() > limit {
        (offset + more - 1).to_string()
    } else {
        String::new()
    };
    blocks.truncate(limit);
    Ok(Response::new(pb::ListBlocksResponse {
        blocks: blocks.iter().map(block).collect(),
        next_page_token,
    }))
}

pub(super) async fn dismiss_suggestion(
    engine: &Engine,
    request: Request<pb::DismissSuggestionRequest>,
) -> Answer<pb::DismissSuggestionResponse> {
    let text = request.into_inner().suggestion_id;
    let suggestion = text
        .parse()
        .map_err(|_| status(ActError::NotFound("suggestion")))?;
    engine
        .dismiss_suggestion(suggestion)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::DismissSuggestionResponse {}))
}

/// The contact as its directory has it now; what we know of it when the
/// directory cannot be asked.
pub(super) async fn contact(engine: &Engine, of: &Conversation) -> proto::contacts::v1::Contact {
    let client = &of.client;
    let known = engine.contact(&client.contact).await;
    known.unwrap_or_else(|| proto::contacts::v1::Contact {
        id: client.contact.to_string(),
        profile: Some(proto::contacts::v1::Profile {
            display_name: client.display_name.clone(),
            avatar_url: client.avatar_url.clone().unwrap_or_default(),
            ..Default::default()
        }),
        provisional: client.provisional,
        ..Default::default()
    })
}

pub(super) async fn summary(engine: &Engine, contact: &ContactId) -> pb::ContactSummary {
    let known = engine.contact(contact).await.unwrap_or_default();
    let profile = known.profile.unwrap_or_default();
    pb::ContactSummary {
        id: contact.to_string(),
        display_name: profile.display_name,
        avatar_url: profile.avatar_url,
        provisional: known.provisional,
        address: known
            .identities
            .first()
            .map(|identity| identity.value.clone())
            .unwrap_or_default(),
        known: true,
    }
}

fn given(asked: Option<&proto::contacts::v1::Identity>) -> Result<Identity, Status> {
    asked
        .map(identity_from)
        .ok_or_else(|| invalid("identity", "give one"))
}

fn block(block: &Block) -> pb::Block {
    pb::Block {
        identity: Some(identity(&block.identity)),
        reason: block.reason.clone(),
        operator_id: block
            .operator
            .map(|operator| operator.to_string())
            .unwrap_or_default(),
        blocked_at: Some(timestamp(block.at)),
    }
}
