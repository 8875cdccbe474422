//! What the directory knows, in memory, and every step to it in a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::Context as _;
use domain::identity::{self, Identity, Known, Outcome, Person, Profile, Resolution, Trust};
use domain::{ContactId, Timestamp};
use engine::contacts::convert;
use prost::Message as _;
use proto::contacts::v1 as pb;
use serde::{Deserialize, Serialize};
use tonic::Status;

pub(crate) struct Book {
    entries: BTreeMap<ContactId, Entry>,
    changes: Vec<Change>,
    answers: BTreeMap<String, Answered>,
    file: File,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    profile: Profile,
    identities: Vec<Identity>,
    made_at: Timestamp,
    changed_at: Timestamp,
    version: i64,
    merged_into: Option<ContactId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    Changed(ContactId),
    Merged { merged: ContactId, into: ContactId },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answered {
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// One line of the file: all that a call has changed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Step {
    entries: Vec<(ContactId, Entry)>,
    changes: Vec<Change>,
    answer: Option<(String, Answered)>,
}

impl Book {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let mut book = Self {
            entries: BTreeMap::new(),
            changes: Vec::new(),
            answers: BTreeMap::new(),
            file: file.context("opening the file")?,
        };
        let written = File::open(path).context("opening the file to read")?;
        for line in BufReader::new(written).lines() {
            let line = line.context("reading a line")?;
            // The process may have been killed within the last line.
            let Ok(step) = serde_json::from_str(&line) else {
                break;
            };
            book.take_up(step);
        }
        Ok(book)
    }

    pub(crate) fn resolve(
        &mut self,
        request: &pb::ResolveContactRequest,
        now: Timestamp,
    ) -> Result<pb::ResolveContactResponse, Status> {
        let key = request.idempotency_key.clone();
        if key.len() > 128 {
            return Err(Status::invalid_argument("the key is too long"));
        }
        let encoded = request.encode_to_vec();
        if let Some(past) = self.answers.get(&key) {
            if past.request != encoded {
                return Err(Status::already_exists("the key was used otherwise"));
            }
            return pb::ResolveContactResponse::decode(past.answer.as_slice())
                .map_err(|error| Status::internal(error.to_string()));
        }
        let (asked, profile) = read(request)?;
        let resolution = identity::resolve(&asked, &self.known(&asked));
        let mut step = Step::default();
        let (id, outcome) = self.carry_out(&resolution, &profile, now, &mut step);
        for (contact, entry) in &step.entries {
            self.entries.insert(contact.clone(), entry.clone());
        }
        let answer = pb::ResolveContactResponse {
            contact: Some(self.shown(&id)),
            outcome: outcome.into(),
            matched_on: resolution
                .matched_on
                .iter()
                .map(convert::identity)
                .collect(),
            suggestions: resolution.suggestions.iter().map(suggested).collect(),
            merged_contact_ids: resolution.merge.iter().map(ToString::to_string).collect(),
        };
        if !key.is_empty() {
            let request = encoded;
            let answer = answer.encode_to_vec();
            step.answer = Some((key, Answered { request, answer }));
        }
        self.write(step)?;
        Ok(answer)
    }

    pub(crate) fn get(&self, id: &str) -> Option<pb::Contact> {
        let mut id = ContactId::new(id);
        while let Some(into) = &self.entries.get(&id)?.merged_into {
            id = into.clone();
        }
        Some(self.shown(&id))
    }

    /// How many changes there have been: the cursor.
    pub(crate) fn cursor(&self) -> usize {
        self.changes.len()
    }

    /// Changes after a cursor.
    pub(crate) fn changes_after(&self, cursor: usize) -> Vec<pb::WatchContactsResponse> {
        use pb::watch_contacts_response::Change as Told;
        let changes = self.changes.iter().enumerate().skip(cursor);
        changes
            .map(|(place, change)| pb::WatchContactsResponse {
                cursor: (place + 1).to_string(),
                change: Some(match change {
                    Change::Changed(id) => Told::Changed(self.shown(id)),
                    Change::Merged { merged, into } => Told::Merged(pb::ContactsMerged {
                        merged_contact_id: merged.to_string(),
                        contact: Some(self.shown(into)),
                    }),
                }),
            })
            .collect()
    }

    fn known(&self, asked: &[Identity]) -> Vec<Known> {
        let keys: Vec<_> = asked.iter().map(Identity::key).collect();
        let rows = |wanted: &dyn Fn(&ContactId, &Identity) -> bool| -> Vec<Known> {
            let entries = self.entries.iter();
            let rows = entries.flat_map(|(contact, entry)| {
                let identities = entry.identities.iter();
                identities.map(move |identity| (contact, identity))
            });
            rows.filter(|(contact, identity)| wanted(contact, identity))
                .map(|(contact, identity)| Known {
                    identity: identity.clone(),
                    contact: contact.clone(),
                })
                .collect()
        };
        let mut known = rows(&|_, identity| keys.contains(&identity.key()));
        let owned = known
            .iter()
            .filter(|row| row.identity.trust > Trust::Claimed);
        let owners: Vec<_> = owned.map(|row| row.contact.clone()).collect();
        known.extend(rows(&|contact, identity| {
            identity.kind == "user" && owners.contains(contact)
        }));
        known
    }

