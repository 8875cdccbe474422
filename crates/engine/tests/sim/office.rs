//! Who works where, and by which rules: an office of the dice's own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use domain::hours::{DayHours, Opening, Schedule};
use domain::message::Medium;
use domain::operator::{Membership, Role};
use domain::routing::{
    Assignment, Dropped, Exit, LineRules, Overflow, QueueRules, Relaxation, RoutingRules, Skills,
    Strategy, Trigger, WrapUp,
};
use domain::{LineId, Millis, OperatorId, QueueId, Timestamp};
use engine::Engine;
use engine::people::{NewOperator, OperatorChange};
use engine::settings::{ContactsEndpoint, Limits, Line, Queue, Settings};

use crate::dice::Dice;
use crate::provider::{Connection, KINDS, Provider};

pub(crate) const QUEUES: [&str; 4] = ["calls", "night", "sales", "support"];
const SKILLS: [&str; 2] = ["billing", "lang:de"];
/// Lines with their kinds and queues.
const LINES: [(&str, usize, &str); 6] = [
    ("phone", 0, "calls"),
    ("site", 1, "support"),
    ("shop", 1, "sales"),
    ("app", 2, "sales"),
    ("late", 2, "night"),
    ("mail", 3, "support"),
];
const STRATEGIES: [Strategy; 8] = [
    Strategy::LongestIdle,
    Strategy::LongestIdle,
    Strategy::LeastBusy,
    Strategy::RoundRobin,
    Strategy::RingAll,
    Strategy::RingAll,
    Strategy::StrictList,
    Strategy::Manual,
];
/// Operators of the template; the first one supervises.
const PEOPLE: usize = 6;
/// When every simulation begins.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_709_629_200_000);

pub(crate) fn settings(folder: &Path, dice: &mut Dice, provider: &Arc<Provider>) -> Settings {
    let lines = LINES.map(|(id, kind, queue)| Line {
        id: id.into(),
        display_name: id.to_owned(),
        kind: &KINDS[kind],
        queue: queue.into(),
        default_region: "RU".to_owned(),
        hours: None,
        channel: Arc::new(Connection {
            kind: &KINDS[kind],
            provider: Arc::clone(provider),
        }),
    });
    let queues = QUEUES.map(|id| Queue {
        id: id.into(),
        display_name: id.to_owned(),
        ask_rating: false,
    });
    Settings {
        store_path: folder.join("store.db"),
        files_path: folder.join("files"),
        public_url: "http://sim.test".to_owned(),
        contacts: ContactsEndpoint::BuiltIn,
        lines: lines.into(),
        queues: queues.into(),
        rules: rules(dice),
        limits: Limits {
            disk_free_bytes_min: 0,
            ..Limits::default()
        },
        webhooks: Vec::new(),
    }
}

fn rules(dice: &mut Dice) -> RoutingRules {
    let queues = QUEUES.map(|queue| rules_of(queue, dice));
    let shop = LineRules {
        band: i32::from(dice.one_in(2)) - i32::from(dice.one_in(2)),
        age_credit: Millis(dice.between(0, 40_000).0 * i64::from(dice.one_in(3))),
        ..LineRules::default()
    };
    RoutingRules {
        queues: queues
            .into_iter()
            .map(|rules| (rules.id.clone(), rules))
            .collect(),
        lines: BTreeMap::from([(LineId::from("shop"), shop)]),
        ..RoutingRules::default()
    }
}

