//! What was met.

use super::commands::NAMES;
use concord_proto::r#type::v1::CommandReceipt;
use concord_tests::desk::{broken, facts, reason};
use concord_tests::stack::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tonic::{Code, Status};

/// How often a command was accepted and refused, and how often each refusal was met.
#[derive(Debug, Default)]
pub(super) struct Tally {
    commands: BTreeMap<&'static str, (u64, u64)>,
    refusals: BTreeMap<String, u64>,
    /// Requests that could not be right, by command and by what was said of them without its figures.
    malformed: BTreeMap<(&'static str, String), u64>,
}

impl Tally {
    pub(super) fn note(&mut self, name: &'static str, outcome: &Result<CommandReceipt, Status>) {
        let (accepted, refused) = self.commands.entry(name).or_default();
        match outcome {
            Ok(_) => *accepted += 1,
            Err(status) => {
                *refused += 1;
                if status.code() == Code::InvalidArgument {
                    let told: String =
                        status.message().chars().filter(|c| !c.is_ascii_digit()).take(120).collect();
                    *self.malformed.entry((name, told)).or_default() += 1;
                }
                // A decision's fault in the request itself is named beside the reason.
                let fault = facts(status).remove("code");
                let codes: BTreeSet<String> =
                    broken(status).into_iter().chain(fault).chain([reason(status)]).collect();
                for code in codes {
                    *self.refusals.entry(code).or_default() += 1;
                }
            }
        }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.commands.values().map(|(accepted, _)| accepted).sum()
    }

    pub(super) fn tried(&self) -> u64 {
        self.commands.values().map(|(accepted, refused)| accepted + refused).sum()
    }

    /// Commands that were accepted less often.
    pub(super) fn seldom_accepted(&self, than: u64) -> Vec<&'static str> {
        let often = |name: &&str| self.commands.get(name).is_some_and(|(accepted, _)| *accepted >= than);
        NAMES.iter().copied().filter(|name| !often(name)).collect()
    }

    pub(super) fn print(&self) {
        eprintln!("{} commands, {} accepted", self.tried(), self.accepted());
        for name in NAMES {
            let (accepted, refused) = self.commands.get(name).copied().unwrap_or_default();
            eprintln!("  {name}: {accepted} accepted, {refused} refused");
        }
        eprintln!("refusals, by how often they were met:");
        for (code, met) in &self.refusals {
            eprintln!("  {code}: {met}");
        }
        eprintln!("requests that could not be right, the most frequent:");
        let mut malformed: Vec<_> = self.malformed.iter().collect();
        malformed.sort_by_key(|(_, met)| std::cmp::Reverse(**met));
        for ((name, told), met) in malformed.into_iter().take(30) {
            eprintln!("  {met} {name}: {told}");
        }
        let never: Vec<String> =
            codes().into_iter().filter(|code| !self.refusals.contains_key(code)).collect();
        eprintln!("never met: {}", never.join(", "));
    }
}

/// Every code that the fund's service can refuse with, as its source has them.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for place in
        ["services/fund-grant/src", "services/chassis/src/deciding", "services/chassis/src/log/decide.rs"]
    {
        read(&repository().join(place), &mut codes);
    }
    codes
}

fn read(path: &Path, codes: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), codes);
        }
        return;
    }
    let source = std::fs::read_to_string(path).unwrap();
    // Between quotation marks, in capitals, of more than one word.
    let is_code = |text: &&str| {
        text.contains('_')
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    codes.extend(source.split('"').filter(is_code).map(str::to_owned));
}
