//! Whether a group is there and lets us in, for an administrator.

use domain::LineId;

use super::api::{Api, NO_CLOCK};
use super::config::Intake;
use super::failure::Failure;
use super::watch::{Subscription, subscriptions};
use crate::Check;

pub(super) async fn check(api: &Api, line: &LineId, intake: &Intake) -> Vec<Check> {
    let mut checks = Vec::new();
    match api.get("me/info", &[], NO_CLOCK).await {
        Ok(group) => {
            let name = domain::text::line(group["name"].as_str().unwrap_or("?"), 100);
            checks.push(if group["group_id"].is_string() {
                Check::good("the group", format!("it is {name}"))
            } else {
                Check::bad("the group", format!("the key is {name}'s, and no group's"))
            });
        }
        Err(failure) => {
            checks.push(Check::bad("the group", advice(&failure)));
            return checks;
        }
    }
    checks.push(match subscriptions(api, NO_CLOCK).await {
        Ok(all) => subscribed(&all, line, intake),
        Err(failure) => Check::bad("the subscription", failure.to_string()),
    });
    checks
}

/// What went wrong, and what to do.
fn advice(failure: &Failure) -> String {
    let told = failure.to_string();
    if failure.is_of_key() {
        format!("{told}: get an access key in the group's settings, and write it anew")
    } else {
        told
    }
}

fn subscribed(all: &[Subscription], line: &LineId, intake: &Intake) -> Check {
    let what = "the subscription";
    let url = match intake {
        Intake::Poll => "",
        Intake::Webhook(hook) => &hook.url,
    };
    let is_former = |known: &Subscription| known.is_former(line, url);
    if all.iter().any(is_former) {
        let told = "one of a former address is there until this line is connected";
        return Check::doubtful(what, told);
    }
    let others = all.iter().filter(|known| known.url != url);
    let others: Vec<String> = others.map(Subscription::server).collect();
    let others = others.join(", ");
    match intake {
        Intake::Webhook(_) if all.iter().all(|known| known.url != url) => Check::doubtful(
            what,
            "it is not made yet: it is when this line is connected",
        ),
        Intake::Poll | Intake::Webhook(_) if !others.is_empty() => {
            Check::doubtful(what, format!("others get the same: {others}"))
        }
        Intake::Poll => Check::good(what, "none is needed, as events are asked for"),
        Intake::Webhook(_) => Check::good(what, "it leads here"),
    }
}
