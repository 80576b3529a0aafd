//! The erasable tables of personal data 个人信息.
//!
//! Events hold the id of a record and a hash, never a name, a contact or an account number. The texts and the random
//! salt that keys their hashes lie here, in the log's own database. Erasing a record leaves every event and every proof
//! as it is, while the hash, its key gone, tells nothing any more. Neither `decide` nor `apply` reads these tables.
//!
//! A text is put here before its command is decided, because the command has to name its hash. So each text lies under
//! its hash and none ever takes another's place: a command that is refused afterwards leaves a text that no event refers
//! to, and the text of every event as it was.
//!
//! Erasure reaches this database. Backups, archived WAL and dead row versions hold the text until they expire or are
//! vacuumed, which is the operator's to arrange.

use deadpool_postgres::Pool;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::time::SystemTime;

/// Longest id of a record, in bytes.
pub const PERSON_ID_BYTES_MAX: usize = 128;
/// Longest text of a record, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// The tables of personal data in one service's database.
#[derive(Clone)]
pub struct PersonalData {
    pool: Pool,
}

/// What an event keeps of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// HMAC-SHA256 of the text under the record's salt, in lower-case hexadecimal.
    pub hash: String,
}

/// What is held under an id and a hash.
#[derive(Clone, PartialEq, Eq)]
pub enum Reading {
    /// No such text was ever stored under that id.
    Unknown,
    /// It is there.
    Text {
        /// The text as it was put.
        text: String,
    },
    /// The record was erased, whatever it held.
    Erased {
        /// When it was first erased, by PostgreSQL's clock.
        at: SystemTime,
    },
}

/// The text stays out of logs.
impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("Unknown"),
            Self::Text { .. } => f.debug_struct("Text").finish_non_exhaustive(),
            Self::Erased { at } => f.debug_struct("Erased").field("at", at).finish(),
        }
    }
}

/// Personal data could not be stored, read or erased. No message holds the text.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// The record was erased, and an erased id is never used again.
    #[error("the personal data of {person_id} was erased; give the data under a new id")]
    Erased {
        /// Id of the record.
        person_id: String,
    },
    /// The id is not one.
    #[error(
        "a person's id is 1 to 128 bytes of text without control characters; give an opaque id, not a name"
    )]
    PersonId,
    /// The text is empty, too long or has a NUL.
    #[error("personal data is 1 to 4096 bytes of text without NUL; this one has {bytes} bytes")]
    Text {
        /// Length of what was given, in bytes.
        bytes: usize,
    },
    /// The record's salt is not a key. Nothing but this module should write the tables.
    #[error("the salt of {person_id} has {bytes} bytes instead of 32; restore the tables from a backup")]
    Salt {
        /// Id of the record.
        person_id: String,
        /// Length of the salt, in bytes.
        bytes: usize,
    },
    /// No connection could be had.
    #[error("no connection to PostgreSQL")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The statement failed.
    #[error("PostgreSQL refused the statement")]
    Statement(#[from] tokio_postgres::Error),
}

impl PersonalData {
    /// The tables `personal` and `personal_texts` of the database that `pool` leads to.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Keeps a text under an id and its keyed hash, beside those that are there, and returns the hash.
    ///
    /// The salt is made on first use and stays. So the same text gives the same hash and is kept once, which lets a
    /// command be repeated, and another text another one, which shows a swapped account.
    ///
    /// # Errors
    /// [`PersonalError::Erased`] after erasure; [`PersonalError::PersonId`] and [`PersonalError::Text`] for what
    /// cannot be stored; else the database's.
    pub async fn put(&self, person_id: &str, text: &str) -> Result<Keyed, PersonalError> {
        check_id(person_id)?;
        check_text(text)?;
        let erased = || PersonalError::Erased { person_id: person_id.to_owned() };
        let fresh_salt: [u8; 32] = rand::random();
        let client = self.pool.get().await?;
        // One statement, so that two first uses at once agree on one salt, and an erasure is never undone. The salt is
        // set to itself because only a row that is written is returned.
        let statement = client
            .prepare_cached(
                "INSERT INTO personal (person_id, salt) VALUES ($1, $2) \
                 ON CONFLICT (person_id) DO UPDATE SET salt = personal.salt \
                 WHERE personal.erased_at IS NULL RETURNING salt",
            )
            .await?;
        let row =
            client.query_opt(&statement, &[&person_id, &fresh_salt.as_slice()]).await?.ok_or_else(erased)?;
        let hash = keyed_hash(person_id, row.try_get(0)?, text)?;
        // The record may have been erased between the two statements: a text must not outlive its record, so the text
        // goes in only under a lock that an erasure waits for.
        let statement = client
            .prepare_cached(
                "WITH record AS \
                 (SELECT person_id FROM personal WHERE person_id = $1 AND erased_at IS NULL FOR SHARE), \
                 kept AS (INSERT INTO personal_texts (person_id, hash, text) SELECT person_id, $2, $3 FROM record \
                 ON CONFLICT (person_id, hash) DO NOTHING) \
                 SELECT count(*) FROM record",
            )
            .await?;
        let records: i64 = client.query_one(&statement, &[&person_id, &hash, &text]).await?.try_get(0)?;
        if records == 0 { Err(erased()) } else { Ok(Keyed { hash }) }
    }

