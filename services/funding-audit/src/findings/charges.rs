//! Who was charged with a finding, what was decided about it, and whether there was such a finding 整改.
//!
//! What an act on a finding rests on never changes: the finding as of the act's position, by the log's today and the rulebook
//! then. So it is worked out once for each charge, acceptance and dismissal, and kept. It is asked of the rule's own statement,
//! restricted to the finding's grant; the acts of an answer are asked about together, each rule's statement planned once.
//!
//! An act that does not match hides nothing, and is a finding of A18: an act that would cure a finding without ground.

use super::{Finding, Ground, Rule, Search, rules, twice};
use crate::{
    LogClock,
    clock::day_in_shanghai,
    numbers::RectificationStep,
    query::{Filter, Point, QueryError, Sql},
};
use concord_events::fund::{FindingKey, FindingSubject};
use concord_kernel::{Date, id::RectificationId};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// Findings whose charges are looked up one by one, at most; of more, all are read.
const LOOKED_UP_MAX: usize = 500;

/// Acts whose findings are kept, at most. Beyond that all are forgotten, and worked out again as they are asked for.
const KEPT_MAX: usize = 100_000;

/// Acts that are worked out at once.
const TOGETHER: usize = 500;

/// A charge `c`, by its position, with the columns of `dims` that a filter looks at, as ` d`. One that is of no grant is of the
/// programme that its subject begins with.
pub(crate) const CHARGES: &str = "(SELECT c.position, g.grant_id, p.programme, p.year, \
     coalesce(g.currency, p.currency, '') AS currency, g.mode, g.industry, g.lead_region, g.lead AS party, \
     g.lead_region AS party_region, coalesce(g.title, p.fund || ' ' || p.year, '') AS title, \
     coalesce(g.synthetic, false) AS synthetic FROM rectifications c LEFT JOIN grants g USING (grant_id) \
     LEFT JOIN programmes p ON p.programme::text = coalesce(g.programme::text, split_part(c.subject, '/', 1))) d";

/// A charge, or a step that followed it.
#[derive(Debug, Clone)]
pub(super) struct Act {
    position: i64,
    effective_on: Date,
    /// `None`: the charge itself.
    step: Option<RectificationStep>,
    /// Its state after that.
    state: &'static str,
    /// What the finding amounted to, as those who decided said.
    named: Option<Sight>,
    rectification: Uuid,
    /// Position of the charge.
    charge: i64,
    key: FindingKey,
    owner: String,
    deadline: Date,
    grant: Option<Uuid>,
    programme: Option<Uuid>,
    currency: String,
    lead_region: String,
    title: String,
    synthetic: bool,
    /// The log's today then.
    on: Date,
}

/// What a finding amounted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    minor: i64,
    currency: String,
}

/// Somebody who was charged with a finding, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charged {
    pub(crate) rectification: Uuid,
    pub(crate) state: &'static str,
    pub(crate) owner: String,
    pub(crate) deadline: Date,
    /// Where the explanation was accepted, or the finding dismissed.
    pub(crate) concluded: Option<Concluded>,
}

/// A decision that a finding is none, or is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concluded {
    pub(crate) position: i64,
    pub(crate) on: Date,
    /// What it covers, in minor units of the finding's currency; `None` where there was no such finding.
    pub(crate) minor: Option<i64>,
}

/// Which acts.
pub(super) enum Which<'a> {
    /// Of what the filter lets through.
    Passing(&'a Filter),
    /// On findings with these subjects.
    About(Vec<String>),
    /// At these positions.
    At(Vec<i64>),
    All,
}

impl Which<'_> {
    /// On these findings.
    pub(super) fn on(found: &[Finding]) -> Self {
        if found.len() > LOOKED_UP_MAX {
            return Self::All;
        }
        Self::About(found.iter().map(|finding| finding.subject.clone()).collect())
    }
}

