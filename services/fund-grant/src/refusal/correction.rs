//! What is said of corrections 更正.

use super::{at, broken};
use crate::grant::facts::RecordedFact;
use concord_chassis::log::Broken;
use concord_events::ledger::Account;
use concord_kernel::{money::Amount, party::PartyId};

pub(crate) fn no_fact(position: u64) -> Broken {
    at(
        "position",
        broken(
            "FACT_NOT_FOUND",
            format!(
                "position {position} is no fact of this grant that can be corrected; give the position of a settlement, an \
                 arrival of matching money, a transfer of a share, an acceptance of spending, a refund of a balance or a \
                 repayment of a recovery"
            ),
            format!(
                "第{position}号事件不是本项目可更正的资金事项；请填写到账、配套到位、转拨、支出核定、结余退回或追缴缴款事件的序号"
            ),
            &[("position", &position)],
        ),
    )
}

pub(crate) fn correction_of_correction(position: u64, corrected: u64) -> Broken {
    at(
        "position",
        broken(
            "CORRECTION_OF_CORRECTION",
            format!(
                "position {position} is itself the correction of position {corrected}, and is not corrected; record the right \
                 fact anew instead"
            ),
            format!("第{position}号事件本身是对第{corrected}号事件的更正，不得再更正；请重新登记正确的事项"),
            &[("position", &position), ("corrected_position", &corrected)],
        ),
    )
}

pub(crate) fn fact_undone(known: &RecordedFact, by: u64) -> Broken {
    let (position, fact) = (known.position, known.fact.code());
    at(
        "position",
        broken(
            "FACT_UNDONE",
            format!(
                "the {fact} at position {position} was undone at position {by}, so there is nothing left to correct; look at \
                 that event"
            ),
            format!("第{position}号事件已由第{by}号事件撤回，无须更正；请核对该事件"),
            &[("position", &position), ("undone_at", &by), ("fact", &fact)],
        ),
    )
}

pub(crate) fn correction_not_covered(
    account: Account,
    party: Option<PartyId>,
    held: Amount,
    needed: Amount,
) -> Broken {
    let party = party.map(|party| party.to_string()).unwrap_or_default();
    let (account, account_zh) = (account.code(), account.label_zh());
    broken(
        "CORRECTION_NOT_COVERED",
        format!(
            "its reversal takes {needed} from {account}, where {held} is left; first correct what the money went on to, or \
             determine a recovery"
        ),
        format!("冲销须从“{account_zh}”扣减{needed}，而现仅有{held}；请先更正其后续事项，或作出追缴决定"),
        &[
            ("account", &account),
            ("party_id", &party),
            ("held_minor", &held.minor),
            ("needed_minor", &needed.minor),
            ("currency", &held.currency),
        ],
    )
}
