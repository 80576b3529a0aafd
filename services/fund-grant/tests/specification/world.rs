//! The whole fund as one cqrs-es aggregate, so that its test framework can ask it; and a story to tell with it.

use concord_chassis::{
    log::{Context, Decision, Domain, Followed, Lookup, Meta, Refusal, Stop, View},
    record::{LogEvent, StreamId},
};
use concord_events::{
    fund::{
        Allocation, FundEvent, FundPurpose, FundingMode, Party, PlannedTranche, Source, TrancheCondition,
    },
    personal::PersonalRef,
};
use concord_fund_grant::{
    Command, Fund, State,
    backing::{AGREEMENT_LOG, Backing, BackingCommand},
    grant::{
        Grant, GrantCommand,
        approval::{Award, Meeting},
        contract::{ContractCommand, Signing},
        opening::{Application, MigratedAward},
        procedure::ProcedureCommand,
        tranche::TrancheCommand,
    },
    invoice::Invoice,
    programme::{Appropriation, Programme, ProgrammeCommand},
    recovery::Recovery,
    rectification::Rectification,
};
use concord_kernel::{
    Date,
    id::{
        AgreementId, BackingId, GrantId, InstructionId, InvoiceId, ProgrammeId, RecoveryId, RectificationId,
    },
    money::{Amount, Currency},
    party::{PartyCode, PartyId, PartyKind},
};
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// All states of the fund.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct World {
    states: BTreeMap<String, State>,
    /// Position of the last event.
    head: u64,
}

/// An event with what the log knows beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub event: FundEvent,
    pub on: Date,
    pub actor: String,
    pub organisation: String,
}

/// A command with what the log knows beside it.
#[derive(Debug, Clone)]
pub struct Order {
    pub command: Command,
    pub on: Date,
    pub today: Date,
    pub actor: String,
    pub organisation: String,
    /// How far the agreement log has been taken in, and how many seconds ago that was verified.
    pub verified: Option<(u64, i64)>,
    /// The generation in which it is followed.
    pub generation: u32,
    /// The agreement log's today; `None` where it is this one's.
    pub agreements_today: Option<Date>,
}

/// A refusal, as cqrs-es wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Refusal);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.codes())
    }
}

impl std::error::Error for Refused {}

