//! `switchboard contacts …`

mod rows;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;

use super::admin::{Local, told, with_local};
use crate::cli::ContactsCommand;
use crate::config::Config;
use crate::out;

/// Rows of one call: what an interrupted import repeats at the most.
const CHUNK: usize = 1_000;

pub(super) fn run(config: Config, command: ContactsCommand) -> anyhow::Result<ExitCode> {
    match command {
        ContactsCommand::Import {
            file,
            dry_run,
            region,
            trusted,
            after,
        } => {
            let trust = if trusted {
                pb::Trust::Asserted
            } else {
                pb::Trust::Claimed
            };
            let rows = rows::read(&file, trust)?;
            with_local(config, async |local| {
                import(local, rows, after, &region, dry_run).await
            })
        }
        ContactsCommand::Export { file } => with_local(config, async |local| {
            export(local, file.as_deref()).await?;
            Ok(ExitCode::SUCCESS)
        }),
    }
}

async fn import(
    local: &Local,
    rows: Vec<rows::Row>,
    after: u64,
    region: &str,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let style = "{bar:40} {pos}/{len} rows, {per_sec}, {eta} left";
    let bar = ProgressBar::new(rows.len() as u64).with_style(ProgressStyle::with_template(style)?);
    let mut directory = ContactDirectoryClient::new(local.signed());
    let (mut created, mut matched, mut rejected) = (0, 0, 0);
    let (good, bad): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter(|row| row.number > after)
        .partition(|row| row.request.is_ok());
    for row in bad {
        if let Err(problem) = row.request {
            rejected += 1;
            bar.suspend(|| out::problem(format_args!("row {}: {problem}", row.number)));
        }
    }
    let mut done = after;
    for chunk in good.chunks(CHUNK) {
        let requests: Vec<_> = chunk
            .iter()
            .filter_map(|row| row.request.clone().ok())
            .map(|request| pb::ImportContactsRequest {
                default_region: region.to_owned(),
                dry_run,
                ..request
            })
            .collect();
        let call = directory.import_contacts(futures::stream::iter(requests));
        let report = call
            .await
            .map_err(told)
            .with_context(|| format!("the import stopped; go on with `--after {done}`"))?;
        let report = report.into_inner();
        created += report.created;
        matched += report.matched;
        rejected += report.rejected_count;
        for row in report.rejected {
            bar.suspend(|| out::problem(format_args!("row {}: {}", row.row, row.reason)));
        }
        done = chunk.last().map_or(done, |row| row.number);
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    let verb = if dry_run { "would be" } else { "were" };
    out::line(format_args!(
        "{created} contacts {verb} made, {matched} {verb} known, {rejected} rows {verb} rejected."
    ))?;
    Ok(if rejected == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn export(local: &Local, file: Option<&Path>) -> anyhow::Result<()> {
    let target: Box<dyn io::Write> = match file {
        Some(path) => Box::new(
            std::fs::File::create_new(path)
                .with_context(|| format!("writing {}", path.display()))?,
        ),
        None => Box::new(io::stdout()),
    };
    let mut writer = csv::Writer::from_writer(io::BufWriter::new(target));
    writer.write_record(["id", "name", "phone", "email", "locale", "identities"])?;
    let mut directory = ContactDirectoryClient::new(local.signed());
    let mut contacts = directory
        .export_contacts(pb::ExportContactsRequest::default())
        .await
        .map_err(told)?
        .into_inner();
    let bar = ProgressBar::new_spinner();
    while let Some(row) = contacts.message().await.map_err(told)? {
        let Some(contact) = row.contact else { continue };
        let profile = contact.profile.unwrap_or_default();
        let of = |kind: &str| {
            let values: Vec<&str> = contact
                .identities
                .iter()
                .filter(|identity| identity.kind == kind)
                .map(|identity| identity.value.as_str())
                .collect();
            values.join(" ")
        };
        let others: Vec<String> = contact
            .identities
            .iter()
            .filter(|identity| !matches!(identity.kind.as_str(), "phone" | "email"))
            .map(|identity| format!("{}:{}:{}", identity.kind, identity.issuer, identity.value))
            .collect();
        let cells = [
            contact.id.clone(),
            profile.display_name,
            of("phone"),
            of("email"),
            profile.locale,
            others.join(" "),
        ];
        writer.write_record(cells.map(|cell| rows::inert(&cell)))?;
        bar.inc(1);
    }
    writer.flush().context("writing the file")?;
    bar.finish_and_clear();
    writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?
        .flush()?;
    Ok(())
}
