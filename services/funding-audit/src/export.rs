//! Tables as CSV, streamed: rows come from PostgreSQL as the client takes the pieces, and only one piece is held.

use crate::{
    columns, labels,
    query::{
        self, Filter, Point, QueryError, Sql, Store, View as _,
        balances::Question,
        clocks::Clocks,
        grants::{Overdue, Undrawn},
        matching::Matching,
        postings,
        receivables::Receivables,
        shares::Shares,
    },
};
use concord_kernel::{Date, party::exported};
use concord_proto::audit::v1::{ExportCsvResponse, Reflects, Standing};
use concord_proto::r#type::v1::FundingMode as WireMode;
use futures::TryStreamExt as _;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_postgres::Row;
use tonic::Status;

/// A piece of the file goes out when it has this many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// How long a client may leave a piece untaken. Until it takes it, a connection and a snapshot are held for it.
const UNTAKEN_MAX: Duration = Duration::from_secs(30);

/// What to export.
#[derive(Debug, Clone)]
pub(crate) enum Table {
    Postings(Point, Filter),
    Balances(Question),
    Undrawn(Undrawn),
    Overdue(Overdue),
    Matching(Matching),
    /// With the day by which money should have been passed on.
    Shares(Shares, Date),
    Receivables(Receivables),
    Clocks(Clocks),
}

impl Table {
    fn sql(&self) -> Sql {
        match self {
            Self::Postings(point, filter) => postings::sql(*point, filter, None, None),
            Self::Balances(question) => question.sql(None),
            Self::Undrawn(question) => question.sql(None),
            Self::Overdue(question) => question.sql(None),
            Self::Matching(question) => question.sql(None),
            Self::Shares(question, _) => question.sql(None),
            Self::Receivables(question) => question.sql(None),
            Self::Clocks(question) => question.sql(None),
        }
    }

