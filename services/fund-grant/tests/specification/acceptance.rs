//! The midterm check 中期检查, final acceptance 验收, and the payments that wait for them.

use crate::{
    backing::april,
    edge,
    life::*,
    refusals::{check, row},
    world::*,
};
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, FundEvent, TrancheCondition};
use concord_fund_grant::{
    Command, Fund,
    grant::{
        GrantCommand,
        closing::{ClosingCommand, Progress},
    },
};
use concord_proto::fund::v1::{
    AcceptanceFailure as Failure, AcceptanceOutcome as Outcome, ConcludeFinalAcceptanceRequest,
    RecordMidtermCheckRequest, ReportCompletionRequest,
};

/// A second tranche that waits for something else.
fn waiting_for(condition: TrancheCondition) -> Order {
    let mut lines = plan();
    lines[1].condition = condition;
    amend(None, lines)
}

fn ask(number: u32) -> Order {
    request(number, None).on(april(10))
}

#[test]
fn a_midterm_check_is_passed_once_and_failed_until_then() {
    check([
        row("passed", life("running"), midterm(true, "Z-1"), "MidtermChecked"),
        row("the same again", with("running", [midterm(true, "Z-1")]), midterm(true, "Z-1"), "unchanged"),
        row(
            "by another report",
            with("running", [midterm(true, "Z-1")]),
            midterm(true, "Z-2"),
            "MIDTERM_ALREADY_PASSED",
        ),
        row(
            "failed after it was passed",
            with("running", [midterm(true, "Z-1")]),
            midterm(false, "Z-1"),
            "MIDTERM_ALREADY_PASSED",
        ),
        row(
            "failed, the same again",
            with("running", [midterm(false, "Z-1")]),
            midterm(false, "Z-1"),
            "unchanged",
        ),
        row("failed anew", with("running", [midterm(false, "Z-1")]), midterm(false, "Z-2"), "MidtermChecked"),
        row("passed anew", with("running", [midterm(false, "Z-1")]), midterm(true, "Z-2"), "MidtermChecked"),
        row("before the contract", story("approved"), midterm(true, "Z-1"), "WRONG_STAGE"),
        row(
            "before the last step",
            with("running", [midterm(false, "Z-1")]),
            midterm(true, "Z-2").on(april(9)),
            "STEP_BEFORE_THE_LAST",
        ),
    ]);
}

#[test]
fn a_tranche_waits_for_its_condition() {
    let midterm_due =
        |more: Vec<Order>| with("running", [waiting_for(TrancheCondition::Midterm)].into_iter().chain(more));
    check([
        row("no midterm check", midterm_due(vec![]), ask(2), "TRANCHE_CONDITION_NOT_MET"),
        row("one that failed", midterm_due(vec![midterm(false, "Z-1")]), ask(2), "TRANCHE_CONDITION_NOT_MET"),
        row("one that was passed", midterm_due(vec![midterm(true, "Z-1")]), ask(2), "TrancheRequested"),
        row("no final acceptance", life("completion_reported"), ask(3), "TRANCHE_CONDITION_NOT_MET"),
        row("to be put right", life("rectifying"), ask(3), "TRANCHE_CONDITION_NOT_MET"),
        row("passed", life("finally_accepted"), ask(3), "TrancheRequested"),
        row("the contract", life("completion_reported"), ask(2), "TrancheRequested"),
        row(
            "a claim is never verified here",
            with("running", [waiting_for(TrancheCondition::VerifiedClaim)]),
            ask(2),
            "TRANCHE_CONDITION_NOT_MET",
        ),
        row("a migrated award declares them", story("migrated"), ask(3), "TrancheRequested"),
    ]);
    let claim = World::after(with("running", [waiting_for(TrancheCondition::VerifiedClaim)]));
    let refused = broken(&claim, &ask(2));
    says(&refused, "TRANCHE_CONDITION_NOT_MET", &[("condition", "verified_claim"), ("tranche", "2")]);
    assert!(refused.message.ends_with("amend the contract to give it another condition"));
}

