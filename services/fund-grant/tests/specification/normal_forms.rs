//! One thing in several spellings: invoices, bank references, numbers, persons and titles are compared in their normal form, and
//! kept as they were given (domain.md section 3, "Partners").

use crate::{money::*, partners, recovery, spending, world::*};
use concord_events::fund::{Filed, FundEvent, InvoicePart};
use concord_fund_grant::grant::{
    contract::Signing,
    opening::Application,
    spending::{NamedInvoice, SpendReport},
};
use concord_kernel::{
    fingerprint::Fingerprint,
    id::{GrantId, InvoiceId},
    money::Currency,
    spending::SpendCategory,
};
use uuid::Uuid;

/// An item of an invoice over 5.00, told so.
fn part(spend: u128, minor: i64, issuer: &str, number: &str, code: Option<&str>) -> Order {
    let (issuer, number) = (issuer.to_owned(), number.to_owned());
    let invoice = NamedInvoice { issuer, number, code: code.map(str::to_owned), total: cny(500) };
    spending::report_as(spend, SpendReport { invoice: Some(invoice), ..spending::invoiced(minor, cny(500)) })
}

fn numbered(spend: u128, minor: i64, number: &str) -> Order {
    part(spend, minor, "2100131140", number, None)
}

/// Two grants of the lead, each paid.
fn two_grants() -> World {
    with(paid(), of_other(tranche_story("settled")))
}

fn by_other(order: Order) -> Order {
    of_other(vec![order]).remove(0)
}

#[test]
fn a09_an_invoice_of_several_spellings_counts_once_over_all_grants() {
    let mut world = two_grants();
    let spelled = ["00012345", "12345", "０００１２３４５", "No.00012345", "№00012345"];
    for (spend, number) in (1..).zip(spelled) {
        let order = numbered(spend, 100, number);
        let order = if spend % 2 == 0 { by_other(order) } else { order };
        assert_eq!(world.execute(&order).unwrap().len(), 1, "{number}");
    }
    let known = world.invoice(InvoiceId::derived("2100131140", "00012345")).unwrap();
    assert_eq!((known.total, known.allocated_minor), (cny(500), 500));
    // Each item keeps the spelling as it was given.
    assert_eq!(world.grant().spending.items[1].invoice.as_ref().unwrap().number, "０００１２３４５");
    for number in ["0001-2345", "发票号码：00012345", "12345"] {
        assert_eq!(world.outcome(&numbered(9, 1, number)), "A09_INVOICE_EXCEEDED", "{number}");
        assert_eq!(world.outcome(&by_other(numbered(9, 1, number))), "A09_INVOICE_EXCEEDED", "{number}");
        // By its code, whoever issued it.
        let coded = part(9, 1, "某供应商", number, Some("2100131140"));
        assert_eq!(world.outcome(&coded), "A09_INVOICE_EXCEEDED", "{number}");
    }
    for (issuer, number) in [("2100131140", "00012346"), ("2100131141", "00012345"), ("某厂", "00012345")] {
        assert_eq!(world.outcome(&part(9, 1, issuer, number, None)), "SpendReported", "{issuer} {number}");
    }
    // Disallowed under one spelling, it has that much to share out under any.
    world.execute(&spending::disallow(3, "x")).unwrap();
    assert_eq!(world.outcome(&by_other(numbered(9, 100, "12345"))), "SpendReported");
    assert_eq!(world.outcome(&by_other(numbered(9, 101, "12345"))), "A09_INVOICE_EXCEEDED");
}

#[test]
fn a09_the_issuer_of_a_digital_invoice_is_a_value() {
    let number = "24332000000012345678";
    let world = with(paid(), [part(1, 500, "CN-USCC:91330100799655058B", number, None)]);
    for (issuer, number, code) in [
        ("CN-USCC:9144030071526726XG", number, None),
        ("某供应商", "2433 2000 0000 1234 5678", None),
        ("x", "№24332000000012345678", Some("2100131140")),
    ] {
        assert_eq!(world.outcome(&part(2, 1, issuer, number, code)), "A09_INVOICE_EXCEEDED", "{issuer}");
    }
}

#[test]
fn a_report_is_the_same_under_another_spelling() {
    let world = with(paid(), [numbered(1, 100, "00012345")]);
    let report = |number: &str| world.outcome(&numbered(1, 100, number));
    assert_eq!(report("12345"), "unchanged");
    assert_eq!(report("No. 0001-2345"), "unchanged");
    assert_eq!(report("12346"), "SPEND_ALREADY_REPORTED");
    // The issuer is a value: told otherwise, it is another report.
    let other = part(1, 100, "某厂", "12345", Some("2100131140"));
    assert_eq!(world.outcome(&other), "SPEND_ALREADY_REPORTED");
}

