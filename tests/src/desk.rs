//! The gRPC clients, who acts, and what a status says.

use crate::stack::{PATIENCE, Stack};
use anyhow::{Context, Result, ensure};
use concord_proto::audit::v1::finding_service_client::FindingServiceClient;
use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::audit::v1::{AsOf, ExportCsvRequest, ExportCsvResponse};
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::programme_service_client::ProgrammeServiceClient;
use concord_proto::fund::v1::{BulkCommand, ExecuteCommandsRequest, bulk_command, bulk_result};
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{AdvanceTodayRequest, GetLogStatusRequest, GetLogStatusResponse};
use std::collections::BTreeMap;
use std::path::Path;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// Largest answer that is taken: exports and log chunks are larger than gRPC's default.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The applicant's person, of the leading party.
pub const APPLICANT: &str = "wang@shenyang-university";
/// Recommends for the city.
pub const CITY: &str = "li@city-bureau";
/// Takes applications in, and publishes.
pub const CLERK: &str = "zhao@fund-office";
/// Records reviews.
pub const REVIEWER: &str = "qian@fund-office";
/// Approves, signs, checks accounts.
pub const DIRECTOR: &str = "sun@fund-office";
/// Authorises payments.
pub const CONTROLLER: &str = "zhou@fund-office";
/// Instructs the bank.
pub const TREASURER: &str = "wu@fund-office";
/// Records what the bank did.
pub const CASHIER: &str = "zheng@fund-office";

/// Connections to the services of a stack.
#[derive(Clone)]
pub struct Desk {
    /// To the service of programmes, grants and their log.
    pub fund: Channel,
    /// To the read models.
    pub audit: Channel,
}

/// A message of an acting person, `<person>@<organisation>`.
pub fn by<M>(actor: &str, message: M) -> Request<M> {
    let mut request = plain(message);
    request.metadata_mut().insert("concord-actor", actor.parse().expect("an actor is ASCII"));
    request
}

/// A message of nobody in particular, with time enough.
pub fn plain<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

impl Desk {
    /// Connects to a running stack.
    pub async fn at(stack: &Stack) -> Result<Self> {
        Self::of(&stack.dir().join("run/services.json")).await
    }

    /// Connects to the services that a file of addresses names.
    pub async fn of(services: &Path) -> Result<Self> {
        let addresses: BTreeMap<String, String> = serde_json::from_str(&std::fs::read_to_string(services)?)?;
        let channel = async |service: &str| -> Result<Channel> {
            let address = addresses.get(service).with_context(|| format!("no address of {service}"))?;
            Ok(Endpoint::from_shared(address.clone())?.connect_timeout(PATIENCE).connect().await?)
        };
        Ok(Self { fund: channel("fund-grant").await?, audit: channel("funding-audit").await? })
    }

    /// Grants.
    #[must_use]
    pub fn grants(&self) -> GrantServiceClient<Channel> {
        GrantServiceClient::new(self.fund.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Programmes.
    #[must_use]
    pub fn programmes(&self) -> ProgrammeServiceClient<Channel> {
        ProgrammeServiceClient::new(self.fund.clone())
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> LogServiceClient<Channel> {
        LogServiceClient::new(self.fund.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// The audit.
    #[must_use]
    pub fn audit(&self) -> FundingAuditServiceClient<Channel> {
        FundingAuditServiceClient::new(self.audit.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// What the funding audit finds.
    #[must_use]
    pub fn findings(&self) -> FindingServiceClient<Channel> {
        FindingServiceClient::new(self.audit.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Where the log stands.
    pub async fn status(&self) -> Result<GetLogStatusResponse, Status> {
        Ok(self.log().get_log_status(plain(GetLogStatusRequest {})).await?.into_inner())
    }

    /// Moves the played clock; returns the position of the event.
    pub async fn advance_to(&self, today: &str) -> Result<u64, Status> {
        let request = AdvanceTodayRequest { request_id: Uuid::now_v7().to_string(), today: today.to_owned() };
        Ok(self.log().advance_today(by(CLERK, request)).await?.into_inner().position)
    }

    /// A whole exported file.
    pub async fn export(&self, request: ExportCsvRequest) -> Result<String> {
        let mut pieces = self.audit().export_csv(plain(request)).await?.into_inner();
        let mut file = Vec::new();
        let mut first = true;
        while let Some(ExportCsvResponse { data, reflects, .. }) = pieces.message().await? {
            ensure!(
                reflects.is_some() == first,
                "what the file reflects stands in the first piece, and only there"
            );
            first = false;
            file.extend(data);
        }
        String::from_utf8(file).context("an export is UTF-8")
    }
}

/// As of a position; 0 is all that is applied.
#[must_use]
pub fn at(position: u64) -> Option<AsOf> {
    Some(AsOf { position, min_position: position, ..AsOf::default() })
}

/// As of a position, and only what had happened on or before a day.
#[must_use]
pub fn at_and_on(position: u64, effective_on: &str) -> Option<AsOf> {
    Some(AsOf { position, min_position: position, effective_on: effective_on.to_owned(), ..AsOf::default() })
}

/// The stable reason in a status, from `ErrorInfo`.
#[must_use]
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The facts in a status, from the metadata of `ErrorInfo`.
#[must_use]
pub fn facts(status: &Status) -> BTreeMap<String, String> {
    status.get_details_error_info().map(|info| info.metadata.into_iter().collect()).unwrap_or_default()
}

/// Every broken rule that a refusal names, in its order.
#[must_use]
pub fn broken(status: &Status) -> Vec<String> {
    let failure = status.get_details_precondition_failure();
    failure.map(|failure| failure.violations.into_iter().map(|one| one.r#type).collect()).unwrap_or_default()
}

/// Every field that an `INVALID_ARGUMENT` names, sorted.
#[must_use]
pub fn fields(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request();
    let mut fields: Vec<String> = request
        .map(|request| request.field_violations.into_iter().map(|one| one.field).collect())
        .unwrap_or_default();
    fields.sort();
    fields.dedup();
    fields
}

/// The sentence in Chinese.
#[must_use]
pub fn chinese(status: &Status) -> String {
    let told = status.get_details_localized_message();
    told.filter(|told| told.locale == "zh-CN").map(|told| told.message).unwrap_or_default()
}

impl Desk {
    /// Sends commands as one chunk of a bulk stream, each by the person in the call's metadata.
    pub async fn bulk(
        &self,
        actor: &str,
        commands: Vec<bulk_command::Command>,
    ) -> Result<Vec<bulk_result::Result>> {
        let commands =
            commands.into_iter().map(|command| BulkCommand { actor: None, command: Some(command) }).collect();
        let chunk = ExecuteCommandsRequest { chunk: 7, commands };
        let mut answers =
            self.grants().execute_commands(by(actor, futures::stream::iter([chunk]))).await?.into_inner();
        let answer = answers.message().await?.context("a chunk has an answer")?;
        ensure!(answer.chunk == 7, "an answer names its chunk");
        ensure!(answers.message().await?.is_none(), "one chunk has one answer");
        answer.results.into_iter().map(|one| one.result.context("a command has a result")).collect()
    }
}
