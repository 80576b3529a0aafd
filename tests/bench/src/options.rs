//! What is measured, how often and for how long.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Section {
    /// (a) pgbench: one json row a transaction
    #[value(name = "pgbench", alias = "a")]
    Pgbench,
    /// (b) cqrs-es on postgres-es in process, 64 tasks
    #[value(name = "cqrs-es", alias = "b")]
    CqrsEs,
    /// (c) grant commands over gRPC, relay and projection running
    #[value(name = "grpc", alias = "c")]
    Grpc,
    /// (c′) the same with NATS and the projection frozen
    #[value(name = "grpc-alone", alias = "cprime")]
    GrpcAlone,
    /// (d) every command reserves from one programme's budget
    #[value(name = "hot", alias = "d")]
    Hot,
    /// (e) aggregates of 10 and 10,000 events in logs of 10 thousand and 2 million
    #[value(name = "growth", alias = "e")]
    Growth,
    /// (f) ReadLog of a million events, and COPY of the same rows
    #[value(name = "readlog", alias = "f")]
    ReadLog,
    /// (g) a new projection catching up; the relay refilling its stream, and a bare publisher of the same messages
    #[value(name = "catchup", aliases = ["g", "relay"])]
    CatchUp,
    /// (h) the bulk stream
    #[value(name = "bulk", alias = "h")]
    Bulk,
    /// (i) from the end of an agreement to the hold of the grant that rests on it, among other commands
    #[value(name = "reaction", alias = "i")]
    Reaction,
}

impl Section {
    /// All of them, in the order of a round.
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }
}

/// Measures Concord against pgbench, cqrs-es and NATS alone, on servers of its own on the loopback address.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Sections to measure, separated by commas; all where absent
    #[arg(long, value_delimiter = ',', value_name = "SECTIONS")]
    pub(crate) only: Vec<Section>,

    /// Rounds; every figure is the median of its rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) rounds: u32,

    /// Seconds of one measurement, warming up not counted
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,

    /// Commands in flight of the closed loops, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256, 1024])]
    pub(crate) in_flight: Vec<usize>,

    /// HTTP/2 connections of the load; one for each 128 commands in flight, two at most, where absent
    #[arg(long)]
    pub(crate) connections: Option<usize>,

    /// Directory with eu-h2020-participations.csv.gz; the excerpt that comes with the tests serves where it is absent
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "../shared/data")]
    pub(crate) data_dir: PathBuf,

    /// Directory with the programs of PostgreSQL
    #[arg(
        long,
        env = "CONCORD_PG_BIN",
        value_name = "DIRECTORY",
        default_value = "/usr/lib/postgresql/15/bin"
    )]
    pub(crate) pg_bin: PathBuf,

    /// The nats-server program
    #[arg(
        long,
        env = "CONCORD_NATS_SERVER",
        value_name = "PROGRAM",
        default_value = ".concord/bin/nats-server"
    )]
    pub(crate) nats_server: PathBuf,

    /// Directory in which the servers' data are made and deleted; it must be on a disk. The system's temporary
    /// directory where absent
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) scratch: Option<PathBuf>,

    /// Write the results to tests/bench/RESULTS.md
    #[arg(long)]
    pub(crate) write_results: bool,

    /// Profile the write path under load with perf, and draw it to tests/bench/write-path.svg
    #[arg(long)]
    pub(crate) flame: bool,

    /// Directory of summary.json and the servers' output
    #[arg(long, value_name = "DIRECTORY", default_value = "target/bench")]
    pub(crate) out: PathBuf,
}

impl Options {
    /// The sections to measure, each once.
    pub(crate) fn sections(&self) -> Vec<Section> {
        let mut sections = if self.only.is_empty() { Section::all() } else { self.only.clone() };
        sections.sort();
        sections.dedup();
        sections
    }

    /// Length of one measurement.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// A load runs so long before it is measured.
    pub(crate) fn warm_up(&self) -> Duration {
        self.window().div_f64(5.0).min(Duration::from_secs(1))
    }
}
