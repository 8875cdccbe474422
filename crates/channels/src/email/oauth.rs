//! Short-lived tokens, which providers give for a long-lived one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{LineId, Millis, text};
use http::{HeaderValue, header};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::config::OAuth;
use crate::Host;
use crate::egress::{Body, Call, Client, Reply, Setup, Target};

const TIMEOUT: Millis = Millis::from_secs(20);
/// A token is not used so shortly before its end.
const MARGIN: Duration = Duration::from_mins(1);
/// Where the provider does not say how long a token is good.
const EXPIRES_SECS: u64 = 3_600;
const EXPIRES_SECS_MAX: u64 = 86_400;
/// Tokens are a few kilobytes long.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const WORDS_CHARS_MAX: usize = 200;
/// What the key is for with which long-lived tokens are kept.
const PURPOSE: &str = "tokens of mailboxes";

/// The tokens of a line.
#[derive(Default)]
pub(super) struct Tokens {
    known: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Known>>>>,
}

/// What is known of one long-lived token.
#[derive(Default)]
struct Known {
    /// What was had for it last, and until when it is good.
    short: Option<(String, Instant)>,
    /// What replaces it, as long as it could not be kept.
    unkept: Option<String>,
}

/// A short-lived token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) value: String,
    /// It was had just now, and not used before.
    pub(super) is_fresh: bool,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// Somebody has to do something about it.
    #[error("{0}")]
    Refused(String),
    /// Another try may do it.
    #[error("{0}")]
    Later(String),
}

/// What a provider gives.
#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
}

/// Why it gives nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_description: String,
}

impl Tokens {
    /// A token that is good for a minute at least. Whoever asks meanwhile waits for the
    /// same one.
    pub(super) async fn token(
        &self,
        line: &LineId,
        oauth: &OAuth,
        host: &Arc<dyn Host>,
    ) -> Result<Token, TokenError> {
        let name = name(oauth);
        let known = self.known(&name);
        let mut known = known.lock().await;
        if let Some((value, until)) = &known.short
            && *until > Instant::now()
        {
            return Ok(Token {
                value: value.clone(),
                is_fresh: false,
            });
        }
        known.short = None;
        let keeper = Keeper { line, name, host };
        let given = renewed(oauth, &keeper, &mut known).await?;
        let good = lifetime(&given).saturating_sub(MARGIN);
        known.short = Some((given.access_token.clone(), Instant::now() + good));
        Ok(Token {
            value: given.access_token,
            is_fresh: true,
        })
    }

    /// A server did not take this one: the next is another.
    pub(super) async fn forget(&self, oauth: &OAuth, token: &Token) {
        let known = self.known(&name(oauth));
        let mut known = known.lock().await;
        if known
            .short
            .as_ref()
            .is_some_and(|(value, _)| *value == token.value)
        {
            known.short = None;
        }
    }

    fn known(&self, name: &str) -> Arc<tokio::sync::Mutex<Known>> {
        // An entry is whole at once: a panic elsewhere does not spoil the map.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name.to_owned()).or_default())
    }
}

/// Asks for a short-lived token, and keeps the long-lived one that comes with it.
async fn renewed(
    oauth: &OAuth,
    keeper: &Keeper<'_>,
    known: &mut Known,
) -> Result<Given, TokenError> {
    let kept = keeper.kept().await?;
    let replaced = known.unkept.clone().or(kept);
    let mut given = match &replaced {
        Some(long) => ask(oauth, long, keeper).await,
        None => ask(oauth, &oauth.refresh_token, keeper).await,
    };
    // What the administrator wrote may have outlived what replaced it.
    if matches!(given, Err(TokenError::Refused(_))) && replaced.is_some() {
        given = ask(oauth, &oauth.refresh_token, keeper).await;
    }
    let given = given?;
    if let Some(long) = given.refresh_token.clone().filter(|long| !long.is_empty()) {
        known.unkept = Some(long);
    }
    if let Some(long) = &known.unkept
        && keeper.keep(long).await
    {
        known.unkept = None;
    }
    Ok(given)
}

