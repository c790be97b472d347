//! The sentences of issues, pull requests and the files they add.

/// Who writes, and why: the first lines of a pull request with files.
pub const FILES_OPENING: &str = "Muster checks your repository for the agency's open source office. \
    This pull request adds files that are missing here.";
/// The first lines of a pull request with a license.
pub const LICENSE_OPENING: &str = "Muster checks your repository for the agency's open source office. \
    No license was found here, so nobody knows whether they may use your code.";
/// The first lines of the tracking issue.
pub const TRACKING_OPENING: &str = "Muster checks your repository for the agency's open source office. \
    This list shows what is still missing.";
/// Before the link to the policy.
pub const POLICY_ASKS: &str = "Your agency asks for them in its ";
/// The label of that link.
pub const POLICY_LABEL: &str = "open source policy";
/// Where the reader cannot open the policy.
pub const POLICY_UNLINKED: &str = "Your agency asks for them in its open source policy.";
/// Before questions that a person has to answer.
pub const QUESTIONS: &str = "Please answer these before you merge:";
/// The README has no description yet.
pub const QUESTION_PURPOSE: &str = "Say in README.md what the software does. The file marks the place.";
/// The license text has a place for the holder.
pub const QUESTION_HOLDER: &str = "Fill in the copyright holder in LICENSE.";
/// The file has gaps.
pub const QUESTION_FIELDS: &str = "Add the fields of code.json that are still missing.";
/// Who wrote the code decides which license is right.
pub const QUESTION_ORIGIN: &str = "Say who wrote the code, since the right license depends on it:";
/// Federal employees (17 U.S.C. 105).
pub const ORIGIN_EMPLOYEES: &str = "Federal employees: the code is in the public domain in the United States. CC0 or a permissive license works abroad.";
/// A contractor.
pub const ORIGIN_CONTRACTOR: &str =
    "A contractor: the license must fit the rights your contract gave the agency.";
/// Both.
pub const ORIGIN_MIXED: &str = "Both: please ask your agency's counsel before you merge.";
/// How to say no to a pull request.
pub const DECLINE_PULL_REQUEST: &str =
    "You do not want this? Close this pull request. Muster will not open it again for a year.";
/// How to say no to the tracking issue.
pub const DECLINE_ISSUE: &str =
    "You do not want this? Close this issue. Muster will not raise these findings again for 180 days.";
/// A decline silences and turns nothing green.
pub const DECLINE_MEANS: &str = "Your open source office will still see the findings as open.";
/// Muster never touches a branch that people use.
pub const COMMITS_WELCOME: &str = "You can commit to this branch; from then on Muster leaves it to you.";
/// Before the contact.
pub const CONTACT: &str = "Questions? Write to ";
/// The table of the tracking issue.
pub const TABLE_HEAD: &str = "| Check | Result | What to do |\n|---|---|---|\n";
/// The table of a pull request.
pub const FILES_TABLE_HEAD: &str = "| File | Why |\n|---|---|\n";
/// A finding that a pull request of ours answers, be it open or soon to be.
pub const ANSWERED: &str = "Muster adds it by pull request.";
/// The label of the link to a new file that Muster may not propose.
pub const OFFERED: &str = "Add this file";
/// The label of the link where the file is there and has to change.
pub const OFFERED_CHANGE: &str = "Change this file";
/// After that link.
pub const OFFERED_BELOW: &str = ". The text is below.";
/// Before the texts of files that Muster may not propose.
pub const OFFERED_WHY: &str =
    "Muster may not open a pull request for these files. So here are their texts; change them as you like.";
/// In place of the text of a file that would fill the issue.
pub const OFFERED_TOO_LONG: &str =
    "This text is too long for an issue. Your open source office can send it to you.";
/// Before the questions about these files.
pub const QUESTIONS_OFFERED: &str = "Please answer these when you add the files:";

/// A pull request is closed: all that it adds is there.
pub const CLOSED_DONE: &str = "Nothing that this adds is missing any more, so Muster closes it.";
/// A pull request is closed: it expired.
pub const CLOSED_EXPIRED: &str =
    "Nobody has touched this for 90 days, so Muster closes it. It may ask you once more in half a year.";
/// A pull request is closed: it expired twice.
pub const CLOSED_EXPIRED_AGAIN: &str =
    "Nobody has touched this for 90 days, so Muster closes it. It will not ask you again.";
/// A pull request is closed: the policy changed.
pub const CLOSED_WITHDRAWN: &str = "Your policy does not ask for this any more, so Muster closes it.";
/// Something is closed: the policy leaves the repository out.
pub const CLOSED_OUT_OF_SCOPE: &str = "Your policy leaves this repository out now, so Muster closes this.";
/// Something is closed: the repository's own file lowers the mode.
pub const CLOSED_OPTED_OUT: &str = "Your file .github/muster.yml asks for less now, so Muster closes this.";

