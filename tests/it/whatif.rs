//! What a gateway recorded comes out again when it is replayed under its own rules.

use domain::operator::Role;
use domain::routing::Strategy;
use domain::whatif::{LeftOut, Plan, Recorder, Recording, Seed, run};
use domain::{QueueId, Timestamp};
use e2e::TestGateway;
use e2e::real::program;
use proto::inbox::v1 as pb;

use crate::metrics::a_day;

pub(crate) fn recorded(gateway: &TestGateway) -> Recording {
    let path = gateway.store_path();
    let (from, to) = store::recorded_period(&path).unwrap().unwrap();
    let mut recorder = Recorder::new(from, to);
    store::read_events(&path, |event| recorder.read(event)).unwrap();
    recorder.finish()
}

pub(crate) fn plan(gateway: &TestGateway) -> Plan {
    let rules = gateway.engine().settings().rules.clone();
    Plan {
        before: rules.clone(),
        after: rules,
        seed: Seed(1),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_day_replays_as_it_was() {
    let gateway = TestGateway::start().await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    olga.ready().await;
    a_day(&gateway, &mut olga).await;
    olga.set_presence(pb::Presence::Away).await;
    let recording = recorded(&gateway);
    assert_eq!(recording.arrivals(), 3);
    assert_eq!(recording.left_out(), LeftOut::default());
    let told = run(&recording, &plan(&gateway), |_| {}, |_| {});
    let comparison = told.counted.compare(recording.counted().counts());
    let asked = |key: &domain::metrics::Key| key.queue.is_some();
    let different: Vec<_> = comparison
        .different
        .iter()
        .filter(|(key, ..)| asked(key))
        .collect();
    assert_eq!(different, Vec::<&_>::new());
    assert_eq!(told.departed, 0);
    assert_eq!(comparison.different, []);

    // Under other rules nobody is asked.
    let mut plan = plan(&gateway);
    let main = QueueId::from("main");
    let mut manual = plan.before.of(&main).into_owned();
    manual.strategy = Strategy::Manual;
    plan.after.queues.insert(main, manual);
    let told = run(&recording, &plan, |_| {}, |_| {});
    let other = told.counted.compare(recording.counted().counts());
    assert!(!other.different.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_no_period() {
    let gateway = TestGateway::start().await;
    let found = store::recorded_period(&gateway.store_path()).unwrap();
    assert!(found.is_none_or(|(from, to)| from <= to && from > Timestamp(0)));
}

/// Runs `switchboard whatif` on the store of a gateway that runs; its code and all that
/// it prints.
async fn typed(gateway: &TestGateway, folder: &std::path::Path, more: &[&str]) -> (i32, String) {
    let config = folder.join("live.toml");
    let text = format!(
        "[store]\nurl = \"sqlite:{}\"\n[[queue]]\nid = \"main\"\n[[queue]]\nid = \"other\"\n",
        gateway.store_path().display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = std::process::Command::new(program());
    command
        .arg("whatif")
        .arg("--config")
        .arg(&config)
        .args(more);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let code = output.status.code().unwrap();
    (code, String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_compares_beside_a_running_gateway() {
    let gateway = TestGateway::start().await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    olga.ready().await;
    a_day(&gateway, &mut olga).await;
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("chart.svg");
    let drawn = chart.display().to_string();
    let more = ["--operators", "+1:main", "--seeds", "3", "--chart", &drawn];
    let (code, text) = typed(&gateway, folder.path(), &more).await;
    assert_eq!(code, 0, "{text}");
    for part in [
        "3 conversations",
        "and none is different",
        "Queue main",
        "Queue other",
        "new, like",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let svg = std::fs::read_to_string(&chart).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("polyline"));
    for (more, problem) in [
        (["--operators", "+1:nowhere"], "no queue `nowhere`"),
        (["--from", "2001-01-01"], "3 conversations"),
        (["--to", "2001-01-01"], "nothing is recorded"),
        (["--synthetic", "aht=1"], "are needed"),
        (["--with", "/nowhere.toml"], "cannot be read"),
    ] {
        let (code, text) = typed(&gateway, folder.path(), &more).await;
        assert!(text.contains(problem), "{more:?}: {text}");
        assert_eq!(code, if more[0] == "--from" { 0 } else { 2 }, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_changed_in_between_is_named() {
    let gateway = TestGateway::start_with(|settings| {
        let main = settings.rules.queues.get_mut(&"main".into());
        main.unwrap().strategy = Strategy::Manual;
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    anna.hears("hello").await;
    gateway.clock().advance(60_000);
    let mut settings = engine::Settings::clone(&gateway.engine().settings());
    let main = settings.rules.queues.get_mut(&"main".into());
    main.unwrap().strategy = Strategy::default();
    gateway.engine().reload(settings).await.unwrap();
    anna.accept().await;
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = typed(&gateway, folder.path(), &[]).await;
    assert_eq!(code, 0, "{text}");
    for part in [
        "What is compared below is two replays",
        "Different: queue main",
        "The configuration was another one before",
        "queue \"main\" changed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
