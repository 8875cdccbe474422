use std::time::Duration;

use domain::Millis;

use crate::egress::Client;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://api.telegram.org";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    pub(super) token: String,
    pub(super) client: Client,
    pub(super) intake: Intake,
}

/// How updates come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// The gateway asks.
    Poll,
    /// Telegram calls.
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
        if token.is_empty() {
            let told = "is missing: write token_file = \"…\" with what @BotFather gave you";
            options.problem("token", told);
        } else if !is_token(&token) {
            let told = "is not a bot's token: it is a number, a colon and 35 letters or so";
            options.problem("token", told);
        }
        let way = options.choice("intake", &[("poll", false), ("webhook", true)]);
        let secret = options.text("webhook_secret");
        let intake = if way.unwrap_or(false) {
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
            client,
            intake,
        })
    }
}

/// Pauses of a connection that fails grow up to this.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(1);

fn is_token(token: &str) -> bool {
    // It becomes a part of a path; whether it is right, Telegram says.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
    (16..=200).contains(&token.len()) && token.bytes().all(known)
}

fn is_secret(secret: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (16..=256).contains(&secret.len()) && secret.bytes().all(known)
}