/// An item as it was taken in before spellings were folded: its invoice has the id of its spelling.
fn taken_before(spend: u128, currency: Currency, number: &str, minor: i64, total_minor: i64) -> FundEvent {
    let invoice = InvoicePart {
        invoice: InvoiceId::derived("2100131140", number),
        issuer: "2100131140".to_owned(),
        number: number.to_owned(),
        code: None,
        total_minor,
    };
    FundEvent::SpendReported {
        grant: GRANT,
        currency,
        spend: spending::id(spend),
        party: lead().party,
        category: SpendCategory::Equipment,
        spent_on: april(3),
        amount_minor: minor,
        invoice: Some(invoice),
        purpose: "a test bench 试验台".to_owned(),
    }
}

/// What older items took of one invoice under several spellings adds up, and nothing more is taken of it.
#[test]
fn a09_items_of_before_meet_in_one_invoice() {
    let mut world = with(paid(), []);
    for (spend, number, total_minor) in [(1, "00012345", 500), (2, "12345", 500), (3, "№00012345", 600)] {
        world.happened(taken_before(spend, Currency::CNY, number, 300, total_minor), april(5));
    }
    let known = || InvoiceId::derived("2100131140", "00012345");
    let state = world.invoice(known()).unwrap();
    assert_eq!((state.total, state.allocated_minor), (cny(500), 900), "the lowest total holds");
    assert!(world.invoice(InvoiceId::derived("2100131140", "12345")).is_none());
    assert_eq!(world.outcome(&numbered(4, 1, "12345")), "A09_INVOICE_EXCEEDED");
    let broken = &world.refusal(&numbered(4, 1, "12345"))[0];
    assert_eq!((broken.facts["allocated_minor"].as_str(), broken.facts["left_minor"].as_str()), ("900", "0"));
    for spend in [1, 2] {
        world.execute(&spending::disallow(spend, "x")).unwrap();
    }
    assert_eq!(world.invoice(known()).unwrap().allocated_minor, 300);
    assert_eq!(world.outcome(&numbered(4, 200, "12345")), "SpendReported");
    assert_eq!(world.outcome(&numbered(4, 201, "12345")), "A09_INVOICE_EXCEEDED");
}

/// In two currencies nothing adds up: until those that name a wrong one are disallowed, nothing more is taken of it.
#[test]
fn a09_items_of_before_in_two_currencies_stop_an_invoice() {
    let mut world = with(paid(), []);
    world.happened(taken_before(1, Currency::CNY, "00012345", 300, 500), april(5));
    world.happened(taken_before(2, Currency::EUR, "12345", 100, 500), april(5));
    assert_eq!(world.outcome(&numbered(3, 1, "12345")), "INVOICE_CURRENCIES_DIFFER");
    let FundEvent::SpendReported { grant, currency, spend, party, amount_minor, invoice, .. } =
        taken_before(2, Currency::EUR, "12345", 100, 500)
    else {
        panic!("it reports")
    };
    let disallowed = FundEvent::SpendDisallowed {
        grant,
        programme: PROGRAMME,
        currency,
        spend,
        party,
        amount_minor,
        was_accepted: false,
        invoice,
        reason: "x".to_owned(),
    };
    world.happened(disallowed, april(6));
    assert_eq!(world.outcome(&numbered(3, 200, "12345")), "SpendReported");
    assert_eq!(world.outcome(&numbered(3, 201, "12345")), "A09_INVOICE_EXCEEDED");
}

#[test]
fn a_bank_reference_is_one_in_every_spelling() {
    let settled = World::after(tranche_story("settled"));
    for reference in ["b-1 ", "B-1", "Ｂ－１", "b 1"] {
        assert_eq!(settled.outcome(&settle(1, reference)), "unchanged", "{reference}");
        // It has reported the payment, and reports nothing else.
        assert_eq!(settled.outcome(&send_back(1, reference, "x")), "A14_REFERENCE_USED", "{reference}");
        assert_eq!(
            with(paid(), []).outcome(&partners::transfer(1, reference)),
            "A14_REFERENCE_USED",
            "{reference}"
        );
    }
    assert_eq!(settled.outcome(&settle(1, "b-01")), "TRANCHE_ALREADY_SETTLED");
    let returned = World::after(tranche_story("payment_returned"));
    assert_eq!(returned.outcome(&send_back(1, " R-1", "closed account")), "unchanged");
    assert_eq!(returned.outcome(&send_back(1, " R-1", "another reason")), "PAYMENT_ALREADY_RETURNED");
    let passed_on = with(paid(), [partners::transfer(100, "PAY-1")]);
    assert_eq!(passed_on.outcome(&partners::transfer(100, "PAY-1 ")), "unchanged");
    assert_eq!(passed_on.outcome(&partners::transfer(101, "pay-1")), "SHARE_ALREADY_TRANSFERRED");
    assert_eq!(passed_on.outcome(&partners::transfer(100, "PAY-01")), "ShareTransferred");
    // The event has it as it was given.
    let events = passed_on.clone().execute(&partners::transfer(100, "Pay 2 ")).unwrap();
    assert!(
        matches!(&events[..], [FundEvent::ShareTransferred { bank_reference, .. }] if bank_reference == "Pay 2 ")
    );
}

