//! What a refusal says, in English and in Chinese. Codes are stable, sentences may improve.

use crate::events::VisitId;
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_kernel::Date;

pub(crate) fn no_visit(id: VisitId) -> Broken {
    broken(
        "NOT_FOUND",
        format!("there is no visit {}; check the id, or arrange it first", id.0),
        format!("没有互访{}；请核对编号，或先行约定", id.0),
        &[("visit", &id.0)],
    )
}

pub(crate) fn visits_itself() -> Broken {
    at(
        "guest",
        broken(
            "VISITS_ITSELF",
            "is the host too; name the other party".to_owned(),
            "来访方与接待方相同；请填写另一方".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn planned_before(planned_on: Date, arranged_on: Date) -> Broken {
    at(
        "planned_on",
        broken(
            "PLANNED_BEFORE_ARRANGED",
            format!(
                "a visit arranged on {arranged_on} cannot be planned for {planned_on}; give {arranged_on} or later"
            ),
            format!("互访于{arranged_on}约定，计划日期不得为{planned_on}；请填写{arranged_on}或之后的日期"),
            &[("planned_on", &planned_on), ("arranged_on", &arranged_on)],
        ),
    )
}

pub(crate) fn not_minuted() -> Broken {
    broken(
        "WRONG_STAGE",
        "only a visit with minutes is closed; this one is arranged. Minute it first".to_owned(),
        "形成纪要后方可办结；该互访目前为“已约定”。请先录入纪要".to_owned(),
        &[("stage", &"arranged")],
    )
}

pub(crate) fn minuted_otherwise(minutes: &str) -> Broken {
    broken(
        "MINUTED_OTHERWISE",
        format!("it has minutes already, {minutes}; they stand, and others are refused"),
        format!("该互访已有纪要{minutes}，以其为准，不再接受其他纪要"),
        &[("minutes", &minutes)],
    )
}
