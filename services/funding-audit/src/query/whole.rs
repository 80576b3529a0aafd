//! Whole numbers of any size out of PostgreSQL: a sum of `bigint` is a `numeric`.

use std::error::Error;
use tokio_postgres::types::{FromSql, Type};

/// A whole number of a row, `bigint` or `numeric`. Never rounded, never wrapped: what has a fraction, or is beyond 127 bits, is an
/// error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i128);

impl<'a> FromSql<'a> for Whole {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        if *kind == Type::INT8 {
            return Ok(Self(i128::from(i64::from_sql(kind, raw)?)));
        }
        numeric(raw).map(Self).ok_or_else(|| "a sum is no whole number of 127 bits".into())
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || *kind == Type::NUMERIC
    }
}

/// Reads the binary form of a `numeric`: how many digits there are, the weight of the first, the sign, how many digits are shown
/// behind the point; then the digits, each worth ten thousand of the next. Zeros at the end are left out.
fn numeric(raw: &[u8]) -> Option<i128> {
    const NEGATIVE: i16 = 0x4000;
    let mut words = raw.chunks_exact(2).map(|word| i16::from_be_bytes([word[0], word[1]]));
    let (count, weight, sign) = (words.next()?, words.next()?, words.next()?);
    let digits = words.skip(1).take(usize::try_from(count).ok()?);
    let (mut magnitude, mut place) = (0_i128, i32::from(weight));
    for digit in digits {
        if place < 0 {
            return None;
        }
        magnitude = magnitude.checked_mul(10_000)?.checked_add(i128::from(digit))?;
        place -= 1;
    }
    // What is left of the weight are zeros that were left out.
    let zeros = u32::try_from(place + 1).ok()?;
    let magnitude =
        if magnitude == 0 { 0 } else { magnitude.checked_mul(10_000_i128.checked_pow(zeros)?)? };
    match sign {
        0 => Some(magnitude),
        NEGATIVE => Some(-magnitude),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::numeric;

    fn raw(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_numeric_is_read_whole_or_not_at_all() {
        for (words, read) in [
            (&[0, 0, 0, 0][..], Some(0)),
            (&[1, 0, 0, 0, 7], Some(7)),
            (&[1, 0, 0x4000, 0, 7], Some(-7)),
            (&[2, 1, 0, 0, 1, 2345], Some(12_345)),
            // 9,400,000,000,000,000,000: its zeros are left out.
            (&[2, 4, 0, 0, 940, 0], Some(9_400_000_000_000_000_000)),
            (&[1, 4, 0x4000, 0, 940], Some(-9_400_000_000_000_000_000)),
            (&[1, -1, 0, 4, 5000], None),
            (&[2, 0, 0, 4, 1, 5000], None),
            (&[1, 30, 0, 0, 1], None),
            (&[0, 0, -0x4000, 0], None),
            (&[0, 0], None),
        ] {
            assert_eq!(numeric(&raw(words)), read, "{words:?}");
        }
    }
}
