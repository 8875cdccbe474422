use super::*;
use crate::{ConfigProblem, LineSetup};

fn setup(text: &str) -> LineSetup {
    LineSetup {
        id: "mail".into(),
        display_name: "Shop".to_owned(),
        default_region: "RU".to_owned(),
        public_url: "https://gateway.example".to_owned(),
        options: text.parse().unwrap_or_else(|error| panic!("{error}")),
    }
}

fn good(text: &str) -> Config {
    Config::read(&setup(text)).unwrap_or_else(|problems| panic!("{problems:?}\nfor:\n{text}"))
}

/// The problems, a line each.
fn told(text: &str) -> Vec<String> {
    let problems = Config::read(&setup(text)).err().unwrap_or_default();
    let line = |ConfigProblem { key, problem }| format!("{key}: {problem}");
    problems.into_iter().map(line).collect()
}

#[test]
fn an_address_and_a_secret_are_enough() {
    let config =
        good("address = \"Support@Example.COM\"\nprovider = \"gmail\"\npassword = \"sesame\"\n");
    assert_eq!(config.address, "Support@example.com");
    assert_eq!(config.display_name, "Shop");
    assert_eq!(config.trusted_servers, ["mx.google.com"]);
    assert!(config.plus_addresses);
    assert_eq!(config.letter_bytes_max, 50 << 20);
    let login = Login {
        user: "Support@example.com".to_owned(),
        secret: Secret::Password("sesame".to_owned()),
    };
    let server = |host: &str, port| Server {
        host: host.to_owned(),
        port,
        security: Security::Implicit,
        authorities: None,
    };
    let mailbox = Mailbox {
        name: "Support@example.com".to_owned(),
        server: server("imap.gmail.com", 993),
        login: login.clone(),
        folders: vec!["INBOX".to_owned()],
        history: History::New,
        after: After::Leave,
        poll_secs: 60,
    };
    assert_eq!(config.mailboxes, [mailbox]);
    let smtp = Smtp {
        server: server("smtp.gmail.com", 465),
        login: Some(login),
        sent: Sent::Provider,
    };
    assert_eq!(config.smtp, Some(smtp));
}

#[test]
fn every_provider_is_known_by_its_name() {
    for provider in provider::PROVIDERS {
        let name = provider.name;
        let config = good(&format!(
            "address = \"a@example.com\"\nprovider = {name:?}\n\
             oauth = {{ client_id = \"c\", refresh_token = \"r\" }}\n"
        ));
        let Secret::OAuth(oauth) = &config.mailboxes[0].login.secret else {
            panic!("{name} has no token");
        };
        assert!(oauth.token_url.starts_with("https://"), "{name}");
        assert_eq!(
            config.smtp.map(|smtp| smtp.server.host),
            Some(provider.smtp.host.to_owned())
        );
    }
}

#[test]
fn mailboxes_have_their_own_ways() {
    let config = good(
        "address = \"a@example.com\"\npassword = \"p\"\nletter_mib_max = 3\n\
         [[mailbox]]\nhost = \"one.example\"\n\
         folders = [\"INBOX\", \"Продажи\"]\nafter = \"move:Готово\"\nhistory = \"unseen\"\n\
         [[mailbox]]\nhost = \"127.0.0.1\"\nsecurity = \"none\"\nport = 1143\nuser = \"b\"\n\
         after = \"keyword:$Processed\"\npoll_secs = 5\n\
         [[mailbox]]\nhost = \"two.example\"\nsecurity = \"starttls\"\nuser = \"c\"\n\
         password = \"q\"\nafter = \"seen\"\nname = \"third\"\n\
         [smtp]\nhost = \"relay.example\"\nsecurity = \"none\"\nallow_plain = true\n\
         login = false\nsent = \"Sent Items\"\n",
    );
    assert_eq!(config.letter_bytes_max, 3 << 20);
    let [one, two, three] = config.mailboxes.as_slice() else {
        panic!("{:?}", config.mailboxes);
    };
    assert_eq!((one.name.as_str(), one.server.port), ("a@example.com", 993));
    assert_eq!(one.folders, ["INBOX", "Продажи"]);
    assert_eq!(one.after, After::Move("Готово".to_owned()));
    assert_eq!(one.history, History::Unseen);
    assert_eq!((two.name.as_str(), two.server.port), ("b", 1143));
    assert_eq!(two.server.security, Security::Plain);
    assert_eq!(two.after, After::Keyword("$Processed".to_owned()));
    assert_eq!(two.poll_secs, 5);
    assert_eq!((three.name.as_str(), three.server.port), ("third", 143));
    assert_eq!(three.login.secret, Secret::Password("q".to_owned()));
    assert_eq!(three.after, After::Seen);
    let smtp = config.smtp.expect("it was written");
    assert_eq!((smtp.server.port, smtp.login), (25, None));
    assert_eq!(smtp.sent, Sent::Folder("Sent Items".to_owned()));
}

