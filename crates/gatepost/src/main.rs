//! The program `gatepost`.
fn main() {}
