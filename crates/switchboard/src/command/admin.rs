//! How commands reach the gateway's contract: the one that runs, by the secret it
//! leaves beside its store; else one started for as long as the command takes, so
//! that there is one way to do a thing.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use engine::Engine;
use tokio::net::TcpListener;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use web::Gateway;
use web::listen::Options;

use crate::config::Config;

/// The gateway's contract, with an admin's rights.
pub(super) struct Local {
    channel: Channel,
    bearer: Bearer,
    own: Option<Gateway>,
}

#[derive(Clone)]
pub(super) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Status::internal("the secret cannot be sent"))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// Where a running gateway leaves its address and secret.
fn note_path(store_path: &Path) -> PathBuf {
    store_path.with_extension("local")
}

/// Tells commands on this machine how to reach a gateway that has just started.
pub(super) fn leave_note(engine: &Engine, address: std::net::SocketAddr) -> anyhow::Result<()> {
    let path = note_path(&engine.settings().store_path);
    // A note of a gateway that was killed may have other rights.
    let _ = fs::remove_file(&path);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("writing {}", path.display()))?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    writeln!(file, "{address}\n{}", engine.local_secret())?;
    Ok(())
}

/// Takes the note away when the gateway stops.
pub(super) fn take_note(engine: &Engine) {
    let _ = fs::remove_file(note_path(&engine.settings().store_path));
}

impl Local {
    /// Reaches the gateway of this configuration.
    pub(super) async fn open(config: Config) -> anyhow::Result<Self> {
        if let Some(running) = Self::running(&config).await? {
            return Ok(running);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut settings = config.settings;
        // Nobody but this command comes in, and no line is connected.
        settings.public_url = format!("http://{address}");
        settings.lines.clear();
        let engine = Engine::start(settings, Arc::new(engine::clock::now)).await?;
        let bearer = Bearer(engine.local_secret().to_owned());
        let own = Gateway::start(engine, listener, Options::default(), None)?;
        Ok(Self {
            channel: connect(&format!("http://{address}")).await?,
            bearer,
            own: Some(own),
        })
    }

    async fn running(config: &Config) -> anyhow::Result<Option<Self>> {
        let Ok(note) = fs::read_to_string(note_path(&config.settings.store_path)) else {
            return Ok(None);
        };
        let mut lines = note.lines();
        let (Some(address), Some(secret)) = (lines.next(), lines.next()) else {
            return Ok(None);
        };
        if config.server.tls.is_some() {
            anyhow::bail!(
                "the gateway runs with TLS: stop it for this command, or use its API with a token"
            );
        }
        // A note without a gateway is one that was killed.
        let Ok(channel) = connect(&format!("http://{address}")).await else {
            return Ok(None);
        };
        Ok(Some(Self {
            channel,
            bearer: Bearer(secret.to_owned()),
            own: None,
        }))
    }

    /// What a client of a service is made from.
    pub(super) fn signed(&self) -> InterceptedService<Channel, Bearer> {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    /// Ends a gateway that was started for the command.
    pub(super) async fn close(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

async fn connect(url: &str) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(url.to_owned())?.connect().await?)
}

/// A refused call, in the gateway's words.
#[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(told)`")]
pub(super) fn told(status: Status) -> anyhow::Error {
    anyhow::anyhow!("{}", status.message())
}

/// Runs a command that needs the contract.
pub(super) fn with_local<T>(
    config: Config,
    command: impl AsyncFnOnce(&Local) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let local = Local::open(config).await?;
        let result = command(&local).await;
        local.close().await;
        result
    })
}
