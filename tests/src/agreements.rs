//! The service of agreements and of the directory of parties: clients, who is party to what, and requests that are right.

use crate::desk::{by, plain};
use crate::requests::{Receipt, header};
use crate::stack::{PATIENCE, Stack};
use anyhow::Result;
use concord_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use concord_proto::agreement::v1::party_service_client::PartyServiceClient;
use concord_proto::agreement::v1::{
    Agreement, AgreementKind, Document, DraftAgreementRequest, DraftParty, GetAgreementRequest,
    GetVersionInForceRequest, GetVersionInForceResponse, LookUpPartyRequest, LookUpPartyResponse,
    RecordPartyRequest, Role, SignAgreementRequest, Term,
};
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{AdvanceTodayRequest, GetLogStatusRequest, GetLogStatusResponse};
use concord_proto::r#type::v1::{CommandReceipt, PartyKind};
use sha2::{Digest, Sha256};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// Drafts, and records what happens.
pub const OFFICER: &str = "chen@cooperation-office";

/// A provincial government, in the directory after [`Agreements::with_directory`].
pub const PROVINCE: &str = "CN-USCC:91110000802100433B";
/// A university, in the directory.
pub const UNIVERSITY: &str = "CN-USCC:91330100799655058B";
/// An enterprise, in the directory.
pub const WORKS: &str = "CN-USCC:9144030071526726XG";
/// An institute abroad, in the directory.
pub const INSTITUTE: &str = "EU-PIC:998616262";
/// Nobody knows whose it is.
pub const UNKNOWN: &str = "CN-USCC:91110108551385082Q";

/// A connection to the agreement service of a stack.
#[derive(Clone)]
pub struct Agreements {
    channel: Channel,
}

impl Agreements {
    /// Connects to a running stack.
    pub async fn at(stack: &Stack) -> Result<Self> {
        Self::of(stack.address("agreement")?).await
    }

    /// Connects to a service at an address.
    pub async fn of(address: String) -> Result<Self> {
        let endpoint = Endpoint::from_shared(address)?.connect_timeout(PATIENCE);
        Ok(Self { channel: endpoint.connect().await? })
    }

    /// Connects, and records the parties above.
    pub async fn with_directory(stack: &Stack) -> Result<Self> {
        let agreements = Self::at(stack).await?;
        agreements.record_directory().await?;
        Ok(agreements)
    }

    /// Records the parties above.
    pub async fn record_directory(&self) -> Result<()> {
        for (code, kind, region, name) in [
            (PROVINCE, PartyKind::Government, "210000", "某省人民政府"),
            (UNIVERSITY, PartyKind::University, "210102", "沈阳某大学"),
            (WORKS, PartyKind::Enterprise, "210100", "沈阳某机床厂"),
            (INSTITUTE, PartyKind::Institute, "DE", "Beispiel-Institut"),
        ] {
            self.record(code, kind, region, name).await?;
        }
        Ok(())
    }

    /// Agreements.
    #[must_use]
    pub fn agreements(&self) -> AgreementServiceClient<Channel> {
        AgreementServiceClient::new(self.channel.clone())
    }

