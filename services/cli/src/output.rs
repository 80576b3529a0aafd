//! What people and programs read: aligned tables with amounts in whole units, or JSON with minor units.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, presets};
use concord_kernel::money::{Currency, format_minor, parse_minor};
use concord_proto::r#type::v1::{CommandReceipt, ExactAmount, Money};
use serde_json::{Value, json};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables for people.
    Table,
    /// One JSON document for programs.
    Json,
}

/// Prints a JSON document.
pub fn print_json(value: &Value) {
    println!("{value:#}");
}

/// A table with these column names; those that begin with `>` are aligned to the right, as amounts are.
#[must_use]
pub fn table(columns: &[&str]) -> Table {
    // A line between rows would double the length of every table.
    let style = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|name| Cell::new(name.trim_start_matches('>'))));
    for (index, name) in columns.iter().enumerate() {
        if name.starts_with('>')
            && let Some(column) = table.column_mut(index)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Names and values of one thing, one on a line. Empty values are left out.
pub fn print_fields(fields: &[(&str, String)]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([*name, value.as_str()]);
    }
    println!("{}", table.trim_fmt());
}

/// An amount in whole units with separators; in minor units where the currency is not known here.
#[must_use]
pub fn amount(amount_minor: impl Into<i128>, currency: &str) -> String {
    let amount_minor = amount_minor.into();
    Currency::try_from(currency)
        .map_or_else(|_| format!("{amount_minor} (minor)"), |known| format_minor(amount_minor, known))
}

/// An amount with its currency.
#[must_use]
pub fn money(money: &Money) -> String {
    format!("{} {}", amount(money.minor(), &money.currency), money.currency)
}

/// Reads an amount as people type it: whole units, a blank, the currency.
///
/// # Errors
/// A sentence for the terminal; digits beyond the minor unit are refused, never rounded.
pub fn parse_money(text: &str) -> Result<Money, String> {
    let (number, code) = text.trim().split_once(char::is_whitespace).ok_or_else(|| {
        format!("{text:?}: write amount and currency, for example \"1234.50 CNY\" 请写作 \"1234.50 CNY\"")
    })?;
    let currency = Currency::try_from(code.trim()).map_err(|error| error.to_string())?;
    Ok(Money::new(exact_minor(number, currency)?, currency.to_string()))
}

/// Minor units of a typed number, refusing what would be rounded.
pub(crate) fn exact_minor(number: &str, currency: Currency) -> Result<i64, String> {
    let parsed = parse_minor(number, currency).map_err(|error| error.to_string())?;
    if parsed.rounded {
        return Err(format!("{number} has more digits than {currency} has; write it exactly 小数位数过多"));
    }
    Ok(parsed.amount_minor)
}

/// Money as JSON.
#[must_use]
pub fn money_json(money: &Option<Money>) -> Value {
    money.as_ref().map_or(Value::Null, |money| {
        let mut value = json!({"amount_minor": money.amount_minor, "currency": money.currency});
        exact_json(&mut value, &money.exact_minor);
        value
    })
}

/// Adds the exact figure of an amount that does not fit in 64 bits.
pub(crate) fn exact_json(value: &mut Value, exact_minor: &str) {
    if !exact_minor.is_empty() {
        value["exact_minor"] = exact_minor.into();
    }
}

/// Adds the exact figures of those amounts of a message that do not fit in 64 bits, by the names of their fields.
pub(crate) fn exact_amounts_json(value: &mut Value, exact: &[ExactAmount]) {
    if !exact.is_empty() {
        let named = exact.iter().map(|amount| (amount.field.clone(), amount.exact_minor.as_str().into()));
        value["exact"] = Value::Object(named.collect());
    }
}

/// A receipt as JSON.
#[must_use]
pub fn receipt_json(receipt: &CommandReceipt) -> Value {
    json!({
        "log": receipt.log,
        "first_position": receipt.first_position,
        "last_position": receipt.last_position,
        "version": receipt.version,
        "leaf_hashes": receipt.leaf_hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
        "rulebook": receipt.rulebook,
    })
}

/// Prints the answer to a command: what holds now, and what to keep as proof.
pub fn print_receipt(
    format: Format,
    request_id: &str,
    receipt: Option<CommandReceipt>,
    facts: &[(&str, String)],
) {
    let receipt = receipt.unwrap_or_default();
    if format == Format::Json {
        let mut value = json!({"request_id": request_id, "receipt": receipt_json(&receipt)});
        if let Value::Object(object) = &mut value {
            object.extend(facts.iter().map(|(name, fact)| ((*name).to_owned(), Value::from(fact.as_str()))));
        }
        return print_json(&value);
    }
    let position = match (receipt.first_position, receipt.last_position) {
        (0, head) => format!("nothing to change 无变化 ({}@{head})", receipt.log),
        (first, last) if first == last => format!("{}@{last}", receipt.log),
        (first, last) => format!("{}@{first}..{last}", receipt.log),
    };
    let mut fields = vec![("recorded 已记录", position)];
    fields.extend(facts.iter().map(|(name, fact)| (*name, fact.clone())));
    fields.push(("version 版本", receipt.version.to_string()));
    fields.push(("rulebook 规则版本", receipt.rulebook));
    fields.push(("request id 请求号", request_id.to_owned()));
    fields.push((
        "leaf hashes 凭证",
        receipt.leaf_hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>().join(" "),
    ));
    print_fields(&fields);
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An integer with separators, for counts.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in tenths of a per cent, for example "52.3 %"; empty where the whole is zero.
#[must_use]
pub fn percent(part: impl Into<i128>, whole: impl Into<i128>) -> String {
    let (part, whole) = (part.into(), whole.into());
    if whole == 0 {
        return String::new();
    }
    let permille = part * 1_000 / whole;
    format!("{}{}.{} %", if permille < 0 { "-" } else { "" }, permille.abs() / 10, permille.abs() % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_typed_exactly_or_refused() {
        assert_eq!(parse_money("1234.50 CNY"), Ok(Money::new(123_450, "CNY")));
        for wrong in ["1234.50", "1.005 EUR", "1,000 EUR", "10 RMB", "x EUR"] {
            assert!(parse_money(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_grouped_for_people() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(amount(123_456_789, "EUR"), "1,234,567.89");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 0), "");
    }
}
