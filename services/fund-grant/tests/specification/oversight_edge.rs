//! Bad requests about recoveries, rectifications, objections, overrides and corrections: all faults at once.

use crate::edge::{ID, PROGRAMME_ID, caller, cny, faults, fields, header, read};
use concord_events::fund::{FindingKey, Holding, OverriddenRule, RecoveryCause};
use concord_fund_grant::{
    Command, Fund,
    grant::{GrantCommand, correction::Correct, objection::ObjectionCommand, overriding::RecordOverride},
    recovery::{RecoveryAct, RecoveryCommand},
    rectification::{Conclusion, RectificationCommand, id_of},
    wire::{self, Edge},
};
use concord_proto::fund::v1::{self as fund, bulk_command::Command as Bulk};
use jiff::civil::date;

const OTHER_ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e71";

fn take(party_id: &str, from: fund::TakenFrom, minor: i64) -> fund::RecoveryTake {
    fund::RecoveryTake { party_id: party_id.to_owned(), from: from.into(), amount: cny(minor) }
}

fn determination() -> fund::DetermineRecoveryRequest {
    fund::DetermineRecoveryRequest {
        header: header(),
        recovery_id: ID.to_owned(),
        grant_id: PROGRAMME_ID.to_owned(),
        cause: fund::RecoveryCause::Fraud.into(),
        takes: vec![
            take(OTHER_ID, fund::TakenFrom::Unspent, 1),
            take(OTHER_ID, fund::TakenFrom::Spent, 2),
            take(ID, fund::TakenFrom::Retained, 3),
        ],
        minutes: "2013-R1".to_owned(),
        reason: "false books".to_owned(),
    }
}

#[test]
fn a_recovery_names_where_it_takes_money_from() {
    let draft = read(determination()).unwrap();
    let Command::Recovery(id, RecoveryCommand::Determine(asked)) = draft.command() else {
        panic!("it is a recovery");
    };
    assert_eq!((id.to_string().as_str(), asked.grant.to_string().as_str()), (ID, PROGRAMME_ID));
    assert_eq!(asked.cause, RecoveryCause::Fraud);
    let read_as: Vec<(Holding, i64)> =
        asked.takes.iter().map(|take| (take.from, take.amount.minor)).collect();
    assert_eq!(read_as, [(Holding::Unspent, 1), (Holding::Spent, 2), (Holding::Retained, 3)]);

    let with = |change: &dyn Fn(&mut fund::DetermineRecoveryRequest)| {
        let mut request = determination();
        change(&mut request);
        faults(request)
    };
    assert_eq!(with(&|r| r.takes.clear()), ["takes"]);
    assert_eq!(with(&|r| r.takes = vec![r.takes[0].clone(); 201]), ["takes"]);
    assert_eq!(with(&|r| r.takes[1] = r.takes[0].clone()), ["takes[1].party_id"]);
    assert_eq!(with(&|r| r.takes[1].amount = cny(0)), ["takes[1].amount.amount_minor"]);
    assert_eq!(with(&|r| r.takes[2].from = 0), ["takes[2].from"]);
    assert_eq!(with(&|r| r.cause = 99), ["cause"]);
    assert_eq!(with(&|r| r.recovery_id = r.grant_id.clone()), ["recovery_id"]);
    assert_eq!(
        faults(fund::DetermineRecoveryRequest::default()),
        ["header", "recovery_id", "grant_id", "cause", "takes", "minutes", "reason"]
    );
}

#[test]
fn every_fault_of_an_act_on_a_recovery_is_told() {
    assert_eq!(faults(fund::DemandRecoveryRequest::default()), ["header", "recovery_id", "demand"]);
    assert_eq!(faults(fund::AppealRecoveryRequest::default()), ["header", "recovery_id", "grounds"]);
    assert_eq!(faults(fund::UpholdRecoveryRequest::default()), ["header", "recovery_id", "reason"]);
    assert_eq!(faults(fund::OverturnRecoveryRequest::default()), ["header", "recovery_id", "reason"]);
    assert_eq!(
        faults(fund::RecordRepaymentRequest::default()),
        ["header", "recovery_id", "amount", "bank_reference"]
    );
    assert_eq!(
        faults(fund::OffsetRecoveryRequest::default()),
        ["header", "recovery_id", "amount", "against_grant_id", "tranche_number"]
    );
    assert_eq!(
        faults(fund::WriteOffRecoveryRequest::default()),
        ["header", "recovery_id", "minutes", "reason"]
    );
}

#[test]
fn every_fault_of_an_objection_an_override_and_a_correction_is_told() {
    let objected = ["header", "grant_id", "objection_number"];
    let told = |last: &'static str| objected.into_iter().chain([last]).collect::<Vec<_>>();
    assert_eq!(faults(fund::RaiseObjectionRequest::default()), told("grounds"));
    assert_eq!(faults(fund::RejectObjectionRequest::default()), told("reason"));
    assert_eq!(faults(fund::UpholdObjectionRequest::default()), told("reason"));
    assert_eq!(
        faults(fund::RecordOverrideRequest::default()),
        ["header", "grant_id", "rule", "minutes", "reason"]
    );
    assert_eq!(
        faults(fund::CorrectFactRequest::default()),
        ["header", "grant_id", "position", "reason", "authority"]
    );
}

