//! Balances of the accounts, grouped by up to three dimensions; the currency always separates.

use super::{Filter, Point, QueryError, Slice, Sql, Store, sum};
use crate::{labels, numbers};
use concord_events::ledger::Account;
use concord_kernel::{Date, region::Regions};
use concord_proto::{
    amount,
    audit::v1::{Balance, Dimension},
};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio_postgres::{Row, types::Type};

/// Amounts of a balance in the order of its columns, and what each adds up.
pub(crate) const AMOUNTS: [(&str, Amount); 14] = [
    ("appropriated_minor", Amount::Turned(Account::Treasury)),
    ("available_minor", Amount::Of(Account::Available)),
    ("reserved_minor", Amount::Of(Account::Reserved)),
    ("committed_minor", Amount::Of(Account::Committed)),
    ("instructed_minor", Amount::Of(Account::Instructed)),
    ("recipient_unspent_minor", Amount::Of(Account::RecipientUnspent)),
    ("eligible_spend_minor", Amount::Of(Account::EligibleSpend)),
    ("recoverable_minor", Amount::Of(Account::Recoverable)),
    ("refunded_minor", Amount::Of(Account::Refunded)),
    ("retained_by_rule_minor", Amount::Of(Account::RetainedByRule)),
    ("written_off_minor", Amount::Of(Account::WrittenOff)),
    ("settled_minor", Amount::Settled),
    ("match_pledged_minor", Amount::Of(Account::MatchPledged)),
    ("match_arrived_minor", Amount::Of(Account::MatchArrived)),
];

/// Places of the amounts of a balance, in the order of [`AMOUNTS`].
fn places_of(balance: &mut Balance) -> [&mut i64; AMOUNTS.len()] {
    [
        &mut balance.appropriated_minor,
        &mut balance.available_minor,
        &mut balance.reserved_minor,
        &mut balance.committed_minor,
        &mut balance.instructed_minor,
        &mut balance.recipient_unspent_minor,
        &mut balance.eligible_spend_minor,
        &mut balance.recoverable_minor,
        &mut balance.refunded_minor,
        &mut balance.retained_by_rule_minor,
        &mut balance.written_off_minor,
        &mut balance.settled_minor,
        &mut balance.match_pledged_minor,
        &mut balance.match_arrived_minor,
    ]
}

/// Writes the amounts of a balance, in the order of [`AMOUNTS`].
pub(crate) fn put_amounts(balance: &mut Balance, amounts: [i128; AMOUNTS.len()]) {
    let mut exact = Vec::new();
    for ((place, amount), (name, _)) in places_of(balance).into_iter().zip(amounts).zip(AMOUNTS) {
        amount::put(amount, name, place, &mut exact);
    }
    balance.exact = exact;
}

/// The amounts of a balance, exactly, in the order of [`AMOUNTS`].
pub(crate) fn amounts_of(balance: &mut Balance) -> [i128; AMOUNTS.len()] {
    let exact = std::mem::take(&mut balance.exact);
    let mut names = AMOUNTS.iter();
    let amounts = places_of(balance).map(|place| {
        let name = names.next().map_or("", |(name, _)| name);
        amount::of(*place, name, &exact)
    });
    balance.exact = exact;
    amounts
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Of(Account),
    /// With its sign turned.
    Turned(Account),
    /// A turnover: lines of settlements and of their returns.
    Settled,
}

impl Amount {
    /// The sum over rows of `sums` as `s`: a `numeric`, which no sum runs over.
    fn sql(&self) -> String {
        match self {
            Self::Of(account) => {
                format!(
                    "coalesce(sum(s.amount_minor) FILTER (WHERE s.account = {}), 0)",
                    numbers::account(*account)
                )
            }
            Self::Turned(account) => {
                format!(
                    "coalesce(-sum(s.amount_minor) FILTER (WHERE s.account = {}), 0)",
                    numbers::account(*account)
                )
            }
            Self::Settled => "coalesce(sum(s.settled_minor) FILTER (WHERE NOT s.counts), 0)".to_owned(),
        }
    }
}

