//! Charges, acceptances and dismissals: what there was as of each, what of a finding it covers, and what is a finding itself.

use super::{begun, list, of_rule, told};
use crate::balances::at;
use crate::cluster::Bench;
use crate::life::{corrected, life, pledged};
use crate::story::{G1, G2, P1, Story, date};
use concord_events::fund::{FindingKey, FundEvent, MatchingKind, MoneyFact};
use concord_funding_audit::{LogClock, columns};
use concord_kernel::id::RectificationId;
use concord_kernel::money::{Amount, Currency};
use concord_proto::audit::v1::{
    ExportFindingsRequest, Finding, FindingDimension, FindingGroup, ListClocksRequest, ListFindingsRequest,
    ListFindingsResponse, PostingFilter, finding_service_server::FindingService,
    funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use std::collections::BTreeSet;
use tonic::Request;
use uuid::Uuid;

const CNY: Currency = Currency::CNY;

fn key(rule: &str, subject: &str, position: u64) -> FindingKey {
    FindingKey { rule: rule.to_owned(), subject: subject.to_owned(), position }
}

fn rectification(number: u128) -> RectificationId {
    RectificationId(Uuid::from_u128(0x700 + number))
}

fn charged(number: u128, finding: &FindingKey) -> FundEvent {
    FundEvent::RectificationAssigned {
        rectification: rectification(number),
        finding: finding.clone(),
        grant: None,
        owner: "org-7".to_owned(),
        deadline: date("2027-09-01"),
        task: "说明".to_owned(),
    }
}

fn dismissed(number: u128, seen: Option<Amount>) -> FundEvent {
    FundEvent::FindingDismissed {
        rectification: rectification(number),
        minutes: "会议纪要 5".to_owned(),
        reason: "不成立".to_owned(),
        seen,
    }
}

fn explained(number: u128) -> FundEvent {
    FundEvent::RectificationExplained {
        rectification: rectification(number),
        explanation: "财政困难".to_owned(),
    }
}

fn accepted(number: u128) -> FundEvent {
    FundEvent::FindingAccepted {
        rectification: rectification(number),
        minutes: "会议纪要 5".to_owned(),
        reason: "属实".to_owned(),
        seen: None,
    }
}

fn today(day: &str) -> FundEvent {
    FundEvent::TodayAdvanced { today: date(day) }
}

/// Begun, and at position 7 one instalment of the city's, due on 2025-06-30.
fn owing(minor: i64) -> Story {
    let mut story = begun();
    story.then("2025-03-21", &pledged(1, MatchingKind::GovernmentBudget, &[(minor, "2025-06-30")]));
    story
}

fn arrived(amount_minor: i64) -> FundEvent {
    FundEvent::MatchingArrived {
        grant: G1,
        programme: P1,
        currency: CNY,
        source: 1,
        instalment: 1,
        amount_minor,
        bank_reference: "M-1".to_owned(),
    }
}

/// The key of what is missing of it.
fn missing() -> FindingKey {
    key("A03", &format!("{G1}/source/1/1"), 7)
}

/// In a log whose clock is played from a day on.
async fn played(from: &str, story: &Story) -> Bench {
    let mut bench = Bench::with_clock(LogClock::Played { from: date(from) }).await;
    bench.apply(&story.events).await.unwrap();
    bench
}

/// What came after so many events is applied too.
async fn goes_on(bench: &mut Bench, story: &Story, so_far: usize) {
    bench.apply(&story.events[so_far..]).await.unwrap();
}

async fn of(bench: &Bench, rule: &str) -> ListFindingsResponse {
    list(&bench.audit, ListFindingsRequest { order_by: "rule".to_owned(), ..of_rule(rule, "") }).await
}

/// Case, position and amount of what A18 finds.
async fn set_aside(bench: &Bench) -> Vec<(String, u64, i64)> {
    of(bench, "A18")
        .await
        .findings
        .into_iter()
        .map(|one| (one.case, one.position, one.amount_minor))
        .collect()
}

fn row(case: &str, position: u64, minor: i64) -> (String, u64, i64) {
    (case.to_owned(), position, minor)
}

/// How many findings a group has, with their amount, and how many of them were dismissed, with theirs.
fn sums(group: &FindingGroup) -> (i64, i64, i64, i64) {
    (group.findings, group.amount_minor, group.dismissed, group.dismissed_minor)
}

#[tokio::test]
async fn what_was_dismissed_before_there_was_anything_is_found_all_the_same() {
    let mut story = owing(90_000_000);
    story
        .then("2025-03-21", &charged(1, &missing()))
        .then("2025-03-22", &dismissed(1, None))
        .then("2025-07-01", &today("2025-07-01"));
    let bench = played("2025-03-22", &story).await;
    let answer = of(&bench, "A03").await;
    let [found] = &answer.findings[..] else { panic!("{answer:?}") };
    assert_eq!((found.amount_minor, found.rectification_state.as_str()), (90_000_000, "dismissed"));
    assert_eq!((found.covered, found.concluded_minor), (false, 0));
    assert_eq!((found.concluded_position, found.concluded_on.as_str()), (9, "2025-03-22"));
    let told = "; it was dismissed on 2025-03-22, position 9, when there was no such finding";
    assert!(found.message.ends_with(told), "{}", found.message);
    let told = "；2025-03-22曾认定不成立（序号9），当时并无此项发现";
    assert!(found.message_zh.ends_with(told), "{}", found.message_zh);
    assert_eq!((sums(&answer.groups[0]), sums(&answer.totals[0])), {
        let all = (1, 90_000_000, 0, 0);
        (all, all)
    });
    // Both acts are findings themselves, of the grant that the subject names.
    assert_eq!(set_aside(&bench).await, [row("charge", 8, 0), row("dismissal", 9, 0)]);
    let acts = of(&bench, "A18").await.findings;
    assert_eq!(acts[1].subject, format!("rectification/{}", rectification(1)));
    assert_eq!((acts[1].grant_id.as_str(), &acts[1].evidence[..]), (&*G1.to_string(), &[8, 9][..]));
    assert_eq!(
        (acts[1].since.as_str(), acts[1].age_days, acts[1].currency.as_str()),
        ("2025-03-22", 101, "CNY")
    );
    let subject = format!("A03:{G1}/source/1/1@7");
    assert_eq!(
        (acts[1].message.clone(), acts[1].message_zh.clone()),
        (
            format!(
                "{subject} was dismissed on 2025-03-22, and there was no such finding; this hides nothing"
            ),
            format!("2025-03-22认定{subject}不成立，而当时并无此项发现；该认定不生效"),
        )
    );
    assert_eq!(
        acts[0].message,
        format!("{subject} was charged on 2025-03-21, and there was no such finding")
    );
    // As of the charge alone, and of another grant, there is less.
    let asked = |as_of, grant: String| ListFindingsRequest {
        as_of,
        filter: Some(PostingFilter { grant_id: grant, ..PostingFilter::default() }),
        ..of_rule("A18", "")
    };
    assert_eq!(list(&bench.audit, asked(at(8), G1.to_string())).await.findings.len(), 1);
    assert_eq!(list(&bench.audit, asked(None, G2.to_string())).await.findings, []);
    // The day and not the events decides: charged on the day after it was due, there is one.
    let mut story = owing(90_000_000);
    story.then("2025-07-01", &charged(1, &missing())).then("2025-07-01", &dismissed(1, None));
    let bench = played("2025-07-01", &story).await;
    assert_eq!((of(&bench, "A03").await.findings, set_aside(&bench).await), (vec![], vec![]));
    let bench = played("2025-06-30", &story).await;
    assert_eq!(set_aside(&bench).await.len(), 2, "on the day itself nothing is overdue");
}

#[tokio::test]
async fn a_dismissal_covers_what_there_was_and_more_is_there_again() {
    let mut story = owing(50_000_000);
    story
        .then("2025-06-20", &arrived(49_500_000))
        .then("2025-07-01", &charged(1, &missing()))
        .then("2025-07-02", &dismissed(1, None));
    let mut bench = played("2025-07-02", &story).await;
    let hidden = of(&bench, "A03").await;
    assert_eq!(hidden.findings, []);
    let all = (0, 0, 1, 500_000);
    assert_eq!((sums(&hidden.groups[0]), sums(&hidden.totals[0])), (all, all), "it stands in every total");
    assert_eq!(set_aside(&bench).await, []);

    // The arrival never was.
    let so_far = story.events.len();
    let never = MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 49_500_000 };
    story.then("2025-07-03", &corrected(8, never, "2025-06-20"));
    goes_on(&mut bench, &story, so_far).await;
    let grown = of(&bench, "A03").await;
    let [found] = &grown.findings[..] else { panic!("{grown:?}") };
    assert_eq!((found.amount_minor, found.rectification_state.as_str()), (50_000_000, "dismissed"));
    assert_eq!((found.covered, found.concluded_minor, found.concluded_position), (false, 500_000, 10));
    let told = "; it was dismissed on 2025-07-02, position 10, for 5,000.00 CNY";
    assert!(found.message.ends_with(told), "{}", found.message);
    assert!(found.message_zh.ends_with("；2025-07-02曾认定不成立（序号10），当时金额5,000.00 CNY"));
    assert_eq!(sums(&grown.totals[0]), (1, 50_000_000, 0, 0));
    // It was right when it was decided, and what was known before is as it was.
    assert_eq!(set_aside(&bench).await, []);
    let before = ListFindingsRequest { as_of: at(10), ..of_rule("A03", "") };
    assert_eq!(list(&bench.audit, before).await.findings, []);

    // Somebody is charged with it anew, and it is dismissed for what it is now.
    let so_far = story.events.len();
    story.then("2025-07-04", &charged(1, &missing()));
    goes_on(&mut bench, &story, so_far).await;
    let anew = &of(&bench, "A03").await.findings[0];
    assert_eq!((anew.rectification_state.as_str(), anew.concluded_position), ("assigned", 0));
    let clocks = async |bench: &Bench| {
        let request = ListClocksRequest { on: "2027-09-02".to_owned(), ..ListClocksRequest::default() };
        let clocks = bench.audit.list_clocks(Request::new(request)).await.unwrap().into_inner().clocks;
        clocks.into_iter().filter(|clock| clock.kind == "rectification").count()
    };
    assert_eq!(clocks(&bench).await, 1, "the newest charge has its deadline");
    let so_far = story.events.len();
    story.then("2025-07-05", &dismissed(1, None));
    goes_on(&mut bench, &story, so_far).await;
    let hidden = of(&bench, "A03").await;
    assert_eq!((hidden.findings.len(), sums(&hidden.totals[0])), (0, (0, 0, 1, 50_000_000)));
    assert_eq!(clocks(&bench).await, 0);
    // Of less it is none either, and counts for what it is.
    let so_far = story.events.len();
    story.then("2025-07-06", &arrived(10_000_000));
    goes_on(&mut bench, &story, so_far).await;
    assert_eq!(sums(&of(&bench, "A03").await.totals[0]), (0, 0, 1, 40_000_000));
}

