//! `concord log check`, and what to plant for it to find.

use crate::desk::Desk;
use crate::record::postgres;
use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Client;

/// What a check said.
#[derive(Debug)]
pub struct Check {
    /// Exit code.
    pub code: Option<i32>,
    /// The JSON document; null where the check did not come to its end.
    pub said: Value,
    /// Standard error.
    pub errors: String,
}

impl Check {
    /// How many faults of each rule it found.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&str, u64> {
        let faults = self.said["faults"].as_array().into_iter().flatten();
        faults.filter_map(|kind| Some((kind["rule"].as_str()?, kind["count"].as_u64()?))).collect()
    }

    /// The broken rules, by code.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        self.faults().into_keys().collect()
    }

    /// Positions of the first faults of a rule.
    #[must_use]
    pub fn positions(&self, rule: &str) -> Vec<u64> {
        let mut kinds = self.said["faults"].as_array().into_iter().flatten();
        let kind = kinds.find(|kind| kind["rule"] == rule);
        let first = kind.and_then(|kind| kind["first"].as_array()).into_iter().flatten();
        first.filter_map(|fault| fault["position"].as_u64()).collect()
    }

    /// What was not compared, and whether that was accepted.
    #[must_use]
    pub fn not_compared(&self) -> BTreeMap<&str, bool> {
        let skipped = self.said["not_compared"].as_array().into_iter().flatten();
        skipped.filter_map(|part| Some((part["part"].as_str()?, part["accepted"].as_bool()?))).collect()
    }
}

/// Runs a check of the stack's log.
pub fn check(stack: &Stack, args: &[&str]) -> Result<Check> {
    check_from(stack.command(), args)
}

