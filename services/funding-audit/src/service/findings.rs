//! Findings and control tests as gRPC.

use super::point::Remaining;
use super::{Audit, EXPORT_PATIENCE, PAGE, PATIENCE, PIECES_WAITING_MAX, after, encode, slice};
use crate::{
    columns,
    export::{self, ExportError},
    findings::{
        self, Finding, Ground, Rule, Search, control,
        groups::{self, Order},
    },
    query::{Point, QueryError},
    refusal::DOMAIN,
    wire::{self, Cursor},
};
use concord_chassis::grpc::{self, PageToken, Violations};
use concord_kernel::Date;
use concord_proto::audit::v1::{
    AsOf, ControlTest, ExportControlTestsRequest, ExportControlTestsResponse, ExportFindingsRequest,
    ExportFindingsResponse, FindingDimension, FindingGroup, ListControlTestsRequest,
    ListControlTestsResponse, ListFindingsRequest, ListFindingsResponse, PostingFilter,
    finding_service_server::FindingService,
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Dimensions to group by, at most.
const GROUPS_MAX: usize = 3;
/// Positions of exceptions: where the caller names no number, and at most.
const EXCEPTIONS: (usize, usize) = (20, 1_000);
/// Answers that are kept for their further pages.
const KEPT_MAX: usize = 4;

/// Findings that were worked out last, for the further pages of an answer.
pub(super) type Kept = Arc<std::sync::Mutex<Vec<(Search, Arc<Vec<Finding>>)>>>;

/// What findings are asked for, as read from a request.
struct Asked<'a> {
    as_of: Option<&'a AsOf>,
    filter: Option<&'a PostingFilter>,
    rules: &'a [String],
    on: &'a str,
}

#[tonic::async_trait]
impl FindingService for Audit {
    async fn list_findings(
        &self,
        request: Request<ListFindingsRequest>,
    ) -> Result<Response<ListFindingsResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let mut group_by = dimensions(&asked.group_by, &mut faults);
        if group_by.is_empty() {
            group_by.push(FindingDimension::Rule);
        }
        let order = order(&asked.order_by, &mut faults);
        let size = grpc::page_size("page_size", asked.page_size, PAGE.0, PAGE.1, &mut faults);
        let pages = PageToken::of(
            "ListFindings",
            &ListFindingsRequest { page_size: 0, page_token: String::new(), ..asked.clone() },
        );
        let page: Option<Cursor> = pages.decode(&asked.page_token, &mut faults);
        let of = Asked {
            as_of: asked.as_of.as_ref(),
            filter: asked.filter.as_ref(),
            rules: &asked.rules,
            on: &asked.on,
        };
        let search = self.search(&of, faults, page.as_ref(), &clock).await?;

