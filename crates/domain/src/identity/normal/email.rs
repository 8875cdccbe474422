use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{InvalidIdentity, VALUE_CHARS_MAX};
use crate::text;

/// The address with an ASCII lower-case domain; the local part is the provider's
/// to interpret and stays.
pub(super) fn normal(raw: &str) -> Result<String, InvalidIdentity> {
    let (local, domain) = raw.trim().rsplit_once('@').ok_or(InvalidIdentity::Email)?;
    if !is_local(local) || domain.is_empty() {
        return Err(InvalidIdentity::Email);
    }
    let domain = ascii_domain(domain).ok_or(InvalidIdentity::Domain)?;
    let address = format!("{local}@{domain}");
    if address.chars().nth(VALUE_CHARS_MAX).is_some() {
        return Err(InvalidIdentity::TooLong);
    }
    Ok(address)
}

/// Quotes are allowed around what would be a name without them: some providers
/// gave out names with two dots in a row.
fn is_local(local: &str) -> bool {
    let bare = unquoted(local);
    let special =
        |c: char| c.is_whitespace() || text::is_unsafe(c) || r#"()<>[]:;@\,""#.contains(c);
    !bare.is_empty() && !bare.chars().any(special)
}

fn unquoted(local: &str) -> &str {
    let inner = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(local)
}

fn ascii_domain(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(Cow::into_owned)
}

/// The local part in lower case and without its plus tag. A tag that is the whole
/// name stays: all such names would be one.
pub(super) fn matched(value: &str) -> String {
    let Some((local, domain)) = value.rsplit_once('@') else {
        return value.to_lowercase();
    };
    let local = unquoted(local);
    let name = match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        Some(_) | None => local,
    };
    let name: String = name.chars().flat_map(lower).collect();
    format!("{name}@{domain}")
}

/// A character in lower case; one that is not ASCII never becomes one that is: the sign of
/// the kelvin is no `k`.
fn lower(c: char) -> impl Iterator<Item = char> {
    let deceives = !c.is_ascii() && c.to_lowercase().any(|c| c.is_ascii_alphabetic());
    let kept = deceives.then_some(c);
    let lower = (!deceives).then(|| c.to_lowercase());
    kept.into_iter().chain(lower.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::matched;

    #[test]
    fn capitals_and_tags_make_no_other_address() {
        for (written, expect) in [
            ("Kira+shop@client.example", "kira@client.example"),
            ("ИВАН@client.example", "иван@client.example"),
            ("+tag@client.example", "+tag@client.example"),
        ] {
            assert_eq!(matched(written), expect);
        }
    }

    #[test]
    fn a_look_alike_is_another_address() {
        for like in ["\u{212a}ira", "k\u{131}ra", "k\u{130}ra", "\u{ff4b}ira"] {
            let address = format!("{like}@client.example");
            assert_ne!(matched(&address), "kira@client.example", "{like}");
        }
    }
}
