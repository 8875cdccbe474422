use domain::Millis;
use http::HeaderValue;

use crate::egress::Client;
use crate::hub::Hub;
use crate::options::{Options, bearer};
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
    pub(super) hub: Hub,
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
        let hub = Hub::read(&mut options, setup);
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        let (Some(client), Some(authorization)) = (client, authorization) else {
            return Err(Vec::new());
        };
        Ok(Self {
            number,
            account,
            authorization,
            hub,
            client,
        })
    }
}

fn is_number(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}
