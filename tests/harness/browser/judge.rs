//! What every page must be: accessible, quiet, light, and still.

use std::path::PathBuf;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::Browser;

/// When its live parts (`data-live`) were fetched anew. That begins long after the page has arrived.
const RENEWALS: &str = "const live = new Set([...document.querySelectorAll('[data-live]')] \
    .map((it) => new URL(it.dataset.live, document.baseURI).href)); \
    const isRenewal = (it) => it.initiatorType === 'fetch' && live.has(it.name); ";

/// Octets that a page may weigh, with all that it loads.
const MOST_BYTES: u64 = 60_000;

/// What axe-core looks at: WCAG 2.2 to AA, and what its makers advise.
const RULES: &[&str] = &["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// What the browser wrote about the pages.
#[derive(Default)]
pub(super) struct Console {
    entries: Vec<Entry>,
    /// Parts of messages that the test has announced.
    expected: Vec<String>,
    /// Pages the person has stood on. That one of them was a refusal is the person's to see, and no fault of the page.
    pages: BTreeSet<String>,
}

struct Entry {
    level: String,
    source: String,
    message: String,
}

impl Entry {
    fn is_refused_page(&self, pages: &BTreeSet<String>) -> bool {
        let page =
            self.message.split_once(" - Failed to load resource: the server responded with a status of 4");
        self.source == "network" && page.is_some_and(|(page, _)| pages.contains(page))
    }
}

impl Browser {
    /// Everything below.
    #[track_caller]
    pub(crate) fn check_page(&mut self) {
        self.accessible();
        self.fits();
        let weight = self.weight();
        assert!(weight < MOST_BYTES, "{} weighs {weight} bytes", self.path());
        let (shift, what) = self.shifts();
        // Less than a line of text in a thousand: on a busy machine a table settles while the page arrives in pieces.
        assert!(shift < 0.001, "{} shifts by {shift} while it loads: {what}", self.path());
        self.is_quiet();
    }

    /// The same where a page cannot be loaded anew: weight and stillness as it was loaded, the rest in every look.
    #[track_caller]
    pub(crate) fn check_page_in_every_look(&mut self) {
        self.check_page();
        self.in_every_look(|browser, _| {
            browser.accessible();
            browser.fits();
        });
    }

    /// The same, and pictures it for whoever wants to look (`SCREENSHOTS`).
    #[track_caller]
    pub(crate) fn look(&mut self, name: &str) {
        self.check_page_in_every_look();
        if let Some(folder) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) {
            self.in_every_look(|browser, look| {
                browser.picture(&folder.join(format!("{name}-{}.png", look.name())));
            });
        }
    }

    /// Asserts that axe-core finds nothing on the page.
    #[track_caller]
    pub(crate) fn accessible(&mut self) {
        let violations = self.violations();
        let mut told = String::new();
        for it in &violations {
            let _ = write!(told, "\n{} ({}): {}", it["id"], it["impact"], it["help"]);
            for node in it["nodes"].as_array().into_iter().flatten() {
                let _ = write!(told, "\n    {} {}", node["target"], node["html"]);
                let _ = write!(
                    told,
                    "\n        {}",
                    node["failureSummary"].as_str().unwrap_or_default().replace('\n', "\n        ")
                );
            }
        }
        assert!(violations.is_empty(), "{} in {}:{told}", self.path(), self.look.name());
    }

    /// What axe-core finds, one object a rule that is broken.
    pub(crate) fn violations(&mut self) -> Vec<Value> {
        if self.script("return typeof axe === 'undefined'", &[]) == true {
            self.script(&axe(), &[]);
        }
        let script = "const done = arguments[1]; \
            axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] }) \
               .then((it) => done(it.violations), (error) => done(String(error)))";
        let found = self.script_that_calls_back(script, &[json!(RULES)]);
        found.as_array().unwrap_or_else(|| panic!("axe-core: {found}")).clone()
    }

    /// Asserts that nobody must scroll sideways.
    #[track_caller]
    pub(crate) fn fits(&self) {
        let width = self.script("return document.documentElement.scrollWidth", &[]);
        let most = self.look.width();
        assert!(width.as_u64().is_some_and(|it| it <= most), "{} is {width} wide, {most} fit", self.path());
        let script =
            "const it = document.querySelector('.top nav'); return !it || it.scrollWidth <= it.clientWidth";
        assert_eq!(self.script(script, &[]), true, "the navigation of {} is cut", self.path());
    }

    /// Octets of the page and all that it loaded, also what was in the cache; not what its live parts fetch later, which is the
    /// more the longer one looks on.
    pub(crate) fn weight(&self) -> u64 {
        let script = "return ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind)) \
            .filter((it) => !isRenewal(it)) \
            .reduce((sum, it) => sum + Math.max(it.transferSize, it.encodedBodySize), 0)";
        self.script(&format!("{RENEWALS}{script}"), &[]).as_u64().unwrap()
    }

    /// How much of the page has moved without the person's doing, as Chromium counts it; 0 is nothing.
    ///
    /// Stillness is a promise about loading. A live part that is renewed while one looks on may move what is below it, so
    /// what moves after the first renewal is not counted; what moves before counts, also when it is asked for later.
    pub(crate) fn layout_shift(&self) -> f64 {
        self.shifts().0
    }

    /// With what has moved, and from where to where.
    fn shifts(&self) -> (f64, String) {
        // What happened before comes with the first call of the observer, if anything did; two frames later it has come.
        let script = "const done = arguments[0]; const seen = []; \
            const add = (list) => { for (const it of list) if (!it.hadRecentInput) seen.push(it); }; \
            const at = (it) => `${it.x},${it.y} ${it.width}x${it.height}`; \
            const told = (it) => `${it.node ? it.node.outerHTML || it.node.textContent : 'something'}`.slice(0, 80) \
                + ` from ${at(it.previousRect)} to ${at(it.currentRect)}`; \
            const counted = () => { \
                const renewals = performance.getEntriesByType('resource').filter(isRenewal); \
                const first = Math.min(...renewals.map((it) => it.responseEnd)); \
                return seen.filter((it) => it.startTime < first); }; \
            const watch = new PerformanceObserver((list) => add(list.getEntries())); \
            watch.observe({ type: 'layout-shift', buffered: true }); \
            const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next))); \
            frame().then(frame).then(() => { \
                add(watch.takeRecords()); watch.disconnect(); \
                const all = counted(); \
                const what = all.map((it) => `${it.value} after ${it.startTime} ms: ${it.sources.map(told).join('; ')}`); \
                done([all.reduce((sum, it) => sum + it.value, 0), what.join('\\n')]); })";
        let found = self.script_that_calls_back(&format!("{RENEWALS}{script}"), &[]);
        (found[0].as_f64().unwrap(), found[1].as_str().unwrap_or_default().to_owned())
    }

    /// A message with these words in the console, of a script or of the page's policy, is meant to come.
    pub(crate) fn expect_in_console(&mut self, words: &str) {
        self.console.expected.push(words.to_owned());
    }

    /// Asserts that the console holds nothing that was not expected. Every browser asserts it once more at its end.
    #[track_caller]
    pub(crate) fn is_quiet(&mut self) {
        let unexpected = self.complaints();
        assert!(unexpected.is_empty(), "the browser complained:\n{}", unexpected.join("\n"));
    }

    /// What the console holds that was not expected, and takes it out.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.read_console();
        let Console { entries, expected, pages } = &mut self.console;
        let is_meant =
            |it: &Entry| it.is_refused_page(pages) || expected.iter().any(|part| it.message.contains(part));
        let entries = std::mem::take(entries).into_iter().filter(|it| !is_meant(it));
        entries.map(|it| format!("{} {} {}", it.level, it.source, it.message)).collect()
    }

    /// Remembers the page that the person stands on.
    pub(super) fn note_page(&mut self) {
        if let Ok(url) = self.wait_for(self.client.current_url()) {
            self.console.pages.insert(url.to_string());
        }
    }

    fn read_console(&mut self) {
        self.note_page();
        let log = self.ask("se/log", json!({"type": "browser"})).unwrap_or_else(|error| panic!("{error}"));
        let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let entries = log.as_array().into_iter().flatten().map(|it| Entry {
            level: text(it, "level"),
            source: text(it, "source"),
            message: text(it, "message"),
        });
        self.console.entries.extend(entries);
    }
}

/// The script that `cargo xtask install` puts where tests find it.
fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}. Run `cargo xtask install`", path.display()))
}
