//! Whether a bot is there and lets us in, for an administrator.

use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::watch::leads_to;
use crate::Check;

pub(super) async fn check(api: &Api, webhook: &str) -> Vec<Check> {
    let what = "the bot";
    match api.call("get_account_info", json!({}), NO_CLOCK).await {
        Ok(account) => {
            let name = account["name"].as_str().unwrap_or("?");
            let name = domain::text::line(name, 100);
            let count = account["subscribers_count"].as_u64().unwrap_or_default();
            let told = format!("it is {name}, with {count} subscribers");
            vec![Check::good(what, told), leads(&account, webhook)]
        }
        Err(failure) => {
            let told = if failure.is_of_token() {
                format!("{failure}: write the token anew from the bot's settings")
            } else {
                failure.to_string()
            };
            vec![Check::bad(what, told)]
        }
    }
}

fn leads(account: &Value, webhook: &str) -> Check {
    let what = "the webhook";
    if leads_to(account, webhook) {
        return Check::good(what, "it leads here");
    }
    match account["webhook"].as_str().unwrap_or_default() {
        "" => Check::doubtful(what, "it is not set yet: it is when this line is connected"),
        other => {
            let other = domain::text::line(other, 200);
            let told = format!("it leads to {other}; it is set anew when this line is connected");
            Check::doubtful(what, told)
        }
    }
}
