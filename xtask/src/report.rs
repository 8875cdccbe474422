//! Runs steps, shows what they print as they print it, counts, and sums up.

use std::fmt::Display;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Results of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// What a step says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts only if it fails.
    Preparation,
    /// Is one test.
    Check,
    /// Prints how many tests it ran.
    Tests(Runner),
}

/// Whose words tell how many tests ran. What a failed test printed may contain
/// another runner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo nextest run`.
    Nextest,
    /// `cargo test`.
    Cargo,
    /// Anything that prints TAP.
    Tap,
}

/// What was done so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<String>,
    installed: Vec<String>,
    skipped: Vec<String>,
    counts: Counts,
}

impl Report {
    /// Runs a command as a step; false if it failed.
    pub(crate) fn run(
        &mut self,
        name: &str,
        kind: Kind,
        command: &mut Command,
    ) -> anyhow::Result<bool> {
        say(format_args!("\n=== {name}"));
        let start = now();
        let (status, printed) = run(command, kind).with_context(|| format!("running {name}"))?;
        Ok(self.done(name, kind, status.success(), printed, start.elapsed()))
    }

    /// Runs a command that may fail; what cannot be done then is skipped by name.
    pub(crate) fn attempt(&mut self, name: &str, command: &mut Command) -> bool {
        say(format_args!("\n=== {name}"));
        let start = now();
        let success = run(command, Kind::Preparation).is_ok_and(|(status, _)| status.success());
        let took = start.elapsed().as_secs_f64();
        self.steps.push(format!("       {took:>7.1} s  {name}"));
        success
    }

    /// Takes the result of a step that is no command.
    pub(crate) fn done(
        &mut self,
        name: &str,
        kind: Kind,
        success: bool,
        mut counts: Counts,
        took: Duration,
    ) -> bool {
        match kind {
            Kind::Preparation => counts = Counts::default(),
            Kind::Check => {
                counts = Counts {
                    passed: u64::from(success),
                    ..Counts::default()
                }
            }
            Kind::Tests(_) => {}
        }
        if !success && counts.failed == 0 {
            counts.failed = 1;
        }
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
        let mark = if success { "ok    " } else { "FAILED" };
        let line = format!("{mark} {:>7.1} s  {name}", took.as_secs_f64());
        say(&line);
        self.steps.push(line);
        success
    }

    /// Notes what was not done, and why.
    pub(crate) fn skip(&mut self, name: &str, reason: impl Display) {
        say(format_args!("\n=== {name}\nskipped: {reason}"));
        self.counts.skipped += 1;
        self.skipped.push(format!("{name}: {reason}"));
    }

    /// Notes what was installed.
    pub(crate) fn installed(&mut self, what: impl Into<String>) {
        self.installed.push(what.into());
    }

    /// Prints the summary. Its last line is read by programs.
    pub(crate) fn finish(self) -> ExitCode {
        let Counts {
            passed,
            failed,
            skipped,
        } = self.counts;
        say("\n=== Summary");
        self.steps.iter().for_each(say);
        for (title, lines) in [("installed", &self.installed), ("skipped", &self.skipped)] {
            for line in lines {
                say(format_args!("{title}: {line}"));
            }
        }
        say(format_args!(
            "{passed} passed, {failed} failed, {skipped} skipped"
        ));
        ExitCode::from(u8::from(failed > 0))
    }
}

/// Prints a line. A closed standard output is no reason to stop a test run.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// The time, for telling how long a step took.
#[expect(
    clippy::disallowed_methods,
    reason = "measures a chore, decides nothing"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Runs a command, passing on what it prints line by line.
fn run(command: &mut Command, kind: Kind) -> anyhow::Result<(ExitStatus, Counts)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    let stderr = child.stderr.take().context("taking standard error")?;
    let stdout = child.stdout.take().context("taking standard output")?;
    let on_stderr = std::thread::spawn(move || pass_on(stderr, &mut io::stderr(), kind));
    let on_stdout = pass_on(stdout, &mut io::stdout(), kind);
    let on_stderr = on_stderr.join().unwrap_or_default();
    let status = child.wait().context("waiting for it")?;
    let counts = Counts {
        passed: on_stdout.passed + on_stderr.passed,
        failed: on_stdout.failed + on_stderr.failed,
        skipped: on_stdout.skipped + on_stderr.skipped,
    };
    Ok((status, counts))
}

fn pass_on(from: impl Read, to: &mut impl io::Write, kind: Kind) -> Counts {
    let mut counts = Counts::default();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from
        .read_until(b'\n', &mut line)
        .is_ok_and(|length| length > 0)
    {
        let _ = to.write_all(&line);
        if let Kind::Tests(runner) = kind {
            counts.read(runner, &String::from_utf8_lossy(&line));
        }
        line.clear();
    }
    counts
}

impl Counts {
    /// Adds what a line of a runner tells.
    fn read(&mut self, runner: Runner, line: &str) {
        let line = line.trim();
        let parts = match runner {
            Runner::Nextest => line
                .strip_prefix("Summary [")
                .and_then(|rest| rest.split_once(" run: "))
                .map(|(_, results)| results),
            Runner::Cargo => line
                .strip_prefix("test result: ")
                .and_then(|rest| rest.split_once(". "))
                .map(|(_, results)| results),
            Runner::Tap => line.strip_prefix("# "),
        };
        for part in parts.into_iter().flat_map(|parts| parts.split([',', ';'])) {
            let mut words = part.split_whitespace();
            let (Some(first), Some(second)) = (words.next(), words.next()) else {
                continue;
            };
            // TAP says what before how many.
            let (number, what) = match runner {
                Runner::Nextest | Runner::Cargo => (first, second),
                Runner::Tap => (second, first),
            };
            if let Ok(number) = number.parse() {
                self.add(what, number);
            }
        }
    }

    fn add(&mut self, what: &str, number: u64) {
        match what {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "timed" | "exec" | "cancelled" => self.failed += number,
            "skipped" | "ignored" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Runner};

    #[test]
    fn results_are_read_from_what_runners_print() {
        let nextest = "Summary [ 1s] 9 tests run: 5 passed (1 slow, 2 flaky), 3 failed, 1 timed out, 4 skipped";
        let cargo = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.00s";
        let cases = [
            (Runner::Nextest, nextest, (5, 4, 4)),
            (
                Runner::Nextest,
                "   Summary [ 1s] 1 test run: 1 passed, 0 skipped",
                (1, 0, 0),
            ),
            (Runner::Nextest, cargo, (0, 0, 0)),
            (Runner::Cargo, cargo, (3, 1, 2)),
            (Runner::Tap, "# pass 7", (7, 0, 0)),
            (Runner::Tap, "# fail 1", (0, 1, 0)),
            (Runner::Tap, "# a comment", (0, 0, 0)),
            (Runner::Tap, "ok 12 - passed", (0, 0, 0)),
        ];
        for (runner, line, (passed, failed, skipped)) in cases {
            let mut counts = Counts::default();
            counts.read(runner, line);
            let expected = Counts {
                passed,
                failed,
                skipped,
            };
            assert_eq!(counts, expected, "{line}");
        }
    }
}
