//! What the faults left in the log is found: by a finding, or by a control test that names the act.

use super::kept::{Kept, Open, TODAY, read};
use super::{followed, text};
use concord_proto::audit::v1::{
    Dimension, Finding, GetGrantStatementRequest, GetGrantStatementResponse, ListBalancesRequest,
    PostingFilter,
};
use concord_tests::agreements::Agreements;
use concord_tests::desk::{at, plain};
use concord_tests::record::in_postgres;

/// A thousand yuan in fen.
const THOUSAND: i64 = 100_000;

/// What is found of all that was recorded then.
async fn found(kept: &Kept, open: &Open) -> Vec<Finding> {
    open.found(kept.head("fund-grant")).await
}

/// The amounts found about a subject.
fn of(found: &[Finding], rule: &str, subject: &str) -> Vec<i64> {
    let of = found.iter().filter(|finding| finding.rule == rule && finding.subject == subject);
    of.map(|finding| finding.amount_minor).collect()
}

/// Subject of the finding that a rectification of then is about.
fn charged(kept: &Kept, fault: &str) -> String {
    let mut asked = kept.part_of(fault).filter(|asked| asked.name() == "AssignRectification");
    text(&asked.next().unwrap().line["request"]["finding"]["subject"])
}

async fn statement(kept: &Kept, open: &Open, grant: &str) -> GetGrantStatementResponse {
    let asked = GetGrantStatementRequest {
        grant_id: kept.grant(grant).to_owned(),
        as_of: at(kept.head("fund-grant")),
    };
    open.desk.audit().get_grant_statement(plain(asked)).await.unwrap().into_inner()
}

/// Two grants number their own items, and two of them are numbered alike.
#[tokio::test(flavor = "multi_thread")]
async fn items_that_two_recipients_count_alike_are_two() {
    let (kept, open) = read().await;
    for (grant, spent) in [("s1", 70_000), ("s2", 80_000)] {
        let closing = statement(kept, &open, grant).await.closing.unwrap();
        assert_eq!(closing.eligible_spend_minor, spent, "{grant}");
        assert_eq!(closing.recipient_unspent_minor, 60 * THOUSAND - spent, "{grant}");
    }
}

/// 131 parties hold money of a grant that is cancelled: 262 lines of one event.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_262_lines_is_held() {
    let (kept, open) = read().await;
    let cancelled = kept.position("CancelGrant", "m");
    let statement = statement(kept, &open, "m").await;
    let postings = statement.lines.into_iter().filter_map(|line| line.posting);
    let lines: Vec<(u32, i64)> = postings
        .filter(|posting| posting.position == cancelled)
        .map(|posting| (posting.line, posting.amount_minor))
        .collect();
    assert_eq!(lines.len(), 262);
    assert!(lines.iter().map(|(number, _)| *number).eq(1..=262), "{lines:?}");
    assert_eq!(lines.iter().map(|(_, amount)| amount).sum::<i64>(), 0);
    let closing = statement.closing.unwrap();
    assert_eq!((closing.recipient_unspent_minor, closing.recoverable_minor), (0, 7_860_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn pledges_at_the_highest_amount_add_up() {
    let (kept, open) = read().await;
    let closing = statement(kept, &open, "v").await.closing.unwrap();
    assert_eq!(closing.match_pledged_minor, 3 * 1_000_000_000_000_000 + 7 * THOUSAND);
    let asked = ListBalancesRequest { as_of: at(kept.head("fund-grant")), ..ListBalancesRequest::default() };
    let office = open.desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
    let pledged = closing.match_pledged_minor + 940 * THOUSAND;
    assert_eq!(office.totals[0].match_pledged_minor, pledged, "with those of r; those of i1 have arrived");
}

/// A grant had the id of this lead's file, so nobody saw its other grants.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lead_was_given_while_nobody_saw_its_file_is_found() {
    let (kept, open) = read().await;
    let found = found(kept, &open).await;
    let twice = format!("{}/similar/{}", kept.grant("l2"), kept.grant("l1"));
    assert_eq!(of(&found, "A04", &twice), [20 * THOUSAND]);
    assert_eq!(of(&found, "A11", &format!("{}/acceptance", kept.grant("l1"))), [10 * THOUSAND]);
    let exceptions = open.exceptions(kept.head("fund-grant")).await;
    assert!(exceptions["A04.fingerprint"].contains(&kept.position("AdmitGrant", "l2")), "{exceptions:?}");
    assert!(exceptions["A11.lead"].contains(&kept.position("AdmitGrant", "l3")), "{exceptions:?}");
}

/// Its agreement had ended, and the fund had not heard of it.
#[tokio::test(flavor = "multi_thread")]
async fn money_instructed_under_an_agreement_that_had_ended_is_found() {
    let (kept, open) = read().await;
    followed(kept, &open).await;
    let head = open.desk.status().await.unwrap().head;
    assert!(open.names("A01", kept.position("InstructTranche", "h"), head).await);
}

/// The applicant had charged itself before there was a finding, named no grant, and dismissed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_its_own_subject_dismissed_in_advance_is_found_and_so_is_the_dismissal() {
    let (kept, open) = read().await;
    let found = found(kept, &open).await;
    assert_eq!(of(&found, "A03", &charged(kept, "B2.hidden")), [900 * THOUSAND], "it is hidden no more");
    for (act, case) in [("AssignRectification", "charge"), ("DismissFinding", "dismissal")] {
        let mut asked = kept.part_of("B2.hidden").filter(|asked| asked.name() == act);
        let position = asked.next().unwrap().position();
        let is_it = |finding: &&Finding| finding.rule == "A18" && finding.position == position;
        assert_eq!(found.iter().find(is_it).map(|finding| finding.case.as_str()), Some(case), "{found:#?}");
    }
}

