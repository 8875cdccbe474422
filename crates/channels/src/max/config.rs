use domain::Millis;
use http::HeaderValue;

use crate::egress::Client;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://platform-api2.max.ru";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    pub(super) token: String,
    /// The token as every call says it.
    pub(super) authorization: HeaderValue,
    pub(super) client: Client,
    pub(super) intake: Intake,
}

/// How updates come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// The gateway asks.
    Poll,
    /// MAX calls.
    Webhook {
        /// Where.
        url: String,
        /// What it has to say.
        secret: String,
    },
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let token = options.text("token").unwrap_or_default();
        let authorization = authorization(&token);
        if authorization.is_none() {
            let told = "is missing or no token: write token_file = \"…\" with the bot's token";
            options.problem("token", told);
        }
        let way = options.choice("intake", &[("webhook", true), ("poll", false)]);
        let secret = options.text("webhook_secret");
        let intake = if way.unwrap_or(true) {
            let secret = secret.unwrap_or_default();
            if !is_secret(&secret) {
                let told = "is missing or no secret: write webhook_secret_file = \"…\", 16 to \
                            256 letters, digits, _ or -, made up by you";
                options.problem("webhook_secret", told);
            }
            let url = format!("{}/hooks/{}", setup.public_url, setup.id);
            Intake::Webhook { url, secret }
        } else {
            Intake::Poll
        };
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        let client = client.ok_or_else(Vec::new)?;
        Ok(Self {
            token,
            authorization: authorization.ok_or_else(Vec::new)?,
            client,
            intake,
        })
    }
}

/// The token as a header, without a word before it.
fn authorization(token: &str) -> Option<HeaderValue> {
    let is_token =
        (16..=1_000).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    let mut header = HeaderValue::from_str(token).ok().filter(|_| is_token)?;
    header.set_sensitive(true);
    Some(header)
}

fn is_secret(secret: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (16..=256).contains(&secret.len()) && secret.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use domain::LineId;

    use super::*;

    /// The keys that something is wrong with.
    fn wrong(options: toml::Table) -> Vec<String> {
        let setup = LineSetup {
            id: LineId::from("max"),
            display_name: String::new(),
            default_region: "RU".to_owned(),
            public_url: "https://gateway.example".to_owned(),
            options,
        };
        let problems = Config::read(&setup).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn who_is_called_needs_a_secret() {
        let token = "a-token-of-the-bot";
        assert_eq!(wrong(toml::toml! { token = token }), ["webhook_secret"]);
        for secret in ["", "short", "sixteen letters!", "шестнадцать букв"] {
            let options = toml::toml! {
                token = token
                webhook_secret = secret
            };
            assert_eq!(wrong(options), ["webhook_secret"], "{secret}");
        }
        let polled = toml::toml! {
            token = token
            intake = "poll"
        };
        assert_eq!(wrong(polled), Vec::<String>::new());
        let broken = toml::toml! {
            token = "a token\nof two lines"
            intake = "poll"
        };
        assert_eq!(wrong(broken), ["token"]);
    }
}
