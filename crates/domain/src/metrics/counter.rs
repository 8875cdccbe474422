//! What is counted, and the numbers under which it is stored.

use crate::message::Medium;

/// Something that is counted or summed. The numbers are stored: only add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Counter {
    /// Conversations that began, whoever began them.
    Opened = 0,
    /// Of these, begun by an operator.
    Started = 1,
    /// Of these, begun soon after the thread's last one had ended.
    Reopened = 2,
    /// Conversations that began outside hours.
    Deferred = 3,
    /// A conversation began to wait in a queue.
    Offered = 4,
    /// An operator took up one that waited.
    Answered = 5,
    /// How long these had waited, in milliseconds.
    AnsweredWaitMs = 6,
    /// The client left before an operator took it up.
    Abandoned = 7,
    /// How long these had waited, in milliseconds.
    AbandonedWaitMs = 8,
    /// An operator's stretches of work that ended, by an end or by going to others.
    Handled = 9,
    /// Time in conversation, in milliseconds.
    TalkMs = 10,
    /// Time on hold, in milliseconds.
    HoldMs = 11,
    /// Time of the work afterwards, in milliseconds.
    WrapUpMs = 12,
    /// Conversations that went from an operator to somebody else or to a queue.
    Transferred = 13,
    /// Conversations that came back from an operator who was lost.
    Returned = 14,
    /// Conversations that ended.
    Closed = 15,
    /// First replies of a person.
    FirstReplies = 16,
    /// How long they took from the beginning of the conversation, in milliseconds.
    FirstReplyMs = 17,
    /// Messages of clients.
    MessagesIn = 18,
    /// Messages to clients.
    MessagesOut = 19,
    /// Offers made.
    OffersMade = 20,
    /// Offers that were accepted.
    OffersAccepted = 21,
    /// Offers that were declined.
    OffersDeclined = 22,
    /// Offers that nobody answered in time.
    OffersTimedOut = 23,
    /// Offers that were taken back because somebody else has it, or the client left.
    OffersRescinded = 24,
    /// Offers that were taken back because the operator went away.
    OffersRevoked = 25,
    /// Conversations that were given without asking.
    Assigned = 26,
    /// Time of operators who are Ready with nothing in hand, in milliseconds.
    IdleMs = 27,
    /// Time of operators with something in hand, in milliseconds.
    BusyMs = 28,
    /// Time of operators who are Away, in milliseconds.
    AwayMs = 29,
    /// Time of operators who missed offers and get none, in milliseconds.
    NotRespondingMs = 30,
    /// Capacity of operators at work by time, in units × milliseconds.
    CapacityUnitMs = 31,
    /// Calls in hand by time, in milliseconds.
    CarriedVoiceMs = 32,
    /// Site chats in hand by time.
    CarriedChatMs = 33,
    /// Messenger conversations in hand by time.
    CarriedMessengerMs = 34,
    /// SMS conversations in hand by time.
    CarriedSmsMs = 35,
    /// E-mails in hand by time.
    CarriedEmailMs = 36,
    /// Forms in hand by time.
    CarriedFormMs = 37,
    /// Promises to clients that were kept in time.
    PromisesKept = 38,
    /// Promises that were kept late.
    PromisesLate = 39,
    /// Promises that were broken.
    PromisesBroken = 40,
    /// Ratings that clients gave.
    Ratings = 41,
    /// Of these, the two best of five: satisfied clients.
    RatingsSatisfied = 42,
    /// The sum of all ratings, each of 1 to 5.
    RatingsSum = 43,
    /// Waiting conversations that went to another queue.
    DivertedToQueue = 44,
    /// Waiting conversations that somebody ended.
    DivertedClosed = 45,
    /// Waiting conversations that went to voicemail.
    DivertedToVoicemail = 46,
    /// Waiting conversations that went to a form.
    DivertedToForm = 47,
    /// Waiting conversations whose client wanted to be called back.
    DivertedToCallback = 48,
    /// Waiting conversations that were sent away because the hours had ended.
    DivertedByHours = 49,
    /// Conversations that were sent away because the queue was full.
    DivertedByFullQueue = 50,
    /// Conversations that were sent away because nobody was there.
    DivertedUnstaffed = 51,
    /// Conversations that left the queue for another reason.
    DivertedOtherwise = 52,
}

