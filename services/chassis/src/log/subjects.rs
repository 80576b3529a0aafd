//! The states that an event touches beside its own stream, derived anew.
//!
//! They are noted with each event when it is written ([`Batch::add_event`](super::store::Batch::add_event)), so that a cold state
//! finds its events. Where a service later makes a state's id otherwise, for example of a text's normal form instead of the text,
//! the events stay as they are, and what is noted of them is made again, once, when the log is opened.

use super::domain::Domain;
use super::loader;
use super::reader::JsonText;
use super::store::{OpenError, signed};
use crate::record::Recorded;
use tokio_postgres::Client;
use uuid::Uuid;

const FORM: &str = "SELECT form FROM subjects_form";
const PAGE: &str = "SELECT position, record FROM events WHERE position > $1 ORDER BY position LIMIT 1000";
const ADD: &str = "INSERT INTO subjects (subject, position)
     SELECT * FROM unnest($1::uuid[], $2::bigint[]) ON CONFLICT DO NOTHING";
const KEEP: &str =
    "INSERT INTO subjects_form (form) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET form = excluded.form";

/// What a log has whose form was never noted.
const FIRST_FORM: &str = "1";

/// Derives what is noted of every event anew, where it was noted in another form. Interrupted, it begins again.
pub(super) async fn derive_anew<D: Domain>(client: &Client) -> Result<(), OpenError> {
    let noted = client.query_opt(FORM, &[]).await?;
    let noted = noted.as_ref().map_or(FIRST_FORM, |row| row.get(0));
    if noted == D::SUBJECTS {
        return Ok(());
    }
    tracing::info!(from = noted, to = D::SUBJECTS, "the states that events touch are derived anew");
    let (page, add) = (client.prepare(PAGE).await?, client.prepare(ADD).await?);
    let mut last = 0_i64;
    loop {
        let rows = client.query(&page, &[&last]).await?;
        let Some(newest) = rows.last() else { break };
        last = newest.get(0);
        let (mut subjects, mut positions) = (Vec::<Uuid>::new(), Vec::<i64>::new());
        for row in &rows {
            let position = row.get::<_, i64>(0).unsigned_abs();
            let recorded = Recorded { position, bytes: row.get::<_, JsonText>(1).0 };
            match loader::read::<D>(&recorded) {
                Ok((_, event)) => {
                    subjects.extend(loader::Streams::of(&event).further_ids());
                    positions.resize(subjects.len(), signed(position));
                }
                // No state that it touches can be folded. The log opens all the same, as it did before.
                Err(error) => tracing::error!(%error, "the states that an event touches are not known"),
            }
        }
        client.execute(&add, &[&subjects, &positions]).await?;
    }
    client.execute(KEEP, &[&D::SUBJECTS]).await?;
    Ok(())
}
