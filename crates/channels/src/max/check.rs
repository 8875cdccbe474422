//! Whether a bot is there and lets us in, for an administrator.

use super::api::{Api, NO_CLOCK};
use super::config::Intake;
use super::failure::Failure;
use super::watch::{Subscription, subscriptions};
use crate::Check;

pub(super) async fn check(api: &Api, intake: &Intake) -> Vec<Check> {
    let mut checks = Vec::new();
    match api.get("me", &[], NO_CLOCK).await {
        Ok(bot) => {
            let name = bot["username"].as_str().or(bot["first_name"].as_str());
            let name = domain::text::line(name.unwrap_or("?"), 100);
            checks.push(Check::good("the bot", format!("it is @{name}")));
        }
        Err(failure) => {
            checks.push(Check::bad("the bot", advice(&failure)));
            return checks;
        }
    }
    checks.push(match subscriptions(api, NO_CLOCK).await {
        Ok(all) => subscribed(&all, intake),
        Err(failure) => Check::bad("the subscription", failure.to_string()),
    });
    checks
}

/// What went wrong, and what to do.
fn advice(failure: &Failure) -> String {
    let told = failure.to_string();
    let is_of_certificate = told.to_lowercase().contains("certificate");
    if failure.is_of_token() {
        format!("{told}: copy the token from the bot's settings and write it anew")
    } else if is_of_certificate {
        format!(
            "{told}: MAX has its certificate from the Russian Trusted Root CA, which ca_file \
             has to name"
        )
    } else {
        told
    }
}

fn subscribed(all: &[Subscription], intake: &Intake) -> Check {
    let what = "the subscription";
    let others = |ours: &str| {
        let others = all.iter().map(|known| known.url.as_str());
        let others: Vec<&str> = others.filter(|url| *url != ours).collect();
        others.join(", ")
    };
    match intake {
        Intake::Poll if all.is_empty() => Check::good(what, "none, as updates are asked for"),
        Intake::Poll => {
            let others = others("");
            let told =
                format!("{others} has the updates until this line is connected: it removes it");
            Check::doubtful(what, told)
        }
        Intake::Webhook { url, .. } if all.iter().all(|known| known.url != *url) => {
            Check::doubtful(
                what,
                "it is not made yet: it is when this line is connected",
            )
        }
        Intake::Webhook { url, .. } if all.len() > 1 => {
            let told = format!("it leads here, and others get the same: {}", others(url));
            Check::doubtful(what, told)
        }
        Intake::Webhook { .. } => Check::good(what, "it leads here"),
    }
}
