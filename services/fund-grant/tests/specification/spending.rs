//! Items of spending 支出 and their invoices, and what A09 says of them (domain.md sections 3, 4 and 5).

use crate::{money::*, world::*};
use concord_events::{
    fund::{FundEvent, Holding, MoneyFact, RecoveryCause, Taken},
    ledger::Account,
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        partners::ShareTransfer,
        spending::{ItemState, NamedInvoice, SpendReport, SpendingCommand},
    },
};
use concord_kernel::{
    Date,
    id::{InvoiceId, RecoveryId, SpendId},
    money::{Amount, Currency},
    spending::SpendCategory,
};
use uuid::Uuid;

/// A report of so much by the lead.
fn of(minor: i64) -> SpendReport {
    SpendReport {
        party: lead().party,
        category: SpendCategory::Equipment,
        spent_on: april(3),
        amount: cny(minor),
        invoice: None,
        purpose: "a test bench 试验台".to_owned(),
    }
}

pub fn invoiced(minor: i64, total: Amount) -> SpendReport {
    let (issuer, number) = ("2100131140".to_owned(), "00000017".to_owned());
    let invoice = NamedInvoice { issuer, number, code: None, total };
    SpendReport { invoice: Some(invoice), ..of(minor) }
}

pub fn invoice() -> InvoiceId {
    InvoiceId::derived("2100131140", "00000017")
}

pub fn id(spend: u128) -> SpendId {
    SpendId(Uuid::from_u128(0x5_0000 + spend))
}

pub fn report_as(spend: u128, report: SpendReport) -> Order {
    recipient(april(5), GrantCommand::Spending(id(spend), SpendingCommand::Report(Box::new(report))))
}

pub fn report(spend: u128, minor: i64) -> Order {
    report_as(spend, of(minor))
}

pub fn accept(spend: u128) -> Order {
    office(april(6), GrantCommand::Spending(id(spend), SpendingCommand::Accept))
}

pub fn disallow(spend: u128, reason: &str) -> Order {
    let command = SpendingCommand::Disallow { reason: reason.to_owned() };
    office(april(7), GrantCommand::Spending(id(spend), command))
}

fn passed_on(minor: i64) -> Order {
    let transfer =
        ShareTransfer { to: partner().party, amount: cny(minor), bank_reference: "t-1".to_owned() };
    recipient(april(1), GrantCommand::TransferShare(transfer))
}

/// A grant whose lead holds 50,000.00, and what was done since.
fn since(more: impl IntoIterator<Item = Order>) -> World {
    with(paid(), more)
}

fn held(world: &World, account: Account) -> i64 {
    world.grant().books.held_minor(account, lead().party)
}

#[test]
fn spending_is_reported_under_a_contract_and_after_its_end() {
    let one = || report(1, 1).on(april(30));
    check([
        ("applied for", World::after(story("applied")), one(), "WRONG_STAGE"),
        ("admitted", World::after(story("admitted")), one(), "WRONG_STAGE"),
        ("approved", World::after(story("approved")), one(), "WRONG_STAGE"),
        ("rejected", World::after(story("rejected")), one(), "WRONG_STAGE"),
        ("withdrawn", World::after(story("withdrawn")), one(), "WRONG_STAGE"),
        ("paid", since([]), one(), "SpendReported"),
        ("accepted", since([]).accepted(), one(), "SpendReported"),
        ("acceptance failed", since([]).failed(), one(), "SpendReported"),
        ("closed", since([]).closed(), one(), "SpendReported"),
        ("terminated: final accounts", since([]).terminated(), one(), "SpendReported"),
        ("on hold", since([crate::backing::hold("audit").on(april(2))]), one(), "SpendReported"),
        ("accept, without a contract", World::after(story("approved")), accept(1), "WRONG_STAGE"),
        ("disallow, without a contract", World::after(story("approved")), disallow(1, "x"), "WRONG_STAGE"),
    ]);
}

