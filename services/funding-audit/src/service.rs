//! The queries as gRPC: request to question, question to answer, and the point that the answer reflects.

mod aged;
mod findings;
mod lag;
mod point;
mod standing;
mod table;

use crate::LogClock;
use crate::{
    columns,
    export::{self, ExportError},
    findings::{Alike, Sightings},
    query::{
        Point, Slice, Store, View as _,
        balances::Question,
        grants::{Overdue, Undrawn},
        matching::Matching,
        postings,
        receivables::Receivables,
        status,
    },
    refusal::{DOMAIN, Refusal, STATEMENT_LINES_MAX},
    wire::{self, Cursor, Next},
};
use aged::{AgedRequest, aged, first_page};
use concord_chassis::grpc::{self, PageToken, Violations};
use concord_chassis::reference::Tables;
use concord_kernel::{Date, rulebook::Rulebook};
use concord_proto::audit::v1::{
    ExportCsvRequest, ExportCsvResponse, GetGrantStatementRequest, GetGrantStatementResponse,
    GetProjectionStatusRequest, GetProjectionStatusResponse, ListBalancesRequest, ListBalancesResponse,
    ListClocksRequest, ListClocksResponse, ListColumnsRequest, ListColumnsResponse, ListMatchingRequest,
    ListMatchingResponse, ListOverdueRequest, ListOverdueResponse, ListPostingsRequest, ListPostingsResponse,
    ListReceivablesRequest, ListReceivablesResponse, ListSharesRequest, ListSharesResponse,
    ListUndrawnRequest, ListUndrawnResponse,
    finding_service_server::FindingServiceServer,
    funding_audit_service_server::{FundingAuditService, FundingAuditServiceServer},
};
use jiff::Timestamp;
use lag::Lag;
use point::{Remaining, shown, to_i64};
pub use standing::Progress;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::{info, warn};

/// Log that the positions belong to.
pub const LOG: &str = "fund-grant";

/// Time for a question: where the caller names no deadline, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(120));
/// The same for an export.
const EXPORT_PATIENCE: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(3_600));

/// Rows of a page: where the caller names no number, and at most.
const PAGE: (usize, usize) = (100, 1_000);

/// Pieces of an export that may wait for the client.
const PIECES_WAITING_MAX: usize = 2;

/// The funding audit's queries.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    schema: String,
    progress: Progress,
    /// Since when it has been answering.
    began: Timestamp,
    lag: Lag,
    clock: LogClock,
    tables: Tables,
    kept: findings::Kept,
    alike: Alike,
    sightings: Sightings,
}

impl Audit {
    /// Answers from the tables in `schema` of the database behind `pool`.
    ///
    /// `progress` is that of the projection's runner; the audit answers for no position beyond what is applied. Regions are named,
    /// and days counted, as `tables` has them.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime: how far the projection is behind is followed in the background.
    #[must_use]
    pub fn new(
        pool: deadpool_postgres::Pool,
        schema: &str,
        progress: Progress,
        clock: LogClock,
        tables: Tables,
    ) -> Self {
        let lag = Lag::follow(progress.applied.clone(), progress.head.clone());
        Self {
            store: Store::new(pool, schema),
            schema: schema.to_owned(),
            progress,
            began: Timestamp::now(),
            lag,
            clock,
            tables,
            kept: findings::Kept::default(),
            alike: Alike::default(),
            sightings: Sightings::default(),
        }
    }

    /// The rulebook in force on a day; before the first one began, the first. Where days count, the answer names it.
    fn rulebook(&self, on: Date) -> &Rulebook {
        self.tables.rulebooks.at_or_first(on)
    }

    /// The service, ready to be added to a server.
    #[must_use]
    pub fn into_server(self) -> FundingAuditServiceServer<Self> {
        FundingAuditServiceServer::new(self)
    }

    /// Its findings, ready to be added to a server beside it.
    #[must_use]
    pub fn findings_server(&self) -> FindingServiceServer<Self> {
        FindingServiceServer::new(self.clone())
    }
}

