//! Reads the section.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::identity::{Identity, Trust, normalize};
use rustls_pki_types::ServerName;

use super::provider::{PROVIDERS, Place, Provider, keeps_sent};
use super::{
    After, Config, History, LETTER_BYTES_MAX, Login, Mailbox, OAuth, Secret, Security, Sent,
    Server, Smtp,
};
use crate::options::Options;
use crate::registry::email::tls;
use crate::{ConfigProblem, LineSetup};

const LETTER_MIB_MAX: u64 = LETTER_BYTES_MAX >> 20;
const LETTER_MIB: u64 = 50;
/// Each folder has a connection of its own, and providers count them.
const FOLDERS_MAX: usize = 10;
const MAILBOXES_MAX: usize = 20;
/// Names stand in bookmarks and event keys, which have 256 bytes.
const NAME_BYTES_MAX: usize = 90;
const POLL_SECS: u64 = 60;
const INBOX: &str = "INBOX";
const NO_SECRET: &str =
    "is missing: write password_file, the name of the file that holds it, or a table oauth";
const SECURITIES: [(&str, Security); 3] = [
    ("tls", Security::Implicit),
    ("starttls", Security::StartTls),
    ("none", Security::Plain),
];

/// What holds for every server of the line that says nothing else.
struct Common {
    provider: Option<&'static Provider>,
    user: String,
    secret: Option<Secret>,
    authorities: Option<String>,
}

impl Common {
    fn server_at(&self, place: Place) -> Server {
        Server {
            host: place.host.to_owned(),
            port: place.port,
            security: place.security,
            authorities: self.authorities.clone(),
        }
    }
}

/// One of the two protocols.
struct Protocol {
    place: fn(&Provider) -> Place,
    /// By security: TLS, STARTTLS, none.
    ports: [u16; 3],
}

const IMAP: Protocol = Protocol {
    place: |provider| provider.imap,
    ports: [993, 143, 143],
};
const SMTP: Protocol = Protocol {
    place: |provider| provider.smtp,
    ports: [465, 587, 25],
};

impl Config {
    pub(in crate::registry::email) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let read = &mut options;
        let address = address(read);
        let common = common(read, &address);
        let provider = common.provider;
        let config = Self {
            line: setup.id.clone(),
            region: setup.default_region.clone(),
            address,
            display_name: setup.display_name.clone(),
            aliases: aliases(read),
            trusted_servers: read.list("trusted_servers").unwrap_or_else(|| {
                let known = provider.map_or(&[][..], |provider| provider.trusted_servers);
                known.iter().map(|name| (*name).to_owned()).collect()
            }),
            plus_addresses: read.flag_or(
                "plus_addresses",
                provider.is_some_and(|provider| provider.plus_addresses),
            ),
            signature: read.text("signature").unwrap_or_default(),
            letter_bytes_max: read.number("letter_mib_max", 1..=LETTER_MIB_MAX, LETTER_MIB) << 20,
            mailboxes: mailboxes(read, &common),
            smtp: smtp(read, &common),
        };
        options.finish(config)
    }
}

fn address(options: &mut Options) -> String {
    if !options.has("address") {
        let problem = "is missing: write the address that clients write to";
        options.problem("address", problem);
    }
    let written = options.text("address");
    written.map_or_else(String::new, |written| checked(options, "address", &written))
}

fn aliases(options: &mut Options) -> Vec<String> {
    let written = options.list("aliases").unwrap_or_default();
    written
        .iter()
        .map(|alias| checked(options, "aliases", alias))
        .collect()
}

/// An address in its normal form.
fn checked(options: &mut Options, key: &str, written: &str) -> String {
    let identity = Identity {
        kind: "email".to_owned(),
        issuer: String::new(),
        value: written.to_owned(),
        trust: Trust::Claimed,
    };
    match normalize(&identity, "") {
        Ok(normal) => normal.value,
        Err(problem) => {
            options.problem(key, format!("{written:?}: {problem}"));
            String::new()
        }
    }
}

fn common(options: &mut Options, address: &str) -> Common {
    let choices = PROVIDERS.each_ref().map(|known| (known.name, known.name));
    let chosen = options.choice("provider", &choices);
    let provider = PROVIDERS.iter().find(|known| Some(known.name) == chosen);
    Common {
        provider,
        user: user(options).unwrap_or_else(|| address.to_owned()),
        secret: secret(options, provider),
        authorities: authorities(options),
    }
}

/// What goes into a command must be one line.
fn line(options: &mut Options, key: &str) -> Option<String> {
    let text = options.text(key)?;
    if text.is_empty() {
        options.problem(key, "is empty; write a value or remove the key");
    } else if text.chars().any(char::is_control) {
        options.problem(key, "has to be one line without control characters");
    }
    Some(text)
}

