//! Names as they are keyed in: the keys of a telephone by the layout of ITU-T E.161, from the beginning of each word of a name on.

use deunicode::deunicode;

/// Keys of a name that are kept: more than anybody presses.
const KEYS: usize = 32;
/// Letters of a name that are kept for its order.
const LETTERS: usize = 64;

/// Which word of a name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first.
    First,
    /// The last.
    Last,
    /// One between them.
    Other,
}

impl Part {
    /// As the database calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::First => "first",
            Part::Last => "last",
            Part::Other => "other",
        }
    }
}

/// A name from the beginning of one of its words on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// Which word it begins with.
    pub part: Part,
    /// The keys, `0` to `9`.
    pub digits: String,
    /// What they stand for, `a` to `z` and `0` to `9`, then what stands before it: the order of `Baker, Alice`.
    pub letters: String,
}

/// Every beginning by which a name is found. Other scripts and accents become Latin letters; spaces and punctuation within a name do not count, but
/// either part of a name with a hyphen is found, too, and each syllable of one that is written without spaces. A name of one word is first and last name;
/// one without a letter or digit is not found at all.
#[must_use]
pub fn spellings(name: &str) -> Vec<Spelling> {
    let words = name.split_whitespace().map(|word| deunicode(word).to_ascii_lowercase());
    let words: Vec<String> = words.filter(|word| word.contains(is_spelled)).collect();
    // The pieces between hyphens, and the syllables that one character stands for, each with the place of its word.
    let pieces: Vec<(usize, String)> = (0..)
        .zip(&words)
        .flat_map(|(place, word)| {
            word.split(['-', ' ']).map(move |piece| (place, piece.replace(|c| !is_spelled(c), "")))
        })
        .filter(|(_, piece)| !piece.is_empty())
        .collect();
    let mut spellings: Vec<Spelling> = Vec::new();
    for (nth, (place, _)) in pieces.iter().enumerate() {
        let (before, after) = pieces.split_at(nth);
        let from_here = || after.iter().flat_map(|(_, piece)| piece.chars());
        let digits: String = from_here().filter_map(key_of).take(KEYS).collect();
        let letters: String =
            from_here().chain(before.iter().flat_map(|(_, piece)| piece.chars())).take(LETTERS).collect();
        let (first, last) = (*place == 0, place + 1 == words.len());
        let parts = [(Part::First, first), (Part::Last, last), (Part::Other, !first && !last)];
        for (part, _) in parts.into_iter().filter(|(_, is)| *is) {
            // Long names may begin alike in more than one place.
            if !spellings.iter().any(|other| other.part == part && other.digits == digits) {
                spellings.push(Spelling { part, digits: digits.clone(), letters: letters.clone() });
            }
        }
    }
    spellings
}

fn is_spelled(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
}

/// The key of a letter in lower case, or of a digit: 7 is PQRS, 9 is WXYZ.
fn key_of(letter: char) -> Option<char> {
    Some(match letter {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        '0'..='9' => letter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> Vec<String> {
        let told = |one: &Spelling| format!("{} {} {}", one.part.name(), one.digits, one.letters);
        spellings(name).iter().map(told).collect()
    }

    #[test]
    fn each_word_begins_a_name() {
        assert_eq!(told("Alice Baker"), ["first 2542322537 alicebaker", "last 22537 bakeralice"]);
        assert_eq!(
            told("Ludwig van Beethoven"),
            [
                "first 583944826233846836 ludwigvanbeethoven",
                "other 826233846836 vanbeethovenludwig",
                "last 233846836 beethovenludwigvan"
            ]
        );
        assert_eq!(told("Cher"), ["first 2437 cher", "last 2437 cher"]);
    }

    #[test]
    fn accents_scripts_and_punctuation_do_not_count() {
        assert_eq!(told("Zoë O'Brien"), ["first 963627436 zoeobrien", "last 627436 obrienzoe"]);
        assert_eq!(told("Łukasz Żółć"), ["first 5852799652 lukaszzolc", "last 9652 zolclukasz"]);
        assert_eq!(told("  Quincy,  ... Squire, Jr. "), told("Quincy Squire Jr"));
        assert_eq!(told("Иван Петров")[1].split(' ').next(), Some("last"));
        assert_eq!(told("3M"), ["first 36 3m", "last 36 3m"]);
        assert_eq!(told(" -- !"), [""; 0]);
    }

    #[test]
    fn a_name_without_spaces_is_one_word_whichever_name_comes_first() {
        assert_eq!(
            told("王小明"),
            [
                "first 926494266464 wangxiaoming",
                "last 926494266464 wangxiaoming",
                "first 94266464 xiaomingwang",
                "last 94266464 xiaomingwang",
                "first 6464 mingwangxiao",
                "last 6464 mingwangxiao"
            ]
        );
    }

    #[test]
    fn either_half_of_a_double_name_is_found() {
        assert_eq!(
            told("Anna Smith-Jones"),
            ["first 26627648456637 annasmithjones", "last 7648456637 smithjonesanna", "last 56637 jonesannasmith"]
        );
    }

    #[test]
    fn what_is_endless_has_an_end() {
        let name = "a ".repeat(50);
        let found = spellings(&name);
        assert!(found.iter().all(|one| one.digits.len() <= KEYS && one.letters.len() <= LETTERS));
        let keys: std::collections::HashSet<_> = found.iter().map(|one| (one.part.name(), &one.digits)).collect();
        assert_eq!(keys.len(), found.len(), "each is there once");
    }
}
