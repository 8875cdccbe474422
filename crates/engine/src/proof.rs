//! The running gateway judges its own routing: it reads the log as it grows, and the
//! rows beside it, and counts what should not be.
//!
//! Every offer is judged, against the state that the log tells for its moment. A look
//! costs what has happened since the last one, and a bounded part of the rows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use domain::event::Cursor;
use domain::proof::{Counts, Finding, Law, Standing, Witness};
use domain::routing::{RoutingRules, Snapshot};
use domain::{ConversationId, Millis, OperatorId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{StoreError, View};

use crate::Engine;

/// Events read at once: a fraction of a second's work.
const CHUNK: i64 = 5_000;
/// After so many of these without an end, what was not read is not judged.
const CHUNKS_MAX: u32 = 40;
/// Conversations compared with their rows at each look.
const SAMPLE: usize = 200;
/// Whoever asks sooner than this is told of the last look.
const PACE: Millis = Millis(1_000);
/// Findings that are kept.
const FOUND_MAX: usize = 20;

/// What was checked so far, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Everything is counted from then.
    pub since: Timestamp,
    /// The last look.
    pub looked_at: Timestamp,
    /// How far the log was read when something new was seen last.
    pub read_to: Option<Cursor>,
    /// Offers and assignments that were judged.
    pub offers: u64,
    /// Those that could not be.
    pub not_judged: u64,
    /// Those before which so much waited that only the oldest was looked at.
    pub in_part: u64,
    /// Rows compared with the log.
    pub rows: u64,
    /// How often each law was broken.
    pub broken: BTreeMap<Law, u64>,
    /// The last findings, the newest first.
    pub found: VecDeque<Finding>,
}

/// What is remembered from one look to the next.
#[derive(Default)]
pub(crate) struct Prover {
    proof: Option<Proof>,
    reading: Option<Reading>,
    /// What stood broken in the rows at the last look: told once.
    standing: BTreeMap<&'static str, i64>,
}

/// The log, as far as it was read.
struct Reading {
    rules: Arc<RoutingRules>,
    witness: Witness,
    cursor: Cursor,
    sampled: Option<ConversationId>,
}

/// What one look at the store gave.
struct Look {
    reading: Reading,
    counts: Counts,
    rows: u64,
    findings: Vec<Finding>,
    /// What is broken in the rows; none when the end of the log was not reached.
    standing: Option<Vec<(&'static str, i64)>>,
}

impl Proof {
    fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            looked_at: now,
            read_to: None,
            offers: 0,
            not_judged: 0,
            in_part: 0,
            rows: 0,
            broken: BTreeMap::new(),
            found: VecDeque::new(),
        }
    }

    /// Counts a violation of a rule, so many times, and remembers one of them.
    fn note(&mut self, rule: &'static str, number: u64, finding: Finding) {
        tracing::error!(
            invariant.rule = rule,
            number,
            conversation.id = finding.conversation.map(ConversationId::get),
            operator.id = finding.operator.map(OperatorId::get),
            detail = finding.detail,
            "an invariant is broken"
        );
        metrics::counter!("invariant_violations_total", "rule" => rule).increment(number);
        *self.broken.entry(finding.law).or_default() += number;
        self.found.push_front(finding);
        self.found.truncate(FOUND_MAX);
    }
}

impl Engine {
    /// What waits and who works, as the router keeps it and as it stands in the rows.
    /// The two are the same.
    pub async fn floors(&self) -> Result<(Snapshot, Snapshot), StoreError> {
        self.store()
            .write(|tx| Ok((tx.floor().clone(), tx.floor_of(&tx.all_operators()?)?)))
            .await
    }