/// It was 5,000 when it was dismissed, and is a hundred times as much.
#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_finding_that_grew_is_one_again() {
    let (kept, open) = read().await;
    let dismissed =
        kept.part_of("B2.grown").find(|asked| asked.name() == "DismissFinding").unwrap().position();
    let subject = charged(kept, "B2.grown");
    assert_eq!(of(&found(kept, &open).await, "A06", &subject), [500 * THOUSAND]);
    // As of the day on which it was dismissed it was covered.
    let then = open.found(dismissed).await;
    assert_eq!(of(&then, "A06", &subject), [] as [i64; 0], "{then:#?}");
}

/// 90,000 each, of an invoice of 100,000 in six spellings, and of one of 20 digits by two issuers.
#[tokio::test(flavor = "multi_thread")]
async fn one_invoice_in_many_spellings_is_found_shared_out_beyond_its_total() {
    let (kept, open) = read().await;
    let items: Vec<u64> = kept
        .part_of("B3.invoice")
        .filter(|asked| asked.name() == "ReportSpend")
        .map(super::kept::Asked::position)
        .collect();
    let [_, second, third, fourth, fifth, sixth, _, again] = items[..] else { panic!("{items:?}") };
    let mut beyond: Vec<(u64, i64)> = found(kept, &open)
        .await
        .iter()
        .filter(|finding| finding.rule == "A09" && finding.case == "invoice")
        .map(|finding| (finding.position, finding.amount_minor / THOUSAND))
        .collect();
    beyond.sort_unstable();
    assert_eq!(beyond, [(second, 80), (third, 90), (fourth, 90), (fifth, 90), (sixth, 90), (again, 80)]);
    let exceptions = open.exceptions(kept.head("fund-grant")).await;
    assert_eq!(exceptions["A09.invoice"].len(), 2, "{exceptions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_in_two_spellings_is_found_in_two_incompatible_jobs() {
    let (kept, open) = read().await;
    let exceptions = open.exceptions(kept.head("fund-grant")).await;
    assert_eq!(exceptions["A13.authorise_instruct"], [kept.position("InstructTranche", "i1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bank_reference_in_two_spellings_is_found_told_twice() {
    let (kept, open) = read().await;
    let arrival = kept.position("RecordMatchingArrival", "i1");
    assert!(open.names("A14", arrival, kept.head("fund-grant")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_title_in_letters_that_look_alike_is_found_twice() {
    let (kept, open) = read().await;
    let twice = format!("{}/similar/{}", kept.grant("t2"), kept.grant("t1"));
    assert_eq!(of(&found(kept, &open).await, "A04", &twice), [11 * THOUSAND]);
    let exceptions = open.exceptions(kept.head("fund-grant")).await;
    assert!(
        exceptions["A04.project_as_known_now"].contains(&kept.position("AdmitGrant", "t2")),
        "{exceptions:?}"
    );
}

/// A party under its second code, the one that another merged into, and one under both names of a scheme.
#[tokio::test(flavor = "multi_thread")]
async fn one_party_under_two_codes_is_found_with_one_project_twice() {
    let (kept, open) = read().await;
    followed(kept, &open).await;
    let head = open.desk.status().await.unwrap().head;
    let found = open.found(head).await;
    let exceptions = open.exceptions(head).await;
    let mut strangers = Vec::new();
    for (first, second, thousand) in [("x1", "x2", 12), ("y", "z", 14), ("u1", "u2", 13)] {
        let twice = format!("{}/similar/{}", kept.grant(second), kept.grant(first));
        assert_eq!(of(&found, "A04", &twice), [thousand * THOUSAND], "{second}");
        if !exceptions["A04.project_as_known_now"].contains(&kept.position("AdmitGrant", second)) {
            strangers.push(second);
        }
    }
    assert_eq!(strangers, [""; 0], "{exceptions:?}");
}

/// Its grants were recorded under the ids that follow from its two codes, and both were paid.
#[tokio::test(flavor = "multi_thread")]
async fn one_party_under_two_codes_is_one_row() {
    let (kept, open) = read().await;
    followed(kept, &open).await;
    let head = open.desk.status().await.unwrap().head;
    let grants = [kept.grant("x1"), kept.grant("x2")];
    let mut rows = Vec::new();
    for grant_id in grants {
        let asked = ListBalancesRequest {
            as_of: at(head),
            filter: Some(PostingFilter { grant_id: grant_id.to_owned(), ..PostingFilter::default() }),
            group_by: vec![Dimension::Party.into()],
            ..ListBalancesRequest::default()
        };
        let balances = open.desk.audit().list_balances(plain(asked)).await.unwrap().into_inner().balances;
        let held = balances.into_iter().filter(|balance| balance.settled_minor != 0);
        rows.extend(held.map(|balance| (balance.group, balance.settled_minor)));
    }
    let [(first, 600_000), (second, 720_000)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(first, second, "each is the row of one party");
}

/// The code had been given to two parties, because an agreement had the id under which it is kept whose it is. It is of the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_whose_id_an_agreement_had_is_found_again() {
    let (kept, open) = read().await;
    let codes: Vec<(String, String)> = kept
        .part_of("B1.code")
        .filter(|asked| asked.name() == "AddPartyCode")
        .map(|asked| (text(&asked.line["request"]["party_id"]), text(&asked.line["request"]["code"])))
        .collect();
    let (holder, code) = &codes[0];
    let known = open.agreements.look_up(code, TODAY).await.unwrap();
    assert_eq!(known.party_id, *holder);
}

/// What 4a207de refused is in none of its events.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_was_added_to_the_agreement_log_by_following_it() {
    let (kept, open) = read().await;
    followed(kept, &open).await;
    let agreements: &Agreements = &open.agreements;
    assert_eq!(agreements.head().await.unwrap(), kept.head("agreement"));
    // In the fund's own, what was taken in late stands after all that was there.
    let events = in_postgres(&kept.stack).await.unwrap();
    let added = &events[usize::try_from(kept.head("fund-grant")).unwrap()..];
    assert!(!added.is_empty());
    for event in added {
        assert!(event.attribute("actor").starts_with("process:"), "{}", event.document());
    }
}
