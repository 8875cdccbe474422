//! `switchboard conformance …`: the cases stand in `engine::contacts::conformance`.

use std::process::ExitCode;

use anyhow::Context as _;
use engine::contacts::conformance::{Case, Verdict, check};
use engine::contacts::remote;

use crate::cli::ConformanceCommand;
use crate::out;

pub(super) fn run(command: ConformanceCommand) -> anyhow::Result<ExitCode> {
    let ConformanceCommand::Contacts { endpoint, token } = command;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(contacts(&endpoint, token.as_deref()))
}

async fn contacts(endpoint: &str, token: Option<&str>) -> anyhow::Result<ExitCode> {
    let transport = remote(endpoint, token).map_err(anyhow::Error::msg)?;
    let mut printed = Ok(());
    let cases = check(transport, |case| {
        if printed.is_ok() {
            printed = out::line(case);
        }
    })
    .await;
    printed.context("printing a case")?;
    let count = |is: fn(&Verdict) -> bool| {
        let verdicts = cases.iter().map(|Case { verdict, .. }| verdict);
        verdicts.filter(|verdict| is(verdict)).count()
    };
    let failed = count(|verdict| matches!(verdict, Verdict::Fail(_)));
    let passed = count(|verdict| matches!(verdict, Verdict::Pass(_)));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    out::line(format_args!(
        "{passed} passed, {failed} failed, {skipped} skipped"
    ))
    .context("printing the sum")?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
