//! Whether a community is there and lets us in, for an administrator.

use serde_json::Value;

use super::api::{Api, NO_CLOCK};
use super::config::Intake;
use super::errors::Failure;
use super::watch::server;
use crate::Check;

/// What its access key has to allow.
const RIGHTS: [&str; 4] = ["manage", "messages", "photos", "docs"];

pub(super) async fn check(api: &Api, intake: &Intake) -> Vec<Check> {
    let mut checks = Vec::new();
    match api.call_group("groups.getById", &[], NO_CLOCK).await {
        Ok(told) => {
            let name = told["groups"][0]["name"].as_str().unwrap_or("?");
            let name = domain::text::line(name, 100);
            checks.push(Check::good("the community", format!("it is {name}")));
        }
        Err(failure) => {
            let told = if failure.is_of_token() {
                format!("{failure}: make a new access key in the community's settings")
            } else {
                failure.to_string()
            };
            checks.push(Check::bad("the community", told));
            return checks;
        }
    }
    let what = "what the access key allows";
    let told = api.call("groups.getTokenPermissions", &[], NO_CLOCK).await;
    checks.push(told.map_or_else(|failure| bad(what, &failure), |told| rights(what, &told)));
    checks.push(match intake {
        Intake::Poll => long_poll(api).await,
        Intake::Webhook { url, .. } => webhook(api, url).await,
    });
    checks
}

fn bad(what: &str, failure: &Failure) -> Check {
    Check::bad(what, failure.to_string())
}

fn rights(what: &str, told: &Value) -> Check {
    let has = |right: &str| {
        let mut all = told["permissions"].as_array().into_iter().flatten();
        all.any(|one| one["name"] == right)
    };
    let missing: Vec<&str> = RIGHTS.into_iter().filter(|right| !has(right)).collect();
    match missing.as_slice() {
        [] => Check::good(what, "all that is needed"),
        missing if missing.contains(&"messages") => {
            Check::bad(what, format!("not {}", missing.join(", ")))
        }
        missing => Check::doubtful(what, format!("not {}", missing.join(", "))),
    }
}

async fn long_poll(api: &Api) -> Check {
    let what = "the long poll";
    let told = api.call_group("groups.getLongPollSettings", &[], NO_CLOCK);
    match told.await {
        Ok(told) if told["is_enabled"] == true || told["is_enabled"] == 1 => {
            Check::good(what, "it is switched on")
        }
        Ok(_) => Check::doubtful(what, "it is switched on when this line is connected"),
        Err(failure) => bad(what, &failure),
    }
}

async fn webhook(api: &Api, url: &str) -> Check {
    let what = "the webhook";
    match server(api, url, NO_CLOCK).await {
        Ok(None) => Check::doubtful(what, "it is not set yet: it is when this line is connected"),
        Ok(Some(server)) => match server["status"].as_str() {
            Some("ok") => Check::good(what, "it leads here"),
            status => {
                let status = status.unwrap_or("?");
                Check::bad(what, format!("VK says that its state is {status:?}"))
            }
        },
        Err(failure) => bad(what, &failure),
    }
}
