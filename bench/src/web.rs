//! A browser that does as little as it can: one connection, its cookies, and the forms of our own pages.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Longer answers are a mistake.
const MOST_BYTES: usize = 4 << 20;

/// One kept connection.
pub(crate) struct Browser {
    stream: TcpStream,
    host: String,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Browser {
    /// Connects, from an address of its own if one is given.
    pub(crate) async fn connect(portal: SocketAddr, from: Option<IpAddr>) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind((from, 0).into())?;
        }
        let stream = socket.connect(portal).await.context("the portal does not answer")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: format!("localhost:{}", portal.port()), cookies: BTreeMap::new() })
    }

    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, "").await
    }

    /// Posts a form; `fields` are encoded here.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.ask("POST", path, &body.join("&")).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if !cookies.is_empty() {
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        if method == "POST" {
            request += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        request += "\r\n";
        request += body;
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut bytes = Vec::with_capacity(16 * 1024);
        let head_end = loop {
            if let Some(at) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
                break at + 4;
            }
            self.more(&mut bytes).await?;
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|it| it.split(' ').nth(1)).context("no status line")?.parse()?;
        let (mut length, mut location) = (0, None);
        for (name, value) in lines.filter_map(|it| it.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "location" => location = Some(value.to_owned()),
                "transfer-encoding" => bail!("an answer in chunks is not expected here"),
                "set-cookie" => {
                    let pair = value.split(';').next().unwrap_or(value);
                    if let Some((name, value)) = pair.split_once('=') {
                        self.cookies.insert(name.to_owned(), value.to_owned());
                    }
                }
                _ => {}
            }
        }
        while bytes.len() < head_end + length {
            self.more(&mut bytes).await?;
        }
        let body = String::from_utf8_lossy(&bytes[head_end..head_end + length]).into_owned();
        Ok(Answer { status, location, body })
    }

    async fn more(&mut self, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
        ensure!(bytes.len() < MOST_BYTES, "the answer has no end");
        ensure!(self.stream.read_buf(bytes).await? > 0, "the portal closed the connection");
        Ok(())
    }
}

impl Answer {
    /// The value of a hidden field of the page.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    }
}

fn encoded(value: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    value
        .as_bytes()
        .iter()
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
