//! As of which position, which instant and which date: what an answer reflects, and what has none.

use crate::balances::{at, told};
use crate::cluster::Bench;
use crate::story::{END, Story, recorded_at};
use concord_chassis::{grpc, projection::Stopped};
use concord_funding_audit::FundingAudit;
use concord_proto::audit::v1::{
    AsOf, GetProjectionStatusRequest, ListBalancesRequest, ListPostingsRequest, Reflects,
    funding_audit_service_server::FundingAuditService,
};
use std::time::Duration;
use tonic::{Code, Request, Status};

async fn ask(bench: &Bench, as_of: AsOf) -> Result<(Reflects, Vec<(String, i64)>), Status> {
    let mut request =
        Request::new(ListBalancesRequest { as_of: Some(as_of), ..ListBalancesRequest::default() });
    request.set_timeout(Duration::from_millis(500));
    let answer = bench.audit.list_balances(request).await?.into_inner();
    let appropriated =
        answer.totals.into_iter().map(|total| (total.currency, total.appropriated_minor)).collect();
    Ok((answer.reflects.unwrap(), appropriated))
}

#[tokio::test]
async fn a_late_fact_counts_on_its_own_day_once_it_is_known() {
    let bench = told().await;
    let on = |position, effective_on: &str| AsOf {
        position,
        effective_on: effective_on.to_owned(),
        ..AsOf::default()
    };
    // In 2016 the import was true, but it was known only from position 17 on.
    assert_eq!(ask(&bench, on(END - 1, "2016-12-31")).await.unwrap().1, []);
    assert_eq!(ask(&bench, on(END, "2016-12-31")).await.unwrap().1, [("EUR".to_owned(), 500_000)]);
    assert_eq!(ask(&bench, on(END, "2016-04-30")).await.unwrap().1, []);
    // The day itself counts.
    assert_eq!(ask(&bench, on(END - 1, "2025-06-01")).await.unwrap().1, [("CNY".to_owned(), 1_050_000)]);
    let (reflects, appropriated) = ask(&bench, on(0, "2025-05-31")).await.unwrap();
    assert_eq!(appropriated, [("CNY".to_owned(), 1_000_000), ("EUR".to_owned(), 500_000)]);
    assert_eq!((reflects.position, reflects.effective_on.as_str()), (END, "2025-05-31"));
}

#[tokio::test]
async fn an_instant_is_resolved_to_the_last_position_known_at_it() {
    let bench = told().await;
    let known_at = |instant: jiff::Timestamp| AsOf { recorded_at: instant.to_string(), ..AsOf::default() };
    for position in 1..END {
        let (reflects, _) = ask(&bench, known_at(recorded_at(position))).await.unwrap();
        assert_eq!(reflects.position, position, "at the very instant");
        let almost = recorded_at(position + 1) - jiff::SignedDuration::from_micros(1);
        assert_eq!(ask(&bench, known_at(almost)).await.unwrap().0.position, position, "just before the next");
    }
    for unsettled in [recorded_at(END), recorded_at(END + 1)] {
        let status = ask(&bench, known_at(unsettled)).await.unwrap_err();
        assert_eq!(
            (status.code(), grpc::reason(&status).as_str()),
            (Code::OutOfRange, "INSTANT_NOT_SETTLED")
        );
    }
    let status = ask(&bench, known_at(recorded_at(0))).await.unwrap_err();
    assert_eq!((status.code(), grpc::reason(&status).as_str()), (Code::OutOfRange, "NOTHING_KNOWN"));
}

#[tokio::test]
async fn events_recorded_at_one_instant_are_known_together() {
    let mut bench = Bench::new().await;
    let mut events = Story::whole().events;
    for event in &mut events[1..5] {
        let text = String::from_utf8(event.bytes.to_vec()).unwrap();
        let own = format!("\"time\":\"{:.6}\"", recorded_at(event.position));
        assert!(text.contains(&own));
        event.bytes = text.replace(&own, &format!("\"time\":\"{:.6}\"", recorded_at(2))).into();
    }
    // Cut in the middle of them.
    bench.apply(&events[..3]).await.unwrap();
    bench.apply(&events[3..]).await.unwrap();
    let known_at = AsOf { recorded_at: recorded_at(2).to_string(), ..AsOf::default() };
    assert_eq!(ask(&bench, known_at).await.unwrap().0.position, 5);
}

