//! nginx as a mail proxy. It has no TLS towards the mailbox's host, so it is spared half of the work.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use super::Server;
use crate::bench::process::{Process, free_address, wait_for_listener};
use crate::bench::tools::Tools;

const PROGRAM: &str = "/usr/sbin/nginx";
const MODULE: &str = "/usr/lib/nginx/modules/ngx_mail_module.so";

/// None where it is not installed.
pub(super) fn start(tools: &Tools, host: SocketAddr) -> anyhow::Result<Option<Server>> {
    if !Path::new(PROGRAM).exists() || !Path::new(MODULE).exists() {
        eprintln!("nginx takes no part: apt-get install nginx-light libnginx-mod-mail");
        return Ok(None);
    }
    let (address, auth) = (free_address()?, free_address()?);
    let [folder, certificate, key, file] =
        ["nginx", "certificate.pem", "key.pem", "nginx/nginx.conf"].map(|it| tools.text(it));
    std::fs::create_dir(tools.path("nginx"))?;
    let (ip, port) = (host.ip(), host.port());
    let configuration = format!(
        "\
load_module {MODULE};
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {auth};
    location / {{
      add_header Auth-Status OK;
      add_header Auth-Server {ip};
      add_header Auth-Port {port};
      return 200;
    }}
  }}
}}
mail {{
  auth_http http://{auth}/;
  proxy_pass_error_message on;
  server {{
    listen {address} ssl;
    protocol imap;
    imap_auth plain login;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
  }}
}}
"
    );
    std::fs::write(&file, configuration)?;
    let args = ["-c", &file, "-p", &folder, "-e", &format!("{folder}/log")];
    let process =
        Process::start(Path::new(PROGRAM), &args, [Stdio::null(), Stdio::null(), Stdio::inherit()])?;
    wait_for_listener(address, &tools.path("nginx/log"))?;
    Ok(Some(Server::with_the_mailboxs_own("nginx", tools, address, process)))
}
