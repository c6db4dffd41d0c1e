//! What checking an app password costs: everything between the application's AUTH and the answer that is not the network.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, ensure};
use clap::Args;
use gatepost_core::{MailAccountId, SecretText, World};
use gatepost_identity::{
    AppPasswordLimits, Attempt, Identity, LastUses, MOST_APP_PASSWORDS, NewAppPassword, Protocol, Protocols,
    RevocationWatch, SignIns,
};
use gatepost_journal::Actor;
use gatepost_store::{Database, Keyring, RoomMigrations, Store};
use gatepost_vault::{Key, MasterKey};
use serde::Serialize;
use tokio::time::Instant;

use crate::latency::Latencies;

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, gatepost_identity::MIGRATIONS];

/// `app-password`.
#[derive(Args)]
pub(crate) struct AppPassword {
    /// How many logins there are, with an app password each
    #[arg(long, default_value_t = 1_000)]
    logins: u32,
    /// How many are checked, one after the other
    #[arg(long, default_value_t = 20_000)]
    checks: u32,
}

#[derive(Serialize)]
struct Outcome {
    logins: u32,
    checks: u32,
    p50_us: f64,
    p99_us: f64,
}

struct Known {
    user_name: String,
    password: SecretText,
}

impl AppPassword {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the database")?;
        let database = Database::Sqlite { file: folder.path().join("bench.db") };
        let (store, _threads) = Store::open(database, World::real(), ROOMS).await?;
        let master = MasterKey::new(Key::from_bytes(&[7; 32]));
        let keyring = Keyring::open(&store, master).await?;
        let identity = Identity::new(store.clone(), keyring.clone());
        let known = self.make(&identity, store.world()).await?;
        let watch = RevocationWatch::new(store.clone());
        watch.look().await?;
        let sign_ins =
            SignIns::open(store.clone(), keyring, LastUses::new(store.clone()), watch.clone()).await?;
        let mut spans = Latencies::default();
        for n in 0..self.checks {
            if n % 200 == 0 {
                // A server does this four times a second.
                watch.look().await?;
            }
            let it = &known[n as usize % known.len()];
            let attempt = Attempt {
                user_name: &it.user_name,
                password: &it.password,
                protocol: Protocol::Smtp,
                source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
                tls: Some("TLS 1.3"),
                mechanism: Some("PLAIN"),
            };
            let begun = Instant::now();
            let signed_in = sign_ins.verify(attempt).await;
            spans.push(begun.elapsed().as_secs_f64() * 1e6);
            ensure!(signed_in.is_ok(), "an app password was refused");
        }
        let (p50_us, p99_us) = (spans.percentile(50), spans.percentile(99));
        crate::print_json(&Outcome { logins: self.logins, checks: self.checks, p50_us, p99_us })
    }

    async fn make(&self, identity: &Identity, world: &World) -> anyhow::Result<Vec<Known>> {
        let organisation = identity.create_organisation("Bench", Actor::Command).await?.id;
        let mut all = Vec::new();
        for n in 0..self.logins {
            let (account, address) =
                (MailAccountId::new(world), format!("device-{n}@bench.example").parse()?);
            let login = identity.ensure_account_login(organisation, account, &address, None).await?;
            let limits = AppPasswordLimits {
                allowed: Protocols::MAIL,
                networks: Vec::new(),
                send_as: Vec::new(),
                expires_at: None,
                repairs_line_ends: false,
            };
            let new = NewAppPassword::new(world, organisation, login.id, "Bench", limits);
            let made = identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await?;
            all.push(Known { user_name: made.user_name, password: made.text.grouped() });
        }
        Ok(all)
    }
}
