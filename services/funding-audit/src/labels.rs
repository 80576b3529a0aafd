//! What people read beside a code.

use concord_events::fund::FundingMode;
use concord_kernel::{Date, industry::Industry, region::Regions};
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
    fn modes_and_industries_are_named_in_chinese() {
        assert_eq!(mode("loan_interest_subsidy"), "贷款贴息");
        assert_eq!(industry("marine"), "海洋");
        assert_eq!(industry(""), "");
    }
}
