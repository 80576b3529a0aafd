//! summary.json and the table at the end.

use crate::figures::{Figure, Round, figures, shown};
use crate::machine::Machine;
use crate::options::Options;
use crate::ratios::{Ratio, keys, ratios};
use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;

/// All that a run found.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
    figures: BTreeMap<String, Figure>,
    ratios: BTreeMap<&'static str, Ratio>,
}

impl Summary {
    /// Of these rounds.
    pub(crate) fn of(options: &Options, machine: Machine, rounds: &[Round]) -> Self {
        Self {
            machine,
            rounds: options.rounds,
            seconds: options.seconds,
            figures: figures(rounds),
            ratios: ratios(rounds),
        }
    }

    /// Writes summary.json.
    pub(crate) fn write(&self, options: &Options) -> Result<()> {
        let path = options.out.join("summary.json");
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Prints figures and ratios.
    pub(crate) fn print(&self) {
        println!("\n{}", self.machine);
        println!("\n{}\n\n{}", self.figure_table(), self.ratio_table());
    }

    /// Every figure, with its spread over the rounds.
    pub(crate) fn figure_table(&self) -> Table {
        let mut table = table(["figure", "median", "min", "max"]);
        for (name, figure) in &self.figures {
            table.add_row([name.clone(), shown(figure.median), shown(figure.min), shown(figure.max)]);
        }
        table
    }

    /// Every promised ratio, and whether it is met.
    pub(crate) fn ratio_table(&self) -> Table {
        let mut table = table(["ratio", "value", "must", "goal", "met"]);
        for key in keys() {
            let Some(ratio) = self.ratios.get(key) else { continue };
            let met = match (ratio.must_met, ratio.goal_met) {
                (_, Some(true)) => "goal",
                (Some(true), _) => "must",
                (Some(false), _) => "no",
                _ => "not measured",
            };
            let value = ratio.value.map(shown).unwrap_or_default();
            table.add_row([key, &value, &ratio.must, &ratio.goal, met]);
        }
        table
    }
}

fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
