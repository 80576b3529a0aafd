//! Rectifications 整改.

use crate::{stages, world::*};
use concord_events::fund::FindingKey;
use concord_fund_grant::{
    Command,
    rectification::{Charge, Conclusion, RectificationCommand, id_of},
};
use concord_kernel::Date;
use jiff::civil::date;

pub fn finding() -> FindingKey {
    FindingKey { rule: "A06".to_owned(), subject: format!("{GRANT}/share"), position: 3 }
}

fn charge() -> Charge {
    Charge {
        finding: finding(),
        grant: Some(GRANT),
        owner: "the-university".to_owned(),
        deadline: date(2013, 6, 30),
        task: "pass the share on".to_owned(),
    }
}

fn asked(command: RectificationCommand) -> Order {
    order(march(31), "inspector", Command::Rectification(id_of(&finding()), command))
}

fn assign(charge: Charge) -> Order {
    asked(RectificationCommand::Assign(charge))
}

fn explain(explanation: &str) -> Order {
    asked(RectificationCommand::Explain { explanation: explanation.to_owned() })
        .by("applicant", "the-university")
}

fn rectify(evidence: &str) -> Order {
    asked(RectificationCommand::Conclude(Conclusion::Rectified { evidence: evidence.to_owned() }))
}

fn accept(reason: &str) -> Order {
    let (minutes, reason) = ("2013-F1".to_owned(), reason.to_owned());
    asked(RectificationCommand::Conclude(Conclusion::Accepted { minutes, reason }))
}

fn dismiss(reason: &str) -> Order {
    let (minutes, reason) = ("2013-F1".to_owned(), reason.to_owned());
    asked(RectificationCommand::Conclude(Conclusion::Dismissed { minutes, reason }))
}

pub fn orders(until: &str) -> Vec<Order> {
    let assigned = || [assign(charge())].into_iter();
    let explained = || assigned().chain([explain("the bank was closed")]);
    let orders: Vec<Order> = match until {
        "absent" => Vec::new(),
        "assigned" => assigned().collect(),
        "explained" => explained().collect(),
        "rectified" => explained().chain([rectify("t-1")]).collect(),
        "accepted" => explained().chain([accept("it was")]).collect(),
        "dismissed" => explained().chain([dismiss("no share was due")]).collect(),
        other => panic!("there is no state {other}"),
    };
    story("contracted").into_iter().chain(orders).collect()
}

const ROWS: [&str; 6] = ["absent", "assigned", "explained", "rectified", "accepted", "dismissed"];
const COLUMNS: [&str; 5] = ["assign", "explain", "rectify", "accept", "dismiss"];

const AS_IN_THE_STORY: &str = "
             assign explain rectify accept dismiss
absent         +       ?       ?      ?       ?
assigned       =       +       +      w       +
explained      =       =       +      +       +
rectified      =       =       =      d       d
accepted       =       =       d      =       d
dismissed      =       =       d      d       =
";

const OTHERWISE: &str = "
             assign explain rectify accept dismiss
absent         +       ?       ?      ?       ?
assigned       d       +       +      w       +
explained      d       d       +      +       +
rectified      d       d       d      d       d
accepted       d       d       d      d       d
dismissed      d       d       d      d       d
";

fn column(column: &str, otherwise: bool) -> (Order, &'static str) {
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    match column {
        "assign" => {
            let another = Charge { owner: "somebody-else".to_owned(), ..charge() };
            (other(assign(charge()), assign(another)), "RectificationAssigned")
        }
        "explain" => (other(explain("the bank was closed"), explain("no money")), "RectificationExplained"),
        "rectify" => (other(rectify("t-1"), rectify("t-2")), "FindingRectified"),
        "accept" => (other(accept("it was"), accept("indeed")), "FindingAccepted"),
        "dismiss" => (other(dismiss("no share was due"), dismiss("an error")), "FindingDismissed"),
        other => panic!("there is no command {other}"),
    }
}

