use domain::Millis;
use http::HeaderValue;

use crate::egress::Client;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://graph.facebook.com/v23.0";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    /// The number's id at Meta.
    pub(super) number: String,
    /// The id of the account whose templates may be used.
    pub(super) account: Option<String>,
    /// What every call begins with.
    pub(super) authorization: HeaderValue,
    pub(super) app_secret: String,
    pub(super) verify_token: String,
    /// The name of a webhook that several lines share.
    pub(super) hook: Option<String>,
    /// Where Meta calls us.
    pub(super) webhook: String,
    pub(super) client: Client,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let number = options.text("phone_number_id").unwrap_or_default();
        if !is_number(&number) {
            let told = "is missing or no id: write phone_number_id = \"…\", the digits that the \
                        app's dashboard shows under the number";
            options.problem("phone_number_id", told);
        }
        let account = options.text("account_id");
        if account.as_ref().is_some_and(|account| !is_number(account)) {
            let told = "is no id: write account_id = \"…\", the digits that the app's dashboard \
                        shows as the WhatsApp Business account";
            options.problem("account_id", told);
        }
        let token = options.text("token").unwrap_or_default();
        let authorization = bearer(&token);
        if authorization.is_none() {
            let told = "is missing or no token: write token_file = \"…\" with the token of a \
                        system user";
            options.problem("token", told);
        }
        let app_secret = options.text("app_secret").unwrap_or_default();
        if app_secret.len() < 16 {
            let told = "is missing or too short: write app_secret_file = \"…\" with the secret \
                        that the app's dashboard shows; what Meta sends is signed with it";
            options.problem("app_secret", told);
        }
        let verify_token = options.text("verify_token").unwrap_or_default();
        if !is_word(&verify_token, 16, 256) {
            let told = "is missing or no secret: write verify_token_file = \"…\", 16 to 256 \
                        letters, digits, _ or -, made up by you";
            options.problem("verify_token", told);
        }
        let hook = options.text("hook");
        if hook.as_ref().is_some_and(|hook| !is_word(hook, 1, 64)) {
            let told = "has to be 1 to 64 letters, digits, _ or -";
            options.problem("hook", told);
        }
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        let (Some(client), Some(authorization)) = (client, authorization) else {
            return Err(Vec::new());
        };
        let name = hook.as_deref().unwrap_or(setup.id.as_str());
        Ok(Self {
            number,
            account,
            authorization,
            app_secret,
            verify_token,
            webhook: format!("{}/hooks/{name}", setup.public_url),
            hook,
            client,
        })
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.ok().filter(|_| is_plain)?;
    value.set_sensitive(true);
    Some(value)
}

fn is_number(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(word: &str, min: usize, max: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (min..=max).contains(&word.len()) && word.bytes().all(known)
}
