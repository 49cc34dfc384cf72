//! What operators do with menus: import, draw, check, simulate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod menu_stage;

use lab::{AgentBuilder, SimulatedCall};
use mailbox_stage::wav;
use menu_stage::{MENUS, plan};

fn complaint(plan: &AgentBuilder, arguments: &[&str]) -> String {
    let said = plan.tandem(arguments);
    assert!(!said.status.success(), "{arguments:?} was to fail");
    String::from_utf8_lossy(&said.stderr).into_owned()
}

#[test]
fn a_menu_is_drawn_with_all_that_it_leads_to() {
    let plan = plan(MENUS);
    let text = plan.tandem_ok(&["menu", "show", "main"]);
    assert!(
        text.starts_with("menu main\n├─ says main\n├─ #: hangup\n├─ *: language en\n├─ 0: operator 3902\n"),
        "{text}"
    );
    for line in [
        "├─ 4: menu sub\n│  ├─ says sub\n",
        "│  ├─ 1: says hold, line 3901\n",
        "│  ├─ 9: menu main (see above)\n",
        "│  ├─ wrong keys, 2 times: says wrong, group team\n",
        "│  └─ no key, 2 times: says late, extension 3902\n",
        "├─ 6: number +12145550177, as line 3902\n",
        "└─ 9: says hours, the menu again\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    let shut = plan.tandem_ok(&["menu", "show", "shut"]);
    assert!(shut.contains("outside never ()") && shut.contains("then: mailbox box"), "{shut}");
    let open = plan.tandem_ok(&["menu", "show", "open"]);
    assert!(open.contains("during always (mon tue wed thu fri sat sun 00:00-24:00): line 3901"), "{open}");

    // A drawing is for many eyes: what opens the web server is not.
    plan.sql(
        "INSERT INTO menu_lookups (id, account_id, url, action) VALUES ('crm', 'menus', 'https://user:word@crm.example.com:8443/next?key=k', 'hangup');
         INSERT INTO menu_options (menu_id, digits, action, target) VALUES ('long', '2', 'lookup', 'crm')",
    );
    let long = plan.tandem_ok(&["menu", "show", "long"]);
    assert!(long.contains("2: lookup crm: POST https://crm.example.com:8443/next\n"), "{long}");

    // Names are somebody's text.
    plan.sql("UPDATE menus SET name = '<script>&\"' WHERE id = 'main'");
    let file = plan.folder().join("main.svg");
    plan.tandem_ok(&["menu", "show", "main", "--svg", &file.to_string_lossy()]);
    let drawing = std::fs::read_to_string(file).unwrap();
    let drawing = roxmltree::Document::parse(&drawing).unwrap();
    let of = |name: &str| {
        drawing.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name))).count()
    };
    assert_eq!(drawing.root_element().tag_name().name(), "svg");
    assert_eq!((of("text"), of("path"), of("rect")), (text.lines().count(), text.lines().count() - 1, 3));
    assert!(drawing.descendants().any(|node| node.text().is_some_and(|text| text.contains("<script>&\""))));
    assert_eq!(complaint(&plan, &["menu", "show", "nobody"]), "tandem: there is no menu nobody\n");
}

#[test]
fn what_was_changed_since_is_found() {
    let plan = plan(MENUS);
    assert_eq!(plan.tandem_ok(&["menu", "check"]), "9 menus of 1 accounts: nothing is wrong\n");
    plan.sql("DELETE FROM ring_group_members; DELETE FROM extensions WHERE extension IN ('3902', '60'); DELETE FROM ring_groups; UPDATE menu_conditions SET target = 'gone' WHERE menu_id = 'shut'");
    let faults = complaint(&plan, &["menu", "check", "--account", "menus"]);
    for fault in [
        "account menus: menu main: there is no extension 3902, its operator",
        "account menus: menu main > option 2: there is no ring group team",
        "account menus: menu main > option 4 > menu sub > timeout: there is no extension 3902",
        "account menus: menu shut > condition 1: there is no menu gone",
        "account menus: menu closed: nothing leads there",
    ] {
        assert!(faults.lines().any(|line| line.trim_start_matches("tandem: ") == fault), "{fault} in\n{faults}");
    }
    assert_eq!(plan.tandem_ok(&["menu", "check", "--account", "other"]), "0 menus of 0 accounts: nothing is wrong\n");
}

