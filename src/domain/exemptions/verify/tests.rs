use super::*;
use crate::domain::exemptions::Register;

const ALICE: u64 = 1; // asks
const OTTO: u64 = 2; // opens the pull request
const CAROL: u64 = 3; // owns the file
const MARTIN: u64 = 4; // merges

const ENTRY: &str = "exemptions:\n- {id: 7, usage: exemptByFOIA, reason: Yes, requested_by: 1, approved_by: 9, role: cio, applied_from: 2026-03-02}\n";
const OTHER: &str = "exemptions:\n- {id: 8, usage: exemptByFOIA, reason: Yes, requested_by: 1}\n";

fn oid(digit: char) -> ObjectId {
    std::iter::repeat_n(digit, 40).collect::<String>().parse().unwrap()
}

fn person(id: u64) -> Person {
    let login = ["", "alice", "otto", "carol", "martin"][id as usize];
    Person { id: AccountId(id), login: login.to_owned() }
}

fn review(by: u64, verdict: Verdict, at: char) -> Review {
    Review { by: person(by), verdict, commit: Some(oid(at)) }
}

/// Otto opened it, Carol approved its head, Martin merged it.
fn merge(owners: &str) -> Merge {
    Merge {
        number: 5,
        author: Some(person(OTTO)),
        merged_by: Some(person(MARTIN)),
        head: oid('b'),
        commit: oid('c'),
        reviews: vec![review(CAROL, Verdict::Approved, 'b')],
        files: Some(vec![PATH.to_owned()]),
        owners: if owners.is_empty() { Before::Absent } else { Before::Text(owners.to_owned()) },
    }
}

fn entry() -> Exemption {
    Register::parse(ENTRY, &Place::private()).unwrap().exemptions.remove(0)
}

/// What is said of the entry, if `merge` brought it; Carol can write, and
/// Martin maintains.
fn told(merge: Merge, rights: &[(u64, Right)]) -> String {
    let change = Change { commit: oid('c'), merge: Some(merge), before: Before::Absent };
    let standing = [(CAROL, Right::Write), (MARTIN, Right::Maintain)];
    let rights = standing.iter().chain(rights).map(|(id, right)| (AccountId(*id), *right)).collect();
    match approval(&entry(), &change, &rights) {
        Ok(proof) => format!("{} {:?}", proof.by, proof.way),
        Err(why) => why,
    }
}

#[test]
fn a_code_owner_approved_the_merged_head() {
    const OWNED: &str = "* @carol\n";
    let no = "no code owner who can still write, and neither opened pull request #5 nor asks for the exemption, approved its last commit";
    let with = |reviews: Vec<Review>| Merge { reviews, ..merge(OWNED) };
    assert_eq!(told(merge(OWNED), &[]), "3 CodeOwner");
    assert_eq!(told(merge("* @CAROL @martin"), &[]), "3 CodeOwner");
    assert_eq!(told(merge(OWNED), &[(CAROL, Right::Less)]), no, "a departed owner");
    assert_eq!(told(with(vec![]), &[]), no, "merged by a maintainer without a review");
    assert_eq!(told(with(vec![review(CAROL, Verdict::Approved, 'a')]), &[]), no, "a stale approval");
    assert_eq!(told(with(vec![Review { commit: None, ..review(CAROL, Verdict::Approved, 'b') }]), &[]), no);
    assert_eq!(told(with(vec![review(MARTIN, Verdict::Approved, 'b')]), &[]), no, "no owner");
    let taken_back = vec![review(CAROL, Verdict::Approved, 'b'), review(CAROL, Verdict::Withheld, 'b')];
    assert_eq!(told(with(taken_back), &[]), no);
    let said_more = vec![review(CAROL, Verdict::Approved, 'b'), review(CAROL, Verdict::Silent, 'b')];
    assert_eq!(told(with(said_more), &[]), "3 CodeOwner");
    let own = Merge { author: Some(person(CAROL)), ..merge(OWNED) };
    assert_eq!(told(own, &[]), no, "approved by who opened it");
    let asks = Merge { reviews: vec![review(ALICE, Verdict::Approved, 'b')], ..merge("* @alice") };
    assert_eq!(told(asks, &[(ALICE, Right::Maintain)]), no, "approved by who asks for it");
}

