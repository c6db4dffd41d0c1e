//! Measures mail servers from both sides: as the applications that hand letters in, and as the provider that takes them.
//!
//! `load`, `idle` and `big` are applications that send, `fetch`, `sign-ins` and `idle-readers` ones that read. `sink` is a
//! provider that keeps nothing but Message-IDs, `mailbox` one that has nothing to be read. Letters carry unique
//! Message-IDs, so that what was acknowledged and what arrived can be compared one by one. Everything here shares the
//! machine with the server that is measured and therefore does as little as it can: one thread a process, letters built
//! once, replies written in one piece.
//!
//! *Trust note.* For measuring on loopback alone. The sink lets everybody in and believes every password; the
//! applications trust one authority, which is made for the run by `certificates`.
#![expect(clippy::print_stdout, reason = "a command's output is what it is for")]

mod accounts;
mod app_password;
mod big;
mod certificates;
mod channel;
mod client;
mod idle;
mod latency;
mod letter;
mod load;
mod portal;
mod reading;
mod sink;
mod web;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "gatepost-bench", about = "Measures mail servers: a load generator and a sink")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make an authority, and a certificate for localhost and 127.0.0.1
    Certificates(certificates::Certificates),
    /// Take every letter, keep only Message-IDs; ends when standard input does
    Sink(sink::Sink),
    /// Hand letters in as fast as the server takes them
    Load(load::Load),
    /// Hold signed-in connections open until standard input ends
    Idle(idle::Idle),
    /// Hand in large letters, all at the same time
    Big(big::Big),
    /// Check app passwords, in this process and with its own database
    AppPassword(app_password::AppPassword),
    /// Connect many mailboxes by sign-in in a demo's installation
    FillAccounts(accounts::FillAccounts),
    /// Refresh every token, and say how often that was asked for with each line of standard input; ends when that does
    Tokens(accounts::Tokens),
    /// Ask for the portal's pages, then sign a thousand people in at once
    Portal(portal::Portal),
    /// Read a whole mailbox by IMAP
    Fetch(reading::Fetch),
    /// Sign in by IMAP and leave, again and again
    SignIns(reading::SignIns),
    /// Hold signed-in IMAP connections open until standard input ends; a line there asks whether all are served
    IdleReaders(reading::IdleReaders),
    /// Let everybody in by IMAP and have nothing to be read; ends when standard input does
    Mailbox(reading::Mailbox),
}

// One thread is enough for more than any server here takes, and leaves the rest of the machine to that server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match CommandLine::parse().command {
        Command::Certificates(it) => it.run(),
        Command::Sink(it) => it.run().await,
        Command::Load(it) => it.run().await,
        Command::Idle(it) => it.run().await,
        Command::Big(it) => it.run().await,
        Command::AppPassword(it) => it.run().await,
        Command::FillAccounts(it) => it.run().await,
        Command::Tokens(it) => it.run().await,
        Command::Portal(it) => it.run().await,
        Command::Fetch(it) => it.run().await,
        Command::SignIns(it) => it.run().await,
        Command::IdleReaders(it) => it.run().await,
        Command::Mailbox(it) => it.run().await,
    }
}

/// Prints one JSON object on a line of its own.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
