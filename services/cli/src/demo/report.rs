//! The end of the demo: the office's tables, the money that stands still, and the ledger beside the demo's own sums.

use std::collections::BTreeMap;

use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::audit::v1::{
    AsOf, Dimension, GetGrantStatementRequest, GetProjectionStatusRequest, ListBalancesRequest,
    ListOverdueRequest, ListUndrawnRequest, UndrawnGrant,
};
use tonic::transport::Channel;

use super::books::Books;
use super::commands::OFFICE;
use super::play::Played;
use crate::audit::tables;
use crate::connect::{Actor, Fund};
use crate::errors::CliError;
use crate::import::h2020::CURRENCY;
use crate::log;
use crate::output::{Format, amount, count, table};

const TOP: i32 = 10;
/// Grants of one page, where all of them are read.
const PAGE: i32 = 1_000;

/// All that is known at this position.
pub(super) fn at(head: u64) -> Option<AsOf> {
    Some(AsOf { min_position: head, ..AsOf::default() })
}

/// Prints the office's tables.
pub(super) async fn print(
    audit: &mut FundingAuditServiceClient<Channel>,
    fund: &Fund,
    head: u64,
    grant: &str,
) -> Result<(), CliError> {
    for (title, dimension, order_by, page_size) in [
        ("by year, with execution 按年度及执行率", Dimension::Year, "", 100),
        ("by mode 按资助方式", Dimension::Mode, "", 100),
        ("by lead's region, top 10 按牵头单位地区", Dimension::LeadRegion, "appropriated_minor desc", TOP),
    ] {
        println!("\n{title}");
        let request = ListBalancesRequest {
            as_of: at(head),
            group_by: vec![dimension.into()],
            order_by: order_by.to_owned(),
            page_size,
            ..ListBalancesRequest::default()
        };
        tables::balances(&audit.list_balances(request).await?.into_inner(), &[dimension]);
    }
    println!("\nundrawn, top 10 未拨付");
    let request = ListUndrawnRequest { as_of: at(head), page_size: TOP, ..ListUndrawnRequest::default() };
    tables::undrawn(&audit.list_undrawn(request).await?.into_inner());
    println!("\noverdue, top 10 逾期");
    let request = ListOverdueRequest { as_of: at(head), page_size: TOP, ..ListOverdueRequest::default() };
    tables::overdue(&audit.list_overdue(request).await?.into_inner());
    println!("\nrefusals 被拒绝的操作");
    log::print_refusals(
        &mut fund.log(&Actor::new("demo-reader", OFFICE))?,
        TOP,
        String::new(),
        Format::Table,
    )
    .await?;
    println!("\nstatement of a grant 项目对账单");
    let request = GetGrantStatementRequest { grant_id: grant.to_owned(), as_of: at(head) };
    tables::statement(&audit.get_grant_statement(request).await?.into_inner());
    Ok(())
}

/// The grants that stand still since they lost their agreement, by how it left force; what stands still must be what the demo
/// says. Grants that were paid to the end before have nothing to stand still.
pub(super) async fn frozen(
    audit: &mut FundingAuditServiceClient<Channel>,
    head: u64,
    played: &Played,
) -> Result<(), CliError> {
    let mut by_cause: BTreeMap<(String, String), (u64, i64)> = BTreeMap::new();
    let mut page_token = String::new();
    let totals = loop {
        let request = ListUndrawnRequest {
            as_of: at(head),
            order_by: "grant_id".to_owned(),
            page_size: PAGE,
            page_token,
            ..ListUndrawnRequest::default()
        };
        let page = audit.list_undrawn(request).await?.into_inner();
        for UndrawnGrant { hold_cause, currency, undrawn_minor, .. } in page.grants {
            if !hold_cause.is_empty() {
                let (grants, minor) = by_cause.entry((hold_cause, currency)).or_default();
                (*grants, *minor) = (*grants + 1, *minor + undrawn_minor);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break page.on_hold_totals;
        }
    };
    println!(
        "\nfrozen without an agreement 因协议失效冻结的资金 ({} agreements made, {} lost with their grants held, synthetic 模拟)",
        count(played.agreements),
        count(played.held)
    );
    let mut frozen = table(&["agreement 协议", ">grants 项目", ">frozen 冻结", "currency"]);
    for ((cause, currency), (grants, minor)) in &by_cause {
        frozen.add_row([cause.clone(), count(*grants), amount(*minor, currency), currency.clone()]);
    }
    println!("{frozen}");
    let listed: i64 = by_cause.values().map(|(_, minor)| minor).sum();
    let total: i64 = totals.iter().map(|total| total.amount_minor).sum();
    let expected = played.frozen_minor;
    if listed == expected && total == expected {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "demo failed 演示未通过: frozen {expected} minor units of {CURRENCY} by the demo's sums, {listed} by the grants listed, {total} \
         by the audit's total"
    )))
}

/// Compares what the ledger holds with what was sent and accepted; says all that differs. That the ledger holds what
/// the log means is the check's to prove.
pub(super) async fn compare(
    audit: &mut FundingAuditServiceClient<Channel>,
    head: u64,
    books: &Books,
    grants: u64,
) -> Result<(), CliError> {
    let request = ListBalancesRequest { as_of: at(head), page_size: 1, ..ListBalancesRequest::default() };
    let totals = audit.list_balances(request).await?.into_inner().totals;
    let mut differences = books.differences(&totals);
    let status =
        audit.get_projection_status(GetProjectionStatusRequest { min_position: head }).await?.into_inner();
    if u64::try_from(status.grants) != Ok(grants) {
        differences
            .push(format!("grants: {grants} by the demo's count, {} by the projection", status.grants));
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "demo failed 演示未通过:\n  {}\nA log with other grants in it differs, too: concord up --reset starts a fresh one.",
        differences.join("\n  ")
    )))
}
