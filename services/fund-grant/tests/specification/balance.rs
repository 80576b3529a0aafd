//! What becomes of a balance 结余: refund, retention, transfer.

use crate::{
    backing::april,
    edge,
    life::*,
    refusals::{check, row},
    world::*,
};
use concord_chassis::log::RefusalKind;
use concord_chassis::reference::Tables;
use concord_events::{
    fund::{FundEvent, Holding, MoneyFact},
    ledger::Account,
};
use concord_fund_grant::{
    Command, Fund,
    grant::{GrantCommand, balance::BalanceCommand, opening::MigratedAward},
};
use concord_kernel::{
    id::{GrantId, ProgrammeId},
    party::PartyId,
    rulebook::Rulebooks,
};
use concord_proto::fund::v1::{
    BalanceSource, RefundBalanceRequest, RetainBalanceRequest, TransferBalanceRequest,
};
use std::sync::Arc;
use uuid::Uuid;

const UNSPENT: Holding = Holding::Unspent;

#[test]
fn no_more_is_given_back_than_is_held() {
    check([
        row("all", life("running"), refund(PAID, "f-1"), "BalanceRefunded"),
        row("one fen more", life("running"), refund(PAID + 1, "f-1"), "REFUND_ABOVE_BALANCE"),
        row("the rest", with("running", [refund(PAID - 1, "f-1")]), refund(1, "f-2"), "BalanceRefunded"),
        row(
            "more than the rest",
            with("running", [refund(PAID - 1, "f-1")]),
            refund(2, "f-2"),
            "REFUND_ABOVE_BALANCE",
        ),
        row(
            "what was retained",
            with("finally_accepted", [retain(100)]),
            refund_of(None, 100, Holding::Retained, "f-1"),
            "BalanceRefunded",
        ),
        row(
            "more than was retained",
            with("finally_accepted", [retain(100)]),
            refund_of(None, 101, Holding::Retained, "f-1"),
            "REFUND_ABOVE_BALANCE",
        ),
        row("before any payment", story("payable"), refund(1, "f-1"), "REFUND_ABOVE_BALANCE"),
        row("before the contract", story("approved"), refund(1, "f-1"), "WRONG_STAGE"),
        row(
            "before the first payment's day",
            life("running"),
            refund(1, "f-1").on(march(30)),
            "STEP_BEFORE_THE_LAST",
        ),
        row("on its day", life("running"), refund(1, "f-1").on(march(31)), "BalanceRefunded"),
    ]);
    let refused = broken(&World::after(life("running")), &refund(PAID + 1, "f-1"));
    says(
        &refused,
        "REFUND_ABOVE_BALANCE",
        &[("held_minor", "5000000"), ("asked_minor", "5000001"), ("from", "unspent")],
    );
    assert_eq!(
        refused.message,
        "CN-USCC:91330100799655058B holds 50,000.00 CNY unspent; record a refund of 50,000.00 CNY or less, not 50,000.01 CNY"
    );
}

#[test]
fn each_party_gives_back_its_own() {
    let world = with_partner();
    let partner = Some(university().party);
    let of = |party, minor| refund_of(party, minor, UNSPENT, "f-1");
    assert_eq!(world.outcome(&of(partner, 2_000_000)), "BalanceRefunded");
    assert_eq!(world.outcome(&of(partner, 2_000_001)), "REFUND_ABOVE_BALANCE");
    assert_eq!(world.outcome(&of(Some(lead().party), PAID - 2_000_000)), "BalanceRefunded");
    assert_eq!(world.outcome(&of(None, PAID - 2_000_000 + 1)), "REFUND_ABOVE_BALANCE");
    let stranger = PartyId(Uuid::from_u128(0x99));
    let refused = world.clone().execute(&of(Some(stranger), 1)).unwrap_err().0;
    assert_eq!(refused.broken[0].code, "PARTY_UNKNOWN");
    for party in [lead(), university()] {
        assert!(refused.broken[0].facts["parties"].contains(&party.code.to_string()));
    }
    let mut world = world;
    world.execute(&of(partner, 500_000)).unwrap();
    assert_eq!(world.grant().books.held_minor(Account::RecipientUnspent, university().party), 1_500_000);
    assert_eq!(stands(&world, Account::Refunded), 500_000);
}