#[tokio::test]
async fn a_key_that_is_not_the_findings_own_hides_nothing() {
    let right = missing();
    let others = [
        key("a03", &right.subject, 7),
        key("A03 ", &right.subject, 7),
        key("A03", &format!("{} ", right.subject), 7),
        key("A03", &right.subject.to_uppercase(), 7),
        key("A03", &format!("{}/source/01/1", G1), 7),
        key("A03", &right.subject, 6),
        key("A03", &right.subject, 8),
        key("A03", &right.subject, 1_000),
        key("A03", &right.subject, u64::MAX),
        key("A03", &format!("{G2}/source/1/1"), 7),
        key("A03", &format!("{G1}/source/2/1"), 7),
        key("A03", &format!("recovery/{G1}"), 7),
        key("A03", "elsewhere", 7),
        key("A06", &right.subject, 7),
        key("A01", &right.subject, 7),
        key("A17", &format!("{P1}/late/7"), 7),
        key("A04", &format!("{G1}/similar/{G2}"), 7),
        key("A18", &format!("rectification/{}", rectification(1)), 7),
    ];
    let mut story = owing(90_000_000);
    for (finding, number) in others.iter().zip(1..) {
        story.then("2025-07-01", &charged(number, finding)).then("2025-07-01", &dismissed(number, None));
    }
    let bench = played("2025-07-01", &story).await;
    let answer = of(&bench, "A03").await;
    let [found] = &answer.findings[..] else { panic!("{answer:?}") };
    assert_eq!((found.amount_minor, found.rectification_state.as_str()), (90_000_000, ""));
    let expected: BTreeSet<_> = (8..8 + 2 * others.len() as u64)
        .map(|position| row(if position % 2 == 0 { "charge" } else { "dismissal" }, position, 0))
        .collect();
    assert_eq!(set_aside(&bench).await.into_iter().collect::<BTreeSet<_>>(), expected);
    // The same again, from what is kept.
    assert_eq!(set_aside(&bench).await.len(), expected.len());
}

