//! Settings of a service, from flags and environment, and the connections that follow from them.
//!
//! A flag wins over its environment variable, and an empty variable counts as unset. What is not understood stops the
//! service with one sentence and exit code [`EX_USAGE`]: an unknown flag, a bad value, and an unknown variable that
//! begins with `CONCORD_`, because a misspelt variable would otherwise be ignored in silence.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use jiff::civil::Date;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::NoTls;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

/// Exit code for settings that are not understood: `EX_USAGE` of sysexits.h.
pub const EX_USAGE: i32 = 64;

/// Variables with the prefix `CONCORD_` that some part of Concord reads.
const KNOWN_VARIABLES: [&str; 5] =
    ["CONCORD_ACTOR", "CONCORD_ADDRESS", "CONCORD_DIR", "CONCORD_NATS_SERVER", "CONCORD_PG_BIN"];

/// A cell is part of subjects, stream names and origins, so it stays short and plain.
const CELL_BYTES_MAX: usize = 32;

/// Settings of one service.
#[derive(Clone, Parser)]
#[command(disable_help_subcommand = true)]
pub struct Settings {
    /// Address that gRPC is served on; port 0 takes a free one. Loopback only, until callers are authenticated
    #[arg(long, env = "LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub listen: SocketAddr,

    /// Address that Prometheus metrics and /healthz are served on; not served where absent. Loopback only
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS", value_parser = loopback)]
    pub metrics_listen: Option<SocketAddr>,

    /// PostgreSQL database of this service, as a URL or as `key=value` pairs
    #[arg(long, env = "DATABASE_URL", value_name = "URL", required = true)]
    pub database_url: String,

    /// NATS server or servers, separated by commas
    #[arg(long, env = "NATS_URL", value_name = "URL", required = true)]
    pub nats_url: String,

    /// Name of the cell: one jurisdiction's databases and services; at most 32 of a-z, 0-9 and "-"
    #[arg(long, env = "CELL", value_name = "NAME", default_value = "local", value_parser = cell)]
    pub cell: String,

    /// Directory of rulebooks; those built in are used where absent
    #[arg(long, env = "RULEBOOK_DIR", value_name = "DIRECTORY")]
    pub rulebook_dir: Option<PathBuf>,

    /// File of regions and their validity; the one built in is used where absent
    #[arg(long, env = "REGIONS_FILE", value_name = "FILE")]
    pub regions_file: Option<PathBuf>,

    /// File of working days; the one built in is used where absent
    #[arg(long, env = "CALENDAR_FILE", value_name = "FILE")]
    pub calendar_file: Option<PathBuf>,

    /// Collector that traces are sent to over OTLP/gRPC, for example http://127.0.0.1:4317; none are sent where absent
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = http_url)]
    pub otlp_endpoint: Option<String>,

    /// Form of log lines on standard error
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Seconds that calls in flight are given to finish when the service stops, 0 to 3600
    #[arg(long, env = "DRAIN_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub drain_seconds: u64,

    /// Memory for aggregate states, in MiB, 1 to 65536
    #[arg(long, env = "CACHE_MIB", value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub cache_mib: u32,

    /// gRPC address of the service whose log this one follows, for example http://127.0.0.1:7001: a projection must, and
    /// fund-grant follows the agreements
    #[arg(long, env = "LOG_OWNER", value_name = "URL", value_parser = http_url)]
    pub log_owner: Option<String>,

    /// First day of a played clock, YYYY-MM-DD, for a log that is created now; the system's clock where absent
    #[arg(long, env = "PLAYED_FROM", value_name = "DATE", value_parser = date)]
    pub played_from: Option<Date>,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Addresses of the database and of NATS may hold passwords, so they are not shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("metrics_listen", &self.metrics_listen)
            .field("cell", &self.cell)
            .field("rulebook_dir", &self.rulebook_dir)
            .field("regions_file", &self.regions_file)
            .field("calendar_file", &self.calendar_file)
            .field("otlp_endpoint", &self.otlp_endpoint)
            .field("log_format", &self.log_format)
            .field("drain_seconds", &self.drain_seconds)
            .field("cache_mib", &self.cache_mib)
            .field("log_owner", &self.log_owner)
            .field("played_from", &self.played_from)
            .finish_non_exhaustive()
    }
}

