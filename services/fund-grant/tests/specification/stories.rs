//! What takes several steps.

use crate::world::*;
use concord_chassis::log::RefusalKind;
use concord_events::fund::{FundEvent, FundingMode, TrancheCondition};
use concord_fund_grant::{
    Command, Fund,
    grant::{GrantCommand, contract::Signing, opening::Application, procedure::ProcedureCommand},
    programme::ProgrammeCommand,
};
use concord_kernel::event::LogEvent;
use concord_kernel::{id::GrantId, money::Currency};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

/// The facts that orders leave, for cqrs-es's own framework.
fn facts(orders: impl IntoIterator<Item = Order>) -> Vec<Fact> {
    let mut world = World::default();
    let mut facts = Vec::new();
    for order in orders {
        for event in world.execute(&order).unwrap() {
            let (actor, organisation) = (order.actor.clone(), order.organisation.clone());
            facts.push(Fact { event, on: order.on, actor, organisation });
        }
    }
    facts
}

#[test]
fn what_is_approved_is_reserved_and_what_is_not_contracted_is_free_again() {
    let signed = Signing {
        amount: cny(AWARD - 1_000),
        tranches: vec![
            planned(1, AWARD / 2, TrancheCondition::Contract),
            planned(2, AWARD / 2 - 1_000, TrancheCondition::FinalAcceptance),
        ],
        ..signing()
    };
    TestFramework::<World>::with(Fund::shipped())
        .given(facts(story("approved")))
        .when(sign(signed.clone()))
        .then_expect_events(vec![Fact {
            event: FundEvent::ContractSigned {
                grant: GRANT,
                programme: PROGRAMME,
                currency: Currency::CNY,
                mode: FundingMode::NonRepayable,
                lead_region: lead().region,
                contract_number: "2013-001".to_owned(),
                amount_minor: AWARD - 1_000,
                approved_minor: AWARD,
                starts_on: signed.starts_on,
                ends_on: signed.ends_on,
                tranches: signed.tranches.clone(),
                terms_rulebook: "2012-09".to_owned(),
                lead: Some(lead().party),
                allocations: Vec::new(),
                // Six months after the last day (domain.md section 6).
                acceptance_due_on: signed.ends_on.checked_add(jiff::Span::new().months(6)).ok(),
            },
            on: march(25),
            actor: "contracts".to_owned(),
            organisation: "funding-office".to_owned(),
        }]);

    let approved = World::after(story("approved"));
    let money = |world: &World| {
        let programme = world.programme();
        (programme.available_minor, programme.reserved_minor, programme.contracted_minor)
    };
    assert_eq!(money(&approved), (APPROPRIATED - AWARD, AWARD, 0));
    let contracted = World::after(story("approved").into_iter().chain([sign(signed)]));
    assert_eq!(money(&contracted), (APPROPRIATED - AWARD + 1_000, 0, AWARD - 1_000));
    let rejected = World::after(story("approved").into_iter().chain([reject("fraud")]));
    assert_eq!(money(&rejected), (APPROPRIATED, 0, 0));
    assert_eq!(rejected.programme().taken_by_mode_minor[&FundingMode::NonRepayable], 0);
}

/// Other grants of the story's programme, each on notice with its own amount.
fn on_notice(amounts: &[i64]) -> (Vec<Order>, Vec<GrantId>) {
    let mut orders = vec![appropriate()];
    let ids: Vec<GrantId> = (1..).take(amounts.len()).map(|id| GrantId(Uuid::from_u128(id))).collect();
    for (id, amount) in ids.iter().zip(amounts) {
        // Projects of their own: the same one is not funded twice (A04).
        let title = format!("Bearings {id}");
        let applied = Application { title, requested: cny(*amount), ..application() };
        let reviewed = review_up_to(8_000, *amount);
        let steps = [apply_for(applied), recommend(), admit(), reviewed, publish(*amount)];
        orders.extend(steps.into_iter().map(|mut step| {
            if let Command::Grant(grant, _) = &mut step.command {
                *grant = *id;
            }
            step
        }));
    }
    (orders, ids)
}

