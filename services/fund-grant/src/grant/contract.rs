//! The task contract 任务书 with its plan of tranches, and the payee's account 收款账户.

use super::{
    Grant, Stage,
    amendment::Changes,
    approval::Approval,
    balance::Balances,
    closing::{Acceptance, Progress},
    midterm::MidtermCheck,
    partners,
    tranche::Tranche,
};
use crate::{
    content_hash, party,
    refusal::{Ruling, done_otherwise, happens, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::{
    fund::{Allocation, FundEvent, PlannedTranche},
    personal::PersonalRef,
};
use concord_kernel::money::Amount;
use concord_kernel::{
    Date,
    normal::same_reference,
    rulebook::{Duty, Rulebook},
};
use jiff::Span;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// A contract that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// What it rests on.
    pub basis: Basis,
    /// When it was signed, or taken in: nothing that needs a contract lies before.
    pub signed_on: Date,
    /// Contracted.
    pub amount_minor: i64,
    /// First day of the project; a migrated source may not say.
    pub starts_on: Option<Date>,
    /// Last day of the project.
    pub ends_on: Option<Date>,
    /// The payment plan, and how far each tranche is.
    pub tranches: Vec<Tranche>,
    /// Shares of all parties, the lead included. Empty: all is the lead's. Copies of the state share them.
    pub allocations: Arc<[Allocation]>,
    /// Rulebook that the award's terms follow.
    pub terms_rulebook: String,
    /// Day by which final acceptance is due (A11); a migrated award has none here.
    pub acceptance_due_on: Option<Date>,
    /// How often it was amended.
    pub amendments: Changes,
    /// How often the project was given more time.
    pub extensions: Changes,
    /// The last midterm check.
    pub midterm: Option<MidtermCheck>,
    /// The last completion report.
    pub completion: Option<String>,
    /// What final acceptance was concluded with, the last time.
    pub acceptance: Option<Acceptance>,
    /// How often final acceptance sent the project back to be put right.
    pub rectifications: u32,
    /// How far the grant is.
    pub progress: Progress,
    /// What became of balances.
    pub balances: Balances,
}

/// What a contract rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It was approved and signed here.
    Signed {
        /// The award.
        approval: Approval,
        /// Contract number 合同编号.
        contract_number: String,
        /// Hash of its terms as they were signed: the same again is a repeat, however it was amended since.
        signed_as: String,
    },
    /// It was contracted elsewhere.
    Migrated,
}

/// About the contract or the payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractCommand {
    /// Sign it.
    Sign(Signing),
    /// Record that the account was checked, or checked anew (A01).
    VerifyPayee {
        /// The account, by reference.
        account: PersonalRef,
    },
}

/// A contract to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// Contract number.
    pub contract_number: String,
    /// Contracted, at most what was approved.
    pub amount: Amount,
    /// First day of the project.
    pub starts_on: Date,
    /// Last day of the project.
    pub ends_on: Date,
    /// The plan; adds up to the amount.
    pub tranches: Vec<PlannedTranche>,
    /// Shares of all parties, the lead included; add up to the amount. Empty: those of the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &ContractCommand,
) -> Result<Decision<FundEvent>, Stop> {
    match command {
        ContractCommand::Sign(signing) => {
            case.well_formed([grant.other_currency("amount.currency", signing.amount)])?;
            let hand = Hand::Office(Some(Duty::Contract));
            let allocations = party::shares_as_known(case, &grant.named_parties(), &signing.allocations)?;
            let signing = match allocations {
                Cow::Borrowed(_) => Cow::Borrowed(signing),
                Cow::Owned(allocations) => Cow::Owned(Signing { allocations, ..signing.clone() }),
            };
            // A party that is no more leads nothing new. The lead of a contract that is signed already may end.
            let gone = match &grant.stage {
                Stage::Approved(_) => party::dissolved(case, &grant.project.lead, case.context.effective_on)?,
                _ => None,
            };
            let ruling = rule_signing(case, grant, &signing, gone);
            let answer = grant.conclude(case, hand, grant.last_step_on, ruling)?;
            // From here on the award's terms follow the rulebook of this day; the signing itself already names it.
            let signed_now = !answer.events.is_empty();
            Ok(if signed_now { answer.under_terms(&case.rulebook.version) } else { answer })
        }
        ContractCommand::VerifyPayee { account } => {
            // Checking an account is no step of the grant: it moves no dates, and may be done anew.
            let hand = Hand::Office(Some(Duty::VerifyPayee));
            grant.conclude(case, hand, grant.last_step_on, rule_payee(grant, account))
        }
    }
}

