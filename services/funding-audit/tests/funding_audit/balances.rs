//! Balances, postings and statements of the story, worked out by hand.

use crate::cluster::Bench;
use crate::story::{END, G1, G2, G3, P1, P2, Story, imported, party};
use concord_kernel::id::GrantId;
use concord_proto::audit::v1::{
    AsOf, Balance, Dimension, ListBalancesRequest, PostingFilter,
    funding_audit_service_server::FundingAuditService,
};
use concord_proto::r#type::v1::FundingMode;
use tonic::{Code, Request, Status};
use uuid::Uuid;

pub(crate) async fn told() -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&Story::whole().events).await.unwrap();
    bench
}

/// Currency and amounts in the order of the columns, then the number of grants.
pub(crate) fn amounts(balance: &Balance) -> (&str, [i64; 7], i64) {
    let amounts = [
        balance.appropriated_minor,
        balance.available_minor,
        balance.reserved_minor,
        balance.committed_minor,
        balance.instructed_minor,
        balance.recipient_unspent_minor,
        balance.settled_minor,
    ];
    (&balance.currency, amounts, balance.grants)
}

pub(crate) fn at(position: u64) -> Option<AsOf> {
    Some(AsOf { position, ..AsOf::default() })
}

async fn total(bench: &Bench, position: u64) -> Vec<Balance> {
    let request = ListBalancesRequest { as_of: at(position), ..ListBalancesRequest::default() };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.balances.len(), answer.totals.len());
    assert_eq!(answer.reflects.unwrap().as_of, format!("fund-grant@{position}"));
    answer.totals
}

#[tokio::test]
async fn every_step_of_a_grant_moves_the_money_along_the_chain() {
    let bench = told().await;
    // Appropriated, available, reserved, committed, instructed, recipient unspent; settled.
    let steps: [(u64, [i64; 7], i64); 11] = [
        (1, [1_000_000, 1_000_000, 0, 0, 0, 0, 0], 0),
        (4, [1_000_000, 700_000, 300_000, 0, 0, 0, 0], 1),
        (5, [1_000_000, 500_000, 500_000, 0, 0, 0, 0], 2),
        (6, [1_000_000, 550_000, 200_000, 250_000, 0, 0, 0], 2),
        (9, [1_000_000, 550_000, 200_000, 100_000, 150_000, 0, 0], 2),
        (10, [1_000_000, 550_000, 200_000, 100_000, 0, 150_000, 150_000], 2),
        (11, [1_000_000, 550_000, 200_000, 250_000, 0, 0, 0], 2),
        (13, [1_000_000, 550_000, 200_000, 100_000, 0, 150_000, 150_000], 2),
        (14, [1_000_000, 750_000, 0, 100_000, 0, 150_000, 150_000], 2),
        (15, [1_050_000, 800_000, 0, 100_000, 0, 150_000, 150_000], 2),
        (16, [1_030_000, 780_000, 0, 100_000, 0, 150_000, 150_000], 2),
    ];
    for (position, expected, grants) in steps {
        let totals = total(&bench, position).await;
        assert_eq!(totals.len(), 1, "position {position}");
        assert_eq!(amounts(&totals[0]), ("CNY", expected, grants), "position {position}");
        assert_eq!(
            expected[0],
            expected[1..6].iter().sum::<i64>(),
            "appropriated is the sum of all the others"
        );
    }
}

#[tokio::test]
async fn currencies_are_never_added_up() {
    let bench = told().await;
    let totals = total(&bench, END).await;
    // The import's facts are made up, the others' are not.
    assert_eq!(totals.iter().map(|total| total.synthetic_grants).collect::<Vec<_>>(), [0, 1]);
    let totals: Vec<_> = totals.iter().map(amounts).collect();
    assert_eq!(
        totals,
        [
            ("CNY", [1_030_000, 780_000, 0, 100_000, 0, 150_000, 150_000], 2),
            ("EUR", [500_000, 0, 0, 500_000, 0, 0, 0], 1),
        ]
    );
}

