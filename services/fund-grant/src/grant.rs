//! A grant 资助项目: one project's money, from application to evaluation, in the non-repayable mode 无偿资助.
//!
//! ```text
//!  ApplyForGrant                                                                        ImportAward
//!       ▼                                                                                    ▼
//!    Applied ─▶ Recommended ─▶ Admitted ─▶ Reviewed ─▶ OnNotice ─▶ Approved ─────────────▶ Running
//!          Recommend      Admit       Review     Publish ⟲    Approve     SignContract   (`closing`)
//!                                                  Notice      Grants
//!       └────────────┴────────────┴──────────┴──────────┴───────────┘
//!          RejectGrant ─▶ Rejected        WithdrawGrant ─▶ Withdrawn
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `opening` | how a grant comes to be: applied for, or imported as it stood |
//! | `procedure` | from recommendation to notice; rejection and withdrawal |
//! | `filing` | an admission in its lead's file (A04, A11) |
//! | `approval` | one meeting's decision on many grants 立项 |
//! | `contract` | the task contract 任务书 and the payee's account |
//! | `tranche` | the small lifecycle of each payment |
//! | `matching` | what others put beside it 配套 |
//! | `partners` | the parties' shares, and what the lead passes on 转拨 |
//! | `spending` | items of spending, reported, accepted and disallowed 支出 |
//! | `hold` | what stops payments for a while 暂停 |
//! | `amendment` | another plan or less money, and more time 任务书变更、延期 |
//! | `midterm` | the midterm check 中期检查 |
//! | `closing` | from completion report to evaluation 验收、结题、绩效评价; termination and cancellation |
//! | `balance` | what becomes of a balance 结余 |
//! | `objection` | objections to the notice 公示异议 |
//! | `overriding` | rules that a meeting set aside 特批 |
//! | `facts` | what happened to its money, as far as that can be corrected 资金事项 |
//! | `correction` | facts of money that were not so 更正 |
//! | `books` | what its money stands at |
//!
//! Each decides in one `match` over (command, stage). There, a command has an arm for each stage in which something
//! happens, and one for the rest: what happened already in the same way changes nothing, at any later stage; in another
//! way it is refused, naming the first; and what is not yet, or no longer, possible is the wrong stage. A grant that has
//! ended is paid nothing more; what comes back, or has to, goes on.

pub mod amendment;
pub mod approval;
pub mod balance;
pub mod books;
pub mod closing;
pub mod contract;
pub mod correction;
pub mod facts;
mod filing;
pub mod hold;
pub mod matching;
pub mod midterm;
pub mod objection;
pub mod opening;
pub mod overriding;
pub mod partners;
pub mod procedure;
pub mod spending;
pub mod tranche;

use crate::{
    backing, party,
    refusal::Ruling,
    rules::{self, Hand},
    view::{self, Case},
};
use amendment::AmendmentCommand;
use approval::Approval;
use balance::BalanceCommand;
use books::Books;
use closing::ClosingCommand;
use concord_chassis::{
    deciding::not_before,
    log::{Broken, Decision, Meta, Stop},
};
use concord_events::{
    fund::{Allocation, FundEvent, FundingMode, Party},
    personal::PersonalRef,
};
use concord_kernel::{
    Date,
    id::{AgreementId, GrantId, ProgrammeId, RecoveryId, SpendId},
    industry::Industry,
    money::{Amount, Currency},
    normal::same_person,
    rulebook::Duty,
};
use contract::{Contract, ContractCommand};
use correction::Correct;
use facts::Facts;
use hold::{Hold, HoldCommand};
use matching::{Matching, MatchingCommand};
use midterm::MidtermCheck;
use objection::{Objection, ObjectionCommand};
use opening::{Application, MigratedAward};
use overriding::{Override, RecordOverride};
use partners::ShareTransfer;
use procedure::{Notice, ProcedureCommand, Recommendation, Review};
use serde::{Deserialize, Serialize};
use spending::{Spending, SpendingCommand};
use std::sync::Arc;
use tranche::TrancheCommand;

