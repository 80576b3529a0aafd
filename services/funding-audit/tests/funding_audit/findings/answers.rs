//! How findings are asked for and answered: filters, groups, ranks, pages, rectifications, files, and what is refused.

use super::{begun, known, list, of_grant, of_rule, told};
use crate::balances::{at, faults};
use crate::cluster::Bench;
use crate::life::lead;
use crate::story::{G1, G2, G3, P1, P2, Story, applied, appropriated, approved, imported, party};
use concord_events::fund::{Filed, FindingKey, FundEvent, FundingMode, OverriddenRule};
use concord_funding_audit::columns;
use concord_kernel::fingerprint::Fingerprint;
use concord_kernel::id::{GrantId, RectificationId};
use concord_proto::audit::v1::{
    ExportControlTestsRequest, ExportFindingsRequest, Finding, FindingDimension, FindingGroup,
    ListControlTestsRequest, ListFindingsRequest, PostingFilter, finding_service_server::FindingService,
};
use concord_proto::r#type::v1 as shared;
use futures::StreamExt as _;
use tonic::{Code, Request};
use uuid::Uuid;

pub(crate) fn overridden(grant: GrantId) -> FundEvent {
    FundEvent::OverrideRecorded {
        grant,
        rule: OverriddenRule::A07,
        minutes: "会议纪要 2".to_owned(),
        reason: "急需".to_owned(),
    }
}

/// Three awards of one title, each with an override: G1 of Shenyang, G2 of Dalian in another mode, G3 of Germany in euro.
pub(crate) fn three() -> Story {
    let title = "高效电机关键技术研究";
    let admitted = |grant| FundEvent::GrantAdmitted {
        grant,
        filed: Some(Filed {
            lead: lead().party,
            fingerprint: Fingerprint::of(lead().party, title, None),
            fund: "guiding-fund".to_owned(),
            directory: None,
        }),
    };
    let mut story = Story::empty();
    story.then("2025-01-10", &appropriated(P1, 1_000_000));
    let second = party("2", "210200", "乙公司");
    for (grant, mode, lead, industry) in [
        (G1, FundingMode::NonRepayable, lead(), "new_materials"),
        (G2, FundingMode::LoanInterestSubsidy, second, "marine"),
    ] {
        let mut asked = applied(grant, mode, &lead, industry);
        if let FundEvent::GrantApplied { title: own, .. } = &mut asked {
            title.clone_into(own);
        }
        story.then("2025-02-01", &asked).then("2025-02-02", &admitted(grant));
        story.then("2025-02-03", &overridden(grant));
    }
    let mut award = imported(G3, P2, 500_000, "2017-01-01");
    if let FundEvent::AwardImported { title: own, .. } = &mut award {
        title.clone_into(own);
    }
    story.then("2016-05-01", &award).then("2025-02-04", &overridden(G3));
    story
}

#[tokio::test]
async fn every_filter_lets_through_the_same_grants_under_every_rule() {
    let bench = told(&three()).await;
    let filters: [(PostingFilter, &[GrantId]); 14] = {
        let of = PostingFilter::default;
        [
            (of(), &[G1, G2, G3]),
            (PostingFilter { programme_id: P1.to_string(), ..of() }, &[G1, G2]),
            (PostingFilter { mode: shared::FundingMode::LoanInterestSubsidy.into(), ..of() }, &[G2]),
            (PostingFilter { lead_region: "21".to_owned(), ..of() }, &[G1, G2]),
            (PostingFilter { lead_region: "2101".to_owned(), ..of() }, &[G1]),
            (PostingFilter { party_region: "DE".to_owned(), ..of() }, &[G3]),
            (PostingFilter { industry: "marine".to_owned(), ..of() }, &[G2]),
            (PostingFilter { year: 2016, ..of() }, &[G3]),
            (PostingFilter { year: 2024, ..of() }, &[]),
            (PostingFilter { grant_id: G1.to_string(), ..of() }, &[G1]),
            (PostingFilter { party: lead().party.to_string(), ..of() }, &[G1]),
            (PostingFilter { party: party("2", "210200", "").code.to_string(), ..of() }, &[G2]),
            (PostingFilter { currency: "EUR".to_owned(), ..of() }, &[G3]),
            (PostingFilter { currency: "CNY".to_owned(), year: 2025, ..of() }, &[G1, G2]),
        ]
    };
    for (filter, grants) in filters {
        for rule in ["A18", "A04"] {
            let asked = ListFindingsRequest {
                filter: Some(filter.clone()),
                order_by: "rule".to_owned(),
                ..of_rule(rule, "2025-03-01")
            };
            let mut found: Vec<String> =
                list(&bench.audit, asked).await.findings.into_iter().map(|one| one.grant_id).collect();
            found.sort();
            // G2 came after G1, and G3 after both: a pair is the later one's.
            let times = |grant: &GrantId| match (rule, *grant) {
                ("A18", _) => 1,
                (_, G1) => 0,
                (_, G2) => 1,
                _ => 2,
            };
            let mut expected: Vec<String> = grants
                .iter()
                .flat_map(|grant| std::iter::repeat_n(grant.to_string(), times(grant)))
                .collect();
            expected.sort();
            assert_eq!(found, expected, "{rule} {filter:?}");
        }
        // Control tests look at the same grants: one override each, and an admission of each that was not imported.
        let asked = ListControlTestsRequest {
            filter: Some(filter.clone()),
            rules: vec!["A04".to_owned()],
            ..ListControlTestsRequest::default()
        };
        let tests = bench.audit.list_control_tests(Request::new(asked)).await.unwrap().into_inner().tests;
        let admitted = grants.iter().filter(|grant| **grant != G3).count();
        assert_eq!(tests[0].population, i64::try_from(admitted).unwrap(), "{filter:?}");
    }
}

