//! Speech from text, where the node has the programs for it: `espeak-ng` speaks, `sox` makes of it what Asterisk plays (WAV, 8 kHz).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;
use uuid::Uuid;

/// For both programs together; a caller waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// Makes sound files of texts.
#[derive(Debug, Clone)]
pub struct Speech {
    folder: PathBuf,
    wanted: bool,
}

/// A sound file, which goes with this value.
#[derive(Debug)]
pub struct Spoken {
    file: PathBuf,
}

impl Spoken {
    /// Path without extension, as Asterisk is told.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.file.with_extension("").to_string_lossy().into_owned()
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        // One that was never written is no fault.
        let _ = std::fs::remove_file(&self.file);
    }
}

impl Speech {
    /// Files are written into `folder`, where Asterisk reads them; unless `wanted`, nothing is spoken.
    #[must_use]
    pub fn new(folder: &Path, wanted: bool) -> Speech {
        Speech { folder: folder.to_owned(), wanted }
    }

    /// Speaks a text; `None` where the programs are not installed, fail or take too long: then it is to be spelled.
    pub async fn speak(&self, text: &str) -> Option<Spoken> {
        if !self.wanted {
            return None;
        }
        let spoken = Spoken { file: self.folder.join(format!("speech-{}.wav", Uuid::now_v7())) };
        let work = async {
            // By a pipe: the text is somebody else's, and no option.
            let mut voice = quiet("espeak-ng");
            let mut voice = voice.args(["-s", "130", "--stdin", "--stdout"]).stdin(Stdio::piped()).spawn().ok()?;
            voice.stdin.take()?.write_all(text.as_bytes()).await.ok()?;
            let sound = voice.wait_with_output().await.ok().filter(|output| output.status.success())?.stdout;
            let mut shaped = quiet("sox");
            shaped.args(["-t", "wav", "-", "-r", "8000", "-c", "1", "-b", "16"]).arg(&spoken.file);
            let mut shaped = shaped.stdin(Stdio::piped()).spawn().ok()?;
            shaped.stdin.take()?.write_all(&sound).await.ok()?;
            shaped.wait().await.ok().filter(std::process::ExitStatus::success)
        };
        timeout(PATIENCE, work).await.ok()??;
        Some(spoken)
    }
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}