/// Acts in the order of their positions.
pub(super) async fn acts(
    ground: &Ground<'_>,
    point: Point,
    which: Which<'_>,
    within: Duration,
) -> Result<Vec<Act>, QueryError> {
    let mut sql = Sql::new(
        "SELECT a.position, a.effective_on, a.step, a.seen_minor, a.seen_currency, r.rectification, r.position, r.rule, r.subject, \
         r.finding_position, r.owner, r.deadline, d.grant_id, d.programme, d.currency, d.lead_region, d.title, d.synthetic, \
         (SELECT t.today FROM todays t WHERE t.position <= a.position ORDER BY t.position DESC LIMIT 1), \
         (SELECT c.recorded_at FROM clock c WHERE c.position <= a.position ORDER BY c.position DESC LIMIT 1) \
         FROM rectifications r JOIN ",
    );
    // A step is of the newest charge before it.
    sql.push(CHARGES).push(
        " ON d.position = r.position CROSS JOIN LATERAL (SELECT r.position, r.effective_on, NULL::smallint AS step, \
         NULL::bigint AS seen_minor, NULL::text AS seen_currency UNION ALL SELECT s.position, s.effective_on, s.step, \
         s.seen_minor, s.seen_currency FROM rectification_steps s WHERE s.rectification = r.rectification \
         AND s.position > r.position AND NOT EXISTS (SELECT 1 FROM rectifications n \
         WHERE n.rectification = r.rectification AND n.position > r.position AND n.position < s.position)) a WHERE ",
    );
    sql.known_at("a", point);
    match which {
        Which::Passing(filter) => sql.narrow_dims(filter),
        Which::About(subjects) => {
            sql.push(" AND r.subject = ANY(").bind(subjects, Type::TEXT_ARRAY).push(")")
        }
        Which::At(positions) => {
            sql.push(" AND a.position = ANY(").bind(positions, Type::INT8_ARRAY).push(")")
        }
        Which::All => &mut sql,
    };
    sql.push(" ORDER BY a.position");
    ground.store.rows(&sql, within).await?.iter().map(|row| Act::read(row, ground.clock)).collect()
}

impl Act {
    fn read(row: &Row, clock: LogClock) -> Result<Self, QueryError> {
        let position = row.try_get(0)?;
        let number: Option<i16> = row.try_get(2)?;
        let step = RectificationStep::ALL.iter().copied().find(|step| Some(step.number()) == number);
        let (minor, currency): (Option<i64>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
        let finding_position: i64 = row.try_get(9)?;
        let (today, recorded_at): (Option<Date>, Option<Timestamp>) = (row.try_get(18)?, row.try_get(19)?);
        let on = match clock {
            LogClock::Played { from } => today.unwrap_or(from),
            LogClock::System => recorded_at
                .map(day_in_shanghai)
                .ok_or_else(|| QueryError::Corrupt(format!("position {position} was never recorded")))?,
        };
        Ok(Self {
            position,
            effective_on: row.try_get(1)?,
            step,
            state: rules::rectification_state(number)?,
            named: minor.zip(currency).map(|(minor, currency)| Sight { minor, currency }),
            rectification: row.try_get(5)?,
            charge: row.try_get(6)?,
            key: FindingKey {
                rule: row.try_get(7)?,
                subject: row.try_get(8)?,
                position: finding_position.unsigned_abs(),
            },
            owner: row.try_get(10)?,
            deadline: row.try_get(11)?,
            grant: row.try_get(12)?,
            programme: row.try_get(13)?,
            currency: row.try_get(14)?,
            lead_region: row.try_get::<_, Option<String>>(15)?.unwrap_or_default(),
            title: row.try_get(16)?,
            synthetic: row.try_get(17)?,
            on,
        })
    }

    /// Whether it says that the finding is none, or is explained.
    fn concludes(&self) -> bool {
        matches!(self.step, Some(RectificationStep::Accepted | RectificationStep::Dismissed))
    }

    /// Whether it rests on there being a finding.
    fn rests_on_a_finding(&self) -> bool {
        self.step.is_none() || self.concludes()
    }

    /// The act on another finding that its own is about, by position, where it is about one.
    fn about_act(&self) -> Option<(RectificationId, i64)> {
        match self.key.about() {
            Some(FindingSubject::Rectification(id)) => Some((id, self.finding_position())),
            _ => None,
        }
    }

    fn finding_position(&self) -> i64 {
        i64::try_from(self.key.position).unwrap_or(i64::MAX)
    }

    /// What it covers of a finding: what there was, or what was named, where that is less.
    fn covers(&self, sight: Option<&Sight>) -> Option<i64> {
        let sight = sight?;
        match &self.named {
            None => Some(sight.minor),
            Some(named) => (named.currency == sight.currency).then(|| named.minor.min(sight.minor)),
        }
    }

    /// The finding that it is itself, where there was none as it says: its case, its amount, and what is told of it.
    fn mismatch(&self, sight: Option<&Sight>) -> Option<(&'static str, Sight, [i64; 2])> {
        let none = || Sight { minor: 0, currency: self.currency.clone() };
        if self.covers(sight).is_none() {
            let case = match self.step {
                None => "charge",
                Some(RectificationStep::Accepted) => "acceptance",
                Some(_) => "dismissal",
            };
            return Some((case, self.named.clone().unwrap_or_else(none), [0, 0]));
        }
        let (named, sight) = self.named.as_ref().zip(sight)?;
        let minor = named.minor.checked_sub(sight.minor)?.saturating_abs();
        let apart = Sight { minor, currency: sight.currency.clone() };
        (minor != 0).then_some(("amount", apart, [named.minor, sight.minor]))
    }

    /// The same as a finding.
    fn finding(&self, sight: Option<&Sight>) -> Option<Finding> {
        let (case, Sight { minor, currency }, figures) = self.mismatch(sight)?;
        let FindingKey { rule, subject, position } = &self.key;
        let mut evidence = vec![self.charge, self.position];
        evidence.dedup();
        Some(Finding {
            rule: Rule::A18,
            case,
            subject: FindingKey::of_rectification(RectificationId(self.rectification)),
            position: self.position,
            evidence,
            grant: self.grant,
            programme: self.programme,
            title: self.title.clone(),
            lead_region: self.lead_region.clone(),
            amount_minor: minor,
            currency,
            since: self.effective_on,
            synthetic: self.synthetic,
            figures,
            day: Some(self.effective_on),
            word: format!("{rule}:{subject}@{position}"),
            charged: None,
        })
    }
}

/// What the acts' findings amounted to as of each, by the act's position; `None` where there was no such finding.
pub(super) type Sights = HashMap<i64, Option<Sight>>;

/// Findings that acts rest on, as they were then.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sightings(Arc<Mutex<Sights>>);

impl Sightings {
    fn kept(&self) -> MutexGuard<'_, Sights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, seen: &Sights) {
        let mut kept = self.kept();
        if kept.len() + seen.len() > KEPT_MAX {
            kept.clear();
        }
        kept.extend(seen.iter().take(KEPT_MAX).map(|(position, sight)| (*position, sight.clone())));
    }

