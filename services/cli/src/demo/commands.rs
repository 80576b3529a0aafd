//! A planned step as the command that is sent: who does it, when, under which ids.

use concord_kernel::Date;
use concord_kernel::id::{AgreementId, InstructionId};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AuthoriseTrancheRequest, BulkCommand, ImportAwardRequest, InstructTrancheRequest,
    NameBackingAgreementRequest, PersonalData, RequestTrancheRequest, ResumeGrantRequest,
    ReturnPaymentRequest, SettleTrancheRequest, VerifyPayeeRequest,
};
use concord_proto::r#type::v1::CommandHeader;

use super::books::Effect;
use super::plan::Step;
use crate::connect::Actor;
use crate::ids;

/// The office of the demo; nobody in it is of an applicant's organisation (A13).
pub(super) const OFFICE: &str = "demo-fund-office";
/// People of each job, so that no job rests on one.
const PEOPLE_PER_JOB: u64 = 5;

/// Jobs in the demo's synthetic lives. Each has people of its own: whoever authorises never instructs, whoever instructs
/// never settles (A13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    Importer,
    Verifier,
    ContractOfficer,
    Applicant,
    Authoriser,
    Cashier,
    BankClerk,
}

impl Job {
    /// Whoever has this job for a grant.
    pub(super) fn of(self, grant_key: &str) -> Actor {
        let number = ids::spread(&format!("demo/person/{grant_key}")) % PEOPLE_PER_JOB + 1;
        let (person, organisation) = match self {
            Self::Importer => ("importer", OFFICE),
            Self::Verifier => ("verifier", OFFICE),
            Self::ContractOfficer => ("contract-officer", OFFICE),
            Self::Applicant => ("applicant", "demo-applicants"),
            Self::Authoriser => ("authoriser", OFFICE),
            Self::Cashier => ("cashier", OFFICE),
            Self::BankClerk => ("bank-clerk", OFFICE),
        };
        Actor::new(format!("demo-{person}-{number}"), organisation)
    }
}

/// What a step needs to know of its grant.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The grant's key in the file.
    pub(super) key: &'a str,
    /// Its id.
    pub(super) grant_id: &'a str,
    /// Planned amount of a tranche, in minor units.
    pub(super) tranche_minor: &'a [i64],
}

impl Subject<'_> {
    /// The command by which the grant rests on an agreement, which the agreement log has up to this position.
    pub(super) fn name_agreement(
        &self,
        agreement: AgreementId,
        agreement_position: u64,
        on: Date,
    ) -> BulkCommand {
        let request = NameBackingAgreementRequest {
            header: self.header("agreement", on),
            grant_id: self.grant_id.to_owned(),
            agreement_id: agreement.to_string(),
            agreement_position: Some(agreement_position),
        };
        self.by_contract_officer(Command::NameBackingAgreement(request))
    }

    /// The command by which an officer lets the grant go on after a hold.
    pub(super) fn resume(&self, on: Date) -> BulkCommand {
        let request =
            ResumeGrantRequest { header: self.header("resume", on), grant_id: self.grant_id.to_owned() };
        self.by_contract_officer(Command::ResumeGrant(request))
    }

    fn by_contract_officer(&self, command: Command) -> BulkCommand {
        BulkCommand { actor: Some(Job::ContractOfficer.of(self.key).to_wire()), command: Some(command) }
    }

    fn header(&self, what: &str, on: Date) -> Option<CommandHeader> {
        Some(CommandHeader {
            request_id: ids::request(&format!("demo/1/{}/{what}", self.key)),
            effective_on: on.to_string(),
            ..CommandHeader::default()
        })
    }

    fn minor(&self, tranche: u32) -> i64 {
        let index = usize::try_from(tranche).unwrap_or_default().wrapping_sub(1);
        self.tranche_minor.get(index).copied().unwrap_or_default()
    }

    /// The command of a step on this day, and what it does to the money.
    pub(super) fn command(&self, step: Step, on: Date) -> (Effect, BulkCommand) {
        let key = self.key;
        let header = |what: String| self.header(&what, on);
        let grant_id = self.grant_id.to_owned();
        let (job, effect, command) = match step {
            Step::VerifyPayee => {
                let account = PersonalData {
                    person_id: format!("demo-payee-{key}"),
                    text: format!("synthetic account 模拟账户 {:010}", ids::spread(key) % 10_000_000_000),
                };
                let request = VerifyPayeeRequest {
                    header: header("verify".to_owned()),
                    grant_id,
                    account: Some(account),
                };
                (Job::Verifier, Effect::None, Command::VerifyPayee(request))
            }
            Step::Request(tranche) => {
                let header = header(format!("{tranche}/request"));
                let request =
                    RequestTrancheRequest { header, grant_id, tranche_number: tranche, amount: None };
                (Job::Applicant, Effect::None, Command::RequestTranche(request))
            }
            Step::Authorise(tranche) => {
                let header = header(format!("{tranche}/authorise"));
                let request = AuthoriseTrancheRequest { header, grant_id, tranche_number: tranche };
                (Job::Authoriser, Effect::None, Command::AuthoriseTranche(request))
            }
            Step::Instruct(tranche, attempt) => {
                let request = InstructTrancheRequest {
                    header: header(format!("{tranche}/instruct/{attempt}")),
                    grant_id,
                    tranche_number: tranche,
                    instruction_id: InstructionId::derived("demo", &format!("{key}/{tranche}")).to_string(),
                };
                (Job::Cashier, Effect::Instructed(self.minor(tranche)), Command::InstructTranche(request))
            }
            Step::Settle(tranche, attempt) => {
                let request = SettleTrancheRequest {
                    header: header(format!("{tranche}/settle/{attempt}")),
                    grant_id,
                    tranche_number: tranche,
                    bank_reference: format!("SYN-{key}-{tranche}-{attempt}"),
                };
                (Job::BankClerk, Effect::Settled(self.minor(tranche)), Command::SettleTranche(request))
            }
            Step::ReturnUnsettled(tranche, attempt) | Step::ReturnSettled(tranche, attempt) => {
                let request = ReturnPaymentRequest {
                    header: header(format!("{tranche}/return/{attempt}")),
                    grant_id,
                    tranche_number: tranche,
                    bank_reference: format!("SYN-R-{key}-{tranche}-{attempt}"),
                    reason: "synthetic: account closed 模拟：账户已销户".to_owned(),
                };
                let minor = self.minor(tranche);
                let settled = matches!(step, Step::ReturnSettled(..));
                let effect =
                    if settled { Effect::ReturnedSettled(minor) } else { Effect::ReturnedUnsettled(minor) };
                (Job::BankClerk, effect, Command::ReturnPayment(request))
            }
        };
        (effect, BulkCommand { actor: Some(job.of(key).to_wire()), command: Some(command) })
    }
}

