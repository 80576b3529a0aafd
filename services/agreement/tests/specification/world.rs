//! All states in memory, as the log would hold them; and a story to tell with them.

use concord_agreement::{
    Agreements, Command, State,
    agreement::{
        Agreement, AgreementCommand, Signing,
        amendment::AmendmentCommand,
        draft::{Draft, DraftParty},
        force::ForceCommand,
        registration::RegistrationCommand,
        work::WorkCommand,
    },
    party::{Party, PartyCommand, Recording},
};
use concord_chassis::{
    log::{Context, Decision, Domain, Lookup, Meta, Refusal, Stop, View},
    record::{LogEvent, StreamId},
};
use concord_events::{
    agreement::{
        ActionItem, AgreementEvent, AgreementKind, Changes, MeetingKind, Obligation, ObligationKind, Role,
        TechnologyContractType, Term, Value,
    },
    document::{Document, Sha256},
};
use concord_kernel::{
    Date,
    id::AgreementId,
    money::Currency,
    party::{PartyCode, PartyId, PartyKind},
};
use jiff::civil::date;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// All states, by id.
#[derive(Debug, Default, Clone)]
pub struct World {
    pub states: BTreeMap<String, State>,
}

/// A command with what the log knows beside it.
#[derive(Debug, Clone)]
pub struct Order {
    pub command: Command,
    pub on: Date,
    pub today: Date,
}

impl Order {
    pub fn on(mut self, on: Date) -> Self {
        (self.on, self.today) = (on, on);
        self
    }

    pub fn learned_on(mut self, today: Date) -> Self {
        self.today = today;
        self
    }
}

impl World {
    /// What a decision sees of an aggregate.
    pub fn look(&self, of: StreamId) -> Lookup<'_, State> {
        let other = || {
            let with_its_id = |(key, state): (&String, &State)| {
                key.ends_with(&of.id.to_string()).then(|| Agreements::kind(state))
            };
            self.states.iter().find_map(with_its_id)
        };
        self.states
            .get(&of.to_string())
            .map_or_else(|| Lookup::Absent(other()), |state| Lookup::Present(state, 1))
    }

    /// Decides as the log does: what is not in memory is asked for, and then it is tried again.
    pub fn decide(&self, order: &Order) -> Result<Decision<AgreementEvent>, Refusal> {
        let mut loaded = BTreeSet::new();
        let context = Context {
            today: order.today,
            effective_on: order.on,
            actor: "clerk",
            actor_organisation: "office",
            authority: None,
            head: 0,
            now: jiff::Timestamp::UNIX_EPOCH,
            followed: &[],
        };
        loop {
            let lookup = |of: StreamId| match loaded.contains(&of.id) {
                false => Lookup::Cold,
                true => self.look(of),
            };
            let decided = Agreements::shipped().decide(&View::new(&lookup), &order.command, &context);
            match decided {
                Ok(decision) => return Ok(decision),
                Err(Stop::Refused(refusal)) => return Err(*refusal),
                Err(Stop::Need(ids)) => {
                    assert!(ids.iter().any(|id| !loaded.contains(id)), "{ids:?} are there already");
                    loaded.extend(ids);
                }
            }
        }
    }

    /// Decides and folds; the events that happened.
    pub fn execute(&mut self, order: &Order) -> Result<Vec<AgreementEvent>, Refusal> {
        let decision = self.decide(order)?;
        for event in &decision.events {
            self.store(event, order.on);
        }
        Ok(decision.events)
    }

    /// Folds an event, whoever decided it.
    pub fn store(&mut self, event: &AgreementEvent, on: Date) {
        let meta = Meta { position: 0, effective_on: on, actor: "clerk", actor_organisation: "office" };
        // As stored and read again.
        let event: AgreementEvent = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
        for of in std::iter::once(event.stream()).chain(event.also()) {
            let mut state = self.states.remove(&of.to_string());
            Agreements::apply(&mut state, of, &event, &meta);
            self.states.extend(state.map(|state| (of.to_string(), state)));
        }
    }

    /// The world after these orders, none of which may fail.
    pub fn after(orders: impl IntoIterator<Item = Order>) -> Self {
        Self::default().and(orders)
    }

    /// This world after further orders, none of which may fail or change nothing.
    pub fn and(mut self, orders: impl IntoIterator<Item = Order>) -> Self {
        for order in orders {
            match self.execute(&order) {
                Ok(events) => assert!(!events.is_empty(), "{:?} changed nothing", order.command),
                Err(refusal) => panic!("{:?} was refused: {:?}", order.command, refusal.broken),
            }
        }
        self
    }

    /// What comes of an order: the events' names, "unchanged", or the codes of the refusal.
    pub fn outcome(&self, order: &Order) -> String {
        match self.clone().execute(order) {
            Ok(events) if events.is_empty() => "unchanged".to_owned(),
            Ok(events) => events.iter().map(name).collect::<Vec<_>>().join(", "),
            Err(refusal) => codes(&refusal),
        }
    }

    /// The one event that an order causes.
    pub fn event(&self, order: &Order) -> AgreementEvent {
        self.clone().execute(order).unwrap().pop().unwrap()
    }

    pub fn agreement(&self) -> &Agreement {
        match self.states.get(&AGREEMENT.stream().to_string()) {
            Some(State::Agreement(agreement)) => agreement,
            other => panic!("{other:?} is no agreement"),
        }
    }

    pub fn party(&self, code: &PartyCode) -> &Party {
        match self.states.get(&PartyId::of(code).stream().to_string()) {
            Some(State::Party(party)) => party,
            other => panic!("{other:?} is no party"),
        }
    }
}

