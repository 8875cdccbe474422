//! The feed of one reader: what happens, as they may see it.

use std::time::Duration;

use bytes::Bytes;
use domain::event::Cursor;
use engine::contacts::convert::timestamp;
use engine::{Actor, Engine};
use futures::{Stream, StreamExt as _};
use prost::Message as _;
use proto::inbox::v1 as pb;
use proto::inbox::v1::subscribe_response::Step;
use tokio::sync::broadcast;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tonic::{Request, Response, Status};

use super::super::{caller, invalid, store_status};
use super::{Answer, Feed};
use crate::access::Caller;
use crate::convert::{Lens, Sight, event_as, sight, typing};

/// A feed that says every so often that it is alive.
pub(super) fn subscribe(
    engine: &Engine,
    beat_every: Duration,
    request: Request<pb::SubscribeRequest>,
) -> Answer<Feed> {
    let caller = caller(&request)?;
    let asked = request.into_inner().cursor;
    let cursor = if asked.is_empty() {
        None
    } else {
        let number = asked
            .parse()
            .map_err(|_| invalid("cursor", "not one of this server's"))?;
        Some(Cursor(number))
    };
    let feed = engine.read_feed(cursor);
    let opened = ready(engine, &feed);
    let typing = engine.watch_typing();
    let attending = caller.principal.operator.map(|me| engine.attend(me));
    let mut beats = tokio::time::interval_at(Instant::now() + beat_every, beat_every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let steps = follow(engine.clone(), caller, feed, typing, beats, attending);
    Ok(Response::new(Box::pin(
        futures::stream::once(async { Ok(opened) }).chain(steps),
    )))
}

/// The feed and typing as one stream, as their reader may see them. Rights are
/// looked at anew with every batch.
fn follow(
    engine: Engine,
    caller: Caller,
    feed: engine::Reader,
    typing_news: broadcast::Receiver<engine::Typing>,
    beats: Interval,
    attending: Option<engine::Attending>,
) -> impl Stream<Item = Result<Bytes, Status>> + Send {
    let begin = (feed, typing_news, beats, attending);
    let steps = futures::stream::try_unfold(
        begin,
        move |(mut feed, mut news, mut beats, attending)| {
            let (engine, caller) = (engine.clone(), caller.clone());
            async move {
                loop {
                    let answers = tokio::select! {
                        step = feed.next() => {
                            let step = step.map_err(store_status)?;
                            let actor = engine.actor(&caller.principal).await.map_err(store_status)?;
                            told(&Lens::new(&engine, &actor), step)
                        }
                        typed = news.recv() => match typed {
                            Ok(typed) => {
                                let actor =
                                    engine.actor(&caller.principal).await.map_err(store_status)?;
                                typing_step(&actor, &typed).into_iter().collect()
                            }
                            // What was missed is worth nothing any more.
                            Err(broadcast::error::RecvError::Lagged(_)) => Vec::new(),
                            Err(broadcast::error::RecvError::Closed) => return Ok(None),
                        },
                        _ = beats.tick() => vec![ready(&engine, &feed)],
                    };
                    if !answers.is_empty() {
                        return Ok::<_, Status>(Some((answers, (feed, news, beats, attending))));
                    }
                }
            }
        },
    );
    steps.flat_map(|answers| {
        futures::stream::iter(match answers {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(status) => vec![Err(status)],
        })
    })
}

fn ready(engine: &Engine, feed: &engine::Reader) -> Bytes {
    let ready = Step::Ready(pb::Ready {
        server_time: Some(timestamp(engine.now())),
    });
    answer(feed.cursor().0.to_string(), ready)
}

fn told(lens: &Lens, step: engine::Step) -> Vec<Bytes> {
    match step {
        engine::Step::Events(events) => {
            let seen = events.iter().filter_map(|told| seen(lens, told));
            seen.collect()
        }
        engine::Step::Reset(cursor) => {
            let reason = "the log does not reach back that far".to_owned();
            vec![answer(
                cursor.0.to_string(),
                Step::Reset(pb::Reset { reason }),
            )]
        }
    }
}

/// An event as its reader may see it, made once for all who see it alike.
fn seen(lens: &Lens, told: &engine::Told) -> Option<Bytes> {
    let sight = sight(lens, told)?;
    let make = || {
        let event = event_as(lens, told, sight);
        answer(told.cursor.0.to_string(), Step::Event(event))
    };
    Some(match sight {
        Sight::Shared(form) => told.shared(form, make),
        Sight::Own => make(),
    })
}

fn typing_step(actor: &Actor, typed: &engine::Typing) -> Option<Bytes> {
    actor.is_among(&typed.audience).then(|| {
        let event = pb::Event {
            at: None,
            kind: Some(pb::event::Kind::Typing(typing(typed))),
        };
        answer(String::new(), Step::Event(event))
    })
}

fn answer(cursor: String, step: Step) -> Bytes {
    let answer = pb::SubscribeResponse {
        cursor,
        step: Some(step),
    };
    answer.encode_to_vec().into()
}
