//! Which titles are nearly the same 相似项目 (domain.md section 5, A04; section 6, "similarity").
//!
//! Two titles are as similar as the sets of their trigrams: what both have, divided by what either has (Jaccard), of the
//! titles in their normal form ([`normal::title`]). Every pair that reaches the threshold is found, and no other: integers
//! alone, no sampling.
//!
//! Not every pair is looked at. Two sets that share so much must share one of their rarest members (prefix filtering:
//! Chaudhuri, Ganti and Kaushik, "A primitive operator for similarity joins in data cleaning", 2006), so a title is compared
//! only with those that have one of its rarest trigrams.

use crate::normal;
use std::collections::{BTreeSet, HashMap};

/// Letters of a gram.
const GRAM: usize = 3;

/// Two titles that are nearly the same, by their places in what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Similar {
    /// The earlier one.
    pub first: usize,
    /// The later one.
    pub second: usize,
    /// How similar, in thousandths, rounded down; 1,000: the same trigrams.
    pub per_mille: u32,
}

/// All pairs of titles whose similarity is at least so many thousandths, in order. A title without a letter or a digit is
/// like no other. `per_mille` of 0 counts as 1.
#[must_use]
pub fn similar(titles: &[&str], per_mille: u32) -> Vec<Similar> {
    let (_, mut found) = Titles::of(titles, per_mille);
    found.sort_unstable();
    found
}

/// Titles that have been compared with each other, and that one more can be compared with at little cost.
#[derive(Debug, Clone)]
pub struct Titles {
    threshold: u64,
    /// Trigrams as numbers: the smaller, the rarer when the first titles were given. One that comes later is rarer than all.
    numbers: HashMap<String, i64>,
    rarest: i64,
    sets: Vec<Vec<i64>>,
    /// Which titles have a trigram among their rarest.
    having: HashMap<i64, Vec<usize>>,
}

impl Titles {
    /// These titles, and all pairs among them, in no order: as [`similar`].
    #[must_use]
    pub fn of(titles: &[&str], per_mille: u32) -> (Self, Vec<Similar>) {
        let threshold = u64::from(per_mille.max(1));
        let numbers = rarest_first(titles);
        let mut all = Self { threshold, numbers, rarest: 0, sets: Vec::new(), having: HashMap::new() };
        let found = titles.iter().flat_map(|title| all.add(title)).collect();
        (all, found)
    }

    /// One more title, which has the next place: its pairs with those that were there.
    pub fn add(&mut self, title: &str) -> Vec<Similar> {
        let place = self.sets.len();
        let set = self.numbered(title);
        let mut candidates: Vec<usize> = Vec::new();
        for gram in &set[..prefix(set.len(), self.threshold)] {
            let of_gram = self.having.entry(*gram).or_default();
            candidates.extend_from_slice(of_gram);
            of_gram.push(place);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut found = Vec::new();
        for first in candidates {
            let other = &self.sets[first];
            // Much shorter or much longer ones share too little, however much it is.
            let (shorter, longer) = (wide(set.len().min(other.len())), wide(set.len().max(other.len())));
            if shorter * 1_000 < self.threshold * longer {
                continue;
            }
            // both ÷ (all - both) ≥ threshold, solved for both.
            let needed = (self.threshold * (shorter + longer)).div_ceil(1_000 + self.threshold);
            if let Some(both) = shared(&set, other, needed) {
                let either = shorter + longer - both;
                let per_mille = u32::try_from(both * 1_000 / either).unwrap_or(1_000);
                found.push(Similar { first, second: place, per_mille });
            }
        }
        self.sets.push(set);
        found
    }

    /// A title's trigrams as numbers, the rarest first.
    fn numbered(&mut self, title: &str) -> Vec<i64> {
        let mut numbered = Vec::new();
        for gram in trigrams(title) {
            let rarest = &mut self.rarest;
            numbered.push(*self.numbers.entry(gram).or_insert_with(|| {
                *rarest -= 1;
                *rarest
            }));
        }
        numbered.sort_unstable();
        numbered
    }
}

/// How many of a set's rarest members another one must share at least one of, to be as similar as the threshold.
fn prefix(members: usize, threshold: u64) -> usize {
    let shared_at_least = (wide(members) * threshold).div_ceil(1_000);
    members - usize::try_from(shared_at_least).unwrap_or(members).min(members) + usize::from(members > 0)
}

fn wide(members: usize) -> u64 {
    members as u64
}

/// The trigrams of these titles as numbers: the rarest has the smallest.
fn rarest_first(titles: &[&str]) -> HashMap<String, i64> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for title in titles {
        for gram in trigrams(title) {
            *counts.entry(gram).or_default() += 1;
        }
    }
    let mut by_rarity: Vec<(u32, String)> = counts.into_iter().map(|(gram, count)| (count, gram)).collect();
    by_rarity.sort_unstable();
    by_rarity.into_iter().map(|(_, gram)| gram).zip(0..).collect()
}