/// An event's name without its package.
pub fn name(event: &AgreementEvent) -> &'static str {
    event.type_name().rsplit('.').next().unwrap_or_default()
}

pub fn codes(refusal: &Refusal) -> String {
    refusal.broken.iter().map(|broken| broken.code.as_str()).collect::<Vec<_>>().join(", ")
}

// The story: a technology contract between a works and a university, from 2013-04-01 to 2016-03-31.

pub const AGREEMENT: AgreementId = AgreementId(Uuid::from_u128(0x1));
pub const PARENT: AgreementId = AgreementId(Uuid::from_u128(0x2));
pub const DRAFTED_ON: Date = date(2013, 3, 1);
pub const TERM: Term = Term { from: date(2013, 4, 1), until: date(2016, 3, 31) };
/// Well within the term.
pub const JUNE: Date = date(2013, 6, 3);

fn pic(number: u32) -> PartyCode {
    PartyCode::parse(&format!("EU-PIC:9986162{number:02}")).unwrap()
}

pub fn works() -> PartyCode {
    pic(1)
}

pub fn university() -> PartyCode {
    pic(2)
}

pub fn province() -> PartyCode {
    pic(3)
}

/// The works is merged into it, some day.
pub fn group() -> PartyCode {
    pic(4)
}

pub fn institute() -> PartyCode {
    pic(5)
}

pub fn bank() -> PartyCode {
    pic(6)
}

/// Nobody records it.
pub fn unknown() -> PartyCode {
    pic(99)
}

pub fn agreement(on: Date, command: AgreementCommand) -> Order {
    Order { command: Command::Agreement(AGREEMENT, command), on, today: on }
}

pub fn about(id: AgreementId, mut order: Order) -> Order {
    if let Command::Agreement(named, _) = &mut order.command {
        *named = id;
    }
    order
}

pub fn party(on: Date, code: &PartyCode, command: PartyCommand) -> Order {
    Order { command: Command::Party(PartyId::of(code), command), on, today: JUNE.max(on) }
}

pub fn recording(code: &PartyCode, kind: PartyKind) -> Recording {
    Recording {
        code: code.clone(),
        kind,
        name: format!("{code} 单位"),
        region: None,
        industry: None,
        certificate: None,
    }
}

pub fn record(code: &PartyCode, kind: PartyKind) -> Order {
    party(date(2001, 1, 1), code, PartyCommand::Record(recording(code, kind)))
}

/// Everybody of the story, in the directory.
pub fn directory() -> Vec<Order> {
    vec![
        record(&works(), PartyKind::Enterprise),
        record(&university(), PartyKind::University),
        record(&province(), PartyKind::Government),
        record(&group(), PartyKind::Enterprise),
        record(&institute(), PartyKind::Institute),
        record(&bank(), PartyKind::FinancialInstitution),
    ]
}

