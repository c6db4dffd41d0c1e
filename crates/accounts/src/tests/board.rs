//! The board: whose accounts somebody sees, in which order, a page at a time.

use gatepost_core::{LocationId, PersonId};
use gatepost_testkit::on_both_engines;

use super::*;

on_both_engines!(
    ROOMS;
    the_board_shows_those_that_need_a_person_first_a_page_at_a_time,
    a_person_sees_what_serves_them_and_what_their_letters_leave_by,
    the_defaults_of_an_account_are_told,
);

async fn add(it: &Fixture, name: &str, serves: Serves) -> MailAccountId {
    let account = other(it.organisation, &format!("{name}@example.org"));
    it.accounts.add(NewAccount { short_name: name.into(), serves, ..account }).await.unwrap().id
}

async fn names(it: &Fixture, shown: Shown<'_>) -> Vec<String> {
    let board = it.accounts.board(it.organisation, shown).await.unwrap();
    board.entries.into_iter().map(|it| it.account.short_name).collect()
}

fn all(find: &str) -> Shown<'_> {
    Shown { whose: View::All, find, page: 1, per_page: 50 }
}

async fn the_board_shows_those_that_need_a_person_first_a_page_at_a_time(it: TestStore) {
    let it = Fixture::new(it).await;
    for name in ["zeta", "Beta", "alpha", "gone"] {
        add(&it, name, Serves::Organisation).await;
    }
    let find = async |name: &str| {
        it.accounts.find(it.organisation, &address(&format!("{name}@example.org"))).await.unwrap().unwrap().id
    };
    it.accounts.remove(it.organisation, find("gone").await, Actor::Command).await.unwrap();
    it.accounts.pause(it.organisation, find("Beta").await, Actor::Command).await.unwrap();
    it.advance(1);
    it.report(refused()).await;
    assert_eq!(names(&it, all("")).await, ["Reception", "Beta", "alpha", "zeta"]);
    assert_eq!(names(&it, all(" ALPH ")).await, ["alpha"]);
    assert_eq!(names(&it, all("nobody")).await, [""; 0]);
    let board = it.accounts.board(it.organisation, all("nobody")).await.unwrap();
    assert_eq!((board.page, board.n_pages, board.tally.n()), (1, 1, 4), "the search leaves the count alone");
    let tally = board.tally;
    assert_eq!(tally.of(StatusName::NeedsSignIn), 1);
    assert_eq!(tally.of(StatusName::Paused), 1);
    assert_eq!(tally.of(StatusName::Unchecked), 2);
    assert_eq!(tally.of(StatusName::Connected), 0);
    for (page, want) in
        [(0, vec!["Reception", "Beta", "alpha"]), (2, vec!["zeta"]), (usize::MAX, vec!["zeta"])]
    {
        assert_eq!(names(&it, Shown { page, per_page: 3, ..all("") }).await, want, "{page}");
    }
}

async fn a_person_sees_what_serves_them_and_what_their_letters_leave_by(it: TestStore) {
    let it = Fixture::new(it).await;
    let (anna, bert) = (PersonId::new(&it.it.world), PersonId::new(&it.it.world));
    let north = LocationId::new(&it.it.world);
    add(&it, "anna", Serves::Person(anna)).await;
    add(&it, "north", Serves::Location(north)).await;
    let seen = async |id, home| {
        let mut seen = names(&it, Shown { whose: View::Person { id, home }, ..all("") }).await;
        seen.sort_unstable();
        seen
    };
    assert_eq!(seen(anna, None).await, ["anna"]);
    assert_eq!(seen(bert, None).await, ["Reception"]);
    assert_eq!(seen(bert, Some(north)).await, ["north"]);
    let own = it.accounts.find(it.organisation, &address("anna@example.org")).await.unwrap().unwrap().id;
    it.accounts.set_default(it.organisation, Serves::Person(anna), it.id, Actor::Command).await.unwrap();
    assert_eq!(seen(anna, None).await, ["Reception", "anna"], "hers, and the one that is chosen for her");
    assert_eq!(it.accounts.entry(it.organisation, own).await.unwrap().account.id, own);
    let stranger = OrganisationId::new(&it.it.world);
    assert!(matches!(it.accounts.entry(stranger, own).await, Err(AccountsError::NotFound(_))));
    assert_eq!(it.accounts.board(stranger, all("")).await.unwrap().tally.n(), 0);
}

async fn the_defaults_of_an_account_are_told(it: TestStore) {
    let it = Fixture::new(it).await;
    let north = LocationId::new(&it.it.world);
    let location = add(&it, "north", Serves::Location(north)).await;
    let of = async |id| it.accounts.defaults_of(it.organisation, id).await.unwrap();
    assert_eq!(of(it.id).await, [Serves::Organisation]);
    assert_eq!(of(location).await, [Serves::Location(north)]);
    it.accounts.set_default(it.organisation, Serves::Location(north), it.id, Actor::Command).await.unwrap();
    assert_eq!((of(it.id).await.len(), of(location).await.len()), (2, 0));
}
