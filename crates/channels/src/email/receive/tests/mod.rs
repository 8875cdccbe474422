//! Against a server that is played from a script.

mod after;
mod host;
mod peer;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use serde_json::json;
use tokio::time::Instant;

use super::connect::{self, Proof};
use super::intake::Intake;
use super::reader::{Memory, Reader, SMALL_BYTES_MAX};
use super::session::{Session, Trouble, Waited};
use crate::registry::email::config::{After, History, Login, Mailbox, Secret, Security, Server};
use host::{FakeHost, Taken};
use peer::{Turn, given, listed, login, on, open, play};

const NAME: &str = "box INBOX";

fn server(security: Security) -> Server {
    Server {
        host: "localhost".to_owned(),
        port: 143,
        security,
        authorities: None,
    }
}

fn mailbox(after: After, history: History) -> Mailbox {
    Mailbox {
        name: "box".to_owned(),
        server: server(Security::Plain),
        login: Login {
            user: "a@example.com".to_owned(),
            secret: Secret::Password("sesame".to_owned()),
        },
        folders: vec!["INBOX".to_owned()],
        history,
        after,
        poll_secs: 60,
    }
}

fn taken(uid: u32, letter: &[u8]) -> Taken {
    Taken {
        uid,
        cut_from: None,
        letter: letter.to_vec(),
    }
}

/// A cursor that stands behind a letter.
fn behind(uid: u32) -> serde_json::Value {
    json!({"uid_validity": 7, "uid": uid, "tidied": uid})
}

async fn log_in(stream: tokio::io::DuplexStream) -> Result<Session, Trouble> {
    let greeted = connect::over(Box::new(stream), &server(Security::Plain)).await?;
    let proof = Proof::Password("sesame".to_owned());
    greeted.log_in("a@example.com", proof).await
}

/// A folder and what remains of it between connections.
struct Bench {
    host: Arc<FakeHost>,
    intake: Intake,
    mailbox: Mailbox,
    memory: Memory,
}

impl Bench {
    fn new(mailbox: Mailbox) -> Self {
        let host = Arc::new(FakeHost::default());
        Self {
            intake: Intake {
                line: "mail".into(),
                host: Arc::clone(&host) as Arc<dyn crate::Host>,
                letter_bytes_max: 4 << 20,
            },
            host,
            mailbox,
            memory: Memory::default(),
        }
    }

    /// Reads the folder once over a connection that goes as written.
    async fn read(&mut self, abilities: &str, script: Vec<Turn>) -> Result<(), Trouble> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let script = login(abilities).into_iter().chain(script).collect();
        let peer = play(theirs, Arc::clone(&self.host), script);
        let client = async {
            let mut session = log_in(ours).await?;
            let read_only = self.mailbox.after == After::Leave;
            let selected = session.select("INBOX", read_only).await?;
            let (intake, mailbox) = (&self.intake, &self.mailbox);
            let memory = &mut self.memory;
            let opened = Reader::open(&mut session, intake, mailbox, "INBOX", selected, memory);
            opened.await?.catch_up().await
        };
        // The script has to be played to its end.
        let (outcome, ()) = tokio::join!(client, peer);
        outcome
    }
}

const LIST: &str = "(UID RFC822.SIZE INTERNALDATE)";
const BODY: &str = "(UID BODY.PEEK[]<0.262145>)";

fn fetch(uids: &str, items: &str) -> String {
    format!("UID FETCH {uids} {items}")
}

