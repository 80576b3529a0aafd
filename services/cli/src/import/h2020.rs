//! `concord import h2020`: the grants of EU Horizon 2020, from the participations that CORDIS publishes.
//!
//! A row is one organisation's part in one grant; the rows of a grant are put together by its `rcn`. The source has no
//! titles and no payments. What does not add up in it is imported as it stands, with a note on the award.

mod truths;

use std::collections::HashMap;

use concord_kernel::Date;
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_kernel::money::{Currency, parse_minor};
use concord_kernel::party::PartyCode;
use concord_kernel::region::from_eu_country;
use concord_proto::fund::v1::{Allocation, ImportAwardRequest, Source};
use concord_proto::r#type::v1::{CommandHeader, FundingMode, Money, Party, PartyKind};

pub use self::truths::{Truths, print_summary};
use super::{Award, Reject, csv_slice, effective_on, tranches};
use crate::errors::CliError;
use crate::ids;
use crate::output::amount;

/// Credit of the data, kept with every award.
pub const CREDIT: &str = "CORDIS Horizon 2020 projects (© European Union), via zambujo/eunets (MIT)";
/// Credit where a payment plan was made up.
pub const CREDIT_SYNTHETIC: &str =
    "CORDIS Horizon 2020 projects (© European Union), via zambujo/eunets (MIT); payments synthetic 模拟";
/// The fund that all these grants are of.
pub const FUND: &str = "horizon-2020";
/// Currency of every amount in the file.
pub const CURRENCY: Currency = Currency::EUR;
/// What "adds up" means: within one euro.
const TOLERANCE_MINOR: i64 = 100;
/// Budget year of a grant whose start is not known: the first of the framework programme.
const YEAR_UNKNOWN: i32 = 2014;
/// Sources of derived ids. Never change them: grants that are in a log have these ids.
const GRANT_LABEL: &str = "h2020";

/// One organisation's part in a grant.
#[derive(Debug, Clone)]
pub struct Part {
    /// The party, with code, kind and region.
    pub party: Party,
    /// Whether the source calls it coordinator.
    pub coordinator: bool,
    /// Its share in cents; `None` where the source says NA.
    pub share_minor: Option<i64>,
}

/// One grant, from all its rows.
#[derive(Debug, Clone)]
pub struct SourceGrant {
    /// CORDIS's number of the grant.
    pub rcn: String,
    /// Line of its first row.
    pub line: u64,
    /// Its rows as they stood.
    pub raw: String,
    /// All parties.
    pub parts: Vec<Part>,
    /// The ceiling in cents: the award.
    pub ceiling_minor: i64,
    /// Total cost in cents, where known.
    pub cost_minor: Option<i64>,
    /// First day, where known.
    pub starts_on: Option<Date>,
    /// Last day, where known.
    pub ends_on: Option<Date>,
    /// Year of the start, where known.
    pub year: Option<i32>,
    /// How many of its amounts had more digits than cents have.
    pub rounded: usize,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct SourceFile {
    /// In order of their first row.
    pub grants: Vec<SourceGrant>,
    /// Grants with a row that cannot be read. All of such a grant is set aside: with a part missing it would be wrong.
    pub rejects: Vec<Reject>,
    /// Number of rows.
    pub rows: usize,
}

#[derive(serde::Deserialize)]
struct Row<'a> {
    rcn: &'a str,
    role: &'a str,
    pic: &'a str,
    r#type: &'a str,
    contribution: &'a str,
    country: &'a str,
    start_date: &'a str,
    end_date: &'a str,
    max_contribution: &'a str,
    total_cost: &'a str,
    start_year: &'a str,
}

/// Reads the text of a file. Rows of a grant need not stand together.
///
/// # Errors
/// Where the header lacks a column; a bad row only sets its grant aside.
pub fn parse(text: &str) -> Result<SourceFile, CliError> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| CliError::failed(format!("the header cannot be read: {error}")))?
        .clone();
    for column in [
        "rcn",
        "role",
        "pic",
        "type",
        "contribution",
        "country",
        "start_date",
        "end_date",
        "max_contribution",
        "total_cost",
        "start_year",
    ] {
        if !headers.iter().any(|name| name == column) {
            let found = headers.iter().collect::<Vec<_>>().join(", ");
            return Err(CliError::failed(format!(
                "the file has no column {column:?}; its columns are {found} 缺少列 {column}"
            )));
        }
    }
    let mut file = SourceFile::default();
    let mut by_rcn: HashMap<String, usize> = HashMap::new();
    let mut bad: HashMap<String, Reject> = HashMap::new();
    let mut record = ::csv::StringRecord::new();
    loop {
        let (line, from) = (reader.position().line(), reader.position().byte());
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                return Err(CliError::failed(format!("line {line} cannot be read: {error}")));
            }
        }
        let line = record.position().map_or(line, ::csv::Position::line);
        let raw = csv_slice(text, from, reader.position().byte());
        file.rows += 1;
        let rcn = record.get(0).unwrap_or_default().to_owned();
        let read = record.deserialize::<Row<'_>>(Some(&headers)).map_err(|error| error.to_string());
        let merged = read.and_then(|row| match by_rcn.get(row.rcn) {
            Some(index) => file.grants[*index].add(&row, raw),
            None => SourceGrant::begin(&row, line, raw).map(|grant| {
                by_rcn.insert(grant.rcn.clone(), file.grants.len());
                file.grants.push(grant);
            }),
        });
        if let Err(reason) = merged {
            bad.entry(rcn.clone()).or_insert(Reject { line, key: rcn, reason });
        }
    }
    file.grants.retain(|grant| !bad.contains_key(&grant.rcn));
    file.rejects = bad.into_values().collect();
    file.rejects.sort();
    Ok(file)
}

