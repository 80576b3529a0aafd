//! (a) pgbench: one json row of about 500 bytes a transaction, prepared, over the unix socket.

use crate::bench::Bench;
use crate::figures::Round;
use crate::load::{histogram, micros};
use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

const CLIENTS: [u32; 3] = [1, 16, 64];
/// Length of the row's document.
const RECORD_BYTES: usize = 500;

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let client = bench.cluster.connect("rows").await?;
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record json NOT NULL)",
        )
        .await?;
    for clients in CLIENTS {
        let found = measure(bench, clients).await?;
        let name = format!("pgbench.{clients}");
        round.note(format!("{name}.per_second"), found.per_second);
        for (quantile, of) in [("p50_us", 0.5), ("p90_us", 0.9), ("p99_us", 0.99), ("p999_us", 0.999)] {
            round.note(format!("{name}.{quantile}"), found.latency_us.value_at_quantile(of) as f64);
        }
    }
    Ok(())
}

struct Found {
    per_second: f64,
    latency_us: Histogram<u64>,
}

async fn measure(bench: &Bench, clients: u32) -> Result<Found> {
    let scratch = tempfile::tempdir()?;
    let script = scratch.path().join("insert.sql");
    fs::write(&script, format!("INSERT INTO rows (record) VALUES ('{}');\n", record()))?;
    let (warm_up, window) = (bench.options.warm_up(), bench.options.window());
    // pgbench takes whole seconds.
    let seconds = (warm_up + window).as_secs_f64().ceil() as u64;
    let output = Command::new(bench.options.pg_bin.join("pgbench"))
        .args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix", "latency"])
        .args(["--client", &clients.to_string(), "--jobs", &clients.min(2).to_string()])
        .args(["--time", &seconds.to_string(), "--username", "concord", "--file"])
        .arg(&script)
        .arg("--host")
        .arg(bench.cluster.socket())
        .arg("rows")
        .current_dir(scratch.path())
        .kill_on_drop(true)
        .output()
        .await
        .context("pgbench cannot be started; it comes with PostgreSQL")?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    read(scratch.path(), warm_up, window)
}

/// One line a transaction: client, number, latency in µs, script, and when it ended as seconds and microseconds.
fn read(directory: &Path, warm_up: Duration, window: Duration) -> Result<Found> {
    let mut transactions = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("latency")) {
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            transactions.push(transaction(line).with_context(|| format!("pgbench wrote {line:?}"))?);
        }
    }
    let first =
        transactions.iter().map(|(ended, latency)| *ended - *latency).min().context("no transaction")?;
    let counted = first + warm_up..first + warm_up + window;
    let mut latency_us = histogram()?;
    for (_, latency) in transactions.iter().filter(|(ended, _)| counted.contains(ended)) {
        latency_us.record(micros(*latency))?;
    }
    Ok(Found { per_second: latency_us.len() as f64 / window.as_secs_f64(), latency_us })
}

fn transaction(line: &str) -> Option<(Duration, Duration)> {
    let fields: Vec<u64> = line.split(' ').map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let [_, _, latency_us, _, seconds, micros, ..] = fields[..] else { return None };
    Some((Duration::from_secs(seconds) + Duration::from_micros(micros), Duration::from_micros(latency_us)))
}

fn record() -> String {
    let frame = serde_json::json!({ "type": "bench.v1.Row", "data": { "text": "" } }).to_string();
    let text = "x".repeat(RECORD_BYTES.saturating_sub(frame.len()));
    serde_json::json!({ "type": "bench.v1.Row", "data": { "text": text } }).to_string()
}
