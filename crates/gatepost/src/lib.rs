//! The binary: commands, configuration, wiring. No logic of mail lives here.
//!
//! *Trust note.* This room reads the configuration, the master key and what people type, and opens everything else with them.
//! It hands secrets on at once and keeps none. It must never print one, take one as an argument, or decide what an application
//! may do.

pub mod answer;
pub mod app;
mod ask;
mod carry_out;
mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod data_dir;
mod demo;
mod demo_mark;
mod init;
pub mod log;
pub mod master_key;
mod output;
pub mod process;
mod run;
mod sandbox;
mod sandbox_child;
pub mod secret_input;
mod serve;
mod stop;
mod user;

pub use run::run;
