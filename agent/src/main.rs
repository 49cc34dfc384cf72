//! `tandem`: arguments, configuration, then the command; see [`tandem::cli`].

use std::process::ExitCode;

use clap::Parser;
use tandem::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The one library of cryptography, for all that speaks TLS. There can be no other yet.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::failed(format!("the runtime could not start: {error}")),
    };
    runtime.block_on(cli::run(arguments))
}
