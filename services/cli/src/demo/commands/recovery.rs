//! Commands about recoveries 追缴.

use concord_fund_grant::grant::closing::recovery_of_cancelled;
use concord_kernel::Date;
use concord_kernel::id::RecoveryId;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AcceptanceFailure, AppealRecoveryRequest, DemandRecoveryRequest, DetermineRecoveryRequest,
    OverturnRecoveryRequest, RecordRepaymentRequest, RecoveryCause, RecoveryTake, TakenFrom,
    UpholdRecoveryRequest, WriteOffRecoveryRequest,
};

use super::{Effect, Job, Sent, Subject, euros};
use crate::demo::books::Held;
use crate::demo::plan::{Claim, Pursuit};

impl Subject<'_> {
    /// A step of a recovery.
    pub(super) fn recovery(&self, claim: Claim, pursuit: Pursuit, on: Date) -> Sent {
        let recovery_id = self.recovery_id(claim);
        let header = |what: &str| self.header(&format!("recovery/{claim}/{what}"), on);
        match pursuit {
            Pursuit::Determine { party, takes } => {
                let request = DetermineRecoveryRequest {
                    header: header("determine"),
                    recovery_id,
                    grant_id: self.grant_id.to_owned(),
                    cause: cause(claim).into(),
                    takes: self.takes(party, takes),
                    minutes: self.document("RECOVERY"),
                    reason: "synthetic: money is recovered 模拟：追缴资金".to_owned(),
                };
                (Job::Collector, Effect::Determined(takes), Command::DetermineRecovery(request))
            }
            Pursuit::Demand => {
                let demand = self.document(&format!("DEMAND-{claim}"));
                let request = DemandRecoveryRequest { header: header("demand"), recovery_id, demand };
                (Job::Collector, Effect::None, Command::DemandRecovery(request))
            }
            Pursuit::Appeal => {
                let grounds = "synthetic: the recipient disagrees 模拟：单位提出异议".to_owned();
                let request = AppealRecoveryRequest { header: header("appeal"), recovery_id, grounds };
                (Job::Applicant, Effect::None, Command::AppealRecovery(request))
            }
            Pursuit::Uphold => {
                let reason = "synthetic: the appeal has no ground 模拟：申诉理由不成立".to_owned();
                let request = UpholdRecoveryRequest { header: header("uphold"), recovery_id, reason };
                (Job::Panel, Effect::None, Command::UpholdRecovery(request))
            }
            Pursuit::Overturn(takes) => {
                let reason = "synthetic: the recipient was right 模拟：申诉理由成立".to_owned();
                let request = OverturnRecoveryRequest { header: header("overturn"), recovery_id, reason };
                (Job::Panel, Effect::Overturned(takes), Command::OverturnRecovery(request))
            }
            Pursuit::Repay { part, minor } => {
                let request = RecordRepaymentRequest {
                    header: header(&format!("repay/{part}")),
                    recovery_id,
                    amount: euros(minor),
                    bank_reference: format!("SYN-C-{}-{claim}-{part}", self.key),
                };
                (Job::Accountant, Effect::Repaid(minor), Command::RecordRepayment(request))
            }
            Pursuit::WriteOff(minor) => {
                let request = WriteOffRecoveryRequest {
                    header: header("write-off"),
                    recovery_id,
                    minutes: self.document("WRITE-OFF"),
                    reason: "synthetic: the debtor is insolvent 模拟：债务人无力偿还".to_owned(),
                };
                (Job::Panel, Effect::WrittenOff(minor), Command::WriteOffRecovery(request))
            }
        }
    }

    fn takes(&self, party: usize, takes: Held) -> Vec<RecoveryTake> {
        let places = [
            (TakenFrom::Unspent, takes.unspent),
            (TakenFrom::Spent, takes.spent),
            (TakenFrom::Retained, takes.retained),
        ];
        let taken = places.into_iter().filter(|(_, minor)| *minor > 0);
        taken
            .map(|(from, minor)| RecoveryTake {
                party_id: self.party(party),
                from: from.into(),
                amount: euros(minor),
            })
            .collect()
    }

    /// Id of a recovery: the demo's own, or the one that the fund derives where another decision determines it.
    fn recovery_id(&self, claim: Claim) -> String {
        let grant = self.grant_id;
        let id = match claim {
            Claim::Short(tranche, attempt) => {
                let reference = self.return_reference(tranche, attempt);
                RecoveryId::derived("payment returned", &format!("{grant}/{reference}"))
            }
            Claim::Disallowed(item) => {
                RecoveryId::derived("disallowed spend", &format!("{grant}/{}", self.spend(item)))
            }
            Claim::Cancelled => recovery_of_cancelled(self.grant),
            Claim::Failed(_) | Claim::Kept { .. } => {
                RecoveryId::derived("demo", &format!("{}/{claim}", self.key))
            }
        };
        id.to_string()
    }
}

fn cause(claim: Claim) -> RecoveryCause {
    match claim {
        Claim::Failed(AcceptanceFailure::Diversion) => RecoveryCause::Diverted,
        Claim::Failed(_) => RecoveryCause::AcceptanceFailed,
        Claim::Kept { was_terminated: true, .. } => RecoveryCause::Terminated,
        Claim::Kept { .. } => RecoveryCause::BalanceKept,
        Claim::Short(..) => RecoveryCause::PaymentReturned,
        Claim::Disallowed(_) => RecoveryCause::SpendDisallowed,
        Claim::Cancelled => RecoveryCause::Cancelled,
    }
}