impl Refused {
    pub fn codes(&self) -> String {
        self.0.broken.iter().map(|broken| broken.code.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl DomainEvent for Fact {
    fn event_type(&self) -> String {
        self.event.type_name().to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for World {
    const TYPE: &'static str = "fund";
    type Command = Order;
    type Event = Fact;
    type Error = Refused;
    type Services = Fund;

    async fn handle(&mut self, order: Order, fund: &Fund, sink: &EventSink<Self>) -> Result<(), Refused> {
        let decision = self.decide(fund, &order)?;
        for event in decision.events {
            let fact = Fact {
                event,
                on: decision.effective_on.unwrap_or(order.on),
                actor: order.actor.clone(),
                organisation: order.organisation.clone(),
            };
            // The sink applies what it is given, so the next event sees it.
            sink.write(fact, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, fact: Fact) {
        self.head += 1;
        let meta = Meta {
            position: self.head,
            effective_on: fact.on,
            actor: &fact.actor,
            actor_organisation: &fact.organisation,
        };
        for of in std::iter::once(fact.event.stream()).chain(fact.event.also()) {
            let mut state = self.states.remove(&of.to_string());
            Fund::apply(&mut state, of, &fact.event, &meta);
            self.states.extend(state.map(|state| (of.to_string(), state)));
        }
    }
}

impl World {
    /// What a decision sees of an aggregate.
    pub fn look(&self, of: StreamId) -> Lookup<'_, State> {
        let other = || {
            let with_its_id = |(key, state): (&String, &State)| {
                key.ends_with(&of.id.to_string()).then(|| Fund::kind(state))
            };
            self.states.iter().find_map(with_its_id)
        };
        self.states
            .get(&of.to_string())
            .map_or_else(|| Lookup::Absent(other()), |state| Lookup::Present(state, 1))
    }

    pub fn decide(&self, fund: &Fund, order: &Order) -> Result<Decision<FundEvent>, Refused> {
        let lookup = |of: StreamId| self.look(of);
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let followed: Vec<Followed> = order
            .verified
            .map(|(position, seconds_ago)| Followed {
                log: AGREEMENT_LOG,
                generation: order.generation,
                position,
                verified_at: now - SignedDuration::from_secs(seconds_ago),
                today: order.agreements_today.unwrap_or(order.today),
            })
            .into_iter()
            .collect();
        let context = Context {
            today: order.today,
            effective_on: order.on,
            actor: &order.actor,
            actor_organisation: &order.organisation,
            authority: None,
            head: self.head,
            now,
            followed: &followed,
        };
        match fund.decide(&View::new(&lookup), &order.command, &context) {
            Ok(decision) => Ok(decision),
            Err(Stop::Refused(refusal)) => Err(Refused(*refusal)),
            Err(Stop::Need(ids)) => panic!("everything is in memory, yet {ids:?} are needed"),
        }
    }

    /// Decides and folds; the events that happened.
    pub fn execute(&mut self, order: &Order) -> Result<Vec<FundEvent>, Refused> {
        self.execute_under(&Fund::shipped(), order)
    }

    /// The same under other tables.
    pub fn execute_under(&mut self, fund: &Fund, order: &Order) -> Result<Vec<FundEvent>, Refused> {
        let decision = self.decide(fund, order)?;
        let on = decision.effective_on.unwrap_or(order.on);
        assert!(on <= order.today, "nothing happens after today");
        for event in &decision.events {
            let (actor, organisation) = (order.actor.clone(), order.organisation.clone());
            self.apply(Fact { event: event.clone(), on, actor, organisation });
        }
        Ok(decision.events)
    }

    /// The world after these orders, none of which may fail.
    pub fn after(orders: impl IntoIterator<Item = Order>) -> Self {
        let mut world = Self::default();
        for order in orders {
            if let Err(refused) = world.execute(&order) {
                panic!("{:?} was refused: {:?}", order.command, refused.0.broken);
            }
        }
        world
    }

    /// What comes of an order: the events' names, "unchanged", or the codes of the refusal.
    pub fn outcome(&self, order: &Order) -> String {
        match self.clone().execute(order) {
            Ok(events) if events.is_empty() => "unchanged".to_owned(),
            Ok(events) => events.iter().map(name).collect::<Vec<_>>().join(", "),
            Err(refused) => refused.codes(),
        }
    }

    pub fn grant(&self) -> &Grant {
        self.grant_of(GRANT)
    }

    pub fn grant_of(&self, id: GrantId) -> &Grant {
        self.find_grant(id).expect("there is such a grant")
    }

    pub fn find_grant(&self, id: GrantId) -> Option<&Grant> {
        match self.states.get(&id.stream().to_string())? {
            State::Grant(grant) => Some(grant),
            other => panic!("{other:?} is no grant"),
        }
    }

    /// The story's grant, once there is one.
    pub fn any_grant(&self) -> Option<&Grant> {
        match self.states.get(&GRANT.stream().to_string()) {
            Some(State::Grant(grant)) => Some(grant),
            _ => None,
        }
    }

    /// What is known of an invoice.
    pub fn invoice(&self, id: InvoiceId) -> Option<&Invoice> {
        match self.states.get(&id.stream().to_string()) {
            Some(State::Invoice(invoice)) => Some(invoice),
            _ => None,
        }
    }

    pub fn recovery(&self, id: RecoveryId) -> &Recovery {
        match self.states.get(&id.stream().to_string()) {
            Some(State::Recovery(recovery)) => recovery,
            other => panic!("{other:?} is no recovery"),
        }
    }

    /// Something that another command would have to say happened.
    pub fn happened(&mut self, event: FundEvent, on: Date) {
        self.apply(Fact { event, on, actor: "x".to_owned(), organisation: "funding-office".to_owned() });
    }

    pub fn rectification(&self, id: RectificationId) -> &Rectification {
        match self.states.get(&id.stream().to_string()) {
            Some(State::Rectification(rectification)) => rectification,
            other => panic!("{other:?} is no rectification"),
        }
    }

    /// Position of the last event.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// What the refusal of an order says, broken rule by broken rule: code, field and facts.
    pub fn refusal(&self, order: &Order) -> Vec<concord_chassis::log::Broken> {
        self.clone().execute(order).unwrap_err().0.broken
    }

    pub fn backing(&self, agreement: AgreementId) -> Option<&Backing> {
        match self.states.get(&BackingId::of(agreement).stream().to_string()) {
            Some(State::Backing(backing)) => Some(backing),
            _ => None,
        }
    }

    /// The world as if the record of an agreement had been lost.
    pub fn forget_backing(&mut self, agreement: AgreementId) {
        self.states.remove(&BackingId::of(agreement).stream().to_string());
    }

    pub fn programme(&self) -> &Programme {
        match self.states.get(&PROGRAMME.stream().to_string()) {
            Some(State::Programme(programme)) => programme,
            other => panic!("{other:?} is no programme"),
        }
    }
}

/// An event's name without its package.
pub fn name(event: &FundEvent) -> &'static str {
    event.type_name().rsplit('.').next().unwrap_or_default()
}

// The story: one programme of 1,000,000.00 and one grant of 100,000.00.

pub const PROGRAMME: ProgrammeId = ProgrammeId(Uuid::from_u128(0xA));
pub const GRANT: GrantId = GrantId(Uuid::from_u128(0x1));
pub const APPROPRIATED: i64 = 100_000_000;
pub const AWARD: i64 = 10_000_000;

/// A day of March 2013, when the story plays.
pub fn march(day: i8) -> Date {
    jiff::civil::date(2013, 3, day)
}

pub fn cny(minor: i64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub fn eur(minor: i64) -> Amount {
    Amount::new(minor, Currency::EUR)
}

/// An act of this day, learned on the same day, by a person of the funding office who does nothing else.
pub fn order(on: Date, actor: &str, command: Command) -> Order {
    Order {
        command,
        on,
        today: on,
        actor: actor.to_owned(),
        organisation: "funding-office".to_owned(),
        verified: Some((100, 0)),
        generation: 1,
        agreements_today: None,
    }
}

impl Order {
    pub fn by(mut self, actor: &str, organisation: &str) -> Self {
        (self.actor, self.organisation) = (actor.to_owned(), organisation.to_owned());
        self
    }

    pub fn on(mut self, on: Date) -> Self {
        (self.on, self.today) = (on, on);
        self
    }

    /// In this generation of the agreement log: followed, and, where it takes something in, said.
    pub fn in_generation(mut self, generation: u32) -> Self {
        self.generation = generation;
        if let Command::Backing(_, BackingCommand::Take(fact)) = &mut self.command {
            fact.at.generation = generation;
        }
        self
    }

    /// Of another grant than the story's.
    pub fn of(mut self, other: GrantId) -> Self {
        match &mut self.command {
            Command::Grant(grant, _) => *grant = other,
            Command::Approve(meeting) => meeting.awards.iter_mut().for_each(|award| award.grant = other),
            command => panic!("{command:?} is of no grant"),
        }
        self
    }

    pub fn learned_on(mut self, today: Date) -> Self {
        self.today = today;
        self
    }
}

fn applicant(order: Order) -> Order {
    order.by("applicant", "the-university")
}

fn step(on: Date, actor: &str, command: ProcedureCommand) -> Order {
    order(on, actor, Command::Grant(GRANT, GrantCommand::Procedure(command)))
}

pub fn tranche(on: Date, actor: &str, number: u32, command: TrancheCommand) -> Order {
    order(on, actor, Command::Grant(GRANT, GrantCommand::Tranche(number, command)))
}

pub fn lead() -> Party {
    let code = PartyCode::parse("CN-USCC:91330100799655058B").unwrap();
    Party {
        party: PartyId::of(&code),
        code,
        kind: PartyKind::Enterprise,
        region: Some("210102".parse().unwrap()),
        name: None,
    }
}

pub fn appropriate() -> Order {
    let opening = Appropriation {
        fund: "guiding-fund".to_owned(),
        purpose: FundPurpose::Transformation,
        year: 2013,
        amount: cny(APPROPRIATED),
        title: "2013".to_owned(),
    };
    order(march(1), "treasurer", Command::Programme(PROGRAMME, ProgrammeCommand::Appropriate(opening)))
}

pub fn programme(on: Date, command: ProgrammeCommand) -> Order {
    order(on, "treasurer", Command::Programme(PROGRAMME, command))
}

pub fn application() -> Application {
    Application {
        programme: PROGRAMME,
        mode: FundingMode::NonRepayable,
        title: "Bearings for wind turbines 风电轴承".to_owned(),
        lead: lead(),
        industry: None,
        requested: cny(AWARD),
        total_budget: cny(3 * AWARD),
        allocations: vec![Allocation { party: lead(), amount_minor: Some(AWARD) }],
        starts_on: jiff::civil::date(2013, 4, 1),
        ends_on: jiff::civil::date(2015, 3, 31),
    }
}

pub fn apply_for(application: Application) -> Order {
    applicant(order(march(4), "", Command::Grant(GRANT, GrantCommand::Apply(Box::new(application)))))
}

pub fn recommend() -> Order {
    step(march(5), "city", ProcedureCommand::Recommend { recommender: "Shenyang 沈阳市科技局".to_owned() })
}

pub fn admit() -> Order {
    step(march(6), "clerk", ProcedureCommand::Admit)
}

pub fn review(score_hundredths: u32) -> Order {
    review_up_to(score_hundredths, AWARD)
}

pub fn review_up_to(score_hundredths: u32, ceiling: i64) -> Order {
    step(march(11), "secretary", ProcedureCommand::Review { score_hundredths, ceiling: cny(ceiling) })
}

/// Published on Tuesday the 12th: seven working days, from the 13th to the 21st.
pub fn publish(minor: i64) -> Order {
    step(march(12), "publisher", ProcedureCommand::PublishNotice { amount: cny(minor) })
}

pub fn approve(minor: i64) -> Order {
    meeting(march(22), vec![(GRANT, cny(minor))])
}

pub fn meeting(on: Date, awards: Vec<(GrantId, Amount)>) -> Order {
    let awards = awards.into_iter().map(|(grant, amount)| Award { grant, amount }).collect();
    order(on, "chair", Command::Approve(Meeting { minutes: "2013-7".to_owned(), awards }))
}

pub fn reject(reason: &str) -> Order {
    step(march(31), "clerk-2", ProcedureCommand::Reject { reason: reason.to_owned() })
}

pub fn withdraw(reason: &str) -> Order {
    applicant(step(march(31), "", ProcedureCommand::Withdraw { reason: reason.to_owned() }))
}

pub fn planned(number: u32, amount_minor: i64, condition: TrancheCondition) -> PlannedTranche {
    PlannedTranche { number, amount_minor, condition, due_on: jiff::civil::date(2013, 6, 30) }
}

pub fn plan() -> Vec<PlannedTranche> {
    vec![
        planned(1, AWARD / 2, TrancheCondition::Contract),
        planned(2, AWARD * 3 / 10, TrancheCondition::Contract),
        planned(3, AWARD / 5, TrancheCondition::FinalAcceptance),
    ]
}

pub fn signing() -> Signing {
    Signing {
        contract_number: "2013-001".to_owned(),
        amount: cny(AWARD),
        starts_on: jiff::civil::date(2013, 4, 1),
        ends_on: jiff::civil::date(2015, 3, 31),
        tranches: plan(),
        allocations: Vec::new(),
    }
}

pub fn sign(signing: Signing) -> Order {
    order(
        march(25),
        "contracts",
        Command::Grant(GRANT, GrantCommand::Contract(ContractCommand::Sign(signing))),
    )
}

pub fn account(hash: &str) -> PersonalRef {
    PersonalRef { person_id: "payee-1".to_owned(), hash: hash.to_owned() }
}

pub fn verify_payee(hash: &str) -> Order {
    let command = ContractCommand::VerifyPayee { account: account(hash) };
    order(march(31), "verifier", Command::Grant(GRANT, GrantCommand::Contract(command)))
}

pub fn award(tranches: Vec<PlannedTranche>) -> MigratedAward {
    MigratedAward {
        programme: PROGRAMME,
        fund: "guiding-fund".to_owned(),
        year: 2013,
        mode: FundingMode::NonRepayable,
        title: "An award of before".to_owned(),
        lead: lead(),
        industry: None,
        amount: cny(AWARD),
        total_budget: None,
        allocations: Vec::new(),
        starts_on: None,
        ends_on: None,
        tranches,
        source: Source {
            data_set: "archive".to_owned(),
            key: "17".to_owned(),
            row: "17;Bearings;100000.00".to_owned(),
            synthetic: false,
        },
        discrepancies: Vec::new(),
    }
}

pub fn import(award: MigratedAward) -> Order {
    order(march(1), "importer", Command::Grant(GRANT, GrantCommand::Import(Box::new(award))))
}

pub fn request(number: u32, minor: Option<i64>) -> Order {
    applicant(tranche(march(31), "", number, TrancheCommand::Request { amount: minor.map(cny) }))
}

pub fn authorise(number: u32) -> Order {
    tranche(march(31), "authoriser", number, TrancheCommand::Authorise)
}

pub fn reject_tranche(number: u32, reason: &str) -> Order {
    tranche(march(31), "authoriser", number, TrancheCommand::Reject { reason: reason.to_owned() })
}

pub fn cancel_tranche(number: u32, reason: &str) -> Order {
    applicant(tranche(march(31), "", number, TrancheCommand::Cancel { reason: reason.to_owned() }))
}

pub fn instruct(number: u32, instruction: u128) -> Order {
    let instruction = InstructionId(Uuid::from_u128(instruction));
    tranche(march(31), "cashier", number, TrancheCommand::Instruct { instruction })
}

pub fn settle(number: u32, reference: &str) -> Order {
    tranche(march(31), "bookkeeper", number, TrancheCommand::Settle { bank_reference: reference.to_owned() })
}

pub fn send_back(number: u32, reference: &str, reason: &str) -> Order {
    let (bank_reference, reason) = (reference.to_owned(), reason.to_owned());
    tranche(march(31), "bookkeeper", number, TrancheCommand::Return { bank_reference, reason })
}

/// The story up to a stage, by its name.
pub fn story(until: &str) -> Vec<Order> {
    let steps: [(&str, Order); 8] = [
        ("absent", appropriate()),
        ("applied", apply_for(application())),
        ("recommended", recommend()),
        ("admitted", admit()),
        ("reviewed", review(8_500)),
        ("on_notice", publish(AWARD)),
        ("approved", approve(AWARD)),
        ("contracted", sign(signing())),
    ];
    match until {
        "rejected" => story("reviewed").into_iter().chain([reject("no match")]).collect(),
        "withdrawn" => story("on_notice").into_iter().chain([withdraw("moved away")]).collect(),
        "migrated" => vec![appropriate(), import(award(plan()))],
        "payable" => story("contracted").into_iter().chain([verify_payee("a1")]).collect(),
        _ => {
            let last = steps.iter().position(|(stage, _)| *stage == until).unwrap();
            steps.into_iter().take(last + 1).map(|(_, order)| order).collect()
        }
    }
}

/// The story's first tranche up to a state, by its name.
pub fn tranche_story(until: &str) -> Vec<Order> {
    let mut orders = story("payable");
    orders.extend(match until {
        "planned" => vec![],
        "rejected" => vec![request(1, None), reject_tranche(1, "too early")],
        "cancelled" => vec![request(1, None), cancel_tranche(1, "not needed")],
        "requested" => vec![request(1, None)],
        "authorised" => vec![request(1, None), authorise(1)],
        "instructed" => vec![request(1, None), authorise(1), instruct(1, 1)],
        "settled" => vec![request(1, None), authorise(1), instruct(1, 1), settle(1, "b-1")],
        "payment_returned" => {
            vec![
                request(1, None),
                authorise(1),
                instruct(1, 1),
                settle(1, "b-1"),
                send_back(1, "r-1", "closed account"),
            ]
        }
        other => panic!("there is no tranche state {other}"),
    });
    orders
}
