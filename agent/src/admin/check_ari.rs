//! Whether calls can come by ARI, where they are to.

use super::check::Finding;
use crate::config::Config;
use crate::service;

/// Finds what is wrong with it; nothing where it is not used.
pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let ari = match service::ari(config) {
        Ok(Some(ari)) => ari,
        Ok(None) => return Vec::new(),
        Err(error) => {
            return vec![Finding::Wrong(format!("ari: {error}"), "mend ari.url".into())];
        }
    };
    let version = match ari.version().await {
        Ok(version) => version,
        Err(error) => {
            return vec![Finding::Wrong(
                format!("ari: {error}"),
                "enable http.conf and ari.conf with the agent's user, its password as ari.password; `asterisk -rx 'module reload res_ari.so'`".into(),
            )];
        }
    };
    let mut findings = vec![Finding::Good(format!("ari: Asterisk {version} lets the agent in"))];
    // What cannot be read now was told just before.
    let global = async |name| ari.global(name).await.unwrap_or_default();
    let (transport, app) = (global("TANDEM_TRANSPORT").await, global("TANDEM_APP").await);
    if transport == "ari" && app != config.ari.app {
        findings.push(Finding::Wrong(
            format!("ari: the dialplan hands calls to the app {app:?}, and ari.app is {:?}", config.ari.app),
            "make them the same: TANDEM_APP in tandem-site.conf, ari.app here".into(),
        ));
    } else if transport == "ari" && global("TANDEM_ARI_WRITES").await != "1" {
        findings.push(Finding::Doubtful(
            "ari: calls are to come by ARI and come by AGI, since the dialplan could not write files after ARI, or no agent has tried".into(),
            "set live_dangerously = yes in asterisk.conf, restart Asterisk, and have the agent run".into(),
        ));
    }
    findings
}
