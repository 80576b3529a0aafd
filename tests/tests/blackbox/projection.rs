//! The audit is a function of the log: rebuilt, it says the same; asked about a point, it answers that point or not at all.

use concord_proto::audit::v1::{
    AsOf, Dimension, ExportCsvRequest, ExportTable, GetGrantStatementRequest, GetGrantStatementResponse,
    GetProjectionStatusRequest, ListBalancesRequest, ListBalancesResponse,
};
use concord_proto::fund::v1::{
    ApproveGrantsRequest, Award, GetGrantRequest, TrancheCondition, WithdrawGrantRequest,
};
use concord_tests::desk::{APPLICANT, CLERK, DIRECTOR, Desk, at, at_and_on, by, fields, plain, reason};
use concord_tests::record::{postgres, read_log};
use concord_tests::requests::{Receipt, award, company_abroad, fen, header, header_on, id, tranche};
use concord_tests::stack::Stack;
use std::sync::OnceLock;
use tonic::{Code, Request};

async fn desk() -> Desk {
    static STACK: OnceLock<Stack> = OnceLock::new();
    Desk::at(STACK.get_or_init(|| Stack::start().unwrap())).await.unwrap()
}

/// Some money on every account that imports and approvals reach; returns the grants.
async fn furnish(desk: &Desk) -> Vec<String> {
    let programme = desk.programme(10_000).await.unwrap();
    let old = id();
    let mut grants = Vec::new();
    for number in 1..=30 {
        let grant_id = id();
        let mut request = award(&old, &grant_id, 1_000 + number);
        request.header = header_on(if number % 3 == 0 { "2016-09-01" } else { "2016-07-01" });
        if number % 2 == 0 {
            request.lead = company_abroad();
        }
        request.title = format!("历史项目 {number}, \"quoted\"");
        request.tranches = vec![
            tranche(1, 600, TrancheCondition::Contract, "2016-12-31"),
            tranche(2, 400 + number, TrancheCondition::FinalAcceptance, "2018-12-31"),
        ];
        desk.grants().import_award(by(CLERK, request)).await.unwrap();
        grants.push(grant_id);
    }
    let mut awards = Vec::new();
    for amount in [300, 200] {
        let grant_id = desk.grant_on_notice(&programme, amount).await.unwrap();
        grants.push(grant_id.clone());
        awards.push(Award { grant_id, amount: fen(amount), expected_version: None });
    }
    let withdrawn = awards[1].grant_id.clone();
    let meeting = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards };
    desk.grants().approve_grants(by(DIRECTOR, meeting)).await.unwrap();
    let request = WithdrawGrantRequest { header: header(), grant_id: withdrawn, reason: "撤回".into() };
    desk.grants().withdraw_grant(by(APPLICANT, request)).await.unwrap();
    grants
}

/// All that the audit says about a point: every table, balances in several groupings, statements.
#[derive(Debug, PartialEq)]
struct Said {
    tables: Vec<String>,
    balances: Vec<ListBalancesResponse>,
    statements: Vec<Option<GetGrantStatementResponse>>,
}

