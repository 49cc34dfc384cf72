//! Where Asterisk is on this machine: its own, or the one that `install.sh` unpacked.

use std::path::{Path, PathBuf};
use std::{env, fs};

use rustix::process::getuid;

/// An Asterisk that can be started.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    /// The program.
    pub(crate) program: PathBuf,
    /// Folder of its modules.
    pub(crate) modules: PathBuf,
    /// Folder that holds `sounds`.
    pub(crate) data: PathBuf,
}

impl Installation {
    /// # Panics
    /// When there is none.
    pub(crate) fn find() -> Installation {
        let unpacked = folder().join("asterisk");
        let own = ["/usr/sbin/asterisk", "/usr/local/sbin/asterisk"].map(PathBuf::from);
        let (program, root) = match own.into_iter().find(|program| program.exists()) {
            Some(program) => (program, PathBuf::from("/")),
            None => (unpacked.join("asterisk"), unpacked.join("root")),
        };
        assert!(program.exists(), "no Asterisk here, nor in {}: run tests/lab/install.sh test", unpacked.display());
        let modules = module_folder(&root).unwrap_or_else(|| panic!("no modules of Asterisk below {}", root.display()));
        let data = ["usr/share/asterisk", "var/lib/asterisk"].map(|data| root.join(data));
        let data = data.into_iter().find(|data| data.join("sounds").is_dir());
        let data = data.unwrap_or_else(|| panic!("no sounds of Asterisk below {}", root.display()));
        Installation { program, modules, data }
    }
}

/// The folder of what `install.sh` unpacks; the same rule stands there.
fn folder() -> PathBuf {
    if let Some(lab) = env::var_os("TANDEM_LAB") {
        return lab.into();
    }
    if getuid().is_root() {
        return "/var/cache/tandem".into();
    }
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("tandem")
}

fn module_folder(root: &Path) -> Option<PathBuf> {
    let libraries = fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = libraries.map(|entry| entry.path().join("asterisk/modules")).collect();
    candidates.push(root.join("usr/lib/asterisk/modules"));
    candidates.push(root.join("usr/local/lib/asterisk/modules"));
    candidates.into_iter().find(|folder| folder.join("chan_pjsip.so").exists())
}
