//! Undrawn grants and overdue tranches.

use crate::balances::{at, told};
use crate::cluster::Bench;
use crate::story::{END, G1, G3, Story, date, recorded_at};
use concord_events::fund::{FundEvent, HoldCause, Loss};
use concord_funding_audit::LogClock;
use concord_kernel::id::AgreementId;
use concord_proto::audit::v1::{
    AsOf, ListOverdueRequest, ListOverdueResponse, ListUndrawnRequest, PostingFilter,
    funding_audit_service_server::FundingAuditService,
};
use jiff::{Timestamp, tz};
use tonic::{Code, Request};

#[tokio::test]
async fn undrawn_is_what_is_contracted_and_not_settled() {
    let bench = told().await;
    let answer =
        bench.audit.list_undrawn(Request::new(ListUndrawnRequest::default())).await.unwrap().into_inner();
    let grants: Vec<_> = answer
        .grants
        .iter()
        .map(|grant| {
            let amounts = [grant.contracted_minor, grant.settled_minor, grant.undrawn_minor];
            (
                grant.grant_id.clone(),
                grant.currency.as_str(),
                amounts,
                grant.ends_on.as_str(),
                grant.synthetic,
            )
        })
        .collect();
    assert_eq!(
        grants,
        [
            (G3.to_string(), "EUR", [500_000, 0, 500_000], "", true),
            (G1.to_string(), "CNY", [250_000, 150_000, 100_000], "2026-12-31", false),
        ]
    );
    let totals: Vec<_> =
        answer.totals.iter().map(|total| (total.currency.as_str(), total.amount_minor)).collect();
    assert_eq!(totals, [("CNY", 100_000), ("EUR", 500_000)]);

    // What the bank is paying is not settled yet.
    let request = ListUndrawnRequest { as_of: at(9), ..ListUndrawnRequest::default() };
    let answer = bench.audit.list_undrawn(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.grants[0].undrawn_minor, 250_000);

    for (order_by, first) in
        [("ends_on", G1), ("ends_on desc", G1), ("grant_id desc", G3), ("undrawn_minor asc", G1)]
    {
        let mut request = ListUndrawnRequest {
            order_by: order_by.to_owned(),
            page_size: 1,
            ..ListUndrawnRequest::default()
        };
        let page = bench.audit.list_undrawn(Request::new(request.clone())).await.unwrap().into_inner();
        assert_eq!(page.grants[0].grant_id, first.to_string(), "{order_by}");
        assert_eq!(page.totals.len(), 2, "totals are over all grants, not over the page");
        request.page_token = page.next_page_token;
        let page = bench.audit.list_undrawn(Request::new(request)).await.unwrap().into_inner();
        assert_ne!(page.grants[0].grant_id, first.to_string(), "{order_by}");
        assert!(page.next_page_token.is_empty());
    }

    let request = ListUndrawnRequest {
        filter: Some(PostingFilter { period: "2025-04".to_owned(), ..PostingFilter::default() }),
        ..ListUndrawnRequest::default()
    };
    let status = bench.audit.list_undrawn(Request::new(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "what stands has no period");
}

#[tokio::test]
async fn what_stands_on_a_grant_on_hold_is_told_apart() {
    let mut story = Story::whole();
    let held = |cause| FundEvent::GrantHeld { grant: G1, cause, cause_on: date("2025-08-01") };
    let agreement = AgreementId(uuid::Uuid::from_u128(1));
    let lost = HoldCause::BackingLost { agreement, how: Loss::Terminated, agreement_position: 7 };
    story
        .then("2025-08-02", &held(HoldCause::Office { reason: "audit".to_owned() }))
        .then("2025-08-03", &held(lost))
        .then("2025-08-04", &FundEvent::GrantResumed { grant: G1 });
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    for (position, cause, held_on, on_hold, waits_for) in [
        (END, "", "", vec![], "request"),
        (END + 1, "office", "2025-08-01", vec![("CNY", 100_000)], "resumption"),
        (END + 2, "terminated", "2025-08-01", vec![("CNY", 100_000)], "resumption"),
        (END + 3, "", "", vec![], "request"),
    ] {
        let request = ListUndrawnRequest { as_of: at(position), ..ListUndrawnRequest::default() };
        let answer = bench.audit.list_undrawn(Request::new(request)).await.unwrap().into_inner();
        let g1 = answer.grants.iter().find(|grant| grant.grant_id == G1.to_string()).unwrap();
        assert_eq!((g1.hold_cause.as_str(), g1.held_on.as_str()), (cause, held_on), "{position}");
        let totals: Vec<_> =
            answer.on_hold_totals.iter().map(|total| (total.currency.as_str(), total.amount_minor)).collect();
        assert_eq!(totals, on_hold, "{position}");
        assert_eq!(answer.totals.len(), 2, "the totals are over all");
        let answer = overdue(&bench, position, "2026-01-01").await;
        let g1 = answer.tranches.iter().find(|tranche| tranche.grant_id == G1.to_string()).unwrap();
        assert_eq!(g1.waits_for, waits_for, "{position}");
    }
    // As of a day before the hold, whatever is known since.
    let as_of = Some(AsOf { position: END + 2, effective_on: "2025-08-02".to_owned(), ..AsOf::default() });
    let request = ListUndrawnRequest { as_of, ..ListUndrawnRequest::default() };
    let answer = bench.audit.list_undrawn(Request::new(request)).await.unwrap().into_inner();
    let g1 = answer.grants.iter().find(|grant| grant.grant_id == G1.to_string()).unwrap();
    assert_eq!(g1.hold_cause, "office");
}

async fn overdue(bench: &Bench, position: u64, on: &str) -> ListOverdueResponse {
    let request =
        ListOverdueRequest { as_of: at(position), on: on.to_owned(), ..ListOverdueRequest::default() };
    bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner()
}

fn shown(answer: &ListOverdueResponse) -> Vec<(String, u32, i64, i32, &str)> {
    answer
        .tranches
        .iter()
        .map(|tranche| {
            let days = tranche.days_overdue;
            let id = tranche.grant_id.clone();
            (id, tranche.tranche_number, tranche.amount_minor, days, tranche.waits_for.as_str())
        })
        .collect()
}

#[tokio::test]
async fn overdue_tranches_are_aged_and_say_what_they_wait_for() {
    let bench = told().await;
    let answer = overdue(&bench, END, "2026-01-01").await;
    assert_eq!(
        shown(&answer),
        [(G3.to_string(), 1, 500_000, 3_287, "request"), (G1.to_string(), 2, 100_000, 1, "request")]
    );
    assert_eq!((answer.on.as_str(), answer.tranches[0].synthetic), ("2026-01-01", true));
    let totals: Vec<_> =
        answer.totals.iter().map(|total| (total.currency.as_str(), total.amount_minor)).collect();
    assert_eq!(totals, [("CNY", 100_000), ("EUR", 500_000)]);

    // The due date itself is in time.
    assert_eq!(overdue(&bench, END - 1, "2025-12-31").await.tranches, []);

    // The first tranche on the day after it was due, as it stood at each position.
    let g1 = |days, waits_for| vec![(G1.to_string(), 1, 150_000, days, waits_for)];
    for (position, waits_for) in [
        (6, "request"),
        (7, "authorisation"),
        (8, "instruction"),
        (9, "settlement"),
        (11, "instruction"),
        (12, "settlement"),
    ] {
        let answer = overdue(&bench, position, "2025-05-02").await;
        assert_eq!(shown(&answer), g1(1, waits_for), "position {position}");
    }
    for position in [5, 10, 13] {
        assert_eq!(overdue(&bench, position, "2025-05-02").await.tranches, [], "position {position}");
    }

    // As it was on a date: known today, true then.
    let request = ListOverdueRequest {
        as_of: Some(AsOf { effective_on: "2025-04-09".to_owned(), ..AsOf::default() }),
        filter: Some(PostingFilter { lead_region: "21".to_owned(), ..PostingFilter::default() }),
        on: "2025-05-02".to_owned(),
        ..ListOverdueRequest::default()
    };
    let answer = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(shown(&answer), g1(1, "instruction"));
}

#[tokio::test]
async fn pages_of_overdue_tranches_keep_the_day_of_the_first_one() {
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-12-31") }).await;
    let mut story = Story::whole();
    bench.apply(&story.events).await.unwrap();
    let answer = overdue(&bench, END, "").await;
    assert_eq!(answer.on, "2025-12-31", "the clock has not moved since the log was created");
    assert_eq!(answer.tranches.len(), 1);

    story.then("2026-01-20", &FundEvent::TodayAdvanced { today: date("2026-01-20") });
    story.then("2026-02-20", &FundEvent::TodayAdvanced { today: date("2026-02-20") });
    bench.apply(&story.events[17..18]).await.unwrap();
    let mut request = ListOverdueRequest { page_size: 1, ..ListOverdueRequest::default() };
    let first = bench.audit.list_overdue(Request::new(request.clone())).await.unwrap().into_inner();
    assert_eq!(
        (first.on.as_str(), first.tranches[0].grant_id.as_str()),
        ("2026-01-20", G3.to_string().as_str())
    );

    bench.apply(&story.events[18..]).await.unwrap();
    request.page_token = first.next_page_token;
    let second = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((second.on.as_str(), second.tranches[0].days_overdue), ("2026-01-20", 20));
    assert!(second.next_page_token.is_empty());
    assert_eq!(overdue(&bench, 0, "").await.on, "2026-02-20");
    assert_eq!(overdue(&bench, END + 1, "").await.on, "2026-01-20", "the day is that of the position");
}

#[tokio::test]
async fn without_a_day_ages_are_counted_from_the_day_of_the_point() {
    let day = async |bench: &Bench, as_of: AsOf| {
        let request = ListOverdueRequest { as_of: Some(as_of), ..ListOverdueRequest::default() };
        bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner().on
    };
    let on = |position, effective_on: &str| AsOf {
        position,
        effective_on: effective_on.to_owned(),
        ..AsOf::default()
    };

    // The system's clock. Position 18 is recorded in the evening of one day in UTC, on the next one in Shanghai.
    let mut bench = Bench::new().await;
    let mut story = Story::whole();
    story.then("2026-01-05", &FundEvent::TodayAdvanced { today: date("2020-01-01") });
    let event = story.events.last_mut().unwrap();
    let text = String::from_utf8(event.bytes.to_vec()).unwrap();
    event.bytes = text.replace(&format!("{:.6}", recorded_at(END + 1)), "2026-01-09T16:30:00Z").into();
    bench.apply(&story.events).await.unwrap();
    assert_eq!(day(&bench, on(END, "")).await, "2026-01-05");
    assert_eq!(day(&bench, on(END + 1, "")).await, "2026-01-10");
    let known_at = AsOf { recorded_at: "2026-01-08T00:00:00Z".to_owned(), ..AsOf::default() };
    assert_eq!(day(&bench, known_at).await, "2026-01-05", "the newest event that was known then");
    assert_eq!(day(&bench, on(0, "2025-06-01")).await, "2025-06-01");
    assert_eq!(day(&bench, on(END, "2025-06-01")).await, "2025-06-01");
    let today = || Timestamp::now().to_zoned(tz::TimeZone::fixed(tz::offset(8))).date().to_string();
    let (before, answered, after) = (today(), day(&bench, AsOf::default()).await, today());
    assert!(answered == before || answered == after, "{answered}");

    // The played clock.
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-12-31") }).await;
    bench.apply(&story.events).await.unwrap();
    assert_eq!(day(&bench, on(END, "")).await, "2025-12-31");
    assert_eq!(day(&bench, on(0, "")).await, "2020-01-01");
    assert_eq!(day(&bench, on(END, "2025-06-01")).await, "2025-06-01");
}
