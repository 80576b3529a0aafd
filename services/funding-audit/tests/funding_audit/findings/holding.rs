//! A09: ineligible spending. A10: balances that are not given back. A12: idle money. A16: overdue recoveries.

use super::{asks, begins, begun, finds, known, of_grant, of_rule, says, told};
use crate::life::{accepted, corrected, determined, end, lead, partner};
use crate::story::{G1, G2, G3, P1, P2, Story, applied, date, imported};
use concord_events::fund::{
    FundEvent, FundingMode, Holding, InvoicePart, MoneyFact, Party, RecoveryCause, Taken,
};
use concord_kernel::id::{InvoiceId, RecoveryId, SpendId};
use concord_kernel::money::Currency;
use concord_kernel::spending::SpendCategory;
use concord_proto::audit::v1::ListFindingsRequest;
use uuid::Uuid;

const CNY: Currency = Currency::CNY;
const R: RecoveryId = RecoveryId(Uuid::from_u128(0x401));

pub(crate) fn spend_id(number: u128) -> SpendId {
    SpendId(Uuid::from_u128(0x500 + number))
}

/// An item of the lead's equipment, without an invoice.
pub(crate) fn spent(number: u128, spent_on: &str, amount_minor: i64) -> FundEvent {
    FundEvent::SpendReported {
        grant: G1,
        currency: CNY,
        spend: spend_id(number),
        party: lead().party,
        category: SpendCategory::Equipment,
        spent_on: date(spent_on),
        amount_minor,
        invoice: None,
        purpose: "设备".to_owned(),
    }
}

/// An item of an invoice over 700.00.
pub(crate) fn invoiced(number: u128, amount_minor: i64) -> FundEvent {
    let mut event = spent(number, "2025-06-15", amount_minor);
    if let FundEvent::SpendReported { invoice, .. } = &mut event {
        *invoice = Some(InvoicePart {
            invoice: InvoiceId(Uuid::from_u128(0x601)),
            issuer: "044001".to_owned(),
            number: "88".to_owned(),
            code: None,
            total_minor: 70_000,
        });
    }
    event
}

pub(crate) fn disallowed(number: u128, amount_minor: i64, was_accepted: bool) -> FundEvent {
    FundEvent::SpendDisallowed {
        grant: G1,
        programme: P1,
        currency: CNY,
        spend: spend_id(number),
        party: lead().party,
        amount_minor,
        was_accepted,
        invoice: None,
        reason: "不得列支".to_owned(),
    }
}

fn item(number: u128, case: &str) -> String {
    format!("{G1}/spend/{}/{case}", spend_id(number))
}

#[tokio::test]
async fn spending_on_what_grant_money_is_never_spent_on_is_found_until_it_is_disallowed() {
    let mut fine = spent(1, "2025-06-15", 20_000);
    if let FundEvent::SpendReported { category, .. } = &mut fine {
        *category = SpendCategory::Fine;
    }
    let subject = item(1, "category");
    let mut story = begun();
    story.then("2025-07-01", &fine).then("2025-07-02", &spent(2, "2025-06-15", 20_000));
    let expected = ("category", &*subject, 7, 20_000, ("2025-07-01", 30), &[7][..]);
    let found = finds(&story, "A09", "2025-07-31", &[expected]).await;
    says(
        &found,
        "200.00 CNY was spent on fine, which grant money is never spent on",
        "列支200.00 CNY用于不得列支的科目（罚款、滞纳金）",
    );
    // Accepted it is no better, and that the acceptance was taken back changes nothing.
    let fact = MoneyFact::SpendAcceptance { spend: spend_id(1), party: lead().party, amount_minor: 20_000 };
    story
        .then("2025-07-03", &accepted(spend_id(1), &lead(), 20_000))
        .then("2025-07-04", &corrected(9, fact, "2025-07-03"));
    finds(&story, "A09", "2025-07-31", &[expected]).await;
    story.then("2025-07-05", &disallowed(1, 20_000, false));
    finds(&story, "A09", "2025-07-31", &[]).await;
    let bench = told(&story).await;
    let before = ListFindingsRequest { as_of: known(11, "2025-07-04"), ..of_rule("A09", "2025-07-31") };
    asks(&bench, before, &[expected]).await;
}

