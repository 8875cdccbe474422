use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::*;
use Trust::{Asserted, Claimed, Proven};

fn identity(kind: &str, value: &str, trust: Trust) -> Identity {
    Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value: value.to_owned(),
        trust,
    }
}

fn email(trust: Trust) -> Identity {
    identity("email", "anna@example.com", trust)
}

fn phone(trust: Trust) -> Identity {
    identity("phone", "+79161234567", trust)
}

fn telegram(trust: Trust) -> Identity {
    identity("telegram", "42", trust)
}

fn known(contact: &str, identity: Identity) -> Known {
    Known {
        identity,
        contact: contact.into(),
    }
}

/// `name:trust`, or `name=value:trust`.
fn word(word: &str) -> Identity {
    let (name, trust) = word.split_once(':').expect("name:trust");
    let (name, value) = name.split_once('=').unwrap_or((name, "1"));
    let trust = match trust {
        "p" => Proven,
        "a" => Asserted,
        _ => Claimed,
    };
    identity(name, value, trust)
}

fn row(row: &str) -> Known {
    let (contact, identity) = row.split_once('.').expect("contact.identity");
    known(contact, word(identity))
}

/// A decision in one line: whom, what is linked, who is merged, who is suggested.
fn told(resolution: &Resolution) -> String {
    let whom = match &resolution.contact {
        Outcome::Match(contact) => contact.to_string(),
        Outcome::Create => "new".to_owned(),
    };
    let links = resolution.link.iter().map(|identity| {
        let trust = match identity.trust {
            Proven => "p",
            Asserted => "a",
            Claimed => "c",
        };
        format!("+{}:{trust}", identity.kind)
    });
    let taken = resolution.take.iter();
    let taken = taken.map(|(key, contact)| format!("-{contact}.{}", key.kind));
    let merges = resolution.merge.iter().map(|contact| format!("={contact}"));
    let suggestions = resolution.suggestions.iter().map(|suggestion| {
        let Suggestion {
            contact,
            confidence_percent,
            ..
        } = suggestion;
        format!("?{contact}:{confidence_percent}")
    });
    let parts = taken.chain(links).chain(merges).chain(suggestions);
    parts.fold(whom, |told, part| format!("{told} {part}"))
}

fn check(cases: &[(&str, &str, &str)]) {
    for (request, rows, expect) in cases {
        let request: Vec<_> = request.split_whitespace().map(word).collect();
        let rows: Vec<_> = rows.split_whitespace().map(row).collect();
        let resolution = resolve(&request, &rows);
        assert_eq!(told(&resolution), *expect, "{request:?} {rows:?}");
    }
}

#[test]
fn one_identity() {
    check(&[
        ("", "", "new"),
        ("mail:p", "", "new +mail:p"),
        ("mail:c", "", "new +mail:c"),
        ("mail:p", "a.mail:p", "a"),
        ("mail:p", "a.mail:a", "a +mail:p"),
        ("mail:a", "a.mail:p", "a"),
        ("mail:a", "a.mail:a", "a"),
        ("mail:c", "a.mail:p", "new +mail:c ?a:50"),
        ("mail:c", "a.mail:a", "new +mail:c ?a:40"),
        ("mail:c", "a.mail:c", "new +mail:c ?a:20"),
        ("mail:p", "a.mail:c", "new +mail:p ?a:50"),
        ("mail:a", "a.mail:c", "new +mail:a ?a:40"),
        // The owner is met though others claim the address.
        ("mail:a", "a.mail:c b.mail:a", "b ?a:40"),
        // The best trust of a repeated key counts.
        ("mail:c mail:p", "a.mail:p", "a"),
        // A store with two owners of one key: nothing is merged.
        ("mail:p", "b.mail:p a.mail:p", "a ?b:95"),
        // Rows of other keys mean nothing.
        ("mail:p", "a.phone:p", "new +mail:p"),
    ]);
}

#[test]
fn several_identities() {
    check(&[
        ("tg:p phone:p", "a.tg:p", "a +phone:p"),
        ("tg:p phone:c", "a.tg:p", "a +phone:c"),
        ("tg:p phone:c", "a.tg:p b.phone:p", "a +phone:c ?b:50"),
        ("tg:p phone:c", "a.tg:p a.phone:c b.phone:p", "a ?b:50"),
        ("tg:p phone:c", "a.tg:p a.phone:p", "a"),
        ("tg:p phone:p", "a.tg:p a.phone:c", "a +phone:p"),
        // Two owners become one only when everything is proven.
        ("tg:p phone:p", "a.phone:p b.tg:p", "b =a"),
        ("tg:p phone:p", "a.phone:a b.tg:p", "b ?a:80"),
        ("tg:p phone:a", "a.phone:p b.tg:p", "b ?a:80"),
        (
            "tg:p phone:p mail:p",
            "c.mail:p a.phone:p b.tg:p",
            "b =a =c",
        ),
        (
            "tg:p phone:p mail:p",
            "a.mail:a a.phone:p b.tg:p",
            "b +mail:p =a",
        ),
        // The stronger link wins over the order of the request.
        ("phone:a tg:p", "a.phone:p b.tg:p", "b ?a:80"),
        ("phone:a mail:a", "a.mail:a b.phone:a", "b ?a:70"),
        // The best of several reasons counts.
        (
            "tg:p phone:c mail:a",
            "a.tg:p b.phone:c b.mail:a",
            "a +phone:c ?b:70",
        ),
    ]);
}

