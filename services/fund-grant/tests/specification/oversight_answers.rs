//! What is shown of recoveries, rectifications, and of a grant's objections, overrides and corrections.

use crate::{
    correction::{correct, settlement},
    objection::{objected, set_aside},
    recovery::{OTHER, RECOVERY, recovery_story},
    rectification::{self, finding},
    world::*,
};
use concord_fund_grant::{rectification::id_of, wire::answers};
use concord_proto::fund::v1 as fund;

#[test]
fn a_recovery_shows_its_figures_in_every_state() {
    use fund::RecoveryState::{
        Appealed, Demanded, Determined, Offset, Overturned, Repaid, Upheld, WrittenOff,
    };
    // State, repaid, offset, written off, outstanding.
    let rows = [
        ("determined", Determined, [0, 0, 0, 1_000_000]),
        ("demanded", Demanded, [0, 0, 0, 1_000_000]),
        ("appealed", Appealed, [0, 0, 0, 1_000_000]),
        ("upheld", Upheld, [0, 0, 0, 1_000_000]),
        ("overturned", Overturned, [0, 0, 0, 0]),
        ("repaid", Repaid, [1_000_000, 0, 0, 0]),
        ("offset", Offset, [0, 1_000_000, 0, 0]),
        ("written_off", WrittenOff, [0, 0, 1_000_000, 0]),
    ];
    for (until, state, figures) in rows {
        let world = World::after(recovery_story(until));
        let shown = answers::recovery(world.recovery(RECOVERY), 7);
        assert_eq!((shown.state(), shown.version), (state, 7), "{until}");
        let settled = [shown.repaid_minor, shown.offset_minor, shown.written_off_minor];
        assert_eq!([settled[0], settled[1], settled[2], shown.outstanding_minor], figures, "{until}");
        assert_eq!((shown.amount_minor, shown.cause()), (1_000_000, fund::RecoveryCause::Diverted));
        assert_eq!(shown.takes[0].from(), fund::TakenFrom::Unspent);
        assert_eq!(shown.takes[0].amount.as_ref().unwrap().amount_minor, 1_000_000);
        let demanded = if until == "determined" { "" } else { "2013-05-03" };
        assert_eq!(shown.due_on, demanded, "{until}");
    }
    let appealed = World::after(recovery_story("upheld"));
    let shown = answers::recovery(appealed.recovery(RECOVERY), 1);
    assert_eq!((shown.appeal_grounds.as_str(), shown.appeal_reason.as_str()), ("not so", "it is so"));
    let repaid = World::after(recovery_story("repaid"));
    let shown = answers::recovery(repaid.recovery(RECOVERY), 1);
    assert_eq!(
        (shown.receipts[0].bank_reference.as_str(), shown.receipts[0].position),
        ("p-1", repaid.head())
    );
    let offset = World::after(recovery_story("offset"));
    let shown = answers::recovery(offset.recovery(RECOVERY), 1);
    assert_eq!(
        (shown.receipts[0].against_grant_id.clone(), shown.receipts[0].tranche_number),
        (OTHER.to_string(), 1)
    );
    let other = answers::grant(offset.grant_of(OTHER), 1);
    assert_eq!(other.tranches[0].offset_minor, 1_000_000);
    assert_eq!(answers::grant(offset.grant(), 1).recovery_ids, [RECOVERY.to_string()]);
}

#[test]
fn a_rectification_shows_what_was_asked_said_and_decided() {
    use fund::RectificationState::{Accepted, Assigned, Dismissed, Explained, Rectified};
    let rows = [
        ("assigned", Assigned, "", "", ""),
        ("explained", Explained, "the bank was closed", "", ""),
        ("rectified", Rectified, "the bank was closed", "t-1", ""),
        ("accepted", Accepted, "the bank was closed", "", "it was"),
        ("dismissed", Dismissed, "the bank was closed", "", "no share was due"),
    ];
    for (until, state, explanation, evidence, reason) in rows {
        let world = World::after(rectification::orders(until));
        let shown = answers::rectification(world.rectification(id_of(&finding())), 3);
        assert_eq!((shown.state(), shown.version), (state, 3), "{until}");
        let texts = [shown.explanation.as_str(), shown.evidence.as_str(), shown.reason.as_str()];
        assert_eq!(texts, [explanation, evidence, reason], "{until}");
        let minutes = if reason.is_empty() { "" } else { "2013-F1" };
        assert_eq!(shown.minutes, minutes, "{until}");
        assert_eq!((shown.owner.as_str(), shown.deadline.as_str()), ("the-university", "2013-06-30"));
        assert_eq!(shown.grant_id, GRANT.to_string());
        let key = shown.finding.unwrap();
        assert_eq!((key.rule.as_str(), key.position), ("A06", 3));
    }
}

#[test]
fn a_grant_shows_its_objections_overrides_and_corrections() {
    for (until, state, reason) in [
        ("open", fund::ObjectionState::Open, ""),
        ("rejected", fund::ObjectionState::Rejected, "no proof"),
        ("upheld", fund::ObjectionState::Upheld, "it is"),
    ] {
        let shown = answers::grant(objected(until).grant(), 1);
        let objection = &shown.objections[0];
        assert_eq!((objection.number, objection.state(), objection.reason.as_str()), (1, state, reason));
        assert_eq!((objection.grounds.as_str(), objection.raised_on.as_str()), ("copied", "2013-03-21"));
    }
    let overridden = World::after(story("on_notice").into_iter().chain([set_aside("2013-S1")]));
    let shown = &answers::grant(overridden.grant(), 1).overrides[0];
    assert_eq!((shown.rule(), shown.on.as_str()), (fund::OverriddenRule::A07, "2013-03-13"));
    assert_eq!((shown.minutes.as_str(), shown.reason.as_str()), ("2013-S1", "urgent"));

    let mut world = World::after(tranche_story("settled"));
    let position = settlement(&world);
    let fact = answers::grant(world.grant(), 1).facts.remove(0);
    assert_eq!(
        (fact.position, fact.kind(), fact.amount_minor),
        (position, fund::MoneyFactKind::Settlement, 5_000_000)
    );
    assert_eq!((fact.on.as_str(), fact.undone_at, &fact.correction), ("2013-03-31", 0, &None));
    world.execute(&correct(position)).unwrap();
    let fact = answers::grant(world.grant(), 1).facts.remove(0);
    let correction = fact.correction.unwrap();
    assert_eq!((correction.position, correction.on.as_str()), (world.head(), "2013-04-08"));
    assert_eq!((correction.reason.as_str(), correction.authority.as_str()), ("booked twice", "2013-C1"));
    let returned = World::after(tranche_story("payment_returned"));
    let fact = answers::grant(returned.grant(), 1).facts.remove(0);
    assert_eq!((fact.undone_at, fact.correction), (returned.head(), None));
}
