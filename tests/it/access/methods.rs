//! Every method of the contract.

use std::collections::BTreeSet;

use ::http::uri::PathAndQuery;
use e2e::http;
use e2e::operator::Bearer;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::json;
use tonic::Status;
use tonic::client::Grpc;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use web::access::access_of;

use super::{Caller, house};

/// Whether the gate, and not what is behind it, refused.
fn is_gate(code: &str, text: &str) -> bool {
    matches!(code, "unauthenticated") && text.starts_with("sign in, or")
        || matches!(code, "permission_denied") && text.starts_with("this needs ")
}

/// Asks one method with an empty request; the code and text of a refusal.
async fn knock(
    url: &str,
    channel: &Channel,
    method: &MethodDescriptor,
    caller: &Caller,
) -> (String, String) {
    let name = format!("{}/{}", method.parent_service().full_name(), method.name());
    if !method.is_client_streaming() && !method.is_server_streaming() {
        let answer = http::call(url, &name, caller.token.as_deref(), &json!({})).await;
        assert!(answer.status != 500, "{name}: {}", answer.text());
        let text = answer.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        return (answer.code(), text);
    }
    // Of a stream only its head matters here.
    let bearer = Bearer(caller.token.clone().unwrap_or_default());
    let mut grpc = Grpc::new(InterceptedService::new(channel.clone(), bearer));
    grpc.ready().await.unwrap();
    let path: PathAndQuery = format!("/{name}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let asked = tonic::Request::new(tokio_stream::iter(vec![()]));
    match grpc.streaming(asked, path, codec).await {
        Ok(_) => Default::default(),
        Err(status) => (code_name(&status), status.message().to_owned()),
    }
}

/// As the Connect protocol writes it.
fn code_name(status: &Status) -> String {
    let mut name = String::new();
    for c in format!("{:?}", status.code()).chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_admits_whom_the_table_says() {
    let house = house().await;
    let url = house.gateway.url();
    let endpoint = Endpoint::from_shared(url.clone()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let contract = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let (mut cells, mut unexpected) = (0, Vec::new());
    for service in contract.services() {
        for method in service.methods() {
            // Signing out would change who the next caller is.
            let goes_last = method.name() == "Logout";
            let path = format!("/{}/{}", service.full_name(), method.name());
            let access = access_of(&path)
                .unwrap_or_else(|| panic!("{path} has no row in web::access::TABLE"));
            for caller in &house.callers {
                if goes_last && caller.may(access) {
                    continue;
                }
                let (code, text) = knock(&url, &channel, &method, caller).await;
                cells += 1;
                let admitted = !is_gate(&code, &text);
                let broken = matches!(code.as_str(), "internal" | "unknown" | "unimplemented");
                if admitted != caller.may(access) || broken {
                    unexpected.push(format!("{path} for {}: {code} {text}", caller.name));
                }
            }
        }
    }
    let logout = "switchboard.admin.v1.Admin/Logout";
    for caller in house
        .callers
        .iter()
        .filter(|caller| caller.rights.is_some())
    {
        let answer = http::call(&url, logout, caller.token.as_deref(), &json!({})).await;
        cells += 1;
        if answer.status != 200 {
            unexpected.push(format!("Logout for {}", caller.name));
        }
    }
    println!("cells {cells}, unexpected {}", unexpected.len());
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    for (service, methods) in web::access::TABLE {
        let known = contract.get_service_by_name(service).unwrap();
        let known: BTreeSet<String> = known.methods().map(|m| m.name().to_owned()).collect();
        for (method, _) in *methods {
            assert!(
                known.contains(*method),
                "{service}/{method} is not in the contract"
            );
        }
    }
}