fn keys(findings: &[Finding]) -> Vec<(String, String, u64)> {
    findings.iter().map(|one| (one.rule.clone(), one.subject.clone(), one.position)).collect()
}

#[tokio::test]
async fn who_was_charged_stands_beside_a_finding_and_what_was_dismissed_is_hidden() {
    let mut story = three();
    let rectification = |number: u128| RectificationId(Uuid::from_u128(0x700 + number));
    let assigned = |number, position| FundEvent::RectificationAssigned {
        rectification: rectification(number),
        finding: FindingKey { rule: "A18".to_owned(), subject: format!("{G1}/override/4"), position },
        grant: Some(G1),
        owner: "=org-7".to_owned(),
        deadline: crate::story::date("2025-09-01"),
        task: "说明".to_owned(),
    };
    story
        // Another position is another finding's.
        .then("2025-03-01", &assigned(2, 5))
        .then("2025-03-01", &assigned(1, 4))
        .then(
            "2025-03-02",
            &FundEvent::RectificationExplained {
                rectification: rectification(1),
                explanation: "急需".to_owned(),
            },
        )
        .then(
            "2025-03-03",
            &FundEvent::FindingRectified { rectification: rectification(1), evidence: "补正".to_owned() },
        )
        .then(
            "2025-03-04",
            &FundEvent::FindingDismissed {
                rectification: rectification(1),
                minutes: "会议纪要 5".to_owned(),
                reason: "不成立".to_owned(),
                seen: None,
            },
        );
    let bench = told(&story).await;
    let first = story.events.len() as u64 - 4;
    let asked = |as_of, include_dismissed| ListFindingsRequest {
        as_of,
        include_dismissed,
        filter: Some(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() }),
        ..of_rule("A18", "2025-03-31")
    };
    let states = ["", "assigned", "explained", "rectified"];
    for (position, state) in (first..).zip(states) {
        let found = list(&bench.audit, asked(at(position), false)).await.findings;
        // The charge with another position is one of no finding.
        let (override_used, of_none) = (&found[0], &found[1]);
        assert_eq!((found.len(), override_used.rectification_state.as_str()), (2, state), "{position}");
        assert_eq!((of_none.case.as_str(), of_none.position), ("charge", first));
        let charged =
            (found[0].rectification_id.as_str(), found[0].owner.as_str(), found[0].deadline.as_str());
        let one = rectification(1).to_string();
        let expected = if state.is_empty() { ("", "", "") } else { (&*one, "=org-7", "2025-09-01") };
        assert_eq!(charged, expected, "{position}");
    }
    let left = list(&bench.audit, asked(None, false)).await;
    assert_eq!((left.findings.len(), left.findings[0].case.as_str()), (1, "charge"));
    let sums = |group: &FindingGroup| (group.findings, group.dismissed, group.dismissed_minor);
    assert_eq!((sums(&left.groups[0]), sums(&left.totals[0])), ((1, 1, 0), (1, 1, 0)));
    let all = list(&bench.audit, asked(None, true)).await;
    let dismissed = all.findings;
    assert_eq!((dismissed.len(), dismissed[0].rectification_state.as_str()), (2, "dismissed"));
    assert_eq!((sums(&all.groups[0]), sums(&all.totals[0])), ((2, 1, 0), (2, 1, 0)));
    // As of the day before it was dismissed.
    let before = list(&bench.audit, asked(known(first + 4, "2025-03-03"), false)).await.findings;
    assert_eq!(before[0].rectification_state, "rectified");

    let file = findings_file(&bench, true).await;
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns::FINDINGS);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |name: &str| columns::FINDINGS.iter().position(|column| *column == name).unwrap();
    let row = rows.iter().find(|row| row[of("subject")] == format!("{G1}/override/4")).unwrap();
    assert_eq!(&row[of("owner")], "'=org-7", "what a spreadsheet would open as a formula is text");
    assert_eq!(&row[of("amount_minor")], "0");
    assert_eq!((&row[of("rectification_state")], &row[of("synthetic")]), ("dismissed", "false"));
    assert_eq!(&row[of("evidence")], "4");
    assert_eq!((&row[of("concluded_position")], &row[of("concluded_on")]), ("14", "2025-03-04"));
    assert_eq!((&row[of("concluded_minor")], &row[of("covered")]), ("0", "true"));
    assert_eq!(
        (rows.len(), findings_file(&bench, false).await.lines().count()),
        (4, 4),
        "and without a dismissed one"
    );
}

