//! What is said where a lead's other grants stand in the way: A04 and A11.

use super::broken;
use concord_chassis::log::Broken;
use concord_kernel::{Date, id::GrantId};

/// `ended`: when the other grant ended, and the first day on which its project may be funded again.
pub(crate) fn funded_already(other: GrantId, fund: &str, ended: Option<(Date, Date)>) -> Broken {
    match ended {
        None => broken(
            "A04_FUNDED_ALREADY",
            format!(
                "the same project of this lead is live as grant {other} of the fund {fund}; reject this application, or end that \
                 grant first (A04)"
            ),
            format!(
                "该牵头单位的同一项目已在{fund}基金立项（项目{other}），尚未终结；请不予受理，或先终结该项目（A04）"
            ),
            &[("other_grant_id", &other), ("fund", &fund)],
        ),
        Some((ended_on, cools_until)) => broken(
            "A04_FUNDED_ALREADY",
            format!(
                "the same project of this lead was funded as grant {other} of the fund {fund}, which ended on {ended_on}; admit it \
                 on {cools_until} or later (A04)"
            ),
            format!(
                "该牵头单位的同一项目曾获{fund}基金资助（项目{other}），于{ended_on}终结；请于{cools_until}起受理（A04）"
            ),
            &[
                ("other_grant_id", &other),
                ("fund", &fund),
                ("ended_on", &ended_on),
                ("cools_until", &cools_until),
            ],
        ),
    }
}

pub(crate) fn acceptance_overdue(grant: GrantId, due_on: Date, overdue: usize, effective_on: Date) -> Broken {
    broken(
        "A11_ACCEPTANCE_OVERDUE",
        format!(
            "final acceptance of this lead's grant {grant} was due on {due_on} and is not concluded, one of {overdue} that are \
             overdue; conclude it first (A11)"
        ),
        format!(
            "该牵头单位的项目{grant}应于{due_on}前完成验收，至今未验收（逾期共{overdue}项）；请先完成验收（A11）"
        ),
        &[
            ("other_grant_id", &grant),
            ("acceptance_due_on", &due_on),
            ("overdue", &overdue),
            ("effective_on", &effective_on),
        ],
    )
}
