//! Runs every test and adds up what they said.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

/// Installs what is missing, runs `cargo test --workspace --locked` with `args`, and ends with `N passed, N failed`.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<ExitCode> {
    crate::packages::install(root)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(args)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo does not start")?;
    let mut sum = Sum::default();
    let output = BufReader::new(cargo.stdout.take().context("the pipe was asked for")?);
    for line in output.split(b'\n') {
        let line = line?;
        std::io::stdout().write_all(&[&line[..], b"\n"].concat())?;
        sum.add(&String::from_utf8_lossy(&line));
    }
    let is_success = cargo.wait()?.success();
    let sum = sum.with_outcome(is_success);
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
}

impl Sum {
    /// Takes in a line such as `test result: ok. 12 passed; 0 failed; 0 ignored; …`; passes over all others.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(n, word)| (n.parse::<u64>(), word)) {
                Some((Ok(n), "passed")) => self.passed += n,
                Some((Ok(n), "failed")) => self.failed += n,
                _ => {}
            }
        }
    }

    /// What failed outside a counted test, such as a build or a test that ended its process, counts as one failure.
    fn with_outcome(mut self, is_success: bool) -> Self {
        if !is_success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_programs_are_added_up() {
        let mut sum = Sum::default();
        sum.add(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.70s",
        );
        sum.add("test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 9.01s");
        sum.add("test address::tests::a_test_result: ok. 100 passed; 1 failed");
        assert_eq!(sum, Sum { passed: 17, failed: 2 });
    }

    #[test]
    fn a_build_that_breaks_is_a_failure() {
        assert_eq!(Sum::default().with_outcome(false), Sum { passed: 0, failed: 1 });
        assert_eq!(Sum { passed: 3, failed: 0 }.with_outcome(true), Sum { passed: 3, failed: 0 });
    }
}