    fn carry_out(
        &self,
        resolution: &Resolution,
        profile: &Profile,
        now: Timestamp,
        step: &mut Step,
    ) -> (ContactId, pb::Outcome) {
        for (key, loser) in &resolution.take {
            let mut entry = self.entry(loser);
            entry.identities.retain(|identity| identity.key() != *key);
            changed(step, loser, entry, now);
        }
        let (id, outcome, mut entry) = match &resolution.contact {
            Outcome::Match(id) => (id.clone(), pb::Outcome::Matched, self.entry(id)),
            Outcome::Create => (
                ContactId::new(format!("crm-{}", self.entries.len() + 1)),
                pb::Outcome::Created,
                Entry {
                    profile: Profile::default(),
                    identities: Vec::new(),
                    made_at: now,
                    changed_at: now,
                    version: 0,
                    merged_into: None,
                },
            ),
        };
        let before = (entry.profile.clone(), entry.identities.clone());
        for merged in &resolution.merge {
            let mut part = self.entry(merged);
            let (one, _) = identity::merge(
                &person(&id, &entry),
                &person(merged, &part),
                now,
                String::new(),
            );
            (entry.profile, entry.identities) = (one.profile, one.identities);
            part.identities.clear();
            part.merged_into = Some(id.clone());
            step.entries.push((merged.clone(), part));
        }
        for link in &resolution.link {
            entry.identities.retain(|own| own.key() != link.key());
            entry.identities.push(link.clone());
        }
        entry.profile.fill_from(profile);
        if before != (entry.profile.clone(), entry.identities.clone()) || entry.version == 0 {
            changed(step, &id, entry, now);
        }
        for merged in &resolution.merge {
            let (merged, into) = (merged.clone(), id.clone());
            step.changes.push(Change::Merged { merged, into });
        }
        (id, outcome)
    }

    fn entry(&self, id: &ContactId) -> Entry {
        let entry = self.entries.get(id);
        entry.expect("rows are of contacts that are there").clone()
    }

    fn shown(&self, id: &ContactId) -> pb::Contact {
        let entry = self.entry(id);
        pb::Contact {
            id: id.to_string(),
            profile: Some(convert::profile(&entry.profile)),
            identities: entry.identities.iter().map(convert::identity).collect(),
            created_at: Some(convert::timestamp(entry.made_at)),
            updated_at: Some(convert::timestamp(entry.changed_at)),
            version: entry.version,
            ..pb::Contact::default()
        }
    }

    fn write(&mut self, step: Step) -> Result<(), Status> {
        let mut line =
            serde_json::to_string(&step).map_err(|error| Status::internal(error.to_string()))?;
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| Status::unavailable(error.to_string()))?;
        self.take_up(step);
        Ok(())
    }

    fn take_up(&mut self, step: Step) {
        self.entries.extend(step.entries);
        self.changes.extend(step.changes);
        self.answers.extend(step.answer);
    }
}

fn changed(step: &mut Step, id: &ContactId, mut entry: Entry, now: Timestamp) {
    entry.version += 1;
    entry.changed_at = now;
    step.entries.push((id.clone(), entry));
    step.changes.push(Change::Changed(id.clone()));
}

fn person(contact: &ContactId, entry: &Entry) -> Person {
    Person {
        contact: contact.clone(),
        profile: entry.profile.clone(),
        identities: entry.identities.clone(),
    }
}

fn suggested(suggestion: &identity::Suggestion) -> pb::Suggestion {
    pb::Suggestion {
        contact_id: suggestion.contact.to_string(),
        reason: suggestion.reason.to_string(),
        confidence: f64::from(suggestion.confidence_percent) / 100.0,
    }
}

fn read(request: &pb::ResolveContactRequest) -> Result<(Vec<Identity>, Profile), Status> {
    if !(1..=20).contains(&request.identities.len()) {
        return Err(Status::invalid_argument("give 1 to 20 identities"));
    }
    let asked = request.identities.iter().map(|asked| {
        identity::normalize(&convert::identity_from(asked), &request.default_region)
            .map_err(|error| Status::invalid_argument(error.to_string()))
    });
    let profile = convert::profile_from(&request.profile.clone().unwrap_or_default());
    profile
        .check()
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    Ok((asked.collect::<Result<_, _>>()?, profile))
}
