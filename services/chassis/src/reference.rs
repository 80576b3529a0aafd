//! The tables by which a service decides: rulebooks, working days, regions.

use crate::{config::Settings, service::StartError};
use concord_kernel::{calendar::Calendar, region::Regions, rulebook::Rulebooks};
use std::{fmt::Display, fs, path::Path, sync::Arc};

/// What the law leaves open, on which days people work, and what regions are called. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The versions of the rulebook.
    pub rulebooks: Arc<Rulebooks>,
    /// Working days.
    pub calendar: Arc<Calendar>,
    /// Codes of regions, by year.
    pub regions: Arc<Regions>,
}

impl Tables {
    /// The tables that are shipped.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            rulebooks: Arc::new(Rulebooks::shipped().clone()),
            calendar: Arc::new(Calendar::shipped().clone()),
            regions: Arc::new(Regions::shipped().clone()),
        }
    }

    /// The tables that the settings name, else those that are shipped. A calendar file supplements the shipped one: a
    /// year that it states replaces that year.
    ///
    /// # Errors
    /// [`StartError::Reference`], with the file and what is wrong with it.
    pub fn of(settings: &Settings) -> Result<Self, StartError> {
        let rulebooks = match &settings.rulebook_dir {
            Some(dir) => rulebooks(dir)?,
            None => Rulebooks::shipped().clone(),
        };
        let mut calendar = Calendar::shipped().clone();
        if let Some(file) = &settings.calendar_file {
            calendar.extend(Calendar::from_csv(&text(file)?).map_err(|error| wrong(file, error))?);
        }
        let regions = regions(settings)?;
        Ok(Self { rulebooks: Arc::new(rulebooks), calendar: Arc::new(calendar), regions })
    }
}

/// The table of regions that the settings name, else the shipped one.
///
/// # Errors
/// As [`Tables::of`].
pub fn regions(settings: &Settings) -> Result<Arc<Regions>, StartError> {
    let regions = match &settings.regions_file {
        Some(file) => Regions::from_csv(&text(file)?).map_err(|error| wrong(file, error))?,
        None => Regions::shipped().clone(),
    };
    Ok(Arc::new(regions))
}

fn rulebooks(dir: &Path) -> Result<Rulebooks, StartError> {
    let entries = fs::read_dir(dir).map_err(|error| wrong(dir, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| wrong(dir, error))?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push((path.display().to_string(), text(&path)?));
        }
    }
    files.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Rulebooks::from_toml_files(&files).map_err(|error| wrong(dir, error))
}

fn text(file: &Path) -> Result<String, StartError> {
    fs::read_to_string(file).map_err(|error| wrong(file, error))
}

fn wrong(path: &Path, error: impl Display) -> StartError {
    StartError::Reference(format!("{} cannot be used: {error}", path.display()))
}
