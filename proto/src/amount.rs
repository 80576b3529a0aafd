//! Amounts on the wire: an `int64` of minor units, and beside it the exact figure where that does not fit.

use crate::r#type::v1::{ExactAmount, Money};

/// The nearest number of 64 bits, and the exact figure in decimal digits where that is another one; else an empty text.
#[must_use]
pub fn to_wire(minor: i128) -> (i64, String) {
    match i64::try_from(minor) {
        Ok(fits) => (fits, String::new()),
        Err(_) => (if minor < 0 { i64::MIN } else { i64::MAX }, minor.to_string()),
    }
}

/// The amount that a number and the text beside it say. A text that is no whole number says nothing.
#[must_use]
pub fn from_wire(minor: i64, exact_minor: &str) -> i128 {
    exact_minor.parse().unwrap_or(i128::from(minor))
}

/// Writes an amount of a message with several: the number into its place, and the exact figure into the list where it is needed.
pub fn put(minor: i128, field: &str, place: &mut i64, exact: &mut Vec<ExactAmount>) {
    let (nearest, exact_minor) = to_wire(minor);
    *place = nearest;
    if !exact_minor.is_empty() {
        exact.push(ExactAmount { field: field.to_owned(), exact_minor });
    }
}

/// The amount of a message with several that stands in `field`.
#[must_use]
pub fn of(minor: i64, field: &str, exact: &[ExactAmount]) -> i128 {
    let beside = exact.iter().find(|amount| amount.field == field);
    from_wire(minor, beside.map_or("", |amount| &amount.exact_minor))
}

impl Money {
    /// An amount that fits in 64 bits, as every single one does.
    #[must_use]
    pub fn new(amount_minor: i64, currency: impl Into<String>) -> Self {
        Self { amount_minor, currency: currency.into(), exact_minor: String::new() }
    }

    /// A sum, whatever its size.
    #[must_use]
    pub fn sum(minor: i128, currency: impl Into<String>) -> Self {
        let (amount_minor, exact_minor) = to_wire(minor);
        Self { amount_minor, currency: currency.into(), exact_minor }
    }

    /// Minor units, exactly.
    #[must_use]
    pub fn minor(&self) -> i128 {
        from_wire(self.amount_minor, &self.exact_minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stands_alone_and_what_does_not_is_told_exactly_beside_the_nearest() {
        let beyond = i128::from(i64::MAX) + 1;
        for (minor, number, text) in [
            (0, 0, ""),
            (-5, -5, ""),
            (i128::from(i64::MAX), i64::MAX, ""),
            (i128::from(i64::MIN), i64::MIN, ""),
            (beyond, i64::MAX, "9223372036854775808"),
            (-beyond - 1, i64::MIN, "-9223372036854775809"),
        ] {
            assert_eq!(to_wire(minor), (number, text.to_owned()));
            assert_eq!(from_wire(number, text), minor);
            assert_eq!(Money::sum(minor, "CNY").minor(), minor);
        }
    }

    #[test]
    fn of_several_amounts_only_those_that_do_not_fit_are_listed() {
        let (mut pledged, mut due, mut exact) = (0, 0, Vec::new());
        put(9_400_000_000_000_000_000, "pledged_minor", &mut pledged, &mut exact);
        put(7, "due_minor", &mut due, &mut exact);
        assert_eq!((pledged, due, exact.len()), (i64::MAX, 7, 1));
        assert_eq!(of(pledged, "pledged_minor", &exact), 9_400_000_000_000_000_000);
        assert_eq!(of(due, "due_minor", &exact), 7);
    }
}
