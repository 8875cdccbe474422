//! The sections of which there is one each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::Millis;
use domain::operator::CapacityRules;
use engine::settings::{ContactsEndpoint, Limits};
use tracing_subscriber::EnvFilter;
use web::listen::{Tls, TrustedProxies};

use super::section::Section;
use super::value::{Bytes, Proxy, Typed as _, WebUrl, choice, wrong};

/// What the web server is told.
#[derive(Clone)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Where it is reached from outside, without a slash at the end.
    pub(crate) public_url: String,
    /// Our own TLS; none on loopback and behind a proxy.
    pub(crate) tls: Option<Tls>,
    /// Whose word on a client's address is taken.
    pub(crate) trusted_proxies: TrustedProxies,
}

/// What the log is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// How a line looks.
    pub(crate) format: LogFormat,
    /// What is logged, as `tracing_subscriber::EnvFilter` reads it.
    pub(crate) level: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object.
    Json,
}

pub(super) fn server(section: &mut Section<'_>) -> Option<Server> {
    let listen = section.read::<SocketAddr>("listen");
    let public_url = section.read::<WebUrl>("public_url");
    let proxies = section.read::<Vec<Proxy>>("trusted_proxies");
    let cert = section.read::<PathBuf>("tls_cert");
    let key = section.read::<PathBuf>("tls_key");
    let tls = match (&cert, &key) {
        (Some(cert), Some(key)) => Tls::load(cert, key)
            .map_err(|error| section.problem("tls_cert", &error.to_string()))
            .ok(),
        (None, None) => None,
        (Some(_), None) => {
            section.problem("tls_cert", "needs tls_key beside it");
            None
        }
        (None, Some(_)) => {
            section.problem("tls_key", "needs tls_cert beside it");
            None
        }
    };
    let (listen, proxies) = (listen?, proxies?);
    let is_encrypted = cert.is_some() || key.is_some();
    if !is_encrypted && !listen.ip().is_loopback() && proxies.is_empty() {
        let problem = "is reached from outside this machine without TLS; give tls_cert and \
                       tls_key, or name the proxy in front in trusted_proxies, or listen on \
                       127.0.0.1";
        section.problem("listen", problem);
    }
    if public_url.is_none() && listen.ip().is_unspecified() {
        let problem = "needs public_url beside it, the address by which browsers come";
        section.problem("listen", problem);
    }
    let scheme = if is_encrypted { "https" } else { "http" };
    let networks = proxies.iter().map(|Proxy(network)| network.as_str());
    Some(Server {
        listen,
        public_url: public_url.map_or_else(|| format!("{scheme}://{listen}"), |url| url.0),
        tls,
        trusted_proxies: TrustedProxies::parse(networks).ok()?,
    })
}

/// The database's file and the folder for attachments.
pub(super) fn store(section: &mut Section<'_>) -> Option<(PathBuf, PathBuf)> {
    let files = section.read::<PathBuf>("files");
    let path = section.read_with("url", |entry| {
        let url = String::read(entry)?;
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
            Some(("postgres" | "postgresql", _)) => wrong(
                entry,
                "PostgreSQL comes with a later release; use \"sqlite:data/switchboard.db\"",
            ),
            Some(_) | None => wrong(entry, "must be such as \"sqlite:data/switchboard.db\""),
        }
    })?;
    let files = files.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).join("files"));
    Some((path, files))
}

pub(super) fn coordination(section: &mut Section<'_>) -> Option<()> {
    section.read_with("url", |entry| match String::read(entry)?.as_str() {
        "local" => Ok(()),
        url if url.starts_with("redis") => wrong(
            entry,
            "several gateways and Redis come with a later release; use \"local\"",
        ),
        _ => wrong(entry, "must be \"local\""),
    })
}

pub(super) fn contacts(section: &mut Section<'_>) -> Option<ContactsEndpoint> {
    section.read_files();
    let token = section.read::<String>("token");
    let timeout = section.read::<Millis>("timeout");
    let endpoint = section.read_with("endpoint", |entry| match String::read(entry)?.as_str() {
        "built-in" => Ok(None),
        _ => WebUrl::read(entry).map(Some).or_else(|_| {
            let problem = "must be \"built-in\" or an address such as \"https://crm.example.com\"";
            wrong(entry, problem)
        }),
    })?;
    let timeout = timeout?;
    Some(match endpoint {
        None => ContactsEndpoint::BuiltIn,
        Some(WebUrl(url)) => ContactsEndpoint::Remote {
            url,
            token,
            timeout,
        },
    })
}

pub(super) fn limits(section: &mut Section<'_>) -> Option<Limits> {
    let journal_pending_max = section.read::<u32>("journal_pending_max");
    let attempts_max = section.read::<u32>("attempts_max");
    let attachment_bytes_max = section.read::<Bytes>("attachment_bytes_max");
    let disk_free_bytes_min = section.read::<Bytes>("disk_free_bytes_min");
    let acts_per_minute_max = section.read::<u32>("acts_per_minute_max");
    for (key, value) in [
        ("journal_pending_max", journal_pending_max),
        ("attempts_max", attempts_max),
        ("acts_per_minute_max", acts_per_minute_max),
    ] {
        if value == Some(0) {
            section.problem(key, "must be 1 or more");
        }
    }
    Some(Limits {
        journal_pending_max: usize::try_from(journal_pending_max?).ok()?,
        attempts_max: attempts_max?,
        attachment_bytes_max: attachment_bytes_max?.0,
        disk_free_bytes_min: disk_free_bytes_min?.0,
        acts_per_minute_max: acts_per_minute_max?,
    })
}

pub(super) fn capacity(section: &mut Section<'_>) -> Option<CapacityRules> {
    let cost = section.read("cost");
    let count_max = section.read("count_max");
    let blocked_while_on = section.read("blocked_while_on");
    let may_exceed = section.read::<bool>("may_exceed");
    Some(CapacityRules {
        cost: cost?,
        count_max: count_max?,
        blocked_while_on: blocked_while_on?,
        may_exceed: may_exceed?,
    })
}

pub(super) fn log(section: &mut Section<'_>) -> Option<Log> {
    const FORMATS: [(&str, LogFormat); 2] =
        [("human", LogFormat::Human), ("json", LogFormat::Json)];
    let format = section.read_with("format", |entry| choice(entry, &FORMATS));
    let level = section.read_with("level", |entry| {
        let level = String::read(entry)?;
        match EnvFilter::try_new(&level) {
            Ok(_) => Ok(level),
            Err(_) => wrong(
                entry,
                "must be error, warn, info, debug or trace, or by part: \"info,channels=debug\"",
            ),
        }
    });
    Some(Log {
        format: format?,
        level: level?,
    })
}
