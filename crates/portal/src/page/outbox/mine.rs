//! Which letters somebody may see: an administrator all of the organisation, an operator those of their own login.

use gatepost_core::{LARGEST_ID, LoginId, SubmissionId};
use gatepost_delivery::{Letters, SubmissionView};

use crate::frame::{App, Page, Problem, Signed};
use gatepost_identity::Target;

/// Whose letters a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mine {
    /// The organisation's.
    All,
    /// Those that came by this login.
    OfLogin(LoginId),
}

impl Mine {
    /// From outside the administration networks an administrator sees what is their own.
    pub(crate) async fn of(app: &App, page: &Page, signed: &Signed) -> Result<Self, Problem> {
        if page.rules() {
            return Ok(Self::All);
        }
        // Looking makes no login; without one nothing came by it.
        let target = Target::Person(signed.person().id);
        let login = app.rooms.identity.find_login_of(signed.organisation(), target).await?;
        Ok(Self::OfLogin(login.map_or_else(|| LoginId::from_uuid(LARGEST_ID), |it| it.id)))
    }

    /// The pages to turn; `is_open_enough` where letters that are done with need not be looked at.
    pub(crate) const fn letters(self, is_open_enough: bool) -> Letters {
        match self {
            Self::OfLogin(login) => Letters::OfLogin(login),
            Self::All if is_open_enough => Letters::Open,
            Self::All => Letters::All,
        }
    }

    /// The letter, if it is there and theirs: otherwise nobody learns which of the two.
    pub(crate) async fn find(
        self,
        app: &App,
        signed: &Signed,
        id: SubmissionId,
    ) -> Result<SubmissionView, Problem> {
        let (outbox, organisation) = (&app.rooms.outbox, signed.organisation());
        if let Self::OfLogin(login) = self
            && outbox.find_login(organisation, id).await? != Some(login)
        {
            return Err(Problem::NotFound);
        }
        outbox.show(organisation, id).await?.ok_or(Problem::NotFound)
    }
}
