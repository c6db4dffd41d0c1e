//! The message on the wire: the only code that knows what ends it (SS-5, SC-5).
//!
//! A message ends at `CRLF . CRLF`, or at `. CRLF` as its very first line, and at nothing else. Servers that also took
//! `LF . LF`, `LF . CRLF` or `CR . CR` could be made to see two messages where others saw one (CVE-2023-51764 and its
//! siblings). Both directions are written so that no line end but CRLF ever counts, whatever else is done with it.

mod line_ends;
mod reader;
mod writer;

pub use line_ends::{DataError, Flaws, LineEnds};
pub use reader::{BdatReader, DataProgress, DataReader};
pub use writer::DataWriter;

#[cfg(test)]
mod tests;