/// The folded part.
pub const ALREADY_FINE: &str = "Already fine";

/// In a README without a description.
pub const README_PURPOSE_ASKED: &str =
    "*Please say here in a few sentences what this software does and whom it serves.*";
/// Before the address of the issues.
pub const ASK_IN_ISSUES: &str =
    "Do you have a question, or did you find a problem? Please look through the issues, or open one:";
/// Before a mail address.
pub const ASK_BY_MAIL: &str = "Do you have a question, or did you find a problem? Please write to";
/// Where nothing else is known.
pub const ASK_THE_TEAM: &str =
    "Do you have a question, or did you find a problem? Please ask the team that works here.";
/// Before the ids of the licenses.
pub const LICENSE_LINE: &str = "You may use this software under";
/// Where no license was identified.
pub const LICENSE_LINE_UNKNOWN: &str = "Please see the license file for the terms of use.";

/// The opening of a contribution file.
pub const CONTRIBUTING_WELCOME: &str =
    "Thank you for helping! This page shows how you can report a problem or send a change.";
/// Security problems are not for the public.
pub const CONTRIBUTING_SECURITY: &str = "Did you find a security problem? Please do not report it in public. Use the Security tab of this repository.";
/// The first step.
pub const CONTRIBUTING_STEP_FORK: &str = "Fork this repository, or make a branch if you can write to it.";
/// The second step.
pub const CONTRIBUTING_STEP_CHANGE: &str = "Make one change, and add a test that shows it works.";
/// The third step; the branch follows.
pub const CONTRIBUTING_STEP_OPEN: &str = "Open a pull request that says what you changed and why, against";
/// Contributions to a work under CC0.
pub const CONTRIBUTION_CC0: &str = "This project is in the public domain in the United States. \
    Elsewhere the CC0 1.0 Universal dedication applies. You release your contributions in the same way.";
/// Before the ids of the licenses.
pub const CONTRIBUTION_LICENSE: &str = "You offer your contributions under the license of this project,";
/// Where no license was identified.
pub const CONTRIBUTION_UNKNOWN: &str =
    "You offer your contributions under the terms of the license file of this project.";

/// The pull request that proposes an inventory.
pub mod inventory {
    /// Who opens it, and why.
    pub const WHY: &str =
        "Muster keeps the inventory of the agency's source code. Merge this to publish what has changed.";
    /// The same of a commit that nobody has to merge.
    pub const WHY_COMMIT: &str =
        "Muster keeps the inventory of the agency's source code. This commit publishes what has changed.";
    /// The head of the table of sums.
    pub const TABLE: &str = "| State | Repositories |\n|---|---|\n";
    /// With an entry.
    pub const LISTED: &str = "Listed";
    /// Without one until somebody fills in a field.
    pub const INCOMPLETE: &str = "Incomplete";
    /// By the law.
    pub const EXEMPT: &str = "Exempt";
    /// By the policy.
    pub const EXCLUDED: &str = "Excluded by rule";
    /// Not the code that the law means.
    pub const OUT_OF_SCOPE: &str = "Out of scope";
    /// Not to be read.
    pub const UNKNOWN: &str = "Could not be read";
    /// The sum.
    pub const ALL: &str = "All";
    /// Fewer than may be told.
    pub const FEW_HIDDEN: &str = "Fewer than 5 repositories that are not public are not in this table.\n\n";
    /// Before their number.
    pub const HIDDEN_BEFORE: &str = "Besides, ";
    /// After it.
    pub const HIDDEN_AFTER: &str = " repositories are not public.\n\n";
    /// What git keeps.
    pub const HISTORY: &str = "The history of this repository keeps every version that you merge.";
    /// The same of a commit.
    pub const HISTORY_COMMIT: &str = "The history of this repository keeps every version.";
    /// How to say no.
    pub const CLOSE: &str =
        "Close this pull request to decline it. It comes back when something else changes.";
    /// Why it is closed.
    pub const STANDS: &str = "The default branch has these files now, so nothing is left to merge.";
}

