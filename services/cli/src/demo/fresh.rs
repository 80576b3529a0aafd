//! Fresh applications 新申报: grants of the guiding fund through the whole procedure, and the commands that the rules refuse on
//! the way, shown as people would see them.
//!
//! | key | what becomes of it |
//! |---|---|
//! | `new-alloy` | an objection to it is turned down; it is paid, its share passed on, and an arrival of matching money corrected |
//! | `sea-cable` | authorised; the payee is not yet verified |
//! | `old-idea` | rejected |
//! | `aero-alloy` | reviewed; its title is nearly that of `new-alloy` (A04) |
//! | `late-work` | approved by an override after the work was finished (A07, A18), and then not accepted in time (A11) |
//! | `same-alloy`, `next-idea` | not admitted: the one is `new-alloy` again (A04), the other of a lead that is overdue (A11) |

mod contract;
mod later;
mod procedure;

use std::collections::BTreeMap;

use concord_kernel::Date;
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AppropriateProgrammeRequest, BulkCommand, FundPurpose, GetGrantRequest, Grant,
};
use concord_proto::r#type::v1::{CommandHeader, CommandReceipt, Money, Party};
use tonic::Status;

use self::procedure::Project;
use super::books::{Books, Effect};
use super::commands::OFFICE;
use super::{parties, play};
use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Fund};
use crate::errors::{CliError, explain, reason};
use crate::ids;

/// Working days of early 2023, after the years that are played.
const FILED_ON: Date = jiff::civil::date(2023, 2, 1);
/// The last day that is played.
const LATER_ON: Date = jiff::civil::date(2023, 3, 31);
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
    let programme = ProgrammeId::derived("demo", &format!("guiding-fund/{YEAR}"));
    let mut office = Office { fund, books, programme, on: FILED_ON, parties: BTreeMap::new() };
    play::advance(fund, FILED_ON).await?;
    office.appropriate().await?;
    let [alloy, cable, machines, aero, late] = [
        parties::enterprise("210100", 1, "示例新材料有限公司")?,
        parties::enterprise("210200", 2, "示例海洋装备有限公司")?,
        parties::enterprise("210300", 3, "示例机械有限公司")?,
        parties::enterprise("210100", 4, "示例航空部件有限公司")?,
        parties::enterprise("210400", 5, "示例节能设备有限公司")?,
    ];
    let partner = parties::university("210200", 9, "示例理工大学")?;
    let project = |key, industry, title, lead: &Party| Project {
        key,
        industry,
        title,
        lead: lead.clone(),
        partner: partner.clone(),
        days: ("2023-03-01", "2025-02-28"),
    };
    let first = project("new-alloy", "new_materials", "高温合金叶片精密铸造中试", &alloy);
    let second = project("sea-cable", "marine", "海底电缆状态监测系统转化", &cable);
    let third = project("old-idea", "", "已有成果的重复申报", &machines);
    let similar = project("aero-alloy", "new_materials", "航空高温合金叶片精密铸造中试", &aero);
    let finished = Project {
        days: ("2021-09-01", "2022-08-31"),
        ..project("late-work", "energy_saving", "工业余热回收装置转化", &late)
    };
    let same = project("same-alloy", "new_materials", "高温合金叶片 精密铸造（中试）", &alloy);
    let next = project("next-idea", "", "低温余热发电机组中试", &late);

    println!("\nfresh applications 新申报 ({FILED_ON}, guiding-fund/{YEAR}, CNY, synthetic 模拟)");
    for project in [&first, &second, &third, &similar, &finished] {
        office.file(project).await?;
    }
    office.reject(third.id()).await?;
    let approvable_from = office.notice(&[first.id(), second.id(), finished.id()]).await?;
    office.object(first.id()).await?;
    office.approve_early(first.id(), second.id(), approvable_from).await?;

    office.go_on_to(approvable_from).await?;
    office.approve(first.id(), second.id()).await?;
    office.approve_finished(finished.id()).await?;
    office.contract(&first).await?;
    office.pay(&first).await?;
    office.pledge(first.id()).await?;
    // The second stays where the office has to act: authorised, the payee not yet verified.
    office.sign(&second, "sign").await?;
    office.ask(&second).await?;
    office.sign(&finished, "sign").await?;

    office.go_on_to(LATER_ON).await?;
    office.pass_on(&first).await?;
    office.correct(first.id()).await?;
    office.file_in_vain(&same, "A04", "admit a project that is funded already 受理已立项的项目").await?;
    let tried = "admit a project of a lead with an overdue acceptance 受理有逾期未验收项目的单位";
    office.file_in_vain(&next, "A11", tried).await?;
    Ok(Fresh { grants: 7, shown: first.id() })
}

fn yuan(amount_minor: i64) -> Option<Money> {
    Some(Money::new(amount_minor, "CNY"))
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
    programme: ProgrammeId,
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

    /// Today is this day from now on.
    async fn go_on_to(&mut self, day: Date) -> Result<(), CliError> {
        play::advance(self.fund, day).await?;
        self.on = day;
        Ok(())
    }

    /// Sends one command as somebody.
    async fn send(&self, by: &Actor, command: Command) -> Result<CommandReceipt, Status> {
        let command = BulkCommand { actor: Some(by.to_wire()), command: Some(command) };
        let mut answered = None;
        let mut client = self.fund.grants(by).map_err(|error| Status::invalid_argument(error.to_string()))?;
        bulk::execute(&mut client, std::iter::once(((), command)), &Stop::default(), |(), answer| {
            answered = Some(match answer {
                Answer::Accepted(receipt) => Ok(receipt),
                Answer::Refused(status) => Err(status),
            });
        })
        .await?;
        answered.unwrap_or_else(|| Err(Status::internal("the command was not answered")))
    }

    /// A command that must be accepted.
    async fn act(
        &mut self,
        by: &Actor,
        effect: Effect,
        command: Command,
    ) -> Result<CommandReceipt, CliError> {
        let receipt = self.send(by, command).await?;
        self.books.take("CNY", effect);
        Ok(receipt)
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
            Ok(_) => Err(CliError::failed(format!("{tried}: expected {rule}, and it was accepted"))),
        }
    }

    async fn grant(&self, id: GrantId) -> Result<Grant, CliError> {
        let request = GetGrantRequest { grant_id: id.to_string(), min_position: 0 };
        let response = self.fund.grants(&clerk("reader"))?.get_grant(request).await?.into_inner();
        response.grant.ok_or_else(|| CliError::failed(format!("grant {id} came back empty")))
    }

    async fn appropriate(&mut self) -> Result<(), CliError> {
        let request = AppropriateProgrammeRequest {
            header: self.header("appropriate"),
            programme_id: self.programme.to_string(),
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
}
