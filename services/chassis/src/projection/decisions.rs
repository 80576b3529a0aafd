//! Which events were decided together.
//!
//! A decision's events are in the log all or none. So are they in the rows: whoever reads them never sees a cancellation without its
//! recovery, or one grant of a meeting without the others.

use super::Applied;

/// After how many of these events each whole decision ends; what follows the last of them waits for the rest of its own.
///
/// Beside it a sentence, where an event says otherwise of its decision than those before it: then the decisions before that one
/// are all that there is.
pub(super) fn ends<E>(events: &[Applied<'_, E>]) -> (Vec<usize>, Option<String>) {
    let mut ends = Vec::with_capacity(events.len());
    // The last position of the decision that is being read, and its first.
    let mut open: Option<(u64, u64)> = None;
    for (event, count) in events.iter().zip(1..) {
        let (position, envelope) = (event.recorded.position, &event.envelope);
        let Ok(last) = envelope.decision_last() else {
            let named = envelope.commandlast.as_deref().unwrap_or_default();
            let told =
                format!("event {position} names {named:?} as the last of its decision, which is no position");
            return (ends, Some(told));
        };
        match open {
            Some((expected, first)) if last != expected => {
                let told = format!(
                    "event {first} is of a decision that ends at {expected}, and event {position} is of one that ends at {last}"
                );
                return (ends, Some(told));
            }
            None if last < position => {
                let told = format!("event {position} is of a decision that ends at {last}, before it");
                return (ends, Some(told));
            }
            _ => {}
        }
        if last == position {
            ends.push(count);
            open = None;
        } else {
            open = open.or(Some((last, position)));
        }
    }
    (ends, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::record::Recorded;
    use bytes::Bytes;

    /// Ends of decisions, of events from position 1 on that name these last ones.
    fn read(lasts: &[Option<&str>]) -> (Vec<usize>, Option<String>) {
        let documents: Vec<Recorded> =
            (1..).zip(lasts).map(|(position, last)| document(position, *last)).collect();
        let events: Vec<Applied<'_, ()>> = documents
            .iter()
            .map(|recorded| Applied { envelope: recorded.envelope().unwrap(), event: (), recorded })
            .collect();
        ends(&events)
    }

    fn document(position: u64, last: Option<&str>) -> Recorded {
        let mut document = serde_json::json!({
            "specversion": "1.0", "id": uuid::Uuid::max(), "source": "/concord/test/log/1", "type": "t", "subject": "t/1",
            "time": "2026-01-01T00:00:00.000000Z", "datacontenttype": "application/json", "position": position.to_string(),
            "version": "1", "previousoftype": "0", "effectiveon": "2026-01-01", "rulebook": "r", "actor": "a",
            "actororg": "o", "assurance": "asserted", "requestid": uuid::Uuid::max(), "bodyhash": "00",
        });
        if let Some(last) = last {
            document["commandlast"] = last.into();
        }
        Recorded { position, bytes: Bytes::from(document.to_string()) }
    }

    #[test]
    fn a_decision_ends_with_its_last_event() {
        assert_eq!(read(&[None, None]), (vec![1, 2], None));
        assert_eq!(read(&[None, Some("3"), Some("3"), None]), (vec![1, 3, 4], None));
        assert_eq!(read(&[None, Some("4"), Some("4")]), (vec![1], None), "its last event is still to come");
        assert_eq!(read(&[Some("2")]), (vec![], None));
    }

    #[test]
    fn events_that_contradict_each_other_end_what_can_be_read() {
        for lasts in [
            [None, Some("4"), Some("3")],
            [None, Some("4"), None],
            [None, Some("x"), None],
            [None, Some("1"), None],
        ] {
            let (ends, told) = read(&lasts);
            assert_eq!(ends, [1]);
            assert!(told.unwrap().starts_with("event 2 "), "{lasts:?}");
        }
    }
}
