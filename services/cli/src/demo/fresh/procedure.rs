//! From application to approval, with objections and an override.

use concord_kernel::Date;
use concord_kernel::id::GrantId;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AdmitGrantRequest, Allocation, ApplyForGrantRequest, ApproveGrantsRequest, Award, Objection,
    ObjectionState, OverriddenRule, PublishNoticeRequest, RaiseObjectionRequest, RecommendGrantRequest,
    RecordOverrideRequest, RejectGrantRequest, RejectObjectionRequest, ReviewGrantRequest, State,
};
use concord_proto::r#type::v1::{FundingMode, Party};

use super::{AWARDED, Effect, Office, REQUESTED, YEAR, applicant, clerk, yuan};
use crate::connect::Actor;
use crate::errors::CliError;

/// A project that is applied for.
pub(super) struct Project {
    pub(super) key: &'static str,
    /// Its industry's code; empty where none applies.
    pub(super) industry: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: Party,
    pub(super) partner: Party,
    /// Its first and last day.
    pub(super) days: (&'static str, &'static str),
}

impl Project {
    /// Id of its grant.
    pub(super) fn id(&self) -> GrantId {
        GrantId::derived("demo", self.key)
    }
}

impl Office<'_> {
    /// From application to review.
    pub(super) async fn file(&mut self, project: &Project) -> Result<(), CliError> {
        let (key, grant_id) = (project.key, project.id().to_string());
        self.recommend(project).await?;
        let admit = self.admission(project);
        self.act(&clerk("admissions"), Effect::None, admit).await?;
        let review = ReviewGrantRequest {
            header: self.header(&format!("{key}/review")),
            grant_id,
            score_hundredths: 8_650,
            ceiling: yuan(AWARDED),
        };
        self.act(&clerk("expert-panel"), Effect::None, Command::ReviewGrant(review)).await?;
        Ok(())
    }

    /// An application that the rule keeps from being admitted: shows how.
    pub(super) async fn file_in_vain(
        &mut self,
        project: &Project,
        rule: &str,
        tried: &str,
    ) -> Result<(), CliError> {
        self.recommend(project).await?;
        let admit = self.admission(project);
        self.expect_refusal(&clerk("admissions"), tried, rule, admit).await
    }

    /// Application and recommendation.
    async fn recommend(&mut self, project: &Project) -> Result<(), CliError> {
        let Project { key, industry, title, lead, partner, days } = project;
        let grant_id = project.id().to_string();
        self.parties.insert(project.id(), [lead.clone(), partner.clone()]);
        let share = |party: &Party, amount_minor| Allocation {
            party: Some(party.clone()),
            amount_minor: Some(amount_minor),
        };
        let apply = ApplyForGrantRequest {
            header: self.header(&format!("{key}/apply")),
            grant_id: grant_id.clone(),
            programme_id: self.programme.to_string(),
            mode: FundingMode::NonRepayable.into(),
            title: format!("{title}（演示）"),
            lead: Some(lead.clone()),
            industry: (*industry).to_owned(),
            requested: yuan(REQUESTED),
            total_budget: yuan(3 * REQUESTED),
            allocations: vec![share(lead, REQUESTED * 7 / 10), share(partner, REQUESTED * 3 / 10)],
            starts_on: days.0.to_owned(),
            ends_on: days.1.to_owned(),
        };
        self.act(&applicant(lead), Effect::None, Command::ApplyForGrant(apply)).await?;
        let header = self.header(&format!("{key}/recommend"));
        let recommend =
            RecommendGrantRequest { header, grant_id, recommender: "示例市科技局".to_owned() };
        let officer = Actor::new("demo-city-officer", "demo-city-bureau");
        self.act(&officer, Effect::None, Command::RecommendGrant(recommend)).await?;
        Ok(())
    }

    fn admission(&self, project: &Project) -> Command {
        let header = self.header(&format!("{}/admit", project.key));
        Command::AdmitGrant(AdmitGrantRequest { header, grant_id: project.id().to_string() })
    }

    pub(super) async fn reject(&mut self, grant: GrantId) -> Result<(), CliError> {
        let request = RejectGrantRequest {
            header: self.header(&format!("{grant}/reject")),
            grant_id: grant.to_string(),
            reason: "与已立项项目内容重复 the project repeats one that was funded".to_owned(),
        };
        self.act(&clerk("meeting"), Effect::None, Command::RejectGrant(request)).await?;
        Ok(())
    }

    /// Publishes all, and gives the first day on which all may be approved.
    pub(super) async fn notice(&mut self, grants: &[GrantId]) -> Result<Date, CliError> {
        let mut approvable_from = self.on;
        for grant in grants {
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

    /// Somebody objects while the notice hangs.
    pub(super) async fn object(&mut self, grant: GrantId) -> Result<(), CliError> {
        let request = RaiseObjectionRequest {
            header: self.header(&format!("{grant}/object")),
            grant_id: grant.to_string(),
            objection_number: 1,
            grounds: "同类成果已公开 a like result has been published".to_owned(),
        };
        let citizen = Actor::new("demo-citizen", "demo-public");
        self.act(&citizen, Effect::None, Command::RaiseObjection(request)).await?;
        Ok(())
    }

    fn approval(&self, what: &str, minutes: u32, grants: &[GrantId]) -> Command {
        let award = |grant: &GrantId| Award {
            grant_id: grant.to_string(),
            amount: yuan(AWARDED),
            expected_version: None,
        };
        Command::ApproveGrants(ApproveGrantsRequest {
            header: self.header(what),
            minutes: format!("演示会纪〔{YEAR}〕{minutes} 号"),
            awards: grants.iter().map(award).collect(),
        })
    }

    async fn is_on_notice(&self, grant: GrantId) -> Result<bool, CliError> {
        Ok(self.grant(grant).await?.state == i32::from(State::OnNotice))
    }

    /// What is refused is tried only where the grant stands before it: on a second run it has moved on, and the same
    /// command would be a repeat of what holds.
    pub(super) async fn approve_early(
        &self,
        first: GrantId,
        second: GrantId,
        approvable_from: Date,
    ) -> Result<(), CliError> {
        if !self.is_on_notice(first).await? || self.on >= approvable_from {
            return Ok(());
        }
        let tried = format!("approve on {} while the notice hangs 公示期内立项", self.on);
        let command = self.approval("approve-early", 1, &[first, second]);
        self.expect_refusal(&clerk("meeting"), &tried, "A08", command).await
    }

    /// Both in one meeting, once the objection to the first is turned down.
    pub(super) async fn approve(&mut self, first: GrantId, second: GrantId) -> Result<(), CliError> {
        let is_open = |objection: &Objection| objection.state == i32::from(ObjectionState::Open);
        if self.grant(first).await?.objections.iter().any(is_open) {
            let command = self.approval("approve-objected", 1, &[first, second]);
            let tried = "approve while an objection is open 异议未处理即立项";
            self.expect_refusal(&clerk("meeting"), tried, "A08", command).await?;
        }
        let turned_down = RejectObjectionRequest {
            header: self.header(&format!("{first}/turn-down")),
            grant_id: first.to_string(),
            objection_number: 1,
            reason: "工艺路线不同 the process is another one".to_owned(),
        };
        self.act(&clerk("legal-officer"), Effect::None, Command::RejectObjection(turned_down)).await?;
        let command = self.approval("approve", 1, &[first, second]);
        self.act(&clerk("meeting"), Effect::Approved(2 * AWARDED), command).await?;
        Ok(())
    }

    /// The work was finished before: only a meeting can set the rule aside, and that is found (A07, A18).
    pub(super) async fn approve_finished(&mut self, grant: GrantId) -> Result<(), CliError> {
        if self.is_on_notice(grant).await? && self.grant(grant).await?.overrides.is_empty() {
            let command = self.approval("approve-finished", 2, &[grant]);
            let tried = "approve a project whose work is finished 对已完成项目立项";
            self.expect_refusal(&clerk("meeting"), tried, "A07", command).await?;
        }
        let request = RecordOverrideRequest {
            header: self.header(&format!("{grant}/override")),
            grant_id: grant.to_string(),
            rule: OverriddenRule::A07.into(),
            minutes: format!("演示会纪〔{YEAR}〕2 号"),
            reason: "示范效果显著，会议特批 approved for its effect as a model".to_owned(),
        };
        self.act(&clerk("meeting"), Effect::None, Command::RecordOverride(request)).await?;
        let command = self.approval("approve-overridden", 2, &[grant]);
        self.act(&clerk("meeting"), Effect::Approved(AWARDED), command).await?;
        Ok(())
    }
}
