//! Check runs: one is made whole, and what does not fit is added to it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Result, Writer, needs};
use crate::{
    domain::{
        check::{Annotation, NAME, Verdict},
        repository::ObjectId,
    },
    github::needs::CHECKING,
};
use code_json::check::Severity;

/// The most annotations that GitHub takes in one request (GitHub documentation,
/// "REST API endpoints for check runs", `output.annotations`).
pub const ANNOTATIONS_A_CALL: usize = 50;

impl Writer {
    /// Makes a check run that is completed from the start, so that none is ever
    /// left under way, with the first annotations of the verdict; its id.
    ///
    /// # Errors
    /// [`Error`](super::Error).
    pub async fn create_check_run(
        &self,
        head: &ObjectId,
        external_id: &str,
        verdict: &Verdict,
    ) -> Result<u64> {
        #[derive(Deserialize)]
        struct Made {
            id: u64,
        }
        let first = verdict.annotations.len().min(ANNOTATIONS_A_CALL);
        let body = json!({
            "name": NAME,
            "head_sha": head.as_str(),
            "external_id": external_id,
            "status": "completed",
            "conclusion": verdict.conclusion.as_str(),
            "output": self.output(verdict, &verdict.annotations[..first])?,
        });
        let made: Made = self.rest(&needs::CREATE_CHECK_RUN, &[], &body, CHECKING).await?;
        Ok(made.id)
    }

    /// Adds annotations to a check run, [`ANNOTATIONS_A_CALL`] at most.
    ///
    /// # Errors
    /// [`Error`](super::Error).
    pub async fn annotate(&self, run: u64, verdict: &Verdict, annotations: &[Annotation]) -> Result<()> {
        let body = json!({ "output": self.output(verdict, annotations)? });
        self.rest(&needs::UPDATE_CHECK_RUN, &[&run.to_string()], &body, CHECKING).await.map(|_: Value| ())
    }

    fn output(&self, verdict: &Verdict, annotations: &[Annotation]) -> Result<Value> {
        let annotations = annotations.iter().map(|annotation| self.annotation(annotation));
        Ok(json!({
            "title": verdict.title.as_str(),
            "summary": self.guarded(&verdict.summary)?,
            "annotations": annotations.collect::<Result<Vec<Value>>>()?,
        }))
    }

    fn annotation(&self, annotation: &Annotation) -> Result<Value> {
        let level = match annotation.severity {
            Severity::Error => "failure",
            Severity::Warning => "warning",
            Severity::Hint => "notice",
        };
        Ok(json!({
            "path": annotation.file.path(),
            "start_line": annotation.line,
            "end_line": annotation.line,
            "annotation_level": level,
            "title": annotation.title,
            "message": self.guarded(&annotation.message)?,
        }))
    }
}