#[tokio::test]
async fn balances_are_grouped_by_up_to_three_dimensions_and_named_for_people() {
    let bench = told().await;
    let request = ListBalancesRequest {
        group_by: vec![Dimension::Mode.into(), Dimension::LeadRegion.into(), Dimension::Programme.into()],
        order_by: "committed_minor desc".to_owned(),
        ..ListBalancesRequest::default()
    };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    let groups: Vec<_> =
        answer.balances.iter().map(|balance| (balance.group.clone(), balance.labels.clone())).collect();
    let (p1, p2) = (P1.to_string(), P2.to_string());
    let expected = [
        (["non_repayable", "DE", &p2], ["无偿资助", "DE", "h2020 2016"]),
        (["non_repayable", "210100", &p1], ["无偿资助", "沈阳市", "2025 年专项引导资金"]),
        (["", "", &p1], ["", "", "2025 年专项引导资金"]),
        (["loan_interest_subsidy", "210200", &p1], ["贷款贴息", "大连市", "2025 年专项引导资金"]),
    ];
    assert_eq!(answer.balances.iter().map(|group| group.synthetic_grants).collect::<Vec<_>>(), [1, 0, 0, 0]);
    for (group, (values, labels)) in groups.iter().zip(expected) {
        assert_eq!(group.0, values);
        assert_eq!(group.1, labels);
    }
    assert_eq!(groups.len(), 4);
    // What is available is the programme's, under no mode and no region: no share of it is ever below nothing.
    assert_eq!(amounts(&answer.balances[1]), ("CNY", [0, 0, 0, 100_000, 0, 150_000, 150_000], 1));
    assert_eq!(amounts(&answer.balances[2]), ("CNY", [1_030_000, 780_000, 0, 0, 0, 0, 0], 0));
    assert_eq!(amounts(&answer.balances[3]), ("CNY", [0; 7], 1));
}

#[tokio::test]
async fn every_dimension_can_be_grouped_by() {
    let bench = told().await;
    let lead = party("1", "210100", "").party.to_string();
    let cases = [
        (Dimension::PartyRegion, "210100", "沈阳市"),
        (Dimension::Industry, "new_materials", "新材料"),
        (Dimension::Year, "2016", "2016"),
        (Dimension::Period, "2025-04", "2025-04"),
        (Dimension::Grant, &G3.to_string(), "Sea, \"wind\" and sun"),
        (Dimension::Party, &lead, "甲公司"),
    ];
    for (dimension, value, label) in cases {
        let request =
            ListBalancesRequest { group_by: vec![dimension.into()], ..ListBalancesRequest::default() };
        let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
        let found = answer.balances.iter().find(|balance| balance.group == [value]);
        assert_eq!(found.unwrap_or_else(|| panic!("no {value}: {answer:?}")).labels, [label]);
    }
}

