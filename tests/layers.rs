//! Dependencies point one way: every `crate::` in the agent's sources is held against the table of the design.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who (the longest prefix that fits) may import from which modules of the crate.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("call", &[]),
    ("config", &[]),
    ("wire", &["wire"]),
    ("store", &["store"]),
    ("adapters", &["call"]),
    ("adapters::ari", &["call", "wire::ari", "wire::ari_events", "adapters::ari"]),
    ("adapters::fastagi", &["call", "wire"]),
    ("adapters::simulator", &["call"]),
    ("phrases", &["call"]),
    ("alarm", &[]),
    ("console", &[]),
    // The durable buffer knows nothing of what it ships.
    ("buffer", &["alarm", "buffer"]),
    ("records", &["alarm", "buffer", "store", "records"]),
    ("emergency", &["store", "emergency"]),
    ("speech", &[]),
    ("lookup", &[]),
    // Outside of the node: knows nothing of what is told.
    ("post", &["buffer", "post"]),
    ("media", &["store", "media"]),
    ("voicemail", &["alarm", "buffer", "media", "post", "store", "wire::ami", "voicemail"]),
    ("tap", &["alarm", "buffer", "media", "store", "wire::ami", "tap"]),
    ("flows", &["call", "phrases", "store", "emergency", "media", "speech", "lookup", "voicemail", "flows"]),
    ("live", &["store", "wire::ari", "wire::ari_events", "live"]),
    ("listen", &["flows::route::rules", "store", "wire::ari", "wire::ari_events", "listen"]),
    ("orders", &["listen", "live", "store", "tap", "orders"]),
    ("live::dialler", &["flows::route", "store", "wire::ari"]),
    // A capability apart: what recordings do to Asterisk, and nothing of the recordings themselves.
    (
        "intercept",
        &[
            "alarm",
            "buffer",
            "live::board",
            "media::wav",
            "store",
            "tap::monitor",
            "tap::subject",
            "wire::ami",
            "intercept",
        ],
    ),
    ("intake", &["config", "wire", "adapters", "flows", "intake"]),
    ("notices", &["alarm", "buffer", "console", "emergency", "post", "records", "store", "notices"]),
    // What looks in from outside reads the rest, and goes through `service` for how things are built.
    (
        "admin",
        &[
            "config",
            "store",
            "emergency",
            "flows",
            "call",
            "adapters::simulator",
            "alarm",
            "media",
            "buffer",
            "console",
            "records",
            "notices",
            "service",
            "cli",
            "wire::ami",
            "listen",
            "orders",
            "admin",
        ],
    ),
    ("service", &["*"]),
    ("cli", &["config", "service", "admin", "store::audit", "store::token"]),
];

#[test]
fn every_module_imports_only_what_the_table_allows() {
    let root = sources();
    let mut faults = Vec::new();
    for file in rust_files(&root) {
        let module = module_of(&root, &file);
        if module == "lib" || module == "main" {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .filter(|(prefix, _)| within(&module, prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .unwrap_or_else(|| panic!("{module} has no row in the table of tests/layers.rs"));
        for import in imports(&file) {
            if !allowed.iter().any(|prefix| *prefix == "*" || within(&import, prefix)) {
                faults.push(format!("{module} imports crate::{import}"));
            }
        }
    }
    assert!(faults.is_empty(), "against the table of the design:\n{}", faults.join("\n"));
}

#[test]
fn sqlx_lives_below_the_store_only() {
    let root = sources();
    let outside: BTreeSet<String> = rust_files(&root)
        .iter()
        .filter(|file| !within(&module_of(&root, file), "store"))
        .filter(|file| code(file).contains("sqlx"))
        .map(|file| module_of(&root, file))
        .collect();
    assert!(outside.is_empty(), "sqlx outside the store: {outside:?}");
}

#[test]
fn an_import_is_found_in_every_way_of_writing_it() {
    let text = "use crate::{call::Call, store};\nuse crate::flows::route;\nlet x = crate::wire::agi::limit();";
    let found: Vec<String> = imports_of(text);
    assert_eq!(found, ["call::Call", "store", "flows::route", "wire::agi::limit"]);
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/src").canonicalize().unwrap()
}

fn within(module: &str, prefix: &str) -> bool {
    module == prefix || module.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

fn module_of(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("::")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The file without comments.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn imports(file: &Path) -> Vec<String> {
    imports_of(&code(file))
}

/// Every path after `crate::`, groups taken apart.
fn imports_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = &group[..group.find("};").unwrap_or(group.len())];
            let mut depth = 0;
            let mut part = String::new();
            for c in group.chars().chain([',']) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(head(part.trim()));
                        part.clear();
                    }
                    c => part.push(c),
                }
            }
        } else {
            found.push(head(rest));
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

fn head(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}