#[test]
fn a_meeting_decides_on_all_or_none() {
    let (orders, ids) = on_notice(&[60_000_000, 40_000_000, 1]);
    let world = World::after(orders);
    let awards =
        |amounts: &[i64]| ids.iter().copied().zip(amounts.iter().copied().map(cny)).collect::<Vec<_>>();
    assert_eq!(
        world.outcome(&meeting(march(22), awards(&[60_000_000, 40_000_000]))),
        "GrantApproved, GrantApproved"
    );
    // One fen more than the programme has, by the third.
    let mut tried = world.clone();
    let refused = tried.execute(&meeting(march(22), awards(&[60_000_000, 40_000_000, 1]))).unwrap_err().0;
    assert_eq!(refused.broken.len(), 1);
    assert_eq!(refused.broken[0].code, "A02_ABOVE_AVAILABLE");
    assert_eq!(refused.broken[0].field, "awards[2].amount");
    assert_eq!(refused.broken[0].facts["grant_id"], ids[2].to_string());
    assert_eq!(tried.programme().reserved_minor, 0, "none was approved");
}

#[test]
fn a_meeting_names_every_grant_that_fails() {
    let (orders, ids) = on_notice(&[10, 20, 30]);
    let mut world = World::after(orders);
    let awards = vec![(ids[0], cny(9)), (ids[1], cny(20)), (ids[2], cny(29))];
    let refused = world.execute(&meeting(march(22), awards)).unwrap_err().0;
    let named: Vec<(&str, &str)> = refused
        .broken
        .iter()
        .map(|broken| (broken.code.as_str(), broken.facts["grant_id"].as_str()))
        .collect();
    let (first, third) = (ids[0].to_string(), ids[2].to_string());
    assert_eq!(
        named,
        [("A08_PUBLISHED_OTHERWISE", first.as_str()), ("A08_PUBLISHED_OTHERWISE", third.as_str())]
    );
    let unknown = GrantId(Uuid::from_u128(99));
    let refused =
        world.execute(&meeting(march(22), vec![(ids[0], cny(10)), (unknown, cny(1))])).unwrap_err().0;
    assert_eq!(
        (refused.kind, refused.broken[0].field.as_str()),
        (RefusalKind::NotFound, "awards[1].grant_id")
    );
}

#[test]
fn a_meeting_that_is_repeated_with_one_more_grant_approves_that_one() {
    let (orders, ids) = on_notice(&[10, 20]);
    let mut world = World::after(orders);
    world.execute(&meeting(march(22), vec![(ids[0], cny(10))])).unwrap();
    let events = world.execute(&meeting(march(22), vec![(ids[0], cny(10)), (ids[1], cny(20))])).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].stream(), ids[1].stream());
}

#[test]
fn a_returned_payment_goes_out_again_under_the_same_instruction() {
    let mut world = World::after(tranche_story("payment_returned"));
    let decision = world.decide(&Fund::shipped(), &instruct(1, 1)).unwrap();
    assert_eq!(decision.answer["attempt"], "2");
    assert_eq!(decision.terms_rulebook.as_deref(), Some("2012-09"));
    world.execute(&instruct(1, 1)).unwrap();
    assert_eq!(
        world.decide(&Fund::shipped(), &instruct(1, 1)).unwrap().answer["attempt"],
        "2",
        "a repeat says the same"
    );
    // The bank reports the first attempt once more: it is known by its references.
    assert_eq!(world.outcome(&settle(1, "b-1")), "unchanged");
    assert_eq!(world.outcome(&send_back(1, "r-1", "closed account")), "unchanged");
    assert_eq!(world.outcome(&send_back(1, "r-1", "another reason")), "PAYMENT_ALREADY_RETURNED");
    assert_eq!(world.outcome(&settle(1, "b-2")), "TrancheSettled");
}