async fn findings_file(bench: &Bench, include_dismissed: bool) -> String {
    let asked = ExportFindingsRequest {
        rules: vec!["A18".to_owned()],
        on: "2025-03-31".to_owned(),
        include_dismissed,
        ..ExportFindingsRequest::default()
    };
    let mut stream = bench.audit.export_findings(Request::new(asked)).await.unwrap().into_inner();
    let (mut file, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.unwrap();
        assert_eq!((piece.reflects.is_some(), piece.on.is_empty()), (pieces == 0, pieces != 0));
        file.extend(piece.data);
        pieces += 1;
    }
    String::from_utf8(file).unwrap()
}

fn amended(grant: GrantId, amount: i64) -> FundEvent {
    of_grant(grant, approved(G1, amount))
}

#[tokio::test]
async fn findings_are_grouped_by_what_is_asked_for_and_by_currency() {
    let mut story = three();
    story.then("2025-02-10", &amended(G1, 300_000)).then("2025-02-10", &amended(G2, 200_000));
    let bench = told(&story).await;
    let asked = |group_by: &[FindingDimension]| ListFindingsRequest {
        group_by: group_by.iter().map(|dimension| (*dimension).into()).collect(),
        ..of_rule("A18", "2025-03-06")
    };
    let group = |group: &[&str], labels: &[&str], currency: &str, sums: (i64, i64, i32, i64)| FindingGroup {
        group: group.iter().map(ToString::to_string).collect(),
        labels: labels.iter().map(ToString::to_string).collect(),
        currency: currency.to_owned(),
        findings: sums.0,
        amount_minor: sums.1,
        oldest_days: sums.2,
        synthetic: sums.3,
        exact_minor: String::new(),
        dismissed: 0,
        dismissed_minor: 0,
        dismissed_exact_minor: String::new(),
    };
    let by_rule = list(&bench.audit, asked(&[])).await.groups;
    let (yuan, euro) = ((2, 500_000, 31, 0), (1, 0, 30, 1));
    let rule = "override used 特批";
    assert_eq!(by_rule, [group(&["A18"], &[rule], "CNY", yuan), group(&["A18"], &[rule], "EUR", euro)]);
    let by_case_and_age = [FindingDimension::Case, FindingDimension::Age];
    assert_eq!(
        list(&bench.audit, asked(&by_case_and_age)).await.groups,
        [
            group(&["A18 override", "31-90"], &[rule, ""], "CNY", yuan),
            group(&["A18 override", "1-30"], &[rule, ""], "EUR", euro),
        ]
    );
    let by_place = [FindingDimension::Programme, FindingDimension::LeadRegion];
    let groups = list(&bench.audit, asked(&by_place)).await.groups;
    let values: Vec<Vec<&str>> =
        groups.iter().map(|one| one.group.iter().map(String::as_str).collect()).collect();
    let (first, second) = (P1.to_string(), P2.to_string());
    assert_eq!(values, [[&*first, "210100"], [&*first, "210200"], [&*second, "DE"]]);
    assert!(groups[0].labels[1].contains("沈阳"), "{:?}", groups[0].labels);
    assert_eq!(groups.iter().map(|one| one.amount_minor).collect::<Vec<_>>(), [300_000, 200_000, 0]);
}

