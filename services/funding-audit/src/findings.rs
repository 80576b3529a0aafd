//! What the audit finds 审计发现 (domain.md section 5, "D"): computed from the tables, never stored.
//!
//! | file | what it does |
//! |---|---|
//! | `rules` | one statement a rule: who, how much, since when, and which events prove it |
//! | `twice` | A04: live awards whose titles are nearly the same |
//! | `charges` | who was charged with a finding, and whether there was one when it was charged, accepted, dismissed |
//! | `words` | each finding as a sentence, in English and in Chinese |
//! | `groups` | grouped, ranked and paged |
//! | `control` | control tests 控制测试: of so many acts, how many broke a rule |
//!
//! A finding's key is rule, subject and the position of its cause. It stays the same while its cause does, however far the log
//! has gone on: so somebody can be charged with it (rectification 整改), and what became of that stands beside it. A dismissal
//! covers what the finding amounted to then; of more it is there again, with its whole amount. What is covered is not listed, and
//! is counted in every total.
//!
//! | rule | found where | amount |
//! |---|---|---|
//! | A03 | an instalment of matching money is past due | what is missing of it |
//! | A04 | two live awards have titles at least as similar as the rulebook's threshold | the later award |
//! | A06 | a partner's share of settled money was not passed on in time | what was due and not passed on |
//! | A07 | approved above the review's ceiling, or after the project's last day | what was above it; the award |
//! | A09 | spending of an ineligible category, outside the project's days, or beyond its invoice | the item; what is beyond |
//! | A10 | a balance was not given back by its day, or is kept beyond its last day | the balance |
//! | A11 | final acceptance is past due | contracted |
//! | A12 | money lies idle: past the project's end, or without a movement | what the recipients hold |
//! | A16 | a recovery is past due | what is outstanding |
//! | A17 | a fact was dated back, or corrected | what it moved |
//! | A18 | a meeting set a rule aside | the award |
//! | | a finding was charged, accepted or dismissed while there was none, or as one of another amount | what was named; what it was apart |

mod charges;
pub(crate) mod control;
pub(crate) mod groups;
mod rules;
mod twice;
mod words;

pub(crate) use charges::{CHARGES, Sightings};
pub(crate) use rules::{Rule, acceptance_over, contracted};
pub(crate) use twice::Alike;

use crate::{
    LogClock,
    query::{Filter, Point, QueryError, Sql, Store},
};
use charges::{Charged, Concluded, Which};
use concord_chassis::reference::Tables;
use concord_kernel::Date;
use std::time::Duration;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// Events that prove a finding, at most: the newest, and the cause.
const EVIDENCE_MAX: usize = 20;

/// What findings are worked out from, and what is kept of it from one question to the next.
pub(crate) struct Ground<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tables: &'a Tables,
    pub(crate) clock: LogClock,
    /// Which titles are alike, because A04 compares all with all.
    pub(crate) alike: &'a Alike,
    /// What findings were when they were charged, accepted or dismissed.
    pub(crate) sightings: &'a Sightings,
}

/// What to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) point: Point,
    /// Without a period.
    pub(crate) filter: Filter,
    /// The day by which a due date has passed, and that ages are counted from.
    pub(crate) on: Date,
    /// Which rules; in their order.
    pub(crate) rules: Vec<Rule>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) case: &'static str,
    pub(crate) subject: String,
    pub(crate) position: i64,
    pub(crate) evidence: Vec<i64>,
    pub(crate) grant: Option<Uuid>,
    /// `None` where it is about a charge whose subject names nothing.
    pub(crate) programme: Option<Uuid>,
    pub(crate) title: String,
    pub(crate) lead_region: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) since: Date,
    pub(crate) synthetic: bool,
    /// What the sentence needs beside: two figures, a day, a word.
    pub(crate) figures: [i64; 2],
    pub(crate) day: Option<Date>,
    pub(crate) word: String,
    pub(crate) charged: Option<Charged>,
}

impl Finding {
    /// Days since it began, on the day that ages are counted from; never below zero.
    pub(crate) fn age_days(&self, on: Date) -> i32 {
        self.since.until(on).map_or(0, |span| span.get_days()).max(0)
    }

    fn key(&self) -> (&str, &str, i64) {
        (self.rule.code(), &self.subject, self.position)
    }

    /// Whether what was accepted or dismissed was it, and of no less.
    pub(crate) fn is_covered(&self) -> bool {
        let covers = |concluded: &Concluded| concluded.minor.is_some_and(|minor| minor >= self.amount_minor);
        self.charged.as_ref().and_then(|charged| charged.concluded.as_ref()).is_some_and(covers)
    }

