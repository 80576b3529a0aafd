//! Agreements 协议 between industry, universities and research, and the directory of the parties 主体 to them.
//!
//! Read in this order:
//!
//! | file | what it holds |
//! |---|---|
//! | [`agreement`] | the life of an agreement, with its diagram; its folder has one file for each part |
//! | [`party`] | the directory: one legal person, the codes it ever had, its registers, mergers and control links |
//! | [`rules`] | the rules that stop a command, one function each |
//! | [`bounds`] | how much one command may carry |
//! | `refusal` | what a refusal says, in English and in Chinese |
//! | `view` | what a decision sees |
//! | [`wire`] | from a request to a command, and from a state to an answer |
//! | [`service`] | the gRPC services |
//!
//! [`start`] serves them. [`Agreements`] ties them to the chassis: it decides on the states, and it folds an event into each state that it is
//! applied to. Both are pure; what the law leaves open comes from the rulebook in force on the day of the act.

pub mod agreement;
pub mod bounds;
pub mod party;
mod refusal;
pub mod rules;
pub mod service;
mod start;
mod view;
pub mod wire;

pub use start::start;

use agreement::{Agreement, AgreementCommand};
use concord_chassis::{
    log::{Context, Decision, Domain, Meta, Stop, View},
    reference::Tables,
};
use concord_events::agreement::AgreementEvent;
use concord_kernel::{
    Date,
    event::StreamId,
    id::AgreementId,
    party::{PartyCodeId, PartyId},
};
use party::{Code, Party, PartyCommand};
use rules::BackDating;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use view::Case;

/// The service as a process: settings from flags and environment, until SIGTERM or Ctrl-C.
#[must_use]
pub fn run() -> ExitCode {
    concord_chassis::service::main(Agreements::LOG, |settings, shutdown| async move {
        start(&settings, shutdown).await
    })
}

/// The domain, with the tables that it decides by.
#[derive(Debug, Clone)]
pub struct Agreements {
    tables: Tables,
}

/// The state of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An agreement.
    Agreement(Box<Agreement>),
    /// A legal person.
    Party(Box<Party>),
    /// Whose a code is, under [`PartyCodeId`](concord_kernel::party::PartyCodeId).
    Code(Code),
}

impl State {
    fn agreement(&self) -> Option<&Agreement> {
        match self {
            Self::Agreement(agreement) => Some(agreement),
            Self::Party(_) | Self::Code(_) => None,
        }
    }

    fn party(&self) -> Option<&Party> {
        match self {
            Self::Party(party) => Some(party),
            Self::Agreement(_) | Self::Code(_) => None,
        }
    }

    fn code(&self) -> Option<&Code> {
        match self {
            Self::Code(code) => Some(code),
            Self::Agreement(_) | Self::Party(_) => None,
        }
    }
}

/// What is asked of the service. Its JSON is stored with the answer, so its names are permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Of one agreement.
    Agreement(AgreementId, AgreementCommand),
    /// Of one party. To record it, [`PartyId::of`] its code.
    Party(PartyId, PartyCommand),
}

impl Agreements {
    /// The domain under these tables.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// The domain under the tables that are shipped.
    #[must_use]
    pub fn shipped() -> Self {
        Self::new(Tables::shipped())
    }
}

impl Domain for Agreements {
    const LOG: &'static str = "agreement";
    const FOLD: &'static str = "3";
    // `CN-USCI` is read as `CN-USCC` since 2.
    const SUBJECTS: &'static str = "2";
    type Event = AgreementEvent;
    type State = State;
    type Command = Command;

    fn targets(command: &Command) -> Vec<StreamId> {
        match command {
            Command::Agreement(agreement, _) => vec![agreement.stream()],
            Command::Party(party, _) => vec![party.stream()],
        }
    }

    fn kind(state: &State) -> &'static str {
        match state {
            State::Agreement(_) => AgreementId::KIND,
            State::Party(_) => PartyId::KIND,
            State::Code(_) => PartyCodeId::KIND,
        }
    }

    fn decide(
        &self,
        view: &View<'_, State>,
        command: &Command,
        context: &Context<'_>,
    ) -> Result<Decision<AgreementEvent>, Stop> {
        let decided_on = Self::decided_on(command, context.effective_on, context.today);
        let case = Case::open(view, context, &self.tables, decided_on)?;
        case.well_formed(rules::dated(back_dating(command), case.rulebook, context))?;
        match command {
            Command::Agreement(id, command) => agreement::decide(&case, *id, command),
            Command::Party(id, command) => party::decide(&case, *id, command),
        }
    }

    fn apply(state: &mut Option<State>, of: StreamId, event: &AgreementEvent, meta: &Meta<'_>) {
        match state {
            Some(State::Agreement(agreement)) => agreement.apply(event, meta),
            Some(State::Party(party)) => party.apply(event),
            // Whose a code is never changes.
            Some(State::Code(_)) => {}
            None => *state = opened_by(of, event, meta),
        }
    }

    fn weight(state: &State) -> usize {
        match state {
            State::Agreement(agreement) => {
                let obligations: usize =
                    agreement.versions.iter().map(|version| version.obligations.len()).sum();
                let signatures: usize =
                    agreement.versions.iter().map(|version| version.signatures.len()).sum();
                let items: usize =
                    agreement.meetings.values().map(|meeting| 1 + meeting.action_items.len()).sum();
                1024 + 384 * (agreement.parties.len() + obligations + items)
                    + 256 * (signatures + agreement.fulfilled.len() + agreement.versions.len())
            }
            State::Party(party) => {
                512 + 128
                    * (party.codes.len()
                        + party.names.len()
                        + party.kinds.len()
                        + party.regions.len()
                        + party.control_links.len()
                        + 2 * party.representations.len()
                        + party.absorbed.len())
            }
            State::Code(_) => 192,
        }
    }

    /// A party is a fact however old, and taking it in is decided now.
    fn decided_on(command: &Command, effective_on: Date, today: Date) -> Date {
        match command {
            Command::Agreement(..) => effective_on,
            Command::Party(..) => today,
        }
    }

    fn rulebook(&self, on: Date) -> Result<&str, String> {
        let rulebook = self.tables.rulebooks.at(on);
        rulebook.map(|rulebook| rulebook.version.as_str()).map_err(|none| none.to_string())
    }

    fn error_domain() -> &'static str {
        "concord.agreement"
    }
}

/// The aggregate that an event opens, if it is this one: an agreement, a party, or whose a code is.
fn opened_by(of: StreamId, event: &AgreementEvent, meta: &Meta<'_>) -> Option<State> {
    match of.kind {
        AgreementId::KIND => {
            Agreement::opened_by(event, meta).map(|opened| State::Agreement(Box::new(opened)))
        }
        PartyId::KIND => Party::opened_by(event, meta)
            .filter(|party| party.id.0 == of.id)
            .map(|party| State::Party(Box::new(party))),
        PartyCodeId::KIND => Code::opened_by(event, meta).map(State::Code),
        _ => None,
    }
}

/// How far back a command may be dated: the directory takes in facts as old as they are.
fn back_dating(command: &Command) -> BackDating {
    match command {
        Command::Agreement(..) => BackDating::Procedure,
        Command::Party(..) => BackDating::Unlimited,
    }
}
