//! The configurations here are data: what is written, and what is told of it.

use std::path::Path;
use std::sync::Arc;

use channels::registry::KINDS;
use domain::hours::Schedule;
use domain::message::Medium;
use domain::operator::CapacityRules;
use domain::routing::{
    Assignment, Dropped, Exit, LineRules, Overflow, QueueRules, Relaxation, Strategy, Trigger,
    WrapUp,
};
use domain::text::Localized;
use domain::{Millis, Timestamp};
use engine::settings::{ContactsEndpoint, Limits};
use web::listen::TrustedProxies;

use super::{Config, DEFAULTS, Problems, load, parse};

const QUEUE: &str = "[[queue]]\nid = \"main\"\n";
/// From the package, where tests are run.
const EXAMPLE: &str = "../../config/switchboard.toml";
/// What comes after it in the example is generated.
const LINES: &str = "# it is read from the file named there.\n";

fn check(text: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let told = match read(text, variables) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    };
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told, expected, "\nfor:\n{text}");
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let variables = variables.iter();
    let environment = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    parse("a.toml", text, environment)
}

fn good(text: &str, variables: &[(&str, &str)]) -> Config {
    read(text, variables).unwrap_or_else(|problems| panic!("{problems}\nfor:\n{text}"))
}

#[test]
fn each_problem_has_its_line_and_what_to_do() {
    for case in include_str!("problems.txt").split("=== ").skip(1) {
        let (_title, case) = case.split_once('\n').expect("a title");
        let (text, expected) = case.split_once("---\n").expect("what is told of it");
        let expected: Vec<&str> = expected.lines().collect();
        check(text, &[], &expected);
    }
}

#[test]
fn a_channels_own_keys_are_told_with_their_lines() {
    let text = format!(
        "{QUEUE}[[line]]\nid = \"s\"\nchannel = \"webchat\"\nqueue = \"main\"\n\nno_such_key = 1\n"
    );
    let problems = read(&text, &[]).err().map(|problems| problems.to_string());
    let told = problems.unwrap_or_default();
    assert!(
        told.starts_with("a.toml:8: line \"s\".no_such_key: "),
        "{told}"
    );
}