    /// Looks at what has happened since the last look, unless that was just now.
    pub async fn prove(&self) -> Result<Proof, StoreError> {
        let mut prover = self.inner.prover.lock().await;
        let now = self.now();
        let is_fresh = |proof: &&Proof| now.since(proof.looked_at) < PACE;
        let last = prover.proof.as_ref().filter(|_| prover.reading.is_some());
        if let Some(proof) = last.filter(is_fresh) {
            return Ok(proof.clone());
        }
        let before = match prover.proof.take() {
            Some(proof) => proof,
            None => kept(self, now).await?,
        };
        let mut proof = before.clone();
        let looked = prover.look_to_the_end(self, &mut proof, now).await;
        if looked.is_ok() {
            proof.looked_at = now;
        }
        publish(&proof);
        let is_new = proof.offers != before.offers
            || proof.not_judged != before.not_judged
            || proof.broken != before.broken;
        prover.proof = Some(proof.clone());
        looked?;
        if is_new {
            let text = serde_json::to_string(&proof).map_err(StoreError::from)?;
            let written = self
                .store()
                .write_behind::<_, StoreError>(move |tx| tx.keep_proof(&text));
            written.await?;
        }
        Ok(proof)
    }
}

/// What earlier runs of the gateway have proven.
async fn kept(engine: &Engine, now: Timestamp) -> Result<Proof, StoreError> {
    let kept = engine.read::<_, StoreError>(|view| view.proof()).await?;
    let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.unwrap_or_else(|| Proof::new(now)))
}

fn publish(proof: &Proof) {
    metrics::gauge!("proof_offers_judged").set(float(proof.offers));
    metrics::gauge!("proof_offers_not_judged").set(float(proof.not_judged));
    metrics::gauge!("proof_rows_compared").set(float(proof.rows));
    let seconds = u64::try_from(proof.looked_at.0 / 1_000).unwrap_or(0);
    metrics::gauge!("proof_looked_at_seconds").set(float(seconds));
}

impl Prover {
    async fn look_to_the_end(
        &mut self,
        engine: &Engine,
        proof: &mut Proof,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for _ in 0..CHUNKS_MAX {
            if self.look(engine, proof, now).await? {
                return Ok(());
            }
        }
        // The log grows faster than it can be read.
        self.reading = None;
        Ok(())
    }

    /// Reads on, or begins to; true when the end of the log was reached.
    async fn look(
        &mut self,
        engine: &Engine,
        proof: &mut Proof,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rules = engine.rules();
        let last = self.reading.take();
        let reading = match last.filter(|last| Arc::ptr_eq(&last.rules, &rules)) {
            Some(reading) => reading,
            None => Self::begin(engine, proof, &rules).await?,
        };
        let read = engine
            .read::<_, StoreError>(move |view| read_on(view, reading, now))
            .await?;
        let Some(look) = read else {
            // The log does not reach back so far: from the rows again, next time.
            return Ok(true);
        };
        proof.read_to = Some(look.reading.cursor);
        if !Arc::ptr_eq(&rules, &engine.rules()) {
            // Other rules meanwhile: by which was it done?
            proof.not_judged += look.counts.offers + look.counts.not_judged;
            return Ok(true);
        }
        proof.offers += look.counts.offers;
        proof.not_judged += look.counts.not_judged;
        proof.in_part += look.counts.in_part;
        proof.rows += look.rows;
        for finding in look.findings {
            proof.note(finding.law.name(), 1, finding);
        }
        self.reading = Some(look.reading);
        let Some(standing) = look.standing else {
            return Ok(false);
        };
        let standing: BTreeMap<_, _> = standing.into_iter().collect();
        for (rule, number) in &standing {
            let known = self.standing.get(rule).copied().unwrap_or(0);
            let new = u64::try_from(number - known).unwrap_or(0);
            if new > 0 {
                proof.note(rule, new, of_rows(rule, *number, now));
            }
        }
        self.standing = standing;
        Ok(true)
    }

