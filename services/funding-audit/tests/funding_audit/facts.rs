//! The facts that the projection keeps beside the postings.

use crate::balances::at;
use crate::cluster::Bench;
use crate::life::{
    LIFE_END, R1, R2, SPEND_A, SPEND_B, contracted, corrected, instructed, lead, life, partner, settled,
    shares,
};
use crate::story::{
    G1, G2, G3, P1, P2, Story, applied, appropriated, approved, date, imported, party, recorded_at,
};
use concord_chassis::projection::Projection as _;
use concord_events::fund::{Cleared, FundEvent, FundingMode, HoldCause, Loss, MoneyFact};
use concord_funding_audit::LogClock;
use concord_kernel::{
    id::{AgreementId, InstructionId, InvoiceId},
    money::Currency,
    normal::Invoice,
};
use concord_proto::audit::v1::{
    GetProjectionStatusRequest, ListOverdueRequest, funding_audit_service_server::FundingAuditService,
};
use tonic::Request;
use uuid::Uuid;

/// The rows of a table in order of position, as text, with names for the story's ids.
async fn rows(bench: &Bench, table: &str) -> Vec<String> {
    let names = [
        (G1.to_string(), "G1"),
        (G2.to_string(), "G2"),
        (G3.to_string(), "G3"),
        (P1.to_string(), "P1"),
        (P2.to_string(), "P2"),
        (R1.to_string(), "R1"),
        (R2.to_string(), "R2"),
        (SPEND_A.to_string(), "A"),
        (SPEND_B.to_string(), "B"),
        (lead().party.to_string(), "LEAD"),
        (partner().party.to_string(), "PARTNER"),
        (Uuid::from_u128(0x301).to_string(), "INSTRUCTION"),
        (InvoiceId::of(&Invoice::of(None, "044001", "88")).to_string(), "INVOICE"),
        (Uuid::from_u128(0x701).to_string(), "CHARGE"),
        ("EU-PIC:99999999".to_owned(), "PIC-"),
    ];
    let connection = bench.pool.get().await.unwrap();
    let order = if table == "dims" { "dims" } else { "position" };
    let sql =
        format!("SELECT t::text FROM {}.{table} t ORDER BY {order}, t::text COLLATE \"C\"", bench.schema);
    let rows = connection.query(&sql, &[]).await.unwrap();
    let named = |row: String| names.iter().fold(row, |row, (id, name)| row.replace(id, name));
    rows.iter().map(|row| named(row.get::<_, String>(0))).collect()
}

async fn told() -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&life().events).await.unwrap();
    bench
}