#[test]
fn a_banks_reference_reports_one_refund() {
    let given = || with("running", [refund(100, "f-1")]);
    check([
        row("the same again", given(), refund(100, "f-1"), "unchanged"),
        row(
            "of the lead, by its id",
            given(),
            refund_of(Some(lead().party), 100, UNSPENT, "f-1"),
            "unchanged",
        ),
        row("another amount", given(), refund(101, "f-1"), "REFUND_ALREADY_RECORDED"),
        row(
            "from elsewhere",
            given(),
            refund_of(None, 100, Holding::Retained, "f-1"),
            "REFUND_ALREADY_RECORDED",
        ),
        row("of its own", given(), refund(100, "f-2"), "BalanceRefunded"),
        row("that of the payment", life("running"), refund(100, "b-1"), "A14_REFERENCE_USED"),
    ]);
    // A share that was passed on is another movement of money, whichever was recorded first.
    let mut world = with_partner();
    assert_eq!(world.outcome(&refund(100, "s-1")), "A14_REFERENCE_USED");
    world.execute(&refund(100, "f-1")).unwrap();
    says(
        &broken(&world, &share_to_partner(100, "f-1")),
        "A14_REFERENCE_USED",
        &[("used_for", "the balance that CN-USCC:91330100799655058B gave back")],
    );
    let second = [request(2, None), authorise(2), instruct(2, 2)];
    let paid = |more: Vec<Order>| {
        let payments = second.clone().map(|order| order.on(april(10)));
        given().into_iter().chain(payments).chain(more).collect::<Vec<_>>()
    };
    let settled = settle(2, "b-2").on(april(10));
    check([
        row("a refund's, as a payment", paid(vec![]), settle(2, "f-1").on(april(10)), "A14_REFERENCE_USED"),
        row(
            "a refund's, as a return",
            paid(vec![settled]),
            send_back(2, "f-1", "x").on(april(10)),
            "A14_REFERENCE_USED",
        ),
    ]);
    says(
        &broken(&World::after(given()), &refund(101, "f-1")),
        "REFUND_ALREADY_RECORDED",
        &[("amount", "1.00 CNY"), ("bank_reference", "f-1")],
    );
}

#[test]
fn a_refund_that_was_corrected_frees_its_reference() {
    let mut world = World::after(with("running", [refund(100, "f-1")]));
    let reverses = world.grant().facts.recorded().last().unwrap().position;
    let fact = MoneyFact::BalanceRefund { party: lead().party, from: UNSPENT, amount_minor: 100 };
    happened(
        &mut world,
        FundEvent::FactCorrected {
            grant: GRANT,
            programme: PROGRAMME,
            currency: cny(0).currency,
            reverses,
            fact,
            fact_on: april(10),
            reason: "another grant's".to_owned(),
            authority: "D-1".to_owned(),
        },
    );
    assert_eq!(stands(&world, Account::RecipientUnspent), PAID);
    assert_eq!(world.outcome(&refund(99, "f-1")), "BalanceRefunded");
}

/// The last tranche is paid after the acceptance: what is decided on the balance lies after both.
#[test]
fn a_balance_is_decided_on_after_the_last_payment() {
    let last = [request(3, None), authorise(3), instruct(3, 3), settle(3, "b-3")];
    let paid = || with("finally_accepted", last.clone().map(|order| order.on(april(13))));
    for (order, done) in [(retain(1), "BalanceRetained"), (transfer(SECOND, 1), "BalanceTransferred")] {
        check([
            row("on the day", paid(), order.clone().on(april(13)), done),
            row("the day before", paid(), order.on(april(12)).learned_on(april(13)), "STEP_BEFORE_THE_LAST"),
        ]);
    }
}

