//! What the compiler cannot check: who may know whom, where tables and SQL live, what is cited and promised.
//!
//! Each rule is a function from the [`House`] to its findings, so that a test can build a small house that breaks it.

mod edges;
mod house;
mod links;
mod manifests;
mod promises;
mod rfc;
mod source;
mod tables;
mod wording;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use house::House;

/// One thing to mend.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// Counted from 1; 0 means the file as a whole.
    line: usize,
    rule: &'static str,
    /// What is wrong and what to do about it.
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": [{}] {}", self.rule, self.text)
    }
}

/// The command.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let findings = inspect(&House::read(root)?);
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} to mend", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn inspect(house: &House) -> Vec<Finding> {
    let rules = [
        edges::check,
        manifests::check,
        tables::check,
        rfc::check,
        promises::check,
        wording::check,
        links::check,
    ];
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| rule(house)).collect();
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let findings = inspect(&House::read(crate::root()).unwrap());
        let listed: String = findings.iter().map(|it| format!("\n{it}")).collect();
        assert!(findings.is_empty(), "{} to mend:{listed}", findings.len());
    }
}
