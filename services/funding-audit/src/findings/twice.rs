//! A04: the same project funded twice under titles that are nearly the same 重复资助.
//!
//! All live awards are compared with all ([`concord_kernel::similar`]), whatever the filter: a pair is found where the later
//! award passes it. What was found at the last point is kept, because that takes longer than any other rule.

use super::{Finding, Rule, Search};
use crate::{
    numbers::GrantStep,
    query::{Filter, Point, QueryError, Sql, Store},
};
use concord_kernel::{Date, industry::Industry, rulebook::Rulebook, similar::similar};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// Live awards and their pairs at one point, under one threshold.
#[derive(Debug)]
struct Compared {
    point: Point,
    per_mille: u32,
    awards: Vec<Award>,
    /// Places of the earlier and the later award, and how similar they are.
    pairs: Vec<(usize, usize, u32)>,
}

/// What was compared last.
#[derive(Debug, Default, Clone)]
pub(crate) struct Alike(Arc<Mutex<Option<Arc<Compared>>>>);

/// A live award.
#[derive(Debug, Clone)]
struct Award {
    grant: Uuid,
    programme: Uuid,
    year: i16,
    currency: String,
    mode: String,
    industry: Option<String>,
    lead: Uuid,
    lead_region: Option<String>,
    title: String,
    synthetic: bool,
    /// When it was admitted, or imported.
    position: i64,
    effective_on: Date,
    amount_minor: i64,
}

impl Award {
    /// Whether the filter lets it through, as it does in a statement.
    fn passes(&self, filter: &Filter) -> bool {
        let begins = |wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| {
                self.lead_region.as_ref().is_some_and(|region| region.starts_with(wanted.as_str()))
            })
        };
        filter.programme.is_none_or(|programme| programme == self.programme)
            && filter.mode.is_none_or(|mode| mode.code() == self.mode)
            && begins(&filter.lead_region)
            && begins(&filter.party_region)
            && filter
                .industry
                .map(Industry::as_str)
                .is_none_or(|wanted| self.industry.as_deref() == Some(wanted))
            && filter.year.is_none_or(|year| year == self.year)
            && filter.grant.is_none_or(|grant| grant == self.grant)
            && filter.party.is_none_or(|party| party == self.lead)
            && filter.currency.is_none_or(|currency| currency.as_str() == self.currency)
    }
}

pub(super) async fn find(
    store: &Store,
    search: &Search,
    rulebook: &Rulebook,
    alike: &Alike,
    within: Duration,
) -> Result<Vec<Finding>, QueryError> {
    let compared = compared(store, search.point, rulebook.similarity_per_mille, alike, within).await?;
    let of_pair = |&(first, second, per_mille): &(usize, usize, u32)| {
        let (earlier, later) = (&compared.awards[first], &compared.awards[second]);
        later.passes(&search.filter).then(|| Finding {
            rule: Rule::A04,
            case: "similar",
            subject: format!("{}/similar/{}", later.grant, earlier.grant),
            position: later.position,
            evidence: vec![earlier.position, later.position],
            grant: Some(later.grant),
            programme: later.programme,
            title: later.title.clone(),
            lead_region: later.lead_region.clone().unwrap_or_default(),
            amount_minor: later.amount_minor,
            currency: later.currency.clone(),
            since: later.effective_on,
            synthetic: later.synthetic,
            figures: [i64::from(per_mille), earlier.amount_minor],
            day: None,
            word: earlier.title.clone(),
            charged: None,
        })
    };
    Ok(compared.pairs.iter().filter_map(of_pair).collect())
}

async fn compared(
    store: &Store,
    point: Point,
    per_mille: u32,
    alike: &Alike,
    within: Duration,
) -> Result<Arc<Compared>, QueryError> {
    let kept = alike.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(kept) = kept.filter(|kept| (kept.point, kept.per_mille) == (point, per_mille)) {
        return Ok(kept);
    }
    let awards = live(store, point, within).await?;
    let compare = move || {
        let titles: Vec<&str> = awards.iter().map(|award| award.title.as_str()).collect();
        let pairs = similar(&titles, per_mille);
        let pairs = pairs.into_iter().map(|pair| (pair.first, pair.second, pair.per_mille)).collect();
        Compared { point, per_mille, awards, pairs }
    };
    let compared = tokio::task::spawn_blocking(compare)
        .await
        .map_err(|panicked| QueryError::Corrupt(format!("comparing titles ended early: {panicked}")))?;
    let compared = Arc::new(compared);
    *alike.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&compared));
    Ok(compared)
}

/// All awards that are live at this point and have a title of their own, in the order in which they came.
async fn live(store: &Store, point: Point, within: Duration) -> Result<Vec<Award>, QueryError> {
    let list = |steps: &[GrantStep]| {
        steps.iter().map(|step| step.number().to_string()).collect::<Vec<_>>().join(", ")
    };
    let over: Vec<GrantStep> =
        GrantStep::ENDS.into_iter().chain([GrantStep::Rejected, GrantStep::Withdrawn]).collect();
    let amounts = [
        GrantStep::Applied,
        GrantStep::Approved,
        GrantStep::Contracted,
        GrantStep::Amended,
        GrantStep::Imported,
    ];
    let mut sql = Sql::new(
        "SELECT g.grant_id, g.programme, p.year, g.currency, g.mode, g.industry, g.lead, g.lead_region, g.title, g.synthetic, \
         a.position, a.effective_on, coalesce(m.amount_minor, 0) FROM grants g JOIN programmes p USING (programme) \
         JOIN grant_steps a ON a.grant_id = g.grant_id AND ",
    );
    sql.push(&format!("a.step IN ({}) AND ", list(&[GrantStep::Admitted, GrantStep::Imported])));
    sql.known_at("a", point).push(
        " LEFT JOIN LATERAL (SELECT m.amount_minor FROM grant_steps m WHERE m.grant_id = g.grant_id AND ",
    );
    sql.push(&format!("m.step IN ({}) AND ", list(&amounts))).known_at("m", point);
    sql.push(" ORDER BY m.position DESC LIMIT 1) m ON true WHERE g.titled AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = g.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", list(&over))).known_at("e", point).push(") ORDER BY a.position");
    let rows = store.rows(&sql, within).await?;
    let mut awards: Vec<Award> = Vec::with_capacity(rows.len());
    for row in &rows {
        let grant = row.try_get(0)?;
        awards.push(Award {
            grant,
            programme: row.try_get(1)?,
            year: row.try_get(2)?,
            currency: row.try_get(3)?,
            mode: row.try_get(4)?,
            industry: row.try_get(5)?,
            lead: row.try_get(6)?,
            lead_region: row.try_get(7)?,
            title: row.try_get(8)?,
            synthetic: row.try_get(9)?,
            position: row.try_get(10)?,
            effective_on: row.try_get(11)?,
            amount_minor: row.try_get(12)?,
        });
    }
    Ok(awards)
}