/// So many overrides, each a day later than the one before, of awards of different amounts.
fn many(overrides: u32) -> Story {
    let mut story = three();
    story.then("2025-02-10", &amended(G1, 300_000)).then("2025-02-10", &amended(G2, 200_000));
    for number in 0..overrides {
        let day = crate::story::date("2025-03-01").saturating_add(jiff::Span::new().days(number / 3));
        story.then(&day.to_string(), &overridden([G1, G2, G3][number as usize % 3]));
    }
    story
}

#[tokio::test]
async fn pages_are_of_one_answer_in_every_order_though_the_log_goes_on() {
    for (order_by, first) in
        [("", 300_000), ("amount_minor desc", 300_000), ("age_days desc", 300_000), ("rule", 300_000)]
    {
        let mut story = many(22);
        let mut bench = told(&story).await;
        let asked = ListFindingsRequest { order_by: order_by.to_owned(), ..of_rule("A18", "") };
        let whole = list(&bench.audit, ListFindingsRequest { page_size: 1_000, ..asked.clone() }).await;
        assert_eq!((whole.findings.len(), whole.next_page_token.as_str()), (25, ""), "{order_by}");
        assert_eq!(whole.findings[0].amount_minor, first, "{order_by}");
        let (mut pages, mut token, mut sizes) = (Vec::new(), String::new(), Vec::new());
        loop {
            let request = ListFindingsRequest { page_size: 10, page_token: token, ..asked.clone() };
            let answer = list(&bench.audit, request).await;
            assert_eq!(
                (&answer.reflects, &answer.on, &answer.groups),
                (&whole.reflects, &whole.on, &whole.groups)
            );
            sizes.push(answer.findings.len());
            pages.extend(answer.findings);
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
            // Another finding comes up meanwhile, and other questions are asked.
            let so_far = story.events.len();
            story.then("2025-04-01", &overridden(G1));
            bench.apply(&story.events[so_far..]).await.unwrap();
            for rule in ["A03", "A06", "A09", "A10", "A11"] {
                assert_eq!(list(&bench.audit, of_rule(rule, "2025-02-01")).await.findings, []);
            }
        }
        assert_eq!(sizes, [10, 10, 5], "{order_by}");
        assert_eq!(pages, whole.findings, "{order_by}");
        let ranks = |rank: fn(&Finding) -> i64| pages.iter().map(rank).collect::<Vec<_>>();
        match order_by {
            "rule" => assert!(keys(&pages).is_sorted()),
            "age_days desc" => assert!(ranks(|one| -i64::from(one.age_days)).is_sorted()),
            _ => assert!(ranks(|one| -one.amount_minor).is_sorted()),
        }
    }
}

