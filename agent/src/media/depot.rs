//! Where the audio of all nodes is: in the database beside its row, in a directory that all nodes share, or in an S3 bucket.
//!
//! Audio is known by its id, a UUID of version 7, in whose order of time it lies in folders by day. Putting it again changes nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, ObjectStoreExt, PutPayload, RetryConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::store::mailbox::{Audio, Place};
use crate::store::{Store, StoreError};

/// For putting and removing one piece of audio.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why audio cannot be had, or put away.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// The place is away: try again later.
    #[error("{0}")]
    Later(String),
    /// It is not there.
    #[error("there is no audio {0}")]
    Missing(Uuid),
    /// The configuration names no such place.
    #[error("audio {id} is in the {} of voicemail.store, which this node's configuration does not name", .place.name())]
    Unknown {
        /// The audio.
        id: Uuid,
        /// Where it is.
        place: Place,
    },
}

/// Where new audio goes, and all places where audio may be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where new audio goes.
    pub place: Place,
    /// The shared directory, if there is one.
    pub directory: Option<PathBuf>,
    /// The bucket, if there is one.
    pub s3: Option<Bucket>,
}

/// An S3 bucket.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// `https://s3.example.com`; empty for Amazon's own.
    pub endpoint: String,
    /// Access key.
    pub key: String,
    /// Secret access key.
    pub secret: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket {{ {} at {:?} }}", self.name, self.endpoint)
    }
}

/// The audio of all nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Depot {
    store: Store,
    place: Place,
    directory: Option<PathBuf>,
    bucket: Option<Arc<AmazonS3>>,
}

impl Depot {
    /// A depot by these options, with `store` as the database.
    ///
    /// # Errors
    /// The bucket cannot be named so.
    pub fn new(store: Store, options: &Options) -> Result<Depot, String> {
        let bucket = options.s3.as_ref().map(bucket).transpose()?;
        Ok(Depot { store, place: options.place, directory: options.directory.clone(), bucket: bucket.map(Arc::new) })
    }

    /// Where new audio goes.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Puts audio away, on disk where it is a disk. What the database keeps is written with its row, and not here.
    ///
    /// # Errors
    /// See [`DepotError`].
    pub async fn put(&self, audio: &Audio, bytes: &[u8]) -> Result<(), DepotError> {
        match audio.place {
            Place::Database => Ok(()),
            Place::Directory => {
                let path = self.path(audio.id)?;
                write(&path, bytes).await.map_err(|error| later(&path, &error))
            }
            Place::S3 => {
                let key = object(audio.id);
                patiently(self.bucket(audio.id)?.put(&key, PutPayload::from(bytes.to_vec()))).await.map(drop)
            }
        }
    }