#[tokio::test(start_paused = true)]
async fn new_letters_come_in_one_batch_and_the_cursor_follows() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let letters = [given(3, 0, b"three"), given(5, 0, b"")].concat();
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(
            &fetch("3:*", LIST),
            [
                listed(5, 0),
                listed(3, 5),
                "* 3 FETCH (FLAGS (\\Seen))\r\n".to_owned(),
            ]
            .concat(),
            "OK done",
        ),
        on(&fetch("3,5", BODY), letters, "OK done"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(3, b"three"), taken(5, b"")]);
    assert_eq!(bench.host.bookmark_of(NAME)["uid"], 5);
    let log = bench.host.log();
    assert_eq!(log[log.len() - 3..], ["taken 3", "taken 5", "cursor 5"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_letter_of_an_open_range_may_be_an_old_one() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(5));
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(&fetch("6:*", LIST), listed(5, 5), "OK done"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), []);
    assert_eq!(bench.host.bookmark_of(NAME), behind(5));
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_new_to_us_begins_at_its_end() {
    let cases = [
        (History::New, 9, vec![]),
        (History::All, 1, vec![listed(8, 4)]),
        (
            History::Unseen,
            1,
            vec![
                "* 1 FETCH (UID 7 RFC822.SIZE 4 FLAGS (\\Seen))\r\n".to_owned(),
                "* 2 FETCH (UID 8 RFC822.SIZE 4 FLAGS ())\r\n".to_owned(),
            ],
        ),
    ];
    for (history, from, list) in cases {
        let mut bench = Bench::new(mailbox(After::Leave, history));
        let items = match history {
            History::Unseen => "(UID RFC822.SIZE INTERNALDATE FLAGS)",
            History::New | History::All => LIST,
        };
        let is_empty = list.is_empty();
        let mut script = vec![
            open("EXAMINE", 7, 9, 2),
            on(&fetch("*:*", "(UID INTERNALDATE)"), listed(8, 4), "OK"),
            on(&fetch(&format!("{from}:*"), items), list.concat(), "OK"),
        ];
        if !is_empty {
            script.push(on(&fetch("8", BODY), given(8, 0, b"late"), "OK"));
        }
        assert_eq!(bench.read("", script).await, Ok(()));
        let expected = if is_empty {
            vec![]
        } else {
            vec![taken(8, b"late")]
        };
        assert_eq!(bench.host.taken(), expected, "{history:?}");
        assert_eq!(bench.host.bookmark_of(NAME)["uid"], 8, "{history:?}");
    }
}

