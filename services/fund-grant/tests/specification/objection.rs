//! Objections to the notice 公示异议 (A08), and approvals against the review (A07).

use crate::{stages, world::*};
use concord_events::fund::OverriddenRule;
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand, Stage, objection::ObjectionCommand, opening::Application, overriding::RecordOverride,
    },
};
use concord_kernel::Date;
use jiff::civil::date;

fn objection(on: Date, number: u32, command: ObjectionCommand) -> Order {
    order(on, "ombudsman", Command::Grant(GRANT, GrantCommand::Objection(number, command)))
}

/// By a member of the public, on the notice's last day.
pub fn raise(number: u32, grounds: &str) -> Order {
    objection(march(21), number, ObjectionCommand::Raise { grounds: grounds.to_owned() })
        .by("a-rival", "another-company")
}

pub fn reject_it(number: u32, reason: &str) -> Order {
    objection(march(22), number, ObjectionCommand::Reject { reason: reason.to_owned() })
}

pub fn uphold_it(number: u32, reason: &str) -> Order {
    objection(march(22), number, ObjectionCommand::Uphold { reason: reason.to_owned() })
}

fn with(until: &str, more: impl IntoIterator<Item = Order>) -> Vec<Order> {
    story(until).into_iter().chain(more).collect()
}

const ROWS: [&str; 4] = ["none", "open", "rejected", "upheld"];
const COLUMNS: [&str; 3] = ["raise", "reject", "uphold"];

const AS_IN_THE_STORY: &str = "
            raise reject uphold
none          +     ?      ?
open          =     +      +
rejected      =     =      d
upheld        =     d      =
";

const OTHERWISE: &str = "
            raise reject uphold
none          +     ?      ?
open          d     +      +
rejected      d     d      d
upheld        d     d      d
";

pub fn objected(until: &str) -> World {
    World::after(match until {
        "none" => story("on_notice"),
        "open" => with("on_notice", [raise(1, "copied")]),
        "rejected" => with("on_notice", [raise(1, "copied"), reject_it(1, "no proof")]),
        "upheld" => with("on_notice", [raise(1, "copied"), uphold_it(1, "it is")]),
        other => panic!("there is no objection {other}"),
    })
}

fn column(column: &str, otherwise: bool) -> (Order, &'static str) {
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    let (order, event) = match column {
        "raise" => (other(raise(1, "copied"), raise(1, "stolen")), "ObjectionRaised"),
        "reject" => (other(reject_it(1, "no proof"), reject_it(1, "untrue")), "ObjectionRejected"),
        "uphold" => (other(uphold_it(1, "it is"), uphold_it(1, "quite")), "ObjectionUpheld"),
        other => panic!("there is no command {other}"),
    };
    (order, event)
}

#[test]
fn an_objection_answers_every_command() {
    stages::check(AS_IN_THE_STORY, &ROWS, &COLUMNS, objected, |name| column(name, false));
    stages::check(OTHERWISE, &ROWS, &COLUMNS, objected, |name| column(name, true));
}

#[test]
fn an_objection_is_raised_while_the_notice_hangs() {
    let raised = |until: &str, on| World::after(story(until)).outcome(&raise(1, "copied").on(on));
    assert_eq!(raised("on_notice", march(12)), "ObjectionRaised", "on the day of the notice");
    assert_eq!(raised("on_notice", march(21)), "ObjectionRaised", "on its last day");
    assert_eq!(raised("on_notice", march(22)), "OBJECTION_TOO_LATE", "on the day after");
    assert_eq!(raised("reviewed", march(21)), "WRONG_STAGE");
    assert_eq!(raised("approved", march(31)), "WRONG_STAGE");
    let world = World::after(with("on_notice", [raise(1, "copied")]));
    assert_eq!(world.outcome(&raise(2, "stolen")), "ObjectionRaised");
    assert_eq!(world.outcome(&raise(3, "stolen")), "OBJECTION_OUT_OF_NUMBER");
    let broken = &world.refusal(&raise(3, "stolen"))[0];
    assert_eq!((broken.facts["objection"].as_str(), broken.facts["next"].as_str()), ("3", "2"));
    // Who applied may object to nothing of its own for the office, and decides on nothing.
    let applicants = reject_it(1, "x").by("applicant", "the-university");
    assert_eq!(world.outcome(&applicants), "A13_APPLICANT_IN_OFFICE");
}

#[test]
fn a_grant_has_so_many_objections() {
    let hundred = (1..=100).map(|number| raise(number, "copied"));
    let world = World::after(with("on_notice", hundred));
    assert_eq!(world.outcome(&raise(101, "copied")), "OBJECTIONS_FULL");
}

#[test]
fn a08_nothing_is_approved_while_an_objection_is_open() {
    let world = World::after(with("on_notice", [raise(1, "copied"), raise(2, "late"), reject_it(1, "no")]));
    let broken = &world.refusal(&approve(AWARD))[0];
    assert_eq!(broken.code, "A08_OBJECTION_OPEN");
    assert_eq!(broken.facts["objections"], "2");
    let closed = with("on_notice", [raise(1, "copied"), reject_it(1, "no")]);
    assert_eq!(World::after(closed).outcome(&approve(AWARD)), "GrantApproved");
    // Publishing anew does not close it.
    let anew = with("on_notice", [raise(1, "copied"), publish(AWARD - 1).on(march(21))]);
    let approved = approve(AWARD - 1).on(date(2013, 4, 15));
    assert_eq!(World::after(anew).outcome(&approved), "A08_OBJECTION_OPEN");
}