    /// The hash that a text has under an id, storing nothing: for a request that is to be compared with one accepted
    /// earlier. `None` where the id has no salt, because nothing was ever put under it, or because it was erased: then
    /// there is nothing to compare with.
    ///
    /// # Errors
    /// As [`PersonalData::put`], but for erasure.
    pub async fn hash_existing(&self, person_id: &str, text: &str) -> Result<Option<Keyed>, PersonalError> {
        check_id(person_id)?;
        check_text(text)?;
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached("SELECT salt FROM personal WHERE person_id = $1 AND erased_at IS NULL")
            .await?;
        let Some(row) = client.query_opt(&statement, &[&person_id]).await? else { return Ok(None) };
        Ok(Some(Keyed { hash: keyed_hash(person_id, row.try_get(0)?, text)? }))
    }

    /// Reads the text that an event refers to, by its id and its hash.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(&self, person_id: &str, hash: &str) -> Result<Reading, PersonalError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "SELECT personal.erased_at, personal_texts.text FROM personal \
                 LEFT JOIN personal_texts ON personal_texts.person_id = personal.person_id \
                 AND personal_texts.hash = $2 WHERE personal.person_id = $1",
            )
            .await?;
        let Some(row) = client.query_opt(&statement, &[&person_id, &hash]).await? else {
            return Ok(Reading::Unknown);
        };
        if let Some(at) = row.try_get::<_, Option<SystemTime>>(0)? {
            return Ok(Reading::Erased { at });
        }
        let text: Option<String> = row.try_get(1)?;
        Ok(text.map_or(Reading::Unknown, |text| Reading::Text { text }))
    }

    /// Erases a record for good: its texts, its salt, and all snapshots, which are a cache and are folded again.
    /// The bare id stays, so that it is not used again. True where there was something to erase.
    ///
    /// # Errors
    /// Those of the database; nothing is erased then.
    pub async fn erase(&self, person_id: &str) -> Result<bool, PersonalError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        // First the record: it waits for a text that is being put, and the deletion then sees it.
        let erased = transaction
            .execute(
                "UPDATE personal SET salt = ''::bytea, erased_at = clock_timestamp() \
                 WHERE person_id = $1 AND erased_at IS NULL",
                &[&person_id],
            )
            .await?;
        if erased > 0 {
            transaction.execute("DELETE FROM personal_texts WHERE person_id = $1", &[&person_id]).await?;
            // States hold references only; should one ever hold more, it must not survive here.
            transaction.execute("DELETE FROM snapshots", &[]).await?;
        }
        transaction.commit().await?;
        Ok(erased > 0)
    }
}

fn check_id(person_id: &str) -> Result<(), PersonalError> {
    let plain = !person_id.trim().is_empty() && !person_id.contains(char::is_control);
    if plain && person_id.len() <= PERSON_ID_BYTES_MAX { Ok(()) } else { Err(PersonalError::PersonId) }
}

fn check_text(text: &str) -> Result<(), PersonalError> {
    let fits = !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.contains('\0');
    if fits { Ok(()) } else { Err(PersonalError::Text { bytes: text.len() }) }
}

