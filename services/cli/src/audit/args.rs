//! What the questions have in common: the point, the filter, the page, the days.

use clap::Args;
use concord_proto::audit::v1::{AsOf, PostingFilter};
use concord_proto::r#type::v1::FundingMode;

use crate::words::{self, MODES};

/// The point that a question is about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "As of 截至")]
pub struct AsOfArgs {
    /// Events at or below this position of the log 日志位置
    #[arg(long, value_name = "POSITION")]
    pub(super) as_of_position: Option<u64>,
    /// Events known at this instant, RFC 3339 登记时间
    #[arg(long, value_name = "INSTANT", conflicts_with = "as_of_position")]
    pub(super) as_of_time: Option<String>,
    /// Facts that happened on or before this date 发生日期
    #[arg(long, value_name = "DATE")]
    pub(super) effective_on: Option<jiff::civil::Date>,
    /// Wait until the tables have reached this position 等待至该位置
    #[arg(long, value_name = "POSITION")]
    pub(super) min_position: Option<u64>,
}

/// Narrows what is summed or listed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters 筛选")]
pub struct FilterArgs {
    /// Programme 年度计划
    #[arg(long, value_name = "UUID")]
    pub(super) programme: Option<String>,
    /// Funding mode 资助方式
    #[arg(long, value_parser = words::parser(MODES))]
    pub(super) mode: Option<FundingMode>,
    /// Lead's region or the start of its code 牵头单位地区
    #[arg(long, value_name = "REGION")]
    pub(super) lead_region: Option<String>,
    /// Allocated party's region or the start of its code 分配单位地区
    #[arg(long, value_name = "REGION")]
    pub(super) party_region: Option<String>,
    /// Industry 产业
    #[arg(long)]
    pub(super) industry: Option<String>,
    /// Budget year 年度
    #[arg(long)]
    pub(super) year: Option<i32>,
    /// Accounting period 会计期间
    #[arg(long, value_name = "YYYY-MM")]
    pub(super) period: Option<String>,
    /// Grant 项目
    #[arg(long, value_name = "UUID")]
    pub(super) grant: Option<String>,
    /// Party by its UUID or a code 单位
    #[arg(long, value_name = "CODE")]
    pub(super) party: Option<String>,
    /// Currency 币种
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<String>,
}

/// How much of a list.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pages 分页")]
pub struct PageArgs {
    /// Rows on a page 每页行数
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub(super) page_size: i32,
    /// Go on from the page before 下一页
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    pub(super) page_token: String,
    /// All pages 全部
    #[arg(long)]
    pub(super) all: bool,
}

/// A list whose rows have ages.
#[derive(Debug, Clone, Args)]
pub struct AgedArgs {
    /// Counted from this day; default --effective-on, else the log's day 截止日
    #[arg(long, value_name = "DATE")]
    pub(super) on: Option<jiff::civil::Date>,
    /// What is counted.
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// The point that it is about.
    #[command(flatten)]
    pub(super) as_of: AsOfArgs,
    /// Which page.
    #[command(flatten)]
    pub(super) page: PageArgs,
}

/// How far ahead of its day a list of clocks looks; without any of it, not at all.
#[derive(Debug, Clone, Default, Args)]
pub struct AheadArgs {
    /// Of clocks: also what is due within so many days 若干日内到期
    #[arg(long, value_name = "DAYS")]
    pub(super) due_within_days: Option<u32>,
    /// Of clocks: also what is not due yet, however far ahead 含全部未到期
    #[arg(long, conflicts_with = "due_within_days")]
    pub(super) not_due_too: bool,
}

impl AsOfArgs {
    pub(super) fn to_wire(&self) -> Option<AsOf> {
        Some(AsOf {
            position: self.as_of_position.unwrap_or_default(),
            recorded_at: self.as_of_time.clone().unwrap_or_default(),
            effective_on: self.effective_on.map(|date| date.to_string()).unwrap_or_default(),
            min_position: self.min_position.unwrap_or_default(),
        })
    }
}

impl AheadArgs {
    pub(super) fn overdue_only(&self) -> Option<bool> {
        self.not_due_too.then_some(false)
    }

    pub(super) fn due_within_days(&self) -> u32 {
        self.due_within_days.unwrap_or_default()
    }
}

impl FilterArgs {
    pub(super) fn to_wire(&self) -> Option<PostingFilter> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Some(PostingFilter {
            programme_id: text(&self.programme),
            mode: self.mode.unwrap_or_default().into(),
            lead_region: text(&self.lead_region),
            party_region: text(&self.party_region),
            industry: text(&self.industry),
            year: self.year.unwrap_or_default(),
            period: text(&self.period),
            grant_id: text(&self.grant),
            party: text(&self.party),
            currency: text(&self.currency),
        })
    }
}
