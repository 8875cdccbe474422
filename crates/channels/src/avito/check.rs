//! Whether an account is there and lets us in, for an administrator.

use super::api::{Api, NO_CLOCK};
use super::failure::Failure;
use super::watch::subscriptions;
use crate::Check;

pub(super) async fn check(api: &Api, url: &str) -> Vec<Check> {
    let what = "the account";
    let mut checks = Vec::new();
    match api.get("/core/v1/accounts/self", &[], NO_CLOCK).await {
        Ok(told) if told["id"].as_u64() == Some(api.user()) => {
            let name = told["name"].as_str().unwrap_or("?");
            let name = domain::text::line(name, 100);
            checks.push(Check::good(what, format!("it is {name}")));
        }
        Ok(told) => {
            let id = domain::text::line(&told["id"].to_string(), 40);
            let told = format!("the application is of account {id}: write user_id = {id}");
            checks.push(Check::bad(what, told));
        }
        Err(failure) => {
            checks.push(Check::bad(what, advice(&failure)));
            return checks;
        }
    }
    let what = "the subscription";
    checks.push(match subscriptions(api, NO_CLOCK).await {
        Ok(all) if all.iter().any(|known| known.leads_to(url)) => {
            Check::good(what, "it leads here")
        }
        Ok(_) => {
            let told = "it is not made yet: it is when this line is connected";
            Check::doubtful(what, told)
        }
        Err(failure) => Check::bad(what, advice(&failure)),
    });
    checks
}

/// What went wrong, and what to do.
fn advice(failure: &Failure) -> String {
    let told = failure.to_string();
    match failure {
        Failure::Refused { status: 402, .. } => {
            format!("{told}: the account's tariff has no access to messages by programs")
        }
        Failure::Refused { .. } if failure.is_of_token() => {
            format!("{told}: copy client_id and the secret anew from Avito's page for developers")
        }
        Failure::Refused { .. } | Failure::NotSent(_) | Failure::InDoubt(_) | Failure::Stale => {
            told
        }
    }
}