/// A grant as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Where its money comes from.
    pub programme: ProgrammeId,
    /// The programme's currency.
    pub currency: Currency,
    /// How it is paid.
    pub mode: FundingMode,
    /// What it is for. It never changes, and a state is copied for every batch that touches it: the copies share it.
    pub project: Arc<Project>,
    /// How it came to be.
    pub origin: Origin,
    /// Hash of the event that opened it: the same again is a repeat.
    pub opened_as: String,
    /// Where it stands.
    pub stage: Stage,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
    /// The verified account.
    pub payee: Option<PersonalRef>,
    /// Who did what on it (A13).
    pub jobs: Vec<Job>,
    /// The agreement that backs it 依托协议, where it names one.
    pub backing: Option<AgreementId>,
    /// Whether it is on hold, and why.
    pub hold: Hold,
    /// What its money stands at.
    pub books: Books,
    /// What others put beside it.
    pub matching: Matching,
    /// What was spent.
    pub spending: Spending,
    /// Objections to its notice, by their numbers from 1.
    pub objections: Vec<Objection>,
    /// Rules that a meeting set aside for it.
    pub overrides: Vec<Override>,
    /// Facts of its money that can be corrected.
    pub facts: Facts,
    /// Recoveries of its money, in order.
    pub recoveries: Vec<RecoveryId>,
}

/// The project that a grant pays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Title.
    pub title: String,
    /// Leading party 牵头单位.
    pub lead: Party,
    /// Industry 产业, where one applies.
    pub industry: Option<Industry>,
    /// Planned first day.
    pub starts_on: Option<Date>,
    /// Planned last day.
    pub ends_on: Option<Date>,
    /// Shares of all parties as they applied, the lead included.
    pub allocations: Arc<[Allocation]>,
}

/// How a grant came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was applied for here.
    Applied {
        /// Asked for.
        requested_minor: i64,
        /// Organisation that applied; it does no job of the office on this grant (A13).
        organisation: String,
    },
    /// It was made elsewhere and taken in as it stood: steps it never took here are migrated, not skipped.
    Migrated {
        /// Whether facts were made up for a demonstration 模拟数据.
        synthetic: bool,
    },
}

/// Where a grant stands, with all that led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 已申报.
    Applied,
    /// 已推荐.
    Recommended(Recommendation),
    /// 已受理.
    Admitted(Recommendation),
    /// 已评审.
    Reviewed(Review),
    /// 公示中.
    OnNotice(Notice),
    /// 已立项: the money is reserved.
    Approved(Approval),
    /// Contracted: how far it is since, its progress says.
    Running(Box<Contract>),
    /// 不予立项, and why.
    Rejected(String),
    /// 已撤回, and why.
    Withdrawn(String),
}

/// A job that a person did on a grant (A13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What was done.
    pub duty: Duty,
    /// Opaque id of the person.
    pub person: String,
}

/// What is asked of one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantCommand {
    /// Apply for it.
    Apply(Box<Application>),
    /// Take it in as it stands elsewhere.
    Import(Box<MigratedAward>),
    /// A step of procedure.
    Procedure(ProcedureCommand),
    /// About the contract or the payee.
    Contract(ContractCommand),
    /// About the tranche with this number.
    Tranche(u32, TrancheCommand),
    /// Name the agreement that backs it 指明依托协议.
    NameBacking {
        /// The agreement.
        agreement: AgreementId,
        /// Position in the agreement log that the caller has seen; to be taken in here before this is decided.
        agreement_position: Option<u64>,
    },
    /// Put it on hold, or resume it.
    Hold(HoldCommand),
    /// About the source of matching money with this number.
    Matching(u32, MatchingCommand),
    /// Pass a partner's share on 转拨.
    TransferShare(ShareTransfer),
    /// About the item of spending with this id.
    Spending(SpendId, SpendingCommand),
    /// Change its contract.
    Amendment(AmendmentCommand),
    /// Record its midterm check 中期检查.
    CheckMidterm(MidtermCheck),
    /// About its end, from the completion report on.
    Closing(ClosingCommand),
    /// About a balance 结余.
    Balance(BalanceCommand),
    /// About the objection with this number.
    Objection(u32, ObjectionCommand),
    /// Set a rule aside for it.
    Override(RecordOverride),
    /// Correct a fact of its money.
    Correct(Correct),
}

