//! Exports: a file that streams in, piece by piece.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use concord_proto::audit::v1::{
    ExportControlTestsResponse, ExportCsvResponse, ExportFindingsResponse, FindingGroup, Reflects,
};
use tonic::Streaming;

use super::findings::show;
use crate::errors::CliError;

/// A piece of an exported file. The first one says what the whole reflects.
pub(super) struct Piece {
    data: Vec<u8>,
    reflects: Option<Reflects>,
    on: String,
    /// Of findings: the whole of each currency.
    totals: Vec<FindingGroup>,
}

impl From<ExportCsvResponse> for Piece {
    fn from(piece: ExportCsvResponse) -> Self {
        Self { data: piece.data, reflects: piece.reflects, on: piece.on, totals: Vec::new() }
    }
}

impl From<ExportFindingsResponse> for Piece {
    fn from(piece: ExportFindingsResponse) -> Self {
        Self { data: piece.data, reflects: piece.reflects, on: piece.on, totals: piece.totals }
    }
}

impl From<ExportControlTestsResponse> for Piece {
    fn from(piece: ExportControlTestsResponse) -> Self {
        Self { data: piece.data, reflects: piece.reflects, on: String::new(), totals: Vec::new() }
    }
}

/// Writes an export as it streams in, to standard output where no file is named. A file appears under its name only when it
/// is whole.
pub(super) async fn write<P: Into<Piece>>(
    mut stream: Streaming<P>,
    output: Option<PathBuf>,
) -> Result<(), CliError> {
    let (mut reflects, mut on, mut totals) = (None, String::new(), Vec::new());
    let mut note = |piece: P| {
        let piece: Piece = piece.into();
        if piece.reflects.is_some() {
            (reflects, on, totals) = (piece.reflects, piece.on, piece.totals);
        }
        piece.data
    };
    match output {
        None => {
            let mut out = std::io::stdout().lock();
            while let Some(piece) = stream.message().await? {
                out.write_all(&note(piece))
                    .map_err(CliError::file("write to", "standard output".as_ref()))?;
            }
        }
        Some(path) => {
            let here = Path::new(".");
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(here);
            let mut file =
                tempfile::NamedTempFile::new_in(directory).map_err(CliError::file("write in", directory))?;
            while let Some(piece) = stream.message().await? {
                file.write_all(&note(piece)).map_err(CliError::file("write", &path))?;
            }
            file.persist(&path).map_err(|error| CliError::file("write", &path)(error.error))?;
            eprintln!("{} 已导出", path.display());
        }
    }
    for total in &totals {
        eprintln!("{}", show::total(total));
    }
    if let Some(point) = reflects {
        eprintln!("as of 截至 {}", point.as_of);
        if let Some(standing) = point.standing {
            eprintln!("NOT UP TO DATE 未跟上: {}\n  {}", standing.message, standing.message_zh);
        }
    }
    if !on.is_empty() {
        eprintln!("counted from 截止日 {on}");
    }
    Ok(())
}
