//! A real Asterisk with the project's own dialplan.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::installation::Installation;
use crate::process::{run, server};
use crate::{Address, CallRecord, Folder, Process, wait_until};

/// What the agent's `asterisk.manager_secret` is.
const MANAGER_SECRET: &str = "laboratory";
/// What its `ari.password` is.
const ARI_PASSWORD: &str = "restful";

/// The shortest that Asterisk takes without a complaint.
const INDICATIONS: &str = "\
[general]
country = us
[us]
description = United States
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
";

/// Where finished calls are written, by `cdr_custom.conf` and by the dialplan.
const RECORDS: &str = "log/cdr-custom/tandem.csv";
/// Where emergency calls are written for the notices.
const NOTICES: &str = "log/cdr-custom/tandem-emergency.csv";

/// Asterisk on port 5060 of its own address, with the files of `dialplan/asterisk` as they stand; only the two
/// that an operator edits are rendered: `tandem-site.conf` and `pjsip-site.conf`.
#[derive(Debug)]
pub struct Asterisk {
    process: Process,
    address: Address,
    folder: Folder,
    installation: Installation,
}

/// What an operator would write for the node.
#[derive(Debug, Default)]
pub struct AsteriskBuilder {
    globals: Vec<(String, String)>,
    endpoints: String,
    dialplan: String,
    appended: Vec<(String, String)>,
    brief_prompts: bool,
    careful: bool,
}

impl AsteriskBuilder {
    /// The agent's FastAGI address.
    #[must_use]
    pub fn agent(self, address: SocketAddr) -> Self {
        self.global("TANDEM_AGENT", &address.to_string())
    }

    /// A value of `tandem-site.conf`, which has to be there already.
    #[must_use]
    pub fn global(mut self, name: &str, value: &str) -> Self {
        self.globals.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A line whose phone is at `phone`.
    #[must_use]
    pub fn line(self, id: &str, phone: SocketAddr) -> Self {
        self.line_with(id, phone, "")
    }

    /// As [`AsteriskBuilder::line`], with further settings of its endpoint.
    #[must_use]
    pub fn line_with(mut self, id: &str, phone: SocketAddr, settings: &str) -> Self {
        // An endpoint's settings come first: what follows belongs to its aor.
        let language = if self.brief_prompts { format!("language = {BRIEF}\n") } else { String::new() };
        self.add(id, "tandem-line", &(language + settings));
        self.raw(&format!("[{id}]\ntype = aor\ncontact = sip:{id}@{phone}\n"));
        self.identify(id, phone)
    }

    /// A gateway at `carrier`.
    #[must_use]
    pub fn gateway(self, id: &str, carrier: SocketAddr) -> Self {
        self.gateway_with(id, carrier, "")
    }

    /// As [`AsteriskBuilder::gateway`], with further settings of its aor, such as `qualify_frequency = 0`.
    #[must_use]
    pub fn gateway_with(mut self, id: &str, carrier: SocketAddr, settings: &str) -> Self {
        self.add(id, "tandem-gateway", "");
        self.raw(&format!("[{id}](tandem-gateway-aor)\ncontact = sip:{carrier}\n{settings}\n"));
        self.identify(id, carrier)
    }

    /// A gateway at `carrier` that takes the caller's location; it is not pinged.
    #[must_use]
    pub fn gateway_with_location(mut self, id: &str, carrier: SocketAddr) -> Self {
        self.add(id, "tandem-gateway,tandem-gateway-location", "");
        self.raw(&format!("[{id}](tandem-gateway-aor)\ncontact = sip:{carrier}\nqualify_frequency = 0\n"));
        self.identify(id, carrier)
    }

    /// An edge at `edge`, whose `X-Tandem-` headers are believed.
    #[must_use]
    pub fn edge(mut self, id: &str, edge: SocketAddr) -> Self {
        self.raw(&format!("[{id}](tandem-edge)\n"));
        self.identify(id, edge)
    }

    /// Further dialplan, beside the project's.
    #[must_use]
    pub fn dialplan(mut self, text: &str) -> Self {
        self.dialplan.push_str(text);
        self
    }

    /// Lines hear the first fifth of a second of every prompt, so that a conversation of many takes no longer than its keys.
    #[must_use]
    pub fn brief_prompts(mut self) -> Self {
        self.brief_prompts = true;
        self
    }

    /// Asterisk keeps its protection against dangerous functions, with which no call may come by ARI.
    #[must_use]
    pub fn careful(mut self) -> Self {
        self.careful = true;
        self
    }

    /// Further text of `pjsip-site.conf`.
    #[must_use]
    pub fn pjsip(mut self, text: &str) -> Self {
        self.raw(text);
        self
    }

    /// Further text at the end of one of its files, such as `cdr_custom.conf`.
    #[must_use]
    pub fn append(mut self, file: &str, text: &str) -> Self {
        self.appended.push((file.to_owned(), text.to_owned()));
        self
    }

    /// Starts it and waits until it takes calls.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(self) -> Asterisk {
        let folder = Folder::new("asterisk");
        let address = Address::claim();
        let mut installation = Installation::find();
        if self.brief_prompts {
            installation.data = brief_data(&folder, &installation.data);
        }
        self.render(&folder, &address, &installation);
        let process = launch(&folder, &installation);
        Asterisk { process, address, folder, installation }
    }

