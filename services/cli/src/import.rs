//! `concord import`: takes awards made elsewhere into the log 历史项目导入. Nothing is imported twice, bad rows are set
//! aside with the reason, and an interrupted import goes on where it stopped when it is run again.

pub mod csv;
pub mod h2020;
pub mod mapping;
pub mod tranches;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use concord_kernel::Date;
use concord_proto::fund::v1::{BulkCommand, ImportAwardRequest, bulk_command::Command};
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use serde_json::json;

use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Fund};
use crate::errors::{CliError, explain};
use crate::output::{Format, count, print_json};
use crate::progress::Progress;

/// An award that can be sent.
#[derive(Debug, Clone)]
pub struct Award {
    /// First line of it in the file.
    pub line: u64,
    /// Its key in the file.
    pub key: String,
    /// The command.
    pub request: ImportAwardRequest,
}

/// A row, or a group of rows, that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Its (first) line in the file.
    pub line: u64,
    /// Its key, where it has one.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// How an import is run, whatever the format.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// File to import, plain or gzipped 导入文件
    pub file: PathBuf,
    /// Where bad rows go; default FILE.reject.csv 问题行文件
    #[arg(long, value_name = "FILE")]
    pub reject: Option<PathBuf>,
    /// Exit with 2 when rows were rejected 有问题行时返回 2
    #[arg(long)]
    pub strict: bool,
    /// Read and check the file, and send nothing 只检查不导入
    #[arg(long)]
    pub dry_run: bool,
}

/// How an import went.
#[derive(Debug, Default)]
pub struct Report {
    /// Awards that are new in the log.
    pub imported: u64,
    /// Awards that an earlier run had imported.
    pub already_there: u64,
    /// What was set aside.
    pub rejects: Vec<Reject>,
    /// Awards that were not sent, because a stop was asked for.
    pub left: u64,
}

/// Reads a file into memory, unpacking it where it is gzipped.
///
/// # Errors
/// [`CliError::File`] naming the file.
pub fn read_file(path: &Path) -> Result<String, CliError> {
    let file = std::fs::File::open(path).map_err(CliError::file("open", path))?;
    let mut reader = std::io::BufReader::new(file);
    let mut bytes = Vec::new();
    let gzipped = std::io::BufRead::fill_buf(&mut reader)
        .map_err(CliError::file("read", path))?
        .starts_with(&[0x1f, 0x8b]);
    let read = if gzipped {
        flate2::bufread::MultiGzDecoder::new(reader).read_to_end(&mut bytes)
    } else {
        reader.read_to_end(&mut bytes)
    };
    read.map_err(CliError::file("read", path))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        CliError::failed(format!(
            "{} is not UTF-8 on line {line}; convert it and try again 文件不是 UTF-8 编码",
            path.display()
        ))
    })
}

/// The text of a record as it stood, between two byte positions of the reader.
fn csv_slice(text: &str, from: u64, to: u64) -> &str {
    let (from, to) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(to).unwrap_or(usize::MAX));
    text.get(from..to).unwrap_or_default().trim_matches(['\r', '\n'])
}

/// Where the log stands before an import.
///
/// # Errors
/// What the service answered, or a today that is no date.
pub async fn log_status(fund: &Fund, actor: &Actor) -> Result<(GetLogStatusResponse, Date), CliError> {
    let status = fund.log(actor)?.get_log_status(GetLogStatusRequest {}).await?.into_inner();
    let today = status
        .today
        .parse()
        .map_err(|_| CliError::failed(format!("the log's today is {:?}", status.today)))?;
    Ok((status, today))
}

/// The date on which an import says that the award happened: its own date, and nothing where that is still to come.
#[must_use]
pub fn effective_on(own: Option<Date>, today: Date) -> String {
    own.filter(|date| *date <= today).map(|date| date.to_string()).unwrap_or_default()
}

/// Sends the awards; those that the service refuses join the rejected rows.
///
/// # Errors
/// What broke the stream for good. What was answered before stands: run the import again.
pub async fn send(
    fund: &Fund,
    actor: &Actor,
    head: u64,
    awards: Vec<Award>,
    rejects: Vec<Reject>,
    stop: &Stop,
) -> Result<Report, CliError> {
    let total = u64::try_from(awards.len()).unwrap_or(u64::MAX);
    let mut progress = Progress::new("awards", total);
    progress.note("importing 导入");
    let mut report = Report { rejects, ..Report::default() };
    let by = actor.to_wire();
    let commands = awards.into_iter().map(|award| {
        let command =
            BulkCommand { actor: Some(by.clone()), command: Some(Command::ImportAward(award.request)) };
        ((award.line, award.key), command)
    });
    let outcome = bulk::execute(&mut fund.grants(actor)?, commands, stop, |(line, key), answer| {
        match answer {
            // The very receipt of an earlier run, or a no-op: nothing new.
            Answer::Accepted(receipt) if receipt.first_position <= head => report.already_there += 1,
            Answer::Accepted(_) => report.imported += 1,
            Answer::Refused(status) => {
                let reason = explain(&status).lines().map(str::trim).collect::<Vec<_>>().join("; ");
                report.rejects.push(Reject { line, key, reason });
            }
        }
        progress.step();
    })
    .await;
    progress.finish();
    report.left = total - progress.done();
    report.rejects.sort();
    outcome.map_err(|status| {
        CliError::failed(format!(
            "stopped after {} of {} awards: {}\nRun the same command again: what is in the log is not imported twice. \
             再次运行同一命令即可继续。",
            count(progress.done()),
            count(total),
            explain(&status)
        ))
    })?;
    Ok(report)
}

