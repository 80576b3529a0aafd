//! What is said of the shares of a grant's parties.

use super::{at, broken};
use crate::grant::Grant;
use concord_chassis::log::Broken;
use concord_kernel::{
    money::{Amount, format_minor},
    party::PartyId,
};

/// Parties that a refusal names: its text is bounded.
const PARTIES_TOLD: usize = 10;

/// The party in `field` is none of the grant's.
pub(crate) fn no_party(field: &str, grant: &Grant, party: PartyId) -> Broken {
    let told: Vec<String> =
        grant.parties().take(PARTIES_TOLD).map(|own| format!("{} ({})", own.party, own.code)).collect();
    let (count, told) = (grant.parties().count(), told.join(", "));
    let (more, more_zh) = if count > PARTIES_TOLD { (" and others", "等") } else { ("", "") };
    at(
        field,
        broken(
            "PARTY_UNKNOWN",
            format!(
                "{party} is no party of this grant, which has {count}: {told}{more}; name one of them, or have the contract \
                 amended first"
            ),
            format!(
                "{party}不是本项目的参与单位；本项目共{count}家：{told}{more_zh}。请核对单位，或先变更任务书"
            ),
            &[("party_id", &party), ("parties", &told), ("parties_count", &count)],
        ),
    )
}

pub(crate) fn share_to_the_lead(lead: PartyId) -> Broken {
    at(
        "to_party_id",
        broken(
            "SHARE_TO_THE_LEAD",
            format!("{lead} leads this grant and holds its own share already; name a partner"),
            format!("{lead}是本项目的牵头单位，其份额无需转拨；请填写合作单位"),
            &[("to_party_id", &lead)],
        ),
    )
}

pub(crate) fn share_above_unspent(asked: Amount, unspent: Amount) -> Broken {
    at(
        "amount",
        broken(
            "SHARE_ABOVE_UNSPENT",
            format!("the lead holds {unspent} unspent; pass on {unspent} or less, not {asked}"),
            format!("牵头单位未用余额为{unspent}；转拨金额不得超过该数（现为{asked}）"),
            &[
                ("asked_minor", &asked.minor),
                ("unspent_minor", &unspent.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn share_above_allocation(
    to: PartyId,
    allocated: Amount,
    passed_on: Amount,
    left: Amount,
    asked: Amount,
) -> Broken {
    at(
        "amount",
        broken(
            "SHARE_ABOVE_ALLOCATION",
            format!(
                "{allocated} is the share of {to} and {passed_on} of it was passed on; pass on {left} or less, not {asked}, or \
                 have the contract amended first"
            ),
            format!(
                "{to}的分配额度为{allocated}，已转拨{passed_on}；本次转拨不得超过{left}（现为{asked}），或先变更任务书"
            ),
            &[
                ("to_party_id", &to),
                ("allocated_minor", &allocated.minor),
                ("passed_on_minor", &passed_on.minor),
                ("left_minor", &left.minor),
                ("asked_minor", &asked.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

/// `sum_minor`: what the shares of the application add up to; it may be beyond an `i64`.
pub(crate) fn shares_not_the_contract(sum_minor: i128, contracted: Amount) -> Broken {
    let currency = contracted.currency;
    let sum = i64::try_from(sum_minor)
        .map_or_else(|_| sum_minor.to_string(), |minor| format_minor(minor, currency));
    at(
        "allocations",
        broken(
            "SHARES_NOT_THE_CONTRACT",
            format!(
                "the shares add up to {sum} {currency} and the contract is {contracted}; give the share of each party of the \
                 contract, so that they add up to it"
            ),
            format!(
                "各单位分配额度合计{sum} {currency}，任务书金额为{contracted}；请随任务书填报各单位分配额度，合计须等于任务书金额"
            ),
            &[("shares_minor", &sum_minor), ("contracted_minor", &contracted.minor), ("currency", &currency)],
        ),
    )
}
