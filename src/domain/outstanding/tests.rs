use std::time::Duration;

use super::{
    testing::{HERE, branch, closed, days, identity, issue, now, oid, open, person, pull_request, row, us},
    *,
};
use crate::domain::{
    finding::FindingsHash,
    marker::{Marker, Whose},
    observed::{ItemState, Lock, Observed, OpenPull, ProposedCommit},
    repository::AccountId,
};

fn named() -> FindingsHash {
    FindingsHash("0123456789abcdef".into())
}

fn pull(number: u64) -> Item {
    pull_request(number, &named())
}

/// What is recognised, a minute after [`testing::NOW`].
fn seen(observed: &Observed, rows: &[Remembered]) -> Recognised {
    let now = now() + Duration::from_secs(60);
    recognise(observed, rows, Vec::new(), &identity(), HERE, "muster/", now)
}

/// What is recognised of the files pull request.
fn recognised(items: Vec<Item>, branches: Vec<Branch>, rows: &[Remembered]) -> (Standing, Vec<News>) {
    let observed = Observed { items, branches, issues_enabled: true, ..Observed::default() };
    let seen = seen(&observed, rows);
    (seen.outstanding.files, seen.news)
}

fn number_of(standing: &Standing) -> Option<u64> {
    match standing {
        Standing::Open(open) => Some(open.item.number),
        Standing::Free(_) | Standing::Blocked { .. } => None,
    }
}

#[test]
fn a_creation_that_was_cut_off_is_resumed_where_it_stopped() {
    let begun = [row(1, Kind::Files, State::Creating, None)];
    assert_eq!(recognised(vec![], vec![], &begun).0, Standing::Free(Start::Nothing));
    assert_eq!(recognised(vec![], vec![branch(99)], &begun).0, Standing::Free(Start::Branch(oid('a'))));
    assert_eq!(recognised(vec![], vec![branch(7)], &begun).0, Standing::Free(Start::Committed(oid('a'))));
    let (standing, news) = recognised(vec![pull(5)], vec![branch(7)], &begun);
    assert_eq!(number_of(&standing), Some(5));
    assert!(matches!(news.as_slice(), [News::Opened(..)]));
}

#[test]
fn what_was_begun_a_moment_ago_may_not_be_listed_yet() {
    let mut begun = row(1, Kind::Files, State::Creating, None);
    begun.updated_at += Duration::from_secs(50);
    assert!(matches!(recognised(vec![], vec![], &[begun]).0, Standing::Blocked { until: Some(_), .. }));
}

#[test]
fn a_branch_that_is_not_ours_blocks_its_kind() {
    for author in [7, 99] {
        assert!(matches!(
            recognised(vec![], vec![branch(author)], &[]).0,
            Standing::Blocked { until: None, .. }
        ));
    }
}

#[test]
fn an_item_of_ours_without_a_readable_marker_blocks_its_kind() {
    let damaged = Item { body: "somebody removed it".into(), ..pull(5) };
    assert_eq!(identity().whose(&damaged, HERE), Whose::Unreadable);
    assert!(matches!(recognised(vec![damaged], vec![], &[]).0, Standing::Blocked { until: None, .. }));
}

#[test]
fn of_two_open_ones_the_lower_number_stays() {
    let observed = Observed { items: vec![pull(6), pull(5)], ..Observed::default() };
    let outstanding = seen(&observed, &[row(1, Kind::Files, State::Open, Some(5))]).outstanding;
    assert_eq!(outstanding.duplicates.iter().map(|item| item.number).collect::<Vec<_>>(), [6]);
    assert_eq!(number_of(&outstanding.files), Some(5));
}

#[test]
fn a_closed_item_is_news_once() {
    let closed = closed(pull(5), None);
    let open = [row(1, Kind::Files, State::Open, Some(5))];
    assert!(matches!(recognised(vec![closed.clone()], vec![], &open).1.as_slice(), [News::Closed { .. }]));
    for state in [State::Declined, State::Closed, State::Expired] {
        let settled = [row(1, Kind::Files, state, Some(5))];
        assert!(recognised(vec![closed.clone()], vec![], &settled).1.is_empty());
    }
}

