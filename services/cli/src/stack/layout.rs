//! Where a stack keeps what, who owns it, and how it is told from what others put there.
//!
//! ```text
//! .concord/             the stack directory, or "dir"
//! ├── lock              held while a supervisor runs; names it
//! ├── stack.json        processes and ports of the last start; nothing is lost with it
//! ├── bin/              programs installed by `make setup`; never touched here
//! ├── run/              logs of the servers; socket/ with PostgreSQL's socket
//! ├── pg/               data/, the cluster; password, of its superuser
//! └── nats/             server.conf; store/, the streams
//! ```
//!
//! Under root the servers run as another account. When that account cannot reach the stack directory, `pg/`, `nats/` and the
//! socket move to a **home** under `/var/tmp`, which `stack.json` names.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::unistd::{Uid, User, geteuid};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::error::{Context, StackError};
use super::process::ProcessId;

/// The file that says a directory was made here. It holds the path of the stack directory it belongs to.
const MARKER: &str = "made-by-concord";
/// Where a home goes that cannot be in the stack directory. Unlike `/tmp`, it survives a restart of the machine.
const OUTSIDE: &str = "/var/tmp";
/// `sun_path` holds 108 bytes, the last of them zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;
const SOCKET_NAME_LONGEST: &str = "/.s.PGSQL.65535";
const SHORT_SOCKET_PARENT: &str = "/tmp";
const SHORT_SOCKET_PREFIX: &str = "concord-";
const STAGING_PREFIX: &str = "pg.new-";
/// A look at the status holds the lock for an instant, which must not refuse a start.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);

/// An account that root lends to the servers.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The paths of one stack.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dir: PathBuf,
    pub(super) home: PathBuf,
    /// Set under root only.
    pub(super) account: Option<Account>,
    /// Under root in a directory of an ordinary user, everything stays theirs.
    everything_to_account: bool,
}

impl Layout {
    /// Finds out where the stack of an existing `dir` has its parts. Creates nothing.
    pub(super) fn of(dir: &Path, record: &Record) -> Result<Self, StackError> {
        let owner = fs::metadata(dir).context("read", dir)?.uid();
        let me = geteuid();
        let recorded = record.home.clone().filter(|home| home != dir && is_home_of(home, dir));
        let outside =
            recorded.unwrap_or_else(|| Path::new(OUTSIDE).join(format!("concord-{:016x}", hash(dir))));
        let has_cluster = |home: &Path| fs::symlink_metadata(home.join("pg")).is_ok();
        let settled = if has_cluster(dir) {
            Some(dir.to_owned())
        } else if is_home_of(&outside, dir) {
            Some(outside.clone())
        } else {
            None
        };
        let account = if me.is_root() {
            let data = settled.as_deref().unwrap_or(dir).join("pg/data");
            Some(account_for(&[&data, dir])?)
        } else {
            None
        };
        let home = settled.unwrap_or_else(|| match &account {
            Some(account) if !reachable(dir, account) => outside,
            _ => dir.to_owned(),
        });
        for path in [dir, &home] {
            path.to_str().ok_or_else(|| StackError::PathEncoding { path: path.to_owned() })?;
        }
        let everything_to_account = me.is_root() && owner != 0;
        Ok(Self { dir: dir.to_owned(), home, account, everything_to_account })
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("pg")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("pg/data")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.home.join("pg/password")
    }

    pub(super) fn nats(&self) -> PathBuf {
        self.home.join("nats")
    }

    pub(super) fn nats_store(&self) -> PathBuf {
        self.home.join("nats/store")
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.dir.join("run").join(format!("{name}.log"))
    }

    /// A name for this stack that differs from that of every other on the machine.
    pub(super) fn instance(&self) -> String {
        format!("concord-{:016x}", hash(&self.dir))
    }

    /// Makes the directories of a stack, all but `pg/`, which appears complete or not at all.
    pub(super) fn create(&self) -> Result<(), StackError> {
        if self.home != self.dir {
            self.make(&self.home)?;
        }
        self.make(&self.dir.join("run"))?;
        self.make(&self.home.join("run"))?;
        self.make(&self.nats())?;
        self.make_for_servers(&self.nats_store())?;
        if fs::symlink_metadata(self.cluster()).is_ok() {
            self.check_made_here(&self.cluster())?;
        }
        Ok(())
    }

