//! What is done about what is open.

use super::*;
use crate::domain::{
    finding::FindingsHash,
    marker::Kind,
    observed::{Comment, HoldLabel},
    outstanding::{
        Attempt, Because, Expired, Hands, Refused, Staging,
        testing::{BOT, branch, days, now, oid},
    },
};

/// A repository without README and CONTRIBUTING, as the pull request about it
/// was opened.
fn lacking_two() -> Sample {
    Sample::complete("agency/site")
        .without("README.md")
        .without("CONTRIBUTING.md")
        .with(|r| r.description = Some("Counts birds.".into()))
}

fn opened_for(sample: Sample, policy: &Policy) -> OpenItem {
    let plan = Case { policy: policy.clone(), sample, ..case() }.plan();
    let new = match plan.changes.first().unwrap() {
        Change::OpenPullRequest(new) => new,
        other => panic!("{other}"),
    };
    opened(new, 5)
}

fn about_two() -> OpenItem {
    opened_for(lacking_two(), &policy("mode: fix"))
}

fn details(open: &mut OpenItem) -> &mut crate::domain::observed::OpenPull {
    open.item.pull.as_mut().unwrap().open.as_mut().unwrap()
}

/// What is planned about an open pull request, in a repository that is like
/// this now.
fn about(open: OpenItem, sample: Sample) -> Case {
    Case { sample, outstanding: Outstanding { files: Standing::Open(Box::new(open)), ..nothing() }, ..case() }
}

const ANSWERED: &str = "would not open an issue: the pull request answers the same finding\n";

#[test]
fn an_open_pull_request_is_left_as_it_is_though_its_base_moves_on() {
    let moved = lacking_two().with(|r| r.head.as_mut().unwrap().oid = oid('e'));
    let plan = about(about_two(), moved).plan();
    assert_eq!(plan.to_string(), ANSWERED);
    assert_eq!(plan.due, Some(now() + days(90)), "time alone would let it expire");
    // Nor because a fact in its texts changed.
    let renamed = lacking_two().with(|r| r.description = Some("Counts fish.".into()));
    assert_eq!(about(about_two(), renamed).printed(), ANSWERED);
}

