//! The sandbox's phone as the portal knows it: a telephone on a web page, for those who try Gatepost without one.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use gatepost_core::SecretText;
use gatepost_portal::{PhoneAway, PretendPhone};
use gatepost_sandbox::give_phone;

/// At the sandbox's pages.
pub(super) struct SandboxPhone {
    pub(super) pages: SocketAddr,
}

impl PretendPhone for SandboxPhone {
    fn enrol<'a>(
        &'a self,
        uri: &'a SecretText,
    ) -> Pin<Box<dyn Future<Output = Result<(), PhoneAway>> + Send + 'a>> {
        Box::pin(async move {
            give_phone(self.pages, uri).await.map(drop).map_err(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "the pretend phone does not answer");
                PhoneAway
            })
        })
    }

    fn page(&self) -> String {
        format!("http://{}/phone", self.pages)
    }
}
