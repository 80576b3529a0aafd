//! Visits 互访: the smallest whole service, and the one that CONTRIBUTING.md walks through.
//!
//! | file | what it holds |
//! |---|---|
//! | [`events`] | the events of the log |
//! | [`visit`] | the life of a visit, from top to bottom |
//! | `refusal` | what a refusal says, in English and in Chinese |
//! | `wire` | from a request to a command, and from a state to an answer |
//! | `service` | the gRPC service, one line an RPC |
//!
//! [`start`] serves them. [`Visits`] ties them to the chassis.

pub mod events;
mod refusal;
mod service;
mod start;
pub mod visit;
mod wire;

pub use start::start;

/// `concord.visit.v1`, as the service's own proto has it.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated code; the proto carries the documentation"
)]
pub mod proto {
    tonic::include_proto!("concord.visit.v1");
}

use concord_chassis::{
    deciding::{Case, dated},
    log::{Context, Decision, Domain, Meta, Stop, View},
    reference::Tables,
};
use concord_kernel::{Date, event::StreamId};
use events::{VisitEvent, VisitId};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use visit::{Visit, VisitCommand};

/// The service as a process: settings from flags and environment, until SIGTERM or Ctrl-C.
#[must_use]
pub fn run() -> ExitCode {
    concord_chassis::service::main(Visits::LOG, |settings, shutdown| async move {
        start(&settings, shutdown).await
    })
}

/// The domain, with the tables that it decides by.
#[derive(Debug, Clone)]
pub struct Visits {
    tables: Tables,
}

/// What is asked of the service: a visit, and what of it. Its JSON is stored with the answer, so its names are permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command(pub VisitId, pub VisitCommand);

impl Visits {
    /// The domain under these tables.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self { tables }
    }
}

impl Domain for Visits {
    const LOG: &'static str = "visit";
    const FOLD: &'static str = "1";
    type Event = VisitEvent;
    type State = Visit;
    type Command = Command;

    fn targets(Command(visit, _): &Command) -> Vec<StreamId> {
        vec![visit.stream()]
    }

    fn kind(_: &Visit) -> &'static str {
        VisitId::KIND
    }

    fn decide(
        &self,
        view: &View<'_, Visit>,
        Command(id, command): &Command,
        context: &Context<'_>,
    ) -> Result<Decision<VisitEvent>, Stop> {
        let case = Case::open(view, context, &self.tables, context.effective_on)?;
        case.well_formed([dated(Some(case.rulebook.back_dating.days), context)])?;
        visit::decide(&case, *id, command)
    }

    fn apply(state: &mut Option<Visit>, _: StreamId, event: &VisitEvent, meta: &Meta<'_>) {
        match state {
            Some(visit) => visit.apply(event, meta),
            None => *state = Visit::opened_by(event, meta),
        }
    }

    fn weight(visit: &Visit) -> usize {
        512 + visit.arranged.purpose.len()
    }

    fn rulebook(&self, on: Date) -> Result<&str, String> {
        let rulebook = self.tables.rulebooks.at(on);
        rulebook.map(|rulebook| rulebook.version.as_str()).map_err(|none| none.to_string())
    }

    fn error_domain() -> &'static str {
        "concord.visit"
    }
}