async fn said(desk: &Desk, as_of: Option<AsOf>, grants: &[String]) -> Said {
    use Dimension::{Grant, LeadRegion, Mode, Party, Period, Programme, Year};
    let groupings: [&[Dimension]; 4] =
        [&[], &[Programme, LeadRegion, Period], &[Grant], &[Year, Mode, Party]];
    let mut said = Said { tables: Vec::new(), balances: Vec::new(), statements: Vec::new() };
    for group_by in groupings {
        let group_by: Vec<i32> = group_by.iter().map(|one| (*one).into()).collect();
        let asked =
            ListBalancesRequest { as_of: as_of.clone(), group_by: group_by.clone(), ..Default::default() };
        said.balances.push(desk.audit().list_balances(plain(asked)).await.unwrap().into_inner());
        let table = ExportTable::Balances.into();
        said.tables.push(
            desk.export(ExportCsvRequest { table, as_of: as_of.clone(), group_by, ..Default::default() })
                .await
                .unwrap(),
        );
    }
    for table in [ExportTable::Postings, ExportTable::Undrawn, ExportTable::Overdue, ExportTable::Clocks] {
        let aged = [ExportTable::Overdue, ExportTable::Clocks].contains(&table);
        let on = if aged { "2017-04-01".to_owned() } else { String::new() };
        let asked = ExportCsvRequest { table: table.into(), as_of: as_of.clone(), on, ..Default::default() };
        said.tables.push(desk.export(asked).await.unwrap());
    }
    for grant_id in grants {
        let asked = GetGrantStatementRequest { grant_id: grant_id.clone(), as_of: as_of.clone() };
        said.statements
            .push(desk.audit().get_grant_statement(plain(asked)).await.ok().map(tonic::Response::into_inner));
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilt_from_nothing_the_audit_says_the_same_to_the_byte() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let grants = furnish(&desk).await;
    let head = desk.status().await.unwrap().head;
    let points =
        [at(head), at(head / 2), at(1), at_and_on(head, "2016-08-01"), at_and_on(head / 2, "2017-03-27")];
    let mut before = Vec::new();
    for point in &points {
        before.push(said(&desk, point.clone(), &grants).await);
    }
    assert_ne!(before[0], before[1]);

    // The process is gone and PostgreSQL is not, so that its tables can be taken away meanwhile.
    stack.kill().unwrap();
    let client = postgres(&stack, "funding_audit").await.unwrap();
    let rows = client
        .query("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')", &[])
        .await
        .unwrap();
    assert!(!rows.is_empty(), "a projection has a schema of its own");
    for row in rows {
        let schema: String = row.get(0);
        client.batch_execute(&format!("DROP SCHEMA \"{schema}\" CASCADE")).await.unwrap();
    }
    drop(client);
    stack.up().unwrap();

    let desk = Desk::at(&stack).await.unwrap();
    for (point, before) in points.iter().zip(&before) {
        assert_eq!(said(&desk, point.clone(), &grants).await, *before, "{point:?}");
    }
    // And what comes after does not change what was said about before.
    furnish(&desk).await;
    for (point, before) in points.iter().zip(&before) {
        assert_eq!(said(&desk, point.clone(), &grants).await, *before, "{point:?}");
    }
    let asked = GetProjectionStatusRequest { min_position: desk.status().await.unwrap().head };
    let status = desk.audit().get_projection_status(plain(asked)).await.unwrap().into_inner();
    assert!(status.balanced && status.stopped.is_empty() && status.grants == 64, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_applied_yet_is_an_error_and_never_an_approximation() {
    let desk = desk().await;
    desk.programme(1_000).await.unwrap();
    let beyond = desk.status().await.unwrap().head + 1_000_000;
    let as_of = Some(AsOf { position: beyond, ..AsOf::default() });
    let status = desk
        .audit()
        .list_balances(plain(ListBalancesRequest { as_of: as_of.clone(), ..Default::default() }))
        .await;
    let status = status.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::OutOfRange, "POSITION_NOT_APPLIED"));
    let asked = ExportCsvRequest { table: ExportTable::Postings.into(), as_of, ..Default::default() };
    let refused = match desk.audit().export_csv(plain(asked)).await {
        Ok(mut pieces) => pieces.get_mut().message().await.unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(refused.code(), Code::OutOfRange);

    // Waited for in vain.
    let mut asked: Request<ListBalancesRequest> =
        Request::new(ListBalancesRequest { as_of: at(beyond), ..Default::default() });
    asked.metadata_mut().insert("grpc-timeout", "1S".parse().unwrap());
    let status = desk.audit().list_balances(asked).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "POSITION_NOT_REACHED"));
    let mut asked = Request::new(GetGrantRequest { grant_id: id(), min_position: beyond });
    asked.metadata_mut().insert("grpc-timeout", "1S".parse().unwrap());
    assert_eq!(desk.grants().get_grant(asked).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_min_position_waits_until_it_is_there() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let next = desk.status().await.unwrap().head + 1;
    let waiting = {
        let desk = desk.clone();
        tokio::spawn(async move {
            let as_of = Some(AsOf { min_position: next, ..AsOf::default() });
            desk.audit().list_balances(plain(ListBalancesRequest { as_of, ..Default::default() })).await
        })
    };
    tokio::task::yield_now().await;
    assert_eq!(desk.supplement(&programme, &id(), 5).await.unwrap().last_position, next);
    let answer = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.reflects.unwrap().position, next);
    assert_eq!(answer.totals[0].appropriated_minor, 1_005);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_is_resolved_to_the_position_that_was_known_then() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let ask = async |recorded_at: &str| {
        let as_of = Some(AsOf { recorded_at: recorded_at.to_owned(), ..AsOf::default() });
        desk.audit().list_balances(plain(ListBalancesRequest { as_of, ..Default::default() })).await
    };
    let programme = desk.programme(1_000).await.unwrap();
    for _ in 0..4 {
        desk.supplement(&programme, &id(), 1).await.unwrap();
    }
    let head = desk.status().await.unwrap().head;
    let asked = GetProjectionStatusRequest { min_position: head };
    desk.audit().get_projection_status(plain(asked)).await.unwrap();
    let log = read_log(&desk, 1, head).await.unwrap();
    let answer = ask(&log[2].attribute("time")).await.unwrap().into_inner();
    assert_eq!(answer.reflects.unwrap().position, 3);
    assert_eq!(answer.totals[0].appropriated_minor, 1_002);
    for (instant, expected) in [
        ("2000-01-01T00:00:00Z", "NOTHING_KNOWN"),
        ("2100-01-01T00:00:00Z", "INSTANT_NOT_SETTLED"),
        (&log[4].attribute("time"), "INSTANT_NOT_SETTLED"),
    ] {
        let status = ask(instant).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::OutOfRange, expected), "{instant}");
    }
    assert_eq!(fields(&ask("yesterday").await.unwrap_err()), ["as_of.recorded_at"]);
    let both = Some(AsOf { position: 1, recorded_at: log[2].attribute("time"), ..AsOf::default() });
    let status =
        desk.audit().list_balances(plain(ListBalancesRequest { as_of: both, ..Default::default() })).await;
    assert_eq!(fields(&status.unwrap_err()), ["as_of.recorded_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_read_back_at_once_with_its_own_position() {
    let desk = desk().await;
    for _ in 0..20 {
        let (programme, grant_id) = (id(), id());
        let receipt =
            desk.grants().import_award(by(CLERK, award(&programme, &grant_id, 77))).await.unwrap().receipt();
        let asked = GetGrantStatementRequest { grant_id, as_of: at(receipt.last_position) };
        let statement = desk.audit().get_grant_statement(plain(asked)).await.unwrap().into_inner();
        assert_eq!(statement.closing.unwrap().committed_minor, 77);
        assert!(statement.migrated && statement.synthetic);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_right_is_told_field_by_field() {
    let desk = desk().await;
    let filter = concord_proto::audit::v1::PostingFilter {
        programme_id: "x".into(),
        mode: 99,
        lead_region: "Liaoning".into(),
        industry: "alchemy".into(),
        year: -1,
        period: "2017-13".into(),
        party: "CN-USCC:91350100M000100Y4Z".into(),
        currency: "fen".into(),
        ..Default::default()
    };
    let asked = ListBalancesRequest {
        as_of: Some(AsOf { effective_on: "2017-02-29".into(), ..AsOf::default() }),
        filter: Some(filter),
        group_by: vec![0, 1, 1, 2, 3],
        order_by: "amount; DROP TABLE postings".into(),
        page_size: -1,
        page_token: "x".into(),
    };
    let status = desk.audit().list_balances(plain(asked)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let expected = [
        "as_of.effective_on",
        "filter.currency",
        "filter.industry",
        "filter.lead_region",
        "filter.mode",
        "filter.party",
        "filter.period",
        "filter.programme_id",
        "filter.year",
        "group_by",
        "order_by",
        "page_size",
        "page_token",
    ];
    assert_eq!(fields(&status), expected, "{status:?}");
}