#[test]
fn variables_win_over_the_file() {
    let line = "[[line]]\nid = \"site-2\"\nchannel = \"webchat\"\nqueue = \"none\"\n";
    let config = good(
        &format!("{QUEUE}{line}[server]\nlisten = \"127.0.0.1:1\"\n"),
        &[
            ("SWITCHBOARD__SERVER__LISTEN", "0.0.0.0:9000"),
            ("SWITCHBOARD__SERVER__PUBLIC_URL", "https://a.example/"),
            ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "10.0.0.1, fd00::/8"),
            ("SWITCHBOARD__LINE__SITE_2__QUEUE", "main"),
            ("SWITCHBOARD__QUEUE__MAIN__OFFER_TIMEOUT", "7s"),
            ("SWITCHBOARD__QUEUE__MAIN__ASSIGN", "direct"),
            ("SWITCHBOARD__CAPACITY__COST__CHAT", "50"),
            ("SWITCHBOARD__CAPACITY__COUNT_MAX__CHAT", "2"),
            ("SWITCHBOARD_CONFIG", "is no key"),
            ("PATH", "neither"),
        ],
    );
    assert_eq!(config.server.listen.port(), 9000);
    assert_eq!(config.server.public_url, "https://a.example");
    let proxies = TrustedProxies::parse(["10.0.0.1", "fd00::/8"]).expect("networks");
    assert_eq!(config.server.trusted_proxies, proxies);
    let settings = config.settings;
    assert_eq!(settings.lines[0].queue.as_str(), "main");
    assert_eq!(settings.rules.capacity.cost_of(Medium::Chat), 50);
    assert_eq!(settings.rules.capacity.cost_of(Medium::Voice), 100);
    assert_eq!(settings.rules.capacity.count_max[&Medium::Chat], 2);
    let rules = settings.rules.queues.values().next().expect("one queue");
    assert_eq!(rules.assignment, Assignment::Direct);
    assert_eq!(rules.offer_timeout_of(Medium::Email), Millis::from_secs(7));
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let cases: [((&str, &str), &str); 5] = [
        (
            ("SWITCHBOARD__SERVER__LISTNE", "x"),
            "server: \"listne\" is unknown; did you mean \"listen\"?",
        ),
        (
            ("SWITCHBOARD__SERVER", "x"),
            "names no key; write SWITCHBOARD__SECTION__KEY",
        ),
        (
            ("SWITCHBOARD__LINE__B__QUEUE", "x"),
            "line: must be sections; write [[line]]",
        ),
        (
            ("SWITCHBOARD__QUEUE__B__NAME", "x"),
            "there is no [[queue]] whose id is b",
        ),
        (
            ("SWITCHBOARD__LIMITS__ATTEMPTS_MAX", "x"),
            "limits.attempts_max: must be a whole number, 0 or more",
        ),
    ];
    for (variable, expected) in cases {
        check(
            QUEUE,
            &[variable],
            &[&format!("{}: {expected}", variable.0)],
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let problems = load(Some(Path::new("/nowhere/a.toml")), [])
        .err()
        .map(|p| p.to_string());
    let told = problems.unwrap_or_default();
    assert!(
        told.starts_with("/nowhere/a.toml:1: cannot be read: "),
        "{told}"
    );
}

#[test]
fn a_secret_comes_from_its_file() {
    let path = std::env::temp_dir().join(format!("switchboard-token-{}", std::process::id()));
    std::fs::write(&path, "s3cret\n").expect("written");
    let text = format!("{QUEUE}[contacts]\nendpoint = \"http://crm:1\"\ntoken_file = {path:?}\n");
    let contacts = good(&text, &[]).settings.contacts;
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(
        contacts,
        ContactsEndpoint::Remote {
            url: "http://crm:1".to_owned(),
            token: Some("s3cret".to_owned()),
            timeout: Millis::from_secs(2),
        }
    );
}

#[test]
fn secrets_in_tables_come_from_files_too() {
    let path = std::env::temp_dir().join(format!("switchboard-mail-{}", std::process::id()));
    std::fs::write(&path, "s3cret\n").expect("written");
    let line =
        "[[line]]\nid = \"m\"\nchannel = \"email\"\nqueue = \"main\"\naddress = \"a@b.example\"\n";
    let mailbox =
        |file: &str| format!("[[line.mailbox]]\nhost = \"b.example\"\npassword_file = {file:?}\n");
    let smtp = |file: &str| {
        format!(
            "[line.smtp]\nhost = \"b.example\"\noauth = {{ client_id = \"c\", refresh_token_file = {file:?}, token_url = \"https://b.example/t\" }}\n"
        )
    };
    let file = path.to_str().expect("a path");
    good(
        &format!("{QUEUE}{line}{}{}", mailbox(file), smtp(file)),
        &[],
    );
    std::fs::remove_file(&path).expect("removed");
    let wrong = format!(
        "{QUEUE}{line}{}{}{}prot = 1\n",
        mailbox("/nowhere/p"),
        smtp("/nowhere/t"),
        "[[line.mailbox]]\nhost = \"c.example\"\npassword = \"p\"\nname = \"c\"\n"
    );
    let nowhere = "cannot be read: No such file or directory (os error 2)";
    check(
        &wrong,
        &[],
        &[
            &format!("a.toml:10: line \"m\".mailbox #1.password_file: \"/nowhere/p\" {nowhere}"),
            &format!(
                "a.toml:13: line \"m\".smtp.oauth.refresh_token_file: \"/nowhere/t\" {nowhere}"
            ),
            "a.toml:18: line \"m\".mailbox #2.prot: there is no such key for this kind of line: remove it or correct its name",
        ],
    );
}

#[test]
fn the_example_is_good_and_holds_the_defaults() {
    let config = good(DEFAULTS, &[]);
    assert_eq!(config.server.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.settings.files_path, Path::new("data/files"));
    assert_eq!(config.settings.contacts, ContactsEndpoint::BuiltIn);
    assert_eq!(config.settings.limits, Limits::default());
    assert_eq!(config.settings.rules.capacity, CapacityRules::default());
    let queue = config.settings.queues[0].id.clone();
    assert_eq!(config.settings.rules.queues[&queue], QueueRules::new(queue));
    assert_eq!(config.settings.lines.len(), 0);
}

#[test]
fn a_queue_asks_for_ratings_unless_it_is_told_not_to() {
    let queue = "[[queue]]\nid = \"sales\"\n";
    assert!(good(queue, &[]).settings.queues[0].ask_rating);
    let silent = format!("{queue}ask_rating = false\n");
    assert!(!good(&silent, &[]).settings.queues[0].ask_rating);
    let by_variable = [("SWITCHBOARD__QUEUE__SALES__ASK_RATING", "false")];
    assert!(!good(queue, &by_variable).settings.queues[0].ask_rating);
    let wrong = format!("{queue}ask_rating = \"no\"\n");
    let problem = "a.toml:3: queue \"sales\".ask_rating: must be true or false, without quotes";
    check(&wrong, &[], &[problem]);
}

#[test]
fn a_start_without_configuration_has_a_site_chat() {
    let settings = load(None, []).expect("the demo is good").settings;
    let line = &settings.lines[0];
    assert_eq!((line.id.as_str(), line.queue.as_str()), ("site", "main"));
    assert_eq!(line.kind.descriptor.kind, "webchat");
    assert_eq!(settings.store_path, Path::new("data/switchboard.db"));
}

/// Every line of an example that is a key or the head of a section, uncommented,
/// with something in place of secrets.
fn uncommented(example: &str) -> String {
    let lines = example.lines().filter_map(|line| {
        let line = line.trim_start_matches(['#', ' ']);
        let key = line.split(" = ").next().unwrap_or_default();
        let is_key = line.contains(" = ") && !key.is_empty() && !key.contains([' ', '`']);
        let is_head = line.starts_with('[') && line.ends_with(']') && !line.contains(' ');
        let line = match line.split_once("_file = ") {
            Some((secret, _)) => format!("{secret} = \"…\""),
            None => line.to_owned(),
        };
        (is_key || is_head).then(|| line.replace('…', "0123456789abcdef0123456789abcdef"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_key_in_a_channels_example_is_known() {
    for kind in KINDS {
        let text = format!("{QUEUE}{}", uncommented(kind.example));
        good(&text, &[]);
    }
}

/// A section of the example with what is behind `#`, up to where another begins.
fn example_of<'a>(head: &str, until: &str) -> &'a str {
    let start = DEFAULTS.find(head).expect("the example shows it");
    let section = &DEFAULTS[start..];
    &section[..section.find(until).expect("something comes after it")]
}

#[test]
fn the_examples_hours_are_good() {
    let hours = uncommented(example_of("#[[hours]]", "# A queue:"));
    let queue = uncommented(example_of("[[queue]]", "# Outgoing webhooks"));
    let line = "[[line]]\nid = \"s\"\nchannel = \"webchat\"\nqueue = \"main\"\n";
    let settings = good(&format!("{hours}\n{queue}\n{line}hours = \"office\""), &[]).settings;
    let rules = settings.rules.queues.values().next().expect("one queue");
    let office = rules.hours.as_ref().expect("hours");
    assert_eq!(settings.lines[0].hours.as_ref(), Some(office));
    // 1 January 2027 is a Friday: closed until Saturday of the week after.
    let opens = office.next_opening(Timestamp(1_798_756_200_000));
    assert_eq!(opens, Some(Timestamp(1_799_478_000_000)));
    let reply = rules.closed_reply.as_ref().expect("a reply");
    assert!(reply.of(None).starts_with("We are closed"));
    assert!(reply.of(Some("ru-RU")).starts_with("Сейчас мы закрыты"));
    for reply in [
        &rules.voicemail_reply,
        &rules.form_reply,
        &rules.callback_reply,
    ] {
        let reply = reply.as_ref().expect("a reply");
        assert!(reply.of(None).starts_with("Nobody is free just now."));
        assert!(reply.of(Some("ru")).starts_with("Сейчас все заняты."));
    }
}

#[test]
fn hours_are_kept_by_days() {
    let config = good(
        &format!(
            "[[hours]]\nid = \"office\"\nzone = \"UTC\"\nsat-mon = [\"20:00-23:00\", \"09:00-10:00\"]\n\
             wed = [\"24h\"]\nthu = []\nholidays = [2026-12-25]\n{QUEUE}hours = \"office\"\n"
        ),
        &[
            ("SWITCHBOARD__HOURS__OFFICE__SAT_MON", "22:00-02:00"),
            ("SWITCHBOARD__HOURS__OFFICE__FRI", "10:00-12:00,13:00-14:00"),
            ("SWITCHBOARD__HOURS__OFFICE__ZONE", "Europe/Moscow"),
            ("SWITCHBOARD__QUEUE__MAIN__CLOSED_REPLY", "Zzz"),
            (
                "SWITCHBOARD__QUEUE__MAIN__TEXTS__PT_BR__CLOSED_REPLY",
                "Fechado",
            ),
        ],
    );
    let rules = config.settings.rules.queues.values().next();
    let rules = rules.expect("one queue");
    let week = [
        "22:00-02:00",
        "",
        "24h",
        "",
        "10:00-12:00, 13:00-14:00",
        "22:00-02:00",
        "22:00-02:00",
    ];
    let expected = Schedule::new(
        "Europe/Moscow".parse().expect("a zone"),
        week.map(|hours| hours.parse().expect("hours")),
        vec!["2026-12-25".parse().expect("a holiday")],
    );
    assert_eq!(rules.hours.as_deref(), Some(&expected));
    let reply = rules.closed_reply.as_ref().expect("a reply");
    assert_eq!(
        (reply.of(Some("pt-BR")), reply.of(None)),
        ("Fechado", "Zzz")
    );
}

const EVERY_RULE: &str = "[[hours]]\nid = \"office\"\nzone = \"UTC\"\nmon-fri = \"09:00-18:00\"\n\
    [[queue]]\nid = \"a\"\nstrategy = \"strict_list\"\nround_wait = \"off\"\n\
    sticky_wait = \"never\"\nageing = \"never\"\nskills = [\"Billing\", \"lang:ru\"]\n\
    relax = [{ after = \"60s\", drop = [\"lang:ru\"] }, { after = \"2m\", drop = \"all\" }]\n\
    wrap_up = \"manual\"\nwrap_up_time = \"5m\"\ndispositions = [\"sold\", \"no sale\"]\n\
    disposition_required = true\npark_after = { email = \"never\", chat = \"1h\" }\n\
    abandon_after = \"off\"\nresume_within = \"off\"\noverflow = [\n\
    { waited = \"5m\", to = \"queue:b\" }, { full = 50, to = \"form\" },\n\
    { unstaffed = true, to = \"callback\" }, { rounds = 3, to = \"any_skills\" },\n\
    { closing = true, to = \"voicemail\" }]\nform_reply = \"Write\"\n\
    [queue.texts.ru]\nform_reply = \"Пишите\"\n\
    [[queue]]\nid = \"b\"\npark_after = \"2h\"\n\
    [[line]]\nid = \"s\"\nchannel = \"webchat\"\nqueue = \"a\"\npriority = -1\n\
    age_credit = \"10m\"\nskills = [\"vip\"]\n";

/// What it says of the queue `a`.
fn every_rule() -> QueueRules {
    let way = |when, exit| Overflow { when, exit };
    let secs = Millis::from_secs;
    let new = |id: &str| QueueRules::new(id.into());
    let mut park_after = new("a").park_after;
    park_after.remove(&Medium::Email);
    park_after.insert(Medium::Chat, secs(3_600));
    QueueRules {
        strategy: Strategy::StrictList,
        round_wait: Millis(0),
        sticky_wait: Millis(0),
        ageing: Millis(i64::MAX),
        skills: ["billing", "lang:ru"].into_iter().collect(),
        relaxations: vec![
            Relaxation {
                after: secs(60),
                drop: Dropped::These(["lang:ru"].into_iter().collect()),
            },
            Relaxation {
                after: secs(120),
                drop: Dropped::All,
            },
        ],
        wrap_up: WrapUp::Manual(secs(300)),
        dispositions: vec!["sold".to_owned(), "no sale".to_owned()],
        disposition_needed: true,
        park_after,
        abandon_after: Millis(0),
        resume_within: Millis(0),
        overflows: vec![
            way(Trigger::Waited(secs(300)), Exit::Queue("b".into())),
            way(Trigger::Full(50), Exit::Form),
            way(Trigger::Unstaffed, Exit::Callback),
            way(Trigger::Rounds(3), Exit::AnySkills),
            way(Trigger::Closing, Exit::Voicemail),
        ],
        form_reply: Some(Arc::new(Localized::new("Write").with("ru", "Пишите"))),
        ..new("a")
    }
}

#[test]
fn every_rule_of_a_queue_and_a_line_is_read() {
    let variables = [
        ("SWITCHBOARD__CAPACITY__MAY_EXCEED", "false"),
        ("SWITCHBOARD__LINE__S__PRIORITY", "-2"),
        ("SWITCHBOARD__QUEUE__B__SKILLS", "lang:de, vip"),
        ("SWITCHBOARD__QUEUE__B__DISPOSITION_REQUIRED", "true"),
    ];
    let rules = good(EVERY_RULE, &variables).settings.rules;
    assert!(!rules.capacity.may_exceed);
    assert_eq!(rules.queues[&"a".into()], every_rule());
    let b = &rules.queues[&"b".into()];
    let all_but_calls = Medium::ALL.into_iter().skip_while(|m| *m == Medium::Voice);
    assert_eq!(
        b.park_after,
        all_but_calls
            .map(|medium| (medium, Millis::from_secs(7_200)))
            .collect()
    );
    assert_eq!(b.skills, ["lang:de", "vip"].into_iter().collect());
    assert!(b.disposition_needed);
    let line = LineRules {
        band: -2,
        age_credit: Millis::from_secs(600),
        skills: ["vip"].into_iter().collect(),
        hours: None,
        replies: false,
    };
    assert_eq!(rules.lines[&"s".into()], line);
}

#[test]
fn every_strategy_and_way_to_finish_up_has_its_word() {
    let rules = |text: &str| {
        let settings = good(&format!("{QUEUE}{text}"), &[]).settings;
        settings.rules.queues[&"main".into()].clone()
    };
    for strategy in Strategy::ALL {
        let read = rules(&format!("strategy = \"{}\"\n", strategy.name()));
        assert_eq!(read.strategy, strategy);
    }
    let minute = Millis::from_secs(60);
    for (word, expected) in [
        ("off", WrapUp::Off),
        ("timed", WrapUp::Timed(minute)),
        ("fixed", WrapUp::Fixed(minute)),
        ("manual", WrapUp::Manual(minute)),
    ] {
        assert_eq!(rules(&format!("wrap_up = \"{word}\"\n")).wrap_up, expected);
    }
}

#[test]
fn long_texts_and_lists_are_refused() {
    let text = |length| format!("{QUEUE}closed_reply = \"{}\"\n", "я".repeat(length));
    good(&text(1_000), &[]);
    let expected = "a.toml:3: queue \"main\".closed_reply: has 1001 characters; write at most 1000";
    check(&text(1_001), &[], &[expected]);
    let holidays = vec!["\"01-01\""; 1_001].join(",");
    check(
        &format!(
            "{QUEUE}[[hours]]\nid = \"a\"\nzone = \"UTC\"\nmon = \"24h\"\nholidays = [{holidays}]\n"
        ),
        &[],
        &[
            "a.toml:7: hours \"a\".holidays: has more than 1000 holidays; remove those that are over",
        ],
    );
    let ways: Vec<String> = (1..=17)
        .map(|n| format!("{{ waited = \"{n}m\", to = \"any_skills\" }}"))
        .collect();
    let names: Vec<String> = (0..51).map(|n| format!("\"n{n}\"")).collect();
    let (ways, names) = (ways.join(","), names.join(","));
    check(
        &format!(
            "{QUEUE}overflow = [{ways}]\nskills = [{names}]\ndispositions = [{names}, \"{}\"]\n",
            "x".repeat(101)
        ),
        &[],
        &[
            "a.toml:3: queue \"main\".overflow: has 17 of them; write at most 16",
            "a.toml:4: queue \"main\".skills: has 51 skills; write at most 50",
            "a.toml:5: queue \"main\".dispositions: is too long; write at most 100 characters",
        ],
    );
}

#[test]
fn the_example_shows_every_channel() {
    let path = Path::new(EXAMPLE);
    let old = std::fs::read_to_string(path).expect("the example is there");
    let (head, _) = old.split_once(LINES).expect("the example has its mark");
    let mut new = format!("{head}{LINES}");
    let mut kinds: Vec<_> = KINDS.iter().collect();
    kinds.sort_by_key(|kind| kind.descriptor.kind);
    for kind in kinds {
        let title = kind.descriptor.display_name;
        let name = kind.descriptor.kind;
        for line in kind.example.lines() {
            assert!(
                line.is_empty() || line.starts_with('#'),
                "{name}: not a comment: {line}"
            );
        }
        let example = kind.example.trim_end();
        new = format!("{new}\n# --- {title} ---\n{example}\n");
    }
    if new != old {
        std::fs::write(path, new).expect("the example is written");
        panic!("config/switchboard.toml was stale and is written anew: look at it and run again");
    }
}

#[test]
fn what_needs_a_restart_is_told_where_it_stands() {
    let before = good(&format!("[limits]\nattempts_max = 3\n{QUEUE}"), &[]);
    let told = |text: &str| {
        let problems = good(text, &[]).against(&before);
        problems.map_or_else(String::new, |problems| problems.to_string())
    };
    let change = "has changed, which needs a restart; set it back to reload the rest";
    for (text, expected) in [
        (
            format!("{QUEUE}[limits]\nattempts_max = 3\n"),
            String::new(),
        ),
        (
            format!("[limits]\nattempts_max = 4\n{QUEUE}[log]\nformat = \"json\"\n"),
            format!("a.toml:2: limits.attempts_max: {change}\na.toml:6: log.format: {change}"),
        ),
        // It is not there any more: the default stands nowhere in the file.
        (
            QUEUE.to_owned(),
            format!("a.toml:1: limits.attempts_max: {change}"),
        ),
        (
            format!(
                "[limits]\nattempts_max = 3\n[log]\nlevel = \"debug\"\n[capacity]\ncost = {{ chat = 50 }}\n{QUEUE}round_pause = \"9s\"\n"
            ),
            String::new(),
        ),
    ] {
        assert_eq!(told(&text), expected, "for:\n{text}");
    }
}

#[test]
fn a_line_keeps_its_connection_unless_its_own_keys_change() {
    let text = |queue: &str, keys: &str| {
        format!(
            "{QUEUE}[[queue]]\nid = \"b\"\n[[line]]\nid = \"s\"\nchannel = \"webchat\"\n\
             queue = \"{queue}\"\n{keys}"
        )
    };
    let before = good(&text("main", "title = \"Hi\"\n"), &[]);
    for (queue, keys, kept) in [
        ("main", "title = \"Hi\"\n", true),
        ("b", "title = \"Hi\"\n", true),
        ("main", "title = \"Hello\"\n", false),
        ("main", "", false),
        ("main", "title = \"Hi\"\nname = \"Other\"\n", false),
    ] {
        let mut after = good(&text(queue, keys), &[]);
        after.keep_connections(&before);
        let (old, new) = (&before.settings.lines[0], &after.settings.lines[0]);
        assert_eq!(
            Arc::ptr_eq(&old.channel, &new.channel),
            kept,
            "{queue} {keys}"
        );
    }
}

/// The section of the example, with secrets that are some.
fn webhook(keys: &str) -> String {
    format!(
        "{QUEUE}[[webhook]]\nid = \"crm\"\nurl = \"https://crm.example.com/\"\n\
         secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n{keys}"
    )
}

#[test]
fn a_webhook_is_read_whole() {
    let plain = good(&webhook(""), &[]).settings.webhooks.remove(0);
    assert_eq!(plain.events.len(), engine::webhooks::EVENTS.len());
    assert_eq!(
        (plain.secrets.len(), plain.timeout),
        (1, Millis::from_secs(15))
    );
    let keys = "previous_secret = \"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n\
                events = [\"message_added\"]\nqueues = [\"main\"]\ntimeout = \"2s\"\n";
    let full = good(&webhook(keys), &[]).settings.webhooks.remove(0);
    assert_eq!((full.secrets.len(), full.events.len()), (2, 1));
    assert_eq!((full.queues.len(), full.timeout), (1, Millis::from_secs(2)));
    let moved = (
        "SWITCHBOARD__WEBHOOK__CRM__URL",
        "https://other.example.com/",
    );
    let moved = good(&webhook(keys), &[moved]).settings.webhooks.remove(0);
    assert_eq!(moved.target.to_string(), "https://other.example.com");
}

#[test]
fn a_webhook_that_cannot_be_is_told_with_what_to_do() {
    for (keys, expected) in [
        (
            "events = [\"message_aded\"]",
            "webhook \"crm\".events: \"message_aded\" is unknown",
        ),
        (
            "queues = [\"sales\"]",
            "webhook \"crm\".queues: \"sales\" is unknown",
        ),
        (
            "timeout = \"2m\"",
            "webhook \"crm\".timeout: must be from \"1s\" to \"60s\"",
        ),
        (
            "previous_secret = \"abc\"",
            "webhook \"crm\".previous_secret: must be whsec_",
        ),
        ("ca = \"abc\"", "webhook \"crm\".ca: has no certificate"),
        ("retries = 3", "webhook \"crm\": \"retries\" is unknown"),
    ] {
        let told = read(&webhook(&format!("{keys}\n")), &[]).err();
        let told = told
            .map(|problems| problems.to_string())
            .unwrap_or_default();
        assert!(told.contains(expected), "{keys}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let bare = read(&format!("{QUEUE}[[webhook]]\nid = \"crm\"\n"), &[]).err();
    let told = bare
        .map(|problems| problems.to_string())
        .unwrap_or_default();
    assert!(
        told.contains("url: is missing") && told.contains("secret: is missing"),
        "{told}"
    );
    let clear = webhook("").replace("https:", "http:");
    let told = read(&clear, &[]).err().map(|problems| problems.to_string());
    assert!(
        told.unwrap_or_default()
            .contains("must begin with https://")
    );
}