#[tonic::async_trait]
impl FundingAuditService for Audit {
    async fn list_balances(
        &self,
        request: Request<ListBalancesRequest>,
    ) -> Result<Response<ListBalancesResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let as_of = wire::as_of(asked.as_of.as_ref(), &mut faults);
        let narrowed = wire::filter(asked.filter.as_ref(), &mut faults);
        let group_by = wire::group_by(&asked.group_by, &mut faults);
        let order_by = wire::balances_order(&asked.order_by, &group_by, &mut faults);
        let size = grpc::page_size("page_size", asked.page_size, PAGE.0, PAGE.1, &mut faults);
        let token = asked.page_token.clone();
        let pages = PageToken::of(
            "ListBalances",
            &ListBalancesRequest { page_size: 0, page_token: String::new(), ..asked },
        );
        let page: Option<Cursor> = pages.decode(&token, &mut faults);
        faults.finish(Some(()))?;

        let point = self.point(&as_of, page.as_ref(), &clock).await?;
        let filter = self.filter(narrowed, point, &clock).await?;
        let regions = Arc::clone(&self.tables.regions);
        let question = Question { point, filter, group_by, order_by, regions };
        let slice = slice(page.as_ref(), size);
        let (balances, more, totals) = question.page(&self.store, slice, clock.left()).await?;
        let next_page_token = if more { encode(&pages, &after(point, None, slice))? } else { String::new() };
        Ok(Response::new(ListBalancesResponse {
            balances,
            next_page_token,
            reflects: Some(self.reflects(point)),
            totals,
        }))
    }

    async fn list_postings(
        &self,
        request: Request<ListPostingsRequest>,
    ) -> Result<Response<ListPostingsResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let as_of = wire::as_of(asked.as_of.as_ref(), &mut faults);
        let narrowed = wire::filter(asked.filter.as_ref(), &mut faults);
        let size = grpc::page_size("page_size", asked.page_size, PAGE.0, PAGE.1, &mut faults);
        let token = asked.page_token.clone();
        let pages = PageToken::of(
            "ListPostings",
            &ListPostingsRequest { page_size: 0, page_token: String::new(), ..asked },
        );
        let page: Option<Cursor> = pages.decode(&token, &mut faults);
        faults.finish(Some(()))?;

        let point = self.point(&as_of, page.as_ref(), &clock).await?;
        let filter = self.filter(narrowed, point, &clock).await?;
        let start = page.and_then(|page| match page.next {
            Next::After(position, line) => Some((position, line)),
            Next::Offset(_) => None,
        });
        let (postings, last) = postings::page(&self.store, point, &filter, start, size, clock.left()).await?;
        let next_page_token = match last {
            Some((position, line)) => encode(&pages, &cursor(point, None, Next::After(position, line)))?,
            None => String::new(),
        };
        Ok(Response::new(ListPostingsResponse {
            postings,
            next_page_token,
            reflects: Some(self.reflects(point)),
        }))
    }

    async fn get_grant_statement(
        &self,
        request: Request<GetGrantStatementRequest>,
    ) -> Result<Response<GetGrantStatementResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let as_of = wire::as_of(asked.as_of.as_ref(), &mut faults);
        let grant = faults.require_uuid("grant_id", &asked.grant_id);
        let grant = faults.finish(grant)?;

        let point = self.point(&as_of, None, &clock).await?;
        let header = postings::header(&self.store, point, grant, clock.left())
            .await?
            .ok_or_else(|| self.not_here(Refusal::UnknownGrant { grant, as_of: shown(point) }))?;
        let (lines, mut closing) = postings::statement(
            &self.store,
            point,
            grant,
            &header.currency,
            STATEMENT_LINES_MAX,
            clock.left(),
        )
        .await?
        .ok_or(Refusal::StatementTooLong { grant })?;
        closing.synthetic_grants = i64::from(header.synthetic);
        Ok(Response::new(GetGrantStatementResponse {
            grant_id: grant.to_string(),
            title: header.title,
            currency: header.currency,
            synthetic: header.synthetic,
            migrated: header.migrated,
            lines,
            closing: Some(closing),
            reflects: Some(self.reflects(point)),
        }))
    }

    async fn list_undrawn(
        &self,
        request: Request<ListUndrawnRequest>,
    ) -> Result<Response<ListUndrawnResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let mut faults = Violations::new(DOMAIN);
        let as_of = wire::as_of(asked.as_of.as_ref(), &mut faults);
        let narrowed = wire::filter(asked.filter.as_ref(), &mut faults);
        wire::no_period(&narrowed, &mut faults);
        let order_by = wire::undrawn_order(&asked.order_by, &mut faults);
        let size = grpc::page_size("page_size", asked.page_size, PAGE.0, PAGE.1, &mut faults);
        let token = asked.page_token.clone();
        let pages = PageToken::of(
            "ListUndrawn",
            &ListUndrawnRequest { page_size: 0, page_token: String::new(), ..asked },
        );
        let page: Option<Cursor> = pages.decode(&token, &mut faults);
        faults.finish(Some(()))?;

        let point = self.point(&as_of, page.as_ref(), &clock).await?;
        let filter = self.filter(narrowed, point, &clock).await?;
        let slice = slice(page.as_ref(), size);
        let question = Undrawn { point, filter, order_by };
        let (grants, more, totals) = question.page(&self.store, slice, clock.left()).await?;
        let next_page_token = if more { encode(&pages, &after(point, None, slice))? } else { String::new() };
        Ok(Response::new(ListUndrawnResponse {
            grants,
            next_page_token,
            reflects: Some(self.reflects(point)),
            totals: totals.all,
            on_hold_totals: totals.on_hold,
        }))
    }

    async fn list_overdue(
        &self,
        request: Request<ListOverdueRequest>,
    ) -> Result<Response<ListOverdueResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let pages = PageToken::of("ListOverdue", &first_page!(ListOverdueRequest, asked));
        let aged = self.aged(&aged!(asked), &pages, &clock).await?;
        let question = Overdue { point: aged.point, filter: aged.filter.clone(), on: aged.on };
        let (tranches, more, totals) = question.page(&self.store, aged.slice, clock.left()).await?;
        Ok(Response::new(ListOverdueResponse {
            tranches,
            next_page_token: aged.next(&pages, more)?,
            reflects: Some(self.reflects(aged.point)),
            totals,
            on: aged.on.to_string(),
        }))
    }

    async fn list_matching(
        &self,
        request: Request<ListMatchingRequest>,
    ) -> Result<Response<ListMatchingResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let pages = PageToken::of("ListMatching", &first_page!(ListMatchingRequest, asked));
        let aged = self.aged(&aged!(asked), &pages, &clock).await?;
        let question = Matching { point: aged.point, filter: aged.filter.clone(), on: aged.on };
        let (pledges, more, totals) = question.page(&self.store, aged.slice, clock.left()).await?;
        Ok(Response::new(ListMatchingResponse {
            pledges,
            next_page_token: aged.next(&pages, more)?,
            reflects: Some(self.reflects(aged.point)),
            totals,
            on: aged.on.to_string(),
        }))
    }

    async fn list_shares(
        &self,
        request: Request<ListSharesRequest>,
    ) -> Result<Response<ListSharesResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let pages = PageToken::of("ListShares", &first_page!(ListSharesRequest, asked));
        let aged = self.aged(&aged!(asked), &pages, &clock).await?;
        let rulebook = self.rulebook(aged.on);
        let question = self.shares(aged.point, aged.filter.clone(), aged.on);
        let (shares, more, totals) = question.page(&self.store, aged.slice, clock.left()).await?;
        Ok(Response::new(ListSharesResponse {
            shares,
            next_page_token: aged.next(&pages, more)?,
            reflects: Some(self.reflects(aged.point)),
            totals,
            on: aged.on.to_string(),
            within_days: rulebook.onward_transfer_within_days,
            rulebook: rulebook.version.clone(),
        }))
    }

    async fn list_receivables(
        &self,
        request: Request<ListReceivablesRequest>,
    ) -> Result<Response<ListReceivablesResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let pages = PageToken::of("ListReceivables", &first_page!(ListReceivablesRequest, asked));
        let aged = self.aged(&aged!(asked), &pages, &clock).await?;
        let question = Receivables { point: aged.point, filter: aged.filter.clone(), on: aged.on };
        let (receivables, more, totals) = question.page(&self.store, aged.slice, clock.left()).await?;
        Ok(Response::new(ListReceivablesResponse {
            receivables,
            next_page_token: aged.next(&pages, more)?,
            reflects: Some(self.reflects(aged.point)),
            totals,
            on: aged.on.to_string(),
        }))
    }

    async fn list_clocks(
        &self,
        request: Request<ListClocksRequest>,
    ) -> Result<Response<ListClocksResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let asked = request.into_inner();
        let pages = PageToken::of("ListClocks", &first_page!(ListClocksRequest, asked));
        let ahead = (asked.overdue_only, asked.due_within_days);
        let aged = self.aged(&AgedRequest { ahead, ..aged!(asked) }, &pages, &clock).await?;
        let question = self.clocks(aged.point, aged.filter.clone(), aged.on, aged.ahead);
        let (clocks, more, totals) = question.page(&self.store, aged.slice, clock.left()).await?;
        Ok(Response::new(ListClocksResponse {
            clocks,
            next_page_token: aged.next(&pages, more)?,
            reflects: Some(self.reflects(aged.point)),
            totals,
            on: aged.on.to_string(),
            contract_within_days: question.rulebook.contract_within_days,
            transfer_within_days: question.rulebook.onward_transfer_within_days,
            rulebook: question.rulebook.version.clone(),
        }))
    }

    type ExportCsvStream = ReceiverStream<Result<ExportCsvResponse, Status>>;

    async fn export_csv(
        &self,
        request: Request<ExportCsvRequest>,
    ) -> Result<Response<Self::ExportCsvStream>, Status> {
        let clock = Remaining::of(request.metadata(), EXPORT_PATIENCE);
        let (table, point) = self.table(&request.into_inner(), &clock).await?;
        let (pieces, stream) = mpsc::channel(PIECES_WAITING_MAX);
        let (store, reflects) = (self.store.clone(), self.reflects(point));
        tokio::spawn(async move {
            match export::run(&store, &table, reflects, &pieces, clock.left()).await {
                Ok(()) => {}
                Err(ExportError::Gone) => {
                    info!(position = point.position, "the client left an export")
                }
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        position = point.position,
                        "an export ended early"
                    );
                    // It must not look complete, however late the client reads on. By now nothing is held for it.
                    let _ = pieces.send(Err(error.into())).await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_columns(
        &self,
        _: Request<ListColumnsRequest>,
    ) -> Result<Response<ListColumnsResponse>, Status> {
        Ok(Response::new(ListColumnsResponse { columns: columns::dictionary() }))
    }

    async fn get_projection_status(
        &self,
        request: Request<GetProjectionStatusRequest>,
    ) -> Result<Response<GetProjectionStatusResponse>, Status> {
        let clock = Remaining::of(request.metadata(), PATIENCE);
        let min_position = request.get_ref().min_position;
        if min_position > 0 {
            self.wait_for(min_position, &clock).await?;
        }
        let checkpoint = *self.progress.applied.borrow();
        // What is applied has been in the log: a head that was looked at earlier is not below it.
        let log_head = (*self.progress.head.borrow()).max(checkpoint);
        let health = status::health(&self.store, to_i64(checkpoint), clock.left()).await?;
        let lag_seconds = if checkpoint < log_head { self.lag.seconds(health.recorded_at) } else { 0 };
        Ok(Response::new(GetProjectionStatusResponse {
            projection: self.schema.clone(),
            checkpoint,
            log_head,
            lag_seconds,
            balanced: health.balanced,
            grants: health.grants,
            stopped: self.progress.stopped.borrow().as_ref().map(ToString::to_string).unwrap_or_default(),
        }))
    }
}

fn slice(page: Option<&Cursor>, size: usize) -> Slice {
    Slice { offset: page.map_or(0, Cursor::offset), limit: i64::try_from(size).unwrap_or(i64::MAX - 1) }
}

fn cursor(point: Point, on: Option<Date>, next: Next) -> Cursor {
    Cursor { position: point.position, effective_on: point.effective_on, on, next }
}

fn after(point: Point, on: Option<Date>, slice: Slice) -> Cursor {
    cursor(point, on, Next::Offset(slice.offset.saturating_add(slice.limit)))
}

fn encode(pages: &PageToken, cursor: &Cursor) -> Result<String, Status> {
    pages.encode(cursor).map_err(|error| grpc::internal(DOMAIN, &error))
}
