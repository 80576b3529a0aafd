//! Clocks of the life in `life.rs` and of the story in `story.rs`, worked out by hand: each kind just inside and just outside
//! its day, and from when on it is none.

use crate::balances::{at, faults};
use crate::cluster::Bench;
use crate::life::{LIFE_END, R1, corrected, lead, life, partner, settled};
use crate::story::{G1, G2, G3, P1, P2, Story, applied, appropriated, approved, date, imported, party};
use concord_events::fund::{FindingKey, FundEvent, FundingMode, HoldCause, Holding, MoneyFact};
use concord_kernel::{id::RectificationId, money::Currency};
use concord_proto::audit::v1::{
    AsOf, Clock, ExportCsvRequest, ExportTable, ListClocksRequest, ListClocksResponse, ListOverdueRequest,
    PostingFilter, funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use jiff::ToSpan as _;
use tonic::Request;
use uuid::Uuid;

async fn told(story: &Story) -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    bench
}

async fn answered(bench: &Bench, request: ListClocksRequest) -> ListClocksResponse {
    bench.audit.list_clocks(Request::new(request)).await.unwrap().into_inner()
}

/// What waits as of a position, on a day, looking so many days ahead (0: not at all).
async fn clocks(bench: &Bench, position: u64, on: &str, due_within_days: u32) -> Vec<Clock> {
    let request = ListClocksRequest {
        as_of: at(position),
        on: on.to_owned(),
        due_within_days,
        ..ListClocksRequest::default()
    };
    answered(bench, request).await.clocks
}

/// The one about a subject of a kind.
fn find<'a>(clocks: &'a [Clock], kind: &str, subject: &str) -> Option<&'a Clock> {
    let mut found = clocks.iter().filter(|clock| clock.kind == kind && clock.subject == subject);
    let first = found.next();
    assert!(found.next().is_none(), "{kind} {subject} stands twice");
    first
}

