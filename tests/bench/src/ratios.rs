//! The ratios that are promised. Both sides of a ratio are measured in the same round, so that what else the machine
//! does falls on both.

use crate::figures::{Figure, Round};
use serde::Serialize;
use std::collections::BTreeMap;

/// How a value is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Good {
    AtLeast,
    AtMost,
}

/// A promised ratio.
struct Promise {
    key: &'static str,
    good: Good,
    must: f64,
    goal: f64,
    of: fn(&Round) -> Option<f64>,
}

/// A ratio and how it does.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    /// `None`: not measured in this run.
    pub(crate) value: Option<f64>,
    /// In the order of the rounds.
    pub(crate) rounds: Vec<f64>,
    /// For example "≥ 1.0".
    pub(crate) must: String,
    pub(crate) goal: String,
    pub(crate) must_met: Option<bool>,
    pub(crate) goal_met: Option<bool>,
}

fn quotient(over: Option<f64>, under: Option<f64>) -> Option<f64> {
    Some(over? / under.filter(|under| *under > 0.0)?)
}

const PROMISES: &[Promise] = &[
    Promise {
        key: "grpc_vs_pgbench",
        good: Good::AtLeast,
        must: 1.0,
        goal: 1.6,
        of: |round| quotient(round.best("grpc", "per_second"), round.get("pgbench.64.per_second")),
    },
    Promise {
        key: "grpc_alone_vs_pgbench",
        good: Good::AtLeast,
        must: 1.7,
        goal: 2.5,
        of: |round| quotient(round.best("grpc_alone", "per_second"), round.get("pgbench.64.per_second")),
    },
    Promise {
        key: "grpc_vs_cqrs_es",
        good: Good::AtLeast,
        must: 5.0,
        goal: 8.0,
        of: |round| quotient(round.best("grpc", "per_second"), round.get("cqrs_es.per_second")),
    },
    Promise {
        key: "p99_64_vs_pgbench",
        good: Good::AtMost,
        must: 1.5,
        goal: 1.0,
        of: |round| quotient(round.get("grpc.64.p99_us"), round.get("pgbench.64.p99_us")),
    },
    Promise {
        key: "p50_1_vs_pgbench",
        good: Good::AtMost,
        must: 3.0,
        goal: 1.8,
        of: |round| quotient(round.get("grpc.1.p50_us"), round.get("pgbench.1.p50_us")),
    },
    Promise {
        key: "hot_vs_spread",
        good: Good::AtLeast,
        must: 0.8,
        goal: 1.0,
        of: |round| quotient(round.get("hot.per_second"), round.get("grpc.256.per_second")),
    },
    Promise {
        key: "growth",
        good: Good::AtMost,
        must: 1.3,
        goal: 1.1,
        of: |round| round.get("growth.warm_worst_to_best"),
    },
    Promise {
        key: "growth_cold",
        good: Good::AtMost,
        must: 2.0,
        goal: 2.0,
        of: |round| round.get("growth.cold_worst_to_best"),
    },
    Promise {
        key: "readlog_vs_copy",
        good: Good::AtLeast,
        must: 0.5,
        goal: 0.8,
        of: |round| quotient(round.get("readlog.per_second"), round.get("readlog.copy_per_second")),
    },
    Promise {
        key: "catchup_vs_grpc",
        good: Good::AtLeast,
        must: 2.0,
        goal: 5.0,
        of: |round| quotient(round.get("catchup.per_second"), round.best("grpc", "per_second")),
    },
    Promise {
        key: "relay_vs_publisher",
        good: Good::AtLeast,
        must: 0.8,
        goal: 1.0,
        of: |round| quotient(round.get("relay.per_second"), round.get("relay.publisher_per_second")),
    },
    Promise {
        key: "bulk_vs_pgbench",
        good: Good::AtLeast,
        must: 2.0,
        goal: 3.5,
        of: |round| quotient(round.get("bulk.per_second"), round.get("pgbench.64.per_second")),
    },
    Promise {
        key: "reaction_p99_ms",
        good: Good::AtMost,
        must: 100.0,
        goal: 50.0,
        of: |round| round.get("reaction.p99_us").map(|us| us / 1e3),
    },
    Promise { key: "lag_s", good: Good::AtMost, must: 1.0, goal: 0.0, of: |round| round.get("grpc.lag_s") },
    Promise {
        key: "rss_mib",
        good: Good::AtMost,
        must: 200.0,
        goal: 100.0,
        of: |round| round.get("grpc.rss_mib"),
    },
];

impl Promise {
    fn ratio(&self, rounds: &[Round]) -> Ratio {
        let values: Vec<f64> = rounds.iter().filter_map(self.of).collect();
        let value = Figure::of(values.clone()).map(|figure| figure.median);
        let (sign, meets): (&str, fn(f64, f64) -> bool) = match self.good {
            Good::AtLeast => ("≥", |value, bound| value >= bound),
            Good::AtMost => ("≤", |value, bound| value <= bound),
        };
        Ratio {
            value,
            rounds: values,
            must: format!("{sign} {}", self.must),
            goal: format!("{sign} {}", self.goal),
            must_met: value.map(|value| meets(value, self.must)),
            goal_met: value.map(|value| meets(value, self.goal)),
        }
    }
}

/// The ratios by key.
pub(crate) fn ratios(rounds: &[Round]) -> BTreeMap<&'static str, Ratio> {
    PROMISES.iter().map(|promise| (promise.key, promise.ratio(rounds))).collect()
}

/// The keys in the order in which they are promised.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    PROMISES.iter().map(|promise| promise.key)
}