/// What each table has of the life, as it follows from its events line by line.
const TABLES: &[(&str, &[&str])] = &[
    (
        "shares",
        &[
            "(G1,2,1,2025-02-01,LEAD,PIC-1,210100,250000)",
            "(G1,2,2,2025-02-01,PARTNER,PIC-5,210200,150000)",
            "(G1,7,1,2025-03-20,LEAD,PIC-1,210100,200000)",
            "(G1,7,2,2025-03-20,PARTNER,PIC-5,210200,100000)",
            "(G1,24,1,2026-02-01,LEAD,PIC-1,210100,190000)",
            "(G1,24,2,2026-02-01,PARTNER,PIC-5,210200,90000)",
        ],
    ),
    (
        "dims",
        &[
            "(65537,P1,2025,CNY,,,,,,)",
            "(393217,P1,2025,CNY,G1,non_repayable,new_materials,210100,LEAD,210100)",
            "(851969,P1,2025,CNY,G1,non_repayable,new_materials,210100,PARTNER,210200)",
        ],
    ),
    (
        "terms",
        &[
            "(7,G1,2025-03-20,2025-04-01,2026-12-31,2027-06-30)",
            "(22,G1,2026-01-02,2025-04-01,2027-06-30,2027-12-30)",
        ],
    ),
    (
        "tranche_plans",
        &[
            "(G1,7,1,2025-03-20,200000,contract,2025-05-01)",
            "(G1,7,2,2025-03-20,100000,contract,2026-06-30)",
            "(G1,24,1,2026-02-01,200000,contract,2025-05-01)",
            "(G1,24,2,2026-02-01,80000,contract,2026-06-30)",
        ],
    ),
    (
        "tranche_steps",
        &[
            "(10,G1,1,5,2025-04-03,200000,0,INSTRUCTION,1,,p-1,o-1)",
            "(11,G1,1,6,2025-04-05,200000,0,INSTRUCTION,1,B-1,p-1,o-1)",
        ],
    ),
    (
        "match_sources",
        &["(8,G1,1,2025-03-21,government_budget,city,t,,120000)", "(9,G1,2,2025-03-21,own_money,,f,,50000)"],
    ),
    (
        "match_instalments",
        &[
            "(8,G1,1,1,2025-03-21,60000,2025-06-30)",
            "(8,G1,1,2,2025-03-21,60000,2026-03-31)",
            "(9,G1,2,1,2025-03-21,50000,2025-05-31)",
        ],
    ),
    (
        "bank_facts",
        &[
            "(11,G1,b1,2025-04-05)",
            "(12,G1,m1,2025-06-20)",
            "(13,G1,s1,2025-05-10)",
            "(21,G1,m2,2025-08-02)",
            "(33,G1,r1,2026-05-10)",
            "(35,G1,r1,2026-05-13)",
            "(40,G1,f1,2026-06-10)",
        ],
    ),
    (
        "match_moves",
        &[
            "(12,G1,1,1,1,2025-06-20,60000)",
            "(20,G1,1,1,2,2025-06-20,60000)",
            "(21,G1,1,1,1,2025-08-02,50000)",
            "(25,G1,2,,3,2026-02-10,50000)",
        ],
    ),
    (
        "spends",
        &[
            "(14,A,G1,LEAD,2025-07-01,equipment,2025-06-15,50000,INVOICE,044001,88,70000)",
            "(16,B,G1,PARTNER,2025-07-03,fine,2025-06-16,20000,,,,)",
        ],
    ),
    (
        "spend_steps",
        &[
            "(15,A,G1,1,2025-07-02,50000,p-1,o-1)",
            "(17,B,G1,1,2025-07-04,20000,p-1,o-1)",
            "(18,B,G1,4,2025-07-04,20000,p-1,o-1)",
            "(19,B,G1,2,2025-07-21,20000,p-1,o-1)",
        ],
    ),
    (
        "grant_steps",
        &[
            "(2,G1,1,2025-02-01,400000,2026-12-31,,,p-1,o-1)",
            "(3,G1,4,2025-02-10,250000,,8250,,p-1,o-1)",
            "(4,G1,5,2025-02-12,300000,2025-02-22,7,,p-1,o-1)",
            "(5,G1,9,2025-02-28,,,,A07,p-1,o-1)",
            "(6,G1,10,2025-03-01,300000,,,\"会议纪要 2025-3\",p-1,o-1)",
            "(7,G1,13,2025-03-20,300000,2026-12-31,,2025-001,p-1,o-1)",
            "(22,G1,15,2026-01-02,,2027-06-30,,\"会议纪要 2026-1\",p-1,o-1)",
            "(23,G1,17,2026-01-05,,,,\"中期 1\",p-1,o-1)",
            "(24,G1,14,2026-02-01,280000,,1,\"会议纪要 2026-2\",p-1,o-1)",
            "(26,G1,19,2026-03-01,,,,\"完成 1\",p-1,o-1)",
            "(27,G1,21,2026-03-10,,2026-04-10,,\"验收 1\",p-1,o-1)",
            "(28,G1,20,2026-04-01,,,,\"验收 1\",p-1,o-1)",
            "(39,G1,23,2026-06-01,80000,2026-07-01,,\"结题 1\",p-1,o-1)",
            "(43,G1,24,2026-08-01,,,8000,good,p-1,o-1)",
        ],
    ),
    ("overrides", &["(5,G1,2025-02-28,A07,\"会议纪要 2025-2\",急需,p-1)"]),
    ("retained", &["(38,G1,LEAD,2026-05-25,30000,2028-05-25)"]),
    ("recoveries", &["(R1,G1,29,2026-04-05,diverted,15000)", "(R2,G1,41,2026-07-05,balance_kept,10000)"]),
    (
        "recovery_steps",
        &[
            "(30,R1,G1,1,2026-04-06,,2026-05-06,,)",
            "(31,R1,G1,2,2026-04-10,,,,)",
            "(32,R1,G1,3,2026-04-20,,,,)",
            "(33,R1,G1,5,2026-05-10,6000,,,)",
            "(34,R1,G1,8,2026-05-10,6000,,,)",
            "(35,R1,G1,5,2026-05-13,5000,,,)",
            "(36,R1,G1,6,2026-05-20,4000,,G2,1)",
            "(37,R1,G1,7,2026-05-21,6000,,,)",
            "(42,R2,G1,4,2026-07-20,10000,,,)",
        ],
    ),
    (
        "corrections",
        &[
            "(18,G1,17,2025-07-20,spend_acceptance,20000,2025-07-04,\"更 1\",误记)",
            "(20,G1,12,2025-08-01,matching_arrival,60000,2025-06-20,\"更 1\",误记)",
            "(34,G1,33,2026-05-12,recovery_repayment,6000,2026-05-10,\"更 1\",误记)",
        ],
    ),
    ("rectifications", &["(CHARGE,44,2026-08-02,A03,G1/source/1/1,8,G1,org-7,2026-09-01,催缴)"]),
    ("rectification_steps", &["(45,CHARGE,1,2026-08-10,财政困难,,)", "(46,CHARGE,3,2026-08-20,属实,,)"]),
    ("parties", &["(LEAD,PIC-1,甲公司,2)", "(PARTNER,PIC-5,戊大学,2)"]),
];

