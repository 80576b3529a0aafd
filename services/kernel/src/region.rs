//! Regions 行政区: GB/T 2260 codes with the years they were in use, and ISO 3166 countries (domain.md sections 1 and 9).
//!
//! A code is checked on the date of the fact it describes: 210122 辽中县 became 210115 辽中区 in 2016, and both are right,
//! each in its time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Date;
use crate::iso3166::ALPHA_2;

/// The columns of the history file, in order.
const HEADER: &str = "代码,一级行政区,二级行政区,名称,级别,状态,启用时间,变更/弃用时间,新代码";

static SHIPPED: LazyLock<Regions> = LazyLock::new(|| {
    Regions::from_csv(include_str!("../../../deploy/regions/gb2260-liaoning.csv"))
        .expect("the shipped region codes parse; a unit test holds them to it")
});

/// A region 行政区: six digits of GB/T 2260 (`"210115"`), or abroad two letters of ISO 3166 (`"DE"`).
///
/// A plain string in JSON. Make one from outside input with [`Regions::check`], which knows the date; reading one back
/// (`parse`, JSON) only looks at its form, because a fact in the log was checked on its own date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The city 地级市 this region is or lies in: 210115 → 210100. None for a province as a whole, and abroad.
    ///
    /// A municipality 直辖市 (11, 12, 31, 50) is the city of all its districts, and a county that its province governs
    /// directly 省直辖 (such as 429004) is its own.
    #[must_use]
    pub fn city(&self) -> Option<Self> {
        let province = self.province()?;
        if matches!(&self.0[..2], "11" | "12" | "31" | "50") {
            return Some(province);
        }
        match &self.0[2..4] {
            "00" => None,
            "90" => Some(self.clone()),
            _ => Some(Self(format!("{}00", &self.0[..4]))),
        }
    }

    /// The province-level region 省级 this region is or lies in: 210115 → 210000. None abroad.
    #[must_use]
    pub fn province(&self) -> Option<Self> {
        is_gb_form(&self.0).then(|| Self(format!("{}0000", &self.0[..2])))
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(code: &str) -> Result<Self, RegionError> {
        if is_gb_form(code) || is_iso_form(code) {
            Ok(Self(code.to_owned()))
        } else {
            Err(RegionError::Malformed { code: excerpt(code) })
        }
    }
}

impl TryFrom<String> for Region {
    type Error = RegionError;