fn finding(rule: &str) -> Option<fund::FindingKey> {
    Some(fund::FindingKey { rule: rule.to_owned(), subject: format!("{ID}/share"), position: 3 })
}

fn assignment() -> fund::AssignRectificationRequest {
    fund::AssignRectificationRequest {
        header: header(),
        finding: finding("A06"),
        grant_id: String::new(),
        owner: "the-university".to_owned(),
        deadline: "2013-06-30".to_owned(),
        task: "pass the share on".to_owned(),
    }
}

#[test]
fn a_rectification_is_known_by_its_finding() {
    let draft = read(assignment()).unwrap();
    let Command::Rectification(id, RectificationCommand::Assign(charge)) = draft.command() else {
        panic!("it is a charge");
    };
    let key = FindingKey { rule: "A06".to_owned(), subject: format!("{ID}/share"), position: 3 };
    assert_eq!((*id, charge.grant), (id_of(&key), None));
    let about = read(fund::AssignRectificationRequest { grant_id: ID.to_owned(), ..assignment() }).unwrap();
    assert!(matches!(
        about.command(),
        Command::Rectification(_, RectificationCommand::Assign(charge)) if charge.grant.is_some()
    ));
    for rule in ["A00", "A21", "A6", "A006", "B06", "", "A0x", "A+6", "A 6", "Ａ06"] {
        let request = fund::AssignRectificationRequest { finding: finding(rule), ..assignment() };
        assert_eq!(faults(request), ["finding.rule"], "{rule}");
    }
    // However it is written: what is stored has its id as it was written, and names the same finding.
    let spelled =
        read(fund::AssignRectificationRequest { finding: finding(" a06"), ..assignment() }).unwrap();
    assert!(matches!(
        spelled.command(),
        Command::Rectification(id, RectificationCommand::Assign(charge))
            if id_of(&charge.finding) == id_of(&key) && *id != id_of(&key)
    ));
    let dismissal = |minor| fund::DismissFindingRequest {
        header: header(),
        rectification_id: ID.to_owned(),
        minutes: "m".to_owned(),
        reason: "r".to_owned(),
        amount: cny(minor),
    };
    assert_eq!(faults(dismissal(-1)), ["amount.amount_minor"]);
    assert!(read(dismissal(0)).is_ok(), "a finding may be of no amount");
    let empty = Some(fund::FindingKey::default());
    assert_eq!(
        faults(fund::AssignRectificationRequest {
            finding: empty,
            grant_id: "x".to_owned(),
            ..fund::AssignRectificationRequest::default()
        }),
        [
            "header",
            "finding.rule",
            "finding.subject",
            "finding.position",
            "grant_id",
            "owner",
            "deadline",
            "task"
        ]
    );
    assert_eq!(faults(fund::ExplainFindingRequest::default()), ["header", "rectification_id", "explanation"]);
    assert_eq!(faults(fund::RectifyFindingRequest::default()), ["header", "rectification_id", "evidence"]);
    assert_eq!(
        faults(fund::AcceptExplanationRequest::default()),
        ["header", "rectification_id", "minutes", "reason"]
    );
    assert_eq!(
        faults(fund::DismissFindingRequest::default()),
        ["header", "rectification_id", "minutes", "reason"]
    );
}

/// A command of a bulk stream, read.
fn bulk(command: Bulk) -> Command {
    let fund = Fund::shipped();
    let edge = Edge { regions: fund.regions(), today: date(2013, 3, 5) };
    let command = fund::BulkCommand { actor: None, command: Some(command) };
    match wire::read_bulk(edge, &caller(), command) {
        Ok(draft) => draft.command().clone(),
        Err(malformed) => panic!("{:?} is wrong", fields(&malformed.status)),
    }
}

