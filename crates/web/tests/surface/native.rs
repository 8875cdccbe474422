//! gRPC and gRPC-Web, and what gRPC tools expect.

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use prost::Message as _;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::contacts::v1::{Contact, GetContactRequest, WatchContactsRequest};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt as _;

use super::connections::Served;
use super::directory::change;
use super::{not_ready, post, surface};

fn contact(id: &str) -> GetContactRequest {
    GetContactRequest {
        contact_id: id.to_owned(),
    }
}

/// What every client of gRPC relies on, whatever carries it.
pub(crate) async fn check(served: &mut Served, channel: tonic::transport::Channel) {
    let mut client = ContactDirectoryClient::new(channel);
    let answer = client.get_contact(contact("c-1")).await.unwrap();
    assert_eq!(answer.into_inner().id, "c-1");
    let error = client.get_contact(contact("missing")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(error.get_details_error_info().unwrap().reason, "NO_CONTACT");

    let mut request = tonic::Request::new(contact("waits"));
    request.set_timeout(std::time::Duration::from_millis(400));
    let error = client.get_contact(request).await.unwrap_err();
    assert!(
        matches!(error.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{error}"
    );
    assert_eq!(served.opened.recv().await.unwrap().dropped.await, Ok(()));

    let watch = WatchContactsRequest::default();
    let mut stream = client.watch_contacts(watch).await.unwrap().into_inner();
    let opened = served.opened.recv().await.unwrap();
    opened.feed.send(Ok(change("7", "a"))).await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap().cursor, "7");
    drop(stream);
    assert_eq!(opened.dropped.await, Ok(()));
}

#[tokio::test]
async fn grpc_over_plain_http2() {
    let mut served = Served::plain().await;
    let channel = served.channel().await;
    check(&mut served, channel).await;
}

#[tokio::test]
async fn grpc_streams_end_when_the_gateway_stops() {
    let mut served = Served::plain().await;
    let mut client = ContactDirectoryClient::new(served.channel().await);
    let watch = WatchContactsRequest::default();
    let mut stream = client.watch_contacts(watch).await.unwrap().into_inner();
    let opened = served.opened.recv().await.unwrap();
    served.stopping.cancel();
    assert_eq!(
        stream.message().await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(opened.dropped.await, Ok(()));
    served.task.await.unwrap();
}

#[tokio::test]
async fn health_follows_readiness() {
    let served = Served::plain().await;
    let mut client = HealthClient::new(served.channel().await);
    let request = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let mut watch = client.watch(request("")).await.unwrap().into_inner();
    let serving = watch.message().await.unwrap().unwrap().status();
    assert_eq!(serving, ServingStatus::Serving);
    served.readiness.send_replace(not_ready());
    let serving = watch.message().await.unwrap().unwrap().status();
    assert_eq!(serving, ServingStatus::NotServing);
    let inbox = client
        .check(request("switchboard.inbox.v1.Inbox"))
        .await
        .unwrap();
    assert_eq!(inbox.into_inner().status(), ServingStatus::NotServing);
    let nobody = client.check(request("nobody")).await.unwrap_err();
    assert_eq!(nobody.code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_lists_the_contract() {
    let served = Served::plain().await;
    let mut client = ServerReflectionClient::new(served.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = futures::stream::iter([request]);
    let mut answers = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(names.contains(&"switchboard.inbox.v1.Inbox"), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

#[tokio::test]
async fn grpc_web_over_http1() {
    let message = contact("c-1").encode_to_vec();
    let request = [
        &[0, 0, 0, 0, u8::try_from(message.len()).unwrap()][..],
        &message,
    ]
    .concat();
    let request = post("GetContact", "application/grpc-web+proto", request);
    let response = surface().send(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "application/grpc-web+proto"
    );
    let mut body: Bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body.get_u8(), 0);
    let length = usize::try_from(body.get_u32()).unwrap();
    assert_eq!(Contact::decode(body.split_to(length)).unwrap().id, "c-1");
    assert_eq!(body.get_u8(), 0x80);
    let trailers = String::from_utf8_lossy(&body[4..]).into_owned();
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
}