#[test]
fn who_decides_who_approves_does_not_approve_alone() {
    for path in [".github/CODEOWNERS", "CODEOWNERS", "docs/codeowners"] {
        let files = Some(vec![PATH.to_owned(), path.to_owned()]);
        assert!(told(Merge { files, ..merge("* @carol") }, &[]).contains("changes CODEOWNERS too"), "{path}");
    }
    assert!(told(Merge { files: None, ..merge("* @carol") }, &[]).contains("too many files"));
    assert!(told(Merge { owners: Before::Unread, ..merge("") }, &[]).contains("cannot be read"));
}

#[test]
fn a_team_is_answered_for_by_somebody_who_maintains() {
    for owners in ["* @agency/ospo", "* ospo@agency.example"] {
        assert!(told(merge(owners), &[]).starts_with("the code owner is a team or an address"), "{owners}");
        assert_eq!(told(merge(owners), &[(CAROL, Right::Maintain)]), "3 Maintainer");
        let own = Merge { author: Some(person(CAROL)), ..merge(owners) };
        assert!(told(own, &[(CAROL, Right::Maintain)]).starts_with("no code owner"));
    }
    assert_eq!(told(merge("* @agency/ospo @carol"), &[]), "3 CodeOwner");
}

#[test]
fn without_an_owner_the_merger_answers_for_it() {
    for owners in ["", "docs/ @carol", "* @carol\n/muster-exemptions.yml"] {
        assert_eq!(told(merge(owners), &[]), "4 Merger", "{owners}");
    }
    assert!(told(merge(""), &[(MARTIN, Right::Write)]).contains("without the role maintain"));
    let own = Merge { merged_by: Some(person(ALICE)), ..merge("") };
    assert!(told(own, &[(ALICE, Right::Maintain)]).contains("merged by who asks"));
    assert!(told(Merge { merged_by: None, ..merge("") }, &[]).contains("does not say which person"));
}

#[test]
fn an_entry_counts_by_the_change_that_brought_it() {
    let change = |digit, before| Change { commit: oid(digit), merge: None, before };
    let text = |text: &str| Before::Text(text.to_owned());
    let from = |changes: &[Change]| {
        let read: Vec<Read> = changes.iter().map(Read::of).collect();
        origin(&entry(), &read).map(|found| found.map(|change| change.commit.short().to_owned()))
    };
    let (a, b) = ("aaaaaaa".to_owned(), "bbbbbbb".to_owned());
    assert_eq!(from(&[change('a', text(OTHER)), change('b', Before::Absent)]), Ok(Some(a)));
    // The newest change is about something else, so its review says nothing.
    assert_eq!(from(&[change('a', text(ENTRY)), change('b', text(OTHER))]), Ok(Some(b.clone())));
    let spelled_otherwise = ENTRY.replace("{id: 7, ", "{").replace("}", ", id: 7}");
    assert_eq!(from(&[change('a', text(&spelled_otherwise)), change('b', Before::Absent)]), Ok(Some(b)));
    assert_eq!(from(&[change('a', text(ENTRY))]), Ok(None), "an earlier one brought it");
    for unread in [Before::Unread, text("exemptions: 7")] {
        assert!(from(&[change('a', unread)]).unwrap_err().contains("cannot be read"));
    }
    let pushed = change('a', Before::Absent);
    let why = approval(&entry(), &pushed, &BTreeMap::new()).unwrap_err();
    assert!(why.starts_with("commit aaaaaaa came without a merged pull request"), "{why}");
}

#[test]
fn the_rights_of_those_are_asked_for_who_could_have_approved() {
    let changes = [Change { commit: oid('c'), merge: Some(merge("")), before: Before::Absent }];
    let asked: Vec<u64> = people(&changes).into_iter().map(|person| person.id.0).collect();
    assert_eq!(asked, [CAROL, MARTIN]);
}