#[test]
fn a_repayment_is_one_in_every_spelling() {
    let repaid = World::after(
        recovery::recovery_story("demanded").into_iter().chain([recovery::repay(100, "PAY-1 ")]),
    );
    assert_eq!(repaid.outcome(&recovery::repay(100, "pay-1")), "unchanged");
    assert_eq!(repaid.outcome(&recovery::repay(101, "PAY 1")), "ALREADY_REPAID");
    assert_eq!(repaid.outcome(&recovery::repay(100, "PAY-01")), "RecoveryRepaid");
}

#[test]
fn a_number_is_one_in_every_spelling() {
    let signed = World::after(story("contracted"));
    let again = |number: &str| sign(Signing { contract_number: number.to_owned(), ..signing() });
    assert_eq!(signed.outcome(&again("２０１３－００１")), "unchanged");
    assert_eq!(signed.outcome(&again(" 2013 001")), "unchanged");
    assert_eq!(signed.outcome(&again("2013-01")), "ALREADY_CONTRACTED");
}

#[test]
fn a13_a_person_is_one_however_the_id_is_written() {
    let authorised = World::after(tranche_story("authorised"));
    for person in ["authoriser", "Authoriser", "AUTHORISER"] {
        let order = instruct(1, 1).by(person, "funding-office");
        assert_eq!(authorised.outcome(&order), "A13_CONFLICTING_DUTIES", "{person}");
    }
    assert_eq!(authorised.outcome(&instruct(1, 1).by("authoriser-2", "funding-office")), "TrancheInstructed");
    for organisation in ["The-University", "THE-UNIVERSITY"] {
        let order = instruct(1, 1).by("cashier", organisation);
        assert_eq!(authorised.outcome(&order), "A13_APPLICANT_IN_OFFICE", "{organisation}");
    }
    // Who did a job is noted once.
    let twice = World::after(
        tranche_story("requested").into_iter().chain([authorise(1), instruct(1, 1).by("Cashier", "x")]),
    );
    assert_eq!(twice.grant().jobs.last().unwrap().person, "Cashier", "as it was given");
}

const OTHER: GrantId = GrantId(Uuid::from_u128(0x3));

/// The story's grant, applied for under one title and admitted, then another one of the lead's, recommended.
fn titled(first: &str, then: &str) -> World {
    let of = |title: &str| Application { title: title.to_owned(), ..application() };
    let first = [appropriate(), apply_for(of(first)), recommend(), admit()];
    World::after(first.into_iter().chain([apply_for(of(then)).of(OTHER), recommend().of(OTHER)]))
}

#[test]
fn a04_look_alikes_make_no_other_title() {
    let title = "Bearings HE-2 for wind turbines 风电轴承";
    for spelled in [
        "Веаrings НЕ-2 fоr wind turbines 风电轴承",
        "Ｂearings HE②for wind turbines 风电轴承",
        "Bear\u{200b}ings HE-2 for w\u{2060}ind turbines 风电轴承",
        "BEARINGS “HE－2” for wind turbines《⻛电轴承》",
        "Βearings ΗΕ2 for wind turbines, 风电轴承",
    ] {
        for (first, then) in [(title, spelled), (spelled, title)] {
            let outcome = titled(first, then).outcome(&admit().of(OTHER).on(march(31)));
            assert_eq!(outcome, "A04_FUNDED_ALREADY", "{spelled}");
        }
    }
    for other in ["Bearings HE-3 for wind turbines 风电轴承", "Bearings HE-2 for wind turbines 风电齿轮"]
    {
        assert_eq!(
            titled(title, other).outcome(&admit().of(OTHER).on(march(31))),
            "GrantAdmitted",
            "{other}"
        );
    }
}

/// What was filed before look-alikes were folded has the fingerprint of then: the same spelling meets it, and every spelling of a
/// title that was filed without look-alikes. One that was filed with them is met by no other spelling; the audit finds it as similar.
#[test]
fn a04_what_was_filed_before_is_met_by_its_own_spelling() {
    let (plain, spelled) = ("Bearings 风电轴承", "Веаrings 风电轴承");
    let filed_before = |first: &str, then: &str| {
        let of = |title: &str| Application { title: title.to_owned(), ..application() };
        let mut world = World::after([appropriate(), apply_for(of(first)), recommend()]);
        let fingerprint = Fingerprint::first_form(lead().party, first, None);
        let fund = "guiding-fund".to_owned();
        let filed = Filed { lead: lead().party, fingerprint, fund, directory: None };
        world.happened(FundEvent::GrantAdmitted { grant: GRANT, filed: Some(filed) }, march(6));
        for order in [apply_for(of(then)).of(OTHER), recommend().of(OTHER)] {
            world.execute(&order).unwrap();
        }
        world.outcome(&admit().of(OTHER).on(march(31)))
    };
    assert_eq!(filed_before(plain, plain), "A04_FUNDED_ALREADY");
    assert_eq!(filed_before(plain, spelled), "A04_FUNDED_ALREADY");
    assert_eq!(filed_before(spelled, spelled), "A04_FUNDED_ALREADY");
    assert_eq!(filed_before(spelled, plain), "GrantAdmitted");
}
