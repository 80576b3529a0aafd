//! What people read beside a code.

use concord_events::fund::{FundingMode, RecoveryCause, matching_source_zh};
use concord_kernel::{Date, industry::Industry, region::Regions, spending::SpendCategory};
use concord_proto::r#type::v1::FundingMode as WireMode;

/// The mode with this code.
pub(crate) fn mode_of(code: &str) -> Option<FundingMode> {
    FundingMode::ALL.into_iter().find(|mode| mode.code() == code)
}

/// The mode as messages have it.
pub(crate) fn wire_mode(mode: FundingMode) -> WireMode {
    match mode {
        FundingMode::NonRepayable => WireMode::NonRepayable,
        FundingMode::Repayable => WireMode::Repayable,
        FundingMode::RiskCompensation => WireMode::RiskCompensation,
        FundingMode::LoanInterestSubsidy => WireMode::LoanInterestSubsidy,
        FundingMode::PostCompletion => WireMode::PostCompletion,
        FundingMode::TransferFeeSubsidy => WireMode::TransferFeeSubsidy,
    }
}

/// The mode that a message has; `None` for the unspecified one.
pub(crate) fn mode_from_wire(mode: WireMode) -> Option<FundingMode> {
    FundingMode::ALL.into_iter().find(|known| wire_mode(*known) == mode)
}

/// A funding mode by its Chinese name; the code itself where there is none.
pub(crate) fn mode(code: &str) -> String {
    mode_of(code).map_or_else(|| code.to_owned(), |mode| mode.label_zh().to_owned())
}

/// An industry by its Chinese name; the code itself where there is none.
pub(crate) fn industry(code: &str) -> String {
    code.parse::<Industry>().map_or_else(|_| code.to_owned(), |industry| industry.label_zh().to_owned())
}

/// A source of matching money, `kind` or `kind/level`, by its Chinese name; the code itself where there is none.
pub(crate) fn matching_source(code: &str) -> &str {
    let (kind, level) = code.split_once('/').unwrap_or((code, ""));
    matching_source_zh(kind, level).unwrap_or(code)
}

/// A category of spending by its Chinese name; the code itself where there is none.
pub(crate) fn category(code: &str) -> &str {
    SpendCategory::ALL.into_iter().find(|known| known.code() == code).map_or(code, |known| known.label_zh())
}

/// The cause of a recovery by its Chinese name; the code itself where there is none.
pub(crate) fn cause(code: &str) -> &str {
    RecoveryCause::ALL.into_iter().find(|known| known.code() == code).map_or(code, |known| known.label_zh())
}

/// A fact of money that was corrected, in English and in Chinese; the code itself where there is no name.
pub(crate) fn money_fact(code: &str) -> (&str, &str) {
    match code {
        "settlement" => ("settlement", "到账"),
        "matching_arrival" => ("arrival of matching money", "配套到位"),
        "share_transfer" => ("transfer of a share", "转拨"),
        "spend_acceptance" => ("acceptance of spending", "支出核定"),
        "balance_refund" => ("refund of a balance", "结余退回"),
        "recovery_repayment" => ("repayment of a recovery", "追缴款缴回"),
        _ => (code, code),
    }
}

/// A region by the name that it has on this date, else by the last one that it had before; the code itself where the
/// table has none, as for countries. Without a date: the newest name.
pub(crate) fn region(regions: &Regions, code: &str, on: Option<Date>) -> String {
    let newest = on.map_or(Date::MAX.year(), Date::year);
    // The table knows years. The codes of GB/T 2260 begin in 1980.
    std::iter::once(newest)
        .chain((1980..=newest.min(2100)).rev())
        .filter_map(|year| Date::new(year, 1, 1).ok())
        .find_map(|on| regions.name(code, on))
        .map_or_else(|| code.to_owned(), str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use concord_events::fund::{Holding, MoneyFact};
    use concord_kernel::{
        id::{RecoveryId, SpendId},
        party::PartyId,
    };
    use uuid::Uuid;

    #[test]
    fn a_region_is_named_as_it_was_on_the_date() {
        let region = |code, on| region(Regions::shipped(), code, on);
        assert_eq!(region("210100", None), "沈阳市");
        assert_eq!(region("210122", Some(Date::constant(2010, 5, 1))), "辽中县");
        assert_eq!(region("210122", None), "辽中县", "the last name of a code that is no longer in use");
        assert_eq!(region("DE", None), "DE");
    }

    #[test]
    fn a_region_is_named_as_the_given_table_has_it() {
        let table = "代码,一级行政区,二级行政区,名称,级别,状态,启用时间,变更/弃用时间,新代码\n\
                     440100,广东省,,广州市,地级,在用,1980,,\n";
        let regions = Regions::from_csv(table).unwrap();
        assert_eq!(region(&regions, "440100", None), "广州市");
        assert_eq!(region(&regions, "210100", None), "210100");
    }

    #[test]
    fn what_a_finding_is_about_is_named_in_chinese() {
        assert_eq!(matching_source("government_budget/city"), "市财政");
        assert_eq!(matching_source("own_money"), "自筹");
        assert_eq!(matching_source("barter/city"), "barter/city");
        assert_eq!((category("fine"), category("x")), ("罚款、滞纳金", "x"));
        assert_eq!((cause("diverted"), cause("x")), ("挪用", "x"));
    }

    #[test]
    fn every_fact_of_money_has_a_name() {
        let (party, spend) = (PartyId(Uuid::nil()), SpendId(Uuid::nil()));
        let (recovery, from) = (RecoveryId(Uuid::nil()), Holding::Unspent);
        let facts = [
            MoneyFact::Settlement { tranche: 1, amount_minor: 1 },
            MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 1 },
            MoneyFact::ShareTransfer { to: party, amount_minor: 1 },
            MoneyFact::SpendAcceptance { spend, party, amount_minor: 1 },
            MoneyFact::BalanceRefund { party, from, amount_minor: 1 },
            MoneyFact::RecoveryRepayment { recovery, amount_minor: 1 },
        ];
        for fact in facts {
            let (_, zh) = money_fact(fact.code());
            assert!(!zh.is_ascii(), "{} has no Chinese name", fact.code());
        }
        assert_eq!(money_fact("x"), ("x", "x"));
    }

    #[test]
    fn modes_and_industries_are_named_in_chinese() {
        assert_eq!(mode("loan_interest_subsidy"), "贷款贴息");
        assert_eq!(industry("marine"), "海洋");
        assert_eq!(industry(""), "");
    }
}