    /// Those of these acts. What is not kept is worked out.
    pub(super) async fn of(
        &self,
        ground: &Ground<'_>,
        acts: Vec<&Act>,
        within: Duration,
    ) -> Result<Sights, QueryError> {
        let acts = with_those_they_are_about(ground, acts.into_iter().cloned().collect(), within).await?;
        let mut sights: Sights = {
            let kept = self.kept();
            acts.keys().filter_map(|at| Some((*at, kept.get(at)?.clone()))).collect()
        };
        let unknown: Vec<&Act> = acts.values().filter(|act| !sights.contains_key(&act.position)).collect();
        // What is worked out is kept at once, so that a question whose time ends leaves less for the next one.
        for together in unknown.chunks(TOGETHER) {
            let mut worked_out = as_found(ground, together, within).await?;
            // In the order of the log: an act comes after the one that it is about.
            for act in together {
                let Some((rectification, position)) = act.about_act() else { continue };
                let sight = worked_out.get(&position).or_else(|| sights.get(&position)).cloned().flatten();
                let about = acts.get(&position).filter(|about| {
                    about.rectification == rectification.0
                        && position < act.position
                        && about.rests_on_a_finding()
                });
                let mismatch = about.and_then(|about| about.mismatch(sight.as_ref()));
                worked_out.insert(act.position, mismatch.map(|(_, amount, _)| amount));
            }
            self.keep(&worked_out);
            sights.extend(worked_out);
        }
        Ok(sights)
    }
}

/// These acts, and those that they are about, by position: a finding about what was decided of another one rests on that.
async fn with_those_they_are_about(
    ground: &Ground<'_>,
    mut acts: Vec<Act>,
    within: Duration,
) -> Result<BTreeMap<i64, Act>, QueryError> {
    let mut all = BTreeMap::new();
    while !acts.is_empty() {
        // Each is about an earlier one, so this comes to an end.
        let mut earlier: Vec<i64> = Vec::new();
        for act in acts {
            earlier.extend(act.about_act().map(|(_, at)| at).filter(|at| *at < act.position));
            all.insert(act.position, act);
        }
        earlier.retain(|at| !all.contains_key(at));
        let Some(newest) = earlier.iter().max() else { break };
        let point = Point { position: *newest, effective_on: None };
        acts = self::acts(ground, point, Which::At(earlier), within).await?;
    }
    Ok(all)
}

