//! What the specifications of matching, shares and spending have in common: a grant of two parties, paid its first tranche.

use crate::world::*;
use concord_events::fund::{
    AcceptanceFailure, AcceptanceOutcome, Allocation, End, EvaluationGrade, FundEvent, FundingMode,
    MoneyFact, Party,
};
use concord_fund_grant::{
    Command,
    grant::{GrantCommand, opening::Application},
};
use concord_kernel::{
    Date,
    id::GrantId,
    money::Currency,
    party::{PartyCode, PartyId, PartyKind},
};
use cqrs_es::Aggregate;
use jiff::civil::date;
use uuid::Uuid;

pub const OTHER_GRANT: GrantId = GrantId(Uuid::from_u128(0x2));
/// What the story's first tranche pays.
pub const PAID: i64 = AWARD / 2;
/// The partner's share.
pub const SHARE: i64 = AWARD * 3 / 10;

/// A day of April 2013, when the story's first tranche has been paid.
pub fn april(day: i8) -> Date {
    date(2013, 4, day)
}

fn university(code: &str) -> Party {
    let code = PartyCode::parse(code).unwrap();
    Party {
        party: PartyId::of(&code),
        code,
        kind: PartyKind::University,
        region: Some("210200".parse().unwrap()),
        name: None,
    }
}

pub fn partner() -> Party {
    university("CN-USCC:91110108551385082Q")
}

/// Nobody of the grant's.
pub fn stranger() -> Party {
    university("CN-USCC:9144030071526726XG")
}

pub fn share(party: Party, minor: i64) -> Allocation {
    Allocation { party, amount_minor: Some(minor) }
}

/// The application with three tenths for the partner.
pub fn shared_application() -> Application {
    Application { allocations: vec![share(lead(), AWARD - SHARE), share(partner(), SHARE)], ..application() }
}

/// Orders of the story, with the shared application.
pub fn shared(orders: Vec<Order>) -> Vec<Order> {
    let applies = |order: &Order| matches!(&order.command, Command::Grant(_, GrantCommand::Apply(_)));
    let swap = |order: Order| if applies(&order) { apply_for(shared_application()) } else { order };
    orders.into_iter().map(swap).collect()
}

/// A grant of two parties whose first tranche is paid.
pub fn paid() -> Vec<Order> {
    shared(tranche_story("settled"))
}

pub fn with(given: Vec<Order>, more: impl IntoIterator<Item = Order>) -> World {
    World::after(given.into_iter().chain(more))
}

/// The same orders, about the other grant.
pub fn of_other(orders: Vec<Order>) -> Vec<Order> {
    let other = |mut order: Order| {
        match &mut order.command {
            Command::Grant(grant, command) => {
                *grant = OTHER_GRANT;
                // A project of its own: the same one is not funded twice (A04).
                if let GrantCommand::Apply(application) = command {
                    application.title = "Gears for wind turbines 风电齿轮".to_owned();
                }
            }
            Command::Approve(meeting) => meeting.awards[0].grant = OTHER_GRANT,
            Command::Programme(..)
            | Command::Backing(..)
            | Command::Recovery(..)
            | Command::Rectification(..)
            | Command::Party(..) => {}
        }
        order
    };
    let of_grants = |order: &Order| !matches!(order.command, Command::Programme(..));
    orders.into_iter().filter(of_grants).map(other).collect()
}

/// An order about the grant, on a day, by somebody of the office.
pub fn office(on: Date, command: GrantCommand) -> Order {
    order(on, "officer", Command::Grant(GRANT, command))
}

/// An order about the grant, on a day, by somebody of the applicant's organisation.
pub fn recipient(on: Date, command: GrantCommand) -> Order {
    office(on, command).by("applicant", "the-university")
}

impl World {
    /// The world once this has happened, whoever decided it.
    pub fn and(mut self, event: FundEvent, on: Date) -> Self {
        self.apply(Fact { event, on, actor: "somebody".to_owned(), organisation: "somewhere".to_owned() });
        self
    }