#[test]
fn what_landed_is_dropped_and_nothing_left_closes() {
    let landed = || lacking_two().file("CONTRIBUTING.md", "Write to us.");
    insta::assert_snapshot!(about(about_two(), landed()).printed(), @r"
    refresh pull request #5, since some of it is not missing any more: +README.md
    would not open an issue: the pull request answers the same finding
    ");
    let Some(Change::RefreshPullRequest(refresh)) = about(about_two(), landed()).plan().changes.pop() else {
        panic!()
    };
    assert_eq!(refresh.dropped, ["CONTRIBUTING.md"]);
    assert_eq!(refresh.changed, [], "what stays is as it was");
    assert_eq!(refresh.tip, oid('a'));
    assert_eq!(refresh.description.title.unwrap().as_str(), "Add missing open source files: README.md");
    let all = || landed().file("README.md", crate::domain::repository::testing::README);
    assert_eq!(about(about_two(), all()).printed(), "close pull request #5: nothing is left to do\n");
    // A file that is there and not good enough is there all the same.
    let empty = lacking_two().file("CONTRIBUTING.md", "").file("README.md", "");
    let plan = about(about_two(), empty).plan();
    assert_eq!(plan.changes[0].to_string(), "close pull request #5: nothing is left to do");
    // Answered in another place: the path is free, the question is not open.
    let elsewhere = lacking_two().file("docs/CONTRIBUTING.md", "Write to us.");
    assert!(about(about_two(), elsewhere).printed().starts_with("refresh pull request #5"));
}

#[test]
fn what_the_policy_asks_for_no_longer_closes() {
    let off = policy("mode: fix\nrules: {readme: off, contributing: off}");
    let plan = Case { policy: off, ..about(about_two(), lacking_two()) };
    assert_eq!(plan.printed(), "close pull request #5: the policy does not ask for it any more\n");
    let declined = |rule| Declined { rule, gap: None, until: None };
    let mut both = about(about_two(), lacking_two());
    both.outstanding.declined = vec![declined(RuleId::Readme), declined(RuleId::Contributing)];
    assert_eq!(both.printed(), "close pull request #5: the policy does not ask for it any more\n");
}

#[test]
fn a_conflict_is_a_reason_if_a_new_commit_would_help() {
    let conflicting = |made_on| {
        let mut open = about_two();
        details(&mut open).conflicting = true;
        details(&mut open).made_on = made_on;
        about(open, lacking_two()).printed()
    };
    insta::assert_snapshot!(conflicting(Some(oid('e'))), @r"
    refresh pull request #5, since it conflicts with its base: +README.md +CONTRIBUTING.md
    would not open an issue: the pull request answers the same finding
    ");
    let head = lacking_two().snapshot().repository.head.unwrap().oid;
    assert_eq!(conflicting(Some(head)), ANSWERED, "it stands on the newest base already");
}

#[test]
fn other_words_are_a_reason_only_if_the_policy_or_our_texts_changed() {
    let contact = |email: &str| policy(&format!("mode: fix\nagency: {{contact: {{email: {email}}}}}"));
    let silent = || lacking_two().with(|r| r.issues_enabled = false);
    let open = || opened_for(silent(), &contact("old@example.gov"));
    let planned =
        |email: &str, now: Timestamp| Case { policy: contact(email), now, ..about(open(), silent()) };
    // The address stands in the files, since there are no issues to write to.
    insta::assert_snapshot!(planned("new@example.gov", now()).printed(), @r"
    refresh pull request #5, since the policy or our texts changed: +README.md +CONTRIBUTING.md
    would not open an issue: the pull request answers the same finding
    ");
    let night = NOW.replace("15:00", "20:00").parse().unwrap();
    insta::assert_snapshot!(planned("new@example.gov", night).printed(), @r"
    would not update the pull request: it is outside the hours of the policy (until 2026-11-18T09:00:00Z)
    would not open an issue: the pull request answers the same finding
    ");
    assert_eq!(planned("old@example.gov", now()).printed(), ANSWERED);
    // Where it stands in the body alone, the body is enough.
    let open = opened_for(lacking_two(), &contact("old@example.gov"));
    let body = Case { policy: contact("new@example.gov"), ..about(open, lacking_two()) };
    insta::assert_snapshot!(body.printed(), @r"
    describe pull request #5 anew: readme:missing contributing:missing
    would not open an issue: the pull request answers the same finding
    ");
}

#[test]
fn a_refresh_that_was_cut_off_before_its_words_says_them() {
    let mut open = about_two();
    details(&mut open).files.retain(|(path, _)| path == "README.md");
    let landed = lacking_two().file("CONTRIBUTING.md", "Write to us.");
    insta::assert_snapshot!(about(open, landed).printed(), @r"
    describe pull request #5 anew: readme:missing
    would not open an issue: the pull request answers the same finding
    ");
}

#[test]
fn what_others_work_on_is_left_to_them() {
    let landed = || lacking_two().file("CONTRIBUTING.md", "Write to us.");
    let planned = |change: fn(&mut Case)| {
        let mut case = about(about_two(), landed());
        case.now += days(100);
        change(&mut case);
        case.plan()
    };
    fn open_of(case: &mut Case) -> &mut OpenItem {
        let Standing::Open(open) = &mut case.outstanding.files else { panic!() };
        open
    }
    let foreign = planned(|case| open_of(case).hands = Hands::Foreign);
    insta::assert_snapshot!(foreign, @r"
    would not update the pull request: #5 has commits of others, so it is theirs
    would not open an issue: the pull request answers the same finding
    ");
    let held = planned(|case| {
        details(open_of(case)).hold = Some(HoldLabel { by: None });
        case.outstanding.held = vec![Kind::Files];
    });
    insta::assert_snapshot!(held, @r"
    would not update the pull request: #5 has the label muster:hold
    would not open an issue: the pull request answers the same finding
    ");
    assert_eq!(planned(|case| open_of(case).hands = Hands::Unread).changes, []);
    // A label that does not count holds nothing.
    let idle = planned(|case| details(open_of(case)).hold = Some(HoldLabel { by: None }));
    assert_eq!(idle.changes.len(), 1);
}

#[test]
fn auto_merge_is_turned_off_once_when_others_commit() {
    let planned = |since: Timestamp, seen: Option<Timestamp>| {
        let mut open = about_two();
        (open.hands, open.hands_off_at) = (Hands::Foreign, seen);
        details(&mut open).auto_merge_since = Some(since);
        about(open, lacking_two()).plan().changes.len()
    };
    assert_eq!(planned(now(), None), 1);
    assert_eq!(planned(now(), Some(now())), 1, "cut off before it was done");
    assert_eq!(planned(now() + days(1), Some(now())), 0, "asked for again by who has seen the commit");
    let mut ours = about_two();
    details(&mut ours).auto_merge_since = Some(now());
    assert_eq!(about(ours, lacking_two()).plan().changes, [], "who trusts us may");
}

#[test]
fn ninety_quiet_days_close_it_and_it_comes_once_more() {
    let at = |after: u32, expired: Vec<Expired>| {
        let mut case = about(about_two(), lacking_two());
        case.now += days(after);
        case.outstanding.expired = expired;
        case.plan()
    };
    assert_eq!(at(89, vec![]).changes, []);
    assert_eq!(at(91, vec![]).changes[0].to_string(), "close pull request #5: nobody touched it for 90 days");
    let once = || {
        let gone = |rule| Expired { rule, gap: Gap::Missing, until: Some(now() + days(30)) };
        vec![gone(RuleId::Readme), gone(RuleId::Contributing)]
    };
    let Change::ClosePullRequest(close) = &at(91, once()).changes[0] else { panic!() };
    assert_eq!(close.closing, Closing::ExpiredAgain);
    // A Sunday: it waits for the hours of the policy.
    let sunday = at(89 + 5, vec![]);
    assert_eq!(sunday.changes, []);
    assert_eq!(sunday.due, Some("2027-02-22T09:00:00Z".parse().unwrap()));
    let after = |until, later: u32| {
        let gone = |rule| Expired { rule, gap: Gap::Missing, until };
        let expired = vec![gone(RuleId::Readme), gone(RuleId::Contributing)];
        let outstanding = Outstanding { expired, ..nothing() };
        Case { sample: lacking_two(), outstanding, now: now() + days(later), ..case() }.plan()
    };
    let quiet = after(Some(now() + days(180)), 0);
    insta::assert_snapshot!(quiet, @"would not open an issue: nobody answered the pull request about it");
    assert_eq!(quiet.due, Some(now() + days(180)));
    assert_eq!(after(Some(now() + days(180)), 182).changes.len(), 1);
    let never = after(None, 1000);
    assert_eq!((never.changes, never.due), (vec![], None));
}

#[test]
fn the_line_of_a_closing_is_said_once() {
    let closing = |comments: Vec<Comment>| {
        let mut open = about_two();
        open.item.comments = comments;
        let all = Sample::complete("agency/site");
        let Some(Change::ClosePullRequest(close)) = about(open, all).plan().changes.pop() else { panic!() };
        close.line.map(|line| line.for_operator().to_owned())
    };
    let line = closing(vec![]).unwrap();
    let comment = |author, body: &str| Comment { author: Some(author), body: body.to_owned() };
    assert_eq!(closing(vec![comment(BOT, &format!("{line}\r\n"))]), None);
    let somebody = crate::domain::repository::AccountId(9);
    assert_eq!(closing(vec![comment(somebody, &line), comment(BOT, "Hi.")]), Some(line));
}

#[test]
fn a_closing_that_may_still_take_effect_is_waited_for() {
    let mut open = about_two();
    let until = now() + std::time::Duration::from_secs(30);
    open.closing_until = Some(until);
    let plan = about(open, Sample::complete("agency/site")).plan();
    assert_eq!((&*plan.changes, plan.due), (&[][..], Some(until)), "{plan}");
}

#[test]
fn what_could_not_be_read_freezes_it() {
    let unread = lacking_two().unread("docs", "GitHub answered 502");
    let plan = about(about_two(), unread).plan();
    assert_eq!(plan.changes, [], "{plan}");
}

#[test]
fn three_changes_in_a_day_are_enough() {
    let mut open = about_two();
    open.edits = vec![now(), now(), now()];
    let landed = lacking_two().file("CONTRIBUTING.md", "Write to us.");
    insta::assert_snapshot!(about(open, landed).printed(), @r"
    would not update the pull request: blocked: edit loop, it was changed 3 times in a day (until 2026-11-18T15:00:00Z)
    would not open an issue: the pull request answers the same finding
    ");
    let mut issue = read_back(issue(3, &FindingsHash("0".repeat(16))));
    issue.edits = vec![now(), now(), now()];
    let outstanding = Outstanding { tracking: Standing::Open(Box::new(issue)), ..nothing() };
    let sample = Sample::complete("agency/site").without("LICENSE");
    insta::assert_snapshot!(Case { outstanding, sample, ..case() }.printed(), @"would not edit the issue: blocked: edit loop, it was edited 3 times in a day (until 2026-11-18T15:00:00Z)");
}

#[test]
fn a_staging_branch_of_ours_is_used_or_removed_and_another_is_in_the_way() {
    let landed = || lacking_two().file("CONTRIBUTING.md", "Write to us.");
    let with = |sample, ours| {
        let mut case = about(about_two(), sample);
        let mut branch = branch(7);
        branch.name = "muster/staging/files".into();
        case.outstanding.staging = vec![Staging { kind: Kind::Files, branch, ours }];
        case.plan().changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let refresh = "refresh pull request #5, since some of it is not missing any more: +README.md";
    assert_eq!(with(landed(), true), [refresh]);
    let delete = "delete the branch muster/staging/files, since its refresh was cut off";
    assert_eq!(with(lacking_two(), true), [delete]);
    assert_eq!(with(landed(), false), Vec::<String>::new());
    assert_eq!(with(lacking_two(), false), Vec::<String>::new());
}

fn refused(attempt: Attempt, because: Because) -> Outstanding {
    let (why, circumstances) = ("the rules forbid it".to_owned(), String::new());
    let refused = Refused { attempt, because, why, circumstances, at: now() };
    Outstanding { refused: vec![refused], ..nothing() }
}

#[test]
fn what_github_refuses_is_offered_in_the_issue_until_it_is_time_to_ask_again() {
    let planned = |because, later: u32| {
        let outstanding = refused(Attempt::Open(Kind::Files), because);
        Case { outstanding, sample: lacking_two(), now: now() + days(later), ..case() }.plan()
    };
    let plan = planned(Because::Rules, 0);
    insta::assert_snapshot!(plan, @r#"
    open issue "Repository open source checklist": readme:missing contributing:missing
    would not open a pull request with files: GitHub refuses it: the rules forbid it (until 2026-12-17T15:00:00Z)
    "#);
    let Change::OpenIssue(new) = &plan.changes[0] else { panic!() };
    insta::assert_snapshot!("offered", new.body.for_operator());
    assert_eq!(planned(Because::Permission, 0).due, Some(now() + days(1)));
    let again = planned(Because::Rules, 30);
    assert!(matches!(again.changes[0], Change::OpenPullRequest(_)), "{again}");
}

#[test]
fn without_drafts_the_issue_asks_and_the_rest_is_proposed() {
    let outstanding = refused(Attempt::Open(Kind::Files), Because::Drafts);
    let sample = lacking_two().with(|r| r.description = None);
    let plan = Case { outstanding, sample, ..case() }.plan();
    insta::assert_snapshot!(plan, @r#"
    open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
    open issue "Repository open source checklist": readme:missing contributing:missing
    would not open a pull request with files: GitHub refuses it: the rules forbid it (until 2026-12-17T15:00:00Z)
    "#);
    let Change::OpenIssue(new) = &plan.changes[1] else { panic!() };
    let body = new.body.for_operator();
    assert!(body.contains("- [ ] Say in README.md what the software does."), "{body}");
}

#[test]
fn a_refused_update_waits_and_a_refused_branch_stays() {
    let landed = lacking_two().file("CONTRIBUTING.md", "Write to us.");
    let mut case = about(about_two(), landed);
    case.outstanding.refused = refused(Attempt::Update(Kind::Files), Because::Rules).refused;
    insta::assert_snapshot!(case.printed(), @r"
    would not update the pull request: GitHub refuses it: the rules forbid it (until 2026-12-17T15:00:00Z)
    would not open an issue: the pull request answers the same finding
    ");
}

#[test]
fn where_issues_are_disabled_nothing_is_said() {
    let off = || Sample::complete("agency/site").without("LICENSE").with(|r| r.issues_enabled = false);
    assert_eq!(
        Case { sample: off(), ..case() }.printed(),
        "would not open an issue: issues are disabled there\n"
    );
    for findings in ["license:missing readme:missing", "license:missing"] {
        let outstanding = Outstanding { tracking: open_issue(findings), ..nothing() };
        assert_eq!(Case { sample: off(), outstanding, ..case() }.plan().changes, [], "{findings}");
    }
}

#[test]
fn out_of_scope_or_opted_out_everything_of_ours_closes_with_a_line() {
    let both = || Outstanding {
        files: Standing::Open(Box::new(about_two())),
        tracking: open_issue("license:missing"),
        ..nothing()
    };
    let plan = |policy: Policy, organization_mode, sample| {
        Case { policy, organization_mode, sample, outstanding: both(), ..case() }.plan()
    };
    let excluded = policy("mode: fix\nrepositories: {exclude: [site]}");
    insta::assert_snapshot!(plan(excluded.clone(), None, lacking_two()), @r"
    close pull request #5: the policy leaves this repository out
    close issue #3: the policy leaves this repository out
    ");
    let fork = plan(policy("mode: fix"), None, lacking_two().with(|r| r.fork = true));
    assert_eq!(fork.changes.len(), 2);
    // An archived repository is read-only, and a disabled one out of reach.
    for read_only in [lacking_two().with(|r| r.archived = true), lacking_two().with(|r| r.disabled = true)] {
        assert_eq!(plan(excluded.clone(), None, read_only).changes, []);
    }
    let own_file = plan(policy("mode: observe"), Some(Mode::Fix), lacking_two());
    insta::assert_snapshot!(own_file.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
    close pull request #5: the repository's own file wants none of it
    close issue #3: the repository's own file wants none of it
    ");
    // An organization that only observes has nothing written, not even this.
    assert_eq!(plan(policy("mode: observe"), None, lacking_two()).changes, []);
    let mut theirs = both();
    let Standing::Open(open) = &mut theirs.files else { panic!() };
    open.hands = Hands::Foreign;
    let case = Case { policy: excluded, outstanding: theirs, sample: lacking_two(), ..case() };
    assert_eq!(case.plan().changes.len(), 1, "the pull request is theirs");
}

#[test]
fn the_issue_is_edited_over_what_was_read_and_keeps_peoples_words() {
    let mut known =
        read_back(issue(3, &"license:missing readme:missing".parse::<FindingSet>().unwrap().hash()));
    let (first, last) = known.item.body.split_once("\n\n").unwrap();
    known.item.body =
        format!("{first}\r\n<!-- muster:human -->\r\nCounsel has it.\r\n<!-- /muster:human -->\r\n{last}");
    let outstanding = Outstanding { tracking: Standing::Open(Box::new(known.clone())), ..nothing() };
    let sample = || Sample::complete("agency/site").without("LICENSE");
    let plan = Case { outstanding, sample: sample(), ..case() }.plan();
    let Some(Change::EditIssue { before, body, .. }) = plan.changes.first() else { panic!("{plan}") };
    assert_eq!(*before, known.item.body);
    let body = body.for_operator();
    assert!(body.contains("<!-- muster:human -->\nCounsel has it.\n<!-- /muster:human -->\n"), "{body}");
    known.item.body = body.to_owned();
    let outstanding =
        Outstanding { tracking: Standing::Open(Box::new(read_back(known.item.clone()))), ..nothing() };
    assert_eq!(Case { outstanding, sample: sample(), ..case() }.printed(), "");
    // Words without end leave no room for ours.
    let long = "x".repeat(60_000);
    known.item.body = format!("<!-- muster:human -->\n{long}\n<!-- /muster:human -->\n{}", {
        identity().marker(Kind::Tracking, HERE, &FindingsHash("0".repeat(16)))
    });
    let outstanding = Outstanding { tracking: Standing::Open(Box::new(read_back(known.item))), ..nothing() };
    let full = Case { outstanding, sample: sample(), ..case() };
    assert_eq!(full.printed(), "would not edit the issue: what people wrote into its text leaves no room\n");
}

#[test]
fn due_carries_the_end_of_a_decline() {
    let until = now() + days(20);
    let declined = Declined { rule: RuleId::Contributing, gap: Some(Gap::Missing), until: Some(until) };
    let outstanding = Outstanding { declined: vec![declined], ..nothing() };
    assert_eq!(Case { outstanding, ..case() }.plan().due, Some(until));
}

#[test]
fn a_ticked_question_stays_ticked_and_a_draft_without_questions_is_ready() {
    let undescribed = || lacking_two().with(|r| r.description = None);
    let mut open = opened_for(undescribed(), &policy("mode: fix"));
    assert!(open.item.pull.as_ref().unwrap().draft);
    open.item.body = open.item.body.replace("- [ ] Say in README.md", "- [x] Say in README.md");
    let described = |open: OpenItem, sample| match about(open, sample).plan().changes.pop() {
        Some(Change::RefreshPullRequest(refresh)) => refresh.description,
        other => panic!("{other:?}"),
    };
    let kept = described(open.clone(), undescribed().file("CONTRIBUTING.md", "Write to us."));
    assert!(kept.body.for_operator().contains("- [x] Say in README.md"), "{:?}", kept.body);
    assert!(!kept.ready);
    let readme = undescribed().file("README.md", crate::domain::repository::testing::README);
    assert!(described(open, readme).ready);
}
