//! Shares of a contract, and what the lead passes on 转拨 (domain.md section 3, "Partners").

use crate::{money::*, world::*};
use concord_events::{
    fund::{Allocation, FundEvent, MoneyFact, Party, TrancheCondition},
    ledger::Account,
};
use concord_fund_grant::grant::{
    GrantCommand, contract::Signing, opening::MigratedAward, partners::ShareTransfer,
};
use concord_kernel::{Date, money::Amount};

fn transfer_of(on: Date, to: &Party, amount: Amount, reference: &str) -> Order {
    let transfer = ShareTransfer { to: to.party, amount, bank_reference: reference.to_owned() };
    recipient(on, GrantCommand::TransferShare(transfer))
}

pub fn transfer(minor: i64, reference: &str) -> Order {
    transfer_of(april(5), &partner(), cny(minor), reference)
}

/// A contract of so much, with these shares.
fn signing_with(minor: i64, allocations: Vec<Allocation>) -> Order {
    let tranches = vec![
        planned(1, minor / 2, TrancheCondition::Contract),
        planned(2, minor - minor / 2, TrancheCondition::FinalAcceptance),
    ];
    sign(Signing { amount: cny(minor), tranches, allocations, ..signing() })
}

/// The shares in the event of a signature.
fn signed(world: &World, order: &Order) -> Vec<(Party, Option<i64>)> {
    let events = world.clone().execute(order).unwrap();
    let [FundEvent::ContractSigned { allocations, .. }] = events.as_slice() else {
        panic!("it is signed: {events:?}")
    };
    allocations.iter().map(|share| (share.party.clone(), share.amount_minor)).collect()
}

#[test]
fn a_contract_has_the_shares_that_add_up_to_it() {
    let alone = || World::after(story("approved"));
    let two = || World::after(shared(story("approved")));
    let given = |lead_minor, partner_minor| vec![share(lead(), lead_minor), share(partner(), partner_minor)];

    assert_eq!(signed(&alone(), &signing_with(AWARD, vec![])), [], "all is the lead's");
    assert_eq!(signed(&alone(), &signing_with(AWARD - 1, vec![])), [], "whatever the contract is");
    assert_eq!(signed(&alone(), &signing_with(AWARD, vec![share(lead(), AWARD)])), [], "said or not");
    let applied = [(lead(), Some(AWARD - SHARE)), (partner(), Some(SHARE))];
    assert_eq!(signed(&two(), &signing_with(AWARD, vec![])), applied, "as applied for");
    let less = [(lead(), Some(AWARD - SHARE)), (partner(), Some(SHARE - 1))];
    assert_eq!(signed(&two(), &signing_with(AWARD - 1, given(AWARD - SHARE, SHARE - 1))), less, "as given");
    let only = [(partner(), Some(AWARD))];
    assert_eq!(
        signed(&two(), &signing_with(AWARD, vec![share(partner(), AWARD)])),
        only,
        "the lead has none"
    );
    assert_eq!(
        signed(&two(), &signing_with(AWARD - 1, vec![share(lead(), AWARD - 1)])),
        [],
        "the lead has all"
    );

    check([
        ("one fen less than applied for", two(), signing_with(AWARD - 1, vec![]), "SHARES_NOT_THE_CONTRACT"),
        (
            "beside another broken rule",
            two(),
            signing_with(AWARD + 2, vec![]),
            "A02_ABOVE_APPROVED, SHARES_NOT_THE_CONTRACT",
        ),
    ]);
    let facts = [("shares_minor", "10000000"), ("contracted_minor", "9999999")];
    let figures = ["100,000.00 CNY", "99,999.99 CNY"];
    assert_eq!(told(&two(), &signing_with(AWARD - 1, vec![]), &facts, &figures), "allocations");
}

#[test]
fn a_contract_is_signed_again_only_in_the_same_way() {
    let given = || vec![share(lead(), AWARD - SHARE), share(partner(), SHARE)];
    let other = || vec![share(lead(), AWARD - 1), share(partner(), 1)];
    let applied = with(shared(story("approved")), [signing_with(AWARD, vec![])]);
    let alone = with(story("approved"), [signing_with(AWARD, vec![])]);
    check([
        ("without shares", applied.clone(), signing_with(AWARD, vec![]), "unchanged"),
        ("with the same, said", applied.clone(), signing_with(AWARD, given()), "unchanged"),
        ("with others", applied, signing_with(AWARD, other()), "ALREADY_CONTRACTED"),
        ("with a partner of late", alone, signing_with(AWARD, given()), "ALREADY_CONTRACTED"),
    ]);
}

