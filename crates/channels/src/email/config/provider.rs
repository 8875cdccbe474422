//! What is known of the servers of well-known providers, so that an administrator
//! writes an address and a secret only.

use super::Security;

/// A provider's servers.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) imap: Place,
    pub(super) smtp: Place,
    /// By which name it signs what it found out about a sender. A name that is only
    /// guessed at would let others vouch for themselves, so it is left out.
    pub(super) trusted_servers: &'static [&'static str],
    pub(super) plus_addresses: bool,
    pub(super) token_url: Option<&'static str>,
    pub(super) scope: &'static str,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) host: &'static str,
    pub(super) port: u16,
    pub(super) security: Security,
}

const fn tls(host: &'static str, port: u16) -> Place {
    Place {
        host,
        port,
        security: Security::Implicit,
    }
}

pub(super) const PROVIDERS: [Provider; 4] = [
    Provider {
        name: "gmail",
        imap: tls("imap.gmail.com", 993),
        smtp: tls("smtp.gmail.com", 465),
        trusted_servers: &["mx.google.com"],
        plus_addresses: true,
        token_url: Some("https://oauth2.googleapis.com/token"),
        scope: "https://mail.google.com/",
    },
    Provider {
        name: "microsoft365",
        imap: tls("outlook.office365.com", 993),
        smtp: Place {
            host: "smtp.office365.com",
            port: 587,
            security: Security::StartTls,
        },
        // It names no server in `Authentication-Results`.
        trusted_servers: &[],
        plus_addresses: false,
        token_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
        scope: "https://outlook.office.com/IMAP.AccessAsUser.All \
                https://outlook.office.com/SMTP.Send offline_access",
    },
    Provider {
        name: "yandex360",
        imap: tls("imap.yandex.ru", 993),
        smtp: tls("smtp.yandex.ru", 465),
        trusted_servers: &[],
        plus_addresses: false,
        token_url: Some("https://oauth.yandex.ru/token"),
        scope: "",
    },
    Provider {
        name: "mailru",
        imap: tls("imap.mail.ru", 993),
        smtp: tls("smtp.mail.ru", 465),
        trusted_servers: &[],
        plus_addresses: false,
        token_url: Some("https://o2.mail.ru/token"),
        scope: "mail.imap",
    },
];

/// Whether what goes out by this host is put into the mailbox's folder of sent mail
/// without us.
pub(super) fn keeps_sent(host: &str) -> bool {
    const HOSTS: [&str; 5] = [
        "smtp.gmail.com",
        "smtp-relay.gmail.com",
        "smtp.googlemail.com",
        "smtp.office365.com",
        "smtp-mail.outlook.com",
    ];
    HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host))
}
