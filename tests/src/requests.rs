//! Requests that are right as they stand, on the day [`crate::stack::PLAYED_FROM`]; a test changes what it is about.

use crate::desk::{APPLICANT, CITY, CLERK, Desk, REVIEWER, by};
use anyhow::{Context, Result};
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApplyForGrantRequest, AppropriateProgrammeRequest, FundPurpose, ImportAwardRequest,
    PlannedTranche, PublishNoticeRequest, RecommendGrantRequest, ReviewGrantRequest, Source,
    SupplementProgrammeRequest, TrancheCondition,
};
use concord_proto::r#type::v1::{CommandHeader, CommandReceipt, FundingMode, Money, Party, PartyKind};
use tonic::{Code, Response, Status};
use uuid::Uuid;

/// A day on which a notice published leaves time for approval by [`crate::stack::PLAYED_FROM`], and not too long ago.
pub const PUBLISHED_ON: &str = "2017-03-27";

/// A new id.
#[must_use]
pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The header of a new command, of today.
#[must_use]
pub fn header() -> Option<CommandHeader> {
    header_as(&id())
}

/// The header of a command under this request id, of today.
#[must_use]
pub fn header_as(request_id: &str) -> Option<CommandHeader> {
    Some(CommandHeader { request_id: request_id.to_owned(), ..CommandHeader::default() })
}

/// The header of a new command about an act of this day.
#[must_use]
pub fn header_on(day: &str) -> Option<CommandHeader> {
    Some(CommandHeader { request_id: id(), effective_on: day.to_owned(), ..CommandHeader::default() })
}

/// Fen.
#[must_use]
pub fn fen(amount_minor: i64) -> Option<Money> {
    Some(Money::new(amount_minor, "CNY"))
}

/// A university of Shenyang.
#[must_use]
pub fn university() -> Option<Party> {
    Some(Party {
        code: "CN-USCC:91330100799655058B".to_owned(),
        kind: PartyKind::University.into(),
        region: "210102".to_owned(),
        name: "沈阳某大学".to_owned(),
    })
}

/// A company of Germany.
#[must_use]
pub fn company_abroad() -> Option<Party> {
    Some(Party {
        code: "EU-PIC:998616262".to_owned(),
        kind: PartyKind::Enterprise.into(),
        region: "DE".to_owned(),
        name: "Beispiel GmbH".to_owned(),
    })
}

/// Opens a programme of 2017.
#[must_use]
pub fn appropriation(programme_id: &str, amount_minor: i64) -> AppropriateProgrammeRequest {
    AppropriateProgrammeRequest {
        header: header(),
        programme_id: programme_id.to_owned(),
        fund: "guiding-fund".to_owned(),
        purpose: FundPurpose::Transformation.into(),
        year: 2017,
        amount: fen(amount_minor),
        title: "2017年度成果转化专项".to_owned(),
    }
}

/// Adds money: the smallest command that always is one more event.
#[must_use]
pub fn supplement(programme_id: &str, amount_minor: i64) -> SupplementProgrammeRequest {
    SupplementProgrammeRequest {
        header: header(),
        programme_id: programme_id.to_owned(),
        amount: fen(amount_minor),
    }
}

/// An application dated [`PUBLISHED_ON`], for half of the project's budget.
#[must_use]
pub fn application(programme_id: &str, grant_id: &str, requested_minor: i64) -> ApplyForGrantRequest {
    ApplyForGrantRequest {
        header: header_on(PUBLISHED_ON),
        grant_id: grant_id.to_owned(),
        programme_id: programme_id.to_owned(),
        mode: FundingMode::NonRepayable.into(),
        // Every application is of a project of its own: the same one is not funded twice (A04).
        title: format!("高温合金叶片中试 {grant_id}"),
        lead: university(),
        industry: "new_materials".to_owned(),
        requested: fen(requested_minor),
        total_budget: fen(requested_minor.saturating_mul(2)),
        allocations: Vec::new(),
        starts_on: "2017-06-01".to_owned(),
        ends_on: "2019-05-31".to_owned(),
    }
}

/// A line of a payment plan.
#[must_use]
pub fn tranche(number: u32, amount_minor: i64, condition: TrancheCondition, due_on: &str) -> PlannedTranche {
    PlannedTranche { number, amount_minor, condition: condition.into(), due_on: due_on.to_owned() }
}

/// An award of 2016 made elsewhere, paid in one tranche.
#[must_use]
pub fn award(programme_id: &str, grant_id: &str, amount_minor: i64) -> ImportAwardRequest {
    ImportAwardRequest {
        header: header_on("2016-07-01"),
        grant_id: grant_id.to_owned(),
        programme_id: programme_id.to_owned(),
        fund: "old-fund".to_owned(),
        year: 2016,
        mode: FundingMode::NonRepayable.into(),
        title: "历史项目".to_owned(),
        lead: university(),
        industry: String::new(),
        amount: fen(amount_minor),
        total_budget: None,
        allocations: Vec::new(),
        starts_on: "2016-07-01".to_owned(),
        ends_on: "2018-06-30".to_owned(),
        tranches: vec![tranche(1, amount_minor, TrancheCondition::Contract, "2016-12-31")],
        source: Some(Source {
            data_set: "a test".to_owned(),
            key: grant_id.to_owned(),
            row: "a,b,c".to_owned(),
            synthetic: true,
        }),
        discrepancies: Vec::new(),
    }
}