/// Kind, what of the grant (or the whole subject), position, due date, amount, for whom; and a position from which on it is none.
type Case = (&'static str, String, u64, &'static str, i64, &'static str, Option<u64>);

fn cases() -> Vec<Case> {
    let of = |what: &str| format!("{G1}/{what}");
    let by = |what: &str, party: &str| format!("{G1}/{what}/{party}");
    let (lead, partner) = (lead().party.to_string(), partner().party.to_string());
    let (recovery, charge) = (format!("recovery/{R1}"), format!("A03:{G1}/source/1/1@8"));
    let (acceptance, first) = (of("acceptance"), of("tranche/1"));
    vec![
        // Approved on 2025-03-01; 90 days by the rulebook.
        ("contract", of("contract"), 6, "2025-05-30", 300_000, "applicant", Some(7)),
        ("tranche", first.clone(), 7, "2025-05-01", 200_000, "lead", None),
        ("tranche", first, 10, "2025-05-01", 200_000, "bank", Some(11)),
        ("tranche", of("tranche/2"), 7, "2026-06-30", 100_000, "lead", None),
        ("tranche", of("tranche/2"), 24, "2026-06-30", 80_000, "lead", Some(39)),
        ("matching_instalment", of("source/1/1"), 9, "2025-06-30", 60_000, "matching_payer", Some(12)),
        ("matching_instalment", of("source/1/1"), 21, "2025-06-30", 10_000, "matching_payer", None),
        ("matching_instalment", of("source/2/1"), 9, "2025-05-31", 50_000, "matching_payer", Some(25)),
        // Settled on 2025-04-05; 30 days by the rulebook; 1,000.00 × 2,000.00 ÷ 3,000.00, of which 600.00 was passed on.
        ("share_transfer", by("share", &partner), 11, "2025-05-05", 66_666, "lead", None),
        ("share_transfer", by("share", &partner), 13, "2025-05-05", 6_666, "lead", None),
        ("acceptance", acceptance.clone(), 7, "2027-06-30", 300_000, "lead", None),
        ("acceptance", acceptance.clone(), 24, "2027-12-30", 280_000, "lead", None),
        ("acceptance", acceptance.clone(), 26, "2027-12-30", 280_000, "office", None),
        ("acceptance", acceptance.clone(), 27, "2027-12-30", 280_000, "lead", Some(28)),
        ("acceptance_rectification", acceptance, 27, "2026-04-10", 280_000, "lead", Some(28)),
        ("recovery_payment", recovery.clone(), 30, "2026-05-06", 15_000, "lead", None),
        ("recovery_payment", recovery.clone(), 31, "2026-05-06", 15_000, "office", None),
        ("recovery_payment", recovery.clone(), 32, "2026-05-06", 15_000, "lead", None),
        ("recovery_payment", recovery, 36, "2026-05-06", 6_000, "lead", Some(37)),
        ("retained", of("retained/38"), 38, "2028-05-25", 30_000, "lead", None),
        // 2,000.00 settled, less 600.00 passed on, 500.00 spent and 300.00 retained.
        ("refund", by("unspent", &lead), 39, "2026-07-01", 60_000, "lead", None),
        ("refund", by("unspent", &lead), 40, "2026-07-01", 40_000, "lead", None),
        // 600.00 passed on, less 100.00 that are recovered.
        ("refund", by("unspent", &partner), 40, "2026-07-01", 50_000, "partner", None),
        ("rectification", charge.clone(), 44, "2026-09-01", 0, "owner", None),
        ("rectification", charge, 45, "2026-09-01", 0, "office", Some(46)),
    ]
}

#[tokio::test]
async fn each_kind_runs_out_with_its_day_and_is_none_once_it_is_done() {
    let bench = told(&life()).await;
    for (kind, subject, position, due_on, amount_minor, waits_for, done) in cases() {
        let case = format!("{kind} {subject} at {position}");
        let day = |days: i64| date(due_on).checked_add(days.days()).unwrap().to_string();
        let is_there = async |position, on: &str, ahead| {
            find(&clocks(&bench, position, on, ahead).await, kind, &subject).is_some()
        };
        assert!(!is_there(position, due_on, 0).await, "{case}: its day is in time");
        let late = clocks(&bench, position, &day(1), 0).await;
        let clock = find(&late, kind, &subject).unwrap_or_else(|| panic!("{case}: {late:#?}"));
        assert_eq!((clock.due_on.as_str(), clock.days_overdue), (due_on, 1), "{case}");
        assert_eq!((clock.amount_minor, clock.waits_for.as_str()), (amount_minor, waits_for), "{case}");
        assert_eq!((clock.currency.as_str(), clock.title.as_str()), ("CNY", "项目 513"), "{case}");
        assert_eq!(
            (clock.programme_id.as_str(), clock.synthetic),
            (P1.to_string().as_str(), false),
            "{case}"
        );
        assert_eq!(clock.grant_id, G1.to_string(), "{case}");
        let charge = if kind == "rectification" { Uuid::from_u128(0x701).to_string() } else { String::new() };
        let recovery = if kind == "recovery_payment" { R1.to_string() } else { String::new() };
        assert_eq!((&clock.rectification_id, &clock.recovery_id), (&charge, &recovery), "{case}");

        assert!(!is_there(position, &day(-10), 9).await, "{case}: beyond the days ahead");
        let ahead = clocks(&bench, position, &day(-10), 10).await;
        let clock = find(&ahead, kind, &subject).unwrap_or_else(|| panic!("{case}: {ahead:#?}"));
        assert_eq!((clock.due_on.as_str(), clock.days_overdue), (due_on, 0), "{case}");
        assert!(!is_there(position, &day(-1), 0).await, "{case}: tomorrow's is not overdue");
        if let Some(done) = done {
            assert!(is_there(done - 1, &day(1), 0).await, "{case}: until {done}");
            assert!(!is_there(done, &day(1), 0).await, "{case}: done at {done}");
            assert!(!is_there(done, &day(-10), 10).await, "{case}: done at {done}, and not to come");
        }
    }
}

#[tokio::test]
async fn a_recovery_that_was_not_demanded_waits_from_the_day_after_it_was_determined() {
    let bench = told(&life()).await;
    let subject = format!("recovery/{R1}");
    let on = async |position, on: &str, ahead| {
        let clocks = clocks(&bench, position, on, ahead).await;
        let clock = find(&clocks, "demand", &subject)?;
        assert_eq!((clock.amount_minor, clock.waits_for.as_str()), (15_000, "office"));
        assert_eq!((clock.due_on.as_str(), clock.recovery_id.clone()), ("", R1.to_string()));
        Some(clock.days_overdue)
    };
    assert_eq!(on(29, "2026-04-05", 0).await, None);
    assert_eq!(on(29, "2026-04-05", 1).await, Some(0));
    assert_eq!(on(29, "2026-04-06", 0).await, Some(1));
    assert_eq!(on(29, "2026-06-01", 0).await, Some(57));
    assert_eq!(on(30, "2026-06-01", 0).await, None, "it is demanded");
    // Overturned on the way: the second recovery waits at 41, and no more at 42.
    let second = async |position| {
        let clocks = clocks(&bench, position, "2026-07-25", 0).await;
        clocks
            .iter()
            .filter(|clock| clock.kind == "demand")
            .map(|clock| clock.amount_minor)
            .collect::<Vec<_>>()
    };
    assert_eq!((second(41).await, second(42).await), (vec![10_000], vec![]));
}

#[tokio::test]
async fn the_longest_overdue_is_first_and_kinds_are_summed_by_currency() {
    let mut story = life();
    story.events.truncate(27);
    story.then("2016-05-01", &imported(G3, P2, 500_000, "2017-01-01"));
    let bench = told(&story).await;
    let mut request =
        ListClocksRequest { on: "2026-07-10".to_owned(), as_of: at(28), ..ListClocksRequest::default() };
    let answer = answered(&bench, request.clone()).await;
    let lines: Vec<_> = answer
        .clocks
        .iter()
        .map(|clock| (clock.kind.as_str(), clock.days_overdue, clock.amount_minor, clock.synthetic))
        .collect();
    // 2017-01-01, 2025-05-05, 06-30, 2026-03-31, 04-10 and 06-30; the share is 900.00 × 2,000.00 ÷ 2,800.00, less 600.00.
    let expected = [
        ("tranche", 3_477, 500_000, true),
        ("share_transfer", 431, 4_285, false),
        ("matching_instalment", 375, 10_000, false),
        ("matching_instalment", 101, 60_000, false),
        ("acceptance_rectification", 91, 280_000, false),
        ("tranche", 10, 80_000, false),
    ];
    assert_eq!(lines, expected);
    let totals = |answer: &ListClocksResponse| -> Vec<(String, String, [i64; 3])> {
        let totals = answer.totals.iter();
        totals
            .map(|total| {
                let sums = [total.clocks, total.overdue, total.amount_minor];
                (total.kind.clone(), total.currency.clone(), sums)
            })
            .collect()
    };
    let named = |kind: &str, currency: &str, sums| (kind.to_owned(), currency.to_owned(), sums);
    let overdue = [
        named("acceptance_rectification", "CNY", [1, 1, 280_000]),
        named("matching_instalment", "CNY", [2, 2, 70_000]),
        named("share_transfer", "CNY", [1, 1, 4_285]),
        named("tranche", "CNY", [1, 1, 80_000]),
        named("tranche", "EUR", [1, 1, 500_000]),
    ];
    assert_eq!(totals(&answer), overdue);
    assert_eq!((answer.on.as_str(), answer.rulebook.as_str()), ("2026-07-10", "2012-09"));
    assert_eq!((answer.contract_within_days, answer.transfer_within_days), (90, 30));

    // However far ahead: final acceptance, too; days overdue before amounts, and of what is not overdue the larger first.
    request.overdue_only = Some(false);
    request.on = "2026-06-30".to_owned();
    let all = answered(&bench, request.clone()).await;
    let last: Vec<_> = all
        .clocks
        .iter()
        .filter(|clock| clock.days_overdue == 0)
        .map(|clock| (clock.kind.as_str(), clock.amount_minor))
        .collect();
    assert_eq!(last, [("acceptance", 280_000), ("tranche", 80_000)]);
    assert_eq!(totals(&all)[0], named("acceptance", "CNY", [1, 0, 280_000]));

    // Page by page it is the same, with totals over all of it, and a page belongs to its question.
    let mut pages = Vec::new();
    request.page_size = 3;
    loop {
        let page = answered(&bench, request.clone()).await;
        assert_eq!((totals(&page), page.on.as_str()), (totals(&all), "2026-06-30"));
        pages.extend(page.clocks);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        let other = ListClocksRequest { due_within_days: 7, ..request.clone() };
        let status = bench.audit.list_clocks(Request::new(other)).await.unwrap_err();
        assert_eq!(faults(&status), ["page_token"]);
    }
    assert_eq!(pages, all.clocks);
}

#[tokio::test]
async fn clocks_are_of_what_had_happened_by_a_day() {
    let bench = told(&life()).await;
    let asked = async |effective_on: &str, on: &str| {
        let as_of = Some(AsOf { effective_on: effective_on.to_owned(), ..AsOf::default() });
        let request = ListClocksRequest { as_of, on: on.to_owned(), ..ListClocksRequest::default() };
        let answer = answered(&bench, request).await;
        let kinds = answer.clocks.iter().map(|clock| (clock.kind.clone(), clock.days_overdue));
        (kinds.collect::<Vec<_>>(), answer.on)
    };
    let contract = ("contract".to_owned(), 1);
    assert_eq!(asked("2025-03-19", "2025-05-31").await, (vec![contract], "2025-05-31".to_owned()));
    // Counted from the day that is asked about: the tranche is settled, and the arrival of 2025-06-20 was none.
    let (of_july, on) = asked("2025-07-01", "").await;
    assert_eq!(on, "2025-07-01");
    let waiting = [("share_transfer", 57), ("matching_instalment", 31), ("matching_instalment", 1)];
    assert_eq!(of_july, waiting.map(|(kind, days)| (kind.to_owned(), days)));
}

#[tokio::test]
async fn a_withdrawn_approval_waits_for_no_contract_and_a_balance_given_back_for_no_refund() {
    let bench = told(&Story::whole()).await;
    for (position, grants) in [(5, vec![G1, G2]), (6, vec![G2]), (13, vec![G2]), (14, vec![])] {
        let clocks = clocks(&bench, position, "2025-06-01", 0).await;
        let mut waiting: Vec<_> =
            clocks.iter().filter(|clock| clock.kind == "contract").map(|clock| &clock.grant_id).collect();
        waiting.sort();
        assert_eq!(
            waiting,
            grants.iter().map(ToString::to_string).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
    }

    let mut story = life();
    let refunded = |from, amount_minor| FundEvent::BalanceRefunded {
        grant: G1,
        programme: P1,
        currency: Currency::CNY,
        party: lead().party,
        from,
        amount_minor,
        bank_reference: "F-2".to_owned(),
    };
    story
        .then("2026-08-21", &refunded(Holding::Unspent, 40_000))
        .then("2026-08-22", &refunded(Holding::Retained, 20_000))
        .then("2026-08-23", &refunded(Holding::Retained, 10_000));
    let bench = told(&story).await;
    let (refund, retained) = (format!("{G1}/unspent/{}", lead().party), format!("{G1}/retained/38"));
    for (position, unspent, kept) in [
        (LIFE_END, Some(40_000), Some(30_000)),
        (47, None, Some(30_000)),
        (48, None, Some(10_000)),
        (49, None, None),
    ] {
        let clocks = clocks(&bench, position, "2028-05-26", 0).await;
        let amount = |kind, subject| find(&clocks, kind, subject).map(|clock| clock.amount_minor);
        assert_eq!((amount("refund", &refund), amount("retained", &retained)), (unspent, kept), "{position}");
    }
}

#[tokio::test]
async fn a_tranche_on_hold_waits_for_the_office_unless_it_is_with_the_bank() {
    let mut story = life();
    story.events.truncate(10);
    let held = FundEvent::GrantHeld {
        grant: G1,
        cause: HoldCause::Office { reason: "审计".to_owned() },
        cause_on: date("2025-04-04"),
    };
    let wrong = MoneyFact::Settlement { tranche: 1, amount_minor: 200_000 };
    story
        .then("2025-04-04", &held)
        .then("2025-04-05", &settled(1, 200_000))
        .then("2025-04-06", &corrected(12, wrong, "2025-04-05"))
        .then("2025-04-07", &FundEvent::GrantResumed { grant: G1 });
    let bench = told(&story).await;
    for (position, first, second) in [
        (10, Some("bank"), Some("lead")),
        (11, Some("bank"), Some("office")),
        (12, None, Some("office")),
        (13, Some("bank"), Some("office")),
        (14, Some("bank"), Some("lead")),
    ] {
        let clocks = clocks(&bench, position, "2026-07-01", 0).await;
        let turn = |number| {
            let clock = find(&clocks, "tranche", &format!("{G1}/tranche/{number}"));
            clock.map(|clock| clock.waits_for.as_str())
        };
        assert_eq!((turn(1), turn(2)), (first, second), "position {position}");
        // The list of tranches says the same in its words.
        let request = ListOverdueRequest {
            as_of: at(position),
            on: "2026-07-01".to_owned(),
            ..ListOverdueRequest::default()
        };
        let listed = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner().tranches;
        let word = |number| {
            let tranche = listed.iter().find(|tranche| tranche.tranche_number == number);
            tranche.map(|tranche| match tranche.waits_for.as_str() {
                "settlement" => "bank",
                "request" => "lead",
                "resumption" => "office",
                other => panic!("waits for {other}"),
            })
        };
        assert_eq!((word(1), word(2)), (first, second), "position {position}");
    }
}

#[tokio::test]
async fn a_charge_about_a_programme_is_of_the_programme() {
    let mut story = Story::empty();
    let charged = |number: u128, subject: String| FundEvent::RectificationAssigned {
        rectification: RectificationId(Uuid::from_u128(number)),
        finding: FindingKey { rule: "A17".to_owned(), subject, position: 1 },
        grant: None,
        owner: "org-7".to_owned(),
        deadline: date("2025-04-01"),
        task: "说明".to_owned(),
    };
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &charged(1, format!("{P1}/late/1")))
        .then("2025-03-01", &charged(2, "elsewhere".to_owned()));
    let bench = told(&story).await;
    let listed = async |filter: PostingFilter| {
        let request = ListClocksRequest {
            on: "2025-04-02".to_owned(),
            filter: Some(filter),
            ..ListClocksRequest::default()
        };
        let clocks = answered(&bench, request).await.clocks.into_iter();
        clocks
            .map(|clock| (clock.subject, clock.grant_id, clock.programme_id, clock.title, clock.currency))
            .collect::<Vec<_>>()
    };
    let of = |subject: &str, programme: &str, title: &str, currency: &str| {
        (subject.to_owned(), String::new(), programme.to_owned(), title.to_owned(), currency.to_owned())
    };
    let programme = of(&format!("A17:{P1}/late/1@1"), &P1.to_string(), "guiding-fund 2025", "CNY");
    let none = of("A17:elsewhere@1", "", "", "");
    assert_eq!(listed(PostingFilter::default()).await, [programme.clone(), none]);
    let by_programme = PostingFilter { programme_id: P1.to_string(), ..PostingFilter::default() };
    assert_eq!(listed(by_programme).await, [programme]);
    let by_region = PostingFilter { lead_region: "21".to_owned(), ..PostingFilter::default() };
    assert_eq!(listed(by_region).await, []);
}

#[tokio::test]
async fn every_kind_is_narrowed_by_the_grant() {
    let mut story = life();
    story
        .then(
            "2025-02-02",
            &applied(G2, FundingMode::NonRepayable, &party("2", "210300", "乙公司"), "marine"),
        )
        .then("2025-03-01", &approved(G2, 200_000));
    let bench = told(&story).await;
    let other = PostingFilter { lead_region: "2103".to_owned(), ..PostingFilter::default() };
    let same = PostingFilter { party: lead().code.to_string(), ..PostingFilter::default() };
    let by_grant = PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() };
    let mut seen = std::collections::BTreeSet::new();
    let places = [6, 9, 11, 27, 29, 30, 38, 39, 44].map(|position| (position, vec![]));
    for (position, expected) in places.into_iter().chain([(48, vec!["contract"])]) {
        let asked = async |filter: &PostingFilter| {
            let request = ListClocksRequest {
                as_of: at(position),
                filter: Some(filter.clone()),
                overdue_only: Some(false),
                ..ListClocksRequest::default()
            };
            answered(&bench, request).await.clocks
        };
        let kinds: Vec<_> = asked(&other).await.into_iter().map(|clock| clock.kind).collect();
        assert_eq!(kinds, expected, "position {position}");
        let of_grant = asked(&by_grant).await;
        assert_eq!(of_grant, asked(&same).await);
        seen.extend(of_grant.into_iter().map(|clock| clock.kind));
    }
    assert_eq!(seen.len(), 11, "every kind: {seen:?}");
}