    /// The grant was finally accepted, or not.
    pub fn concluded(self, outcome: AcceptanceOutcome) -> Self {
        let minutes = "2015-1".to_owned();
        let event =
            FundEvent::FinalAcceptanceConcluded { grant: GRANT, lead: lead().party, outcome, minutes };
        self.and(event, april(30))
    }

    pub fn accepted(self) -> Self {
        self.concluded(AcceptanceOutcome::Passed)
    }

    pub fn failed(self) -> Self {
        self.concluded(AcceptanceOutcome::Failed { cause: AcceptanceFailure::Diversion })
    }

    pub fn closed(self) -> Self {
        let minutes = "2015-2".to_owned();
        self.accepted()
            .and(FundEvent::GrantClosed { grant: GRANT, end: end(), refund_by: None, minutes }, april(30))
    }

    pub fn evaluated(self) -> Self {
        let minutes = "2015-3".to_owned();
        let grade = EvaluationGrade::Good;
        self.closed().and(
            FundEvent::GrantEvaluated { grant: GRANT, grade, score_hundredths: 8_000, minutes },
            april(30),
        )
    }

    pub fn terminated(self) -> Self {
        let (minutes, reason) = ("2014-9".to_owned(), "insolvent".to_owned());
        let refund_by = date(2013, 5, 30);
        self.and(
            FundEvent::GrantTerminated { grant: GRANT, end: end(), refund_by, reason, minutes },
            april(30),
        )
    }

    pub fn cancelled(self) -> Self {
        let (minutes, reason) = ("2014-9".to_owned(), "fraud".to_owned());
        self.and(FundEvent::GrantCancelled { grant: GRANT, end: end(), reason, minutes }, april(30))
    }

    /// A fact of money was reversed.
    pub fn corrected(self, fact: MoneyFact, on: Date) -> Self {
        let recorded = self.grant().facts.recorded().iter().rfind(|recorded| recorded.fact == fact);
        // One that is not on record is at no position.
        let reverses = recorded.map_or(0, |recorded| recorded.position);
        let event = FundEvent::FactCorrected {
            grant: GRANT,
            programme: PROGRAMME,
            currency: Currency::CNY,
            reverses,
            fact,
            fact_on: on,
            reason: "mistyped".to_owned(),
            authority: "2013-15".to_owned(),
        };
        self.and(event, on)
    }
}

fn end() -> End {
    End {
        programme: PROGRAMME,
        currency: Currency::CNY,
        mode: FundingMode::NonRepayable,
        lead_region: lead().region,
        lead: lead().party,
        undrawn_minor: 0,
        to_treasury: false,
        backing: None,
    }
}

/// Each row: what it says, what was, what is asked, what comes of it.
pub fn check(rows: impl IntoIterator<Item = (&'static str, World, Order, &'static str)>) {
    for (says, given, when, then) in rows {
        assert_eq!(given.outcome(&when), then, "{says}");
    }
}

/// The facts of the first broken rule, beside its field. Both languages say something, and the English one every figure of
/// the facts that is named here.
pub fn told(world: &World, order: &Order, facts: &[(&str, &str)], figures: &[&str]) -> String {
    let refused = world.clone().execute(order).unwrap_err().0;
    let broken = refused.broken[0].clone();
    for (name, value) in facts {
        assert_eq!(broken.facts.get(*name).map(String::as_str), Some(*value), "{name} of {broken:?}");
    }
    for figure in figures {
        assert!(broken.message.contains(figure), "{figure} is not told: {}", broken.message);
        assert!(broken.message_zh.contains(figure), "{figure} is not told: {}", broken.message_zh);
    }
    assert!(!broken.message_zh.is_ascii(), "{}", broken.message_zh);
    broken.field
}

/// A snapshot is the state: it reads back as it was.
pub fn keeps(world: &World) {
    let json = serde_json::to_string(world).unwrap();
    let read: World = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(read.grant(), world.grant());
}
