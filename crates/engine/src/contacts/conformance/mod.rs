//! Checks somebody's directory against the contract, case by case. It makes some
//! hundred contacts: it is for a directory that may have them.

mod desk;
mod finding;
mod limits;
mod merging;
mod optional;
mod telling;

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use tonic::{Code, Status};

use super::Transport;
use desk::Desk;

/// Longer than any case takes; only a directory that hangs takes longer.
const CASE_MAX: Duration = Duration::from_secs(30);

/// One case, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// What the contract says.
    pub expected: &'static str,
    /// What was found.
    pub verdict: Verdict,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the contract says.
    Pass(String),
    /// Not so.
    Fail(String),
    /// The directory does not serve an optional method.
    Skipped(String),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, .. } = self;
        let (word, got) = match &self.verdict {
            Verdict::Pass(got) => ("PASS", got),
            Verdict::Fail(got) => ("FAIL", got),
            Verdict::Skipped(got) => ("SKIPPED", got),
        };
        write!(f, "{word:7} {name}: expected {expected}; got {got}")
    }
}

/// What a case found: what it saw, or why it is not as it should be.
type Found = Result<String, Miss>;

enum Miss {
    Wrong(String),
    Refused(Status),
}

impl From<Status> for Miss {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Wrong(what.into()))
}

/// The name, what is expected, whether the methods may be UNIMPLEMENTED.
type Row = (
    &'static str,
    &'static str,
    bool,
    fn(Desk) -> BoxFuture<'static, Found>,
);

/// Runs every case and tells of each as it ends. When the directory cannot be
/// reached, that is the only case.
pub async fn check(transport: Transport, mut tell: impl FnMut(&Case)) -> Vec<Case> {
    let desk = Desk::new(transport);
    let tables: [&[Row]; 6] = [
        telling::REACHED,
        finding::CASES,
        merging::CASES,
        telling::CASES,
        limits::CASES,
        optional::CASES,
    ];
    let mut checked: Vec<Case> = Vec::new();
    for row in tables.into_iter().flatten() {
        let case = run(desk.clone(), row).await;
        tell(&case);
        let unreached = checked.is_empty() && matches!(case.verdict, Verdict::Fail(_));
        checked.push(case);
        if unreached {
            break;
        }
    }
    checked
}

async fn run(desk: Desk, (name, expected, optional, check): &Row) -> Case {
    let verdict = match tokio::time::timeout(CASE_MAX, check(desk)).await {
        Ok(Ok(got)) => Verdict::Pass(got),
        Ok(Err(Miss::Refused(status))) if *optional && status.code() == Code::Unimplemented => {
            Verdict::Skipped("UNIMPLEMENTED, which is allowed".to_owned())
        }
        Ok(Err(Miss::Refused(status))) => Verdict::Fail(told(&status)),
        Ok(Err(Miss::Wrong(got))) => Verdict::Fail(got),
        Err(_) => Verdict::Fail(format!("no answer within {} s", CASE_MAX.as_secs())),
    };
    Case {
        name,
        expected,
        verdict,
    }
}

fn told(status: &Status) -> String {
    let message = domain::text::line(status.message(), 300);
    format!("{:?}: {message}", status.code())
}