/// Settings that are not understood, or a database that they do not lead to.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `--help` or `--version` was asked for: the text to print. Not a fault.
    #[error("{0}")]
    Asked(String),
    /// A flag or a variable is unknown, missing or wrong. The sentence says which and what to do.
    #[error("{0}")]
    Usage(String),
    /// The address of the database cannot be read. Its text is left out, because it may hold a password.
    #[error("the database address is not one; write postgres://user@host:port/database or key=value pairs")]
    DatabaseUrl(#[source] tokio_postgres::Error),
    /// The connection pool could not be made.
    #[error("the connection pool could not be made")]
    Pool(#[source] deadpool_postgres::BuildError),
    /// The lock that keeps two replicas from migrating at once could not be had.
    #[error("the database could not be locked for migration; check that it answers, and start again")]
    MigrationLock(#[source] tokio_postgres::Error),
    /// The schema could not be brought up to date.
    #[error(
        "the database could not be migrated; where its schema is newer than this program, start a newer one"
    )]
    Migration(#[source] refinery::Error),
}

impl Settings {
    /// Reads flags and environment of this process. Prints help or version and exits with 0 where asked; prints one
    /// sentence and exits with [`EX_USAGE`] where something is not understood.
    #[must_use]
    pub fn from_args(service_name: &'static str) -> Self {
        match parse(service_name, std::env::args_os().skip(1), std::env::vars_os()) {
            Ok(settings) => settings,
            Err(ConfigError::Asked(text)) => {
                print!("{text}");
                std::process::exit(0)
            }
            Err(error) => {
                eprintln!("{service_name}: {error}");
                std::process::exit(EX_USAGE)
            }
        }
    }

    /// How long calls in flight may take when the service stops.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Memory for aggregate states, in bytes.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        usize::try_from(self.cache_mib).map_or(usize::MAX, |mib| mib.saturating_mul(1024 * 1024))
    }
}

/// Reads settings from arguments (without the program's name) and environment variables.
///
/// # Errors
/// [`ConfigError::Asked`] for `--help` and `--version`, else [`ConfigError::Usage`] or [`ConfigError::DatabaseUrl`].
pub fn parse(
    service_name: &'static str,
    args: impl IntoIterator<Item = impl Into<OsString>>,
    env: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
) -> Result<Settings, ConfigError> {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let env: HashMap<OsString, OsString> = env
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let command = Settings::command()
        .name(service_name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("The {service_name} service of Concord"))
        .mut_args(|arg| arg.hide_env_values(true));

    // The environment is handed over as arguments, so that this function reads nothing but what it is given.
    let from_env: Vec<(String, String, OsString)> = command
        .get_arguments()
        .filter_map(|arg| {
            let flag = format!("--{}", arg.get_long()?);
            let variable = arg.get_env()?;
            let value = env.get(variable)?.clone();
            (!is_given(&args, &flag)).then(|| (flag, variable.to_string_lossy().into_owned(), value))
        })
        .collect();
    let line = std::iter::once(OsString::from(service_name))
        .chain(from_env.iter().map(|(flag, _, value)| {
            let mut argument = OsString::from(flag);
            argument.push("=");
            argument.push(value);
            argument
        }))
        .chain(args);

    let settings = command
        .clone()
        .mut_args(|arg| arg.env(clap::builder::Resettable::Reset))
        .try_get_matches_from(line)
        .and_then(|matches| Settings::from_arg_matches(&matches))
        .map_err(|error| explain(&error, &command, &from_env))?;
    // Help and version are answered even in an environment that is not understood.
    refuse_unknown_variables(env.keys())?;
    database(&settings.database_url)?;
    Ok(settings)
}

/// Whether a flag stands among the arguments, as `--flag value` or `--flag=value`.
fn is_given(args: &[OsString], flag: &str) -> bool {
    args.iter().any(|arg| {
        arg.to_string_lossy().strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

fn refuse_unknown_variables<'a>(names: impl Iterator<Item = &'a OsString>) -> Result<(), ConfigError> {
    let mut unknown: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("CONCORD_") && !KNOWN_VARIABLES.contains(&name.as_str()))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort();
    Err(ConfigError::Usage(format!(
        "the environment sets {}, which Concord does not know; unset it, or write one of {}",
        unknown.join(", "),
        KNOWN_VARIABLES.join(", "),
    )))
}

/// One sentence for what clap tells in a paragraph.
fn explain(
    error: &clap::Error,
    command: &clap::Command,
    from_env: &[(String, String, OsString)],
) -> ConfigError {
    let mut command = command.clone();
    match error.kind() {
        ErrorKind::DisplayHelp => {
            return ConfigError::Asked(command.render_long_help().to_string());
        }
        ErrorKind::DisplayVersion => return ConfigError::Asked(command.render_version()),
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<String> = strings(error.get(ContextKind::InvalidArg))
                .iter()
                .map(|usage| {
                    let flag = usage.split([' ', '=']).next().unwrap_or(usage);
                    match variable_of(&command, flag) {
                        Some(variable) => format!("{flag} (or {variable} in the environment)"),
                        None => flag.to_owned(),
                    }
                })
                .collect();
            return ConfigError::Usage(format!("give {}", missing.join(" and ")));
        }
        _ => {}
    }
    let rendered = error.render().to_string();
    let first = rendered.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("error: ").unwrap_or(first);
    // A value that came from the environment is told by the name it has there.
    let source = strings(error.get(ContextKind::InvalidArg))
        .iter()
        .find_map(|usage| {
            let flag = usage.split([' ', '=']).next()?;
            from_env.iter().find(|(of, _, _)| of == flag)
        })
        .map(|(_, variable, _)| format!(" (from {variable} in the environment)"))
        .unwrap_or_default();
    ConfigError::Usage(format!("{sentence}{source}; --help lists what can be set"))
}

