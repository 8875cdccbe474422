//! The caller: who they are, what is around them, whether they take work.

use domain::QueueId;
use engine::contacts::convert::timestamp;
use engine::{Engine, Settings};
use proto::inbox::v1 as pb;
use store::StoreError;
use tonic::{Request, Response};

use super::super::{caller, invalid, lens, operator, status, store_status};
use super::Answer;
use crate::convert::{Lens, known_queue, medium, presence_from};

pub(super) async fn get_me(
    engine: &Engine,
    request: Request<pb::GetMeRequest>,
) -> Answer<pb::GetMeResponse> {
    let caller = caller(&request)?;
    let lens = lens(engine, &caller);
    // The same throughout, also when a reload comes between.
    let settings = engine.settings();
    let (operators, tallies, blocks, mentions, cursor, oldest) = {
        let me = caller.actor.operator;
        let queues: Vec<QueueId> = queues_seen(&settings, &lens)
            .map(|queue| queue.id.clone())
            .collect();
        engine
            .read::<_, StoreError>(move |view| {
                let oldest = queues
                    .iter()
                    .map(|queue| view.oldest_waiting(queue))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok((
                    view.all_operators()?,
                    view.tallies()?,
                    view.block_count()?,
                    me.map_or(Ok(0), |me| view.unread_mentions(me))?,
                    view.last_cursor()?,
                    oldest,
                ))
            })
            .await
            .map_err(store_status)?
    };
    let me = caller.actor.operator;
    let queues = queues_seen(&settings, &lens)
        .zip(oldest)
        .map(|(queue, oldest)| {
            let waiting = tallies
                .iter()
                .find(|tally| tally.queue == queue.id)
                .map_or(0, |tally| tally.queued + tally.offered);
            pb::QueueSummary {
                waiting: i32::try_from(waiting).unwrap_or(i32::MAX),
                oldest_waiting_since: oldest.map(timestamp),
                ..known_queue(&settings, queue)
            }
        });
    Ok(Response::new(pb::GetMeResponse {
        operator: operators
            .iter()
            .find(|known| Some(known.id) == me)
            .map(|known| operator(&lens, known)),
        colleagues: operators
            .iter()
            .filter(|known| !known.disabled && Some(known.id) != me)
            .map(|known| operator(&lens, known))
            .collect(),
        queues: queues.collect(),
        other_queues: other_queues(&settings, &lens).collect(),
        lines: settings.lines.iter().map(line).collect(),
        server_time: Some(timestamp(lens.now)),
        cursor: cursor.0.to_string(),
        block_count: blocks,
        unread_mention_count: i32::try_from(mentions).unwrap_or(i32::MAX),
    }))
}

pub(super) async fn set_presence(
    engine: &Engine,
    request: Request<pb::SetPresenceRequest>,
) -> Answer<pb::Operator> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let presence = presence_from(request.presence(), request.away_reason.clone())
        .ok_or_else(|| invalid("presence", "give a presence"))?;
    let changed = engine
        .set_presence(
            &caller.actor,
            &request.client_id,
            presence,
            request.when_idle,
        )
        .await
        .map_err(status)?;
    Ok(Response::new(operator(&lens(engine, &caller), &changed)))
}

fn queues_seen<'a>(
    settings: &'a Settings,
    lens: &'a Lens,
) -> impl Iterator<Item = &'a engine::settings::Queue> {
    settings.queues.iter().filter(|queue| {
        lens.actor
            .queues()
            .is_none_or(|queues| queues.contains(&queue.id))
    })
}

fn other_queues(settings: &Settings, lens: &Lens) -> impl Iterator<Item = pb::QueueSummary> {
    let seen = lens.actor.queues();
    let all = settings.queues.iter();
    all.filter(move |queue| seen.is_some_and(|seen| !seen.contains(&queue.id)))
        .map(|queue| known_queue(settings, queue))
}

/// What people need to know of a line.
pub(in crate::services) fn line(line: &engine::Line) -> pb::LineSummary {
    let descriptor = line.kind.descriptor;
    pb::LineSummary {
        id: line.id.to_string(),
        display_name: line.display_name.clone(),
        channel: descriptor.kind.to_owned(),
        channel_name: descriptor.display_name.to_owned(),
        medium: medium(descriptor.medium).into(),
        capabilities: descriptor
            .capabilities
            .iter()
            .map(|capability| capability.name().to_owned())
            .collect(),
        text_length_max: i32::try_from(descriptor.text_length_max).unwrap_or(i32::MAX),
        attachment_bytes_max: i64::try_from(descriptor.attachment_bytes_max).unwrap_or(i64::MAX),
        addresses: line.channel.addresses(),
        reply_window_s: line
            .channel
            .reply_window()
            .map_or(0, |window| window.0 / 1_000),
    }
}