/// Name of a dimension's column in exports and in `order_by`.
pub(crate) fn column(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Unspecified => "",
        Dimension::Programme => "programme_id",
        Dimension::Mode => "mode",
        Dimension::LeadRegion => "lead_region",
        Dimension::PartyRegion => "party_region",
        Dimension::Industry => "industry",
        Dimension::Year => "year",
        Dimension::Period => "period",
        Dimension::Grant => "grant_id",
        Dimension::Party => "party_id",
    }
}

/// Name of the column that shows a dimension to people; `None` where its value is readable as it is.
pub(crate) fn label_column(dimension: Dimension) -> Option<&'static str> {
    match dimension {
        Dimension::Programme => Some("programme_label"),
        Dimension::Mode => Some("mode_label"),
        Dimension::LeadRegion => Some("lead_region_label"),
        Dimension::PartyRegion => Some("party_region_label"),
        Dimension::Industry => Some("industry_label"),
        Dimension::Grant => Some("grant_label"),
        Dimension::Party => Some("party_label"),
        Dimension::Unspecified | Dimension::Year | Dimension::Period => None,
    }
}

/// The value of a dimension over `postings` as `p`, `dims` as `d` and `persons` as `h`.
fn key(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Unspecified => "NULL::text",
        Dimension::Programme => "d.programme",
        Dimension::Mode => "d.mode",
        Dimension::LeadRegion => "d.lead_region",
        Dimension::PartyRegion => "d.party_region",
        Dimension::Industry => "d.industry",
        Dimension::Year => "d.year",
        Dimension::Period => "p.period",
        Dimension::Grant => "d.grant_id",
        // Merged parties are one holder.
        Dimension::Party => "coalesce(h.person, d.party)",
    }
}

/// A group's value as text, for sorting and showing; empty where the lines have none, as a programme's own have no
/// grant.
fn shown(dimension: Dimension, key: &str) -> String {
    match dimension {
        Dimension::Period => {
            // Four digits of the year, whatever it is.
            format!("coalesce(to_char({key} / 100, 'FM0000') || '-' || to_char({key} % 100, 'FM00'), '')")
        }
        _ => format!("coalesce({key}::text, '')"),
    }
}

/// A label that the tables hold; `None` where it is not theirs.
fn label(dimension: Dimension, key: &str) -> Option<String> {
    match dimension {
        Dimension::Programme => Some(format!(
            "(SELECT coalesce(nullif(x.title, ''), x.fund || ' ' || x.year) FROM programmes x WHERE x.programme = {key})"
        )),
        Dimension::Grant => Some(format!("(SELECT x.title FROM grants x WHERE x.grant_id = {key})")),
        _ => None,
    }
}

/// What to sum up, how to group and in which order.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) point: Point,
    pub(crate) filter: Filter,
    pub(crate) group_by: Vec<Dimension>,
    /// A name of [`sortable`] and whether it falls; `None`: by group.
    pub(crate) order_by: Option<(&'static str, bool)>,
    /// What regions are called.
    pub(crate) regions: Arc<Regions>,
}

/// Columns that balances grouped so can be ordered by.
pub(crate) fn sortable(group_by: &[Dimension]) -> Vec<&'static str> {
    let groups = group_by.iter().map(|dimension| column(*dimension));
    groups
        .chain(["currency"])
        .chain(AMOUNTS.iter().map(|(name, _)| *name))
        .chain(["grants", "synthetic_grants"])
        .collect()
}