    fn add(&mut self, id: &str, template: &str, settings: &str) {
        self.raw(&format!("[{id}]({template})\naors = {id}\n{settings}\n"));
    }

    fn identify(mut self, id: &str, peer: SocketAddr) -> Self {
        self.raw(&format!("[{id}-address]\ntype = identify\nendpoint = {id}\nmatch = {}\n", peer.ip()));
        self
    }

    fn raw(&mut self, text: &str) {
        self.endpoints.push_str(text);
        self.endpoints.push('\n');
    }

    fn render(&self, folder: &Folder, address: &Address, installation: &Installation) {
        for name in
            ["etc", "lib", "db", "spool", "spool/recording", "spool/recording/tandem", "run", "log", "log/cdr-custom"]
        {
            folder.folder(name);
        }
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dialplan/asterisk");
        let files = fs::read_dir(&project).unwrap_or_else(|error| panic!("{}: {error}", project.display()));
        for file in files.flatten() {
            let text = fs::read_to_string(file.path()).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            folder.write(&format!("etc/{}", file.file_name().to_string_lossy()), &text);
        }
        // Every Asterisk package brings these; empty, they mean the defaults.
        for name in ["acl", "ccss", "cel", "pjproject", "udptl"] {
            folder.write(&format!("etc/{name}.conf"), "");
        }
        folder.write("etc/indications.conf", INDICATIONS);
        folder.write("etc/manager.conf", &manager(address));
        enable(folder, "etc/http.conf", &format!("bindaddr = {address}\n"));
        let user = format!("[tandem]\ntype = user\npassword = {ARI_PASSWORD}\n");
        enable(folder, "etc/ari.conf", "");
        folder.write("etc/ari.conf", &(folder.read("etc/ari.conf") + &user));
        let files = [("TANDEM_RECORDS", RECORDS), ("TANDEM_NOTICES", NOTICES)]
            .map(|(name, file)| (name.to_owned(), folder.join(file).display().to_string()));
        let site = self.site(&folder.read("etc/tandem-site.conf"), &files);
        folder.write("etc/tandem-site.conf", &(site + &self.dialplan));
        let transport = format!("[udp]\ntype = transport\nprotocol = udp\nbind = {address}:5060\n\n");
        folder.write("etc/pjsip-site.conf", &(transport + &self.endpoints));
        for (file, text) in &self.appended {
            let file = format!("etc/{file}");
            folder.write(&file, &(folder.read(&file) + text));
        }
        // Calls by ARI need it (dialplan/README.md).
        let by_ari =
            !self.careful && self.globals.iter().any(|(name, value)| name == "TANDEM_TRANSPORT" && value == "ari");
        let dangerously = if by_ari { "live_dangerously = yes\n" } else { "" };
        folder.write("etc/asterisk.conf", &(asterisk_conf(folder.path(), installation) + dangerously));
    }