    /// A fresh directory to make a cluster in, beside the place it will be renamed to.
    pub(super) fn staging(&self) -> Result<tempfile::TempDir, StackError> {
        let staging = tempfile::Builder::new().prefix(STAGING_PREFIX).tempdir_in(&self.home);
        let staging = staging.context("create a directory in", &self.home)?;
        self.finish(staging.path())?;
        self.make_for_servers(&staging.path().join("data"))?;
        Ok(staging)
    }

    /// What attempts at making a cluster left behind.
    pub(super) fn stagings(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.home) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(STAGING_PREFIX))
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect()
    }

    /// A new private directory for the socket of a PostgreSQL that does not run yet: in the home, or under `/tmp` when the
    /// path would be too long.
    pub(super) fn make_socket_directory(&self) -> Result<PathBuf, StackError> {
        let usual = self.home.join("run/socket");
        if usual.as_os_str().len() + SOCKET_NAME_LONGEST.len() <= SOCKET_PATH_BYTES_MAX {
            // A lock beside a stale socket may name a process number that somebody else has now, and would refuse the start.
            ignore_missing(fs::remove_dir_all(&usual)).context("delete", &usual)?;
            self.make_for_servers(&usual)?;
            return Ok(usual);
        }
        let parent = Path::new(SHORT_SOCKET_PARENT);
        let short = tempfile::Builder::new().prefix(SHORT_SOCKET_PREFIX).tempdir_in(parent);
        let short = short.context("create a directory in", parent)?.keep();
        self.give_to_servers(&short)?;
        Ok(short)
    }

    /// Deletes a socket directory under `/tmp`; the one in the home stays.
    pub(super) fn remove_socket_directory(&self, directory: &Path) {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let ours = directory.parent() == Some(Path::new(SHORT_SOCKET_PARENT))
            && name.starts_with(SHORT_SOCKET_PREFIX);
        // Somebody else may have taken the name since the machine was restarted.
        let server = self.account.as_ref().map_or(geteuid().as_raw(), |account| account.uid);
        let owned =
            fs::symlink_metadata(directory).is_ok_and(|found| found.is_dir() && found.uid() == server);
        if ours && owned {
            let _ = fs::remove_dir_all(directory);
        }
    }

    /// Deletes everything this stack made, the lock excepted: a lock that is deleted while somebody waits for it locks nothing.
    pub(super) fn delete(&self) -> Result<(), StackError> {
        let parts = [self.cluster(), self.nats(), self.home.join("run"), self.dir.join("run")];
        let existing: Vec<_> = parts.into_iter().filter(|path| fs::symlink_metadata(path).is_ok()).collect();
        // Look at all of them first: half a stack is worse than either.
        for path in &existing {
            self.check_made_here(path)?;
        }
        for path in existing {
            // Symbolic links inside are deleted, not followed.
            ignore_missing(fs::remove_dir_all(&path)).context("delete", &path)?;
        }
        if self.home != self.dir && is_home_of(&self.home, &self.dir) {
            fs::remove_dir_all(&self.home).context("delete", &self.home)?;
        }
        let record = self.dir.join("stack.json");
        ignore_missing(fs::remove_file(&record)).context("delete", &record)
    }

    /// Writes a file that the servers may read, and nobody else.
    pub(super) fn write_for_servers(&self, path: &Path, content: &str) -> Result<(), StackError> {
        write_private(path, content.as_bytes())?;
        self.give_to_servers_as_it_is(path)
    }

    /// Gives the servers a directory and all that is in it, when the account has changed since it was made.
    pub(super) fn give_tree_to_servers(&self, path: &Path) -> Result<(), StackError> {
        let Some(account) = &self.account else {
            return Ok(());
        };
        let metadata = fs::symlink_metadata(path).context("read", path)?;
        if metadata.uid() == account.uid {
            return Ok(());
        }
        if metadata.is_dir() {
            for entry in fs::read_dir(path).context("read", path)? {
                self.give_tree_to_servers(&entry.context("read", path)?.path())?;
            }
        }
        // The directory itself comes last, so that an interrupted walk starts over.
        lchown(path, Some(account.uid), Some(account.gid)).context("change the owner of", path)
    }

    /// Makes a directory of ours with its marker, or checks that it is ours.
    fn make(&self, path: &Path) -> Result<(), StackError> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => self.finish(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.check_made_here(path)?;
                self.finish(path)
            }
            Err(source) => Err(StackError::Io { doing: "create", path: path.to_owned(), source }),
        }
    }

    fn finish(&self, path: &Path) -> Result<(), StackError> {
        // The servers pass through to what is theirs, without reading what is ours.
        let mode = if self.account.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).context("set the mode of", path)?;
        let marker = path.join(MARKER);
        write_private(&marker, self.dir.as_os_str().as_encoded_bytes())?;
        self.hand_over(&marker)?;
        self.hand_over(path)
    }

    /// An empty directory without a marker is what a kill between the two leaves.
    fn check_made_here(&self, path: &Path) -> Result<(), StackError> {
        let foreign = || StackError::Foreign { path: path.to_owned() };
        let metadata = fs::symlink_metadata(path).context("read", path)?;
        let trusted = [Some(geteuid().as_raw()), Some(0), self.account.as_ref().map(|account| account.uid)];
        if !metadata.is_dir() || !trusted.contains(&Some(metadata.uid())) {
            return Err(foreign());
        }
        let marked = fs::symlink_metadata(path.join(MARKER)).is_ok_and(|marker| marker.is_file());
        let empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if marked || empty() { Ok(()) } else { Err(foreign()) }
    }

    fn make_for_servers(&self, path: &Path) -> Result<(), StackError> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StackError::Io { doing: "create", path: path.to_owned(), source: error });
            }
            _ => {}
        }
        if !fs::symlink_metadata(path).context("read", path)?.is_dir() {
            return Err(StackError::Foreign { path: path.to_owned() });
        }
        self.give_to_servers(path)
    }

    fn give_to_servers(&self, directory: &Path) -> Result<(), StackError> {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .context("set the mode of", directory)?;
        self.give_tree_to_servers(directory)
    }

    fn give_to_servers_as_it_is(&self, path: &Path) -> Result<(), StackError> {
        self.account.as_ref().map_or(Ok(()), |account| {
            lchown(path, Some(account.uid), Some(account.gid)).context("change the owner of", path)
        })
    }

    /// Under root in a directory of an ordinary user: leaves them what they need to go on without root.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), StackError> {
        if self.everything_to_account { self.give_to_servers_as_it_is(path) } else { Ok(()) }
    }
}