impl Desk {
    /// Opens a programme with so many fen and returns its id.
    pub async fn programme(&self, amount_minor: i64) -> Result<String> {
        let programme_id = id();
        self.programmes()
            .appropriate_programme(by(CLERK, appropriation(&programme_id, amount_minor)))
            .await?;
        Ok(programme_id)
    }

    /// Adds money to a programme under this request id.
    pub async fn supplement(
        &self,
        programme_id: &str,
        request_id: &str,
        amount_minor: i64,
    ) -> Result<CommandReceipt, Status> {
        let mut request = supplement(programme_id, amount_minor);
        request.header = header_as(request_id);
        let answer = self.programmes().supplement_programme(by(CLERK, request)).await?;
        answer.into_inner().receipt.ok_or_else(|| Status::internal("an accepted command has a receipt"))
    }

    /// Takes a new grant of a programme up to its notice, dated so that it can be approved today; returns its id.
    pub async fn grant_on_notice(&self, programme_id: &str, amount_minor: i64) -> Result<String> {
        let grant_id = id();
        let mut grants = self.grants();
        grants.apply_for_grant(by(APPLICANT, application(programme_id, &grant_id, amount_minor))).await?;
        let header = || header_on(PUBLISHED_ON);
        let recommendation = RecommendGrantRequest {
            header: header(),
            grant_id: grant_id.clone(),
            recommender: "沈阳市科技局".to_owned(),
        };
        grants.recommend_grant(by(CITY, recommendation)).await?;
        grants
            .admit_grant(by(CLERK, AdmitGrantRequest { header: header(), grant_id: grant_id.clone() }))
            .await?;
        let review = ReviewGrantRequest {
            header: header(),
            grant_id: grant_id.clone(),
            score_hundredths: 8_750,
            ceiling: fen(amount_minor),
        };
        grants.review_grant(by(REVIEWER, review)).await?;
        let notice =
            PublishNoticeRequest { header: header(), grant_id: grant_id.clone(), amount: fen(amount_minor) };
        grants.publish_notice(by(CLERK, notice)).await.context("publish the notice")?;
        Ok(grant_id)
    }
}

/// The receipt in an answer that must have one.
pub trait Receipt {
    /// The receipt.
    fn receipt(self) -> CommandReceipt;
}

macro_rules! receipts {
    ($package:ident: $($answer:ident),* $(,)?) => {$(
        impl Receipt for Response<concord_proto::$package::v1::$answer> {
            fn receipt(self) -> CommandReceipt {
                self.into_inner().receipt.expect("an accepted command has a receipt")
            }
        }
    )*};
}

receipts!(
    fund:
    AppropriateProgrammeResponse,
    SupplementProgrammeResponse,
    CutProgrammeResponse,
    SetSubLimitResponse,
    ApplyForGrantResponse,
    RecommendGrantResponse,
    AdmitGrantResponse,
    ReviewGrantResponse,
    PublishNoticeResponse,
    ApproveGrantsResponse,
    WithdrawGrantResponse,
    SignContractResponse,
    VerifyPayeeResponse,
    RequestTrancheResponse,
    AuthoriseTrancheResponse,
    InstructTrancheResponse,
    SettleTrancheResponse,
    ReturnPaymentResponse,
    ImportAwardResponse,
);

receipts!(
    agreement:
    DraftAgreementResponse,
    SignAgreementResponse,
    CancelDraftResponse,
    SuspendAgreementResponse,
    ResumeAgreementResponse,
    RenewAgreementResponse,
    CompleteAgreementResponse,
    TerminateAgreementResponse,
    ProposeAmendmentResponse,
    SignAmendmentResponse,
    AbandonAmendmentResponse,
    SucceedPartyResponse,
    FulfilObligationResponse,
    MinuteMeetingResponse,
    CloseActionItemResponse,
    SubmitRegistrationResponse,
    RegisterContractResponse,
    RefuseRegistrationResponse,
    RevokeRegistrationResponse,
    RecordPartyResponse,
    AddPartyCodeResponse,
    RenamePartyResponse,
    RelocatePartyResponse,
    ReclassifyPartyResponse,
    EnterRegisterResponse,
    LeaveRegisterResponse,
    RecordControlLinkResponse,
    EndControlLinkResponse,
    RecordRepresentationResponse,
    EndRepresentationResponse,
    MergePartyResponse,
    DissolvePartyResponse,
);

/// Whether the same request may succeed a moment later.
#[must_use]
pub fn is_passing(status: &Status) -> bool {
    // A broken connection has no details: tonic tells it as UNKNOWN or UNAVAILABLE.
    matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded)
        || is_the_clients_own(status)
}

/// Whether the client made this status itself, because its connection ended: a server that says goodbye to a request that
/// crosses it is told as INTERNAL. What a server sends has no cause.
#[must_use]
pub fn is_the_clients_own(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|cause| cause.is::<tonic::transport::Error>())
}