impl Counter {
    /// The number it is stored under.
    pub const fn slot(self) -> u8 {
        self as u8
    }

    /// The time that conversations of a medium are in hand.
    pub const fn carried(medium: Medium) -> Self {
        match medium {
            Medium::Voice => Self::CarriedVoiceMs,
            Medium::Chat => Self::CarriedChatMs,
            Medium::Messenger => Self::CarriedMessengerMs,
            Medium::Sms => Self::CarriedSmsMs,
            Medium::Email => Self::CarriedEmailMs,
            Medium::Form => Self::CarriedFormMs,
        }
    }
}

/// Why a conversation left a queue without having been answered or given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Diversion {
    /// To another queue.
    Queue,
    /// Somebody ended it.
    Closed,
    /// To voicemail.
    Voicemail,
    /// To a form.
    Form,
    /// The client is to be called back.
    Callback,
    /// The hours ended.
    Hours,
    /// The queue was full.
    FullQueue,
    /// Nobody was there.
    Unstaffed,
    /// Anything else.
    Other,
}

impl Diversion {
    /// Every one, in order.
    pub const ALL: [Self; 9] = [
        Self::Queue,
        Self::Closed,
        Self::Voicemail,
        Self::Form,
        Self::Callback,
        Self::Hours,
        Self::FullQueue,
        Self::Unstaffed,
        Self::Other,
    ];

    /// What is counted.
    pub const fn counter(self) -> Counter {
        match self {
            Self::Queue => Counter::DivertedToQueue,
            Self::Closed => Counter::DivertedClosed,
            Self::Voicemail => Counter::DivertedToVoicemail,
            Self::Form => Counter::DivertedToForm,
            Self::Callback => Counter::DivertedToCallback,
            Self::Hours => Counter::DivertedByHours,
            Self::FullQueue => Counter::DivertedByFullQueue,
            Self::Unstaffed => Counter::DivertedUnstaffed,
            Self::Other => Counter::DivertedOtherwise,
        }
    }
}

/// How long things took, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Histogram {
    /// The waits of what was answered.
    Answered = 64,
    /// The waits of what was abandoned.
    Abandoned = 96,
    /// From the beginning to the first reply of a person.
    FirstReply = 128,
}

/// The upper ends of the steps, in seconds; what is longer stands in one more.
pub const STEPS_S: [i64; 19] = [
    5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800,
    86_400,
];

impl Histogram {
    /// The number under which a step is stored; the last is that of everything longer.
    pub fn slot(self, step: usize) -> u8 {
        self as u8 + u8::try_from(step.min(STEPS_S.len())).unwrap_or(u8::MAX)
    }

    /// Where something of this length is counted.
    pub(super) fn step_of(self, length_ms: i64) -> Slot {
        let step = STEPS_S.partition_point(|end| end * 1_000 < length_ms);
        Slot::Step(self, step)
    }
}

/// Where something is counted: a counter, or a step of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A counter or sum.
    Of(Counter),
    /// One step more.
    Step(Histogram, usize),
}

impl Slot {
    /// The number it is stored under.
    pub fn number(self) -> u8 {
        match self {
            Self::Of(counter) => counter.slot(),
            Self::Step(histogram, step) => histogram.slot(step),
        }
    }
}

/// A threshold in seconds as a number of steps; none when it is not the end of one.
pub fn steps_within(seconds: i64) -> Option<usize> {
    let at = STEPS_S.binary_search(&seconds).ok()?;
    Some(at + 1)
}
