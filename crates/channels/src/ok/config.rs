use domain::Millis;

use crate::egress::Client;
use crate::networks::Networks;
use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://api.ok.ru/graph";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    pub(super) token: String,
    pub(super) client: Client,
    pub(super) intake: Intake,
}

/// How events come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// The gateway asks.
    Poll,
    /// OK calls.
    Webhook(Hook),
}

/// Where OK calls. It says nothing by which it could be known, so the address is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// The whole address, with the secret at its end.
    pub(super) url: String,
    pub(super) secret: String,
    /// Where it has to come from; anywhere when none.
    pub(super) networks: Option<Networks>,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let token = options.text("token").unwrap_or_default();
        if !is_token(&token) {
            let told = "is missing or no access key: write token_file = \"…\" with the group's key";
            options.problem("token", told);
        }
        let way = options.choice("intake", &[("webhook", true), ("poll", false)]);
        let secret = options.text("webhook_secret");
        let networks = options.list("source_networks");
        let networks = networks.and_then(|list| {
            let read = Networks::parse(list.iter().map(String::as_str));
            read.map_err(|error| options.problem("source_networks", error.to_string()))
                .ok()
        });
        let intake = if way.unwrap_or(true) {
            let secret = secret.unwrap_or_default();
            if !is_secret(&secret) {
                let told = "is missing or no secret: write webhook_secret_file = \"…\", 32 to \
                            200 letters, digits, _ or -, made up by you";
                options.problem("webhook_secret", told);
            }
            Intake::Webhook(Hook {
                url: format!("{}/hooks/{}/{secret}", setup.public_url, setup.id),
                secret,
                networks,
            })
        } else {
            Intake::Poll
        };
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        Ok(Self {
            token,
            client: client.ok_or_else(Vec::new)?,
            intake,
        })
    }
}

fn is_token(token: &str) -> bool {
    (16..=1_000).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What stands in an address as it is.
fn is_secret(secret: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (32..=200).contains(&secret.len()) && secret.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use domain::LineId;

    use super::*;

    const TOKEN: &str = "tkn18YdUJZe:CQABPOJKAKEKEKEKE";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(options: toml::Table) -> Result<Config, Vec<String>> {
        let setup = LineSetup {
            id: LineId::from("ok"),
            display_name: String::new(),
            default_region: "RU".to_owned(),
            public_url: "https://gateway.example".to_owned(),
            options,
        };
        let problems = |all: Vec<ConfigProblem>| all.into_iter().map(|one| one.key).collect();
        Config::read(&setup).map_err(problems)
    }

    /// The keys that something is wrong with.
    fn wrong(options: toml::Table) -> Vec<String> {
        read(options).err().unwrap_or_default()
    }

    #[test]
    fn who_is_called_needs_a_secret() {
        assert_eq!(wrong(toml::toml! { token = TOKEN }), ["webhook_secret"]);
        for secret in [
            "",
            "a-secret-of-sixteen",
            "thirty-two letters with blanks!!",
            "../../../../../../../../../../..",
        ] {
            let options = toml::toml! {
                token = TOKEN
                webhook_secret = secret
            };
            assert_eq!(wrong(options), ["webhook_secret"], "{secret}");
        }
        let polled = toml::toml! {
            token = TOKEN
            intake = "poll"
        };
        assert_eq!(wrong(polled), Vec::<String>::new());
        let broken = toml::toml! {
            token = "a key\nof two lines"
            intake = "poll"
        };
        assert_eq!(wrong(broken), ["token"]);
    }

    #[test]
    fn the_secret_is_the_end_of_the_address() {
        let options = toml::toml! {
            token = TOKEN
            webhook_secret = SECRET
            source_networks = ["217.20.145.192/28"]
        };
        let Intake::Webhook(hook) = read(options).ok().unwrap().intake else {
            panic!("no webhook");
        };
        assert_eq!(
            hook.url,
            format!("https://gateway.example/hooks/ok/{SECRET}")
        );
        let networks = hook.networks.unwrap();
        assert!(networks.contains("217.20.145.200".parse().unwrap()));
        assert!(!networks.contains("217.20.145.1".parse().unwrap()));
        let options = toml::toml! {
            token = TOKEN
            webhook_secret = SECRET
            source_networks = ["ok.ru"]
        };
        assert_eq!(wrong(options), ["source_networks"]);
    }
}
