//! What the sections share: the servers, the supply of grants, and how a load on them is measured.

use crate::awards;
use crate::client::{self, Client};
use crate::cluster::Cluster;
use crate::figures::Round;
use crate::load::{Lanes, Measured, Plan};
use crate::logs::Logs;
use crate::options::Options;
use crate::process::processor_time;
use crate::services::{Audit, Fund, Nats};
use crate::supply::Supply;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// In flight on one connection: with more, HTTP/2's one writer a connection holds them up.
const IN_FLIGHT_PER_CONNECTION: usize = 128;
/// Connections at most: the system calls of more cost more than they bring. On two cores, with 256 in flight, one, two
/// and four gave 45, 50 and 41 thousand commands a second.
const CONNECTIONS_MAX: usize = 2;

/// The whole system, with nothing in it at first.
pub(crate) struct Bench {
    pub(crate) options: Options,
    // Dropped in this order: a service before the servers that it uses.
    pub(crate) logs: Option<Logs>,
    pub(crate) audit: Audit,
    pub(crate) fund: Fund,
    pub(crate) nats: Nats,
    pub(crate) cluster: Cluster,
    pub(crate) supply: Supply,
    /// Commands a second that a load may reach, by its name: how much is prepared for it.
    expected: BTreeMap<String, f64>,
}

impl Bench {
    /// Starts it all in `scratch`.
    pub(crate) async fn start(options: Options, scratch: &Path) -> Result<Self> {
        let supply = Supply::new(awards::read(&options)?);
        let cluster = Cluster::start(&options, scratch).await?;
        let nats = Nats::start(&options, scratch).await?;
        for database in ["fund_grant", "funding_audit", "rows", "cqrs_es"] {
            cluster.create(database).await?;
        }
        let fund = Fund::start(&options, &cluster.url("fund_grant"), nats.url(), "fund-grant").await?;
        let audit =
            Audit::start(&options, &cluster.url("funding_audit"), nats.url(), &fund, "funding-audit").await?;
        Ok(Self { options, logs: None, audit, fund, nats, cluster, supply, expected: BTreeMap::new() })
    }

    /// The small and the large log, made when they are first wanted. They are to be put back.
    pub(crate) async fn take_logs(&mut self, round: &mut Round) -> Result<Logs> {
        match self.logs.take() {
            Some(logs) => Ok(logs),
            None => Logs::make(self, round).await,
        }
    }

    /// Connections for so many commands in flight.
    pub(crate) async fn clients(&self, in_flight: usize) -> Result<Vec<Client>> {
        let count = self
            .options
            .connections
            .unwrap_or(in_flight.div_ceil(IN_FLIGHT_PER_CONNECTION).min(CONNECTIONS_MAX));
        client::connect(self.fund.address(), count.min(in_flight)).await
    }

    /// A load of the usual length on these connections.
    pub(crate) fn plan<'a>(&self, clients: &'a [Client]) -> Plan<'a> {
        Plan { clients, warm_up: self.options.warm_up(), window: self.options.window() }
    }

    /// How many commands the load `name` may use up, from what it reached before or else `guess` a second.
    pub(crate) fn commands(&self, name: &str, guess: f64) -> usize {
        let seconds = (self.options.warm_up() + self.options.window()).as_secs_f64();
        let rate = self.expected.get(name).copied().unwrap_or(guess);
        (rate * seconds) as usize
    }

    /// Payments for the load `name`.
    pub(crate) async fn payments(&mut self, name: &str, guess: f64, lanes: usize) -> Result<Lanes> {
        let commands = self.commands(name, guess);
        let mut client = self.clients(1).await?.remove(0);
        self.supply.lanes(&mut client, commands, lanes).await
    }

    /// The next load of this name gets half as much more than this one reached.
    pub(crate) fn reached(&mut self, name: &str, per_second: f64) {
        let expected = self.expected.entry(name.to_owned()).or_default();
        *expected = expected.max(per_second * 1.5);
    }

    /// Waits until relay and projection have nothing to do.
    pub(crate) async fn quiet(&self) -> Result<()> {
        self.fund.published().await?;
        self.audit.applied(self.fund.status().await?.head).await
    }

    /// Makes sure that the log has so many events, by paying grants over the bulk stream; returns its head.
    pub(crate) async fn at_least(&mut self, events: u64) -> Result<u64> {
        let head = self.fund.status().await?.head;
        if let Some(missing) =
            usize::try_from(events.saturating_sub(head)).ok().filter(|missing| *missing > 0)
        {
            let mut client = self.clients(1).await?.remove(0);
            let chunks = self.supply.chunks(&mut client, missing).await?;
            client.bulk(chunks.into_iter()).await?;
        }
        self.quiet().await?;
        Ok(self.fund.status().await?.head)
    }

    /// Processor time so far of everything that takes part.
    pub(crate) fn processor_times(&self) -> [(&'static str, Duration); 5] {
        [
            ("load", processor_time(std::process::id().cast_signed())),
            ("fund_grant", self.fund.process().processor_time()),
            ("postgres", self.cluster.processor_time()),
            ("nats", self.nats.process().processor_time()),
            ("funding_audit", self.audit.process().processor_time()),
        ]
    }
}

/// Notes throughput and latency of a load.
pub(crate) fn note(round: &mut Round, name: &str, measured: &Measured) {
    round.note(format!("{name}.per_second"), measured.per_second());
    for (quantile, of) in [("p50_us", 0.5), ("p90_us", 0.9), ("p99_us", 0.99), ("p999_us", 0.999)] {
        round.note(format!("{name}.{quantile}"), measured.quantile_us(of));
    }
}

/// Notes what a command cost each process, warming up included, in microseconds of processor time.
pub(crate) fn note_cost(
    round: &mut Round,
    name: &str,
    before: [(&'static str, Duration); 5],
    after: [(&'static str, Duration); 5],
    commands: u64,
) {
    for ((process, before), (_, after)) in before.into_iter().zip(after) {
        let cost_us = after.saturating_sub(before).as_secs_f64() * 1e6 / commands.max(1) as f64;
        round.keep(format!("{name}.cpu_us.{process}"), cost_us);
    }
}