fn rules_of(queue: &str, dice: &mut Dice) -> QueueRules {
    let mut rules = QueueRules::new(QueueId::from(queue));
    rules.strategy = dice.pick(&STRATEGIES).expect("choices");
    if dice.one_in(5) {
        rules.assignment = Assignment::Direct;
    }
    rules.round_wait = dice.between(10_000, 30_000);
    rules.sticky_wait = dice.between(0, 40_000);
    rules.ageing = dice.between(20_000, 80_000);
    rules.abandon_after = dice.between(5_000, 60_000);
    rules.resume_within = dice.between(10_000, 60_000);
    rules.wrap_up = match dice.below(6) {
        0 => WrapUp::Timed(Millis::from_secs(8)),
        1 => WrapUp::Fixed(Millis::from_secs(5)),
        2 => WrapUp::Manual(Millis::from_secs(20)),
        _ => WrapUp::Off,
    };
    rules.park_after = BTreeMap::from([
        (Medium::Messenger, Millis::from_secs(20)),
        (Medium::Email, Millis::from_secs(40)),
    ]);
    if dice.one_in(3) {
        rules.skills = ["billing"].into_iter().collect();
    }
    // In the end anybody may answer: nobody has to have been hired for a skill.
    rules.relaxations = vec![Relaxation {
        after: dice.between(5_000, 40_000),
        drop: Dropped::All,
    }];
    if dice.one_in(2) {
        rules.promises.callback_within = Some(Millis::from_secs(900));
    }
    if queue == "night" {
        rules.hours = Some(Arc::new(four_of_seven_minutes()));
    }
    for when in TRIGGERS {
        if dice.one_in(7) {
            let other = dice.pick(&QUEUES).expect("there are queues");
            let exits = [
                Exit::Queue(QueueId::from(other)),
                Exit::Queue(QueueId::from(other)),
                Exit::AnySkills,
                Exit::Voicemail,
                Exit::Form,
                Exit::Callback,
            ];
            let exit = dice.pick(&exits).expect("choices");
            rules.overflows.push(Overflow { when, exit });
        }
    }
    rules
}

const TRIGGERS: [Trigger; 6] = [
    Trigger::Waited(Millis::from_secs(15)),
    Trigger::Waited(Millis::from_secs(40)),
    Trigger::Rounds(2),
    Trigger::Unstaffed,
    Trigger::Full(4),
    Trigger::Closing,
];

/// A short day follows a shorter night.
fn four_of_seven_minutes() -> Schedule {
    let time = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
    let openings = (0..24 * 60 - 7).step_by(7).map(|begin| {
        let opening = format!("{}-{}", time(begin), time(begin + 4));
        opening.parse::<Opening>().expect("it is written so")
    });
    let day = DayHours::new(openings).expect("they do not overlap");
    let week = std::array::from_fn(|_| day.clone());
    Schedule::new("UTC".parse().expect("a zone"), week, Vec::new())
}

/// A store with people in it: a password is costly to make, and nobody signs in.
pub(crate) fn template() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::TempDir::new().expect("a folder");
        let settings = settings(
            folder.path(),
            &mut Dice::new(0),
            &Arc::new(Provider::new(0)),
        );
        let path = settings.store_path.clone();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let engine = Engine::start(settings, Arc::new(|| BEGINNING)).await;
            let engine = engine.expect("it starts");
            for number in 0..PEOPLE {
                let hired = engine.add_operator(None, "", newcomer(number)).await;
                hired.expect("there is room");
            }
            engine.stop().await;
        });
        drop(runtime);
        std::fs::read(path).expect("the store is one file")
    })
}

fn newcomer(number: usize) -> NewOperator {
    NewOperator {
        login: format!("op{number}"),
        password: "correct horse battery".to_owned(),
        display_name: format!("Op {number}"),
        role: if number == 0 {
            Role::Admin
        } else {
            Role::Operator
        },
        memberships: Vec::new(),
        skills: Skills::default(),
        capacity: 0,
        auto_accept: false,
    }
}

/// What the dice make of somebody. The first works for every queue, so that nothing
/// waits for nobody.
pub(crate) fn change(dice: &mut Dice, number: usize, id: OperatorId) -> OperatorChange {
    let is_first = number == 0;
    let works = QUEUES
        .into_iter()
        .filter(|_| is_first || !dice.one_in(3))
        .collect::<Vec<_>>();
    let memberships = works.into_iter().map(|queue| Membership {
        queue: QueueId::from(queue),
        rank: i32::from(dice.one_in(3)),
        position: i32::from(dice.one_in(2)) + i32::from(dice.one_in(2)),
    });
    OperatorChange {
        display_name: format!("Op {id}"),
        role: if is_first {
            Role::Admin
        } else {
            Role::Operator
        },
        memberships: memberships.collect(),
        skills: SKILLS
            .into_iter()
            .filter(|_| is_first || dice.one_in(2))
            .collect(),
        capacity: 100,
        auto_accept: dice.one_in(8),
        disabled: !is_first && dice.one_in(5),
    }
}
