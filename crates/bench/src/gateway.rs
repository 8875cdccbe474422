//! A gateway of the workload's own: a child process, a port and a folder.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use proto::admin::v1::admin_client::AdminClient;
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;
use tempfile::TempDir;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::Setting;
use crate::child::Child;
use crate::dice;

/// Where forms are submitted.
pub(crate) const FORM: &str = "/forms/form";

/// The id of a queue.
pub(crate) fn queue(number: usize) -> String {
    if number == 0 {
        "main".to_owned()
    } else {
        format!("queue-{number}")
    }
}

/// Sends a token with every call.
#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Status::internal("the token cannot be sent"))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// A connection with a token.
pub(crate) type Signed = InterceptedService<Channel, Bearer>;

/// A running gateway. Its folder goes with it.
pub(crate) struct Gateway {
    child: Child,
    program: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    secret: String,
}

/// How the gateway hands conversations over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handing {
    /// `offer` or `direct`.
    pub(crate) assign: &'static str,
    /// Units that a form takes of an operator's 100.
    pub(crate) form_cost: u32,
    /// Queues, each with a line of its own; the first is `main`.
    pub(crate) queues: usize,
}

impl Default for Handing {
    fn default() -> Self {
        Self {
            assign: "offer",
            form_cost: 10,
            queues: 1,
        }
    }
}

/// A temporary folder where the setting wants it.
pub(crate) fn folder(setting: &Setting) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("switchboard-bench-")
        .tempdir_in(&setting.folder)
        .with_context(|| format!("making a folder in {}", setting.folder.display()))
}

/// A copy of the program: pages of one file would be counted in halves while the
/// generator has them, too.
pub(crate) fn apart(setting: &Setting) -> anyhow::Result<(Setting, TempDir)> {
    let folder = folder(setting)?;
    let program = folder.path().join("switchboard");
    fs::copy(&setting.program, &program).context("copying the program")?;
    let apart = Setting {
        program,
        ..setting.clone()
    };
    Ok((apart, folder))
}

impl Gateway {
    /// Starts one on an empty store.
    pub(crate) fn start(setting: &Setting, handing: Handing) -> anyhow::Result<Self> {
        Self::start_with(setting, &config(handing))
    }

    /// As [`Self::start`], with settings of the workload's own.
    pub(crate) fn start_with(setting: &Setting, settings: &str) -> anyhow::Result<Self> {
        let folder = folder(setting)?;
        configure(folder.path(), settings)?;
        let child = serve(&setting.program, folder.path())?;
        let mut this = Self {
            child,
            program: setting.program.clone(),
            folder,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            secret: String::new(),
        };
        this.greet()?;
        Ok(this)
    }

    /// Has it other settings from its next start on.
    pub(crate) fn configure(&self, settings: &str) -> anyhow::Result<()> {
        configure(self.folder.path(), settings)
    }

    /// Starts it again on the same store, after an end.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = serve(&self.program, self.folder.path())?;
        self.greet()
    }

    fn greet(&mut self) -> anyhow::Result<()> {
        let said = self.child.says("Ready.").with_context(|| {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            format!("the gateway does not start: {}", log.trim())
        });
        said?;
        // It leaves its address there, and a secret for this machine.
        let note = fs::read_to_string(self.store().with_extension("local"))
            .context("reading the gateway's address")?;
        let mut lines = note.lines();
        let address = lines.next().context("the gateway tells no address")?;
        self.address = address.parse().context("reading the gateway's address")?;
        lines
            .next()
            .context("the gateway tells no secret")?
            .clone_into(&mut self.secret);
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("switchboard.db")
    }

    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()
    }

    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.child.stop()
    }

    /// A connection with an admin's rights.
    pub(crate) async fn signed(&self) -> anyhow::Result<Signed> {
        self.signed_with(self.secret.clone()).await
    }

    /// A connection of its own with a token.
    pub(crate) async fn signed_with(&self, token: String) -> anyhow::Result<Signed> {
        let channel = Endpoint::from_shared(format!("http://{}", self.address))?
            .tcp_nodelay(true)
            .connect()
            .await
            .context("connecting to the gateway")?;
        Ok(InterceptedService::new(channel, Bearer(token)))
    }

    pub(crate) async fn inbox(&self) -> anyhow::Result<InboxClient<Signed>> {
        Ok(InboxClient::new(self.signed().await?))
    }

    pub(crate) async fn admin(&self) -> anyhow::Result<AdminClient<Signed>> {
        Ok(AdminClient::new(self.signed().await?))
    }

    /// The numbers of every open conversation, as the list tells them.
    pub(crate) async fn stored(&self) -> anyhow::Result<Vec<u64>> {
        let mut inbox = self.inbox().await?;
        let mut numbers = Vec::new();
        let mut request = pb::ListConversationsRequest {
            folder: pb::Folder::AllOpen.into(),
            page_size: 200,
            ..Default::default()
        };
        loop {
            let page = inbox
                .list_conversations(request.clone())
                .await?
                .into_inner();
            for conversation in &page.conversations {
                let number = dice::number_of(&conversation.last_message_text);
                numbers.push(number.context("a conversation is none of ours")?);
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn serve(program: &Path, folder: &Path) -> anyhow::Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg("--config")
        .arg(folder.join("config.toml"))
        .stderr(Stdio::from(log));
    Child::start(&mut command)
}

fn configure(folder: &Path, settings: &str) -> anyhow::Result<()> {
    let store = folder.join("switchboard.db");
    let config = format!(
        r#"[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1"

[store]
url = "sqlite:{}"

[log]
level = "warn"
{settings}"#,
        store.display()
    );
    fs::write(folder.join("config.toml"), config).context("writing its file")
}

/// Everything comes from one address here, and nothing is to be refused.
fn config(handing: Handing) -> String {
    let Handing {
        assign,
        form_cost,
        queues,
    } = handing;
    let more: Vec<String> = (1..queues)
        .map(|number| {
            let queue = queue(number);
            format!(
                "\n[[queue]]\nid = \"{queue}\"\nassign = \"{assign}\"\n\n\
                 [[line]]\nid = \"form-{number}\"\nchannel = \"form\"\nqueue = \"{queue}\"\n"
            )
        })
        .collect();
    format!(
        r#"
[limits]
journal_pending_max = 10000000
acts_per_minute_max = 1000000000

[capacity]
cost = {{ voice = 100, chat = 25, messenger = 20, sms = 20, email = 10, form = {form_cost} }}

[[queue]]
id = "main"
assign = "{assign}"

[[line]]
id = "form"
channel = "form"
queue = "main"

[[line]]
id = "site"
channel = "webchat"
queue = "main"
allow_no_origin = true
{}"#,
        more.concat()
    )
}
