//! Pages of lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::resolve::{Context, Field, Found, Problem, Resolved, Thing};

/// One page of a list.
#[derive(Debug, Clone)]
pub(super) struct Page {
    things: Vec<Thing>,
    /// Position of the first of them in the whole list.
    start: usize,
    total: usize,
}

fn cursor(position: usize) -> String {
    STANDARD.encode(format!("cursor:{position}"))
}

fn position(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("cursor:")?.parse().ok()
}

impl Context<'_> {
    /// The page of `all` that a field's arguments ask for.
    ///
    /// # Errors
    /// Without `first` or `last`, with more than 100 of them, and for a cursor
    /// that was never handed out.
    pub(super) fn page(&self, kind: &'static str, all: Vec<Thing>, field: &Field<'_>) -> Resolved {
        let name = field.name;
        let sizes = ["first", "last"].map(|argument| (argument, field.arguments.get(argument)));
        if sizes.iter().all(|(_, size)| size.is_none_or(|size| size.is_null())) {
            return Err(Problem::new(
                "MISSING_PAGINATION_BOUNDARIES",
                format!(
                    "You must provide a `first` or `last` value to properly paginate the `{name}` connection."
                ),
            ));
        }
        for (argument, size) in sizes {
            match size.and_then(|size| size.as_i64()) {
                Some(size) if size > 100 => {
                    let message = format!(
                        "Requesting {size} records on the `{name}` connection exceeds the `{argument}` limit of 100 records."
                    );
                    return Err(Problem::new("EXCESSIVE_PAGINATION", message));
                }
                Some(size) if size < 0 => {
                    let message =
                        format!("`{argument}` on the `{name}` connection cannot be less than zero.");
                    return Err(Problem::new("INVALID_CURSOR_ARGUMENTS", message));
                }
                Some(_) | None => {}
            }
        }
        let at = |argument: &str| match field.text(argument) {
            None => Ok(None),
            Some(text) => position(text).map(Some).ok_or_else(|| {
                let message = format!("`{text}` does not appear to be a valid cursor.");
                Problem::new("INVALID_CURSOR_ARGUMENTS", message)
            }),
        };
        let size = |argument: &str| field.number(argument).map(|size| usize::try_from(size).unwrap_or(100));
        let total = all.len();
        let mut start = at("after")?.map_or(0, |after| after.min(total));
        let mut end = at("before")?.map_or(total, |before| before.saturating_sub(1).min(total)).max(start);
        if let Some(first) = size("first") {
            end = end.min(start + first);
        }
        if let Some(last) = size("last") {
            start = start.max(end.saturating_sub(last));
        }
        let things = all.into_iter().skip(start).take(end - start).collect();
        Ok(Found::One(Thing::Connection(kind, Page { things, start, total })))
    }
}

impl Page {
    pub(super) fn connection(&self, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "nodes" => Found::many(self.things.iter().cloned()),
            "totalCount" => Found::leaf(self.total),
            "pageInfo" => Found::One(Thing::PageInfo(self.clone())),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn info(&self, field: &Field<'_>) -> Resolved {
        let end = self.start + self.things.len();
        let there = !self.things.is_empty();
        Ok(match field.name {
            "hasNextPage" => Found::leaf(end < self.total),
            "hasPreviousPage" => Found::leaf(self.start > 0),
            "startCursor" if there => Found::leaf(cursor(self.start + 1)),
            "endCursor" if there => Found::leaf(cursor(end)),
            "startCursor" | "endCursor" => Found::NULL,
            _ => return Err(field.unknown()),
        })
    }
}