#[test]
fn a_file_that_does_not_fit_together_is_refused_with_every_path() {
    let plan = plan(MENUS);
    let file = plan.folder().write("bad.toml", &MENUS.replace("group team", "group x").replace("line 3901", "line x"));
    let said = complaint(&plan, &["import", "menus", &file.to_string_lossy()]);
    for fault in [
        "menu main > option 2: there is no ring group x",
        "menu main > option 4 > menu sub > option 1: there is no line x",
    ] {
        assert!(said.contains(fault), "{said}");
    }
    assert!(
        said.contains("nothing was taken") && said.trim_end().ends_with("faults; nothing of the file was taken"),
        "{said}"
    );
    let file = plan.folder().write("worse.toml", "account = \"menus\"\n[menu.main\n");
    assert!(complaint(&plan, &["import", "menus", &file.to_string_lossy()]).contains("line 2"));
    assert!(complaint(&plan, &["import", "menus", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(complaint(&plan, &["menu", "password", "nobody"]).contains("there is no account nobody"));
    assert_eq!(plan.tandem_ok(&["menu", "check"]), "9 menus of 1 accounts: nothing is wrong\n");
}

#[test]
fn a_sound_file_becomes_what_a_prompt_says() {
    let plan = plan(MENUS);
    // 16,000 samples a second, as a studio would not even send it: sox makes 8000 of them.
    let mut sound = wav(440, 2);
    sound[24..28].copy_from_slice(&16_000_u32.to_le_bytes());
    sound[28..32].copy_from_slice(&32_000_u32.to_le_bytes());
    let file = plan.folder().join("tone of the house.wav");
    std::fs::write(&file, sound).unwrap();
    let file = file.to_string_lossy();
    let said = plan.tandem_ok(&["menu", "prompt", "tone", &file]);
    assert!(said.starts_with("prompt tone says ") && said.ends_with(" 1.0 s\n"), "{said}");

    let agent = plan.start();
    let long = || SimulatedCall::new("menu/long/0", "555", Vec::new()).run(agent.agi());
    let played = long();
    let path = played.commands.iter().find_map(|command| command.strip_prefix("STREAM FILE \"/")?.split('"').next());
    let kept = std::fs::read(format!("/{}.wav", path.unwrap())).unwrap();
    assert_eq!((u32::from_le_bytes(kept[24..28].try_into().unwrap()), kept.len() / 1600), (8000, 10));

    let plan = agent.plan();
    assert!(complaint(plan, &["menu", "prompt", "nobody", &file]).contains("there is no prompt nobody"));
    let text = plan.folder().write("text.wav", "This is no sound.");
    assert!(complaint(plan, &["menu", "prompt", "tone", &text.to_string_lossy()]).contains("text.wav: is no WAV"));
    let long_file = plan.folder().join("long.wav");
    std::fs::write(&long_file, wav(440, 301)).unwrap();
    let long_file = long_file.to_string_lossy();
    assert!(complaint(plan, &["menu", "prompt", "tone", &long_file]).contains("301 s long; a prompt has up to 300"));
    assert!(complaint(plan, &["menu", "prompt", "tone", "nowhere.wav"]).contains("nowhere.wav"));
    plan.sql("UPDATE prompts SET text = '' WHERE id = 'tone'");
    assert!(complaint(plan, &["menu", "prompt", "tone", "--erase"]).contains("would say nothing"));
    plan.sql("UPDATE prompts SET text = 'A tone.' WHERE id = 'tone'");
    assert!(plan.tandem_ok(&["menu", "prompt", "tone", "--erase"]).contains("erased"));
    assert!(plan.tandem_ok(&["menu", "prompt", "tone", "--erase"]).contains("nothing was recorded"));
    assert!(!long().heard(path.unwrap()), "it is erased");
}

#[test]
fn a_menu_is_tried_in_the_terminal() {
    let plan = plan(MENUS);
    // Standard input is empty: the caller hangs up at the first key.
    let said = plan.tandem_ok(&["simulate", "menu", "main"]);
    assert!(said.contains("(answered)") && said.contains("plays demo-instruct"), "{said}");
    let said = plan.tandem_ok(&["simulate", "menu", "open"]);
    assert!(said.contains("sets TANDEM_CALL_TARGET=line/3901") && !said.contains("(answered)"), "{said}");
}