#[test]
fn a_marker_names_its_kind() {
    let ours = Whose::Ours(Marker { kind: Kind::Files, findings: named() });
    assert_eq!(identity().whose(&pull(5), HERE), ours);
}

type Change = fn(&mut Item);

#[test]
fn one_commit_of_somebody_else_makes_a_pull_request_theirs() {
    let foreign: [(&str, Change); 4] = [
        ("another author", |item| {
            let theirs = ProposedCommit { oid: oid('b'), author: Some(AccountId(9)), signed_by_github: true };
            item.pull.as_mut().unwrap().commits.push(theirs);
        }),
        ("amended: the author stays, GitHub's signature is gone", |item| {
            item.pull.as_mut().unwrap().commits[0].signed_by_github = false;
        }),
        ("an author that is no account", |item| item.pull.as_mut().unwrap().commits[0].author = None),
        ("more commits than were read", |item| item.pull.as_mut().unwrap().commits_complete = false),
    ];
    let rows = [row(1, Kind::Files, State::Open, Some(5))];
    for (what, change) in foreign {
        let mut item = pull(5);
        change(&mut item);
        let (standing, news) = recognised(vec![item], vec![], &rows);
        let Standing::Open(open) = standing else { panic!("{what}: {standing:?}") };
        assert_eq!(open.hands, Hands::Foreign, "{what}");
        assert!(matches!(news.as_slice(), [News::Touched(..)]), "{what}: {news:?}");
    }
    let (Standing::Open(ours), news) = recognised(vec![pull(5)], vec![], &rows) else { panic!() };
    assert_eq!((ours.hands, news), (Hands::Ours, vec![]));
}

#[test]
fn a_server_signs_nothing_so_the_ledger_tells_our_commits() {
    let mut item = pull(5);
    item.pull.as_mut().unwrap().commits[0].signed_by_github = false;
    for (commits, staged) in [(vec![oid('a')], None), (vec![], Some(oid('a')))] {
        let known = Remembered { commits, staged, ..row(1, Kind::Files, State::Open, Some(5)) };
        let (Standing::Open(open), _) = recognised(vec![item.clone()], vec![], &[known]) else { panic!() };
        assert_eq!(open.hands, Hands::Ours);
    }
    // Of a creation whose answer was lost nothing is known yet.
    let begun = [row(1, Kind::Files, State::Creating, None)];
    let (Standing::Open(open), news) = recognised(vec![item], vec![], &begun) else { panic!() };
    assert_eq!(open.hands, Hands::Ours);
    assert!(matches!(news.as_slice(), [News::Opened(..)]), "{news:?}");
}

#[test]
fn a_closing_whose_answer_was_lost_may_take_half_a_minute_to_show() {
    // It is looked at a minute after this.
    let after = |seconds| now() + Duration::from_secs(seconds);
    for (closing, updated_at, until) in [
        (Some(State::Closed), after(31), Some(after(61))),
        (Some(State::Closed), after(30), None),
        (None, after(60), None),
    ] {
        let row = Remembered { closing, updated_at, ..row(1, Kind::Files, State::Open, Some(5)) };
        let (Standing::Open(open), _) = recognised(vec![pull(5)], vec![], &[row]) else { panic!() };
        assert_eq!(open.closing_until, until);
    }
}