/// Every command on every state of an item.
#[test]
fn an_item_answers_every_command() {
    let reported = || since([report(1, 100)]);
    let accepted = || since([report(1, 100), accept(1)]);
    let disallowed = || since([report(1, 100), disallow(1, "no receipt")]);
    let afterwards = || since([report(1, 100), accept(1), disallow(1, "no receipt")]);
    let again = || report(1, 100).on(april(8));
    let other = || report(1, 101).on(april(8));
    let late = |order: Order| order.on(april(8));
    check([
        ("absent × report", since([]), report(1, 100), "SpendReported"),
        ("absent × accept", since([]), accept(1), "SPEND_NOT_FOUND"),
        ("absent × disallow", since([]), disallow(1, "x"), "SPEND_NOT_FOUND"),
        ("reported × the same report", reported(), again(), "unchanged"),
        ("reported × another report", reported(), other(), "SPEND_ALREADY_REPORTED"),
        ("reported × accept", reported(), accept(1), "SpendAccepted"),
        ("reported × disallow", reported(), disallow(1, "no receipt"), "SpendDisallowed"),
        ("accepted × the same report", accepted(), again(), "unchanged"),
        ("accepted × another report", accepted(), other(), "SPEND_ALREADY_REPORTED"),
        ("accepted × accept", accepted(), late(accept(1)), "unchanged"),
        ("accepted × disallow", accepted(), disallow(1, "no receipt"), "SpendDisallowed"),
        ("disallowed × the same report", disallowed(), again(), "unchanged"),
        ("disallowed × another report", disallowed(), other(), "SPEND_ALREADY_REPORTED"),
        ("disallowed × accept", disallowed(), late(accept(1)), "WRONG_SPEND_STATE"),
        ("disallowed × the same reason", disallowed(), late(disallow(1, "no receipt")), "unchanged"),
        ("disallowed × another reason", disallowed(), late(disallow(1, "x")), "SPEND_ALREADY_DISALLOWED"),
        ("disallowed after acceptance × accept", afterwards(), late(accept(1)), "WRONG_SPEND_STATE"),
        ("disallowed after acceptance × again", afterwards(), late(disallow(1, "no receipt")), "unchanged"),
    ]);
    keeps(&afterwards());
    let states =
        [reported(), accepted(), afterwards()].map(|world| world.grant().spending.items[0].state.clone());
    let reason = "no receipt".to_owned();
    assert_eq!(states, [ItemState::Reported, ItemState::Accepted, ItemState::Disallowed(reason)]);
}

/// Whatever differs, an item of the same id is another one.
#[test]
fn an_item_is_reported_again_only_in_the_same_way() {
    let full = || invoiced(100, cny(500));
    let world = || since([report_as(1, full())]);
    let named = |change: &dyn Fn(&mut NamedInvoice)| {
        let mut report = full();
        change(report.invoice.as_mut().unwrap());
        report
    };
    let already = "SPEND_ALREADY_REPORTED";
    check([
        ("the same", world(), report_as(1, full()), "unchanged"),
        ("another party", world(), report_as(1, SpendReport { party: partner().party, ..full() }), already),
        (
            "another category",
            world(),
            report_as(1, SpendReport { category: SpendCategory::Travel, ..full() }),
            already,
        ),
        ("another day", world(), report_as(1, SpendReport { spent_on: april(2), ..full() }), already),
        ("another amount", world(), report_as(1, SpendReport { amount: cny(99), ..full() }), already),
        ("another currency", world(), report_as(1, SpendReport { amount: eur(100), ..full() }), already),
        (
            "another purpose",
            world(),
            report_as(1, SpendReport { purpose: "x".to_owned(), ..full() }),
            already,
        ),
        ("no invoice", world(), report_as(1, of(100)), already),
        ("another number", world(), report_as(1, named(&|it| it.number = "18".to_owned())), already),
        ("another issuer", world(), report_as(1, named(&|it| it.issuer = "x".to_owned())), already),
        ("another total", world(), report_as(1, named(&|it| it.total = cny(501))), already),
        ("a total in euro", world(), report_as(1, named(&|it| it.total = eur(500))), already),
    ]);
}

