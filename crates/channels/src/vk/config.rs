use domain::Millis;

use crate::egress::Client;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://api.vk.com";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    pub(super) token: String,
    /// The community's number.
    pub(super) group: i64,
    pub(super) client: Client,
    pub(super) intake: Intake,
}

/// How events come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// The gateway asks.
    Poll,
    /// VK calls.
    Webhook {
        /// Where.
        url: String,
        /// What it has to say.
        secret: String,
        /// What it wants to hear first, when somebody set the server up by hand.
        confirmation: Option<String>,
    },
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let token = options.text("token").unwrap_or_default();
        if !is_token(&token) {
            let told = "is missing or no token: write token_file = \"…\" with the community's \
                        access key";
            options.problem("token", told);
        }
        if !options.has("group_id") {
            let told = "is missing: write the community's number, without a minus";
            options.problem("group_id", told);
        }
        let group = options.number("group_id", 1..=GROUP_MAX, 1);
        let way = options.choice("intake", &[("poll", false), ("webhook", true)]);
        let secret = options.text("webhook_secret");
        let confirmation = options.text("confirmation");
        let intake = if way.unwrap_or(false) {
            let secret = secret.unwrap_or_default();
            if !is_secret(&secret) {
                let told = "is missing or no secret: write webhook_secret_file = \"…\", 16 to \
                            50 letters, digits or _, made up by you";
                options.problem("webhook_secret", told);
            }
            Intake::Webhook {
                url: format!("{}/hooks/{}", setup.public_url, setup.id),
                secret,
                confirmation,
            }
        } else {
            Intake::Poll
        };
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        let client = client.ok_or_else(Vec::new)?;
        Ok(Self {
            token,
            group: i64::try_from(group).unwrap_or(1),
            client,
            intake,
        })
    }
}

/// Numbers of communities are no larger.
const GROUP_MAX: u64 = 1 << 53;

fn is_token(token: &str) -> bool {
    (16..=1_000).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_secret(secret: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (16..=50).contains(&secret.len()) && secret.bytes().all(known)
}
