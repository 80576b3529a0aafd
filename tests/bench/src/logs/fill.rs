//! Fills a log without its service: the events of one genuine grant, again and again, under other ids and at other
//! positions, with the rows that belong to them. Everything here that knows the log's tables is in this file.
//!
//! Each event reads, folds and projects as the one that it was made from. Body hashes and stored answers are copied
//! as they are, so a repeat of such a request gets the answer of the original.

use crate::cluster::Cluster;
use crate::figures::Round;
use crate::payments::STEPS;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

/// Events of the genuine grant: its import, its payee, and its payments.
const EVENTS: i64 = STEPS as i64 + 2;
/// Connections that fill at once, one for each core.
const CONNECTIONS: i64 = 2;
/// Grants under one programme.
const GRANTS_PER_PROGRAMME: i64 = 100;

/// A column that holds JSON: as `json`, or as the bytes of its text.
struct Json {
    name: &'static str,
    is_bytes: bool,
}

impl Json {
    async fn of(client: &Client, table: &str, name: &'static str) -> Result<Self> {
        let row = client
            .query_one(
                "SELECT data_type = 'bytea' FROM information_schema.columns
                 WHERE table_name = $1 AND column_name = $2 AND table_schema = 'public'",
                &[&table, &name],
            )
            .await?;
        Ok(Self { name, is_bytes: row.get(0) })
    }

    /// The expression of its text.
    fn text(&self) -> String {
        let name = self.name;
        if self.is_bytes { format!("convert_from({name}, 'UTF8')") } else { format!("{name}::text") }
    }

    /// The expression that stores a text in it.
    fn stored(&self, text: &str) -> String {
        if self.is_bytes { format!("convert_to({text}, 'UTF8')") } else { format!("({text})::json") }
    }
}

/// Adds events until the log holds `events` of them. The last events must be those of one grant. Returns the id of the
/// last grant that was added.
pub(super) async fn fill(cluster: &Cluster, database: &str, events: u64, round: &mut Round) -> Result<Uuid> {
    let client = cluster.connect(database).await?;
    let record = Json::of(&client, "events", "record").await?;
    let command = Json::of(&client, "requests", "command").await?;
    let head: i64 = client.query_one("SELECT max(position) FROM events", &[]).await?.get(0);
    let types = make_template(&client, head, &record, &command).await?;
    let copies = (i64::try_from(events)? - head).div_euclid(EVENTS) + 1;

    let started = Instant::now();
    let share = copies / CONNECTIONS + 1;
    let mut parts = Vec::new();
    for part in 0..CONNECTIONS {
        let (from, to) = (part * share, copies.min((part + 1) * share));
        parts.push(insert(cluster, database, statements(head, from, to, &record, &command)));
    }
    futures::future::try_join_all(parts).await?;
    round.note("fill.per_second", (copies * EVENTS) as f64 / started.elapsed().as_secs_f64());

    move_index(&client, head + copies * EVENTS, &types).await?;
    // Now, and not by autovacuum in the middle of a measurement; nor is what has been written to be flushed then.
    for settle in ["DROP TABLE template", "VACUUM (ANALYZE) events, subjects, requests", "CHECKPOINT"] {
        client.batch_execute(settle).await?;
    }
    let last = client.query_one("SELECT stream FROM events ORDER BY position DESC LIMIT 1", &[]).await?;
    Ok(last.get(0))
}

async fn insert(cluster: &Cluster, database: &str, statements: String) -> Result<()> {
    Ok(cluster.connect(database).await?.batch_execute(&statements).await?)
}

/// Writes the events of the genuine grant into a table, with a place for each value that differs in a copy. Returns
/// the type of each.
async fn make_template(client: &Client, head: i64, record: &Json, command: &Json) -> Result<Vec<String>> {
    client
        .batch_execute(
            "CREATE TABLE template (number bigint PRIMARY KEY, version bigint NOT NULL, to_previous bigint NOT NULL,
                 record text NOT NULL, command text NOT NULL, body_hash bytea NOT NULL, request_id uuid NOT NULL)",
        )
        .await?;
    let query = format!(
        "SELECT events.version, {record}, {command}, body_hash, request_id, stream FROM events JOIN requests
             ON request_id = ({record}::json ->> 'requestid')::uuid
         WHERE position > $1 ORDER BY position",
        record = record.text(),
        command = command.text(),
    );
    let rows = client.query(&query, &[&(head - EVENTS)]).await?;
    ensure!(rows.len() == usize::try_from(EVENTS)?, "{} events of the genuine grant", rows.len());
    let first: Value = serde_json::from_str(&rows[0].get::<_, String>(1))?;
    let programme = first["data"]["programme"].as_str().context("the first event is no import")?;
    let originals = rows.iter().map(|row| Original::of(row, programme)).collect::<Result<Vec<_>>>()?;
    let types: Vec<String> = originals.iter().map(|original| original.event_type.clone()).collect();
    for ((original, number), to_previous) in originals.iter().zip(0_i64..).zip(to_previous(&types)) {
        let Original { version, record, command, body_hash, request_id, .. } = original;
        client
            .execute(
                "INSERT INTO template VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[&number, version, &to_previous, record, command, body_hash, request_id],
            )
            .await?;
    }
    Ok(types)
}