/// Runs a check with this `concord` command.
pub fn check_from(mut command: std::process::Command, args: &[&str]) -> Result<Check> {
    let output =
        command.args(["log", "check", "--json"]).args(args).stdin(std::process::Stdio::null()).output()?;
    Ok(Check {
        code: output.status.code(),
        said: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Fails unless everything of the stack is proved: the log, and stream and projection against it.
pub fn checked(stack: &Stack) -> Result<()> {
    let check = check(stack, &[])?;
    ensure!(check.code == Some(0) && check.said["proved"] == true, "{:#}\n{}", check.said, check.errors);
    ensure!(check.said["stream"]["to"] == check.said["head"], "{:#}", check.said);
    ensure!(check.said["projection"]["to"] == check.said["head"], "{:#}", check.said);
    Ok(())
}

/// An event as PostgreSQL holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key.
    pub position: u64,
    stream: String,
    version: i64,
    /// The document.
    pub document: String,
}

impl Row {
    /// Gives an attribute another value; it is text and stands before the event's data.
    pub fn set(&mut self, name: &str, value: &str) {
        let (from, to) = self.attribute_at(name);
        self.document.replace_range(from..to, value);
    }

    /// An attribute's value.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let (from, to) = self.attribute_at(name);
        &self.document[from..to]
    }

    fn attribute_at(&self, name: &str) -> (usize, usize) {
        let key = format!("\"{name}\":\"");
        let from =
            self.document.find(&key).unwrap_or_else(|| panic!("no {name} in {}", self.document)) + key.len();
        let length = self.document[from..].find('"').expect("an attribute ends");
        (from, from + length)
    }

    /// Replaces what stands in the document once.
    pub fn replace(&mut self, old: &str, new: &str) {
        assert_eq!(self.document.matches(old).count(), 1, "{old} in {}", self.document);
        self.document = self.document.replacen(old, new, 1);
    }
}

/// The log's table, as it is and as somebody with all rights to PostgreSQL would have it. The only place that knows
/// how records are stored.
pub struct History {
    client: Client,
    /// As it was found.
    pub rows: Vec<Row>,
}

impl History {
    /// Reads the table.
    pub async fn of(stack: &Stack) -> Result<Self> {
        let client = postgres(stack, "fund_grant").await?;
        let sql = "SELECT position, stream::text, version, convert_from(record, 'UTF8') FROM events ORDER BY position";
        let rows = client.query(sql, &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            let position = u64::try_from(row.get::<_, i64>(0))?;
            Ok(Row { position, stream: row.get(1), version: row.get(2), document: row.get(3) })
        };
        let rows = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(Self { client, rows })
    }

    /// Puts these rows in the place of all that is there.
    pub async fn plant(&mut self, rows: &[Row]) -> Result<()> {
        let tx = self.client.transaction().await?;
        tx.execute("DELETE FROM events", &[]).await?;
        let sql = "INSERT INTO events (position, stream, version, record) \
                   VALUES ($1, $2::text::uuid, $3, convert_to($4, 'UTF8'))";
        let mut versions = BTreeSet::new();
        for row in rows {
            let position = i64::try_from(row.position)?;
            // The column is an index only, and unique: an event that stands twice gets a number of its own.
            let taken = !versions.insert((&row.stream, row.version));
            let version = if taken { 1_000_000 + position } else { row.version };
            tx.execute(sql, &[&position, &row.stream, &version, &row.document]).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Puts everything back.
    pub async fn restore(&mut self) -> Result<()> {
        let rows = self.rows.clone();
        self.plant(&rows).await
    }
}

/// Numbers rows anew from 1, keys and documents, as a careful forger would.
pub fn renumber(rows: &mut [Row]) {
    for (row, position) in rows.iter_mut().zip(1..) {
        // The last of its command moves along.
        if row.document.contains("\"commandlast\":\"") {
            let last: u64 = row.get("commandlast").parse().expect("a position");
            row.set("commandlast", &(last + position - row.position).to_string());
        }
        row.position = position;
        row.set("position", &position.to_string());
    }
}

/// Makes versions and the chains of each type fit the rows as they stand: with this the log itself tells nothing.
pub fn rechain(rows: &mut [Row]) {
    let (mut versions, mut newest) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let version: &mut u64 = versions.entry(row.get("subject").to_owned()).or_default();
        *version += 1;
        row.set("version", &version.to_string());
        let previous = newest.insert(row.get("type").to_owned(), row.position).unwrap_or(0u64);
        row.set("previousoftype", &previous.to_string());
    }
}

/// The projection's tables, which can be changed and put back.
pub struct Tables {
    client: Client,
    /// Schema of the tables.
    pub schema: String,
}

impl Tables {
    /// Keeps a copy of every table.
    pub async fn of(stack: &Stack, desk: &Desk) -> Result<Self> {
        let client = postgres(stack, "funding_audit").await?;
        let asked =
            concord_proto::audit::v1::GetProjectionStatusRequest { min_position: desk.status().await?.head };
        let schema =
            desk.audit().get_projection_status(crate::desk::plain(asked)).await?.into_inner().projection;
        client.batch_execute("CREATE SCHEMA kept").await?;
        let tables = Self { client, schema };
        for table in tables.names().await? {
            let sql = format!("CREATE TABLE kept.{table} AS TABLE {}.{table}", tables.schema);
            tables.client.batch_execute(&sql).await?;
        }
        Ok(tables)
    }

    async fn names(&self) -> Result<Vec<String>> {
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1";
        Ok(self.client.query(sql, &[&self.schema]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Runs statements with the tables in their search path; each must change what is there.
    pub async fn plant(&self, sql: &str) -> Result<()> {
        let set = format!("SET search_path TO {}", self.schema);
        self.client.batch_execute(&set).await?;
        let before = self.fingerprint().await?;
        self.client.batch_execute(sql).await.with_context(|| sql.to_owned())?;
        ensure!(self.fingerprint().await? != before, "nothing was planted by: {sql}");
        Ok(())
    }

    async fn fingerprint(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for table in self.names().await? {
            let sql = format!("SELECT t::text FROM {}.{table} t ORDER BY 1", self.schema);
            all.extend(
                self.client
                    .query(&sql, &[])
                    .await?
                    .iter()
                    .map(|row| format!("{table} {}", row.get::<_, &str>(0))),
            );
        }
        Ok(all)
    }

    /// Puts everything back.
    pub async fn restore(&self) -> Result<()> {
        for table in self.names().await? {
            let schema = &self.schema;
            let sql = format!(
                "BEGIN; TRUNCATE {schema}.{table}; INSERT INTO {schema}.{table} SELECT * FROM kept.{table}; COMMIT"
            );
            self.client.batch_execute(&sql).await?;
        }
        Ok(())
    }
}
