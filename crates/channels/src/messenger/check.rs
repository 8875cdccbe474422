//! Whether the account is there and lets us in, for an administrator.

use serde_json::Value;

use super::Platform;
use super::api::Api;
use super::config::Config;
use super::failure::Failure;
use super::watch::missing;
use crate::{Check, hook};

pub(super) async fn check(api: &Api, config: &Config, platform: &Platform) -> Vec<Check> {
    let mut checks = Vec::new();
    match of_account(api, config, platform).await {
        Ok(told) => checks.push(account(&told, config, platform)),
        Err(failure) => return vec![Check::bad("the account", advice(&failure))],
    }
    if platform.gives_back {
        checks.push(secret(api, config).await);
    }
    checks.push(subscription(api, config).await);
    if let Some(app) = &config.app {
        checks.push(rights(api, config, platform, app).await);
    }
    checks
}

async fn of_account(api: &Api, config: &Config, platform: &Platform) -> Result<Value, Failure> {
    let told = api.get("me", &[("fields", platform.account_fields)]).await;
    match told {
        // The token is of a page that the account belongs to, and the page has other fields.
        Err(failure) if failure.is_of_request() => {
            api.get(&config.account, &[("fields", "id,username")]).await
        }
        told => told,
    }
}

fn advice(failure: &Failure) -> String {
    if failure.is_of_token() {
        return format!("{failure}: make a new token with the rights that the page tells");
    }
    failure.to_string()
}

fn account(told: &Value, config: &Config, platform: &Platform) -> Check {
    let what = "the account";
    let mut ids = [&told["user_id"], &told["id"]].into_iter();
    let id = ids.find_map(written).unwrap_or_default();
    let name = told["name"].as_str().or(told["username"].as_str());
    let name = domain::text::line(name.unwrap_or("?"), 100);
    if id == config.account {
        return Check::good(what, format!("it is {name}"));
    }
    let (key, ours) = (platform.account_key, &config.account);
    let told = format!("the token is of {name}, {id}, and {key} says {ours}");
    Check::bad(what, told)
}

/// A number, or a text.
fn written(id: &Value) -> Option<String> {
    let text = id.as_str().map(str::to_owned);
    text.or_else(|| id.as_u64().map(|id| id.to_string()))
}

/// Whether Meta's secret of the app is ours: it tells whether a token was signed with it.
async fn secret(api: &Api, config: &Config) -> Check {
    let what = "the app's secret";
    let proof = hook::code(&config.hub.app_secret, config.token.as_bytes());
    let proof = proof.unwrap_or_default();
    match api.get("me", &[("appsecret_proof", &proof)]).await {
        Ok(_) => Check::good(what, "it is the one of the token's app"),
        Err(failure) => Check::bad(what, format!("{failure}: write app_secret_file anew")),
    }
}

async fn subscription(api: &Api, config: &Config) -> Check {
    let what = "the subscription";
    match missing(api, config).await {
        Ok(missing) if missing.is_empty() => {
            let url = &config.hub.url;
            Check::good(
                what,
                format!("all events are told; the app's webhook has to be {url}"),
            )
        }
        Ok(missing) => {
            let missing = missing.join(", ");
            let told = format!("not of {missing}: it is made when this line is connected");
            Check::doubtful(what, told)
        }
        Err(failure) => Check::bad(what, failure.to_string()),
    }
}

/// What the token allows, which the app itself may ask.
async fn rights(api: &Api, config: &Config, platform: &Platform, app: &str) -> Check {
    let what = "what the token allows";
    let by = format!("{app}|{}", config.hub.app_secret);
    match api.token(&config.token, &by).await {
        Ok(told) => allowed(what, &told["data"], platform),
        Err(failure) => Check::doubtful(what, format!("it is not told: {failure}")),
    }
}

fn allowed(what: &str, token: &Value, platform: &Platform) -> Check {
    let scopes = token["scopes"].as_array().into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    let has = |right: &&&[&str]| right.iter().any(|right| scopes.contains(right));
    let missing = platform.rights.iter().filter(|right| !has(right));
    let missing: Vec<String> = missing.map(|right| right.join(" or ")).collect();
    if token["is_valid"] == false {
        return Check::bad(what, "nothing: it is good no more");
    }
    if missing.is_empty() {
        return Check::good(what, "all that is needed");
    }
    Check::bad(what, format!("not {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Verdict;

    #[test]
    fn rights_are_all_or_told() {
        let verdict = |token: Value| allowed("", &token, &super::super::PLATFORM).verdict;
        let all = [
            "pages_messaging",
            "pages_manage_metadata",
            "pages_show_list",
        ];
        let good = verdict(json!({"is_valid": true, "scopes": all}));
        assert!(matches!(good, Verdict::Good(_)));
        let some = verdict(json!({"scopes": all[..1]}));
        assert!(matches!(some, Verdict::Bad(told) if told == "not pages_manage_metadata"));
        let over = verdict(json!({"is_valid": false, "scopes": all}));
        assert!(matches!(over, Verdict::Bad(_)));
    }
}