#[tokio::test]
async fn spending_outside_of_the_projects_days_is_found_by_the_days_that_hold() {
    let mut story = begun();
    for (number, day) in (1..).zip(["2025-03-31", "2025-04-01", "2026-12-31", "2027-01-01"]) {
        story.then("2027-01-05", &spent(number, day, 1_000));
    }
    let (early, late) = (item(1, "period"), item(4, "period"));
    let expected = [
        ("period", &*early, 7, 1_000, ("2027-01-05", 0), &[7][..]),
        ("period", &*late, 10, 1_000, ("2027-01-05", 0), &[10][..]),
    ];
    let found = finds(&story, "A09", "2027-01-05", &expected).await;
    says(
        &found[..1],
        "10.00 CNY was spent on 2025-03-31, outside the project's days 2025-04-01/2026-12-31",
        "2025-03-31支出10.00 CNY，不在项目执行期（2025-04-01/2026-12-31）内",
    );
    story.then(
        "2027-01-06",
        &FundEvent::ProjectExtended {
            grant: G1,
            lead: lead().party,
            former_ends_on: date("2026-12-31"),
            ends_on: date("2027-01-01"),
            acceptance_due_on: date("2027-07-01"),
            minutes: "会议纪要 7".to_owned(),
        },
    );
    finds(&story, "A09", "2027-01-06", &[("period", &*early, 7, 1_000, ("2027-01-05", 1), &[7][..])]).await;
    // A migrated award whose source has no days has none to be outside of.
    let mut story = Story::empty();
    let mut of_old = of_grant(G3, spent(1, "1999-01-01", 1_000));
    if let FundEvent::SpendReported { currency, .. } = &mut of_old {
        *currency = Currency::EUR;
    }
    story.then("2016-05-01", &imported(G3, P2, 500_000, "2017-01-01")).then("2016-06-01", &of_old);
    finds(&story, "A09", "2027-01-06", &[]).await;
}

#[tokio::test]
async fn what_goes_beyond_an_invoice_is_found_once_whatever_the_grants() {
    let mut story = begun();
    story
        .then("2025-02-01", &applied(G2, FundingMode::NonRepayable, &lead(), "marine"))
        .then("2025-07-01", &invoiced(1, 50_000))
        .then("2025-07-02", &of_grant(G2, invoiced(2, 20_000)));
    finds(&story, "A09", "2025-07-31", &[]).await;
    story.then("2025-07-03", &invoiced(3, 100)).then("2025-07-04", &invoiced(4, 30_000));
    let (third, fourth) = (item(3, "invoice"), item(4, "invoice"));
    let expected = [
        ("invoice", &*third, 10, 100, ("2025-07-03", 28), &[8, 9, 10][..]),
        ("invoice", &*fourth, 11, 30_000, ("2025-07-04", 27), &[8, 9, 10, 11][..]),
    ];
    let found = finds(&story, "A09", "2025-07-31", &expected).await;
    says(
        &found[..1],
        "items on invoice 88 add up to 701.00 CNY, its total is 700.00 CNY: 1.00 CNY too much",
        "发票88分摊合计701.00 CNY，超出票面700.00 CNY共1.00 CNY",
    );
    // Once the first is disallowed, 301.00 fit, and the first item beyond is another.
    story.then("2025-07-05", &disallowed(1, 50_000, false));
    finds(&story, "A09", "2025-07-31", &[]).await;
    // Another currency's money is not added to it: 700.00 EUR are 700.00 of their own.
    let mut in_euro = of_grant(G3, invoiced(5, 70_000));
    if let FundEvent::SpendReported { currency, .. } = &mut in_euro {
        *currency = Currency::EUR;
    }
    story.then("2016-05-01", &imported(G3, P2, 500_000, "2017-01-01")).then("2025-07-06", &in_euro);
    finds(&story, "A09", "2025-07-31", &[]).await;
}

/// An item of an invoice over 700.00 as it was taken in before spellings were folded, with the id of its spelling.
fn spelled(number: u128, issuer: &str, spelling: &str, amount_minor: i64, total_minor: i64) -> FundEvent {
    let mut event = spent(number, "2025-06-15", amount_minor);
    if let FundEvent::SpendReported { invoice, .. } = &mut event {
        let part = InvoicePart {
            invoice: InvoiceId::derived(issuer, spelling),
            issuer: issuer.to_owned(),
            number: spelling.to_owned(),
            code: None,
            total_minor,
        };
        *invoice = Some(part);
    }
    event
}