#[test]
fn two_people_at_one_browser() {
    check(&[
        // Who signs in for the first time joins what they were before.
        ("visitor:p user:p", "a.visitor:p", "a +user:p"),
        ("visitor:p user:p", "a.visitor:p b.user:p", "b =a"),
        ("visitor:p user:p", "a.visitor:p a.user:p", "a"),
        ("visitor:p", "a.visitor:p a.user:p", "a"),
        // The second user is somebody else, and has the browser from now on.
        (
            "visitor:p user=2:p",
            "a.visitor:p a.user:p",
            "new -a.visitor +visitor:p +user:p",
        ),
        (
            "visitor:p user=2:p",
            "a.visitor:p a.user:p b.user=2:p",
            "b -a.visitor +visitor:p",
        ),
        (
            "user=2:p visitor:p",
            "a.visitor:p a.user:p b.user=2:p b.visitor:c",
            "b -a.visitor +visitor:p",
        ),
        // What is not proven of the user takes nothing.
        ("visitor:p user=2:c", "a.visitor:p a.user:p", "a +user:c"),
        (
            "visitor:p user=2:a",
            "a.visitor:p a.user:p",
            "new +user:a ?a:95",
        ),
        (
            "visitor:a user=2:p",
            "a.visitor:p a.user:p",
            "new +user:p ?a:80",
        ),
        // A claimed account is none.
        ("visitor:p user=2:p", "a.visitor:p a.user:c", "a +user:p"),
        // Other addresses stay, and never make one contact of two users.
        ("mail:p user=2:p", "a.mail:p a.user:p", "new +user:p ?a:95"),
        (
            "visitor:p user=2:p mail:p",
            "a.visitor:p a.user:p c.mail:p",
            "c -a.visitor +visitor:p +user:p",
        ),
        (
            "visitor:p mail:p",
            "a.visitor:p a.user:p b.mail:p b.user=2:p",
            "a ?b:95",
        ),
        (
            "tg:p visitor:p mail:p",
            "c.tg:p a.visitor:p a.user:p b.mail:p b.user=2:p",
            "c =a ?b:95",
        ),
        // Of two accounts of one site in a request the better counts, then the first.
        ("user:p user=2:p", "a.user=2:p", "new +user:p"),
        ("user:a user=2:p", "a.user=2:p", "a"),
        // People may give one contact two accounts: either is theirs.
        ("visitor:p user=2:p", "a.visitor:p a.user:p a.user=2:p", "a"),
    ]);
}

#[test]
fn accounts_of_two_sites_do_not_disagree() {
    let mut other_site = word("user=2:p");
    other_site.issuer = "shop".to_owned();
    let rows = ["a.visitor:p", "a.user:p"].map(row);
    let resolution = resolve(&[word("visitor:p"), other_site], &rows);
    assert_eq!(told(&resolution), "a +user:p");
}

#[test]
fn the_second_user_is_not_told_the_history_of_the_first() {
    let mut directory = Directory::default();
    let mut said = |words: &[&str]| {
        let request: Vec<_> = words.iter().copied().map(word).collect();
        directory.apply(&directory.resolve(&request))
    };
    let visitor = said(&["visitor:p"]);
    let first = said(&["visitor:p", "user:p", "mail:p"]);
    assert_eq!(first, visitor);
    let second = said(&["visitor:p", "user=2:p", "mail:p"]);
    assert_ne!(second, first);
    // The session has run out, and the page is still theirs.
    assert_eq!(said(&["visitor:p"]), second);
    assert_eq!(said(&["visitor:p", "mail:c"]), second);
    assert_eq!(said(&["visitor:p", "user:p"]), first);
    assert_eq!(said(&["visitor=3:p", "user=2:p"]), second);
}

#[test]
fn what_decided_is_told() {
    let request = ["tg:p", "phone:p", "mail:a"].map(word);
    let rows = ["a.tg:p", "b.phone:p", "c.mail:a"].map(row);
    let resolution = resolve(&request, &rows);
    assert_eq!(resolution.matched_on, request[..2]);
}

