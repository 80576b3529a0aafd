//! A small story of the fund, and how events are recorded.

use concord_chassis::record::{Envelope, Recorded};
use concord_events::fund::{
    Allocation, FundEvent, FundPurpose, FundingMode, Party, PlannedTranche, Source, TrancheCondition,
};
use concord_events::personal::PersonalRef;
use concord_kernel::event::LogEvent;
use concord_kernel::event::StreamId;
use concord_kernel::{
    Date,
    id::{GrantId, InstructionId, ProgrammeId},
    money::Currency,
    party::{PartyCode, PartyId, PartyKind},
};
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

/// 专项引导资金, 2025, in yuan.
pub(crate) const P1: ProgrammeId = ProgrammeId(Uuid::from_u128(0x101));
/// Horizon 2020, in euro; opened by an import.
pub(crate) const P2: ProgrammeId = ProgrammeId(Uuid::from_u128(0x102));
/// Of Shenyang; runs to its second tranche.
pub(crate) const G1: GrantId = GrantId(Uuid::from_u128(0x201));
/// Of Dalian; approved and withdrawn.
pub(crate) const G2: GrantId = GrantId(Uuid::from_u128(0x202));
/// Of Germany; imported late.
pub(crate) const G3: GrantId = GrantId(Uuid::from_u128(0x203));
/// The story's last position.
pub(crate) const END: u64 = 17;

/// Event 1 was recorded one minute after this, and each other one a minute after the one before.
pub(crate) const DAWN: &str = "2026-01-05T00:00:00Z";