#[tokio::test]
async fn all_rules_together_are_each_rule_by_itself() {
    let mut bench = Bench::new().await;
    bench.apply(&crate::life::life().events).await.unwrap();
    let rules = ["A03", "A04", "A06", "A07", "A09", "A10", "A11", "A12", "A16", "A17", "A18"];
    let asked = |rules: &[&str]| ListFindingsRequest {
        rules: rules.iter().map(ToString::to_string).collect(),
        order_by: "rule".to_owned(),
        page_size: 1_000,
        on: "2027-07-01".to_owned(),
        ..ListFindingsRequest::default()
    };
    let all = list(&bench.audit, asked(&[])).await.findings;
    let mut each = Vec::new();
    for rule in rules {
        each.extend(list(&bench.audit, asked(&[rule])).await.findings);
    }
    assert_eq!(all, each);
    assert_eq!(list(&bench.audit, asked(&["A18", "A07", "A18"])).await.findings.len(), 2, "each rule once");
    let mut keys = keys(&all);
    keys.dedup();
    assert_eq!(keys.len(), all.len(), "no key comes twice");
    for one in &all {
        assert!(one.evidence.contains(&one.position) && one.evidence.is_sorted(), "{one:?}");
        assert!(!one.message.is_empty() && !one.message_zh.is_ascii(), "{one:?}");
    }
    // The city's second instalment is missing, and what it did not pay of the first; the lead holds 400.00, the partner 500.00.
    let of = |rule: &str| {
        let mut amounts: Vec<i64> =
            all.iter().filter(|one| one.rule == rule).map(|one| one.amount_minor).collect();
        amounts.sort_unstable();
        amounts
    };
    assert_eq!((of("A03"), of("A07"), of("A10")), (vec![10_000, 60_000], vec![50_000], vec![40_000, 50_000]));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_all_of_its_faults() {
    let bench = told(&begun()).await;
    let group_by = [1, 1, 99, 0, 2, 3, 4].to_vec();
    let asked = ListFindingsRequest {
        filter: Some(PostingFilter { period: "2025-01".to_owned(), ..PostingFilter::default() }),
        rules: vec!["A03".to_owned(), "A13".to_owned()],
        on: "2025-02-30".to_owned(),
        group_by,
        order_by: "title".to_owned(),
        page_size: -1,
        page_token: "x".to_owned(),
        ..ListFindingsRequest::default()
    };
    let status = bench.audit.list_findings(Request::new(asked)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut told = faults(&status);
    told.sort();
    let expected = [
        "filter.period",
        "group_by",
        "group_by[1]",
        "group_by[2]",
        "group_by[3]",
        "on",
        "order_by",
        "page_size",
        "page_token",
        "rules[1]",
    ];
    assert_eq!(told, expected);
    // A page of another question.
    let asked = |order_by: &str, token: String| ListFindingsRequest {
        order_by: order_by.to_owned(),
        page_size: 1,
        page_token: token,
        ..of_rule("A18", "2025-03-31")
    };
    let paged = self::told(&many(3)).await;
    let token = list(&paged.audit, asked("", String::new())).await.next_page_token;
    let status = paged.audit.list_findings(Request::new(asked("rule", token))).await.unwrap_err();
    assert_eq!((status.code(), faults(&status)), (Code::InvalidArgument, vec!["page_token".to_owned()]));
    // A point that is not known yet.
    let ahead = ListFindingsRequest { as_of: at(1_000), ..of_rule("A18", "") };
    let status = paged.audit.list_findings(Request::new(ahead)).await.unwrap_err();
    assert_ne!(status.code(), Code::InvalidArgument);

    let control = ListControlTestsRequest {
        rules: vec!["A06".to_owned()],
        exceptions_max: -1,
        ..ListControlTestsRequest::default()
    };
    let status = bench.audit.list_control_tests(Request::new(control)).await.unwrap_err();
    assert_eq!(faults(&status), ["exceptions_max", "rules[0]"]);
    let export = ExportFindingsRequest { rules: vec!["A01".to_owned()], ..ExportFindingsRequest::default() };
    let status = bench.audit.export_findings(Request::new(export)).await.map(|_| ()).unwrap_err();
    assert_eq!(faults(&status), ["rules[0]"]);
    let export =
        ExportControlTestsRequest { rules: vec!["A06".to_owned()], ..ExportControlTestsRequest::default() };
    let status = bench.audit.export_control_tests(Request::new(export)).await.map(|_| ()).unwrap_err();
    assert_eq!(faults(&status), ["rules[0]"]);
}

#[tokio::test]
async fn sums_beyond_63_bits_are_told_exactly_and_never_wrapped() {
    let mut story = Story::empty();
    story.then("2025-01-10", &appropriated(P1, i64::MAX));
    for grant in [G1, G2] {
        story
            .then("2025-02-01", &applied(grant, FundingMode::NonRepayable, &lead(), "marine"))
            .then("2025-02-02", &overridden(grant))
            .then("2025-02-03", &of_grant(grant, approved(G1, i64::MAX)));
    }
    let bench = told(&story).await;
    let groups = list(&bench.audit, of_rule("A18", "2025-03-31")).await.groups;
    assert_eq!((groups[0].amount_minor, groups[0].exact_minor.as_str()), (i64::MAX, "18446744073709551614"));
    // One by one each fits.
    let one = ListFindingsRequest {
        filter: Some(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() }),
        ..of_rule("A18", "2025-03-31")
    };
    assert_eq!(list(&bench.audit, one).await.findings[0].amount_minor, i64::MAX);
}
