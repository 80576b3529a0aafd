//! What can go wrong with the local stack, said so that the reader knows what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the local stack could not be started, stopped, read or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// Another process holds the lock of this stack directory.
    #[error(
        "the stack in {} is already run by {}; run `concord up --stop` to stop it, or choose another stack directory",
        dir.display(), Holder(*pid)
    )]
    Running {
        /// The stack directory.
        dir: PathBuf,
        /// The process that holds it, where it could be read.
        pid: Option<i32>,
    },
    /// The servers of a stack outlived the process that started them.
    #[error(
        "servers of the stack in {} still run ({}); run `concord up --stop` first",
        dir.display(), Pids(pids)
    )]
    Orphaned {
        /// The stack directory.
        dir: PathBuf,
        /// The servers that run.
        pids: Vec<i32>,
    },
    /// `stop_running` was asked to stop the process that asked.
    #[error("the stack in {} is run by this very process; call `Stack::stop` instead", dir.display())]
    OwnStack {
        /// The stack directory.
        dir: PathBuf,
    },
    /// The supervisor did not end in time after SIGTERM.
    #[error(
        "process {pid} did not stop within {} s; end it with `kill -9 {pid}`, then run `concord up --stop` again \
         to stop its servers",
        waited.as_secs()
    )]
    StopTimeout {
        /// The supervisor.
        pid: i32,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A server survived even SIGKILL for a while, as a process stuck in disk input or output does.
    #[error(
        "{name} did not stop (process {}); look for a stuck disk, then run `concord up --stop` again",
        Pids(pids)
    )]
    Unstoppable {
        /// The server.
        name: &'static str,
        /// Its processes.
        pids: Vec<i32>,
    },
    /// A signal could not be delivered.
    #[error("process {pid} could not be signalled; run the command as the user who started it")]
    Signal {
        /// The process.
        pid: i32,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// No PostgreSQL at all.
    #[error(
        "PostgreSQL 15 or newer was not found (looked in {looked_in}); run `make setup`, or `apt-get install \
         postgresql`, or set CONCORD_PG_BIN to the folder that holds `initdb` and `postgres`"
    )]
    PostgresMissing {
        /// The places searched.
        looked_in: String,
    },
    /// PostgreSQL was found, none of it new enough.
    #[error(
        "PostgreSQL 15 or newer is needed, but only {found} was found; run `make setup`, or `apt-get install \
         postgresql` on Debian 12 or newer, or set CONCORD_PG_BIN to the folder of a newer one"
    )]
    PostgresTooOld {
        /// What was found, with versions.
        found: String,
    },
    /// The data was written by a major version that is not installed.
    #[error(
        "the data in {} was written by PostgreSQL {wanted}, but only {found} was found; install it with \
         `apt-get install postgresql-{wanted}`, or delete the data with `concord up --reset`",
        data.display()
    )]
    PostgresMajor {
        /// The data directory.
        data: PathBuf,
        /// The major version that wrote it.
        wanted: u32,
        /// What was found, with versions.
        found: String,
    },
    /// `CONCORD_PG_BIN` names a folder that cannot be used.
    #[error(
        "{} has no usable `initdb` and `postgres`; correct CONCORD_PG_BIN, or unset it to search the machine",
        path.display()
    )]
    PostgresBin {
        /// The folder.
        path: PathBuf,
    },
    /// No nats-server at all.
    #[error(
        "nats-server 2.14 or newer was not found (looked in {looked_in}); run `make setup`, or set \
         CONCORD_NATS_SERVER to the program"
    )]
    NatsMissing {
        /// The places searched.
        looked_in: String,
    },
    /// nats-server was found, none of it new enough.
    #[error(
        "nats-server 2.14 or newer is needed, but only {found} was found; run `make setup`, or set \
         CONCORD_NATS_SERVER to a newer one"
    )]
    NatsTooOld {
        /// What was found, with versions.
        found: String,
    },
    /// `CONCORD_NATS_SERVER` names a program that cannot be used.
    #[error(
        "{} does not answer `--version` as nats-server does; correct CONCORD_NATS_SERVER, or unset it to search \
         the machine",
        path.display()
    )]
    NatsProgram {
        /// The program.
        path: PathBuf,
    },

    /// Root has no account to lend to PostgreSQL, which refuses to run as root.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither an account `postgres` nor `nobody`; \
         run concord as an ordinary user, or `apt-get install postgresql`, which makes the account"
    )]
    NoAccount,
    /// The directory belongs to somebody else.
    #[error(
        "{} belongs to another user (uid {owner}); run concord as that user, or choose another stack directory",
        path.display()
    )]
    OtherOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Something stands where the stack keeps its own, and the stack did not put it there.
    #[error(
        "{} was not made by concord, so concord neither uses nor deletes it; move it away, or choose another stack \
         directory",
        path.display()
    )]
    Foreign {
        /// What stands there.
        path: PathBuf,
    },
    /// PostgreSQL and nats-server take their paths as text.
    #[error("the path {} is not valid UTF-8; choose another stack directory", path.display())]
    PathEncoding {
        /// The path.
        path: PathBuf,
    },

    /// A program could not be run.
    #[error(
        "{} could not be run{}; make it, and the folders above it, readable and executable for that user",
        program.display(), AsAccount(account.as_deref())
    )]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The account it was to run as, when not ours.
        account: Option<String>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program ended when it should have gone on, or failed when it should have succeeded.
    #[error("{name} ended ({how}); {}", LastLines { log, tail })]
    Ended {
        /// The program.
        name: &'static str,
        /// Its exit status.
        how: String,
        /// Its log.
        log: PathBuf,
        /// The last lines it wrote there.
        tail: String,
    },
    /// A server runs but does not answer.
    #[error("{name} did not become ready within {} s; {}", waited.as_secs(), LastLines { log, tail })]
    NotReady {
        /// The server.
        name: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// Its log.
        log: PathBuf,
        /// The last lines it wrote there.
        tail: String,
    },
    /// Every port tried was taken in the moment between choosing and using it.
    #[error("{name} found no free port in {attempts} attempts; run the command again")]
    NoPort {
        /// The server.
        name: &'static str,
        /// How often it was tried.
        attempts: u32,
    },
    /// Somebody changed the password of the stack's superuser.
    #[error(
        "PostgreSQL refuses the password in {}; set the role's password back to it, or write the new one there",
        secret.display()
    )]
    Password {
        /// The file that holds the password.
        secret: PathBuf,
    },
    /// A database name that cannot be used as it is.
    #[error(
        "`{name}` cannot name a database; use at most 63 characters: lower-case letters, digits, `-` and `_`, \
         a letter first"
    )]
    DatabaseName {
        /// The name asked for.
        name: String,
    },
    /// The database refused a statement of ours.
    #[error("PostgreSQL could not {doing}; the reason is in {}", log.display())]
    Database {
        /// What was attempted.
        doing: String,
        /// PostgreSQL's log.
        log: PathBuf,
        /// What the driver said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A file or directory could not be used.
    #[error(
        "could not {doing} {}; check that this user may, and that the disk has room",
        path.display()
    )]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Says what was being done to which file when the system refused.
pub(super) trait Context<T> {
    /// Wraps the error.
    fn context(self, doing: &'static str, path: &Path) -> Result<T, StackError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, doing: &'static str, path: &Path) -> Result<T, StackError> {
        self.map_err(|source| StackError::Io { doing, path: path.to_owned(), source })
    }
}

struct Holder(Option<i32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}

struct Pids<'a>(&'a [i32]);

impl fmt::Display for Pids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pid) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{pid}")?;
        }
        Ok(())
    }
}

struct AsAccount<'a>(Option<&'a str>);

impl fmt::Display for AsAccount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, " as user `{name}`"))
    }
}

struct LastLines<'a> {
    log: &'a Path,
    tail: &'a str,
}

impl fmt::Display for LastLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tail.is_empty() {
            write!(f, "it wrote nothing to {}", self.log.display())
        } else {
            write!(f, "the last lines of {} say why:\n{}", self.log.display(), self.tail)
        }
    }
}