    /// Whether it was dismissed, and is none by that.
    pub(crate) fn is_dismissed(&self) -> bool {
        let dismissed = |charged: &Charged| charged.state == rules::DISMISSED;
        self.charged.as_ref().is_some_and(dismissed) && self.is_covered()
    }

    /// Reads a row of a rule's statement.
    fn read(rule: Rule, row: &Row) -> Result<Self, QueryError> {
        let case: String = row.try_get(0)?;
        let case = rule
            .cases()
            .iter()
            .find(|known| **known == case)
            .ok_or_else(|| QueryError::Corrupt(format!("{} has no case {case}", rule.code())))?;
        let mut evidence: Vec<i64> = row.try_get::<_, Vec<Option<i64>>>(6)?.into_iter().flatten().collect();
        evidence.sort_unstable();
        evidence.dedup();
        let position = row.try_get(2)?;
        // The newest, and the cause among them however old it is.
        let older = evidence.len().saturating_sub(EVIDENCE_MAX);
        let cause_is_older = evidence[..older].contains(&position);
        evidence.drain(..older);
        if let Some(oldest) = evidence.first_mut().filter(|_| cause_is_older) {
            *oldest = position;
        }
        Ok(Self {
            rule,
            case,
            subject: row.try_get(1)?,
            position,
            grant: row.try_get(3)?,
            amount_minor: row.try_get(4)?,
            since: row.try_get(5)?,
            evidence,
            figures: [row.try_get(7)?, row.try_get(8)?],
            day: row.try_get(9)?,
            word: row.try_get::<_, Option<String>>(10)?.unwrap_or_default(),
            programme: row.try_get(11)?,
            currency: row.try_get(12)?,
            lead_region: row.try_get::<_, Option<String>>(13)?.unwrap_or_default(),
            title: row.try_get(14)?,
            synthetic: row.try_get(15)?,
            charged: None,
        })
    }
}

/// All findings, dismissed ones too, each with who was charged with it; rule by rule, each rule's by subject and position.
pub(crate) async fn find(
    ground: &Ground<'_>,
    search: &Search,
    within: Duration,
) -> Result<Vec<Finding>, QueryError> {
    let rulebook = ground.tables.rulebooks.at_or_first(search.on);
    let mut found = Vec::new();
    for rule in &search.rules {
        if *rule == Rule::A04 {
            found.extend(twice::find(ground.store, search, rulebook, ground.alike, within).await?);
            continue;
        }
        for sql in rule.statements(search, rulebook) {
            for row in ground.store.rows(&sql, within).await? {
                found.push(Finding::read(*rule, &row)?);
            }
        }
    }
    // What was decided about findings is itself looked at by A18.
    let (acts, sights) = if search.rules.contains(&Rule::A18) {
        let acts = charges::acts(ground, search.point, Which::Passing(&search.filter), within).await?;
        let sights = ground.sightings.of(ground, charges::judged(&acts), within).await?;
        found.extend(charges::mismatches(&acts, &sights));
        (acts, sights)
    } else if found.is_empty() {
        return Ok(found);
    } else {
        let acts = charges::acts(ground, search.point, Which::on(&found), within).await?;
        let sights = ground.sightings.of(ground, charges::conclusions(&found, &acts), within).await?;
        (acts, sights)
    };
    charges::attach(&mut found, &acts, &sights);
    found.sort_by(|one, other| one.key().cmp(&other.key()));
    Ok(found)
}

/// ` scope AS (…)`: the grants that the filter lets through, with the dimensions that it narrows by.
pub(crate) fn scope(sql: &mut Sql, search: &Search) {
    sql.push(
        " scope AS (SELECT d.* FROM (SELECT g.grant_id, g.programme, p.year, g.currency, g.mode, g.industry, g.lead_region, \
         g.lead AS party, g.lead_region AS party_region, g.title, g.titled, g.synthetic, g.migrated, g.position, g.effective_on \
         FROM grants g JOIN programmes p USING (programme) WHERE ",
    );
    sql.known_at("g", search.point).push(") d WHERE true").narrow_dims(&search.filter).push(") ");
}

/// What every statement selects after its own columns: the grant's.
const OF_GRANT: &str = ", d.programme, d.currency, d.lead_region, d.title, d.synthetic ";

fn days(sql: &mut Sql, day: Date) {
    sql.bind(day, Type::DATE);
}
