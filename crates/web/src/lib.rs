//! The port: gRPC, the same contract as JSON and events, webhooks and pages, on
//! one address.

pub mod access;
mod assets;
pub mod convert;
mod gateway;
mod grpc;
mod headers;
pub mod health;
mod lean;
mod lifetime;
pub mod listen;
pub mod metrics;
pub mod origin;
pub mod routes;
pub mod services;
mod surface;
mod transcode;
pub mod webhooks;

pub use gateway::{Gateway, GatewayError};
pub use health::{Readiness, Reason};
pub use metrics::Metrics;
pub use origin::{CrossSite, PublicOrigin};
pub use surface::{Parts, SurfaceError, app};
pub use transcode::Limits;
