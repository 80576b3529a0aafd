//! What a lead's other grants mean: the same project is not funded twice (A04), and who has a final acceptance overdue is
//! given nothing new (A11).

use crate::{life, world::*};
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, End, FundEvent, FundPurpose, FundingMode};
use concord_fund_grant::{
    Command, Fund,
    grant::opening::Application,
    programme::{Appropriation, ProgrammeCommand},
};
use concord_kernel::{
    Date,
    id::{GrantId, PartyFileId, ProgrammeId},
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyId},
};
use jiff::civil::date;
use uuid::Uuid;

const OTHER: GrantId = GrantId(Uuid::from_u128(0x3));
const OTHER_PROGRAMME: ProgrammeId = ProgrammeId(Uuid::from_u128(0xB));

/// The same application again, under another id, up to its recommendation.
fn again() -> Application {
    application()
}

fn recommended(application: Application) -> [Order; 2] {
    [apply_for(application).of(OTHER), recommend().of(OTHER)]
}

fn admit_other(on: Date) -> Order {
    admit().of(OTHER).on(on)
}

/// The story's grant so far, then this application by its lead.
fn world(until: &str, application: Application) -> World {
    let first = if until == "migrated" { story("migrated") } else { story(until) };
    World::after(first.into_iter().chain(recommended(application)))
}

fn other_fund() -> Order {
    let opening = Appropriation {
        fund: "another-fund".to_owned(),
        purpose: FundPurpose::General,
        year: 2013,
        amount: cny(APPROPRIATED),
        title: "2013".to_owned(),
    };
    order(march(1), "treasurer", Command::Programme(OTHER_PROGRAMME, ProgrammeCommand::Appropriate(opening)))
}

fn end() -> End {
    End {
        programme: PROGRAMME,
        currency: Currency::CNY,
        mode: FundingMode::NonRepayable,
        lead_region: lead().region,
        lead: lead().party,
        undrawn_minor: 0,
        to_treasury: false,
        backing: None,
    }
}

fn closed() -> FundEvent {
    FundEvent::GrantClosed { grant: GRANT, end: end(), refund_by: None, minutes: "m".to_owned() }
}

fn terminated() -> FundEvent {
    FundEvent::GrantTerminated {
        grant: GRANT,
        end: end(),
        refund_by: date(2013, 7, 30),
        reason: "x".to_owned(),
        minutes: "m".to_owned(),
    }
}

fn cancelled() -> FundEvent {
    FundEvent::GrantCancelled { grant: GRANT, end: end(), reason: "x".to_owned(), minutes: "m".to_owned() }
}

fn concluded(outcome: AcceptanceOutcome) -> FundEvent {
    FundEvent::FinalAcceptanceConcluded { grant: GRANT, lead: lead().party, outcome, minutes: "m".to_owned() }
}

#[test]
fn a04_a_live_project_is_not_funded_twice() {
    let retitled = Application { title: "風 Bearings".to_owned(), ..again() };
    let rewritten = Application {
        title: "ＢＥＡＲＩＮＧＳ for (wind turbines) 风电轴承".to_owned(),
        ..again()
    };
    let in_industry = Application { industry: Some(Industry::NewMaterials), ..again() };
    let by_another = {
        let code = PartyCode::parse("CN-USCC:9144030071526726XG").unwrap();
        let mut lead = lead();
        (lead.party, lead.code) = (PartyId::of(&code), code);
        Application { lead, ..again() }
    };
    let rows = [
        ("the same again", "contracted", again(), "A04_FUNDED_ALREADY"),
        ("while the first is only admitted", "admitted", again(), "A04_FUNDED_ALREADY"),
        ("before the first is admitted", "recommended", again(), "GrantAdmitted"),
        ("written differently", "contracted", rewritten, "A04_FUNDED_ALREADY"),
        ("under another title", "contracted", retitled, "GrantAdmitted"),
        ("in another industry", "contracted", in_industry, "GrantAdmitted"),
        ("by another lead", "contracted", by_another, "GrantAdmitted"),
        ("after the first was rejected", "rejected", again(), "GrantAdmitted"),
        ("after the first was withdrawn", "withdrawn", again(), "GrantAdmitted"),
    ];
    for (says, until, application, then) in rows {
        assert_eq!(world(until, application).outcome(&admit_other(march(31))), then, "{says}");
    }
    let broken = &world("contracted", again()).refusal(&admit_other(march(31)))[0];
    assert_eq!(broken.facts["other_grant_id"], GRANT.to_string());
    assert_eq!(broken.facts["fund"], "guiding-fund");
    assert!(!broken.facts.contains_key("ended_on"));
    // A migrated award is live here until it is closed here.
    let as_before = Application { title: award(plan()).title, ..again() };
    assert_eq!(world("migrated", as_before).outcome(&admit_other(march(31))), "A04_FUNDED_ALREADY");
}

