//! Fresh applications 新申报: three grants of the guiding fund through the whole procedure, and the commands that the
//! rules refuse on the way, shown as people would see them.

use concord_kernel::Date;
use concord_kernel::id::{GrantId, InstructionId, ProgrammeId};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AdmitGrantRequest, Allocation, ApplyForGrantRequest, AppropriateProgrammeRequest, ApproveGrantsRequest,
    AuthoriseTrancheRequest, Award, BulkCommand, FundPurpose, GetGrantRequest, Grant, InstructTrancheRequest,
    PersonalData, PlannedTranche, PublishNoticeRequest, RecommendGrantRequest, RejectGrantRequest,
    RequestTrancheRequest, ReturnPaymentRequest, ReviewGrantRequest, SettleTrancheRequest,
    SignContractRequest, State, TrancheCondition, TrancheState, VerifyPayeeRequest,
};
use concord_proto::r#type::v1::{CommandHeader, FundingMode, Money, Party};
use tonic::Status;

use super::books::{Books, Effect};
use super::commands::OFFICE;
use super::{parties, play};
use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Fund};
use crate::errors::{CliError, explain, reason};
use crate::ids;
use std::collections::BTreeMap;

/// Working days of early 2023, after the years that are played.
const FILED_ON: Date = jiff::civil::date(2023, 2, 1);
const YEAR: i32 = 2023;
/// In fen 分.
const YUAN: i64 = 100;
const APPROPRIATED: i64 = 5_000_000 * YUAN;
const REQUESTED: i64 = 1_000_000 * YUAN;
const AWARDED: i64 = 800_000 * YUAN;
const CONTRACTED: i64 = 750_000 * YUAN;

/// What became of the fresh applications.
pub(super) struct Fresh {
    /// How many were filed.
    pub(super) grants: u64,
    /// The one that went furthest.
    pub(super) shown: GrantId,
}

/// Runs the procedure, and takes what was accepted into the books.
pub(super) async fn run(fund: &Fund, books: &mut Books) -> Result<Fresh, CliError> {
    let mut office = Office { fund, books, on: FILED_ON, parties: BTreeMap::new() };
    play::advance(fund, FILED_ON).await?;
    let programme = ProgrammeId::derived("demo", &format!("guiding-fund/{YEAR}")).to_string();
    office.appropriate(&programme).await?;
    let partner = parties::university("210200", 9, "示例理工大学")?;
    let projects = [
        (
            "new-alloy",
            "new_materials",
            "高温合金叶片精密铸造中试",
            parties::enterprise("210100", 1, "示例新材料有限公司")?,
        ),
        (
            "sea-cable",
            "marine",
            "海底电缆状态监测系统转化",
            parties::enterprise("210200", 2, "示例海洋装备有限公司")?,
        ),
        ("old-idea", "", "已有成果的重复申报", parties::enterprise("210300", 3, "示例机械有限公司")?),
    ];
    let [first, second, third] =
        ["new-alloy", "sea-cable", "old-idea"].map(|key| GrantId::derived("demo", key));
    println!("\nfresh applications 新申报 ({FILED_ON}, guiding-fund/{YEAR}, CNY, synthetic 模拟)");
    for (key, industry, title, lead) in &projects {
        office.file(key, &programme, industry, title, lead, &partner).await?;
    }
    office.reject(third).await?;
    let approvable_from = office.notice(first, second).await?;
    office.approve_early(first, second, approvable_from).await?;

    play::advance(fund, approvable_from).await?;
    office.on = approvable_from;
    office.approve(first, second).await?;
    office.contract(first).await?;
    office.pay(first, &projects[0].3).await?;
    // The second stays where the office has to act: authorised, the payee not yet verified.
    office.sign(second, CONTRACTED, "sign").await?;
    office.ask(second, &projects[1].3).await?;
    Ok(Fresh { grants: projects.len() as u64, shown: first })
}

fn yuan(amount_minor: i64) -> Option<Money> {
    Some(Money { amount_minor, currency: "CNY".to_owned() })
}

