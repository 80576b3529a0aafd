//! What the projection keeps, and what stops it.

use crate::cluster::Bench;
use crate::story::{END, G1, G2, G3, P1, P2, Story, applied, appropriated, approved, imported, party};
use concord_chassis::projection::{ApplyError, Projection as _};
use concord_events::fund::{FundEvent, FundingMode};
use concord_events::ledger::{Account, Line, Postings};
use concord_funding_audit::check_zero_sum;
use concord_kernel::money::Currency;

#[tokio::test]
async fn a_rebuild_equals_what_it_replaces_whatever_the_batches() {
    let events = Story::whole().events;
    let mut whole = Bench::new().await;
    whole.apply(&events).await.unwrap();
    let expected = whole.dump().await;
    assert!(expected.len() > 60, "{}", expected.len());
    for size in [1, 2, 5] {
        let mut other = Bench::new().await;
        for batch in events.chunks(size) {
            other.apply(batch).await.unwrap();
            // As after a restart: nothing is remembered.
            other.projection.reset();
        }
        assert_eq!(other.dump().await, expected, "batches of {size}");
    }
}

#[tokio::test]
async fn what_was_rolled_back_is_not_remembered() {
    let mut bench = Bench::new().await;
    let mut story = Story::whole();
    story.then("2025-08-01", &approved(G3, 1));
    assert!(bench.apply(&story.events).await.is_err());
    assert_eq!(bench.dump().await, Vec::<String>::new());
    bench.apply(&story.events[..END as usize]).await.unwrap();
}

#[test]
fn a_set_that_does_not_add_up_to_zero_is_broken_and_names_position_and_sum() {
    let line =
        |account, amount_minor| Line { account, grant: Some(G1), party: None, amount_minor, settles: false };
    let mut set = Postings {
        programme: P1,
        currency: Currency::CNY,
        counts_from: None,
        lines: vec![line(Account::Reserved, 300), line(Account::Available, -300)],
    };
    assert!(check_zero_sum(7, &set).is_ok());
    set.lines.push(line(Account::Committed, 1));
    let error = check_zero_sum(7, &set).unwrap_err();
    assert!(matches!(error, ApplyError::Broken(_)));
    assert_eq!(error.to_string(), "the postings of position 7 add up to 1 minor units of CNY, not to zero");
    // Beyond 64 bits too.
    set.lines = vec![line(Account::Reserved, i64::MAX), line(Account::Available, i64::MAX)];
    assert!(check_zero_sum(7, &set).is_err());
}

#[tokio::test]
async fn an_event_that_cannot_be_stops_the_projection_and_names_its_position() {
    let mut bench = Bench::new().await;
    let story = Story::whole();
    bench.apply(&story.events).await.unwrap();
    let before = bench.dump().await;
    let lead = party("9", "210100", "丁公司");
    let table: [(FundEvent, &str); 9] = [
        (
            approved(concord_kernel::id::GrantId(uuid::Uuid::from_u128(9)), 1),
            "which no event has applied for or imported",
        ),
        (
            FundEvent::TrancheRequested {
                grant: concord_kernel::id::GrantId(uuid::Uuid::from_u128(9)),
                currency: concord_kernel::money::Currency::CNY,
                tranche: 1,
                amount_minor: 1,
            },
            "which no event has applied for or imported",
        ),
        (
            FundEvent::ProgrammeCut {
                programme: concord_kernel::id::ProgrammeId(uuid::Uuid::from_u128(9)),
                currency: Currency::CNY,
                amount_minor: 1,
            },
            "which no event has opened",
        ),
        (appropriated(P1, 1), "a second time"),
        (applied(G2, FundingMode::Repayable, &lead, "marine"), "a second time"),
        (imported(G3, P2, 1, "2017-01-01"), "a second time"),
        (
            imported(concord_kernel::id::GrantId(uuid::Uuid::from_u128(9)), P1, 1, "2017-01-01"),
            "as the year of programme",
        ),
        (approved(G3, 1), "moves money of programme"),
        (
            FundEvent::ProgrammeSupplemented { programme: P2, currency: Currency::CNY, amount_minor: 1 },
            "moves CNY where the money is in EUR",
        ),
    ];
    for (event, why) in table {
        let mut story = Story::whole();
        story.then("2025-08-01", &event);
        let error = bench.apply(&story.events[END as usize..]).await.unwrap_err();
        assert!(matches!(error, ApplyError::Broken(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("position 18") && text.contains(why), "{text}");
    }
    assert_eq!(bench.dump().await, before);
}
