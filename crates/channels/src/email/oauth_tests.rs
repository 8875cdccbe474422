use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::send::Desk;
use super::*;

/// A provider that answers what it is told to, in order, and the last for ever.
struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        let mut answers: VecDeque<(u16, String)> = answers.collect();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = String::new();
                while !is_whole(&request) {
                    let mut piece = [0; 4_096];
                    let length = stream.read(&mut piece).await.unwrap();
                    request.push_str(std::str::from_utf8(&piece[..length]).unwrap());
                }
                heard.lock().unwrap().push(request);
                let last = answers.len() == 1;
                let (status, body) = if last {
                    answers[0].clone()
                } else {
                    answers.pop_front().unwrap()
                };
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    fn oauth(&self) -> OAuth {
        OAuth {
            token_url: self.url.clone(),
            client_id: "app&1".to_owned(),
            client_secret: String::new(),
            refresh_token: "1//long+lived".to_owned(),
            scope: "mail offline".to_owned(),
        }
    }

    /// The forms it was sent.
    fn forms(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| request.split("\r\n\r\n").nth(1).unwrap().to_owned())
            .collect()
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.to_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap();
    length.lines().next().unwrap().parse() == Ok(body.len())
}

async fn ask(
    tokens: &Tokens,
    oauth: &OAuth,
    host: &Arc<dyn Host>,
) -> Result<(String, bool), TokenError> {
    let token = tokens.token(&LineId::from("mail"), oauth, host).await?;
    Ok((token.value, token.is_fresh))
}

fn desk() -> (Arc<Desk>, Arc<dyn Host>) {
    let desk = Arc::new(Desk::default());
    let host: Arc<dyn Host> = Arc::<Desk>::clone(&desk);
    (desk, host)
}

