//! Programs that others wrote for messengers understand what our servers of them tell, and
//! refuse what is forged.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, iter};

use e2e::providers::max::Max;
use e2e::providers::messenger::{Instagram, Messenger};
use e2e::providers::platform::{Albums as _, Call};
use e2e::providers::telegram::Telegram;
use e2e::providers::viber::Viber;
use e2e::providers::vk::Vk;
use e2e::providers::whatsapp::WhatsApp;
use e2e::providers::{Buttons, Platform};
use e2e::{Scene, or_skip};
use proto::channels::v1::DeliveryState;
use serde_json::{Map, Value, json};

use super::contract::offers;

const TEXTS: [&str; 4] = [
    "Здравствуйте! 👋",
    "\"5\" < 6 & \\u0041 / 'seven'",
    "one\ntwo\u{2028}three\u{e9}e\u{301}",
    "👩‍👩‍👧 \u{fffd}\u{1f3f3}",
];
const ANSWERS: [&str; 5] = ["Да", "\"5\" < 6 & 7", "🙂 ok", "four", "five"];

/// What a messenger tells, a call a line.
struct Told<P> {
    provider: P,
    client: String,
    lines: Vec<Value>,
}

/// What a program made of it.
struct Heard {
    by: &'static str,
    lines: Vec<(Value, Value)>,
}

impl<P: Platform> Told<P> {
    /// What our fixtures tell, whatever it says.
    fn fixtures(&mut self) {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/channels/src");
        let fixtures = fs::read_dir(room.join(P::KIND).join("fixtures")).unwrap();
        let mut fixtures: Vec<_> = fixtures.map(|entry| entry.unwrap().path()).collect();
        fixtures.sort();
        for file in fixtures {
            if file.extension().is_some_and(|it| it == "json") {
                let fixture = fs::read_to_string(&file).unwrap();
                self.calls(&fixture, &json!(file.file_stem().unwrap().to_str()));
            }
        }
    }

    /// A call that is genuine. What it says is null or a name where that is not looked at.
    fn calls(&mut self, body: &str, said: &Value) {
        let call = self.provider.call(body);
        self.lines.push(line(&call, said));
    }

    /// The client says something, and others say that they do, too.
    fn says(&mut self, body: &str, text: &str, kind: &str) {
        let said = json!({"sender": self.client, "text": text, "kind": kind});
        self.calls(body, &said);
        let forged = self.provider.forged(body);
        self.lines
            .extend(forged.iter().map(|call| line(call, &json!("forged"))));
    }

    fn says_all(&mut self, kind: &str) {
        for text in TEXTS {
            let body = self.provider.words(&self.client, text);
            self.says(&body, text, kind);
            let renamed = self.provider.renamed(&body);
            self.says(&renamed, text, kind);
        }
    }

    /// Hands it to a program for bots.
    fn to(&self, script: &'static str) -> Result<Heard, String> {
        let options = iter::once(json!(self.provider.called()));
        let lines: Vec<String> = options
            .chain(self.lines.iter().cloned())
            .map(|line| line.to_string())
            .collect();
        let heard = run(script, &lines.join("\n"))?;
        let heard = heard
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let heard = Heard {
            by: script,
            lines: self.lines.iter().cloned().zip(heard).collect(),
        };
        assert_eq!(heard.lines.len(), self.lines.len());
        Ok(heard)
    }
}

impl<P: Buttons> Told<P> {
    /// What comes of a client who writes, and presses what they are offered.
    async fn all(client: String, words: &str, press: &str) -> Self {
        let mut scene = Scene::<P>::called().await;
        scene.meets(&client).await;
        let mut presses = Vec::new();
        // Some show a few in another way than many.
        for (name, answers) in [("a-1", &ANSWERS[..2]), ("a-2", &ANSWERS)] {
            let asked = offers(&mut scene, name, "Когда?", answers).await.unwrap();
            scene.fate(&asked, DeliveryState::Sent).await;
            for answer in answers {
                let press = scene.provider.press(&client, answer).unwrap();
                presses.push((press, *answer));
            }
        }
        let mut told = Self {
            provider: scene.provider,
            client,
            lines: Vec::new(),
        };
        told.says_all(words);
        for (body, answer) in &presses {
            told.says(body, answer, press);
        }
        for strange in told.provider.strange(&told.client) {
            told.calls(&strange, &Value::Null);
        }
        told
    }
}

impl Heard {
    /// Every genuine call was taken, every forged one refused, but for those that this
    /// program lets through of each that says something.
    #[expect(clippy::print_stdout, reason = "for whoever wants the figures")]
    fn is_genuine(&self, overlooked: usize) {
        let (forged, genuine): (Vec<_>, Vec<_>) = self
            .lines
            .iter()
            .partition(|(told, _)| told["said"] == "forged");
        for (told, heard) in &genuine {
            assert_eq!(heard["status"], 200, "{}: {heard} to {told}", self.by);
        }
        let taken: Vec<_> = forged
            .iter()
            .filter(|(_, heard)| heard["status"] == 200)
            .collect();
        let said = genuine.iter().filter(|(told, _)| told["said"].is_object());
        assert_eq!(taken.len(), overlooked * said.count(), "{taken:?}");
        let (accepted, refused) = (genuine.len(), forged.len() - taken.len());
        println!("peers: {}: {accepted} accepted, {refused} refused", self.by);
    }

