//! Requests about matching, shares and spending: every fault at its field, all at once. And a grant's money as an answer.

use crate::{
    edge::{ID, PROGRAMME_ID, cny, contract, faults, header, party, read, share},
    matching, money, partners, spending,
    world::{self, PROGRAMME, World},
};
use concord_chassis::{grpc::Actor, grpc::Violations, log::Domain};
use concord_events::fund::{GovernmentLevel, MatchingKind};
use concord_fund_grant::{
    Command, Fund,
    grant::{
        GrantCommand,
        contract::{ContractCommand, Signing},
        matching::MatchingCommand,
        spending::SpendingCommand,
    },
    wire::{self, Caller, Edge},
};
use concord_kernel::spending::SpendCategory;
use concord_proto::{
    fund::v1::{
        self as fund, AcceptSpendRequest, BulkCommand, DisallowSpendRequest, Invoice, PledgeMatchingRequest,
        PledgedInstalment, RecordMatchingArrivalRequest, ReleaseMatchingRequest, ReportSpendRequest,
        SignContractRequest, TransferShareRequest, bulk_command::Command as Bulk,
    },
    r#type::v1::Actor as ProtoActor,
};
use jiff::civil::date;

const SPEND_ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e71";

fn instalment(number: u32, amount_minor: i64) -> PledgedInstalment {
    PledgedInstalment { number, amount_minor, due_on: "2013-06-30".to_owned() }
}

fn pledge() -> PledgeMatchingRequest {
    PledgeMatchingRequest {
        header: header(),
        grant_id: ID.to_owned(),
        source_number: 1,
        kind: fund::MatchingKind::GovernmentBudget.into(),
        level: fund::GovernmentLevel::City.into(),
        is_public: true,
        payer: None,
        amount: cny(100),
        instalments: vec![instalment(1, 60), instalment(2, 40)],
    }
}

fn arrival() -> RecordMatchingArrivalRequest {
    RecordMatchingArrivalRequest {
        header: header(),
        grant_id: ID.to_owned(),
        source_number: 1,
        instalment_number: 1,
        amount: cny(60),
        bank_reference: "m-1".to_owned(),
    }
}

fn release() -> ReleaseMatchingRequest {
    let (reason, minutes) = ("late".to_owned(), "2013-9".to_owned());
    ReleaseMatchingRequest { header: header(), grant_id: ID.to_owned(), source_number: 1, reason, minutes }
}

fn transfer() -> TransferShareRequest {
    TransferShareRequest {
        header: header(),
        grant_id: ID.to_owned(),
        to_party_id: PROGRAMME_ID.to_owned(),
        amount: cny(1),
        bank_reference: "t-1".to_owned(),
    }
}

fn invoice() -> Option<Invoice> {
    let (issuer, number) = ("2100 1311ab".to_owned(), " 0000 0017".to_owned());
    Some(Invoice { issuer, number, total: cny(500), code: String::new() })
}

fn report() -> ReportSpendRequest {
    ReportSpendRequest {
        header: header(),
        grant_id: ID.to_owned(),
        spend_id: SPEND_ID.to_owned(),
        party_id: PROGRAMME_ID.to_owned(),
        category: fund::SpendCategory::Equipment.into(),
        spent_on: "2013-03-01".to_owned(),
        amount: cny(100),
        invoice: invoice(),
        purpose: "a test bench".to_owned(),
    }
}

fn accept() -> AcceptSpendRequest {
    AcceptSpendRequest { header: header(), grant_id: ID.to_owned(), spend_id: SPEND_ID.to_owned() }
}

fn disallow() -> DisallowSpendRequest {
    let (grant_id, spend_id) = (ID.to_owned(), SPEND_ID.to_owned());
    DisallowSpendRequest { header: header(), grant_id, spend_id, reason: "no receipt".to_owned() }
}

#[test]
fn an_empty_request_about_money_is_told_everything_that_is_missing() {
    assert_eq!(
        faults(PledgeMatchingRequest::default()),
        ["header", "grant_id", "source_number", "kind", "amount", "instalments"]
    );
    assert_eq!(
        faults(RecordMatchingArrivalRequest::default()),
        ["header", "grant_id", "source_number", "instalment_number", "amount", "bank_reference"]
    );
    assert_eq!(
        faults(ReleaseMatchingRequest::default()),
        ["header", "grant_id", "source_number", "reason", "minutes"]
    );
    assert_eq!(
        faults(TransferShareRequest::default()),
        ["header", "grant_id", "to_party_id", "amount", "bank_reference"]
    );
    assert_eq!(
        faults(ReportSpendRequest { invoice: Some(Invoice::default()), ..ReportSpendRequest::default() }),
        [
            "header",
            "grant_id",
            "spend_id",
            "party_id",
            "category",
            "spent_on",
            "amount",
            "invoice.issuer",
            "invoice.number",
            "invoice.total",
            "purpose"
        ]
    );
    assert_eq!(faults(AcceptSpendRequest::default()), ["header", "grant_id", "spend_id"]);
    assert_eq!(faults(DisallowSpendRequest::default()), ["header", "grant_id", "spend_id", "reason"]);
}

