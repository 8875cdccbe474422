//! Tries the mailboxes for an administrator. Changes nothing: folders are only examined.

use super::connect::{self, Proof};
use super::session::{Listed, Session, Trouble};
use crate::Check;
use crate::registry::email::config::{After, Config, Login, Mailbox, Secret};

/// Of the folders there are so many are named.
const NAMED_MAX: usize = 20;

/// Tries every mailbox.
pub(in crate::registry::email) async fn check(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut judges = Vec::new();
    for mailbox in &config.mailboxes {
        let mut found = Findings::of(mailbox);
        if let Err(trouble) = look(mailbox, &mut found).await {
            checks.push(Check::bad(&found.what, trouble.to_string()));
        }
        checks.append(&mut found.checks);
        judges.extend(found.judge);
    }
    checks.extend(trust(config, &judges));
    checks
}

/// What was found of one mailbox.
struct Findings {
    what: String,
    checks: Vec<Check>,
    /// Who says in a letter that it checked the sender.
    judge: Option<String>,
}

impl Findings {
    fn of(mailbox: &Mailbox) -> Self {
        Self {
            what: format!("mailbox {}", mailbox.name),
            checks: Vec::new(),
            judge: None,
        }
    }

    fn good(&mut self, detail: impl Into<String>) {
        self.checks.push(Check::good(&self.what, detail));
    }

    fn doubtful(&mut self, detail: impl Into<String>) {
        self.checks.push(Check::doubtful(&self.what, detail));
    }

    fn bad(&mut self, problem: impl Into<String>) {
        self.checks.push(Check::bad(&self.what, problem));
    }
}

async fn look(mailbox: &Mailbox, found: &mut Findings) -> Result<(), Trouble> {
    let Login { user, secret } = &mailbox.login;
    let greeted = connect::greet(&mailbox.server).await?;
    if let Secret::OAuth(_) = secret {
        found.good("the server answers");
        found.doubtful(
            "whether it takes our token is told by the gateway itself, while it runs: it keeps \
             the token that is good now",
        );
        return Ok(());
    }
    let mut session = greeted.log_in(user, Proof::of(secret, None)).await?;
    found.good("we are let in");
    let folders = session.folders().await?;
    for name in &mailbox.folders {
        if !is_there(&folders, name) {
            found.bad(missing(name, &folders));
            continue;
        }
        let selected = session.select(name, true).await?;
        found.good(format!("{name} has {} letters", selected.exists));
        if selected.exists > 0 && found.judge.is_none() {
            found.judge = judge(&mut session).await?;
        }
    }
    abilities(mailbox, &session, &folders, found);
    Ok(())
}

fn is_there(folders: &[Listed], name: &str) -> bool {
    let is_inbox = name.eq_ignore_ascii_case("INBOX");
    folders
        .iter()
        .any(|folder| folder.name == name || is_inbox && folder.name.eq_ignore_ascii_case("INBOX"))
        || is_inbox
}

fn missing(name: &str, folders: &[Listed]) -> String {
    let names: Vec<&str> = folders
        .iter()
        .take(NAMED_MAX)
        .map(|folder| folder.name.as_str())
        .collect();
    format!(
        "there is no folder {name:?}; there are {}",
        names.join(", ")
    )
}

fn abilities(mailbox: &Mailbox, session: &Session, folders: &[Listed], found: &mut Findings) {
    if !session.can("IDLE") {
        let secs = mailbox.poll_secs;
        found.doubtful(format!(
            "the server does not tell of new letters by itself (IDLE): it is asked every {secs} s"
        ));
    }
    let After::Move(folder) = &mailbox.after else {
        return;
    };
    if !is_there(folders, folder) {
        found.doubtful(format!(
            "there is no folder {folder:?} yet: it will be made"
        ));
    }
    if !session.can("MOVE") && !session.can("UIDPLUS") {
        found.doubtful(
            "the server cannot move letters (MOVE, UIDPLUS): they are copied, and what stays \
             behind is marked as deleted",
        );
    }
}

/// The first word of what some server found out about the last letter's sender.
async fn judge(session: &mut Session) -> Result<Option<String>, Trouble> {
    let mut judge = None;
    let items = "UID BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS)]";
    session
        .fetch("*:*", items, |told| {
            if let Some((_, header)) = told.content {
                judge = first_word(&String::from_utf8_lossy(header));
            }
        })
        .await?;
    Ok(judge)
}

fn first_word(header: &str) -> Option<String> {
    let (_, value) = header.split_once(':')?;
    let word = value
        .trim_start()
        .split([';', ' ', '\t', '\r', '\n'])
        .next();
    let is_name = |word: &&str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        word.contains('.') && word.bytes().all(good)
    };
    word.filter(is_name).map(str::to_owned)
}

/// Without a server to believe nobody's address is more than a claim.
fn trust(config: &Config, judges: &[String]) -> Option<Check> {
    let told = match (config.trusted_servers.as_slice(), judges) {
        ([], []) => {
            "no server is believed on who wrote a letter, so every sender is only a claim: \
             if yours writes Authentication-Results, put its first word into trusted_servers"
                .to_owned()
        }
        ([], [judge, ..]) => format!(
            "no server is believed on who wrote a letter, so every sender is only a claim. The \
             last letter was checked by {judge}: if that is your own server, put it into \
             trusted_servers"
        ),
        (trusted, [judge, ..]) if !trusted.iter().any(|name| name.eq_ignore_ascii_case(judge)) => {
            format!("the last letter was checked by {judge}, which is not in trusted_servers")
        }
        _ => return None,
    };
    Some(Check::doubtful("senders", told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_checked_is_named() {
        let cases = [
            (
                "Authentication-Results: mx.google.com;\r\n dkim=pass\r\n",
                Some("mx.google.com"),
            ),
            (
                "Authentication-Results:\r\n mx.a.test 1; spf=pass\r\n",
                Some("mx.a.test"),
            ),
            ("Authentication-Results: spf=pass (sender IP)\r\n", None),
            ("\r\n", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(first_word(header).as_deref(), expected, "{header}");
        }
    }
}