pub fn merge(code: &PartyCode, into: &PartyCode, on: Date) -> Order {
    party(on, code, PartyCommand::Merge { into: PartyId::of(into) })
}

pub fn dissolve(code: &PartyCode, on: Date) -> Order {
    party(on, code, PartyCommand::Dissolve)
}

pub fn document(digit: char) -> Document {
    Document { sha256: Sha256::parse(&digit.to_string().repeat(64)).unwrap(), archive_number: None }
}

pub fn obligation(number: u32) -> Obligation {
    Obligation {
        number,
        kind: ObligationKind::Milestone,
        party: university(),
        text: format!("Prototype {number} 样机"),
        due_on: date(2014, 6, 30),
    }
}

pub fn cny(amount_minor: i64) -> Value {
    Value { amount_minor, currency: Currency::CNY }
}

pub fn between(kind: AgreementKind, parties: &[(PartyCode, Role)]) -> Draft {
    let is_technology = kind == AgreementKind::TechnologyContract;
    Draft {
        kind,
        title: "Bearings for wind turbines 风电轴承".to_owned(),
        parties: parties.iter().map(|(code, role)| DraftParty { code: code.clone(), role: *role }).collect(),
        term: TERM,
        parent: None,
        project_number: (kind == AgreementKind::NationalProject).then(|| "2013BAF01B00".to_owned()),
        technology: is_technology.then_some(TechnologyContractType::Transfer),
        value: is_technology.then_some(cny(1_000_000)),
        obligations: Vec::new(),
        documents: vec![document('a')],
        synthetic: false,
    }
}

pub fn contract() -> Draft {
    Draft {
        obligations: vec![obligation(1)],
        ..between(AgreementKind::TechnologyContract, &[(works(), Role::Buyer), (university(), Role::Seller)])
    }
}

/// A framework agreement between the province and the university.
pub fn framework() -> Draft {
    between(AgreementKind::Framework, &[(province(), Role::Participant), (university(), Role::Participant)])
}

pub fn draft(draft: Draft) -> Order {
    agreement(DRAFTED_ON, AgreementCommand::Draft(Box::new(draft)))
}

pub fn force(on: Date, command: ForceCommand) -> Order {
    agreement(on, AgreementCommand::Force(command))
}

pub fn signing(code: &PartyCode) -> Signing {
    Signing {
        party: code.clone(),
        signatory: "signatory-1".parse().unwrap(),
        authority: "授权〔2013〕1号".to_owned(),
    }
}

pub fn sign(code: &PartyCode, on: Date) -> Order {
    force(on, ForceCommand::Sign(signing(code)))
}

pub fn cancel(reason: &str) -> Order {
    force(JUNE, ForceCommand::CancelDraft { reason: reason.to_owned() })
}

pub fn suspend(cause: &str, on: Date) -> Order {
    force(on, ForceCommand::Suspend { cause: cause.to_owned(), authority: "中止1号".to_owned() })
}

pub fn resume(authority: &str, on: Date) -> Order {
    force(on, ForceCommand::Resume { authority: authority.to_owned() })
}

pub fn renew(from: Date, until: Date, on: Date) -> Order {
    let (authority, documents) = ("续签1号".to_owned(), vec![document('b')]);
    force(on, ForceCommand::Renew { term: Term { from, until }, authority, documents })
}

/// Three further years.
pub fn renew_on(on: Date) -> Order {
    renew(date(2016, 4, 1), date(2019, 3, 31), on)
}

pub fn complete(on: Date) -> Order {
    force(on, ForceCommand::Complete { documents: vec![document('c')] })
}

pub fn terminate(out_of_force_from: Date, on: Date) -> Order {
    let (reason, authority) = ("by consent 协商".to_owned(), "终止1号".to_owned());
    force(on, ForceCommand::Terminate { reason, authority, out_of_force_from })
}

pub fn amendment(on: Date, command: AmendmentCommand) -> Order {
    agreement(on, AgreementCommand::Amendment(command))
}

pub fn propose(changes: Changes, on: Date) -> Order {
    let (authority, documents) = ("变更1号".to_owned(), vec![document('d')]);
    amendment(on, AmendmentCommand::Propose { changes, authority, documents })
}

