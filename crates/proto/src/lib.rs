//! The contract as code: what `proto/switchboard/…` says, and nothing else.

#![expect(
    clippy::all,
    clippy::pedantic,
    reason = "generated; the documentation stands in the .proto files"
)]

/// Encoded `FileDescriptorSet` of every file of the contract, for reflection and
/// for the transcoder.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// People, tokens, lines, dead letters.
pub mod admin {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("switchboard.admin.v1");
    }
}

/// Inbound, Outbound, and the bridge.
pub mod channels {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("switchboard.channels.v1");
    }
}

/// The contact directory.
pub mod contacts {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("switchboard.contacts.v1");
    }
}

/// The operator's side.
pub mod inbox {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("switchboard.inbox.v1");
    }
}

/// Queues and decisions.
pub mod routing {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("switchboard.routing.v1");
    }
}
