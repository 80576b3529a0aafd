//! A mapping 映射文件: which column of a CSV file is which field of an award. TOML; an unknown key is an error.

use std::collections::BTreeMap;
use std::path::Path;

use concord_proto::r#type::v1::{FundingMode, PartyKind};
use serde::Deserialize;
use serde::de::Error as _;

use crate::errors::CliError;
use crate::words::{self, KINDS, MODES};

/// A mapping file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Names the data set in derived ids. Never change it once awards are imported.
    pub namespace: String,
    /// Credit of the data, kept with every award.
    pub data_set: String,
    /// Funding mode of all awards.
    #[serde(deserialize_with = "mode")]
    pub mode: FundingMode,
    /// Key of the award, unique in the file.
    pub key: Field,
    /// Title of the project.
    pub title: Field,
    /// Amount in whole units.
    pub amount: Field,
    /// ISO 4217 code.
    pub currency: Field,
    /// Total project budget in whole units.
    pub total_budget: Option<Field>,
    /// Day of the award.
    pub effective_on: Option<Field>,
    /// First day of the project.
    pub starts_on: Option<Field>,
    /// Last day of the project.
    pub ends_on: Option<Field>,
    /// Industry by its code.
    pub industry: Option<Field>,
    /// How dates are written, as strftime has it.
    #[serde(default = "iso_date")]
    pub date_format: String,
    /// The programme that the award is of.
    pub programme: Programme,
    /// Who was awarded.
    pub recipient: Recipient,
}

/// Where the programme comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Code of the fund.
    pub fund: Field,
    /// Budget year, or a date within it.
    pub year: Field,
    /// Month in which the budget year begins; January where it is left out.
    #[serde(default = "january")]
    pub year_begins_in_month: i8,
}

/// Where the recipient comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Rules for the code, tried in order: the first whose column has a value of one of its shapes gives it.
    pub code: Vec<CodeRule>,
    /// Name of the organisation.
    pub name: Option<Field>,
    /// Region: six digits of GB/T 2260, or a country.
    pub region: Field,
    /// Kind of party.
    pub kind: Field,
}

/// A rule for a recipient's code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRule {
    /// Column with the code.
    pub column: String,
    /// Scheme that it is of, for example `GB-COH`.
    pub scheme: String,
    /// What it looks like: `9` a digit, `A` a letter, `*` at the end anything; everything else stands for itself.
    pub shapes: Vec<String>,
    /// Zeros are put before a shorter code until it has this many characters.
    #[serde(default)]
    pub pad_to: usize,
}

/// Where a field's value comes from: a column or a constant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawField")]
pub struct Field {
    /// The source.
    pub from: From,
    /// What is written in the file, and what it means here. Values that are not listed stand for themselves.
    pub values: BTreeMap<String, String>,
    /// Taken where the column is empty.
    pub default: Option<String>,
}

/// The source of a field.
#[derive(Debug, PartialEq, Eq)]
pub enum From {
    /// A column by its name in the header.
    Column(String),
    /// The same for every row.
    Constant(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    column: Option<String>,
    constant: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    default: Option<String>,
}

impl TryFrom<RawField> for Field {
    type Error = String;

    fn try_from(raw: RawField) -> Result<Self, String> {
        let from = match (raw.column, raw.constant) {
            (Some(column), None) => From::Column(column),
            (None, Some(constant)) => From::Constant(constant),
            _ => return Err("a field has either `column` or `constant`".to_owned()),
        };
        Ok(Self { from, values: raw.values, default: raw.default })
    }
}

fn iso_date() -> String {
    "%Y-%m-%d".to_owned()
}

fn january() -> i8 {
    1
}

fn mode<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FundingMode, D::Error> {
    let word = String::deserialize(deserializer)?;
    words::value(MODES, &word).ok_or_else(|| {
        D::Error::custom(format!("{word:?} is no funding mode; use one of {}", words::list(MODES)))
    })
}

/// Reads a party kind.
pub(crate) fn kind(word: &str) -> Result<PartyKind, String> {
    words::value(KINDS, word)
        .ok_or_else(|| format!("{word:?} is no kind of party; use one of {}", words::list(KINDS)))
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`CliError::Usage`] with the line, and the name of an unknown or missing key.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path).map_err(CliError::file("read", path))?;
        Self::parse(&text).map_err(|reason| CliError::usage(format!("mapping {}: {reason}", path.display())))
    }

    /// Reads a mapping from its text.
    ///
    /// # Errors
    /// A sentence with the line, and the name of an unknown or missing key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if mapping.recipient.code.is_empty() {
            return Err("recipient.code has no rule; add at least one [[recipient.code]]".to_owned());
        }
        if !(1..=12).contains(&mapping.programme.year_begins_in_month) {
            return Err("programme.year_begins_in_month is a month, 1 to 12".to_owned());
        }
        if let From::Constant(word) = &mapping.recipient.kind.from {
            kind(word)?;
        }
        Ok(mapping)
    }

    /// Every column that the mapping names.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let optional = [
            &self.total_budget,
            &self.effective_on,
            &self.starts_on,
            &self.ends_on,
            &self.industry,
            &self.recipient.name,
        ];
        let fields = [
            &self.key,
            &self.title,
            &self.amount,
            &self.currency,
            &self.programme.fund,
            &self.programme.year,
        ];
        fields
            .into_iter()
            .chain([&self.recipient.region, &self.recipient.kind])
            .chain(optional.into_iter().flatten())
            .filter_map(|field| match &field.from {
                From::Column(column) => Some(column.as_str()),
                From::Constant(_) => None,
            })
            .chain(self.recipient.code.iter().map(|rule| rule.column.as_str()))
            .collect()
    }
}