pub fn retitled() -> Changes {
    Changes { title: Some("Another title".to_owned()), ..Changes::default() }
}

pub fn ending(until: Date) -> Changes {
    Changes { term_end: Some(until), ..Changes::default() }
}

pub fn sign_amendment(version: u32, code: &PartyCode, on: Date) -> Order {
    amendment(on, AmendmentCommand::Sign { version, signing: signing(code) })
}

pub fn abandon(version: u32, reason: &str, on: Date) -> Order {
    amendment(on, AmendmentCommand::Abandon { version, reason: reason.to_owned() })
}

pub fn succeed(party: &PartyCode, successor: &PartyCode, on: Date) -> Order {
    let (party, successor, authority) = (party.clone(), successor.clone(), "承继1号".to_owned());
    agreement(on, AgreementCommand::Succeed { party, successor, authority })
}

pub fn work(on: Date, command: WorkCommand) -> Order {
    agreement(on, AgreementCommand::Work(command))
}

pub fn fulfil(number: u32, digit: char, on: Date) -> Order {
    work(on, WorkCommand::FulfilObligation { number, evidence: vec![document(digit)] })
}

pub fn minute(digit: char, on: Date) -> Order {
    let item = ActionItem {
        number: 1,
        party: works(),
        text: "Send samples 寄送样品".to_owned(),
        due_on: date(2013, 7, 1),
    };
    work(
        on,
        WorkCommand::MinuteMeeting {
            kind: MeetingKind::Visit,
            parties: vec![works(), university()],
            minutes: document(digit),
            action_items: vec![item],
        },
    )
}

pub fn close(meeting: u32, item: u32, digit: char, on: Date) -> Order {
    work(on, WorkCommand::CloseActionItem { meeting, item, evidence: vec![document(digit)] })
}

pub fn registration(on: Date, command: RegistrationCommand) -> Order {
    agreement(on, AgreementCommand::Registration(command))
}

pub fn submit(registrar: &str, on: Date) -> Order {
    registration(on, RegistrationCommand::Submit { registrar: registrar.to_owned() })
}

pub fn register(income_minor: i64, on: Date) -> Order {
    let (number, class, technology_income) = ("R-1".to_owned(), "transfer".to_owned(), cny(income_minor));
    registration(on, RegistrationCommand::Register { number, class, technology_income })
}

pub fn refuse(reason: &str, on: Date) -> Order {
    registration(on, RegistrationCommand::Refuse { reason: reason.to_owned() })
}

pub fn revoke(reason: &str, on: Date) -> Order {
    let (reason, authority) = (reason.to_owned(), "撤销1号".to_owned());
    registration(on, RegistrationCommand::Revoke { reason, authority })
}

/// The story up to a standing, by its name, and a day on which it stands so.
pub fn story(until: &str) -> (World, Date) {
    let march = date(2013, 3, 20);
    let drafted = || World::after(directory()).and([draft(contract())]);
    let half = || drafted().and([sign(&works(), date(2013, 3, 5))]);
    let signed = || half().and([sign(&university(), date(2013, 3, 11))]);
    let fulfilled = || signed().and([fulfil(1, 'e', date(2013, 5, 6))]);
    match until {
        "absent" => (World::after(directory()), march),
        "drafted" => (drafted(), march),
        "partially_signed" => (half(), march),
        "not_begun" => (signed(), march),
        "in_force" => (signed(), JUNE),
        "fulfilled" => (fulfilled(), JUNE),
        "amending" => (signed().and([propose(ending(date(2017, 3, 31)), date(2013, 5, 6))]), JUNE),
        "suspended" => (signed().and([suspend("audit", date(2013, 5, 6))]), JUNE),
        "completed" => (fulfilled().and([complete(date(2013, 5, 7))]), JUNE),
        "expired" => (signed(), date(2016, 5, 2)),
        "terminated" => (signed().and([terminate(date(2013, 5, 7), date(2013, 5, 7))]), JUNE),
        "draft_cancelled" => (half().and([cancel("no money").on(date(2013, 3, 12))]), march),
        other => panic!("there is no story up to {other}"),
    }
}
