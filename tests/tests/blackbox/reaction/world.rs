//! The services, and grants that rest on agreements.

use concord_proto::agreement::v1::{
    AgreementKind, ResumeAgreementRequest, SuspendAgreementRequest, TerminateAgreementRequest,
};
use concord_proto::fund::v1::{
    AuthoriseTrancheRequest, GetBackingRequest, GetBackingResponse, GetGrantRequest, Grant,
    InstructTrancheRequest, NameBackingAgreementRequest, PersonalData, RequestTrancheRequest,
    SettleTrancheRequest, TrancheCondition, VerifyPayeeRequest, bulk_command::Command, bulk_result,
};
use concord_proto::r#type::v1::CommandReceipt;
use concord_tests::agreements::{Agreements, OFFICER, UNIVERSITY, WORKS, draft};
use concord_tests::desk::{APPLICANT, CASHIER, CLERK, CONTROLLER, DIRECTOR, Desk, TREASURER, by, plain};
use concord_tests::requests::{Receipt, award, header, id, tranche};
use concord_tests::services::Services;
use std::ops::Deref;
use tonic::Status;

/// Today, until a test moves it.
pub(super) const TODAY: &str = concord_tests::stack::PLAYED_FROM;

/// What the tranches of a grant are worth, in fen.
const TRANCHES: [i64; 3] = [50, 30, 20];

/// The services, and who calls them.
pub(super) struct World {
    pub(super) services: Services,
    pub(super) office: Office,
}

/// Calls the services. What comes back is what was asked for, or the test fails.
#[derive(Clone)]
pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) agreements: Agreements,
}

impl World {
    /// With parties in the directory, and nothing else.
    pub(super) async fn new() -> Self {
        Self::of(Services::start().await.unwrap()).await
    }

    pub(super) async fn of(services: Services) -> Self {
        let (desk, agreements) = (services.desk().await.unwrap(), services.agreements().await.unwrap());
        agreements.record_directory().await.unwrap();
        Self { services, office: Office { desk, agreements } }
    }
}

impl Deref for World {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

impl Office {
    /// A new agreement of a university and an enterprise, in force from today until this day.
    pub(super) async fn signed_until(&self, last_day: &str) -> String {
        let request = draft(AgreementKind::JointResearch, &[UNIVERSITY, WORKS], (TODAY, last_day));
        self.agreements.signed(request).await.unwrap()
    }

    pub(super) async fn signed(&self) -> String {
        self.signed_until("2020-04-19").await
    }

    /// Each of these returns the position of its event.
    pub(super) async fn suspend(&self, agreement: &str) -> u64 {
        let request = SuspendAgreementRequest {
            header: header(),
            agreement_id: agreement.to_owned(),
            cause: "审计".to_owned(),
            authority: "辽科发〔2017〕1号".to_owned(),
        };
        let answer = self.agreements.agreements().suspend_agreement(by(OFFICER, request)).await;
        answer.unwrap().receipt().last_position
    }

    pub(super) async fn resume(&self, agreement: &str) -> u64 {
        let request = ResumeAgreementRequest {
            header: header(),
            agreement_id: agreement.to_owned(),
            authority: "辽科发〔2017〕2号".to_owned(),
        };
        let answer = self.agreements.agreements().resume_agreement(by(OFFICER, request)).await;
        answer.unwrap().receipt().last_position
    }

    pub(super) async fn terminate(&self, agreement: &str) -> u64 {
        let request = TerminateAgreementRequest {
            header: header(),
            agreement_id: agreement.to_owned(),
            reason: "一方违约".to_owned(),
            authority: "辽科发〔2017〕3号".to_owned(),
            out_of_force_from: TODAY.to_owned(),
        };
        let answer = self.agreements.agreements().terminate_agreement(by(OFFICER, request)).await;
        answer.unwrap().receipt().last_position
    }

    /// What fund-grant knows of an agreement, once it has taken in the agreement log up to a position.
    pub(super) async fn known(&self, agreement: &str, position: u64) -> GetBackingResponse {
        let asked = GetBackingRequest {
            agreement_id: agreement.to_owned(),
            min_position: 0,
            min_agreement_position: position,
        };
        self.desk.grants().get_backing(plain(asked)).await.unwrap().into_inner()
    }

    /// What fund-grant knows of an agreement, once it has taken in all that happened.
    pub(super) async fn known_now(&self, agreement: &str) -> GetBackingResponse {
        self.known(agreement, self.agreements.head().await.unwrap()).await
    }