/// Spellings that the writer took for several invoices before are one to the audit: what it let through is a finding.
#[tokio::test]
async fn items_under_several_spellings_of_an_invoice_are_found_beyond_its_total() {
    let mut story = begun();
    story
        .then("2025-02-01", &applied(G2, FundingMode::NonRepayable, &lead(), "marine"))
        .then("2025-07-01", &spelled(1, "2100143130", "00012345", 40_000, 70_000))
        .then("2025-07-02", &of_grant(G2, spelled(2, "2100143130", "12345", 30_000, 70_000)))
        .then("2025-07-03", &spelled(3, "2100143131", "00012345", 70_000, 70_000));
    finds(&story, "A09", "2025-07-31", &[]).await;
    // Of several totals that were told, the lowest holds.
    story
        .then("2025-07-04", &spelled(4, "2100143130", "№00012345", 100, 70_000))
        .then("2025-07-05", &spelled(5, "2100143130", "0001-2345", 200, 90_000));
    let (fourth, fifth) = (item(4, "invoice"), item(5, "invoice"));
    let expected = [
        ("invoice", &*fourth, 11, 100, ("2025-07-04", 27), &[8, 9, 11][..]),
        ("invoice", &*fifth, 12, 200, ("2025-07-05", 26), &[8, 9, 11, 12][..]),
    ];
    let found = finds(&story, "A09", "2025-07-31", &expected).await;
    says(
        &found[..1],
        "items on invoice №00012345 add up to 701.00 CNY, its total is 700.00 CNY: 1.00 CNY too much",
        "发票№00012345分摊合计701.00 CNY，超出票面700.00 CNY共1.00 CNY",
    );
}

/// Who issued a digital invoice, which is its number alone, is a value.
#[tokio::test]
async fn a_digital_invoice_is_one_whoever_is_told_as_its_issuer() {
    let mut story = begun();
    let number = "24332000000012345678";
    story
        .then("2025-07-01", &spelled(1, "甲公司", number, 60_000, 70_000))
        .then("2025-07-02", &spelled(2, "乙公司", number, 10_100, 70_000));
    let second = item(2, "invoice");
    let expected = ("invoice", &*second, 8, 100, ("2025-07-02", 29), &[7, 8][..]);
    finds(&story, "A09", "2025-07-31", &[expected]).await;
}

fn closed(refund_by: Option<&str>) -> FundEvent {
    FundEvent::GrantClosed {
        grant: G1,
        end: end(100_000),
        refund_by: refund_by.map(date),
        minutes: "结题 1".to_owned(),
    }
}

fn refunded(by: &Party, from: Holding, amount_minor: i64) -> FundEvent {
    FundEvent::BalanceRefunded {
        grant: G1,
        programme: P1,
        currency: CNY,
        party: by.party,
        from,
        amount_minor,
        bank_reference: format!("F-{amount_minor}"),
    }
}

fn retained(amount_minor: i64, until: Option<&str>) -> FundEvent {
    FundEvent::BalanceRetained {
        grant: G1,
        programme: P1,
        currency: CNY,
        party: lead().party,
        amount_minor,
        until: until.map(date),
        minutes: "会议纪要 6".to_owned(),
    }
}

fn unspent(of: &Party) -> String {
    format!("{G1}/unspent/{}", of.party)
}

