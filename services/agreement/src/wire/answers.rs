//! States as answers.

mod agreement;
mod party;

pub use agreement::{agreement, no_version, period, state, version};
pub use party::{looked_up, party};

use concord_kernel::Date;

fn text(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}