#[test]
fn shares_are_passed_on_from_the_contract_until_the_end() {
    let one = || transfer(1, "t-1").on(april(30));
    let paid = || World::after(paid());
    check([
        ("applied for", World::after(story("applied")), one(), "WRONG_STAGE"),
        ("approved", World::after(story("approved")), one(), "WRONG_STAGE"),
        ("rejected", World::after(story("rejected")), one(), "WRONG_STAGE"),
        ("withdrawn", World::after(story("withdrawn")), one(), "WRONG_STAGE"),
        ("contracted", paid(), one(), "ShareTransferred"),
        ("accepted", paid().accepted(), one(), "ShareTransferred"),
        ("acceptance failed", paid().failed(), one(), "ShareTransferred"),
        ("closed", paid().closed(), one(), "WRONG_STAGE"),
        ("evaluated", paid().evaluated(), one(), "WRONG_STAGE"),
        ("terminated", paid().terminated(), one(), "WRONG_STAGE"),
        ("cancelled", paid().cancelled(), one(), "WRONG_STAGE"),
        (
            "on hold",
            with(crate::money::paid(), [crate::backing::hold("audit").on(april(2))]),
            one(),
            "ShareTransferred",
        ),
    ]);
}

#[test]
fn a_share_is_passed_on_once_and_in_parts() {
    let world = with(paid(), [transfer(100, "t-1")]);
    check([
        ("the same again", world.clone(), transfer(100, "t-1"), "unchanged"),
        ("again, once the grant has ended", world.clone().closed(), transfer(100, "t-1"), "unchanged"),
        (
            "the reference with another amount",
            world.clone(),
            transfer(101, "t-1"),
            "SHARE_ALREADY_TRANSFERRED",
        ),
        (
            "the reference for somebody else",
            world.clone(),
            transfer_of(april(5), &stranger(), cny(100), "t-1"),
            "SHARE_ALREADY_TRANSFERRED",
        ),
        ("a second part", world.clone(), transfer(100, "t-2"), "ShareTransferred"),
        ("a tranche's reference", world.clone(), transfer(100, "b-1"), "A14_REFERENCE_USED"),
        (
            "by the office",
            world.clone(),
            transfer(1, "t-2").by("officer", "funding-office"),
            "ShareTransferred",
        ),
        (
            "in euro",
            world.clone(),
            transfer_of(april(5), &partner(), eur(1), "t-2"),
            "CURRENCY_NOT_THE_PROGRAMMES",
        ),
    ]);
    let books = &world.grant().books;
    assert_eq!(books.held_minor(Account::RecipientUnspent, lead().party), PAID - 100);
    assert_eq!(books.held_minor(Account::RecipientUnspent, partner().party), 100);
    assert_eq!(books.total_minor(Account::RecipientUnspent), PAID);
    keeps(&world);
}

#[test]
fn a_share_goes_to_a_partner_out_of_what_the_lead_holds() {
    let rest = SHARE - 100;
    let part = || with(paid(), [transfer(100, "t-1")]);
    // The partner's share is beyond what was paid.
    let more = |minor| {
        let shares = vec![share(lead(), 1), share(partner(), AWARD - 1)];
        let signed = Signing { allocations: shares, ..signing() };
        let mut orders = tranche_story("settled");
        orders[7] = sign(signed);
        (World::after(orders), transfer(minor, "t-1"))
    };
    let (inside, all_held) = more(PAID);
    let (outside, above_held) = more(PAID + 1);
    check([
        ("the whole share", World::after(paid()), transfer(SHARE, "t-1"), "ShareTransferred"),
        ("one fen more", World::after(paid()), transfer(SHARE + 1, "t-1"), "SHARE_ABOVE_ALLOCATION"),
        ("the rest of it", part(), transfer(rest, "t-2"), "ShareTransferred"),
        ("one fen more than the rest", part(), transfer(rest + 1, "t-2"), "SHARE_ABOVE_ALLOCATION"),
        ("all that the lead holds", inside, all_held, "ShareTransferred"),
        ("one fen more than it holds", outside.clone(), above_held.clone(), "SHARE_ABOVE_UNSPENT"),
        (
            "nothing was paid yet",
            World::after(shared(story("payable"))),
            transfer(1, "t-1"),
            "SHARE_ABOVE_UNSPENT",
        ),
        (
            "above both",
            World::after(paid()),
            transfer(PAID + 1, "t-1"),
            "SHARE_ABOVE_ALLOCATION, SHARE_ABOVE_UNSPENT",
        ),
        (
            "to a stranger",
            World::after(paid()),
            transfer_of(april(5), &stranger(), cny(1), "t-1"),
            "PARTY_UNKNOWN",
        ),
        (
            "to a partner of the application that has no share in the contract",
            with(tranche_story("settled"), []),
            transfer(1, "t-1"),
            "PARTY_UNKNOWN",
        ),
        (
            "to the lead",
            World::after(paid()),
            transfer_of(april(5), &lead(), cny(1), "t-1"),
            "SHARE_TO_THE_LEAD",
        ),
    ]);
    let facts = [
        ("allocated_minor", "3000000"),
        ("passed_on_minor", "100"),
        ("left_minor", "2999900"),
        ("asked_minor", "2999901"),
    ];
    let figures = ["30,000.00 CNY", "1.00 CNY", "29,999.00 CNY", "29,999.01 CNY"];
    assert_eq!(told(&part(), &transfer(rest + 1, "t-2"), &facts, &figures), "amount");
    let facts = [("unspent_minor", "5000000"), ("asked_minor", "5000001")];
    assert_eq!(told(&outside, &above_held, &facts, &["50,000.00 CNY", "50,000.01 CNY"]), "amount");
    // The parties of the grant are named.
    let own = [lead().code.to_string(), partner().code.to_string()];
    let figures = [own[0].as_str(), own[1].as_str()];
    let unknown = transfer_of(april(5), &stranger(), cny(1), "t-1");
    let facts = [("parties_count", "2")];
    assert_eq!(told(&World::after(paid()), &unknown, &facts, &figures), "to_party_id");
}