    /// Begins with the rows. What was offered since the log was last read stays without
    /// a judgement.
    async fn begin(
        engine: &Engine,
        proof: &mut Proof,
        rules: &Arc<RoutingRules>,
    ) -> Result<Reading, StoreError> {
        let read_to = proof.read_to;
        let begun = engine.read::<_, StoreError>(move |view| {
            let cursor = view.last_cursor()?;
            let missed = match read_to {
                Some(read_to) => view.offers_between(read_to, cursor)?,
                None => 0,
            };
            Ok((witness(view)?, cursor, missed))
        });
        let (witness, cursor, missed) = begun.await?;
        proof.not_judged += u64::try_from(missed).unwrap_or(0);
        proof.read_to = Some(cursor);
        Ok(Reading {
            rules: Arc::clone(rules),
            witness,
            cursor,
            sampled: None,
        })
    }
}

/// A witness of what stands in the rows.
fn witness(view: &View<'_>) -> Result<Witness, StoreError> {
    let mut standing = Vec::new();
    view.each_standing(|conversation| standing.extend(Standing::of(&conversation)))?;
    Ok(Witness::new(standing, view.all_operators()?))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn float(number: u64) -> f64 {
    number as f64
}

/// The rules that are checked in the rows have names of their own.
fn law_of(rule: &str) -> Law {
    if rule == Law::TwoPlaces.name() {
        Law::TwoPlaces
    } else {
        Law::Books
    }
}

fn of_rows(rule: &str, number: i64, at: Timestamp) -> Finding {
    Finding {
        law: law_of(rule),
        at,
        conversation: None,
        operator: None,
        detail: format!("{rule}: {number} in the rows"),
    }
}

/// Reads on in the log; at its end, looks at the rows of the same moment.
fn read_on(
    view: &View<'_>,
    mut reading: Reading,
    now: Timestamp,
) -> Result<Option<Look>, StoreError> {
    let Some((events, until)) = view.routing_events_after(reading.cursor, CHUNK)? else {
        return Ok(None);
    };
    let mut findings = Vec::new();
    for event in &events {
        findings.extend(reading.witness.see(event, &reading.rules));
    }
    reading.cursor = until;
    let counts = reading.witness.take_counts();
    let mut rows = 0;
    let mut standing = None;
    if until == view.last_cursor()? {
        findings.extend(reading.witness.look(now, &reading.rules));
        rows = compare(view, &mut reading, now, &mut findings)?;
        let mut broken = view.violations()?;
        let in_two_places = view.in_two_places()?;
        if in_two_places > 0 {
            broken.push((Law::TwoPlaces.name(), in_two_places));
        }
        standing = Some(broken);
    }
    Ok(Some(Look {
        reading,
        counts,
        rows,
        findings,
        standing,
    }))
}

/// Compares every operator, and some conversations in turn, with their rows.
fn compare(
    view: &View<'_>,
    reading: &mut Reading,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<u64, StoreError> {
    let operators = view.all_operators()?;
    let mut rows = operators.len();
    let mut differ = |conversation, operator| {
        findings.push(Finding {
            law: Law::RowsDiffer,
            at: now,
            conversation,
            operator,
            detail: "the row is not what the log says".to_owned(),
        });
    };
    let mut begins_anew = false;
    for operator in reading.witness.differing(&operators) {
        differ(None, Some(operator));
        begins_anew = true;
    }
    // From where the last look came to, and from the beginning when the end is reached.
    let begun = reading.sampled;
    let rest = reading.witness.sample(None, SAMPLE);
    let rest = rest.take_while(|(id, _)| begun.is_some_and(|begun| *id <= begun));
    let sample: Vec<_> = reading.witness.sample(begun, SAMPLE).chain(rest).collect();
    for (id, known) in sample.into_iter().take(SAMPLE) {
        let row = view.conversation(id)?;
        if row.as_ref().and_then(Standing::of).as_ref() != Some(known) {
            differ(Some(id), None);
            begins_anew = true;
        }
        rows += 1;
        reading.sampled = Some(id);
    }
    if begins_anew {
        // The rows are what the router goes by. Told once, they are the truth.
        reading.witness = witness(view)?;
    }
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
