//! The log as it is read: every event goes to each part of the check.

use std::sync::Arc;

use concord_chassis::record::{LogEvent, Recorded};
use concord_events::agreement::AgreementEvent;
use concord_events::fund::FundEvent;
use concord_kernel::Date;
use concord_proto::log::v1::ReadLogRequest;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use tokio::sync::mpsc;
use tonic::Code;

use super::faults::{Faults, Rule};
use super::holds::Holds;
use super::ledger::Ledger;
use super::limits::Limits;
use super::order::Order;
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::progress::Progress;

/// Some consecutive events, shared by the parts of the check.
pub(super) type Chunk = Arc<Vec<Recorded>>;
/// What brings a part the events.
pub(super) type Feed = mpsc::Sender<Chunk>;

/// What the events of a log mean beyond their order, and must keep to at every position.
pub(super) trait Meaning: Default {
    /// The log's events.
    type Event: LogEvent;

    /// Takes the next event in, and when it happened.
    fn take(&mut self, position: u64, effective_on: Date, event: &Self::Event, faults: &mut Faults);
}

/// Of the fund: money, and the limits of programmes.
#[derive(Default)]
pub(super) struct Books {
    pub(super) ledger: Ledger,
    limits: Limits,
    holds: Holds,
}

impl Meaning for Books {
    type Event = FundEvent;

    fn take(&mut self, position: u64, effective_on: Date, event: &FundEvent, faults: &mut Faults) {
        self.ledger.take(position, event, faults);
        self.limits.take(position, event, faults);
        self.holds.take(position, effective_on, event, faults);
    }
}

/// Of agreements: no money moves, and nothing is summed.
#[derive(Default)]
pub(super) struct NoBooks;

impl Meaning for NoBooks {
    type Event = AgreementEvent;

    fn take(&mut self, _: u64, _: Date, _: &AgreementEvent, _: &mut Faults) {}
}

/// The log as it is read, and what is checked on the way.
pub(super) struct Reading<M> {
    pub(super) order: Order,
    pub(super) meaning: M,
    /// Events read.
    pub(super) events: u64,
}

impl<M: Meaning> Reading<M> {
    /// Nothing read yet of this log, `/concord/<cell>/<log>`, in this generation.
    pub(super) fn of(log: String, generation: u32) -> Self {
        Self { order: Order::of(log, generation), meaning: M::default(), events: 0 }
    }

    /// Reads the log up to `head`, checks it, and hands it on.
    pub(super) async fn read(
        &mut self,
        client: &mut LogServiceClient<Stamped>,
        head: u64,
        feeds: &[Feed],
        faults: &mut Faults,
    ) -> Result<(), CliError> {
        // An empty log has no positions to ask for; what the service would send is newer.
        if head == 0 {
            return Ok(());
        }
        let mut progress = Progress::new("events", head);
        let request = ReadLogRequest { from_position: 1, to_position: head };
        let mut chunks = client.read_log(request).await?.into_inner();
        loop {
            let chunk = match chunks.message().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // Its end is lost, as the head that was not reached will tell.
                Err(status) if status.code() == Code::DataLoss => break,
                Err(status) => return Err(status.into()),
            };
            let events = chunk.events.into_iter();
            let events: Vec<Recorded> =
                events.map(|event| Recorded { position: event.position, bytes: event.cloud_event }).collect();
            let events = Arc::new(events);
            for feed in feeds {
                // A part that has ended early has said why.
                let _ = feed.send(Arc::clone(&events)).await;
            }
            for recorded in events.iter() {
                self.take(recorded, faults);
                progress.step();
            }
        }
        progress.finish();
        if self.order.last != head {
            let found = format!("its end at {}", self.order.last);
            faults.add(Rule::LogEndsEarly, self.order.last + 1, format!("events up to {head}"), found);
        }
        Ok(())
    }

    fn take(&mut self, recorded: &Recorded, faults: &mut Faults) {
        self.events += 1;
        if let Some((effective_on, event)) = self.order.take(recorded, faults) {
            self.meaning.take(recorded.position, effective_on, &event, faults);
        }
    }
}
