//! What can be wrong with a text before it is anything: [`Fault`]s, which end
//! the reading, and [`Slip`]s, which do not. Each says what to do.

use super::{Id, Limits, Lines, Place, Span};

/// Why a text cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The bytes to look at.
    pub span: Span,
    /// Where they begin.
    pub place: Place,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// More bytes than the limit, which is given.
    TooLarge(usize),
    /// More values than the limit, which is given.
    TooManyValues(usize),
    /// More brackets within brackets than the limit, which is given.
    TooDeep(usize),
    /// Another encoding, which its first bytes give away.
    Utf16,
    /// A byte that is no UTF-8, and the character it is in Windows-1252.
    NotUtf8(u8, char),
    /// Nothing but white space.
    Empty,
    /// The text ends although brackets or quotes are open: the opening one, and
    /// where it is.
    CutOff(char, Place),
    /// A text does not end on its line.
    OpenText,
    /// No such escape: `\x`.
    Escape,
    /// A number as JSON does not write it: `+1`, `.5`, `01`.
    Number,
    /// A text in single or typographic quotes.
    Quote,
    /// A key without quotes.
    BareKey,
    /// A word without quotes, and what to write if it is known: `True`.
    BareWord(Option<&'static str>),
    /// Something else stands where this was to be.
    Expected(&'static str),
    /// A bracket that closes what is not open; the one that is wanted.
    WrongBracket(char),
    /// More text after the end of the value.
    AfterTheEnd,
}

impl FaultKind {
    /// What is wrong, in a few words.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            FaultKind::TooLarge(limit) => format!("the file is larger than {}", size(*limit)),
            FaultKind::TooManyValues(limit) => format!("the file holds more than {limit} values"),
            FaultKind::TooDeep(limit) => format!("brackets are nested more than {limit} deep"),
            FaultKind::Utf16 => "the file is UTF-16, not UTF-8".into(),
            FaultKind::NotUtf8(byte, _) => format!("byte 0x{byte:02X} is not UTF-8"),
            FaultKind::Empty => "the file is empty".into(),
            FaultKind::CutOff('"', _) => "the file ends within a text".into(),
            FaultKind::CutOff(..) => "the file ends too early".into(),
            FaultKind::OpenText => "this text does not end on its line".into(),
            FaultKind::Escape => "JSON knows no such escape".into(),
            FaultKind::Number => "JSON does not write numbers like this".into(),
            FaultKind::Quote => "JSON texts stand in straight double quotes".into(),
            FaultKind::BareKey => "this key has no quotes".into(),
            FaultKind::BareWord(_) => "this word has no quotes".into(),
            FaultKind::Expected(what) => format!("{what} is missing here"),
            FaultKind::WrongBracket(_) => "this bracket closes nothing".into(),
            FaultKind::AfterTheEnd => "there is more text after the end".into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            FaultKind::TooLarge(_) | FaultKind::TooManyValues(_) => {
                "Split the inventory by organization.".into()
            }
            FaultKind::TooDeep(_) => "No published schema needs more than six levels.".into(),
            FaultKind::Utf16 => "Save the file as UTF-8.".into(),
            FaultKind::NotUtf8(_, character) if character.is_control() => "Save the file as UTF-8.".into(),
            FaultKind::NotUtf8(_, character) => {
                format!("Save the file as UTF-8; in Windows-1252 this would be “{character}”.")
            }
            FaultKind::Empty => "Write an object in braces.".into(),
            FaultKind::CutOff(bracket, place) => {
                format!("The {bracket} of line {}, column {} is never closed.", place.line, place.column)
            }
            FaultKind::OpenText => "Close the quotes; write a line break in a text as \\n.".into(),
            FaultKind::Escape => {
                "Write a backslash twice; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX.".into()
            }
            FaultKind::Number => "Write digits, as 12, -3 or 0.5; or put it in quotes.".into(),
            FaultKind::Quote => "Replace the quotes by \".".into(),
            FaultKind::BareKey => "Put the key in double quotes.".into(),
            FaultKind::BareWord(Some(word)) => format!("Write {word}."),
            FaultKind::BareWord(None) => "Put the word in double quotes.".into(),
            FaultKind::Expected(what) => format!("Write {what}."),
            FaultKind::WrongBracket(wanted) => format!("Close with {wanted} first."),
            FaultKind::AfterTheEnd => "Remove it, or put both values in a list.".into(),
        }
    }
}

/// Something JSON forbids, or nobody should write, after which the rest can
/// still be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// What.
    pub kind: SlipKind,
    /// The bytes to look at.
    pub span: Span,
}

/// The kinds of [`Slip`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlipKind {
    /// The text begins with U+FEFF, which RFC 8259 §8.1 forbids writers.
    ByteOrderMark,
    /// A comma before a closing bracket.
    TrailingComma,
    /// No comma where a new line begins a new member or item; the span is empty
    /// and stands after the value before.
    MissingComma,
    /// `//`, `/*` or `#`.
    Comment,
    /// A tab or the like within a text, without an escape.
    ControlCharacter,
    /// Half a surrogate pair: `\ud800`.
    LoneSurrogate,
    /// The key stands a second time in its object; the span is the later one's.
    /// Then the values of the first and of this one.
    DuplicateKey(String, Id, Id),
}

/// The text of `bytes`, if it may be read at all.
pub(super) fn decode<'b>(bytes: &'b [u8], limits: &Limits) -> Result<&'b str, Fault> {
    let start = |kind| Fault { kind, span: 0..0, place: Place { line: 1, column: 1 } };
    // Places are kept in 32 bits.
    let limit = limits.bytes.min(u32::MAX as usize / 2);
    if bytes.len() > limit {
        return Err(start(FaultKind::TooLarge(limit)));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(start(FaultKind::Utf16));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let good = std::str::from_utf8(&bytes[..at]).unwrap_or_default();
        let byte = bytes[at];
        let place = Lines::of(good).place(good, at);
        Fault { kind: FaultKind::NotUtf8(byte, windows_1252(byte)), span: at..at + 1, place }
    })
}

/// What a byte from 0x80 is in Windows-1252, as the WHATWG Encoding Standard
/// has it.
pub(crate) fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        1_048_576.. => format!("{} MiB", bytes / 1_048_576),
        1024.. => format!("{} KiB", bytes / 1024),
        _ => format!("{bytes} bytes"),
    }
}
