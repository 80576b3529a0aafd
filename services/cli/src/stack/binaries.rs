//! Finds PostgreSQL and nats-server on the machine.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::StackOptions;
use super::error::StackError;

/// The oldest major version of PostgreSQL that will do.
const POSTGRES_OLDEST: u32 = 15;
/// The oldest version of nats-server that will do: the first with atomic batch publish.
const NATS_OLDEST: (u32, u32) = (2, 14);

/// Where to look for programs that no option names.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The folders of `PATH`.
    pub(super) path: Vec<PathBuf>,
    /// Holds `<major>/bin` for each version, as Debian installs them side by side and outside `PATH`.
    pub(super) postgres_root: PathBuf,
    /// Folders that may hold nats-server, besides those of `PATH` and the stack's own `bin/`.
    pub(super) nats: Vec<PathBuf>,
}

impl Places {
    pub(super) fn of_this_machine() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let here = env::current_dir().unwrap_or_default();
        // A stack may live elsewhere, in a test for example; the project's own programs still serve.
        let projects = here.ancestors().map(|folder| folder.join(".concord/bin"));
        let user = env::home_dir().map(|home| home.join(".local/share/concord/bin"));
        Self {
            path: env::split_paths(&path).filter(|folder| folder.is_absolute()).collect(),
            postgres_root: PathBuf::from("/usr/lib/postgresql"),
            nats: projects.chain(user).collect(),
        }
    }
}

/// An installed PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres {
    /// The folder of `initdb` and `postgres`.
    pub(super) bin: PathBuf,
    pub(super) major: u32,
}

/// Finds PostgreSQL: the one named, or else that of `PATH`, or else the newest that Debian installed. Data that exists decides
/// the major version.
pub(super) async fn postgres(options: &StackOptions, data: &Path) -> Result<Postgres, StackError> {
    let written_by =
        fs::read_to_string(data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    let fits = |found: &Postgres| {
        written_by.map_or(found.major >= POSTGRES_OLDEST, |major: u32| found.major == major)
    };

    let mut found = Vec::new();
    if let Some(bin) = &options.postgres_bin {
        let missing = || StackError::PostgresBin { path: bin.clone() };
        found.push(inspect_postgres(bin).await.ok_or_else(missing)?);
    } else {
        for bin in postgres_folders(&options.places) {
            found.extend(inspect_postgres(&bin).await);
            if found.last().is_some_and(fits) {
                break;
            }
        }
    }
    if let Some(index) = found.iter().position(fits) {
        return Ok(found.swap_remove(index));
    }

    let listed: Vec<_> = found
        .iter()
        .map(|postgres| format!("PostgreSQL {} in {}", postgres.major, postgres.bin.display()))
        .collect();
    let listed = listed.join(", ");
    Err(match written_by {
        Some(wanted) if !found.is_empty() => {
            StackError::PostgresMajor { data: data.to_owned(), wanted, found: listed }
        }
        _ if found.is_empty() => StackError::PostgresMissing {
            looked_in: format!("PATH and {}", options.places.postgres_root.display()),
        },
        _ => StackError::PostgresTooOld { found: listed },
    })
}

/// Finds nats-server: the one named, or else the first that is new enough in `PATH`, the stack's `bin/`, the project's, the
/// user's.
pub(super) async fn nats_server(options: &StackOptions, dir: &Path) -> Result<PathBuf, StackError> {
    let mut too_old = Vec::new();
    if let Some(program) = &options.nats_server {
        let unusable = || StackError::NatsProgram { path: program.clone() };
        let version = nats_version(program).await.ok_or_else(unusable)?;
        if version >= NATS_OLDEST {
            return Ok(program.clone());
        }
        too_old.push((version, program.clone()));
    } else {
        let folders =
            options.places.path.iter().cloned().chain([dir.join("bin")]).chain(options.places.nats.clone());
        for program in folders.map(|folder| folder.join("nats-server")) {
            match nats_version(&program).await {
                Some(version) if version >= NATS_OLDEST => return Ok(program),
                Some(version) => too_old.push((version, program)),
                None => {}
            }
        }
    }
    if too_old.is_empty() {
        let own = dir.join("bin");
        return Err(StackError::NatsMissing {
            looked_in: format!("PATH, {}, .concord/bin and ~/.local/share/concord/bin", own.display()),
        });
    }
    let listed: Vec<_> = too_old
        .iter()
        .map(|((major, minor), program)| format!("nats-server {major}.{minor} as {}", program.display()))
        .collect();
    Err(StackError::NatsTooOld { found: listed.join(", ") })
}

fn postgres_folders(places: &Places) -> Vec<PathBuf> {
    // The program in PATH is often a symbolic link, and its companions are where the link leads.
    let in_path = places.path.iter().filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok());
    let in_path = in_path.filter_map(|program| program.parent().map(Path::to_owned));

    let installed = fs::read_dir(&places.postgres_root).into_iter().flatten().filter_map(Result::ok);
    let mut installed: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    installed.sort_by_key(|(major, _)| Reverse(*major));

    in_path.chain(installed.into_iter().map(|(_, bin)| bin)).collect()
}

async fn inspect_postgres(bin: &Path) -> Option<Postgres> {
    if !bin.join("initdb").is_file() {
        return None;
    }
    // As in "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "postgres (PostgreSQL) 18beta1".
    let text = version_text(&bin.join("postgres")).await?;
    let version = text.strip_prefix("postgres (PostgreSQL) ")?;
    let digits = version.split(|character: char| !character.is_ascii_digit()).next()?;
    Some(Postgres { bin: bin.to_owned(), major: digits.parse().ok()? })
}

async fn nats_version(program: &Path) -> Option<(u32, u32)> {
    // As in "nats-server: v2.15.1".
    let text = version_text(program).await?;
    let mut numbers =
        text.trim().strip_prefix("nats-server: v")?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

async fn version_text(program: &Path) -> Option<String> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("--version").kill_on_drop(true).output().await.ok()?;
    String::from_utf8(output.stdout).ok()
}