/// A request, changed.
fn with<R>(mut request: R, change: impl FnOnce(&mut R)) -> R {
    change(&mut request);
    request
}

#[test]
fn each_fault_of_a_pledge_is_told_at_its_field() {
    let own = || with(pledge(), |r| r.kind = fund::MatchingKind::OwnMoney.into());
    assert_eq!(faults(with(pledge(), |r| r.level = 0)), ["level"], "a government has a level");
    assert_eq!(faults(own()), ["level"], "and nobody else");
    assert!(read(with(own(), |r| r.level = 0)).is_ok());
    assert!(read(with(own(), |r| (r.level, r.is_public) = (0, false))).is_ok());
    assert_eq!(faults(with(pledge(), |r| r.is_public = false)), ["is_public"]);
    assert_eq!(faults(with(pledge(), |r| r.level = 9)), ["level"]);
    assert_eq!(faults(with(pledge(), |r| r.kind = 9)), ["kind"]);
    assert_eq!(
        faults(with(pledge(), |r| r.payer = party("CN-USCC:91350100M000100Y4Z", "210100"))),
        ["payer.code"]
    );
    assert_eq!(faults(with(pledge(), |r| r.amount = cny(0))), ["amount.amount_minor"]);
    assert_eq!(faults(with(pledge(), |r| r.amount = cny(101))), ["instalments"], "they add up");
    assert_eq!(faults(with(pledge(), |r| r.instalments[1].number = 3)), ["instalments[1].number"]);
    assert_eq!(
        faults(with(pledge(), |r| r.instalments[1].amount_minor = 0)),
        ["instalments[1].amount_minor"]
    );
    assert_eq!(
        faults(with(pledge(), |r| r.instalments[0].due_on = "June".to_owned())),
        ["instalments[0].due_on"]
    );
    let many = (1..=101).map(|number| instalment(number, 1)).collect();
    assert_eq!(
        faults(PledgeMatchingRequest { instalments: many, amount: cny(101), ..pledge() }),
        ["instalments"]
    );
    let most = (1..=100).map(|number| instalment(number, 1)).collect();
    assert!(read(PledgeMatchingRequest { instalments: most, ..pledge() }).is_ok());
}

#[test]
fn each_fault_of_a_report_is_told_at_its_field() {
    assert_eq!(faults(with(report(), |r| r.category = 15)), ["category"]);
    assert_eq!(faults(with(report(), |r| r.spend_id = "17".to_owned())), ["spend_id"]);
    assert_eq!(faults(with(report(), |r| r.party_id = "17".to_owned())), ["party_id"]);
    assert_eq!(faults(with(report(), |r| r.spent_on = "2013-02-30".to_owned())), ["spent_on"]);
    assert_eq!(faults(with(report(), |r| r.amount = cny(0))), ["amount.amount_minor"]);
    assert_eq!(faults(with(report(), |r| r.purpose = "x".repeat(601))), ["purpose"]);
    let total = |minor| with(report(), |r| r.invoice.as_mut().unwrap().total = cny(minor));
    assert_eq!(faults(total(0)), ["invoice.total.amount_minor"]);
    assert!(read(with(report(), |r| r.invoice = None)).is_ok());
}

#[test]
fn good_requests_about_money_become_commands() {
    let draft = read(pledge()).unwrap();
    let Command::Grant(_, GrantCommand::Matching(1, MatchingCommand::Pledge(pledged))) = draft.command()
    else {
        panic!("it pledges")
    };
    let own = (pledged.kind, pledged.level, pledged.is_public, pledged.instalments.len());
    assert_eq!(own, (MatchingKind::GovernmentBudget, Some(GovernmentLevel::City), true, 2));

    let draft = read(report()).unwrap();
    let Command::Grant(_, GrantCommand::Spending(spend, SpendingCommand::Report(reported))) = draft.command()
    else {
        panic!("it reports")
    };
    assert_eq!((spend.to_string().as_str(), reported.category), (SPEND_ID, SpendCategory::Equipment));
    let named = reported.invoice.as_ref().unwrap();
    // Blanks and small letters make no other invoice.
    assert_eq!((named.issuer.as_str(), named.number.as_str()), ("21001311AB", "00000017"));
}

#[test]
fn a_contracts_shares_are_read() {
    let shares = |lead, partner| {
        let allocations =
            vec![share("CN-USCC:91330100799655058B", lead), share("CN-USCC:9144030071526726XG", partner)];
        SignContractRequest { allocations, ..contract() }
    };
    let draft = read(shares(60, 40)).unwrap();
    let Command::Grant(_, GrantCommand::Contract(ContractCommand::Sign(Signing { allocations, .. }))) =
        draft.command()
    else {
        panic!("it signs")
    };
    let minor: Vec<_> = allocations.iter().map(|share| share.amount_minor).collect();
    assert_eq!(minor, [Some(60), Some(40)]);
    assert_eq!(faults(shares(60, 41)), ["allocations"], "they add up to the contract");
    assert_eq!(faults(shares(100, 0)), ["allocations[1].amount_minor"]);
    let twice = with(shares(60, 40), |r| r.allocations[1].party = r.allocations[0].party.clone());
    assert_eq!(faults(twice), ["allocations[1].party.code"]);
}