    /// The directory.
    #[must_use]
    pub fn parties(&self) -> PartyServiceClient<Channel> {
        PartyServiceClient::new(self.channel.clone())
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> LogServiceClient<Channel> {
        LogServiceClient::new(self.channel.clone())
    }

    /// The channel itself, for what every service has.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Where the log stands.
    pub async fn status(&self) -> Result<GetLogStatusResponse, Status> {
        Ok(self.log().get_log_status(plain(GetLogStatusRequest {})).await?.into_inner())
    }

    /// The log's head.
    pub async fn head(&self) -> Result<u64, Status> {
        Ok(self.status().await?.head)
    }

    /// Moves the log's played clock.
    pub async fn advance_to(&self, today: &str) -> Result<u64, Status> {
        let request = AdvanceTodayRequest { request_id: Uuid::now_v7().to_string(), today: today.to_owned() };
        Ok(self.log().advance_today(by(OFFICER, request)).await?.into_inner().position)
    }

    /// Records a party; gives its id.
    pub async fn record(
        &self,
        code: &str,
        kind: PartyKind,
        region: &str,
        name: &str,
    ) -> Result<String, Status> {
        let request = RecordPartyRequest {
            header: header(),
            code: code.to_owned(),
            kind: kind.into(),
            name: name.to_owned(),
            region: region.to_owned(),
            industry: String::new(),
            certificate: None,
        };
        Ok(self.parties().record_party(by(OFFICER, request)).await?.into_inner().party_id)
    }

    /// Drafts.
    pub async fn draft(&self, request: DraftAgreementRequest) -> Result<CommandReceipt, Status> {
        Ok(self.agreements().draft_agreement(by(OFFICER, request)).await?.receipt())
    }

    /// Signs for a party, today.
    pub async fn sign(&self, agreement: &str, party: &str) -> Result<CommandReceipt, Status> {
        Ok(self.agreements().sign_agreement(by(OFFICER, signature(agreement, party))).await?.receipt())
    }

    /// Drafts, and signs for every party.
    pub async fn signed(&self, request: DraftAgreementRequest) -> Result<String, Status> {
        let agreement = request.agreement_id.clone();
        let parties: Vec<String> = request.parties.iter().map(|party| party.code.clone()).collect();
        self.draft(request).await?;
        for party in &parties {
            self.sign(&agreement, party).await?;
        }
        Ok(agreement)
    }

    /// An agreement as it stands on a day; empty: the log's today.
    pub async fn show(&self, agreement: &str, on: &str) -> Result<Agreement, Status> {
        let request =
            GetAgreementRequest { agreement_id: agreement.to_owned(), on: on.to_owned(), min_position: 0 };
        let answer = self.agreements().get_agreement(plain(request)).await?.into_inner();
        answer.agreement.ok_or_else(|| Status::internal("an answer without an agreement"))
    }

    /// The version in force on a day.
    pub async fn version(&self, agreement: &str, on: &str) -> Result<GetVersionInForceResponse, Status> {
        let (agreement_id, on) = (agreement.to_owned(), on.to_owned());
        let request = GetVersionInForceRequest { agreement_id, on, min_position: 0 };
        Ok(self.agreements().get_version_in_force(plain(request)).await?.into_inner())
    }

    /// Whose a code is, and what was true of them on a day; empty: the log's today.
    pub async fn look_up(&self, code: &str, on: &str) -> Result<LookUpPartyResponse, Status> {
        let request = LookUpPartyRequest { code: code.to_owned(), on: on.to_owned(), min_position: 0 };
        Ok(self.parties().look_up_party(plain(request)).await?.into_inner())
    }
}

/// A draft between parties for a term.
#[must_use]
pub fn draft(kind: AgreementKind, parties: &[&str], (from, until): (&str, &str)) -> DraftAgreementRequest {
    let parties =
        parties.iter().map(|code| DraftParty { code: (*code).to_owned(), role: Role::Participant.into() });
    DraftAgreementRequest {
        header: header(),
        agreement_id: Uuid::now_v7().to_string(),
        kind: kind.into(),
        title: "合作协议".to_owned(),
        parties: parties.collect(),
        term: Some(Term { from: from.to_owned(), until: until.to_owned() }),
        ..DraftAgreementRequest::default()
    }
}

/// The signature of a party, by a person of theirs.
#[must_use]
pub fn signature(agreement: &str, party: &str) -> SignAgreementRequest {
    SignAgreementRequest {
        header: header(),
        agreement_id: agreement.to_owned(),
        party: party.to_owned(),
        signatory: format!("rector-of-{}", &party[party.len() - 4..]),
        authority: format!("授权〔2017〕{}号", &party[party.len() - 4..]),
    }
}

/// A document with this content.
#[must_use]
pub fn document(content: &str) -> Document {
    Document { sha256: format!("{:x}", Sha256::digest(content)), archive_number: String::new() }
}