/// Writes the rejected rows, prints how it went, and says by its result whether that is a success.
///
/// # Errors
/// A file that cannot be written; [`CliError::RowsRejected`] under `--strict`; an interrupted import.
pub fn conclude(args: &ImportArgs, report: &Report, format: Format) -> Result<(), CliError> {
    let (imported, there, rejected) = (report.imported, report.already_there, report.rejects.len());
    let written = write_rejects(args, &report.rejects)?;
    match format {
        Format::Json => print_json(&json!({
            "imported": imported,
            "already_there": there,
            "rejected": rejected,
            "not_sent": report.left,
            "reject_file": written,
        })),
        Format::Table => {
            let (imported, there) = (count(imported), count(there));
            println!(
                "{imported} imported, {there} already there, {rejected} rejected 导入 {imported}，已存在 {there}，拒绝 {rejected}"
            );
            if let Some(path) = written {
                println!("rejected rows with their reasons: {} 问题行及原因", path.display());
            }
        }
    }
    if report.left > 0 {
        return Err(CliError::failed(format!(
            "stopped with {} awards not sent; run the same command again to go on 已中断，可再次运行继续",
            count(report.left)
        )));
    }
    if args.strict && !report.rejects.is_empty() {
        return Err(CliError::RowsRejected(report.rejects.len()));
    }
    Ok(())
}

/// Writes what was set aside. Without rejects nothing is written, and a file of an earlier run is left alone.
fn write_rejects(args: &ImportArgs, rejects: &[Reject]) -> Result<Option<PathBuf>, CliError> {
    if rejects.is_empty() {
        return Ok(None);
    }
    let path = args.reject.clone().unwrap_or_else(|| {
        let mut name = args.file.clone().into_os_string();
        name.push(".reject.csv");
        name.into()
    });
    let write = || -> std::io::Result<()> {
        let mut writer = ::csv::Writer::from_path(&path)?;
        writer.write_record(["line", "key", "reason"])?;
        for reject in rejects {
            writer.write_record([&reject.line.to_string(), &reject.key, &reject.reason])?;
        }
        writer.flush()
    };
    write().map_err(CliError::file("write", &path))?;
    Ok(Some(path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn args(file: PathBuf) -> ImportArgs {
        ImportArgs { file, reject: None, strict: false, dry_run: false }
    }

    #[test]
    fn gzipped_and_plain_files_read_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.csv"), dir.path().join("a.csv.gz"));
        std::fs::write(&plain, "a,b\n1,2\n").unwrap();
        let mut encoder = flate2::write::GzEncoder::new(
            std::fs::File::create(&packed).unwrap(),
            flate2::Compression::fast(),
        );
        encoder.write_all(b"a,b\n1,2\n").unwrap();
        encoder.finish().unwrap();
        assert_eq!(read_file(&plain).unwrap(), read_file(&packed).unwrap());
        std::fs::write(&plain, b"ok\n\xff\n").unwrap();
        assert!(read_file(&plain).unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn rejected_rows_are_written_beside_the_file_and_only_where_there_are_some() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path().join("in.csv"));
        conclude(&args, &Report::default(), Format::Table).unwrap();
        assert!(!dir.path().join("in.csv.reject.csv").exists());
        let reject = Reject { line: 3, key: "k".to_owned(), reason: "the amount is zero".to_owned() };
        conclude(&args, &Report { rejects: vec![reject], ..Report::default() }, Format::Table).unwrap();
        let written = std::fs::read_to_string(dir.path().join("in.csv.reject.csv")).unwrap();
        assert_eq!(written, "line,key,reason\n3,k,the amount is zero\n");
        let strict = ImportArgs { strict: true, ..args };
        let rejects = vec![Reject { line: 1, key: String::new(), reason: String::new() }];
        assert_eq!(
            conclude(&strict, &Report { rejects, ..Report::default() }, Format::Table,)
                .unwrap_err()
                .exit_code(),
            2
        );
    }

    #[test]
    fn an_award_that_is_still_to_come_happens_on_the_day_it_is_recorded() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(effective_on(Some(day("2019-05-01")), day("2020-01-01")), "2019-05-01");
        assert_eq!(effective_on(Some(day("2020-05-01")), day("2020-01-01")), "");
        assert_eq!(effective_on(None, day("2020-01-01")), "");
    }
}