/// Makes the stack directory if needed, and gives its real path.
pub(super) fn create_directory(dir: &Path) -> Result<PathBuf, StackError> {
    if fs::metadata(dir).is_err() {
        fs::create_dir_all(dir).context("create", dir)?;
        // A strict umask must not shut out the account that root lends to the servers; what is secret is closed by itself.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).context("set the mode of", dir)?;
    }
    existing_directory(dir)?.ok_or_else(|| StackError::Foreign { path: dir.to_owned() })
}

/// The real path of a stack directory, if it exists. It must be the caller's; root may use anybody's.
pub(super) fn existing_directory(dir: &Path) -> Result<Option<PathBuf>, StackError> {
    let path = match fs::canonicalize(dir) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StackError::Io { doing: "read", path: dir.to_owned(), source });
        }
    };
    let metadata = fs::metadata(&path).context("read", &path)?;
    if !metadata.is_dir() {
        return Err(StackError::Foreign { path });
    }
    let (me, owner) = (geteuid(), metadata.uid());
    if !me.is_root() && owner != me.as_raw() {
        return Err(StackError::OtherOwner { path, owner });
    }
    Ok(Some(path))
}

/// The lock of a stack directory. The kernel releases it when its holder ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) async fn take(dir: &Path) -> Result<Self, StackError> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match Self::try_take(dir)? {
                Ok(lock) => return Ok(lock),
                Err(holder) if Instant::now() >= deadline => {
                    return Err(StackError::Running {
                        dir: dir.to_owned(),
                        pid: holder.map(|holder| holder.pid),
                    });
                }
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Takes the lock if it is free; otherwise gives its holder, as far as that can be told.
    pub(super) fn try_take(dir: &Path) -> Result<Result<Self, Option<ProcessId>>, StackError> {
        let path = dir.join("lock");
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(StackError::Foreign { path });
        }
        let file = fs::OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let mut file = file.context("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder =
                    fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<ProcessId>(&bytes).ok());
                // The name in the file may be of an earlier holder, until the present one has written its own.
                return Ok(Err(holder.filter(|holder| holder.is_alive())));
            }
            Err(TryLockError::Error(source)) => {
                return Err(StackError::Io { doing: "lock", path, source });
            }
        }
        let content =
            serde_json::to_vec(&ProcessId::current()).map_err(io::Error::from).context("write", &path)?;
        file.set_len(0).and_then(|()| file.write_all(&content)).context("write", &path)?;
        Ok(Ok(Self { _file: file }))
    }
}

