//! OAuth 2.0 as the large providers offer it (RFC 6749): authorization code with PKCE (RFC 7636), rotating refresh tokens,
//! revocation (RFC 7009), `iss` in the answer (RFC 9207), and of OpenID Connect what tells whose mailbox it is.
//!
//! ```text
//! oauth/
//!   settings.json              how long access tokens live, how refresh tokens rotate
//!   clients.json               applications that somebody registered
//!   grants/0192f0c1a2b34c5d.json  one file a grant, with digests of its tokens
//! ```
//!
//! What was answered with a token is durable, so that it survives a kill. Sign-ins under way, codes, and which browser has
//! signed in as whom are in memory only, and so is trouble that somebody asked for.
//!
//! A refresh token that was exchanged for the next one goes on living until the next one, or the access token that came with
//! it, was used: the answer may have been lost. `strict` takes that away and revokes the grant when an old one comes
//! back; `none` hands out the same one for ever.

mod browser;
mod client;
mod code;
mod door;
mod exchange;
mod flow;
mod grant;
mod grants;
mod id_token;
mod request;
mod scope;
mod settings;
mod token;
mod trouble;

pub(crate) use browser::Browsers;
pub(crate) use client::{Client, ClientError, Clients, NewClient};
pub(crate) use code::{Code, Codes};
pub(crate) use door::router;
pub(crate) use flow::{Flow, Flows, Stage};
pub(crate) use grant::{Grant, GrantId};
pub(crate) use grants::Grants;
pub(crate) use request::{AuthorizationRequest, Rejection};
pub(crate) use scope::{Scope, parse as parse_scopes, write as write_scopes};
pub(crate) use settings::{Rotation, Settings, SettingsFile};
use token::Digest;
pub(crate) use trouble::{Place, Trouble, TroubleKind, TroubleRequest, Troubles};

use std::fs;
use std::path::Path;

use gatepost_core::World;

use crate::SandboxError;
use crate::error::storage;

/// Everything of OAuth that the doors share.
pub(crate) struct OAuth {
    pub(crate) clients: Clients,
    pub(crate) grants: Grants,
    pub(crate) codes: Codes,
    pub(crate) flows: Flows,
    pub(crate) browsers: Browsers,
    pub(crate) settings: SettingsFile,
    pub(crate) troubles: Troubles,
    pub(crate) world: World,
    /// Where the pages are, such as `http://127.0.0.1:8026`, which is the provider's name too; known once a port is.
    pub(crate) issuer: String,
}

impl OAuth {
    /// Reads what `folder` holds of it. Blocks.
    pub(crate) fn open(folder: &Path, world: &World) -> Result<Self, SandboxError> {
        let folder = folder.join("oauth");
        let grants = folder.join("grants");
        fs::create_dir_all(&grants).map_err(storage("create", &grants))?;
        Ok(Self {
            clients: Clients::open(&folder)?,
            grants: Grants::open(&grants, world)?,
            codes: Codes::new(world),
            flows: Flows::new(world),
            browsers: Browsers::default(),
            settings: SettingsFile::open(&folder)?,
            troubles: Troubles::default(),
            world: world.clone(),
            issuer: String::new(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
