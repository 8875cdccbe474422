//! Whether a bot is there and lets us in, for an administrator.

use domain::Timestamp;
use serde_json::Value;

use super::api::{Api, Failure};
use super::config::Intake;
use super::receive::complaint;
use crate::Check;
use crate::egress::Body;

pub(super) async fn check(api: &Api, intake: &Intake) -> Vec<Check> {
    let mut checks = Vec::new();
    match ask(api, "getMe").await {
        Ok(bot) => {
            let name = bot["username"].as_str().unwrap_or("?");
            checks.push(Check::good("the bot", format!("it is @{name}")));
        }
        Err(failure) => {
            let told = if failure.is_of_token() {
                format!("{failure}: ask @BotFather for the token and write it anew")
            } else {
                failure.to_string()
            };
            checks.push(Check::bad("the bot", told));
            return checks;
        }
    }
    checks.push(match ask(api, "getWebhookInfo").await {
        Ok(info) => webhook(&info, intake),
        Err(failure) => Check::bad("the webhook", failure.to_string()),
    });
    checks
}

async fn ask(api: &Api, method: &str) -> Result<Value, Failure> {
    api.call(method, Body::Empty, Timestamp(0)).await
}

fn webhook(info: &Value, intake: &Intake) -> Check {
    let what = "the webhook";
    let set = info["url"].as_str().unwrap_or_default();
    // As of the last complaint: how long ago it was does not matter to whoever looks.
    let last = info["last_error_date"].as_i64().unwrap_or(0);
    match intake {
        Intake::Poll if set.is_empty() => Check::good(what, "none, as updates are asked for"),
        Intake::Poll => {
            let told = format!("{set} has the updates until this line is connected: it removes it");
            Check::doubtful(what, told)
        }
        Intake::Webhook { url, .. } if set != url => {
            let told = match set {
                "" => "it is not set yet: it is when this line is connected".to_owned(),
                other => format!("it leads to {other}; it is set anew when this line is connected"),
            };
            Check::doubtful(what, told)
        }
        Intake::Webhook { .. } => match complaint(info, last) {
            Some(complaint) => Check::bad(what, complaint),
            None => Check::good(what, "it leads here"),
        },
    }
}
