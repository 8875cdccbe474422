//! What is said to a server. Made of nothing that could end a command and begin
//! another.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::field::Address;

/// A command with the end of its line.
pub(super) struct Command(String);

impl Command {
    pub(super) fn hello(own: &Address) -> Self {
        Self::of(format!("EHLO {}", own.domain()))
    }

    pub(super) fn start_tls() -> Self {
        Self::of("STARTTLS".to_owned())
    }

    pub(super) fn reset() -> Self {
        Self::of("RSET".to_owned())
    }

    pub(super) fn data() -> Self {
        Self::of("DATA".to_owned())
    }

    pub(super) fn quit() -> Self {
        Self::of("QUIT".to_owned())
    }

    /// Logs in; some mechanisms take the proof at once.
    pub(super) fn auth(mechanism: &'static str, proof: Option<&str>) -> Self {
        match proof {
            Some(proof) => Self::of(format!("AUTH {mechanism} {}", STANDARD.encode(proof))),
            None => Self::of(format!("AUTH {mechanism}")),
        }
    }

    /// Goes on with logging in.
    pub(super) fn answer(proof: &str) -> Self {
        Self::of(STANDARD.encode(proof))
    }

    /// Begins a letter; of nobody when nobody is to be told of its fate.
    pub(super) fn mail(sender: Option<&Address>, size: Option<u64>, international: bool) -> Self {
        let mut command = match sender {
            Some(sender) => format!("MAIL FROM:<{sender}>"),
            None => "MAIL FROM:<>".to_owned(),
        };
        if let Some(size) = size {
            let _ = write!(command, " SIZE={size}");
        }
        if international {
            command.push_str(" SMTPUTF8");
        }
        Self::of(command)
    }

    pub(super) fn recipient(recipient: &Address) -> Self {
        Self::of(format!("RCPT TO:<{recipient}>"))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn of(mut command: String) -> Self {
        command.push_str("\r\n");
        Self(command)
    }
}