    /// The audio, until `by`.
    ///
    /// # Errors
    /// See [`DepotError`].
    pub async fn get(&self, audio: &Audio, by: Instant) -> Result<Vec<u8>, DepotError> {
        let id = audio.id;
        let late = |_| DepotError::Later(format!("audio {id} did not come in time"));
        match audio.place {
            Place::Database => match self.store.audio(id, by).await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(DepotError::Missing(id)),
                Err(error) => Err(away(&error)),
            },
            Place::Directory => {
                let path = self.path(id)?;
                match timeout_at(by, tokio::fs::read(&path)).await.map_err(late)? {
                    Ok(bytes) => Ok(bytes),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DepotError::Missing(id)),
                    Err(error) => Err(later(&path, &error)),
                }
            }
            Place::S3 => {
                let bucket = self.bucket(id)?;
                let key = object(id);
                let get = async { bucket.get(&key).await?.bytes().await };
                match timeout_at(by, get).await.map_err(late)? {
                    Ok(bytes) => Ok(bytes.to_vec()),
                    Err(object_store::Error::NotFound { .. }) => Err(DepotError::Missing(id)),
                    Err(error) => Err(DepotError::Later(format!("S3: {error}"))),
                }
            }
        }
    }

    /// Removes audio; doing so again is no fault. What the database keeps goes with its row.
    ///
    /// # Errors
    /// See [`DepotError`].
    pub async fn remove(&self, id: Uuid, place: Place) -> Result<(), DepotError> {
        match place {
            Place::Database => Ok(()),
            Place::Directory => {
                let path = self.path_in(id, place)?;
                match tokio::fs::remove_file(&path).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(later(&path, &error)),
                    _ => Ok(()),
                }
            }
            Place::S3 => match patiently(self.bucket(id)?.delete(&object(id))).await {
                Err(DepotError::Missing(_)) => Ok(()),
                outcome => outcome,
            },
        }
    }

    /// Whether new audio could be put away: writes a little, reads it and removes it.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self) -> Result<(), String> {
        match (self.place, &self.directory) {
            (Place::Database, _) => return Ok(()),
            // Not where audio goes: whoever checks may be somebody else than the agent, who could not write there afterwards.
            (Place::Directory, Some(directory)) => {
                let path = directory.join(format!("check-{}", Uuid::now_v7()));
                let written = write(&path, b"tandem").await.map_err(|error| format!("{}: {error}", path.display()));
                // What could not be written is not there.
                let _ = tokio::fs::remove_file(&path).await;
                return written;
            }
            _ => {}
        }
        let (id, bytes) = (Uuid::now_v7(), b"tandem".to_vec());
        let format = crate::store::mailbox::Format::Wav;
        let audio = Audio { id, place: self.place, format, bytes: 6, duration_ms: 0 };
        let work = async {
            self.put(&audio, &bytes).await?;
            let read = self.get(&audio, Instant::now() + PATIENCE).await?;
            self.remove(id, self.place).await?;
            Ok::<_, DepotError>(read == bytes)
        };
        match work.await {
            Ok(true) => Ok(()),
            Ok(false) => Err("what was read is not what was written".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn path(&self, id: Uuid) -> Result<PathBuf, DepotError> {
        self.path_in(id, Place::Directory)
    }

    fn path_in(&self, id: Uuid, place: Place) -> Result<PathBuf, DepotError> {
        let directory = self.directory.as_ref().ok_or(DepotError::Unknown { id, place })?;
        Ok(directory.join(day(id)).join(id.to_string()))
    }

    fn bucket(&self, id: Uuid) -> Result<&AmazonS3, DepotError> {
        self.bucket.as_deref().ok_or(DepotError::Unknown { id, place: Place::S3 })
    }
}

fn bucket(bucket: &Bucket) -> Result<AmazonS3, String> {
    let retry = RetryConfig { max_retries: 1, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(PATIENCE / 2).with_connect_timeout(Duration::from_secs(2));
    // Over http only where the operator writes so.
    let client = client.with_allow_http(bucket.endpoint.starts_with("http://"));
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.key)
        .with_secret_access_key(&bucket.secret)
        .with_retry(retry)
        .with_client_options(client);
    if !bucket.endpoint.is_empty() {
        builder = builder.with_endpoint(&bucket.endpoint);
    }
    builder.build().map_err(|error| format!("voicemail.s3_bucket {}: {error}", bucket.name))
}

async fn patiently<T>(work: impl Future<Output = Result<T, object_store::Error>>) -> Result<T, DepotError> {
    match timeout_at(Instant::now() + PATIENCE, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(DepotError::Later(format!("S3: {error}"))),
        Err(_) => Err(DepotError::Later(format!("S3 did not answer within {} s", PATIENCE.as_secs()))),
    }
}

fn later(path: &Path, error: &io::Error) -> DepotError {
    DepotError::Later(format!("{}: {error}", path.display()))
}

fn away(error: &StoreError) -> DepotError {
    DepotError::Later(error.to_string())
}

/// The day of an id, as a folder.
fn day(id: Uuid) -> String {
    let (seconds, _) = id.get_timestamp().map_or((0, 0), |timestamp| timestamp.to_unix());
    let time = chrono::DateTime::from_timestamp(i64::try_from(seconds).unwrap_or_default(), 0).unwrap_or_default();
    time.format("%Y-%m-%d").to_string()
}

fn object(id: Uuid) -> object_store::path::Path {
    format!("{}/{id}", day(id)).into()
}

/// Writes a file that is there as a whole, on disk, or not at all.
async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    tokio::fs::create_dir_all(folder).await?;
    // Two nodes never write the same audio, but one may try again while its last try still hangs.
    let new = path.with_extension(format!("{}.new", Uuid::now_v7()));
    let mut file = tokio::fs::File::create(&new).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&new, path).await?;
    tokio::fs::File::open(folder).await?.sync_all().await
}
