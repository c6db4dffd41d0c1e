//! Opening what is there, and making what `init` makes.

use std::path::Path;
use std::sync::Arc;

use gatepost_accounts::{Accounts, Reach};
use gatepost_core::World;
use gatepost_delivery::Outbox;
use gatepost_identity::Identity;
use gatepost_providers::OAuthClient;
use gatepost_store::{Bodies, Database, Keyring, Store};
use gatepost_vault::MasterKey;

use super::{App, Closing, ROOMS, StartError, reach};
use crate::config::{DatabasePlace, Settings};
use crate::data_dir::DataDir;
use crate::master_key;

/// Connections to PostgreSQL, each with a thread.
const POSTGRES_CONNECTIONS: usize = 8;

impl App {
    /// Opens what `init` has made, with the data folder taken. Refuses what is not there, so that a disk that was not
    /// mounted or a wrong path does not begin an empty installation beside the real one.
    pub async fn open(
        settings: Arc<Settings>,
        data_dir: DataDir,
        world: World,
    ) -> Result<(Self, Closing), StartError> {
        if let DatabasePlace::Sqlite(file) = &settings.database
            && !file.exists()
        {
            return Err(StartError::NoDatabase(file.clone()));
        }
        let found = master_key::read(settings.master_key.as_ref())?;
        if found.is_from_environment {
            tracing::warn!(
                "the master key comes from the environment, which others on this machine may be able to read; prefer master_key_file"
            );
        }
        Self::open_with(settings, data_dir, found.key, world).await
    }

    /// As [`App::open`], also where nothing is yet.
    pub(crate) async fn open_with(
        settings: Arc<Settings>,
        data_dir: DataDir,
        master_key: MasterKey,
        world: World,
    ) -> Result<(Self, Closing), StartError> {
        let reach = reach::open(&settings, &world)?;
        let database = match &settings.database {
            DatabasePlace::Sqlite(file) => Database::Sqlite { file: file.clone() },
            DatabasePlace::Postgres(url) => {
                Database::Postgres { url: url.clone(), connections: POSTGRES_CONNECTIONS }
            }
        };
        let explain = |error| StartError::of_store(error, &settings);
        let (store, threads) = Store::open(database, world.clone(), ROOMS).await.map_err(explain)?;
        let closing = Closing { threads, data_dir };
        match Self::wire(&settings, store, master_key, reach).await {
            Ok(app) => Ok((app, closing)),
            Err(error) => {
                closing.finish().await;
                Err(StartError::of_store(error, &settings))
            }
        }
    }

    async fn wire(
        settings: &Arc<Settings>,
        store: Store,
        master_key: MasterKey,
        reach: Reach,
    ) -> Result<Self, gatepost_store::StoreError> {
        let keyring = Keyring::open(&store, master_key).await?;
        let bodies = Bodies::open(&store, &keyring, settings.bodies.clone()).await?;
        let identity = Identity::new(store.clone(), keyring.clone());
        let accounts = Accounts::new(&store, &keyring, settings.providers.clone());
        let world = store.world().clone();
        accounts.reach_services(OAuthClient::new(reach.dialer.clone(), reach.tls.clone(), world));
        let outbox = Outbox::new(&store, &keyring, &bodies);
        accounts.refresh_all().await?;
        Ok(Self {
            settings: settings.clone(),
            world: store.world().clone(),
            store,
            keyring,
            bodies,
            identity,
            accounts,
            outbox,
            reach,
            portal_door: Arc::default(),
            notices: Arc::default(),
        })
    }

    /// The folder of everything.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.settings.data_dir
    }
}