#[tokio::test]
async fn a_balance_is_found_with_everybody_who_holds_it_after_the_day_it_was_due() {
    let passed_on = FundEvent::ShareTransferred {
        grant: G1,
        programme: P1,
        currency: CNY,
        to: partner().party,
        amount_minor: 60_000,
        bank_reference: "S-1".to_owned(),
    };
    let (by_lead, by_partner) = (unspent(&lead()), unspent(&partner()));
    let mut story = begun();
    story.then("2025-05-10", &passed_on).then("2026-06-01", &closed(Some("2026-07-01")));
    let of_partner = ("not_refunded", &*by_partner, 8, 60_000, ("2026-07-01", 1), &[7, 8][..]);
    let of_lead = ("not_refunded", &*by_lead, 8, 140_000, ("2026-07-01", 1), &[7, 8][..]);
    begins(&story, "A10", ("2026-07-01", "2026-07-02"), &[of_lead, of_partner]).await;
    story.then("2026-06-10", &refunded(&lead(), Holding::Unspent, 140_000));
    let found = finds(&story, "A10", "2026-07-02", &[of_partner]).await;
    says(
        &found,
        "EU-PIC:999999995 holds 600.00 CNY unspent, which was to be given back by 2026-07-01",
        "EU-PIC:999999995持有结余600.00 CNY，应于2026-07-01前退回，尚未退回",
    );
    // That refund was a mistake, and counts as one from its day. A part of the other came back.
    let mistaken =
        MoneyFact::BalanceRefund { party: lead().party, from: Holding::Unspent, amount_minor: 140_000 };
    story
        .then("2026-07-05", &corrected(9, mistaken, "2026-06-10"))
        .then("2026-07-06", &refunded(&partner(), Holding::Unspent, 50_000));
    let expected = [
        ("not_refunded", &*by_lead, 8, 140_000, ("2026-07-01", 5), &[8, 10][..]),
        ("not_refunded", &*by_partner, 8, 10_000, ("2026-07-01", 5), &[8, 11][..]),
    ];
    finds(&story, "A10", "2026-07-06", &expected).await;
    // A recovery took what was left: it is asked for as that (A16).
    let taken = |of: &Party, amount_minor| Taken { party: of.party, from: Holding::Unspent, amount_minor };
    story.then(
        "2026-07-07",
        &determined(R, RecoveryCause::BalanceKept, vec![taken(&lead(), 140_000), taken(&partner(), 10_000)]),
    );
    finds(&story, "A10", "2026-07-08", &[]).await;
}

#[tokio::test]
async fn a_terminated_grants_balance_is_due_on_its_own_day() {
    let subject = unspent(&lead());
    let mut story = begun();
    let terminated = FundEvent::GrantTerminated {
        grant: G1,
        end: end(100_000),
        refund_by: date("2026-07-01"),
        reason: "终止".to_owned(),
        minutes: "会议纪要 8".to_owned(),
    };
    story.then("2026-06-01", &terminated);
    let expected = ("not_refunded", &*subject, 7, 200_000, ("2026-07-01", 1), &[6, 7][..]);
    begins(&story, "A10", ("2026-07-01", "2026-07-02"), &[expected]).await;
}

#[tokio::test]
async fn a_balance_that_comes_back_after_the_end_is_due_within_the_rulebooks_days() {
    let subject = unspent(&lead());
    let take = Taken { party: lead().party, from: Holding::Unspent, amount_minor: 200_000 };
    let mut story = begun();
    story
        .then("2026-05-01", &determined(R, RecoveryCause::Diverted, vec![take]))
        .then("2026-06-01", &closed(None))
        .then(
            "2026-08-01",
            &FundEvent::RecoveryOverturned {
                recovery: R,
                grant: G1,
                programme: P1,
                currency: CNY,
                gives_back: vec![take],
                reason: "理由成立".to_owned(),
            },
        );
    let expected = ("not_refunded", &*subject, 9, 200_000, ("2026-08-31", 1), &[8, 9][..]);
    begins(&story, "A10", ("2026-08-31", "2026-09-01"), &[expected]).await;
}

#[tokio::test]
async fn a_retained_balance_is_found_after_its_last_day_and_shrinks_with_what_is_given_back() {
    let mut story = begun();
    story
        .then("2026-05-01", &retained(30_000, Some("2026-06-30")))
        .then("2026-05-02", &retained(20_000, Some("2026-08-31")))
        .then("2026-05-03", &retained(10_000, None));
    let (first, second) = (format!("{G1}/retained/7"), format!("{G1}/retained/8"));
    let expected = ("kept_too_long", &*first, 7, 30_000, ("2026-06-30", 1), &[7, 9][..]);
    let found = begins(&story, "A10", ("2026-06-30", "2026-07-01"), &[expected]).await;
    says(
        &found,
        "EU-PIC:999999991 might keep 300.00 CNY until 2026-06-30 and keeps it still; call it back",
        "EU-PIC:999999991留用结余300.00 CNY已于2026-06-30到期，应予收回",
    );
    // 350.00 came back: all of the first, and 50.00 of the second. What may be kept without an end is kept.
    story.then("2026-07-02", &refunded(&lead(), Holding::Retained, 35_000));
    finds(&story, "A10", "2026-07-03", &[]).await;
    let expected = ("kept_too_long", &*second, 8, 15_000, ("2026-08-31", 1), &[8, 10][..]);
    begins(&story, "A10", ("2026-08-31", "2026-09-01"), &[expected]).await;
    story.then("2026-07-03", &refunded(&lead(), Holding::Retained, 15_000));
    finds(&story, "A10", "2027-09-01", &[]).await;
}

