//! How long an auditor waits for an answer 查询用时, over all that the demo has recorded.
//!
//! Two questions that are asked often: what one rule finds of one grant, and what one programme held, by what was known at an
//! earlier position and had happened by an earlier date. Each is asked of several grants, or of every programme, one after
//! the other over gRPC. Nothing is expected of the times: they depend on what else the machine does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::audit::v1::{AsOf, Dimension, ListBalancesRequest, ListFindingsRequest, PostingFilter};
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use super::report::at;
use crate::connect::Audit;
use crate::errors::CliError;
use crate::output::{count, table};

/// Grants that each rule is asked about.
const GRANTS: usize = 20;
/// Findings that they are taken from, those with the largest amounts.
const FINDINGS: i32 = 200;
/// The date in the midst of the played years that balances are asked for.
const EFFECTIVE_ON: &str = "2019-06-30";

/// Asks, and prints the times.
///
/// # Errors
/// What the service refused, or where a programme's answer is not of that programme.
pub(super) async fn print(audit: &Audit, head: u64, rules: &BTreeSet<String>) -> Result<(), CliError> {
    println!("\nhow long an answer takes 查询用时");
    let mut table = table(&["question 问题", ">asked 次数", ">median 中位 (ms)", ">longest 最长 (ms)"]);
    let mut row = |question: String, mut times: Vec<Duration>| {
        times.sort_unstable();
        if let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) {
            table.add_row([question, count(times.len() as u64), millis(*median), millis(*longest)]);
        }
    };
    for rule in rules {
        row(format!("{rule} of one grant 单个项目"), findings_of_grants(audit, head, rule).await?);
    }
    row(
        format!(
            "balances of one programme 单个专项, known at 认知截至 {}, effective 生效截至 {EFFECTIVE_ON}",
            head / 2
        ),
        balances_of_programmes(audit, head).await?,
    );
    println!("{table}");
    Ok(())
}

/// How long it takes what this rule finds of a grant, of grants that it finds something of.
async fn findings_of_grants(audit: &Audit, head: u64, rule: &str) -> Result<Vec<Duration>, CliError> {
    let mut client = audit.findings();
    let of = |grant_id: String| ListFindingsRequest {
        as_of: at(head),
        filter: Some(PostingFilter { grant_id, ..PostingFilter::default() }),
        rules: vec![rule.to_owned()],
        ..ListFindingsRequest::default()
    };
    let largest = ListFindingsRequest { filter: None, page_size: FINDINGS, ..of(String::new()) };
    let found = client.list_findings(largest).await?.into_inner().findings;
    let grants: BTreeSet<String> =
        found.into_iter().map(|finding| finding.grant_id).filter(|grant| !grant.is_empty()).collect();
    let mut times = Vec::with_capacity(GRANTS);
    for grant in grants.into_iter().take(GRANTS) {
        let started = Instant::now();
        let found = client.list_findings(of(grant.clone())).await?.into_inner().findings;
        times.push(started.elapsed());
        if found.is_empty() || found.iter().any(|finding| finding.rule != rule) {
            return Err(CliError::failed(format!(
                "demo failed 演示未通过: {rule} finds something of grant {grant} among all, and not of it alone"
            )));
        }
    }
    Ok(times)
}

/// How long it takes what each programme held.
async fn balances_of_programmes(audit: &Audit, head: u64) -> Result<Vec<Duration>, CliError> {
    let mut client = audit.tables();
    let by_programme = vec![Dimension::Programme.into()];
    let all = ListBalancesRequest {
        as_of: at(head),
        group_by: by_programme.clone(),
        ..ListBalancesRequest::default()
    };
    let all = client.list_balances(all).await?.into_inner().balances;
    let programmes: BTreeSet<String> = all.into_iter().flat_map(|balance| balance.group).collect();
    let earlier = decided(&mut client, head / 2).await?;
    let mut times = Vec::with_capacity(programmes.len());
    for programme in programmes {
        let request = ListBalancesRequest {
            as_of: Some(AsOf { position: earlier, effective_on: EFFECTIVE_ON.to_owned(), ..AsOf::default() }),
            filter: Some(PostingFilter { programme_id: programme.clone(), ..PostingFilter::default() }),
            group_by: by_programme.clone(),
            ..ListBalancesRequest::default()
        };
        let started = Instant::now();
        let answer = client.list_balances(request).await?.into_inner();
        times.push(started.elapsed());
        if answer.balances.iter().any(|balance| balance.group != [programme.clone()]) {
            return Err(CliError::failed(format!(
                "demo failed 演示未通过: balances of programme {programme} hold another one's"
            )));
        }
    }
    Ok(times)
}

/// The position, or the last one of the decision that it lies inside of.
async fn decided(client: &mut FundingAuditServiceClient<Channel>, position: u64) -> Result<u64, CliError> {
    let as_of = Some(AsOf { position, ..AsOf::default() });
    let request = ListBalancesRequest { as_of, ..ListBalancesRequest::default() };
    let Err(status) = client.list_balances(request).await else { return Ok(position) };
    let last =
        status.get_details_error_info().and_then(|info| info.metadata.get("decision_last")?.parse().ok());
    last.ok_or_else(|| status.into())
}

/// Milliseconds with one decimal, without a float.
fn millis(elapsed: Duration) -> String {
    format!("{}.{}", elapsed.as_millis(), elapsed.subsec_micros() / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_milliseconds() {
        assert_eq!(millis(Duration::from_micros(37_590)), "37.5");
        assert_eq!(millis(Duration::from_micros(1_000_060)), "1000.0");
    }
}
