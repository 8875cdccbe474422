//! What the configuration set up: the settings in use, and the lines that run
//! because of them. A reload puts another one in its place, whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::Capability;
use domain::routing::RoutingRules;
use domain::{LineId, QueueId};
use tokio_util::sync::CancellationToken;

use crate::{Line, Settings};

/// The settings in use, and what runs because of them.
pub struct Serving {
    settings: Arc<Settings>,
    rules: Arc<RoutingRules>,
    lines: BTreeMap<LineId, Served>,
    /// Lines that were removed. What came by them is still processed, and what was
    /// written to them still goes out.
    leaving: BTreeMap<LineId, Arc<Line>>,
}

/// A line that takes events in.
#[derive(Clone)]
pub struct Served {
    /// The line.
    pub line: Arc<Line>,
    /// Cancelled when the gateway stops, and when the line is removed or built anew.
    pub stop: CancellationToken,
    /// Cancelled when its connection has ended.
    pub(crate) ended: CancellationToken,
}

impl Served {
    fn begin(line: Line, gateway: &CancellationToken) -> Self {
        Self {
            line: Arc::new(line),
            stop: gateway.child_token(),
            ended: CancellationToken::new(),
        }
    }

    /// Whether both are one connection, whatever else has changed.
    pub(crate) fn is_connected_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.line.channel, &other.line.channel)
    }
}

/// The configured rules, with what the lines' channels can do.
fn rules_of(settings: &Settings) -> RoutingRules {
    let mut rules = settings.rules.clone();
    for line in &settings.lines {
        let known = rules.lines.entry(line.id.clone()).or_default();
        known.replies = line.kind.descriptor.can(Capability::Reply);
    }
    rules
}

impl Serving {
    pub(crate) fn begin(settings: Settings, gateway: &CancellationToken) -> Self {
        let nothing = Self {
            settings: Arc::new(settings.clone()),
            rules: Arc::default(),
            lines: BTreeMap::new(),
            leaving: BTreeMap::new(),
        };
        nothing.followed_by(settings, gateway)
    }

