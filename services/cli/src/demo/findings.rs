//! What the audit finds in the demo 审计发现, and that no rule which stops a command was broken 控制测试.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use concord_proto::audit::v1::{
    AsOf, FindingDimension, ListControlTestsRequest, ListFindingsRequest, ListFindingsResponse,
    ListMatchingRequest, ListSharesRequest,
};
use tokio_postgres::NoTls;
use tonic::Request;

use super::report::at;
use crate::audit::findings::show;
use crate::connect::Audit;
use crate::errors::CliError;
use crate::progress::seconds;

/// Findings that are shown, the largest first.
const TOP: i32 = 10;
/// How long the findings of all lives may take to be worked out, right after all of them were taken in.
const PATIENCE: Duration = Duration::from_secs(120);
/// Exceptions of a control test that are named.
const EXCEPTIONS: i32 = 20;

/// Prints the findings by rule, the largest ones, and the control tests. Returns the rules that found something.
///
/// # Errors
/// Where a control test has an exception: the service has accepted what it should have refused. Where a table and a rule say
/// differently what is missing.
pub(super) async fn print(audit: &Audit, head: u64) -> Result<BTreeSet<String>, CliError> {
    let as_of: Option<AsOf> = at(head);
    let mut client = audit.findings();
    let started = Instant::now();
    let mut request = Request::new(ListFindingsRequest {
        as_of: as_of.clone(),
        page_size: TOP,
        ..ListFindingsRequest::default()
    });
    request.set_timeout(PATIENCE);
    let found = client.list_findings(request).await?.into_inner();
    let took = started.elapsed();

    println!("\nfindings by rule 审计发现（按规则）");
    show::groups(&found, &[FindingDimension::Rule]);
    let rules = rules(&found);
    println!(
        "rules that found something 有发现的规则: {}",
        rules.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    );
    println!("ListFindings took 查询用时 {}", seconds(took));
    println!("\nfindings, top {TOP} by amount 审计发现（金额最大）");
    show::findings(&found);

    agree(audit, head, &found.on).await?;

    println!("\ncontrol tests 控制测试");
    let request =
        ListControlTestsRequest { as_of, exceptions_max: EXCEPTIONS, ..ListControlTestsRequest::default() };
    let tested = client.list_control_tests(request).await?.into_inner();
    show::tests(&tested);
    let broken: Vec<String> = tested
        .tests
        .iter()
        .filter(|test| test.exceptions != 0)
        .map(|test| format!("{}: {} {}, at {:?}", test.id, test.result, test.result_zh, test.positions))
        .collect();
    if broken.is_empty() {
        println!("no exception in {} control tests 无例外", tested.tests.len());
        return Ok(rules);
    }
    Err(CliError::failed(format!("demo failed 演示未通过:\n  {}", broken.join("\n  "))))
}

/// Compares what is missing by the tables of matching money and of shares with what A03 and A06 find: two statements each, over
/// the same facts.
async fn agree(audit: &Audit, head: u64, on: &str) -> Result<(), CliError> {
    let request = ListFindingsRequest {
        as_of: at(head),
        rules: vec!["A03".to_owned(), "A06".to_owned()],
        on: on.to_owned(),
        include_dismissed: true,
        page_size: 1,
        ..ListFindingsRequest::default()
    };
    let found = audit.findings().list_findings(request).await?.into_inner();
    let found_by = |rule: &str| -> BTreeMap<String, i64> {
        let of_rule = found.groups.iter().filter(|group| group.group == [rule]);
        of_rule.map(|group| (group.currency.clone(), group.amount_minor)).collect()
    };
    let (as_of, on) = (at(head), on.to_owned());
    let matching = ListMatchingRequest {
        as_of: as_of.clone(),
        on: on.clone(),
        page_size: 1,
        ..ListMatchingRequest::default()
    };
    let shares = ListSharesRequest { as_of, on, page_size: 1, ..ListSharesRequest::default() };
    let matching = audit.tables().list_matching(matching).await?.into_inner().totals;
    let shares = audit.tables().list_shares(shares).await?.into_inner().totals;
    // Beside the totals of a currency there are those of its classes.
    let of_currency = matching.into_iter().filter(|total| total.matching_kind.is_empty());
    let gaps = [
        (
            "A03",
            "matching",
            missing(of_currency.map(|total| (total.currency, total.amounts.map(|of| of.gap_minor)))),
        ),
        (
            "A06",
            "shares",
            missing(shares.into_iter().map(|total| (total.currency, total.amounts.map(|of| of.gap_minor)))),
        ),
    ];
    for (rule, table, gaps) in gaps {
        let found = found_by(rule);
        if found != gaps {
            return Err(CliError::failed(format!(
                "demo failed 演示未通过: {rule} finds {found:?} minor units by currency, and {table} lists {gaps:?} as missing"
            )));
        }
    }
    println!("matching and shares list the gaps that A03 and A06 find 配套、分配两表与审计发现一致");
    Ok(())
}

/// The gaps that are not zero, by currency.
fn missing(totals: impl Iterator<Item = (String, Option<i64>)>) -> BTreeMap<String, i64> {
    totals.filter_map(|(currency, gap)| gap.filter(|gap| *gap != 0).map(|gap| (currency, gap))).collect()
}

/// Has PostgreSQL look at the projection's tables anew. It does so by itself about once a minute, and the demo fills them in less:
/// until then it plans its queries for the small tables that it saw last, and looks up each row that an index has found.
///
/// # Errors
/// Where the database cannot be reached.
pub(super) async fn refresh_statistics(database_url: Option<&str>) -> Result<(), CliError> {
    let Some(url) = database_url else { return Ok(()) };
    let failed = |error: tokio_postgres::Error| {
        CliError::failed(format!("the projection's statistics cannot be refreshed 无法刷新统计信息: {error}"))
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let analysed = client.batch_execute("VACUUM (ANALYZE)").await.map_err(failed);
    drop(client);
    // Its own end says nothing that the answer has not said.
    let _ = connection.await;
    analysed
}

/// The rules that have a finding.
fn rules(found: &ListFindingsResponse) -> BTreeSet<String> {
    found.groups.iter().filter_map(|group| group.group.first()).cloned().collect()
}
