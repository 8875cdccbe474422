//! What a letter has beside its words: who wrote it to whom, about what, and how far
//! that can be believed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A letter's envelope, as it is shown. Of ours, `from` is the line's own and empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The name the letter gives itself; anybody can give any. Empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message_id: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Who says to have written it.
    #[serde(default, skip_serializing_if = "Address::is_empty")]
    pub from: Address,
    /// Whom it is written to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Address>,
    /// Who gets a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Address>,
    /// Where answers are asked to go, when not to `from`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<Address>,
    /// The words without what is quoted and without the signature, when that is less
    /// than all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    /// Why no person wrote it, when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<Automatic>,
    /// What the reader is to know before believing it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub warnings: BTreeSet<Warning>,
}

/// Somebody's address in a letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// The name beside it, made safe; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `local@domain`.
    pub address: String,
}

impl Address {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.address.is_empty()
    }
}

/// Why a letter was written by no person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automatic {
    /// It answers by itself: somebody is away.
    Reply,
    /// A program sent it, such as a notice of an order.
    Notice,
    /// It goes to many.
    List,
    /// It tells that another letter was or was not delivered.
    Report,
    /// Somebody called a letter of ours unwanted.
    Complaint,
}

/// What the reader of a letter is to know before believing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Nobody whom we trust vouches for the sender's address.
    Unverified,
    /// A server whom we trust says that the sender's address is forged.
    Forged,
    /// Answers are asked to go elsewhere than to the sender.
    ReplyElsewhere,
    /// The sender took no part in this thread before.
    Stranger,
    /// The address or name has letters of several scripts that look alike, or shows an
    /// address that is not the sender's.
    LookAlike,
    /// Characters that are not seen were left out.
    Invisible,
    /// It names several senders.
    SeveralSenders,
    /// It is not built as letters are; something of it may be missing.
    Broken,
    /// Only its beginning could be taken.
    Cut,
    /// It is enciphered: the words are in the attached part.
    Enciphered,
}

/// Said before a subject in an answer, in the words of other people's programs.
const MARKS: [&str; 14] = [
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "antwort",
    "odp",
    "res",
    "rif",
    "ynt",
    "ref",
    "отв",
    "ответ",
    "на",
];

/// What an answer is about: the subject with one `Re:` before it, however often it was
/// answered already.
pub fn answer_subject(subject: &str) -> String {
    let mut bare = subject.trim_start();
    while let Some(rest) = without_mark(bare) {
        bare = rest.trim_start();
    }
    format!("Re: {bare}").trim_end().to_owned()
}

/// `Re:`, `RE :`, `Re[2]:`, `Re(2):`, `Re^2:` and the like.
fn without_mark(subject: &str) -> Option<&str> {
    let end = subject.find(|c: char| !c.is_alphabetic())?;
    let (mark, rest) = subject.split_at(end);
    let mark = mark.to_lowercase();
    if !MARKS.contains(&mark.as_str()) {
        return None;
    }
    let counts = |c: char| c.is_ascii_digit() || "[](){}^* ".contains(c);
    let rest = rest.trim_start_matches(counts);
    rest.strip_prefix([':', '：'])
}

#[cfg(test)]
mod tests {
    use super::answer_subject;

    #[test]
    fn one_mark_is_enough() {
        for (before, after) in [
            ("Order 7", "Re: Order 7"),
            ("Re: Order 7", "Re: Order 7"),
            ("RE[2]: Re: Order 7", "Re: Order 7"),
            ("Re(3): RE : order", "Re: order"),
            ("Ответ: Re: Заказ", "Re: Заказ"),
            ("HA: Заказ", "Re: HA: Заказ"),
            ("НА: Заказ", "Re: Заказ"),
            ("Re：注文", "Re: 注文"),
            ("Fwd: Re: Order", "Re: Fwd: Re: Order"),
            ("Return: my order", "Re: Return: my order"),
            ("Re order", "Re: Re order"),
            ("2024: a year", "Re: 2024: a year"),
            ("Re:", "Re:"),
            ("", "Re:"),
        ] {
            assert_eq!(answer_subject(before), after, "{before}");
        }
    }
}
