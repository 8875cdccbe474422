//! Every messenger's server on a port of its own, for stories that are played in a browser.
//!
//! The first line that is printed holds the lines of a gateway's configuration. Then each
//! command, a line of JSON, is answered by a line.

use std::io::{BufRead as _, Write as _};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use e2e::providers::Acts;
use e2e::providers::avito::Avito;
use e2e::providers::max::Max;
use e2e::providers::messenger::{Instagram, Messenger};
use e2e::providers::ok::Odnoklassniki;
use e2e::providers::telegram::Telegram;
use e2e::providers::viber::Viber;
use e2e::providers::vk::Vk;
use e2e::providers::whatsapp::WhatsApp;
use e2e::until;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Table;

/// What is to happen on a platform.
#[derive(Deserialize)]
struct Command {
    /// The kind of its line.
    platform: String,
    /// Where the gateway is, without a slash at the end.
    gateway: String,
    /// Which client it is about.
    #[serde(default)]
    client: u32,
    #[serde(flatten)]
    act: Act,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// Waits until the server knows whom to call.
    IsReady,
    /// The client writes.
    Says(String),
    /// What the client wrote so many hours ago comes only now.
    SaidBefore(i64, String),
    /// The client sends words with pictures, which are in Base64.
    Shows(String, Vec<String>),
    /// What was sent last is on the client's device.
    Gets,
    /// The client has read it.
    Reads,
    /// The client puts a heart to it.
    Likes,
    /// Waits until the client was sent these words; answers all that they were sent.
    IsGiven(String),
}

/// A platform, whichever it is.
#[async_trait]
trait Server: Send + Sync {
    fn kind(&self) -> &'static str;

    /// Its line, as it is configured.
    fn line(&self) -> Table;

    /// Does as it is told; answers what was called for, or how much the gateway was told.
    async fn obey(&self, command: Command) -> anyhow::Result<Value>;
}

#[async_trait]
impl<P: Acts> Server for P {
    fn kind(&self) -> &'static str {
        P::KIND
    }

    fn line(&self) -> Table {
        let mut line = self.called();
        for (key, value) in [
            ("id", P::KIND),
            ("channel", P::KIND),
            ("name", "Shop"),
            ("queue", "main"),
        ] {
            line.insert(key.to_owned(), value.into());
        }
        line
    }

    async fn obey(&self, command: Command) -> anyhow::Result<Value> {
        let client = P::client(command.client);
        let told = match command.act {
            Act::IsReady => {
                self.ready().await;
                return Ok(json!({}));
            }
            Act::IsGiven(text) => {
                let is_given = || async { self.given(&client).contains(&text) };
                until(&text, is_given).await;
                return Ok(json!({"given": self.given(&client)}));
            }
            Act::Says(text) => vec![self.words(&client, &text)],
            Act::SaidBefore(hours, text) => self.late(&client, &text, hours).into_iter().collect(),
            Act::Shows(text, pictures) => {
                let pictures = pictures
                    .iter()
                    .map(|one| STANDARD.decode(one).map(Bytes::from));
                let pictures: Vec<Bytes> = pictures.collect::<Result<_, _>>()?;
                self.pictures(&client, &text, &pictures)
            }
            Act::Gets => self.arrives().into_iter().collect(),
            Act::Reads => self.reads().into_iter().collect(),
            Act::Likes => self.likes().into_iter().collect(),
        };
        let by_hand = || format!("{}/hooks/{}", command.gateway, P::KIND);
        let hook = self.hook().unwrap_or_else(by_hand);
        for body in &told {
            let answer = self.call(body).post(&hook).await;
            ensure!(P::is_taken(&answer), "{answer:?} to {body}");
        }
        Ok(json!({"told": told.len()}))
    }
}

async fn open<P: Acts>() -> Box<dyn Server> {
    Box::new(P::open().await)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let servers = [
        open::<Avito>().await,
        open::<Instagram>().await,
        open::<Max>().await,
        open::<Messenger>().await,
        open::<Odnoklassniki>().await,
        open::<Telegram>().await,
        open::<Viber>().await,
        open::<Vk>().await,
        open::<WhatsApp>().await,
    ];
    let lines: Vec<Table> = servers.iter().map(|server| server.line()).collect();
    let config = toml::to_string(&Table::from_iter([("line".to_owned(), lines.into())]))?;
    say(&json!({ "config": config }))?;
    // The servers have threads of their own.
    for line in std::io::stdin().lock().lines() {
        let answer = obey(&servers, &line?).await;
        say(&answer.unwrap_or_else(|error| json!({"error": format!("{error:#}")})))?;
    }
    Ok(())
}

async fn obey(servers: &[Box<dyn Server>], line: &str) -> anyhow::Result<Value> {
    let command: Command = serde_json::from_str(line).context("reading a command")?;
    let mut servers = servers.iter();
    let server = servers.find(|server| server.kind() == command.platform);
    let server = server.with_context(|| format!("there is no {}", command.platform))?;
    server.obey(command).await
}

fn say(answer: &Value) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{answer}").context("answering")
}
