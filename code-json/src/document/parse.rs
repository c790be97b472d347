//! The reader: one pass, a stack of its own, no recursion.

use super::{
    Child, Document, Fault, FaultKind, Id, Kind, Limits, Lines, Node, Slip, SlipKind, Span, duplicates,
};

/// A list or object whose end has not come yet.
struct Frame {
    id: Id,
    /// Where its children begin among those that wait.
    waiting: usize,
    /// The key that waits for its value.
    key: Option<(u32, u32)>,
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    limits: Limits,
    nodes: Vec<Node>,
    children: Vec<Child>,
    waiting: Vec<Child>,
    frames: Vec<Frame>,
    slips: Vec<Slip>,
}

mod scalars;

type Stop = (FaultKind, Span);

pub(super) fn parse(text: String, limits: &Limits) -> Result<Document, Fault> {
    let mut parser = Parser {
        text: &text,
        bytes: text.as_bytes(),
        at: 0,
        limits: *limits,
        nodes: Vec::with_capacity(text.len() / 24),
        children: Vec::with_capacity(text.len() / 24),
        waiting: Vec::new(),
        frames: Vec::new(),
        slips: Vec::new(),
    };
    let outcome = parser.run();
    let Parser { nodes, children, mut slips, .. } = parser;
    let lines = Lines::of(&text);
    match outcome {
        Ok(root) => {
            slips.sort_by_key(|slip| slip.span.start);
            Ok(Document { text, lines, nodes, children, root, slips })
        }
        Err((kind, span)) => {
            let place = lines.place(&text, span.start);
            Err(Fault { kind, span, place })
        }
    }
}

