//! Who may have a page.

/// Who a row of the table is for. What happens to anybody else stands in docs/decisions/0010.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Someone between password and second step.
    SecondStep,
    /// Any person who is signed in; an administrator only with two-step verification on.
    Signed,
    /// Signed in, also before two-step verification and the organisation's name are there: the pages that set them up.
    Enrolling,
    /// An administrator, from the administration networks. Anybody else who is signed in finds nothing there.
    Administrator,
}
