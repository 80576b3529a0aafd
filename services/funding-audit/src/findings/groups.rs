//! Findings grouped, ranked and paged. They are held in memory: a question finds at most as many as there are facts, and its
//! pages are of one answer.

use super::{Finding, Search, words};
use concord_kernel::Date;
use concord_proto::{
    amount,
    audit::v1::{self as audit, FindingDimension},
};
use std::collections::BTreeMap;

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The largest amount first.
    Amount,
    /// The oldest first.
    Age,
    /// By rule, then by subject.
    Rule,
}

/// Ranks findings; what is alike stays in the order of its key.
pub(crate) fn rank(findings: &mut [&Finding], order: Order) {
    match order {
        Order::Amount => findings.sort_by_key(|finding| std::cmp::Reverse(finding.amount_minor)),
        Order::Age => findings.sort_by_key(|finding| finding.since),
        Order::Rule => {}
    }
}

/// The ages that findings are grouped by: up to so many days, and what that is called.
const AGES: [(i32, &str); 4] = [(30, "1-30"), (90, "31-90"), (180, "91-180"), (365, "181-365")];

/// What an age in days is called. A finding of today has no full day yet, and counts with the youngest.
pub(crate) fn age(days: i32) -> &'static str {
    AGES.iter().find(|(most, _)| days <= *most).map_or("366+", |(_, name)| name)
}

