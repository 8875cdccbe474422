use phonenumber::country;
use phonenumber::metadata::{DATABASE, Descriptor, Descriptors};

use super::InvalidIdentity;

/// The longest number with its punctuation. The phone library has panicked on
/// long and odd input before, so it sees no more than this, and only digits.
const PHONE_CHARS_MAX: usize = 40;
const E164_DIGITS_MAX: usize = 15;
const COUNTRY_CODE_DIGITS_MAX: usize = 3;

/// The E.164 form of a number as people and machines write it.
pub(super) fn normal(raw: &str, region: &str) -> Result<String, InvalidIdentity> {
    if raw.chars().nth(PHONE_CHARS_MAX).is_some() {
        return Err(InvalidIdentity::Phone);
    }
    let dialled = dialled(raw).ok_or(InvalidIdentity::Phone)?;
    let number = match dialled.strip_prefix('+') {
        Some(digits) => international(digits),
        None => national(&dialled, region),
    };
    number.ok_or(InvalidIdentity::Phone)
}

/// Digits, after one plus if there was one; nothing if there is anything else than
/// the punctuation of numbers.
fn dialled(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let trimmed = raw.trim();
    for c in trimmed.strip_prefix("tel:").unwrap_or(trimmed).chars() {
        match c {
            '0'..='9' => out.push(c),
            '+' | '\u{ff0b}' if out.is_empty() => out.push('+'),
            // Phones copied from other programs carry direction marks.
            '('
            | ')'
            | '-'
            | '.'
            | '/'
            | '\u{2010}'..='\u{2015}'
            | '\u{2212}'
            | '\u{ff08}'
            | '\u{ff09}'
            | '\u{ff0d}'
            | '\u{ff0e}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{ad}' => {}
            _ if c.is_whitespace() => {}
            _ => out.push(decimal(c)?),
        }
    }
    Some(out)
}

/// The ASCII digit of a full-width, Arabic or Persian one.
fn decimal(c: char) -> Option<char> {
    let zero = ['\u{ff10}', '\u{660}', '\u{6f0}']
        .into_iter()
        .find(|zero| (u32::from(*zero)..u32::from(*zero) + 10).contains(&u32::from(c)))?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// Reads what follows a plus. The exact digits win over any reading that strips a
/// national prefix, because some countries' prefix is also a first digit; the
/// result therefore reads as itself.
fn international(digits: &str) -> Option<String> {
    if is_assigned(digits) {
        return Some(format!("+{digits}"));
    }
    // "+44 (0)20 …": the library knows which prefixes do not belong there.
    library(&format!("+{digits}"), None).or_else(|| {
        // Numbering plans grow faster than the library's tables.
        is_possible(digits).then(|| format!("+{digits}"))
    })
}

/// Reads a number without a plus, as dialled in the region. Here only numbers that
/// the plan knows count: a wrong country would be somebody else's number.
fn national(digits: &str, region: &str) -> Option<String> {
    let region = region.trim().to_ascii_uppercase();
    if region == "RU"
        && digits.len() == 11
        && let Some(rest) = digits.strip_prefix('8')
        && let Some(number) = international(&format!("7{rest}"))
    {
        return Some(number);
    }
    let known = region.parse::<country::Id>().ok()?;
    let plan = DATABASE.by_id(known.as_ref())?;
    // Here too the exact digits win over stripping a prefix.
    if plans(plan.descriptors()).any(|kind| is_of(kind, digits)) {
        return Some(format!("+{}{digits}", plan.country_code()));
    }
    library(digits, Some(known)).or_else(|| {
        // Exchanges and SMS gateways write international numbers without the plus.
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        is_assigned(digits).then(|| format!("+{digits}"))
    })
}

fn library(dialled: &str, region: Option<country::Id>) -> Option<String> {
    let number = phonenumber::parse(region, dialled).ok()?;
    let digits = format!("{}{}", number.code().value(), number.national());
    is_assigned(&digits).then(|| format!("+{digits}"))
}

/// True when some region's plan has such a number.
fn is_assigned(digits: &str) -> bool {
    any_plan(digits, is_of)
}

/// True when some region's plan has numbers of this length.
fn is_possible(digits: &str) -> bool {
    any_plan(digits, has_length)
}

/// Where a plan knows no lengths, the library's own test matches beginnings.
fn is_of(plan: &Descriptor, national: &str) -> bool {
    has_length(plan, national) && plan.is_match(national)
}

fn has_length(plan: &Descriptor, national: &str) -> bool {
    u16::try_from(national.len()).is_ok_and(|len| plan.possible_length().contains(&len))
}

/// Asks the plans of every region with this country code. The library's general
/// plan of a region is left out: it knows no lengths and matches beginnings.
fn any_plan(digits: &str, accept: impl Fn(&Descriptor, &str) -> bool) -> bool {
    if digits.len() > E164_DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    (1..=COUNTRY_CODE_DIGITS_MAX).any(|len| {
        let Some((code, national)) = digits.split_at_checked(len) else {
            return false;
        };
        let code = code.parse::<u16>().ok().filter(|_| !code.starts_with('0'));
        let regions = code.and_then(|code| DATABASE.by_code(&code));
        regions
            .into_iter()
            .flatten()
            .flat_map(|region| plans(region.descriptors()))
            .any(|plan| accept(plan, national))
    })
}

pub(super) fn plans(region: &Descriptors) -> impl Iterator<Item = &Descriptor> {
    [
        region.fixed_line(),
        region.mobile(),
        region.toll_free(),
        region.premium_rate(),
        region.shared_cost(),
        region.personal_number(),
        region.voip(),
        region.pager(),
        region.uan(),
        region.voicemail(),
    ]
    .into_iter()
    .flatten()
}