#[tokio::test]
async fn what_was_named_is_compared_with_what_there_was() {
    let cny = |minor| Some(Amount::new(minor, CNY));
    let euro = Some(Amount::new(500_000, Currency::EUR));
    // What is named; what is covered; what A18 says.
    let rows = [
        (None, 500_000, vec![]),
        (cny(500_000), 500_000, vec![]),
        (cny(400_000), 400_000, vec![row("amount", 10, 100_000)]),
        (cny(0), 0, vec![row("amount", 10, 500_000)]),
        (cny(900_000), 500_000, vec![row("amount", 10, 400_000)]),
        (euro, 0, vec![row("dismissal", 10, 500_000)]),
    ];
    for (named, covered, expected) in rows {
        let mut story = owing(50_000_000);
        story
            .then("2025-06-20", &arrived(49_500_000))
            .then("2025-07-01", &charged(1, &missing()))
            .then("2025-07-02", &dismissed(1, named));
        let bench = played("2025-07-02", &story).await;
        let all = ListFindingsRequest { include_dismissed: true, ..of_rule("A03", "") };
        let answer = list(&bench.audit, all).await;
        let found = &answer.findings[0];
        assert_eq!((found.concluded_minor, found.covered), (covered, covered == 500_000), "{named:?}");
        let listed = of(&bench, "A03").await.findings.len();
        assert_eq!(listed, usize::from(covered != 500_000), "{named:?}");
        assert_eq!(set_aside(&bench).await, expected, "{named:?}");
        let told = of(&bench, "A18").await.findings;
        match named {
            Some(Amount { minor: 400_000, .. }) => {
                let key = format!("A03:{G1}/source/1/1@7");
                let english =
                    format!("{key} was decided about on 2025-07-02 as 4,000.00 CNY, and was 5,000.00 CNY");
                let chinese = format!("2025-07-02就{key}作出认定时所列金额为4,000.00 CNY，实为5,000.00 CNY");
                assert_eq!((&told[0].message, &told[0].message_zh), (&english, &chinese));
            }
            Some(Amount { currency: Currency::EUR, .. }) => assert_eq!(told[0].currency, "EUR"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_accepted_explanation_is_listed_and_holds_for_what_there_was() {
    let mut story = owing(50_000_000);
    story
        .then("2025-06-20", &arrived(49_500_000))
        .then("2025-07-01", &charged(1, &missing()))
        .then("2025-07-01", &explained(1))
        .then("2025-07-02", &accepted(1));
    let mut bench = played("2025-07-02", &story).await;
    let answer = of(&bench, "A03").await;
    let found = &answer.findings[0];
    assert_eq!((found.rectification_state.as_str(), found.covered), ("accepted", true));
    assert!(found.message.ends_with("has arrived"), "{}", found.message);
    assert_eq!(sums(&answer.totals[0]), (1, 500_000, 0, 0), "it is a finding, and explained");
    let so_far = story.events.len();
    let never = MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 49_500_000 };
    story.then("2025-07-03", &corrected(8, never, "2025-06-20"));
    goes_on(&mut bench, &story, so_far).await;
    let found = &of(&bench, "A03").await.findings[0];
    assert_eq!((found.rectification_state.as_str(), found.covered), ("accepted", false));
    let told = "; its explanation was accepted on 2025-07-02, position 11, for 5,000.00 CNY";
    assert!(found.message.ends_with(told), "{}", found.message);
    // Of what was none, the acceptance is a finding.
    let mut story = owing(50_000_000);
    story
        .then("2025-06-20", &charged(1, &missing()))
        .then("2025-06-20", &explained(1))
        .then("2025-06-21", &accepted(1));
    let bench = played("2025-06-21", &story).await;
    assert_eq!(set_aside(&bench).await, [row("charge", 8, 0), row("acceptance", 10, 0)]);
}

/// Every finding that there is, charged and dismissed, one after the other.
async fn all_dismissed(from: &str, mut story: Story) -> BTreeSet<String> {
    let mut bench = played(from, &story).await;
    let asked = ListFindingsRequest { page_size: 1_000, ..ListFindingsRequest::default() };
    let found = list(&bench.audit, asked.clone()).await.findings;
    let so_far = story.events.len();
    for (one, number) in found.iter().zip(1_000..) {
        let key = key(&one.rule, &one.subject, one.position);
        // As the fund writes it, it has one spelling already, and is about something of its rule's kind.
        assert_eq!(key.normal(), key);
        assert!(key.about().is_some(), "{key:?}");
        let amount = Amount::new(one.amount_minor, Currency::try_from(one.currency.as_str()).unwrap());
        story.then(from, &charged(number, &key)).then(from, &dismissed(number, Some(amount)));
    }
    goes_on(&mut bench, &story, so_far).await;
    let left = list(&bench.audit, asked.clone()).await;
    assert_eq!(left.findings, [], "of {} all are covered", found.len());
    let dismissed: i64 = left.totals.iter().map(|total| total.dismissed).sum();
    assert_eq!(dismissed, found.len() as i64);
    let listed = list(&bench.audit, ListFindingsRequest { include_dismissed: true, ..asked }).await.findings;
    let keys = |found: &[Finding]| -> BTreeSet<(String, String, u64, i64)> {
        let key = |one: &Finding| (one.rule.clone(), one.subject.clone(), one.position, one.amount_minor);
        found.iter().map(key).collect()
    };
    assert_eq!(keys(&found), keys(&listed));
    found.into_iter().map(|one| one.rule).collect()
}

#[tokio::test]
async fn a_finding_of_every_rule_is_found_again_as_of_its_charge() {
    let mut rules = all_dismissed("2027-07-01", life()).await;
    rules.extend(all_dismissed("2027-07-01", super::answers::three()).await);
    rules.extend(all_dismissed("2027-12-31", super::holding::demanded()).await);
    let mut over = begun();
    over.then("2025-07-01", &super::holding::spent(1, "2028-01-01", 1_000));
    rules.extend(all_dismissed("2028-12-31", over).await);
    let all = ["A03", "A04", "A06", "A07", "A09", "A10", "A11", "A12", "A16", "A17", "A18"];
    assert_eq!(rules.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn many_are_asked_about_together() {
    let mut story = begun();
    let overrides: Vec<u64> = (0..150)
        .map(|_| {
            story.then("2025-05-01", &super::answers::overridden(G1));
            story.events.len() as u64
        })
        .collect();
    for (position, number) in overrides.iter().zip(1..) {
        // Every third one with a wrong position.
        let wrong = u64::from(number % 3 == 0);
        let finding = key("A18", &format!("{G1}/override/{position}"), position + wrong);
        story.then("2025-06-01", &charged(number, &finding)).then("2025-06-01", &dismissed(number, None));
    }
    let bench = told(&story).await;
    let answer = list(&bench.audit, ListFindingsRequest { page_size: 1_000, ..of_rule("A18", "") }).await;
    let of_case = |case: &str| answer.findings.iter().filter(|one| one.case == case).count();
    assert_eq!((of_case("override"), of_case("charge"), of_case("dismissal")), (50, 50, 50));
    assert_eq!((answer.totals[0].dismissed, answer.totals[0].dismissed_minor), (100, 100 * 300_000));
}

#[tokio::test]
async fn a_charge_of_nothing_can_be_dismissed_itself() {
    let mut story = owing(90_000_000);
    story.then("2025-03-21", &charged(1, &missing())).then("2025-03-22", &dismissed(1, None));
    let about = |position| key("A18", &format!("rectification/{}", rectification(1)), position);
    story.then("2025-03-23", &charged(2, &about(8))).then("2025-03-23", &dismissed(2, None));
    // A charge with what was decided before there was such a charge, and one about an act that is right, are findings.
    story.then("2025-03-23", &charged(3, &about(13))).then("2025-03-23", &charged(4, &about(7)));
    let bench = played("2025-03-23", &story).await;
    let expected = [row("dismissal", 9, 0), row("charge", 12, 0), row("charge", 13, 0)];
    assert_eq!(set_aside(&bench).await, expected);
    // Those that name no grant and whose subject names none either are of no currency.
    let totals = of(&bench, "A18").await.totals;
    let of_currency = |currency: &str| totals.iter().find(|total| total.currency == currency).map(sums);
    assert_eq!((of_currency("CNY"), of_currency("")), (Some((1, 0, 1, 0)), Some((2, 0, 0, 0))));
}

#[tokio::test]
async fn a_charge_of_before_that_names_no_grant_is_of_the_grant_that_its_subject_names() {
    let mut story = owing(90_000_000);
    story.then("2025-07-01", &charged(1, &missing())).then("2025-07-01", &charged(2, &key("A03", "x", 7)));
    let bench = played("2025-07-01", &story).await;
    let of_grant = || Some(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() });
    let request =
        ListClocksRequest { on: "2027-09-02".to_owned(), filter: of_grant(), ..ListClocksRequest::default() };
    let clocks = bench.audit.list_clocks(Request::new(request)).await.unwrap().into_inner().clocks;
    let charges: Vec<_> = clocks.into_iter().filter(|clock| clock.kind == "rectification").collect();
    assert_eq!((charges.len(), charges[0].grant_id.clone()), (1, G1.to_string()));
    // What names nothing at all is of no programme, and is found where nothing narrows the question.
    let everywhere = of(&bench, "A18").await;
    let [nowhere] = &everywhere.findings[..] else { panic!("{everywhere:?}") };
    assert_eq!((nowhere.programme_id.as_str(), nowhere.currency.as_str(), nowhere.position), ("", "", 9));
    let narrowed = ListFindingsRequest { filter: of_grant(), ..of_rule("A18", "") };
    assert_eq!(list(&bench.audit, narrowed).await.findings, []);
    assert_eq!(of(&bench, "A03").await.findings[0].rectification_state, "assigned");
}

#[tokio::test]
async fn groups_are_written_as_a_file_too_with_the_whole_at_the_end() {
    let mut story = owing(50_000_000);
    story
        .then("2025-06-20", &arrived(49_500_000))
        .then("2025-07-01", &charged(1, &missing()))
        .then("2025-07-02", &dismissed(1, None))
        .then("2025-07-02", &super::answers::overridden(G1));
    let bench = played("2025-07-02", &story).await;
    let by = [FindingDimension::Rule, FindingDimension::LeadRegion, FindingDimension::Age];
    let asked = ExportFindingsRequest {
        rules: vec!["A03".to_owned(), "A18".to_owned()],
        group_by: by.iter().map(|dimension| (*dimension).into()).collect(),
        ..ExportFindingsRequest::default()
    };
    let mut stream = bench.audit.export_findings(Request::new(asked)).await.unwrap().into_inner();
    let piece = stream.next().await.unwrap().unwrap();
    assert_eq!(piece.totals.iter().map(sums).collect::<Vec<_>>(), [(1, 300_000, 1, 500_000)]);
    let file = String::from_utf8(piece.data).unwrap();
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns::finding_groups(&by));
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    let plain = |row: &[&str]| row.iter().map(ToString::to_string).collect::<Vec<_>>();
    let region = rows[0][3].clone();
    assert!(region.contains("沈阳"), "{region}");
    let matching = "matching funds never arrive 配套资金未到位";
    assert_eq!(
        rows,
        [
            plain(&[
                "A18",
                "override used 特批",
                "210100",
                &region,
                "1-30",
                "CNY",
                "1",
                "300000",
                "0",
                "0",
                "0",
                "0"
            ]),
            plain(&["A03", matching, "210100", &region, "1-30", "CNY", "0", "0", "1", "500000", "0", "0"]),
            plain(&["total", "", "", "", "", "CNY", "1", "300000", "1", "500000", "0", "0"]),
        ]
    );
}