#[test]
fn hands_off_is_for_good_and_unread_is_not_ours() {
    let touched = Remembered { hands_off_at: Some(now()), ..row(1, Kind::Files, State::Open, Some(5)) };
    let (Standing::Open(open), news) = recognised(vec![pull(5)], vec![], &[touched]) else { panic!() };
    assert_eq!((open.hands, news), (Hands::Foreign, vec![]), "the commit went, the person did not");
    let unread: [fn(&mut Option<OpenPull>); 2] =
        [|open| *open = None, |open| open.as_mut().unwrap().files_complete = false];
    for change in unread {
        let mut item = pull(5);
        change(&mut item.pull.as_mut().unwrap().open);
        let (Standing::Open(open), _) = recognised(vec![item], vec![], &[]) else { panic!() };
        assert_eq!(open.hands, Hands::Unread);
    }
}

#[test]
fn the_branch_of_what_is_over_goes_at_once_or_after_a_week() {
    let over: [(Item, State, Option<Duration>); 4] = [
        (Item { state: ItemState::Merged, ..pull(5) }, State::Merged, Some(Duration::ZERO)),
        (closed(pull(5), Some(us())), State::Expired, Some(Duration::ZERO)),
        (closed(pull(5), Some(person(9))), State::Declined, Some(days(7) - Duration::from_secs(60))),
        (closed(pull(5), None), State::Closed, Some(days(7) - Duration::from_secs(60))),
    ];
    for (item, state, after) in over {
        let rows = [row(1, Kind::Files, state, Some(5))];
        let observed =
            Observed { items: vec![item.clone()], branches: vec![branch(7)], ..Observed::default() };
        let outstanding = seen(&observed, &rows).outstanding;
        let later = now() + Duration::from_secs(60);
        let from = outstanding.leftovers.first().map(|leftover| leftover.from.duration_since(later));
        assert_eq!(from, after.map(|after| after.try_into().unwrap()), "{item:?}");
        // Until it goes, nothing new takes its name.
        let free = outstanding.files == Standing::Free(Start::Nothing);
        assert_eq!(free, after == Some(Duration::ZERO), "{:?}", outstanding.files);
    }
    // Somebody's commit stays, whoever closed it.
    let mut theirs = closed(pull(5), Some(us()));
    theirs.pull.as_mut().unwrap().commits[0].author = Some(AccountId(9));
    let mut moved = closed(pull(5), Some(us()));
    moved.pull.as_mut().unwrap().head = oid('b');
    for item in [theirs, moved] {
        let observed = Observed { items: vec![item], branches: vec![branch(7)], ..Observed::default() };
        let outstanding = seen(&observed, &[row(1, Kind::Files, State::Closed, Some(5))]).outstanding;
        assert_eq!(outstanding.leftovers, []);
        assert!(matches!(outstanding.files, Standing::Blocked { until: None, .. }));
    }
}

#[test]
fn what_expired_may_come_again_once() {
    let expired = |id, at| Remembered { updated_at: at, ..row(id, Kind::Files, State::Expired, Some(5)) };
    let of = |rows: &[Remembered]| seen(&Observed::default(), rows).outstanding.expired;
    let once = of(&[expired(1, now())]);
    assert_eq!(once.len(), 1);
    assert_eq!((once[0].gap, once[0].until), (Gap::Missing, Some(now() + days(180))));
    assert_eq!(of(&[expired(2, now() + days(300)), expired(1, now())])[0].until, None);
    assert_eq!(of(&[row(1, Kind::Files, State::Closed, Some(5))]), []);
}

#[test]
fn a_staging_branch_is_ours_by_its_commit_or_by_the_ledger() {
    let staging = |author| Branch { name: "muster/staging/files".into(), ..branch(author) };
    let of = |author, row: Remembered| {
        let observed = Observed { branches: vec![staging(author)], ..Observed::default() };
        seen(&observed, &[row]).outstanding.staging.first().map(|staging| staging.ours)
    };
    let open = || row(1, Kind::Files, State::Open, Some(5));
    assert_eq!(of(7, open()), Some(true));
    assert_eq!(of(9, open()), Some(false));
    assert_eq!(of(9, Remembered { staged: Some(oid('a')), ..open() }), Some(true));
}

