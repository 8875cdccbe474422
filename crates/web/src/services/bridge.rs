//! Channels in other programs.

use std::pin::Pin;

use channels::Envelope;
use channels::host::{Accepted, Refused};
use domain::LineId;
use engine::Engine;
use engine::serving::Served;
use engine::uploads::Viewer;
use futures::Stream;
use proto::channels::v1 as pb;
use proto::channels::v1::channel_bridge_server::ChannelBridge;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{caller, invalid};
use crate::access::Caller;
use crate::convert::{inbound_from, outbound, receipt_from};

/// What waits in the stream itself; the uplink bounds what waits before it.
const STREAM_MAX: usize = 4;

pub(super) struct Service(pub(super) Engine);

impl Service {
    /// The line, if the caller may bridge it and it is one to bridge.
    fn line(&self, caller: &Caller, id: &str) -> Result<Served, Status> {
        let id = LineId::from(id);
        if !caller.principal.bridge_lines.contains(&id) {
            return Err(Status::permission_denied(format!(
                "this token may not bridge the line {id}"
            )));
        }
        let serving = self.0.serving();
        let served = serving
            .line(&id)
            .ok_or_else(|| Status::not_found(format!("there is no line {id}")))?;
        if served.line.channel.uplink().is_none() {
            return Err(Status::failed_precondition(format!(
                "the line {id} is served by this gateway itself: give it `channel = \"bridge\"`"
            )));
        }
        Ok(served.clone())
    }
}

#[tonic::async_trait]
impl ChannelBridge for Service {
    type ConnectStream = Pin<Box<dyn Stream<Item = Result<pb::ConnectResponse, Status>> + Send>>;

    async fn push_inbound(
        &self,
        request: Request<pb::PushInboundRequest>,
    ) -> Result<Response<pb::PushInboundResponse>, Status> {
        let caller = caller(&request)?;
        let event = request
            .into_inner()
            .inbound
            .ok_or_else(|| invalid("inbound", "give the event"))?;
        let line = self.line(&caller, &event.line_id)?.line.id.clone();
        let event = inbound_from(event).map_err(|problem| invalid("inbound", problem))?;
        let raw = serde_json::to_vec(&event)
            .map_err(|error| invalid("inbound", format!("it cannot be kept: {error}")))?;
        let envelope = Envelope {
            event_key: event.event_key,
            raw: raw.into(),
            rest: None,
        };
        match self.0.accept(&line, envelope).await {
            Ok(accepted) => Ok(Response::new(pb::PushInboundResponse {
                duplicate: accepted == Accepted::Duplicate,
            })),
            Err(refused @ Refused::Busy { .. }) => Err(Status::unavailable(refused.to_string())),
            Err(Refused::Invalid(problem)) => Err(invalid("inbound", problem)),
        }
    }

    async fn connect(
        &self,
        request: Request<Streaming<pb::ConnectRequest>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let caller = caller(&request)?;
        let mut frames = request.into_inner();
        let hello = match frames.message().await?.and_then(|first| first.frame) {
            Some(pb::connect_request::Frame::Hello(hello)) => hello,
            Some(pb::connect_request::Frame::Receipt(_)) | None => {
                return Err(invalid("hello", "send hello with a line_id first"));
            }
        };
        let Served { line, stop, .. } = self.line(&caller, &hello.line_id)?;
        let uplink = line
            .channel
            .uplink()
            .ok_or_else(|| Status::failed_precondition("the line has no uplink"))?;
        let mut connection = uplink.attach();
        let (frames_out, stream) = mpsc::channel(STREAM_MAX);
        let engine = self.0.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    next = connection.outbound.recv() => {
                        let Some(next) = next else {
                            let reason = Status::aborted("another program serves the line now");
                            // The program may have gone first.
                            let _ = frames_out.send(Err(reason)).await;
                            return;
                        };
                        let viewer = Viewer::Client {
                            line: next.line.clone(),
                            thread_key: next.recipient.thread_key.clone(),
                        };
                        let public_url = engine.settings().public_url.clone();
                        let frame = pb::ConnectResponse {
                            outbound: Some(outbound(&next, |file| {
                                format!("{public_url}{}", engine.sign_file_link(&viewer, file))
                            })),
                        };
                        if frames_out.send(Ok(frame)).await.is_err() {
                            return;
                        }
                    }
                    frame = frames.message() => {
                        let Ok(Some(frame)) = frame else { return };
                        if let Some(pb::connect_request::Frame::Receipt(receipt)) = frame.frame {
                            let id = receipt.outbound_id.clone();
                            connection.receipts.answer(&id, receipt_from(receipt));
                        }
                    }
                    () = stop.cancelled() => {
                        let reason = Status::unavailable("the line has changed: connect again");
                        let _ = frames_out.send(Err(reason)).await;
                        return;
                    }
                    () = frames_out.closed() => return,
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}
