//! Arguments of `concord grant` that say several things in one word.

use concord_proto::fund::v1::TrancheCondition;
use concord_proto::r#type::v1::{Money, Party};
use jiff::civil::Date;
use uuid::Uuid;

use crate::output::parse_money;
use crate::words::{self, CONDITIONS, KINDS};

/// A line of a payment plan, its amount still as typed: the contract's currency says how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrancheLine {
    pub(super) amount: String,
    pub(super) condition: TrancheCondition,
    pub(super) due_on: Date,
}

/// A party's share, its amount still as typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub(super) party: Party,
    pub(super) amount: String,
}

pub(super) fn parse_score(text: &str) -> Result<u32, String> {
    let (points, decimals) = text.split_once('.').unwrap_or((text, ""));
    let wrong = || format!("{text:?}: write points out of 100 with at most two decimals, for example 86.50");
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if points.is_empty() || decimals.len() > 2 || !digits(points) || !digits(decimals) {
        return Err(wrong());
    }
    let hundredths: u32 = format!("{points}{decimals:0<2}").parse().map_err(|_| wrong())?;
    if hundredths > 10_000 { Err(wrong()) } else { Ok(hundredths) }
}

pub(super) fn parse_award(text: &str) -> Result<(Uuid, Money), String> {
    let (grant, amount) =
        text.split_once('=').ok_or("write GRANT=AMOUNT, for example \"0190…=800000.00 CNY\"")?;
    Ok((grant.parse().map_err(|_| format!("{grant:?} is not the UUID of a grant"))?, parse_money(amount)?))
}

pub(super) fn parse_tranche(text: &str) -> Result<TrancheLine, String> {
    let [amount, condition, due_on] = text.splitn(3, ':').collect::<Vec<_>>()[..] else {
        return Err("write AMOUNT:CONDITION:DUE, for example 400000.00:contract:2024-05-01".to_owned());
    };
    let condition = words::value(CONDITIONS, condition)
        .ok_or_else(|| format!("{condition:?} is no condition; use one of {}", words::list(CONDITIONS)))?;
    let due_on = due_on.parse().map_err(|_| format!("{due_on:?} is not a date like 2024-05-01"))?;
    Ok(TrancheLine { amount: amount.to_owned(), condition, due_on })
}

pub(super) fn parse_share(text: &str) -> Result<Share, String> {
    let [code, kind, region, amount] = text.splitn(4, ',').collect::<Vec<_>>()[..] else {
        return Err("write CODE,KIND,REGION,AMOUNT, for example CN-USCC:91330100799655058B,enterprise,330100,300000.00".to_owned());
    };
    let kind = words::value(KINDS, kind)
        .ok_or_else(|| format!("{kind:?} is no kind; use one of {}", words::list(KINDS)))?;
    let party =
        Party { code: code.to_owned(), kind: kind.into(), region: region.to_owned(), name: String::new() };
    Ok(Share { party, amount: amount.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_hundredths() {
        for (text, hundredths) in [("86.50", 8_650), ("86.5", 8_650), ("100", 10_000), ("0.01", 1)] {
            assert_eq!(parse_score(text), Ok(hundredths));
        }
        for wrong in ["100.01", "86.505", "x", "", "-1", "1.x"] {
            assert!(parse_score(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn compound_arguments_say_how_they_are_written() {
        let line = parse_tranche("400000.00:contract:2024-05-01").unwrap();
        assert_eq!((line.amount.as_str(), line.condition), ("400000.00", TrancheCondition::Contract));
        assert!(parse_tranche("1:now:2024-05-01").unwrap_err().contains("midterm"));
        assert!(parse_tranche("1").unwrap_err().contains("AMOUNT:CONDITION:DUE"));
        assert!(parse_share("CN-USCC:1,club,210100,1").unwrap_err().contains("university"));
        assert!(parse_award("x=1.00 CNY").unwrap_err().contains("UUID"));
    }
}
