//! The webhook of an app, as hubs have them: it is asked once whether it is the right one,
//! every call is signed as a whole, and the app's lines share it.

use http::{Method, StatusCode};

use crate::options::{Options, is_word};
use crate::{Ack, Delivery, HookError, LineSetup, Received, clean, hook};

const SIGNATURE_HEADER: &str = "x-hub-signature-256";
/// What a hub asks to be told back is shorter.
const CHALLENGE_BYTES_MAX: usize = 256;

/// What a line's section says of its app's webhook.
pub(crate) struct Hub {
    pub(crate) app_secret: String,
    verify_token: String,
    /// The name of a webhook that several lines share.
    pub(crate) hook: Option<String>,
    /// Where the provider calls us.
    pub(crate) url: String,
}

impl Hub {
    pub(crate) fn read(options: &mut Options, setup: &LineSetup) -> Self {
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
        let name = hook.as_deref().unwrap_or(setup.id.as_str());
        Self {
            app_secret,
            verify_token,
            url: format!("{}/hooks/{name}", setup.public_url),
            hook,
        }
    }

    /// Checks a call. What is to be answered at once is answered here; any other brings
    /// events.
    pub(crate) fn check(&self, delivery: &Delivery) -> Result<Option<Received>, HookError> {
        if delivery.method == Method::GET {
            return verify(&self.verify_token, &delivery.path_and_query).map(Some);
        }
        let (headers, secret) = (&delivery.headers, &self.app_secret);
        hook::check_signature(headers, SIGNATURE_HEADER, "sha256=", secret, &delivery.body)?;
        Ok(None)
    }
}

/// The provider asks whether this is the right place when the webhook is set up.
fn verify(verify_token: &str, path_and_query: &str) -> Result<Received, HookError> {
    let (_, query) = path_and_query.split_once('?').unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(known, _)| *known == name)?;
        clean::percent_decode(value.as_bytes(), true)
    };
    let token = value("hub.verify_token").ok_or(HookError::Forged)?;
    if !hook::is_same(token.as_bytes(), verify_token.as_bytes()) {
        return Err(HookError::Forged);
    }
    let challenge = value("hub.challenge").filter(|it| it.len() <= CHALLENGE_BYTES_MAX);
    match (value("hub.mode").as_deref(), challenge) {
        (Some("subscribe"), Some(challenge)) => Ok(Received {
            envelopes: Vec::new(),
            ack: Ack {
                status: StatusCode::OK,
                content_type: "text/plain",
                body: challenge.into(),
            },
        }),
        (_, _) => Err(HookError::Malformed("nothing is asked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_who_knows_the_word_is_told_the_challenge() {
        let word = "a-word-of-sixteen";
        let ask = |query: &str| verify(word, &format!("?{query}")).map(|told| told.ack.body);
        let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a-word-of-sixteen";
        assert_eq!(ask(good), Ok(Bytes::from_static(b"1158201444")));
        for forged in [
            "",
            "hub.mode=subscribe&hub.challenge=1",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=A-word-of-sixteen",
        ] {
            assert_eq!(ask(forged), Err(HookError::Forged), "{forged}");
        }
        let odd = ask("hub.mode=other&hub.challenge=1&hub.verify_token=a-word-of-sixteen");
        assert!(matches!(odd, Err(HookError::Malformed(_))));
    }
}
