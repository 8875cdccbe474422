//! Who a client is. The directory is a gRPC contract: the built-in one is called
//! through the very client that a remote one is called through, so nothing here
//! can tell them apart.

mod builtin;
pub mod conformance;
pub mod convert;
mod lookup;
pub(crate) mod reconcile;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::contacts::v1::contact_directory_server::ContactDirectoryServer;
use store::Store;
use tokio::sync::broadcast;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{ClientTlsConfig, Endpoint};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::Settings;
use crate::settings::ContactsEndpoint;

pub(crate) use lookup::{Asked, Found, named};

/// Who asks the directory, among a call's extensions: what is within one scope of
/// idempotency keys. The gateway's own calls have none.
#[derive(Clone, Debug)]
pub struct AskedBy(pub String);

/// How calls reach the directory.
pub type Transport = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// How long the built-in directory may take; only a store in trouble takes longer.
const BUILT_IN_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The contact directory.
#[derive(Clone)]
pub struct Directory {
    transport: Transport,
    timeout: Duration,
    /// The address of a remote one.
    url: Option<String>,
    breaker: Arc<lookup::Breaker>,
}

impl Directory {
    pub(crate) fn open(
        settings: &Settings,
        store: &Arc<Store>,
        changed: &broadcast::Sender<()>,
    ) -> Result<Self, String> {
        match &settings.contacts {
            ContactsEndpoint::BuiltIn => {
                let service = builtin::BuiltIn::new(Arc::clone(store), changed.clone());
                let server = ServiceExt::<http::Request<Body>>::map_err(
                    ContactDirectoryServer::new(service),
                    never,
                );
                Ok(Self {
                    transport: BoxCloneSyncService::new(server),
                    timeout: BUILT_IN_TIMEOUT,
                    url: None,
                    breaker: Arc::default(),
                })
            }
            ContactsEndpoint::Remote {
                url,
                token,
                timeout,
            } => {
                let timeout = Duration::from_millis(u64::try_from(timeout.0).unwrap_or(1));
                Ok(Self {
                    transport: remote(url, token.as_deref())?,
                    timeout,
                    url: Some(url.clone()),
                    breaker: Arc::default(),
                })
            }
        }
    }

    /// How calls reach it, for passing on the calls of others.
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// A client of it.
    pub fn client(&self) -> ContactDirectoryClient<Transport> {
        ContactDirectoryClient::new(self.transport())
    }

    /// After so long a message goes on without it.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The address of a remote one.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Whether somebody else serves it.
    pub fn is_remote(&self) -> bool {
        self.url.is_some()
    }
}

/// How calls reach a directory at an address, once there is a call.
pub fn remote(url: &str, token: Option<&str>) -> Result<Transport, String> {
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|error| format!("{url} is not an address: {error}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    if url.starts_with("https:") {
        endpoint = endpoint
            .tls_config(ClientTlsConfig::new().with_webpki_roots())
            .map_err(|error| error.to_string())?;
    }
    let bearer = token
        .map(|token| HeaderValue::from_str(&format!("Bearer {token}")))
        .transpose()
        .map_err(|_| "the token has characters that no header can carry".to_owned())?;
    let channel = endpoint
        .connect_lazy()
        .map_request(move |mut request: http::Request<Body>| {
            // The caller's own credentials are for us, not for the directory.
            request.headers_mut().remove(http::header::COOKIE);
            request.headers_mut().remove(http::header::AUTHORIZATION);
            if let Some(bearer) = &bearer {
                request
                    .headers_mut()
                    .insert(http::header::AUTHORIZATION, bearer.clone());
            }
            request
        })
        .map_err(|error: tonic::transport::Error| Status::from_error(Box::new(error)));
    Ok(BoxCloneSyncService::new(channel))
}

fn never(never: Infallible) -> Status {
    match never {}
}