#[tokio::test]
async fn money_is_idle_nine_months_after_what_happened_last() {
    let idle = format!("{G1}/idle");
    let mut story = begun();
    let expected = ("no_activity", &*idle, 6, 200_000, ("2025-04-05", 276), &[6][..]);
    let found = begins(&story, "A12", ("2026-01-05", "2026-01-06"), &[expected]).await;
    says(
        &found,
        "2,000.00 CNY lies with the recipients, and nothing has moved since 2025-04-05",
        "自2025-04-05以来无收支、无报告，单位仍持有未用资金2,000.00 CNY",
    );
    // A report is something, whatever becomes of it; and then another finding begins.
    story
        .then("2025-07-01", &spent(1, "2025-06-15", 20_000))
        .then("2025-07-02", &disallowed(1, 20_000, false));
    let expected = ("no_activity", &*idle, 7, 200_000, ("2025-07-01", 275), &[7][..]);
    begins(&story, "A12", ("2026-04-01", "2026-04-02"), &[expected]).await;
    let midterm = FundEvent::MidtermChecked { grant: G1, passed: false, report: "中期 1".to_owned() };
    story.then("2025-09-01", &midterm);
    let expected = ("no_activity", &*idle, 9, 200_000, ("2025-09-01", 274), &[9][..]);
    begins(&story, "A12", ("2026-06-01", "2026-06-02"), &[expected]).await;
    let bench = told(&story).await;
    let before = ListFindingsRequest { as_of: known(9, "2025-08-31"), ..of_rule("A12", "2026-04-02") };
    asks(&bench, before, &[("no_activity", &*idle, 7, 200_000, ("2025-07-01", 275), &[7][..])]).await;
    story.then("2026-03-01", &closed(Some("2026-03-31")));
    finds(&story, "A12", "2026-06-02", &[]).await;
}

#[tokio::test]
async fn what_was_reversed_never_moved_and_a_late_fact_moved_on_its_day() {
    let idle = format!("{G1}/idle");
    let mut story = begun();
    story
        .then("2025-07-01", &spent(1, "2025-06-15", 20_000))
        .then("2025-10-01", &accepted(spend_id(1), &lead(), 20_000));
    finds(&story, "A12", "2026-07-01", &[]).await;
    let fact = MoneyFact::SpendAcceptance { spend: spend_id(1), party: lead().party, amount_minor: 20_000 };
    story.then("2026-03-01", &corrected(8, fact, "2025-10-01"));
    let expected = ("no_activity", &*idle, 7, 200_000, ("2025-07-01", 365), &[7][..]);
    finds(&story, "A12", "2026-07-01", &[expected]).await;
    // Recorded last, and not what happened last.
    let passed_on = FundEvent::ShareTransferred {
        grant: G1,
        programme: P1,
        currency: CNY,
        to: partner().party,
        amount_minor: 60_000,
        bank_reference: "S-1".to_owned(),
    };
    story.then("2025-05-10", &passed_on);
    finds(&story, "A12", "2026-07-01", &[expected]).await;
}

#[tokio::test]
async fn money_is_idle_three_months_past_the_projects_end_whatever_moves() {
    let idle = format!("{G1}/idle");
    let mut story = begun();
    story.then("2026-12-20", &spent(1, "2026-12-15", 20_000));
    let expected = ("past_end", &*idle, 7, 200_000, ("2026-12-31", 91), &[4, 7][..]);
    let found = begins(&story, "A12", ("2027-03-31", "2027-04-01"), &[expected]).await;
    says(
        &found,
        "2,000.00 CNY lies with the recipients, and the project ended on 2026-12-31",
        "项目已于2026-12-31到期，单位仍持有未用资金2,000.00 CNY",
    );
    // Nothing is left to be idle.
    story.then("2027-01-10", &refunded(&lead(), Holding::Unspent, 200_000));
    finds(&story, "A12", "2027-04-01", &[]).await;
}

pub(crate) fn demanded() -> Story {
    let taken = |from, amount_minor| Taken { party: lead().party, from, amount_minor };
    let mut story = begun();
    story
        .then("2025-07-01", &determined(R, RecoveryCause::Diverted, vec![taken(Holding::Unspent, 50_000)]))
        .then(
            "2025-07-10",
            &FundEvent::RecoveryDemanded {
                recovery: R,
                grant: G1,
                due_on: date("2025-08-09"),
                demand: "追 1".to_owned(),
            },
        );
    story
}

