//! What a stranger is told of the services.

use std::collections::BTreeSet;

use e2e::TestGateway;
use tonic::transport::{Channel, Endpoint};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use web::access::{OPEN, TABLE};

async fn reflect(channel: &Channel, what: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(what),
    };
    let mut client = ServerReflectionClient::new(channel.clone());
    let asked = tokio_stream::iter([request]);
    let answers = client.server_reflection_info(asked).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    answer.message_response.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_tells_everybody_the_public_contract_and_nothing_else() {
    let gateway = TestGateway::start().await;
    let endpoint = Endpoint::from_shared(gateway.url()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let listed = reflect(&channel, MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(listed) = listed else {
        panic!("{listed:?}")
    };
    let listed: BTreeSet<String> = listed.service.into_iter().map(|found| found.name).collect();
    let contract = TABLE.iter().map(|(service, _)| *service);
    // Each version of reflection tells of itself alone.
    let open = OPEN
        .iter()
        .copied()
        .filter(|name| !name.contains("v1alpha"));
    let expected: BTreeSet<String> = contract.chain(open).map(str::to_owned).collect();
    assert_eq!(listed, expected);
    let inbox = MessageRequest::FileContainingSymbol("switchboard.inbox.v1.Inbox".to_owned());
    let told = reflect(&channel, inbox).await;
    assert!(
        matches!(told, MessageResponse::FileDescriptorResponse(_)),
        "{told:?}"
    );
}
