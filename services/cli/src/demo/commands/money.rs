//! Commands about matching money 配套, shares 转拨 and spending 支出.

use concord_kernel::Date;
use concord_kernel::id::SpendId;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AcceptSpendRequest, DisallowSpendRequest, GovernmentLevel, Invoice, MatchingKind, PledgeMatchingRequest,
    PledgedInstalment, RecordMatchingArrivalRequest, ReleaseMatchingRequest, ReportSpendRequest,
    TransferShareRequest,
};

use super::{Effect, Job, Sent, Subject, euros};
use crate::demo::plan::MoneyStep;

impl Subject<'_> {
    /// A step of matching money, shares or spending.
    pub(super) fn money(&self, step: MoneyStep, on: Date) -> Sent {
        match step {
            MoneyStep::Pledge(source) => self.pledge(source, on),
            MoneyStep::Arrive { source, instalment, minor } => {
                let request = RecordMatchingArrivalRequest {
                    header: self.header(&format!("matching/{source}/{instalment}"), on),
                    grant_id: self.grant_id.to_owned(),
                    source_number: source,
                    instalment_number: instalment,
                    amount: euros(minor),
                    bank_reference: format!("SYN-M-{}-{source}-{instalment}", self.key),
                };
                (Job::Accountant, Effect::Arrived(minor), Command::RecordMatchingArrival(request))
            }
            MoneyStep::Release { source, minor } => {
                let request = ReleaseMatchingRequest {
                    header: self.header(&format!("matching/{source}/release"), on),
                    grant_id: self.grant_id.to_owned(),
                    source_number: source,
                    reason: "synthetic: the source is gone 模拟：配套来源无法落实".to_owned(),
                    minutes: self.document("MATCHING"),
                };
                (Job::Panel, Effect::PledgeReleased(minor), Command::ReleaseMatching(request))
            }
            MoneyStep::Pass { number, to, minor } => {
                let request = TransferShareRequest {
                    header: self.header(&format!("pass/{number}"), on),
                    grant_id: self.grant_id.to_owned(),
                    to_party_id: self.party(to),
                    amount: euros(minor),
                    bank_reference: format!("SYN-S-{}-{number}", self.key),
                };
                (Job::Applicant, Effect::None, Command::TransferShare(request))
            }
            MoneyStep::Report(item) => self.report(item, on),
            MoneyStep::Accept(item) => {
                let request = AcceptSpendRequest {
                    header: self.header(&format!("spend/{item}/accept"), on),
                    grant_id: self.grant_id.to_owned(),
                    spend_id: self.spend(item).to_string(),
                };
                let minor = self.life.items[item].minor;
                (Job::Accountant, Effect::Accepted(minor), Command::AcceptSpend(request))
            }
            MoneyStep::Disallow { item, is_recovered } => {
                let request = DisallowSpendRequest {
                    header: self.header(&format!("spend/{item}/disallow"), on),
                    grant_id: self.grant_id.to_owned(),
                    spend_id: self.spend(item).to_string(),
                    reason: "synthetic: vouchers incomplete 模拟：凭证不全".to_owned(),
                };
                let minor = self.life.items[item].minor;
                let effect = if is_recovered { Effect::DisallowedAndRecovered(minor) } else { Effect::None };
                (Job::Accountant, effect, Command::DisallowSpend(request))
            }
        }
    }

    fn pledge(&self, number: u32, on: Date) -> Sent {
        let source = self.life.matching.sources.iter().find(|source| source.number == number);
        let is_public = source.is_some_and(|source| source.is_public);
        let instalments: Vec<PledgedInstalment> = (1..)
            .zip(source.into_iter().flat_map(|source| source.instalments))
            .map(|(number, instalment)| PledgedInstalment {
                number,
                amount_minor: instalment.minor,
                due_on: self.days[instalment.due].to_string(),
            })
            .collect();
        let minor = instalments.iter().map(|instalment| instalment.amount_minor).sum();
        let (kind, level) = if is_public {
            (MatchingKind::GovernmentBudget, GovernmentLevel::City)
        } else {
            (MatchingKind::OwnMoney, GovernmentLevel::Unspecified)
        };
        let request = PledgeMatchingRequest {
            header: self.header(&format!("matching/{number}"), on),
            grant_id: self.grant_id.to_owned(),
            source_number: number,
            kind: kind.into(),
            level: level.into(),
            is_public,
            // The source does not say who would pay.
            payer: None,
            amount: euros(minor),
            instalments,
        };
        (Job::Accountant, Effect::Pledged(minor), Command::PledgeMatching(request))
    }

    /// Id of an item of spending.
    pub(super) fn spend(&self, item: usize) -> SpendId {
        SpendId::derived("demo", &format!("{}/{item}", self.key))
    }

    fn report(&self, place: usize, on: Date) -> Sent {
        let item = self.life.items[place];
        let invoice = item.invoice.and_then(|number| {
            let total = *self.life.invoices.get(usize::try_from(number).ok()?)?;
            // A letter between: signs make no difference, and each key has numbers of its own.
            let number = format!("{}-N{number}", self.key);
            Some(Invoice {
                issuer: "SYN-SUPPLIER".to_owned(),
                number,
                total: euros(total),
                code: String::new(),
            })
        });
        let request = ReportSpendRequest {
            header: self.header(&format!("spend/{place}"), on),
            grant_id: self.grant_id.to_owned(),
            spend_id: self.spend(place).to_string(),
            party_id: self.party(item.party),
            category: item.category.into(),
            spent_on: item.spent_on.to_string(),
            amount: euros(item.minor),
            invoice,
            purpose: "synthetic 模拟支出".to_owned(),
        };
        (Job::Applicant, Effect::None, Command::ReportSpend(request))
    }
}