#[test]
fn every_command_comes_in_bulk_too() {
    let text = |text: &str| text.to_owned();
    let id = || text(ID);
    let act = |command: Bulk| match bulk(command) {
        Command::Recovery(_, RecoveryCommand::Act(act)) => act,
        other => panic!("{other:?} is no act on a recovery"),
    };
    let grant = |command: Bulk| match bulk(command) {
        Command::Grant(_, command) => command,
        other => panic!("{other:?} is of no grant"),
    };
    let rectification = |command: Bulk| match bulk(command) {
        Command::Rectification(_, command) => command,
        other => panic!("{other:?} is of no rectification"),
    };
    assert!(matches!(bulk(Bulk::DetermineRecovery(determination())), Command::Recovery(..)));
    let request = fund::DemandRecoveryRequest { header: header(), recovery_id: id(), demand: text("D") };
    assert_eq!(act(Bulk::DemandRecovery(request)), RecoveryAct::Demand { demand: text("D") });
    let request = fund::AppealRecoveryRequest { header: header(), recovery_id: id(), grounds: text("g") };
    assert_eq!(act(Bulk::AppealRecovery(request)), RecoveryAct::Appeal { grounds: text("g") });
    let request = fund::UpholdRecoveryRequest { header: header(), recovery_id: id(), reason: text("r") };
    assert_eq!(act(Bulk::UpholdRecovery(request)), RecoveryAct::Uphold { reason: text("r") });
    let request = fund::OverturnRecoveryRequest { header: header(), recovery_id: id(), reason: text("r") };
    assert_eq!(act(Bulk::OverturnRecovery(request)), RecoveryAct::Overturn { reason: text("r") });
    let request = fund::RecordRepaymentRequest {
        header: header(),
        recovery_id: id(),
        amount: cny(7),
        bank_reference: text("b"),
    };
    let repaid = act(Bulk::RecordRepayment(request));
    assert!(
        matches!(repaid, RecoveryAct::Repay { amount, bank_reference } if amount.minor == 7 && bank_reference == "b")
    );
    let request = fund::OffsetRecoveryRequest {
        header: header(),
        recovery_id: id(),
        amount: cny(7),
        against_grant_id: text(OTHER_ID),
        tranche_number: 2,
    };
    let offset = act(Bulk::OffsetRecovery(request));
    assert!(matches!(
        offset,
        RecoveryAct::Offset { amount, against, tranche: 2 } if amount.minor == 7 && against.to_string() == OTHER_ID
    ));
    let request = fund::WriteOffRecoveryRequest {
        header: header(),
        recovery_id: id(),
        minutes: text("m"),
        reason: text("r"),
    };
    assert_eq!(
        act(Bulk::WriteOffRecovery(request)),
        RecoveryAct::WriteOff { minutes: text("m"), reason: text("r") }
    );

    assert!(matches!(
        rectification(Bulk::AssignRectification(assignment())),
        RectificationCommand::Assign(charge) if charge.deadline == date(2013, 6, 30)
    ));
    let request =
        fund::ExplainFindingRequest { header: header(), rectification_id: id(), explanation: text("e") };
    assert_eq!(
        rectification(Bulk::ExplainFinding(request)),
        RectificationCommand::Explain { explanation: text("e") }
    );
    let request =
        fund::RectifyFindingRequest { header: header(), rectification_id: id(), evidence: text("e") };
    assert_eq!(
        rectification(Bulk::RectifyFinding(request)),
        RectificationCommand::Conclude(Conclusion::Rectified { evidence: text("e") })
    );
    let (minutes, reason) = (text("m"), text("r"));
    let request = fund::AcceptExplanationRequest {
        header: header(),
        rectification_id: id(),
        minutes: minutes.clone(),
        reason: reason.clone(),
        amount: None,
    };
    assert_eq!(
        rectification(Bulk::AcceptExplanation(request)),
        RectificationCommand::Conclude(Conclusion::Accepted {
            minutes: minutes.clone(),
            reason: reason.clone(),
            seen: None,
        })
    );
    let request = fund::DismissFindingRequest {
        header: header(),
        rectification_id: id(),
        minutes: minutes.clone(),
        reason: reason.clone(),
        amount: cny(7),
    };
    let seen = Some(concord_kernel::money::Amount::new(7, concord_kernel::money::Currency::CNY));
    assert_eq!(
        rectification(Bulk::DismissFinding(request)),
        RectificationCommand::Conclude(Conclusion::Dismissed { minutes, reason, seen })
    );

    let request = fund::RaiseObjectionRequest {
        header: header(),
        grant_id: id(),
        objection_number: 1,
        grounds: text("g"),
    };
    assert_eq!(
        grant(Bulk::RaiseObjection(request)),
        GrantCommand::Objection(1, ObjectionCommand::Raise { grounds: text("g") })
    );
    let request = fund::RejectObjectionRequest {
        header: header(),
        grant_id: id(),
        objection_number: 2,
        reason: text("r"),
    };
    assert_eq!(
        grant(Bulk::RejectObjection(request)),
        GrantCommand::Objection(2, ObjectionCommand::Reject { reason: text("r") })
    );
    let request = fund::UpholdObjectionRequest {
        header: header(),
        grant_id: id(),
        objection_number: 3,
        reason: text("r"),
    };
    assert_eq!(
        grant(Bulk::UpholdObjection(request)),
        GrantCommand::Objection(3, ObjectionCommand::Uphold { reason: text("r") })
    );
    let request = fund::RecordOverrideRequest {
        header: header(),
        grant_id: id(),
        rule: fund::OverriddenRule::A07.into(),
        minutes: text("m"),
        reason: text("r"),
    };
    let set_aside = RecordOverride { rule: OverriddenRule::A07, minutes: text("m"), reason: text("r") };
    assert_eq!(grant(Bulk::RecordOverride(request)), GrantCommand::Override(set_aside));
    let request = fund::CorrectFactRequest {
        header: header(),
        grant_id: id(),
        position: 17,
        reason: text("r"),
        authority: text("a"),
    };
    let correct = Correct { position: 17, reason: text("r"), authority: text("a") };
    assert_eq!(grant(Bulk::CorrectFact(request)), GrantCommand::Correct(correct));
}