fn user(options: &mut Options) -> Option<String> {
    line(options, "user")
}

fn secret(options: &mut Options, provider: Option<&Provider>) -> Option<Secret> {
    let password = line(options, "password");
    if password.is_some() && options.has("oauth") {
        options.problem("oauth", "is given beside a password; keep one");
    }
    let oauth = options.within("oauth", |options| oauth(options, provider));
    oauth
        .map(Secret::OAuth)
        .or_else(|| password.map(Secret::Password))
}

fn oauth(options: &mut Options, provider: Option<&Provider>) -> OAuth {
    let required = |options: &mut Options, key: &str, hint: &str| {
        if !options.has(key) {
            options.problem(key, format!("is missing: {hint}"));
        }
        line(options, key).unwrap_or_default()
    };
    let client_id = required(options, "client_id", "write the id of your application");
    let refresh_token = required(
        options,
        "refresh_token",
        "write refresh_token_file, the name of the file that holds it",
    );
    let known = provider.and_then(|provider| provider.token_url);
    let token_url = line(options, "token_url").or_else(|| known.map(str::to_owned));
    let token_url = token_url.unwrap_or_default();
    if token_url.is_empty() {
        options.problem("token_url", "is missing: write where tokens are given out");
    } else if !is_safe_url(&token_url) {
        options.problem("token_url", "has to begin with https://");
    }
    OAuth {
        token_url,
        client_id,
        client_secret: line(options, "client_secret").unwrap_or_default(),
        refresh_token,
        scope: options.text("scope").unwrap_or_else(|| {
            let known = provider.map_or("", |provider| provider.scope);
            known.to_owned()
        }),
    }
}

/// Secrets go there: enciphered, or not beyond this machine.
fn is_safe_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => is_loopback(host),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn authorities(options: &mut Options) -> Option<String> {
    let pem = options.text("ca")?;
    if let Err(problem) = tls::client_config(Some(&pem)) {
        options.problem("ca", problem);
    }
    Some(pem)
}

fn server(options: &mut Options, common: &Common, protocol: &Protocol) -> Server {
    let known = common.provider.map(protocol.place);
    let written = line(options, "host");
    let known = known.filter(|_| written.is_none());
    let security = options
        .choice("security", &SECURITIES)
        .or(known.map(|place| place.security))
        .unwrap_or(Security::Implicit);
    let [implicit, starttls, plain] = protocol.ports;
    let usual = match security {
        Security::Implicit => implicit,
        Security::StartTls => starttls,
        Security::Plain => plain,
    };
    let usual = known.map_or(usual, |place| place.port);
    let port = options.number("port", 1..=u64::from(u16::MAX), u64::from(usual));
    let host = written.or_else(|| known.map(|place| place.host.to_owned()));
    let host = host.unwrap_or_default();
    if host.is_empty() {
        let problem = "is missing: write the server's name, or the line's provider";
        options.problem("host", problem);
    } else if ServerName::try_from(host.as_str()).is_err() {
        options.problem("host", "has to be a name such as \"mail.example.com\"");
    }
    let allow_plain = options.flag("allow_plain");
    if security == Security::Plain && !is_loopback(&host) && !allow_plain {
        options.problem(
            "security",
            "would send the password and every letter in clear: write \"tls\" or \"starttls\", \
             or allow_plain = true if the network between is your own",
        );
    }
    Server {
        host,
        port: u16::try_from(port).unwrap_or(usual),
        security,
        authorities: authorities(options).or_else(|| common.authorities.clone()),
    }
}

fn login(options: &mut Options, common: &Common) -> Option<Login> {
    let user = user(options).unwrap_or_else(|| common.user.clone());
    let own = secret(options, common.provider);
    let secret = own.or_else(|| common.secret.clone())?;
    Some(Login { user, secret })
}

fn mailboxes(options: &mut Options, common: &Common) -> Vec<Mailbox> {
    if !options.has("mailbox") {
        return known_mailbox(options, common).into_iter().collect();
    }
    let mailboxes = options.each("mailbox", |options| mailbox(options, common));
    if mailboxes.is_empty() || mailboxes.len() > MAILBOXES_MAX {
        options.problem(
            "mailbox",
            format!("has to be 1 to {MAILBOXES_MAX} tables [[line.mailbox]]"),
        );
    }
    let mut names = BTreeSet::new();
    for (index, mailbox) in mailboxes.iter().enumerate() {
        if !names.insert(mailbox.name.as_str()) {
            options.problem(
                &format!("mailbox #{}.name", index + 1),
                "is the name of another mailbox too: give each a name of its own; by default it \
                 is the user",
            );
        }
    }
    mailboxes
}

