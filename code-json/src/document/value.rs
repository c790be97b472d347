//! A look at one value of a document.

use std::{borrow::Cow, fmt};

use super::{Child, Document, Id, Node, Place, Span, unquote};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// For people: `a list`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "true or false",
            Kind::Number => "a number",
            Kind::String => "a text",
            Kind::Array => "a list",
            Kind::Object => "an object",
        }
    }
}

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    pub(super) document: &'d Document,
    pub(super) id: Id,
}

/// A key and its value.
#[derive(Clone)]
pub struct Member<'d> {
    /// The key, escapes resolved.
    pub key: Cow<'d, str>,
    /// The key's bytes, with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Value<'d>,
}

impl<'d> Value<'d> {
    fn node(self) -> &'d Node {
        &self.document.nodes[self.id.0 as usize]
    }

    fn children(self) -> &'d [Child] {
        let node = self.node();
        &self.document.children[node.first as usize..(node.first + node.count) as usize]
    }

    /// Its document.
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// Its number.
    #[must_use]
    pub fn id(self) -> Id {
        self.id
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its bytes in the text.
    #[must_use]
    pub fn span(self) -> Span {
        self.node().start as usize..self.node().end as usize
    }

    /// Its text as it stands, with quotes and escapes.
    #[must_use]
    pub fn raw(self) -> &'d str {
        &self.document.text[self.span()]
    }

    /// Where it begins.
    #[must_use]
    pub fn place(self) -> Place {
        self.document.place(self.span().start)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text, if it is one, escapes resolved.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        (self.kind() == Kind::String).then(|| unquote(self.raw()))
    }

    /// The number, if it is one; beyond 64 bits, the nearest that is finite.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        let number: f64 = (self.kind() == Kind::Number).then(|| self.raw().parse().ok()).flatten()?;
        Some(number.clamp(f64::MIN, f64::MAX))
    }

    /// `true` or `false`, if it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// How many items or members it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.node().count as usize
    }

    /// Whether it has no items or members; true for texts and numbers too.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items of a list; nothing for others.
    pub fn items(self) -> impl ExactSizeIterator<Item = Value<'d>> + DoubleEndedIterator {
        let children = if self.kind() == Kind::Array { self.children() } else { &[] };
        children.iter().map(move |child| Value { document: self.document, id: child.value })
    }

    /// The n-th item of a list, from 0.
    #[must_use]
    pub fn item(self, at: usize) -> Option<Value<'d>> {
        let child = (self.kind() == Kind::Array).then(|| self.children().get(at)).flatten()?;
        Some(Value { document: self.document, id: child.value })
    }

    /// The n-th item or member's value, from 0.
    #[must_use]
    pub fn nth(self, at: usize) -> Option<Value<'d>> {
        self.children().get(at).map(|child| Value { document: self.document, id: child.value })
    }

    /// The members of an object, repeated keys and all; nothing for others.
    pub fn members(self) -> impl ExactSizeIterator<Item = Member<'d>> + DoubleEndedIterator {
        let children = if self.kind() == Kind::Object { self.children() } else { &[] };
        children.iter().map(move |child| self.to_member(child))
    }

    fn to_member(self, child: &Child) -> Member<'d> {
        let key_span = child.key_start as usize..child.key_end as usize;
        let key = unquote(&self.document.text[key_span.clone()]);
        Member { key, key_span, value: Value { document: self.document, id: child.value } }
    }

    /// The member with this key; of several the last, as most readers have it.
    #[must_use]
    pub fn member(self, key: &str) -> Option<Member<'d>> {
        self.members().rev().find(|member| member.key == key)
    }

    /// The value of the member with this key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.member(key).map(|member| member.value)
    }

    /// The list or object it stands in.
    #[must_use]
    pub fn parent(self) -> Option<Value<'d>> {
        let parent = Id(self.node().parent);
        (parent != self.id).then_some(Value { document: self.document, id: parent })
    }

    /// Key and value as they stand in the object around it.
    #[must_use]
    pub fn as_member(self) -> Option<Member<'d>> {
        let parent = self.parent().filter(|parent| parent.kind() == Kind::Object)?;
        Some(parent.to_member(&self.document.children[self.node().slot as usize]))
    }

    /// Its place in the list or object around it, from 0.
    #[must_use]
    pub fn index(self) -> Option<usize> {
        let parent = self.parent()?;
        Some((self.node().slot - parent.node().first) as usize)
    }

    /// Its JSON pointer (RFC 6901), empty for the root.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut tokens = Vec::new();
        let mut value = self;
        while let Some(parent) = value.parent() {
            tokens.push(match value.as_member() {
                Some(member) => member.key.replace('~', "~0").replace('/', "~1"),
                None => value.index().unwrap_or_default().to_string(),
            });
            value = parent;
        }
        tokens.iter().rev().fold(String::new(), |pointer, token| pointer + "/" + token)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}
