use std::time::Duration;

use domain::Millis;

use crate::egress::Client;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://api.avito.ru";
const TIMEOUT: Millis = Millis::from_secs(30);
const USER_MAX: u64 = i64::MAX.unsigned_abs();
const CHECK_SECS: u64 = 60;

/// What a line's section says.
pub(super) struct Config {
    /// The account's number.
    pub(super) user: u64,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// What stands in the address that Avito calls.
    pub(super) secret: String,
    /// Where Avito calls us, up to the secret.
    pub(super) hook: String,
    /// How often Avito is asked for what the webhook may have missed.
    pub(super) check_every: Duration,
    pub(super) client: Client,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        if !options.has("user_id") {
            let told = "is missing: write the account's number, as its profile shows it";
            options.problem("user_id", told);
        }
        let user = options.number("user_id", 1..=USER_MAX, 1);
        let client_id = options.text("client_id").unwrap_or_default();
        if !is_word(&client_id) {
            let told = "is missing or no id: write the one of the account's application";
            options.problem("client_id", told);
        }
        let client_secret = options.text("client_secret").unwrap_or_default();
        if !is_word(&client_secret) {
            let told = "is missing or no secret: write client_secret_file = \"…\" with the one \
                        of the account's application";
            options.problem("client_secret", told);
        }
        let secret = options.text("webhook_secret").unwrap_or_default();
        if !is_secret(&secret) {
            let told = "is missing or no secret: write webhook_secret_file = \"…\", 16 to 128 \
                        letters, digits, _ or -, made up by you";
            options.problem("webhook_secret", told);
        }
        let check_secs = options.number("check_secs", 1..=3_600, CHECK_SECS);
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        Ok(Self {
            user,
            client_id,
            client_secret,
            secret,
            hook: format!("{}/hooks/{}/", setup.public_url, setup.id),
            check_every: Duration::from_secs(check_secs),
            client: client.ok_or_else(Vec::new)?,
        })
    }

    /// Where Avito calls us.
    pub(super) fn webhook(&self) -> String {
        format!("{}{}", self.hook, self.secret)
    }
}

fn is_word(word: &str) -> bool {
    (1..=256).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_secret(secret: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (16..=128).contains(&secret.len()) && secret.bytes().all(known)
}

#[cfg(test)]
pub(super) mod tests {
    use domain::LineId;

    use super::*;

    pub(in super::super) fn setup(options: toml::Table) -> LineSetup {
        LineSetup {
            id: LineId::from("avito"),
            display_name: String::new(),
            default_region: "RU".to_owned(),
            public_url: "https://gateway.example".to_owned(),
            options,
        }
    }

    /// The keys that something is wrong with.
    fn wrong(options: toml::Table) -> Vec<String> {
        let problems = Config::read(&setup(options)).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn without_a_secret_in_its_address_a_line_does_not_start() {
        let with = |secret: &str| {
            toml::toml! {
                user_id = 94_235_311
                client_id = "id"
                client_secret = "secret"
                webhook_secret = secret
            }
        };
        for secret in [
            "",
            "short",
            "sixteen/letters!",
            "шестнадцать букв",
            "a?b=c&d=e#f.g.h.i",
        ] {
            assert_eq!(wrong(with(secret)), ["webhook_secret"], "{secret}");
        }
        assert_eq!(wrong(with("0123456789abcdef")), Vec::<String>::new());
        let all = ["user_id", "client_id", "client_secret", "webhook_secret"];
        assert_eq!(wrong(toml::Table::new()), all);
    }
}
