//! Texts, numbers and words.

use super::{Parser, Stop};
use crate::document::{FaultKind, Kind, SlipKind, unicode_escape};

impl Parser<'_> {
    pub(super) fn word(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        if self.text[start..].starts_with(['“', '”', '‘', '’', '`']) {
            return Err((FaultKind::Quote, self.here()));
        }
        let length = self.word_length();
        let (kind, word) = match &self.text[start..start + length] {
            "null" => (Kind::Null, None),
            "true" | "false" => (Kind::Bool, None),
            "True" | "TRUE" => (Kind::Bool, Some("true")),
            "False" | "FALSE" => (Kind::Bool, Some("false")),
            "None" | "NULL" | "Null" | "nil" | "undefined" | "NaN" | "Infinity" => (Kind::Null, Some("null")),
            _ => (Kind::Null, Some("")),
        };
        if start + length == self.bytes.len() && word == Some("") {
            // `tru` at the end of the file.
            return Err(self.cut_off());
        }
        match word {
            Some("") => Err((FaultKind::BareWord(None), start..start + length)),
            Some(word) => Err((FaultKind::BareWord(Some(word)), start..start + length)),
            None => {
                self.at += length;
                Ok(kind)
            }
        }
    }

    /// RFC 8259 §6.
    pub(super) fn number(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let wrong = |parser: &Self| (FaultKind::Number, start..start + parser.word_length_from(start));
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            None => return Err(self.cut_off()),
            Some(_) => return Err(wrong(self)),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(wrong(self));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(wrong(self));
            }
            self.digits();
        }
        match self.peek() {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+') => {
                Err(wrong(self))
            }
            _ => Ok(()),
        }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// RFC 8259 §7, from the opening to the closing quote.
    pub(super) fn string(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.at += 1;
        loop {
            let Some(byte) = self.peek() else { return Err(self.cut_off_at('"', start)) };
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape(start)?,
                b'\n' | b'\r' => return Err((FaultKind::OpenText, start..self.at)),
                0..=0x1f => {
                    self.slip(SlipKind::ControlCharacter, self.at..self.at + 1);
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Stop> {
        let Some(byte) = self.bytes.get(self.at + 1) else { return Err(self.cut_off_at('"', start)) };
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let after = self.bytes.get(self.at + 2..).unwrap_or_default();
                let hex = after.iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
                if hex < 4 {
                    return Err(if after.len() == hex {
                        self.cut_off_at('"', start)
                    } else {
                        (FaultKind::Escape, self.at..self.at + 2 + hex)
                    });
                }
                let (character, length) = unicode_escape(&self.text[self.at + 2..]);
                let end = self.at + 2 + length;
                if character.is_none() {
                    self.slip(SlipKind::LoneSurrogate, self.at..end);
                }
                self.at = end;
            }
            _ => {
                let width = self.text[self.at + 1..].chars().next().map_or(0, char::len_utf8);
                return Err((FaultKind::Escape, self.at..self.at + 1 + width));
            }
        }
        Ok(())
    }
}