/// The trigrams of a title; a title of fewer letters is one gram.
fn trigrams(title: &str) -> BTreeSet<String> {
    let letters: Vec<char> = normal::title(title).chars().collect();
    if letters.is_empty() {
        return BTreeSet::new();
    }
    letters.windows(GRAM.min(letters.len())).map(|gram| gram.iter().collect()).collect()
}

/// How many members two ordered sets share; `None` where that is less than needed. What is different comes early, among the
/// rarest, so most are given up after a few members.
fn shared(one: &[i64], other: &[i64], needed: u64) -> Option<u64> {
    let (mut left, mut right, mut both) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        if both + wide((one.len() - left).min(other.len() - right)) < needed {
            return None;
        }
        match one[left].cmp(&other[right]) {
            std::cmp::Ordering::Less => left += 1,
            std::cmp::Ordering::Greater => right += 1,
            std::cmp::Ordering::Equal => {
                both += 1;
                left += 1;
                right += 1;
            }
        }
    }
    (both >= needed).then_some(both)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_reaches_the_threshold_is_found_and_what_falls_short_is_not() {
        // abc bcd cde def, and abc bcd cde cdx: 3 of 5.
        let titles = ["abcdef", "ABC-DE", "abcde x", "", "！"];
        // "abcde" has 3 of the 4 trigrams of "abcdef", and 3 of the 4 of "abcdex".
        let pair = |first, second, per_mille| Similar { first, second, per_mille };
        assert_eq!(similar(&titles, 750), [pair(0, 1, 750), pair(1, 2, 750)]);
        assert_eq!(similar(&titles, 751), []);
        assert_eq!(similar(&titles, 600), [pair(0, 1, 750), pair(0, 2, 600), pair(1, 2, 750)]);
    }

    #[test]
    fn a_title_written_differently_is_the_same_in_both_languages() {
        let titles = ["高效（HE-2）电机关键技术研究", "高效 HE2 电机关键技术研究", "高效电机", "电机"];
        assert_eq!(similar(&titles, 850), [Similar { first: 0, second: 1, per_mille: 1_000 }]);
        assert_eq!(similar(&["电机", "电机"], 1_000), [Similar { first: 0, second: 1, per_mille: 1_000 }]);
    }

    proptest! {
        /// The same pairs as comparing every title with every other.
        #[test]
        fn no_pair_is_missed(
            titles in proptest::collection::vec("[ab]{0,9}", 0..25),
            per_mille in 1..=1_000_u32,
        ) {
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let sets: Vec<BTreeSet<String>> = titles.iter().map(|title| trigrams(title)).collect();
            let mut expected = Vec::new();
            for first in 0..titles.len() {
                for second in first + 1..titles.len() {
                    let both = sets[first].intersection(&sets[second]).count() as u64;
                    let either = sets[first].union(&sets[second]).count() as u64;
                    if both > 0 && both * 1_000 >= u64::from(per_mille) * either {
                        let per_mille = u32::try_from(both * 1_000 / either).unwrap();
                        expected.push(Similar { first, second, per_mille });
                    }
                }
            }
            prop_assert_eq!(similar(&titles, per_mille), expected);
        }

        /// Whatever was given at first and whatever came later.
        #[test]
        fn a_title_that_comes_later_is_found_with_the_same_others(
            titles in proptest::collection::vec("[ab]{0,9}", 0..25),
            at_first in 0..25_usize,
            per_mille in 1..=1_000_u32,
        ) {
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let (first, later) = titles.split_at(at_first.min(titles.len()));
            let (mut all, mut found) = Titles::of(first, per_mille);
            found.extend(later.iter().flat_map(|title| all.add(title)));
            found.sort_unstable();
            prop_assert_eq!(found, similar(&titles, per_mille));
        }
    }
}
