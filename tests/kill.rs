//! kill -9 under load, again and again: nothing that was acknowledged may be lost.
//!
//! The witnesses are two: the log of the applications, which write down each Message-ID once they have read its 250, and the
//! mailboxes of a sandbox provider, which is another process than the one that is killed. They are compared by Message-ID.
//! A letter may arrive once more for each kill that met it on its way to the provider, and the outbox must then say so.
//!
//! 50 rounds, each a start, a load and a kill. For a campaign by hand, with its figures:
//!
//! ```text
//! GATEPOST_KILL_ROUNDS=5000 cargo test --release -p gatepost --test kill -- --nocapture acknowledged
//! ```
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use gatepost_core::World;
use gatepost_testkit::{Process, fresh_folder};
use harness::{Comparison, Installation, Load, Provider, command_of, gatepost_command, output_of, serve_by};

const N_ROUNDS: u64 = 50;
/// A program of this package that is built on request alone.
const BROKEN: &str = "gatepost-broken-early-250";
const FROM: &str = "application@sandbox.test";

/// A load that is cut off once per round.
struct Campaign {
    provider: Provider,
    house: Installation,
    load: Load,
    program: PathBuf,
    world: World,
}

impl Campaign {
    fn of(program: &Path) -> Self {
        let provider = Provider::start();
        let house = Installation::towards(&provider.authority(), "");
        house.add_account(FROM, "sandbox", &provider.smtp(), "starttls");
        let load = Load::new(FROM, house.app_password(FROM, &["--allow", "smtp"]));
        Self { provider, house, load, program: program.to_owned(), world: World::real() }
    }

    /// Starts the server, loads it from all applications, and kills it at some moment after the first 250.
    fn round(&mut self) {
        let server = serve_by(command_of(&self.program), &self.house.config);
        let applications = self.load.begin(&server);
        let span = 50 + u64::from(u16::from_le_bytes(self.world.random())) % 351;
        thread::sleep(Duration::from_millis(span)); // The load goes on; any moment is as good as any other.
        server.kill();
        for ended in self.load.end(applications) {
            // Whatever the server said while it lived was a yes.
            assert_ne!(ended.kind(), io::ErrorKind::Other, "{ended}");
        }
    }

    fn compare(&self) -> Comparison {
        let server = serve_by(command_of(&self.program), &self.house.config);
        let comparison = self.load.compare(&self.house, &self.provider.mailboxes());
        assert_eq!(server.stop().code(), Some(0));
        comparison
    }
}

/// QS-1, SS-18.
#[test]
#[expect(clippy::print_stdout, reason = "the figures of a campaign are what it is for")]
fn no_acknowledged_letter_is_lost_by_kill_9_and_each_extra_copy_is_marked_uncertain() {
    let n_rounds = std::env::var("GATEPOST_KILL_ROUNDS").map_or(N_ROUNDS, |it| it.parse().expect("a number"));
    let mut campaign = Campaign::of(Path::new(env!("CARGO_BIN_EXE_gatepost")));
    for _ in 0..n_rounds {
        campaign.round();
    }
    let comparison = campaign.compare();
    println!(
        "{n_rounds} kills, {} letters acknowledged, {} lost, {} arrived more than once",
        comparison.n_acknowledged,
        comparison.lost.len(),
        comparison.n_repeated
    );
    assert!(comparison.n_acknowledged as u64 >= n_rounds, "{comparison:?}");
    assert!(comparison.lost.is_empty() && comparison.unexplained.is_empty(), "{comparison:?}");
}

/// The negative control of the test above: the same load, the same kills, the same comparison.
#[test]
fn a_server_that_answers_250_before_the_commit_is_caught() {
    let mut campaign = Campaign::of(&build_broken());
    let caught = (0..N_ROUNDS / 5).any(|_| {
        for _ in 0..5 {
            campaign.round();
        }
        !campaign.compare().lost.is_empty()
    });
    assert!(caught, "letters that were never on the disk were not missed");
}

/// QS-10: tables, keys and organisation are made in steps, and whatever step was the last, the next `init` goes on from there.
#[test]
fn an_init_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let world = World::real();
    let mut n_cut_off = 0;
    for round in 0..12 {
        let folder = fresh_folder();
        let config = folder.path().join("gatepost.toml");
        let init = || {
            let mut command = gatepost_command();
            command.args(["init", "--admin", "anna@practice.example", "--config"]).arg(&config);
            command
        };
        let mut first = Process::start(init().stdout(Stdio::null()).stderr(Stdio::null())).unwrap();
        // Most of the work lies in the first tenth of a second.
        thread::sleep(Duration::from_millis(u64::from(world.random::<1>()[0]) % (16 * round + 16)));
        first.kill();
        // Its last step is the configuration.
        if !config.exists() {
            n_cut_off += 1;
            output_of(&mut init()).done();
        }
        let mut list = gatepost_command();
        list.args(["account", "list", "--json", "--config"]).arg(&config);
        assert_eq!(output_of(&mut list).done(), "");
    }
    assert!(n_cut_off > 0, "every init was faster than its kill");
}

/// Builds the program that promises too early, beside the one that is tested.
fn build_broken() -> PathBuf {
    let good = Path::new(env!("CARGO_BIN_EXE_gatepost"));
    let profile = good.parent().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--offline", "--package", "gatepost", "--bin", BROKEN]);
    cargo.args(["--features", "broken-early-250", "--target-dir"]).arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    good.with_file_name(BROKEN)
}
