//! A channel in another program: pushes what comes, over gRPC.

use domain::operator::Role;
use proto::channels::v1 as pb;
use proto::channels::v1::channel_bridge_client::ChannelBridgeClient;
use proto::contacts::v1 as contacts;
use tonic::Status;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;

use crate::TestGateway;
use crate::operator::{Bearer, Signed};

/// A program that serves the line `bridge`.
#[derive(Clone)]
pub struct Bridge {
    /// Its token.
    pub token: String,
    client: ChannelBridgeClient<Signed>,
}

impl Bridge {
    /// Makes a token for the line `bridge`, and connects.
    pub async fn connect(gateway: &TestGateway) -> Self {
        let lines = vec!["bridge".into()];
        let (_, token) = gateway
            .engine()
            .add_token(None, "bridge", Role::Operator, None, lines)
            .await
            .unwrap();
        let endpoint = Endpoint::from_shared(gateway.url()).unwrap();
        let channel = endpoint.connect().await.unwrap();
        let signed = InterceptedService::new(channel, Bearer(token.clone()));
        Self {
            token,
            client: ChannelBridgeClient::new(signed),
        }
    }

    /// Another connection of the same program.
    pub async fn again(&self, gateway: &TestGateway) -> Self {
        let endpoint = Endpoint::from_shared(gateway.url()).unwrap();
        let channel = endpoint.connect().await.unwrap();
        let signed = InterceptedService::new(channel, Bearer(self.token.clone()));
        Self {
            token: self.token.clone(),
            client: ChannelBridgeClient::new(signed),
        }
    }

    /// Somebody writes; true when it had been pushed before.
    pub async fn says(&self, who: &str, key: &str, text: &str) -> bool {
        self.push(message(who, key, text)).await.unwrap()
    }

    /// Pushes an event; true when it had been pushed before.
    pub async fn push(&self, inbound: pb::Inbound) -> Result<bool, Status> {
        let request = pb::PushInboundRequest {
            inbound: Some(inbound),
        };
        let answer = self.client.clone().push_inbound(request).await?;
        Ok(answer.into_inner().duplicate)
    }
}

/// A message of somebody, whom the platform vouches for.
pub fn message(who: &str, key: &str, text: &str) -> pb::Inbound {
    pb::Inbound {
        line_id: "bridge".to_owned(),
        event_key: format!("{who}:{key}"),
        message_id: format!("{who}:{key}"),
        thread_key: who.to_owned(),
        sender: Some(pb::Sender {
            identities: vec![contacts::Identity {
                kind: "bridge".to_owned(),
                issuer: "bridge".to_owned(),
                value: who.to_owned(),
                trust: contacts::Trust::Proven.into(),
            }],
            display_name: who.to_owned(),
            ..Default::default()
        }),
        content: Some(pb::inbound::Content::Text(pb::Text {
            plain: text.to_owned(),
            html: String::new(),
        })),
        ..Default::default()
    }
}
