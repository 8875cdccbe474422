use proptest::prelude::*;

use super::*;

fn identity(value: &str, trust: Trust) -> Identity {
    Identity {
        kind: "vk".to_owned(),
        issuer: "app".to_owned(),
        value: value.to_owned(),
        trust,
    }
}

fn person(contact: &str, name: &str, identities: &[Identity]) -> Person {
    Person {
        contact: contact.into(),
        profile: Profile {
            display_name: name.to_owned(),
            ..Profile::default()
        },
        identities: identities.to_vec(),
    }
}

fn joined(kept: &Person, merged: &Person) -> (Person, MergeRecord) {
    merge(kept, merged, Timestamp(1), "test".to_owned())
}

#[test]
fn rows_move_and_return() {
    let kept = person("a", "", &[identity("1", Trust::Proven)]);
    let merged = person("b", "Anna", &[identity("2", Trust::Asserted)]);
    let (one, record) = joined(&kept, &merged);
    assert_eq!(one.profile.display_name, "Anna");
    assert_eq!(
        one.identities,
        [identity("1", Trust::Proven), identity("2", Trust::Asserted)]
    );
    let undone = undo(&record, &one).expect("the last merge");
    assert_eq!((undone.kept, undone.restored), (kept, merged));
}

#[test]
fn what_happened_since_is_respected() {
    let kept = person("a", "", &[identity("1", Trust::Proven)]);
    let both = [
        identity("2", Trust::Asserted),
        identity("3", Trust::Asserted),
    ];
    let merged = person("b", "Anna", &both);
    let (_, record) = joined(&kept, &merged);
    let now = person(
        "a",
        "Anna Ivanova",
        &[
            identity("1", Trust::Proven),
            // Raised since; the third was unlinked.
            identity("2", Trust::Proven),
            identity("4", Trust::Proven),
        ],
    );
    let undone = undo(&record, &now).expect("the last merge");
    assert_eq!(undone.kept.profile.display_name, "Anna Ivanova");
    assert_eq!(
        undone.kept.identities,
        [identity("1", Trust::Proven), identity("4", Trust::Proven)]
    );
    assert_eq!(undone.restored.identities, [identity("2", Trust::Proven)]);
    assert_eq!(undone.restored.profile.display_name, "Anna");
}

#[test]
fn a_later_merge_comes_back_first() {
    let (a, b, c) = (
        person("a", "", &[]),
        person("b", "", &[]),
        person("c", "", &[]),
    );
    let (one, first) = joined(&a, &b);
    let (all, second) = joined(&c, &one);
    assert_eq!(undo(&first, &all), Err(CannotUndo::MergedSince));
    let undone = undo(&second, &all).expect("the last merge");
    assert!(undo(&first, &undone.restored).is_ok());
}

#[test]
fn record_survives_storing() {
    let kept = person("a", "Anna", &[identity("1", Trust::Proven)]);
    let merged = person("b", "", &[identity("1", Trust::Claimed)]);
    let (_, record) = joined(&kept, &merged);
    let stored = serde_json::to_string(&record).expect("serializable");
    assert_eq!(
        serde_json::from_str::<MergeRecord>(&stored).ok(),
        Some(record)
    );
}

const TRUSTS: [Trust; 3] = [Trust::Claimed, Trust::Asserted, Trust::Proven];

/// Rows of two contacts over five keys, at most one owner each.
fn rows() -> impl Strategy<Value = (Vec<Identity>, Vec<Identity>)> {
    prop::collection::vec((0_usize..4, 0_usize..4), 5).prop_map(|keys| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (value, (mine, theirs)) in keys.into_iter().enumerate() {
            let value = value.to_string();
            if let Some(trust) = TRUSTS.get(mine) {
                left.push(identity(&value, *trust));
            }
            if let Some(trust) = TRUSTS.get(theirs) {
                let trust = if mine == 1 || mine == 2 {
                    Trust::Claimed
                } else {
                    *trust
                };
                right.push(identity(&value, trust));
            }
        }
        (left, right)
    })
}

fn profiles() -> impl Strategy<Value = Profile> {
    (
        "[AB]?",
        prop::option::of("[ab]?"),
        prop::collection::btree_map("[a-d]", "[xy]?", 0..4),
    )
        .prop_map(|(display_name, locale, attributes)| Profile {
            display_name,
            avatar_url: locale.clone(),
            locale,
            attributes,
        })
}

proptest! {
    #[test]
    fn merge_then_undo_changes_nothing(
        (left, right) in rows(),
        mine in profiles(),
        theirs in profiles(),
    ) {
        let mut kept = person("a", "", &left);
        kept.profile = mine;
        let mut merged = person("b", "", &right);
        merged.profile = theirs;
        let (one, record) = joined(&kept, &merged);
        prop_assert_eq!(by_key(&one.identities).len(), one.identities.len());
        let mut undone = undo(&record, &one).expect("the last merge");
        undone.kept.identities.sort_by(|a, b| a.value.cmp(&b.value));
        undone.restored.identities.sort_by(|a, b| a.value.cmp(&b.value));
        prop_assert_eq!(undone.kept, kept);
        prop_assert_eq!(undone.restored, merged);
    }
}