fn strings(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(many)) => many.clone(),
        _ => Vec::new(),
    }
}

fn variable_of(command: &clap::Command, flag: &str) -> Option<String> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == flag.strip_prefix("--"))
        .and_then(clap::Arg::get_env)
        .map(OsStr::to_string_lossy)
        .map(Into::into)
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:7001".to_owned())?;
    require_loopback(address)?;
    Ok(address)
}

/// Refuses an address that other machines can reach. Callers only assert who they are, so nobody else may call.
pub(crate) fn require_loopback(address: SocketAddr) -> Result<(), String> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(format!(
        "{address} can be reached from other machines, and callers are not authenticated yet, so only a loopback \
         address such as 127.0.0.1:{} is served",
        address.port()
    ))
}

fn cell(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > CELL_BYTES_MAX || !text.bytes().all(plain) {
        return Err(format!("a cell's name is 1 to {CELL_BYTES_MAX} characters of a-z, 0-9 and \"-\""));
    }
    Ok(text.to_owned())
}

fn http_url(text: &str) -> Result<String, String> {
    let uri: Option<http::Uri> = text.parse().ok();
    match uri {
        Some(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => {
            Ok(text.to_owned())
        }
        _ => Err("write a URL such as http://127.0.0.1:7001".to_owned()),
    }
}

fn date(text: &str) -> Result<Date, String> {
    crate::grpc::calendar_date(text)
}

/// A pool of connections to PostgreSQL. Connections are made when they are first wanted.
///
/// A connection that hangs is given up within five seconds, a wait for a free one within ten. There is no
/// statement time-out: the caller knows how long its statement may take.
///
/// # Errors
/// [`ConfigError::DatabaseUrl`] or [`ConfigError::Usage`] where the address is not one, or asks for TLS, which this
/// program does not speak to PostgreSQL; [`ConfigError::Pool`].
pub fn pool(database_url: &str, max_size: usize, application_name: &str) -> Result<Pool, ConfigError> {
    let mut config = database(database_url)?;
    config.application_name(application_name);
    let manager =
        Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(max_size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(10)))
        .build()
        .map_err(ConfigError::Pool)
}

/// Connection settings for a database address: what [`pool`] uses, for who needs a connection of its own.
///
/// # Errors
/// As [`pool`].
pub fn database(database_url: &str) -> Result<tokio_postgres::Config, ConfigError> {
    let mut config: tokio_postgres::Config = database_url.parse().map_err(ConfigError::DatabaseUrl)?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(ConfigError::Usage(
            "the database address asks for TLS, which is not supported yet; connect over a unix socket or a loopback \
             address, and leave out sslmode"
                .to_owned(),
        ));
    }
    config
        .connect_timeout(Duration::from_secs(5))
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(5));
    // With several hosts, only the primary will do.
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    Ok(config)
}