fn repaid(amount_minor: i64) -> FundEvent {
    FundEvent::RecoveryRepaid {
        recovery: R,
        grant: G1,
        programme: P1,
        currency: CNY,
        amount_minor,
        bank_reference: format!("P-{amount_minor}"),
    }
}

#[tokio::test]
async fn a_recovery_is_found_from_the_day_after_it_was_due_for_what_is_outstanding() {
    let subject = format!("recovery/{R}");
    let mut story = demanded();
    finds(&story, "A16", "2025-08-09", &[]).await;
    let all = ("overdue", &*subject, 8, 50_000, ("2025-08-09", 1), &[7, 8][..]);
    let found = finds(&story, "A16", "2025-08-10", &[all]).await;
    says(
        &found,
        "500.00 CNY of a recovery of 500.00 CNY (diverted) is outstanding since 2025-08-09",
        "追缴款500.00 CNY（挪用）应于2025-08-09前缴清，尚欠500.00 CNY",
    );
    story.then("2025-08-20", &repaid(20_000)).then(
        "2025-11-01",
        &FundEvent::RecoveryOffset {
            recovery: R,
            grant: G1,
            programme: P1,
            currency: CNY,
            amount_minor: 25_000,
            against: G2,
            tranche: 1,
        },
    );
    let part = ("overdue", &*subject, 8, 5_000, ("2025-08-09", 145), &[7, 8, 9, 10][..]);
    finds(&story, "A16", "2026-01-01", &[part]).await;
    let bench = told(&story).await;
    let before = ListFindingsRequest { as_of: known(10, "2025-10-31"), ..of_rule("A16", "2026-01-01") };
    asks(&bench, before, &[("overdue", &*subject, 8, 30_000, ("2025-08-09", 145), &[7, 8, 9][..])]).await;
    // The repayment never came: it is outstanding again, as of its own day.
    let fact = MoneyFact::RecoveryRepayment { recovery: R, amount_minor: 20_000 };
    story.then("2025-12-01", &corrected(9, fact, "2025-08-20"));
    let again = ("overdue", &*subject, 8, 25_000, ("2025-08-09", 145), &[7, 8, 9, 10, 11][..]);
    finds(&story, "A16", "2026-01-01", &[again]).await;
    story.then(
        "2025-12-20",
        &FundEvent::RecoveryWrittenOff {
            recovery: R,
            grant: G1,
            programme: P1,
            currency: CNY,
            amount_minor: 25_000,
            minutes: "会议纪要 5".to_owned(),
            reason: "注销".to_owned(),
        },
    );
    finds(&story, "A16", "2026-01-01", &[]).await;
}

#[tokio::test]
async fn while_an_appeal_is_open_nothing_is_overdue() {
    let subject = format!("recovery/{R}");
    let mut story = demanded();
    let appealed = FundEvent::RecoveryAppealed { recovery: R, grant: G1, grounds: "不服".to_owned() };
    story.then("2025-08-05", &appealed);
    finds(&story, "A16", "2026-01-01", &[]).await;
    let mut upheld = demanded();
    upheld
        .then("2025-08-05", &appealed)
        .then("2025-08-30", &FundEvent::RecoveryUpheld { recovery: R, grant: G1, reason: "维持".to_owned() });
    let expected = ("overdue", &*subject, 8, 50_000, ("2025-08-09", 145), &[7, 8, 9, 10][..]);
    finds(&upheld, "A16", "2026-01-01", &[expected]).await;
    story.then(
        "2025-08-30",
        &FundEvent::RecoveryOverturned {
            recovery: R,
            grant: G1,
            programme: P1,
            currency: CNY,
            gives_back: vec![Taken { party: lead().party, from: Holding::Unspent, amount_minor: 50_000 }],
            reason: "理由成立".to_owned(),
        },
    );
    finds(&story, "A16", "2026-01-01", &[]).await;
}

#[tokio::test]
async fn of_much_evidence_the_newest_is_told_and_the_cause() {
    let mut story = demanded();
    for _ in 0..25 {
        story.then("2025-08-20", &repaid(1_000));
    }
    let bench = told(&story).await;
    let found = super::list(&bench.audit, of_rule("A16", "2026-01-01")).await.findings;
    let evidence: Vec<u64> = std::iter::once(8).chain(15..=33).collect();
    assert_eq!((found[0].position, found[0].amount_minor, &found[0].evidence), (8, 25_000, &evidence));
}