impl Parser<'_> {
    fn run(&mut self) -> Result<Id, Stop> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            self.slip(SlipKind::ByteOrderMark, 0..self.at);
        }
        self.space()?;
        if self.peek().is_none() {
            return Err((FaultKind::Empty, 0..0));
        }
        let mut done = self.value()?;
        loop {
            // `done` is a value that is complete, or none: a container began.
            if let Some(id) = done {
                let Some(frame) = self.frames.last_mut() else {
                    self.space()?;
                    return match self.peek() {
                        None => Ok(id),
                        Some(_) => Err((FaultKind::AfterTheEnd, self.at..self.bytes.len())),
                    };
                };
                let (key_start, key_end) = frame.key.take().unwrap_or((0, 0));
                self.waiting.push(Child { key_start, key_end, value: id });
            }
            done = match self.next_in_container(done.is_some())? {
                Step::Close => Some(self.close()),
                Step::Value => self.value()?,
            };
        }
    }

    /// From after a value or an opening bracket to the next value or the end.
    fn next_in_container(&mut self, after_value: bool) -> Result<Step, Stop> {
        let object = self.in_object();
        let close = if object { b'}' } else { b']' };
        let end = self.at;
        self.space()?;
        if after_value {
            match self.peek() {
                Some(b',') => {
                    let comma = self.at;
                    self.at += 1;
                    self.space()?;
                    if self.peek() == Some(close) {
                        self.slip(SlipKind::TrailingComma, comma..comma + 1);
                    }
                }
                Some(byte) if byte == close => {}
                Some(b'"' | b'{' | b'[') if self.text[end..self.at].contains('\n') => {
                    self.slip(SlipKind::MissingComma, end..end);
                }
                Some(byte) => return Err(self.instead_of_comma(byte)),
                None => return Err(self.cut_off()),
            }
        }
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                return Ok(Step::Close);
            }
            None => return Err(self.cut_off()),
            Some(_) => {}
        }
        if object {
            self.key()?;
        }
        Ok(Step::Value)
    }

    fn instead_of_comma(&self, byte: u8) -> Stop {
        let here = self.here();
        match byte {
            b'}' | b']' => (FaultKind::WrongBracket(if byte == b'}' { ']' } else { '}' }), here),
            _ => (FaultKind::Expected("a comma"), here),
        }
    }

    fn in_object(&self) -> bool {
        self.frames.last().is_some_and(|frame| self.nodes[frame.id.0 as usize].kind == Kind::Object)
    }

    fn key(&mut self) -> Result<(), Stop> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'\'') => return Err((FaultKind::Quote, self.here())),
            Some(b',') => return Err((FaultKind::Expected("a key"), self.here())),
            Some(b']') => return Err((FaultKind::WrongBracket('}'), self.here())),
            _ if self.text[start..].starts_with(['“', '”', '‘', '’', '`']) => {
                return Err((FaultKind::Quote, self.here()));
            }
            _ => return Err((FaultKind::BareKey, start..start + self.word_length())),
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some((start as u32, self.at as u32));
        }
        self.space()?;
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err((FaultKind::Expected("a colon"), self.here())),
            None => return Err(self.cut_off()),
        }
        self.space()
    }

    /// Reads a value, or the beginning of a container.
    fn value(&mut self) -> Result<Option<Id>, Stop> {
        let start = self.at;
        let kind = match self.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                if self.frames.len() >= self.limits.depth {
                    return Err((FaultKind::TooDeep(self.limits.depth), self.here()));
                }
                self.at += 1;
                let kind = if bracket == b'{' { Kind::Object } else { Kind::Array };
                let id = self.node(kind, start)?;
                self.frames.push(Frame { id, waiting: self.waiting.len(), key: None });
                return Ok(None);
            }
            Some(b'"') => {
                self.string()?;
                Kind::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b'+' | b'.') => return Err((FaultKind::Number, start..start + self.word_length())),
            Some(b'\'') => return Err((FaultKind::Quote, self.here())),
            Some(b',' | b':') => return Err((FaultKind::Expected("a value"), self.here())),
            Some(b'}' | b']') => return Err((FaultKind::Expected("a value"), self.here())),
            None => return Err(self.cut_off()),
            Some(_) => self.word()?,
        };
        self.node(kind, start).map(Some)
    }

    /// White space and comments.
    fn space(&mut self) -> Result<(), Stop> {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => end + 2,
                    None => return Err(self.cut_off_at('/', self.at)),
                }
            } else if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else {
                return Ok(());
            };
            self.slip(SlipKind::Comment, self.at..self.at + length);
            self.at += length;
        }
    }

    fn close(&mut self) -> Id {
        // Called only while a container is open.
        let Some(frame) = self.frames.pop() else { return Id(0) };
        let first = self.children.len();
        self.children.extend(self.waiting.drain(frame.waiting..));
        let own = &self.children[first..];
        for (slot, child) in (first..).zip(own) {
            let node = &mut self.nodes[child.value.0 as usize];
            node.parent = frame.id.0;
            node.slot = slot as u32;
        }
        let node = &mut self.nodes[frame.id.0 as usize];
        (node.end, node.first, node.count) = (self.at as u32, first as u32, own.len() as u32);
        if node.kind == Kind::Object {
            for (first, later) in duplicates(self.text, own) {
                let span = own[later].key_start as usize..own[later].key_end as usize;
                let key = super::unquote(&self.text[span.clone()]).into_owned();
                let kind = SlipKind::DuplicateKey(key, own[first].value, own[later].value);
                self.slips.push(Slip { kind, span });
            }
        }
        frame.id
    }

    fn node(&mut self, kind: Kind, start: usize) -> Result<Id, Stop> {
        let number = self.nodes.len();
        if number >= self.limits.values {
            return Err((FaultKind::TooManyValues(self.limits.values), start..start));
        }
        let (start, end, own) = (start as u32, self.at as u32, number as u32);
        self.nodes.push(Node { kind, start, end, parent: own, slot: 0, first: 0, count: 0 });
        Ok(Id(own))
    }

    fn cut_off(&self) -> Stop {
        match self.frames.last() {
            Some(frame) => {
                let start = self.nodes[frame.id.0 as usize].start as usize;
                self.cut_off_at(char::from(self.bytes[start]), start)
            }
            None => (FaultKind::Expected("a value"), self.at..self.at),
        }
    }

    /// The end of the text came while what began at `start` was open.
    fn cut_off_at(&self, opening: char, start: usize) -> Stop {
        let place = Lines::of(self.text).place(self.text, start);
        let end = self.text.trim_end().len();
        (FaultKind::CutOff(opening, place), end..end)
    }

    fn slip(&mut self, kind: SlipKind, span: Span) {
        self.slips.push(Slip { kind, span });
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The character at hand.
    fn here(&self) -> Span {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at..self.at + width
    }

    fn word_length(&self) -> usize {
        self.word_length_from(self.at)
    }

    /// Up to white space or punctuation, at least one character.
    fn word_length_from(&self, start: usize) -> usize {
        let rest = &self.text[start..];
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | '{' | '}' | '[' | ']' | '"');
        let length = rest.find(ends).unwrap_or(rest.len());
        length.max(rest.chars().next().map_or(0, char::len_utf8))
    }
}

enum Step {
    Close,
    Value,
}