#[allow(missing_docs, unreachable_pub, reason = "generated from the files in migrations/")]
mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Brings the schema of a log up to date, and returns how many migrations were applied.
///
/// Replicas may start together: one migrates, the others wait for it and find nothing left to do.
///
/// # Errors
/// [`ConfigError::MigrationLock`] and [`ConfigError::Migration`].
pub async fn migrate_log(client: &mut tokio_postgres::Client) -> Result<usize, ConfigError> {
    // "concord" in ASCII; the lock is of this database, and ends with the connection at the latest.
    const LOCK: i64 = 0x0063_6f6e_636f_7264;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.map_err(ConfigError::MigrationLock)?;
    let migrated = embedded::migrations::runner().run_async(client).await;
    let unlocked = client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await;
    let report = migrated.map_err(ConfigError::Migration)?;
    unlocked.map_err(ConfigError::MigrationLock)?;
    Ok(report.applied_migrations().len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const NONE: [(&str, &str); 0] = [];
    const NEEDED: [&str; 2] =
        ["--database-url=postgres://localhost/grant", "--nats-url=nats://127.0.0.1:4222"];

    fn with(args: &[&str], env: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        parse("fund-grant", NEEDED.iter().chain(args), env.iter().copied())
    }

    fn sentence(result: Result<Settings, ConfigError>) -> String {
        match result {
            Err(ConfigError::Usage(sentence)) => {
                assert!(!sentence.contains('\n'), "more than one line: {sentence}");
                sentence
            }
            other => panic!("expected a sentence, not {other:?}"),
        }
    }

    #[test]
    fn defaults_are_those_of_the_local_stack() {
        let settings = with(&[], &NONE).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:0");
        assert_eq!(settings.cell, "local");
        assert_eq!(settings.log_format, LogFormat::Text);
        assert_eq!(settings.drain(), Duration::from_secs(10));
        assert_eq!(settings.cache_bytes(), 32 * 1024 * 1024);
        assert_eq!(settings.metrics_listen, None);
        assert_eq!(settings.played_from, None);
    }

    #[test]
    fn a_flag_wins_over_the_environment() {
        let env = [("CELL", "liaoning"), ("DRAIN_SECONDS", "3")];
        let settings = with(&["--cell", "jilin"], &env).unwrap();
        assert_eq!((settings.cell.as_str(), settings.drain_seconds), ("jilin", 3));
    }

    #[test]
    fn everything_can_come_from_the_environment() {
        let env = [
            ("DATABASE_URL", "host=/run/postgresql dbname=grant"),
            ("NATS_URL", "nats://127.0.0.1:4222"),
            ("LISTEN", "[::1]:7001"),
            ("METRICS_LISTEN", "127.0.0.1:9001"),
            ("LOG_FORMAT", "json"),
            ("LOG_OWNER", "http://127.0.0.1:7001"),
            ("PLAYED_FROM", "2015-03-01"),
            ("CELL", ""),
            ("CONCORD_DIR", "/tmp/x"),
        ];
        let settings = parse("funding-audit", [""; 0], env).unwrap();
        assert_eq!(settings.listen.to_string(), "[::1]:7001");
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.played_from, Some(jiff::civil::date(2015, 3, 1)));
        assert_eq!(settings.cell, "local", "an empty variable counts as unset");
    }

    #[test]
    fn what_is_not_understood_is_said_in_one_sentence() {
        type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
        let refused: [Row<'_>; 12] = [
            (&["--lisen=127.0.0.1:1"], &[], "--lisen"),
            (&["extra"], &[], "extra"),
            (&["--listen=0.0.0.0:80"], &[], "not authenticated yet"),
            (&["--listen=localhost"], &[], "such as 127.0.0.1:7001"),
            (&["--metrics-listen=[::]:80"], &[], "loopback"),
            (&["--cell=Liaoning"], &[], "a-z, 0-9"),
            (&["--cache-mib=0"], &[], "1..=65536"),
            (&["--log-owner=127.0.0.1:7001"], &[], "http://"),
            (&["--played-from=2015-02-29"], &[], "2015-02-29"),
            (&[], &[("LISTEN", "10.0.0.1:80")], "from LISTEN in the environment"),
            (&[], &[("CONCORD_ADRESS", "x")], "CONCORD_ADRESS"),
            (&["--cell=a", "--cell=b"], &[], "multiple times"),
        ];
        for (args, env, expected) in refused {
            let said = sentence(with(args, env));
            assert!(said.contains(expected), "{args:?} {env:?}: {said}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_variable() {
        let said = sentence(parse("fund-grant", [""; 0], NONE));
        assert!(said.contains("--database-url (or DATABASE_URL in the environment)"), "{said}");
        assert!(said.contains("NATS_URL"), "{said}");
    }

    #[test]
    fn a_database_password_is_never_shown() {
        let args = ["--database-url=postgres://u:hunter2@h/d?nonsense=1", NEEDED[1]];
        let error = parse("fund-grant", args, NONE).unwrap_err();
        assert!(matches!(error, ConfigError::DatabaseUrl(_)));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let args = ["--database-url=postgres://u:hunter2@h/d", NEEDED[1]];
        let settings = parse("fund-grant", args, NONE).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn help_and_version_are_answered_in_any_environment() {
        for (flag, expected) in [("--help", "DATABASE_URL"), ("--version", "fund-grant 0.")] {
            match parse("fund-grant", [flag], [("CONCORD_X", "1"), ("LISTEN", "127.0.0.1:1")]) {
                Err(ConfigError::Asked(text)) => assert!(text.contains(expected), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_database_that_wants_tls_is_refused() {
        let error = pool("postgres://h/d?sslmode=require", 2, "test").unwrap_err();
        assert!(error.to_string().contains("TLS"));
    }

    #[test]
    fn among_several_hosts_the_primary_is_wanted() {
        let config = database("postgres://a,b/d").unwrap();
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }
}