#[test]
fn money_is_dated_at_most_five_days_back() {
    let learned = |order: Order, on| order.learned_on(on);
    check([
        row(
            "a refund five days back",
            life("running"),
            learned(refund(1, "f"), april(15)),
            "BalanceRefunded",
        ),
        row("six", life("running"), learned(refund(1, "f"), april(16)), "EFFECTIVE_TOO_FAR_BACK"),
        row(
            "a retention six",
            life("finally_accepted"),
            learned(retain(1), april(16)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        row(
            "a transfer six",
            life("finally_accepted"),
            learned(transfer(SECOND, 1), april(16)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
    ]);
}

// ---- Retention -------------------------------------------------------------------------------------------------------

/// The fund under the shipped rules with these words of theirs replaced.
fn fund_under(former: &str, now: &str) -> Fund {
    let text = include_str!("../../../../deploy/rulebook/2012-09.toml");
    assert!(text.contains(former));
    let changed = text.replace(former, now);
    let rulebooks = Rulebooks::from_toml_files(&[("2012-09.toml", changed.as_str())]).unwrap();
    Fund::new(Tables { rulebooks: Arc::new(rulebooks), ..Tables::shipped() })
}

#[test]
fn a10_a_balance_is_kept_as_long_as_the_rules_of_its_year_say() {
    let world = World::after(life("finally_accepted"));
    let kept = |fund: &Fund, on| {
        let decision = world.decide(fund, &retain(PAID).on(on)).map_err(|refused| refused.codes())?;
        match decision.events.as_slice() {
            [FundEvent::BalanceRetained { until, amount_minor: PAID, .. }] => Ok(*until),
            other => panic!("{other:?}"),
        }
    };
    let shipped = Fund::shipped();
    assert_eq!(kept(&shipped, april(10)), Ok(Some(day(2015, 4, 10))));
    assert_eq!(kept(&shipped, day(2020, 12, 31)), Ok(Some(day(2022, 12, 31))));
    assert_eq!(kept(&shipped, day(2021, 1, 1)), Ok(None));
    let recalling = fund_under("from_2021 = \"retain\"", "from_2021 = \"recall\"");
    assert_eq!(kept(&recalling, day(2020, 12, 31)), Ok(Some(day(2022, 12, 31))));
    assert_eq!(kept(&recalling, day(2021, 1, 1)), Err("A10_BALANCE_RECALLED".to_owned()));
    let longer = fund_under("retain_years_before_2021 = 2", "retain_years_before_2021 = 3");
    assert_eq!(kept(&longer, april(10)), Ok(Some(day(2016, 4, 10))));
}

#[test]
fn a_balance_is_retained_once_by_its_minutes() {
    let kept = || with("finally_accepted", [retain(100)]);
    let of = |party| retain_of(Some(party), 1);
    check([
        row("all", life("finally_accepted"), retain(PAID), "BalanceRetained"),
        row("one fen more", life("finally_accepted"), retain(PAID + 1), "BALANCE_ABOVE_UNSPENT"),
        row("the same again", kept(), retain(100), "unchanged"),
        row("another amount by the same minutes", kept(), retain(101), "ALREADY_RETAINED"),
        row(
            "by a stranger",
            life("finally_accepted"),
            of(PartyId(Uuid::from_u128(0x99))),
            "PARTY_UNKNOWN, BALANCE_ABOVE_UNSPENT",
        ),
        row(
            "after a failure that was closed",
            with("acceptance_failed", [close(Some(april(30)))]),
            retain(1),
            "WRONG_STAGE",
        ),
        row(
            "before the acceptance",
            life("finally_accepted"),
            retain(1).on(april(9)),
            "STEP_BEFORE_THE_LAST",
        ),
    ]);
    let refused = broken(&World::after(life("finally_accepted")), &retain(PAID + 1));
    says(&refused, "BALANCE_ABOVE_UNSPENT", &[("held_minor", "5000000"), ("asked_minor", "5000001")]);
    let world = World::after(kept());
    assert_eq!(stands(&world, Account::RetainedByRule), 100);
    assert_eq!(stands(&world, Account::RecipientUnspent), PAID - 100);
}

// ---- Transfer --------------------------------------------------------------------------------------------------------

fn third(change: impl FnOnce(&mut MigratedAward)) -> Order {
    let mut award = award(plan());
    change(&mut award);
    let mut order = import(award).on(april(2));
    if let Command::Grant(grant, _) = &mut order.command {
        *grant = THIRD;
    }
    order
}

const THIRD: GrantId = GrantId(Uuid::from_u128(0x3));

#[test]
fn a_balance_goes_on_in_a_project_of_the_same_programme_and_lead() {
    let beside = |order: Order| with("finally_accepted", [order]);
    let ended = || {
        let mut end = terminate("x", None);
        if let Command::Grant(grant, _) = &mut end.command {
            *grant = SECOND;
        }
        beside(end)
    };
    let failed = || with("finally_accepted", [report("R-1"), fail()].map(|order| order.of(SECOND)));
    let applied = || {
        let mut other = apply_for(application()).on(april(5));
        if let Command::Grant(grant, _) = &mut other.command {
            *grant = THIRD;
        }
        beside(other)
    };
    let euro = act(GrantCommand::Balance(BalanceCommand::Transfer {
        to: SECOND,
        amount: eur(1),
        minutes: "B-1".to_owned(),
    }));
    check([
        row("all", life("finally_accepted"), transfer(SECOND, PAID), "BalanceTransferred"),
        row("one fen more", life("finally_accepted"), transfer(SECOND, PAID + 1), "BALANCE_ABOVE_UNSPENT"),
        row("in euro", life("finally_accepted"), euro, "CURRENCY_NOT_THE_PROGRAMMES"),
        row("to itself", life("finally_accepted"), transfer(GRANT, 1), "TRANSFER_TO_ITSELF"),
        row("to none", life("finally_accepted"), transfer(THIRD, 1), "GRANT_NOT_FOUND"),
        row("to one that has ended", ended(), transfer(SECOND, 1), "TRANSFER_NOT_RUNNING"),
        row("to one that failed its acceptance", failed(), transfer(SECOND, 1), "TRANSFER_NOT_RUNNING"),
        row("to one that is not contracted", applied(), transfer(THIRD, 1), "TRANSFER_NOT_RUNNING"),
        row(
            "to another programme",
            beside(third(|award| award.programme = ProgrammeId(Uuid::from_u128(0xB)))),
            transfer(THIRD, 1),
            "TRANSFER_TO_ANOTHER_PROGRAMME",
        ),
        row(
            "to another lead",
            beside(third(|award| award.lead = university())),
            transfer(THIRD, 1),
            "TRANSFER_TO_ANOTHER_LEAD",
        ),
        row(
            "the same again",
            with("finally_accepted", [transfer(SECOND, 100)]),
            transfer(SECOND, 100),
            "unchanged",
        ),
        row(
            "another amount by the same minutes",
            with("finally_accepted", [transfer(SECOND, 100)]),
            transfer(SECOND, 101),
            "ALREADY_TRANSFERRED",
        ),
        row(
            "after a failure that was closed",
            with("acceptance_failed", [close(Some(april(30)))]),
            transfer(SECOND, 1),
            "WRONG_STAGE",
        ),
        row(
            "before the other's last step",
            beside(third(|_| ())),
            transfer(THIRD, 1).on(april(1)),
            "STEP_BEFORE_THE_LAST",
        ),
    ]);
    let refused = World::after(life("finally_accepted")).execute(&transfer(THIRD, 1)).unwrap_err().0;
    assert_eq!((refused.kind, refused.broken[0].field.as_str()), (RefusalKind::NotFound, "to_grant_id"));
}

#[test]
fn a_transferred_balance_is_the_other_grants() {
    let mut world = World::after(with("terminated", [transfer(SECOND, 1_000_000)]));
    assert_eq!(stands(&world, Account::RecipientUnspent), PAID - 1_000_000);
    // There it is unspent like any other money: it can be given back from there.
    let mut back = refund(1_000_000, "f-1");
    if let Command::Grant(grant, _) = &mut back.command {
        *grant = SECOND;
    }
    assert_eq!(world.outcome(&back), "BalanceRefunded");
    let events = world.execute(&back).unwrap();
    assert!(matches!(events[0], FundEvent::BalanceRefunded { grant: SECOND, .. }));
    assert_eq!(world.outcome(&refund(PAID - 1_000_000 + 1, "f-2")), "REFUND_ABOVE_BALANCE");
    assert_eq!(world.outcome(&refund(PAID - 1_000_000, "f-2")), "BalanceRefunded");
}

// ---- Requests --------------------------------------------------------------------------------------------------------

#[test]
fn bad_requests_are_told_at_their_fields() {
    assert_eq!(
        edge::faults(RefundBalanceRequest::default()),
        ["header", "grant_id", "amount", "from", "bank_reference"]
    );
    let refund = RefundBalanceRequest {
        header: edge::header(),
        grant_id: edge::ID.to_owned(),
        party_id: String::new(),
        amount: edge::cny(1),
        from: BalanceSource::Retained.into(),
        bank_reference: "f-1".to_owned(),
    };
    let draft = edge::read(refund.clone()).unwrap();
    let Command::Grant(_, GrantCommand::Balance(BalanceCommand::Refund { party, from, .. })) =
        draft.command()
    else {
        panic!("it refunds");
    };
    assert_eq!((*party, *from), (None, Holding::Retained));
    assert_eq!(
        edge::faults(RefundBalanceRequest { amount: edge::cny(0), ..refund.clone() }),
        ["amount.amount_minor"]
    );
    assert_eq!(edge::faults(RefundBalanceRequest { party_id: "lead".to_owned(), ..refund }), ["party_id"]);
    assert_eq!(edge::faults(RetainBalanceRequest::default()), ["header", "grant_id", "amount", "minutes"]);
    assert_eq!(
        edge::faults(TransferBalanceRequest::default()),
        ["header", "grant_id", "to_grant_id", "amount", "minutes"]
    );
}