/// The pull request about `code.json`.
pub mod own_file {
    /// The first lines where there is none.
    pub const OPENING_NEW: &str = "Muster checks your repository for the agency's open source office. \
        This pull request adds a code.json, which puts your code in the agency's inventory.";
    /// The first lines where it is mended.
    pub const OPENING: &str = "Muster checks your repository for the agency's open source office. \
        This pull request brings your code.json up to date. All else in the file stays as it is.";
    /// Before the link to the policy.
    pub const POLICY_ASKS: &str = "Your agency asks for the file in its ";
    /// Where the reader cannot open the policy.
    pub const POLICY_UNLINKED: &str = "Your agency asks for the file in its open source policy.";
    /// Before the fields that it sets.
    pub const SETS: &str = "It sets ";
    /// Before the fields that it takes from the policy.
    pub const DEFAULTS: &str = "Your agency's defaults are used for ";
    /// What to do about them.
    pub const DEFAULTS_CHANGE: &str = "Please check that they are right for you.";
    /// How to answer.
    pub const HOW: &str = "Edit this text to answer: tick one box, or write on the line. \
        Muster puts your answers into the file if you can write here.";
    /// Before the fields that are asked for later.
    pub const LATER: &str = "Muster will ask for these next: ";
    /// Before the fields that a person has to fill in, where nothing can be
    /// answered.
    pub const FILL_IN: &str = "Fill in ";
    /// Where a question's place begins; the field's pointer follows.
    pub const ANCHOR: &str = "<!-- muster:ask ";
    /// After that pointer.
    pub const ANCHOR_ENDS: &str = " -->";
    /// Where a question's place ends.
    pub const ANSWERED: &str = "<!-- /muster:ask -->";

    /// Who wrote it decides which license is right.
    pub const ASK_LICENSE: &str = "**Who wrote the code?** Its license depends on that.";
    /// 17 U.S.C. 105.
    pub const BY_EMPLOYEES: &str =
        "Federal employees: public domain in the United States; CC0-1.0 abroad, or the license below";
    /// What the contract gave.
    pub const BY_CONTRACTOR: &str = "A contractor: under the license below, which fits the contract";
    /// Counsel decides.
    pub const BY_BOTH: &str = "Both: we ask our counsel first";
    /// The label of the line.
    pub const LINE_LICENSE: &str = "License (SPDX identifier):";
    /// Where the software stands.
    pub const ASK_STATUS: &str = "**How far is the software?**";
    /// Who may use it. An exemption is no choice here.
    pub const ASK_USAGE: &str =
        "**Who may use the code?** If a law exempts it, ask your open source office instead.";
    /// `openSource`.
    pub const USE_BY_ALL: &str = "Everyone, as open source";
    /// `governmentWideReuse`.
    pub const USE_BY_AGENCIES: &str = "Federal agencies only";
    /// Who keeps it up.
    pub const ASK_MAINTENANCE: &str = "**Who maintains the code?**";
    /// `internal`.
    pub const KEPT_BY_EMPLOYEES: &str = "Federal employees";
    /// `contract`.
    pub const KEPT_BY_CONTRACTOR: &str = "A contractor";
    /// `community`.
    pub const KEPT_BY_COMMUNITY: &str = "A community outside the agency";
    /// `none`.
    pub const KEPT_BY_NOBODY: &str = "Nobody";
    /// Whom people write to.
    pub const ASK_CONTACT: &str = "**Whom can people write to?** The address will be public.";
    /// The label of the line.
    pub const LINE_CONTACT: &str = "Contact e-mail:";
    /// Which part of the agency.
    pub const ASK_ORGANIZATION: &str = "**Which part of the agency owns the code?**";
    /// The label of the line.
    pub const LINE_ORGANIZATION: &str = "Organization:";
    /// SHARE IT Act §2(5)(ii).
    pub const ASK_CONTRACT: &str = "**Was it written under a contract?** Give the numbers, or write none.";
    /// The label of the line.
    pub const LINE_CONTRACT: &str = "Contract numbers:";
    /// OMB M-25-21.
    pub const ASK_AI: &str = "**Is it an AI use case?** Give its number in your agency's list; 0 means no.";
    /// The label of the line.
    pub const LINE_AI: &str = "AI use case:";
    /// In one or two sentences.
    pub const ASK_DESCRIPTION: &str = "**What does the software do?** Say it in one or two sentences.";
    /// The label of the line.
    pub const LINE_DESCRIPTION: &str = "Description:";
    /// M-16-21.
    pub const ASK_HOURS: &str = "**How many hours of work went into it?** An estimate will do.";
    /// The label of the line.
    pub const LINE_HOURS: &str = "Hours:";
    /// SHARE IT Act §3(d)(2)(A)(iii).
    pub const ASK_FEEDBACK: &str = "**Where can people report a problem?** Give a web address.";
    /// The label of the line.
    pub const LINE_FEEDBACK: &str = "Web address:";