/// All findings by group, the largest amount first; without dimensions, the whole of each currency. Those that were dismissed are
/// counted apart, and with the others only where they are `listed`. Sums are wider than the amounts.
pub(crate) fn group(
    findings: &[Finding],
    by: &[FindingDimension],
    search: &Search,
    listed: impl Fn(&Finding) -> bool,
    label: impl Fn(FindingDimension, &Finding) -> String,
) -> Vec<audit::FindingGroup> {
    struct Sum {
        labels: Vec<String>,
        findings: i64,
        amount_minor: i128,
        oldest_days: i32,
        synthetic: i64,
        dismissed: i64,
        dismissed_minor: i128,
    }
    let on = search.on;
    let mut sums: BTreeMap<(Vec<String>, &str), Sum> = BTreeMap::new();
    for finding in findings {
        let value = |dimension: &FindingDimension| value(*dimension, finding, on);
        let key = (by.iter().map(value).collect(), finding.currency.as_str());
        let sum = sums.entry(key).or_insert_with(|| Sum {
            labels: by.iter().map(|dimension| label(*dimension, finding)).collect(),
            findings: 0,
            amount_minor: 0,
            oldest_days: 0,
            synthetic: 0,
            dismissed: 0,
            dismissed_minor: 0,
        });
        if finding.is_dismissed() {
            sum.dismissed += 1;
            sum.dismissed_minor += i128::from(finding.amount_minor);
        }
        if !listed(finding) {
            continue;
        }
        sum.findings += 1;
        sum.amount_minor += i128::from(finding.amount_minor);
        sum.oldest_days = sum.oldest_days.max(finding.age_days(on));
        sum.synthetic += i64::from(finding.synthetic);
    }
    let answered = |((group, currency), sum): ((Vec<String>, &str), Sum)| {
        let (amount_minor, exact_minor) = amount::to_wire(sum.amount_minor);
        let (dismissed_minor, dismissed_exact_minor) = amount::to_wire(sum.dismissed_minor);
        let group = audit::FindingGroup {
            group,
            labels: sum.labels,
            currency: currency.to_owned(),
            findings: sum.findings,
            amount_minor,
            oldest_days: sum.oldest_days,
            synthetic: sum.synthetic,
            exact_minor,
            dismissed: sum.dismissed,
            dismissed_minor,
            dismissed_exact_minor,
        };
        (sum.amount_minor, group)
    };
    let mut groups: Vec<(i128, audit::FindingGroup)> = sums.into_iter().map(answered).collect();
    groups.sort_by_key(|(amount_minor, _)| std::cmp::Reverse(*amount_minor));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// A finding's value of a dimension.
fn value(dimension: FindingDimension, finding: &Finding, on: Date) -> String {
    match dimension {
        FindingDimension::Unspecified => String::new(),
        FindingDimension::Rule => finding.rule.code().to_owned(),
        FindingDimension::Case => format!("{} {}", finding.rule.code(), finding.case),
        FindingDimension::Programme => finding.programme.map(|id| id.to_string()).unwrap_or_default(),
        FindingDimension::LeadRegion => finding.lead_region.clone(),
        FindingDimension::Age => age(finding.age_days(on)).to_owned(),
    }
}

/// A finding as it is answered.
pub(crate) fn answer(finding: &Finding, search: &Search) -> audit::Finding {
    let (message, message_zh) = words::told(finding);
    let charged = finding.charged.as_ref();
    let concluded = charged.and_then(|charged| charged.concluded.as_ref());
    audit::Finding {
        rule: finding.rule.code().to_owned(),
        case: finding.case.to_owned(),
        subject: finding.subject.clone(),
        position: finding.position.unsigned_abs(),
        evidence: finding.evidence.iter().map(|position| position.unsigned_abs()).collect(),
        grant_id: finding.grant.map(|grant| grant.to_string()).unwrap_or_default(),
        programme_id: finding.programme.map(|id| id.to_string()).unwrap_or_default(),
        title: finding.title.clone(),
        lead_region: finding.lead_region.clone(),
        amount_minor: finding.amount_minor,
        currency: finding.currency.clone(),
        since: finding.since.to_string(),
        age_days: finding.age_days(search.on),
        message,
        message_zh,
        rectification_state: charged.map(|charged| charged.state.to_owned()).unwrap_or_default(),
        rectification_id: charged.map(|charged| charged.rectification.to_string()).unwrap_or_default(),
        owner: charged.map(|charged| charged.owner.clone()).unwrap_or_default(),
        deadline: charged.map(|charged| charged.deadline.to_string()).unwrap_or_default(),
        synthetic: finding.synthetic,
        concluded_position: concluded.map_or(0, |concluded| concluded.position.unsigned_abs()),
        concluded_on: concluded.map(|concluded| concluded.on.to_string()).unwrap_or_default(),
        concluded_minor: concluded.and_then(|concluded| concluded.minor).unwrap_or_default(),
        covered: finding.is_covered(),
    }
}

/// The values of a group, in the order of [`crate::columns::finding_groups`]. The whole has no values of its own: it says so in the
/// first column.
pub(crate) fn record(by: &[FindingDimension], group: audit::FindingGroup) -> Vec<String> {
    let mut record = Vec::new();
    for (index, dimension) in by.iter().enumerate() {
        let of_whole = if index == 0 { "total" } else { "" };
        record.push(group.group.get(index).cloned().unwrap_or_else(|| of_whole.to_owned()));
        let is_labelled = matches!(
            dimension,
            FindingDimension::Rule | FindingDimension::Case | FindingDimension::LeadRegion
        );
        if is_labelled {
            record.push(group.labels.get(index).cloned().unwrap_or_default());
        }
    }
    record.push(group.currency);
    let sums = [
        group.findings.into(),
        amount::from_wire(group.amount_minor, &group.exact_minor),
        group.dismissed.into(),
        amount::from_wire(group.dismissed_minor, &group.dismissed_exact_minor),
        group.oldest_days.into(),
        group.synthetic.into(),
    ];
    record.extend(sums.map(|sum: i128| sum.to_string()));
    record
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_told_by_their_bounds() {
        let told = [0, 1, 30, 31, 90, 91, 180, 181, 365, 366].map(age);
        assert_eq!(
            told,
            ["1-30", "1-30", "1-30", "31-90", "31-90", "91-180", "91-180", "181-365", "181-365", "366+"]
        );
    }
}