#[test]
fn a04_an_ended_project_cools_for_three_years_in_its_fund() {
    let ended_on = date(2013, 6, 30);
    for (says, ending) in [("closed", closed()), ("terminated", terminated()), ("cancelled", cancelled())] {
        let mut world = world("contracted", again());
        world.happened(ending, ended_on);
        let at = |on| world.outcome(&admit_other(on));
        assert_eq!(at(date(2013, 7, 1)), "A04_FUNDED_ALREADY", "{says}");
        assert_eq!(at(date(2016, 6, 29)), "A04_FUNDED_ALREADY", "{says}: on the last day");
        assert_eq!(at(date(2016, 6, 30)), "GrantAdmitted", "{says}: on the day after");
        let broken = &world.refusal(&admit_other(date(2016, 6, 29)))[0];
        assert_eq!(broken.facts["ended_on"], "2013-06-30");
        assert_eq!(broken.facts["cools_until"], "2016-06-30");
    }
    // In another fund it does not cool, but while it is live it is live there, too.
    let elsewhere = Application { programme: OTHER_PROGRAMME, ..again() };
    let orders = story("contracted").into_iter().chain([other_fund()]).chain(recommended(elsewhere));
    let mut world = World::after(orders);
    assert_eq!(world.outcome(&admit_other(march(31))), "A04_FUNDED_ALREADY");
    world.happened(closed(), ended_on);
    assert_eq!(world.outcome(&admit_other(date(2013, 7, 1))), "GrantAdmitted");
}

/// The same by the commands that end a grant, and by those that conclude its acceptance.
#[test]
fn a_leads_file_follows_the_commands_of_a_grants_later_life() {
    for until in ["closed", "evaluated", "terminated", "cancelled"] {
        let world = World::after(life::life(until).into_iter().chain(recommended(again())));
        let broken = &world.refusal(&admit_other(date(2016, 4, 9)))[0];
        assert_eq!(
            (broken.code.as_str(), broken.facts["ended_on"].as_str()),
            ("A04_FUNDED_ALREADY", "2013-04-10")
        );
        assert_eq!(world.outcome(&admit_other(date(2016, 4, 10))), "GrantAdmitted", "{until}");
    }
    let late = date(2015, 10, 1);
    for (until, then) in [
        ("running", "A11_ACCEPTANCE_OVERDUE"),
        ("rectifying", "A11_ACCEPTANCE_OVERDUE"),
        ("finally_accepted", "GrantAdmitted"),
        ("acceptance_failed", "GrantAdmitted"),
    ] {
        let world = World::after(life::life(until).into_iter().chain(recommended(another())));
        assert_eq!(world.outcome(&admit_other(late)), then, "{until}");
    }
    let extended = life::with("running", [life::extend(date(2015, 12, 31))]);
    let world = World::after(extended.into_iter().chain(recommended(another())));
    assert_eq!(world.outcome(&admit_other(date(2016, 6, 30))), "GrantAdmitted");
    assert_eq!(world.outcome(&admit_other(date(2016, 7, 1))), "A11_ACCEPTANCE_OVERDUE");
}

#[test]
fn a04_a_repeat_of_the_admission_changes_nothing() {
    let world = World::after(story("admitted"));
    assert_eq!(world.outcome(&admit()), "unchanged");
}

/// Another project of the lead, that runs longer.
fn another() -> Application {
    Application { title: "Gears 齿轮".to_owned(), ends_on: date(2018, 3, 31), ..application() }
}

