//! How much one command may carry, and one aggregate may gather: an event stays below the log's 256 KiB, and a state stays
//! small. These bound the machine, not the law.

use crate::refusal;
use concord_chassis::log::Broken;
use concord_events::{agreement::AgreementEvent, document::Document};

/// The most parties of an agreement.
pub const PARTIES_MAX: usize = 50;
/// The most obligations and milestones.
pub const OBLIGATIONS_MAX: usize = 500;
/// The most documents that one event refers to.
pub const DOCUMENTS_MAX: usize = 50;
/// The most bytes of a title, a reason, a number or another text of one line.
pub const LINE_BYTES_MAX: usize = 500;
/// The most bytes of an obligation's or an action item's text.
pub const ITEM_BYTES_MAX: usize = 200;
/// The most bytes of an archive number 档号.
pub const ARCHIVE_NUMBER_BYTES_MAX: usize = 128;

/// The most action items of one meeting.
pub const ACTION_ITEMS_MAX: usize = 100;
/// The most meetings of one agreement.
pub const MEETINGS_MAX: usize = 1_000;
/// The most terms of one agreement, and the most suspensions.
pub const PERIODS_MAX: usize = 100;
/// The most versions and amendments of one agreement.
pub const VERSIONS_MAX: u32 = 100;
/// The most bytes of the event by which an amendment is in force, as JSON without its envelope. The log takes 256 KiB with it,
/// and what travels beside the last signature, attachments among it, is not known when the amendment is proposed.
pub const AMENDED_BYTES_MAX: usize = (256 << 10) - (16 << 10);
/// The most facts of one sort that are recorded of a party.
pub const FACTS_MAX: usize = 100;

/// A text that must be there, in so many bytes.
pub(crate) fn line(field: &str, text: &str, bytes_max: usize) -> Option<Broken> {
    if text.trim().is_empty() {
        return Some(refusal::text_missing(field));
    }
    (text.len() > bytes_max).then(|| refusal::text_too_long(field, text.len(), bytes_max))
}

/// More than there may be.
pub(crate) fn too_many(field: &str, count: usize, max: usize) -> Option<Broken> {
    (count > max).then(|| refusal::too_many(field, count, max))
}

/// An amendment whose event would not fit the log with the last signature.
pub(crate) fn amended_too_large(amended: &AgreementEvent) -> Option<Broken> {
    // Events are plain data with string keys: they always have their JSON.
    let bytes = serde_json::to_vec(amended).map_or(0, |json| json.len());
    (bytes > AMENDED_BYTES_MAX).then(|| refusal::amendment_too_large(bytes, AMENDED_BYTES_MAX))
}

/// Documents by reference: not too many, and each archive number in its bounds.
pub(crate) fn documents(field: &str, documents: &[Document]) -> Vec<Broken> {
    let numbers = documents.iter().enumerate().filter_map(|(at, document)| {
        let number = document.archive_number.as_ref()?;
        line(&format!("{field}[{at}].archive_number"), number, ARCHIVE_NUMBER_BYTES_MAX)
    });
    too_many(field, documents.len(), DOCUMENTS_MAX).into_iter().chain(numbers).collect()
}