/// Hands a command to the lifecycle that it is about.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: GrantId,
    command: &GrantCommand,
) -> Result<Decision<FundEvent>, Stop> {
    match command {
        GrantCommand::Apply(application) => opening::apply_for(case, id, application),
        GrantCommand::Import(award) => opening::import(case, id, award),
        GrantCommand::Procedure(command) => procedure::decide(case, view::grant(case, id)?, command),
        GrantCommand::Contract(command) => contract::decide(case, view::grant(case, id)?, command),
        GrantCommand::Tranche(number, command) => {
            tranche::decide(case, view::grant(case, id)?, *number, command)
        }
        GrantCommand::NameBacking { agreement, agreement_position } => {
            backing::name(case, view::grant(case, id)?, *agreement, *agreement_position)
        }
        GrantCommand::Hold(command) => hold::decide(case, view::grant(case, id)?, command),
        GrantCommand::Matching(number, command) => {
            matching::decide(case, view::grant(case, id)?, *number, command)
        }
        GrantCommand::TransferShare(transfer) => partners::decide(case, view::grant(case, id)?, transfer),
        GrantCommand::Spending(spend, command) => {
            spending::decide(case, view::grant(case, id)?, *spend, command)
        }
        GrantCommand::Amendment(command) => amendment::decide(case, view::grant(case, id)?, command),
        GrantCommand::CheckMidterm(check) => midterm::decide(case, view::grant(case, id)?, check),
        GrantCommand::Closing(command) => closing::decide(case, view::grant(case, id)?, command),
        GrantCommand::Balance(command) => balance::decide(case, view::grant(case, id)?, command),
        GrantCommand::Objection(number, command) => {
            objection::decide(case, view::grant(case, id)?, *number, command)
        }
        GrantCommand::Override(command) => overriding::decide(case, view::grant(case, id)?, command),
        GrantCommand::Correct(command) => correction::decide(case, view::grant(case, id)?, command),
    }
}

impl Grant {
    /// So many minor units of its currency.
    #[must_use]
    pub fn amount(&self, minor: i64) -> Amount {
        Amount::new(minor, self.currency)
    }