/// As a server does that answers in full for the first of several letters only.
#[tokio::test(start_paused = true)]
async fn a_letter_that_comes_short_beside_others_is_asked_for_alone() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(5));
    let short = [given(6, 0, b"full"), given(7, 0, b""), given(8, 0, b"le")].concat();
    let script = vec![
        open("EXAMINE", 7, 9, 3),
        on(
            &fetch("6:*", LIST),
            [listed(6, 4), listed(7, 4), listed(8, 4)].concat(),
            "OK",
        ),
        on(&fetch("6:8", BODY), short, "OK"),
        on(&fetch("7", BODY), given(7, 0, b"more"), "OK"),
        on(&fetch("8", BODY), given(8, 0, b"le"), "OK"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    // Alone it is what it is, whatever was reckoned.
    let expected = [taken(6, b"full"), taken(7, b"more"), taken(8, b"le")];
    assert_eq!(bench.host.taken(), expected);
    assert_eq!(bench.host.bookmark_of(NAME)["uid"], 8);
}

#[tokio::test(start_paused = true)]
async fn numbers_that_begin_anew_are_read_from_the_first() {
    for (validity, next) in [(8, 3), (7, 2)] {
        let mut bench = Bench::new(mailbox(After::Leave, History::New));
        bench.host.leave(NAME, &behind(5));
        let script = vec![
            open("EXAMINE", validity, next, 1),
            on(&fetch("*:*", "(UID INTERNALDATE)"), listed(1, 4), "OK"),
            on(&fetch("1:*", LIST), listed(1, 4), "OK"),
            on(&fetch("1", BODY), given(1, 0, b"anew"), "OK"),
        ];
        assert_eq!(bench.read("", script).await, Ok(()));
        assert_eq!(bench.host.taken(), [taken(1, b"anew")]);
        let cursor = bench.host.bookmark_of(NAME);
        assert_eq!(
            (&cursor["uid_validity"], &cursor["uid"]),
            (&json!(validity), &json!(1))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_number_given_twice_is_two_letters() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    for letter in [&b"first"[..], b"other"] {
        bench.host.leave(NAME, &behind(2));
        let script = vec![
            open("EXAMINE", 7, 4, 1),
            on(&fetch("3:*", LIST), listed(3, 5), "OK"),
            on(&fetch("3", BODY), given(3, 0, letter), "OK"),
        ];
        assert_eq!(bench.read("", script).await, Ok(()));
    }
    assert_eq!(bench.host.taken(), [taken(3, b"first"), taken(3, b"other")]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_deleted_meanwhile_is_passed_by() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 5), listed(5, 5)].concat(),
            "OK",
        ),
        on(
            &fetch("3:5", BODY),
            [
                &b"* 2 EXPUNGE\r\n"[..],
                &given(3, 0, b"three"),
                &given(5, 0, b"five."),
            ]
            .concat(),
            "OK",
        ),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(3, b"three"), taken(5, b"five.")]);
    assert_eq!(
        bench.host.bookmark_of(NAME),
        json!({
            "uid_validity": 7, "uid": 5, "tidied": 5, "old_below": 0, "is_rescan": false,
            "begun_at": null, "withheld": [],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn what_came_whole_before_a_break_is_kept_and_the_rest_comes_again() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let list = [listed(3, 5), listed(4, 5), listed(5, 5)].concat();
    let mut cut = [given(3, 0, b"three"), given(4, 0, b"four.")].concat();
    cut.truncate(cut.len() - 4);
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(&fetch("3:*", LIST), &list, "OK"),
        on(&fetch("3:5", BODY), cut, ""),
    ];
    let outcome = bench.read("", script).await;
    assert!(matches!(outcome, Err(Trouble::Lost(_))), "{outcome:?}");
    assert_eq!(bench.host.taken(), [taken(3, b"three")]);
    assert_eq!(bench.host.bookmark_of(NAME)["uid"], 3);
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(
            &fetch("4:*", LIST),
            [listed(4, 5), listed(5, 5)].concat(),
            "OK",
        ),
        on(
            &fetch("4:5", BODY),
            [given(4, 0, b"four."), given(5, 0, b"five.")].concat(),
            "OK",
        ),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    let uids: Vec<u32> = bench.host.taken().iter().map(|taken| taken.uid).collect();
    assert_eq!(uids, [3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_between_answers_is_no_end_of_them() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let closed_in_the_list = vec![
        open("EXAMINE", 7, 6, 4),
        on(&fetch("3:*", LIST), listed(3, 5), ""),
    ];
    let closed_in_the_letters = vec![
        open("EXAMINE", 7, 6, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 5)].concat(),
            "OK",
        ),
        on(&fetch("3:4", BODY), given(4, 0, b"four."), ""),
    ];
    let said_goodbye = vec![
        open("EXAMINE", 7, 6, 4),
        on(&fetch("3:*", LIST), "* BYE Server shutting down.\r\n", "OK"),
    ];
    for script in [closed_in_the_list, closed_in_the_letters, said_goodbye] {
        let outcome = bench.read("", script).await;
        assert!(matches!(outcome, Err(Trouble::Lost(_))), "{outcome:?}");
        assert_eq!(bench.host.taken(), []);
        assert_eq!(bench.host.bookmark_of(NAME), behind(2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_costs_neither_the_others_nor_memory() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let huge = "* 3 FETCH (UID 3 BODY[]<0> {500000000}\r\nxxx";
    let list = [listed(3, 5), listed(4, 5)].concat();
    let both = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("3:*", LIST), &list, "OK"),
        on(&fetch("3:4", BODY), huge, ""),
    ];
    let alone = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("3:*", LIST), &list, "OK"),
        on(&fetch("3", BODY), huge, ""),
    ];
    for script in [both, alone] {
        let outcome = bench.read("", script).await;
        assert!(matches!(outcome, Err(Trouble::Garbled(_))), "{outcome:?}");
    }
    assert_eq!(bench.host.taken(), []);
    let others = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("4:*", LIST), listed(4, 5), "OK"),
        on(&fetch("4", BODY), given(4, 0, b"four."), "OK"),
    ];
    assert_eq!(bench.read("", others).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(4, b"four.")]);
    // Later it is asked for again, and this time it is given out.
    bench.host.let_pass(Millis::from_secs(60));
    let again = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("5:*", LIST), listed(4, 5), "OK"),
        on(&fetch("3", "(UID)"), "* 3 FETCH (UID 3)\r\n", "OK"),
        on(
            &fetch("3", "(UID BODY.PEEK[]<0.1048576>)"),
            given(3, 0, b"three"),
            "OK",
        ),
    ];
    assert_eq!(bench.read("", again).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(4, b"four."), taken(3, b"three")]);
    assert_eq!(bench.host.bookmark_of(NAME)["withheld"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_never_given_out_ends_as_a_dead_one() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("EXAMINE", 7, 5, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 5)].concat(),
            "OK",
        ),
        on(
            &fetch("3:4", BODY),
            given(4, 0, b"four."),
            "NO some cannot be read",
        ),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(4, b"four.")]);
    let quiet = || on(&fetch("5:*", LIST), listed(4, 5), "OK");
    let mut asked = 0;
    for hour in 0..6 {
        bench.host.let_pass(Millis::from_secs(3_600 * 3 * hour));
        let mut script = vec![open("EXAMINE", 7, 5, 4), quiet()];
        if (1..=4).contains(&hour) {
            asked += 1;
            script.push(on(&fetch("3", "(UID)"), "* 3 FETCH (UID 3)\r\n", "OK"));
            script.push(on(&fetch("3", "(UID BODY.PEEK[]<0.1048576>)"), "", "NO"));
        } else if hour == 5 {
            script.push(on(&fetch("3", "(UID)"), "* 3 FETCH (UID 3)\r\n", "OK"));
        }
        assert_eq!(bench.read("", script).await, Ok(()));
    }
    assert_eq!(asked, 4);
    let gone = Taken {
        uid: 3,
        cut_from: Some(5),
        letter: Vec::new(),
    };
    assert_eq!(bench.host.taken(), [taken(4, b"four."), gone]);
    assert_eq!(bench.host.bookmark_of(NAME)["withheld"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_withheld_and_then_deleted_is_forgotten() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("3:*", LIST), listed(3, 5), "OK"),
        on(&fetch("3", BODY), "", "NO [EXPUNGEISSUED] gone"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    bench.host.let_pass(Millis::from_secs(60));
    let script = vec![
        open("EXAMINE", 7, 5, 4),
        on(&fetch("4:*", LIST), "", "OK"),
        on(&fetch("3", "(UID)"), "", "OK"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), []);
    assert_eq!(bench.host.bookmark_of(NAME)["withheld"], json!([]));
}

/// A letter's bytes, none like those before.
fn long(bytes: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(bytes).collect()
}

#[tokio::test(start_paused = true)]
async fn a_large_letter_comes_in_pieces() {
    const PIECE: usize = 1 << 20;
    // Sizes as servers tell them: right, too small, too large, and a whole number of
    // pieces.
    let cases = [
        (2 * PIECE + 5, 2 * PIECE + 5, vec![PIECE, PIECE, 5]),
        (2 * PIECE + 5, 2 * PIECE, vec![PIECE, PIECE, 5]),
        (PIECE + 5, PIECE + 9, vec![PIECE, 5, 0]),
        (2 * PIECE, 2 * PIECE, vec![PIECE, PIECE, 0]),
    ];
    for (length, told, pieces) in cases {
        let letter = long(length);
        let mut bench = Bench::new(mailbox(After::Leave, History::New));
        bench.host.leave(NAME, &behind(2));
        let mut script = vec![
            open("EXAMINE", 7, 4, 4),
            on(&fetch("3:*", LIST), listed(3, told), "OK"),
        ];
        let mut from = 0;
        for piece in pieces {
            let items = format!("(UID BODY.PEEK[]<{from}.{PIECE}>)");
            let part = given(3, from, &letter[from..from + piece]);
            script.push(on(&fetch("3", &items), part, "OK"));
            from += piece;
        }
        assert_eq!(bench.read("", script).await, Ok(()), "{length} {told}");
        assert!(bench.host.taken() == [taken(3, &letter)], "{length} {told}");
        assert_eq!(bench.host.bookmark_of(NAME)["uid"], 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_longer_than_it_was_said_to_be_comes_in_pieces_too() {
    let letter = long(SMALL_BYTES_MAX as usize + 10);
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("EXAMINE", 7, 6, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 5), listed(5, 5)].concat(),
            "OK",
        ),
        on(
            &fetch("3:5", BODY),
            [
                given(3, 0, b"three"),
                given(4, 0, &letter[..=SMALL_BYTES_MAX as usize]),
                given(5, 0, b"five."),
            ]
            .concat(),
            "OK",
        ),
        on(
            &fetch("4", "(UID BODY.PEEK[]<0.1048576>)"),
            given(4, 0, &letter),
            "OK",
        ),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert!(
        bench.host.taken() == [taken(3, b"three"), taken(4, &letter), taken(5, b"five.")],
        "in order"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_letter_that_is_too_large_the_beginning_is_taken() {
    const PIECE: usize = 1 << 20;
    let head = long(SMALL_BYTES_MAX as usize);
    let beginning = || {
        on(
            &fetch("3", "(UID BODY.PEEK[]<0.262144>)"),
            given(3, 0, &head),
            "OK",
        )
    };
    let said = vec![
        open("EXAMINE", 7, 4, 4),
        on(&fetch("3:*", LIST), listed(3, 50 << 20), "OK"),
        beginning(),
    ];
    let mut unsaid = vec![
        open("EXAMINE", 7, 4, 4),
        on(&fetch("3:*", LIST), listed(3, 1 << 20), "OK"),
    ];
    for piece in 0..5 {
        let items = format!("(UID BODY.PEEK[]<{}.{PIECE}>)", piece * PIECE);
        let part = given(3, piece * PIECE, &vec![b'x'; PIECE]);
        unsaid.push(on(&fetch("3", &items), part, "OK"));
    }
    // One more is on its way when the file is full.
    let items = format!("(UID BODY.PEEK[]<{}.{PIECE}>)", 5 * PIECE);
    unsaid.push(on(&fetch("3", &items), given(3, 5 * PIECE, b"x"), "OK"));
    unsaid.push(beginning());
    for (script, cut_from) in [(said, 50 << 20), (unsaid, 1 << 20)] {
        let mut bench = Bench::new(mailbox(After::Leave, History::New));
        bench.host.leave(NAME, &behind(2));
        assert_eq!(bench.read("", script).await, Ok(()));
        let expected = Taken {
            uid: 3,
            cut_from: Some(cut_from),
            letter: head.clone(),
        };
        assert!(bench.host.taken() == [expected], "{cut_from}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_letter_that_is_cut_short_is_not_kept() {
    let letter = long(1 << 20);
    let items = "(UID BODY.PEEK[]<0.1048576>)";
    let more = "(UID BODY.PEEK[]<1048576.1048576>)";
    let begun = || {
        vec![
            open("EXAMINE", 7, 4, 4),
            on(&fetch("3:*", LIST), listed(3, 3 << 20), "OK"),
            on(&fetch("3", items), given(3, 0, &letter), "OK"),
        ]
    };
    let mut deleted = begun();
    deleted.push(on(&fetch("3", more), "", "OK"));
    let mut closed = begun();
    let mut part = given(3, 1 << 20, &letter);
    part.truncate(part.len() / 2);
    closed.push(on(&fetch("3", more), part, ""));
    for (script, is_gone) in [(deleted, true), (closed, false)] {
        let mut bench = Bench::new(mailbox(After::Leave, History::New));
        bench.host.leave(NAME, &behind(2));
        assert_eq!(bench.read("", script).await.is_ok(), is_gone);
        assert_eq!(bench.host.taken(), []);
        let uid = if is_gone { 3 } else { 2 };
        assert_eq!(bench.host.bookmark_of(NAME)["uid"], uid);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_busy_is_waited_for() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    bench.host.put_off(4);
    let letter = long(SMALL_BYTES_MAX as usize + 1);
    let large = || {
        on(
            &fetch("4", "(UID BODY.PEEK[]<0.1048576>)"),
            given(4, 0, &letter),
            "OK",
        )
    };
    let script = vec![
        open("EXAMINE", 7, 5, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, letter.len())].concat(),
            "OK",
        ),
        on(&fetch("3", BODY), given(3, 0, b"three"), "OK"),
        large(),
    ];
    let begun = Instant::now();
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(begun.elapsed(), Duration::from_secs(4));
    assert!(bench.host.taken() == [taken(3, b"three"), taken(4, &letter)]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_put_off_is_not_overtaken() {
    let mut bench = Bench::new(mailbox(After::Leave, History::New));
    bench.host.leave(NAME, &behind(2));
    bench.host.put_off(1);
    let script = vec![
        open("EXAMINE", 7, 5, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 4)].concat(),
            "OK",
        ),
        on(
            &fetch("3:4", BODY),
            [given(3, 0, b"three"), given(4, 0, b"four")].concat(),
            "OK",
        ),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert!(bench.host.taken() == [taken(3, b"three"), taken(4, b"four")]);
}
