//! Requests to questions. A field that cannot be right is told by its name, all of them at once.

use crate::{
    labels,
    query::{
        Filter, Point,
        balances::{self, sortable},
        grants::UNDRAWN_SORTABLE,
    },
};
use concord_chassis::grpc::Violations;
use concord_kernel::{Date, party::PartyCode};
use concord_proto::{
    audit::v1::{AsOf, Dimension, PostingFilter},
    r#type::v1::FundingMode as WireMode,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Dimensions to group by, at most.
const GROUPS_MAX: usize = 3;

/// Days to look ahead, at most: a hundred years.
const DUE_WITHIN_DAYS_MAX: u32 = 36_525;

/// Which events a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// All that is applied.
    Newest,
    /// Events at or below a position.
    Position(u64),
    /// Events known at an instant.
    At(Timestamp),
}

/// The point that a question is about, as it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) recorded: Recorded,
    pub(crate) effective_on: Option<Date>,
    pub(crate) min_position: u64,
}

/// Where the next page begins. It carries the point of the first page, so that all pages are of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) position: i64,
    pub(crate) effective_on: Option<Date>,
    /// The day that ages are counted from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on: Option<Date>,
    pub(crate) next: Next,
}

/// Where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Next {
    /// After so many rows.
    Offset(i64),
    /// After this line of the ledger.
    After(i64, i16),
}

impl Cursor {
    pub(crate) fn point(&self) -> Point {
        Point { position: self.position, effective_on: self.effective_on }
    }

    pub(crate) fn offset(&self) -> i64 {
        match self.next {
            // A token is not signed: what was never given must still not break the statement.
            Next::Offset(offset) => offset.max(0),
            Next::After(..) => 0,
        }
    }
}

/// Reads the point that a question is about.
pub(crate) fn as_of(as_of: Option<&AsOf>, faults: &mut Violations) -> Asked {
    let mut asked = Asked { recorded: Recorded::Newest, effective_on: None, min_position: 0 };
    let Some(as_of) = as_of else { return asked };
    asked.min_position = as_of.min_position;
    asked.effective_on = faults.optional_date("as_of.effective_on", &as_of.effective_on);
    match (as_of.position, as_of.recorded_at.as_str()) {
        (0, "") => {}
        (position, "") => asked.recorded = Recorded::Position(position),
        (0, instant) => match instant.parse() {
            Ok(instant) => asked.recorded = Recorded::At(instant),
            Err(_) => faults.add(
                "as_of.recorded_at",
                "is not an instant; write RFC 3339, for example 2026-03-01T08:00:00Z",
            ),
        },
        (_, _) => faults.add("as_of.recorded_at", "is given beside a position; give one of the two"),
    }
    asked
}

/// Reads a field that may be empty.
fn given<T>(
    field: &str,
    text: &str,
    advice: &str,
    faults: &mut Violations,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let value = read(text);
    if value.is_none() {
        faults.add(field, advice);
    }
    value
}

/// What narrows a question, and the code or id of the party, which is looked up at the point asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct AskedFilter {
    pub(crate) filter: Filter,
    pub(crate) party_code: Option<PartyCode>,
    pub(crate) party: Option<Uuid>,
}

/// Reads what narrows a question.
pub(crate) fn filter(filter: Option<&PostingFilter>, faults: &mut Violations) -> AskedFilter {
    let Some(asked) = filter else {
        return AskedFilter::default();
    };
    let mut read = Filter {
        programme: faults.optional_uuid("filter.programme_id", &asked.programme_id),
        mode: mode(asked.mode, faults),
        lead_region: region("filter.lead_region", &asked.lead_region, faults),
        party_region: region("filter.party_region", &asked.party_region, faults),
        industry: given(
            "filter.industry",
            &asked.industry,
            "is not an industry; give its code, for example new_materials",
            faults,
            |text| text.parse().ok(),
        ),
        year: None,
        period: given("filter.period", &asked.period, "is not a month; write YYYY-MM", faults, period),
        grant: faults.optional_uuid("filter.grant_id", &asked.grant_id),
        party: None,
        currency: given(
            "filter.currency",
            &asked.currency,
            "is not a currency; give its ISO 4217 code, for example CNY",
            faults,
            |text| text.parse().ok(),
        ),
    };
    if asked.year != 0 {
        match i16::try_from(asked.year) {
            Ok(year) if (1900..=2200).contains(&year) => read.year = Some(year),
            _ => faults.add("filter.year", "is not a budget year; give one such as 2026"),
        }
    }
    let (mut party_code, mut party) = (None, None);
    if !asked.party.is_empty() {
        match (Uuid::parse_str(&asked.party), asked.party.parse::<PartyCode>()) {
            (Ok(id), _) => party = Some(id),
            (_, Ok(code)) => party_code = Some(code),
            (_, Err(error)) => {
                faults.add("filter.party", format!("is neither a UUID nor a party code: {error}"))
            }
        }
    }
    AskedFilter { filter: read, party_code, party }
}