/// `None` for the source's NA.
fn known(field: &str) -> Option<&str> {
    (field != "NA").then_some(field)
}

fn date(field: &str, column: &str) -> Result<Option<Date>, String> {
    known(field)
        .map(|text| text.parse().map_err(|_| format!("{column} {text:?} is not a date like 2019-05-01")))
        .transpose()
}

impl SourceGrant {
    fn begin(row: &Row<'_>, line: u64, raw: &str) -> Result<Self, String> {
        let mut grant = Self {
            rcn: row.rcn.to_owned(),
            line,
            raw: String::new(),
            parts: Vec::new(),
            ceiling_minor: 0,
            cost_minor: None,
            starts_on: date(row.start_date, "start_date")?,
            ends_on: date(row.end_date, "end_date")?,
            year: known(row.start_year)
                .map(|year| year.parse().map_err(|_| format!("start_year {year:?} is not a year")))
                .transpose()?,
            rounded: 0,
        };
        grant.ceiling_minor =
            grant.minor(row.max_contribution, "max_contribution")?.ok_or("max_contribution is NA")?;
        grant.cost_minor = grant.minor(row.total_cost, "total_cost")?;
        if grant.ceiling_minor <= 0 {
            return Err("max_contribution is not above zero".to_owned());
        }
        grant.add_part(row, raw)?;
        Ok(grant)
    }

    /// Takes a further row in; what it says of the whole grant must be what the first one said.
    fn add(&mut self, row: &Row<'_>, raw: &str) -> Result<(), String> {
        let ceiling =
            parse_minor(row.max_contribution, CURRENCY).map_err(|error| error.to_string())?.amount_minor;
        let same = ceiling == self.ceiling_minor
            && date(row.start_date, "start_date")? == self.starts_on
            && date(row.end_date, "end_date")? == self.ends_on;
        if !same {
            return Err(format!(
                "the rows of {} disagree on max_contribution, start_date or end_date",
                self.rcn
            ));
        }
        self.add_part(row, raw)
    }

