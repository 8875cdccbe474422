//! `switchboard doctor`

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use channels::{Check, Verdict};
use engine::settings::{ContactsEndpoint, Line};
use proto::admin::v1::admin_client::AdminClient;
use proto::admin::v1::{ListLinesRequest, ListLinesResponse, ListWebhooksRequest};
use store::AuditSeal;
use tonic::transport::Endpoint;

use super::admin::{told, with_local};
use crate::cli::DoctorArgs;
use crate::config::Config;
use crate::out;

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was told so far.
#[derive(Default)]
struct Report {
    sick: usize,
}

impl Report {
    fn judge(&mut self, what: &str, verdict: Verdict) -> anyhow::Result<()> {
        let (mark, detail) = match verdict {
            Verdict::Good(detail) => ("ok   ", detail),
            Verdict::Doubtful(detail) => ("NOTE ", detail),
            Verdict::Bad(problem) => {
                self.sick += 1;
                ("WRONG", problem)
            }
        };
        out::line(format_args!("{mark} {what}: {detail}"))?;
        Ok(())
    }

    fn tell(&mut self, what: &str, verdict: Result<String, String>) -> anyhow::Result<()> {
        self.judge(what, verdict.map_or_else(Verdict::Bad, Verdict::Good))
    }
}

/// Tries what is configured, a line each; exit 1 if anything is wrong.
pub(super) fn run(config: Config, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    report.tell("configuration", Ok("no problems".to_owned()))?;
    report.tell("clock", clock())?;
    report.tell("store", store(&config))?;
    report.tell("metrics", metrics(&config))?;
    report.tell("port", port(&config))?;
    report.tell("contacts", contacts(&config.settings.contacts)?)?;
    let configured = config.settings.lines.clone();
    let store_path = config.settings.store_path.clone();
    let (told, webhooks) = with_local(config, async |local| {
        let mut admin = AdminClient::new(local.signed());
        let lines = admin.list_lines(ListLinesRequest {}).await.map_err(told)?;
        let webhooks = admin.list_webhooks(ListWebhooksRequest {}).await;
        Ok((lines.into_inner(), webhooks.map_err(told)?.into_inner()))
    })?;
    // Read from the file itself, whatever serves it: a store of before has its chain now.
    report.tell("audit log", audit_log(&store_path, args.audit_seal))?;
    for line in &configured {
        let name = format!("line {} ({})", line.id, line.kind.descriptor.kind);
        report.tell(&name, status(line, &told))?;
        for Check { what, verdict } in tried(line)? {
            report.judge(&format!("line {}: {what}", line.id), verdict)?;
        }
    }
    for gone in told.unconfigured {
        let problem = format!(
            "not configured, and {} events wait for it: configure it again to have them processed",
            gone.waiting_count
        );
        report.tell(&format!("line {}", gone.line_id), Err(problem))?;
    }
    for webhook in &webhooks.webhooks {
        let verdict = super::webhooks::verdict(webhook);
        report.tell(&format!("webhook {}", webhook.id), verdict)?;
    }
    Ok(if report.sick == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How a line does in the gateway that runs.
fn status(line: &Line, told: &ListLinesResponse) -> Result<String, String> {
    let known = told.lines.iter().find(|known| {
        let known = known.line.as_ref();
        known.is_some_and(|known| known.id == line.id.as_str())
    });
    match known {
        Some(known) if known.status == "up" => Ok("up".to_owned()),
        Some(known) => Err(known.status.clone()),
        None => Ok("configured; the gateway is not running".to_owned()),
    }
}

/// What is found when a line's servers are tried from here.
fn tried(line: &Line) -> anyhow::Result<Vec<Check>> {
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(line.channel.check()))
}

/// A clock before this release was made is wrong.
fn clock() -> Result<String, String> {
    const RELEASED_MS: i64 = 1_793_000_000_000;
    let now = engine::clock::now().0;
    if now < RELEASED_MS {
        Err("it stands before this release was made: set the time, or start its service".to_owned())
    } else {
        Ok("plausible".to_owned())
    }
}

fn store(config: &Config) -> Result<String, String> {
    let path = &config.settings.store_path;
    if !path.exists() {
        return Ok(format!(
            "{} will be made at the first start",
            path.display()
        ));
    }
    store::check(path)
        .map(|()| format!("{} is whole", path.display()))
        .map_err(|error| error.to_string())
}

fn audit_log(path: &Path, kept: Option<AuditSeal>) -> Result<String, String> {
    let verdict = store::verify_audit(path, kept).map_err(|error| error.to_string())?;
    match verdict.problem {
        Some(problem) => Err(problem),
        None => Ok(format!(
            "whole; its seal, to be kept elsewhere, is {}",
            verdict.seal
        )),
    }
}

/// Counts again what the last days' events say, and compares.
fn metrics(config: &Config) -> Result<String, String> {
    const BACK: domain::Millis = domain::Millis::from_secs(3 * 86_400);
    let path = &config.settings.store_path;
    if !path.exists() {
        return Ok("nothing is counted yet".to_owned());
    }
    let found = store::compare_metrics(path, BACK).map_err(|error| error.to_string())?;
    let Some((key, kept, told)) = found.different.first() else {
        return Ok(format!(
            "{} counters of the last three days agree with the event log, {} it does not tell",
            found.equal, found.in_doubt
        ));
    };
    Err(format!(
        "{} counters do not agree with the event log; the first, of the hour from {} ms, line \
         {:?}, queue {:?}, operator {:?}: stored {kept:?}, the log says {told:?}. Please report it",
        found.different.len(),
        key.hour.start(),
        key.line,
        key.queue,
        key.operator
    ))
}

fn port(config: &Config) -> Result<String, String> {
    let listen = config.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => Ok(format!("{listen} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{listen} is in use; by this gateway if it runs"))
        }
        Err(error) => Err(format!("{listen}: {error}")),
    }
}

fn contacts(endpoint: &ContactsEndpoint) -> anyhow::Result<Result<String, String>> {
    let ContactsEndpoint::Remote { url, .. } = endpoint else {
        return Ok(Ok("built in".to_owned()));
    };
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(async {
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|error| format!("{url}: {error}"))?
            .connect_timeout(PATIENCE);
        match endpoint.connect().await {
            Ok(_) => Ok(format!(
                "{url} answers; `switchboard conformance contacts --endpoint {url}` checks how"
            )),
            Err(error) => Err(format!("{url} does not answer: {error}")),
        }
    }))
}