    /// The project's `tandem-site.conf` with the values of this node.
    fn site(&self, text: &str, files: &[(String, String)]) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (name, value) in self.globals.iter().chain(files) {
            let is_it = |line: &&mut String| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
            let line = lines.iter_mut().find(is_it).unwrap_or_else(|| panic!("tandem-site.conf has no {name}"));
            *line = format!("{name} = {value}");
        }
        lines.join("\n") + "\n"
    }
}

impl Asterisk {
    /// A node with no lines and gateways yet.
    #[must_use]
    pub fn builder() -> AsteriskBuilder {
        AsteriskBuilder::default()
    }

    /// Where it takes SIP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5060)
    }

    /// Where its manager interface is, and the agent's password there.
    #[must_use]
    pub fn manager(&self) -> (SocketAddr, &'static str) {
        (self.address.port(5038), MANAGER_SECRET)
    }

    /// Where its REST interface is, and the agent's password there.
    #[must_use]
    pub fn ari(&self) -> (String, &'static str) {
        (format!("http://{}/ari", self.address.port(8088)), ARI_PASSWORD)
    }

    /// Where its REST interface records.
    #[must_use]
    pub fn recordings(&self) -> PathBuf {
        self.folder.join("spool/recording")
    }

    /// Its own IP address.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        self.address.ip()
    }

    /// Runs a command of Asterisk's command line and returns what it prints.
    ///
    /// # Panics
    /// When Asterisk does not run.
    pub fn command(&self, command: &str) -> String {
        run(&mut remote(&self.folder, &self.installation, command))
    }

    /// What an operator would type before `-rx COMMAND`; the agent's `asterisk.command`.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        let configuration = self.folder.join("etc/asterisk.conf");
        [self.installation.program.as_path(), Path::new("-C"), &configuration]
            .map(|word| word.display().to_string())
            .into()
    }

    /// What it logged at levels NOTICE, WARNING and ERROR.
    #[must_use]
    pub fn log(&self) -> String {
        self.folder.read("log/messages.log")
    }

    /// The logged lines that an operator would have to look at.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let said = self.log() + &self.folder.read("console");
        // Of calls by ARI: what live_dangerously is told, and that a caller hung up during a prompt.
        let expected = ["Privilege escalation protection disabled", "Playback failed for sound:"];
        let said = said.lines().filter(|line| !expected.iter().any(|text| line.contains(text)));
        said.filter(|line| line.contains("WARNING") || line.contains("ERROR")).map(str::to_owned).collect()
    }

    /// Path of the file that finished calls are appended to.
    #[must_use]
    pub fn record_file(&self) -> PathBuf {
        self.folder.join(RECORDS)
    }

    /// Path of the file that emergency calls are appended to.
    #[must_use]
    pub fn notice_file(&self) -> PathBuf {
        self.folder.join(NOTICES)
    }

    /// The finished calls so far.
    #[must_use]
    pub fn records(&self) -> Vec<CallRecord> {
        CallRecord::parse(&self.folder.read(RECORDS))
    }

    /// Waits until `count` calls are finished, and returns the `count`th.
    ///
    /// A call that tried several routes leaves a record for each; only the last of them, which tells the caller, counts here.
    ///
    /// # Panics
    /// When they do not finish within 10 s.
    #[must_use]
    pub fn wait_call(&self, count: usize) -> CallRecord {
        let calls = || self.records().into_iter().filter(CallRecord::is_whole);
        wait_until(&format!("{count} finished calls"), Duration::from_secs(10), || calls().count() >= count);
        calls().nth(count - 1).expect("counted just now")
    }

    /// Calls that stand at this moment.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.command("core show channels concise").lines().filter(|line| line.contains('!')).count()
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `kill -9`, and starts it again on the same address.
    pub fn crash(&mut self) {
        self.process.kill();
        self.process = launch(&self.folder, &self.installation);
    }

    /// Ends it (its calls too) and starts it again on the same address.
    pub fn restart(&mut self) {
        self.process.stop(Duration::from_secs(5));
        self.process = launch(&self.folder, &self.installation);
    }
}

