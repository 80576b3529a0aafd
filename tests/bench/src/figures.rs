//! What was found, by name and round.

use std::collections::{BTreeMap, BTreeSet};

/// The figures of one round, by name: `<section>.<case>.<unit>`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Round(BTreeMap<String, f64>);

impl Round {
    /// Notes a figure and prints it.
    pub(crate) fn note(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        println!("  {name:<44} {:>12}", shown(value));
        self.keep(name, value);
    }

    /// Notes a figure that is of interest only afterwards.
    pub(crate) fn keep(&mut self, name: impl Into<String>, value: f64) {
        self.0.insert(name.into(), value);
    }

    /// A figure, if it was measured in this round.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The largest of the figures `<prefix>.<case>.<suffix>`.
    pub(crate) fn best(&self, prefix: &str, suffix: &str) -> Option<f64> {
        let of = |name: &str| {
            let case = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
            case.and_then(|case| case.strip_prefix('.')?.strip_suffix('.'))
                .is_some_and(|case| !case.contains('.'))
        };
        self.0.iter().filter(|(name, _)| of(name)).map(|(_, value)| *value).reduce(f64::max)
    }
}

/// A figure over all rounds.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Figure {
    /// In the order of the rounds in which it was measured.
    pub(crate) rounds: Vec<f64>,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Figure {
    /// `None` where it was never measured.
    pub(crate) fn of(rounds: Vec<f64>) -> Option<Self> {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self { rounds, min, median: f64::midpoint(lower, upper), max })
    }
}

/// Every figure by name.
pub(crate) fn figures(rounds: &[Round]) -> BTreeMap<String, Figure> {
    let names: BTreeSet<&String> = rounds.iter().flat_map(|round| round.0.keys()).collect();
    let figure = |name: &String| Figure::of(rounds.iter().filter_map(|round| round.get(name)).collect());
    names.into_iter().filter_map(|name| Some((name.clone(), figure(name)?))).collect()
}

/// A figure for people: three digits are all that a measurement is good for.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
