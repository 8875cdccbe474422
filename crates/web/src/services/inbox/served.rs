//! The inbox as it is served: by generated code, but for the feed, whose answers come
//! encoded.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes};
use engine::Engine;
use http::{Request, Response};
use proto::inbox::v1::SubscribeRequest;
use proto::inbox::v1::inbox_server::InboxServer;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic_prost::ProstDecoder;
use tower::Service;

use super::{Answer, Feed, Service as Inbox, feed};

const SUBSCRIBE: &str = "/switchboard.inbox.v1.Inbox/Subscribe";

/// The inbox as a gRPC service.
#[derive(Clone)]
pub(in crate::services) struct Served {
    subscribe: Subscribe,
    rest: InboxServer<Inbox>,
}

#[derive(Clone)]
struct Subscribe {
    engine: Engine,
    beat_every: Duration,
}

impl Served {
    /// A feed says every so often that it is alive.
    pub(in crate::services) fn new(engine: &Engine, beat_every: Duration) -> Self {
        Self {
            subscribe: Subscribe {
                engine: engine.clone(),
                beat_every,
            },
            rest: InboxServer::new(Inbox(engine.clone())),
        }
    }
}

impl NamedService for Served {
    const NAME: &'static str = <InboxServer<Inbox> as NamedService>::NAME;
}

impl Service<Request<Body>> for Served {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.rest, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != SUBSCRIBE {
            return self.rest.call(request);
        }
        let subscribe = self.subscribe.clone();
        Box::pin(async move {
            Ok(Grpc::new(Encoded)
                .server_streaming(subscribe, request)
                .await)
        })
    }
}

impl ServerStreamingService<SubscribeRequest> for Subscribe {
    type Response = Bytes;
    type ResponseStream = Feed;
    type Future = Ready<Answer<Feed>>;

    fn call(&mut self, request: tonic::Request<SubscribeRequest>) -> Self::Future {
        ready(feed::subscribe(&self.engine, self.beat_every, request))
    }
}

/// Reads a request, and writes answers that are encoded already.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = SubscribeRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<SubscribeRequest>;

    fn encoder(&mut self) -> Self::Encoder {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, answer: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put_slice(&answer);
        Ok(())
    }
}