#[test]
fn nobody_reports_more_than_it_holds() {
    let theirs = |minor| SpendReport { party: partner().party, ..of(minor) };
    let shared = |more: Vec<Order>| since([passed_on(1_000)].into_iter().chain(more));
    check([
        ("all that the lead holds", since([]), report(1, PAID), "SpendReported"),
        ("one fen more", since([]), report(1, PAID + 1), "SPEND_ABOVE_HELD"),
        (
            "the rest, beside what is reported",
            since([report(1, 100)]),
            report(2, PAID - 100),
            "SpendReported",
        ),
        ("one fen more", since([report(1, 100)]), report(2, PAID - 99), "SPEND_ABOVE_HELD"),
        (
            "accepted, it is no longer held",
            since([report(1, 100), accept(1)]),
            report(2, PAID - 100).on(april(8)),
            "SpendReported",
        ),
        (
            "one fen more",
            since([report(1, 100), accept(1)]),
            report(2, PAID - 99).on(april(8)),
            "SPEND_ABOVE_HELD",
        ),
        (
            "disallowed, it may be reported otherwise",
            since([report(1, PAID), disallow(1, "x")]),
            report(2, PAID).on(april(8)),
            "SpendReported",
        ),
        (
            "disallowed after acceptance too",
            since([report(1, PAID), accept(1), disallow(1, "x")]),
            report(2, PAID).on(april(8)),
            "SpendReported",
        ),
        ("the partner, of what it holds", shared(vec![]), report_as(1, theirs(1_000)), "SpendReported"),
        ("one fen more", shared(vec![]), report_as(1, theirs(1_001)), "SPEND_ABOVE_HELD"),
        (
            "whatever the lead has reported",
            shared(vec![report(1, PAID - 1_000)]),
            report_as(2, theirs(1_000)),
            "SpendReported",
        ),
        ("the lead, of what it has left", shared(vec![]), report(1, PAID - 999), "SPEND_ABOVE_HELD"),
        ("nothing was paid", World::after(story("payable")), report(1, 1), "SPEND_ABOVE_HELD"),
        (
            "a stranger",
            since([]),
            report_as(1, SpendReport { party: stranger().party, ..of(1) }),
            "PARTY_UNKNOWN",
        ),
    ]);
    let facts = [
        ("held_minor", "5000000"),
        ("reported_minor", "100"),
        ("left_minor", "4999900"),
        ("asked_minor", "4999901"),
    ];
    let figures = ["50,000.00 CNY", "1.00 CNY", "49,999.00 CNY", "49,999.01 CNY"];
    assert_eq!(told(&since([report(1, 100)]), &report(2, PAID - 99), &facts, &figures), "amount");
}

/// A09 is a finding there: it is taken in, so that it can be found.
#[test]
fn what_is_not_eligible_is_taken_in() {
    for category in SpendCategory::ALL {
        let order = report_as(1, SpendReport { category, ..of(1) });
        assert_eq!(since([]).outcome(&order), "SpendReported", "{}", category.code());
    }
    let long_ago = SpendReport { spent_on: jiff::civil::date(2001, 1, 1), ..of(1) };
    let on_the_day = SpendReport { spent_on: april(5), ..of(1) };
    let the_day_after = SpendReport { spent_on: april(6), ..of(1) };
    check([
        ("before the project", since([]), report_as(1, long_ago), "SpendReported"),
        ("on the day of the report", since([]), report_as(1, on_the_day), "SpendReported"),
        ("the day after", since([]), report_as(1, the_day_after.clone()), "SPENT_AFTER_REPORT"),
    ]);
    let facts = [("spent_on", "2013-04-06"), ("reported_on", "2013-04-05")];
    assert_eq!(told(&since([]), &report_as(1, the_day_after), &facts, &["2013-04-06"]), "spent_on");
}

#[test]
fn money_moves_when_spending_is_accepted_and_back_when_it_is_disallowed() {
    let money = |world: &World| {
        let recovery = held(world, Account::Recoverable);
        (held(world, Account::RecipientUnspent), held(world, Account::EligibleSpend), recovery)
    };
    assert_eq!(money(&since([report(1, 100)])), (PAID, 0, 0));
    assert_eq!(money(&since([report(1, 100), accept(1)])), (PAID - 100, 100, 0));
    assert_eq!(money(&since([report(1, 100), disallow(1, "x")])), (PAID, 0, 0));
    assert_eq!(money(&since([report(1, 100), accept(1), disallow(1, "x")])), (PAID, 0, 0));
}

