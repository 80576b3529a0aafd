//! The fund's event as the chassis takes it: the language is one crate, the chassis another, and neither knows the
//! other, so a consumer introduces them.

use concord_chassis::record::LogEvent;
use concord_events::fund::FundEvent;
use concord_kernel::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event of the `fund-grant` log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Event(pub FundEvent);

impl LogEvent for Event {
    fn stream(&self) -> (&'static str, Uuid) {
        self.0.stream()
    }

    fn also(&self) -> Vec<Uuid> {
        self.0.also()
    }

    fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    fn advances_today(&self) -> Option<Date> {
        match self.0 {
            FundEvent::TodayAdvanced { today } => Some(today),
            _ => None,
        }
    }

    fn today_advanced(today: Date) -> Self {
        Self(FundEvent::TodayAdvanced { today })
    }
}
