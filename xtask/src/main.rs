//! All automation of the project: `cargo xtask tidy`, `cargo xtask test`, `cargo xtask screenshots`, `cargo xtask bench`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is what it is for")]

mod bench;
mod packages;
mod screenshots;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  tidy          checks what the compiler cannot: edges between rooms, tables and SQL, cited RFCs,
                promises and their tests, links
  test [ARGS]   installs what the tests need, then runs all of them; ARGS go to `cargo test`
  install       only installs what the tests need
  screenshots [DIR]
                pictures every page, wide and narrow, light and dark, into DIR (target/screenshots)
  bench [ARGS]  measures Gatepost beside a Postfix that is set up well; see docs/performance.md";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = args.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let done = match command {
        "tidy" if rest.is_empty() => tidy::run(root()),
        "test" => test::run(root(), rest),
        "bench" => bench::run(root(), rest),
        "screenshots" if rest.len() <= 1 => screenshots::run(root(), rest.first()),
        "install" if rest.is_empty() => packages::install(root()).map(|()| ExitCode::SUCCESS),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

/// The folder of the workspace.
fn root() -> &'static Path {
    static ROOT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().expect("xtask lies in the workspace").to_owned()
    })
}