impl Question {
    /// The groups in order, a slice of them, and (with a slice) the totals over all of them after it.
    pub(crate) fn sql(&self, slice: Option<Slice>) -> Sql {
        let amounts = |each: &dyn Fn(&str, &Amount) -> String| -> String {
            AMOUNTS.iter().fold(String::new(), |mut text, (name, amount)| {
                // Writing to a string does not fail.
                let _ = write!(text, ", {}", each(name, amount));
                text
            })
        };
        let keys: Vec<String> = (1..=self.group_by.len()).map(|number| format!("k{number}, ")).collect();
        let keys = keys.concat();

        // The postings are read once, and leave few narrow rows: one for each group and account, with its sums, and one for
        // each group and grant, which counts it.
        let of_dims = Filter { period: None, ..self.filter.clone() };
        let by_party = self.group_by.contains(&Dimension::Party);
        let mut sql = Sql::new("WITH ");
        if by_party {
            sql.persons(self.point).push(", ");
        }
        sql.push("sums AS MATERIALIZED (SELECT ");
        for (dimension, number) in self.group_by.iter().zip(1..) {
            sql.push(&format!("{} AS k{number}, ", key(*dimension)));
        }
        sql.push(
            "d.currency, p.account, d.grant_id, grouping(p.account) = 1 AS counts, sum(p.amount_minor) AS amount_minor, \
             sum(p.amount_minor) FILTER (WHERE p.settles) AS settled_minor FROM postings p JOIN dims d USING (dims)",
        );
        if by_party {
            sql.push(" LEFT JOIN persons h ON h.party = d.party");
        }
        sql.push(" WHERE ");
        sql.known_at("p", self.point);
        if let Some(period) = self.filter.period {
            sql.push(" AND p.period = ").bind(period, Type::INT4);
        }
        sql.narrow_dims(&of_dims);
        let by: String = self.group_by.iter().map(|dimension| format!("{}, ", key(*dimension))).collect();
        sql.push(&format!(
            " GROUP BY GROUPING SETS (({by}d.currency, p.account), ({by}d.currency, d.grant_id)))"
        ));

        sql.push(", groups AS (SELECT ");
        for (dimension, number) in self.group_by.iter().zip(1..) {
            let key = format!("k{number}");
            sql.push(&format!("{key}, {} COLLATE \"C\" AS t{key}, ", shown(*dimension, &key)));
        }
        sql.push("s.currency COLLATE \"C\" AS currency")
            .push(&amounts(&|name, amount| format!("{} AS {name}", amount.sql())))
            .push(
                ", count(s.grant_id) FILTER (WHERE s.counts) AS grants, count(*) FILTER (WHERE g.synthetic) AS synthetic_grants \
                 FROM sums s LEFT JOIN grants g ON s.counts AND g.grant_id = s.grant_id GROUP BY ",
            )
            .push(&keys)
            .push("s.currency), page AS (SELECT *, row_number() OVER (ORDER BY ")
            .push(&self.order());
        sql.push(") AS ordinal FROM groups ORDER BY ordinal").slice(slice).push(") SELECT ");
        for number in 1..=self.group_by.len() {
            sql.push(&format!("tk{number}, "));
        }
        for (dimension, number) in self.group_by.iter().zip(1..) {
            self.push_label(&mut sql, *dimension, &format!("k{number}"));
            sql.push(", ");
        }
        let names = amounts(&|name, _| name.to_owned());
        sql.push("currency")
            .push(&names)
            .push(", grants, synthetic_grants, false AS is_total, ordinal FROM page");
        if slice.is_some() {
            // A grant may be in several groups, and is one.
            let total = amounts(&|name, _| format!("sum({name})"));
            sql.push(" UNION ALL SELECT ").push(&"''::text, ".repeat(self.group_by.len() * 2));
            sql.push("t.currency").push(&total).push(
                ", min(c.grants), min(c.synthetic_grants), true, 0 FROM groups t JOIN (SELECT s.currency, \
                 count(DISTINCT s.grant_id) AS grants, count(DISTINCT g.grant_id) FILTER (WHERE g.synthetic) AS synthetic_grants \
                 FROM sums s LEFT JOIN grants g USING (grant_id) WHERE s.counts GROUP BY s.currency) c \
                 ON c.currency = t.currency GROUP BY t.currency",
            );
        }
        sql.push(" ORDER BY is_total, ordinal, currency");
        sql
    }