    fn add_part(&mut self, row: &Row<'_>, raw: &str) -> Result<(), String> {
        let code = PartyCode::new("EU-PIC", row.pic).map_err(|error| error.to_string())?;
        // Elsewhere in the file NA means missing. In this column it is Namibia: 11 rows have it, their organisations are
        // Namibian, and no row leaves the country out.
        let region = from_eu_country(row.country)
            .ok_or_else(|| format!("country {:?} is not a country code", row.country))?;
        let kind = match row.r#type {
            "PRC" => PartyKind::Enterprise,
            "HES" => PartyKind::University,
            "REC" => PartyKind::Institute,
            "PUB" => PartyKind::Government,
            "OTH" => PartyKind::Other,
            other => return Err(format!("type {other:?} is not PRC, HES, REC, PUB or OTH")),
        };
        let share_minor = self.minor(row.contribution, "contribution")?;
        let party = Party {
            code: code.to_string(),
            kind: kind.into(),
            region: region.to_owned(),
            name: String::new(),
        };
        self.parts.push(Part { party, coordinator: row.role == "coordinator", share_minor });
        if !self.raw.is_empty() {
            self.raw.push('\n');
        }
        self.raw.push_str(raw);
        Ok(())
    }

    fn minor(&mut self, field: &str, column: &str) -> Result<Option<i64>, String> {
        let Some(text) = known(field) else {
            return Ok(None);
        };
        let parsed = parse_minor(text, CURRENCY).map_err(|error| format!("{column} {text:?}: {error}"))?;
        if parsed.amount_minor < 0 {
            return Err(format!("{column} {text} is below zero"));
        }
        self.rounded += usize::from(parsed.rounded);
        Ok(Some(parsed.amount_minor))
    }

    /// Number of coordinators.
    #[must_use]
    pub fn coordinators(&self) -> usize {
        self.parts.iter().filter(|part| part.coordinator).count()
    }

    /// Number of shares that the source does not state.
    #[must_use]
    pub fn unknown_shares(&self) -> usize {
        self.parts.iter().filter(|part| part.share_minor.is_none()).count()
    }

    /// The stated shares, less the ceiling; in cents.
    #[must_use]
    pub fn excess_minor(&self) -> i64 {
        self.parts.iter().filter_map(|part| part.share_minor).sum::<i64>() - self.ceiling_minor
    }

    /// The lead: the coordinator, the one with the largest share of several, or the largest participant without any.
    #[must_use]
    pub fn lead(&self) -> &Party {
        let mut lead = &self.parts[0];
        let rank = |part: &Part| (part.coordinator, part.share_minor.unwrap_or(-1));
        // The first of equals, so that the order of the file decides and nothing else.
        for part in &self.parts[1..] {
            if rank(part) > rank(lead) {
                lead = part;
            }
        }
        &lead.party
    }

    /// Id of the grant.
    #[must_use]
    pub fn grant_id(&self) -> GrantId {
        GrantId::derived(GRANT_LABEL, &self.rcn)
    }

    /// Budget year: that of the start.
    #[must_use]
    pub fn budget_year(&self) -> i32 {
        self.year.unwrap_or(YEAR_UNKNOWN)
    }

    /// The day from which a made-up payment plan is counted.
    #[must_use]
    pub fn plan_start(&self) -> Date {
        // A year from a file that was read is a year that a date can have.
        let first_day = || i16::try_from(self.budget_year()).ok().and_then(|year| Date::new(year, 1, 1).ok());
        self.starts_on.or_else(first_day).unwrap_or(Date::ZERO)
    }

    /// What does not add up in the source, in words.
    #[must_use]
    pub fn discrepancies(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let excess = self.excess_minor();
        if excess > TOLERANCE_MINOR {
            notes.push(format!("the shares exceed the ceiling by {} EUR", amount(excess, "EUR")));
        } else if excess < -TOLERANCE_MINOR {
            notes.push(format!("the shares fall short of the ceiling by {} EUR", amount(-excess, "EUR")));
        }
        if self.coordinators() != 1 {
            notes.push(format!("{} coordinators; taken as lead: {}", self.coordinators(), self.lead().code));
        }
        if self.unknown_shares() > 0 {
            notes.push(format!("{} of {} shares are not stated", self.unknown_shares(), self.parts.len()));
        }
        if self.rounded > 0 {
            notes.push(format!(
                "{} amount(s) had more than two decimals and were rounded half to even",
                self.rounded
            ));
        }
        if self.year.is_none() {
            notes.push(format!("no start date; taken into the programme of {YEAR_UNKNOWN}"));
        }
        notes
    }

    /// The command that imports the grant.
    #[must_use]
    pub fn award(&self, synthetic_tranches: bool, today: Date) -> Award {
        let mut discrepancies = self.discrepancies();
        let tranches = if synthetic_tranches {
            if self.starts_on.is_none() || self.ends_on.is_none() {
                discrepancies.push("a date is missing; the synthetic payment plan assumes one".to_owned());
            }
            tranches::plan(self.ceiling_minor, self.plan_start(), self.ends_on)
        } else {
            Vec::new()
        };
        let money = |amount_minor| Money::new(amount_minor, CURRENCY.to_string());
        let year = self.budget_year();
        // From the rows' content, not from the file: however the file is cut or named, the same rows are the same request.
        let plan = if synthetic_tranches { "synthetic-tranches" } else { "as-published" };
        // The date is part of it: an award that was still to come is sent with its own date once that has passed, and
        // the service answers that it has it already.
        let happened = effective_on(self.starts_on, today);
        let request_id =
            ids::request(&format!("import/h2020/{plan}/{happened}/{}", ids::sha256_hex(self.raw.as_bytes())));
        let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let request = ImportAwardRequest {
            header: Some(CommandHeader { request_id, effective_on: happened, ..CommandHeader::default() }),
            grant_id: self.grant_id().to_string(),
            programme_id: ProgrammeId::derived(GRANT_LABEL, &year.to_string()).to_string(),
            fund: FUND.to_owned(),
            year,
            mode: FundingMode::NonRepayable.into(),
            title: format!("Horizon 2020 grant {}", self.rcn),
            lead: Some(self.lead().clone()),
            industry: String::new(),
            amount: Some(money(self.ceiling_minor)),
            total_budget: self.cost_minor.map(money),
            allocations: self
                .parts
                .iter()
                .map(|part| Allocation { party: Some(part.party.clone()), amount_minor: part.share_minor })
                .collect(),
            starts_on: text(self.starts_on),
            ends_on: text(self.ends_on),
            tranches,
            source: Some(Source {
                data_set: if synthetic_tranches { CREDIT_SYNTHETIC } else { CREDIT }.to_owned(),
                key: self.rcn.clone(),
                row: self.raw.clone(),
                synthetic: synthetic_tranches,
            }),
            discrepancies,
        };
        Award { line: self.line, key: self.rcn.clone(), request }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
