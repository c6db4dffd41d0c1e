//! A provider that takes everything and keeps only Message-IDs.
//!
//! It prints one line with its addresses, then answers commands on standard input, one a line: `report` prints the
//! [`Report`], `await N SECONDS` prints it once N different letters are here or time is up, `reset` forgets everything
//! and prints it too.

mod session;
mod tally;

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

use crate::certificates::server_tls;
use session::Greeting;
use tally::{Report, Tally};

/// Between two looks at the tally.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// `sink`.
#[derive(Args)]
pub(crate) struct Sink {
    /// Where `certificates` has put its files
    #[arg(long)]
    certificates: PathBuf,
    /// Where to listen for STARTTLS
    #[arg(long, default_value = "127.0.0.1:0")]
    starttls: SocketAddr,
    /// Where to listen for TLS from the first byte
    #[arg(long, default_value = "127.0.0.1:0")]
    tls: SocketAddr,
    /// Append each Message-ID to this file before its letter is acknowledged
    #[arg(long)]
    witness: Option<PathBuf>,
}

#[derive(Serialize)]
struct Addresses {
    starttls: SocketAddr,
    tls: SocketAddr,
}

impl Sink {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let open = |path: &PathBuf| File::options().create(true).append(true).open(path);
        let witness = self.witness.as_ref().map(open).transpose().context("cannot open the witness")?;
        let tally = Arc::new(Mutex::new(Tally::new(witness)));
        let tls: TlsAcceptor = server_tls(&self.certificates)?.into();
        let starttls = TcpListener::bind(self.starttls).await.context("cannot listen")?;
        let implicit = TcpListener::bind(self.tls).await.context("cannot listen")?;
        let addresses = Addresses { starttls: starttls.local_addr()?, tls: implicit.local_addr()? };
        tokio::spawn(listen(starttls, Greeting::Plain, tls.clone(), Arc::clone(&tally)));
        tokio::spawn(listen(implicit, Greeting::Encrypted, tls, Arc::clone(&tally)));
        crate::print_json(&addresses)?;
        obey(&tally).await
    }
}

async fn listen(listener: TcpListener, greeting: Greeting, tls: TlsAcceptor, tally: Arc<Mutex<Tally>>) {
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            tally::lock(&tally).add_connection();
            // A client that breaks off is the client's affair; what it had acknowledged is in the tally.
            tokio::spawn(session::serve(socket, greeting, tls.clone(), Arc::clone(&tally)));
        } else {
            sleep(LOOK_EVERY).await; // Out of file descriptors, most likely: some will come free.
        }
    }
}

async fn obey(tally: &Mutex<Tally>) -> anyhow::Result<()> {
    let (said, mut heard) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if said.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = heard.recv().await {
        let words: Vec<&str> = line.split_whitespace().collect();
        let report = match words.as_slice() {
            ["report"] => tally::lock(tally).report(),
            ["reset"] => tally::lock(tally).reset(),
            ["await", n, seconds] => wait_for(tally, n.parse()?, Duration::from_secs(seconds.parse()?)).await,
            _ => anyhow::bail!("say report, reset or await N SECONDS, not {line:?}"),
        };
        crate::print_json(&report)?;
    }
    Ok(())
}

async fn wait_for(tally: &Mutex<Tally>, n: usize, at_most: Duration) -> Report {
    let deadline = Instant::now() + at_most;
    while tally::lock(tally).n_letters() < n && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
    tally::lock(tally).report()
}