/// Money that is no longer there: what was reported in time may be beyond what is held when it is decided.
#[test]
fn no_account_goes_below_zero() {
    let reported = || since([report(1, PAID)]);
    // The lead has passed money on since.
    let passed = || with(paid(), [report(1, PAID), passed_on(1).on(april(6))]);
    check([
        ("all is still held", reported(), accept(1), "SpendAccepted"),
        ("one fen is not", passed(), accept(1), "SPEND_ABOVE_HELD"),
        ("it may be disallowed", passed(), disallow(1, "passed on"), "SpendDisallowed"),
    ]);
    let facts = [("held_minor", "4999999"), ("asked_minor", "5000000")];
    told(&passed(), &accept(1), &facts, &["49,999.99 CNY", "50,000.00 CNY"]);

    let take = |minor| Taken { party: lead().party, from: Holding::Spent, amount_minor: minor };
    let taken = |minor| {
        let event = FundEvent::RecoveryDetermined {
            recovery: RecoveryId(Uuid::from_u128(0xEC)),
            grant: GRANT,
            programme: PROGRAMME,
            currency: Currency::CNY,
            cause: RecoveryCause::Diverted,
            amount_minor: minor,
            takes: vec![take(minor)],
            minutes: "2013-20".to_owned(),
            reason: "diverted".to_owned(),
        };
        since([report(1, 100), accept(1), report(2, 50), accept(2)]).and(event, april(7))
    };
    check([
        ("a recovery has left enough", taken(50), disallow(1, "x"), "SpendDisallowed"),
        ("one fen too little", taken(51), disallow(1, "x"), "DISALLOW_ABOVE_SPENT"),
    ]);
    let facts = [("spent_minor", "99"), ("asked_minor", "100")];
    told(&taken(51), &disallow(1, "x"), &facts, &["0.99 CNY", "1.00 CNY"]);
}

/// A09: disallowing opens a recovery once the money is gone, in the same decision; before that it is unspent again.
#[test]
fn a09_disallowed_money_that_is_gone_is_recovered() {
    let accepted = || since([report(1, 100), accept(1)]);
    let late = || disallow(1, "no receipt").on(april(30));
    let both = "SpendDisallowed, RecoveryDetermined";
    check([
        ("running", accepted(), late(), "SpendDisallowed"),
        ("accepted", accepted().accepted(), late(), both),
        ("acceptance failed", accepted().failed(), late(), both),
        ("closed", accepted().closed(), late(), both),
        ("evaluated", accepted().evaluated(), late(), both),
        ("terminated", accepted().terminated(), late(), both),
        ("reported only: no money moved", since([report(1, 100)]).closed(), late(), "SpendDisallowed"),
    ]);
    let recovery = RecoveryId::derived("disallowed spend", &format!("{GRANT}/{}", id(1)));
    let mut closed = accepted().closed();
    let events = closed.execute(&late()).unwrap();
    assert_eq!(
        events[1],
        FundEvent::RecoveryDetermined {
            recovery,
            grant: GRANT,
            programme: PROGRAMME,
            currency: Currency::CNY,
            cause: RecoveryCause::SpendDisallowed,
            amount_minor: 100,
            takes: vec![Taken { party: lead().party, from: Holding::Unspent, amount_minor: 100 }],
            minutes: "no receipt".to_owned(),
            reason: "no receipt".to_owned(),
        }
    );
    assert_eq!(held(&closed, Account::Recoverable), 100);
    assert_eq!(held(&closed, Account::EligibleSpend), 0);
    assert_eq!(held(&closed, Account::RecipientUnspent), PAID - 100);
    let decided = accepted().closed().decide(&concord_fund_grant::Fund::shipped(), &late()).unwrap();
    assert_eq!(decided.answer["recovery_id"], recovery.to_string());
    assert_eq!(closed.outcome(&late()), "unchanged");
}

