//! What the funding audit answers, against the balances that the log's postings come to.
//!
//! The tables are compared with what the projection's own code makes of the log. This knows nothing of that code: the
//! service is asked over its interface for the balances of every programme and grant, as anybody may ask.

use std::time::Duration;

use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::audit::v1::{AsOf, Dimension, ExportCsvRequest, ExportTable, GetProjectionStatusRequest};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::faults::{Faults, Rule};
use super::ledger::{AMOUNTS, Answer, Holder, Ledger};
use crate::errors::{CliError, reason};

/// How long an answer may take, beside the wait for its position.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What was compared of the funding audit's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswersProof {
    /// Position that the answers are about.
    pub to: u64,
    /// Balances compared: of every grant, and of every programme what belongs to no grant.
    pub balances: u64,
}

/// Asks for all balances as of `head`, and compares them with the ledger.
pub(super) async fn compare(
    mut audit: FundingAuditServiceClient<Channel>,
    ledger: &Ledger,
    head: u64,
    patience: Duration,
    faults: &mut Faults,
) -> Result<Option<AnswersProof>, CliError> {
    if !reached(&mut audit, head, patience, faults).await? {
        return Ok(None);
    }
    let mut expected = ledger.holdings();
    let balances = expected.len() as u64;
    let file = export(&mut audit, head).await?;
    let mut rows = csv::Reader::from_reader(file.as_slice());
    let columns = Columns::of(rows.headers().map_err(unreadable)?)?;
    for row in rows.records() {
        let (holder, found) = columns.read(&row.map_err(unreadable)?)?;
        match expected.remove(&holder) {
            Some(expected) if expected == found => {}
            expected => {
                let expected = expected.map_or_else(|| "no balance".to_owned(), |amounts| told(&amounts));
                faults.add(Rule::AnswerDiffers, head, format!("{holder}: {expected}"), told(&found));
            }
        }
    }
    let mut missing: Vec<(Holder, Answer)> = expected.into_iter().collect();
    missing.sort();
    for (holder, amounts) in missing {
        faults.add(Rule::AnswerDiffers, head, format!("{holder}: {}", told(&amounts)), "no balance");
    }
    Ok(Some(AnswersProof { to: head, balances }))
}

/// Waits until the service answers for the position.
async fn reached(
    audit: &mut FundingAuditServiceClient<Channel>,
    head: u64,
    patience: Duration,
    faults: &mut Faults,
) -> Result<bool, CliError> {
    if head == 0 {
        return Ok(true);
    }
    let mut request = Request::new(GetProjectionStatusRequest { min_position: head });
    request.set_timeout(patience + ANSWER_WITHIN);
    match audit.get_projection_status(request).await {
        Ok(_) => Ok(true),
        Err(status) if is_behind(&status) => {
            faults.add(Rule::AnswersBehind, head, format!("answers for position {head}"), status.message());
            Ok(false)
        }
        Err(status) => Err(status.into()),
    }
}

/// The service waited for the position as long as it may, or knows that it would wait in vain.
fn is_behind(status: &Status) -> bool {
    status.code() == Code::DeadlineExceeded
        || ["POSITION_NOT_REACHED", "PROJECTION_STOPPED"].contains(&reason(status).as_str())
}

async fn export(audit: &mut FundingAuditServiceClient<Channel>, head: u64) -> Result<Vec<u8>, CliError> {
    let request = ExportCsvRequest {
        table: ExportTable::Balances.into(),
        as_of: Some(AsOf { position: head, ..AsOf::default() }),
        group_by: vec![Dimension::Programme.into(), Dimension::Grant.into()],
        ..ExportCsvRequest::default()
    };
    let mut pieces = audit.export_csv(request).await?.into_inner();
    let mut file = Vec::new();
    while let Some(piece) = pieces.message().await? {
        file.extend(piece.data);
    }
    Ok(file)
}

/// Where the file has what is compared.
struct Columns {
    programme: usize,
    grant: usize,
    currency: usize,
    amounts: [usize; AMOUNTS.len()],
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, CliError> {
        let find = |name: &str| {
            let found = header.iter().position(|column| column == name);
            found.ok_or_else(|| unreadable(format!("it has no column {name}")))
        };
        let mut amounts = [0; AMOUNTS.len()];
        for (place, name) in amounts.iter_mut().zip(AMOUNTS) {
            *place = find(name)?;
        }
        Ok(Self {
            programme: find("programme_id")?,
            grant: find("grant_id")?,
            currency: find("currency")?,
            amounts,
        })
    }

    fn read(&self, row: &csv::StringRecord) -> Result<(Holder, Answer), CliError> {
        let text = |index: usize| row.get(index).unwrap_or_default();
        let mut amounts = Answer::default();
        for (amount, index) in amounts.iter_mut().zip(self.amounts) {
            *amount = text(index).parse().map_err(unreadable)?;
        }
        let grant = match text(self.grant) {
            "" => None,
            id => Some(id.parse().map_err(unreadable)?),
        };
        let programme = text(self.programme).parse().map_err(unreadable)?;
        Ok((Holder { programme, grant, currency: text(self.currency).to_owned() }, amounts))
    }
}

fn told(amounts: &Answer) -> String {
    let named: Vec<String> = AMOUNTS
        .iter()
        .zip(amounts)
        .filter(|(_, amount)| **amount != 0)
        .map(|(name, amount)| format!("{name} {amount}"))
        .collect();
    if named.is_empty() { "all zero".to_owned() } else { named.join(", ") }
}

fn unreadable(why: impl std::fmt::Display) -> CliError {
    CliError::failed(format!(
        "the funding audit's balances cannot be read: {why}. It may be of another version than this program; leave its \
         answers out with --without answers. 无法读取余额。"
    ))
}
