//! The table of all addresses.

use crate::frame::{Route, RouteRow};
use crate::page;

/// Every address there is, for sweeps over all of them.
#[must_use]
pub fn routes() -> Vec<RouteRow> {
    table().into_iter().map(|it| it.row).collect()
}

/// Every row with its handler. Each subject's rows stand at the top of its file under `page/`.
pub(crate) fn table() -> Vec<Route> {
    [
        page::accounts::rows(),
        page::app_passwords::rows(),
        page::applications::rows(),
        page::asset::rows(),
        page::connect::rows(),
        page::entrance::rows(),
        page::health::rows(),
        page::home::rows(),
        page::locations::rows(),
        page::outbox::rows(),
        page::people::rows(),
        page::security::rows(),
        page::theme::rows(),
        page::two_step::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;

    use super::*;
    use crate::frame::{Access, Kind};

    #[test]
    fn every_address_is_there_once() {
        let all: Vec<_> = routes().into_iter().map(|it| format!("{} {}", it.method, it.path)).collect();
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), different.len(), "{all:?}");
    }

    #[test]
    fn rows_say_what_fits_together() {
        for row in routes() {
            assert!(matches!(row.method, Method::GET | Method::POST), "{row:?}");
            assert!(
                row.kind != Kind::Plain || (row.access == Access::Public && row.method == Method::GET),
                "{row:?}"
            );
            assert!(
                !row.needs_proof || !matches!(row.access, Access::Public | Access::SecondStep),
                "{row:?}"
            );
            assert!(!row.opens_before_factor || !row.needs_proof, "{row:?}");
            assert!(row.path.starts_with('/') && !row.path.contains("//"), "{row:?}");
            assert!(row.path == "/" || !row.path.ends_with('/'), "{row:?}");
        }
    }
}