/// Rules on signing at every stage.
fn rule_signing(case: &Case<'_, '_>, grant: &Grant, signing: &Signing, gone: Option<Broken>) -> Ruling {
    match &grant.stage {
        Stage::Approved(approval) => sign(case, grant, approval, signing, gone),
        Stage::Running(contract) if contract.is_signed_as(grant, signing) => unchanged(),
        Stage::Running(contract) => refused(contracted_already(grant, contract)),
        stage => {
            refused(wrong_stage(stage, ("a contract is signed after the approval", "立项之后方可签订任务书")))
        }
    }
}

/// A02, and the rulebook's terms for the plan. What was approved beyond the contract is available again.
fn sign(
    case: &Case<'_, '_>,
    grant: &Grant,
    approval: &Approval,
    signing: &Signing,
    gone: Option<Broken>,
) -> Ruling {
    let plan = rules::tranche_plan(case.rulebook, signing.amount, &signing.tranches);
    let (allocations, shares) = match partners::shares_of(grant, &signing.allocations, signing.amount) {
        Ok(allocations) => (allocations, None),
        Err(broken) => (Vec::new(), Some(broken)),
    };
    let contracted = rules::a02_contract(signing.amount, approval.amount_minor);
    let weighed = gone.into_iter().chain(contracted).chain(plan).chain(shares);
    happens_under(
        weighed.map(Some),
        FundEvent::ContractSigned {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            mode: grant.mode,
            lead_region: grant.project.lead.region.clone(),
            contract_number: signing.contract_number.clone(),
            amount_minor: signing.amount.minor,
            approved_minor: approval.amount_minor,
            starts_on: signing.starts_on,
            ends_on: signing.ends_on,
            tranches: signing.tranches.clone(),
            terms_rulebook: case.rulebook.version.clone(),
            lead: Some(grant.project.lead.party),
            allocations,
            acceptance_due_on: acceptance_due(case.rulebook, signing.ends_on),
        },
    )
}

/// Rules on verifying at every stage. An account is asked for only once there is something to pay.
fn rule_payee(grant: &Grant, account: &PersonalRef) -> Ruling {
    match &grant.stage {
        Stage::Approved(_) | Stage::Running(_) if grant.payee.as_ref() == Some(account) => unchanged(),
        Stage::Approved(_) | Stage::Running(_) if !grant.stage.has_ended() => {
            happens(FundEvent::PayeeVerified { grant: grant.id, account: account.clone() })
        }
        stage => refused(wrong_stage(
            stage,
            ("an account is verified between approval and end", "立项之后、项目终结之前方可核验收款账户"),
        )),
    }
}

fn contracted_already(grant: &Grant, first: &Contract) -> Broken {
    let number = match &first.basis {
        Basis::Signed { contract_number, .. } => contract_number.as_str(),
        Basis::Migrated => "of the migrated award",
    };
    done_otherwise(
        "ALREADY_CONTRACTED",
        ("the contract was signed", "任务书已签订"),
        &[("contract_number", &number), ("amount", &grant.amount(first.amount_minor))],
    )
}

/// Day by which final acceptance is due for a project that ends on a day (domain.md section 6, "final acceptance due").
pub(super) fn acceptance_due(rulebook: &Rulebook, ends_on: Date) -> Option<Date> {
    months_after(ends_on, rulebook.final_acceptance.due_months)
}

