//! What the audit finds 审计发现 (domain.md section 5, "D"): computed from the tables, never stored.
//!
//! | file | what it does |
//! |---|---|
//! | `rules` | one statement a rule: who, how much, since when, and which events prove it |
//! | `twice` | A04: live awards whose titles are nearly the same |
//! | `words` | each finding as a sentence, in English and in Chinese |
//! | `groups` | grouped, ranked and paged |
//! | `control` | control tests 控制测试: of so many acts, how many broke a rule |
//!
//! A finding's key is rule, subject and the position of its cause. It stays the same while its cause does, however far the log
//! has gone on: so somebody can be charged with it (rectification 整改), and what became of that stands beside it.
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

pub(crate) mod control;
pub(crate) mod groups;
mod rules;
mod twice;
mod words;

pub(crate) use rules::{Rule, acceptance_over, contracted};
pub(crate) use twice::Alike;

use crate::query::{Filter, Point, QueryError, Sql, Store};
use concord_kernel::{Date, rulebook::Rulebook};
use std::{collections::HashMap, time::Duration};
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// Events that prove a finding, at most: the newest, and the cause.
const EVIDENCE_MAX: usize = 20;

/// Findings whose rectifications are looked up one by one, at most; of more, all are read.
const LOOKED_UP_MAX: usize = 500;

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
    /// Also what was dismissed.
    pub(crate) dismissed: bool,
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
    pub(crate) programme: Uuid,
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

/// Somebody who was charged with a finding, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charged {
    pub(crate) rectification: Uuid,
    pub(crate) state: &'static str,
    pub(crate) owner: String,
    pub(crate) deadline: Date,
}

impl Finding {
    /// Days since it began, on the day that ages are counted from; never below zero.
    pub(crate) fn age_days(&self, on: Date) -> i32 {
        self.since.until(on).map_or(0, |span| span.get_days()).max(0)
    }

    fn key(&self) -> (&str, &str, i64) {
        (self.rule.code(), &self.subject, self.position)
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

/// All findings, each with who was charged with it; rule by rule, each rule's by subject and position.
///
/// `alike` keeps which titles are alike, because A04 compares all with all.
pub(crate) async fn find(
    store: &Store,
    search: &Search,
    rulebook: &Rulebook,
    alike: &Alike,
    within: Duration,
) -> Result<Vec<Finding>, QueryError> {
    let mut found = Vec::new();
    for rule in &search.rules {
        if *rule == Rule::A04 {
            found.extend(twice::find(store, search, rulebook, alike, within).await?);
            continue;
        }
        for sql in rule.statements(search, rulebook) {
            for row in store.rows(&sql, within).await? {
                found.push(Finding::read(*rule, &row)?);
            }
        }
    }
    found.sort_by(|one, other| one.key().cmp(&other.key()));
    let charged = charged(store, search.point, &found, within).await?;
    for finding in &mut found {
        let (rule, subject, position) = finding.key();
        let who = charged.get(&(rule.to_owned(), subject.to_owned(), position)).cloned();
        finding.charged = who;
    }
    if !search.dismissed {
        found.retain(|finding| {
            finding.charged.as_ref().is_none_or(|charged| charged.state != rules::DISMISSED)
        });
    }
    Ok(found)
}

/// Everybody who was charged with one of these findings, by its key.
async fn charged(
    store: &Store,
    point: Point,
    found: &[Finding],
    within: Duration,
) -> Result<HashMap<(String, String, i64), Charged>, QueryError> {
    if found.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(
        "SELECT r.rule, r.subject, r.finding_position, r.rectification, r.owner, r.deadline, \
         (SELECT s.step FROM rectification_steps s WHERE s.rectification = r.rectification AND ",
    );
    sql.known_at("s", point).push(" ORDER BY s.position DESC LIMIT 1) FROM rectifications r WHERE ");
    sql.known_at("r", point);
    if found.len() <= LOOKED_UP_MAX {
        let subjects: Vec<String> = found.iter().map(|finding| finding.subject.clone()).collect();
        sql.push(" AND r.rule = ANY(")
            .bind(Rule::ALL.map(|rule| rule.code().to_owned()).to_vec(), Type::TEXT_ARRAY);
        sql.push(") AND r.subject = ANY(").bind(subjects, Type::TEXT_ARRAY).push(")");
    }
    sql.push(" ORDER BY r.position");
    let mut charged = HashMap::new();
    for row in store.rows(&sql, within).await? {
        let state = rules::rectification_state(row.try_get(6)?)?;
        let charge = Charged {
            rectification: row.try_get(3)?,
            state,
            owner: row.try_get(4)?,
            deadline: row.try_get(5)?,
        };
        charged.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), charge);
    }
    Ok(charged)
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