fn keyed_hash(person_id: &str, salt: &[u8], text: &str) -> Result<String, PersonalError> {
    let wrong_salt = || PersonalError::Salt { person_id: person_id.to_owned(), bytes: salt.len() };
    if salt.len() != 32 {
        return Err(wrong_salt());
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).map_err(|_| wrong_salt())?;
    mac.update(text.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::config;
    use concord_test_servers::Cluster;

    #[test]
    fn the_hash_is_hmac_sha256() {
        // RFC 4231 has no case with a 32-byte key; this one is from Python's hmac module.
        let hash = keyed_hash("p", &[7; 32], "6222021234567890").unwrap();
        assert_eq!(hash, "4a553c56667c8a875c5e8e6ac8f1f02986bb60fb11e55e1e85eaf09adc215dab");
        assert!(matches!(keyed_hash("p", &[], "x"), Err(PersonalError::Salt { bytes: 0, .. })));
    }

    #[tokio::test]
    async fn personal_data_is_kept_compared_and_erased() {
        let cluster = Cluster::start();
        let pool = config::pool(&cluster.url("postgres"), 4, "test").unwrap();
        let mut client = pool.get().await.unwrap();
        assert!(config::migrate_log(&mut client).await.unwrap() >= 1);
        assert_eq!(config::migrate_log(&mut client).await.unwrap(), 0);
        let personal = PersonalData::new(pool);

        // Two first uses at once agree on the salt.
        let (one, other) = tokio::join!(personal.put("p-1", "account 1"), personal.put("p-1", "account 1"));
        let first = one.unwrap();
        assert_eq!(first, other.unwrap());
        assert_eq!(first.hash.len(), 64);
        // The same text gives the same hash, another text another; so does the same text under another id.
        assert_eq!(personal.put("p-1", "account 1").await.unwrap(), first);
        let swapped = personal.put("p-1", "account 2").await.unwrap();
        assert_ne!(swapped, first);
        let neighbour = personal.put("p-2", "account 1").await.unwrap();
        assert_ne!(neighbour, first);
        // A later text takes no other's place: each event finds its own.
        for (keyed, text) in [(&first, "account 1"), (&swapped, "account 2")] {
            assert_eq!(
                personal.read("p-1", &keyed.hash).await.unwrap(),
                Reading::Text { text: text.to_owned() }
            );
        }
        assert_eq!(personal.read("p-2", &swapped.hash).await.unwrap(), Reading::Unknown);
        assert_eq!(personal.read("p-3", &first.hash).await.unwrap(), Reading::Unknown);
        // Hashing alone stores neither text nor salt.
        assert_eq!(personal.hash_existing("p-1", "account 1").await.unwrap(), Some(first.clone()));
        let unseen = personal.hash_existing("p-1", "account 9").await.unwrap().unwrap();
        assert_eq!(personal.read("p-1", &unseen.hash).await.unwrap(), Reading::Unknown);
        assert_eq!(personal.hash_existing("p-3", "account 1").await.unwrap(), None);
        let counts = "SELECT (SELECT count(*) FROM personal), (SELECT count(*) FROM personal_texts)";
        let row = client.query_one(counts, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 3));

        // Erasing takes texts, salt and snapshots, once, and for good.
        client
            .batch_execute(
                "INSERT INTO snapshots VALUES ('0190b1f0-0000-7000-8000-000000000001', 1, 1, 'f', '{}')",
            )
            .await
            .unwrap();
        assert!(personal.erase("p-1").await.unwrap());
        assert!(!personal.erase("p-1").await.unwrap());
        assert!(!personal.erase("p-3").await.unwrap());
        assert!(matches!(personal.read("p-1", &first.hash).await.unwrap(), Reading::Erased { .. }));
        assert_eq!(personal.hash_existing("p-1", "account 1").await.unwrap(), None);
        let row = client
            .query_one(
                "SELECT octet_length(salt), (SELECT count(*) FROM snapshots), \
                 (SELECT count(*) FROM personal_texts WHERE person_id = 'p-1') \
                 FROM personal WHERE person_id = 'p-1'",
                &[],
            )
            .await
            .unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (0, 0, 0));
        let refused = personal.put("p-1", "account 3").await.unwrap_err();
        assert!(refused.to_string().contains("under a new id"), "{refused}");
        // The neighbour is untouched.
        assert!(matches!(personal.read("p-2", &neighbour.hash).await.unwrap(), Reading::Text { .. }));

        // An erasure in the midst of putting leaves no text behind.
        for round in 0..20 {
            let id = format!("r-{round}");
            personal.put(&id, "account 1").await.unwrap();
            let (put, erased) = tokio::join!(personal.put(&id, "account 2"), personal.erase(&id));
            assert!(erased.unwrap());
            assert!(matches!(put, Ok(_) | Err(PersonalError::Erased { .. })), "{put:?}");
        }
        let left = "SELECT count(*) FROM personal_texts WHERE person_id LIKE 'r-%'";
        assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);

        // What cannot be stored is refused before PostgreSQL sees it.
        for (id, text) in [("", "x"), (" ", "x"), ("a\0", "x"), ("p-4", ""), ("p-4", "a\0b")] {
            personal.put(id, text).await.unwrap_err();
            personal.hash_existing(id, text).await.unwrap_err();
        }
        let long = "9".repeat(TEXT_BYTES_MAX + 1);
        let error = personal.put("p-4", &long).await.unwrap_err();
        assert!(error.to_string().contains("4097 bytes") && !error.to_string().contains("999"));
        assert!(matches!(personal.put(&long, "x").await, Err(PersonalError::PersonId)));
    }
}
