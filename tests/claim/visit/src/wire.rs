//! The edge: from a request to a command, and from a state to an answer. With `service`, the only file that names the
//! proto types.

use crate::{
    Command,
    events::VisitId,
    proto,
    visit::{Arrangement, Stage, Visit, VisitCommand},
};
use concord_chassis::{
    ask,
    edge::{Asked, ID_BYTES_MAX, Reading, TEXT_BYTES_MAX},
};

ask!(Command: proto::ArrangeVisitRequest, |this, reading| {
    let id = visit_id(reading, &this.visit_id);
    let host = reading.party_code("host", &this.host);
    let guest = reading.party_code("guest", &this.guest);
    let planned_on = reading.faults.date("planned_on", &this.planned_on);
    let purpose = reading.faults.text("purpose", &this.purpose, TEXT_BYTES_MAX, true);
    let arrangement =
        Arrangement { host: host?, guest: guest?, planned_on: planned_on?, purpose: purpose? };
    Some(of(id?, VisitCommand::Arrange(arrangement)))
});

ask!(Command: proto::MinuteVisitRequest, |this, reading| {
    let id = visit_id(reading, &this.visit_id);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    Some(of(id?, VisitCommand::Minute { minutes: minutes? }))
});

ask!(Command: proto::CloseVisitRequest, |this, reading| {
    Some(of(visit_id(reading, &this.visit_id)?, VisitCommand::Close))
});

fn visit_id(reading: &mut Reading<'_>, text: &str) -> Option<VisitId> {
    reading.faults.require_uuid("visit_id", text).map(VisitId)
}

fn of(id: VisitId, command: VisitCommand) -> Asked<Command> {
    Asked::of(id.stream(), Command(id, command))
}

/// The visit as an answer.
pub(crate) fn visit(visit: &Visit, version: u64) -> proto::Visit {
    let state = match visit.stage {
        Stage::Arranged => proto::VisitState::Arranged,
        Stage::Minuted { .. } => proto::VisitState::Minuted,
        Stage::Closed { .. } => proto::VisitState::Closed,
    };
    proto::Visit {
        visit_id: visit.id.0.to_string(),
        state: state.into(),
        host: visit.arranged.host.to_string(),
        guest: visit.arranged.guest.to_string(),
        planned_on: visit.arranged.planned_on.to_string(),
        purpose: visit.arranged.purpose.clone(),
        minutes: visit.minutes().to_owned(),
        version,
    }
}
