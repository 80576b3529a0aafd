//! The lines of the ledger, page by page and as one grant's statement.

use crate::balances::{amounts, at, faults, told};
use crate::cluster::Bench;
use crate::story::{END, G1, G3, Story, party};
use concord_proto::audit::v1::{
    GetGrantStatementRequest, ListPostingsRequest, Posting, PostingFilter,
    funding_audit_service_server::FundingAuditService,
};
use concord_proto::r#type::v1::FundingMode;
use tonic::{Code, Request};
use uuid::Uuid;

#[tokio::test]
async fn pages_of_postings_join_without_gap_or_overlap_while_the_log_goes_on() {
    let mut bench = Bench::new().await;
    let events = Story::whole().events;
    bench.apply(&events[..13]).await.unwrap();
    let mut request = ListPostingsRequest { page_size: 3, ..ListPostingsRequest::default() };
    let mut postings: Vec<Posting> = Vec::new();
    loop {
        let page = bench.audit.list_postings(Request::new(request.clone())).await.unwrap().into_inner();
        assert_eq!(page.reflects.unwrap().position, 13);
        postings.extend(page.postings);
        if *bench.applied.borrow() < END {
            bench.apply(&events[13..]).await.unwrap();
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let places: Vec<(u64, u32)> = postings.iter().map(|line| (line.position, line.line)).collect();
    // The contract has four lines: committed and reserved, and what was not contracted from reserved to available.
    let mut expected = vec![];
    for (position, lines) in [(1, 2), (4, 2), (5, 2), (6, 4), (9, 2), (10, 2), (11, 2), (12, 2), (13, 2)] {
        expected.extend((1..=lines).map(|line| (position, line)));
    }
    assert_eq!(places, expected);

    let synthetic = postings.iter().filter(|line| line.synthetic).count();
    assert_eq!(synthetic, 0, "neither the programme's own lines nor those of grants with facts of their own");
    let returned = &postings[14];
    assert_eq!(returned.event_type, "concord.fund.v1.PaymentReturned");
    assert_eq!((returned.account.as_str(), returned.amount_minor), ("committed", 150_000));
    assert_eq!((returned.effective_on.as_str(), returned.period.as_str()), ("2025-04-08", "2025-04"));
    assert_eq!(returned.recorded_at, "2026-01-05T00:11:00Z");
    assert_eq!(returned.mode(), FundingMode::NonRepayable);
    assert_eq!((returned.year, returned.industry.as_str()), (2025, "new_materials"));
    assert_eq!(returned.party_id, party("1", "210100", "").party.to_string());

    // A page belongs to its question.
    request.filter = Some(PostingFilter { year: 2025, ..PostingFilter::default() });
    let status = bench.audit.list_postings(Request::new(request)).await.unwrap_err();
    assert_eq!(faults(&status), ["page_token"]);
}

#[tokio::test]
async fn a_statement_runs_each_account_and_closes_on_its_balances() {
    let bench = told().await;
    let request = GetGrantStatementRequest { grant_id: G1.to_string(), as_of: None };
    let statement = bench.audit.get_grant_statement(Request::new(request)).await.unwrap().into_inner();
    let lines: Vec<(u64, String, i64, i64)> = statement
        .lines
        .iter()
        .map(|line| {
            let posting = line.posting.as_ref().unwrap();
            (posting.position, posting.account.clone(), posting.amount_minor, line.balance_minor)
        })
        .collect();
    let expected = [
        (4, "reserved", 300_000, 300_000),
        (6, "committed", 250_000, 250_000),
        (6, "reserved", -250_000, 50_000),
        (6, "reserved", -50_000, 0),
        (9, "instructed", 150_000, 150_000),
        (9, "committed", -150_000, 100_000),
        (10, "recipient_unspent", 150_000, 150_000),
        (10, "instructed", -150_000, 0),
        (11, "committed", 150_000, 250_000),
        (11, "recipient_unspent", -150_000, 0),
        (12, "instructed", 150_000, 150_000),
        (12, "committed", -150_000, 100_000),
        (13, "recipient_unspent", 150_000, 150_000),
        (13, "instructed", -150_000, 0),
    ];
    let expected: Vec<_> =
        expected.map(|(p, account, amount, after)| (p, account.to_owned(), amount, after)).into();
    assert_eq!(lines, expected);
    assert_eq!(amounts(&statement.closing.unwrap()), ("CNY", [0, 0, 0, 100_000, 0, 150_000, 150_000], 1));
    assert!(!statement.migrated && !statement.synthetic);

    let request = GetGrantStatementRequest { grant_id: G3.to_string(), as_of: None };
    let statement = bench.audit.get_grant_statement(Request::new(request)).await.unwrap().into_inner();
    assert!(statement.migrated && statement.synthetic);
    assert!(statement.lines.iter().all(|line| line.posting.as_ref().unwrap().synthetic));
    assert_eq!(statement.closing.as_ref().unwrap().synthetic_grants, 1);
    assert_eq!(statement.lines[1].balance_minor, -500_000, "the treasury's balance keeps its sign");
    assert_eq!(statement.closing.unwrap().appropriated_minor, 500_000);

    for (grant, position) in [(Uuid::from_u128(9), END), (G3.0, END - 1)] {
        let request = GetGrantStatementRequest { grant_id: grant.to_string(), as_of: at(position) };
        let status = bench.audit.get_grant_statement(Request::new(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{grant}");
    }
}