    /// What comes after this with other settings. A line with the same channel stays
    /// connected.
    pub(crate) fn followed_by(&self, settings: Settings, gateway: &CancellationToken) -> Self {
        let mut leaving = self.leaving.clone();
        for (id, served) in &self.lines {
            leaving.insert(id.clone(), Arc::clone(&served.line));
        }
        let mut lines = BTreeMap::new();
        for line in &settings.lines {
            leaving.remove(&line.id);
            let mut served = Served::begin(line.clone(), gateway);
            if let Some(before) = self.lines.get(&line.id)
                && before.is_connected_as(&served)
            {
                served.stop = before.stop.clone();
                served.ended = before.ended.clone();
            }
            lines.insert(line.id.clone(), served);
        }
        Self {
            rules: Arc::new(rules_of(&settings)),
            settings: Arc::new(settings),
            lines,
            leaving,
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Every line that takes events in.
    pub fn lines(&self) -> impl Iterator<Item = &Served> {
        self.lines.values()
    }

    /// A line that takes events in.
    pub fn line(&self, id: &LineId) -> Option<&Served> {
        self.lines.get(id)
    }

    pub(crate) fn rules(&self) -> &Arc<RoutingRules> {
        &self.rules
    }

    /// A line by which something may still be on its way.
    pub(crate) fn line_of_old(&self, id: &LineId) -> Option<&Arc<Line>> {
        let served = self.lines.get(id).map(|served| &served.line);
        served.or_else(|| self.leaving.get(id))
    }

    /// A queue's rules of promises, also of one about which nothing is configured.
    pub(crate) fn promises_of(&self, id: &QueueId) -> domain::obligation::Rules {
        self.rules.of(id).promises
    }

    pub(crate) fn has_queue(&self, id: &QueueId) -> bool {
        self.settings.queues.iter().any(|queue| queue.id == *id)
    }

    /// Whether clients of a queue are asked for a rating.
    pub(crate) fn asks_for_ratings(&self, id: &QueueId) -> bool {
        let mut queues = self.settings.queues.iter();
        queues
            .find(|queue| queue.id == *id)
            .is_some_and(|queue| queue.ask_rating)
    }

    /// A line as it is now, for a conversation that begins: a reload may have come
    /// between its event and this, and dropped its queue.
    pub(crate) fn as_now(&self, line: &Arc<Line>) -> Arc<Line> {
        let now = self.line_of_old(&line.id).unwrap_or(line);
        let other = self.settings.queues.first();
        match other {
            Some(other) if !self.has_queue(&now.queue) => Arc::new(Line {
                queue: other.id.clone(),
                ..Line::clone(now)
            }),
            Some(_) | None => Arc::clone(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use channels::{LineSetup, registry};

    use super::*;
    use crate::settings::{ContactsEndpoint, Limits, Queue};

    #[expect(clippy::default_trait_access, reason = "the type is the channels' own")]
    fn line(id: &str, queue: &str) -> Line {
        let setup = LineSetup {
            id: id.into(),
            display_name: id.to_owned(),
            default_region: "RU".to_owned(),
            public_url: "http://127.0.0.1:1".to_owned(),
            options: Default::default(),
        };
        let mut kinds = registry::KINDS.iter();
        let built = kinds.find_map(|kind| Some((kind, (kind.build)(&setup).ok()?)));
        let (kind, channel) = built.expect("a kind that needs no keys");
        Line {
            id: id.into(),
            display_name: id.to_owned(),
            kind,
            queue: queue.into(),
            default_region: "RU".to_owned(),
            hours: None,
            channel,
        }
    }

    fn settings(queues: &[&str], lines: &[&Line]) -> Settings {
        let queue = |id: &&str| Queue {
            id: (*id).into(),
            display_name: (*id).to_owned(),
            ask_rating: true,
        };
        Settings {
            store_path: "store".into(),
            files_path: "files".into(),
            public_url: String::new(),
            contacts: ContactsEndpoint::BuiltIn,
            lines: lines.iter().copied().cloned().collect(),
            queues: queues.iter().map(queue).collect(),
            rules: RoutingRules::default(),
            limits: Limits::default(),
            webhooks: Vec::new(),
        }
    }

    #[test]
    fn a_removed_line_is_remembered_until_it_is_back() {
        let gateway = CancellationToken::new();
        let (a, b) = (line("a", "main"), line("b", "main"));
        let both = Serving::begin(settings(&["main"], &[&a, &b]), &gateway);
        let one = both.followed_by(settings(&["main"], &[&b]), &gateway);
        assert!(one.line(&a.id).is_none());
        assert!(one.line_of_old(&a.id).is_some());
        let still = one.followed_by(settings(&["main"], &[&b]), &gateway);
        assert!(still.line_of_old(&a.id).is_some());
        let anew = line("a", "main");
        let back = still.followed_by(settings(&["main"], &[&anew, &b]), &gateway);
        let found = back.line_of_old(&a.id).expect("it is back");
        assert!(Arc::ptr_eq(&found.channel, &anew.channel));
        assert!(back.leaving.is_empty());
    }

    #[test]
    fn a_connection_ends_with_its_channel_and_not_with_its_queue() {
        let gateway = CancellationToken::new();
        let before = line("a", "main");
        let first = Serving::begin(settings(&["main", "b"], &[&before]), &gateway);
        let moved = Line {
            queue: "b".into(),
            ..before.clone()
        };
        let second = first.followed_by(settings(&["main", "b"], &[&moved]), &gateway);
        let third = second.followed_by(settings(&["main"], &[&line("a", "main")]), &gateway);
        let served = |serving: &Serving| serving.line(&before.id).cloned().expect("it is there");
        served(&first).stop.cancel();
        assert!(served(&second).stop.is_cancelled());
        assert!(!served(&third).stop.is_cancelled());
        gateway.cancel();
        assert!(served(&third).stop.is_cancelled());
    }

    #[test]
    fn a_conversation_begins_in_a_queue_that_is_there() {
        let gateway = CancellationToken::new();
        let (stays, goes) = (line("stays", "b"), line("goes", "b"));
        let before = Serving::begin(settings(&["main", "b"], &[&stays, &goes]), &gateway);
        let old = |line: &Line| Arc::clone(before.line_of_old(&line.id).expect("it is there"));
        let moved = Line {
            queue: "c".into(),
            ..stays.clone()
        };
        let now = before.followed_by(settings(&["main", "c"], &[&moved]), &gateway);
        assert_eq!(before.as_now(&old(&goes)).queue, "b".into());
        assert_eq!(now.as_now(&old(&stays)).queue, "c".into());
        assert_eq!(now.as_now(&old(&goes)).queue, "main".into());
    }
}