/// A migrated source may not say what a share is: then the lead's balance alone bounds it.
#[test]
fn a_migrated_share_may_be_unknown() {
    let migrated = |minor: Option<i64>| {
        let allocations = vec![
            Allocation { party: lead(), amount_minor: None },
            Allocation { party: partner(), amount_minor: minor },
        ];
        let award = MigratedAward { allocations, ..award(plan()) };
        let orders = vec![
            appropriate(),
            import(award),
            verify_payee("a1"),
            request(1, None),
            authorise(1),
            instruct(1, 1),
            settle(1, "b-1"),
        ];
        World::after(orders)
    };
    check([
        ("all that the lead holds", migrated(None), transfer(PAID, "t-1"), "ShareTransferred"),
        ("one fen more", migrated(None), transfer(PAID + 1, "t-1"), "SHARE_ABOVE_UNSPENT"),
        ("a share that is known", migrated(Some(7)), transfer(7, "t-1"), "ShareTransferred"),
        ("one fen more", migrated(Some(7)), transfer(8, "t-1"), "SHARE_ABOVE_ALLOCATION"),
    ]);
}

#[test]
fn dates_of_transfers_lie_within_their_limits() {
    check([
        ("five days back", World::after(paid()), transfer(1, "t").learned_on(april(10)), "ShareTransferred"),
        ("six", World::after(paid()), transfer(1, "t").learned_on(april(11)), "EFFECTIVE_TOO_FAR_BACK"),
        (
            "before the lead was paid",
            World::after(paid()),
            transfer(1, "t").on(march(30)).learned_on(april(1)),
            "STEP_BEFORE_THE_LAST",
        ),
        (
            "a fact of the bank's may be learned after a later one",
            with(paid(), [transfer(1, "t-1")]),
            transfer(1, "t-2").on(april(4)),
            "ShareTransferred",
        ),
        ("before the contract", World::after(paid()), transfer(1, "t").on(march(24)), "STEP_BEFORE_THE_LAST"),
    ]);
}

/// Every state is kept in memory, so a grant has its bounds.
#[test]
fn a_grant_has_so_many_transfers() {
    let transfers = |most: u32| (1..=most).map(|part| transfer(1, &part.to_string()));
    check([
        ("the thousandth", with(paid(), transfers(999)), transfer(1, "t"), "ShareTransferred"),
        ("one more", with(paid(), transfers(1_000)), transfer(1, "t"), "TOO_MANY"),
    ]);
}

/// A corrected transfer is the lead's money again, and its reference is free for the right one.
#[test]
fn a_corrected_transfer_is_undone() {
    let fact = MoneyFact::ShareTransfer { to: partner().party, amount_minor: SHARE };
    let world = with(paid(), [transfer(SHARE, "t-1")]).corrected(fact, april(5));
    assert_eq!(world.grant().books.held_minor(Account::RecipientUnspent, lead().party), PAID);
    assert_eq!(world.grant().books.held_minor(Account::RecipientUnspent, partner().party), 0);
    assert_eq!(world.grant().passed_on_minor(partner().party), 0);
    check([
        ("the right amount, same reference", world.clone(), transfer(SHARE - 1, "t-1"), "ShareTransferred"),
        ("no more than the share", world, transfer(SHARE + 1, "t-1"), "SHARE_ABOVE_ALLOCATION"),
    ]);
}
