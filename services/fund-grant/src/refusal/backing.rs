//! What is said of the agreement that backs a grant (A01), and of a hold.

use super::{at, broken};
use crate::{
    backing::{AGREEMENT_LOG, Backing, DEPENDENTS_MAX},
    grant::Grant,
};
use concord_chassis::log::{Broken, Context, Followed};
use concord_events::fund::{HoldCause, Party};
use concord_kernel::{Date, id::AgreementId};
use jiff::Timestamp;

/// Where the agreement log has been taken in up to; 0 where nothing of it has been verified.
fn taken_in(context: &Context<'_>) -> u64 {
    context.followed(AGREEMENT_LOG).map_or(0, |followed| followed.position)
}

pub(crate) fn no_backing(agreement: AgreementId, context: &Context<'_>) -> Broken {
    let position = taken_in(context);
    at(
        "agreement_id",
        broken(
            "AGREEMENT_NOT_FOUND",
            format!(
                "no agreement {agreement} is known here, where the agreement log has been taken in up to {position}; check \
                 the id, or give the position at which it was drafted as agreement_position"
            ),
            format!(
                "截至协议日志第{position}号事件，未见协议{agreement}；请核对编号，或在agreement_position中填写其起草事件的序号"
            ),
            &[("agreement_id", &agreement), ("agreement_log_position", &position)],
        ),
    )
}

pub(crate) fn agreement_not_taken_in(agreement: AgreementId, seen: u64, taken_in: u64) -> Broken {
    at(
        "agreement_position",
        broken(
            "AGREEMENT_NOT_TAKEN_IN",
            format!(
                "the agreement log has been taken in up to {taken_in} here, and the request rests on {seen}; try again"
            ),
            format!("协议日志目前处理至第{taken_in}号事件，本请求依据第{seen}号事件；请稍后重试"),
            &[
                ("agreement_id", &agreement),
                ("agreement_position", &seen),
                ("agreement_log_position", &taken_in),
            ],
        ),
    )
}

pub(crate) fn backing_ended(backing: &Backing, today: Date) -> Broken {
    let (standing, standing_zh) = backing.standing(today).words();
    let (agreement, position) = (backing.agreement, backing.at.position);
    at(
        "agreement_id",
        broken(
            "BACKING_ENDED",
            format!(
                "agreement {agreement} is {standing}, as of position {position} of its log; name one that has not ended, or \
                 renew it first"
            ),
            format!(
                "协议{agreement}目前为“{standing_zh}”（协议日志第{position}号事件）；请指明尚未结束的协议，或先续签"
            ),
            &[
                ("agreement_id", &agreement),
                ("agreement_state", &standing),
                ("agreement_position", &position),
            ],
        ),
    )
}

pub(crate) fn lead_no_party(backing: &Backing, lead: &Party) -> Broken {
    let (agreement, position) = (backing.agreement, backing.at.position);
    at(
        "agreement_id",
        broken(
            "BACKING_WITHOUT_LEAD",
            format!(
                "the grant's lead, {}, is no party of agreement {agreement}, as of position {position} of its log; name an \
                 agreement that it has signed",
                lead.code
            ),
            format!(
                "牵头单位{}不是协议{agreement}的当事方（协议日志第{position}号事件）；请指明其作为当事方的协议",
                lead.code
            ),
            &[("agreement_id", &agreement), ("lead", &lead.code), ("agreement_position", &position)],
        ),
    )
}

pub(crate) fn too_many_dependents(backing: &Backing) -> Broken {
    let agreement = backing.agreement;
    at(
        "agreement_id",
        broken(
            "BACKING_FULL",
            format!(
                "{DEPENDENTS_MAX} grants rest on agreement {agreement} already, which is the most; name another one"
            ),
            format!("依托协议{agreement}的项目已达上限{DEPENDENTS_MAX}个；请指明其他协议"),
            &[("agreement_id", &agreement), ("dependents_max", &DEPENDENTS_MAX)],
        ),
    )
}

// A01: paid without basis.

pub(crate) fn no_backing_named() -> Broken {
    broken(
        "A01_NO_BACKING",
        "the rulebook has grants rest on an agreement, and this one names none; name it, then instruct again (A01)"
            .to_owned(),
        "按现行规则，项目须有依托协议，而该项目尚未指明；请先指明依托协议，再下达支付指令（A01）".to_owned(),
        &[],
    )
}

pub(crate) fn backing_unknown(agreement: AgreementId) -> Broken {
    broken(
        "A01_BACKING_UNKNOWN",
        format!(
            "agreement {agreement} backs this grant, and nothing is known of it here; have the log checked (concord log check), \
             or name another agreement, then instruct again (A01)"
        ),
        format!(
            "该项目依托协议{agreement}，而本系统没有该协议的记录；请核查日志（concord log check）或另行指明依托协议，再下达支付\
             指令（A01）"
        ),
        &[("agreement_id", &agreement)],
    )
}

pub(crate) fn lead_left(backing: &Backing, lead: &Party) -> Broken {
    let (agreement, position) = (backing.agreement, backing.at.position);
    broken(
        "A01_LEAD_NO_PARTY",
        format!(
            "the grant's lead, {}, is a party of agreement {agreement}, which backs this grant, no longer, as of position \
             {position} of its log. Name an agreement that it is a party of, then instruct again (A01)",
            lead.code
        ),
        format!(
            "截至协议日志第{position}号事件，牵头单位{}已不是依托协议{agreement}的当事方。请另行指明其作为当事方的协议，再下达\
             支付指令（A01）",
            lead.code
        ),
        &[("agreement_id", &agreement), ("lead", &lead.code), ("agreement_position", &position)],
    )
}

