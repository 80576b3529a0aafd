//! Two services beside the main one, on the same cluster: one with a log of some ten thousand events, the other of two
//! million. No NATS is there for them, so neither has a relay that does anything.

mod fill;

use crate::bench::Bench;
use crate::client::{Chunk, Client, connect};
use crate::cluster::Cluster;
use crate::figures::Round;
use crate::load::{Lane, Lanes, all};
use crate::options::Options;
use crate::payments::{Call, Grant};
use crate::process::free_port;
use crate::services::Fund;
use crate::wire::Rpc;
use anyhow::{Context, Result, ensure};
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::{GetGrantRequest, Tranche, TrancheState};
use concord_tests::desk::CLERK;
use concord_tests::requests::{appropriation, id, supplement};
use uuid::Uuid;

/// Events of the large log, at least.
const LARGE_LOG_EVENTS: u64 = 2_000_000;
/// Events of the large aggregate of each log.
const LARGE_EVENTS: usize = 10_000;
/// Events of a small aggregate when it is made.
const SMALL_EVENTS: usize = 10;
/// Small aggregates: so many that the commands of a whole run add few events to each.
pub(crate) const SMALL_AGGREGATES: usize = 100;
/// Commands in flight while they are made.
const IN_FLIGHT: usize = 64;
/// What is added to a programme each time, in fen.
const SUPPLEMENT_MINOR: i64 = 100;

/// Both services.
pub(crate) struct Logs {
    pub(crate) small: Grown,
    pub(crate) large: Grown,
}

/// A service whose log holds aggregates of both sizes.
pub(crate) struct Grown {
    pub(crate) fund: Fund,
    database: &'static str,
    database_url: String,
    nats_url: String,
    /// Programmes of about [`SMALL_EVENTS`] events.
    small: Vec<String>,
    /// A programme of [`LARGE_EVENTS`] events and more.
    large: String,
    /// Small programmes taken so far.
    taken: usize,
}

impl Logs {
    /// Makes both, and fills the large log.
    pub(crate) async fn make(bench: &mut Bench, round: &mut Round) -> Result<Self> {
        let small = Grown::make(&bench.options, &bench.cluster, "small_log").await?;
        let mut large = Grown::make(&bench.options, &bench.cluster, "large_log").await?;
        // The last events are the whole life of one grant: what the log is filled with.
        let mut client = large.client().await?;
        let grant = Grant::new();
        let import = bench.supply.import_of(grant);
        client.bulk([Chunk::of(import.into())].into_iter()).await?;
        client.bulk([Chunk::of(grant.steps().map(|step| step.bulk()).collect())].into_iter()).await?;
        drop(client);
        large.fund.stop().await;
        let last = fill::fill(&bench.cluster, large.database, LARGE_LOG_EVENTS, round).await?;
        large.start(&bench.options).await?;
        large.is_paid(last).await?;
        Ok(Self { small, large })
    }
}

impl Grown {
    async fn make(options: &Options, cluster: &Cluster, database: &'static str) -> Result<Self> {
        cluster.create(database).await?;
        let (database_url, nats_url) = (cluster.url(database), format!("nats://127.0.0.1:{}", free_port()?));
        let fund = Fund::start(options, &database_url, &nats_url, database).await?;
        let small: Vec<String> = (0..SMALL_AGGREGATES).map(|_| id()).collect();
        let grown = Self { fund, database, database_url, nats_url, small, large: id(), taken: 0 };
        let client = [grown.client().await?];
        let programmes = grown.small.iter().chain([&grown.large]);
        let opened = programmes
            .map(|programme| Call::new(CLERK, Rpc::Appropriate, &appropriation(programme, SUPPLEMENT_MINOR)));
        all(&client, &Lanes::new(opened.map(Lane::one)), IN_FLIGHT).await?;
        let few = grown.small.iter().flat_map(|programme| std::iter::repeat_n(programme, SMALL_EVENTS - 1));
        let added = few.chain(std::iter::repeat_n(&grown.large, LARGE_EVENTS - 1));
        let added = added.map(|programme| Lane::one(addition(programme)));
        all(&client, &Lanes::new(added), IN_FLIGHT).await?;
        Ok(grown)
    }

    /// A grant that was filled in is, for the service, one that was paid like any other.
    async fn is_paid(&self, grant: Uuid) -> Result<()> {
        let request = GetGrantRequest { grant_id: grant.to_string(), min_position: 0 };
        let mut grants = GrantServiceClient::connect(self.fund.address().to_owned()).await?;
        let grant = grants.get_grant(request).await?.into_inner().grant.context("an empty answer")?;
        let paid = |tranche: &Tranche| tranche.state == i32::from(TrancheState::Settled);
        ensure!(
            grant.tranches.len() == 3 && grant.tranches.iter().all(paid),
            "a grant that was filled in is not paid: {grant:?}"
        );
        Ok(())
    }

    /// A connection to it.
    pub(crate) async fn client(&self) -> Result<Client> {
        Ok(connect(self.fund.address(), 1).await?.remove(0))
    }

    /// Name of its database.
    pub(crate) fn database(&self) -> &'static str {
        self.database
    }

    /// Ends the service and starts it again, its cache empty.
    pub(crate) async fn restart(&mut self, options: &Options) -> Result<()> {
        self.fund.stop().await;
        self.start(options).await
    }

    async fn start(&mut self, options: &Options) -> Result<()> {
        self.fund = Fund::start(options, &self.database_url, &self.nats_url, self.database).await?;
        Ok(())
    }

    /// A small aggregate, each time the next.
    pub(crate) fn next_small(&mut self) -> String {
        self.taken += 1;
        self.small[self.taken % self.small.len()].clone()
    }

    /// One more event on a small aggregate, each time on the next.
    pub(crate) fn on_small(&mut self) -> Call {
        addition(&self.next_small())
    }

    /// One more event on the large aggregate.
    pub(crate) fn on_large(&self) -> Call {
        addition(&self.large)
    }
}

/// One more event on a programme.
pub(crate) fn addition(programme: &str) -> Call {
    Call::new(CLERK, Rpc::Supplement, &supplement(programme, SUPPLEMENT_MINOR))
}
