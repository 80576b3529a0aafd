//! Money 金额: an integer of the currency's minor unit (domain.md section 1).
//!
//! Amounts are `i64` named `…_minor`, fen 分 for CNY. Nothing here goes through a floating-point number, because a sum
//! that is off by one fen is a finding.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::iso4217::CODES_BY_MINOR_DIGITS;

/// The most digits [`parse_minor`] reads; any amount of so many digits fits an `i64` before it is scaled.
const DIGITS_MAX: usize = 18;

/// 10,000 and 100,000,000: the steps in which Chinese readers count money.
const WAN: u128 = 10_000;
const YI: u128 = 100_000_000;

/// A currency 币种: a current code of ISO 4217, written as three capital letters (`"CNY"`), also in JSON.
///
/// One programme has one currency, and sums never mix two (domain.md section 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The yuan 人民币; its minor unit is the fen 分.
    pub const CNY: Self = Self(*b"CNY");
    /// The euro 欧元.
    pub const EUR: Self = Self(*b"EUR");
    /// The pound sterling 英镑.
    pub const GBP: Self = Self(*b"GBP");

    /// How many decimal digits the minor unit has: 2 for CNY, 0 for JPY, 3 for KWD (ISO 4217).
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        CODES_BY_MINOR_DIGITS
            .iter()
            .find(|(_, codes)| codes.contains(&self.as_str()))
            .map(|(digits, _)| *digits)
            .expect("a currency is only made from a listed code")
    }

    /// The three letters of the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency code is three ASCII letters")
    }

    /// How many minor units make one of the currency: 100 fen make a yuan.
    fn minor_per_major(self) -> u128 {
        10_u128.pow(self.minor_digits())
    }
}

impl TryFrom<&str> for Currency {
    type Error = MoneyError;

    fn try_from(code: &str) -> Result<Self, MoneyError> {
        let listed = CODES_BY_MINOR_DIGITS.iter().any(|(_, codes)| codes.contains(&code));
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if listed => Ok(Self(letters)),
            _ => Err(MoneyError::UnknownCurrency { code: code.chars().take(16).collect() }),
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::try_from(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::try_from(code.as_str())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount as commands and answers carry it: so many minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units (fen 分 for CNY).
    pub minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

impl Amount {
    /// So many minor units of a currency.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

impl fmt::Display for Amount {
    /// As people read it: `30.00 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", format_minor(self.minor, self.currency), self.currency)
    }
}

/// Why a currency or an amount was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not a current ISO 4217 code with a minor unit.
    #[error("{code:?} is not a current ISO 4217 currency code; write three capital letters such as CNY")]
    UnknownCurrency {
        /// The code as given, cut to 16 characters.
        code: String,
    },
    /// There is no digit where one must be: an empty text, `"."`, `"-"`, `".5"` or `"5."`.
    #[error("the amount lacks a digit; write it like 1234.56, with digits on both sides of the point")]
    DigitMissing,
    /// A character that is not part of a plain decimal: a blank, a separator, an exponent, a NUL.
    #[error(
        "the amount has {character:?} at character {position}; write it like -1234.56, without blanks, separators or exponents"
    )]
    UnexpectedCharacter {
        /// The first character that does not belong.
        character: char,
        /// Its position, counted from 1.
        position: usize,
    },
    /// More than 18 digits.
    #[error("the amount has {digits} digits and at most 18 are read; check that it is one amount")]
    TooManyDigits {
        /// How many digits there are, before and after the point.
        digits: usize,
    },
    /// The amount does not fit a 64-bit integer of minor units.
    #[error(
        "the amount is too large to be held in minor units of {currency}; check the unit it is stated in"
    )]
    TooLarge {
        /// The currency whose minor unit was asked for.
        currency: Currency,
    },
}

/// What [`parse_minor`] read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The amount in minor units of the currency.
    pub amount_minor: i64,
    /// True when digits other than zero were lost, so that the amount is not exactly what was written.
    pub rounded: bool,
}

/// Reads a plain decimal such as `"2927875.1234"` into minor units, rounding half to even.
///
/// A sign may lead. The arithmetic is exact, and [`Parsed::rounded`] says whether anything was lost: an importer keeps
/// the source text and reports the rounding, an API refuses it.
///
/// # Errors
///
/// [`MoneyError`] when the text is not a plain decimal, has more than 18 digits, or does not fit.
pub fn parse_minor(decimal: &str, currency: Currency) -> Result<Parsed, MoneyError> {
    let unsigned = decimal.strip_prefix(['-', '+']).unwrap_or(decimal);
    let signs = decimal.len() - unsigned.len();
    let mut digits: i128 = 0;
    let mut digit_count = 0_usize;
    let mut point_after = None;
    for (index, character) in unsigned.chars().enumerate() {
        match character {
            '0'..='9' => {
                digit_count += 1;
                // Digits past the limit are counted for the message and not read.
                if digit_count <= DIGITS_MAX {
                    digits = digits * 10 + i128::from(u32::from(character) - u32::from('0'));
                }
            }
            '.' if point_after.is_none() => point_after = Some(digit_count),
            _ => {
                return Err(MoneyError::UnexpectedCharacter { character, position: signs + index + 1 });
            }
        }
    }
    if digit_count == 0 || point_after == Some(0) || point_after == Some(digit_count) {
        return Err(MoneyError::DigitMissing);
    }
    if digit_count > DIGITS_MAX {
        return Err(MoneyError::TooManyDigits { digits: digit_count });
    }
    // Both exponents are at most 18, so the numbers stay below 10^22 and 10^18.
    let fraction_digits = digit_count - point_after.unwrap_or(digit_count);
    let numerator = digits.unsigned_abs() * currency.minor_per_major();
    let (magnitude, rounded) = divide_half_even(numerator, 10_u128.pow(fraction_digits as u32));
    let magnitude = i64::try_from(magnitude).map_err(|_| MoneyError::TooLarge { currency })?;
    let amount_minor = if decimal.starts_with('-') { -magnitude } else { magnitude };
    Ok(Parsed { amount_minor, rounded })
}

