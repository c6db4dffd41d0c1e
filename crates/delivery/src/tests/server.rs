//! A provider that says what a test wants, over real sockets.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// How it behaves. Replies are given without their line end.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) ehlo: &'static str,
    pub(crate) auth: &'static str,
    pub(crate) mail: &'static str,
    pub(crate) recipients: Vec<&'static str>,
    pub(crate) data: &'static str,
    pub(crate) message: &'static str,
    /// Closes the connection instead of answering the message, after so many bytes of it.
    pub(crate) cut_in_message: Option<usize>,
    /// Closes it instead of answering MAIL.
    pub(crate) cut_at_mail: bool,
}

impl Server {
    /// Accepts everything, for `n` recipients a connection.
    pub(crate) fn good(n: usize) -> Self {
        Self {
            ehlo: "250-server\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            auth: "235 2.7.0 welcome",
            mail: "250 2.1.0 ok",
            recipients: vec!["250 2.1.5 ok"; n],
            data: "354 go",
            message: "250 2.0.0 queued as 1",
            cut_in_message: None,
            cut_at_mail: false,
        }
    }

    /// Serves one connection; returns everything the client said after signing in.
    pub(crate) async fn talk(self, socket: TcpStream) -> String {
        let mut stream = BufReader::new(socket);
        let mut heard = String::new();
        let mut recipients = self.recipients.iter();
        stream.write_all(b"220 server\r\n").await.unwrap();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return heard;
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            if !matches!(verb.as_str(), "EHLO" | "AUTH") {
                heard.push_str(&line);
            }
            let reply = match verb.as_str() {
                "EHLO" => self.ehlo,
                "AUTH" => self.auth,
                "MAIL" if self.cut_at_mail => return heard,
                "MAIL" => self.mail,
                "RCPT" => recipients.next().unwrap(),
                "DATA" => self.data,
                "RSET" | "NOOP" => "250 2.0.0 ok",
                "QUIT" => "221 2.0.0 bye",
                other => panic!("unexpected {other:?}"),
            };
            if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                return heard;
            }
            if verb == "DATA" && reply.starts_with('3') {
                if let Some(n) = self.cut_in_message {
                    let mut part = vec![0; n];
                    stream.read_exact(&mut part).await.unwrap();
                    return heard;
                }
                loop {
                    let mut text = String::new();
                    stream.read_line(&mut text).await.unwrap();
                    heard.push_str(&text);
                    if text == ".\r\n" {
                        break;
                    }
                }
                stream.write_all(format!("{}\r\n", self.message).as_bytes()).await.unwrap();
            }
        }
    }
}