#[test]
fn a11_who_has_an_acceptance_overdue_is_admitted_to_nothing() {
    let extended = FundEvent::ProjectExtended {
        grant: GRANT,
        lead: lead().party,
        former_ends_on: date(2015, 3, 31),
        ends_on: date(2015, 12, 31),
        acceptance_due_on: date(2016, 6, 30),
        minutes: "m".to_owned(),
    };
    // The contract ends on 31 March 2015; six months later its acceptance is due.
    let due_on = date(2015, 9, 30);
    let (late, later) = (date(2015, 10, 1), date(2016, 7, 1));
    let failed = AcceptanceOutcome::Failed { cause: AcceptanceFailure::FalseBooks };
    let sent_back = AcceptanceOutcome::Rectify { by: date(2015, 12, 1) };
    let rows = [
        ("on the day on which it is due", vec![], due_on, "GrantAdmitted"),
        ("on the day after", vec![], late, "A11_ACCEPTANCE_OVERDUE"),
        ("passed", vec![concluded(AcceptanceOutcome::Passed)], late, "GrantAdmitted"),
        ("failed", vec![concluded(failed)], late, "GrantAdmitted"),
        ("sent back to be put right", vec![concluded(sent_back)], late, "A11_ACCEPTANCE_OVERDUE"),
        ("extended", vec![extended.clone()], date(2016, 6, 30), "GrantAdmitted"),
        ("extended, and late again", vec![extended], later, "A11_ACCEPTANCE_OVERDUE"),
        ("terminated", vec![terminated()], late, "GrantAdmitted"),
    ];
    for (says, events, on, then) in rows {
        let mut world = world("contracted", another());
        events.into_iter().for_each(|event| world.happened(event, date(2015, 9, 1)));
        assert_eq!(world.outcome(&admit_other(on)), then, "{says}");
    }
    let broken = &world("contracted", another()).refusal(&admit_other(late))[0];
    assert_eq!(broken.facts["other_grant_id"], GRANT.to_string());
    assert_eq!(broken.facts["acceptance_due_on"], "2015-09-30");
    assert_eq!(broken.facts["overdue"], "1");
    // Migrated awards took their steps elsewhere.
    assert_eq!(world("migrated", another()).outcome(&admit_other(later)), "GrantAdmitted");
    // Both rules at once.
    let both = world("contracted", again());
    assert_eq!(both.outcome(&admit_other(late)), "A04_FUNDED_ALREADY, A11_ACCEPTANCE_OVERDUE");
}

#[test]
fn a11_holds_at_the_approval_too() {
    let steps = [
        admit().on(date(2015, 9, 1)),
        review(8_000).on(date(2015, 9, 2)),
        publish(AWARD).on(date(2015, 9, 8)),
    ];
    let orders = story("contracted").into_iter().chain(recommended(another()));
    let world = World::after(orders.chain(steps.map(|order| order.of(OTHER))));
    let approved = |on| world.outcome(&approve(AWARD).of(OTHER).on(on));
    assert_eq!(approved(date(2015, 9, 30)), "GrantApproved");
    assert_eq!(approved(date(2015, 10, 1)), "A11_ACCEPTANCE_OVERDUE");
}

#[test]
fn an_event_names_the_lead_once_the_grant_is_in_its_file() {
    let lead_of = |until: &str, order: Order| {
        let decision = World::after(story(until)).decide(&Fund::shipped(), &order).unwrap();
        match &decision.events[0] {
            FundEvent::GrantRejected { lead, .. } | FundEvent::GrantWithdrawn { lead, .. } => *lead,
            other => panic!("{other:?} is no end"),
        }
    };
    assert_eq!(lead_of("recommended", reject("x")), None);
    assert_eq!(lead_of("admitted", reject("x")), Some(lead().party));
    assert_eq!(lead_of("approved", withdraw("x")), Some(lead().party));
}

/// Kind and id together are the key: an id that follows from something may be given to an aggregate of another kind, and stays
/// that of what it follows from.
#[test]
fn a_grant_under_the_id_of_a_leads_file_switches_no_rule_off() {
    let taken = GrantId(PartyFileId::of(lead().party).0);
    let squat = apply_for(again()).of(taken);
    let steps = |from: usize| story("admitted").into_iter().skip(from);
    // Before there is a file the id is free, and the grant stands in nobody's way.
    let first = story("absent").into_iter().chain([squat.clone()]);
    let mut world = World::after(first.chain(steps(1)).chain(recommended(again())));
    assert_eq!(world.outcome(&admit_other(march(31))), "A04_FUNDED_ALREADY");
    world.execute(&recommend().of(taken)).unwrap();
    assert_eq!(world.outcome(&admit().of(taken)), "A04_FUNDED_ALREADY");
    // Once there is one, the id is refused as what it is.
    let broken = &World::after(steps(0)).refusal(&squat)[0];
    assert_eq!((broken.code.as_str(), broken.facts["kind"].as_str()), ("ID_TAKEN", "party file"));
}

/// An id that a caller chose for one kind and somebody else for another is refused as what it is.
#[test]
fn an_id_that_another_kind_has_is_refused_as_such() {
    let world = World::after(story("applied"));
    let opening = Appropriation {
        fund: "another-fund".to_owned(),
        purpose: FundPurpose::General,
        year: 2013,
        amount: cny(APPROPRIATED),
        title: "2013".to_owned(),
    };
    let under = |id: Uuid| {
        order(
            march(1),
            "treasurer",
            Command::Programme(ProgrammeId(id), ProgrammeCommand::Appropriate(opening.clone())),
        )
    };
    let broken = world.refusal(&under(GRANT.0));
    assert_eq!((broken[0].code.as_str(), broken[0].facts["kind"].as_str()), ("ID_TAKEN", "grant"));
    let broken = world.refusal(&apply_for(again()).of(GrantId(PROGRAMME.0)));
    assert_eq!((broken[0].code.as_str(), broken[0].facts["kind"].as_str()), ("ID_TAKEN", "programme"));
}