    fn header(&self) -> Vec<&'static str> {
        match self {
            Self::Postings(..) => columns::POSTINGS.to_vec(),
            Self::Balances(question) => columns::balances(&question.group_by),
            Self::Undrawn(_) => columns::UNDRAWN.to_vec(),
            Self::Overdue(_) => columns::OVERDUE.to_vec(),
            Self::Matching(_) => columns::MATCHING.to_vec(),
            Self::Shares(..) => columns::SHARES.to_vec(),
            Self::Receivables(_) => columns::RECEIVABLES.to_vec(),
            Self::Clocks(_) => columns::CLOCKS.to_vec(),
        }
    }

    /// The day that ages are counted from; empty where the table has none.
    fn on(&self) -> String {
        match self {
            Self::Overdue(question) => question.on.to_string(),
            Self::Matching(question) => question.on.to_string(),
            Self::Shares(_, on) => on.to_string(),
            Self::Receivables(question) => question.on.to_string(),
            Self::Clocks(question) => question.on.to_string(),
            Self::Postings(..) | Self::Balances(_) | Self::Undrawn(_) => String::new(),
        }
    }

    /// The values of a row, in the order of the header.
    fn record(&self, row: &Row) -> Result<Vec<String>, QueryError> {
        Ok(match self {
            Self::Postings(..) => {
                let line = postings::read(row)?;
                let mode = WireMode::try_from(line.mode).ok().and_then(labels::mode_from_wire);
                vec![
                    line.position.to_string(),
                    line.line.to_string(),
                    line.event_type,
                    line.account,
                    line.amount_minor.to_string(),
                    line.currency,
                    line.effective_on,
                    line.period,
                    line.programme_id,
                    mode.map_or_else(String::new, |mode| mode.code().to_owned()),
                    line.lead_region,
                    line.party_region,
                    line.industry,
                    line.year.to_string(),
                    line.grant_id,
                    line.party_id,
                    line.recorded_at,
                    line.synthetic.to_string(),
                ]
            }
            Self::Balances(question) => {
                let (mut balance, _) = question.read(row)?;
                let mut record = Vec::new();
                let (group, labels) =
                    (std::mem::take(&mut balance.group), std::mem::take(&mut balance.labels));
                for ((dimension, value), label) in question.group_by.iter().zip(group).zip(labels) {
                    record.push(value);
                    if query::balances::label_column(*dimension).is_some() {
                        record.push(label);
                    }
                }
                record.push(std::mem::take(&mut balance.currency));
                let amounts = query::balances::amounts_of(&mut balance).map(|amount| amount.to_string());
                record.extend(amounts);
                record.extend([balance.grants, balance.synthetic_grants].map(|number| number.to_string()));
                record
            }
            Self::Undrawn(_) => {
                let grant = Undrawn::read(row)?;
                vec![
                    grant.grant_id,
                    grant.programme_id,
                    grant.title,
                    grant.currency,
                    grant.contracted_minor.to_string(),
                    grant.settled_minor.to_string(),
                    grant.undrawn_minor.to_string(),
                    grant.ends_on,
                    grant.synthetic.to_string(),
                    grant.hold_cause,
                    grant.held_on,
                ]
            }
            Self::Overdue(_) => {
                let tranche = Overdue::read(row)?;
                vec![
                    tranche.grant_id,
                    tranche.tranche_number.to_string(),
                    tranche.programme_id,
                    tranche.title,
                    tranche.currency,
                    tranche.amount_minor.to_string(),
                    tranche.due_on,
                    tranche.days_overdue.to_string(),
                    tranche.waits_for,
                    tranche.synthetic.to_string(),
                ]
            }
            Self::Matching(question) => {
                let pledge = question.line(row)?;
                let amounts = pledge.amounts.unwrap_or_default();
                vec![
                    pledge.grant_id,
                    pledge.source_number.to_string(),
                    pledge.programme_id,
                    pledge.title,
                    pledge.currency,
                    pledge.matching_kind,
                    pledge.level,
                    pledge.is_public.to_string(),
                    amounts.pledged_minor.to_string(),
                    amounts.released_minor.to_string(),
                    amounts.arrived_minor.to_string(),
                    amounts.due_minor.to_string(),
                    amounts.gap_minor.to_string(),
                    pledge.oldest_due_on,
                    pledge.days_overdue.to_string(),
                    amounts.gap_1_30_minor.to_string(),
                    amounts.gap_31_90_minor.to_string(),
                    amounts.gap_91_180_minor.to_string(),
                    amounts.gap_181_minor.to_string(),
                    pledge.synthetic.to_string(),
                ]
            }
            Self::Shares(question, _) => {
                let share = question.line(row)?;
                let amounts = share.amounts.unwrap_or_default();
                vec![
                    share.grant_id,
                    share.party_id,
                    share.party_code,
                    share.party_region,
                    share.is_lead.to_string(),
                    share.programme_id,
                    share.title,
                    share.currency,
                    amounts.allocated_minor.to_string(),
                    amounts.passed_on_minor.to_string(),
                    amounts.due_minor.to_string(),
                    amounts.gap_minor.to_string(),
                    amounts.unspent_minor.to_string(),
                    amounts.eligible_spend_minor.to_string(),
                    share.migrated.to_string(),
                    share.synthetic.to_string(),
                ]
            }
            Self::Receivables(question) => {
                let receivable = question.line(row)?;
                let amounts = receivable.amounts.unwrap_or_default();
                vec![
                    receivable.recovery_id,
                    receivable.grant_id,
                    receivable.programme_id,
                    receivable.title,
                    receivable.currency,
                    receivable.cause,
                    receivable.state,
                    amounts.determined_minor.to_string(),
                    amounts.demanded_minor.to_string(),
                    amounts.overturned_minor.to_string(),
                    amounts.repaid_minor.to_string(),
                    amounts.offset_minor.to_string(),
                    amounts.written_off_minor.to_string(),
                    amounts.outstanding_minor.to_string(),
                    amounts.overdue_minor.to_string(),
                    receivable.determined_on,
                    receivable.due_on,
                    receivable.days_overdue.to_string(),
                    receivable.synthetic.to_string(),
                ]
            }
            Self::Clocks(question) => {
                let clock = question.line(row)?;
                vec![
                    clock.kind,
                    clock.subject,
                    clock.grant_id,
                    clock.recovery_id,
                    clock.rectification_id,
                    clock.programme_id,
                    clock.title,
                    clock.due_on,
                    clock.days_overdue.to_string(),
                    clock.waits_for,
                    clock.amount_minor.to_string(),
                    clock.currency,
                    clock.synthetic.to_string(),
                ]
            }
        })
    }
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Writing to memory failed, or a row has not as many values as the header.
    #[error("the row could not be written as CSV")]
    Csv(#[from] csv::Error),
    /// The client has gone.
    #[error("the client has gone")]
    Gone,
    /// The client has stopped taking pieces.
    #[error("the client took no piece for {} s; export again, and read on", UNTAKEN_MAX.as_secs())]
    Stalled,
}

impl From<tokio_postgres::Error> for ExportError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Query(error.into())
    }
}

impl From<ExportError> for Status {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Query(error) => error.into(),
            ExportError::Stalled => Status::aborted(error.to_string()),
            ExportError::Gone => Status::cancelled(error.to_string()),
            ExportError::Csv(_) => QueryError::Corrupt(error.to_string()).into(),
        }
    }
}

/// Pieces of the file on their way to the client.
struct Pieces<'a> {
    to: &'a Sender<Result<ExportCsvResponse, Status>>,
    /// Go with the first piece.
    reflects: Option<Reflects>,
    on: String,
}

impl Pieces<'_> {
    async fn send(&mut self, data: Vec<u8>) -> Result<(), ExportError> {
        let piece =
            ExportCsvResponse { data, reflects: self.reflects.take(), on: std::mem::take(&mut self.on) };
        send(self.to, Ok(piece)).await
    }
}