    /// A box that is none of ours.
    pub const NOT_A_CHOICE: &str = "This is none of the choices. Please tick one of the boxes.";
    /// Several boxes.
    pub const ONE_ONLY: &str = "More than one box is ticked. Please leave one.";
    /// A novel.
    pub const TOO_LONG: &str = "This answer is too long. Please write at most 300 characters.";
    /// What may hide or act.
    pub const ODD_CHARACTERS: &str =
        "This answer has characters that may hide something. Please write plain text.";
    /// Not `name@host`.
    pub const NOT_AN_ADDRESS: &str = "This is not an e-mail address. Please check it.";
    /// Not digits.
    pub const NOT_A_NUMBER: &str = "This is not a whole number. Please write digits only.";
    /// Not a contract number.
    pub const NOT_A_CODE: &str = "Please use letters, digits, and the signs - _ . / only.";
    /// Not https.
    pub const NOT_A_LINK: &str = "Please give an address that begins with https.";
    /// A line without a box.
    pub const WHO_WROTE_IT: &str = "Please also tick who wrote the code.";
    /// Both.
    pub const ASK_COUNSEL: &str = "Please come back to this when your counsel has answered.";
    /// A contractor, and no license.
    pub const WHICH_LICENSE: &str = "Please name the license on the line.";
    /// No license of that name.
    pub const NOT_A_LICENSE: &str = "This is no license that Muster knows. Please write its SPDX identifier.";
    /// Not on the list.
    pub const NOT_ALLOWED: &str =
        "Your agency's policy does not allow this license. Ask your open source office.";
    /// By somebody who may not write.
    pub const NOT_HEARD: &str =
        "Only an answer from someone who can write here counts. If you can, please answer again.";
}

/// The digest issue.
pub mod digest {
    /// For whom it is.
    pub const OPENING: &str =
        "Muster keeps this issue for your open source office. It says what a person has to look at.";
    /// Nobody has to do anything.
    pub const NOTHING: &str = "Nothing needs you now.";
    /// Before the list.
    pub const NEEDS: &str = "This needs you:";
    /// The policy.
    pub const POLICY_REFUSED: &str =
        "Your policy file has an error, so it is not in force as it stands. Mend it by a pull request.";
    /// The register.
    pub const REGISTER_REFUSED: &str =
        "Your exemption file could not be used, so the last good one holds. `muster audit` says why.";
    /// The App.
    pub const PERMISSIONS: &str = "An owner has to grant Muster more rights. What needs them waits:";
    /// The inventory.
    pub const INVENTORY_REFUSED: &str =
        "The inventory was not published anew, so the last good file stands. `muster audit` says why.";
    /// Its repository.
    pub const NOT_KEPT: &str =
        "The inventory is not in its repository as your policy asks. `muster doctor` says why:";
    /// A hand in it.
    pub const EDITED: &str =
        "Somebody has edited the inventory in its repository. Muster leaves that as it is:";
    /// The import.
    pub const IMPORT_REFUSED: &str =
        "The file that `inventory.import` names could not be used. `muster audit` says why.";
    /// What everybody gets.
    pub const NOT_AS_PUBLISHED: &str =
        "The public gets another file than Muster has published. `muster doctor` says more:";
    /// The rollout.
    pub const APPROVAL: &str = "Your policy asks for many issues and pull requests. They wait for your word. `muster plan` says how many:";
    /// SHARE IT Act §4(b).
    pub const REPORT_DUE: &str = "OMB wants the report on exemptions by 31 December. Make it with";
    /// Exemptions.
    pub const REQUESTED: &str = "Somebody asks for an exemption. Please decide:";
    /// Their approval.
    pub const UNCONFIRMED: &str =
        "These exemptions do not count yet, since Muster could not see who approved them:";
    /// Their end.
    pub const ENDING: &str = "These exemptions end soon, or have ended. Renew them, or take them out:";
    /// Made public.
    pub const MADE_PUBLIC: &str =
        "This code was made public, and nobody has recorded why. Check rights, secrets and personal data:";
    /// A lost key.
    pub const UNREADABLE: &str =
        "Muster opened these, but cannot read its mark in them. So it opens nothing beside them:";
    /// Before the number of those that are not named.
    pub const MORE_BEFORE: &str = "And ";
    /// After it.
    pub const MORE_AFTER: &str = " more.";
    /// Fewer than may be told.
    pub const FEW_HIDDEN: &str = "Fewer than 5 are not shown here, since not all readers may see them.";
    /// Before their number.
    pub const HIDDEN_BEFORE: &str = "There are ";
    /// After it.
    pub const HIDDEN_AFTER: &str = " more that not all readers may see.";
    /// Before the Monday.
    pub const WEEK: &str = "Muster looked in the week of ";
    /// What if it does not come.
    pub const SILENT: &str =
        "If that is more than two weeks ago, Muster has stopped. Tell the people who run it.";
    /// How to be rid of it.
    pub const CLOSE: &str = "Close this issue to stop it. Open it again to get it back.";
    /// Why it is closed.
    pub const MOVED: &str =
        "Your policy keeps this list in another repository now, so Muster closes this one.";
}
