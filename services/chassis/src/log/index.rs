//! The log's own small state, folded from every event: where each type last occurred, the played clock's today.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Folded from every event of the log, and kept as the snapshot with the nil id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    /// Position of the newest event of each type.
    pub(super) last_of_type: BTreeMap<String, u64>,
    /// Today, where the clock is played and has been moved.
    pub(super) today: Option<Date>,
    /// Events of the log's own stream.
    pub(super) own_version: u64,
    /// When the newest event was recorded, in microseconds since 1970.
    pub(super) recorded_at_us: i64,
}

/// The stream of the log itself.
pub(super) const OWN_STREAM: Uuid = Uuid::nil();

impl Index {
    /// Notes a committed event.
    pub(super) fn note(&mut self, type_name: &str, position: u64, advances_today: Option<Date>) {
        if let Some(today) = advances_today {
            self.today = Some(today);
            self.own_version += 1;
        }
        match self.last_of_type.get_mut(type_name) {
            Some(last) => *last = position,
            None => {
                self.last_of_type.insert(type_name.to_owned(), position);
            }
        }
    }

    /// Takes over what a committed batch changed.
    pub(super) fn promote(&mut self, changes: Changes) {
        for (type_name, position) in changes.last_of_type {
            self.note(type_name, position, None);
        }
        self.today = changes.today;
        self.own_version = changes.own_version;
        self.recorded_at_us = changes.recorded_at_us;
    }
}

/// What a batch in the making changes of the index, so that the index need not be copied for each.
pub(super) struct Changes {
    last_of_type: HashMap<&'static str, u64>,
    pub(super) today: Option<Date>,
    pub(super) own_version: u64,
    pub(super) recorded_at_us: i64,
}

impl Changes {
    pub(super) fn on(index: &Index, recorded_at_us: i64) -> Self {
        Self {
            last_of_type: HashMap::new(),
            today: index.today,
            own_version: index.own_version,
            recorded_at_us,
        }
    }

    pub(super) fn note(&mut self, type_name: &'static str, position: u64, advances_today: Option<Date>) {
        if let Some(today) = advances_today {
            self.today = Some(today);
            self.own_version += 1;
        }
        self.last_of_type.insert(type_name, position);
    }

    /// Position of the newest event of this type, 0 where there is none.
    pub(super) fn last_of_type(&self, index: &Index, type_name: &str) -> u64 {
        let noted = self.last_of_type.get(type_name).or_else(|| index.last_of_type.get(type_name));
        noted.copied().unwrap_or(0)
    }
}