    /// So many agreements, each with so many grants that rest on it.
    pub(super) async fn resting(&self, agreements: usize, grants: usize) -> Vec<(Vec<String>, String)> {
        let mut signed = Vec::new();
        for _ in 0..agreements {
            signed.push(self.signed().await);
        }
        let mut resting = Vec::new();
        for agreement in signed {
            resting.push((self.grants_on(&agreement, grants).await, agreement));
        }
        resting
    }

    /// So many contracted grants that rest on an agreement, the first tranche of each authorised.
    pub(super) async fn grants_on(&self, agreement: &str, count: usize) -> Vec<String> {
        let grants = self.grants_without_agreement(count).await;
        let seen = self.agreements.head().await.unwrap();
        self.known(agreement, seen).await;
        self.all(CLERK, &grants, |grant| Command::NameBackingAgreement(naming(grant, agreement, Some(seen))))
            .await;
        self.all(APPLICANT, &grants, |grant| Command::RequestTranche(request(grant, 1))).await;
        self.all(CONTROLLER, &grants, |grant| Command::AuthoriseTranche(authorisation(grant, 1))).await;
        grants
    }

    /// So many contracted grants whose accounts are verified.
    pub(super) async fn grants_without_agreement(&self, count: usize) -> Vec<String> {
        let programme = id();
        let grants: Vec<String> = (0..count).map(|_| id()).collect();
        self.all(CLERK, &grants, |grant| {
            let mut award = award(&programme, grant, TRANCHES.iter().sum());
            award.tranches = (1..)
                .zip(TRANCHES)
                .map(|(number, amount)| tranche(number, amount, TrancheCondition::Contract, "2016-12-31"))
                .collect();
            Command::ImportAward(award)
        })
        .await;
        self.all(DIRECTOR, &grants, |grant| {
            let account = PersonalData { person_id: "acc-1".to_owned(), text: "6222 0000 1234".to_owned() };
            let grant_id = grant.to_owned();
            Command::VerifyPayee(VerifyPayeeRequest { header: header(), grant_id, account: Some(account) })
        })
        .await;
        grants
    }

    /// One command about each grant, each of which is accepted.
    async fn all(&self, actor: &str, grants: &[String], command: impl Fn(&str) -> Command) {
        let commands = grants.iter().map(|grant| command(grant)).collect();
        for result in self.desk.bulk(actor, commands).await.unwrap() {
            assert!(matches!(result, bulk_result::Result::Receipt(_)), "{result:?}");
        }
    }

    pub(super) async fn instruct(
        &self,
        instruction: &InstructTrancheRequest,
    ) -> Result<CommandReceipt, Status> {
        let answer = self.desk.grants().instruct_tranche(by(TREASURER, instruction.clone())).await?;
        Ok(answer.receipt())
    }

    /// Takes a tranche that nobody has asked for yet up to its authorisation.
    pub(super) async fn authorised(&self, grant: &str, number: u32) -> Result<CommandReceipt, Status> {
        self.desk.grants().request_tranche(by(APPLICANT, request(grant, number))).await?;
        let authorised =
            self.desk.grants().authorise_tranche(by(CONTROLLER, authorisation(grant, number))).await?;
        Ok(authorised.receipt())
    }

    pub(super) async fn settle(&self, grant: &str, number: u32) -> Result<CommandReceipt, Status> {
        let request = SettleTrancheRequest {
            header: header(),
            grant_id: grant.to_owned(),
            tranche_number: number,
            bank_reference: format!("B-{number}"),
        };
        Ok(self.desk.grants().settle_tranche(by(CASHIER, request)).await?.receipt())
    }

    pub(super) async fn grant(&self, grant: &str) -> Grant {
        let asked = GetGrantRequest { grant_id: grant.to_owned(), min_position: 0 };
        self.desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap()
    }
}

pub(super) fn naming(grant: &str, agreement: &str, seen: Option<u64>) -> NameBackingAgreementRequest {
    NameBackingAgreementRequest {
        header: header(),
        grant_id: grant.to_owned(),
        agreement_id: agreement.to_owned(),
        agreement_position: seen,
    }
}

pub(super) fn request(grant: &str, tranche_number: u32) -> RequestTrancheRequest {
    RequestTrancheRequest { header: header(), grant_id: grant.to_owned(), tranche_number, amount: None }
}

pub(super) fn authorisation(grant: &str, tranche_number: u32) -> AuthoriseTrancheRequest {
    AuthoriseTrancheRequest { header: header(), grant_id: grant.to_owned(), tranche_number }
}

/// A new instruction.
pub(super) fn instruction(grant: &str, tranche_number: u32) -> InstructTrancheRequest {
    InstructTrancheRequest {
        header: header(),
        grant_id: grant.to_owned(),
        tranche_number,
        instruction_id: id(),
    }
}
