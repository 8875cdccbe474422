//! What a gateway recorded comes out again when it is replayed under its own rules.

use domain::operator::Role;
use domain::routing::Strategy;
use domain::whatif::{LeftOut, Plan, Recorder, Recording, Seed, run};
use domain::{QueueId, Timestamp};
use e2e::TestGateway;
use proto::inbox::v1 as pb;

use crate::metrics::a_day;

fn recorded(gateway: &TestGateway) -> Recording {
    let path = gateway.store_path();
    let (from, to) = store::recorded_period(&path).unwrap().unwrap();
    let mut recorder = Recorder::new(from, to);
    store::read_events(&path, |event| recorder.read(event)).unwrap();
    recorder.finish()
}

fn plan(gateway: &TestGateway) -> Plan {
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