    fn try_from(code: String) -> Result<Self, RegionError> {
        code.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a region code, or a table of them, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// Neither six digits nor two capital letters.
    #[error(
        "{code:?} is not a region code; write six digits of GB/T 2260 such as 210115, or abroad two capital letters of ISO 3166 such as DE"
    )]
    Malformed {
        /// The code as given, cut to 16 characters.
        code: String,
    },
    /// Six digits that the table does not have.
    #[error(
        "{code} is not in the loaded table of region codes; check it, or load the full GB/T 2260 history (deploy/regions/README.md)"
    )]
    Unknown {
        /// The code as given.
        code: String,
    },
    /// Two letters that ISO 3166 does not assign.
    #[error("{code} is not a country code of ISO 3166{hint}")]
    UnknownCountry {
        /// The code as given.
        code: String,
        /// What to use instead, or an invitation to check.
        hint: String,
    },
    /// The code had been replaced, or abolished, by that date.
    #[error("{code} {name} {fate} in {until_year}; {advice} on {on}")]
    NoLonger {
        /// The code as given.
        code: String,
        /// Its last name.
        name: String,
        /// "was replaced by 210115" or "was abolished".
        fate: String,
        /// The last year in which it was in use.
        until_year: i16,
        /// What to use instead.
        advice: String,
        /// The date of the fact.
        on: Date,
    },
    /// The code was not yet in use on that date.
    #[error("{code} {name} is in use from {from_year}; {advice} on {on}")]
    NotYet {
        /// The code as given.
        code: String,
        /// Its first name.
        name: String,
        /// The first year in which it is in use.
        from_year: i16,
        /// What to use instead.
        advice: String,
        /// The date of the fact.
        on: Date,
    },
    /// A line of the table cannot be read.
    #[error("line {line} of the region table: {problem}; the columns are {HEADER}")]
    Table {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The table of region codes 行政区划代码表, each with the years it was in use.
#[derive(Clone, Debug)]
pub struct Regions {
    /// By code; each code's rows in order of their first year.
    rows: BTreeMap<String, Vec<Row>>,
}

#[derive(Clone, Debug)]
struct Row {
    name: String,
    from_year: i16,
    until_year: Option<i16>,
    /// The codes that took its place when it ended.
    successors: Vec<String>,
}

impl Row {
    /// The source knows years only. In the year of a change both the old and the new code are valid, because on a given
    /// day of that year nobody can tell from the table which one was.
    fn is_valid_in(&self, year: i16) -> bool {
        self.from_year <= year && self.until_year.is_none_or(|until_year| year <= until_year)
    }
}

impl Regions {
    /// The shipped table: every province-level region, and all of Liaoning since 1981.
    ///
    /// For others load the full history with [`Regions::from_csv`] (`deploy/regions/README.md`).
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a table in the format of `gb2260-history.csv` (yescallop/areacodes), with or without a byte-order mark.
    ///
    /// # Errors
    ///
    /// [`RegionError::Table`] naming the line, also when the table holds no codes.
    pub fn from_csv(text: &str) -> Result<Self, RegionError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
        if lines.next().is_none_or(|(header, _)| header != HEADER) {
            return Err(RegionError::Table { line: 1, problem: "the header is missing".to_owned() });
        }
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (text, line) in lines.filter(|(text, _)| !text.is_empty()) {
            let (code, row) = read_row(text).map_err(|problem| RegionError::Table { line, problem })?;
            rows.entry(code).or_default().push(row);
        }
        if rows.is_empty() {
            return Err(RegionError::Table { line: 2, problem: "there is no code".to_owned() });
        }
        for versions in rows.values_mut() {
            versions.sort_by_key(|row| row.from_year);
        }
        Ok(Self { rows })
    }

    /// Checks a code on the date of the fact it describes.
    ///
    /// # Errors
    ///
    /// [`RegionError`] when the code is malformed, unknown, not yet or no longer in use; the sentence names the code that
    /// was in use, where there is one.
    pub fn check(&self, code: &str, on: Date) -> Result<Region, RegionError> {
        let region: Region = code.parse()?;
        if is_iso_form(code) {
            return check_country(code).map(|()| region);
        }
        let versions = self.rows.get(code).ok_or_else(|| RegionError::Unknown { code: code.to_owned() })?;
        if versions.iter().any(|row| row.is_valid_in(on.year())) {
            return Ok(region);
        }
        // The last version that had ended by then; without one, the code was still to come.
        match versions.iter().rfind(|row| row.from_year < on.year()) {
            Some(ended) => Err(self.no_longer(code, ended, on)),
            None => Err(self.not_yet(code, &versions[0], on)),
        }
    }

    /// The name of a region on a date, or None when the code was not in use; countries are not named here.
    ///
    /// In the year a region was renamed, this is the newer name.
    #[must_use]
    pub fn name(&self, code: &str, on: Date) -> Option<&str> {
        let versions = self.rows.get(code)?;
        versions.iter().rfind(|row| row.is_valid_in(on.year())).map(|row| row.name.as_str())
    }

    fn no_longer(&self, code: &str, ended: &Row, on: Date) -> RegionError {
        let fate = if ended.successors.is_empty() {
            "was abolished".to_owned()
        } else {
            format!("was replaced by {}", ended.successors.join(", "))
        };
        RegionError::NoLonger {
            code: code.to_owned(),
            name: ended.name.clone(),
            fate,
            until_year: ended.until_year.unwrap_or(ended.from_year),
            advice: advice(&self.successors_on(ended, on)),
            on,
        }
    }

    fn not_yet(&self, code: &str, first: &Row, on: Date) -> RegionError {
        let predecessors: BTreeSet<&str> = self
            .rows
            .iter()
            .filter(|(_, versions)| {
                versions
                    .iter()
                    .any(|row| row.is_valid_in(on.year()) && row.successors.iter().any(|next| next == code))
            })
            .map(|(predecessor, _)| predecessor.as_str())
            .collect();
        RegionError::NotYet {
            code: code.to_owned(),
            name: first.name.clone(),
            from_year: first.from_year,
            advice: advice(&predecessors),
            on,
        }
    }

    /// The codes in use on the date that took the place of an ended one, followed through later replacements.
    fn successors_on<'a>(&'a self, ended: &'a Row, on: Date) -> BTreeSet<&'a str> {
        let mut in_use = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = ended.successors.iter().map(String::as_str).collect();
        while let Some(code) = open.pop() {
            // Codes have been taken back and given out again, so the chain can close on itself.
            if !seen.insert(code) {
                continue;
            }
            let versions = self.rows.get(code).map_or(&[][..], Vec::as_slice);
            if versions.iter().any(|row| row.is_valid_in(on.year())) {
                in_use.insert(code);
            } else {
                open.extend(versions.iter().flat_map(|row| &row.successors).map(String::as_str));
            }
        }
        in_use
    }
}