/// Sends a piece, no longer than a client may leave it untaken.
async fn send<T>(to: &Sender<Result<T, Status>>, piece: Result<T, Status>) -> Result<(), ExportError> {
    match tokio::time::timeout(UNTAKEN_MAX, to.send(piece)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(ExportError::Gone),
        Err(_) => Err(ExportError::Stalled),
    }
}

/// Writes records that are held already, header first, in pieces as `piece` makes them of the file's bytes.
pub(crate) async fn records<T>(
    header: &[&str],
    records: Vec<Vec<String>>,
    standing: Option<Standing>,
    to: &Sender<Result<T, Status>>,
    mut piece: impl FnMut(Vec<u8>) -> T,
) -> Result<(), ExportError> {
    let mut writer = writer();
    let header = with_standing(header.to_vec(), standing.as_ref());
    writer.write_record(&header)?;
    for mut record in records {
        record.extend(standing.as_ref().map(|standing| standing.message.clone()));
        for (name, value) in header.iter().zip(&mut record) {
            as_file_has_it(name, value);
        }
        writer.write_record(record)?;
        if writer.get_ref().len() >= PIECE_BYTES {
            let full = std::mem::replace(&mut writer, self::writer());
            send(to, Ok(piece(bytes(full)?))).await?;
        }
    }
    send(to, Ok(piece(bytes(writer)?))).await
}

/// Writes the table to `to`, header first.
pub(crate) async fn run(
    store: &Store,
    table: &Table,
    reflects: Reflects,
    to: &Sender<Result<ExportCsvResponse, Status>>,
    within: Duration,
) -> Result<(), ExportError> {
    let mut connection = store.connection(within).await?;
    let tx = store.begin(&mut connection, within).await?;
    let rows = query::stream(&tx, &table.sql()).await?;
    futures::pin_mut!(rows);

    let standing = reflects.standing.clone();
    let mut pieces = Pieces { to, reflects: Some(reflects), on: table.on() };
    let mut writer = writer();
    let header = with_standing(table.header(), standing.as_ref());
    writer.write_record(&header)?;
    while let Some(row) = rows.try_next().await? {
        let mut record = table.record(&row)?;
        record.extend(standing.as_ref().map(|standing| standing.message.clone()));
        for (name, value) in header.iter().zip(&mut record) {
            as_file_has_it(name, value);
        }
        writer.write_record(record)?;
        if writer.get_ref().len() >= PIECE_BYTES {
            let full = std::mem::replace(&mut writer, self::writer());
            pieces.send(bytes(full)?).await?;
        }
    }
    pieces.send(bytes(writer)?).await
}

/// The header of a file, with a last column where the tables were not known to be up to date: a file is read far from where it was
/// made, and must say so itself.
fn with_standing<'a>(mut header: Vec<&'a str>, standing: Option<&Standing>) -> Vec<&'a str> {
    header.extend(standing.map(|_| columns::STANDING));
    header
}

/// A value of this column as a file has it: codes under the names that they have outside, and no formula.
fn as_file_has_it(name: &str, value: &mut String) {
    if columns::has_party_code(name) {
        *value = exported(value);
    }
    if columns::is_written(name) {
        keep_text(value);
    }
}

/// Puts an apostrophe before a value that a spreadsheet would open as a formula.
fn keep_text(value: &mut String) {
    if value.starts_with(['=', '+', '-', '@', '\t']) {
        value.insert(0, '\'');
    }
}

/// A small buffer before the piece, so that the piece's length is nearly what was written.
fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().buffer_capacity(1024).from_writer(Vec::with_capacity(PIECE_BYTES + 4096))
}

fn bytes(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_code_is_called_as_outside() {
        for (name, value, kept) in [
            ("party_code", "CN-USCC:91330100799655058B", "CN-USCI:91330100799655058B"),
            ("party_label", "CN-USCC:91330100799655058B", "CN-USCI:91330100799655058B"),
            ("party_label", "某大学", "某大学"),
            ("party_code", "EU-PIC:998616262", "EU-PIC:998616262"),
            ("title", "CN-USCC:91330100799655058B", "CN-USCC:91330100799655058B"),
        ] {
            let mut value = value.to_owned();
            as_file_has_it(name, &mut value);
            assert_eq!(value, kept);
        }
    }

    #[test]
    fn what_a_spreadsheet_would_open_as_a_formula_is_kept_as_text() {
        for (value, kept) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+CITY", "'+CITY"),
            ("-40 °C", "'-40 °C"),
            ("@home", "'@home"),
            ("\t=1", "'\t=1"),
            ("'Smart' = good", "'Smart' = good"),
            ("", ""),
        ] {
            let mut value = value.to_owned();
            keep_text(&mut value);
            assert_eq!(value, kept);
        }
        assert!(columns::is_written("title") && columns::is_written("party_label"));
        assert!(!columns::is_written("amount_minor") && !columns::is_written("programme_id"));
    }
}