/// So many months after a day; `None` beyond what a date can say.
pub(crate) fn months_after(day: Date, months: u32) -> Option<Date> {
    day.checked_add(Span::new().try_months(months).ok()?).ok()
}

impl Contract {
    /// The award that it rests on; a migrated one has none here.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match &self.basis {
            Basis::Signed { approval, .. } => Some(approval),
            Basis::Migrated => None,
        }
    }

    /// Whether it was contracted elsewhere.
    #[must_use]
    pub fn is_migrated(&self) -> bool {
        matches!(self.basis, Basis::Migrated)
    }

    /// The tranche with this number.
    #[must_use]
    pub fn tranche(&self, number: u32) -> Option<&Tranche> {
        self.tranches.iter().find(|tranche| tranche.plan.number == number)
    }

    fn is_signed_as(&self, grant: &Grant, signing: &Signing) -> bool {
        let Basis::Signed { contract_number, signed_as, .. } = &self.basis else {
            return false;
        };
        let Signing { amount, starts_on, ends_on, tranches, .. } = signing;
        same_reference(contract_number, &signing.contract_number)
            && partners::shares_of(grant, &signing.allocations, signing.amount).is_ok_and(|shares| {
                *signed_as == terms_hash(amount.minor, *starts_on, *ends_on, tranches, &shares)
            })
    }
}

/// Hash of what a contract's terms are when it is signed.
fn terms_hash(
    amount_minor: i64,
    starts_on: Date,
    ends_on: Date,
    tranches: &[PlannedTranche],
    shares: &[Allocation],
) -> String {
    content_hash(&(amount_minor, starts_on, ends_on, tranches, shares))
}

/// The stage after `ContractSigned`.
pub(super) fn signed(approval: Approval, event: &FundEvent, on: Date) -> Stage {
    match event {
        FundEvent::ContractSigned {
            contract_number,
            amount_minor,
            starts_on,
            ends_on,
            tranches,
            terms_rulebook,
            allocations,
            acceptance_due_on,
            ..
        } => Stage::Running(Box::new(Contract {
            basis: Basis::Signed {
                approval,
                contract_number: contract_number.clone(),
                signed_as: terms_hash(*amount_minor, *starts_on, *ends_on, tranches, allocations),
            },
            signed_on: on,
            amount_minor: *amount_minor,
            starts_on: Some(*starts_on),
            ends_on: Some(*ends_on),
            tranches: tranches.iter().map(|plan| Tranche::planned(plan, on)).collect(),
            allocations: allocations.as_slice().into(),
            terms_rulebook: terms_rulebook.clone(),
            acceptance_due_on: *acceptance_due_on,
            amendments: Changes::default(),
            extensions: Changes::default(),
            midterm: None,
            completion: None,
            acceptance: None,
            rectifications: 0,
            progress: Progress::Running,
            balances: Balances::default(),
        })),
        _ => Stage::Approved(approval),
    }
}

/// The stage in which `AwardImported` opens a grant.
pub(super) fn migrated(event: &FundEvent, on: Date) -> Option<Stage> {
    let FundEvent::AwardImported {
        amount_minor,
        starts_on,
        ends_on,
        tranches,
        allocations,
        terms_rulebook,
        ..
    } = event
    else {
        return None;
    };
    Some(Stage::Running(Box::new(Contract {
        basis: Basis::Migrated,
        signed_on: on,
        amount_minor: *amount_minor,
        starts_on: *starts_on,
        ends_on: *ends_on,
        tranches: tranches.iter().map(|plan| Tranche::planned(plan, on)).collect(),
        allocations: allocations.as_slice().into(),
        terms_rulebook: terms_rulebook.clone(),
        acceptance_due_on: None,
        amendments: Changes::default(),
        extensions: Changes::default(),
        midterm: None,
        completion: None,
        acceptance: None,
        rectifications: 0,
        progress: Progress::Running,
        balances: Balances::default(),
    })))
}
