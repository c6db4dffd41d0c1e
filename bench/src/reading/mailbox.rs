//! A provider that lets everybody in and has nothing to be read: thousands of connections to it cost next to nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::server_tls;
use crate::channel::Channel;

/// `mailbox`.
#[derive(Args)]
pub(crate) struct Mailbox {
    /// Where `certificates` has put its files
    #[arg(long)]
    certificates: PathBuf,
}

#[derive(Serialize)]
struct Addresses {
    imaps: SocketAddr,
}

impl Mailbox {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let tls: TlsAcceptor = server_tls(&self.certificates)?.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
        crate::print_json(&Addresses { imaps: listener.local_addr()? })?;
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    // A client that breaks off is the client's affair.
                    Ok((socket, _)) => drop(tokio::spawn(serve(socket, tls.clone()))),
                    // Out of file descriptors, most likely: some will come free.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
        Ok(())
    }
}

async fn serve(socket: TcpStream, tls: TlsAcceptor) -> anyhow::Result<()> {
    let mut channel = Channel::new(tls.accept(socket).await?);
    channel.output.extend_from_slice(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN IDLE] ready\r\n");
    loop {
        channel.flush().await?;
        let line = String::from_utf8_lossy(channel.line().await?).into_owned();
        let mut words = line.split(' ');
        let (tag, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match name.to_ascii_uppercase().as_str() {
            "CAPABILITY" => say(&mut channel.output, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN IDLE"),
            "SELECT" => say(&mut channel.output, "* 0 EXISTS"),
            "LOGOUT" => say(&mut channel.output, "* BYE leaving"),
            _ => {}
        }
        say(&mut channel.output, &format!("{tag} OK done"));
    }
}

fn say(output: &mut Vec<u8>, line: &str) {
    output.extend_from_slice(line.as_bytes());
    output.extend_from_slice(b"\r\n");
}