/// Writes an amount in whole units with thousands separators and all digits of the minor unit: `"2,927,875.12"`. A sum may be wider
/// than the amounts that it is of.
#[must_use]
pub fn format_minor(amount_minor: impl Into<i128>, currency: Currency) -> String {
    let amount_minor = amount_minor.into();
    let magnitude = amount_minor.unsigned_abs();
    format!("{}{}", sign(amount_minor), grouped_decimal(magnitude, currency.minor_digits()))
}

/// Writes an amount the way Chinese readers take it in: 元 below ten thousand, then 万元, then 亿元.
///
/// In 万 and 亿 two decimals are shown, rounded half to even with integers (`"292.79万元"`); below ten thousand the
/// amount is exact. Currencies other than CNY carry their code (`"292.79万 EUR"`). This is for reading at a glance:
/// where the exact amount matters, [`format_minor`] stands beside it.
#[must_use]
pub fn format_zh(amount_minor: impl Into<i128>, currency: Currency) -> String {
    let amount_minor = amount_minor.into();
    let magnitude = amount_minor.unsigned_abs();
    let major = currency.minor_per_major();
    // Both steps are multiples of a hundred.
    let in_hundredths_of = |step: u128| divide_half_even(magnitude, major * step / 100).0;
    let (number, step) = if magnitude < major * WAN {
        (grouped_decimal(magnitude, currency.minor_digits()), "")
    } else if in_hundredths_of(WAN) < 100 * WAN {
        (grouped_decimal(in_hundredths_of(WAN), 2), "万")
    } else {
        // Chosen after rounding, so that 99,999,999.99 reads 1.00亿元 and never 10,000.00万元.
        (grouped_decimal(in_hundredths_of(YI), 2), "亿")
    };
    let sign = sign(amount_minor);
    if currency == Currency::CNY {
        format!("{sign}{number}{step}元")
    } else {
        format!("{sign}{number}{step} {currency}")
    }
}

/// The given per cent of an amount in minor units, rounded down (towards negative infinity).
///
/// Rounded down, because shares are ceilings: three thirds may leave a fen over and never exceed the whole. The result
/// is exact for up to 100 per cent; above, a result beyond `i64` stays at its end.
#[must_use]
pub fn share_of(amount_minor: i64, percent: u32) -> i64 {
    let share = (i128::from(amount_minor) * i128::from(percent)).div_euclid(100);
    i64::try_from(share).unwrap_or(if share < 0 { i64::MIN } else { i64::MAX })
}

/// Divides, rounding half to even, and says whether there was a remainder.
fn divide_half_even(numerator: u128, denominator: u128) -> (u128, bool) {
    let quotient = numerator / denominator;
    let remainder = numerator % denominator;
    let up = match (remainder * 2).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    (quotient + u128::from(up), remainder != 0)
}

fn sign(amount_minor: i128) -> &'static str {
    if amount_minor < 0 { "-" } else { "" }
}