/// Each command is one of a bulk stream, too, and the same one.
#[test]
fn commands_about_money_go_in_bulk() {
    let fund = Fund::shipped();
    let edge = Edge { regions: fund.regions(), today: date(2013, 3, 5) };
    let actor = ProtoActor { person_id: "p".to_owned(), organisation_id: "o".to_owned() };
    let actor = Actor::from_proto(&actor, "actor", &mut Violations::new(Fund::error_domain()));
    let caller = Caller { actor, traceparent: None };
    let pairs = [
        (Bulk::PledgeMatching(pledge()), read(pledge())),
        (Bulk::RecordMatchingArrival(arrival()), read(arrival())),
        (Bulk::ReleaseMatching(release()), read(release())),
        (Bulk::TransferShare(transfer()), read(transfer())),
        (Bulk::ReportSpend(report()), read(report())),
        (Bulk::AcceptSpend(accept()), read(accept())),
        (Bulk::DisallowSpend(disallow()), read(disallow())),
    ];
    for (command, alone) in pairs {
        let bulk = BulkCommand { actor: None, command: Some(command) };
        let bulk = wire::read_bulk(edge, &caller, bulk).unwrap();
        assert_eq!(bulk.command(), alone.unwrap().command());
    }
}

/// What `GetGrant` shows of a grant's money.
#[test]
fn a_grants_money_is_shown() {
    let total = world::cny(500);
    let more = [
        matching::pledge(1, matching::city()),
        matching::arrived(1, 1, 60_000, "m-1"),
        matching::release(money::april(9), 1, "late"),
        partners::transfer(1_000, "t-1").on(money::april(9)),
        spending::report_as(1, spending::invoiced(300, total)).on(money::april(9)),
        spending::report(2, 20).on(money::april(9)),
        spending::report(3, 5).on(money::april(9)),
        spending::accept(1).on(money::april(9)),
        spending::disallow(3, "no receipt").on(money::april(9)),
    ];
    let world = money::with(money::paid(), more);
    let shown = wire::answers::grant(world.grant(), 1);

    let source = &shown.matching[0];
    assert_eq!(
        (source.number, source.kind(), source.level()),
        (1, fund::MatchingKind::GovernmentBudget, fund::GovernmentLevel::City)
    );
    assert_eq!((source.pledged_minor, source.arrived_minor, source.released_minor), (60_000, 60_000, 90_000));
    let instalment = &source.instalments[0];
    let own = (instalment.pledged_minor, instalment.arrived_minor, instalment.released_minor);
    assert_eq!(own, (100_000, 60_000, 40_000));

    let shares: Vec<_> = shown
        .shares
        .iter()
        .map(|it| (it.allocated_minor, it.passed_on_minor, it.unspent_minor, it.spent_minor))
        .collect();
    let leads = (Some(world::AWARD - money::SHARE), 0, money::PAID - 1_300, 300);
    assert_eq!(shares, [leads, (Some(money::SHARE), 1_000, 1_000, 0)]);
    assert_eq!(shown.shares[1].party_id, money::partner().party.to_string());

    let spent = shown.spending.as_ref().unwrap();
    let items = (spent.reported_items, spent.accepted_items, spent.disallowed_items);
    let sums = (spent.reported_minor, spent.accepted_minor, spent.disallowed_minor);
    assert_eq!((items, sums), ((1, 1, 1), (20, 300, 5)));
    let newest: Vec<_> = spent.newest.iter().map(|item| (item.state(), item.reason.as_str())).collect();
    let disallowed = (fund::SpendState::Disallowed, "no receipt");
    assert_eq!(newest, [disallowed, (fund::SpendState::Reported, ""), (fund::SpendState::Accepted, "")]);
    assert_eq!(spent.newest[2].invoice_number, "00000017");

    let balance = |account: &str| {
        let own = shown.balances.iter().filter(|balance| balance.account == account);
        own.map(|balance| balance.amount_minor).sum::<i64>()
    };
    assert_eq!(balance("recipient_unspent"), money::PAID - 300);
    assert_eq!(balance("committed"), world::AWARD - money::PAID);
    assert_eq!(balance("match_source"), -60_000);
    assert_eq!(shown.programme_id, PROGRAMME.to_string());
}

/// Of many items the newest hundred are shown, and all are counted.
#[test]
fn the_newest_hundred_items_are_shown() {
    let reports = (1..=101).map(|spend| spending::report(spend, 1));
    let world = money::with(money::paid(), reports);
    let spent = wire::answers::grant(world.grant(), 1).spending.unwrap();
    assert_eq!((spent.reported_items, spent.newest.len()), (101, 100));
    assert_eq!(spent.newest[0].spend_id, spending::id(101).to_string());
    assert_eq!(spent.newest[99].spend_id, spending::id(2).to_string());
    let without = wire::answers::grant(World::after(world::story("approved")).grant(), 1);
    assert!(without.spending.is_none() && without.shares.is_empty());
}