#[test]
fn a_rectification_answers_every_command() {
    let world = |row: &str| World::after(orders(row));
    stages::check(AS_IN_THE_STORY, &ROWS, &COLUMNS, world, |name| column(name, false));
    stages::check(OTHERWISE, &ROWS, &COLUMNS, world, |name| column(name, true));
}

#[test]
fn a_finding_that_was_concluded_without_a_word_is_explained_no_more() {
    let world = World::after(orders("assigned").into_iter().chain([dismiss("an error")]));
    assert_eq!(world.outcome(&explain("x")), "WRONG_RECTIFICATION_STATE");
}

#[test]
fn a_charge_has_a_cause_on_record_and_time_to_be_met() {
    let world = World::after(story("contracted"));
    let at = |position| Charge { finding: FindingKey { position, ..finding() }, ..charge() };
    let by = |deadline: Date| Charge { deadline, ..charge() };
    let rows = [
        ("of the last event", assign(at(world.head())), "RectificationAssigned"),
        ("of one that is not there yet", assign(at(world.head() + 1)), "FINDING_AHEAD_OF_LOG"),
        ("by the day itself", assign(by(march(31))), "RectificationAssigned"),
        ("by the day before", assign(by(march(30))), "DEADLINE_PASSED"),
        ("about no grant", assign(Charge { grant: None, ..charge() }), "RectificationAssigned"),
        (
            "about a grant that is none",
            assign(Charge { grant: Some(crate::recovery::OTHER), ..charge() }),
            "GRANT_NOT_FOUND",
        ),
        ("by the one it is about", assign(charge()).by("x", "the-university"), "A13_APPLICANT_IN_OFFICE"),
        ("thirty days back", assign(charge()).learned_on(date(2013, 4, 30)), "RectificationAssigned"),
        ("thirty-one", assign(charge()).learned_on(date(2013, 5, 1)), "EFFECTIVE_TOO_FAR_BACK"),
    ];
    for (says, order, then) in rows {
        assert_eq!(world.outcome(&order), then, "{says}");
    }
    let broken = &world.refusal(&assign(by(march(30))))[0];
    assert_eq!((broken.field.as_str(), broken.facts["deadline"].as_str()), ("deadline", "2013-03-30"));
}

#[test]
fn the_office_accepts_and_dismisses_and_no_step_goes_back() {
    let world = World::after(orders("explained"));
    let own = |order: Order| order.by("applicant", "the-university");
    assert_eq!(world.outcome(&own(accept("x"))), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(world.outcome(&own(dismiss("x"))), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(world.outcome(&own(rectify("t-1"))), "FindingRectified");
    let early = Order { on: march(30), ..accept("x") };
    assert_eq!(world.outcome(&early), "STEP_BEFORE_THE_LAST");
    // So does one that is about no grant.
    let about_none = Charge { grant: None, ..charge() };
    let world = World::after(story("contracted").into_iter().chain([assign(about_none), explain("x")]));
    assert_eq!(world.outcome(&early), "STEP_BEFORE_THE_LAST");
    assert_eq!(world.outcome(&accept("x")), "FindingAccepted");
}

#[test]
fn one_finding_has_one_rectification() {
    let other = FindingKey { position: 4, ..finding() };
    assert_eq!(id_of(&finding()), id_of(&finding()));
    assert_ne!(id_of(&finding()), id_of(&other));
    let answer = World::after(story("contracted"))
        .decide(&concord_fund_grant::Fund::shipped(), &assign(charge()))
        .unwrap()
        .answer;
    assert_eq!(answer["rectification_id"], id_of(&finding()).to_string());
}

#[test]
fn rectifications_read_back_from_their_json() {
    for row in ROWS {
        let mut world = World::default();
        for order in orders(row) {
            let json = serde_json::to_string(&order.command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
            world.execute(&order).unwrap();
        }
        let json = serde_json::to_string(&world).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
    }
}
