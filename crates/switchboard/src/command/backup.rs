//! `switchboard backup`, `switchboard restore`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::Config;
use crate::out;

pub(super) fn backup(config: &Config, target: &Path) -> anyhow::Result<ExitCode> {
    let source = &config.settings.store_path;
    store::backup(source, target).with_context(|| format!("backing up {}", source.display()))?;
    let bytes = std::fs::metadata(target).map_or(0, |facts| facts.len());
    out::line(format_args!(
        "{}: {bytes} bytes, whole and checked. Files of clients stand in {} and are to be copied \
         beside it.",
        target.display(),
        config.settings.files_path.display(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(config: &Config, source: &Path) -> anyhow::Result<ExitCode> {
    let target = &config.settings.store_path;
    let kept = store::restore(source, target)
        .with_context(|| format!("restoring {}", source.display()))?;
    out::line(format_args!("{} is restored.", target.display()))?;
    if let Some(kept) = kept {
        out::line(format_args!(
            "The store so far is kept as {}.",
            kept.display()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