/// What `stack.json` holds: how to find the servers of the last start. The ports are kept after a stop and used again when
/// free, so that addresses last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where the data is.
    pub(super) home: Option<PathBuf>,
    pub(super) socket_directory: Option<PathBuf>,
    #[serde(default)]
    pub(super) postgres: ServerRecord,
    #[serde(default)]
    pub(super) nats: ServerRecord,
}

/// One server in `stack.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ServerRecord {
    pub(super) process: Option<ProcessId>,
    pub(super) port: Option<u16>,
}

impl Record {
    /// Reads the record. One that cannot be read is as good as none: everything in it can be found out again.
    pub(super) fn read(dir: &Path) -> Self {
        let bytes = fs::read(dir.join("stack.json")).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}

/// `stack.json`, written anew with every change, while two servers start at once.
#[derive(Debug)]
pub(super) struct RecordFile {
    path: PathBuf,
    record: Mutex<Record>,
}

impl RecordFile {
    pub(super) fn new(layout: &Layout, mut record: Record) -> Self {
        record.home = Some(layout.home.clone());
        Self { path: layout.dir.join("stack.json"), record: Mutex::new(record) }
    }

    pub(super) fn get(&self) -> Record {
        self.locked().clone()
    }

    pub(super) fn update(&self, layout: &Layout, change: impl FnOnce(&mut Record)) -> Result<(), StackError> {
        let mut record = self.locked();
        change(&mut record);
        let content =
            serde_json::to_vec_pretty(&*record).map_err(io::Error::from).context("write", &self.path)?;
        write_private(&self.path, &content)?;
        layout.hand_over(&self.path)
    }

    fn locked(&self) -> MutexGuard<'_, Record> {
        // A record is replaced field by field, so it is whole even if a writer panicked.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces a file as a whole, readable to its owner alone.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), StackError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().context("write", path)
}

/// Makes a rename in this directory survive a crash of the machine.
pub(super) fn sync_directory(path: &Path) -> Result<(), StackError> {
    File::open(path).and_then(|directory| directory.sync_all()).context("sync", path)
}

/// Whether every directory on the way lets the account through.
pub(super) fn reachable(path: &Path, account: &Account) -> bool {
    path.ancestors().all(|step| {
        fs::metadata(step).is_ok_and(|metadata| {
            let bit = if metadata.uid() == account.uid {
                0o100
            } else if metadata.gid() == account.gid {
                0o010
            } else {
                0o001
            };
            metadata.mode() & bit != 0
        })
    })
}

/// The account that owns one of these already, or else one made for servers.
fn account_for(owned: &[&Path]) -> Result<Account, StackError> {
    let owner =
        owned.iter().filter_map(|path| fs::symlink_metadata(path).ok()).find(|found| found.uid() != 0);
    if let Some(owner) = owner {
        let user = User::from_uid(Uid::from_raw(owner.uid())).ok().flatten();
        let name = user.map_or_else(|| format!("uid {}", owner.uid()), |user| user.name);
        return Ok(Account { name, uid: owner.uid(), gid: owner.gid() });
    }
    let user = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    let user = user.ok_or(StackError::NoAccount)?;
    Ok(Account { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
}

/// Whether `home` was made for `dir`, or for a directory that has since been renamed to `dir`.
fn is_home_of(home: &Path, dir: &Path) -> bool {
    let ours =
        fs::symlink_metadata(home).is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
    let marker = fs::read_to_string(home.join(MARKER)).map(PathBuf::from);
    ours && marker.is_ok_and(|made_for| made_for == dir || !made_for.exists())
}

/// FNV-1a: names must not change with the compiler, as those of the standard hasher may.
fn hash(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
