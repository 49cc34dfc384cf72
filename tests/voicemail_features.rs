//! What Asterisk's app_voicemail and app_directory do, and the test that shows it here. Each test named exists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::fs;
use std::path::Path;

/// A feature of `app_voicemail.c`, `voicemail.conf.sample` or `app_directory.c`, and the test, `file::name`.
const FEATURES: &[(&str, &str)] = &[
    (
        "VoiceMail(): greeting for unavailable, then for busy",
        "mailbox_keys::key_0_1_records_the_unavailable_greeting_and_2_to_3_the_others",
    ),
    ("VoiceMail(): temporary greeting before both", "mailbox_keys::key_0_4_records_and_erases_the_temporary_greeting"),
    (
        "VoiceMail(): recorded name, else the number (invent_message)",
        "voicemail::a_message_is_left_reviewed_and_saved_and_heard",
    ),
    (
        "VoiceMail(): # skips the greeting, 0 the operator",
        "voicemail::key_hash_skips_the_greeting_and_0_asks_for_the_operator",
    ),
    ("VoiceMail(): * to the login (extension a)", "voicemail::key_star_leads_to_the_login_of_the_mailbox"),
    (
        "VoiceMail(): several mailboxes",
        "voicemail_hangups::what_a_killed_agent_leaves_of_a_recording_becomes_a_message",
    ),
    ("VMSTATUS: SUCCESS, USEREXIT, FAILED", "voicemail::a_full_mailbox_says_so"),
    ("g(): gain", "voicemail::messages_are_made_louder_where_that_is_wanted"),
    ("U: urgent; review keys 1 to 4", "voicemail::key_3_records_again_and_key_4_is_urgent"),
    ("review=no", "voicemail::without_review_hash_ends_and_keeps"),
    (
        "operator=yes: 0 while recording and in the review",
        "voicemail::the_operator_may_be_asked_for_after_recording_with_or_without_keeping",
    ),
    ("maxmsg", "voicemail::a_full_mailbox_says_so"),
    ("maxsecs", "voicemail::the_longest_message_is_cut_and_kept"),
    ("minsecs", "voicemail::what_is_too_short_is_not_kept"),
    ("maxsilence, silencethreshold", "voicemail::silence_ends_a_message_and_silence_alone_is_none"),
    (
        "a hangup keeps a message",
        "voicemail_hangups::a_message_is_kept_from_the_first_recording_on_wherever_the_caller_hangs_up",
    ),
    (
        "VoiceMailMain(mailbox), s: no password from an own line",
        "mailbox_security::only_a_mailbox_that_allows_it_is_entered_without_a_password",
    ),
    (
        "VoiceMailMain(): mailbox and password, maxlogins",
        "mailbox_security::guesses_over_two_nodes_lock_the_mailbox_and_a_lock_ends",
    ),
    ("vm_intro: urgent, new and old messages", "mailbox_keys::the_number_of_messages_is_told"),
    ("only old messages: begins there", "mailbox_keys::a_mailbox_with_old_messages_only_begins_there"),
    ("1", "mailbox_keys::key_1_plays_the_first_message"),
    ("2: folders", "mailbox_keys::key_2_changes_the_folder"),
    ("3 1: reply", "mailbox_keys::key_3_1_replies_to_the_mailbox_of_the_caller"),
    (
        "3 2, 3 4: callback, dialout",
        "mailbox_keys::key_3_2_calls_back_and_key_3_4_dials_out_with_the_permissions_of_a_line",
    ),
    ("3 3: envelope, saycid, sayduration, tz", "mailbox_keys::key_3_3_tells_the_envelope"),
    ("3 5: sendvoicemail, several mailboxes", "mailbox_keys::key_3_5_sends_a_message_to_several"),
    ("3 *", "mailbox_keys::key_3_star_goes_back"),
    ("4, 6, over urgent and new messages", "mailbox_keys::key_6_goes_to_the_next_message_and_key_4_back"),
    ("urgent messages first", "mailbox_keys::urgent_messages_come_first"),
    ("5", "mailbox_keys::key_5_plays_it_again"),
    ("7", "mailbox_keys::key_7_deletes_and_undeletes_and_both_hold_on_leaving"),
    ("8: forward by number", "mailbox_keys::key_8_forwards_by_number"),
    ("8: forward by directory (usedirectory)", "mailbox_keys::key_8_forwards_by_name"),
    ("8: with a comment (prepend)", "mailbox_keys::key_8_forwards_with_a_comment_in_front"),
    ("9", "mailbox_keys::key_9_saves_to_a_folder"),
    ("0 1, 0 2, 0 3", "mailbox_keys::key_0_1_records_the_unavailable_greeting_and_2_to_3_the_others"),
    ("0 4", "mailbox_keys::key_0_4_records_and_erases_the_temporary_greeting"),
    ("tempgreetwarn", "mailbox_keys::key_0_4_records_and_erases_the_temporary_greeting"),
    ("0 5; minpassword, externpasscheck", "mailbox_keys::key_0_5_changes_the_password"),
    ("* and #", "mailbox_keys::key_star_helps_and_wrong_keys_and_silence_end_well"),
    (
        "while playing: #, *, 0, 2; skipms",
        "mailbox_keys::while_playing_hash_star_0_and_2_go_forward_back_pause_and_begin_anew",
    ),
    ("forcename, forcegreetings", "mailbox_keys::a_first_login_is_led_through_password_name_and_greetings"),
    ("maxgreet; an owner's hangup discards a greeting", "mailbox_keys::an_owners_hangup_discards_a_greeting"),
    ("hidefromdir", "directory_keys::nobody_is_told_so_three_times"),
    ("Directory(): one at a time, 1", "directory_keys::one_at_a_time_key_1_takes_who_is_told_by_the_recorded_name"),
    (
        "Directory(): *, and a name that was not recorded",
        "directory_keys::key_star_goes_to_the_next_whose_name_is_spoken",
    ),
    ("Directory(): #", "directory_keys::key_hash_leaves_an_offer"),
    ("Directory(): 0, extension o", "directory_keys::key_0_is_the_operator"),
    ("Directory(): *, extension a: leaves", "directory_keys::keys_hash_and_star_leave_the_question"),
    ("Directory(): e, l", "directory_keys::by_last_name_with_the_extension"),
    ("Directory(): f", "directory_keys::by_first_name_in_its_language"),
    ("Directory(): b, number of letters", "directory_keys::by_one_letter"),
    ("Directory(): m", "directory_keys::a_menus_keys_1_to_8_take"),
    ("Directory(): m, 9", "directory_keys::a_menus_key_9_goes_on_to_more"),
    (
        "Directory(): p, n: not taken; keys wait for nobody, and the call is answered",
        "directory_keys::fewer_letters_end_with_hash_or_by_themselves",
    ),
    ("DIRECTORY_RESULT", "directory_paths::every_path_has_its_own_end"),
    (
        "attach, pager, emailsubject, emailbody, pagersubject, pagerbody, fromstring, serveremail",
        "voicemail_mail::a_message_goes_out_once_by_every_way_when_its_server_is_back",
    ),
    ("delete=yes", "voicemail_mail::templates_are_the_accounts_own_and_a_message_may_go_with_its_mail"),
    ("externnotify: a webhook", "voicemail_mail::a_message_goes_out_once_by_every_way_when_its_server_is_back"),
    (
        "message waiting, pollmailboxes",
        "lamps::lamps_show_what_is_in_the_mailbox_on_every_node_and_after_everything_was_gone",
    ),
    ("format", "voicemail::a_message_is_left_reviewed_and_saved_and_heard"),
    ("ODBC and IMAP storage: any node", "voicemail::left_on_one_node_and_heard_on_another"),
    (
        "VMCOUNT, voicemail show users",
        "mailbox_operator::mailboxes_are_listed_moved_and_exported_and_come_back_as_they_were",
    ),
    (
        "imapreadonly and friends: not taken, there is one store",
        "voicemail_faults::audio_in_s3_is_kept_until_the_server_is_back_and_removed_with_its_message",
    ),
];

#[test]
fn every_feature_names_a_test_that_there_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (feature, test) in FEATURES {
        let (file, name) = test.split_once("::").unwrap();
        let text =
            fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {name}()")), "{feature}: there is no test {test}");
    }
}
