//! Who is asked before a call is connected, on real phones: callers for their names, lines whether they take them; and lines that are looked for at other numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::time::Duration;

use lab::wait_until;
use transfer_stage::{Plan, SOON, Stage};

fn stage() -> &'static Stage {
    static STAGES: mailbox_stage::Stages<Stage> = mailbox_stage::Stages::new();
    STAGES.get(|transport| {
        Plan::new()
            .handsets(&["2501", "2502", "2503", "2504", "2511", "2512", "2513", "2514", "2521", "2522"])
            .carriers(&["in-1", "in-2", "in-3", "in-4", "in-5", "in-6"])
            .set("media.speech", "false")
            // Prompts are brief here.
            .global("TANDEM_PROMPT_NOBODY", &["vm-nobodyavail"; 8].join("&"))
            .sql(
                "INSERT INTO line_features (line_id, screening)
                    VALUES ('2501', TRUE), ('2502', TRUE), ('2503', TRUE), ('2504', TRUE);
                 INSERT INTO line_features (line_id, find_me) VALUES ('2511', 'together'), ('2513', 'together');
                 INSERT INTO find_me_numbers (line_id, position, number) VALUES ('2511', 1, '2512'), ('2513', 1, '2514');",
            )
            .by(transport)
            .start()
    })
}

impl Stage {
    /// How the conversations about a caller's name ended.
    fn introductions(&self, carrier: &str) -> Vec<String> {
        let log = self.agent.lock().unwrap().log();
        let of = format!("from=\"gateway {carrier}\"");
        let about = log.lines().filter(|line| line.contains("flow=\"introduction\"") && line.contains(&of));
        about.filter_map(|line| Some(line.split("outcome=\"").nth(1)?.split('"').next()?.to_owned())).collect()
    }
}

conversations! {
    fn a_caller_from_outside_says_a_name_which_the_line_hears_before_it_takes_the_call() {
        let stage = stage();
        let (mut carrier, mut line) = (stage.phone("in-1"), stage.phone("2501"));
        let placed = carrier.start_call(stage.asterisk.address(), "12145552501");
        let outside = carrier.finish_call(placed).0.expect("the name is asked for");
        carrier.voice().tone(620, Duration::from_secs(3));
        carrier.voice().press("#");
        let rings = line.wait_call();
        assert_eq!(stage.introductions("in-1"), ["introduced"]);
        let taken = line.answer(rings);
        wait_until("the name", SOON, || line.voice().heard_tone(620) > Duration::from_millis(500));
        line.voice().press("1");
        stage.wait_bridged("2501");
        stage.wait_heard(&carrier, &line);
        line.hang_up(taken);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2501", 1), ["line 2501 ANSWER by in-1"]);
    }

    fn of_a_caller_who_says_nothing_the_number_is_told_and_the_line_may_decline() {
        let stage = stage();
        let (mut carrier, mut line) = (stage.phone("in-2"), stage.phone("2502"));
        let placed = carrier.start_call(stage.asterisk.address(), "12145552502");
        let outside = carrier.finish_call(placed).0.expect("the name is asked for");
        let rings = line.wait_call();
        assert_eq!(stage.introductions("in-2"), ["unnamed"]);
        let taken = line.answer(rings);
        wait_until("who calls", SOON, || line.voice().heard_sound() > Duration::from_millis(300));
        line.voice().press("2");
        line.wait_end(&taken);
        let before = carrier.voice().heard_sound();
        wait_until("that nobody is there", SOON, || carrier.voice().heard_sound() > before + Duration::from_millis(300));
        carrier.wait_end(&outside);
        stage.wait_reasons("2502", &[""]);
    }

    fn a_caller_who_gives_up_while_a_name_is_asked_for_rings_nobody() {
        let stage = stage();
        let (mut carrier, mut line) = (stage.phone("in-3"), stage.phone("2503"));
        let placed = carrier.start_call(stage.asterisk.address(), "12145552503");
        let outside = carrier.finish_call(placed).0.expect("the name is asked for");
        carrier.voice().tone(620, Duration::from_secs(1));
        carrier.hang_up(outside);
        wait_until("the end of the question", SOON, || stage.introductions("in-3") == ["hangup"]);
        assert!(!line.rings_within(Duration::from_millis(200)));
    }

    fn a_line_that_takes_a_caller_who_gave_up_is_free_again() {
        let stage = stage();
        // By a line of the account, whose name is not asked for.
        let (mut caller, mut line) = (stage.phone("2521"), stage.phone("2504"));
        let placed = caller.start_call(stage.asterisk.address(), "2504");
        let rings = line.wait_call();
        let placed = caller.early(placed);
        let taken = line.answer(rings);
        wait_until("who calls", SOON, || line.voice().heard_sound() > Duration::from_millis(100));
        caller.hang_up(placed);
        line.voice().press("1");
        line.wait_end(&taken);
    }

    fn where_somebody_is_found_the_other_phones_stop_ringing() {
        let stage = stage();
        let (mut caller, mut own, mut other) = (stage.phone("in-4"), stage.phone("2511"), stage.phone("2512"));
        let placed = caller.start_call(stage.asterisk.address(), "12145552511");
        let (rings, found) = (own.wait_call(), other.wait_call());
        let found = other.answer(found);
        let outside = caller.finish_call(placed).0.expect("somebody was found");
        own.wait_given_up(&rings);
        stage.wait_heard(&caller, &other);
        other.hang_up(found);
        caller.wait_end(&outside);
        let mut story = stage.story("2511", 2);
        story.sort();
        assert_eq!(story, ["find-me 2511 ANSWER by in-4", "line 2512 ANSWER by 2511"]);
    }

    fn a_caller_who_gives_up_while_a_line_is_looked_for_leaves_no_phone_ringing() {
        let stage = stage();
        let (mut caller, mut own, mut other) = (stage.phone("in-5"), stage.phone("2513"), stage.phone("2514"));
        let placed = caller.start_call(stage.asterisk.address(), "12145552513");
        let (one, two) = (own.wait_call(), other.wait_call());
        let placed = caller.early(placed);
        caller.hang_up(placed);
        own.wait_given_up(&one);
        other.wait_given_up(&two);
        let mut story = stage.story("2513", 2);
        story.sort();
        assert_eq!(story, ["find-me 2513 CANCEL by in-5", "line 2514 CANCEL by 2513"]);
    }
}
