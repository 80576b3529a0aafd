//! Commands on the way to a grant's end: midterm check, acceptance 验收, balances 结余, closeout 结题, evaluation 绩效评价.

use concord_events::ledger::Account;
use concord_kernel::Date;
use concord_kernel::rulebook::Rulebooks;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AcceptanceOutcome, BalanceSource, CancelGrantRequest, CancellationCause, CloseGrantRequest,
    ConcludeFinalAcceptanceRequest, EvaluateGrantRequest, EvaluationGrade, RecordMidtermCheckRequest,
    RefundBalanceRequest, ReportCompletionRequest, RetainBalanceRequest, TerminateGrantRequest,
};
use jiff::ToSpan as _;

use super::{Effect, Job, Sent, Subject, euros};
use crate::demo::plan::{ClosingStep, Conclusion};
use crate::ids;

/// Days that a project is given to be put right.
const RECTIFY_DAYS: i64 = 60;

impl Subject<'_> {
    /// A step on the way to the end.
    pub(super) fn closing(&self, step: ClosingStep, on: Date) -> Sent {
        let grant_id = self.grant_id.to_owned();
        match step {
            ClosingStep::CheckMidterm => {
                let request = RecordMidtermCheckRequest {
                    header: self.header("midterm", on),
                    grant_id,
                    passed: Some(true),
                    report: self.document("MIDTERM"),
                };
                (Job::Panel, Effect::None, Command::RecordMidtermCheck(request))
            }
            ClosingStep::Complete(round) => {
                let header = self.header(&format!("complete/{round}"), on);
                let report = self.document(&format!("COMPLETION-{round}"));
                let request = ReportCompletionRequest { header, grant_id, report };
                (Job::Applicant, Effect::None, Command::ReportCompletion(request))
            }
            ClosingStep::Conclude(round, conclusion) => self.conclude(round, conclusion, on),
            ClosingStep::Retain { party, minor } => {
                let request = RetainBalanceRequest {
                    header: self.header(&format!("retain/{party}"), on),
                    grant_id,
                    party_id: self.party(party),
                    amount: euros(minor),
                    minutes: self.document("RETAIN"),
                };
                (Job::Panel, Effect::Retained(minor), Command::RetainBalance(request))
            }
            ClosingStep::Refund { party, minor, was_retained } => self.refund(party, minor, was_retained, on),
            ClosingStep::Close { undrawn, has_refund_day } => {
                let refund_by = if has_refund_day { refund_day(on).to_string() } else { Default::default() };
                let minutes = self.document("CLOSE");
                let header = self.header("close", on);
                let request = CloseGrantRequest { header, grant_id, minutes, refund_by };
                (Job::Panel, Effect::Ended(undrawn), Command::CloseGrant(request))
            }
            ClosingStep::Evaluate => (Job::Panel, Effect::None, self.evaluate(on)),
            ClosingStep::Terminate(undrawn) => {
                let request = TerminateGrantRequest {
                    header: self.header("terminate", on),
                    grant_id,
                    reason: "synthetic: the project cannot be carried on 模拟：项目无法继续实施".to_owned(),
                    minutes: self.document("TERMINATE"),
                    refund_by: refund_day(on).to_string(),
                };
                (Job::Panel, Effect::Ended(undrawn), Command::TerminateGrant(request))
            }
            ClosingStep::Cancel { undrawn, takes } => {
                let is_fraud = ids::spread(&format!("demo/fraud/{}", self.key)).is_multiple_of(2);
                let cause = if is_fraud { CancellationCause::Fraud } else { CancellationCause::Revoked };
                let request = CancelGrantRequest {
                    header: self.header("cancel", on),
                    grant_id,
                    cause: cause.into(),
                    reason: "synthetic: the award is revoked 模拟：撤销立项".to_owned(),
                    minutes: self.document("CANCEL"),
                };
                (Job::Panel, Effect::Cancelled { undrawn, takes }, Command::CancelGrant(request))
            }
        }
    }

    fn conclude(&self, round: u32, conclusion: Conclusion, on: Date) -> Sent {
        let mut request = ConcludeFinalAcceptanceRequest {
            header: self.header(&format!("conclude/{round}"), on),
            grant_id: self.grant_id.to_owned(),
            minutes: self.document(&format!("ACCEPTANCE-{round}")),
            ..ConcludeFinalAcceptanceRequest::default()
        };
        match conclusion {
            Conclusion::Passed => request.set_outcome(AcceptanceOutcome::Passed),
            Conclusion::Rectify => {
                request.set_outcome(AcceptanceOutcome::Rectify);
                request.rectify_by = on.saturating_add(RECTIFY_DAYS.days()).to_string();
            }
            Conclusion::Failed(failure) => {
                request.set_outcome(AcceptanceOutcome::Failed);
                request.set_failure(failure);
            }
        }
        (Job::Panel, Effect::None, Command::ConcludeFinalAcceptance(request))
    }

    fn refund(&self, party: usize, minor: i64, was_retained: bool, on: Date) -> Sent {
        let (from, account, what) = if was_retained {
            (BalanceSource::Retained, Account::RetainedByRule, "retained")
        } else {
            (BalanceSource::Unspent, Account::RecipientUnspent, "unspent")
        };
        let request = RefundBalanceRequest {
            header: self.header(&format!("refund/{what}/{party}"), on),
            grant_id: self.grant_id.to_owned(),
            party_id: self.party(party),
            amount: euros(minor),
            from: from.into(),
            bank_reference: format!("SYN-B-{}-{what}-{party}", self.key),
        };
        (Job::Accountant, Effect::Refunded { minor, from: account }, Command::RefundBalance(request))
    }

    fn evaluate(&self, on: Date) -> Command {
        let roll = ids::spread(&format!("demo/grade/{}", self.key));
        let (grade, least) = match roll % 10 {
            0..2 => (EvaluationGrade::Excellent, 90),
            2..6 => (EvaluationGrade::Good, 80),
            6..9 => (EvaluationGrade::Pass, 60),
            _ => (EvaluationGrade::Fail, 40),
        };
        Command::EvaluateGrant(EvaluateGrantRequest {
            header: self.header("evaluate", on),
            grant_id: self.grant_id.to_owned(),
            grade: grade.into(),
            score_hundredths: 100 * least + u32::try_from(roll / 10 % 1_000).unwrap_or_default(),
            minutes: self.document("EVALUATION"),
        })
    }
}

/// The last day by which the rulebook lets a balance be given back, of a grant that ends on this day.
fn refund_day(on: Date) -> Date {
    let days = Rulebooks::shipped().at_or_first(on).unspent.refund_within_days;
    on.saturating_add(i64::from(days).days())
}
