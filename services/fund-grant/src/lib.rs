//! The guiding fund 专项引导资金: yearly programmes, and grants in the non-repayable mode.
//!
//! Read in this order:
//!
//! | file | what it holds |
//! |---|---|
//! | [`programme`] | a programme's money: the smallest lifecycle, from top to bottom |
//! | [`backing`] | the agreements that grants rest on, as the agreement log has them |
//! | [`party`] | who is who: the directory of parties as the agreement log has it, and for whom an organisation acts |
//! | [`follow`] | how the fund reacts to the agreement log |
//! | [`grant`] | a grant's stages; its folder has one file for each part of its life |
//! | [`invoice`] | what spending takes of an invoice, over all grants |
//! | [`recovery`] | money that is claimed back, a life of its own |
//! | [`rectification`] | what is done about a finding |
//! | [`party_file`] | what is kept of a lead over all its grants |
//! | [`rules`] | the audit rules that stop a command, one function each |
//! | `refusal` | what a refusal says, in English and in Chinese |
//! | `view` | what a decision sees |
//! | [`wire`] | from a request to a command, and from a state to an answer |
//! | [`service`] | the gRPC services |
//!
//! [`start`] serves them. [`Fund`] ties them to the chassis: it decides on the states, and it folds an event into each
//! state that it is applied to. Both are pure; what the law leaves open comes from the rulebook in force on the day of the act.

pub mod backing;
pub mod follow;
pub mod grant;
pub mod invoice;
pub mod party;
pub mod party_file;
pub mod programme;
pub mod recovery;
pub mod rectification;
mod refusal;
pub mod rules;
pub mod service;
mod start;
mod view;
pub mod wire;

pub use start::start;

use backing::{Backing, BackingCommand};
use concord_chassis::{
    deciding::content_hash,
    log::{Context, Decision, Domain, Meta, Stop, View},
    reference::Tables,
};
use concord_events::fund::FundEvent;
use concord_kernel::{
    Date,
    event::StreamId,
    id::{
        ActingOrganisationId, AgreementId, BackingId, GrantId, InvoiceId, PartyFileId, PartyRecordId,
        ProgrammeId, RecoveryId, RectificationId,
    },
    party::PartyId,
    region::Regions,
};
use grant::{
    Grant, GrantCommand, approval::Meeting, matching::MatchingCommand, procedure, spending::SpendingCommand,
    tranche::TrancheCommand,
};
use invoice::Invoice;
use party::{ActingOrganisation, PartyCommand, PartyRecord};
use party_file::PartyFile;
use programme::{Programme, ProgrammeCommand};
use recovery::{Recovery, RecoveryAct, RecoveryCommand};
use rectification::{Rectification, RectificationCommand};
use rules::BackDating;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use view::Case;

/// The service as a process: settings from flags and environment, until SIGTERM or Ctrl-C.
#[must_use]
pub fn run() -> ExitCode {
    concord_chassis::service::main(
        Fund::LOG,
        |settings, shutdown| async move { start(&settings, shutdown).await },
    )
}

/// The domain, with the tables that it decides by.
#[derive(Debug, Clone)]
pub struct Fund {
    tables: Tables,
}

/// The state of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A programme.
    Programme(Box<Programme>),
    /// A grant.
    Grant(Box<Grant>),
    /// An agreement that backs grants.
    Backing(Box<Backing>),
    /// An invoice that spending takes of.
    Invoice(Box<Invoice>),
    /// A recovery.
    Recovery(Box<Recovery>),
    /// A rectification.
    Rectification(Box<Rectification>),
    /// What is kept of a lead.
    PartyFile(Box<PartyFile>),
    /// What the directory says of a party.
    PartyRecord(Box<PartyRecord>),
    /// Whom an organisation stands for by record.
    ActingOrganisation(ActingOrganisation),
}

/// What is asked of the fund. Its JSON is stored with the answer, so its names are permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Of one programme.
    Programme(ProgrammeId, ProgrammeCommand),
    /// Of one grant.
    Grant(GrantId, GrantCommand),
    /// One meeting's approvals, all or none.
    Approve(Meeting),
    /// About an agreement that backs grants.
    Backing(AgreementId, BackingCommand),
    /// Of one recovery.
    Recovery(RecoveryId, RecoveryCommand),
    /// Of one rectification.
    Rectification(RectificationId, RectificationCommand),
    /// About a party, as the directory has it.
    Party(PartyId, PartyCommand),
}

impl State {
    fn programme(&self) -> Option<&Programme> {
        match self {
            Self::Programme(programme) => Some(programme),
            _ => None,
        }
    }

    fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Grant(grant) => Some(grant),
            _ => None,
        }
    }

    fn backing(&self) -> Option<&Backing> {
        match self {
            Self::Backing(backing) => Some(backing),
            _ => None,
        }
    }

    fn invoice(&self) -> Option<&Invoice> {
        match self {
            Self::Invoice(invoice) => Some(invoice),
            _ => None,
        }
    }

    fn recovery(&self) -> Option<&Recovery> {
        match self {
            Self::Recovery(recovery) => Some(recovery),
            _ => None,
        }
    }

    fn rectification(&self) -> Option<&Rectification> {
        match self {
            Self::Rectification(rectification) => Some(rectification),
            _ => None,
        }
    }

    fn party_file(&self) -> Option<&PartyFile> {
        match self {
            Self::PartyFile(file) => Some(file),
            _ => None,
        }
    }

    fn party_record(&self) -> Option<&PartyRecord> {
        match self {
            Self::PartyRecord(record) => Some(record),
            _ => None,
        }
    }

    fn acting_organisation(&self) -> Option<&ActingOrganisation> {
        match self {
            Self::ActingOrganisation(organisation) => Some(organisation),
            _ => None,
        }
    }
}

impl Fund {
    /// The fund under these tables.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// The fund under the tables that are shipped.
    #[must_use]
    pub fn shipped() -> Self {
        Self::new(Tables::shipped())
    }

    /// The table of regions, for the edge: a code is checked on the date of the fact.
    #[must_use]
    pub fn regions(&self) -> &Regions {
        &self.tables.regions
    }
}

impl Domain for Fund {
    const LOG: &'static str = "fund-grant";
    const FOLD: &'static str = "10";
    // An invoice's id follows from its normal form since 2.
    const SUBJECTS: &'static str = "2";
    type Event = FundEvent;
    type State = State;
    type Command = Command;

    fn targets(command: &Command) -> Vec<StreamId> {
        match command {
            Command::Programme(programme, _) => vec![programme.stream()],
            Command::Grant(grant, _) => vec![grant.stream()],
            Command::Approve(meeting) => meeting.awards.iter().map(|award| award.grant.stream()).collect(),
            Command::Backing(agreement, _) => vec![BackingId::of(*agreement).stream()],
            Command::Recovery(recovery, _) => vec![recovery.stream()],
            // However its key is written.
            Command::Rectification(_, RectificationCommand::Assign(charge)) => {
                vec![rectification::id_of(&charge.finding).stream()]
            }
            Command::Rectification(rectification, _) => vec![rectification.stream()],
            Command::Party(party, _) => vec![PartyRecordId::of(*party).stream()],
        }
    }

    fn kind(state: &State) -> &'static str {
        match state {
            State::Programme(_) => ProgrammeId::KIND,
            State::Grant(_) => GrantId::KIND,
            State::Backing(_) => BackingId::KIND,
            State::Invoice(_) => InvoiceId::KIND,
            State::Recovery(_) => RecoveryId::KIND,
            State::Rectification(_) => RectificationId::KIND,
            State::PartyFile(_) => PartyFileId::KIND,
            State::PartyRecord(_) => PartyRecordId::KIND,
            State::ActingOrganisation(_) => ActingOrganisationId::KIND,
        }
    }

    fn decide(
        &self,
        view: &View<'_, State>,
        command: &Command,
        context: &Context<'_>,
    ) -> Result<Decision<FundEvent>, Stop> {
        let decided_on = Self::decided_on(command, context.effective_on, context.today);
        let case = Case::open(view, context, &self.tables, decided_on)?;
        case.well_formed([rules::dated(back_dating(command), case.rulebook, context)])?;
        match command {
            Command::Programme(id, command) => programme::decide(&case, *id, command),
            Command::Grant(id, command) => grant::decide(&case, *id, command),
            Command::Approve(meeting) => grant::approval::decide(&case, meeting),
            Command::Backing(agreement, command) => backing::decide(&case, *agreement, command),
            Command::Recovery(id, command) => recovery::decide(&case, *id, command),
            Command::Rectification(id, command) => rectification::decide(&case, *id, command),
            Command::Party(id, command) => party::decide(&case, *id, command),
        }
    }

    fn apply(state: &mut Option<State>, of: StreamId, event: &FundEvent, meta: &Meta<'_>) {
        match state {
            Some(State::Programme(programme)) => programme.apply(event),
            Some(State::Grant(grant)) => grant.apply(event, meta),
            Some(State::Backing(backing)) => backing.apply(event, meta),
            Some(State::Invoice(invoice)) => invoice.apply(event),
            Some(State::Recovery(recovery)) => recovery.apply(event, meta),
            Some(State::Rectification(rectification)) => rectification.apply(event, meta),
            Some(State::PartyFile(file)) => file.apply(event, meta),
            Some(State::PartyRecord(record)) => record.apply(event),
            Some(State::ActingOrganisation(organisation)) => organisation.apply(event),
            None => *state = opened_by(of, event, meta),
        }
    }

    fn weight(state: &State) -> usize {
        match state {
            State::Programme(programme) => {
                512 + 64 * (programme.taken_by_region_minor.len() + programme.region_limits_minor.len())
            }
            State::Grant(grant) => grant.weight(),
            State::Backing(backing) => 512 + 128 * backing.parties.len() + 24 * backing.dependents.len(),
            State::Invoice(invoice) => 256 + invoice.issuer.len() + invoice.number.len(),
            State::Recovery(recovery) => {
                let appealed = recovery.appeal.as_ref().map_or(0, |appeal| 2 * appeal.grounds.len());
                1024 + 64 * recovery.takes.len() + 128 * recovery.receipts.len() + appealed
            }
            State::Rectification(rectification) => {
                let explained = rectification.explanation.as_ref().map_or(0, String::len);
                1024 + rectification.charge.task.len() + explained
            }
            State::PartyFile(file) => file.weight(),
            State::PartyRecord(record) => record.weight(),
            State::ActingOrganisation(organisation) => organisation.weight(),
        }
    }

    /// A migrated award is history, and taking it in is decided now.
    fn decided_on(command: &Command, effective_on: Date, today: Date) -> Date {
        match command {
            Command::Grant(_, GrantCommand::Import(_)) => today,
            _ => effective_on,
        }
    }

    fn rulebook(&self, on: Date) -> Result<&str, String> {
        self.tables
            .rulebooks
            .at(on)
            .map(|rulebook| rulebook.version.as_str())
            .map_err(|none| none.to_string())
    }

    fn error_domain() -> &'static str {
        "concord.fund"
    }
}