/// How far ahead of the day that ages are counted from is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// Not at all: only what is overdue.
    Overdue,
    /// Also what is due within so many days.
    Within(u32),
    /// All that has a day.
    All,
}

/// Reads how far ahead is looked; where nothing is said, not at all.
pub(crate) fn ahead(overdue_only: Option<bool>, due_within_days: u32, faults: &mut Violations) -> Ahead {
    if due_within_days > DUE_WITHIN_DAYS_MAX {
        faults.add(
            "due_within_days",
            format!("is {due_within_days}; look {DUE_WITHIN_DAYS_MAX} days ahead at most, or at all with overdue_only false"),
        );
    }
    match (overdue_only, due_within_days) {
        (Some(true), 1..) => {
            faults.add("due_within_days", "looks ahead, and overdue_only does not; leave one of them away");
            Ahead::Overdue
        }
        (Some(true) | None, 0) => Ahead::Overdue,
        (Some(false), 0) => Ahead::All,
        (Some(false) | None, days) => Ahead::Within(days),
    }
}

/// A period says nothing about what stands: grants and tranches are narrowed by the date in `as_of`.
pub(crate) fn no_period(filter: &AskedFilter, faults: &mut Violations) {
    if filter.filter.period.is_some() {
        faults.add(
            "filter.period",
            "does not narrow what stands at a point; leave it empty, and give as_of.effective_on",
        );
    }
}

fn mode(number: i32, faults: &mut Violations) -> Option<concord_events::fund::FundingMode> {
    match WireMode::try_from(number) {
        Ok(WireMode::Unspecified) => None,
        Ok(mode) => labels::mode_from_wire(mode),
        Err(_) => {
            faults.add("filter.mode", "is not a funding mode; give one of the six");
            None
        }
    }
}

/// The beginning of a region: of a GB/T 2260 code or of a country's two letters.
fn region(field: &str, text: &str, faults: &mut Violations) -> Option<String> {
    given(
        field,
        text,
        "is not the beginning of a region; give digits of GB/T 2260 such as 21 or 2101, or a country such as DE",
        faults,
        |text| {
            let is_gb = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_country = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            (is_gb || is_country).then(|| text.to_owned())
        },
    )
}

/// A month as yyyymm.
fn period(text: &str) -> Option<i32> {
    let (year, month) = text.split_once('-')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) {
        return None;
    }
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some(year * 100 + month)
}

/// Reads the dimensions to group by.
pub(crate) fn group_by(numbers: &[i32], faults: &mut Violations) -> Vec<Dimension> {
    let mut dimensions = Vec::new();
    for number in numbers {
        match Dimension::try_from(*number) {
            Ok(Dimension::Unspecified) | Err(_) => {
                faults
                    .add("group_by", "has an unknown dimension; leave the list empty for one sum a currency");
            }
            Ok(dimension) if dimensions.contains(&dimension) => {
                faults.add("group_by", format!("has {} twice; name it once", balances::column(dimension)));
            }
            Ok(dimension) => dimensions.push(dimension),
        }
    }
    if dimensions.len() > GROUPS_MAX {
        faults.add("group_by", format!("has {} dimensions; group by {GROUPS_MAX} at most", dimensions.len()));
    }
    dimensions
}

/// Reads the order of balances; empty: by group.
pub(crate) fn balances_order(
    text: &str,
    group_by: &[Dimension],
    faults: &mut Violations,
) -> Option<(&'static str, bool)> {
    if text.is_empty() { None } else { order(text, &sortable(group_by), faults) }
}

/// Reads the order of undrawn grants; empty: most first.
pub(crate) fn undrawn_order(text: &str, faults: &mut Violations) -> (&'static str, bool) {
    let most_first = ("undrawn_minor", true);
    if text.is_empty() { most_first } else { order(text, &UNDRAWN_SORTABLE, faults).unwrap_or(most_first) }
}

/// Reads a column and whether it falls. Only columns on the list get into a statement.
fn order(text: &str, columns: &[&'static str], faults: &mut Violations) -> Option<(&'static str, bool)> {
    let mut words = text.split_ascii_whitespace();
    let column = words.next().and_then(|word| columns.iter().find(|column| **column == word));
    let falls = match words.next() {
        None | Some("asc") => Some(false),
        Some("desc") => Some(true),
        Some(_) => None,
    };
    match (column, falls, words.next()) {
        (Some(column), Some(falls), None) => Some((column, falls)),
        _ => {
            faults.add(
                "order_by",
                format!(
                    "is not a column and a direction; give one of {}, then asc or desc",
                    columns.join(", ")
                ),
            );
            None
        }
    }
}
