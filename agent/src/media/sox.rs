//! What `sox` does for audio, where it is installed: it makes recordings small (GSM 6.10 in WAV, a tenth; stereo as mu-law, the half), and puts them
//! together.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::fs;
use tokio::process::Command;
use tokio::time::timeout;
use uuid::Uuid;

use super::wav;

/// For one run: an hour of audio takes about a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// `sox`, working in a folder.
#[derive(Debug, Clone)]
pub struct Sox {
    folder: PathBuf,
}

/// A file that goes with this value.
struct Passing(PathBuf);

impl Passing {
    fn new(folder: &Path) -> Passing {
        Passing(folder.join(format!("sox-{}.wav", Uuid::now_v7())))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // One that was never written is no fault.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Sox {
    /// Files in between are in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Sox {
        Sox { folder: folder.to_owned() }
    }

    /// A recording as GSM 6.10 in WAV; `None` where it cannot be made, and is kept as it is.
    pub async fn compact(&self, recording: &[u8]) -> Option<Vec<u8>> {
        self.shaped(recording, &["-e", "gsm-full-rate", "-c", "1"]).await
    }

    /// A WAV of any rate, width and number of channels as Asterisk would record it; `None` where it cannot be made.
    pub async fn recording(&self, sound: &[u8]) -> Option<Vec<u8>> {
        self.shaped(sound, &["-e", "signed-integer", "-b", "16", "-c", "1"]).await
    }

    /// A stereo recording as mu-law, which is what most calls are spoken in; `None` where it cannot be made, and is kept as it is.
    pub async fn compact_stereo(&self, recording: &[u8]) -> Option<Vec<u8>> {
        self.shaped(recording, &["-e", "mu-law", "-b", "8", "-c", "2"]).await
    }

    async fn shaped(&self, recording: &[u8], shape: &[&str]) -> Option<Vec<u8>> {
        let (from, to) = (Passing::new(&self.folder), Passing::new(&self.folder));
        let work = async {
            fs::write(&from.0, recording).await.ok()?;
            run(&[&from.0], shape, &to.0).await.ok()?;
            fs::read(&to.0).await.ok()
        };
        // A run that went wrong may have written a part.
        work.await.filter(|shaped| wav::length(shaped).is_ok_and(|length| !length.is_zero()))
    }

    /// Audio of either format, one after the other, as a recording.
    ///
    /// # Errors
    /// `sox` is missing where it is needed, or cannot read one of them.
    pub async fn join(&self, parts: &[&Path], whole: &Path) -> io::Result<()> {
        let mut small = false;
        for part in parts {
            small |= wav::is_gsm(&fs::read(part).await?);
        }
        if small {
            run(parts, &["-e", "signed-integer", "-b", "16", "-c", "1"], whole).await
        } else {
            wav::join(parts, whole)
        }
    }
}

async fn run(from: &[impl AsRef<Path>], shape: &[&str], to: &Path) -> io::Result<()> {
    let mut command = Command::new("sox");
    for file in from {
        command.args(["-t", "wav"]).arg(file.as_ref());
    }
    command.args(shape).args(["-t", "wav", "-r", "8000"]).arg(to);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let status = timeout(PATIENCE, command.status()).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("sox: {status}"))) }
}