#[tokio::test]
async fn a_position_that_is_not_applied_is_refused_or_waited_for() {
    let mut bench = Bench::new().await;
    let events = Story::whole().events;
    bench.apply(&events[..8]).await.unwrap();
    let status = ask(&bench, AsOf { position: 9_000, ..AsOf::default() }).await.unwrap_err();
    assert_eq!((status.code(), grpc::reason(&status).as_str()), (Code::OutOfRange, "POSITION_NOT_APPLIED"));
    assert!(
        status.message().contains("position 9000 is not applied yet; the projection is at 8"),
        "{status}"
    );

    let status = ask(&bench, AsOf { min_position: 9, ..AsOf::default() }).await.unwrap_err();
    assert_eq!((status.code(), grpc::reason(&status).as_str()), (Code::Unavailable, "POSITION_NOT_REACHED"));
    assert!(status.message().contains("8 is"), "{status}");

    let audit = bench.audit.clone();
    let asked = tokio::spawn(async move {
        let as_of = Some(AsOf { position: 9, min_position: 10, ..AsOf::default() });
        audit
            .list_postings(Request::new(ListPostingsRequest { as_of, ..ListPostingsRequest::default() }))
            .await
    });
    tokio::task::yield_now().await;
    bench.apply(&events[8..]).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().into_inner().reflects.unwrap().position, 9);
}

#[tokio::test]
async fn nobody_waits_for_a_projection_that_has_stopped() {
    let bench = told().await;
    bench.stopped.send_replace(Some(Stopped {
        at: recorded_at(END),
        why: "event 18 cannot be read".to_owned(),
        detail: Some("DETAIL: Key (spend)=(7) already exists.".to_owned()),
    }));
    let request = ListBalancesRequest {
        as_of: Some(AsOf { min_position: END + 1, ..AsOf::default() }),
        ..ListBalancesRequest::default()
    };
    let status = bench.audit.list_balances(Request::new(request)).await.unwrap_err();
    assert_eq!(
        (status.code(), grpc::reason(&status).as_str()),
        (Code::FailedPrecondition, "PROJECTION_STOPPED")
    );
    assert!(status.message().contains("event 18 cannot be read"), "{status}");
    assert!(
        !format!("{status:?}").contains("DETAIL"),
        "what PostgreSQL quotes is for the operator: {status:?}"
    );
    // What is applied is answered all the same.
    assert!(bench.audit.list_balances(Request::new(ListBalancesRequest::default())).await.is_ok());
    let request = ListBalancesRequest { as_of: at(END), ..ListBalancesRequest::default() };
    assert!(bench.audit.list_balances(Request::new(request)).await.is_ok());
}

#[tokio::test]
async fn the_status_says_how_far_it_is_and_whether_the_ledger_balances() {
    let mut bench = Bench::new().await;
    let status = |bench: &Bench| {
        let audit = bench.audit.clone();
        async move {
            let request = GetProjectionStatusRequest::default();
            audit.get_projection_status(Request::new(request)).await.unwrap().into_inner()
        }
    };
    let empty = status(&bench).await;
    assert_eq!((empty.checkpoint, empty.log_head, empty.grants, empty.balanced), (0, 0, 0, true));

    bench.apply(&Story::whole().events).await.unwrap();
    let now = status(&bench).await;
    assert_eq!(now.projection, bench.schema, "the schema that is asked");
    assert_eq!((now.checkpoint, now.log_head, now.lag_seconds), (END, END, 0));
    assert_eq!((now.grants, now.balanced, now.stopped.as_str()), (3, true, ""));
    bench.head.send_replace(END + 5);
    // The newest event is old by now, but nothing has waited since.
    assert_eq!(status(&bench).await.lag_seconds, 0);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!((1..60).contains(&status(&bench).await.lag_seconds));
    bench.applied.send_replace(END + 5);
    assert_eq!(status(&bench).await.lag_seconds, 0);
    bench.applied.send_replace(END);
    assert_eq!(status(&bench).await.lag_seconds, 0, "it counts anew");

    // Money that the ledger lost, and money that an account never had.
    let connection = bench.pool.get().await.unwrap();
    let spoil = |change: &str| format!("BEGIN; SET LOCAL search_path TO {}; {change}; COMMIT", bench.schema);
    for change in [
        "UPDATE postings SET amount_minor = amount_minor + CASE account WHEN 4 THEN -1 ELSE 0 END WHERE position = 17",
        "UPDATE postings SET amount_minor = amount_minor * 2 WHERE position = 9",
    ] {
        connection.batch_execute(&spoil(change)).await.unwrap();
        assert!(!status(&bench).await.balanced, "{change}");
        let back = change.replace("* 2", "/ 2").replace("THEN -1", "THEN 1");
        connection.batch_execute(&spoil(&back)).await.unwrap();
        assert!(status(&bench).await.balanced, "{back}");
    }
}

#[test]
fn each_generation_of_the_log_has_a_schema_of_its_own() {
    assert_eq!(FundingAudit::schema_name(1), "funding_audit_v4");
    assert_eq!(FundingAudit::schema_name(2), "funding_audit_v4_g2");
}