#[test]
fn an_issuer_keeps_ids_apart() {
    let mut other_bot = telegram(Proven);
    other_bot.issuer = "bot-2".to_owned();
    let resolution = resolve(&[other_bot], &[known("a", telegram(Proven))]);
    assert_eq!(told(&resolution), "new +telegram:p");
}

#[test]
fn reasons_read_well() {
    let resolution = resolve(&[email(Claimed)], &[known("a", email(Proven))]);
    assert_eq!(
        resolution.suggestions[0].reason.to_string(),
        "The same email anna@example.com: only claimed here, verified of the other contact"
    );
}

#[test]
fn suggestions_are_few() {
    let rows: Vec<_> = (0..50)
        .map(|n| known(&format!("c{n:02}"), email(Claimed)))
        .collect();
    assert_eq!(resolve(&[email(Claimed)], &rows).suggestions.len(), 10);
}

/// The directory that the decision is about, as naively as possible.
#[derive(Clone, Debug, Default)]
struct Directory {
    rows: Vec<Known>,
    made: usize,
}

impl Directory {
    fn known(&self, request: &[Identity]) -> Vec<Known> {
        let keys: Vec<_> = request.iter().map(Identity::key).collect();
        let has_key = |row: &&Known| keys.contains(&row.identity.key());
        let owners = self.rows.iter().filter(has_key);
        let owners = owners.filter(|row| row.identity.trust > Claimed);
        let owners: BTreeSet<_> = owners.map(|row| &row.contact).collect();
        let is_account = |row: &&Known| {
            let Identity { kind, trust, .. } = &row.identity;
            kind == "user" && *trust > Claimed && owners.contains(&row.contact)
        };
        let rows = self.rows.iter();
        rows.filter(|row| has_key(row) || is_account(row))
            .cloned()
            .collect()
    }

    fn accounts(&self, contact: &ContactId) -> BTreeSet<&str> {
        let rows = self.rows.iter().filter(|row| row.contact == *contact);
        let identities = rows.map(|row| &row.identity);
        let accounts = identities.filter(|own| own.kind == "user" && own.trust > Claimed);
        accounts.map(|own| own.value.as_str()).collect()
    }

    fn resolve(&self, request: &[Identity]) -> Resolution {
        resolve(request, &self.known(request))
    }

    fn apply(&mut self, resolution: &Resolution) -> ContactId {
        let contact = match &resolution.contact {
            Outcome::Match(contact) => contact.clone(),
            Outcome::Create => {
                self.made += 1;
                ContactId::new(format!("c{}", self.made))
            }
        };
        self.rows.retain(|row| {
            let row = (row.identity.key(), row.contact.clone());
            !resolution.take.contains(&row)
        });
        for row in &mut self.rows {
            if resolution.merge.contains(&row.contact) {
                row.contact = contact.clone();
            }
        }
        let linked = resolution.link.iter().cloned();
        self.rows.extend(linked.map(|identity| Known {
            identity,
            contact: contact.clone(),
        }));
        // The best row of a contact's key replaces its others.
        self.rows
            .sort_by_key(|row| (row.identity.key(), Reverse(row.identity.trust)));
        let mut seen = BTreeSet::new();
        self.rows
            .retain(|row| seen.insert((row.identity.key(), row.contact.clone())));
        contact
    }

    fn owner(&self, identity: &Identity) -> Option<ContactId> {
        let mut owners = self
            .rows
            .iter()
            .filter(|row| row.identity.key() == identity.key() && row.identity.trust > Claimed);
        let owner = owners.next().map(|row| row.contact.clone());
        assert!(owners.next().is_none(), "two owners of {identity:?}");
        owner
    }
}

#[test]
fn a_claimed_address_never_joins_its_owner() {
    let mut directory = Directory::default();
    let victim = directory.apply(&directory.resolve(&[email(Proven)]));
    let forms = [
        vec![email(Claimed)],
        vec![identity("visitor", "attacker", Proven), email(Claimed)],
        vec![email(Claimed), identity("visitor", "attacker", Proven)],
    ];
    for form in forms {
        let resolution = directory.resolve(&form);
        assert_ne!(resolution.contact, Outcome::Match(victim.clone()));
        assert_ne!(directory.apply(&resolution), victim);
        assert_eq!(directory.owner(&email(Claimed)), Some(victim.clone()));
    }
}