#[tokio::test]
async fn what_cannot_be_meant_is_told_at_once() {
    let bench = told(&life()).await;
    let filter = Some(PostingFilter { period: "2025-04".to_owned(), ..PostingFilter::default() });
    let request = ListClocksRequest {
        filter,
        on: "tomorrow".to_owned(),
        overdue_only: Some(true),
        due_within_days: 36_526,
        page_size: -1,
        ..ListClocksRequest::default()
    };
    let status = bench.audit.list_clocks(Request::new(request)).await.unwrap_err();
    let expected = ["filter.period", "on", "due_within_days", "due_within_days", "page_size"];
    assert_eq!(faults(&status), expected);
    // A hundred years, and the end of the calendar, can be asked about.
    let request =
        ListClocksRequest { on: "9999-12-30".to_owned(), due_within_days: 36_525, ..Default::default() };
    assert!(answered(&bench, request).await.clocks.iter().any(|clock| clock.kind == "retained"));

    let other = ExportCsvRequest {
        table: ExportTable::Receivables.into(),
        overdue_only: Some(false),
        due_within_days: 1,
        ..ExportCsvRequest::default()
    };
    let status = bench.audit.export_csv(Request::new(other)).await.unwrap_err();
    assert_eq!(faults(&status), ["overdue_only", "due_within_days"]);
}