#[test]
fn a_line_may_only_listen() {
    let config = good(
        "address = \"a@example.com\"\npassword = \"p\"\n[[mailbox]]\nhost = \"one.example\"\n",
    );
    assert_eq!(config.smtp, None);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let told = told(
        "address = \"nobody\"\naliases = [\"x\"]\nprovider = \"hotmail\"\nletter_mib_max = 0\n\
         [[mailbox]]\nhost = \"mail.example\"\nsecurity = \"none\"\nprot = 1\nfolders = []\n\
         after = \"delete\"\n\
         [[mailbox]]\nhost = \"no host\"\npassword = \"p\\nq\"\nuser = \"u\"\nport = 0\n\
         folders = [\"A\"]\nafter = \"move:A\"\n\
         [mailbox.oauth]\ntoken_url = \"http://tokens.example\"\nclient_id = \"c\"\n\
         [smtp]\nhost = \"mail.example\"\nca = \"none\"\nsent = \"\"\n",
    );
    let keys: Vec<&str> = told
        .iter()
        .map(|line| line.split_once(": ").map_or("", |(key, _)| key))
        .collect();
    let expected = [
        "address",
        "provider",
        "aliases",
        "letter_mib_max",
        "mailbox #1.security",
        "mailbox #1.password",
        "mailbox #1.folders",
        "mailbox #1.after",
        "mailbox #1.prot",
        "mailbox #2.port",
        "mailbox #2.host",
        "mailbox #2.password",
        "mailbox #2.oauth",
        "mailbox #2.oauth.refresh_token",
        "mailbox #2.oauth.token_url",
        "mailbox #2.after",
        "smtp.ca",
        "smtp.password",
        "smtp.sent",
    ];
    assert_eq!(keys, expected, "{told:#?}");
}

#[test]
fn what_is_missing_is_told() {
    let address = "address = \"a@example.com\"\n";
    let cases = [
        ("", vec!["address", "mailbox"]),
        (address, vec!["mailbox"]),
        (
            "address = \"a@example.com\"\nprovider = \"gmail\"\n",
            vec!["password"],
        ),
        ("address = 1\nmailbox = []\n", vec!["address", "mailbox"]),
        (
            "address = \"a@example.com\"\npassword = \"p\"\n\
             [[mailbox]]\nhost = \"a.example\"\n[[mailbox]]\nhost = \"b.example\"\n",
            vec!["mailbox #2.name"],
        ),
        (
            "address = \"a@example.com\"\npassword = \"p\"\n[[mailbox]]\nuser = \"b c\"\n",
            vec!["mailbox #1.host", "mailbox #1.name"],
        ),
    ];
    for (text, expected) in cases {
        let told = told(text);
        let keys: Vec<&str> = told
            .iter()
            .map(|line| line.split_once(": ").map_or("", |(key, _)| key))
            .collect();
        assert_eq!(keys, expected, "{text}: {told:?}");
    }
}

#[test]
fn secrets_are_not_told_by_debug() {
    let config = good(
        "address = \"a@example.com\"\nprovider = \"gmail\"\npassword = \"sesame\"\n\
         [smtp.oauth]\nclient_id = \"c\"\nclient_secret = \"hush\"\nrefresh_token = \"hush\"\n",
    );
    let debug = format!("{config:?}");
    assert!(
        !debug.contains("sesame") && !debug.contains("hush"),
        "{debug}"
    );
}
