//! `gatepost init`: configuration, master key, database, organisation and first administrator; all of it or nothing.

mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_core::World;
use gatepost_identity::{LinkKind, NewPerson, Role};
use gatepost_journal::Actor;
use gatepost_vault::MasterKey;
use serde::Serialize;

use crate::answer::{PersonLink, minute};
use crate::app::{App, PORTAL_IS_OFF, StartError};
use crate::cli::Init;
use crate::config::{DatabasePlace, KeyPlace, Settings};
use crate::control::Refusal;
use crate::data_dir::DataDir;
use crate::master_key::{self, MasterKeyError};
use crate::output::Output;
use files::{Fresh, configuration_text, write_new};

/// Where the configuration is written when `--config` names no file.
const DEFAULT_PLACE: &str = "gatepost.toml";

/// What was made, in the shape that is promised to programs.
#[derive(Serialize)]
pub(crate) struct Made {
    config: PathBuf,
    master_key: Option<PathBuf>,
    data_dir: PathBuf,
    organisation: String,
    administrator: String,
    /// With which the administrator chooses a password, once; none where the portal listens nowhere.
    link: Option<String>,
    link_expires_at: Option<String>,
}

/// Makes an installation and says what was made.
pub(crate) async fn init(
    config: Option<&Path>,
    new: &Init,
    output: Output,
    world: &World,
) -> Result<(), Refusal> {
    let text = configuration_text(new.data.as_deref())?;
    let made = make(config.unwrap_or(Path::new(DEFAULT_PLACE)), new, &text, world).await?;
    output.json(&made);
    output.text(made.text());
    Ok(())
}

/// Makes an installation whose configuration, if it has none yet, begins as `text`.
pub(crate) async fn make(config: &Path, new: &Init, text: &str, world: &World) -> Result<Made, Refusal> {
    let config = std::path::absolute(config).map_err(|error| {
        Refusal::new(format!("cannot find {}: {error}. Name another file with --config", config.display()))
    })?;
    let mut fresh = Fresh::default();
    match make_all(&config, new, text, world, &mut fresh).await {
        Ok(made) => Ok(made),
        Err(refusal) => {
            // Nothing half-made is left, and nothing that was there before is touched.
            fresh.remove();
            Err(refusal)
        }
    }
}

async fn make_all(
    config: &Path,
    new: &Init,
    text: &str,
    world: &World,
    fresh: &mut Fresh,
) -> Result<Made, Refusal> {
    let has_config = config.exists();
    let settings = if has_config {
        Settings::load(Some(config))
    } else {
        Settings::from_text(config, text, std::env::vars_os())
    };
    let settings = Arc::new(settings.map_err(|error| Refusal::new(error.to_string()))?);
    if let (true, Some(data)) = (has_config, &new.data)
        && std::path::absolute(data).ok().as_ref() != Some(&settings.data_dir)
    {
        return Err(Refusal::new(format!(
            "{} is there already and says data_dir = {}. Leave --data out, or change it there",
            config.display(),
            settings.data_dir.display()
        )));
    }
    fresh.note_all(config, &settings);
    let key_file = match &settings.master_key {
        Some(KeyPlace::File(path)) => Some(path.clone()),
        Some(KeyPlace::Command(_)) | None => None,
    };
    if let Some(folder) = config.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Refusal::new(format!(
                "cannot make {}: {error}. Choose a folder that this user may write in",
                folder.display()
            ))
        })?;
    }
    let data_dir = DataDir::create(&settings.data_dir).map_err(StartError::from)?;
    let master_key = find_or_make_key(&settings, key_file.as_deref(), world)?;
    let opened = App::open_with(settings.clone(), data_dir, master_key, world.clone()).await;
    let (app, closing) = opened?;
    let filled = fill(&app, new, has_config).await;
    drop(app);
    closing.finish().await;
    let link = filled?;
    // Last, because an installation is there when its configuration is.
    if !has_config {
        write_new(config, text)?;
    }
    Ok(Made {
        config: config.to_owned(),
        master_key: key_file,
        data_dir: settings.data_dir.clone(),
        organisation: new.organisation.trim().to_owned(),
        administrator: new.admin.to_string(),
        link_expires_at: link.as_ref().map(|it| it.expires_at.clone()),
        link: link.map(|it| it.link),
    })
}

/// A key that is there is kept. A new one is made only for a new database: no other would open.
fn find_or_make_key(
    settings: &Settings,
    file: Option<&Path>,
    world: &World,
) -> Result<MasterKey, StartError> {
    let has_database = matches!(&settings.database, DatabasePlace::Sqlite(file) if file.exists());
    match (master_key::read(settings.master_key.as_ref()), file) {
        (Err(MasterKeyError::Missing(_)), Some(path)) if !has_database => {
            Ok(master_key::create(path, world)?)
        }
        (found, _) => Ok(found?.key),
    }
}

/// Makes organisation and administrator, and the link with which they begin.
async fn fill(app: &App, new: &Init, has_config: bool) -> Result<Option<PersonLink>, Refusal> {
    let refuse = |error| app.refuse::<gatepost_identity::IdentityError>(error);
    let all = app.identity.list_organisations().await.map_err(refuse)?;
    let organisation = match all.into_iter().next() {
        None => app.identity.create_organisation(&new.organisation, Actor::Command).await.map_err(refuse)?,
        // An `init` that was cut off has written no configuration, and is finished now.
        Some(found) if !has_config && found.name == new.organisation.trim() => found,
        Some(found) => {
            return Err(Refusal::new(format!(
                "{} holds the data of {} already, and nothing was changed. Run: gatepost serve --config FILE, or choose another folder with --data. A link to sign in: gatepost person reset-password {}",
                app.data_dir().display(),
                found.name,
                new.admin
            )));
        }
    };
    let found = app.identity.find_person(organisation.id, &new.admin).await.map_err(refuse)?;
    let administrator = match found {
        Some(found) => found,
        None => {
            let administrator = NewPerson {
                organisation: organisation.id,
                address: new.admin.clone(),
                name: new.admin.local_part().to_owned(),
                role: Role::Administrator,
                home_location: None,
            };
            app.identity.add_person(administrator, Actor::Command).await.map_err(refuse)?
        }
    };
    match app.portal_url() {
        Some(_) => app.hand_link(&administrator, LinkKind::SetUp).await.map(Some),
        None => Ok(None),
    }
}

impl Made {
    fn text(&self) -> String {
        let key = self.master_key.as_ref().map_or_else(String::new, |path| {
            format!("  Master key     {}\n                 Keep a copy elsewhere: without it nothing stored can be read.\n", path.display())
        });
        format!(
            "Gatepost is set up for {}, with {} as administrator.\n\n  Configuration  {}\n{key}  Data           {}\n\nNext\n  1. Start it:   gatepost serve --config {}\n{}",
            self.organisation,
            self.administrator,
            self.config.display(),
            self.data_dir.display(),
            self.config.display(),
            self.link_text()
        )
    }

    fn link_text(&self) -> String {
        let (Some(link), Some(until)) = (&self.link, &self.link_expires_at) else {
            return format!("  2. Nobody can sign in yet: {PORTAL_IS_OFF}.");
        };
        format!(
            "  2. Open this link, which works once, until {} UTC. It leads through password, two-step verification and\n     the organisation's name:\n\n     {link}\n\nA new link, at any time: gatepost person reset-password {} --config {}",
            minute(until),
            self.administrator,
            self.config.display()
        )
    }
}
