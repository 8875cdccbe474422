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

/// What an answer to a letter is about.
pub fn answer_subject(subject: &str) -> String {
    const ANSWERS: [&str; 7] = ["re", "aw", "sv", "antw", "ответ", "отв", "на"];
    let beginning = subject.split(':').next().unwrap_or_default();
    let word = beginning
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^'))
        .trim()
        .to_lowercase();
    if subject.contains(':') && ANSWERS.contains(&word.as_str()) {
        subject.to_owned()
    } else {
        format!("Re: {subject}").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_so_once() {
        for (subject, answer) in [
            ("Доставка", "Re: Доставка"),
            ("Re: Доставка", "Re: Доставка"),
            ("RE[2]: a", "RE[2]: a"),
            ("Ответ: b", "Ответ: b"),
            ("Regarding: c", "Re: Regarding: c"),
            ("re", "Re: re"),
            ("", "Re:"),
        ] {
            assert_eq!(answer_subject(subject), answer);
        }
    }
}