/// The command that imports an award.
pub(super) fn import(key: &str, request: ImportAwardRequest) -> (Effect, BulkCommand) {
    let minor = request.amount.as_ref().map_or(0, |amount| amount.amount_minor);
    let command = BulkCommand {
        actor: Some(Job::Importer.of(key).to_wire()),
        command: Some(Command::ImportAward(request)),
    };
    (Effect::Imported(minor), command)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_two_jobs_are_in_one_hand() {
        for key in (0..200).map(|key| key.to_string()) {
            let jobs = [
                Job::Importer,
                Job::Verifier,
                Job::ContractOfficer,
                Job::Applicant,
                Job::Authoriser,
                Job::Cashier,
                Job::BankClerk,
            ];
            let mut people: Vec<_> = jobs.iter().map(|job| job.of(&key).person).collect();
            people.sort();
            people.dedup();
            assert_eq!(people.len(), jobs.len());
            assert_ne!(Job::Applicant.of(&key).organisation, OFFICE);
        }
    }

    #[test]
    fn every_step_has_a_request_id_of_its_own_that_never_changes() {
        let subject = Subject { key: "7", grant_id: "g", tranche_minor: &[50, 30, 20] };
        let steps = [
            Step::VerifyPayee,
            Step::Request(1),
            Step::Request(2),
            Step::Authorise(1),
            Step::Instruct(1, 1),
            Step::Instruct(1, 2),
            Step::Settle(1, 1),
            Step::Settle(1, 2),
            Step::ReturnUnsettled(1, 1),
        ];
        let on = "2016-03-31".parse().unwrap();
        let ids = || -> Vec<String> {
            let header = |command: Command| match command {
                Command::VerifyPayee(request) => request.header,
                Command::RequestTranche(request) => request.header,
                Command::AuthoriseTranche(request) => request.header,
                Command::InstructTranche(request) => request.header,
                Command::SettleTranche(request) => request.header,
                Command::ReturnPayment(request) => request.header,
                _ => None,
            };
            steps
                .iter()
                .map(|step| header(subject.command(*step, on).1.command.unwrap()).unwrap().request_id)
                .collect()
        };
        let mut once = ids();
        assert_eq!(once, ids());
        once.sort();
        once.dedup();
        assert_eq!(once.len(), steps.len());
        assert_eq!(subject.command(Step::Settle(2, 1), on).0, Effect::Settled(30));
    }
}
