//! Real grants of Horizon 2020 (CORDIS, © European Union) as awards to migrate.

use crate::options::Options;
use anyhow::{Context, Result, ensure};
use concord_proto::fund::v1::{Allocation, ImportAwardRequest, PlannedTranche, Source, TrancheCondition};
use concord_proto::r#type::v1::{FundingMode, Money, Party, PartyKind};
use concord_tests::requests::{header_on, tranche};
use concord_tests::stack::{PLAYED_FROM, repository};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use uuid::Uuid;

const FILE: &str = "eu-h2020-participations.csv.gz";
/// Rows of the longest grants would make the mix depend on where in the file a measurement begins.
const PARTIES_MAX: usize = 40;

#[derive(serde::Deserialize)]
struct Row {
    rcn: String,
    role: String,
    pic: String,
    r#type: String,
    contribution: String,
    country: String,
    start_date: String,
    end_date: String,
    max_contribution: String,
    total_cost: String,
    start_year: String,
}

/// One grant of the file: a request without ids.
pub(crate) struct Award(ImportAwardRequest);

impl Award {
    /// The command that imports it under this id. One award can be imported under many.
    pub(crate) fn import(&self, grant: Uuid) -> ImportAwardRequest {
        let mut request = self.0.clone();
        let started = request.starts_on.as_str();
        request.header = header_on(if started <= PLAYED_FROM { started } else { PLAYED_FROM });
        request.grant_id = grant.to_string();
        request
    }
}

/// Reads the grants that are complete.
pub(crate) fn read(options: &Options) -> Result<Vec<Award>> {
    let mut grants: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let path = options.data_dir.join(FILE);
    let source: Box<dyn Read> = if path.is_file() {
        Box::new(GzDecoder::new(File::open(path)?))
    } else {
        Box::new(File::open(repository().join("tests/data/h2020-excerpt.csv"))?)
    };
    for row in csv::Reader::from_reader(source).into_deserialize() {
        let row: Row = row.context("a row of the grants cannot be read")?;
        grants.entry(row.rcn.clone()).or_default().push(row);
    }
    let awards: Vec<Award> = grants.values().filter_map(|rows| award(rows)).map(Award).collect();
    ensure!(!awards.is_empty(), "no grant of the file is complete");
    Ok(awards)
}

/// `None` where the source does not say something, or says it in a way that needs a note.
fn award(rows: &[Row]) -> Option<ImportAwardRequest> {
    let lead = rows.iter().find(|row| row.role == "coordinator")?;
    let amount_minor = minor(&lead.max_contribution).filter(|minor| *minor >= 100)?;
    let year = lead.start_year.parse().ok()?;
    if lead.start_date.len() != 10 || lead.end_date.len() != 10 || rows.len() > PARTIES_MAX {
        return None;
    }
    let country = country(&lead.country);
    let fund = format!("horizon-2020-{}", country.to_lowercase());
    let allocations = rows.iter().map(|row| {
        Some(Allocation { party: Some(party(row)?), amount_minor: Some(minor(&row.contribution)?) })
    });
    Some(ImportAwardRequest {
        header: None,
        grant_id: String::new(),
        // A programme for each country and year: many, as an office that runs for decades has.
        programme_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{fund}/{year}").as_bytes()).to_string(),
        fund,
        year,
        mode: FundingMode::NonRepayable.into(),
        title: format!("Horizon 2020 grant {}", lead.rcn),
        lead: Some(party(lead)?),
        industry: String::new(),
        amount: money(amount_minor),
        total_budget: money(minor(&lead.total_cost)?),
        allocations: allocations.collect::<Option<_>>()?,
        starts_on: lead.start_date.clone(),
        ends_on: lead.end_date.clone(),
        tranches: plan(amount_minor, lead),
        source: Some(Source {
            data_set: "CORDIS Horizon 2020 projects (© European Union), via zambujo/eunets (MIT); payments \
                       synthetic 模拟"
                .to_owned(),
            key: lead.rcn.clone(),
            row: rows.iter().map(|row| format!("{},{},{}\n", row.rcn, row.pic, row.contribution)).collect(),
            synthetic: true,
        }),
        discrepancies: Vec::new(),
    })
}

/// 50, 30 and 20 per cent, as the shipped rulebook has it.
fn plan(amount_minor: i64, lead: &Row) -> Vec<PlannedTranche> {
    let (first, second) = (amount_minor / 2, amount_minor * 3 / 10);
    vec![
        tranche(1, first, TrancheCondition::Contract, &lead.start_date),
        tranche(2, second, TrancheCondition::Midterm, &lead.end_date),
        tranche(3, amount_minor - first - second, TrancheCondition::FinalAcceptance, &lead.end_date),
    ]
}

fn party(row: &Row) -> Option<Party> {
    let kind = match row.r#type.as_str() {
        "PRC" => PartyKind::Enterprise,
        "HES" => PartyKind::University,
        "REC" => PartyKind::Institute,
        "PUB" => PartyKind::Government,
        "OTH" => PartyKind::Other,
        _ => return None,
    };
    Some(Party {
        code: format!("EU-PIC:{}", row.pic),
        kind: kind.into(),
        region: country(&row.country).to_owned(),
        name: String::new(),
    })
}

/// The EU has two country codes of its own.
fn country(code: &str) -> &str {
    match code {
        "EL" => "GR",
        "UK" => "GB",
        other => other,
    }
}

/// Cents; `None` for what is missing or has more digits than cents have.
fn minor(text: &str) -> Option<i64> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    (cents.len() <= 2).then_some(())?;
    format!("{whole}{cents:0<2}").parse().ok()
}

fn money(amount_minor: i64) -> Option<Money> {
    Some(Money::new(amount_minor, "EUR"))
}
