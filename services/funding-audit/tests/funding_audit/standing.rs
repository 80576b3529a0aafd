//! What an answer says of tables that are not known to be up to date, and of a position inside a decision.

use crate::balances::at;
use crate::cluster::{Bench, verified_at};
use crate::findings::begun;
use crate::life::determined;
use crate::story::{G1, G2, P1, Story, appropriated, approved, recorded_at};
use concord_chassis::{grpc, projection::Stopped};
use concord_events::fund::{Holding, RecoveryCause, Taken};
use concord_kernel::id::RecoveryId;
use concord_proto::audit::v1::{
    ExportControlTestsRequest, ExportCsvRequest, ExportFindingsRequest, ExportTable,
    GetGrantStatementRequest, GetProjectionStatusRequest, ListBalancesRequest, ListClocksRequest,
    ListControlTestsRequest, ListFindingsRequest, ListMatchingRequest, ListOverdueRequest,
    ListPostingsRequest, ListReceivablesRequest, ListSharesRequest, ListUndrawnRequest, PostingFilter,
    Reflects, finding_service_server::FindingService, funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;
use uuid::Uuid;

const DETAIL: &str = "ERROR: duplicate key\nDETAIL: Key (spend)=(7) already exists.";

async fn told() -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&begun().events).await.unwrap();
    bench
}

fn stop(bench: &Bench) {
    bench.head.send_replace(9);
    bench.stopped.send_replace(Some(Stopped {
        at: recorded_at(9),
        why: "PostgreSQL refuses the rows of events 7 to 7 (SQLSTATE 23505)".to_owned(),
        detail: Some(DETAIL.to_owned()),
    }));
}

/// What each kind of answer reflects, files included, and the last cell of each line of the files.
async fn every_answer(bench: &Bench) -> (Vec<Reflects>, Vec<Vec<String>>) {
    let audit = &bench.audit;
    let mut all = Vec::new();
    macro_rules! ask {
        ($call:ident, $request:expr) => {
            all.push(audit.$call(Request::new($request)).await.unwrap().into_inner().reflects.unwrap());
        };
    }
    ask!(list_balances, ListBalancesRequest::default());
    ask!(list_postings, ListPostingsRequest::default());
    ask!(
        get_grant_statement,
        GetGrantStatementRequest { grant_id: G1.to_string(), ..GetGrantStatementRequest::default() }
    );
    ask!(list_undrawn, ListUndrawnRequest::default());
    ask!(list_overdue, ListOverdueRequest::default());
    ask!(list_matching, ListMatchingRequest::default());
    ask!(list_shares, ListSharesRequest::default());
    ask!(list_receivables, ListReceivablesRequest::default());
    ask!(list_clocks, ListClocksRequest::default());
    ask!(list_findings, ListFindingsRequest::default());
    ask!(list_control_tests, ListControlTestsRequest::default());
    let mut files = Vec::new();
    macro_rules! export {
        ($call:ident, $request:expr) => {
            let mut pieces = audit.$call(Request::new($request)).await.unwrap().into_inner();
            let mut file = Vec::new();
            while let Some(piece) = pieces.next().await {
                let piece = piece.unwrap();
                all.extend(piece.reflects);
                file.extend(piece.data);
            }
            let file = String::from_utf8(file).unwrap();
            files.push(file.lines().map(|line| line.rsplit(',').next().unwrap().to_owned()).collect());
        };
    }
    for table in 1..=8 {
        assert!(ExportTable::try_from(table).is_ok());
        export!(export_csv, ExportCsvRequest { table, ..ExportCsvRequest::default() });
    }
    export!(export_findings, ExportFindingsRequest::default());
    export!(export_control_tests, ExportControlTestsRequest::default());
    (all, files)
}

#[tokio::test]
async fn every_answer_of_tables_that_stand_still_says_so_and_what_to_do() {
    let bench = told().await;
    let (before, files) = every_answer(&bench).await;
    assert_eq!((before.len(), files.len()), (21, 10));
    assert!(before.iter().all(|reflects| reflects.standing.is_none()), "up to date");
    assert!(files.iter().all(|file| file[0] != "standing"));

    stop(&bench);
    let (stopped, files) = every_answer(&bench).await;
    assert_eq!(stopped.len(), 21);
    for reflects in stopped {
        let standing = reflects.standing.unwrap();
        assert_eq!((standing.state.as_str(), standing.position, standing.log_head), ("stopped", 6, 9));
        assert_eq!(standing.since, recorded_at(9).to_string());
        for words in ["fund-grant@6", "SQLSTATE 23505", "concord audit status"] {
            assert!(standing.message.contains(words), "{}", standing.message);
        }
        assert!(standing.message_zh.contains("停在fund-grant@6"), "{}", standing.message_zh);
        assert!(!standing.message.contains("DETAIL") && !standing.message.contains("Key ("));
    }
    for file in files {
        assert_eq!(file[0], "standing");
        assert!(file[1..].iter().all(|cell| cell.contains("start it again")), "{file:?}");
    }
    // Whoever operates it reads all of it.
    let status = bench.audit.get_projection_status(Request::new(GetProjectionStatusRequest::default())).await;
    assert!(status.unwrap().into_inner().stopped.ends_with(DETAIL));
}

