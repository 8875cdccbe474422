use domain::Millis;
use http::HeaderValue;

use super::Platform;
use crate::egress::Client;
use crate::hub::Hub;
use crate::options::{Options, bearer};
use crate::{ConfigProblem, LineSetup};

const TIMEOUT: Millis = Millis::from_secs(30);
/// No text is cut shorter or left longer.
const TEXT_MAX: std::ops::RangeInclusive<u64> = 100..=20_000;

/// What a line's section says.
pub(super) struct Config {
    /// The page or the account, by Meta's id of it.
    pub(super) account: String,
    pub(super) token: String,
    /// The same, as every call says it.
    pub(super) authorization: HeaderValue,
    pub(super) hub: Hub,
    /// The app's own id, where it is told.
    pub(super) app: Option<String>,
    /// What the account's app is to be told of.
    pub(super) events: Vec<String>,
    /// Persons may answer for seven days.
    pub(super) human_agent: bool,
    pub(super) text_max: usize,
    pub(super) public_url: String,
    pub(super) client: Client,
}

impl Config {
    pub(super) fn read(setup: &LineSetup, platform: &Platform) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let key = platform.account_key;
        let account = options.text(key).unwrap_or_default();
        if !is_number(&account) {
            let words = platform.account_words;
            options.problem(
                key,
                format!("is missing or no id: write {key} = \"…\", {words}"),
            );
        }
        let token = options.text("token").unwrap_or_default();
        let authorization = bearer(&token);
        if authorization.is_none() {
            let told = "is missing or no token: write token_file = \"…\" with the access token";
            options.problem("token", told);
        }
        let hub = Hub::read(&mut options, setup);
        let app = options.text("app_id");
        if app.as_ref().is_some_and(|app| !is_number(app)) {
            options.problem("app_id", "has to be the digits that the dashboard shows");
        }
        let events = options.list("events");
        if events.as_ref().is_some_and(|events| !are_fields(events)) {
            options.problem("events", "has to name webhook fields, such as \"messages\"");
        }
        let usual = platform.events.iter().map(|event| (*event).to_owned());
        let events = events.unwrap_or_else(|| usual.collect());
        let human_agent = options.flag("human_agent");
        let longest = u64::try_from(platform.text_max).unwrap_or(*TEXT_MAX.end());
        let text_max = options.number("text_length_max", TEXT_MAX, longest);
        let client = options.server("api_url", platform.api, TIMEOUT);
        options.finish(())?;
        let (Some(client), Some(authorization)) = (client, authorization) else {
            return Err(Vec::new());
        };
        Ok(Self {
            account,
            token,
            authorization,
            hub,
            app,
            events,
            human_agent,
            text_max: usize::try_from(text_max).unwrap_or(platform.text_max),
            public_url: setup.public_url.clone(),
            client,
        })
    }
}

fn is_number(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn are_fields(events: &[String]) -> bool {
    let is_field = |event: &String| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        !event.is_empty() && event.bytes().all(known)
    };
    events.iter().all(is_field) && events.iter().any(|event| event == "messages")
}
