//! The portal: how long its pages take, and what a thousand people who sign in at once do to everybody else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Serialize;
use tokio::sync::Barrier;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::latency::Latencies;
use crate::web::Browser;

/// Pages of somebody who is signed in, and one of nobody's.
const PAGES: &[&str] = &["/", "/outbox", "/app-passwords", "/people", "/locations", "/security", "/healthz"];

/// `portal`.
#[derive(Args)]
pub(crate) struct Portal {
    /// Where it listens, over plain HTTP
    #[arg(long)]
    portal: SocketAddr,
    /// The demo's one-time sign-in link
    #[arg(long)]
    link: String,
    /// The address that the sign-ins are for
    #[arg(long)]
    address: String,
    /// How often each page is asked for
    #[arg(long, default_value_t = 300)]
    requests: u32,
    /// How many sign in at the same moment, each from an address of its own
    #[arg(long, default_value_t = 1_000)]
    sign_ins: u32,
    /// Pages to ask for instead of the usual ones
    #[arg(long = "page")]
    pages: Vec<String>,
}

#[derive(Serialize)]
struct Outcome {
    pages: Vec<PageOutcome>,
    sign_ins: SignIns,
}

#[derive(Serialize)]
struct PageOutcome {
    path: String,
    bytes: usize,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Serialize)]
struct SignIns {
    /// Passwords that were looked at and refused.
    refused: u32,
    /// Told that too many sign in at this moment.
    busy: u32,
    other: u32,
    seconds: f64,
    health_probes: usize,
    health_p50_ms: f64,
    health_p99_ms: f64,
    health_most_ms: f64,
}

impl Portal {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let pages = self.pages().await?;
        let sign_ins = self.sign_ins().await?;
        crate::print_json(&Outcome { pages, sign_ins })
    }

    async fn pages(&self) -> anyhow::Result<Vec<PageOutcome>> {
        let mut browser = Browser::connect(self.portal, None).await?;
        let path = self.link.split_once(&format!(":{}", self.portal.port())).context("no such link")?.1;
        let asked = browser.get(path).await?;
        let form_token = asked.field("form_token").context("the link's page has no form")?;
        let token = path.split_once("token=").context("the link has no token")?.1;
        let signed_in = browser.post("/link", &[("form_token", &form_token), ("token", token)]).await?;
        ensure!(signed_in.status == 303, "the link does not sign in: {}", signed_in.status);
        let mut outcomes = Vec::new();
        let pages = match self.pages.is_empty() {
            true => PAGES.iter().map(|it| (*it).to_owned()).collect(),
            false => self.pages.clone(),
        };
        for path in &pages {
            let (mut spans, mut bytes) = (Latencies::default(), 0);
            for n in 0..=self.requests {
                let begun = Instant::now();
                let answer = browser.get(path).await?;
                ensure!(answer.status == 200, "{path} answers {} to {:?}", answer.status, answer.location);
                bytes = answer.body.len();
                // The first fills caches.
                if n > 0 {
                    spans.push(milliseconds(begun));
                }
            }
            outcomes.push(PageOutcome {
                path: path.clone(),
                bytes,
                p50_ms: spans.percentile(50),
                p99_ms: spans.percentile(99),
            });
        }
        Ok(outcomes)
    }

    async fn sign_ins(&self) -> anyhow::Result<SignIns> {
        let start = Arc::new(Barrier::new(self.sign_ins as usize + 1));
        let mut all = Vec::new();
        for n in 0..self.sign_ins {
            // Each in a block of its own, so that no limit of a source has a say.
            let [_, _, high, low] = n.to_be_bytes();
            let from = IpAddr::V4(Ipv4Addr::new(127, 10 + high, low, 1));
            let (start, address, portal) = (Arc::clone(&start), self.address.clone(), self.portal);
            all.push(tokio::spawn(async move {
                let mut browser = Browser::connect(portal, Some(from)).await?;
                let page = browser.get("/sign-in").await?;
                let form_token = page.field("form_token").context("the sign-in page has no form")?;
                start.wait().await;
                // An address of its own each: the misses of one person would be slowed.
                let address = format!("{n}.{address}");
                let fields = [
                    ("form_token", form_token.as_str()),
                    ("address", &address),
                    ("password", "correct horse battery staple"),
                ];
                anyhow::Ok(browser.post("/sign-in", &fields).await?.status)
            }));
        }
        let (stop, portal) = (CancellationToken::new(), self.portal);
        let stopped = stop.clone();
        start.wait().await;
        let begun = Instant::now();
        let probing = tokio::spawn(async move { probe(portal, &stopped).await });
        let (mut refused, mut busy, mut other) = (0, 0, 0);
        for one in all {
            match one.await?? {
                200 | 401 | 403 | 422 => refused += 1,
                429 => busy += 1,
                _ => other += 1,
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        stop.cancel();
        let mut spans = probing.await??;
        let health_probes = spans.n();
        Ok(SignIns {
            refused,
            busy,
            other,
            seconds,
            health_probes,
            health_p50_ms: spans.percentile(50),
            health_p99_ms: spans.percentile(99),
            health_most_ms: spans.percentile(100),
        })
    }
}

/// Asks for the health again and again, each time on a new connection as a monitor would.
async fn probe(portal: SocketAddr, stop: &CancellationToken) -> anyhow::Result<Latencies> {
    let mut spans = Latencies::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let answer = Browser::connect(portal, None).await?.get("/healthz").await?;
        ensure!(answer.status == 200, "the health check answers {}", answer.status);
        spans.push(milliseconds(begun));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(spans)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