    /// What was said was understood, who said it, and what kind of thing it is.
    fn is_understood(&self) {
        for (told, heard) in &self.lines {
            let Some(said) = told["said"].as_object() else {
                continue;
            };
            for (name, said) in said {
                assert_eq!(heard[name], *said, "{}: {heard} to {told}", self.by);
            }
            let at = heard["at"].as_str().unwrap();
            assert!(at.starts_with("20"), "{}: {heard} to {told}", self.by);
        }
    }
}

/// As far as JavaScript counts, which reads a larger number as another.
fn counted() -> String {
    ((1_u64 << 53) - 1).to_string()
}

fn line(call: &Call, said: &Value) -> Value {
    let headers = call.headers.iter();
    let headers: Map<_, _> = headers
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({"headers": headers, "body": call.body, "said": said})
}

/// What a script says of lines, or what is missing on this machine. Node looks for packages
/// where `NODE_PATH` says.
fn run(script: &str, lines: &str) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut node = Command::new("node");
    node.arg(folder.join(script)).stdin(Stdio::piped());
    let spawned = node.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut node = spawned.map_err(|error| format!("node: {error}"))?;
    // It reads all before it says anything, unless it ends at once.
    let _ = node.stdin.take().unwrap().write_all(lines.as_bytes());
    let output = node.wait_with_output().unwrap();
    let wrong = String::from_utf8(output.stderr).unwrap();
    if wrong.contains("MODULE_NOT_FOUND") {
        return Err(format!("the packages of {script} are not installed"));
    }
    assert!(output.status.success(), "{script}: {wrong}");
    Ok(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn grammy_understands_telegram() {
    let mut told = Told::<Telegram>::all(counted(), "message:text", "callback_query:data").await;
    let pictures = ["one", "two"].map(bytes::Bytes::from);
    let pieces = told.provider.pieces(&told.client, "Вот", &pictures);
    told.says(&pieces[0], "Вот", ":photo");
    told.says(&pieces[1], "", ":photo");
    told.fixtures();
    let heard = or_skip!(told.to("telegram.mjs"));
    heard.is_understood();
    heard.is_genuine(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn max_s_own_package_understands_max() {
    let mut told = Told::<Max>::all(counted(), "message_created", "message_callback").await;
    told.fixtures();
    let heard = or_skip!(told.to("max.mjs"));
    heard.is_understood();
    heard.is_genuine(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn vk_io_understands_vk() {
    let mut told = Told::<Vk>::all(counted(), "message_new", "message_new").await;
    told.fixtures();
    let heard = or_skip!(told.to("vk.mjs"));
    heard.is_understood();
    // What is of another community it leaves to the bot.
    heard.is_genuine(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn viber_s_own_package_understands_viber() {
    let mut told = Told::<Viber>::all(Viber::client(0), "text", "text").await;
    told.fixtures();
    let heard = or_skip!(told.to("viber.mjs"));
    heard.is_understood();
    heard.is_genuine(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_api_js_understands_whatsapp() {
    let mut told = Told::<WhatsApp>::all(WhatsApp::client(0), "text", "interactive").await;
    told.fixtures();
    let heard = or_skip!(told.to("whatsapp.mjs"));
    heard.is_understood();
    // It finds a signature anywhere in the header.
    heard.is_genuine(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_api_js_knows_the_signatures_of_messenger() {
    let told = Told::<Messenger>::all(Messenger::client(0), "", "").await;
    or_skip!(told.to("graph.mjs")).is_genuine(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_api_js_knows_the_signatures_of_instagram() {
    let told = Told::<Instagram>::all(Instagram::client(0), "", "").await;
    or_skip!(told.to("graph.mjs")).is_genuine(1);
}

/// For programs that are in no npm package.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints what is told, and judges nothing"]
async fn what_is_told_as_lines() {
    fn print<P: Platform>(told: &mut Told<P>) {
        told.fixtures();
        for line in &told.lines {
            println!("{}", json!({"by": P::KIND, "call": line}));
        }
    }
    print(&mut Told::<Telegram>::all(Telegram::client(0), "", "").await);
    print(&mut Told::<Max>::all(Max::client(0), "", "").await);
    print(&mut Told::<Vk>::all(Vk::client(0), "", "").await);
    print(&mut Told::<Viber>::all(Viber::client(0), "", "").await);
    print(&mut Told::<WhatsApp>::all(WhatsApp::client(0), "", "").await);
}
