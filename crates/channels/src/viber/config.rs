use domain::Millis;
use http::HeaderValue;

use super::render::{NAME_MAX, TEXT_MAX};
use crate::egress::Client;
use crate::options::Options;
use crate::split::{split, utf16};
use crate::{ConfigProblem, LineSetup};

const API: &str = "https://chatapi.viber.com/pa";
const TIMEOUT: Millis = Millis::from_secs(30);

/// What a line's section says.
pub(super) struct Config {
    /// With it what Viber sends is signed.
    pub(super) token: String,
    /// The same, as every call says it.
    pub(super) header: HeaderValue,
    pub(super) sender: Sender,
    /// What who opens the chat for the first time is told.
    pub(super) welcome: Option<String>,
    /// Where the gateway is reached from outside.
    pub(super) public_url: String,
    /// Where Viber calls us.
    pub(super) webhook: String,
    pub(super) client: Client,
}

/// As whom we write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) name: String,
    pub(super) avatar: Option<String>,
    /// Operators write under their own names.
    pub(super) is_operator: bool,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let token = options.text("token").unwrap_or_default();
        let header = header(&token);
        if header.is_none() {
            let told = "is missing or no token: write token_file = \"…\" with what Viber shows \
                        in the bot's settings under \"Your app key\"";
            options.problem("token", told);
        }
        let sender = sender(&mut options, &setup.display_name);
        let welcome = options.text("welcome").filter(|text| !text.is_empty());
        let length = welcome.as_deref().map_or(0, length);
        if length > TEXT_MAX {
            options.problem("welcome", format!("has to be at most {TEXT_MAX} letters"));
        }
        let client = options.server("api_url", API, TIMEOUT);
        options.finish(())?;
        let (Some(client), Some(header)) = (client, header) else {
            return Err(Vec::new());
        };
        Ok(Self {
            token,
            header,
            sender,
            welcome,
            public_url: setup.public_url.clone(),
            webhook: format!("{}/hooks/{}", setup.public_url, setup.id),
            client,
        })
    }
}

fn sender(options: &mut Options, line: &str) -> Sender {
    let name = options.text("sender_name");
    let is_good = |name: &String| !name.trim().is_empty() && length(name) <= NAME_MAX;
    if name.as_ref().is_some_and(|name| !is_good(name)) {
        let told = format!("has to be 1 to {NAME_MAX} letters");
        options.problem("sender_name", told);
    }
    let avatar = options.text("sender_avatar");
    if avatar
        .as_ref()
        .is_some_and(|url| !url.starts_with("https://"))
    {
        options.problem("sender_avatar", "has to be the https address of a picture");
    }
    Sender {
        name: name.unwrap_or_else(|| shortened(line)),
        avatar,
        is_operator: options.flag("operator_names"),
    }
}

/// A name that Viber takes.
pub(super) fn shortened(name: &str) -> String {
    let pieces = split(name, NAME_MAX, utf16);
    pieces.into_iter().next().unwrap_or_default()
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn header(token: &str) -> Option<HeaderValue> {
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    let is_good = (16..=200).contains(&token.len()) && token.bytes().all(is_plain);
    let mut value = HeaderValue::from_str(token).ok().filter(|_| is_good)?;
    value.set_sensitive(true);
    Some(value)
}