/// An invoice is shared out once, over all grants.
#[test]
fn a09_an_invoice_is_not_shared_out_beyond_its_total() {
    let total = cny(500);
    let part = |spend, minor| report_as(spend, invoiced(minor, total));
    let taken = |more: Vec<Order>| since([part(1, 300)].into_iter().chain(more));
    check([
        ("the whole invoice", since([]), part(1, 500), "SpendReported"),
        ("one fen more", since([]), part(1, 501), "A09_INVOICE_EXCEEDED"),
        ("the rest of it", taken(vec![]), part(2, 200), "SpendReported"),
        ("one fen more", taken(vec![]), part(2, 201), "A09_INVOICE_EXCEEDED"),
        (
            "accepted, it is still taken",
            taken(vec![accept(1)]),
            part(2, 201).on(april(8)),
            "A09_INVOICE_EXCEEDED",
        ),
        ("disallowed, it is free", taken(vec![disallow(1, "x")]), part(2, 500).on(april(8)), "SpendReported"),
        (
            "disallowed after acceptance too",
            taken(vec![accept(1), disallow(1, "x")]),
            part(2, 500).on(april(8)),
            "SpendReported",
        ),
        ("another total", taken(vec![]), report_as(2, invoiced(1, cny(501))), "INVOICE_TOTAL_DIFFERS"),
        (
            "another total, once nothing is taken",
            taken(vec![disallow(1, "mistyped")]),
            report_as(2, invoiced(501, cny(501))).on(april(8)),
            "SpendReported",
        ),
        (
            "beside money that is not held",
            since([]),
            report_as(1, invoiced(PAID + 1, cny(PAID))),
            "SPEND_ABOVE_HELD, A09_INVOICE_EXCEEDED",
        ),
    ]);
    let facts =
        [("total_minor", "500"), ("allocated_minor", "300"), ("left_minor", "200"), ("asked_minor", "201")];
    let figures = ["5.00 CNY", "3.00 CNY", "2.00 CNY", "2.01 CNY", "00000017", "2100131140"];
    assert_eq!(told(&taken(vec![]), &part(2, 201), &facts, &figures), "amount");
    let facts = [("total_minor", "500"), ("allocated_minor", "300"), ("given_minor", "501")];
    let other = report_as(2, invoiced(1, cny(501)));
    assert_eq!(told(&taken(vec![]), &other, &facts, &["5.00 CNY", "3.00 CNY", "5.01 CNY"]), "invoice.total");

    let world = taken(vec![part(2, 200)]);
    let known = world.invoice(invoice()).unwrap();
    assert_eq!((known.total, known.allocated_minor), (total, 500));
    keeps(&world);
}

#[test]
fn a09_two_grants_share_an_invoice() {
    let mut world = since(of_other(tranche_story("settled")));
    let other = |order: Order| of_other(vec![order]).remove(0);
    let total = cny(500);
    let settled = world.execute(&report_as(1, invoiced(300, total))).unwrap();
    assert_eq!(settled.len(), 1);
    check([
        ("the rest", world.clone(), other(report_as(2, invoiced(200, total))), "SpendReported"),
        ("one fen more", world.clone(), other(report_as(2, invoiced(201, total))), "A09_INVOICE_EXCEEDED"),
        (
            "the same item's id is another item",
            world.clone(),
            other(report_as(1, invoiced(200, total))),
            "SpendReported",
        ),
        ("another total", world, other(report_as(2, invoiced(1, cny(300)))), "INVOICE_TOTAL_DIFFERS"),
    ]);
}

#[test]
fn spending_is_in_the_grants_currency_and_its_hands_are_kept_apart() {
    let by_applicant = |order: Order| order.by("applicant", "the-university");
    let once = "CURRENCY_NOT_THE_PROGRAMMES";
    check([
        ("spent in euro", since([]), report_as(1, SpendReport { amount: eur(1), ..of(1) }), once),
        ("an invoice in euro", since([]), report_as(1, invoiced(1, eur(5))), once),
        (
            "accepted by the applicant",
            since([report(1, 1)]),
            by_applicant(accept(1)),
            "A13_APPLICANT_IN_OFFICE",
        ),
        (
            "disallowed by the applicant",
            since([report(1, 1)]),
            by_applicant(disallow(1, "x")),
            "A13_APPLICANT_IN_OFFICE",
        ),
        ("reported by the office", since([]), report(1, 1).by("officer", "funding-office"), "SpendReported"),
    ]);
}

