//! Medians in a table, and a file.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::bench::report::median;

/// One figure of one run.
#[derive(Serialize)]
struct Figure {
    name: String,
    unit: &'static str,
    decimals: usize,
    server: &'static str,
    value: f64,
}

/// Everything that was measured, in its order.
#[derive(Default, Serialize)]
pub(super) struct Report {
    figures: Vec<Figure>,
}

impl Report {
    fn add(
        &mut self,
        server: &'static str,
        name: String,
        (unit, decimals): (&'static str, usize),
        value: f64,
    ) {
        eprintln!("{server}: {name}: {value:.decimals$} {unit}");
        self.figures.push(Figure { name, unit, decimals, server, value });
    }

    #[expect(clippy::cast_precision_loss, reason = "octets of one run are far below 2^52")]
    pub(super) fn fetched(
        &mut self,
        server: &'static str,
        connections: usize,
        bytes: u64,
        seconds: f64,
        cpu: Duration,
    ) {
        let name = |what| format!("{what}, {connections} at once");
        self.add(server, name("reading"), ("MB/s", 0), bytes as f64 / seconds / 1e6);
        self.add(server, name("CPU of reading"), ("s/GB", 2), cpu.as_secs_f64() * 1e9 / bytes as f64);
    }

    pub(super) fn signed_in(&mut self, server: &'static str, times: u32, cpu: Duration) {
        let each = cpu.as_secs_f64() * 1e3 / f64::from(times);
        self.add(server, "CPU of a sign-in".into(), ("ms", 2), each);
    }

    #[expect(clippy::cast_precision_loss, reason = "octets of memory are far below 2^52")]
    pub(super) fn held(&mut self, server: &'static str, pairs: usize, before: u64, with: u64) {
        let each = with.saturating_sub(before) as f64 / 1_024.0 / pairs as f64;
        self.add(server, format!("memory of an idle pair, of {pairs}"), ("KiB", 1), each);
        self.add(server, format!("memory with {pairs} idle pairs"), ("MiB", 0), with as f64 / 1_048_576.0);
    }

    /// The table, as docs/performance.md shows it.
    pub(super) fn print(&self) {
        let servers = distinct(self.figures.iter().map(|it| it.server));
        println!("| measured | {} |\n| --- |{}", servers.join(" | "), " ---: |".repeat(servers.len()));
        for name in distinct(self.figures.iter().map(|it| it.name.as_str())) {
            let of_name = || self.figures.iter().filter(|it| it.name == name);
            let Some(Figure { unit, decimals, .. }) = of_name().next() else { continue };
            let cells = servers.iter().map(|server| {
                let values = of_name().filter(|it| it.server == *server).map(|it| it.value).collect();
                median(values).map_or("-".to_owned(), |it| format!("{it:.decimals$}"))
            });
            println!("| {name}, {unit} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(path.parent().context("the path has a folder")?)?;
        std::fs::write(path, serde_json::to_string_pretty(self)?)?;
        eprintln!("Everything measured is in {}", path.display());
        Ok(())
    }
}

/// Each once, in the order of their first coming.
fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for it in all {
        if !seen.contains(&it) {
            seen.push(it);
        }
    }
    seen
}