    /// The contract, once it is signed or imported.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        match &self.stage {
            Stage::Running(contract) => Some(contract),
            _ => None,
        }
    }

    /// Whether it came from another system.
    #[must_use]
    pub fn is_migrated(&self) -> bool {
        matches!(self.origin, Origin::Migrated { .. })
    }

    /// Organisation that applied; unknown for a migrated award.
    #[must_use]
    pub fn applicant_organisation(&self) -> Option<&str> {
        match &self.origin {
            Origin::Applied { organisation, .. } => Some(organisation),
            Origin::Migrated { .. } => None,
        }
    }

    /// Rough size in memory, in bytes, for the cache's bound. An award of many parties is mostly their shares.
    pub(crate) fn weight(&self) -> usize {
        // The contract of a migrated award has the very shares of the project.
        let own_shares = |contract: &Contract| {
            let same = Arc::ptr_eq(&contract.allocations, &self.project.allocations);
            if same { 0 } else { contract.allocations.len() }
        };
        let of_contract = |contract: &Contract| {
            let balances = 128 * contract.balances.entries();
            512 + 256 * contract.tranches.len() + 192 * own_shares(contract) + balances
        };
        let contract = self.contract().map_or(0, of_contract);
        let shares = 192 * self.project.allocations.len();
        let held: usize = self.hold.causes.iter().map(|cause| 64 + hold::text_bytes(cause)).sum();
        let objections: usize = self.objections.iter().map(|known| 128 + known.grounds.len()).sum();
        let lists = 64 * self.jobs.len() + held + objections + 256 * self.overrides.len();
        let money = self.matching.weight() + self.facts.weight() + self.spending.weight();
        1024 + self.project.title.len() + contract + shares + lists + money
    }

    pub(crate) fn other_currency(&self, field: &str, given: Amount) -> Option<Broken> {
        rules::same_currency(field, given, self.currency)
    }

    /// Turns a ruling on this grant into an answer: A13 before it, the order of dates after it, and the rulebook of the
    /// award's terms beside it.
    pub(crate) fn conclude(
        &self,
        case: &Case<'_, '_>,
        hand: Hand,
        last_step_on: Date,
        ruling: Ruling,
    ) -> Result<Decision<FundEvent>, Stop> {
        let acts_for = party::acts_for(case, self, hand)?;
        let one_hand = rules::a13_one_hand(case.rulebook, self, hand, case.context, acts_for);
        let in_order = not_before(Some(last_step_on), case.context.effective_on);
        self.under_terms(case.conclude(one_hand, ruling, in_order))
    }

    /// Names the rulebook of the award's terms beside an answer, once there is a contract.
    pub(crate) fn under_terms(
        &self,
        answer: Result<Decision<FundEvent>, Stop>,
    ) -> Result<Decision<FundEvent>, Stop> {
        let Some(contract) = self.contract() else {
            return answer;
        };
        match answer {
            Ok(decision) => Ok(decision.under_terms(&contract.terms_rulebook)),
            Err(Stop::Refused(mut refusal)) => {
                refusal.terms_rulebook = Some(contract.terms_rulebook.clone());
                Err(Stop::Refused(refusal))
            }
            need @ Err(Stop::Need(_)) => need,
        }
    }

    /// Folds an event: its own, or one of another grant or a recovery that moves its money.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        self.books.post(self.id, self.project.lead.party, event);
        self.facts.apply(event, meta);
        self.matching.apply(&self.facts, event, meta);
        self.spending.apply(event, meta);
        match event {
            FundEvent::GrantRecommended { .. }
            | FundEvent::GrantAdmitted { .. }
            | FundEvent::GrantReviewed { .. }
            | FundEvent::NoticePublished { .. }
            | FundEvent::GrantApproved { .. }
            | FundEvent::GrantRejected { .. }
            | FundEvent::GrantWithdrawn { .. }
            | FundEvent::ContractSigned { .. } => {
                let stage = std::mem::replace(&mut self.stage, Stage::Applied);
                self.stage = stage.after(event, meta.effective_on);
                self.last_step_on = meta.effective_on;
            }
            FundEvent::PayeeVerified { account, .. } => self.payee = Some(account.clone()),
            FundEvent::BackingNamed { agreement, .. } => self.backing = Some(*agreement),
            FundEvent::GrantHeld { .. }
            | FundEvent::HoldCauseCleared { .. }
            | FundEvent::GrantResumed { .. } => self.hold.apply(event, meta.effective_on),
            FundEvent::ObjectionRaised { .. } | FundEvent::ObjectionRejected { .. } => {
                objection::apply(&mut self.objections, event, meta.effective_on);
            }
            FundEvent::ObjectionUpheld { .. } => {
                objection::apply(&mut self.objections, event, meta.effective_on);
                let stage = std::mem::replace(&mut self.stage, Stage::Applied);
                self.stage = stage.after(event, meta.effective_on);
                self.last_step_on = meta.effective_on;
            }
            FundEvent::OverrideRecorded { .. } => {
                overriding::apply(&mut self.overrides, event, meta.effective_on);
            }
            FundEvent::RecoveryDetermined { recovery, .. } => {
                self.recoveries.push(*recovery);
                if let Stage::Running(contract) = &mut self.stage {
                    closing::apply(contract, event);
                }
            }
            // Of this grant's recovery, against a tranche of another one.
            FundEvent::RecoveryOffset { against, .. } if *against != self.id => {}
            _ => {
                if let Stage::Running(contract) = &mut self.stage {
                    tranche::apply(contract, event, meta.effective_on);
                    amendment::apply(contract, event, meta.effective_on);
                    midterm::apply(contract, event);
                    closing::apply(contract, event);
                    balance::apply(self.id, contract, event);
                }
                if is_step_of_contract(event) {
                    self.last_step_on = meta.effective_on;
                }
            }
        }
        self.note_job(event, meta);
    }

    /// Remembers who did what, each once.
    fn note_job(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        let Some(duty) = duty_done(event) else { return };
        let known = self.jobs.iter().any(|job| job.duty == duty && same_person(&job.person, meta.actor));
        if !known {
            self.jobs.push(Job { duty, person: meta.actor.to_owned() });
        }
    }
}

/// Whether an event is a step of a contracted grant itself. Its payments, its balances and its hold have steps of their own.
fn is_step_of_contract(event: &FundEvent) -> bool {
    matches!(
        event,
        FundEvent::ContractAmended { .. }
            | FundEvent::ProjectExtended { .. }
            | FundEvent::MidtermChecked { .. }
            | FundEvent::CompletionReported { .. }
            | FundEvent::FinalAcceptanceConcluded { .. }
            | FundEvent::GrantClosed { .. }
            | FundEvent::GrantEvaluated { .. }
            | FundEvent::GrantTerminated { .. }
            | FundEvent::GrantCancelled { .. }
    )
}

