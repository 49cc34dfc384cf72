//! `tandem`: arguments, configuration, then the command; see [`tandem::cli`].

use std::process::ExitCode;

use clap::Parser;
use tandem::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::failed(format!("the runtime could not start: {error}")),
    };
    runtime.block_on(cli::run(arguments))
}
