//! `switchboard serve`

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use engine::Engine;
use store::Durability;
use store::faults::{self, Bug};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::listen::Options;
use web::{Gateway, Metrics};

use super::reload::Reloads;
use super::{Source, admin};
use crate::config::Config;
use crate::{out, telemetry};

pub(super) fn run(config: Config, source: Source) -> anyhow::Result<ExitCode> {
    let level = telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(serve(Reloads::new(config, source, level)))
}

async fn serve(mut reloads: Reloads) -> anyhow::Result<ExitCode> {
    // From the beginning: a signal that nobody listens for would end the process.
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let config = reloads.config().clone();
    let server = config.server;
    // The port first: a second start must not get as far as the store.
    let listener = TcpListener::bind(server.listen).await.with_context(|| {
        format!(
            "{} is taken: stop what listens there, or set [server] listen",
            server.listen
        )
    })?;
    let metrics = Metrics {
        handle: web::metrics::install()?,
        access: Arc::new(web::metrics::Asker::is_local),
    };
    let durability = if faults::is_planted(Bug::LazySync) {
        Durability::Normal
    } else {
        Durability::Full
    };
    let clock = engine::clock::steady();
    let engine = Engine::start_with(config.settings, clock, durability.into()).await?;
    let set_up = engine.open_set_up().await?;
    let options = Options {
        tls: server.tls,
        proxies: server.trusted_proxies,
        ..Options::default()
    };
    let gateway = Gateway::start(engine, listener, options, Some(metrics))?;
    web::webhooks::deliver(gateway.engine(), Arc::new(chance))?;
    admin::leave_note(gateway.engine(), gateway.address())?;
    greet(&server.public_url, set_up.as_deref())?;
    let stop = wait_for_stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            stopped = &mut stop => break stopped?,
            _ = hangup.recv() => reloads.reload(gateway.engine()).await,
        }
    }
    out::line("Stopping: no new work, what is under way finishes.")?;
    admin::take_note(gateway.engine());
    gateway.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// A number that nobody can foresee.
fn chance() -> u16 {
    let bytes = engine::people::random_bytes();
    u16::from_be_bytes([bytes[0], bytes[1]])
}

fn greet(public_url: &str, set_up: Option<&str>) -> anyhow::Result<()> {
    out::line(format_args!("Inbox      {public_url}/"))?;
    out::line(format_args!("Demo chat  {public_url}/demo"))?;
    if let Some(token) = set_up {
        out::line("")?;
        out::line("There is no admin yet. Open this link once to make the first one:")?;
        out::line(format_args!("  {public_url}/#setup={token}"))?;
    }
    out::line("")?;
    out::line("Ready. Ctrl+C stops.")?;
    Ok(())
}

async fn wait_for_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl+C")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