/// The job that somebody did, as the event shows.
fn duty_done(event: &FundEvent) -> Option<Duty> {
    Some(match event {
        FundEvent::GrantRecommended { .. } => Duty::Recommend,
        FundEvent::GrantAdmitted { .. } => Duty::Admit,
        FundEvent::GrantReviewed { .. } => Duty::Review,
        FundEvent::NoticePublished { .. } => Duty::Publish,
        FundEvent::GrantApproved { .. } => Duty::Approve,
        FundEvent::ContractSigned { .. } => Duty::Contract,
        FundEvent::PayeeVerified { .. } => Duty::VerifyPayee,
        FundEvent::TrancheRequested { .. } => Duty::Request,
        FundEvent::TrancheAuthorised { .. } => Duty::Authorise,
        FundEvent::TrancheInstructed { .. } => Duty::Instruct,
        FundEvent::TrancheSettled { .. } | FundEvent::PaymentReturned { .. } => Duty::Settle,
        FundEvent::AwardImported { .. } => Duty::Import,
        _ => return None,
    })
}

impl Stage {
    /// The stage after a step. A step that does not follow from this stage leaves it: `decide` makes none such.
    fn after(self, event: &FundEvent, on: Date) -> Self {
        match (event, self) {
            (FundEvent::GrantApproved { amount_minor, minutes, .. }, Self::OnNotice(notice)) => {
                Self::Approved(Approval { notice, amount_minor: *amount_minor, minutes: minutes.clone() })
            }
            (FundEvent::ContractSigned { .. }, Self::Approved(approval)) => {
                contract::signed(approval, event, on)
            }
            (_, stage) => procedure::after(stage, event),
        }
    }

    /// The recommendation, at its stage and all later ones.
    #[must_use]
    pub fn recommendation(&self) -> Option<&Recommendation> {
        match self {
            Self::Recommended(recommendation) | Self::Admitted(recommendation) => Some(recommendation),
            _ => self.review().map(|review| &review.recommendation),
        }
    }

    /// The review, at its stage and all later ones.
    #[must_use]
    pub fn review(&self) -> Option<&Review> {
        match self {
            Self::Reviewed(review) => Some(review),
            _ => self.notice().map(|notice| &notice.review),
        }
    }

    /// The notice, at its stage and all later ones.
    #[must_use]
    pub fn notice(&self) -> Option<&Notice> {
        match self {
            Self::OnNotice(notice) => Some(notice),
            _ => self.approval().map(|approval| &approval.notice),
        }
    }

    /// The approval, at its stage and all later ones. A migrated award has none here.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved(approval) => Some(approval),
            Self::Running(contract) => contract.approval(),
            _ => None,
        }
    }

    /// Stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.words().0
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(&self) -> &'static str {
        self.words().1
    }

    /// What can be done next, in English and in Chinese.
    #[must_use]
    pub fn next(&self) -> (&'static str, &'static str) {
        (self.words().2, self.words().3)
    }

    fn words(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Applied => ("applied", "已申报", "Next: recommend it", "下一步：推荐"),
            Self::Recommended(_) => ("recommended", "已推荐", "Next: admit it", "下一步：受理"),
            Self::Admitted(_) => ("admitted", "已受理", "Next: review it", "下一步：评审"),
            Self::Reviewed(_) => ("reviewed", "已评审", "Next: publish the notice", "下一步：公示"),
            Self::OnNotice(_) => {
                ("on_notice", "公示中", "Next: approve it when the notice is over", "下一步：公示期满后立项")
            }
            Self::Approved(_) => ("approved", "已立项", "Next: sign the contract", "下一步：签订任务书"),
            Self::Running(contract) => contract.progress.words(),
            Self::Rejected(_) => {
                ("rejected", "不予立项", "It has ended; file a new application", "该项目已终结，请另行申报")
            }
            Self::Withdrawn(_) => {
                ("withdrawn", "已撤回", "It has ended; file a new application", "该项目已终结，请另行申报")
            }
        }
    }
}
