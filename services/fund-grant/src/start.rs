//! Puts the aggregates, their tables and their gRPC services together.

use crate::{
    Fund,
    service::{Grants, Programmes},
};
use concord_chassis::{
    config::Settings,
    grpc::{BULK_MESSAGE_BYTES_MAX, Server},
    service::{self, Serving, StartError},
};
use concord_kernel::{calendar::Calendar, region::Regions, rulebook::Rulebooks};
use concord_proto::fund::v1::{
    grant_service_server::GrantServiceServer, programme_service_server::ProgrammeServiceServer,
};
use std::{fmt::Display, fs, path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;

/// Opens the log and serves it until `shutdown`.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn start(settings: &Settings, shutdown: CancellationToken) -> Result<Serving, StartError> {
    let opened = service::open(Arc::new(fund(settings)?), settings).await?;
    let (log, personal) = (opened.log.clone(), opened.personal.clone());
    let grants = GrantServiceServer::new(Grants::new(log.clone(), personal.clone()))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(BULK_MESSAGE_BYTES_MAX);
    let programmes = ProgrammeServiceServer::new(Programmes::new(log, personal));
    let mut server = Server::new();
    server.add_service(grants).await.add_service(programmes).await;
    opened.serve(server, settings, shutdown).await
}

/// The fund under the tables that the settings name, else those that are shipped. A calendar file supplements the
/// shipped one: a year that it states replaces that year.
fn fund(settings: &Settings) -> Result<Fund, StartError> {
    let rulebooks = match &settings.rulebook_dir {
        Some(dir) => rulebooks(dir)?,
        None => Rulebooks::shipped().clone(),
    };
    let regions = match &settings.regions_file {
        Some(file) => Regions::from_csv(&text(file)?).map_err(|error| wrong(file, error))?,
        None => Regions::shipped().clone(),
    };
    let mut calendar = Calendar::shipped().clone();
    if let Some(file) = &settings.calendar_file {
        calendar.extend(Calendar::from_csv(&text(file)?).map_err(|error| wrong(file, error))?);
    }
    Ok(Fund::new(Arc::new(rulebooks), Arc::new(calendar), Arc::new(regions)))
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
