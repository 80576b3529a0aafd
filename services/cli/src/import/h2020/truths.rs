//! Counts over a file, to check an importer against what is known of the source.

use super::{CREDIT, SourceFile, SourceGrant, TOLERANCE_MINOR};
use crate::output::count;

/// Counts over a file, to check an importer against what is known of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truths {
    /// Number of grants.
    pub grants: usize,
    /// Their shares add up to the ceiling within 1 EUR.
    pub add_up: usize,
    /// Their shares exceed it.
    pub exceed: Vec<String>,
    /// Their shares fall short of it.
    pub fall_short: usize,
    /// They have no or several coordinators.
    pub not_one_coordinator: usize,
    /// Shares that are NA.
    pub unknown_shares: usize,
}

impl Truths {
    /// Counts.
    #[must_use]
    pub fn of(grants: &[SourceGrant]) -> Self {
        let exceeding = grants.iter().filter(|grant| grant.excess_minor() > TOLERANCE_MINOR);
        let exceed: Vec<_> = exceeding.map(|grant| grant.rcn.clone()).collect();
        let fall_short = grants.iter().filter(|grant| grant.excess_minor() < -TOLERANCE_MINOR).count();
        Self {
            grants: grants.len(),
            add_up: grants.len() - exceed.len() - fall_short,
            exceed,
            fall_short,
            not_one_coordinator: grants.iter().filter(|grant| grant.coordinators() != 1).count(),
            unknown_shares: grants.iter().map(SourceGrant::unknown_shares).sum(),
        }
    }
}

/// Prints what a file holds.
pub fn print_summary(file: &SourceFile) {
    let truths = Truths::of(&file.grants);
    let number = |number: usize| count(number as u64);
    println!("{} rows, {} grants 项目 ({CREDIT})", number(file.rows), number(truths.grants));
    println!("  shares add up to the ceiling within 1 EUR 份额与上限一致: {}", number(truths.add_up));
    let listed =
        if truths.exceed.is_empty() { String::new() } else { format!(" ({})", truths.exceed.join(", ")) };
    println!("  shares exceed the ceiling 超出上限: {}{listed}", truths.exceed.len());
    println!("  shares fall short of it 低于上限: {}", truths.fall_short);
    println!("  not exactly one coordinator 牵头单位不唯一: {}", truths.not_one_coordinator);
    println!("  shares not stated (NA) 份额缺失: {}", number(truths.unknown_shares));
}
