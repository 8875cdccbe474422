//! Who becomes one with whom, and who must not.

use proto::contacts::v1 as pb;

use super::desk::{Desk, apart, known, same};
use super::{Found, Row, wrong};

pub(super) const CASES: &[Row] = &[
    (
        "a claimed address",
        "another contact, and a suggestion of its owner",
        false,
        |desk| Box::pin(claimed(desk)),
    ),
    (
        "a claim before its owner",
        "the owner is another contact than who claimed the address",
        false,
        |desk| Box::pin(squatted(desk)),
    ),
    (
        "an asserted identity of another contact",
        "two contacts stay two",
        false,
        |desk| Box::pin(asserted(desk)),
    ),
    (
        "a proven identity of another contact",
        "the two become one, merged_contact_ids tells it",
        false,
        |desk| Box::pin(proven(desk)),
    ),
    (
        "a merged id",
        "GetContact answers with the contact that stayed",
        false,
        |desk| Box::pin(redirects(desk)),
    ),
    (
        "the first sign-in at a browser",
        "the visitor's contact is the user's",
        false,
        |desk| Box::pin(signs_in(desk)),
    ),
    (
        "another user at the same browser",
        "another contact; the browser is no longer the first user's",
        false,
        |desk| Box::pin(second_user(desk)),
    ),
    (
        "a proven address that two users share",
        "two users of one site stay two contacts",
        false,
        |desk| Box::pin(shared(desk)),
    ),
];

async fn claimed(desk: Desk) -> Found {
    let email = desk.email();
    let owner = desk.who(std::slice::from_ref(&email)).await?;
    let claim = known(&email, pb::Trust::Claimed);
    let alone = desk.resolve(std::slice::from_ref(&claim)).await?;
    apart("a claim alone", &owner, &alone.contact.id)?;
    let form = desk.resolve(&[desk.id("visitor"), claim]).await?;
    apart("a claim beside a visitor", &owner, &form.contact.id)?;
    let mut suggested = form.answer.suggestions.iter();
    match suggested.find(|suggestion| suggestion.contact_id == owner) {
        Some(suggestion) if (0.0..=1.0).contains(&suggestion.confidence) => {
            Ok(format!("a suggestion: {}", suggestion.reason))
        }
        Some(suggestion) => wrong(format!("a confidence of {}", suggestion.confidence)),
        None => wrong("another contact, but no suggestion"),
    }
}

async fn squatted(desk: Desk) -> Found {
    let email = desk.email();
    let claim = known(&email, pb::Trust::Claimed);
    let squatter = desk.who(&[desk.id("visitor"), claim]).await?;
    let owner = desk.who(&[email]).await?;
    apart("claimed and then proven", &squatter, &owner)?;
    Ok("two contacts".to_owned())
}

async fn asserted(desk: Desk) -> Found {
    let (phone, telegram) = (desk.phone(), desk.id("telegram"));
    let victim = desk.who(std::slice::from_ref(&phone)).await?;
    let caller = desk.who(std::slice::from_ref(&telegram)).await?;
    let forged = [telegram, known(&phone, pb::Trust::Asserted)];
    let found = desk.resolve(&forged).await?;
    same("the stronger identity's", &caller, &found.contact.id)?;
    if !found.answer.merged_contact_ids.is_empty() {
        return wrong("merged_contact_ids is not empty");
    }
    let still = desk.get(&victim).await?.id;
    same("the other contact", &victim, &still)?;
    Ok("two contacts".to_owned())
}

/// Two contacts made one: the kept id and the merged one.
async fn joined(desk: &Desk) -> Result<(String, String), super::Miss> {
    let (telegram, phone) = (desk.id("telegram"), desk.phone());
    let first = desk.who(std::slice::from_ref(&telegram)).await?;
    let second = desk.who(std::slice::from_ref(&phone)).await?;
    apart("two people", &first, &second)?;
    let one = desk.resolve(&[telegram.clone(), phone.clone()]).await?;
    let kept = one.contact.id;
    let merged = if kept == first { second } else { first };
    if one.answer.merged_contact_ids != [merged.clone()] {
        let told = one.answer.merged_contact_ids;
        return wrong(format!("merged_contact_ids {told:?}, not {merged}"));
    }
    same("by the phone", &kept, &desk.who(&[phone]).await?)?;
    same("by the id", &kept, &desk.who(&[telegram]).await?)?;
    Ok((kept, merged))
}

async fn proven(desk: Desk) -> Found {
    let (kept, merged) = joined(&desk).await?;
    Ok(format!("{merged} became part of {kept}"))
}

async fn redirects(desk: Desk) -> Found {
    let (kept, merged) = joined(&desk).await?;
    let read = desk.get(&merged).await?;
    same("the merged id", &kept, &read.id)?;
    if read.identities.len() < 2 {
        return wrong("a contact without the other's identities");
    }
    Ok(format!("{merged} answers {kept}"))
}

async fn signs_in(desk: Desk) -> Found {
    let (browser, user) = (desk.id("visitor"), desk.id("user"));
    let before = desk.who(std::slice::from_ref(&browser)).await?;
    let after = desk.who(&[browser.clone(), user]).await?;
    let read = desk.get(&before).await?.id;
    same("the visitor's contact", &after, &read)?;
    same("the browser's", &after, &desk.who(&[browser]).await?)?;
    Ok("one contact".to_owned())
}

async fn second_user(desk: Desk) -> Found {
    let (browser, user, other) = (desk.id("visitor"), desk.id("user"), desk.id("user"));
    let first = desk.who(&[browser.clone(), user.clone()]).await?;
    let second = desk.who(&[browser.clone(), other]).await?;
    apart("two users", &first, &second)?;
    let anonymous = desk.who(std::slice::from_ref(&browser)).await?;
    apart("unsigned after the second user", &first, &anonymous)?;
    let back = desk.who(&[browser, user]).await?;
    same("the first user again", &first, &back)?;
    let (first_read, second_read) = (desk.get(&first).await?.id, desk.get(&second).await?.id);
    apart("read again", &first_read, &second_read)?;
    Ok("two contacts".to_owned())
}

async fn shared(desk: Desk) -> Found {
    let (email, user, other) = (desk.email(), desk.id("user"), desk.id("user"));
    let first = desk.who(&[user, email.clone()]).await?;
    let second = desk.who(&[other, email]).await?;
    apart("two users, one address", &first, &second)?;
    same("the first", &first, &desk.get(&first).await?.id)?;
    Ok("two contacts".to_owned())
}
