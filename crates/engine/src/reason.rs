//! Why acts are not done: a code by which programs and pages know it, what they need
//! to say it in other words, and the sentence for everybody else.

use std::collections::HashMap;

use domain::{LineId, QueueId, conversation, obligation};
use serde::Serialize;
use serde_json::Value;

/// Why an act is not done. A variant's name, in capitals, is its code, which stays; the
/// inbox has words for each in its languages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "reason", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the sentences say what each is")]
pub enum Reason {
    #[error("{problem}")]
    Malformed { problem: String },
    #[error("this client_id was used for something else: make a new one")]
    ClientIdUsed,
    #[error("only an operator can do this: use a token that acts as one")]
    OnlyOperators,

    #[error("the conversation is not yours: take it or join it first")]
    NotYours,
    #[error("the conversation has ended")]
    Ended,
    #[error("the conversation has ended: open it again to write")]
    EndedForWriting,
    #[error("the conversation is still open")]
    StillOpen,
    #[error("the conversation is not waiting")]
    NotWaiting,
    #[error("no operator has the conversation")]
    NotActive,
    #[error("the queue's time for finishing up is not over yet")]
    WrapUpFixed,
    #[error("you have no room for it: finish or put away something first")]
    NoRoom,
    #[error("give a time in the future, at most a year ahead")]
    SnoozeTime,
    #[error("the thread has an open conversation: take that one")]
    ThreadIsOpen,
    #[error("the queue wants one before the conversation ends")]
    DispositionNeeded,
    #[error("the queue knows only: {known}")]
    DispositionUnknown { known: String },
    #[error("this colleague is not Ready: choose another one or a queue")]
    ColleagueNotReady,
    #[error("this colleague cannot be reached just now: choose another one or a queue")]
    ColleagueUnreachable,
    #[error("nobody has answered this conversation yet")]
    NobodyAnswered,
    #[error("only a supervisor may ask this about somebody else")]
    AskedAboutOthers,

    #[error("the offer is no longer pending")]
    OfferEnded,
    #[error("the offer was made to another operator")]
    OfferOfAnother,
    #[error("the offer was accepted before")]
    OfferAccepted,
    #[error("the offer was declined before")]
    OfferDeclined,
    #[error("the offer timed out")]
    OfferTimedOut,
    #[error("the offer was taken back: {cause}")]
    OfferTakenBack { cause: String },
    #[error("the offer was revoked: {cause}")]
    OfferRevoked { cause: String },