#[test]
fn dates_of_spending_lie_within_their_limits() {
    let may = |day| jiff::civil::date(2013, 5, day);
    let learned = |order: Order, today: Date| order.learned_on(today);
    let reported = || since([report(1, 100)]);
    check([
        ("reported thirty days back", since([]), learned(report(1, 1), may(5)), "SpendReported"),
        ("thirty-one", since([]), learned(report(1, 1), may(6)), "EFFECTIVE_TOO_FAR_BACK"),
        ("accepted five days back", reported(), learned(accept(1), april(11)), "SpendAccepted"),
        ("six", reported(), learned(accept(1), april(12)), "EFFECTIVE_TOO_FAR_BACK"),
        (
            "accepted before the lead was paid",
            since([report_as(1, SpendReport { spent_on: march(30), ..of(1) })
                .on(march(30))
                .learned_on(april(1))]),
            accept(1).on(march(30)).learned_on(april(1)),
            "STEP_BEFORE_THE_LAST",
        ),
        ("disallowed five days back", reported(), learned(disallow(1, "x"), april(12)), "SpendDisallowed"),
        ("six", reported(), learned(disallow(1, "x"), april(13)), "EFFECTIVE_TOO_FAR_BACK"),
        ("accepted on the day of the report", reported(), accept(1).on(april(5)), "SpendAccepted"),
        ("the day before", reported(), accept(1).on(april(4)), "STEP_BEFORE_THE_LAST"),
        (
            "disallowed before it was accepted",
            since([report(1, 100), accept(1)]),
            disallow(1, "x").on(april(5)),
            "STEP_BEFORE_THE_LAST",
        ),
        (
            "reported before the contract",
            since([]),
            report_as(1, SpendReport { spent_on: march(1), ..of(1) }).on(march(24)),
            "STEP_BEFORE_THE_LAST",
        ),
    ]);
}

/// A corrected acceptance leaves the item reported, and it may be decided anew from the day of its report on.
#[test]
fn a_corrected_acceptance_is_undone() {
    let fact = |minor| MoneyFact::SpendAcceptance { spend: id(1), party: lead().party, amount_minor: minor };
    let world = since([report(1, 100), accept(1)]).corrected(fact(100), april(6));
    assert_eq!(world.grant().spending.items[0].state, ItemState::Reported);
    assert_eq!((held(&world, Account::RecipientUnspent), held(&world, Account::EligibleSpend)), (PAID, 0));
    check([
        ("accepted rightly", world.clone(), accept(1).on(april(5)), "SpendAccepted"),
        ("disallowed after all", world.clone(), disallow(1, "x"), "SpendDisallowed"),
        ("it counts as reported again", world, report(2, PAID - 99), "SPEND_ABOVE_HELD"),
    ]);
}

/// An item that was disallowed stays so, whatever becomes of its acceptance.
#[test]
fn a_disallowed_item_is_not_reported_again_by_a_correction() {
    let fact = MoneyFact::SpendAcceptance { spend: id(1), party: lead().party, amount_minor: 0 };
    let world = since([report(1, 100), accept(1), disallow(1, "x")]).corrected(fact, april(8));
    assert!(matches!(world.grant().spending.items[0].state, ItemState::Disallowed(_)));
}

/// Every state is kept in memory, so a grant has its bounds.
#[test]
fn a_grant_has_so_many_items() {
    let full = since((1..=2_000).map(|spend| report(spend, 1)));
    check([
        ("one more", full.clone(), report(2_001, 1), "TOO_MANY"),
        ("one that it has", full.clone(), report(2_000, 1), "unchanged"),
    ]);
    told(&full, &report(2_001, 1), &[("most", "2000")], &["2000"]);
}

/// The command that a recipient gives is kept with the answer: its names are permanent.
#[test]
fn a_report_is_kept_as_it_is() {
    let Order { command, .. } = report_as(1, invoiced(1, cny(5)));
    let Command::Grant(_, GrantCommand::Spending(_, SpendingCommand::Report(report))) = &command else {
        panic!("it reports")
    };
    let json = serde_json::to_value(&command).unwrap();
    assert_eq!(serde_json::from_value::<Command>(json.clone()).unwrap(), command);
    assert_eq!(
        json["grant"][1]["spending"][1]["report"]["invoice"]["number"],
        report.invoice.as_ref().unwrap().number
    );
}
