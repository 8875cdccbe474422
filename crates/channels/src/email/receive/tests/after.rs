//! What becomes of letters on the server.

use super::*;

#[tokio::test(start_paused = true)]
async fn letters_are_marked_only_when_they_are_durable() {
    let mut bench = Bench::new(mailbox(After::Seen, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("SELECT", 7, 5, 4),
        on(
            &fetch("3:*", LIST),
            [listed(3, 5), listed(4, 5)].concat(),
            "OK",
        ),
        on(
            &fetch("3:4", BODY),
            [given(3, 0, b"three"), given(4, 0, b"four.")].concat(),
            "OK",
        ),
        on("UID STORE 3:4 +FLAGS.SILENT (\\Seen)", "", "OK"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    let log = bench.host.log();
    let end = &log[log.len() - 5..];
    assert_eq!(
        end,
        ["taken 3", "taken 4", "cursor 4", "UID STORE", "cursor 4"]
    );
    assert_eq!(bench.host.bookmark_of(NAME)["tidied"], 4);
}

#[tokio::test(start_paused = true)]
async fn letters_move_by_what_the_server_can_do() {
    let into = After::Move("Готово".to_owned());
    let folder = "\"&BBMEPgRCBD4EMgQ+-\"";
    let copy = format!("UID COPY 3 {folder}");
    let deleted = || on("UID STORE 3 +FLAGS.SILENT (\\Deleted)", "", "OK");
    let cases = [
        (
            "MOVE UIDPLUS",
            vec![on(&format!("UID MOVE 3 {folder}"), "", "OK moved")],
        ),
        (
            "MOVE",
            vec![
                on(
                    &format!("UID MOVE 3 {folder}"),
                    "",
                    "NO [TRYCREATE] no such folder",
                ),
                on(&format!("CREATE {folder}"), "", "OK"),
                on(
                    &format!("UID MOVE 3 {folder}"),
                    "* 3 EXPUNGE\r\n",
                    "OK moved",
                ),
            ],
        ),
        (
            "UIDPLUS",
            vec![
                on(&copy, "", "OK"),
                deleted(),
                on("UID EXPUNGE 3", "", "OK"),
            ],
        ),
        ("", vec![on(&copy, "", "OK"), deleted()]),
        ("", vec![on(&copy, "", "NO quota")]),
    ];
    for (abilities, tidying) in cases {
        let mut bench = Bench::new(mailbox(into.clone(), History::New));
        bench.host.leave(NAME, &behind(2));
        let mut script = vec![
            open("SELECT", 7, 4, 4),
            on(&fetch("3:*", LIST), listed(3, 5), "OK"),
            on(&fetch("3", BODY), given(3, 0, b"three"), "OK"),
        ];
        script.extend(tidying);
        assert_eq!(bench.read(abilities, script).await, Ok(()), "{abilities}");
        assert_eq!(bench.host.taken(), [taken(3, b"three")]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_left_to_do_is_done_by_the_next_connection() {
    let mut bench = Bench::new(mailbox(After::Seen, History::New));
    bench
        .host
        .leave(NAME, &json!({"uid_validity": 7, "uid": 5, "tidied": 2}));
    let script = vec![
        open("SELECT", 7, 6, 4),
        on(
            &fetch("3:5", "(UID INTERNALDATE FLAGS)"),
            "* 1 FETCH (UID 3 FLAGS ())\r\n* 2 FETCH (UID 4 FLAGS (\\Deleted))\r\n\
             * 3 FETCH (UID 5 FLAGS ())\r\n",
            "OK",
        ),
        on("UID STORE 3,5 +FLAGS.SILENT (\\Seen)", "", "OK"),
        on(&fetch("6:*", LIST), listed(5, 5), "OK"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.bookmark_of(NAME)["tidied"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_keyword_that_the_server_does_not_keep_is_not_set() {
    let keyword = After::Keyword("$Processed".to_owned());
    let mut bench = Bench::new(mailbox(keyword, History::New));
    bench.host.leave(NAME, &behind(2));
    let script = vec![
        open("SELECT", 7, 4, 4),
        on(&fetch("3:*", LIST), listed(3, 5), "OK"),
        on(&fetch("3", BODY), given(3, 0, b"three"), "OK"),
    ];
    assert_eq!(bench.read("", script).await, Ok(()));
    assert_eq!(bench.host.taken(), [taken(3, b"three")]);
    assert_eq!(bench.host.bookmark_of(NAME)["tidied"], 2);
}
