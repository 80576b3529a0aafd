//! A04: the same project funded twice under titles that are nearly the same 重复资助.
//!
//! Which titles are alike ([`concord_kernel::similar`]) is a fact for good: a grant's title never changes. So all are compared
//! once, each later one with those before it, and the pairs are kept; which of their awards are live is asked at each point. A
//! pair is found where the later award passes the filter.

use super::{Finding, Rule, Search};
use crate::{
    numbers::{self, GrantStep},
    query::{Filter, Point, QueryError, Sql, Store},
};
use concord_kernel::{
    Date,
    industry::Industry,
    rulebook::Rulebook,
    similar::{Similar, Titles},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Titles that were compared, under one threshold.
#[derive(Debug)]
struct Compared {
    per_mille: u32,
    titles: Titles,
    /// Whose title has which place.
    grants: Vec<Uuid>,
    /// The titles of all events up to here are among them.
    position: i64,
    pairs: Vec<Similar>,
    /// Places of the pairs in which a grant is.
    having: HashMap<Uuid, Vec<usize>>,
}

/// What was compared. Only one question at a time adds to it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Alike(Arc<Mutex<Option<Compared>>>);

/// A pair of grants with titles that are alike, and by how many thousandths.
type Pair = (Uuid, Uuid, u32);

impl Compared {
    fn of(grants: Vec<(Uuid, String)>, position: i64, per_mille: u32) -> Self {
        let titles: Vec<&str> = grants.iter().map(|(_, title)| title.as_str()).collect();
        let (titles, pairs) = Titles::of(&titles, per_mille);
        let grants = grants.into_iter().map(|(grant, _)| grant).collect();
        let mut compared =
            Self { per_mille, titles, grants, position, pairs: Vec::new(), having: HashMap::new() };
        compared.keep(pairs);
        compared
    }

    fn add(&mut self, grants: Vec<(Uuid, String)>, position: i64) {
        self.position = position;
        for (grant, title) in grants {
            self.grants.push(grant);
            let pairs = self.titles.add(&title);
            self.keep(pairs);
        }
    }

    fn keep(&mut self, pairs: Vec<Similar>) {
        for pair in pairs {
            for place in [pair.first, pair.second] {
                self.having.entry(self.grants[place]).or_default().push(self.pairs.len());
            }
            self.pairs.push(pair);
        }
    }

    /// All pairs, or those of one grant.
    fn pairs(&self, of: Option<Uuid>) -> Vec<Pair> {
        let named = |pair: &Similar| (self.grants[pair.first], self.grants[pair.second], pair.per_mille);
        match of {
            None => self.pairs.iter().map(named).collect(),
            Some(grant) => {
                let places = self.having.get(&grant).into_iter().flatten();
                places.map(|place| named(&self.pairs[*place])).collect()
            }
        }
    }
}

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
    /// Whether the title is the project's own.
    titled: bool,
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
            && filter.party.as_ref().is_none_or(|party| party.contains(&self.lead))
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
    let pairs = pairs(store, search, rulebook.similarity_per_mille, alike, within).await?;
    let named: BTreeSet<Uuid> = pairs.iter().flat_map(|(one, other, _)| [*one, *other]).collect();
    let live = live(store, search.point, named.into_iter().collect(), within).await?;
    let of_pair = |&(one, other, per_mille): &Pair| {
        let (one, other) = (live.get(&one)?, live.get(&other)?);
        let (earlier, later) = if one.position <= other.position { (one, other) } else { (other, one) };
        later.passes(&search.filter).then(|| Finding {
            rule: Rule::A04,
            case: "similar",
            subject: format!("{}/similar/{}", later.grant, earlier.grant),
            position: later.position,
            evidence: vec![earlier.position, later.position],
            grant: Some(later.grant),
            programme: Some(later.programme),
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
    Ok(pairs.iter().filter_map(of_pair).collect())
}

/// What a pair amounts to at a point, with its currency: the later grant, the earlier one, and the position of its cause. `None`
/// where it is no finding there. Two titles are compared as they are, whatever else was.
pub(super) async fn pair_at(
    store: &Store,
    point: Point,
    rulebook: &Rulebook,
    (later, earlier, cause): (Uuid, Uuid, i64),
    within: Duration,
) -> Result<Option<(i64, String)>, QueryError> {
    let mut live = live(store, point, vec![later, earlier], within).await?;
    let (Some(one), Some(other)) = (live.remove(&later), live.remove(&earlier)) else { return Ok(None) };
    let alike = Titles::of(&[one.title.as_str(), other.title.as_str()], rulebook.similarity_per_mille).1;
    let is_so = one.titled && other.titled && !alike.is_empty();
    Ok((is_so && one.position == cause && other.position < cause).then_some((one.amount_minor, one.currency)))
}

/// All pairs of grants with titles that are alike, or those of the one grant that the filter names; at least those that this
/// point knows.
async fn pairs(
    store: &Store,
    search: &Search,
    per_mille: u32,
    alike: &Alike,
    within: Duration,
) -> Result<Vec<Pair>, QueryError> {
    let kept = tokio::time::timeout(within, Arc::clone(&alike.0).lock_owned()).await;
    let mut kept = kept.map_err(|_| QueryError::TooSlow)?;
    let (of, up_to) = (search.filter.grant, search.point.position);
    let since = kept.as_ref().filter(|known| known.per_mille == per_mille).map(|known| known.position);
    if let Some(known) = kept.as_ref().filter(|_| since.is_some_and(|since| since >= up_to)) {
        return Ok(known.pairs(of));
    }
    let came = titled(store, since.unwrap_or(0), up_to, within).await?;
    // It goes on, and is kept, though the caller may have left: whoever asks again finds it.
    let compare = move || {
        let compared = match kept.take().filter(|_| since.is_some()) {
            Some(mut known) => {
                known.add(came, up_to);
                known
            }
            None => Compared::of(came, up_to, per_mille),
        };
        kept.insert(compared).pairs(of)
    };
    tokio::task::spawn_blocking(compare)
        .await
        .map_err(|panicked| QueryError::Corrupt(format!("comparing titles ended early: {panicked}")))
}

/// The grants with a title of their own that came after one position and up to another, in order.
async fn titled(
    store: &Store,
    after: i64,
    up_to: i64,
    within: Duration,
) -> Result<Vec<(Uuid, String)>, QueryError> {
    let mut sql = Sql::new("SELECT g.grant_id, g.title FROM grants g WHERE g.titled AND g.position > ");
    sql.bind(after, Type::INT8).push(" AND g.position <= ").bind(up_to, Type::INT8);
    sql.push(" ORDER BY g.position");
    let rows = store.rows(&sql, within).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Those of these grants that are live at this point.
async fn live(
    store: &Store,
    point: Point,
    grants: Vec<Uuid>,
    within: Duration,
) -> Result<HashMap<Uuid, Award>, QueryError> {
    if grants.is_empty() {
        return Ok(HashMap::new());
    }
    let over = GrantStep::ENDS.into_iter().chain([GrantStep::Rejected, GrantStep::Withdrawn]);
    let amounts = [
        GrantStep::Applied,
        GrantStep::Approved,
        GrantStep::Contracted,
        GrantStep::Amended,
        GrantStep::Imported,
    ];
    let mut sql = Sql::new(
        "SELECT g.grant_id, g.programme, p.year, g.currency, g.mode, g.industry, g.lead, g.lead_region, g.title, g.synthetic, \
         a.position, a.effective_on, coalesce(m.amount_minor, 0), g.titled FROM grants g JOIN programmes p USING (programme) \
         CROSS JOIN LATERAL (SELECT a.position, a.effective_on FROM grant_steps a WHERE a.grant_id = g.grant_id AND ",
    );
    sql.push(&format!(
        "a.step IN ({}) AND ",
        numbers::list([GrantStep::Admitted, GrantStep::Imported].map(GrantStep::number))
    ));
    sql.known_at("a", point).push(
        " ORDER BY a.position LIMIT 1) a LEFT JOIN LATERAL (SELECT m.amount_minor FROM grant_steps m \
         WHERE m.grant_id = g.grant_id AND ",
    );
    sql.push(&format!("m.step IN ({}) AND ", numbers::list(amounts.map(GrantStep::number))))
        .known_at("m", point);
    sql.push(" ORDER BY m.position DESC LIMIT 1) m ON true WHERE g.grant_id = ANY(")
        .bind(grants, Type::UUID_ARRAY);
    sql.push(") AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = g.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", numbers::list(over.map(GrantStep::number))))
        .known_at("e", point)
        .push(")");
    let rows = store.rows(&sql, within).await?;
    let mut awards = HashMap::with_capacity(rows.len());
    for row in &rows {
        let grant = row.try_get(0)?;
        let award = Award {
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
            titled: row.try_get(13)?,
        };
        awards.insert(grant, award);
    }
    Ok(awards)
}
