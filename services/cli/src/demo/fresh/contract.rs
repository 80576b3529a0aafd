//! The task contract 任务书 and the first payment.

use concord_kernel::id::{GrantId, InstructionId};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    Allocation, AuthoriseTrancheRequest, InstructTrancheRequest, PersonalData, PlannedTranche,
    RequestTrancheRequest, ReturnPaymentRequest, SettleTrancheRequest, SignContractRequest, State,
    TrancheCondition, TrancheState, VerifyPayeeRequest,
};

use super::procedure::Project;
use super::{AWARDED, CONTRACTED, Effect, Office, REQUESTED, YEAR, applicant, clerk, yuan};
use crate::errors::CliError;

/// What the first tranche pays, in minor units.
pub(super) const FIRST_TRANCHE: i64 = CONTRACTED / 100 * 50;

/// What of so much is the partner's: three tenths.
pub(super) fn partners_share(minor: i64) -> i64 {
    minor - minor / 10 * 7
}

impl Office<'_> {
    /// Seven tenths are the lead's, the rest is the partner's.
    fn shares(&self, grant: GrantId, contracted: i64) -> Vec<Allocation> {
        let parties = self.parties.get(&grant).into_iter().flatten();
        let amounts = [contracted - partners_share(contracted), partners_share(contracted)];
        let shares = parties.zip(amounts).map(|(party, amount_minor)| Allocation {
            party: Some(party.clone()),
            amount_minor: Some(amount_minor),
        });
        shares.collect()
    }

    fn signing(&self, project: &Project, contracted: i64, what: &str) -> Command {
        let grant = project.id();
        let line = |number, percent, condition: TrancheCondition, due_on: &str| PlannedTranche {
            number,
            amount_minor: contracted / 100 * percent,
            condition: condition.into(),
            due_on: due_on.to_owned(),
        };
        Command::SignContract(SignContractRequest {
            header: self.header(&format!("{grant}/{what}")),
            grant_id: grant.to_string(),
            contract_number: format!("DEMO-{YEAR}-{:.8}", grant.to_string()),
            amount: yuan(contracted),
            starts_on: project.days.0.to_owned(),
            ends_on: project.days.1.to_owned(),
            tranches: vec![
                line(1, 50, TrancheCondition::Contract, "2023-03-31"),
                line(2, 30, TrancheCondition::Midterm, "2024-03-31"),
                line(3, 20, TrancheCondition::FinalAcceptance, "2025-05-31"),
            ],
            allocations: self.shares(grant, contracted),
        })
    }

    pub(super) async fn sign(&mut self, project: &Project, what: &str) -> Result<(), CliError> {
        let command = self.signing(project, CONTRACTED, what);
        let effect = Effect::Contracted { contracted: CONTRACTED, approved: AWARDED };
        self.act(&clerk("contracts"), effect, command).await?;
        Ok(())
    }

    pub(super) async fn contract(&mut self, project: &Project) -> Result<(), CliError> {
        if self.grant(project.id()).await?.state == i32::from(State::Approved) {
            let command = self.signing(project, REQUESTED, "sign-above");
            let tried =
                "sign a contract over 1,000,000.00 yuan where 800,000.00 was approved 合同超过立项金额";
            self.expect_refusal(&clerk("contracts"), tried, "A02", command).await?;
        }
        self.sign(project, "sign").await
    }

    /// Asks for the first tranche and has it authorised.
    pub(super) async fn ask(&mut self, project: &Project) -> Result<(), CliError> {
        let grant = project.id();
        let (header, grant_id) = (self.header(&format!("{grant}/request")), grant.to_string());
        let request = RequestTrancheRequest { header, grant_id, tranche_number: 1, amount: None };
        self.act(&applicant(&project.lead), Effect::None, Command::RequestTranche(request)).await?;
        let (header, grant_id) = (self.header(&format!("{grant}/authorise")), grant.to_string());
        let request = AuthoriseTrancheRequest { header, grant_id, tranche_number: 1 };
        self.act(&clerk("finance-head"), Effect::None, Command::AuthoriseTranche(request)).await?;
        Ok(())
    }

    fn instruct(&self, grant: GrantId, what: &str) -> Command {
        Command::InstructTranche(InstructTrancheRequest {
            header: self.header(&format!("{grant}/{what}")),
            grant_id: grant.to_string(),
            tranche_number: 1,
            instruction_id: InstructionId::derived("demo", &format!("{grant}/1")).to_string(),
        })
    }

    /// The first tranche from request to settlement, with a payment that comes back in between.
    pub(super) async fn pay(&mut self, project: &Project) -> Result<(), CliError> {
        let grant = project.id();
        self.ask(project).await?;
        let now = self.grant(grant).await?;
        let waiting =
            now.tranches.first().is_some_and(|tranche| tranche.state == i32::from(TrancheState::Authorised));
        if waiting && !now.payee_verified {
            let command = self.instruct(grant, "instruct-unverified");
            let tried = "instruct the bank before the payee's account was verified 收款账户未核验即支付";
            self.expect_refusal(&clerk("cashier"), tried, "A01", command).await?;
        }
        let verify = VerifyPayeeRequest {
            header: self.header(&format!("{grant}/verify")),
            grant_id: grant.to_string(),
            account: Some(PersonalData {
                person_id: format!("demo-payee-{grant}"),
                text: "synthetic account 模拟账户 6200 0000 0000 0001".to_owned(),
            }),
        };
        self.act(&clerk("verifier"), Effect::None, Command::VerifyPayee(verify)).await?;
        if waiting {
            let command = self.instruct(grant, "instruct-one-hand");
            let tried = "instruct by the person who authorised 审批与支付为同一人";
            self.expect_refusal(&clerk("finance-head"), tried, "A13", command).await?;
        }
        let command = self.instruct(grant, "instruct/1");
        self.act(&clerk("cashier"), Effect::Instructed(FIRST_TRANCHE), command).await?;
        let returned = ReturnPaymentRequest {
            header: self.header(&format!("{grant}/return/1")),
            grant_id: grant.to_string(),
            tranche_number: 1,
            bank_reference: format!("SYN-R-{grant}-1"),
            reason: "synthetic: holder's name differs 模拟：户名不符".to_owned(),
        };
        let (effect, returned) = (Effect::ReturnedUnsettled(FIRST_TRANCHE), Command::ReturnPayment(returned));
        self.act(&clerk("bank-clerk"), effect, returned).await?;
        let command = self.instruct(grant, "instruct/2");
        self.act(&clerk("cashier"), Effect::Instructed(FIRST_TRANCHE), command).await?;
        let settle = SettleTrancheRequest {
            header: self.header(&format!("{grant}/settle/2")),
            grant_id: grant.to_string(),
            tranche_number: 1,
            bank_reference: format!("SYN-{grant}-1-2"),
        };
        let (effect, settle) = (Effect::Settled(FIRST_TRANCHE), Command::SettleTranche(settle));
        self.act(&clerk("bank-clerk"), effect, settle).await?;
        Ok(())
    }
}