/// `on`: the day for which it is asked, that of the instruction or today.
pub(crate) fn backing_not_in_force(backing: &Backing, on: Date, today: Date) -> Broken {
    let (standing, standing_zh) = backing.standing(on.max(today)).words();
    let (agreement, position) = (backing.agreement, backing.at.position);
    broken(
        "A01_BACKING_NOT_IN_FORCE",
        format!(
            "agreement {agreement}, which backs this grant, is not in force on {on}; as of position {position} of its log it \
             is {standing}. Have it signed, resumed or renewed, or name another one, then instruct again (A01)"
        ),
        format!(
            "依托协议{agreement}在{on}不具效力；截至协议日志第{position}号事件，其状态为“{standing_zh}”。请先办理签署、恢复或\
             续签，或另行指明依托协议，再下达支付指令（A01）"
        ),
        &[
            ("agreement_id", &agreement),
            ("agreement_state", &standing),
            ("agreement_position", &position),
            ("on", &on),
        ],
    )
}

pub(crate) fn backing_unverified(
    backing: &Backing,
    followed: Option<&Followed>,
    now: Timestamp,
    minutes_max: u32,
) -> Broken {
    let (agreement, known) = (backing.agreement, backing.at);
    let (generation, position, at) =
        followed.map(|known| (known.generation, known.position, known.verified_at)).unwrap_or_default();
    let (when, when_zh) = match followed {
        Some(_) => (
            format!("was verified last at {at}, up to position {position} of generation {generation}"),
            format!("最近一次核实于{at}（第{generation}代，至第{position}号事件）"),
        ),
        None => {
            ("has not been verified since the service began".to_owned(), "自服务启动以来尚未核实".to_owned())
        }
    };
    broken(
        "A01_BACKING_UNVERIFIED",
        format!(
            "agreement {agreement} backs this grant, as position {} of the agreement log says (generation {}), and that log \
             {when}; money moves only within {minutes_max} minutes of a verification that covers that position. Try again when \
             the agreement service can be reached; where its log has lost the agreement, name another one (A01)",
            known.position, known.generation
        ),
        format!(
            "该项目依托协议{agreement}（依据协议日志第{}代第{}号事件），而协议日志{when_zh}；核实范围须包括该事件，且核实后\
             {minutes_max}分钟内方可拨款。请待协议服务恢复后重试；协议日志若已丢失该协议，请另行指明依托协议（A01）",
            known.generation, known.position
        ),
        &[
            ("agreement_id", &agreement),
            ("agreement_position", &known.position),
            ("agreement_generation", &known.generation),
            ("verified_position", &position),
            ("verified_generation", &generation),
            ("verified_at", &at),
            ("decided_at", &now),
            ("fact_max_age_minutes", &minutes_max),
        ],
    )
}

// The hold.

pub(crate) fn on_hold(grant: &Grant, since: Date) -> Broken {
    let causes: Vec<(String, String)> = grant.hold.causes.iter().map(told).collect();
    let listed = |list: Vec<&str>, none: &str, between: &str| {
        if list.is_empty() { none.to_owned() } else { list.join(between) }
    };
    let english = listed(causes.iter().map(|(english, _)| english.as_str()).collect(), "none is left", ", ");
    let chinese = listed(causes.iter().map(|(_, chinese)| chinese.as_str()).collect(), "原因均已消除", "、");
    broken(
        "GRANT_ON_HOLD",
        format!(
            "the grant is on hold since {since} (causes: {english}); see to the causes, then have an officer resume it"
        ),
        format!("该项目自{since}起暂停（{chinese}）；请先消除原因，再由管理人员恢复"),
        &[("since", &since), ("causes", &english)],
    )
}

pub(crate) fn too_many_causes(most: usize) -> Broken {
    broken(
        "HOLD_CAUSES_FULL",
        format!(
            "the grant is on hold for {most} causes already, which is the most; it stays on hold as it is"
        ),
        format!("该项目的暂停原因已达上限{most}项；项目仍处于暂停状态，无须再次登记"),
        &[("causes_max", &most)],
    )
}

pub(crate) fn cause_remains(cause: &HoldCause) -> Broken {
    let (english, chinese) = told(cause);
    broken(
        "HOLD_CAUSE_REMAINS",
        format!(
            "the grant stays on hold: {english}; have the agreement resumed or renewed, or name another one, then resume"
        ),
        format!("暂停原因尚在：{chinese}；请先恢复或续签协议，或另行指明依托协议，再恢复项目"),
        &[("cause", &english)],
    )
}

fn told(cause: &HoldCause) -> (String, String) {
    match cause {
        HoldCause::Office { reason } => {
            (format!("ordered by an officer, {reason:?}"), format!("管理人员暂停（{reason}）"))
        }
        HoldCause::BackingLost { agreement, how, agreement_position } => (
            format!("agreement {agreement} is {}, position {agreement_position} of its log", how.code()),
            format!("依托协议{agreement}已{}（协议日志第{agreement_position}号事件）", how.label_zh()),
        ),
    }
}
