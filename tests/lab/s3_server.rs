//! A real S3 server: s3s over a folder.

use std::net::SocketAddr;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::runtime::Runtime;

use crate::{Address, Folder};

/// An S3 server with the bucket `voicemail` on port 9000 of its own address, down at first.
#[derive(Debug)]
pub struct S3Server {
    address: Address,
    folder: Folder,
    runtime: Option<Runtime>,
}

impl Default for S3Server {
    fn default() -> Self {
        let folder = Folder::new("s3");
        folder.folder("voicemail");
        S3Server { address: Address::claim(), folder, runtime: None }
    }
}

impl S3Server {
    /// Its access key and secret.
    pub const KEYS: (&str, &str) = ("laboratory", "a secret of the laboratory");

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.address.port(9000)
    }

    /// Starts it; what it took before is still there.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(&mut self) {
        let files = FileSystem::new(self.folder.path()).expect("a folder can be served");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(S3Server::KEYS.0, S3Server::KEYS.1));
        let service = builder.build();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind(self.address())).expect("a fresh address is free");
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        self.runtime = Some(runtime);
    }

    /// Stops it, in the middle of whatever it does.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Names of what is in the bucket.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        let mut names = Vec::new();
        for day in std::fs::read_dir(self.folder.join("voicemail")).into_iter().flatten().flatten() {
            for object in std::fs::read_dir(day.path()).into_iter().flatten().flatten() {
                names.push(object.file_name().to_string_lossy().into_owned());
            }
        }
        names
    }
}
