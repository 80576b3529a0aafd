//! `concord import csv`: awards from any CSV file, as a mapping says.

use std::collections::HashMap;

use concord_kernel::Date;
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_kernel::money::{Currency, parse_minor};
use concord_kernel::party::PartyCode;
use concord_proto::fund::v1::{ImportAwardRequest, Source};
use concord_proto::r#type::v1::{CommandHeader, Money, Party};

use super::mapping::{Field, Mapping, kind};
use super::{Award, Reject, csv_slice, effective_on};
use crate::errors::CliError;
use crate::ids;

/// Reads the awards of a file; rows that cannot be right are set aside, each with its reason.
///
/// # Errors
/// Where the file lacks a column that the mapping names.
pub fn parse(text: &str, mapping: &Mapping, today: Date) -> Result<(Vec<Award>, Vec<Reject>), CliError> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| CliError::failed(format!("the header cannot be read: {error}")))?
        .clone();
    // The first column may carry a byte-order mark.
    let columns: HashMap<&str, usize> =
        headers.iter().map(|name| name.trim_start_matches('\u{feff}')).zip(0..).collect();
    if let Some(missing) = mapping.columns().into_iter().find(|column| !columns.contains_key(column)) {
        let found = headers.iter().collect::<Vec<_>>().join(", ");
        return Err(CliError::failed(format!(
            "the mapping names column {missing:?}; the file has {found} 文件缺少列 {missing}"
        )));
    }
    let (mut awards, mut rejects, mut first_line) = (Vec::new(), Vec::new(), HashMap::<String, u64>::new());
    let mut record = ::csv::StringRecord::new();
    loop {
        let from = reader.position().byte();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                return Err(CliError::failed(format!("the file cannot be read on: {error}")));
            }
        }
        let line = record.position().map_or(0, ::csv::Position::line);
        let row = Row { record: &record, columns: &columns, mapping };
        let key = row.field(&mapping.key).to_owned();
        let read = if record.len() != headers.len() {
            Err(format!("{} fields, the header has {}", record.len(), headers.len()))
        } else if let Some(first) = first_line.get(&key) {
            Err(format!("the key stands on line {first} already"))
        } else {
            row.award(csv_slice(text, from, reader.position().byte()), today)
        };
        match read {
            Ok(request) => {
                first_line.insert(key.clone(), line);
                awards.push(Award { line, key, request });
            }
            Err(reason) => rejects.push(Reject { line, key, reason }),
        }
    }
    Ok((awards, rejects))
}

struct Row<'a> {
    record: &'a ::csv::StringRecord,
    columns: &'a HashMap<&'a str, usize>,
    mapping: &'a Mapping,
}

