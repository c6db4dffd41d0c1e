//! A client of ours for IMAP and POP3, for what the ready-made ones cannot do: say what no client says, and stop reading.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Longer than any answer takes, also on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(45);

/// One connection.
pub(crate) struct LineClient {
    stream: BufReader<Box<dyn Stream>>,
    socket: TcpStream,
}

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

impl LineClient {
    /// Without TLS yet.
    pub(crate) fn plain(address: &str) -> Self {
        Self::of(TcpStream::connect(address).unwrap())
    }

    /// One end of a connection that is there.
    pub(crate) fn of(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(Box::new(socket.try_clone().unwrap())), socket }
    }

    /// With TLS from the first byte.
    pub(crate) fn tls(address: &str, tls: &Arc<ClientConfig>) -> Self {
        Self::plain(address).encrypted(tls)
    }

    /// With TLS from here on.
    pub(crate) fn encrypted(self, tls: &Arc<ClientConfig>) -> Self {
        assert!(self.stream.buffer().is_empty(), "it has said more than that TLS may begin");
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(tls.clone(), name).unwrap();
        let stream = StreamOwned::new(connection, self.socket.try_clone().unwrap());
        Self { stream: BufReader::new(Box::new(stream)), socket: self.socket }
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) {
        self.write(format!("{line}\r\n").as_bytes());
    }

    /// Writes in one piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).unwrap();
    }

    /// The same to somebody who may be gone already. False: they are.
    pub(crate) fn try_to_write(&mut self, bytes: &[u8]) -> bool {
        let stream = self.stream.get_mut();
        match stream.write_all(bytes).and_then(|()| stream.flush()) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("it takes nothing, and does not leave")
            }
            written => written.is_ok(),
        }
    }

    /// How long something may take from now on.
    pub(crate) fn wait_for(&self, patience: Duration) {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        self.socket.set_write_timeout(Some(patience)).unwrap();
    }

    /// The next line, without its CRLF.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> String {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line);
        let line = String::from_utf8_lossy(&line).into_owned();
        let whole = line.strip_suffix("\r\n");
        whole.unwrap_or_else(|| panic!("no line but {line:?}: {read:?}")).to_owned()
    }

    /// All lines until one begins so, with that one.
    #[track_caller]
    pub(crate) fn until(&mut self, start: &str) -> Vec<String> {
        let mut lines = vec![self.hear()];
        while !lines.last().is_some_and(|it| it.starts_with(start)) {
            lines.push(self.hear());
        }
        lines
    }

    /// Says a line, and hears the one that answers it.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.hear()
    }

    /// Says an IMAP command, and hears all until its answer.
    #[track_caller]
    pub(crate) fn command(&mut self, line: &str) -> Vec<String> {
        self.say(line);
        self.until(&format!("{} ", line.split(' ').next().unwrap()))
    }

    /// So many octets.
    pub(crate) fn octets(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Whatever still comes until the other side has closed.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("it does not end, and has said {:?}", String::from_utf8_lossy(&rest))
            }
            // Whoever cuts a connection does not say goodbye to TLS.
            Ok(_) | Err(_) => rest,
        }
    }
}
