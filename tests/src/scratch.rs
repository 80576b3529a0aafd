//! A scratch workspace: this repository as it stands, by links, and folders of services copied beside its own.
//!
//! It is built into the same target directory, so what the services depend on outside of this repository is compiled
//! once for both.

use crate::stack::{built, repository};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What of the root is neither source nor needed to build.
const NOT_SOURCE: [&str; 3] = [".git", ".concord", "target"];

/// What cargo tells a test, in its environment, of the package that it belongs to.
const OF_THIS_PACKAGE: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_", "OUT_DIR"];

/// A workspace whose members are this repository's, and the copied folders. Dropped, it is deleted; what was built stays.
pub struct Scratch {
    dir: TempDir,
    packages: Vec<String>,
}

impl Scratch {
    /// A workspace of this repository's members alone, under the target directory.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("scratch-").tempdir_in(target()?)?;
        let services = dir.path().join("services");
        fs::create_dir(&services)?;
        for entry in sources(repository())? {
            let name = entry.file_name().context("an entry has a name")?;
            match name.to_str() {
                // Cargo writes the new packages into it.
                Some("Cargo.lock") => drop(fs::copy(&entry, dir.path().join(name))?),
                Some("services") => {
                    for service in sources(&entry)? {
                        symlink(&service, services.join(service.file_name().unwrap_or_default()))?;
                    }
                }
                _ => symlink(&entry, dir.path().join(name))?,
            }
        }
        Ok(Self { dir, packages: Vec::new() })
    }

    /// Copies a folder to `services/<name>`, with these texts replaced in each of its files. Its package must be called
    /// `concord-<name>` then, as its program is.
    pub fn copy(&mut self, folder: &str, name: &str, renames: &[(&str, &str)]) -> Result<()> {
        let mut found = vec![0_usize; renames.len()];
        let (from, to) = (repository().join(folder), self.dir.path().join("services").join(name));
        for file in files(&from)? {
            let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            for (found, (old, new)) in found.iter_mut().zip(renames) {
                *found += text.matches(old).count();
                text = text.replace(old, new);
            }
            let copy = to.join(file.strip_prefix(&from)?);
            fs::create_dir_all(copy.parent().context("a file lies in a folder")?)?;
            fs::write(copy, text)?;
        }
        for (found, (old, _)) in found.iter().zip(renames) {
            ensure!(*found > 0, "{folder} has no {old:?} to rename");
        }
        self.packages.push(format!("concord-{name}"));
        Ok(())
    }

    /// Builds the copied folders, offline and without a warning.
    pub fn build(&self) -> Result<()> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg("build").arg("--offline").current_dir(self.dir.path()).stdin(Stdio::null());
        cargo.env("CARGO_TARGET_DIR", target()?).env("CARGO_TERM_COLOR", "never");
        // What cargo says to this test of its own package would be news to some build scripts, and they would run again,
        // here and with the next build of the repository.
        let own = |name: &str| OF_THIS_PACKAGE.iter().any(|prefix| name.starts_with(prefix));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
            cargo.env_remove(name);
        }
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        for package in &self.packages {
            cargo.args(["-p", package]);
        }
        let said = cargo.output()?;
        let text = String::from_utf8_lossy(&said.stderr);
        // Shown where the test fails.
        println!("{text}");
        ensure!(said.status.success(), "cargo build in the scratch workspace: {text}");
        ensure!(!text.contains("warning"), "a copied folder builds with warnings: {text}");
        Ok(())
    }

    /// The program of a copied folder, once it is built.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let package = format!("concord-{name}");
        ensure!(self.packages.contains(&package), "{package} was not copied");
        built(&package)
    }

    /// Everything in the workspace that is not a link to what is in the repository, relative to its root.
    pub fn own_files(&self) -> Result<Vec<PathBuf>> {
        let own = files(self.dir.path())?.into_iter();
        own.map(|file| Ok(file.strip_prefix(self.dir.path())?.to_owned())).collect()
    }

    /// Names of the packages that its lock file has beside the repository's, which must all be in it as they were.
    pub fn new_packages(&self) -> Result<Vec<String>> {
        let read = |root: &Path| -> Result<Vec<String>> {
            let text = fs::read_to_string(root.join("Cargo.lock"))?;
            Ok(text.split("[[package]]").map(|package| package.trim().to_owned()).collect())
        };
        let (before, after) = (read(repository())?, read(self.dir.path())?);
        if let Some(changed) = before.iter().find(|package| !after.contains(package)) {
            bail!("the lock file lost or changed a package: {changed}");
        }
        let new = after.iter().filter(|package| !before.contains(package));
        let name = |package: &String| {
            let line = package.lines().next()?;
            Some(line.strip_prefix("name = ")?.trim_matches('"').to_owned())
        };
        new.map(|package| name(package).with_context(|| format!("no package: {package}"))).collect()
    }
}

/// Every file of the repository, with its hash.
pub fn repository_as_it_is() -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let files = files(repository())?.into_iter();
    files.map(|file| Ok((file.clone(), Sha256::digest(fs::read(&file)?).to_vec()))).collect()
}

/// The target directory that this test was built into.
fn target() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    Ok(test.ancestors().nth(3).context("a test lies in target/<profile>/deps")?.to_owned())
}

/// What a folder of the repository holds, without what is neither source nor needed to build.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let source =
        |path: &PathBuf| !NOT_SOURCE.iter().any(|name| path.file_name().is_some_and(|own| own == *name));
    Ok(entries.into_iter().filter(source).collect())
}

/// All files below a folder. Links are not followed, and not listed.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in sources(&folder)? {
            let kind = fs::symlink_metadata(&path)?.file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}
