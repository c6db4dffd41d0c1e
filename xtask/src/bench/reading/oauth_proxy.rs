//! email-oauth2-proxy: like Gatepost, it signs in with a token at the mailbox's host.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use super::{Server, USER};
use crate::bench::process::{Process, free_address, wait_for_listener};
use crate::bench::tools::Tools;

pub(super) const NAME: &str = "email-oauth2-proxy";

/// Where it may lie: `python3 -m venv FOLDER && FOLDER/bin/pip install emailproxy`.
const VARIABLE: &str = "EMAILPROXY";

/// None where nobody says where it is.
pub(super) fn start(tools: &Tools, host: SocketAddr, tokens: SocketAddr) -> anyhow::Result<Option<Server>> {
    let Some(program) = std::env::var_os(VARIABLE) else {
        eprintln!("email-oauth2-proxy takes no part: {VARIABLE} does not say where its program is");
        return Ok(None);
    };
    let address = free_address()?;
    std::fs::create_dir(tools.path("oauth-proxy"))?;
    let [certificate, key, authority, file] =
        ["certificate.pem", "key.pem", "authority.pem", "oauth-proxy/config"].map(|it| tools.text(it));
    let configuration = format!(
        "\
[IMAP-{local}]
local_address = 127.0.0.1
local_certificate_path = {certificate}
local_key_path = {key}
server_address = localhost
server_port = {port}

[{USER}]
token_url = http://{tokens}/token
oauth2_scope = everything
oauth2_flow = client_credentials
client_id = bench
client_secret = bench
",
        local = address.port(),
        port = host.port(),
    );
    std::fs::write(&file, configuration)?;
    let (trusts, program) = (format!("SSL_CERT_FILE={authority}"), program.to_string_lossy());
    let args = [trusts.as_str(), &program, "--no-gui", "--config-file", &file];
    let log = std::fs::File::create(tools.path("oauth-proxy/log"))?;
    let process = Process::start(
        Path::new("/usr/bin/env"),
        &args,
        [Stdio::null(), log.try_clone()?.into(), log.into()],
    )?;
    wait_for_listener(address, &tools.path("oauth-proxy/log"))?;
    Ok(Some(Server::with_the_mailboxs_own(NAME, tools, address, process)))
}
