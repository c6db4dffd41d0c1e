//! Ten thousand mail accounts on one node: the board, the memory, and how refreshes spread when all are due at once.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use super::process::{Talker, output_of, peak_memory};

/// How long refreshes are watched.
const WATCHED_FOR: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Demo {
    portal: String,
    sign_in_link: String,
    config: String,
}

#[derive(Deserialize)]
struct At {
    tokens: String,
}

#[derive(Deserialize)]
struct Portal {
    pages: Vec<Page>,
}

#[derive(Deserialize)]
struct Page {
    path: String,
    bytes: u64,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Deserialize)]
struct Refreshes {
    refreshes: usize,
    seconds: f64,
    most_in_a_second: usize,
    most_at_once: usize,
}

const MEBIBYTE: u64 = 1 << 20;

/// Prints everything.
pub(super) fn run(root: &Path) -> anyhow::Result<()> {
    let [program, tool] = ["gatepost", "gatepost-bench"].map(|it| root.join("target/release").join(it));
    let data = std::path::PathBuf::from(format!("/var/tmp/gatepost-bench-accounts-{}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&data)?;
    let data_text = data.to_str().context("the folder's name is text")?;
    let args = ["demo", "--free-ports", "--json", "--data", data_text];
    let first: Demo = Talker::start(&program, &args)?.hear()?;
    let mut service = Talker::start(&tool, &["tokens"])?;
    let at: At = service.hear()?;
    let fill = ["fill-accounts", "--config", &first.config, "--tokens", &at.tokens];
    output_of(std::process::Command::new(&tool).args(fill), "")?;
    let mut demo = Talker::start(&program, &args)?;
    let it: Demo = demo.hear()?;
    std::thread::sleep(WATCHED_FOR);
    service.say("report")?;
    let refreshes: Refreshes = service.hear()?;
    let portal = it.portal.rsplit_once(':').context("the portal has no port")?.1;
    let address = format!("127.0.0.1:{portal}");
    let mut asking = std::process::Command::new(&tool);
    asking.args(["portal", "--portal", &address, "--link", &it.sign_in_link, "--address", "bench.example"]);
    asking.args(["--sign-ins", "0"]);
    for page in ["/accounts", "/accounts/board", "/accounts?page=200", "/accounts?find=mailbox99", "/"] {
        asking.args(["--page", page]);
    }
    let pages: Portal = serde_json::from_str(&output_of(&mut asking, "")?)?;
    let memory = peak_memory(demo.id())?;
    drop(demo);
    drop(service);
    std::fs::remove_dir_all(&data)?;
    println!("| page | bytes | median ms | 99 % ms |\n| --- | ---: | ---: | ---: |");
    for page in pages.pages {
        println!("| `{}` | {} | {:.2} | {:.2} |", page.path, page.bytes, page.p50_ms, page.p99_ms);
    }
    println!("\nmemory: {} MiB at most", memory / MEBIBYTE);
    println!(
        "refreshes, all due at the start: {} in {:.1} s, {} in any second at most, {} at once at most",
        refreshes.refreshes, refreshes.seconds, refreshes.most_in_a_second, refreshes.most_at_once
    );
    Ok(())
}
