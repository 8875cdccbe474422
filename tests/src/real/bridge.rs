use std::collections::BTreeSet;

use proto::channels::v1 as pb;
use proto::channels::v1::channel_bridge_client::ChannelBridgeClient;
use proto::channels::v1::connect_request::Frame;
use proto::channels::v1::inbound::Content;
use proto::channels::v1::outbound::Action;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use super::gate::{Client, Gate, Lost};
use super::ledger::{Ledger, words};
use super::operator::signed;

/// The half of a bridge's program that brings events: one thread's, in order.
pub(super) struct Pusher {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) name: String,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    pub(super) unanswered: Option<u64>,
}

impl Client for Pusher {
    async fn connection(&mut self) -> Result<bool, Lost> {
        let mut bridge = ChannelBridgeClient::new(signed(&self.url, &self.token).await?);
        loop {
            let number = match self.unanswered {
                Some(number) => number,
                None if self.gate.is_draining() => return Ok(true),
                None => self.ledger.next(&self.name),
            };
            self.unanswered = Some(number);
            let text = words(&self.name, number);
            let event = pb::Inbound {
                line_id: "bridge".to_owned(),
                event_key: text.clone(),
                message_id: text.clone(),
                thread_key: self.name.clone(),
                content: Some(Content::Text(pb::Text {
                    plain: text,
                    ..Default::default()
                })),
                ..Default::default()
            };
            let request = pb::PushInboundRequest {
                inbound: Some(event),
            };
            match bridge.push_inbound(request).await {
                Ok(_) => {
                    self.ledger.acked(&self.name, number);
                    self.unanswered = None;
                }
                Err(status) if status.code() == Code::InvalidArgument => panic!("{status}"),
                Err(_) => return Err(Lost),
            }
        }
    }
}

/// The half that hands over what operators write: each hand-over once, however
/// often it is asked for.
pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) ledger: Ledger,
    pub(super) done: BTreeSet<String>,
}

impl Client for Receiver {
    async fn connection(&mut self) -> Result<bool, Lost> {
        let mut bridge = ChannelBridgeClient::new(signed(&self.url, &self.token).await?);
        let (frames, stream) = mpsc::channel(16);
        let hello = Frame::Hello(pb::ConnectHello {
            line_id: "bridge".to_owned(),
        });
        let request = |frame| pb::ConnectRequest { frame: Some(frame) };
        frames.send(request(hello)).await.map_err(|_| Lost)?;
        let connected = bridge.connect(ReceiverStream::new(stream)).await;
        let mut given = connected.map_err(|_| Lost)?.into_inner();
        loop {
            let next = given.message().await.map_err(|_| Lost)?.ok_or(Lost)?;
            let outbound = next.outbound.ok_or(Lost)?;
            assert!(matches!(outbound.action, Some(Action::Text(_))));
            if self.done.insert(outbound.id.clone()) {
                let message = outbound.id.split('-').next().and_then(|id| id.parse().ok());
                let mut books = self.ledger.books();
                let thread = books.bridged.entry(outbound.thread_key).or_default();
                thread.push(message.unwrap());
            }
            let receipt = Frame::Receipt(pb::Receipt {
                message_id: outbound.id.clone(),
                outbound_id: outbound.id,
                state: pb::DeliveryState::Sent.into(),
                ..Default::default()
            });
            frames.send(request(receipt)).await.map_err(|_| Lost)?;
        }
    }
}
