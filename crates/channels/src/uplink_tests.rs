use domain::message::{Delivery, Recipient, Text, Thread, ToSend};
use domain::{LineId, MessageId, ThreadId, Timestamp};

use super::*;

fn outbound(message: i64) -> Outbound {
    Outbound {
        message: MessageId::new(message),
        line: LineId::from("bridge"),
        recipient: Recipient {
            thread: ThreadId::new(1),
            thread_key: "t".to_owned(),
            identity: None,
            context: Thread::default(),
            token: String::new(),
        },
        sent_at: Timestamp(5),
        author_name: "Ann".to_owned(),
        automatic: false,
        part: None,
        action: Action::Send(ToSend {
            text: Text::plain("hi"),
            ..ToSend::default()
        }),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an answer is a result")]
fn sent(id: &str) -> Answer {
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id: Some(id.to_owned()),
        error_text: String::new(),
    })
}

#[track_caller]
fn assert_retry(answer: &Answer, reason: &str) {
    match answer {
        Err(SendError::RetryAfter { reason: told, .. }) if told.contains(reason) => {}
        other => panic!("{other:?} instead of: {reason}"),
    }
}

fn pending(uplink: &Uplink) -> usize {
    lock(&uplink.state).pending.len()
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_messages_in_any_order() {
    let uplink = Uplink::default();
    let mut connection = uplink.attach();
    let (first, second) = (outbound(1), outbound(2));
    let serve = async {
        let ids = [
            outbound_id(&connection.outbound.recv().await.expect("first")),
            outbound_id(&connection.outbound.recv().await.expect("second")),
        ];
        assert!(connection.receipts.answer(&ids[1], sent("b")));
        assert!(connection.receipts.answer(&ids[0], sent("a")));
        assert!(!connection.receipts.answer(&ids[0], sent("again")));
        assert!(!connection.receipts.answer("never asked", sent("x")));
    };
    let (a, b, ()) = tokio::join!(uplink.send(&first), uplink.send(&second), serve);
    assert_eq!((a, b), (sent("a"), sent("b")));
    assert_eq!(pending(&uplink), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_there_and_nobody_answering_is_a_retry() {
    let uplink = Uplink::default();
    assert_retry(&uplink.send(&outbound(1)).await, "no program serves");
    let connection = uplink.attach();
    assert_retry(&uplink.send(&outbound(1)).await, "did not answer");
    drop(connection);
    assert!(!uplink.is_attached());
    assert_retry(&uplink.send(&outbound(1)).await, "no program serves");
    assert_eq!(pending(&uplink), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_noticed_while_waiting() {
    let uplink = Uplink::default();
    let mut connection = uplink.attach();
    let message = outbound(1);
    let leave = async {
        let _ = connection.outbound.recv().await;
        drop(connection);
    };
    let (answer, ()) = tokio::join!(uplink.send(&message), leave);
    assert_retry(&answer, "lost");
}

#[tokio::test(start_paused = true)]
async fn who_comes_later_takes_over() {
    let uplink = Uplink::default();
    let mut old = uplink.attach();
    let message = outbound(1);
    let take_over = async {
        let _ = old.outbound.recv().await;
        uplink.attach()
    };
    let (answer, mut new) = tokio::join!(uplink.send(&message), take_over);
    assert_retry(&answer, "took over");
    assert!(old.replaced.is_cancelled());
    assert_eq!(old.outbound.recv().await, None, "the old stream ends");
    let serve = async {
        let id = outbound_id(&new.outbound.recv().await.expect("the message again"));
        new.receipts.answer(&id, sent("a"))
    };
    let (answer, taken) = tokio::join!(uplink.send(&message), serve);
    assert_eq!((answer, taken), (sent("a"), true));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_nothing_behind() {
    let uplink = Uplink::default();
    let _connection = uplink.attach();
    let message = outbound(1);
    let cut = tokio::time::timeout(Duration::from_secs(1), uplink.send(&message)).await;
    assert!(cut.is_err());
    assert_eq!(pending(&uplink), 0);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_read_holds_only_so_much() {
    let uplink = Uplink::default();
    let mut connection = uplink.attach();
    let messages: Vec<Outbound> = (1..=100).map(outbound).collect();
    let answers = futures::future::join_all(messages.iter().map(|message| uplink.send(message)));
    for answer in answers.await {
        assert_retry(&answer, "did not answer");
    }
    let mut unread = 0;
    while connection.outbound.try_recv().is_ok() {
        unread += 1;
    }
    assert_eq!(unread, UNREAD_MAX);
}

#[test]
fn a_hand_over_has_one_name() {
    let send = outbound(1);
    let mut edit = outbound(1);
    edit.action = Action::Edit {
        target: "x".to_owned(),
        text: Text::plain("hi"),
    };
    assert_eq!(outbound_id(&send), outbound_id(&send.clone()));
    assert_ne!(outbound_id(&send), outbound_id(&edit));
    let later = Outbound {
        sent_at: Timestamp(6),
        ..edit.clone()
    };
    assert_ne!(outbound_id(&edit), outbound_id(&later));
}