/// What the findings that these acts are about amounted to, but for those about other acts.
async fn as_found(ground: &Ground<'_>, acts: &[&Act], within: Duration) -> Result<Sights, QueryError> {
    let (mut sights, mut asked, mut statements) = (Sights::new(), Vec::new(), Vec::new());
    for act in acts.iter().filter(|act| act.about_act().is_none()) {
        sights.insert(act.position, None);
        let rule = Rule::ALL.into_iter().find(|rule| rule.code() == act.key.rule);
        let (Some(rule), Some(subject)) = (rule, act.key.about()) else { continue };
        let point = Point { position: act.position, effective_on: None };
        let rulebook = ground.tables.rulebooks.at_or_first(act.on);
        let filter = match (subject, act.grant, act.programme) {
            (FindingSubject::Pair(later, earlier), ..) => {
                let key = (later.0, earlier.0, act.finding_position());
                let pair = twice::pair_at(ground.store, point, rulebook, key, within).await?;
                let sight = pair.map(|(minor, currency)| Sight { minor, currency });
                sights.insert(act.position, sight);
                continue;
            }
            (_, Some(grant), _) => Filter { grant: Some(grant), ..Filter::default() },
            (FindingSubject::GrantOrProgramme(id), None, Some(programme)) if id == programme => {
                Filter { programme: Some(programme), ..Filter::default() }
            }
            _ => continue,
        };
        let search = Search { point, filter, on: act.on, rules: vec![rule] };
        for statement in rule.statements(&search, rulebook) {
            asked.push(act.position);
            statements.push(by_key(statement, act));
        }
    }
    for (position, rows) in asked.into_iter().zip(ground.store.each(&statements, within).await?) {
        if let Some(row) = rows.first() {
            sights.insert(position, Some(Sight { minor: row.try_get(0)?, currency: row.try_get(1)? }));
        }
    }
    Ok(sights)
}

/// Of what a rule's statement finds, what has the key that an act is about.
fn by_key(statement: Sql, act: &Act) -> Sql {
    let mut sql = Sql::new("SELECT f.amount_minor, f.currency FROM ");
    sql.nest(statement).push(
        " f (finding, subject, position, grant_id, amount_minor, since, evidence, one, other, day, word, programme, currency, \
         lead_region, title, synthetic) WHERE f.position = ",
    );
    sql.bind(act.finding_position(), Type::INT8).push(" AND f.subject = ");
    sql.bind(act.key.subject.clone(), Type::TEXT);
    sql
}

/// Acts that are findings themselves.
pub(super) fn mismatches(acts: &[Act], sights: &Sights) -> Vec<Finding> {
    let judged = acts.iter().filter(|act| act.rests_on_a_finding());
    judged.filter_map(|act| act.finding(sights.get(&act.position).and_then(Option::as_ref))).collect()
}

/// Puts beside each finding who was charged with it, and what came of that. The newest charge holds.
pub(super) fn attach(found: &mut [Finding], acts: &[Act], sights: &Sights) {
    let mut by_key: HashMap<(&str, &str, i64), Vec<&Act>> = HashMap::new();
    for act in acts {
        let FindingKey { rule, subject, .. } = &act.key;
        by_key.entry((rule.as_str(), subject.as_str(), act.finding_position())).or_default().push(act);
    }
    for finding in found {
        let Some(own) = by_key.get(&finding.key()) else { continue };
        let newest_first = || own.iter().rev().copied();
        let Some(charge) = newest_first().find(|act| act.step.is_none()) else { continue };
        let newest = newest_first().find(|act| act.charge == charge.charge).unwrap_or(charge);
        let sight = sights.get(&newest.position).and_then(Option::as_ref);
        let same_currency = sight.filter(|sight| sight.currency == finding.currency);
        finding.charged = Some(Charged {
            rectification: charge.rectification,
            state: newest.state,
            owner: charge.owner.clone(),
            deadline: charge.deadline,
            concluded: newest.concludes().then(|| Concluded {
                position: newest.position,
                on: newest.effective_on,
                minor: newest.covers(same_currency),
            }),
        });
    }
}

/// The acts on which it depends whether these findings stand: what was accepted and dismissed of them.
pub(super) fn conclusions<'a>(found: &[Finding], acts: &'a [Act]) -> Vec<&'a Act> {
    let keys: HashSet<(&str, &str, i64)> = found.iter().map(Finding::key).collect();
    let of = |act: &&Act| keys.contains(&(&*act.key.rule, &*act.key.subject, act.finding_position()));
    acts.iter().filter(|act| act.concludes()).filter(of).collect()
}

/// All acts that rest on there being a finding.
pub(super) fn judged(acts: &[Act]) -> Vec<&Act> {
    acts.iter().filter(|act| act.rests_on_a_finding()).collect()
}