#[test]
fn an_objection_that_is_upheld_sends_the_grant_back_to_review() {
    let mut world = objected("upheld");
    assert!(matches!(world.grant().stage, Stage::Admitted(_)));
    assert_eq!(world.outcome(&approve(AWARD)), "WRONG_STAGE");
    assert_eq!(world.outcome(&publish(AWARD).on(march(23))), "WRONG_STAGE");
    let reviewed = review(8_500).on(march(25));
    assert_eq!(world.outcome(&review(8_500).on(march(21))), "STEP_BEFORE_THE_LAST");
    world.execute(&reviewed).unwrap();
    world.execute(&publish(AWARD).on(march(26))).unwrap();
    assert_eq!(world.outcome(&approve(AWARD).on(date(2013, 4, 15))), "GrantApproved");
    assert_eq!(world.outcome(&raise(1, "copied").on(march(27))), "unchanged");
}

#[test]
fn an_objection_to_an_ended_grant_is_moot() {
    let ended = with("on_notice", [raise(1, "copied"), withdraw("moved away")]);
    assert_eq!(World::after(ended).outcome(&reject_it(1, "x").on(march(31))), "WRONG_STAGE");
}

// A07.

pub fn set_aside(minutes: &str) -> Order {
    let (minutes, reason) = (minutes.to_owned(), "urgent".to_owned());
    let command = RecordOverride { rule: OverriddenRule::A07, minutes, reason };
    order(march(13), "director", Command::Grant(GRANT, GrantCommand::Override(command)))
}

#[test]
fn a07_no_more_is_approved_than_the_experts_would_award() {
    let up_to = |ceiling: i64, more: Vec<Order>| {
        let steps = [appropriate(), apply_for(application()), recommend(), admit()];
        let reviewed = [review_up_to(8_500, ceiling), publish(AWARD)];
        World::after(steps.into_iter().chain(reviewed).chain(more))
    };
    assert_eq!(up_to(AWARD, vec![]).outcome(&approve(AWARD)), "GrantApproved");
    assert_eq!(up_to(AWARD - 1, vec![]).outcome(&approve(AWARD)), "A07_ABOVE_CEILING");
    let broken = &up_to(AWARD - 1, vec![]).refusal(&approve(AWARD))[0];
    assert_eq!(broken.field, "awards[0].amount");
    assert_eq!(
        (broken.facts["ceiling_minor"].as_str(), broken.facts["asked_minor"].as_str()),
        ("9999999", "10000000")
    );
    // Minutes of a meeting set it aside, once they are there.
    let overridden = up_to(AWARD - 1, vec![set_aside("2013-S1")]);
    assert_eq!(overridden.outcome(&approve(AWARD)), "GrantApproved");
    let too_late = up_to(AWARD - 1, vec![set_aside("2013-S1").on(march(25))]);
    assert_eq!(too_late.outcome(&approve(AWARD)), "A07_ABOVE_CEILING", "an override of a later day");
}

#[test]
fn a07_no_finished_work_is_approved() {
    let ending = |ends_on: Date, more: Vec<Order>| {
        let applied = Application { ends_on, ..application() };
        let steps = [appropriate(), apply_for(applied), recommend(), admit(), review(8_500), publish(AWARD)];
        World::after(steps.into_iter().chain(more)).outcome(&approve(AWARD))
    };
    assert_eq!(ending(march(22), vec![]), "GrantApproved", "it ends on the day of the approval");
    assert_eq!(ending(march(21), vec![]), "A07_WORK_FINISHED");
    assert_eq!(ending(march(21), vec![set_aside("2013-S1")]), "GrantApproved");
}

#[test]
fn an_override_is_recorded_once_and_before_the_approval() {
    let at = |until: &str| World::after(story(until)).outcome(&set_aside("2013-S1").on(march(31)));
    for until in ["applied", "recommended", "admitted", "reviewed", "on_notice"] {
        assert_eq!(at(until), "OverrideRecorded", "{until}");
    }
    for until in ["approved", "contracted", "migrated", "rejected", "withdrawn"] {
        assert_eq!(at(until), "WRONG_STAGE", "{until}");
    }
    let mut world = World::after(with("on_notice", [set_aside("2013-S1")]));
    assert_eq!(world.outcome(&set_aside("2013-S1")), "unchanged");
    assert_eq!(world.outcome(&set_aside("2013-S2")), "OVERRIDE_ALREADY_RECORDED");
    world.execute(&approve(AWARD)).unwrap();
    assert_eq!(world.outcome(&set_aside("2013-S1")), "unchanged");
    let by_applicant = set_aside("2013-S1").by("applicant", "the-university");
    assert_eq!(World::after(story("on_notice")).outcome(&by_applicant), "A13_APPLICANT_IN_OFFICE");
}

#[test]
fn objections_and_overrides_read_back_from_their_json() {
    let orders =
        with("on_notice", [raise(1, "copied"), uphold_it(1, "it is"), set_aside("2013-S1").on(march(23))]);
    let mut world = World::default();
    for order in orders {
        let json = serde_json::to_string(&order.command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
        world.execute(&order).unwrap();
    }
    let json = serde_json::to_string(&world).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
    assert!(matches!(world.grant().stage, Stage::Admitted(_)));
}
