//! The webhook's way in: a delivery is verified before anything else becomes
//! of it.
//!
//! Promises: (1) nothing becomes of a body that is not signed with one of our
//! secrets; (2) nothing of a header, body or signature is logged.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::{
    github::webhook::{Authentic, Delivery, Secret, Signature},
    jobs::intake::{Intake, LARGE, NotTaken, Taken},
};

/// Takes signed deliveries in.
#[derive(Debug, Clone)]
pub struct Receiver {
    intake: Intake,
    secrets: Arc<[Secret]>,
}

impl Receiver {
    /// A receiver that believes `secrets`.
    #[must_use]
    pub fn new(intake: Intake, secrets: Vec<Secret>) -> Receiver {
        Receiver { intake, secrets: secrets.into() }
    }

    /// What becomes of those it believes.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Verifies `body`, and hands it on; returns after the commit.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing of it is stored then.
    pub async fn take(
        &self,
        delivery: Delivery,
        signature: Signature,
        body: Bytes,
    ) -> Result<Taken, NotTaken> {
        let verified = if body.len() > LARGE {
            let secrets = Arc::clone(&self.secrets);
            spawn_blocking(move || Authentic::signed(delivery, &signature, &secrets, body)).await?
        } else {
            Authentic::signed(delivery, &signature, &self.secrets, body)
        };
        match verified {
            Ok(delivery) => self.intake.take(delivery).await,
            Err(rejection) => {
                self.intake.refused();
                Err(rejection.into())
            }
        }
    }
}