/// Lets so much time pass at once.
async fn advance(secs: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(secs)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end() {
    let answers = [
        (200, r#"{"access_token": "a", "expires_in": 3600}"#),
        (200, r#"{"access_token": "b", "expires_in": "120"}"#),
        (200, r#"{"access_token": "c"}"#),
    ];
    let provider = Provider::start(&answers).await;
    let (_, host) = desk();
    let (tokens, oauth) = (Tokens::default(), provider.oauth());
    for (pause, value, is_fresh) in [
        (0, "a", true),
        (3_539, "a", false),
        (1, "b", true),
        (59, "b", false),
        (1, "c", true),
        (3_539, "c", false),
    ] {
        advance(pause).await;
        assert_eq!(
            ask(&tokens, &oauth, &host).await,
            Ok((value.to_owned(), is_fresh))
        );
    }
    assert_eq!(
        provider.forms()[0],
        "grant_type=refresh_token&refresh_token=1%2F%2Flong%2Blived&client_id=app%261&scope=mail%20offline"
    );
    let asked = provider.asked.lock().unwrap()[0].to_lowercase();
    assert!(
        asked.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"),
        "{asked}"
    );
}

#[tokio::test]
async fn many_ask_once() {
    let provider = Provider::start(&[(200, r#"{"access_token": "a"}"#)]).await;
    let (_, host) = desk();
    let (tokens, oauth) = (Tokens::default(), provider.oauth());
    let asks = (0..20).map(|_| ask(&tokens, &oauth, &host));
    let fresh = futures::future::join_all(asks).await;
    let fresh = fresh
        .into_iter()
        .filter(|it| it.as_ref().unwrap().1)
        .count();
    assert_eq!((fresh, provider.forms().len()), (1, 1));
}

#[tokio::test]
async fn a_token_that_was_not_taken_is_not_used_again() {
    let answers = [
        (200, r#"{"access_token": "a"}"#),
        (200, r#"{"access_token": "b"}"#),
    ];
    let provider = Provider::start(&answers).await;
    let (_, host) = desk();
    let (tokens, oauth) = (Tokens::default(), provider.oauth());
    let line = LineId::from("mail");
    let first = tokens.token(&line, &oauth, &host).await.unwrap();
    tokens.forget(&oauth, &first).await;
    assert_eq!(
        ask(&tokens, &oauth, &host).await,
        Ok(("b".to_owned(), true))
    );
    // Somebody else still has the first.
    tokens.forget(&oauth, &first).await;
    assert_eq!(
        ask(&tokens, &oauth, &host).await,
        Ok(("b".to_owned(), false))
    );
}

#[tokio::test]
async fn what_replaces_the_long_lived_token_outlives_us_and_is_not_kept_in_clear() {
    let answers = [
        (
            200,
            r#"{"access_token": "a", "refresh_token": "second-long"}"#,
        ),
        (200, r#"{"access_token": "b"}"#),
    ];
    let provider = Provider::start(&answers).await;
    let (desk, host) = desk();
    let oauth = provider.oauth();
    // It cannot be kept at first.
    desk.is_full.store(true, Ordering::Relaxed);
    let tokens = Tokens::default();
    ask(&tokens, &oauth, &host).await.unwrap();
    assert!(desk.bookmarks.lock().unwrap().is_empty());
    desk.is_full.store(false, Ordering::Relaxed);
    advance(3_600).await;
    ask(&tokens, &oauth, &host).await.unwrap();
    for (name, note) in desk.bookmarks.lock().unwrap().iter() {
        let clear = STANDARD.decode(note).unwrap();
        let shown = String::from_utf8_lossy(&clear).into_owned() + note + name;
        assert!(
            !shown.contains("second") && !shown.contains("lived"),
            "{shown}"
        );
    }
    let anew = Tokens::default();
    ask(&anew, &oauth, &host).await.unwrap();
    let used = |index: usize| provider.forms()[index].contains("refresh_token=second-long&");
    assert_eq!((used(0), used(1), used(2)), (false, true, true));

    // Another one in the configuration is not replaced by it; nor is one of which the
    // note was spoilt.
    let mut other = oauth.clone();
    other.refresh_token = "third".to_owned();
    ask(&Tokens::default(), &other, &host).await.unwrap();
    assert!(provider.forms()[3].contains("refresh_token=third&"));
    for note in desk.bookmarks.lock().unwrap().values_mut() {
        note.replace_range(..4, "AAAA");
    }
    ask(&Tokens::default(), &oauth, &host).await.unwrap();
    assert!(provider.forms()[4].contains("refresh_token=1%2F%2Flong"));
}

#[tokio::test]
async fn the_configured_token_may_outlive_what_replaced_it() {
    let answers = [
        (200, r#"{"access_token": "a", "refresh_token": "second"}"#),
        (400, r#"{"error": "invalid_grant"}"#),
        (200, r#"{"access_token": "b"}"#),
    ];
    let provider = Provider::start(&answers).await;
    let (_, host) = desk();
    let oauth = provider.oauth();
    ask(&Tokens::default(), &oauth, &host).await.unwrap();
    let token = ask(&Tokens::default(), &oauth, &host).await;
    assert_eq!(token, Ok(("b".to_owned(), true)));
    assert!(provider.forms()[2].contains("refresh_token=1%2F%2Flong"));
}

#[tokio::test]
async fn people_are_told_what_to_do() {
    let long = format!(
        r#"{{"error": "server", "error_description": "{}"}}"#,
        "x".repeat(9_000)
    );
    for (status, body, is_refused, words) in [
        (
            400,
            r#"{"error": "invalid_grant", "error_description": "AADSTS50173:\r\n expired"}"#,
            true,
            "give it again and put the new refresh token into the configuration (invalid_grant: AADSTS50173: expired)",
        ),
        (
            401,
            r#"{"error": "invalid_client"}"#,
            true,
            "check client_id and client_secret",
        ),
        (400, r#"{"error": "invalid_scope"}"#, true, "invalid_scope"),
        (400, long.as_str(), true, "server: xxx"),
        (400, "<html>", false, "answered 400"),
        (429, r#"{"error": "slow_down"}"#, false, "answered 429"),
        (503, r#"{"error": "invalid_grant"}"#, false, "answered 503"),
        (302, "", false, "answered 302"),
        (200, "<html>", false, "gave no token"),
        (200, r#"{"access_token": ""}"#, false, "gave no token"),
        (
            200,
            "{\"access_token\": \"a\\u0001auth=x\"}",
            false,
            "gave no token",
        ),
        (200, r#"{"token": "a"}"#, false, "gave no token"),
    ] {
        let provider = Provider::start(&[(status, body)]).await;
        let (_, host) = desk();
        let refused = ask(&Tokens::default(), &provider.oauth(), &host)
            .await
            .unwrap_err();
        assert_eq!(
            matches!(refused, TokenError::Refused(_)),
            is_refused,
            "{body}: {refused}"
        );
        let told = refused.to_string();
        assert!(told.contains(words) && told.len() < 600, "{body}: {told}");
        assert!(!told.contains("1//long"), "{told}");
    }
    let (_, host) = desk();
    let mut oauth = Provider::start(&[(200, "")]).await.oauth();
    oauth.token_url = "http://elsewhere.example/".to_owned();
    let refused = ask(&Tokens::default(), &oauth, &host).await;
    assert!(matches!(refused, Err(TokenError::Refused(_))));
    oauth.token_url = "http://127.0.0.1:1/".to_owned();
    let refused = ask(&Tokens::default(), &oauth, &host).await;
    assert!(matches!(refused, Err(TokenError::Later(_))));
}

/// For tests of what uses tokens.
pub(in super::super) async fn provider(tokens: &[&str]) -> OAuth {
    let answers: Vec<String> = tokens
        .iter()
        .map(|token| format!(r#"{{"access_token": "{token}"}}"#))
        .collect();
    let answers: Vec<(u16, &str)> = answers
        .iter()
        .map(|answer| (200, answer.as_str()))
        .collect();
    Provider::start(&answers).await.oauth()
}
