//! Who is found by what.

use futures::future::try_join_all;
use proto::contacts::v1 as pb;

use super::desk::{Desk, apart, known, same, written};
use super::{Found, Row, wrong};

/// More than a directory has workers, fewer than anybody's limit.
const CALLS: usize = 32;

pub(super) const CASES: &[Row] = &[
    (
        "an unknown identity",
        "CREATED, with the identity",
        false,
        |desk| Box::pin(creates(desk)),
    ),
    (
        "a known identity",
        "MATCHED, the same contact, matched_on",
        false,
        |desk| Box::pin(matches(desk)),
    ),
    (
        "another issuer",
        "another contact: the same value of another bot is another person",
        false,
        |desk| Box::pin(issuers(desk)),
    ),
    (
        "a new identity of a known contact",
        "it is added, the version rises",
        false,
        |desk| Box::pin(adds(desk)),
    ),
    ("a profile", "what was empty is filled", false, |desk| {
        Box::pin(fills(desk))
    }),
    (
        "phone numbers",
        "8 916 … and 916 … in RU are +7 916 …, shown as E.164",
        false,
        |desk| Box::pin(phones(desk)),
    ),
    (
        "e-mail addresses",
        "the domain's case and the plus tag do not matter, the tag is kept",
        false,
        |desk| Box::pin(emails(desk)),
    ),
    ("other values", "verbatim: case matters", false, |desk| {
        Box::pin(verbatim(desk))
    }),
    (
        "32 calls at once with one new identity",
        "one contact, CREATED once",
        false,
        |desk| Box::pin(concurrent(desk)),
    ),
];

async fn creates(desk: Desk) -> Found {
    let asked = desk.id("telegram");
    let made = desk.resolve(std::slice::from_ref(&asked)).await?;
    if made.answer.outcome() != pb::Outcome::Created {
        return wrong(format!("{:?}", made.answer.outcome()));
    }
    if made.contact.provisional {
        return wrong("a provisional contact: only the gateway makes those");
    }
    if !made.contact.identities.contains(&asked) {
        return wrong("a contact without the identity");
    }
    let read = desk.get(&made.contact.id).await?;
    same("created and read", &made.contact.id, &read.id)?;
    Ok(format!("CREATED, contact {}", made.contact.id))
}

async fn matches(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    let made = desk.who(&asked).await?;
    let found = desk.resolve(&asked).await?;
    same("asked twice", &made, &found.contact.id)?;
    if found.answer.outcome() != pb::Outcome::Matched {
        return wrong(format!("{:?}", found.answer.outcome()));
    }
    if found.answer.matched_on != asked {
        return wrong("matched_on does not tell the identity that decided");
    }
    let asserted = known(&asked[0], pb::Trust::Asserted);
    same("asserted", &made, &desk.who(&[asserted]).await?)?;
    Ok("MATCHED, proven and asserted".to_owned())
}

async fn issuers(desk: Desk) -> Found {
    let first = desk.id("telegram");
    let other = pb::Identity {
        issuer: desk.word(),
        ..first.clone()
    };
    let (first, other) = (desk.who(&[first]).await?, desk.who(&[other]).await?);
    apart("two issuers", &first, &other)?;
    Ok("two contacts".to_owned())
}

async fn adds(desk: Desk) -> Found {
    let (first, second) = (desk.id("telegram"), desk.id("vk"));
    let before = desk.resolve(std::slice::from_ref(&first)).await?.contact;
    let after = desk.resolve(&[first, second.clone()]).await?.contact;
    same("before and after", &before.id, &after.id)?;
    same("by the new one", &before.id, &desk.who(&[second]).await?)?;
    if after.version <= before.version {
        return wrong(format!("versions {} and {}", before.version, after.version));
    }
    Ok(format!("versions {} and {}", before.version, after.version))
}

async fn fills(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    desk.who(&asked).await?;
    let mut request = Desk::request(&asked);
    request.profile = Some(pb::Profile {
        display_name: "Conformance".to_owned(),
        locale: "ru".to_owned(),
        ..pb::Profile::default()
    });
    let filled = desk.ask(request).await?.contact.profile.unwrap_or_default();
    if filled.display_name != "Conformance" || filled.locale != "ru" {
        let (name, locale) = (filled.display_name, filled.locale);
        return wrong(format!("the name {name:?} and the locale {locale:?}"));
    }
    Ok("name and locale".to_owned())
}

async fn phones(desk: Desk) -> Found {
    let mut asked = desk.phone();
    let digits = desk.digits();
    let (code, rest) = digits.split_at(3);
    asked.value = format!("+7{digits}");
    let made = desk.resolve(std::slice::from_ref(&asked)).await?.contact;
    let mut shown = made.identities.iter();
    let Some(shown) = shown.find(|identity| identity.kind == "phone") else {
        return wrong("a contact without the phone");
    };
    if shown.value != asked.value {
        return wrong(format!("{} shown as {}", asked.value, shown.value));
    }
    let forms = [
        format!("8{digits}"),
        format!("8 ({code}) {rest}"),
        format!("+7 {code} {rest}"),
        digits.clone(),
        format!("tel:+7{digits}"),
    ];
    for form in &forms {
        let found = desk.who(&[written(&asked, form)]).await?;
        same(form, &made.id, &found)?;
    }
    Ok(format!("{} forms, one contact", forms.len() + 1))
}

async fn emails(desk: Desk) -> Found {
    let word = desk.word();
    let mut asked = desk.email();
    asked.value = format!("{word}+shop@Conformance.EXAMPLE");
    let made = desk.resolve(std::slice::from_ref(&asked)).await?.contact;
    let mut shown = made.identities.iter();
    let Some(shown) = shown.find(|identity| identity.kind == "email") else {
        return wrong("a contact without the e-mail");
    };
    if shown.value != format!("{word}+shop@conformance.example") {
        return wrong(format!("{} shown as {}", asked.value, shown.value));
    }
    for form in [
        format!("{word}@conformance.example"),
        format!("{word}+other@conformance.example"),
        format!("{word}@CONFORMANCE.example"),
    ] {
        let found = desk.who(&[written(&asked, &form)]).await?;
        same(&form, &made.id, &found)?;
    }
    Ok("four forms, one contact".to_owned())
}

async fn verbatim(desk: Desk) -> Found {
    let asked = desk.id("telegram");
    let upper = written(&asked, &asked.value.to_uppercase());
    let (lower, upper) = (desk.who(&[asked]).await?, desk.who(&[upper]).await?);
    apart("two cases", &lower, &upper)?;
    Ok("two contacts".to_owned())
}

async fn concurrent(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    let calls = (0..CALLS).map(|_| desk.resolve(&asked));
    let answers = try_join_all(calls).await?;
    let created = answers
        .iter()
        .filter(|found| found.answer.outcome() == pb::Outcome::Created);
    let created = created.count();
    let mut ids: Vec<_> = answers.iter().map(|found| &found.contact.id).collect();
    ids.sort();
    ids.dedup();
    if ids.len() != 1 || created != 1 {
        return wrong(format!("{} contacts, CREATED {created} times", ids.len()));
    }
    Ok("one contact, CREATED once".to_owned())
}