/// An event of the genuine grant as a template for PostgreSQL's `format`: the grant, its programme, the event's id, the
/// request's, the position and that of the previous event of the type are its arguments, in this order.
struct Original {
    event_type: String,
    version: i64,
    record: String,
    command: String,
    body_hash: Vec<u8>,
    request_id: Uuid,
}

impl Original {
    fn of(row: &tokio_postgres::Row, programme: &str) -> Result<Self> {
        let (record, command): (String, String) = (row.get(1), row.get(2));
        let (request_id, grant): (Uuid, Uuid) = (row.get(4), row.get(5));
        let event: Value = serde_json::from_str(&record)?;
        let attribute = |name: &str| event[name].as_str().with_context(|| format!("no {name} in {record}"));
        let numbers = ["position", "previousoftype"].into_iter().zip(5..);
        // Percent signs of the text itself come first: those of the places must stay single.
        let mut placed = record.replace('%', "%%");
        for (name, place) in numbers {
            let own = format!("\"{name}\":\"{}\"", attribute(name)?);
            ensure!(placed.contains(&own), "{own} is not in {record}");
            placed = placed.replace(&own, &format!("\"{name}\":\"%{place}$s\""));
        }
        let ids =
            [grant.to_string(), programme.to_owned(), attribute("id")?.to_owned(), request_id.to_string()];
        let place_ids = |text: String| {
            ids.iter().zip(1..).fold(text, |text, (id, place)| text.replace(id, &format!("%{place}$s")))
        };
        Ok(Self {
            event_type: attribute("type")?.to_owned(),
            version: row.get(0),
            record: place_ids(placed),
            command: place_ids(command.replace('%', "%%")),
            body_hash: row.get(3),
            request_id,
        })
    }
}

/// How far before each event the previous one of its type lies, where copy follows copy.
fn to_previous(types: &[String]) -> Vec<i64> {
    let events = types.len();
    let same = |number: usize, distance: usize| types[(number + events - distance) % events] == types[number];
    let distance = |number| (1..events).find(|distance| same(number, *distance)).unwrap_or(events);
    (0..events).map(|number| distance(number) as i64).collect()
}

/// The rows of copies `from` to `to`, in order of position. The ids are time-ordered, as those of callers are.
fn statements(head: i64, from: i64, to: i64, record: &Json, command: &Json) -> String {
    let uuid = |kind: u8, number: &str| {
        format!("('0190b00{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))")
    };
    let position = format!("({head} + 1 + copy * {EVENTS} + number)");
    let (grant, programme) = (uuid(0, "copy"), uuid(1, &format!("copy / {GRANTS_PER_PROGRAMME}")));
    let event = uuid(2, &format!("copy * {EVENTS} + number"));
    let request = uuid(3, &format!("copy * {EVENTS} + number"));
    let rows = format!(
        "generate_series({from}::bigint, {to}::bigint - 1) AS copy
         CROSS JOIN LATERAL (SELECT *, copy AS of FROM template ORDER BY number) AS template"
    );
    let ids = format!("{grant}, {programme}, {event}, {request}");
    let record = record.stored(&format!("format(record, {ids}, {position}, {position} - to_previous)"));
    let command = command.stored(&format!("format(template.command, {ids})"));
    format!(
        "INSERT INTO events (position, stream, version, record)
             SELECT {position}, {grant}::uuid, version, {record} FROM {rows};
         INSERT INTO subjects (subject, position)
             SELECT {programme}::uuid, {position} FROM {rows} WHERE number = 0;
         INSERT INTO requests (request_id, body_hash, command, first_position, last_position, version, leaf_hashes,
                               rulebook, answer)
             SELECT {request}::uuid, template.body_hash, {command}, {position}, {position}, original.version,
                    original.leaf_hashes, original.rulebook, original.answer
             FROM {rows} JOIN requests AS original ON original.request_id = template.request_id;"
    )
}

/// The service keeps a small index of the log, and would read all that was added to bring it up to date.
async fn move_index(client: &Client, head: i64, types: &[String]) -> Result<()> {
    let state = Json::of(client, "snapshots", "state").await?;
    let query = format!("SELECT {} FROM snapshots WHERE subject = $1", state.text());
    let text: String = client.query_one(&query, &[&Uuid::nil()]).await?.get(0);
    let mut index: Value = serde_json::from_str(&text)?;
    for (name, number) in types.iter().zip(1..) {
        // A later event of the same type overwrites an earlier one.
        index["last_of_type"][name] = Value::from(head - EVENTS + number);
    }
    let update = format!(
        "UPDATE snapshots SET position = $2, state = {} WHERE subject = $1",
        state.stored("$3::text")
    );
    client.execute(&update, &[&Uuid::nil(), &head, &index.to_string()]).await?;
    Ok(())
}
