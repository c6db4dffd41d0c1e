//! Secrets from standard input or from a prompt that shows nothing; never from the command line (OP-6).

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write as _};

use gatepost_core::{SecretBytes, SecretText};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// No password is longer.
const MOST_BYTES: u64 = 4096;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretInputError {
    /// Neither `--password-stdin` nor a terminal.
    #[error(
        "there is no terminal to ask for the password on: hand it over on standard input, with --password-stdin"
    )]
    NoTerminal,
    /// Nothing came.
    #[error("the password is empty")]
    Empty,
    /// More came than a password can be.
    #[error("the password is longer than {MOST_BYTES} bytes: hand over the password alone")]
    TooLong,
    /// Passwords are text.
    #[error("the password is not UTF-8 text")]
    NotText,
    /// The terminal or the pipe broke.
    #[error("cannot read the password: {0}")]
    Io(#[from] io::Error),
}

/// The first line of standard input, or what a person types at `prompt` without seeing it.
pub fn read_secret(from_stdin: bool, prompt: &str) -> Result<SecretText, SecretInputError> {
    if from_stdin {
        return read_line(io::stdin().lock());
    }
    // Not standard input, which may be redirected while a person still sits there.
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|_| SecretInputError::NoTerminal)?;
    write!(terminal, "{prompt}: ")?;
    let silent = Silent::begin(&terminal)?;
    let secret = read_line(BufReader::new(&terminal));
    drop(silent);
    writeln!(terminal)?;
    secret
}

/// A line without its end: one LF or CRLF. Spaces may be part of a password.
fn read_line(input: impl BufRead) -> Result<SecretText, SecretInputError> {
    // Room for all that is read, so that the buffer does not move and leave a copy behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize + 3));
    input.take(MOST_BYTES + 2).read_until(b'\n', &mut line)?;
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    match text.len() {
        0 => Err(SecretInputError::Empty),
        n if n as u64 > MOST_BYTES => Err(SecretInputError::TooLong),
        _ => SecretBytes::new(text.to_vec()).into_text().ok_or(SecretInputError::NotText),
    }
}

/// A terminal that shows nothing of what is typed, until dropped.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // Nothing can be done where it fails; the person sees it, and `reset` mends it.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], want: Result<&str, &str>) {
        let got = read_line(input);
        let got = got.as_ref().map(SecretText::reveal).map_err(ToString::to_string);
        assert_eq!(got, want.map_err(str::to_owned));
    }

    #[test]
    fn a_secret_is_one_line_without_its_end() {
        check(b"sandbox\n", Ok("sandbox"));
        check(b"sandbox\r\n", Ok("sandbox"));
        check(b"sandbox", Ok("sandbox"));
        check(b" two words \nmore\n", Ok(" two words "));
        check(b"\n", Err("the password is empty"));
        check(b"", Err("the password is empty"));
        check(b"\xff\n", Err("the password is not UTF-8 text"));
        check(&b"x".repeat(4096), Ok(&"x".repeat(4096)));
        check(
            &b"x".repeat(5000),
            Err("the password is longer than 4096 bytes: hand over the password alone"),
        );
    }
}