#[tokio::test]
async fn what_is_not_found_in_tables_that_stand_still_may_be_in_the_log() {
    let bench = told().await;
    let ask = || GetGrantStatementRequest { grant_id: G2.to_string(), ..GetGrantStatementRequest::default() };
    let status = bench.audit.get_grant_statement(Request::new(ask())).await.unwrap_err();
    assert!(!status.message().contains("stopped"), "{status}");
    stop(&bench);
    let status = bench.audit.get_grant_statement(Request::new(ask())).await.unwrap_err();
    assert_eq!((status.code(), grpc::reason(&status).as_str()), (Code::NotFound, "UNKNOWN_GRANT"));
    assert!(status.message().contains("lacks what came later"), "{status}");
    assert_eq!(status.get_details_error_info().unwrap().metadata["standing"], "stopped");
    let filter = Some(PostingFilter { party: "EU-PIC:999999991".to_owned(), ..PostingFilter::default() });
    let request = ListBalancesRequest { filter, ..ListBalancesRequest::default() };
    if let Err(status) = bench.audit.list_balances(Request::new(request)).await {
        assert!(status.message().contains("lacks what came later"), "{status}");
    }
    let request = ListBalancesRequest { as_of: at(8), ..ListBalancesRequest::default() };
    let status = bench.audit.list_balances(Request::new(request)).await.unwrap_err();
    assert_eq!(grpc::reason(&status), "POSITION_NOT_APPLIED");
    assert!(status.message().contains("lacks what came later"), "{status}");
}

#[tokio::test]
async fn tables_that_lag_or_that_nobody_vouches_for_say_so() {
    let bench = told().await;
    let standing = async || {
        let answer = bench.audit.list_balances(Request::new(ListBalancesRequest::default())).await.unwrap();
        answer.into_inner().reflects.unwrap().standing
    };
    let ago = |seconds| Timestamp::now() - SignedDuration::from_secs(seconds);
    bench.verified.send_replace(Some(verified_at(ago(1))));
    bench.head.send_replace(8);
    assert_eq!(standing().await, None, "a moment behind is how it always is");
    let since = ago(60);
    bench.verified.send_replace(Some(verified_at(since)));
    let behind = standing().await.unwrap();
    assert_eq!((behind.state.as_str(), behind.position, behind.log_head), ("behind", 6, 8));
    assert_eq!(behind.since, since.to_string());
    bench.head.send_replace(6);
    let unverified = standing().await.unwrap();
    assert_eq!(unverified.state, "unverified");
    assert!(unverified.message.contains("more may have been recorded"), "{}", unverified.message);
    // It was never vouched for, but it has only just begun.
    bench.verified.send_replace(None);
    assert_eq!(standing().await, None);
}

#[tokio::test]
async fn a_position_inside_a_decision_is_refused_and_the_decisions_last_one_named() {
    let mut story = Story::empty();
    story.then("2025-01-10", &appropriated(P1, 1_000_000));
    let (lead, mode) = (crate::life::lead(), concord_events::fund::FundingMode::NonRepayable);
    for grant in [G1, G2] {
        story.then("2025-02-01", &crate::story::applied(grant, mode, &lead, "marine"));
    }
    // One meeting approves both, from 4 to 5; another decision goes from 6 to 8.
    story.together("2025-03-01", &[approved(G1, 300_000), approved(G2, 200_000)]);
    let determined = |number| {
        let takes = vec![Taken { party: lead.party, from: Holding::Unspent, amount_minor: 1 }];
        determined(RecoveryId(Uuid::from_u128(number)), RecoveryCause::Diverted, takes)
    };
    story.together("2025-04-01", &[determined(1), determined(2), determined(3)]);
    let mut bench = Bench::new().await;
    // The checker cuts the log where it likes.
    for batch in story.events.chunks(2) {
        bench.apply(batch).await.unwrap();
        concord_chassis::projection::Projection::reset(&mut bench.projection);
    }
    let ask = |position| {
        let request = ListBalancesRequest { as_of: at(position), ..ListBalancesRequest::default() };
        bench.audit.list_balances(Request::new(request))
    };
    for position in [1, 2, 3, 5, 8] {
        assert_eq!(ask(position).await.unwrap().into_inner().reflects.unwrap().position, position);
    }
    for (position, first, last) in [(4, 4, 5), (6, 6, 8), (7, 6, 8)] {
        let status = ask(position).await.unwrap_err();
        assert_eq!(
            (status.code(), grpc::reason(&status).as_str()),
            (Code::OutOfRange, "POSITION_INSIDE_DECISION")
        );
        let facts = status.get_details_error_info().unwrap().metadata;
        assert_eq!(
            (&facts["decision_first"], &facts["decision_last"]),
            (&first.to_string(), &last.to_string())
        );
        assert!(status.message().contains(&format!("ask as of {last}")), "{status}");
        assert!(facts["message_zh"].contains("整体反映"), "{facts:?}");
    }
}
