//! Speech from text, where the node has the programs for it: `espeak-ng` speaks, `sox` makes of it what Asterisk plays (WAV, 8 kHz).
//!
//! What was spoken last is kept, since every caller of a menu hears the same: it is made once, however many wait for it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use uuid::Uuid;

/// For the programs together; a caller waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// Texts whose sound is kept.
const KEPT: usize = 64;
/// How the files are named.
const PREFIX: &str = "speech-";

/// Makes sound files of texts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Speech {
    folder: PathBuf,
    wanted: bool,
    sounds: Arc<Mutex<VecDeque<Sound>>>,
}

/// The sound of a text, once somebody has made it.
#[derive(Debug, Clone)]
struct Sound {
    text: String,
    voice: String,
    spoken: Arc<OnceCell<Spoken>>,
}

/// A sound file, which goes with the last of these values.
#[derive(Debug, Clone)]
pub struct Spoken(Arc<File>);

#[derive(Debug)]
struct File(PathBuf);

impl Spoken {
    /// Path without extension, as Asterisk is told.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.0.0.with_extension("").to_string_lossy().into_owned()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // One that was never written is no fault.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Speech {
    /// Files are written into `folder`, where Asterisk reads them; unless `wanted`, nothing is spoken.
    #[must_use]
    pub fn new(folder: &Path, wanted: bool) -> Speech {
        Speech { folder: folder.to_owned(), wanted, sounds: Arc::default() }
    }

    /// Removes the files of an agent that was killed.
    pub fn sweep(&self) {
        // Without a folder there are none.
        for file in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().starts_with(PREFIX) {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }

    /// Speaks a text in the voice of a language as Asterisk names it, `de` or `pt_BR`, else in that of the programs; `None` where they are not installed, fail
    /// or take too long: then it is to be spelled.
    pub async fn speak(&self, text: &str, language: &str) -> Option<Spoken> {
        if !self.wanted {
            return None;
        }
        let sound = self.sound(text, voice(language));
        // Whoever waits for somebody else's waits no longer either.
        let spoken = sound.spoken.get_or_try_init(async || self.make(text, &sound.voice).await.ok_or(()));
        timeout(PATIENCE, spoken).await.ok()?.ok().cloned()
    }

    /// The sound of a text, made or not.
    fn sound(&self, text: &str, voice: String) -> Sound {
        let mut sounds = self.sounds.lock().unwrap_or_else(PoisonError::into_inner);
        let at = sounds.iter().position(|sound| sound.text == text && sound.voice == voice);
        let known = at.and_then(|at| sounds.remove(at));
        // Whoever cleans up the folder may have taken it.
        let known = known.filter(|sound| sound.spoken.get().is_none_or(|spoken| spoken.0.0.exists()));
        let sound = known.unwrap_or_else(|| Sound { text: text.to_owned(), voice, spoken: Arc::default() });
        sounds.push_back(sound.clone());
        if sounds.len() > KEPT {
            sounds.pop_front();
        }
        sound
    }

    async fn make(&self, text: &str, voice: &str) -> Option<Spoken> {
        let spoken = Spoken(Arc::new(File(self.folder.join(format!("{PREFIX}{}.wav", Uuid::now_v7())))));
        let sound = match voice {
            "" => say(text, &[]).await?,
            voice => match say(text, &["-v", voice]).await {
                Some(sound) => sound,
                None => say(text, &[]).await?,
            },
        };
        let mut shaped = quiet("sox");
        shaped.args(["-t", "wav", "-", "-r", "8000", "-c", "1", "-b", "16"]).arg(&spoken.0.0);
        let mut shaped = shaped.stdin(Stdio::piped()).spawn().ok()?;
        shaped.stdin.take()?.write_all(&sound).await.ok()?;
        shaped.wait().await.ok().filter(std::process::ExitStatus::success)?;
        Some(spoken)
    }
}

/// What the programs call the voice of a language; empty where it has the name of none.
fn voice(language: &str) -> String {
    let voice = language.to_ascii_lowercase().replace('_', "-");
    let name = voice.split('-').next().unwrap_or_default();
    let named = (2..=3).contains(&name.len()) && voice.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if named { voice } else { String::new() }
}

async fn say(text: &str, options: &[&str]) -> Option<Vec<u8>> {
    // By a pipe: the text is somebody else's, and no option.
    let mut voice = quiet("espeak-ng");
    let voice = voice.args(["-s", "130", "--stdin", "--stdout"]).args(options).stdin(Stdio::piped());
    let mut voice = voice.spawn().ok()?;
    voice.stdin.take()?.write_all(text.as_bytes()).await.ok()?;
    Some(voice.wait_with_output().await.ok().filter(|output| output.status.success())?.stdout)
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}
