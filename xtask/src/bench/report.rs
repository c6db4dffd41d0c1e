//! Medians, ratios, a table and a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::tools::{Accepted, Arrived, Mode};

/// Figures of one run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Run {
    server: &'static str,
    mode: &'static str,
    /// Letters acknowledged a second.
    accepted_per_second: f64,
    /// Letters a second from the first acknowledgement to the last arrival.
    end_to_end_per_second: f64,
    /// CPU of the server, from accepting to delivered.
    cpu_seconds_per_1000: f64,
    accept_p50_ms: f64,
    accept_p99_ms: f64,
    /// From the application's first byte to the sink.
    arrival_p50_ms: f64,
    arrival_p99_ms: f64,
    /// Connections the server has made to the sink.
    upstream_connections: u64,
    /// Letters that arrived more than once.
    duplicates: u64,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of one run are small")]
    pub(super) fn new(
        server: &'static str,
        mode: Mode,
        accepted: &Accepted,
        arrived: &Arrived,
        cpu: Duration,
    ) -> Self {
        let letters = accepted.letters as f64;
        let span_ms = (arrived.last_at - accepted.first_accepted_at).max(1) as f64;
        Self {
            server,
            mode: mode.word(),
            accepted_per_second: accepted.rate,
            end_to_end_per_second: letters * 1_000.0 / span_ms,
            cpu_seconds_per_1000: cpu.as_secs_f64() * 1_000.0 / letters,
            accept_p50_ms: accepted.p50_ms,
            accept_p99_ms: accepted.p99_ms,
            arrival_p50_ms: arrived.p50_ms,
            arrival_p99_ms: arrived.p99_ms,
            upstream_connections: arrived.connections,
            duplicates: arrived.duplicates,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:9} {:10} accepted {:6.0}/s, end to end {:6.0}/s, {:.2} s CPU per 1,000, {} connections to the sink",
            self.server,
            self.mode,
            self.accepted_per_second,
            self.end_to_end_per_second,
            self.cpu_seconds_per_1000,
            self.upstream_connections
        )
    }
}

/// One line of the table: its name, how to get it from a run, decimals.
type Line = (&'static str, fn(&Run) -> f64, usize);

const LINES: &[Line] = &[
    ("accepted, letters/s", |it| it.accepted_per_second, 0),
    ("end to end, letters/s", |it| it.end_to_end_per_second, 0),
    ("CPU, s per 1,000 letters", |it| it.cpu_seconds_per_1000, 2),
    ("accepting one, median ms", |it| it.accept_p50_ms, 1),
    ("accepting one, 99 % ms", |it| it.accept_p99_ms, 1),
    ("arrival of one, median ms", |it| it.arrival_p50_ms, 0),
    ("arrival of one, 99 % ms", |it| it.arrival_p99_ms, 0),
];

/// Everything that was measured.
#[derive(Default, Serialize)]
pub(super) struct Report {
    runs: Vec<Run>,
    /// Most bytes in RAM: after start, with idle connections, and with large letters on top.
    memory_bytes: Option<[u64; 3]>,
    cold_start_ms: Vec<f64>,
    /// Medians by mode, name of the line and server.
    medians: BTreeMap<String, f64>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    pub(super) fn memory(&mut self, at_start: u64, with_idle: u64, with_big: u64) {
        self.memory_bytes = Some([at_start, with_idle, with_big]);
    }

    pub(super) fn cold_start(&mut self, span: Duration) {
        self.cold_start_ms.push(span.as_secs_f64() * 1_000.0);
    }

    fn median_of(&self, server: &str, mode: Mode, figure: fn(&Run) -> f64) -> Option<f64> {
        let runs = self.runs.iter().filter(|it| it.server == server && it.mode == mode.word());
        median(runs.map(figure).collect())
    }

    /// The table, as docs/performance.md shows it.
    pub(super) fn print(&mut self) {
        println!("| measured | Gatepost | Postfix | ratio |\n| --- | ---: | ---: | ---: |");
        for mode in [Mode::Persistent, Mode::Fresh] {
            for (name, figure, decimals) in LINES {
                let [gatepost, postfix] =
                    ["gatepost", "postfix"].map(|server| self.median_of(server, mode, *figure));
                let show = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.decimals$}"));
                let ratio = gatepost.zip(postfix).map(|(gatepost, postfix)| gatepost / postfix);
                let ratio = ratio.map_or("-".to_owned(), |it| format!("{it:.2}"));
                let mode = mode.word();
                println!("| {mode}: {name} | {} | {} | {ratio} |", show(gatepost), show(postfix));
                for (server, value) in [("gatepost", gatepost), ("postfix", postfix)] {
                    if let Some(value) = value {
                        self.medians.insert(format!("{mode}: {name}: {server}"), value);
                    }
                }
            }
        }
        if let Some(memory) = self.memory_bytes {
            let [at_start, with_idle, with_big] = memory.map(|bytes| bytes >> 20);
            println!("| most memory after start, MiB | {at_start} | - | - |");
            println!("| most memory with 1,000 idle connections, MiB | {with_idle} | - | - |");
            println!("| most memory with 50 letters of 30 MiB on top, MiB | {with_big} | - | - |");
        }
        if let Some(median) = median(self.cold_start_ms.clone()) {
            println!("| cold start to greeting, median ms | {median:.0} | - | - |");
        }
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = path.parent().context("the path has a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(path, serde_json::to_string_pretty(self)?)?;
        eprintln!("Everything measured is in {}", path.display());
        Ok(())
    }
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(super) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    let lower = *figures.get((figures.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_figure_counts() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(vec![9.0, 1.0, 5.0, 6.0]), Some(5.5));
    }
}
