//! The program `gatepost`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::run()
}
