//! How many repositories to ask for in one GraphQL call.
//!
//! GitHub ends a query after 10 seconds with a 502 or 504 and takes extra
//! points for it ("Rate limits and query limits for the GraphQL API"), or
//! answers a part. What fits depends on the repositories, not on their number,
//! so it is found out: halved when it does not, doubled again after calls that
//! did; and each time that growing was too much, tried again only after twice
//! as many calls as before. If one fails alone, it was that one and not the
//! number: with the next that comes, as many as before are asked for.

/// The most repositories in one call (platform.md §1.3: of 100, one call in
/// four fails).
const MOST: usize = 50;
/// Whole answers in a row before more is asked for.
const PATIENCE: u32 = 4;
const MOST_PATIENCE: u32 = 64;

/// How many repositories to ask for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    size: usize,
    /// Whole answers of this size in a row.
    streak: u32,
    /// How many of them it takes to grow.
    patience: u32,
    /// Whether the last change was to grow.
    grown: bool,
    search: Option<Search>,
}

/// What became of a call that failed: whether it was too large, or one of the
/// repositories in it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Search {
    /// The size before.
    before: usize,
    /// How many of that call have not come yet.
    left: usize,
    /// Whether one has failed alone.
    broken: bool,
}

impl Default for PageSize {
    fn default() -> Self {
        PageSize { size: MOST, streak: 0, patience: PATIENCE, grown: false, search: None }
    }
}

impl PageSize {
    /// How many to ask for, 1 to 50.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Takes in how a call for `asked` repositories went.
    pub fn answered(&mut self, asked: usize, whole: bool) {
        match (whole, asked) {
            (true, _) => self.came(asked),
            // It is that one, whatever the size.
            (false, 1) => {
                if let Some(search) = &mut self.search {
                    search.broken = true;
                }
            }
            (false, _) => self.too_much(asked),
        }
    }

    fn came(&mut self, asked: usize) {
        if let Some(search) = &mut self.search {
            search.left = search.left.saturating_sub(asked);
            if search.broken {
                *self = PageSize { size: search.before, streak: 0, grown: false, search: None, ..*self };
                return;
            }
            if search.left == 0 {
                self.search = None;
            }
        }
        // Few were left: that they came says nothing of as many as this.
        if asked < self.size {
            return;
        }
        self.streak += 1;
        if self.size == MOST {
            self.grown = false;
            if self.streak >= PATIENCE {
                self.patience = PATIENCE;
            }
        } else if self.streak >= self.patience {
            *self = PageSize { size: (self.size * 2).min(MOST), streak: 0, grown: true, ..*self };
        }
    }

    fn too_much(&mut self, asked: usize) {
        let too_soon = self.grown && self.streak == 0;
        let patience = if too_soon { (self.patience * 2).min(MOST_PATIENCE) } else { self.patience };
        let search = self.search.unwrap_or(Search { before: self.size, left: asked, broken: false });
        let size = (asked.min(self.size) / 2).max(1);
        *self = PageSize { size, streak: 0, patience, grown: false, search: Some(search) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_halved_down_to_one_and_grown_back() {
        let mut page = PageSize::default();
        let mut sizes = vec![page.size()];
        for _ in 0..7 {
            page.answered(page.size(), false);
            sizes.push(page.size());
        }
        assert_eq!(sizes, [50, 25, 12, 6, 3, 1, 1, 1]);
        page.answered(1, true);
        assert_eq!(page.size(), 50, "those that failed alone were it");
        for _ in 0..5 {
            page.answered(page.size(), false);
        }
        let mut calls = 0;
        while page.size() < 50 {
            page.answered(page.size(), true);
            calls += 1;
        }
        assert_eq!(calls, 6 * PATIENCE);
    }

    #[test]
    fn the_rest_of_a_list_says_nothing_of_a_full_page_unless_it_fails() {
        let mut page = PageSize::default();
        page.answered(50, false);
        for _ in 0..100 {
            page.answered(7, true);
        }
        page.answered(1, false);
        assert_eq!(page.size(), 25);
        page.answered(8, false);
        assert_eq!(page.size(), 4, "or it would be asked for again for ever");
    }

    #[test]
    fn a_broken_one_is_found_by_halving_and_then_as_many_as_before_are_asked_for() {
        let (mut page, mut sizes) = (PageSize::default(), Vec::new());
        let (mut first, broken) = (1, 42);
        while first <= 100 {
            let size = page.size().min(101 - first);
            let whole = !(first..first + size).contains(&broken);
            page.answered(size, whole);
            sizes.push(size);
            if whole || size == 1 {
                first += size;
            }
        }
        assert_eq!(sizes, [50, 25, 25, 12, 12, 6, 3, 3, 1, 1, 1, 50, 7]);
    }

    /// GitHub answers 20 at a time, never more: how many of 1,000 calls fail.
    #[test]
    fn where_more_never_fits_it_is_tried_less_and_less() {
        let mut page = PageSize::default();
        let (mut failed, mut read) = (0, 0);
        for _ in 0..1000 {
            let fits = page.size() <= 20;
            (failed, read) = if fits { (failed, read + page.size()) } else { (failed + 1, read) };
            page.answered(page.size(), fits);
        }
        assert!((5..=25).contains(&failed), "{failed}");
        assert!(read > 11_000, "{read}");
    }
}