/// The language of the brief prompts.
const BRIEF: &str = "brief";

/// Asterisk's data with one more language, in which every prompt of its English is cut off after ten frames of GSM (RFC 3551, 4.5.8.1).
fn brief_data(folder: &Folder, data: &Path) -> PathBuf {
    let own = folder.folder("data");
    let link = |from: &Path, to: &Path| std::os::unix::fs::symlink(from, to).expect("a fresh folder takes links");
    for entry in fs::read_dir(data).expect("Asterisk has data").flatten() {
        if entry.file_name() != "sounds" {
            link(&entry.path(), &own.join(entry.file_name()));
        }
    }
    let sounds = folder.folder("data/sounds");
    for entry in fs::read_dir(data.join("sounds")).expect("Asterisk has sounds").flatten() {
        link(&entry.path(), &sounds.join(entry.file_name()));
    }
    cut(&data.join("sounds/en"), &sounds.join(BRIEF));
    own
}

fn cut(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a fresh folder takes folders");
    for entry in fs::read_dir(from).expect("Asterisk has English prompts").flatten() {
        let (path, cut_to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            cut(&path, &cut_to);
        } else if path.extension().is_some_and(|extension| extension == "gsm") {
            let mut prompt = fs::read(&path).expect("prompts can be read");
            prompt.truncate(330);
            fs::write(cut_to, prompt).expect("a fresh folder takes files");
        }
    }
}

/// As an operator would enable it.
fn manager(address: &Address) -> String {
    format!(
        "[general]\nenabled = yes\nbindaddr = {address}\nport = 5038\ndisplayconnects = no\n\n[tandem]\nsecret = {MANAGER_SECRET}\n\
         deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.0/255.0.0.0\nread = system\nwrite = originate,system\n"
    )
}

/// A file as an operator would enable it, with `settings` instead of those shipped.
fn enable(folder: &Folder, file: &str, settings: &str) {
    let text = folder.read(file).replace("enabled = no\n", &format!("enabled = yes\n{settings}"));
    let keeps = |line: &&str| settings.is_empty() || *line != "bindaddr = 127.0.0.1";
    folder.write(file, &(text.lines().filter(keeps).collect::<Vec<_>>().join("\n") + "\n"));
}

fn launch(folder: &Folder, installation: &Installation) -> Process {
    let mut command = server(&installation.program);
    command.arg("-f").arg("-C").arg(folder.join("etc/asterisk.conf")).env("HOME", folder.path()).current_dir("/");
    let mut process = Process::start("asterisk", command, &folder.join("console"));
    process.wait_ready(Duration::from_secs(30), || {
        let booted = remote(folder, installation, "core waitfullybooted").output();
        booted.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("fully booted"))
    });
    process
}

fn remote(folder: &Folder, installation: &Installation, command: &str) -> Command {
    let mut remote = server(&installation.program);
    remote.arg("-C").arg(folder.join("etc/asterisk.conf")).args(["-rx", command]);
    remote.env("HOME", folder.path()).current_dir("/");
    remote
}

fn asterisk_conf(folder: &Path, installation: &Installation) -> String {
    let mut text = String::from("[directories]\n");
    let own = [
        ("astetcdir", "etc"),
        ("astvarlibdir", "lib"),
        ("astdbdir", "db"),
        ("astkeydir", "lib"),
        ("astagidir", "lib"),
        ("astspooldir", "spool"),
        ("astrundir", "run"),
        ("astlogdir", "log"),
    ];
    for (key, name) in own {
        let _ = writeln!(text, "{key} => {}", folder.join(name).display());
    }
    let _ = writeln!(text, "astmoddir => {}", installation.modules.display());
    let _ = writeln!(text, "astdatadir => {}", installation.data.display());
    text + "[options]\ndocumentation_language = en\n"
}