/// Writes an integer with its last `decimals` digits behind a point and the rest in groups of three.
fn grouped_decimal(magnitude: u128, decimals: u32) -> String {
    let scale = 10_u128.pow(decimals);
    let whole = (magnitude / scale).to_string();
    let mut text = String::with_capacity(whole.len() * 4 / 3 + 6);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if decimals > 0 {
        text.push_str(&format!(".{:0width$}", magnitude % scale, width = decimals as usize));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(decimal: &str, code: &str) -> Result<(i64, bool), MoneyError> {
        parse_minor(decimal, code.parse()?).map(|parsed| (parsed.amount_minor, parsed.rounded))
    }

    #[test]
    fn amounts_are_read_exactly_or_rounded_half_to_even() {
        for (decimal, code, expected) in [
            ("2927875.1234", "EUR", (292_787_512, true)),
            ("2927875", "CNY", (292_787_500, false)),
            ("0.005", "CNY", (0, true)),
            ("0.015", "CNY", (2, true)),
            ("0.025", "CNY", (2, true)),
            ("0.0251", "CNY", (3, true)),
            ("-0.015", "CNY", (-2, true)),
            ("+12.30", "GBP", (1_230, false)),
            ("12.5000", "GBP", (1_250, false)),
            ("1.5", "JPY", (2, true)),
            ("1.234", "KWD", (1_234, false)),
            ("0.00000000000000001", "CNY", (0, true)),
        ] {
            assert_eq!(parse(decimal, code), Ok(expected), "{decimal} {code}");
        }
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        let at = |character, position| MoneyError::UnexpectedCharacter { character, position };
        for (decimal, refusal) in [
            ("", MoneyError::DigitMissing),
            ("-", MoneyError::DigitMissing),
            (".", MoneyError::DigitMissing),
            (".5", MoneyError::DigitMissing),
            ("5.", MoneyError::DigitMissing),
            ("1e5", at('e', 2)),
            (" 1", at(' ', 1)),
            ("1 ", at(' ', 2)),
            ("1\0", at('\0', 2)),
            ("1,000", at(',', 2)),
            ("--1", at('-', 2)),
            ("1.2.3", at('.', 4)),
            ("１", at('１', 1)),
            ("NA", at('N', 1)),
            ("1234567890123456789", MoneyError::TooManyDigits { digits: 19 }),
            ("123456789012345678", MoneyError::TooLarge { currency: Currency::CNY }),
        ] {
            assert_eq!(parse(decimal, "CNY"), Err(refusal), "{decimal:?}");
        }
    }

    #[test]
    fn a_currency_is_a_listed_code_in_capitals() {
        assert_eq!("CNY".parse(), Ok(Currency::CNY));
        for code in ["cny", "RMB", "XXX", "XAU", "", "人民币"] {
            let refusal = code.parse::<Currency>().unwrap_err();
            assert!(refusal.to_string().contains("ISO 4217"), "{refusal}");
        }
        let digits = |code: &str| code.parse::<Currency>().unwrap().minor_digits();
        assert_eq!((digits("JPY"), digits("EUR"), digits("KWD"), digits("CLF")), (0, 2, 3, 4));
    }

    #[test]
    fn a_currency_is_a_string_in_json() {
        assert_eq!(serde_json::to_string(&Currency::CNY).unwrap(), "\"CNY\"");
        assert_eq!(serde_json::from_str::<Currency>("\"GBP\"").unwrap(), Currency::GBP);
        assert!(serde_json::from_str::<Currency>("\"RMB\"").is_err());
    }

    #[test]
    fn amounts_are_written_with_separators() {
        let jpy = "JPY".parse().unwrap();
        assert_eq!(format_minor(292_787_512, Currency::EUR), "2,927,875.12");
        assert_eq!(format_minor(-5, Currency::CNY), "-0.05");
        assert_eq!(format_minor(1_234_567, jpy), "1,234,567");
        assert_eq!(format_minor(i64::MIN, Currency::CNY), "-92,233,720,368,547,758.08");
        // 9,400 amounts of ten trillion yuan.
        assert_eq!(format_minor(9_400_000_000_000_000_000_i128, Currency::CNY), "94,000,000,000,000,000.00");
    }

    #[test]
    fn chinese_readers_see_wan_and_yi() {
        for (amount_minor, expected) in [
            (0, "0.00元"),
            (999_999, "9,999.99元"),
            (1_000_000, "1.00万元"),
            (292_787_512, "292.79万元"),
            (-292_787_512, "-292.79万元"),
            (9_999_999_999, "1.00亿元"),
            (1_234_567_890_123, "123.46亿元"),
            (9_400_000_000_000_000_000_i128, "940,000,000.00亿元"),
        ] {
            assert_eq!(format_zh(amount_minor, Currency::CNY), expected);
        }
        assert_eq!(format_zh(292_787_512, Currency::EUR), "292.79万 EUR");
        assert_eq!(format_zh(12, Currency::EUR), "0.12 EUR");
    }

    #[test]
    fn shares_are_rounded_down() {
        assert_eq!(share_of(101, 50), 50);
        assert_eq!(share_of(-101, 50), -51);
        assert_eq!(share_of(i64::MAX, 100), i64::MAX);
        assert_eq!(share_of(i64::MAX, 200), i64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            amount_minor in -999_999_999_999_999_999_i64..=999_999_999_999_999_999,
            code in prop::sample::select(vec!["CNY", "JPY", "KWD", "CLF"]),
        ) {
            let currency: Currency = code.parse().unwrap();
            let written = format_minor(amount_minor, currency).replace(',', "");
            let read = parse_minor(&written, currency).unwrap();
            prop_assert_eq!(read, Parsed { amount_minor, rounded: false });
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
            let _ = parse_minor(&text, Currency::CNY);
        }

        #[test]
        fn shares_of_a_whole_never_exceed_it(amount_minor in 0..=i64::MAX, first in 0_u32..=100) {
            let parts = i128::from(share_of(amount_minor, first)) + i128::from(share_of(amount_minor, 100 - first));
            prop_assert!(parts <= i128::from(amount_minor) && parts + 1 >= i128::from(amount_minor));
        }
    }
}