/// The ISO 3166 code for a country as EU registers write it: EL is GR and UK is GB there, and all others are the same.
///
/// None when it is not a country code.
#[must_use]
pub fn from_eu_country(code: &str) -> Option<&'static str> {
    let code = match code {
        "EL" => "GR",
        "UK" => "GB",
        other => other,
    };
    ALPHA_2.binary_search(&code).ok().map(|index| ALPHA_2[index])
}

fn check_country(code: &str) -> Result<(), RegionError> {
    if ALPHA_2.binary_search(&code).is_ok() {
        return Ok(());
    }
    let hint = match from_eu_country(code) {
        Some(iso) => format!("; the EU writes it so, use {iso}"),
        None => "; check it".to_owned(),
    };
    Err(RegionError::UnknownCountry { code: code.to_owned(), hint })
}

fn advice(codes: &BTreeSet<&str>) -> String {
    match codes.len() {
        0 => "check which code covers the place".to_owned(),
        1 => format!("use {}", codes.iter().copied().collect::<String>()),
        _ => format!(
            "use the one of {} that covers the place",
            codes.iter().copied().collect::<Vec<_>>().join(", ")
        ),
    }
}

fn read_row(text: &str) -> Result<(String, Row), String> {
    let columns: Vec<&str> = text.split(',').collect();
    let &[code, _province, _city, name, _level, _status, from_year, until_year, new_codes] =
        columns.as_slice()
    else {
        return Err(format!("there are {} columns where 9 should be", columns.len()));
    };
    if !is_gb_form(code) {
        return Err(format!("the code {code:?} is not six digits"));
    }
    if name.is_empty() {
        return Err(format!("{code} has no name"));
    }
    let until_year = if until_year.is_empty() { None } else { Some(read_year(until_year)?) };
    let row = Row {
        name: name.to_owned(),
        from_year: read_year(from_year)?,
        until_year,
        // A code with a year in brackets took over a part of a region that lived on; only the bare ones replace it. A
        // region that was renamed under its own code names itself.
        successors: match until_year {
            Some(_) => new_codes
                .split(';')
                .filter(|new| is_gb_form(new) && *new != code)
                .map(str::to_owned)
                .collect(),
            None => Vec::new(),
        },
    };
    Ok((code.to_owned(), row))
}

fn read_year(text: &str) -> Result<i16, String> {
    text.parse()
        .ok()
        .filter(|year| (1900..=2999).contains(year))
        .ok_or_else(|| format!("{text:?} is not a year"))
}

