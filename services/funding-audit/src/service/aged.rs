//! Lists that are aged: what they have in common, from a request to its further pages.

use super::{Audit, PAGE, after, encode, point::Remaining, slice};
use crate::{
    query::{Filter, Point, Slice},
    refusal::DOMAIN,
    wire::{self, Cursor},
};
use concord_chassis::grpc::{self, PageToken, Violations};
use concord_kernel::Date;
use concord_proto::audit::v1::{AsOf, PostingFilter};
use tonic::Status;

/// What every such request has.
pub(super) struct AgedRequest<'a> {
    pub(super) as_of: Option<&'a AsOf>,
    pub(super) filter: Option<&'a PostingFilter>,
    pub(super) on: &'a str,
    pub(super) page_size: i32,
    pub(super) page_token: &'a str,
}

/// The point, the filter, the day and the page of such a request.
pub(super) struct Aged {
    pub(super) point: Point,
    pub(super) filter: Filter,
    pub(super) on: Date,
    pub(super) slice: Slice,
}

impl Aged {
    /// The token of the next page, where there is more. It carries the day of the first one.
    pub(super) fn next(&self, pages: &PageToken, more: bool) -> Result<String, Status> {
        if more { encode(pages, &after(self.point, Some(self.on), self.slice)) } else { Ok(String::new()) }
    }
}

impl Audit {
    /// Reads the request, and resolves when it is about.
    pub(super) async fn aged(
        &self,
        asked: &AgedRequest<'_>,
        pages: &PageToken,
        clock: &Remaining,
    ) -> Result<Aged, Status> {
        let mut faults = Violations::new(DOMAIN);
        let as_of = wire::as_of(asked.as_of, &mut faults);
        let narrowed = wire::filter(asked.filter, &mut faults);
        wire::no_period(&narrowed, &mut faults);
        let on = faults.optional_date("on", asked.on);
        let size = grpc::page_size("page_size", asked.page_size, PAGE.0, PAGE.1, &mut faults);
        let page: Option<Cursor> = pages.decode(asked.page_token, &mut faults);
        faults.finish(Some(()))?;

        let point = self.point(&as_of, page.as_ref(), clock).await?;
        let filter = self.filter(narrowed, point, clock).await?;
        let on = self.overdue_on(on, &as_of, page.as_ref(), point, clock).await?;
        Ok(Aged { point, filter, on, slice: slice(page.as_ref(), size) })
    }
}

/// The request of the first page of an answer: as it came, less what differs from page to page.
macro_rules! first_page {
    ($request:ident, $asked:expr) => {
        $request { page_size: 0, page_token: String::new(), ..$asked.clone() }
    };
}

/// What a request of an aged list has.
macro_rules! aged {
    ($asked:expr) => {
        AgedRequest {
            as_of: $asked.as_of.as_ref(),
            filter: $asked.filter.as_ref(),
            on: &$asked.on,
            page_size: $asked.page_size,
            page_token: &$asked.page_token,
        }
    };
}

pub(super) use {aged, first_page};
