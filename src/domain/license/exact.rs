//! Which known text a whole text is, without the catalog: most license files
//! are one, and need nothing else.
//!
//! Promises: (1) a text is compared word for word with the known texts that
//! have as many words as it, and with no other; (2) of the known texts only
//! those are read that a text was compared with.

use std::sync::OnceLock;

use super::Form;
use super::known::{TEXTS, Text, is_title, title_of};
use super::words::{self, Word};

/// Longest title before a known text, in words.
const TITLE: usize = 16;

/// A known text as its words.
pub(super) struct Spelled {
    /// Each word with a space after it.
    words: String,
    /// Where in `words` the text begins after its title.
    body: usize,
    /// Words a title line of it may consist of, beside the common ones.
    title: Vec<String>,
}

static SPELLED: [OnceLock<Spelled>; TEXTS.len()] = [const { OnceLock::new() }; TEXTS.len()];

/// The words of a text of [`TEXTS`], split the first time they are asked for.
pub(super) fn spelled(index: usize) -> &'static Spelled {
    SPELLED[index].get_or_init(|| Spelled::new(&TEXTS[index]))
}

impl Spelled {
    fn new(text: &Text) -> Spelled {
        let source = text.source();
        let normal = words::normalise(&source);
        let words = words::words(&normal);
        let title = title_of(text.id);
        let heading: &[Word<'_>] = match text.form {
            Form::Text => {
                let lines = words.chunk_by(|a, b| a.line == b.line);
                let titles = lines.take_while(|line| line.iter().all(|word| is_title(word.text, &title)));
                &words[..titles.map(<[Word<'_>]>::len).sum()]
            }
            Form::Notice | Form::Tag | Form::Statement => &[],
        };
        let body = heading.iter().map(|word| word.text.len() + 1).sum();
        let words = words.iter().flat_map(|word| [word.text, " "]).collect();
        Spelled { words, body, title }
    }

    /// The words of its title, where it has one.
    pub(super) fn heading(&self) -> impl Iterator<Item = &str> {
        self.words[..self.body].split_terminator(' ')
    }

    /// The words after the title.
    pub(super) fn body(&self) -> impl Iterator<Item = &str> {
        self.words[self.body..].split_terminator(' ')
    }

    /// Words a title line of it may consist of, beside the common ones.
    pub(super) fn title(&self) -> &[String] {
        &self.title
    }
}

/// Whether a known text begins with these words.
fn begins_with(known: &str, words: &[Word<'_>]) -> bool {
    let mut rest = known;
    words.iter().all(|word| {
        let after = rest.strip_prefix(word.text).and_then(|rest| rest.strip_prefix(' '));
        rest = after.unwrap_or_default();
        after.is_some()
    })
}

/// The known text that the whole text is, a title of one or two lines aside.
pub(super) fn whole(words: &[Word<'_>]) -> Option<&'static Text> {
    let breaks = (1..words.len().min(TITLE)).filter(|at| words[*at].line != words[at - 1].line);
    std::iter::once(0).chain(breaks.take(3)).find_map(|start| {
        let (title, rest) = words.split_at(start);
        let index = exactly(rest)?;
        title.iter().all(|word| is_title(word.text, &spelled(index).title)).then_some(&TEXTS[index])
    })
}

/// The first text of [`TEXTS`] that has these words and no other.
fn exactly(words: &[Word<'_>]) -> Option<usize> {
    (0..TEXTS.len()).find(|index| {
        let (_, [all, body, terms]) = LENGTHS[*index];
        // The number of words is that of one form, so it must also begin there:
        // else a title would make up for words that are cut at the end.
        let is = |length, from: fn(&Spelled) -> usize| {
            words.len() == length && begins_with(&spelled(*index).words[from(spelled(*index))..], words)
        };
        is(all, |_| 0) || is(body, |known| known.body) || is(terms, |known| known.body)
    })
}

/// How many words each known text has: all of it, without its own title, and
/// without the title and what may be absent at its end.
///
/// In the order of [`TEXTS`]; a test tells the right lines when a text changes.
const LENGTHS: [(&str, [usize; 3]); TEXTS.len()] = [
    ("0BSD", [98, 98, 98]),
    ("AFL-3.0", [1618, 1612, 1612]),
    ("AGPL-3.0-only", [5509, 5504, 5149]),
    ("Apache-1.1", [339, 332, 332]),
    ("Apache-2.0", [1570, 1563, 1395]),
    ("Artistic-1.0", [765, 762, 762]),
    ("Artistic-1.0-Perl", [969, 966, 966]),
    ("Artistic-2.0", [1355, 1350, 1350]),
    ("BlueOak-1.0.0", [247, 239, 239]),
    ("BSD-1-Clause", [155, 155, 155]),
    ("BSD-2-Clause", [184, 184, 184]),
    ("BSD-2-Clause-Patent", [371, 371, 371]),
    ("BSD-2-Clause-Views", [218, 218, 218]),
    ("BSD-3-Clause", [214, 214, 214]),
    ("BSD-3-Clause-Attribution", [235, 235, 235]),
    ("BSD-3-Clause-Clear", [241, 237, 237]),
    ("BSD-3-Clause-LBNL", [334, 334, 334]),
    ("BSD-3-Clause-Modification", [234, 234, 234]),
    ("BSD-3-Clause-No-Nuclear-License", [248, 248, 248]),
    ("BSD-3-Clause-Open-MPI", [270, 270, 270]),
    ("BSD-4-Clause", [231, 231, 231]),
    ("BSD-4-Clause-UC", [247, 240, 240]),
    ("BSD-Source-Code", [189, 189, 189]),
    ("BSL-1.0", [214, 214, 214]),
    ("BUSL-1.1", [543, 536, 536]),
    ("CC-BY-3.0", [2948, 2948, 2766]),
    ("CC-BY-4.0", [2515, 2509, 2367]),
    ("CC-BY-NC-4.0", [2599, 2599, 2457]),
    ("CC-BY-NC-SA-4.0", [2800, 2800, 2658]),
    ("CC-BY-ND-4.0", [2483, 2483, 2341]),
    ("CC-BY-SA-3.0", [3351, 3351, 3169]),
    ("CC-BY-SA-4.0", [2713, 2713, 2571]),
    ("CC-PDDC", [253, 253, 253]),
    ("CC0-1.0", [1059, 1059, 1059]),
    ("CDDL-1.0", [2551, 2542, 2542]),
    ("CDDL-1.1", [2695, 2686, 2686]),
    ("CDLA-Permissive-2.0", [364, 356, 356]),
    ("CECILL-2.1", [3495, 3490, 3490]),
    ("curl", [156, 156, 156]),
    ("ECL-2.0", [1694, 1691, 1691]),
    ("EPL-1.0", [1686, 1686, 1686]),
    ("EPL-2.0", [2123, 2123, 2123]),
    ("EUPL-1.2", [2220, 2214, 2214]),
    ("GFDL-1.2-only", [3292, 3288, 3082]),
    ("GFDL-1.3-only", [3701, 3697, 3491]),
    ("GPL-1.0-only", [2038, 2034, 1616]),
    ("GPL-2.0-only", [2943, 2939, 2474]),
    ("GPL-3.0-only", [5614, 5610, 5187]),
    ("HPND", [172, 167, 167]),
    ("ICU", [240, 240, 240]),
    ("ISC", [114, 112, 112]),
    ("JSON", [174, 172, 172]),
    ("LGPL-2.0-only", [4174, 4169, 3830]),
    ("LGPL-2.1-only", [4372, 4367, 4027]),
    ("LGPL-3.0-only", [6829, 6824, 1210]),
    ("Libpng", [621, 621, 621]),
    ("LPPL-1.3c", [2977, 2972, 2972]),
    ("MIT", [165, 163, 163]),
    ("MIT-0", [141, 138, 138]),
    ("MIT-CMU", [176, 174, 174]),
    ("MIT-Modern-Variant", [138, 138, 138]),
    ("MPL-1.1", [3687, 3681, 3429]),
    ("MPL-2.0", [2345, 2339, 2222]),
    ("MS-PL", [404, 399, 399]),
    ("MS-RL", [470, 465, 465]),
    ("NASA-1.3", [2020, 2013, 2013]),
    ("NCSA", [245, 238, 238]),
    ("NIST-PD", [141, 141, 141]),
    ("NIST-PD-fallback", [263, 263, 263]),
    ("NIST-PD-TNT", [91, 91, 91]),
    ("NIST-Software", [291, 291, 291]),
    ("NTP", [94, 91, 91]),
    ("ODbL-1.0", [4060, 4053, 4053]),
    ("ODC-By-1.0", [3214, 3209, 3209]),
    ("OFL-1.1", [632, 628, 628]),
    ("OpenSSL", [777, 775, 775]),
    ("OSL-3.0", [1617, 1610, 1610]),
    ("PDDL-1.0", [2540, 2532, 2532]),
    ("PostgreSQL", [154, 154, 154]),
    ("PSF-2.0", [351, 345, 345]),
    ("Python-2.0", [1413, 1407, 1407]),
    ("Ruby", [324, 324, 324]),
    ("SSPL-1.0", [4744, 4740, 4740]),
    ("Unicode-3.0", [315, 312, 312]),
    ("Unicode-DFS-2016", [375, 375, 375]),
    ("Unlicense", [197, 197, 191]),
    ("UPL-1.0", [289, 281, 281]),
    ("Vim", [756, 754, 754]),
    ("W3C", [408, 403, 403]),
    ("WTFPL", [66, 66, 66]),
    ("X11", [212, 210, 210]),
    ("Zlib", [132, 130, 130]),
    ("zlib-acknowledgement", [141, 141, 141]),
    ("Apache-2.0 WITH LLVM-exception", [143, 143, 143]),
    ("CC0-1.0", [177, 177, 177]),
    ("Apache-2.0", [78, 78, 78]),
    ("MPL-2.0", [32, 32, 32]),
    ("OFL-1.1", [26, 26, 26]),
    ("BSD-3-Clause", [201, 201, 201]),
    ("GPL-2.0-or-later", [99, 99, 99]),
    ("GPL-3.0-or-later", [99, 99, 99]),
    ("GPL-2.0-only", [91, 91, 91]),
    ("GPL-3.0-only", [91, 91, 91]),
    ("LGPL-2.1-or-later", [103, 103, 103]),
    ("LGPL-3.0-or-later", [102, 102, 102]),
    ("AGPL-3.0-or-later", [102, 102, 102]),
];

#[cfg(test)]
mod tests {
    use super::super::known::catalog;
    use super::*;

    #[test]
    fn lengths_are_those_of_the_texts() {
        let mut right = Vec::new();
        let mut written = Vec::new();
        for (index, known) in catalog().known.iter().enumerate() {
            let all = spelled(index).words.split_terminator(' ').count();
            let body = known.words.len();
            let tails = known.absent.iter().filter(|absent| absent.end == body);
            let terms = tails.map(|absent| absent.start).min().unwrap_or(body);
            right.push(format!("({:?}, {:?}),", TEXTS[index].id, [all, body, terms]));
            let (id, lengths) = LENGTHS[index];
            written.push(format!("({id:?}, {lengths:?}),"));
        }
        assert!(right == written, "LENGTHS must be:\n{}", right.join("\n"));
    }

    fn found(text: &str) -> Option<&'static str> {
        let normal = words::normalise(text);
        whole(&words::words(&normal)).map(|text| text.id)
    }

    #[test]
    fn a_text_of_the_same_length_is_another() {
        let mit = TEXTS.iter().find(|text| text.id == "MIT").expect("MIT is known").source();
        assert_eq!(found(&mit), Some("MIT"));
        assert_eq!(found(&format!("The MIT License\n\n{mit}")), Some("MIT"));
        assert_eq!(found(&format!("The Foo License\n\n{mit}")), None);
        assert!(mit.contains("without restriction"));
        assert_eq!(found(&mit.replacen("without restriction", "with restriction", 1)), None);
    }

    #[test]
    fn a_title_does_not_make_up_for_what_is_cut() {
        for (index, text) in TEXTS.iter().enumerate() {
            let all = &spelled(index).words;
            let words: Vec<&str> = all.split_terminator(' ').collect();
            for length in LENGTHS[index].1 {
                let cut = words[..length].join(" ");
                let whole = length == words.len() || LENGTHS[index].1[1] == words.len();
                assert!(whole || found(&cut).is_none(), "{}: {length} words", text.id);
            }
        }
    }
}
