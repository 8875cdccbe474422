//! What a line's section says.

mod provider;
mod read;
#[cfg(test)]
mod tests;

use domain::LineId;

/// What is taken of a letter at most, whatever a line says.
pub(super) const LETTER_BYTES_MAX: u64 = 100 << 20;

/// A line of mail.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Config {
    pub(super) line: LineId,
    /// The region of phones without a country code.
    pub(super) region: String,
    /// The address that letters are written from.
    pub(super) address: String,
    /// The name beside it.
    pub(super) display_name: String,
    /// Further addresses of ours: what comes from them is ours, what goes to them is for
    /// us.
    pub(super) aliases: Vec<String>,
    /// Names of our own servers whose `Authentication-Results` are believed.
    pub(super) trusted_servers: Vec<String>,
    /// The server delivers `name+token@domain` to `name@domain`.
    pub(super) plus_addresses: bool,
    /// Goes below what operators write.
    pub(super) signature: String,
    /// Of a longer letter only the beginning is taken.
    pub(super) letter_bytes_max: u64,
    /// Where letters are read.
    pub(super) mailboxes: Vec<Mailbox>,
    /// By which letters go out; nobody can answer without it.
    pub(super) smtp: Option<Smtp>,
}

/// A mailbox to read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mailbox {
    pub(super) name: String,
    pub(super) server: Server,
    pub(super) login: Login,
    pub(super) folders: Vec<String>,
    /// What is taken of the letters that were there before us.
    pub(super) history: History,
    pub(super) after: After,
    /// How often the server is asked where it does not tell by itself.
    pub(super) poll_secs: u64,
}

/// Which letters of a mailbox that we see for the first time are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum History {
    /// Those that come from now on.
    New,
    /// Those that nobody has seen, too.
    Unseen,
    /// Every one.
    All,
}

/// What becomes of a letter on the server once it is durable here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Nothing.
    Leave,
    /// It is marked as seen.
    Seen,
    /// It gets a keyword.
    Keyword(String),
    /// It goes to a folder.
    Move(String),
}

/// Where letters go out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Smtp {
    pub(super) server: Server,
    /// None for a server that asks nobody.
    pub(super) login: Option<Login>,
    /// Where a copy is put, in the first mailbox; the provider may do it by itself.
    pub(super) sent: Sent,
}

/// What becomes of a copy of what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The folder that the server marks as `\Sent`.
    Marked,
    /// A folder by its name.
    Folder(String),
    /// None is put: the provider does it by itself.
    Provider,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// The authorities that are believed in place of the public ones, as PEM.
    pub(super) authorities: Option<String>,
}

/// How a connection is enciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// From the first byte.
    Implicit,
    /// After a plain greeting; never without.
    StartTls,
    /// Not at all; only where the configuration says so.
    Plain,
}

/// How we say who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) secret: Secret,
}

/// What proves it.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Secret {
    Password(String),
    OAuth(OAuth),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::OAuth(_) => "OAuth(…)",
        })
    }
}

/// How short-lived tokens are had.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OAuth {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) refresh_token: String,
    pub(super) scope: String,
}