fn clerk(job: &str) -> Actor {
    Actor::new(format!("demo-{job}"), OFFICE)
}

/// Somebody of the applicant. Its organisation is the applicant's, so it does no job of the office (A13).
fn applicant(lead: &Party) -> Actor {
    Actor::new("demo-applicant", lead.code.clone())
}

struct Office<'a> {
    fund: &'a Fund,
    books: &'a mut Books,
    on: Date,
    /// Lead and partner of each grant.
    parties: BTreeMap<GrantId, [Party; 2]>,
}

impl Office<'_> {
    fn header(&self, what: &str) -> Option<CommandHeader> {
        Some(CommandHeader {
            request_id: ids::request(&format!("demo/1/fresh/{what}")),
            effective_on: self.on.to_string(),
            correlation_id: "demo".to_owned(),
            ..CommandHeader::default()
        })
    }

    /// Sends one command as somebody.
    async fn send(&self, by: &Actor, command: Command) -> Result<(), Status> {
        let command = BulkCommand { actor: Some(by.to_wire()), command: Some(command) };
        let mut refused = None;
        let mut client = self.fund.grants(by).map_err(|error| Status::invalid_argument(error.to_string()))?;
        bulk::execute(&mut client, std::iter::once(((), command)), &Stop::default(), |(), answer| {
            if let Answer::Refused(status) = answer {
                refused = Some(status);
            }
        })
        .await?;
        refused.map_or(Ok(()), Err)
    }

    /// A command that must be accepted.
    async fn act(&mut self, by: &Actor, effect: Effect, command: Command) -> Result<(), CliError> {
        self.send(by, command).await?;
        self.books.take("CNY", effect);
        Ok(())
    }

    /// A command that a rule must refuse: shows how.
    async fn expect_refusal(
        &self,
        by: &Actor,
        tried: &str,
        rule: &str,
        command: Command,
    ) -> Result<(), CliError> {
        match self.send(by, command).await {
            Err(status) if reason(&status).starts_with(rule) => {
                println!("\n> {tried}\n{}", explain(&status));
                Ok(())
            }
            Err(status) => {
                Err(CliError::failed(format!("{tried}: expected {rule}, got\n{}", explain(&status))))
            }
            Ok(()) => Err(CliError::failed(format!("{tried}: expected {rule}, and it was accepted"))),
        }
    }

    async fn grant(&self, id: GrantId) -> Result<Grant, CliError> {
        let request = GetGrantRequest { grant_id: id.to_string(), min_position: 0 };
        let response = self.fund.grants(&clerk("reader"))?.get_grant(request).await?.into_inner();
        response.grant.ok_or_else(|| CliError::failed(format!("grant {id} came back empty")))
    }

    async fn appropriate(&mut self, programme: &str) -> Result<(), CliError> {
        let request = AppropriateProgrammeRequest {
            header: self.header("appropriate"),
            programme_id: programme.to_owned(),
            fund: "guiding-fund".to_owned(),
            purpose: FundPurpose::Transformation.into(),
            year: YEAR,
            amount: yuan(APPROPRIATED),
            title: format!("{YEAR} 年专项引导资金（演示）"),
        };
        self.fund.programmes(&clerk("budget"))?.appropriate_programme(request).await?;
        self.books.take("CNY", Effect::Appropriated(APPROPRIATED));
        Ok(())
    }

    /// From application to review.
    async fn file(
        &mut self,
        key: &str,
        programme: &str,
        industry: &str,
        title: &str,
        lead: &Party,
        partner: &Party,
    ) -> Result<(), CliError> {
        let grant = GrantId::derived("demo", key);
        let grant_id = grant.to_string();
        self.parties.insert(grant, [lead.clone(), partner.clone()]);
        let share = |party: &Party, amount_minor| Allocation {
            party: Some(party.clone()),
            amount_minor: Some(amount_minor),
        };
        let apply = ApplyForGrantRequest {
            header: self.header(&format!("{key}/apply")),
            grant_id: grant_id.clone(),
            programme_id: programme.to_owned(),
            mode: FundingMode::NonRepayable.into(),
            title: format!("{title}（演示）"),
            lead: Some(lead.clone()),
            industry: industry.to_owned(),
            requested: yuan(REQUESTED),
            total_budget: yuan(3 * REQUESTED),
            allocations: vec![share(lead, REQUESTED * 7 / 10), share(partner, REQUESTED * 3 / 10)],
            starts_on: "2023-03-01".to_owned(),
            ends_on: "2025-02-28".to_owned(),
        };
        self.act(&applicant(lead), Effect::None, Command::ApplyForGrant(apply)).await?;
        let header = self.header(&format!("{key}/recommend"));
        let recommend = RecommendGrantRequest {
            header,
            grant_id: grant_id.clone(),
            recommender: "示例市科技局".to_owned(),
        };
        self.act(
            &Actor::new("demo-city-officer", "demo-city-bureau"),
            Effect::None,
            Command::RecommendGrant(recommend),
        )
        .await?;
        let admit =
            AdmitGrantRequest { header: self.header(&format!("{key}/admit")), grant_id: grant_id.clone() };
        self.act(&clerk("admissions"), Effect::None, Command::AdmitGrant(admit)).await?;
        let review = ReviewGrantRequest {
            header: self.header(&format!("{key}/review")),
            grant_id,
            score_hundredths: 8_650,
            ceiling: yuan(AWARDED),
        };
        self.act(&clerk("expert-panel"), Effect::None, Command::ReviewGrant(review)).await
    }

    async fn reject(&mut self, grant: GrantId) -> Result<(), CliError> {
        let request = RejectGrantRequest {
            header: self.header(&format!("{grant}/reject")),
            grant_id: grant.to_string(),
            reason: "与已立项项目内容重复 the project repeats one that was funded".to_owned(),
        };
        self.act(&clerk("meeting"), Effect::None, Command::RejectGrant(request)).await
    }

    /// Publishes both, and gives the first day on which both may be approved.
    async fn notice(&mut self, first: GrantId, second: GrantId) -> Result<Date, CliError> {
        let mut approvable_from = self.on;
        for grant in [first, second] {
            let request = PublishNoticeRequest {
                header: self.header(&format!("{grant}/publish")),
                grant_id: grant.to_string(),
                amount: yuan(AWARDED),
            };
            // By itself and not in bulk: only this answer says from when it may be approved.
            let answer = self.fund.grants(&clerk("publisher"))?.publish_notice(request).await?.into_inner();
            let from: Date = answer.approvable_from.parse().map_err(|_| {
                CliError::failed(format!("approvable from {:?} is no date", answer.approvable_from))
            })?;
            approvable_from = approvable_from.max(from);
        }
        Ok(approvable_from)
    }

    fn approval(&self, what: &str, first: GrantId, second: GrantId) -> Command {
        let award = |grant: GrantId| Award {
            grant_id: grant.to_string(),
            amount: yuan(AWARDED),
            expected_version: None,
        };
        Command::ApproveGrants(ApproveGrantsRequest {
            header: self.header(what),
            minutes: format!("演示会纪〔{YEAR}〕1 号"),
            awards: vec![award(first), award(second)],
        })
    }

    /// What is refused is tried only where the grant stands before it: on a second run it has moved on, and the same
    /// command would be a repeat of what holds.
    async fn approve_early(
        &self,
        first: GrantId,
        second: GrantId,
        approvable_from: Date,
    ) -> Result<(), CliError> {
        if self.grant(first).await?.state != i32::from(State::OnNotice) || self.on >= approvable_from {
            return Ok(());
        }
        let tried = format!("approve on {} while the notice hangs 公示期内立项", self.on);
        let command = self.approval("approve-early", first, second);
        self.expect_refusal(&clerk("meeting"), &tried, "A08", command).await
    }

    async fn approve(&mut self, first: GrantId, second: GrantId) -> Result<(), CliError> {
        let command = self.approval("approve", first, second);
        self.act(&clerk("meeting"), Effect::Approved(2 * AWARDED), command).await
    }

    /// Seven tenths are the lead's, the rest is the partner's.
    fn shares(&self, grant: GrantId, contracted: i64) -> Vec<Allocation> {
        let of_lead = contracted / 10 * 7;
        let parties = self.parties.get(&grant).into_iter().flatten();
        let amounts = [of_lead, contracted - of_lead];
        let shares = parties.zip(amounts).map(|(party, amount_minor)| Allocation {
            party: Some(party.clone()),
            amount_minor: Some(amount_minor),
        });
        shares.collect()
    }

    fn signing(&self, grant: GrantId, contracted: i64, what: &str) -> Command {
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
            starts_on: "2023-03-01".to_owned(),
            ends_on: "2025-02-28".to_owned(),
            tranches: vec![
                line(1, 50, TrancheCondition::Contract, "2023-03-31"),
                line(2, 30, TrancheCondition::Midterm, "2024-03-31"),
                line(3, 20, TrancheCondition::FinalAcceptance, "2025-05-31"),
            ],
            allocations: self.shares(grant, contracted),
        })
    }

    async fn sign(&mut self, grant: GrantId, contracted: i64, what: &str) -> Result<(), CliError> {
        let command = self.signing(grant, contracted, what);
        self.act(&clerk("contracts"), Effect::Contracted { contracted, approved: AWARDED }, command).await
    }

    async fn contract(&mut self, grant: GrantId) -> Result<(), CliError> {
        if self.grant(grant).await?.state == i32::from(State::Approved) {
            let command = self.signing(grant, REQUESTED, "sign-above");
            let tried =
                "sign a contract over 1,000,000.00 yuan where 800,000.00 was approved 合同超过立项金额";
            self.expect_refusal(&clerk("contracts"), tried, "A02", command).await?;
        }
        self.sign(grant, CONTRACTED, "sign").await
    }

    /// Asks for the first tranche and has it authorised.
    async fn ask(&mut self, grant: GrantId, lead: &Party) -> Result<(), CliError> {
        let (header, grant_id) = (self.header(&format!("{grant}/request")), grant.to_string());
        let request = RequestTrancheRequest { header, grant_id, tranche_number: 1, amount: None };
        self.act(&applicant(lead), Effect::None, Command::RequestTranche(request)).await?;
        let (header, grant_id) = (self.header(&format!("{grant}/authorise")), grant.to_string());
        let request = AuthoriseTrancheRequest { header, grant_id, tranche_number: 1 };
        self.act(&clerk("finance-head"), Effect::None, Command::AuthoriseTranche(request)).await
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
    async fn pay(&mut self, grant: GrantId, lead: &Party) -> Result<(), CliError> {
        self.ask(grant, lead).await?;
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
        let tranche_minor = CONTRACTED / 100 * 50;
        let command = self.instruct(grant, "instruct/1");
        self.act(&clerk("cashier"), Effect::Instructed(tranche_minor), command).await?;
        let returned = ReturnPaymentRequest {
            header: self.header(&format!("{grant}/return/1")),
            grant_id: grant.to_string(),
            tranche_number: 1,
            bank_reference: format!("SYN-R-{grant}-1"),
            reason: "synthetic: holder's name differs 模拟：户名不符".to_owned(),
        };
        self.act(
            &clerk("bank-clerk"),
            Effect::ReturnedUnsettled(tranche_minor),
            Command::ReturnPayment(returned),
        )
        .await?;
        let command = self.instruct(grant, "instruct/2");
        self.act(&clerk("cashier"), Effect::Instructed(tranche_minor), command).await?;
        let settle = SettleTrancheRequest {
            header: self.header(&format!("{grant}/settle/2")),
            grant_id: grant.to_string(),
            tranche_number: 1,
            bank_reference: format!("SYN-{grant}-1-2"),
        };
        self.act(&clerk("bank-clerk"), Effect::Settled(tranche_minor), Command::SettleTranche(settle)).await
    }
}
