//! What ends the waiting for news.

use super::*;

/// Waits once over a connection that goes as written; how that ended, and how long it
/// took.
async fn wait(script: Vec<Turn>) -> (Result<Waited, Trouble>, Duration) {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let script = login("IDLE").into_iter().chain(script).collect();
    let peer = play(theirs, Arc::default(), script);
    let client = async {
        let mut session = log_in(ours).await.expect("logged in");
        let begun = Instant::now();
        let waited = session.idle(Duration::from_mins(9)).await;
        (waited, begun.elapsed())
    };
    tokio::join!(client, peer).0
}

#[tokio::test(start_paused = true)]
async fn news_end_the_waiting_whenever_they_come() {
    let cases = [
        // Between the look and the waiting, which is told before the continuation.
        ("* 5 EXISTS\r\n+ idling\r\n", "", 0),
        ("+ idling\r\n* 5 EXISTS\r\n* 1 RECENT\r\n", "", 0),
        ("+ idling\r\n* OK Still here\r\n* 2 EXPUNGE\r\n", "", 9),
    ];
    for (told, more, minutes) in cases {
        let script = vec![on("IDLE", told, ""), on("DONE", more, "OK idled")];
        let (waited, took) = wait(script).await;
        assert_eq!(waited, Ok(Waited::Look), "{told}");
        assert_eq!(took, Duration::from_mins(minutes), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_wait_is_asked_from_time_to_time() {
    for refusal in ["NO not now", "BAD what"] {
        let (waited, _) = wait(vec![on("IDLE", "", refusal)]).await;
        assert_eq!(waited, Ok(Waited::Refused));
    }
    // One that ends the waiting by itself is looked at.
    let (waited, _) = wait(vec![on("IDLE", "+ idling\r\n", "OK enough")]).await;
    assert_eq!(waited, Ok(Waited::Look));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_while_waiting_is_lost() {
    for told in [
        "+ idling\r\n",
        "+ idling\r\n* BYE kicked\r\n",
        "* BYE kicked\r\n",
        "",
    ] {
        let (waited, took) = wait(vec![on("IDLE", told, "")]).await;
        assert!(
            matches!(waited, Err(Trouble::Lost(_))),
            "{told}: {waited:?}"
        );
        assert_eq!(took, Duration::ZERO, "{told}");
    }
}
