//! The methods of the contract, by path.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

/// One method of the contract.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) path: Arc<str>,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    pub(crate) shape: Shape,
    /// Where the request of a stream says from where to resume.
    pub(crate) request_cursor: Option<FieldDescriptor>,
    /// Where each answer says from where to resume after it.
    pub(crate) response_cursor: Option<FieldDescriptor>,
}

/// Who sends how many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One request, one answer.
    Unary,
    /// One request, many answers.
    ServerStream,
    /// Many requests, one or many answers.
    ClientStream,
}

/// Every method, by path.
#[derive(Clone, Debug)]
pub(crate) struct Table(HashMap<Arc<str>, Arc<Method>>);

impl Table {
    pub(crate) fn new(contract: &DescriptorPool) -> Self {
        let methods = contract
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .map(|method| Method::new(&method))
            .map(|method| (method.path.clone(), Arc::new(method)))
            .collect();
        Self(methods)
    }

    pub(crate) fn find(&self, path: &str) -> Option<Arc<Method>> {
        self.0.get(path).cloned()
    }
}

impl Method {
    fn new(method: &MethodDescriptor) -> Self {
        let shape = match (method.is_client_streaming(), method.is_server_streaming()) {
            (false, false) => Shape::Unary,
            (false, true) => Shape::ServerStream,
            (true, _) => Shape::ClientStream,
        };
        Self {
            path: format!("/{}/{}", method.parent_service().full_name(), method.name()).into(),
            request_cursor: cursor(&method.input()),
            response_cursor: cursor(&method.output()),
            input: method.input(),
            output: method.output(),
            shape,
        }
    }
}

fn cursor(message: &MessageDescriptor) -> Option<FieldDescriptor> {
    message
        .get_field_by_name("cursor")
        .filter(|field| field.kind() == Kind::String && !field.is_list())
}
