//! What an export is of.

use super::{Audit, point::Remaining};
use crate::{
    export::Table,
    findings::Search,
    query::{
        Filter, Point,
        balances::Question,
        clocks::{self, Clocks},
        grants::{Overdue, Undrawn},
        matching::Matching,
        receivables::Receivables,
        shares::Shares,
    },
    refusal::DOMAIN,
    wire::{self, Ahead},
};
use concord_chassis::grpc::Violations;
use concord_kernel::Date;
use concord_proto::audit::v1::{ExportCsvRequest, ExportTable};
use jiff::ToSpan as _;
use std::sync::Arc;
use tonic::Status;

impl Audit {
    /// Reads what to export, and the point that it is about.
    pub(super) async fn table(
        &self,
        asked: &ExportCsvRequest,
        clock: &Remaining,
    ) -> Result<(Table, Point), Status> {
        let mut faults = Violations::new(DOMAIN);
        let table = ExportTable::try_from(asked.table).unwrap_or_default();
        let as_of = wire::as_of(asked.as_of.as_ref(), &mut faults);
        let narrowed = wire::filter(asked.filter.as_ref(), &mut faults);
        let group_by = wire::group_by(&asked.group_by, &mut faults);
        let on = faults.optional_date("on", &asked.on);
        let ahead = wire::ahead(asked.overdue_only, asked.due_within_days, &mut faults);
        let is_aged = matches!(
            table,
            ExportTable::Overdue
                | ExportTable::Matching
                | ExportTable::Shares
                | ExportTable::Receivables
                | ExportTable::Clocks
        );
        if table == ExportTable::Unspecified {
            faults.add("table", "is missing; name the table to export");
        }
        if is_aged || table == ExportTable::Undrawn {
            wire::no_period(&narrowed, &mut faults);
        }
        if table != ExportTable::Balances && !group_by.is_empty() {
            faults.add("group_by", "is for balances alone; leave it empty");
        }
        if !is_aged && on.is_some() {
            faults.add(
                "on",
                "is for overdue tranches, matching money, shares, receivables and clocks alone; leave it empty",
            );
        }
        if table != ExportTable::Clocks && asked.overdue_only.is_some() {
            faults.add("overdue_only", "is for clocks alone; leave it away");
        }
        if table != ExportTable::Clocks && asked.due_within_days > 0 {
            faults.add("due_within_days", "is for clocks alone; leave it away");
        }
        faults.finish(Some(()))?;

        let point = self.point(&as_of, None, clock).await?;
        let filter = self.filter(narrowed, point, clock).await?;
        // Only a table with ages has a day.
        let on = if is_aged { self.overdue_on(on, &as_of, None, point, clock).await? } else { Date::MIN };
        let table = match table {
            ExportTable::Unspecified | ExportTable::Postings => Table::Postings(point, filter),
            ExportTable::Balances => {
                let regions = Arc::clone(&self.tables.regions);
                Table::Balances(Question { point, filter, group_by, order_by: None, regions })
            }
            ExportTable::Undrawn => {
                Table::Undrawn(Undrawn { point, filter, order_by: ("undrawn_minor", true) })
            }
            ExportTable::Overdue => Table::Overdue(Overdue { point, filter, on }),
            ExportTable::Matching => Table::Matching(Matching { point, filter, on }),
            ExportTable::Shares => Table::Shares(self.shares(point, filter, on), on),
            ExportTable::Receivables => Table::Receivables(Receivables { point, filter, on }),
            ExportTable::Clocks => Table::Clocks(self.clocks(point, filter, on, ahead)),
        };
        Ok((table, point))
    }

    /// The shares, with the time that the rulebook of a day gives for passing money on.
    pub(super) fn shares(&self, point: Point, filter: Filter, on: Date) -> Shares {
        let days = i64::from(self.rulebook(on).onward_transfer_within_days);
        // Before the first day that there is, nothing was settled.
        let settled_before = on.checked_sub(days.days()).unwrap_or(Date::MIN);
        Shares { point, filter, settled_before }
    }

    /// The clocks that have run out by a day, and those that run out so far ahead of it.
    pub(super) fn clocks(&self, point: Point, filter: Filter, on: Date, ahead: Ahead) -> Clocks {
        let until = match ahead {
            Ahead::Overdue => on,
            // What is due on the last of the days is within them.
            Ahead::Within(days) => on.checked_add((i64::from(days) + 1).days()).unwrap_or(Date::MAX),
            Ahead::All => Date::MAX,
        };
        let search = Search { point, filter, on: until, rules: clocks::RULES.to_vec() };
        Clocks { search, on, rulebook: Box::new(self.rulebook(on).clone()) }
    }
}