#[tokio::test]
async fn every_fact_of_a_grants_life_is_a_row() {
    let bench = told().await;
    for (table, expected) in TABLES {
        assert_eq!(rows(&bench, table).await, *expected, "{table}");
    }
}

#[tokio::test]
async fn a_rebuilt_life_equals_what_it_replaces_whatever_the_batches() {
    let events = life().events;
    let expected = told().await.dump().await;
    for size in [1, 3, 7] {
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
async fn a_reversal_counts_from_the_day_of_what_it_reverses() {
    let bench = told().await;
    let connection = bench.pool.get().await.unwrap();
    let sql = format!(
        "SELECT line, amount_minor, effective_on::text, period FROM {}.postings WHERE position = 18 ORDER BY line",
        bench.schema
    );
    let lines: Vec<(i16, i64, String, i32)> = connection
        .query(&sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let on = || "2025-07-04".to_owned();
    assert_eq!(lines, [(1, 20_000, on(), 202_507), (2, -20_000, on(), 202_507)]);
}

#[tokio::test]
async fn the_ledger_of_a_whole_life_balances_in_both_chains() {
    let bench = told().await;
    let balanced = async || {
        let request = Request::new(GetProjectionStatusRequest::default());
        bench.audit.get_projection_status(request).await.unwrap().into_inner().balanced
    };
    assert!(balanced().await);
    let connection = bench.pool.get().await.unwrap();
    let change = async |change: &str| {
        let sql = format!("BEGIN; SET LOCAL search_path TO {}; {change}; COMMIT", bench.schema);
        connection.batch_execute(&sql).await.unwrap();
    };
    // Money that went from one chain to the other: over all accounts it would add up.
    change("UPDATE postings SET account = 14 WHERE position = 40 AND line = 1").await;
    assert!(!balanced().await);
    change("UPDATE postings SET account = 9 WHERE position = 40 AND line = 1").await;
    assert!(balanced().await);
    // More than the partner holds is taken from it, though the lead's money would cover it.
    change("UPDATE postings SET amount_minor = amount_minor * 7 WHERE position = 29 AND line < 3").await;
    assert!(!balanced().await);
}

#[tokio::test]
async fn a_corrected_settlement_is_with_the_bank_again() {
    let mut story = Story::empty();
    let wrong = MoneyFact::Settlement { tranche: 1, amount_minor: 200_000 };
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-20", &contracted(300_000, shares(200_000, 100_000)))
        .then("2025-04-03", &instructed(1, 200_000))
        .then("2025-04-05", &settled(1, 200_000))
        .then("2025-04-20", &corrected(6, wrong, "2025-04-05"));
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    let steps = rows(&bench, "tranche_steps").await;
    assert_eq!(steps[2], "(7,G1,1,8,2025-04-05,200000,0,,,,p-1,o-1)");
    for (position, waits_for) in [(5, Some("settlement")), (6, None), (7, Some("settlement"))] {
        let request = ListOverdueRequest {
            as_of: at(position),
            on: "2025-05-02".to_owned(),
            ..ListOverdueRequest::default()
        };
        let answer = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner();
        let waiting = answer.tranches.first().map(|tranche| tranche.waits_for.as_str());
        assert_eq!(waiting, waits_for, "position {position}");
    }
}

#[tokio::test]
async fn a_payment_that_came_back_says_its_shortfall_and_an_instruction_what_is_kept_back() {
    let mut story = Story::empty();
    let returned = FundEvent::PaymentReturned {
        grant: G1,
        programme: P1,
        currency: Currency::CNY,
        tranche: 1,
        amount_minor: 150_000,
        shortfall_minor: 50_000,
        offset_minor: 0,
        released: None,
        instruction: InstructionId(Uuid::from_u128(0x301)),
        attempt: 1,
        after_settlement: true,
        bank_reference: "R-1".to_owned(),
        reason: "账号有误".to_owned(),
    };
    let FundEvent::TrancheInstructed {
        grant,
        programme,
        currency,
        tranche,
        amount_minor,
        instruction,
        payee,
        backing,
        ..
    } = instructed(2, 150_000)
    else {
        panic!("an instruction")
    };
    let again = FundEvent::TrancheInstructed {
        grant,
        programme,
        currency,
        tranche,
        amount_minor,
        instruction,
        attempt: 2,
        payee,
        backing,
        offset_minor: 4_000,
    };
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-20", &contracted(300_000, shares(200_000, 100_000)))
        .then("2025-04-03", &instructed(1, 200_000))
        .then("2025-04-05", &settled(1, 200_000))
        .then("2025-04-08", &returned)
        .then("2025-04-10", &again);
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    let steps = rows(&bench, "tranche_steps").await;
    assert_eq!(
        steps[2..],
        [
            "(7,G1,1,7,2025-04-08,150000,50000,INSTRUCTION,1,R-1,p-1,o-1)",
            "(8,G1,1,5,2025-04-10,150000,4000,INSTRUCTION,2,,p-1,o-1)",
        ]
    );
}

#[tokio::test]
async fn a_contract_without_shares_keeps_the_applications_where_they_add_up() {
    let all_of_the_lead = "(G1,4,1,2025-03-20,LEAD,PIC-1,210100,300000)";
    let cases = [
        (shares(200_000, 100_000), Vec::new(), None),
        (shares(250_000, 100_000), Vec::new(), Some(vec![all_of_the_lead])),
        (
            shares(250_000, 50_000),
            shares(200_000, 100_000),
            Some(vec![
                "(G1,4,1,2025-03-20,LEAD,PIC-1,210100,200000)",
                "(G1,4,2,2025-03-20,PARTNER,PIC-5,210200,100000)",
            ]),
        ),
    ];
    for (asked, agreed, expected) in cases {
        let mut asked_for = applied(G1, FundingMode::NonRepayable, &lead(), "new_materials");
        if let FundEvent::GrantApplied { allocations, .. } = &mut asked_for {
            allocations.clone_from(&asked);
        }
        let mut story = Story::empty();
        story
            .then("2025-01-10", &appropriated(P1, 1_000_000))
            .then("2025-02-01", &asked_for)
            .then("2025-03-01", &approved(G1, 300_000))
            .then("2025-03-20", &contracted(300_000, agreed.clone()));
        let mut bench = Bench::new().await;
        bench.apply(&story.events).await.unwrap();
        let contracted: Vec<String> =
            rows(&bench, "shares").await.into_iter().filter(|row| row.starts_with("(G1,4,")).collect();
        assert_eq!(contracted, expected.unwrap_or_default(), "{asked:?} {agreed:?}");
    }
}

#[tokio::test]
async fn money_of_a_party_without_a_share_stops_the_projection() {
    let mut story = life();
    let stranger = party("9", "210300", "己公司");
    story.then(
        "2026-08-21",
        &FundEvent::ShareTransferred {
            grant: G1,
            programme: P1,
            currency: Currency::CNY,
            to: stranger.party,
            amount_minor: 1,
            bank_reference: "S-2".to_owned(),
        },
    );
    let mut bench = told().await;
    let error = bench.apply(&story.events[LIFE_END as usize..]).await.unwrap_err().to_string();
    assert!(error.contains("position 47 moves money of party") && error.contains("no share"), "{error}");
}

#[tokio::test]
async fn a_migrated_source_may_name_a_party_twice_or_none() {
    let mut twice = imported(G3, P2, 500_000, "2017-01-01");
    if let FundEvent::AwardImported { allocations, .. } = &mut twice {
        allocations.extend(shares(200_000, 100_000));
        allocations.extend(shares(150_000, 50_000));
        allocations[3].amount_minor = None;
    }
    let mut story = Story::empty();
    story.then("2016-05-01", &twice).then("2016-05-01", &imported(G2, P2, 70, "2017-01-01"));
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    assert_eq!(
        rows(&bench, "shares").await,
        [
            "(G3,1,1,2016-05-01,LEAD,PIC-1,210100,200000)",
            "(G3,1,2,2016-05-01,PARTNER,PIC-5,210200,100000)",
            "(G3,1,3,2016-05-01,LEAD,PIC-1,210100,150000)",
            "(G3,1,4,2016-05-01,PARTNER,PIC-5,210200,)",
            &format!("(G2,2,1,2016-05-01,{},PIC-3,DE,70)", party("3", "DE", "").party),
        ]
    );
    assert_eq!(rows(&bench, "late").await, Vec::<String>::new(), "an import tells of the past by its nature");
}

#[tokio::test]
async fn what_was_recorded_after_its_day_is_listed_by_the_clock_of_its_log() {
    let mut story = Story::empty();
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-02-03", &FundEvent::TodayAdvanced { today: date("2025-02-03") })
        .then("2025-02-02", &applied(G2, FundingMode::NonRepayable, &lead(), "marine"))
        .then("2025-02-03", &approved(G1, 300_000));
    // By a played clock: its first day, and then the one that it was moved to.
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-02-01") }).await;
    bench.apply(&story.events[..3]).await.unwrap();
    bench.projection.reset();
    bench.apply(&story.events[3..]).await.unwrap();
    assert_eq!(
        rows(&bench, "late").await,
        [
            "(1,P1,,concord.fund.v1.ProgrammeAppropriated,2025-01-10,2025-02-01,22)",
            "(4,P1,G2,concord.fund.v1.GrantApplied,2025-02-02,2025-02-03,1)",
        ]
    );

    // By the system's: the day in Shanghai on which it was recorded, which in the evening of UTC is the next one.
    let mut events = Story::empty();
    events.then("2026-01-05", &appropriated(P1, 1_000_000));
    events.then(
        "2026-01-05",
        &FundEvent::ProgrammeSupplemented { programme: P1, currency: Currency::CNY, amount_minor: 1 },
    );
    let last = events.events.last_mut().unwrap();
    let text = String::from_utf8(last.bytes.to_vec()).unwrap();
    last.bytes = text.replace(&format!("{:.6}", recorded_at(2)), "2026-01-05T16:00:00Z").into();
    let mut bench = Bench::new().await;
    bench.apply(&events.events).await.unwrap();
    assert_eq!(
        rows(&bench, "late").await,
        ["(2,P1,,concord.fund.v1.ProgrammeSupplemented,2026-01-05,2026-01-06,1)"]
    );
}

#[tokio::test]
async fn what_follows_from_an_agreement_is_not_dated_back_and_what_an_officer_dates_back_is() {
    let agreement = AgreementId(Uuid::from_u128(1));
    let held = |cause| FundEvent::GrantHeld { grant: G1, cause, cause_on: date("2025-02-01") };
    let cleared =
        |cleared| FundEvent::HoldCauseCleared { grant: G1, agreement, cleared, agreement_position: 7 };
    let mut story = Story::empty();
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-01-10", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-06-30", &FundEvent::TodayAdvanced { today: date("2025-06-30") })
        .then(
            "2025-02-01",
            &held(HoldCause::BackingLost { agreement, how: Loss::Expired, agreement_position: 7 }),
        )
        .then("2025-03-01", &cleared(Cleared::InForceAgain))
        .then("2025-06-20", &held(HoldCause::Office { reason: "audit".to_owned() }));
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-01-10") }).await;
    bench.apply(&story.events).await.unwrap();
    assert_eq!(rows(&bench, "late").await, ["(6,P1,G1,concord.fund.v1.GrantHeld,2025-06-20,2025-06-30,10)"]);
}

#[tokio::test]
async fn what_a_closed_grant_never_drew_is_not_overdue() {
    let bench = told().await;
    for (position, overdue) in [(38, 1), (39, 0), (LIFE_END, 0)] {
        let request = ListOverdueRequest {
            as_of: at(position),
            on: "2026-07-01".to_owned(),
            ..ListOverdueRequest::default()
        };
        let answer = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.tranches.len(), overdue, "position {position}");
        let amounts: Vec<i64> = answer.tranches.iter().map(|tranche| tranche.amount_minor).collect();
        assert!(amounts.iter().all(|amount| *amount == 80_000), "the amended plan's: {amounts:?}");
    }
}