    #[error("write something or attach a file")]
    Empty,
    #[error("attach at most {max} files")]
    TooManyFiles { max: usize },
    #[error("the file is larger than {bytes} bytes")]
    FileTooLarge { bytes: u64 },
    #[error("this line takes at most {max} characters")]
    TextTooLong { max: usize },
    #[error("this line does not carry letters")]
    NoLetters,
    #[error("{address} is no address")]
    NoLetterAddress { address: String },
    #[error("it would come back to this line: write to somebody else")]
    ToOurselves,
    #[error("write to at most {max} addresses at once")]
    TooManyAddresses { max: usize },
    #[error("the client has no address: say whom to write to")]
    NoOneToAnswer,
    #[error("letters to {address} come back: {cause}")]
    LettersComeBack { address: String, cause: String },
    #[error("only its author can change a message")]
    OnlyItsAuthor,
    #[error("the message was taken back")]
    TakenBack,
    #[error("the message is not sent yet: try again")]
    NotSentYet,
    #[error("the channel does not know this message")]
    UnknownToChannel,
    #[error("the line {line} is not connected any more")]
    LineGone { line: LineId },
    #[error("the line {line} is not configured: nothing can read this")]
    LineUnknown { line: LineId },
    #[error("this client cannot be reached here: {cause}")]
    ClientUnreachable { cause: String },
    #[error(
        "{channel} lets nobody write to a client who has been silent for {hours} hours: wait \
         until they write, or use another way"
    )]
    ReplyWindowClosed { channel: String, hours: i64 },
    #[error("the line has no approved template {name} in this language")]
    NoTemplate { name: String },
    #[error("say what {variable} of the template is")]
    TemplateGap { variable: String },
    #[error("files that go with this template: {count} {kind}")]
    TemplateFile { count: usize, kind: String },
    #[error("a template has its own words and buttons: send others in a message of their own")]
    TemplateAlone,
    #[error("the provider does not tell its templates: {cause}")]
    TemplatesNotTold { cause: String },
    #[error("offer at most {max} answers")]
    TooManyButtons { max: usize },
    #[error("write each answer in 1 to {max} characters, each once")]
    Button { max: usize },
    #[error("write above the buttons what they answer")]
    ButtonsAlone,
    #[error("{channel}: nobody can {what} on this channel")]
    ChannelCannot { channel: String, what: String },
    #[error("this client has no address that could be blocked")]
    NoAddress,
    #[error("name at most {max} colleagues")]
    TooManyMentions { max: usize },
    #[error("you are here for a mention: only colleagues of this conversation can let in others")]
    OnlyColleaguesLetIn,

    #[error("somebody else changed it meanwhile: open it again")]
    ChangedMeanwhile,
    #[error("there are {max} canned replies already: remove some first")]
    TooManyReplies { max: i64 },
    #[error("another canned reply has the shortcut {shortcut}: choose another one")]
    ShortcutTaken { shortcut: String },
    #[error("give 1 to {max} letters, digits or . _ -")]
    Shortcut { max: usize },
    #[error("shared canned replies are for supervisors and admins to save: make one of your own")]
    OnlySupervisorsShare,
    #[error("give at most {max} other languages")]
    TooManyVariants { max: usize },
    #[error("give a language's tag, such as ru or pt-BR, each once")]
    LanguageTag,
    #[error("give 1 to {max} characters")]
    Length { max: usize },
    #[error("give at most {max} characters")]
    TooLong { max: usize },
    #[error("there is no queue {queue}")]
    NoQueue { queue: QueueId },

    #[error("{max} promises to this client are to be done: keep or waive some first")]
    TooManyPromises { max: usize },
    #[error("this contact has no conversation: say which queue promises it")]
    PromiseWithoutQueue,
    #[error("only supervisors see every promise: ask for those of your queues")]
    OnlySupervisorsSeeAll,
    #[error("this time has passed: choose a later one")]
    TimeHasPassed,
    #[error("choose a time within a year")]
    TimeTooFar,
    #[error("a colleague promised this: take it over first")]
    PromiseOfColleague,
    #[error("say why there is no need to do it")]
    WaiveReason,
    #[error("the promise has been kept already")]
    PromiseKept,
    #[error("the promise is broken: make a new one")]
    PromiseBroken,
    #[error("the promise has been waived: make a new one")]
    PromiseWaived,
    #[error("the promise was moved too often: waive it and make a new one")]
    PromiseMovedTooOften,

    #[error("give at most {max} days, or another grouping")]
    RangeTooLong { max: i64 },
    #[error("there is too much to add up: give a shorter range")]
    TooMuchToAdd,

    #[error("this is the last admin: make another one first")]
    LastAdmin,
    #[error("give 2 to 64 letters, digits or . _ - @ +")]
    Login,
    #[error("there is an operator with the login {login}")]
    LoginTaken { login: String },
    #[error("write 1 to {max} characters and no comma, such as billing or lang:ru")]
    Skill { max: usize },
    #[error("give at most {max}")]
    TooManySkills { max: usize },
    #[error("give at least {min} characters and at most {max} bytes")]
    PasswordLength { min: usize, max: usize },
    #[error("a program has no password")]
    NoPassword,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the login or password is wrong")]
    WrongSignIn,
    #[error("this set-up link is used or replaced: start the gateway again for a new one")]
    SetUpLinkUsed,
    #[error("too many tries: wait {seconds} seconds")]
    TooManyTries { seconds: i64 },
}

impl Reason {
    /// Its code and what stands in its sentence, by name.
    pub fn told(&self) -> (String, HashMap<String, String>) {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else {
            return (String::new(), HashMap::new());
        };
        let plain = |value: Value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        let code = fields.remove("reason").map(plain).unwrap_or_default();
        let values = fields.into_iter();
        let values = values.map(|(name, value)| (name, plain(value))).collect();
        (code, values)
    }
}

impl From<conversation::Refusal> for Reason {
    fn from(refusal: conversation::Refusal) -> Self {
        match refusal {
            conversation::Refusal::Closed => Self::Ended,
            conversation::Refusal::OfferEnded => Self::OfferEnded,
            conversation::Refusal::NotYours => Self::OfferOfAnother,
            conversation::Refusal::NotWaiting => Self::NotWaiting,
            conversation::Refusal::NotActive => Self::NotActive,
            conversation::Refusal::WrapUpFixed => Self::WrapUpFixed,
        }
    }
}

impl From<obligation::Refusal> for Reason {
    fn from(refusal: obligation::Refusal) -> Self {
        match refusal {
            obligation::Refusal::Done => Self::PromiseKept,
            obligation::Refusal::Broken => Self::PromiseBroken,
            obligation::Refusal::Waived => Self::PromiseWaived,
            obligation::Refusal::Past => Self::TimeHasPassed,
            obligation::Refusal::TooManyMoves => Self::PromiseMovedTooOften,
        }
    }
}

/// What no page of ours sends, and a program's author has to read about.
pub(crate) fn malformed(problem: impl Into<String>) -> Reason {
    let problem = problem.into();
    Reason::Malformed { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_by_its_code_and_its_values() {
        let told = Reason::PasswordLength { min: 10, max: 256 }.told();
        let values = [("min", "10"), ("max", "256")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told, ("PASSWORD_LENGTH".to_owned(), values.into()));
        let told = Reason::LineGone {
            line: "site".into(),
        };
        assert_eq!(told.told().1["line"], "site");
        assert_eq!(
            Reason::NoRoom.told(),
            ("NO_ROOM".to_owned(), HashMap::new())
        );
    }
}