/// The mailbox that a provider and a secret are enough for.
fn known_mailbox(options: &mut Options, common: &Common) -> Option<Mailbox> {
    let Some(provider) = common.provider else {
        let problem = "is missing: write a table [[line.mailbox]], or the line's provider";
        options.problem("mailbox", problem);
        return None;
    };
    let Some(secret) = common.secret.clone() else {
        options.problem("password", NO_SECRET);
        return None;
    };
    Some(Mailbox {
        name: common.user.clone(),
        server: common.server_at(provider.imap),
        login: Login {
            user: common.user.clone(),
            secret,
        },
        folders: vec![INBOX.to_owned()],
        history: History::New,
        after: After::Leave,
        poll_secs: POLL_SECS,
    })
}

fn mailbox(options: &mut Options, common: &Common) -> Mailbox {
    let server = server(options, common, &IMAP);
    let login = login(options, common).unwrap_or_else(|| {
        options.problem("password", NO_SECRET);
        Login {
            user: String::new(),
            secret: Secret::Password(String::new()),
        }
    });
    let name = options.text("name").unwrap_or_else(|| login.user.clone());
    if name.len() > NAME_BYTES_MAX || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let problem = format!("has to be at most {NAME_BYTES_MAX} bytes without spaces");
        options.problem("name", problem);
    }
    let folders = folders(options);
    let after = after(options, &folders);
    let choices = [
        ("new", History::New),
        ("unseen", History::Unseen),
        ("all", History::All),
    ];
    Mailbox {
        name,
        server,
        login,
        folders,
        history: options.choice("history", &choices).unwrap_or(History::New),
        after,
        poll_secs: options.number("poll_secs", 1..=3_600, POLL_SECS),
    }
}

fn folders(options: &mut Options) -> Vec<String> {
    let folders = options
        .list("folders")
        .unwrap_or_else(|| vec![INBOX.to_owned()]);
    let different: BTreeSet<&String> = folders.iter().collect();
    if folders.is_empty() || folders.len() > FOLDERS_MAX || different.len() != folders.len() {
        let problem = format!("has to be 1 to {FOLDERS_MAX} different names");
        options.problem("folders", problem);
    }
    if !folders.iter().all(|folder| is_folder(folder)) {
        let problem = format!("have to be names of 1 to {NAME_BYTES_MAX} bytes");
        options.problem("folders", problem);
    }
    folders
}

fn is_folder(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn after(options: &mut Options, folders: &[String]) -> After {
    let written = options.text("after").unwrap_or_else(|| "leave".to_owned());
    let is_keyword = |word: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'_' | b'-' | b'.');
        (1..=64).contains(&word.len()) && word.bytes().all(good)
    };
    match written.split_once(':') {
        None if written == "leave" => After::Leave,
        None if written == "seen" => After::Seen,
        Some(("keyword", word)) if is_keyword(word) => After::Keyword(word.to_owned()),
        Some(("move", folder)) if folders.iter().any(|read| read == folder) => {
            let problem = "moves letters to a folder that is read: choose another one";
            options.problem("after", problem);
            After::Leave
        }
        Some(("move", folder)) if is_folder(folder) => After::Move(folder.to_owned()),
        _ => {
            options.problem(
                "after",
                "has to be \"leave\", \"seen\", \"keyword:$Processed\" or \"move:Processed\", \
                 with a name of your own after the colon",
            );
            After::Leave
        }
    }
}

fn smtp(options: &mut Options, common: &Common) -> Option<Smtp> {
    if options.has("smtp") {
        return options.within("smtp", |options| read_smtp(options, common));
    }
    let provider = common.provider?;
    let login = common.secret.clone().map(|secret| Login {
        user: common.user.clone(),
        secret,
    });
    Some(Smtp {
        server: common.server_at(provider.smtp),
        login,
        sent: sent(None, provider.smtp.host),
    })
}

fn read_smtp(options: &mut Options, common: &Common) -> Smtp {
    let server = server(options, common, &SMTP);
    let wanted = options.flag_or("login", true);
    let login = login(options, common).filter(|_| wanted);
    if wanted && login.is_none() {
        let problem = "is missing: write password_file, the name of the file that holds it, or \
                       login = false if the server asks nobody";
        options.problem("password", problem);
    }
    let written = options.text("sent");
    if written
        .as_deref()
        .is_some_and(|written| !is_folder(written))
    {
        let problem = "has to be \"auto\", \"none\" or the name of a folder";
        options.problem("sent", problem);
    }
    let sent = sent(written.as_deref(), &server.host);
    Smtp {
        server,
        login,
        sent,
    }
}

fn sent(written: Option<&str>, host: &str) -> Sent {
    match written {
        Some("none") => Sent::Provider,
        Some("auto") | None if keeps_sent(host) => Sent::Provider,
        Some("auto") | None => Sent::Marked,
        Some(folder) => Sent::Folder(folder.to_owned()),
    }
}
