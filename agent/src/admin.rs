//! What operators use beside calls: the HTTP surface and the commands that look, explain and import.

pub mod app_voicemail;
pub mod audit;
pub mod calls;
pub mod check;
mod check_ari;
mod check_directory;
mod check_menu;
mod check_voicemail;
mod client;
pub mod explain;
pub mod fallback;
pub mod http;
pub mod import;
pub mod intercept;
pub mod listen;
pub mod mailbox;
pub mod mailbox_import;
pub mod menu;
pub mod menu_drawing;
mod menu_prompt;
pub mod record;
pub mod recordings;
pub mod records;
pub mod simulate;
pub mod status;
pub mod token;
