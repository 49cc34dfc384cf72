//! Texts as the sounds of their characters.

/// Keys and letters one by one, by the sounds that Asterisk has for them (`ast_say_character_str_full` of `main/say.c`): its own
/// `digits:` and `characters:` cannot be stopped by a key.
pub(super) fn spelled(text: &str) -> Vec<String> {
    let sound = |c: char| match c {
        '0'..='9' => Some(format!("digits/{c}")),
        '*' => Some("digits/star".to_owned()),
        '#' => Some("digits/pound".to_owned()),
        'a'..='z' | 'A'..='Z' => Some(format!("letters/{}", c.to_ascii_lowercase())),
        '!' => Some("letters/exclaimation-point".to_owned()),
        '@' => Some("letters/at".to_owned()),
        '$' => Some("letters/dollar".to_owned()),
        '-' => Some("letters/dash".to_owned()),
        '.' => Some("letters/dot".to_owned()),
        '=' => Some("letters/equals".to_owned()),
        '+' => Some("letters/plus".to_owned()),
        '/' => Some("letters/slash".to_owned()),
        ' ' => Some("letters/space".to_owned()),
        _ => None,
    };
    text.chars().filter_map(sound).map(|name| format!("sound:{name}")).collect()
}
