//! The program as it must not be: it answers 250 before the letter is on the disk. For the test that must catch it.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::run()
}
