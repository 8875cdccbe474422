//! The feed of one reader: what happens, as they may see it.

use std::time::Duration;

use domain::event::Cursor;
use engine::contacts::convert::timestamp;
use engine::{Actor, Engine, Step};
use futures::{Stream, StreamExt as _};
use proto::inbox::v1 as pb;
use tokio::sync::broadcast;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tonic::{Request, Response, Status};

use super::super::{caller, invalid, store_status};
use super::{Answer, Feed};
use crate::access::Caller;
use crate::convert::{Lens, event, typing};

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
) -> impl Stream<Item = Result<pb::SubscribeResponse, Status>> + Send {
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

fn ready(engine: &Engine, feed: &engine::Reader) -> pb::SubscribeResponse {
    pb::SubscribeResponse {
        cursor: feed.cursor().0.to_string(),
        step: Some(pb::subscribe_response::Step::Ready(pb::Ready {
            server_time: Some(timestamp(engine.now())),
        })),
    }
}

fn told(lens: &Lens, step: Step) -> Vec<pb::SubscribeResponse> {
    match step {
        Step::Events(events) => events
            .iter()
            .filter_map(|happened| {
                Some(pb::SubscribeResponse {
                    cursor: happened.cursor.0.to_string(),
                    step: Some(pb::subscribe_response::Step::Event(event(lens, happened)?)),
                })
            })
            .collect(),
        Step::Reset(cursor) => vec![pb::SubscribeResponse {
            cursor: cursor.0.to_string(),
            step: Some(pb::subscribe_response::Step::Reset(pb::Reset {
                reason: "the log does not reach back that far".to_owned(),
            })),
        }],
    }
}

fn typing_step(actor: &Actor, typed: &engine::Typing) -> Option<pb::SubscribeResponse> {
    actor
        .is_among(&typed.audience)
        .then(|| pb::SubscribeResponse {
            cursor: String::new(),
            step: Some(pb::subscribe_response::Step::Event(pb::Event {
                at: None,
                kind: Some(pb::event::Kind::Typing(typing(typed))),
            })),
        })
}
