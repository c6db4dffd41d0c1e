//! The portal of a demo: its pages, a thousand sign-ins at once, and what checking an app password costs.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::process::{Talker, output_of, peak_memory};

/// Addresses of the demo's line of JSON.
#[derive(Deserialize)]
struct Demo {
    portal: String,
    sign_in_link: String,
}

#[derive(Deserialize)]
struct Portal {
    pages: Vec<Page>,
    sign_ins: SignIns,
}

#[derive(Deserialize)]
struct Page {
    path: String,
    bytes: u64,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Deserialize)]
struct SignIns {
    refused: u32,
    busy: u32,
    other: u32,
    seconds: f64,
    health_probes: u32,
    health_p50_ms: f64,
    health_p99_ms: f64,
    health_most_ms: f64,
}

#[derive(Deserialize)]
struct Checked {
    p50_us: f64,
    p99_us: f64,
}

const MEBIBYTE: u64 = 1 << 20;

/// Prints everything.
pub(super) fn run(root: &Path) -> anyhow::Result<()> {
    let [program, tool] = ["gatepost", "gatepost-bench"].map(|it| root.join("target/release").join(it));
    let data = folder_in_var()?;
    let data_text = data.to_str().context("the folder's name is text")?;
    let mut demo = Talker::start(&program, &["demo", "--free-ports", "--json", "--data", data_text])?;
    let at: Demo = demo.hear()?;
    let before = peak_memory(demo.id())?;
    let portal = at.portal.rsplit_once(':').context("the portal has no port")?.1;
    let address = format!("127.0.0.1:{portal}");
    let args = ["portal", "--portal", &address, "--link", &at.sign_in_link, "--address", "bench.example"];
    let out = output_of(std::process::Command::new(&tool).args(args), "")?;
    let it: Portal = serde_json::from_str(&out).context("the tool printed something else")?;
    let after = peak_memory(demo.id())?;
    drop(demo);
    std::fs::remove_dir_all(&data)?;
    println!("| page | bytes | median ms | 99 % ms |\n| --- | ---: | ---: | ---: |");
    for page in it.pages {
        println!("| `{}` | {} | {:.2} | {:.2} |", page.path, page.bytes, page.p50_ms, page.p99_ms);
    }
    let SignIns { refused, busy, other, seconds, .. } = it.sign_ins;
    println!(
        "\n1,000 sign-ins at once: {refused} looked at, {busy} told to come again, {other} else, in {seconds:.1} s"
    );
    println!(
        "health meanwhile: median {:.1} ms, 99 % {:.1} ms, most {:.1} ms, of {}",
        it.sign_ins.health_p50_ms,
        it.sign_ins.health_p99_ms,
        it.sign_ins.health_most_ms,
        it.sign_ins.health_probes
    );
    println!("memory: {} MiB before, {} MiB at most", before / MEBIBYTE, after / MEBIBYTE);
    let out = output_of(std::process::Command::new(&tool).arg("app-password"), "")?;
    let it: Checked = serde_json::from_str(&out).context("the tool printed something else")?;
    println!("checking an app password: median {:.0} µs, 99 % {:.0} µs", it.p50_us, it.p99_us);
    Ok(())
}

/// On a real disk, like every other measurement; closed to other users, as the demo wants it.
fn folder_in_var() -> anyhow::Result<std::path::PathBuf> {
    let folder = std::path::PathBuf::from(format!("/var/tmp/gatepost-bench-portal-{}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}