async fn ask(oauth: &OAuth, long: &str, keeper: &Keeper<'_>) -> Result<Given, TokenError> {
    let target = Target::parse(&oauth.token_url)
        .map_err(|problem| TokenError::Refused(format!("token_url {problem}")))?;
    let client = Client::new(&Setup::new(target.clone(), TIMEOUT)).map_err(TokenError::Later)?;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", long),
        ("client_id", &oauth.client_id),
        ("client_secret", &oauth.client_secret),
        ("scope", &oauth.scope),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let form = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut call = Call::post("", Body::Form(form.collect()))
        .header(header::ACCEPT, HeaderValue::from_static("application/json"));
    call.answer_bytes_max = ANSWER_BYTES_MAX;
    let reply = client.call(call, keeper.host.now()).await;
    let reply = reply.map_err(|problem| TokenError::Later(format!("{target}: {problem}")))?;
    read(&target, &reply)
}

fn read(target: &Target, reply: &Reply) -> Result<Given, TokenError> {
    if reply.is_taken() {
        let given: Option<Given> = serde_json::from_slice(&reply.body).ok();
        // It goes into a line of a protocol.
        let plain =
            |token: &str| !token.is_empty() && token.bytes().all(|it| it.is_ascii_graphic());
        return given
            .filter(|given| plain(&given.access_token))
            .ok_or_else(|| TokenError::Later(format!("{target} gave no token")));
    }
    let denied: Denied = serde_json::from_slice(&reply.body).unwrap_or_default();
    // What it says may repeat what it was sent.
    let error = text::line(&denied.error, WORDS_CHARS_MAX);
    let status = reply.status.as_u16();
    if !reply.status.is_client_error() || status == 429 || error.is_empty() {
        return Err(TokenError::Later(format!("{target} answered {status}")));
    }
    let words = text::line(&denied.error_description, WORDS_CHARS_MAX);
    Err(TokenError::Refused(match error.as_str() {
        "invalid_grant" => format!(
            "the permission to use the mailbox has ended or was taken back: give it again and put the new refresh token into the configuration ({error}: {words})"
        ),
        "invalid_client" | "unauthorized_client" => format!(
            "the provider does not know the application: check client_id and client_secret ({error}: {words})"
        ),
        _ => format!("{target} gives no token: {error}: {words}"),
    }))
}

fn lifetime(given: &Given) -> Duration {
    // Some providers write numbers in quotes.
    let told = given.expires_in.as_ref().and_then(|told| {
        let number = told.as_u64();
        number.or_else(|| told.as_str()?.parse().ok())
    });
    Duration::from_secs(told.unwrap_or(EXPIRES_SECS).min(EXPIRES_SECS_MAX))
}

/// Names what was configured: once somebody configures another token, what replaced the
/// old one is of no use.
fn name(oauth: &OAuth) -> String {
    let mut digest = Sha256::new();
    for part in [&oauth.token_url, &oauth.client_id, &oauth.refresh_token] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let mut name = "oauth ".to_owned();
    for byte in digest.finalize().iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Keeps the long-lived token that replaced the configured one: never in clear.
struct Keeper<'a> {
    line: &'a LineId,
    name: String,
    host: &'a Arc<dyn Host>,
}

impl Keeper<'_> {
    async fn kept(&self) -> Result<Option<String>, TokenError> {
        let note = self.host.bookmark(self.line, &self.name).await;
        let note = note.map_err(|refused| TokenError::Later(refused.to_string()))?;
        Ok(note.and_then(|note| self.open(&note)))
    }

    async fn keep(&self, long: &str) -> bool {
        let Some(note) = self.seal(long) else {
            return false;
        };
        match self.host.set_bookmark(self.line, &self.name, &note).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(line.id = %self.line, %error, "a renewed permission is not kept yet");
                false
            }
        }
    }

    fn seal(&self, long: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&self.host.random_bytes()[..NONCE_LEN]);
        let mut sealed = long.as_bytes().to_vec();
        let aad = Aad::from(self.name.as_bytes());
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        let key = self.key()?;
        key.seal_in_place_append_tag(nonce_used, aad, &mut sealed)
            .ok()?;
        Some(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open(&self, note: &str) -> Option<String> {
        let note = STANDARD.decode(note).ok()?;
        let (nonce, sealed) = note.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(self.name.as_bytes());
        let long = self.key()?.open_in_place(nonce, aad, &mut sealed).ok()?;
        String::from_utf8(long.to_vec()).ok()
    }

    fn key(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.host.secret(PURPOSE)).ok()?;
        Some(LessSafeKey::new(key))
    }
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
pub(super) mod tests;
