//! RESULTS.md: the last results, with what they were measured on.

use crate::report::Summary;
use anyhow::{Context, Result};
use concord_tests::stack::repository;
use std::fs;

/// Beside the sources of the benchmark.
const DIRECTORY: &str = "tests/bench";
/// The profile that [`crate::flame`] draws there.
pub(crate) const FLAME: &str = "write-path.svg";

/// What the names of the figures mean; a reader of the results has no other place to look.
const LEGEND: &str = "\
Both sides of a ratio are measured in the same round; a value is the median of the rounds. All of it runs on one
machine: PostgreSQL, nats-server, the services, and the load in one more process, on the same cores. Every command of
a load is checked to have been accepted and to have changed something, and at the end the ledger is added up.

| figures | what is measured |
|---|---|
| `pgbench` | one json row of 500 bytes a transaction, prepared, by so many clients; latency from its own log |
| `cqrs_es` | cqrs-es on postgres-es in process, event-store mode, the same payments by 64 tasks on 64 connections |
| `grpc` | payments of real Horizon 2020 grants by unary calls, so many in flight, relay and projection running |
| `grpc_open` | the same at 50 and 80 % of the best of these, arriving on a schedule; latency from the scheduled time |
| `grpc_alone` | as `grpc`, with nats-server and projection stopped by signal |
| `hot` | approvals that all reserve from one programme's budget, 256 in flight |
| `growth` | one client's commands on aggregates of 10 and 10,000 events in logs of 12 thousand and 2 million |
| `fill` | how fast the large log is made, in events a second |
| `readlog` | `ReadLog` of a million events, and binary COPY of the same rows |
| `relay` | the relay refilling a deleted stream, and a bare publisher of the same messages |
| `catchup` | a new funding audit reading 300,000 events |
| `bulk` | the payments of `grpc` in chunks of 250, four in flight; `until_queried_s` is from the last answer on |
| `reaction` | from the answer to a termination until the grant's hold is published, at 500 commands a second of both services |
| `cpu_us` | processor time of each process for one command, in microseconds |
";

/// Writes it.
pub(crate) fn write(summary: &Summary) -> Result<()> {
    let directory = repository().join(DIRECTORY);
    let flame = if directory.join(FLAME).is_file() {
        format!(
            "\n[Flame graph of the write path]({FLAME}): fund-grant and its PostgreSQL backend with 256 in flight.\n"
        )
    } else {
        String::new()
    };
    let text = format!(
        "# Results of the benchmark\n\n\
         Written by `make bench BENCH=--write-results`; `target/bench/summary.json` has every round.\n\n\
         {machine}. {rounds} rounds, {seconds} s a measurement.\n\n{ratios}\n{flame}\n{LEGEND}\n{figures}\n",
        machine = summary.machine,
        rounds = summary.rounds,
        seconds = summary.seconds,
        ratios = summary.ratio_table(),
        figures = summary.figure_table(),
    );
    let path = directory.join("RESULTS.md");
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}