#[test]
fn locking_the_issue_declines_it_and_locking_a_pull_request_does_not() {
    let rows = [row(1, Kind::Tracking, State::Open, Some(3)), row(2, Kind::Files, State::Open, Some(5))];
    let lock = Some(Lock { by: Some(person(9)) });
    let locked = Item { lock: lock.clone(), ..issue(3, &named()) };
    let observed = Observed {
        issues_enabled: true,
        items: vec![locked, Item { lock, ..pull(5) }],
        ..Observed::default()
    };
    let it = seen(&observed, &rows);
    assert!(matches!(it.outstanding.tracking, Standing::Blocked { until: None, .. }));
    assert!(matches!(it.outstanding.files, Standing::Open(_)));
    assert!(matches!(it.news.as_slice(), [News::Locked { by: Some(by), .. }] if *by == person(9)));
    // It is news once, and unlocking it is news again.
    let declined = [row(1, Kind::Tracking, State::Declined, Some(3)), rows[1].clone()];
    assert_eq!(seen(&observed, &declined).news, []);
    let unlocked = Observed { items: vec![issue(3, &named())], ..observed };
    assert!(matches!(seen(&unlocked, &declined).news.as_slice(), [News::Opened(..)]));
}

#[test]
fn only_an_issue_can_be_gone_and_only_where_issues_are_on() {
    let rows = [row(1, Kind::Tracking, State::Open, Some(3)), row(2, Kind::Files, State::Open, Some(5))];
    let gone =
        Observed { issues_enabled: true, gone: vec!["N_3".into(), "N_5".into()], ..Observed::default() };
    let it = seen(&gone, &rows);
    assert!(matches!(it.news.as_slice(), [News::Gone(row)] if row.kind == Kind::Tracking), "{:?}", it.news);
    // A pull request cannot be deleted: they may be switched off.
    assert!(matches!(it.outstanding.files, Standing::Blocked { until: None, .. }));
    let off = seen(&Observed { issues_enabled: false, ..gone }, &rows);
    assert_eq!(off.news, []);
    assert!(matches!(off.outstanding.tracking, Standing::Blocked { until: None, .. }));
    // Moved to another repository, where it is ours no more.
    let mut moved = issue(3, &named());
    moved.repository = crate::domain::repository::RepositoryId(2);
    let elsewhere = Observed { issues_enabled: true, items: vec![moved], ..Observed::default() };
    assert!(matches!(seen(&elsewhere, &rows[..1]).news.as_slice(), [News::Gone(_)]));
}

#[test]
fn three_edits_in_a_day_are_a_loop() {
    let at = |hour: u64| now() + Duration::from_secs(hour * 3600);
    let item = |edits: Vec<Timestamp>| OpenItem { edits, ..open(issue(3, &named()), named()) };
    assert_eq!(item(vec![at(0), at(1)]).edit_loop_until(at(2)), None);
    assert_eq!(item(vec![at(0), at(1), at(2)]).edit_loop_until(at(3)), Some(at(24)));
    assert_eq!(item(vec![at(0), at(1), at(2)]).edit_loop_until(at(24)), None);
    assert_eq!(item(vec![at(0), at(1), at(2), at(24)]).edit_loop_until(at(24)), Some(at(25)));
    let row = Remembered { edits: vec![at(0), at(1), at(2)], ..row(1, Kind::Tracking, State::Open, Some(3)) };
    assert_eq!(row.edits_with(at(24)), [at(1), at(2), at(24)]);
}

#[test]
fn the_words_of_the_ledger_are_read_back() {
    for kind in Kind::INSPECTED {
        for attempt in [Attempt::Open(kind), Attempt::Update(kind), Attempt::Delete(kind)] {
            assert_eq!(attempt.to_string().parse(), Ok(attempt));
        }
    }
    for state in State::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    for because in Because::ALL {
        assert_eq!(because.as_str().parse(), Ok(because));
    }
    assert!("open".parse::<Attempt>().is_err() && "close files".parse::<Attempt>().is_err());
}