impl<'a> Row<'a> {
    fn column(&self, name: &str) -> &'a str {
        self.columns.get(name).and_then(|index| self.record.get(*index)).unwrap_or_default()
    }

    fn field(&self, field: &'a Field) -> &'a str {
        field.value(|name| self.column(name))
    }

    fn optional(&self, field: &'a Option<Field>) -> &'a str {
        field.as_ref().map_or("", |field| self.field(field))
    }

    fn award(&self, raw: &str, today: Date) -> Result<ImportAwardRequest, String> {
        let mapping = self.mapping;
        let key = self.field(&mapping.key);
        if key.is_empty() {
            return Err("the key is empty".to_owned());
        }
        let title = self.field(&mapping.title);
        if title.is_empty() {
            return Err("the title is empty".to_owned());
        }
        let currency =
            Currency::try_from(self.field(&mapping.currency)).map_err(|error| error.to_string())?;
        let mut discrepancies = Vec::new();
        let mut minor = |text: &str, name: &str| -> Result<i64, String> {
            let parsed = parse_minor(text, currency).map_err(|error| format!("{name} {text:?}: {error}"))?;
            if parsed.rounded {
                discrepancies.push(format!("{name} {text} was rounded half to even"));
            }
            Ok(parsed.amount_minor)
        };
        let amount_minor = minor(self.field(&mapping.amount), "amount")?;
        if amount_minor <= 0 {
            return Err("the amount is not above zero; an award has one 金额须大于零".to_owned());
        }
        let total_budget = match self.optional(&mapping.total_budget) {
            "" => None,
            text => Some(Money::new(minor(text, "total_budget")?, currency.to_string())),
        };
        let awarded_on = self.date(self.optional(&mapping.effective_on), "effective_on")?;
        let starts_on = self.date(self.optional(&mapping.starts_on), "starts_on")?;
        let ends_on = self.date(self.optional(&mapping.ends_on), "ends_on")?;
        let fund = self.field(&mapping.programme.fund);
        if fund.is_empty() {
            return Err("the programme's fund is empty".to_owned());
        }
        let year = self.year()?;
        let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let content = ids::sha256_hex(raw.as_bytes());
        let happened = effective_on(awarded_on.or(starts_on), today);
        // One programme for a fund, a year and a currency: a programme never mixes two.
        let programme = format!("{fund}/{year}/{currency}");
        Ok(ImportAwardRequest {
            header: Some(CommandHeader {
                request_id: ids::request(&format!("import/csv/{}/{happened}/{content}", mapping.namespace)),
                effective_on: happened,
                ..CommandHeader::default()
            }),
            grant_id: GrantId::derived(&mapping.namespace, key).to_string(),
            programme_id: ProgrammeId::derived(&mapping.namespace, &programme).to_string(),
            fund: fund.to_owned(),
            year,
            mode: mapping.mode.into(),
            title: title.to_owned(),
            lead: Some(self.recipient()?),
            industry: self.optional(&mapping.industry).to_owned(),
            amount: Some(Money::new(amount_minor, currency.to_string())),
            total_budget,
            allocations: Vec::new(),
            starts_on: text(starts_on),
            ends_on: text(ends_on),
            tranches: Vec::new(),
            source: Some(Source {
                data_set: mapping.data_set.clone(),
                key: key.to_owned(),
                row: raw.to_owned(),
                synthetic: false,
            }),
            discrepancies,
        })
    }

    fn recipient(&self) -> Result<Party, String> {
        let recipient = &self.mapping.recipient;
        let code = recipient.code.iter().find_map(|rule| rule.apply(self.column(&rule.column))).ok_or_else(
            || {
                let columns: Vec<_> = recipient
                    .code
                    .iter()
                    .map(|rule| format!("{} {:?}", rule.column, self.column(&rule.column)))
                    .collect();
                format!("no rule of recipient.code fits: {}", columns.join(", "))
            },
        )?;
        Ok(Party {
            code: PartyCode::parse(&code).map_err(|error| error.to_string())?.to_string(),
            kind: kind(self.field(&recipient.kind))?.into(),
            region: self.field(&recipient.region).to_owned(),
            name: self.optional(&recipient.name).to_owned(),
        })
    }

    fn date(&self, text: &str, name: &str) -> Result<Option<Date>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let format = &self.mapping.date_format;
        Date::strptime(format, text)
            .map(Some)
            .map_err(|_| format!("{name} {text:?} is not a date as {format} has it"))
    }

    /// The budget year: a plain year, or that of a date.
    fn year(&self) -> Result<i32, String> {
        let text = self.field(&self.mapping.programme.year);
        if text.len() == 4
            && let Ok(year) = text.parse()
        {
            return Ok(year);
        }
        let date = self.date(text, "programme.year")?.ok_or("the programme's year is empty")?;
        let before_its_begin = date.month() < self.mapping.programme.year_begins_in_month;
        Ok(i32::from(date.year()) - i32::from(before_its_begin))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    const MAPPING: &str = r#"
        namespace = "test"
        data_set = "A test"
        mode = "non_repayable"
        key = { column = "id" }
        title = { column = "title" }
        amount = { column = "amount" }
        currency = { constant = "GBP" }
        starts_on = { column = "date" }
        date_format = "%d/%m/%Y"
        [programme]
        fund = { constant = "test-fund" }
        year = { column = "date" }
        year_begins_in_month = 4
        [recipient]
        region = { constant = "GB" }
        kind = { constant = "other" }
        [[recipient.code]]
        column = "company"
        scheme = "GB-COH"
        shapes = ["9999999", "99999999"]
        pad_to = 8
    "#;

    fn parse_rows(rows: &str) -> (Vec<Award>, Vec<Reject>) {
        let text = format!("\u{feff}id,title,amount,date,company\n{rows}");
        parse(&text, &Mapping::parse(MAPPING).unwrap(), "2020-01-01".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_row_becomes_an_award() {
        let (awards, rejects) = parse_rows("a,\"Buses, many\",1234.505,31/03/2016,6825798\n");
        assert_eq!(rejects, []);
        let request = &awards[0].request;
        assert_eq!(request.amount.as_ref().unwrap().amount_minor, 123_450);
        assert_eq!(request.discrepancies, ["amount 1234.505 was rounded half to even"]);
        assert_eq!((request.year, request.starts_on.as_str()), (2015, "2016-03-31"));
        assert_eq!(request.lead.as_ref().unwrap().code, "GB-COH:06825798");
        assert_eq!(request.source.as_ref().unwrap().row, "a,\"Buses, many\",1234.505,31/03/2016,6825798");
    }

    #[test]
    fn each_bad_row_is_set_aside_with_its_reason() {
        let (awards, rejects) = parse_rows(
            "a,t,0,01/04/2016,6825798\nb,t,x,01/04/2016,6825798\nc,t,1,2016-04-01,6825798\n\
             d,t,1,01/04/2016,n/a\nd,,1,01/04/2016,6825798\n,t,1,01/04/2016,6825798\nf,t\n\
             g,t,1,01/04/2016,6825798\ng,t,2,01/04/2016,6825798\n",
        );
        assert_eq!(awards.iter().map(|award| award.key.as_str()).collect::<Vec<_>>(), ["g"]);
        let reasons = [
            "above zero",
            "amount \"x\"",
            "is not a date",
            "no rule",
            "title is empty",
            "key is empty",
            "2 fields",
            "line 9 already",
        ];
        assert_eq!(rejects.len(), reasons.len());
        for (reject, (reason, line)) in rejects.iter().zip(reasons.into_iter().zip([2, 3, 4, 5, 6, 7, 8, 10]))
        {
            assert!(reject.reason.contains(reason) && reject.line == line, "{reject:?}");
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let error = parse("id,title\n", &mapping, "2020-01-01".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("\"amount\"") && error.contains("id, title"), "{error}");
    }

    /// The file is not part of the repository.
    #[test]
    fn the_shipped_mapping_reads_all_of_its_file_but_the_awards_of_nothing() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = repository.join("../shared/data/uk-government-grant-awards-2016-17.csv");
        if !path.exists() {
            eprintln!("skipped: {} is not there", path.display());
            return;
        }
        let mapping =
            Mapping::read(&repository.join("deploy/mappings/uk-government-grants-2016-17.toml")).unwrap();
        let text = crate::import::read_file(&path).unwrap();
        let (awards, rejects) = parse(&text, &mapping, "2024-01-01".parse().unwrap()).unwrap();
        let zero = rejects.iter().filter(|reject| reject.reason.contains("above zero")).count();
        assert_eq!(zero, 109);
        // One recipient's number is a word for none.
        let unnamed = rejects.iter().filter(|reject| reject.reason.contains("tells no party")).count();
        assert_eq!(unnamed, 1);
        let is_other = |reject: &&Reject| {
            !["above zero", "tells no party"].iter().any(|why| reject.reason.contains(why))
        };
        assert_eq!(rejects.len(), zero + unnamed, "{:?}", rejects.iter().find(is_other));
        assert_eq!(awards.len(), 3_351 - rejects.len());
    }
}
