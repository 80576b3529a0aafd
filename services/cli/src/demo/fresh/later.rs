//! Weeks later: matching money 配套 that comes and is corrected 更正, and a share that is passed on 转拨 and recorded late.

use concord_kernel::id::GrantId;
use concord_kernel::party::{PartyCode, PartyId};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    CorrectFactRequest, GovernmentLevel, MatchingKind, PledgeMatchingRequest, PledgedInstalment,
    RecordMatchingArrivalRequest, TransferShareRequest,
};

use super::contract::{FIRST_TRANCHE, partners_share};
use super::procedure::Project;
use super::{Effect, Office, YUAN, applicant, clerk, yuan};
use crate::errors::CliError;

const PLEDGED: [(i64, &str); 2] = [(200_000 * YUAN, "2023-03-15"), (100_000 * YUAN, "2023-09-30")];
/// What the city's first instalment was recorded as, and what the bank had really told.
const ARRIVED: [i64; 2] = [200_000 * YUAN, 150_000 * YUAN];
/// Three days before it was put on record.
const PASSED_ON: &str = "2023-03-28";

impl Office<'_> {
    /// The city pledges matching money.
    pub(super) async fn pledge(&mut self, grant: GrantId) -> Result<(), CliError> {
        let instalments = (1..).zip(PLEDGED).map(|(number, (amount_minor, due_on))| PledgedInstalment {
            number,
            amount_minor,
            due_on: due_on.to_owned(),
        });
        let pledged = PLEDGED.iter().map(|(minor, _)| minor).sum();
        let request = PledgeMatchingRequest {
            header: self.header(&format!("{grant}/pledge")),
            grant_id: grant.to_string(),
            source_number: 1,
            kind: MatchingKind::GovernmentBudget.into(),
            level: GovernmentLevel::City.into(),
            is_public: true,
            payer: None,
            amount: yuan(pledged),
            instalments: instalments.collect(),
        };
        self.act(&clerk("accountant"), Effect::Pledged(pledged), Command::PledgeMatching(request)).await?;
        Ok(())
    }

    /// The partner gets its share of the first tranche; that is put on record three days later (A17).
    pub(super) async fn pass_on(&mut self, project: &Project) -> Result<(), CliError> {
        let grant = project.id();
        let code =
            PartyCode::parse(&project.partner.code).map_err(|error| CliError::failed(error.to_string()))?;
        let mut header = self.header(&format!("{grant}/pass"));
        if let Some(header) = &mut header {
            PASSED_ON.clone_into(&mut header.effective_on);
        }
        let request = TransferShareRequest {
            header,
            grant_id: grant.to_string(),
            to_party_id: PartyId::of(&code).to_string(),
            amount: yuan(partners_share(FIRST_TRANCHE)),
            bank_reference: format!("SYN-S-{grant}-1"),
        };
        self.act(&applicant(&project.lead), Effect::None, Command::TransferShare(request)).await?;
        Ok(())
    }

    /// An arrival is recorded over too much, reversed, and recorded as it was (A17); what is missing of it is overdue (A03).
    pub(super) async fn correct(&mut self, grant: GrantId) -> Result<(), CliError> {
        let [wrong, right] = ARRIVED;
        let arrival = self.arrival(grant, "wrong", wrong);
        let recorded = self.act(&clerk("accountant"), Effect::Arrived(wrong), arrival).await?;
        let correct = CorrectFactRequest {
            header: self.header(&format!("{grant}/correct")),
            grant_id: grant.to_string(),
            position: recorded.last_position,
            reason: "金额录入有误 the amount was mistyped".to_owned(),
            authority: "演示更正〔2023〕1 号".to_owned(),
        };
        self.act(&clerk("controller"), Effect::ArrivalReversed(wrong), Command::CorrectFact(correct)).await?;
        let arrival = self.arrival(grant, "right", right);
        self.act(&clerk("accountant"), Effect::Arrived(right), arrival).await?;
        Ok(())
    }

    fn arrival(&self, grant: GrantId, what: &str, minor: i64) -> Command {
        Command::RecordMatchingArrival(RecordMatchingArrivalRequest {
            header: self.header(&format!("{grant}/arrival/{what}")),
            grant_id: grant.to_string(),
            source_number: 1,
            instalment_number: 1,
            amount: yuan(minor),
            bank_reference: format!("SYN-M-{grant}-{what}"),
        })
    }
}