fn is_gb_form(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_iso_form(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn excerpt(code: &str) -> String {
    code.chars().take(16).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn refusal(code: &str, year: i16) -> String {
        Regions::shipped().check(code, date(year, 1, 1)).unwrap_err().to_string()
    }

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    #[test]
    fn a_code_is_valid_in_its_years_and_both_are_in_the_year_of_change() {
        let regions = Regions::shipped();
        for (code, year, name) in [
            ("210122", 2012, "辽中县"),
            ("210122", 2016, "辽中县"),
            ("210115", 2016, "辽中区"),
            ("210115", 2026, "辽中区"),
            ("210112", 2013, "东陵区"),
            ("210112", 2014, "浑南区"),
            ("210000", 2012, "辽宁省"),
            ("440000", 2012, "广东省"),
        ] {
            assert_eq!(regions.check(code, date(year, 6, 1)).unwrap().as_str(), code);
            assert_eq!(regions.name(code, date(year, 6, 1)), Some(name));
        }
        assert_eq!(regions.name("210115", date(2015, 12, 31)), None);
    }

    #[test]
    fn a_replaced_code_is_refused_with_the_one_to_use() {
        for (code, year, words) in [
            ("210122", 2017, "210122 辽中县 was replaced by 210115 in 2016; use 210115 on 2017-01-01"),
            ("210115", 2010, "210115 辽中区 is in use from 2016; use 210122 on 2010-01-01"),
            ("210511", 2012, "in 1984; use the one of 210502, 210503, 210504, 210505 that covers the place"),
            ("330102", 2012, "load the full GB/T 2260 history"),
            ("UK", 2012, "the EU writes it so, use GB"),
            ("QQ", 2012, "QQ is not a country code of ISO 3166; check it"),
            ("2101", 2012, "is not a region code"),
            ("de", 2012, "is not a region code"),
            ("２１", 2012, "is not a region code"),
        ] {
            assert!(refusal(code, year).contains(words), "{}", refusal(code, year));
        }
    }

    #[test]
    fn a_chain_of_replacements_is_followed_to_the_date() {
        let table = format!(
            "{HEADER}\n990101,甲,乙,丙县,县级,弃用,1981,1990,990102\n990102,甲,乙,丙市,县级,弃用,1990,2000,990101[1991];990103\n990103,甲,乙,丙区,县级,在用,2000,,\n"
        );
        let regions = Regions::from_csv(&table).unwrap();
        let refusal = regions.check("990101", date(2012, 1, 1)).unwrap_err().to_string();
        assert_eq!(refusal, "990101 丙县 was replaced by 990102 in 1990; use 990103 on 2012-01-01");
    }

    #[test]
    fn cities_and_provinces_follow_from_the_code() {
        for (code, city, province) in [
            ("210115", Some("210100"), Some("210000")),
            ("210100", Some("210100"), Some("210000")),
            ("210000", None, Some("210000")),
            ("110105", Some("110000"), Some("110000")),
            ("429004", Some("429004"), Some("420000")),
            ("DE", None, None),
        ] {
            assert_eq!(region(code).city().as_ref().map(Region::as_str), city, "{code}");
            assert_eq!(region(code).province().as_ref().map(Region::as_str), province, "{code}");
        }
    }

    #[test]
    fn countries_are_checked_and_translated_from_the_eus_codes() {
        assert_eq!(ALPHA_2.len(), 250);
        assert!(ALPHA_2.is_sorted());
        assert!(Regions::shipped().check("XK", date(2012, 1, 1)).is_ok());
        for (eu, iso) in [
            ("EL", Some("GR")),
            ("UK", Some("GB")),
            ("DE", Some("DE")),
            ("XK", Some("XK")),
            ("NA", Some("NA")),
            ("QQ", None),
        ] {
            assert_eq!(from_eu_country(eu), iso);
        }
    }

    #[test]
    fn a_table_that_cannot_be_read_is_refused_with_its_line() {
        for (body, words) in [
            ("", "line 2 of the region table: there is no code"),
            ("210122,辽宁省\n", "line 2 of the region table: there are 2 columns"),
            ("2101,辽宁省,,辽宁省,省级,在用,1981,,\n", "not six digits"),
            ("210000,辽宁省,,辽宁省,省级,在用,昔,,\n", "\"昔\" is not a year"),
        ] {
            let refusal = Regions::from_csv(&format!("\u{feff}{HEADER}\n{body}")).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
        assert!(Regions::from_csv("210000").unwrap_err().to_string().contains("the header is missing"));
    }

    #[test]
    fn a_region_is_a_string_in_json() {
        assert_eq!(serde_json::to_string(&region("210115")).unwrap(), "\"210115\"");
        assert_eq!(serde_json::from_str::<Region>("\"DE\"").unwrap(), region("DE"));
        assert!(serde_json::from_str::<Region>("\"2101\"").is_err());
    }
}
