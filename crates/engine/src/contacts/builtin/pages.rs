//! Lists of contacts, a page at a time.

use domain::Timestamp;
use proto::contacts::v1 as pb;
use store::{DirectoryContact, View};

use super::failure::Failure;
use super::shown;

const PAGE_DEFAULT: i32 = 50;
const PAGE_MAX: i32 = 200;

pub(super) fn list(
    view: &View<'_>,
    request: &pb::ListContactsRequest,
) -> Result<pb::ListContactsResponse, Failure> {
    let limit = size(request.page_size)?;
    let before = token(&request.page_token, |token| {
        let (at, id) = token.split_once('-')?;
        Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
    })?;
    let mut found = view.directory_contacts(before, limit + 1)?;
    let next_page_token = next(&mut found, limit, |last| {
        format!("{}-{}", last.updated_at, last.id)
    });
    Ok(pb::ListContactsResponse {
        contacts: all_shown(view, &found)?,
        next_page_token,
    })
}

pub(super) fn search(
    view: &View<'_>,
    request: &pb::SearchContactsRequest,
) -> Result<pb::SearchContactsResponse, Failure> {
    let limit = size(request.page_size)?;
    let query = domain::text::line(&request.query, 200);
    if query.chars().count() < 2 {
        return Err(Failure::Invalid(
            "query: give at least two characters".to_owned(),
        ));
    }
    let before = token(&request.page_token, |token| token.parse().ok())?;
    let mut found = view.find_contacts(&query, before.unwrap_or(i64::MAX), limit + 1)?;
    let next_page_token = next(&mut found, limit, |last| last.id.to_string());
    Ok(pb::SearchContactsResponse {
        contacts: all_shown(view, &found)?,
        next_page_token,
    })
}

fn all_shown(view: &View<'_>, found: &[DirectoryContact]) -> Result<Vec<pb::Contact>, Failure> {
    found.iter().map(|contact| shown(view, contact)).collect()
}

fn size(asked: i32) -> Result<i64, Failure> {
    match asked {
        0 => Ok(i64::from(PAGE_DEFAULT)),
        1..=PAGE_MAX => Ok(i64::from(asked)),
        _ => Err(Failure::Invalid(format!(
            "page_size: give 1 to {PAGE_MAX}, or 0 for {PAGE_DEFAULT}"
        ))),
    }
}

fn token<T>(token: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    if token.is_empty() {
        return Ok(None);
    }
    let wrong = || Failure::Invalid("page_token: not one of this list's".to_owned());
    read(token).map(Some).ok_or_else(wrong)
}

fn next<T>(found: &mut Vec<T>, limit: i64, token: impl Fn(&T) -> String) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() <= limit {
        return String::new();
    }
    found.truncate(limit);
    found.last().map(token).unwrap_or_default()
}
