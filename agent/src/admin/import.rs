//! stub
#[derive(Debug, clap::Args)]
pub struct Import {}
pub async fn run(_: &crate::config::Config, _: Import) -> Result<(), String> { Ok(()) }