#[test]
fn a_project_is_sent_back_once() {
    let again = with("rectifying", [report("R-2")]);
    check([
        row("by tomorrow", life("completion_reported"), rectify(april(11)), "FinalAcceptanceConcluded"),
        row("by today", life("completion_reported"), rectify(april(10)), "RECTIFY_BY_NOT_LATER"),
        row("reported anew, and passed", again.clone(), pass(), "FinalAcceptanceConcluded"),
        row("reported anew, and failed", again.clone(), fail(), "FinalAcceptanceConcluded"),
        row("the first conclusion again", again.clone(), rectify(april(30)), "unchanged"),
        row(
            "sent back twice",
            again.clone(),
            conclude_by("M-5", AcceptanceOutcome::Rectify { by: april(30) }),
            "RECTIFIED_ALREADY",
        ),
        row(
            "both",
            again.clone(),
            conclude_by("M-5", AcceptanceOutcome::Rectify { by: april(10) }),
            "RECTIFIED_ALREADY, RECTIFY_BY_NOT_LATER",
        ),
    ]);
    let second = conclude_by("M-5", AcceptanceOutcome::Rectify { by: april(30) });
    says(
        &broken(&World::after(again), &second),
        "RECTIFIED_ALREADY",
        &[("rectifications", "1"), ("rectifications_max", "1")],
    );
    says(
        &broken(&World::after(life("completion_reported")), &rectify(april(10))),
        "RECTIFY_BY_NOT_LATER",
        &[("rectify_by", "2013-04-10"), ("effective_on", "2013-04-10")],
    );
}

/// Whoever refuses to put it right 拒不整改 reports nothing any more.
#[test]
fn what_is_not_put_right_in_time_is_failed_without_another_report() {
    let refused =
        conclude_by("M-3", AcceptanceOutcome::Failed { cause: AcceptanceFailure::RefusedCorrection });
    let late = day(2013, 5, 1);
    check([
        row("on the last day", life("rectifying"), refused.clone().on(april(30)), "WRONG_STAGE"),
        row("on the day after", life("rectifying"), refused.clone().on(late), "FinalAcceptanceConcluded"),
        row("passed without a report", life("rectifying"), pass().on(late), "WRONG_STAGE"),
    ]);
    let mut world = World::after(life("rectifying"));
    world.execute(&refused.on(late)).unwrap();
    assert_eq!(world.grant().stage.name(), "acceptance_failed");
}

#[test]
fn each_of_the_eight_failures_is_kept() {
    for cause in AcceptanceFailure::ALL {
        let mut world = World::after(life("completion_reported"));
        let failed = conclude_by("M-3", AcceptanceOutcome::Failed { cause });
        let events = world.execute(&failed).unwrap();
        assert!(matches!(
            events.as_slice(),
            [FundEvent::FinalAcceptanceConcluded { outcome: AcceptanceOutcome::Failed { cause: kept }, .. }]
                if *kept == cause
        ));
        assert_eq!(world.grant().contract().unwrap().progress, Progress::AcceptanceFailed(cause));
    }
}

/// Whoever concluded it first is named, with what it came to.
#[test]
fn a_conclusion_stands() {
    for (state, outcome) in [("finally_accepted", "passed"), ("acceptance_failed", "failed (diversion)")] {
        let refused = broken(&World::after(life(state)), &conclude_by("M-9", AcceptanceOutcome::Passed));
        says(&refused, "ACCEPTANCE_ALREADY_CONCLUDED", &[("outcome", outcome)]);
    }
}

#[test]
fn nothing_is_paid_after_a_failure() {
    let paying = |more: Vec<Order>| with("running", more.into_iter().map(|order| order.on(april(10))));
    let failing = |more: Vec<Order>| {
        let last = [report("R-1"), fail()];
        paying(more).into_iter().chain(last).collect::<Vec<_>>()
    };
    let second = || vec![request(2, None), authorise(2)];
    let instructed = || vec![request(2, None), authorise(2), instruct(2, 2)];
    let later = |order: Order| order.on(april(10));
    check([
        row("asked for", failing(vec![]), ask(2), "WRONG_STAGE"),
        row("authorised", failing(vec![request(2, None)]), later(authorise(2)), "WRONG_STAGE"),
        row("instructed", failing(second()), later(instruct(2, 2)), "WRONG_STAGE"),
        row(
            "the request is called off",
            failing(second()),
            later(cancel_tranche(2, "x")),
            "TrancheCancelled",
        ),
        row(
            "the request is rejected",
            failing(vec![request(2, None)]),
            later(reject_tranche(2, "x")),
            "TrancheRejected",
        ),
        row(
            "what is with the bank is settled",
            failing(instructed()),
            later(settle(2, "b-2")),
            "TrancheSettled",
        ),
        row("or comes back", failing(instructed()), later(send_back(2, "r-2", "x")), "PaymentReturned"),
        row(
            "and is not instructed again",
            failing(instructed()).into_iter().chain([later(send_back(2, "r-2", "x"))]).collect(),
            later(instruct(2, 2)),
            "WRONG_STAGE",
        ),
        row("while it is put right it is paid", with("rectifying", []), ask(2), "TrancheRequested"),
    ]);
}