#[tokio::test]
async fn the_export_has_the_rows_of_the_list() {
    let bench = told(&life()).await;
    let export = async |overdue_only: Option<bool>, due_within_days: u32| {
        let request = ExportCsvRequest {
            table: ExportTable::Clocks.into(),
            as_of: at(45),
            on: "2026-09-01".to_owned(),
            overdue_only,
            due_within_days,
            ..ExportCsvRequest::default()
        };
        let mut pieces = bench.audit.export_csv(Request::new(request)).await.unwrap().into_inner();
        let mut file = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            assert_eq!(piece.on, "2026-09-01", "the day goes with the first piece");
            file.extend(piece.data);
        }
        let file = String::from_utf8(file).unwrap();
        file.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let (lead, partner) = (lead().party, partner().party);
    let row = |kind: &str, subject: String, of: &str, due: &str| {
        format!("{kind},{subject},{G1},{of},{P1},项目 513,{due},CNY,false")
    };
    let overdue = [
        row("share_transfer", format!("{G1}/share/{partner}"), ",", "2025-05-05,484,lead,4285"),
        row("matching_instalment", format!("{G1}/source/1/1"), ",", "2025-06-30,428,matching_payer,10000"),
        row("matching_instalment", format!("{G1}/source/1/2"), ",", "2026-03-31,154,matching_payer,60000"),
        row("refund", format!("{G1}/unspent/{partner}"), ",", "2026-07-01,62,partner,50000"),
        row("refund", format!("{G1}/unspent/{lead}"), ",", "2026-07-01,62,lead,40000"),
    ];
    assert_eq!(export(None, 0).await, overdue);
    let charge = Uuid::from_u128(0x701);
    let today = row(
        "rectification",
        format!("A03:{G1}/source/1/1@8"),
        &format!(",{charge}"),
        "2026-09-01,0,office,0",
    );
    let with_today = [&overdue[..], std::slice::from_ref(&today)].concat();
    assert_eq!(export(None, 1).await, with_today);
    let kept = row("retained", format!("{G1}/retained/38"), ",", "2028-05-25,0,lead,30000");
    assert_eq!(export(Some(false), 0).await, [&overdue[..], &[kept, today]].concat());
}