#[tokio::test]
async fn filters_narrow_what_is_summed() {
    let bench = told().await;
    let lead = party("1", "210100", "");
    let filter = |change: &dyn Fn(&mut PostingFilter)| {
        let mut filter = PostingFilter::default();
        change(&mut filter);
        filter
    };
    // Settled, committed, grants.
    let cases = [
        (filter(&|f| f.programme_id = P1.to_string()), "CNY", [150_000, 100_000, 2]),
        (filter(&|f| f.mode = FundingMode::LoanInterestSubsidy.into()), "CNY", [0, 0, 1]),
        (filter(&|f| f.lead_region = "21".to_owned()), "CNY", [150_000, 100_000, 2]),
        (filter(&|f| f.lead_region = "2101".to_owned()), "CNY", [150_000, 100_000, 1]),
        (filter(&|f| f.party_region = "DE".to_owned()), "EUR", [0, 500_000, 1]),
        (filter(&|f| f.industry = "new_materials".to_owned()), "CNY", [150_000, 100_000, 1]),
        (filter(&|f| f.year = 2016), "EUR", [0, 500_000, 1]),
        (filter(&|f| f.period = "2025-04".to_owned()), "CNY", [150_000, -150_000, 1]),
        (filter(&|f| f.grant_id = G1.to_string()), "CNY", [150_000, 100_000, 1]),
        (filter(&|f| f.party = lead.party.to_string()), "CNY", [150_000, 100_000, 1]),
        (filter(&|f| f.party = lead.code.to_string()), "CNY", [150_000, 100_000, 1]),
        (filter(&|f| f.currency = "EUR".to_owned()), "EUR", [0, 500_000, 1]),
    ];
    for (filter, currency, expected) in cases {
        let request = ListBalancesRequest { filter: Some(filter.clone()), ..ListBalancesRequest::default() };
        let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.totals.len(), 1, "{filter:?}");
        let total = &answer.totals[0];
        assert_eq!(total.currency, currency, "{filter:?}");
        assert_eq!([total.settled_minor, total.committed_minor, total.grants], expected, "{filter:?}");
    }
    let nothing = filter(&|f| f.grant_id = Uuid::from_u128(9).to_string());
    let request = ListBalancesRequest { filter: Some(nothing), ..ListBalancesRequest::default() };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    assert!(answer.balances.is_empty() && answer.totals.is_empty());
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_by_field_all_at_once() {
    let bench = told().await;
    let request = ListBalancesRequest {
        as_of: Some(AsOf { position: 3, recorded_at: "2026-01-05T00:00:00Z".to_owned(), ..AsOf::default() }),
        filter: Some(PostingFilter {
            lead_region: "21%".to_owned(),
            industry: "steel".to_owned(),
            period: "2025-13".to_owned(),
            party: "nobody".to_owned(),
            ..PostingFilter::default()
        }),
        group_by: vec![1, 1, 99],
        order_by: "1; DROP TABLE postings".to_owned(),
        page_size: -1,
        page_token: "x".to_owned(),
    };
    let status = bench.audit.list_balances(Request::new(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<String> = faults(&status);
    let expected = [
        "as_of.recorded_at",
        "filter.lead_region",
        "filter.industry",
        "filter.period",
        "filter.party",
        "group_by",
        "group_by",
        "order_by",
        "page_size",
        "page_token",
    ];
    assert_eq!(fields, expected);
}

pub(crate) fn faults(status: &Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    let details = status.get_details_bad_request().unwrap();
    details.field_violations.into_iter().map(|fault| fault.field).collect()
}

#[tokio::test]
async fn a_code_that_names_nobody_is_not_found_rather_than_an_empty_answer() {
    let bench = told().await;
    let third = party("3", "DE", "").code.to_string();
    let filter = Some(PostingFilter { party: third, ..PostingFilter::default() });
    let request =
        |position| ListBalancesRequest { as_of: at(position), filter: filter.clone(), ..Default::default() };
    let status = bench.audit.list_balances(Request::new(request(END - 1))).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("at position 16"), "{status}");
    assert!(bench.audit.list_balances(Request::new(request(END))).await.is_ok());
}

#[tokio::test]
async fn pages_of_balances_are_of_one_answer_and_totals_are_over_all_groups() {
    let mut bench = told().await;
    let mut request = ListBalancesRequest {
        group_by: vec![Dimension::Grant.into()],
        order_by: "grant_id desc".to_owned(),
        page_size: 1,
        ..ListBalancesRequest::default()
    };
    let mut groups = Vec::new();
    let mut later = Story::whole();
    later.then("2016-06-01", &imported(GrantId(Uuid::from_u128(0x204)), P2, 7, "2017-01-01"));
    loop {
        let page = bench.audit.list_balances(Request::new(request.clone())).await.unwrap().into_inner();
        groups.extend(page.balances.iter().map(|balance| balance.group[0].clone()));
        assert_eq!(page.totals.iter().map(|total| total.grants).collect::<Vec<_>>(), [2, 1]);
        if *bench.applied.borrow() == END {
            bench.apply(&later.events[17..]).await.unwrap();
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(groups, [G3.to_string(), G2.to_string(), G1.to_string(), String::new()]);
}
