//! Agreements that grants rest on, holds, and what A01 says of them (domain.md sections 5 and 7).

use crate::world::*;
use concord_chassis::log::RefusalKind;
use concord_chassis::process::{Cause, Deadline, ProcessManager};
use concord_chassis::reference::Tables;
use concord_events::{
    agreement::{AgreementEvent, AgreementKind, Participant, Role, Term},
    fund::{
        AgreementPoint, BackingParty, Cleared, Ending, Force, FundEvent, HoldCause, InstructedUnder, Loss,
    },
};
use concord_fund_grant::{
    Command, Fund,
    backing::{BackingCommand, Change, DEPENDENTS_MAX, Fact},
    follow::FollowAgreements,
    grant::{GrantCommand, hold::HoldCommand, opening::Application},
};
use concord_kernel::{
    Date,
    id::{AgreementId, GrantId},
    party::{PartyCode, PartyId},
    rulebook::Rulebooks,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use std::sync::Arc;
use uuid::Uuid;

pub const AGREEMENT: AgreementId = AgreementId(Uuid::from_u128(0xA6));
pub const OTHER: AgreementId = AgreementId(Uuid::from_u128(0xA7));

/// A day of April 2013, when the grant of the story can be paid.
pub fn april(day: i8) -> Date {
    date(2013, 4, day)
}

pub fn term(from: Date, until: Date) -> Term {
    Term { from, until }
}

/// In force from March to the end of the year.
pub fn long() -> Term {
    term(march(1), date(2013, 12, 31))
}

fn party_of(code: &str) -> BackingParty {
    let code = PartyCode::parse(code).unwrap();
    BackingParty { party: PartyId::of(&code), code }
}

fn between_lead_and_university() -> Vec<BackingParty> {
    vec![BackingParty { party: lead().party, code: lead().code }, party_of("CN-USCC:91110108551385082Q")]
}

/// What the agreement log says at this position, taken in on the day on which it happened.
pub fn take_of(agreement: AgreementId, position: u64, on: Date, change: Change) -> Order {
    let at = AgreementPoint { generation: 1, position, event: Uuid::from_u128(position.into()) };
    let fact = Fact { at, happened_on: on, change };
    process(on, Command::Backing(agreement, BackingCommand::Take(fact)))
}

pub fn take(position: u64, on: Date, change: Change) -> Order {
    take_of(AGREEMENT, position, on, change)
}

fn process(on: Date, command: Command) -> Order {
    order(on, "process:backing", command).by("process:backing", "process:backing")
}

pub fn lapse(last_day: Date, on: Date) -> Order {
    process(on, Command::Backing(AGREEMENT, BackingCommand::Lapse { last_day }))
}

pub fn drafted() -> Change {
    Change::Drafted { parties: between_lead_and_university() }
}

pub fn in_force(term: Term) -> Change {
    Change::InForce { term }
}

pub fn suspended(from: Date) -> Change {
    Change::Suspended { out_of_force_from: from }
}

pub fn ended(how: Ending, from: Date) -> Change {
    Change::Ended { how, out_of_force_from: Some(from) }
}

pub fn cancelled() -> Change {
    Change::Ended { how: Ending::Cancelled, out_of_force_from: None }
}

pub fn name_as(grant: GrantId, agreement: AgreementId, agreement_position: Option<u64>) -> Order {
    let command = GrantCommand::NameBacking { agreement, agreement_position };
    order(march(31), "registrar", Command::Grant(grant, command))
}

pub fn name_it() -> Order {
    name_as(GRANT, AGREEMENT, None)
}

pub fn hold(reason: &str) -> Order {
    let command = HoldCommand::Hold { reason: reason.to_owned() };
    order(april(10), "officer", Command::Grant(GRANT, GrantCommand::Hold(command)))
}

pub fn resume() -> Order {
    order(april(10), "officer", Command::Grant(GRANT, GrantCommand::Hold(HoldCommand::Resume)))
}

/// A grant whose first tranche is authorised and which rests on an agreement signed in this term.
fn backed(term: Term) -> Vec<Order> {
    let signed = [take(1, march(1), drafted()), take(2, march(2), in_force(term)), name_it()];
    tranche_story("authorised").into_iter().chain(signed).collect()
}

fn with(story: Vec<Order>, more: impl IntoIterator<Item = Order>) -> Vec<Order> {
    story.into_iter().chain(more).collect()
}

fn pay(on: Date) -> Order {
    instruct(1, 1).on(on)
}

/// The only refusal of an order, with its facts.
fn refusal_of(world: &World, order: &Order) -> concord_chassis::log::Refusal {
    world.decide(&Fund::shipped(), order).unwrap_err().0
}

// ---- States and commands ---------------------------------------------------------------------------------------------

const ROWS: [&str; 8] =
    ["unknown", "unsigned", "in_force", "suspended", "terminated", "cancelled", "term_over", "lapsed"];
const COLUMNS: [&str; 9] =
    ["draft", "in_force", "suspend", "terminate", "complete", "cancel", "succeed", "lapse", "late"];

/// What is taken in, and what follows for the grant that rests on it.
///
/// ```text
/// +  taken in, and the grant is as it was     h  taken in, and the grant is held for it
/// c  taken in, and the cause is cleared       H  the grant is held, with nothing taken in
/// =  unchanged                                ?  not found
/// ```
const TABLE: &str = "
            draft in_force suspend terminate complete cancel succeed lapse late
unknown       +       ?       ?        ?         ?       ?      ?      ?     ?
unsigned      +       +       +        h         h       h      +      =     =
in_force      +       +       h        h         h       h      +      =     =
suspended     +       c       +        h         h       h      +      =     =
terminated    +       c       h        +         h       h      +      =     =
cancelled     +       c       +        h         h       +      +      =     =
term_over     +       +       h        h         h       h      h      H     =
lapsed        +       c       +        h         h       h      +      =     =
";

fn world_at(row: &str) -> World {
    let short = term(march(1), april(9));
    let unsigned = || with(tranche_story("authorised"), [take(1, march(1), drafted()), name_it()]);
    World::after(match row {
        "unknown" => tranche_story("authorised"),
        "unsigned" => unsigned(),
        "in_force" => backed(long()),
        "suspended" => with(backed(long()), [take(3, april(8), suspended(april(8)))]),
        "terminated" => with(backed(long()), [take(3, april(8), ended(Ending::Terminated, april(8)))]),
        "cancelled" => with(unsigned(), [take(3, april(8), cancelled())]),
        "term_over" => backed(short),
        "lapsed" => with(backed(short), [lapse(april(9), april(10))]),
        other => panic!("there is no row {other}"),
    })
}

fn asked(column: &str) -> Order {
    let on = april(10);
    match column {
        "draft" => take(9, on, drafted()),
        "in_force" => take(9, on, in_force(long())),
        "suspend" => take(9, on, suspended(on)),
        "terminate" => take(9, on, ended(Ending::Terminated, on)),
        "complete" => take(9, on, ended(Ending::Completed, on)),
        "cancel" => take(9, on, cancelled()),
        "succeed" => {
            let successor = party_of("EU-PIC:998616262");
            take(9, on, Change::Succeeded { party: lead().party, successor })
        }
        "lapse" => lapse(april(9), on),
        // It came before what is known.
        "late" => take(1, on, ended(Ending::Terminated, on)),
        other => panic!("there is no column {other}"),
    }
}

#[test]
fn every_word_of_the_agreement_log_is_taken_in_and_grants_follow() {
    let mut lines = TABLE.lines().map(str::split_whitespace).filter(|words| words.clone().next().is_some());
    assert!(lines.next().unwrap().eq(COLUMNS));
    let mut rows = Vec::new();
    for mut words in lines {
        let row = words.next().unwrap();
        rows.push(row);
        for (column, mark) in COLUMNS.iter().zip(words) {
            let mut world = world_at(row);
            let order = asked(column);
            let expected = match mark {
                "+" => "BackingChanged",
                "h" => "BackingChanged, GrantHeld",
                "c" => "BackingChanged, HoldCauseCleared",
                "H" => "GrantHeld",
                "=" => "unchanged",
                "?" => "AGREEMENT_NOT_FOUND",
                other => panic!("the mark {other} stands for nothing"),
            };
            assert_eq!(world.outcome(&order), expected, "{row} × {column}");
            if world.execute(&order).is_ok() {
                assert_eq!(world.outcome(&order), "unchanged", "{row} × {column}, the same again");
            }
        }
    }
    assert_eq!(rows, ROWS);
}

#[test]
fn a_grant_that_has_ended_is_left_alone() {
    let ended_grant = with(story("rejected"), []);
    let mut orders = vec![take(1, march(1), drafted()), take(2, march(2), in_force(long()))];
    let at = ended_grant.len() - 1;
    let mut story = ended_grant;
    let last = story.remove(at);
    orders.push(name_it());
    story.extend(orders);
    story.push(last);
    let mut world = World::after(story);
    let terminate = take(3, april(10), ended(Ending::Terminated, april(10)));
    assert_eq!(world.outcome(&terminate), "BackingChanged");
    world.execute(&terminate).unwrap();
    assert_eq!(world.outcome(&lapse(april(9), april(10))), "unchanged");
    assert_eq!(world.grant().hold.since, None);
}

#[test]
fn a_grant_that_has_ended_leaves_room_for_others() {
    for (until, last) in [("rejected", "reviewed"), ("withdrawn", "on_notice")] {
        let known = [take(1, march(1), drafted()), take(2, march(2), in_force(long())), name_it()];
        let mut world = World::after(with(story(last), known));
        assert!(world.backing(AGREEMENT).unwrap().dependents.contains(&GRANT));
        world.execute(story(until).last().unwrap()).unwrap();
        assert!(world.backing(AGREEMENT).unwrap().dependents.is_empty(), "{until}");
        assert_eq!(world.grant().backing, Some(AGREEMENT), "what it rested on is still told");
    }
}

#[test]
fn a_later_generation_is_newer_at_any_position() {
    let mut world = World::after(backed(long()));
    let anew = take(1, april(10), ended(Ending::Terminated, april(10)));
    assert_eq!(world.outcome(&anew), "unchanged");
    let anew = anew.in_generation(2);
    assert_eq!(world.outcome(&anew), "BackingChanged, GrantHeld");
    world.execute(&anew).unwrap();
    assert_eq!(world.outcome(&take(50, april(10), in_force(long()))), "unchanged", "the first one is over");
}

#[test]
fn a_later_generation_takes_back_what_it_has_lost() {
    let pay = || pay(april(10)).in_generation(2);
    let kept = [take(1, march(1), drafted()), take(2, march(2), in_force(long()))];
    let suspended = take(3, april(1), suspended(april(1)));
    let resumed = [take(4, april(2), in_force(long())), resume().on(april(2))];

    // The resumption is lost.
    let mut world = World::after(with(backed(long()), [suspended.clone()].into_iter().chain(resumed)));
    assert_eq!(world.outcome(&pay()), "A01_BACKING_UNVERIFIED", "nothing of it was taken in yet");
    let told = refusal_of(&world, &pay());
    assert_eq!(
        ["agreement_generation", "verified_generation"].map(|fact| told.broken[0].facts[fact].as_str()),
        ["1", "2"]
    );
    let mut kept_with_it = with(kept.to_vec(), [suspended]).into_iter().map(|order| order.in_generation(2));
    world.execute(&kept_with_it.next().unwrap()).unwrap();
    assert_eq!(world.outcome(&pay()), "A01_BACKING_NOT_IN_FORCE", "drafted, and no more as yet");
    for order in kept_with_it {
        world.execute(&order).unwrap();
    }
    assert_eq!(world.outcome(&pay()), "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE");

    // A termination is lost.
    let terminated = take(3, april(1), ended(Ending::Terminated, april(1)));
    let mut world = World::after(with(backed(long()), [terminated]));
    for order in kept {
        world.execute(&order.in_generation(2)).unwrap();
    }
    assert_eq!(world.grant().hold.loss_of(AGREEMENT), None);
    world.execute(&resume().on(april(10))).unwrap();
    assert_eq!(world.outcome(&pay()), "TrancheInstructed");

    // The agreement itself is lost: nobody takes it back, and nothing is paid on it any more.
    assert_eq!(World::after(backed(long())).outcome(&pay()), "A01_BACKING_UNVERIFIED");
}

#[test]
fn a_hold_answers_every_command() {
    let lost = with(backed(long()), [take(3, april(8), suspended(april(8)))]);
    let cleared = with(lost.clone(), [take(4, april(9), in_force(long()))]);
    let stories = [
        ("free", backed(long()), ["GrantHeld", "GrantHeld", "unchanged"]),
        ("ordered", with(backed(long()), [hold("audit")]), ["unchanged", "GrantHeld", "GrantResumed"]),
        ("lost", lost, ["GrantHeld", "GrantHeld", "HOLD_CAUSE_REMAINS"]),
        ("cleared", cleared, ["GrantHeld", "GrantHeld", "GrantResumed"]),
        ("ended", story("rejected"), ["WRONG_STAGE", "WRONG_STAGE", "WRONG_STAGE"]),
    ];
    for (row, story, expected) in stories {
        for (order, expected) in [hold("audit"), hold("fraud"), resume()].into_iter().zip(expected) {
            let mut world = World::after(story.clone());
            assert_eq!(world.outcome(&order), expected, "{row} × {:?}", order.command);
            if world.execute(&order).is_ok() {
                assert_eq!(world.outcome(&order), "unchanged", "{row} × {:?}, the same again", order.command);
            }
        }
    }
}

#[test]
fn a_hold_stops_requesting_authorising_and_instructing_and_nothing_else() {
    let held = |until| World::after(with(tranche_story(until), [hold("audit").on(march(31))]));
    for (until, order, expected) in [
        ("planned", request(1, None), "GRANT_ON_HOLD"),
        ("requested", authorise(1), "GRANT_ON_HOLD"),
        ("authorised", instruct(1, 1), "GRANT_ON_HOLD"),
        ("payment_returned", instruct(1, 1), "GRANT_ON_HOLD"),
        // What holds already, and what is not of this state, is told as without a hold.
        ("requested", request(1, None), "unchanged"),
        ("planned", authorise(1), "WRONG_TRANCHE_STATE"),
        ("requested", reject_tranche(1, "late"), "TrancheRejected"),
        ("authorised", cancel_tranche(1, "late"), "TrancheCancelled"),
        ("instructed", settle(1, "b-1"), "TrancheSettled"),
        ("settled", send_back(1, "r-1", "closed"), "PaymentReturned"),
        ("planned", verify_payee("a2"), "PayeeVerified"),
        // A13, the hold, the rules: all of them, in this order.
        ("planned", request(1, Some(AWARD)), "GRANT_ON_HOLD, A02_ABOVE_PLANNED"),
        ("authorised", instruct(1, 1).by("authoriser", "x"), "A13_CONFLICTING_DUTIES, GRANT_ON_HOLD"),
    ] {
        assert_eq!(held(until).outcome(&order), expected, "{until} × {:?}", order.command);
    }
}

#[test]
fn the_hold_stays_until_an_officer_resumes_it() {
    let lost = [hold("audit"), take(3, april(10), suspended(april(10)))];
    let mut world = World::after(with(backed(long()), lost));
    let told = refusal_of(&world, &resume());
    assert_eq!(told.broken.len(), 1, "the officer's own reason goes with the resumption");
    assert!(told.broken[0].message.contains(&AGREEMENT.to_string()), "{}", told.broken[0].message);
    world.execute(&take(4, april(11), in_force(long()))).unwrap();
    assert_eq!(world.grant().hold.causes, [HoldCause::Office { reason: "audit".to_owned() }]);
    assert_eq!(world.outcome(&pay(april(11))), "GRANT_ON_HOLD");
    assert_eq!(world.outcome(&resume()), "STEP_BEFORE_THE_LAST", "its steps never go back");
    world.execute(&resume().on(april(11))).unwrap();
    assert_eq!(world.outcome(&pay(april(11))), "TrancheInstructed");
}

#[test]
fn a_hold_has_so_many_causes() {
    let reasons = |n: usize| (0..n).map(|number| hold(&number.to_string()));
    assert_eq!(World::after(with(backed(long()), reasons(19))).outcome(&hold("x")), "GrantHeld");
    let mut full = World::after(with(backed(long()), reasons(20)));
    assert_eq!(full.outcome(&hold("x")), "HOLD_CAUSES_FULL");
    assert_eq!(full.outcome(&hold("7")), "unchanged");
    // What the agreement log says is never refused.
    full.execute(&take(3, april(10), suspended(april(10)))).unwrap();
    assert_eq!(full.grant().hold.causes.len(), 21);
}

#[test]
fn an_officer_of_the_applicant_neither_holds_nor_resumes() {
    let world = World::after(backed(long()));
    assert_eq!(world.outcome(&hold("x").by("applicant", "the-university")), "A13_APPLICANT_IN_OFFICE");
}

// ---- Naming ----------------------------------------------------------------------------------------------------------

#[test]
fn an_agreement_is_named_once_it_is_known_has_the_lead_and_has_not_ended() {
    let known = |until: &str, more: Vec<Order>| {
        let signed = vec![take(1, march(1), drafted()), take(2, march(2), in_force(long()))];
        World::after(with(story(until), with(signed, more)))
    };
    let strangers = Change::Drafted { parties: vec![party_of("EU-PIC:998616262")] };
    let rows = [
        ("nothing is known of it", World::after(story("applied")), name_it(), "AGREEMENT_NOT_FOUND"),
        ("in force", known("applied", vec![]), name_it(), "BackingNamed"),
        ("after the contract", known("contracted", vec![]), name_it(), "BackingNamed"),
        ("a migrated award", known("migrated", vec![]), name_it(), "BackingNamed"),
        ("a grant that has ended", known("rejected", vec![]), name_it(), "WRONG_STAGE"),
        (
            "by the applicant before the contract",
            known("approved", vec![]),
            name_it().by("applicant", "the-university"),
            "BackingNamed",
        ),
        (
            "by the applicant after it",
            known("contracted", vec![]),
            name_it().by("applicant", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
        (
            "not signed yet",
            World::after(with(story("applied"), [take(1, march(1), drafted())])),
            name_it(),
            "BackingNamed",
        ),
        (
            "suspended",
            known("applied", vec![take(3, march(3), suspended(march(3)))]),
            name_it(),
            "BackingNamed, GrantHeld",
        ),
        (
            "terminated",
            known("applied", vec![take(3, march(3), ended(Ending::Terminated, march(3)))]),
            name_it(),
            "BACKING_ENDED",
        ),
        (
            "on the last day of its term",
            known("applied", vec![take(3, march(3), in_force(term(march(1), march(31))))]),
            name_it(),
            "BackingNamed",
        ),
        (
            "on the day after",
            known("applied", vec![take(3, march(3), in_force(term(march(1), march(30))))]),
            name_it(),
            "BACKING_ENDED",
        ),
        (
            "the lead is no party",
            World::after(with(story("applied"), [take(1, march(1), strangers)])),
            name_it(),
            "BACKING_WITHOUT_LEAD",
        ),
        ("seen here", known("applied", vec![]), name_as(GRANT, AGREEMENT, Some(100)), "BackingNamed"),
        (
            "seen where this log has not come to",
            known("applied", vec![]),
            name_as(GRANT, AGREEMENT, Some(101)),
            "AGREEMENT_NOT_TAKEN_IN",
        ),
        ("named already", known("applied", vec![name_it()]), name_it(), "unchanged"),
    ];
    for (says, world, order, expected) in rows {
        assert_eq!(world.outcome(&order), expected, "{says}");
    }
}

#[test]
fn an_agreement_whose_term_ends_while_it_is_suspended_has_expired() {
    let short = term(march(1), march(30));
    let known = [
        take(1, march(1), drafted()),
        take(2, march(2), in_force(short)),
        take(3, march(3), suspended(march(3))),
    ];
    let mut world = World::after(with(story("applied"), known));
    assert_eq!(world.outcome(&name_it().on(march(30))), "BackingNamed, GrantHeld", "its last day");
    assert_eq!(world.outcome(&name_it()), "BACKING_ENDED", "the day after");
    let told = refusal_of(&world, &name_it());
    assert_eq!(told.broken[0].facts["agreement_state"], "expired");
    world.execute(&name_it().on(march(30))).unwrap();
    let backing = world.backing(AGREEMENT).unwrap();
    assert_eq!(backing.lost_by(march(30)), Some((Loss::Suspended, march(3))));
    assert_eq!(backing.lost_by(march(31)), Some((Loss::Expired, march(31))));
    // Suspended a second time, it was agreed to end on the day on which it was before.
    world.execute(&take(4, march(30), suspended(march(2)))).unwrap();
    let agreed_until = Some(march(30));
    let force = Force::Suspended { term: term(march(1), march(1)), agreed_until };
    assert_eq!(world.backing(AGREEMENT).unwrap().force, force);
}

#[test]
fn a_refusal_says_how_far_the_agreement_log_was_taken_in() {
    let world = World::after(story("applied"));
    let unknown = refusal_of(&world, &name_it());
    assert_eq!(unknown.kind, RefusalKind::NotFound);
    assert_eq!(unknown.broken[0].facts["agreement_log_position"], "100");
    let ahead = refusal_of(&world, &name_as(GRANT, AGREEMENT, Some(101)));
    assert_eq!(ahead.kind, RefusalKind::Unverified);
    let mut never = name_as(GRANT, AGREEMENT, Some(1));
    never.verified = None;
    assert_eq!(refusal_of(&world, &never).kind, RefusalKind::Unverified);
}

#[test]
fn resting_on_another_agreement_clears_the_cause_and_not_the_hold() {
    let signed = [
        take_of(OTHER, 3, march(3), drafted()),
        take_of(OTHER, 4, march(3), in_force(long())),
        take(5, march(31), suspended(march(31))),
    ];
    let mut world = World::after(with(backed(long()), signed));
    let anew = name_as(GRANT, OTHER, None);
    assert_eq!(world.outcome(&anew), "BackingNamed, HoldCauseCleared");
    let events = world.execute(&anew).unwrap();
    let cleared = FundEvent::HoldCauseCleared {
        grant: GRANT,
        agreement: AGREEMENT,
        cleared: Cleared::AnotherNamed,
        agreement_position: 5,
    };
    assert_eq!(events[1], cleared);
    assert_eq!(world.outcome(&anew), "unchanged");
    assert!(world.backing(AGREEMENT).unwrap().dependents.is_empty());
    assert!(world.backing(OTHER).unwrap().dependents.contains(&GRANT));
    assert_eq!(world.outcome(&pay(march(31))), "GRANT_ON_HOLD");
    // What becomes of the former one is nothing to the grant any more.
    assert_eq!(world.outcome(&take(6, april(1), ended(Ending::Terminated, april(1)))), "BackingChanged");
    let terminated = take_of(OTHER, 7, april(1), ended(Ending::Terminated, april(1)));
    assert_eq!(world.outcome(&terminated), "BackingChanged, GrantHeld");
}

#[test]
fn a_grant_that_comes_to_rest_on_a_suspended_agreement_is_held() {
    let known = [
        take(1, march(1), drafted()),
        take(2, march(2), in_force(long())),
        take(3, march(3), suspended(march(3))),
    ];
    let mut world = World::after(with(tranche_story("requested"), known));
    let events = world.execute(&name_it()).unwrap();
    let held = FundEvent::GrantHeld {
        grant: GRANT,
        cause: HoldCause::BackingLost { agreement: AGREEMENT, how: Loss::Suspended, agreement_position: 3 },
        cause_on: march(3),
    };
    assert_eq!(events[1..], [held]);
    assert_eq!(world.outcome(&authorise(1)), "GRANT_ON_HOLD");
    assert_eq!(world.outcome(&name_it()), "unchanged");
    // From one that is suspended to another: the one cause goes, the other comes.
    let other = [
        take_of(OTHER, 4, march(4), drafted()),
        take_of(OTHER, 5, march(4), in_force(long())),
        take_of(OTHER, 6, march(31), suspended(march(31))),
    ];
    for order in other {
        world.execute(&order).unwrap();
    }
    let anew = name_as(GRANT, OTHER, None);
    assert_eq!(world.outcome(&anew.clone().on(march(30)).learned_on(march(31))), "STEP_BEFORE_THE_LAST");
    assert_eq!(world.outcome(&anew), "BackingNamed, HoldCauseCleared, GrantHeld");
    world.execute(&anew).unwrap();
    assert_eq!(world.grant().hold.loss_of(AGREEMENT), None);
    assert_eq!(world.grant().hold.loss_of(OTHER), Some(Loss::Suspended));
}

#[test]
fn one_agreement_backs_so_many_grants_and_holds_them_all_at_once() {
    let mut world = World::after(backed(long()));
    for number in 2..=DEPENDENTS_MAX as u128 {
        let grant = GrantId(Uuid::from_u128(0x1000 + number));
        let application = Application { title: number.to_string(), ..application() };
        let mut apply = apply_for(application);
        if let Command::Grant(id, _) = &mut apply.command {
            *id = grant;
        }
        world.execute(&apply).unwrap();
        world.execute(&name_as(grant, AGREEMENT, None)).unwrap();
    }
    let one_more = GrantId(Uuid::from_u128(0xFFFF));
    let mut apply = apply_for(Application { title: "one more".to_owned(), ..application() });
    if let Command::Grant(id, _) = &mut apply.command {
        *id = one_more;
    }
    world.execute(&apply).unwrap();
    assert_eq!(world.outcome(&name_as(one_more, AGREEMENT, None)), "BACKING_FULL");
    let events = world.execute(&take(9, april(10), suspended(april(10)))).unwrap();
    let held = events.iter().filter(|event| matches!(event, FundEvent::GrantHeld { .. })).count();
    assert_eq!(held, DEPENDENTS_MAX);
}

// ---- A01 -------------------------------------------------------------------------------------------------------------

fn verified(mut order: Order, verified: Option<(u64, i64)>) -> Order {
    order.verified = verified;
    order
}

#[test]
fn a01_what_is_known_of_the_agreement_is_recent_or_nothing_is_paid() {
    let world = World::after(backed(long()));
    let fifteen_minutes = 15 * 60;
    for (known, expected) in [
        (Some((100, 0)), "TrancheInstructed"),
        (Some((100, fifteen_minutes)), "TrancheInstructed"),
        (Some((100, fifteen_minutes + 1)), "A01_BACKING_UNVERIFIED"),
        // By a clock that ran ahead and was set back.
        (Some((100, -1)), "A01_BACKING_UNVERIFIED"),
        (None, "A01_BACKING_UNVERIFIED"),
    ] {
        assert_eq!(world.outcome(&verified(pay(april(10)), known)), expected, "{known:?}");
    }
    let stale = refusal_of(&world, &verified(pay(april(10)), Some((100, 3_600))));
    assert_eq!(stale.kind, RefusalKind::Unverified, "it may be tried again");
    assert!(stale.terms_rulebook.is_some());
    assert_eq!(stale.broken[0].facts["verified_position"], "100");
    // Where trying again would not help, that is not what is said.
    let by_another = verified(pay(april(10)).by("authoriser", "x"), None);
    assert_eq!(world.outcome(&by_another), "A13_CONFLICTING_DUTIES");
}

#[test]
fn a01_what_is_known_beyond_the_verified_end_of_the_log_pays_nothing() {
    // The agreement log was restored from a backup, and ends before the event that is known here.
    let world = World::after(with(backed(long()), [take(90, april(1), in_force(long()))]));
    for (verified_up_to, expected) in
        [(89, "A01_BACKING_UNVERIFIED"), (90, "TrancheInstructed"), (91, "TrancheInstructed")]
    {
        let order = verified(pay(april(10)), Some((verified_up_to, 0)));
        assert_eq!(world.outcome(&order), expected, "verified up to {verified_up_to}");
    }
    let told = refusal_of(&world, &verified(pay(april(10)), Some((89, 0))));
    assert_eq!(told.kind, RefusalKind::Unverified);
    assert_eq!(told.broken[0].facts["agreement_position"], "90");
}

#[test]
fn a01_all_else_goes_on_while_the_agreement_log_cannot_be_reached() {
    let unreachable = |order: Order| verified(order, None);
    let world = |until: &str| {
        let signed = [take(1, march(1), drafted()), take(2, march(2), in_force(long())), name_it()];
        let (mut before, after): (Vec<_>, Vec<_>) = (story("payable"), tranche_story(until));
        let steps = after.into_iter().skip(before.len());
        before.extend(signed);
        before.extend(steps);
        World::after(before)
    };
    for (until, order, event) in [
        ("planned", request(1, None), "TrancheRequested"),
        ("requested", authorise(1), "TrancheAuthorised"),
        ("instructed", settle(1, "b-1"), "TrancheSettled"),
        ("settled", send_back(1, "r-1", "closed"), "PaymentReturned"),
        ("instructed", instruct(1, 1), "unchanged"),
        ("authorised", hold("audit"), "GrantHeld"),
    ] {
        assert_eq!(world(until).outcome(&unreachable(order)), event, "{until}");
    }
    let unbacked = World::after(tranche_story("authorised"));
    assert_eq!(unbacked.outcome(&unreachable(pay(april(10)))), "TrancheInstructed", "it rests on none");
}

#[test]
fn a01_the_agreement_is_in_force_on_the_day_of_the_instruction_and_today() {
    let until = |last| World::after(backed(term(march(1), last)));
    let from = |first| World::after(backed(term(first, date(2013, 12, 31))));
    let learned = |on: Date, today: Date| pay(on).learned_on(today);
    for (says, world, order, expected) in [
        ("the last day of the term", until(april(9)), pay(april(9)), "TrancheInstructed"),
        ("the day after", until(april(9)), pay(april(10)), "A01_BACKING_NOT_IN_FORCE"),
        (
            "dated on the last day, and today is the day after",
            until(april(9)),
            learned(april(9), april(10)),
            "A01_BACKING_NOT_IN_FORCE",
        ),
        ("the first day of the term", from(april(9)), pay(april(9)), "TrancheInstructed"),
        ("the day before", from(april(9)), pay(april(8)), "A01_BACKING_NOT_IN_FORCE"),
        (
            "dated the day before, and today is the first day",
            from(april(9)),
            learned(april(8), april(9)),
            "A01_BACKING_NOT_IN_FORCE",
        ),
        (
            "not signed",
            World::after(with(tranche_story("authorised"), [take(1, march(1), drafted()), name_it()])),
            pay(april(10)),
            "A01_BACKING_NOT_IN_FORCE",
        ),
    ] {
        assert_eq!(world.outcome(&order), expected, "{says}");
    }
    let told = refusal_of(&until(april(9)), &pay(april(10)));
    let facts = &told.broken[0].facts;
    let agreement = AGREEMENT.to_string();
    for (fact, value) in [
        ("agreement_id", agreement.as_str()),
        ("agreement_state", "expired"),
        ("agreement_position", "2"),
        ("on", "2013-04-10"),
    ] {
        assert_eq!(facts[fact], value);
    }
}

#[test]
fn a01_an_agreement_that_is_named_and_not_known_pays_nothing() {
    let mut world = World::after(backed(long()));
    world.forget_backing(AGREEMENT);
    assert_eq!(world.outcome(&pay(april(10))), "A01_BACKING_UNKNOWN");
    assert_eq!(world.outcome(&verified(pay(april(10)), None)), "A01_BACKING_UNKNOWN");
}

#[test]
fn a01_termination_and_instruction_in_either_order() {
    let terminate = take(3, april(10), ended(Ending::Terminated, april(10)));
    let mut first_ended = World::after(with(backed(long()), [terminate.clone()]));
    assert_eq!(first_ended.outcome(&pay(april(10))), "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE");
    assert_eq!(
        first_ended.outcome(&pay(april(9)).learned_on(april(10))),
        "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE"
    );

    let mut first_paid = World::after(backed(long()));
    let events = first_paid.execute(&pay(april(10))).unwrap();
    let FundEvent::TrancheInstructed { backing: Some(under), .. } = &events[0] else {
        panic!("{events:?} does not say under which agreement");
    };
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
    let expected =
        InstructedUnder { agreement: AGREEMENT, position: 2, verified_position: 100, verified_at: now };
    assert_eq!(*under, expected);
    assert_eq!(first_paid.outcome(&terminate), "BackingChanged, GrantHeld");
    first_paid.execute(&terminate).unwrap();
    // It was in force then; what the bank does is still put on record.
    assert_eq!(first_paid.outcome(&settle(1, "b-1").on(april(10))), "TrancheSettled");
    first_paid.execute(&settle(1, "b-1").on(april(10))).unwrap();
    first_paid.execute(&send_back(1, "r-1", "closed").on(april(10))).unwrap();
    assert_eq!(first_paid.outcome(&pay(april(10))), "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE");
    assert_eq!(
        first_ended.execute(&terminate).unwrap(),
        [],
        "its event once more, after the money was stopped"
    );
}

#[test]
fn a01_an_end_that_lies_ahead_waits_for_its_day() {
    let ahead = take(3, april(1), ended(Ending::Terminated, april(20)));
    let mut world = World::after(with(backed(long()), [ahead]));
    assert_eq!(world.grant().hold.since, None);
    assert_eq!(world.outcome(&pay(april(19))), "TrancheInstructed");
    assert_eq!(world.outcome(&pay(april(20))), "A01_BACKING_NOT_IN_FORCE", "with nobody acting");
    assert_eq!(world.outcome(&lapse(april(19), april(19))), "unchanged");
    world.execute(&lapse(april(19), april(20))).unwrap();
    let cause = HoldCause::BackingLost { agreement: AGREEMENT, how: Loss::Terminated, agreement_position: 3 };
    assert_eq!(world.grant().hold.causes, [cause]);
    assert_eq!(world.grant().hold.since, Some(april(20)));
}

#[test]
fn a_renewal_within_the_grace_period_clears_what_the_calendar_did() {
    let short = term(march(1), april(9));
    let mut world = World::after(with(backed(short), [lapse(april(9), april(12))]));
    assert_eq!(world.grant().hold.since, Some(april(10)), "the day after the last, though learned later");
    world.execute(&take(3, april(15), in_force(term(april(15), date(2014, 4, 9))))).unwrap();
    assert_eq!(world.grant().hold.causes, []);
    assert_eq!(world.outcome(&pay(april(15))), "GRANT_ON_HOLD");
    world.execute(&resume().on(april(15))).unwrap();
    assert_eq!(world.outcome(&pay(april(15))), "TrancheInstructed");
    assert_eq!(world.outcome(&lapse(april(9), april(15))), "unchanged", "the old term's end, once more");
}

#[test]
fn what_happened_in_the_other_log_is_not_ahead_though_its_day_is() {
    // The agreement log is at the 12th, this one still at the 10th.
    let terminate = take(3, april(12), ended(Ending::Terminated, april(12))).learned_on(april(10));
    let mut terminate = terminate;
    terminate.on = april(10);
    let mut world = World::after(backed(long()));
    assert_eq!(world.outcome(&terminate), "BackingChanged, GrantHeld");
    world.execute(&terminate).unwrap();
    assert_eq!(world.grant().hold.since, Some(april(10)), "never after today");
    assert_eq!(world.outcome(&pay(april(10))), "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE");
}

#[test]
fn a_term_that_is_over_by_the_other_logs_today_is_over() {
    // Nothing has happened to the agreement; its log's today has moved on to the day after its term.
    let by_theirs = |order: Order, theirs| Order { agreements_today: Some(theirs), ..order };
    let short = term(march(1), april(9));
    let world = World::after(backed(short));
    let paid = pay(april(1));
    assert_eq!(world.outcome(&by_theirs(paid.clone(), april(9))), "TrancheInstructed");
    assert_eq!(world.outcome(&by_theirs(paid.clone(), april(10))), "A01_BACKING_NOT_IN_FORCE");
    assert_eq!(world.outcome(&by_theirs(paid, march(1))), "TrancheInstructed", "it is behind");
    let succeeded = Change::Succeeded {
        party: party_of("CN-USCC:91110108551385082Q").party,
        successor: party_of("EU-PIC:998616262"),
    };
    let learned = by_theirs(take(3, april(1), succeeded), april(10));
    assert_eq!(world.outcome(&learned), "BackingChanged, GrantHeld");
    let unnamed = World::after(with(
        story("applied"),
        [take(1, march(1), drafted()), take(2, march(2), in_force(short))],
    ));
    assert_eq!(unnamed.outcome(&by_theirs(name_it(), april(9))), "BackingNamed");
    assert_eq!(unnamed.outcome(&by_theirs(name_it(), april(10))), "BACKING_ENDED");
}

#[test]
fn whether_a_grant_must_rest_on_an_agreement_is_the_rulebooks() {
    let shipped = include_str!("../../../../deploy/rulebook/2012-09.toml");
    assert!(shipped.contains("\nrequired = false"));
    let text = shipped.replace("\nrequired = false", "\nrequired = true");
    let rulebooks = Rulebooks::from_toml_files(&[("required.toml", text)]).unwrap();
    let strict = Fund::new(Tables { rulebooks: Arc::new(rulebooks), ..Tables::shipped() });
    let unbacked = World::after(tranche_story("authorised"));
    assert_eq!(unbacked.outcome(&pay(april(10))), "TrancheInstructed");
    assert_eq!(unbacked.decide(&strict, &pay(april(10))).unwrap_err().codes(), "A01_NO_BACKING");
    let backed = World::after(backed(long()));
    assert_eq!(backed.decide(&strict, &pay(april(10))).unwrap().events.len(), 1);
}

// ---- From the agreement log ------------------------------------------------------------------------------------------

#[test]
fn an_event_of_the_agreement_log_becomes_what_is_taken_in_and_a_deadline() {
    let cause = Cause { event: Uuid::from_u128(7), generation: 2, position: 7, effective_on: march(3) };
    let reaction = |event: AgreementEvent| FollowAgreements.react(&cause, &event).pop();
    let signed = |in_force| AgreementEvent::AgreementSigned {
        agreement: AGREEMENT,
        party: lead().party,
        signatory: "s-1".parse().unwrap(),
        authority: "2013-1".to_owned(),
        signed_on: march(3),
        in_force,
    };
    assert_eq!(reaction(signed(None)), None, "somebody's signature is still missing");
    let last = reaction(signed(Some(long()))).unwrap();
    assert_eq!((last.target, last.deadline), (AGREEMENT.0, Deadline::Last(long().until)));
    let at = AgreementPoint { generation: 2, position: 7, event: cause.event };
    let fact = Fact { at, happened_on: march(3), change: in_force(long()) };
    assert_eq!(last.command, Command::Backing(AGREEMENT, BackingCommand::Take(fact)));

    let drafted = AgreementEvent::AgreementDrafted {
        agreement: AGREEMENT,
        kind: AgreementKind::LongTerm,
        title: "x".to_owned(),
        parties: vec![Participant { party: lead(), role: Role::Participant }],
        term: long(),
        parent: None,
        project_number: None,
        technology: None,
        value: None,
        obligations: Vec::new(),
        documents: Vec::new(),
        synthetic: false,
    };
    assert_eq!(reaction(drafted).unwrap().deadline, Deadline::Stays);
    let terminated = AgreementEvent::AgreementTerminated {
        agreement: AGREEMENT,
        reason: "x".to_owned(),
        authority: "x".to_owned(),
        out_of_force_from: april(20),
    };
    assert_eq!(reaction(terminated).unwrap().deadline, Deadline::Last(april(19)));
    let cancelled = AgreementEvent::DraftCancelled { agreement: AGREEMENT, reason: "x".to_owned() };
    assert_eq!(reaction(cancelled).unwrap().deadline, Deadline::Lifted);
    assert_eq!(reaction(AgreementEvent::TodayAdvanced { today: march(4) }), None);
    let lapse = BackingCommand::Lapse { last_day: april(19) };
    assert_eq!(FollowAgreements.elapsed(AGREEMENT.0, april(19)), Command::Backing(AGREEMENT, lapse));
}

#[test]
fn a_successor_stands_for_the_party_that_it_succeeds_and_that_one_is_paid_no_longer() {
    let successor = party_of("EU-PIC:998616262");
    let succeeded = Change::Succeeded { party: lead().party, successor: successor.clone() };
    let mut world = World::after(with(backed(long()), [take(3, april(1), succeeded)]));
    let backing = world.backing(AGREEMENT).unwrap();
    assert_eq!(backing.force, Force::InForce { term: long() });
    assert!(backing.parties.contains(&successor));
    assert!(!backing.is_between(&lead()));
    // The grant goes on resting on it, and its lead is paid under it no longer.
    assert!(backing.dependents.contains(&GRANT));
    assert_eq!(world.outcome(&pay(april(10))), "A01_LEAD_NO_PARTY");
    assert_eq!(refusal_of(&world, &pay(april(10))).broken[0].facts["lead"], lead().code.to_string());
    let and_over = take(4, april(2), ended(Ending::Terminated, april(2)));
    world.execute(&and_over).unwrap();
    let every_fault = "GRANT_ON_HOLD, A01_BACKING_NOT_IN_FORCE, A01_LEAD_NO_PARTY";
    assert_eq!(world.outcome(&pay(april(10))), every_fault);
}
