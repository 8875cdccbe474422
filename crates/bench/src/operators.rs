//! People who answer, made for a workload.

use anyhow::Context as _;
use proto::admin::v1 as admin;
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;

use crate::gateway::{Gateway, Signed, queue};
use crate::watch::{Wanted, Watcher};

/// An operator of the queue `main`, whose stream is open.
pub(crate) struct Operator {
    pub(crate) inbox: InboxClient<Signed>,
    pub(crate) watcher: Watcher,
}

/// Makes operators, each with a connection and a stream that notes what becomes
/// theirs.
pub(crate) async fn sign_up(gateway: &Gateway, count: usize) -> anyhow::Result<Vec<Operator>> {
    let mut operators = Vec::with_capacity(count);
    for (id, mut inbox) in hire(gateway, count, 1).await? {
        let watcher = Watcher::open(&mut inbox, Wanted::Assigned(Some(id))).await?;
        operators.push(Operator { inbox, watcher });
    }
    Ok(operators)
}

/// Makes operators, each with a connection, who work for three of the queues.
pub(crate) async fn hire(
    gateway: &Gateway,
    count: usize,
    queues: usize,
) -> anyhow::Result<Vec<(String, InboxClient<Signed>)>> {
    let mut admin = gateway.admin().await?;
    let mut operators = Vec::with_capacity(count);
    for number in 0..count {
        let request = admin::CreateOperatorRequest {
            login: format!("operator-{number}"),
            password: "correct horse battery".to_owned(),
            display_name: format!("Operator {number}"),
            role: pb::Role::Operator.into(),
            queues: (0..)
                .zip(number..)
                .take(queues.min(3))
                .map(|(rank, number)| pb::Membership {
                    queue_id: queue(number % queues),
                    rank,
                    position: 0,
                })
                .collect(),
            ..Default::default()
        };
        let id = admin.create_operator(request).await?.into_inner().id;
        let request = admin::CreateTokenRequest {
            name: format!("bench {number}"),
            role: pb::Role::Operator.into(),
            operator_id: id.clone(),
            ..Default::default()
        };
        let token = admin.create_token(request).await?.into_inner().secret;
        operators.push((id, InboxClient::new(gateway.signed_with(token).await?)));
    }
    Ok(operators)
}

impl Operator {
    /// Says Ready.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        say_ready(&mut self.inbox.clone()).await
    }
}

/// Says Ready for whoever's connection it is.
pub(crate) async fn say_ready(inbox: &mut InboxClient<Signed>) -> anyhow::Result<()> {
    let request = pb::SetPresenceRequest {
        presence: pb::Presence::Ready.into(),
        ..Default::default()
    };
    let said = inbox.set_presence(request).await;
    said.context("making an operator ready")?;
    Ok(())
}
