//! `tandem menu`: what operators see of menus; and `tandem import menus`.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::{mailbox, menu_drawing, menu_prompt};
use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::asking::Asking;
use crate::store::password;

/// An operator has more patience than a caller.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command.
///
/// # Errors
/// Why nothing came of it, or what is wrong with menus.
pub async fn run(config: &Config, command: &cli::MenuCommand) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let text = match command {
        cli::MenuCommand::Show { menu, svg } => show(&store, menu, svg.as_deref()).await?,
        cli::MenuCommand::Check { account } => check(&store, account.as_deref()).await?,
        cli::MenuCommand::Prompt { prompt, file, erase: _ } => {
            menu_prompt::run(config, &store, prompt, file.as_deref()).await?
        }
        cli::MenuCommand::Password { account, stdin } => password(config, &store, account, *stdin).await?,
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

pub(super) fn asking() -> Asking {
    Asking::until(Instant::now() + PATIENCE)
}

/// Takes a file of menus; `-` is standard input. How many there are.
///
/// # Errors
/// What is wrong with it.
pub async fn import(store: &Store, path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    let tree = store.import_menus(&text, &mut asking()).await;
    let tree = tree.map_err(|error| format!("{}: nothing was taken\n{error}", path.display()))?;
    Ok(format!(
        "{} menus, {} prompts, {} schedules and {} lookups taken for account {}\n",
        tree.menus.len(),
        tree.announcements.len(),
        tree.schedules.len(),
        tree.lookups.len(),
        tree.account_id
    ))
}

/// A menu with all that it leads to.
async fn show(store: &Store, id: &str, svg: Option<&Path>) -> Result<String, String> {
    let missing = || format!("there is no menu {id}");
    let loaded = store.menu(id, &mut asking()).await.map_err(|error| error.to_string())?.ok_or_else(missing)?;
    let tree = store.menu_tree(&loaded.account_id, &mut asking()).await.map_err(|error| error.to_string())?;
    let branch = menu_drawing::branch(&tree, id).ok_or_else(missing)?;
    match svg {
        Some(file) => {
            std::fs::write(file, branch.svg()).map_err(|error| format!("{}: {error}", file.display()))?;
            Ok(String::new())
        }
        None => Ok(branch.text()),
    }
}

/// What is wrong with the menus that are in the database.
async fn check(store: &Store, account: Option<&str>) -> Result<String, String> {
    let Checked { menus, accounts, faults } = checked(store, account).await?;
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    Ok(format!("{menus} menus of {accounts} accounts: nothing is wrong\n"))
}

/// What was looked at, and what is wrong.
pub(super) struct Checked {
    menus: usize,
    accounts: usize,
    pub faults: Vec<String>,
}

/// Looks at the menus of all accounts, or of one.
pub(super) async fn checked(store: &Store, account: Option<&str>) -> Result<Checked, String> {
    let owners = store.menu_accounts().await.map_err(|error| error.to_string())?;
    let mut accounts: Vec<&str> = owners.values().map(String::as_str).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts.retain(|id| account.is_none_or(|account| account == *id));
    let mut faults = Vec::new();
    for id in &accounts {
        let tree = store.menu_tree(id, &mut asking()).await.map_err(|error| error.to_string())?;
        let around = store.menu_surroundings(id).await.map_err(|error| error.to_string())?;
        faults.extend(tree.faults(&around).into_iter().map(|fault| format!("account {id}: {fault}")));
    }
    let menus = owners.values().filter(|owner| accounts.contains(&owner.as_str())).count();
    Ok(Checked { menus, accounts: accounts.len(), faults })
}

/// A new password for recording an account's prompts by phone: typed in, or made up.
async fn password(config: &Config, store: &Store, account_id: &str, stdin: bool) -> Result<String, String> {
    let known = store.has_account(account_id).await.map_err(|error| error.to_string())?;
    if !known {
        return Err(format!("there is no account {account_id}"));
    }
    let new = mailbox::new_password("", config.voicemail.password_digits, stdin)?;
    let hash = password::hash(&new).ok_or("the password cannot be hashed")?;
    let by = Instant::now() + PATIENCE;
    store.set_prompt_password(account_id, &hash, by).await.map_err(|error| error.to_string())?;
    Ok(if stdin {
        format!("account {account_id} has the new password for recording prompts\n")
    } else {
        format!("the password for recording prompts of account {account_id} is {new}\n")
    })
}
