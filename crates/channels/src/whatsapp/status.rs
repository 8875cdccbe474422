//! What became of messages of ours. A message goes along with a mark of ours, which comes
//! back in every status of it: so it is found though the answer to the call was lost, and
//! though a status names its recipient otherwise than the thread does.

use domain::MessageId;
use domain::message::{Delivery, Inbound, InboundKind, Outbound, Part};

use super::normalize::Client;
use super::update::Status;

/// What WhatsApp gives back to us.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    message: MessageId,
    part: Option<Part>,
    thread_key: String,
}

/// What goes along with a message.
pub(super) fn mark(outbound: &Outbound) -> String {
    let (number, of) = outbound.part.map_or((1, 1), |part| (part.number, part.of));
    let thread_key = &outbound.recipient.thread_key;
    format!("{} {number} {of} {thread_key}", outbound.message)
}

fn read(given: &str) -> Option<Mark> {
    let mut parts = given.splitn(4, ' ');
    let message = parts.next()?.parse().ok()?;
    let (number, of) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let thread_key = parts.next().filter(|key| !key.is_empty())?;
    Some(Mark {
        message,
        part: (of > 1).then_some(Part { number, of }),
        thread_key: thread_key.to_owned(),
    })
}

/// The fate of a message of ours, where it is one.
pub(super) fn event(status: &Status, client: Client) -> Option<Inbound> {
    let delivery = match status.status.as_str() {
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "read" | "played" => Delivery::Read,
        "failed" => Delivery::Failed,
        _ => return None,
    };
    if status.recipient_type == "group" {
        return None;
    }
    let mark = read(&status.biz_opaque_callback_data);
    let part = mark.as_ref().and_then(|mark| mark.part);
    // That one part arrived does not tell that the message did.
    if part.is_some() && delivery != Delivery::Failed {
        return None;
    }
    let problem = status.errors.first();
    let error_text = problem.map_or_else(String::new, |problem| {
        let words = format!("{} ({})", problem.words(), problem.code);
        match part {
            Some(Part { number, of }) => format!("part {number} of {of}: {words}"),
            None => words,
        }
    });
    let kind = InboundKind::Receipt {
        target: match &mark {
            Some(mark) => mark.message.to_string(),
            None => status.id.clone(),
        },
        delivery,
        error_text,
    };
    let key = format!("status {} {}", status.id, status.status);
    let client = match &mark {
        Some(mark) => client.in_thread(&mark.thread_key),
        None => client,
    };
    let mut inbound = client.event(key, &status.timestamp, kind)?;
    if part.is_none() {
        inbound.message_id = Some(status.id.clone());
    }
    Some(inbound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_it_went() {
        let mark = |part, thread_key: &str| Mark {
            message: MessageId::new(9_007_199_254_740_993),
            part,
            thread_key: thread_key.to_owned(),
        };
        let part = Part { number: 2, of: 3 };
        assert_eq!(
            read("9007199254740993 2 3 US.1"),
            Some(mark(Some(part), "US.1"))
        );
        assert_eq!(
            read("9007199254740993 1 1 79161234567"),
            Some(mark(None, "79161234567"))
        );
        for foreign in [
            "",
            "some data",
            "7",
            "7 1 1",
            "7 1 1 ",
            "-7 1 1 a",
            "x 1 1 a",
        ] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