pub(crate) fn recorded_at(position: u64) -> Timestamp {
    DAWN.parse::<Timestamp>().unwrap() + i64::try_from(position).unwrap().minutes()
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A log being written.
pub(crate) struct Story {
    pub(crate) events: Vec<Recorded>,
}

impl Story {
    pub(crate) fn empty() -> Self {
        Self { events: Vec::new() }
    }

    /// Records an event that happened on this day.
    pub(crate) fn then(&mut self, effective_on: &str, event: &FundEvent) -> &mut Self {
        self.by(("p-1", "o-1"), effective_on, event)
    }

    /// The same, by this person of this organisation.
    pub(crate) fn by(&mut self, actor: (&str, &str), effective_on: &str, event: &FundEvent) -> &mut Self {
        let position = self.events.len() as u64 + 1;
        self.events.push(record(actor, position, None, recorded_at(position), date(effective_on), event));
        self
    }

    /// Records events that were decided together.
    pub(crate) fn together(&mut self, effective_on: &str, events: &[FundEvent]) -> &mut Self {
        let first = self.events.len() as u64 + 1;
        let last = first + events.len() as u64 - 1;
        for (event, position) in events.iter().zip(first..) {
            let (actor, on) = (("p-1", "o-1"), date(effective_on));
            self.events.push(record(actor, position, Some(last), recorded_at(first), on, event));
        }
        self
    }

    /// ```text
    ///  1  P1 appropriated 10,000.00          10  ... settled 1,500.00
    ///  2  G1 applied for                     11  ... returned after settlement
    ///  3  G2 applied for                     12  ... instructed again
    ///  4  G1 approved 3,000.00               13  ... settled again
    ///  5  G2 approved 2,000.00               14  G2 withdrawn
    ///  6  G1 contracted 2,500.00             15  P1 supplemented 500.00
    ///  7  G1's first tranche requested       16  P1 cut by 200.00
    ///  8  ... authorised                     17  G3 imported, 5,000.00 EUR, as of 2016
    ///  9  ... instructed 1,500.00
    /// ```
    pub(crate) fn whole() -> Self {
        let mut story = Self::empty();
        let instruction = InstructionId(Uuid::from_u128(0x301));
        let payee = PersonalRef { person_id: "account-1".to_owned(), hash: "00".to_owned() };
        let instructed = |attempt| FundEvent::TrancheInstructed {
            grant: G1,
            programme: P1,
            currency: Currency::CNY,
            tranche: 1,
            amount_minor: 150_000,
            instruction,
            attempt,
            payee: payee.clone(),
            backing: None,
            offset_minor: 0,
        };
        let settled = |attempt| FundEvent::TrancheSettled {
            grant: G1,
            programme: P1,
            currency: Currency::CNY,
            tranche: 1,
            amount_minor: 150_000,
            instruction,
            attempt,
            bank_reference: format!("B-{attempt}"),
        };
        story
            .then("2025-01-10", &appropriated(P1, 1_000_000))
            .then(
                "2025-02-01",
                &applied(G1, FundingMode::NonRepayable, &party("1", "210100", "甲公司"), "new_materials"),
            )
            .then(
                "2025-02-02",
                &applied(G2, FundingMode::LoanInterestSubsidy, &party("2", "210200", "乙公司"), "marine"),
            )
            .then("2025-03-01", &approved(G1, 300_000))
            .then("2025-03-01", &approved(G2, 200_000))
            .then(
                "2025-03-20",
                &FundEvent::ContractSigned {
                    grant: G1,
                    programme: P1,
                    currency: Currency::CNY,
                    mode: FundingMode::NonRepayable,
                    lead_region: None,
                    contract_number: "2025-001".to_owned(),
                    amount_minor: 250_000,
                    approved_minor: 300_000,
                    starts_on: date("2025-04-01"),
                    ends_on: date("2026-12-31"),
                    tranches: vec![tranche(1, 150_000, "2025-05-01"), tranche(2, 100_000, "2025-12-31")],
                    terms_rulebook: "2026-1".to_owned(),
                    lead: None,
                    allocations: Vec::new(),
                    acceptance_due_on: None,
                },
            )
            .then(
                "2025-04-01",
                &FundEvent::TrancheRequested {
                    grant: G1,
                    currency: Currency::CNY,
                    tranche: 1,
                    amount_minor: 150_000,
                },
            )
            .then(
                "2025-04-02",
                &FundEvent::TrancheAuthorised {
                    grant: G1,
                    currency: Currency::CNY,
                    tranche: 1,
                    amount_minor: 150_000,
                },
            )
            .then("2025-04-03", &instructed(1))
            .then("2025-04-05", &settled(1))
            .then(
                "2025-04-08",
                &FundEvent::PaymentReturned {
                    grant: G1,
                    programme: P1,
                    currency: Currency::CNY,
                    tranche: 1,
                    amount_minor: 150_000,
                    shortfall_minor: 0,
                    offset_minor: 0,
                    released: None,
                    instruction,
                    attempt: 1,
                    after_settlement: true,
                    bank_reference: "R-1".to_owned(),
                    reason: "账号有误".to_owned(),
                },
            )
            .then("2025-04-10", &instructed(2))
            .then("2025-04-12", &settled(2))
            .then(
                "2025-05-06",
                &FundEvent::GrantWithdrawn {
                    grant: G2,
                    programme: P1,
                    currency: Currency::CNY,
                    mode: FundingMode::LoanInterestSubsidy,
                    lead_region: None,
                    released_minor: 200_000,
                    reason: "撤回".to_owned(),
                    backing: None,
                    lead: None,
                },
            )
            .then(
                "2025-06-01",
                &FundEvent::ProgrammeSupplemented {
                    programme: P1,
                    currency: Currency::CNY,
                    amount_minor: 50_000,
                },
            )
            .then(
                "2025-07-01",
                &FundEvent::ProgrammeCut { programme: P1, currency: Currency::CNY, amount_minor: 20_000 },
            )
            .then("2016-05-01", &imported(G3, P2, 500_000, "2017-01-01"));
        assert_eq!(story.events.len() as u64, END);
        story
    }
}

pub(crate) fn appropriated(programme: ProgrammeId, amount_minor: i64) -> FundEvent {
    FundEvent::ProgrammeAppropriated {
        programme,
        fund: "guiding-fund".to_owned(),
        purpose: FundPurpose::General,
        year: 2025,
        currency: Currency::CNY,
        amount_minor,
        title: "2025 年专项引导资金".to_owned(),
    }
}

pub(crate) fn approved(grant: GrantId, amount_minor: i64) -> FundEvent {
    FundEvent::GrantApproved {
        grant,
        programme: P1,
        currency: Currency::CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        amount_minor,
        minutes: "会议纪要 2025-3".to_owned(),
        directory: None,
    }
}

pub(crate) fn applied(grant: GrantId, mode: FundingMode, lead: &Party, industry: &str) -> FundEvent {
    FundEvent::GrantApplied {
        grant,
        programme: P1,
        currency: Currency::CNY,
        mode,
        title: format!("项目 {}", grant.0.as_u128()),
        lead: lead.clone(),
        industry: Some(industry.parse().unwrap()),
        requested_minor: 400_000,
        total_budget_minor: 900_000,
        allocations: vec![Allocation { party: lead.clone(), amount_minor: Some(400_000) }],
        starts_on: date("2025-04-01"),
        ends_on: date("2026-12-31"),
    }
}

pub(crate) fn imported(grant: GrantId, programme: ProgrammeId, amount_minor: i64, due_on: &str) -> FundEvent {
    FundEvent::AwardImported {
        grant,
        programme,
        fund: "h2020".to_owned(),
        year: 2016,
        currency: Currency::EUR,
        mode: FundingMode::NonRepayable,
        title: "Sea, \"wind\" and sun".to_owned(),
        lead: party("3", "DE", "Institut C"),
        industry: None,
        amount_minor,
        total_budget_minor: None,
        allocations: Vec::new(),
        starts_on: None,
        ends_on: None,
        tranches: vec![tranche(1, amount_minor, due_on)],
        source: Source {
            data_set: "CORDIS Horizon 2020".to_owned(),
            key: "1".to_owned(),
            row: String::new(),
            synthetic: true,
        },
        discrepancies: Vec::new(),
        terms_rulebook: "2026-1".to_owned(),
    }
}

pub(crate) fn party(number: &str, region: &str, name: &str) -> Party {
    let code: PartyCode = format!("EU-PIC:99999999{number}").parse().unwrap();
    Party {
        party: PartyId::of(&code),
        code,
        kind: PartyKind::Enterprise,
        region: Some(region.parse().unwrap()),
        name: Some(name.to_owned()),
    }
}

pub(crate) fn tranche(number: u32, amount_minor: i64, due_on: &str) -> PlannedTranche {
    PlannedTranche { number, amount_minor, condition: TrancheCondition::Contract, due_on: date(due_on) }
}

/// The document of an event, as the log stores it.
fn record(
    (actor, org): (&str, &str),
    position: u64,
    last: Option<u64>,
    time: Timestamp,
    effectiveon: Date,
    event: &FundEvent,
) -> Recorded {
    let StreamId { kind, id } = event.stream();
    let envelope = Envelope {
        specversion: "1.0".into(),
        id: Uuid::from_u128(u128::from(position)),
        source: "/concord/test/fund-grant/1".into(),
        event_type: event.type_name().into(),
        subject: format!("{kind}/{id}").into(),
        time,
        datacontenttype: "application/json".into(),
        position,
        version: position,
        previousoftype: 0,
        effectiveon,
        rulebook: "2026-1".into(),
        termsrulebook: None,
        actor: actor.into(),
        actororg: org.into(),
        assurance: "asserted".into(),
        requestid: Uuid::from_u128(u128::from(position)),
        bodyhash: "00".into(),
        commandlast: last.map(|last| last.to_string().into()),
        answer: None,
        authority: None,
        archivenumber: None,
        attachments: None,
        causationid: None,
        correlationid: None,
        traceparent: None,
    };
    let mut document = serde_json::to_value(&envelope).unwrap();
    let serde_json::Value::Object(event) = serde_json::to_value(event).unwrap() else {
        panic!("an event is an object")
    };
    document.as_object_mut().unwrap().extend(event);
    Recorded { position, bytes: serde_json::to_vec(&document).unwrap().into() }
}