    /// The party's name as it was known; its code where it has none.
    fn push_label(&self, sql: &mut Sql, dimension: Dimension, key: &str) {
        if dimension == Dimension::Party {
            sql.push("coalesce((SELECT coalesce(nullif(x.name, ''), x.code) FROM parties x WHERE x.party = ")
                .push(key);
            sql.push(" AND x.position <= ").bind(self.point.position, Type::INT8);
            sql.push(" ORDER BY x.name = '', x.position DESC LIMIT 1), '')");
        } else {
            match label(dimension, key) {
                Some(label) => sql.push(&format!("coalesce({label}, '')")),
                None => sql.push("''::text"),
            };
        }
    }

    /// The order asked for, made total by the groups themselves, so that pages neither overlap nor leave out.
    fn order(&self) -> String {
        let mut terms = Vec::new();
        if let Some((name, falling)) = self.order_by {
            let key = self.group_by.iter().position(|dimension| column(*dimension) == name);
            let term = key.map_or_else(|| name.to_owned(), |index| format!("tk{}", index + 1));
            terms.push(format!("{term}{}", if falling { " DESC" } else { "" }));
        }
        terms.extend((1..=self.group_by.len()).map(|number| format!("tk{number}")));
        terms.push("currency".to_owned());
        terms.join(", ")
    }

    /// Reads a row of the answer; `true` beside it for a total.
    pub(crate) fn read(&self, row: &Row) -> Result<(Balance, bool), QueryError> {
        let width = self.group_by.len();
        let is_total: bool = row.try_get(2 * width + AMOUNTS.len() + 3)?;
        let mut balance = Balance {
            currency: row.try_get(2 * width)?,
            grants: row.try_get(2 * width + AMOUNTS.len() + 1)?,
            synthetic_grants: row.try_get(2 * width + AMOUNTS.len() + 2)?,
            ..Balance::default()
        };
        if !is_total {
            for (dimension, index) in self.group_by.iter().zip(0..) {
                let value: String = row.try_get(index)?;
                let stored: String = row.try_get(width + index)?;
                balance.labels.push(self.label(*dimension, &value, stored));
                balance.group.push(value);
            }
        }
        let mut amounts = [0; AMOUNTS.len()];
        for (amount, index) in amounts.iter_mut().zip(2 * width + 1..) {
            *amount = sum(row, index)?;
        }
        put_amounts(&mut balance, amounts);
        Ok((balance, is_total))
    }

    fn label(&self, dimension: Dimension, value: &str, stored: String) -> String {
        let on: Option<Date> = self.point.effective_on;
        match dimension {
            Dimension::Mode => labels::mode(value),
            Dimension::LeadRegion | Dimension::PartyRegion => labels::region(&self.regions, value, on),
            Dimension::Industry => labels::industry(value),
            Dimension::Year | Dimension::Period | Dimension::Unspecified => value.to_owned(),
            Dimension::Programme | Dimension::Grant | Dimension::Party => stored,
        }
    }

    /// A page of groups, whether there are more, and the totals over all groups.
    pub(crate) async fn page(
        &self,
        store: &Store,
        slice: Slice,
        within: Duration,
    ) -> Result<(Vec<Balance>, bool, Vec<Balance>), QueryError> {
        let one_more = Slice { limit: slice.limit + 1, ..slice };
        let mut balances = Vec::new();
        let mut totals = Vec::new();
        for row in store.rows(&self.sql(Some(one_more)), within).await? {
            let (balance, is_total) = self.read(&row)?;
            if is_total { totals.push(balance) } else { balances.push(balance) }
        }
        let more = balances.len() > usize::try_from(slice.limit).unwrap_or(usize::MAX);
        if more {
            balances.pop();
        }
        Ok((balances, more, totals))
    }
}