impl Field {
    /// The field's value in a row, trimmed and translated; empty where there is none.
    pub(crate) fn value<'a>(&'a self, column: impl FnOnce(&str) -> &'a str) -> &'a str {
        let written = match &self.from {
            From::Column(name) => column(name).trim(),
            From::Constant(constant) => constant,
        };
        match self.values.get(written) {
            Some(meaning) => meaning,
            None if written.is_empty() => self.default.as_deref().unwrap_or_default(),
            None => written,
        }
    }
}

impl CodeRule {
    /// The code as `SCHEME:CODE`, where the value has one of the rule's shapes.
    pub(crate) fn apply(&self, value: &str) -> Option<String> {
        // Blanks inside a code are typing habits: "GB 435757819".
        let code: String =
            value.chars().filter(|character| !character.is_whitespace()).collect::<String>().to_uppercase();
        if code.is_empty() || !self.shapes.iter().any(|shape| has_shape(&code, shape)) {
            return None;
        }
        Some(format!("{}:{code:0>width$}", self.scheme, width = self.pad_to))
    }
}

fn has_shape(code: &str, shape: &str) -> bool {
    let (shape, open) = shape.strip_suffix('*').map_or((shape, false), |start| (start, true));
    let mut characters = code.chars();
    let fits = shape.chars().all(|expected| {
        characters.next().is_some_and(|found| match expected {
            '9' => found.is_ascii_digit(),
            'A' => found.is_ascii_uppercase(),
            other => found == other,
        })
    });
    fits && (open || characters.next().is_none())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    pub(crate) const SMALL: &str = r#"
        namespace = "test"
        data_set = "A test"
        mode = "non_repayable"
        key = { column = "id" }
        title = { column = "title" }
        amount = { column = "amount" }
        currency = { constant = "GBP" }
        [programme]
        fund = { constant = "test-fund" }
        year = { column = "date" }
        [recipient]
        region = { column = "country", values = { "United Kingdom" = "GB" }, default = "GB" }
        kind = { constant = "other" }
        [[recipient.code]]
        column = "company"
        scheme = "GB-COH"
        shapes = ["99999999", "9999999"]
        pad_to = 8
    "#;

    #[test]
    fn an_unknown_key_is_named() {
        let error = Mapping::parse(&SMALL.replace("currency =", "curency =")).unwrap_err();
        assert!(error.contains("curency") && error.contains("currency"), "{error}");
        let error = Mapping::parse(&SMALL.replace("{ column = \"id\" }", "{ colum = \"id\" }")).unwrap_err();
        assert!(error.contains("colum"), "{error}");
    }

    #[test]
    fn wrong_values_are_refused_with_those_that_may_be_used() {
        for (right, wrong, says) in [
            ("\"non_repayable\"", "\"gift\"", "post_completion"),
            ("{ constant = \"other\" }", "{ constant = \"club\" }", "enterprise"),
            (
                "{ constant = \"GBP\" }",
                "{ constant = \"GBP\", column = \"c\" }",
                "either `column` or `constant`",
            ),
            ("amount = { column = \"amount\" }", "", "amount"),
        ] {
            let error = Mapping::parse(&SMALL.replace(right, wrong)).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_code_is_taken_by_its_shape() {
        let rule = CodeRule {
            column: String::new(),
            scheme: "GB-COH".to_owned(),
            shapes: vec!["9999999".to_owned(), "AA999999".to_owned(), "GGIS_*".to_owned()],
            pad_to: 8,
        };
        assert_eq!(rule.apply("682 5798").as_deref(), Some("GB-COH:06825798"));
        assert_eq!(rule.apply("sc012345").as_deref(), Some("GB-COH:SC012345"));
        assert_eq!(rule.apply("GGIS_ID_1").as_deref(), Some("GB-COH:GGIS_ID_1"));
        assert_eq!(rule.apply("12"), None);
        assert_eq!(rule.apply(" "), None);
    }

    #[test]
    fn the_shipped_mapping_is_right() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../deploy/mappings/uk-government-grants-2016-17.toml");
        assert!(Mapping::read(&path).unwrap().columns().contains(&"Amount Awarded"));
    }
}