        let found = self.found(&search, &clock).await?;
        let dismissed = asked.include_dismissed;
        let (groups, totals) = self.grouped(&found, &group_by, &search, dismissed);
        let mut ranked = listed(&found, dismissed);
        groups::rank(&mut ranked, order);
        let slice = slice(page.as_ref(), size);
        let (offset, limit) = (index(slice.offset), index(slice.limit));
        let shown = ranked.iter().skip(offset).take(limit).map(|finding| groups::answer(finding, &search));
        let more = ranked.len() > offset.saturating_add(limit);
        let next_page_token =
            if more { encode(&pages, &after(search.point, Some(search.on), slice))? } else { String::new() };
        Ok(Response::new(ListFindingsResponse {
            findings: shown.collect(),
            next_page_token,
            groups,
            reflects: Some(self.reflects(search.point)),
            on: search.on.to_string(),
            totals,
        }))
    }

    async fn list_control_tests(
        &self,
        request: Request<ListControlTestsRequest>,
    ) -> Result<Response<ListControlTestsResponse>, Status> {
        let clock = Remaining::of(request.metadata(), EXPORT_PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let exceptions =
            grpc::page_size("exceptions_max", asked.exceptions_max, EXCEPTIONS.0, EXCEPTIONS.1, &mut faults);
        let rules = tested(&asked.rules, &mut faults);
        let of = Asked { as_of: asked.as_of.as_ref(), filter: asked.filter.as_ref(), rules: &[], on: "" };
        let search = self.search(&of, faults, None, &clock).await?;
        let rulebook = self.rulebook(search.on);
        let exceptions = i64::try_from(exceptions).unwrap_or(i64::MAX);
        let tests = control::run(&self.store, &search, rulebook, &rules, exceptions, clock.left()).await?;
        Ok(Response::new(ListControlTestsResponse { tests, reflects: Some(self.reflects(search.point)) }))
    }

    type ExportFindingsStream = ReceiverStream<Result<ExportFindingsResponse, Status>>;

    async fn export_findings(
        &self,
        request: Request<ExportFindingsRequest>,
    ) -> Result<Response<Self::ExportFindingsStream>, Status> {
        let clock = Remaining::of(request.metadata(), EXPORT_PATIENCE);
        let asked = request.into_inner();
        let of = Asked {
            as_of: asked.as_of.as_ref(),
            filter: asked.filter.as_ref(),
            rules: &asked.rules,
            on: &asked.on,
        };
        let mut faults = Violations::new(DOMAIN);
        let group_by = dimensions(&asked.group_by, &mut faults);
        let search = self.search(&of, faults, None, &clock).await?;
        let found = self.found(&search, &clock).await?;
        let dismissed = asked.include_dismissed;
        let (groups, totals) = self.grouped(&found, &group_by, &search, dismissed);
        let (header, records) = if group_by.is_empty() {
            let mut ranked = listed(&found, dismissed);
            groups::rank(&mut ranked, Order::Amount);
            let records = ranked.iter().map(|finding| finding_record(&groups::answer(finding, &search)));
            (columns::FINDINGS.to_vec(), records.collect())
        } else {
            // The whole stands at the end.
            let rows = groups.into_iter().chain(totals.clone());
            let records: Vec<Vec<String>> = rows.map(|group| groups::record(&group_by, group)).collect();
            (columns::finding_groups(&group_by), records)
        };
        let (pieces, stream) = mpsc::channel(PIECES_WAITING_MAX);
        let reflects = self.reflects(search.point);
        let standing = reflects.standing.clone();
        let mut first = Some((reflects, search.on.to_string(), totals));
        tokio::spawn(async move {
            let sent = export::records(&header, records, standing, &pieces, |data| match first.take() {
                None => ExportFindingsResponse { data, ..ExportFindingsResponse::default() },
                Some((reflects, on, totals)) => {
                    ExportFindingsResponse { data, reflects: Some(reflects), on, totals }
                }
            });
            give_up(&pieces, sent.await).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    type ExportControlTestsStream = ReceiverStream<Result<ExportControlTestsResponse, Status>>;

    async fn export_control_tests(
        &self,
        request: Request<ExportControlTestsRequest>,
    ) -> Result<Response<Self::ExportControlTestsStream>, Status> {
        let clock = Remaining::of(request.metadata(), EXPORT_PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let rules = tested(&asked.rules, &mut faults);
        let of = Asked { as_of: asked.as_of.as_ref(), filter: asked.filter.as_ref(), rules: &[], on: "" };
        let search = self.search(&of, faults, None, &clock).await?;
        let rulebook = self.rulebook(search.on);
        let tests = control::run(&self.store, &search, rulebook, &rules, i64::MAX, clock.left()).await?;
        let records: Vec<Vec<String>> = tests.iter().flat_map(control_records).collect();
        let (pieces, stream) = mpsc::channel(PIECES_WAITING_MAX);
        let reflects = self.reflects(search.point);
        let standing = reflects.standing.clone();
        let mut first = Some(reflects);
        tokio::spawn(async move {
            let sent = export::records(columns::CONTROL_TESTS, records, standing, &pieces, |data| {
                ExportControlTestsResponse { data, reflects: first.take() }
            });
            give_up(&pieces, sent.await).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Tells the client that what it has is not all.
async fn give_up<T>(pieces: &mpsc::Sender<Result<T, Status>>, sent: Result<(), ExportError>) {
    match sent {
        Ok(()) | Err(ExportError::Gone) => {}
        Err(error) => drop(pieces.send(Err(error.into())).await),
    }
}

impl Audit {
    /// What is asked for, at the point that it is asked about.
    async fn search(
        &self,
        asked: &Asked<'_>,
        mut faults: Violations,
        page: Option<&Cursor>,
        clock: &Remaining,
    ) -> Result<Search, Status> {
        let as_of = wire::as_of(asked.as_of, &mut faults);
        let narrowed = wire::filter(asked.filter, &mut faults);
        wire::no_period(&narrowed, &mut faults);
        let on = faults.optional_date("on", asked.on);
        let rules = rules(asked.rules, &mut faults);
        faults.finish(Some(()))?;
        let point: Point = self.point(&as_of, page, clock).await?;
        let filter = self.filter(narrowed, point, clock).await?;
        let on: Date = self.overdue_on(on, &as_of, page, point, clock).await?;
        Ok(Search { point, filter, on, rules })
    }

    /// The findings, kept from the first page where they were.
    async fn found(&self, search: &Search, clock: &Remaining) -> Result<Arc<Vec<Finding>>, QueryError> {
        let kept = || self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = kept().iter().find(|(of, _)| of == search).map(|(_, found)| Arc::clone(found));
        if let Some(found) = known {
            return Ok(found);
        }
        let ground = Ground {
            store: &self.store,
            tables: &self.tables,
            clock: self.clock,
            alike: &self.alike,
            sightings: &self.sightings,
        };
        let found = Arc::new(findings::find(&ground, search, clock.left()).await?);
        let mut kept = kept();
        kept.push((search.clone(), Arc::clone(&found)));
        if kept.len() > KEPT_MAX {
            kept.remove(0);
        }
        Ok(found)
    }

    /// Findings by group, and the whole of each currency.
    fn grouped(
        &self,
        found: &[Finding],
        by: &[FindingDimension],
        search: &Search,
        dismissed: bool,
    ) -> (Vec<FindingGroup>, Vec<FindingGroup>) {
        let of = |by| {
            groups::group(
                found,
                by,
                search,
                |finding| dismissed || !finding.is_dismissed(),
                |dimension, finding| self.label(dimension, finding),
            )
        };
        (of(by), of(&[]))
    }

    /// What people read beside the value of a dimension.
    fn label(&self, dimension: FindingDimension, finding: &Finding) -> String {
        match dimension {
            FindingDimension::LeadRegion => {
                crate::labels::region(&self.tables.regions, &finding.lead_region, None)
            }
            FindingDimension::Rule | FindingDimension::Case => finding.rule.label().to_owned(),
            FindingDimension::Programme | FindingDimension::Age | FindingDimension::Unspecified => {
                String::new()
            }
        }
    }
}

/// The findings that are listed.
fn listed(found: &[Finding], dismissed: bool) -> Vec<&Finding> {
    found.iter().filter(|finding| dismissed || !finding.is_dismissed()).collect()
}

fn index(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The rules that findings are asked for; all where none is named.
fn rules(asked: &[String], faults: &mut Violations) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (index, code) in asked.iter().enumerate() {
        match Rule::ALL.into_iter().find(|rule| rule.code() == code) {
            Some(rule) => rules.push(rule),
            None => {
                let known = Rule::ALL.map(Rule::code).join(", ");
                faults.add(
                    format!("rules[{index}]"),
                    format!("is no rule that raises findings; these do: {known}"),
                );
            }
        }
    }
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() { Rule::ALL.to_vec() } else { rules }
}

/// The rules that are tested; empty for all.
fn tested(asked: &[String], faults: &mut Violations) -> Vec<String> {
    let known = control::rules();
    for (index, code) in asked.iter().enumerate() {
        if !known.contains(&code.as_str()) {
            let known = known.join(", ");
            faults.add(format!("rules[{index}]"), format!("has no control test; these have: {known}"));
        }
    }
    asked.to_vec()
}

fn dimensions(asked: &[i32], faults: &mut Violations) -> Vec<FindingDimension> {
    let mut dimensions = Vec::new();
    for (index, number) in asked.iter().enumerate() {
        match FindingDimension::try_from(*number) {
            Ok(dimension)
                if dimension != FindingDimension::Unspecified && !dimensions.contains(&dimension) =>
            {
                dimensions.push(dimension);
            }
            _ => faults.add(format!("group_by[{index}]"), "is no dimension of findings, or is named twice"),
        }
    }
    if dimensions.len() > GROUPS_MAX {
        faults.add("group_by", format!("has {}; {GROUPS_MAX} are the most", dimensions.len()));
    }
    dimensions
}

fn order(asked: &str, faults: &mut Violations) -> Order {
    match asked {
        "" | "amount_minor desc" => Order::Amount,
        "age_days desc" => Order::Age,
        "rule" => Order::Rule,
        _ => {
            faults.add("order_by", "is none of \"amount_minor desc\", \"age_days desc\" and \"rule\"");
            Order::Amount
        }
    }
}

/// A control test and each of its exceptions, in the order of [`columns::CONTROL_TESTS`].
fn control_records(test: &ControlTest) -> Vec<Vec<String>> {
    let of = |position: String| {
        vec![
            test.id.clone(),
            test.rule.clone(),
            test.title.clone(),
            test.title_zh.clone(),
            test.population.to_string(),
            test.exceptions.to_string(),
            position,
        ]
    };
    let exceptions = test.positions.iter().map(|position| of(position.to_string()));
    std::iter::once(of(String::new())).chain(exceptions).collect()
}

/// The values of a finding, in the order of [`columns::FINDINGS`].
fn finding_record(finding: &concord_proto::audit::v1::Finding) -> Vec<String> {
    let evidence: Vec<String> = finding.evidence.iter().map(ToString::to_string).collect();
    vec![
        finding.rule.clone(),
        finding.case.clone(),
        finding.subject.clone(),
        finding.position.to_string(),
        evidence.join(" "),
        finding.grant_id.clone(),
        finding.programme_id.clone(),
        finding.title.clone(),
        finding.lead_region.clone(),
        finding.amount_minor.to_string(),
        finding.currency.clone(),
        finding.since.clone(),
        finding.age_days.to_string(),
        finding.message.clone(),
        finding.message_zh.clone(),
        finding.rectification_state.clone(),
        finding.rectification_id.clone(),
        finding.owner.clone(),
        finding.deadline.clone(),
        finding.synthetic.to_string(),
        finding.concluded_position.to_string(),
        finding.concluded_on.clone(),
        finding.concluded_minor.to_string(),
        finding.covered.to_string(),
    ]
}
