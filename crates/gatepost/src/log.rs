//! The log: structured, in UTC, with nothing in it that could trick a terminal or forge a line (OP-1, OP-2).

use std::fmt;
use std::io::{self, Write};

use gatepost_core::{World, printable};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogSettings};

/// Begins the log, on standard error. Once per process.
pub fn start(settings: LogSettings, world: &World) {
    tracing_subscriber::registry().with(layer(settings, world, io::stderr)).init();
}

fn layer<S, W>(settings: LogSettings, world: &World, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Libraries are heard only when something is wrong: what they say below that is not ours to vouch for (OP-1).
    let level = LevelFilter::from_level(settings.level);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::from_level(Level::WARN)))
        .with_target("gatepost", level);
    let writer = Escaping { inner: writer, format: settings.format };
    let layer =
        tracing_subscriber::fmt::layer().with_timer(Utc(world.clone())).with_writer(writer).with_ansi(false);
    match settings.format {
        LogFormat::Human => layer.with_filter(targets).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_filter(targets).boxed(),
    }
}

struct Utc(World);

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", self.0.now())
    }
}

/// Hands each finished line on with all its control characters escaped but the line end.
struct Escaping<W> {
    inner: W,
    format: LogFormat,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaping<W> {
    type Writer = EscapingLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingLine { inner: self.inner.make_writer(), format: self.format }
    }
}

struct EscapingLine<W> {
    inner: W,
    format: LogFormat,
}

impl<W: Write> Write for EscapingLine<W> {
    /// The formatter writes each event in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let mut escaped = match self.format {
            LogFormat::Human => printable(text).to_string(),
            LogFormat::Json => printable_json(&String::from_utf8_lossy(text)),
        };
        escaped.push('\n');
        self.inner.write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// JSON escapes only the control characters below the space; the others can stand only inside of strings, where they are
/// escaped the JSON way.
fn printable_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let mut bytes = [0; 4];
        let is_plain = (' '..='~').contains(&c) || {
            let shown = printable(c.encode_utf8(&mut bytes).as_bytes()).to_string();
            shown.chars().eq([c])
        };
        if is_plain {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use gatepost_testkit::world;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: Level, speak: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = layer(LogSettings { level, format }, &world().0, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), speak);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str = "x\r\n2026-11-21 INFO forged\x1b[31m\u{9b}1m\u{202e}\"";

    #[test]
    fn a_line_has_its_time_in_utc_and_its_fields() {
        let line = logged(LogFormat::Human, Level::INFO, || tracing::info!(submission.id = 7, "accepted"));
        assert_eq!(line, "2026-11-21T09:12:00.000Z  INFO gatepost::log::tests: accepted submission.id=7\n");
    }

    #[test]
    fn hostile_text_stays_in_its_line() {
        let line =
            logged(LogFormat::Human, Level::INFO, || tracing::info!(client = HOSTILE, "EHLO {HOSTILE}"));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{line}");

        let line =
            logged(LogFormat::Json, Level::INFO, || tracing::info!(client = HOSTILE, "EHLO {HOSTILE}"));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["client"], HOSTILE, "JSON says the same after all");
        assert_eq!(value["timestamp"], "2026-11-21T09:12:00.000Z");
    }

    #[test]
    fn libraries_are_heard_only_when_something_is_wrong() {
        let speak = || {
            tracing::trace!(target: "rustls::conn", "secrets");
            tracing::warn!(target: "rustls::conn", "trouble");
            tracing::trace!(target: "gatepost_store", "ours");
        };
        let lines = logged(LogFormat::Human, Level::TRACE, speak);
        assert!(!lines.contains("secrets") && lines.contains("trouble") && lines.contains("ours"), "{lines}");
        let lines = logged(LogFormat::Human, Level::ERROR, speak);
        assert_eq!(lines, "");
    }
}
