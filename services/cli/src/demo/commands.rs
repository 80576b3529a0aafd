//! A planned step as the command that is sent: who does it, when, under which ids.

mod closing;
mod money;
mod recovery;

use concord_kernel::Date;
use concord_kernel::id::{AgreementId, GrantId, InstructionId};
use concord_kernel::party::PartyId;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AuthoriseTrancheRequest, BulkCommand, ImportAwardRequest, InstructTrancheRequest,
    NameBackingAgreementRequest, PersonalData, RequestTrancheRequest, ResumeGrantRequest,
    ReturnPaymentRequest, SettleTrancheRequest, VerifyPayeeRequest,
};
use concord_proto::r#type::v1::{CommandHeader, Money};

use super::books::Effect;
use super::plan::{Life, Payment, Step};
use crate::connect::Actor;
use crate::ids;
use crate::import::h2020::CURRENCY;

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
    Accountant,
    Panel,
    Collector,
}

impl Job {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 10] = [
        Self::Importer,
        Self::Verifier,
        Self::ContractOfficer,
        Self::Applicant,
        Self::Authoriser,
        Self::Cashier,
        Self::BankClerk,
        Self::Accountant,
        Self::Panel,
        Self::Collector,
    ];

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
            Self::Accountant => ("accountant", OFFICE),
            Self::Panel => ("panel", OFFICE),
            Self::Collector => ("collector", OFFICE),
        };
        Actor::new(format!("demo-{person}-{number}"), organisation)
    }
}

/// What a step needs to know of its grant.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The grant's key in the file.
    pub(super) key: &'a str,
    /// Its id, and as it is sent.
    pub(super) grant: GrantId,
    pub(super) grant_id: &'a str,
    /// Its lead and the partners with a share, as its plan numbers them.
    pub(super) parties: &'a [PartyId],
    /// Planned amount of a tranche, in minor units.
    pub(super) tranche_minor: &'a [i64],
    /// What is planned for it.
    pub(super) life: &'a Life,
    /// Last day of each quarter that is played.
    pub(super) days: &'a [Date],
}

/// A step as it is sent: whose job it is, what it does to the money, the command.
type Sent = (Job, Effect, Command);

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
        self.by(Job::ContractOfficer, Command::NameBackingAgreement(request))
    }

    /// The command by which an officer lets the grant go on after a hold.
    pub(super) fn resume(&self, on: Date) -> BulkCommand {
        let request =
            ResumeGrantRequest { header: self.header("resume", on), grant_id: self.grant_id.to_owned() };
        self.by(Job::ContractOfficer, Command::ResumeGrant(request))
    }

    fn by(&self, job: Job, command: Command) -> BulkCommand {
        BulkCommand { actor: Some(job.of(self.key).to_wire()), command: Some(command) }
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

    fn party(&self, place: usize) -> String {
        self.parties.get(place).map(ToString::to_string).unwrap_or_default()
    }

    /// Number of a synthetic document of this grant.
    fn document(&self, what: &str) -> String {
        format!("SYN-{what}-{}", self.key)
    }

    /// The command of a step on this day, and what it does to the money.
    pub(super) fn command(&self, step: Step, on: Date) -> (Effect, BulkCommand) {
        let (job, effect, command) = match step {
            Step::VerifyPayee => self.verify(on),
            Step::Pay(payment) => self.pay(payment, on),
            Step::ReturnShort { tranche, attempt, returned, recovered } => {
                self.send_back(tranche, attempt, Effect::ReturnedSettled { returned, recovered }, on)
            }
            Step::Money(step) => self.money(step, on),
            Step::Closing(step) => self.closing(step, on),
            Step::Recover(claim, pursuit) => self.recovery(claim, pursuit, on),
        };
        (effect, self.by(job, command))
    }

    fn verify(&self, on: Date) -> Sent {
        let key = self.key;
        let account = PersonalData {
            person_id: format!("demo-payee-{key}"),
            text: format!("synthetic account 模拟账户 {:010}", ids::spread(key) % 10_000_000_000),
        };
        let request = VerifyPayeeRequest {
            header: self.header("verify", on),
            grant_id: self.grant_id.to_owned(),
            account: Some(account),
        };
        (Job::Verifier, Effect::None, Command::VerifyPayee(request))
    }

    fn pay(&self, payment: Payment, on: Date) -> Sent {
        let key = self.key;
        let header = |what: String| self.header(&what, on);
        let grant_id = self.grant_id.to_owned();
        match payment {
            Payment::Request(tranche) => {
                let header = header(format!("{tranche}/request"));
                let request =
                    RequestTrancheRequest { header, grant_id, tranche_number: tranche, amount: None };
                (Job::Applicant, Effect::None, Command::RequestTranche(request))
            }
            Payment::Authorise(tranche) => {
                let header = header(format!("{tranche}/authorise"));
                let request = AuthoriseTrancheRequest { header, grant_id, tranche_number: tranche };
                (Job::Authoriser, Effect::None, Command::AuthoriseTranche(request))
            }
            Payment::Instruct(tranche, attempt) => {
                let request = InstructTrancheRequest {
                    header: header(format!("{tranche}/instruct/{attempt}")),
                    grant_id,
                    tranche_number: tranche,
                    instruction_id: InstructionId::derived("demo", &format!("{key}/{tranche}")).to_string(),
                };
                (Job::Cashier, Effect::Instructed(self.minor(tranche)), Command::InstructTranche(request))
            }
            Payment::Settle(tranche, attempt) => {
                let request = SettleTrancheRequest {
                    header: header(format!("{tranche}/settle/{attempt}")),
                    grant_id,
                    tranche_number: tranche,
                    bank_reference: format!("SYN-{key}-{tranche}-{attempt}"),
                };
                (Job::BankClerk, Effect::Settled(self.minor(tranche)), Command::SettleTranche(request))
            }
            Payment::ReturnUnsettled(tranche, attempt) => {
                self.send_back(tranche, attempt, Effect::ReturnedUnsettled(self.minor(tranche)), on)
            }
            Payment::ReturnSettled(tranche, attempt) => {
                let effect = Effect::ReturnedSettled { returned: self.minor(tranche), recovered: 0 };
                self.send_back(tranche, attempt, effect, on)
            }
        }
    }

    /// The bank's reference of a return.
    fn return_reference(&self, tranche: u32, attempt: u32) -> String {
        format!("SYN-R-{}-{tranche}-{attempt}", self.key)
    }

    fn send_back(&self, tranche: u32, attempt: u32, effect: Effect, on: Date) -> Sent {
        let request = ReturnPaymentRequest {
            header: self.header(&format!("{tranche}/return/{attempt}"), on),
            grant_id: self.grant_id.to_owned(),
            tranche_number: tranche,
            bank_reference: self.return_reference(tranche, attempt),
            reason: "synthetic: account closed 模拟：账户已销户".to_owned(),
        };
        (Job::BankClerk, effect, Command::ReturnPayment(request))
    }
}

/// Money of the file's currency.
fn euros(amount_minor: i64) -> Option<Money> {
    Some(Money::new(amount_minor, CURRENCY.to_string()))
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
mod tests {
    use super::*;

    #[test]
    fn no_two_jobs_are_in_one_hand() {
        for key in (0..200).map(|key| key.to_string()) {
            let mut people: Vec<_> = Job::ALL.iter().map(|job| job.of(&key).person).collect();
            people.sort();
            people.dedup();
            assert_eq!(people.len(), Job::ALL.len());
            assert_ne!(Job::Applicant.of(&key).organisation, OFFICE);
        }
    }
}
