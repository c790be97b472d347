//! Labels, and on what they are.

use serde_json::json;

use super::{
    super::{Caller, Refusal, RepositoryId, Role, Scope, State},
    Label, Labeled,
};

impl State {
    /// Makes a label; returns its id.
    ///
    /// # Errors
    /// `Invalid` when the name is empty or taken; people need write.
    pub fn create_label(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
        color: &str,
        description: Option<String>,
    ) -> Result<u64, Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        let home = self.writable(repository)?;
        if name.trim().is_empty() {
            return Err(Refusal::invalid("Label", "name", "missing_field"));
        }
        if home.label_named(name).is_some() {
            return Err(Refusal::invalid("Label", "name", "already_exists"));
        }
        let id = self.next_id();
        let label = Label { id, name: name.to_owned(), color: color.to_lowercase(), description };
        self.repository_mut(repository)?.labels.insert(id, label.clone());
        let body = json!({ "label": self.label_json(self.repository(repository)?, &label) });
        self.emit(caller, Scope::Repository(repository), "label", Some("created"), body);
        Ok(id)
    }

    /// The ids of labels by name; missing ones are made, in GitHub's grey.
    pub(super) fn label_ids(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        names: &[String],
    ) -> Result<Vec<u64>, Refusal> {
        let mut ids = Vec::new();
        for name in names {
            let known = self.repository(repository)?.label_named(name).map(|label| label.id);
            let id = match known {
                Some(id) => id,
                None => self.create_label(caller, repository, name, "ededed", None)?,
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    pub(super) fn set_labels(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        wanted: Vec<u64>,
    ) -> Result<(), Refusal> {
        let (now, by) = (self.now(), self.actor(caller)?);
        let issue = self.issue_mut(repository, number)?;
        let had = std::mem::replace(&mut issue.labels, wanted.clone());
        if had != wanted {
            issue.updated_at = now;
        }
        let new = wanted.iter().filter(|label| !had.contains(label));
        issue.labeled.extend(new.map(|label| Labeled { label: *label, at: now, by }));
        for label in had.iter().filter(|label| !wanted.contains(label)) {
            self.emit_labeled(caller, repository, number, "unlabeled", *label)?;
        }
        for label in wanted.iter().filter(|label| !had.contains(label)) {
            self.emit_labeled(caller, repository, number, "labeled", *label)?;
        }
        Ok(())
    }

    /// Puts labels on an issue or pull request.
    ///
    /// # Errors
    /// `NotFound`, `Archived`; people need triage.
    pub fn add_labels(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        names: &[String],
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Triage)?;
        self.writable(repository)?;
        let mut wanted = self.issue(repository, number)?.labels.clone();
        for id in self.label_ids(caller, repository, names)? {
            if !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        self.set_labels(caller, repository, number, wanted)
    }

    /// Takes a label off an issue or pull request.
    ///
    /// # Errors
    /// `NotFound` when it is not on it; people need triage.
    pub fn remove_label(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        name: &str,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Triage)?;
        let label = self.writable(repository)?.label_named(name).map(|label| label.id);
        let mut wanted = self.issue(repository, number)?.labels.clone();
        let at = wanted.iter().position(|id| Some(*id) == label).ok_or(Refusal::NotFound)?;
        wanted.remove(at);
        self.set_labels(caller, repository, number, wanted)
    }

    fn emit_labeled(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        action: &'static str,
        label: u64,
    ) -> Result<(), Refusal> {
        let home = self.repository(repository)?;
        let label = home.labels.get(&label).map(|label| self.label_json(home, label));
        self.emit_issue(caller, repository, number, action, json!({ "label": label }))
    }
}