#[test]
fn a_claim_does_not_keep_the_owner_out() {
    let mut directory = Directory::default();
    let squatter = [identity("visitor", "squatter", Proven), email(Claimed)];
    let squatting = directory.apply(&directory.resolve(&squatter));
    let resolution = directory.resolve(&[email(Proven)]);
    assert_eq!(resolution.suggestions[0].contact, squatting);
    let owning = directory.apply(&resolution);
    assert_ne!(owning, squatting);
    assert_eq!(directory.owner(&email(Proven)), Some(owning));
    // The squatter's own conversation goes on as before.
    assert_eq!(
        directory.resolve(&squatter).contact,
        Outcome::Match(squatting)
    );
}

#[test]
fn a_forged_number_never_merges() {
    let mut directory = Directory::default();
    let victim = directory.apply(&directory.resolve(&[phone(Proven), email(Proven)]));
    let attacker = directory.apply(&directory.resolve(&[telegram(Proven)]));
    let forged = directory.resolve(&[telegram(Proven), phone(Asserted), email(Asserted)]);
    assert_eq!(forged.merge, []);
    assert_eq!(directory.apply(&forged), attacker);
    assert_eq!(directory.owner(&phone(Asserted)), Some(victim));
}

fn requests() -> impl Strategy<Value = Vec<Identity>> {
    let kinds = prop::sample::select(vec!["email", "phone", "user", "visitor"]);
    let trusts = prop::sample::select(vec![Claimed, Asserted, Proven]);
    let one =
        (kinds, "[123]", trusts).prop_map(|(kind, value, trust)| identity(kind, &value, trust));
    prop::collection::vec(one, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_directory_stays_sound(
        history in prop::collection::vec(requests(), 1..12),
        seed in any::<u64>(),
    ) {
        let mut directory = Directory::default();
        for request in history {
            let mut shuffled = directory.known(&request);
            let resolution = directory.resolve(&request);
            shuffled.sort_by_key(|row| {
                let mut hasher = DefaultHasher::new();
                (seed, &row.contact, &row.identity).hash(&mut hasher);
                hasher.finish()
            });
            prop_assert_eq!(&resolve(&request, &shuffled), &resolution);

            let trusted = request.iter().filter(|identity| identity.trust > Claimed);
            let proven: BTreeSet<_> = request
                .iter()
                .filter(|identity| identity.trust == Proven)
                .map(Identity::key)
                .collect();
            if trusted.clone().count() == 0 {
                prop_assert_eq!(&resolution.contact, &Outcome::Create);
            }
            if !resolution.merge.is_empty() {
                prop_assert!(proven.len() > resolution.merge.len());
                let stored = directory.known(&request);
                let stored = stored.iter().filter(|row| row.identity.trust == Proven);
                let stored: BTreeSet<_> = stored
                    .filter(|row| proven.contains(&row.identity.key()))
                    .map(|row| row.contact.clone())
                    .collect();
                prop_assert!(stored.len() > resolution.merge.len());
            }

            let before = directory.clone();
            let contact = directory.apply(&resolution);
            for row in &before.rows {
                let owner = before.owner(&row.identity);
                let moved = owner.as_ref().is_some_and(|owner| resolution.merge.contains(owner));
                let expect = if moved { Some(contact.clone()) } else { owner };
                let taken = resolution
                    .take
                    .iter()
                    .find(|(key, _)| *key == row.identity.key());
                let expect = if let Some((_, loser)) = taken {
                    // A browser follows a proven user, from another one only.
                    prop_assert_eq!(&row.identity.kind, "visitor");
                    prop_assert_eq!(before.owner(&row.identity), Some(loser.clone()));
                    let theirs = before.accounts(loser);
                    prop_assert!(!theirs.is_empty());
                    let named = request.iter().any(|asked| {
                        asked.kind == "user"
                            && asked.trust == Proven
                            && !theirs.contains(asked.value.as_str())
                    });
                    prop_assert!(named);
                    Some(contact.clone())
                } else {
                    expect
                };
                // Nobody loses what they own but so and by a merge.
                prop_assert!(expect.is_none() || directory.owner(&row.identity) == expect);
            }
            // Nobody is two users of one site, nor another user than the request's.
            for row in &directory.rows {
                prop_assert!(directory.accounts(&row.contact).len() <= 1);
            }
            let mut asked = request.iter().filter(|asked| asked.kind == "user");
            if asked.clone().any(|asked| asked.trust > Claimed) {
                let accounts = directory.accounts(&contact);
                prop_assert!(accounts.iter().all(|own| asked.any(|asked| asked.value == *own)));
            }
            if trusted.count() > 0 {
                let again = directory.resolve(&request);
                prop_assert_eq!(again.contact, Outcome::Match(contact));
                prop_assert_eq!(again.link, vec![]);
                prop_assert_eq!(again.merge, vec![]);
            }
        }
    }
}
