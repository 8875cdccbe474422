//! `switchboard man`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::out;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .context("rendering the manual page")?;
    out::raw(&page).context("printing the manual page")?;
    Ok(ExitCode::SUCCESS)
}
