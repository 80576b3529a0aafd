//! Progress of long work on stderr: a bar on a terminal, a plain line every two seconds elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::count;

const PLAIN_INTERVAL: Duration = Duration::from_secs(2);

/// Shows how far a long piece of work is and how fast it goes.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: u64,
    done: u64,
    started: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
    note: String,
}

impl Progress {
    /// Begins; `what` names the units in the plural.
    #[must_use]
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) =
                ProgressStyle::with_template("{msg:24} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
            {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Self { what, total, done: 0, started: now, told: now, bar, note: String::new() }
    }

    /// Says what is being worked on.
    pub fn note(&mut self, note: impl Into<String>) {
        self.note = note.into();
        if let Some(bar) = &self.bar {
            bar.set_message(self.note.clone());
        }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            // Looking at the clock for every command would be noticed at tens of thousands a second.
            None if self.done.is_multiple_of(64) && self.told.elapsed() >= PLAIN_INTERVAL => {
                self.told = Instant::now();
                eprintln!("{}", self.line());
            }
            None => {}
        }
    }

    /// So many are done.
    pub fn reach(&mut self, done: u64) {
        self.done = done;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.told.elapsed() >= PLAIN_INTERVAL => {
                self.told = Instant::now();
                eprintln!("{}", self.line());
            }
            None => {}
        }
    }

    /// Prints a line without tearing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Ends, and says how it went.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        eprintln!("{}", self.line());
    }

    /// How many are done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Units a second so far.
    #[must_use]
    pub fn rate(&self) -> u64 {
        per_second(self.done, self.started.elapsed())
    }

    fn line(&self) -> String {
        let note = if self.note.is_empty() { String::new() } else { format!("{}: ", self.note) };
        format!("{note}{} of {} {}, {}/s", count(self.done), count(self.total), self.what, count(self.rate()))
    }
}

/// A rate in whole units a second.
#[must_use]
pub fn per_second(done: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(done) * 1_000 / millis).unwrap_or(u64::MAX)
}

/// Seconds with two decimals, without a float.
#[must_use]
pub fn seconds(elapsed: Duration) -> String {
    format!("{}.{:02} s", elapsed.as_secs(), elapsed.subsec_millis() / 10)
}