#[test]
fn a_payment_returned_after_settlement_says_so() {
    let returned = |until: &str| {
        let events = World::after(tranche_story(until)).execute(&send_back(1, "r-9", "x")).unwrap();
        matches!(events[0], FundEvent::PaymentReturned { after_settlement: true, .. })
    };
    assert!(returned("settled"));
    assert!(!returned("instructed"));
}

#[test]
fn an_account_checked_anew_is_the_one_that_is_paid() {
    let orders = [request(1, None), authorise(1), verify_payee("a2"), instruct(1, 1)];
    let facts = facts(story("payable").into_iter().chain(orders));
    let Some(FundEvent::TrancheInstructed { payee, .. }) = facts.last().map(|fact| &fact.event) else {
        panic!("the tranche was instructed");
    };
    assert_eq!(*payee, account("a2"));
}

#[test]
fn a_request_that_was_turned_down_is_made_again() {
    let orders = [
        request(1, None),
        reject_tranche(1, "too early"),
        request(1, Some(100)),
        authorise(1),
        cancel_tranche(1, "x"),
    ];
    let world = World::after(story("payable").into_iter().chain(orders));
    assert_eq!(world.outcome(&request(1, None)), "TrancheRequested");
}

#[test]
fn the_first_import_opens_the_programme_and_the_next_adds_to_it() {
    let mut world = World::after([import(award(plan()))]);
    let second = import(award(Vec::new()));
    let second = Order {
        command: match second.command {
            Command::Grant(_, command) => Command::Grant(GrantId(Uuid::from_u128(2)), command),
            other => other,
        },
        ..second
    };
    world.execute(&second).unwrap();
    let programme = world.programme();
    assert_eq!((programme.fund.as_str(), programme.year), ("guiding-fund", 2013));
    assert_eq!(programme.appropriated_minor, 2 * AWARD);
    assert_eq!(programme.migrated_minor, 2 * AWARD);
    assert_eq!((programme.available_minor, programme.contracted_minor), (0, 2 * AWARD));
    // It is a programme like any other from then on.
    assert_eq!(world.outcome(&programme_supplement()), "ProgrammeSupplemented");
    assert!(world.grant().is_migrated());
}

fn programme_supplement() -> Order {
    programme(march(31), ProgrammeCommand::Supplement { amount: cny(1) })
}

#[test]
fn a_notice_says_when_the_grant_may_be_approved() {
    let decision = World::after(story("reviewed")).decide(&Fund::shipped(), &publish(AWARD)).unwrap();
    assert_eq!(decision.answer["approvable_from"], "2013-03-22");
    let again = World::after(story("approved")).decide(&Fund::shipped(), &publish(AWARD)).unwrap();
    assert_eq!((again.events.len(), again.answer["approvable_from"].as_str()), (0, "2013-03-22"));
}

/// The Spring Festival of 2014: 26 January and 8 February are worked, 31 January to 6 February are off.
#[test]
fn the_notice_counts_working_days() {
    let on = jiff::civil::date(2014, 1, 24); // a Friday; counted are 26 to 30 January, 7 and 8 February
    let publish = order(
        on,
        "publisher",
        Command::Grant(
            GRANT,
            GrantCommand::Procedure(ProcedureCommand::PublishNotice { amount: cny(AWARD) }),
        ),
    );
    let events = World::after(story("reviewed")).execute(&publish).unwrap();
    let FundEvent::NoticePublished { last_day, approvable_from, working_days, .. } = events[0] else {
        panic!("the notice was published");
    };
    assert_eq!(working_days, 7);
    assert_eq!((last_day, approvable_from), (jiff::civil::date(2014, 2, 8), jiff::civil::date(2014, 2, 9)));
}

#[test]
fn states_and_commands_read_back_from_their_json() {
    let mut world = World::default();
    for order in tranche_story("payment_returned") {
        let json = serde_json::to_string(&order.command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
        world.execute(&order).unwrap();
    }
    let json = serde_json::to_string(&world).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
}