/// The aggregate that an event opens, if it is this one. Beside its own stream an imported award opens its programme where that
/// was not, the first grant of a lead its file, spending its invoice, and a change of the directory what it says of another party
/// or of an organisation.
fn opened_by(of: StreamId, event: &FundEvent, meta: &Meta<'_>) -> Option<State> {
    match of.kind {
        ProgrammeId::KIND => {
            Programme::opened_by(event, meta).map(|opened| State::Programme(Box::new(opened)))
        }
        GrantId::KIND => Grant::opened_by(event, meta)
            .filter(|opened| opened.id.0 == of.id)
            .map(|opened| State::Grant(Box::new(opened))),
        BackingId::KIND => Backing::opened_by(event, meta)
            .filter(|opened| BackingId::of(opened.agreement).0 == of.id)
            .map(|opened| State::Backing(Box::new(opened))),
        InvoiceId::KIND => Invoice::opened_by(event).map(|opened| State::Invoice(Box::new(opened))),
        RecoveryId::KIND => Recovery::opened_by(event, meta).map(|opened| State::Recovery(Box::new(opened))),
        PartyRecordId::KIND => {
            PartyRecord::opened_by(of.id, event).map(|opened| State::PartyRecord(Box::new(opened)))
        }
        ActingOrganisationId::KIND => {
            ActingOrganisation::opened_by(of.id, event).map(State::ActingOrganisation)
        }
        RectificationId::KIND => {
            Rectification::opened_by(event, meta).map(|opened| State::Rectification(Box::new(opened)))
        }
        PartyFileId::KIND => {
            PartyFile::opened_by(event, meta).map(|opened| State::PartyFile(Box::new(opened)))
        }
        _ => None,
    }
}

/// How far back a command may be dated: acts that move money less far than acts of procedure, imports as far as history
/// goes.
fn back_dating(command: &Command) -> BackDating {
    use TrancheCommand::{Instruct, Return, Settle};
    match command {
        Command::Programme(_, ProgrammeCommand::SetSubLimit { .. }) => BackDating::Procedure,
        Command::Programme(..) => BackDating::Money,
        // What is pledged, released or reported moves nothing yet.
        Command::Grant(
            _,
            GrantCommand::Tranche(_, Instruct { .. } | Settle { .. } | Return { .. })
            | GrantCommand::Matching(_, MatchingCommand::RecordArrival { .. })
            | GrantCommand::TransferShare(_)
            | GrantCommand::Spending(_, SpendingCommand::Accept | SpendingCommand::Disallow { .. })
            | GrantCommand::Balance(_),
        ) => BackDating::Money,
        Command::Recovery(_, RecoveryCommand::Act(act)) => match act {
            RecoveryAct::Demand { .. } | RecoveryAct::Appeal { .. } | RecoveryAct::Uphold { .. } => {
                BackDating::Procedure
            }
            RecoveryAct::Overturn { .. }
            | RecoveryAct::Repay { .. }
            | RecoveryAct::Offset { .. }
            | RecoveryAct::WriteOff { .. } => BackDating::Money,
        },
        Command::Recovery(_, RecoveryCommand::Determine(_)) => BackDating::Money,
        Command::Grant(_, GrantCommand::Procedure(procedure::ProcedureCommand::PublishNotice { .. })) => {
            BackDating::Notice
        }
        Command::Grant(_, GrantCommand::Import(_)) | Command::Backing(..) | Command::Party(..) => {
            BackDating::Unlimited
        }
        Command::Grant(..) | Command::Approve(_) | Command::Rectification(..) => BackDating::Procedure,
    }
}