#[test]
fn a_report_is_the_applicants_and_a_conclusion_the_offices() {
    let office = |order: Order| order.by("colleague", "the-university");
    check([
        row("the applicant reports", life("running"), report("R-1"), "CompletionReported"),
        row(
            "the applicant's colleague concludes",
            life("completion_reported"),
            office(pass()),
            "A13_APPLICANT_IN_OFFICE",
        ),
        row(
            "a report before the contract",
            life("running"),
            report("R-1").on(march(24)),
            "STEP_BEFORE_THE_LAST",
        ),
        row(
            "a conclusion before the report",
            life("completion_reported"),
            pass().on(april(9)),
            "STEP_BEFORE_THE_LAST",
        ),
        row(
            "a report thirty-one days back",
            life("running"),
            report("R-1").learned_on(day(2013, 5, 11)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        row(
            "a report thirty days back",
            life("running"),
            report("R-1").learned_on(day(2013, 5, 10)),
            "CompletionReported",
        ),
    ]);
    let decision = World::after(life("completion_reported")).decide(&Fund::shipped(), &pass()).unwrap();
    assert_eq!(decision.terms_rulebook.as_deref(), Some("2012-09"));
}

// ---- Requests --------------------------------------------------------------------------------------------------------

#[test]
fn bad_requests_are_told_at_their_fields() {
    let concluded = |outcome: Outcome, rectify_by: &str, failure: Failure| ConcludeFinalAcceptanceRequest {
        header: edge::header(),
        grant_id: edge::ID.to_owned(),
        outcome: outcome.into(),
        rectify_by: rectify_by.to_owned(),
        failure: failure.into(),
        minutes: "M-1".to_owned(),
    };
    let none = Failure::Unspecified;
    for (request, outcome) in [
        (concluded(Outcome::Passed, "", none), AcceptanceOutcome::Passed),
        (concluded(Outcome::Rectify, "2013-04-30", none), AcceptanceOutcome::Rectify { by: april(30) }),
        (
            concluded(Outcome::Failed, "", Failure::FalseBooks),
            AcceptanceOutcome::Failed { cause: AcceptanceFailure::FalseBooks },
        ),
    ] {
        let draft = edge::read(request).unwrap();
        let Command::Grant(_, GrantCommand::Closing(command)) = draft.command() else {
            panic!("it concludes");
        };
        let minutes = "M-1".to_owned();
        assert_eq!(*command, ClosingCommand::ConcludeFinalAcceptance { outcome, minutes });
    }
    for (request, fields) in [
        (concluded(Outcome::Unspecified, "", none), vec!["outcome"]),
        (concluded(Outcome::Passed, "2013-04-30", Failure::FalseBooks), vec!["rectify_by", "failure"]),
        (concluded(Outcome::Rectify, "", none), vec!["rectify_by"]),
        (concluded(Outcome::Rectify, "30 April", none), vec!["rectify_by"]),
        (concluded(Outcome::Failed, "", none), vec!["failure"]),
        (concluded(Outcome::Failed, "2013-04-30", none), vec!["rectify_by", "failure"]),
        (ConcludeFinalAcceptanceRequest::default(), vec!["header", "grant_id", "outcome", "minutes"]),
    ] {
        assert_eq!(edge::faults(request), fields);
    }
    assert_eq!(
        edge::faults(RecordMidtermCheckRequest::default()),
        ["header", "grant_id", "passed", "report"]
    );
    assert_eq!(edge::faults(ReportCompletionRequest::default()), ["header", "grant_id", "report"]);
}
