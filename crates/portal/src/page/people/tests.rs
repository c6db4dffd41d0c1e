//! Forms about people that are sent more than once.

use std::sync::Arc;

use gatepost_core::PersonId;
use gatepost_identity::Role;
use gatepost_journal::{NoticeKind, latest_notices};

use crate::tests::{Browser, House, Reply};

/// Eight clicks on one button at the same moment.
async fn eight_at_once(house: &Arc<House>, browser: &Browser, path: &str, body: &str) -> Vec<Reply> {
    let clicks: Vec<_> = (0..8)
        .map(|_| {
            let (house, mut browser) = (Arc::clone(house), browser.clone());
            let (path, body) = (path.to_owned(), body.to_owned());
            tokio::spawn(async move { house.ask(&mut browser, "POST", &path, "", &body).await })
        })
        .collect();
    let mut replies = Vec::new();
    for one in clicks {
        replies.push(one.await.unwrap());
    }
    replies
}

async fn n_notices(house: &House, person: PersonId, kind: NoticeKind) -> usize {
    let all = latest_notices(&house.it.store, house.organisation, person, 100).await.unwrap();
    all.iter().filter(|it| it.kind == kind).count()
}

async fn n_entries(house: &House) -> usize {
    gatepost_journal::newest(&house.it.store, house.organisation, 200).await.unwrap().len()
}

fn shown_link(reply: &Reply) -> String {
    let (_, behind) = reply.body.split_once("id=\"handed-link\">").unwrap();
    behind.split('<').next().unwrap().to_owned()
}

fn form_of(page: &Reply, action: &str) -> String {
    let (_, form) = page.body.split_once(&format!("action=\"{action}\"")).unwrap();
    let (_, id) = form.split_once("name=\"form_id\" value=\"").unwrap();
    format!("form_token={}&form_id={}", page.form_token(), id.split('"').next().unwrap())
}

/// WP-5. With a password it is a reset, without one an invitation.
#[tokio::test]
async fn a_link_is_made_once_however_often_its_form_is_sent() {
    for (is_reset, kind, n_written) in [
        (true, NoticeKind::PasswordResetByAdministrator, 1),
        // That of the invitation, and that its link was handed over.
        (false, NoticeKind::Invitation, 2),
    ] {
        let house = Arc::new(House::new().await);
        let mut browser = house.signed_in(Role::Administrator).await;
        house.prove().await;
        let ben = house.person("ben@practice.test", Role::Operator).await;
        let (asked_at, action) = if is_reset {
            house.has_password(&ben).await;
            (format!("/people/{}/password", ben.id), format!("/people/{}/password", ben.id))
        } else {
            (format!("/people/{}", ben.id), format!("/people/{}/invite-again", ben.id))
        };
        let page = house.get(&mut browser, &asked_at).await;
        let body = form_of(&page, &action);
        let n_before = n_entries(&house).await;
        let replies = eight_at_once(&house, &browser, &action, &body).await;
        let leads_to: Vec<_> = replies.iter().map(|it| (it.status, it.location().to_owned())).collect();
        assert!(leads_to.iter().all(|it| *it == leads_to[0] && it.0 == 303), "{leads_to:?}");
        let shown = house.get(&mut browser, &leads_to[0].1).await;
        let link = shown_link(&shown);
        // Back, and the same button again: the same page, the same link, and it still opens.
        let again = house.ask(&mut browser, "POST", &action, "", &body).await;
        assert_eq!(again.location(), leads_to[0].1);
        assert_eq!(shown_link(&house.get(&mut browser, again.location()).await), link);
        let path = link.split_once("/link").map(|(_, behind)| format!("/link{behind}")).unwrap();
        assert_eq!(house.get(&mut Browser::default(), &path).await.status, 200);
        assert_eq!(n_notices(&house, ben.id, kind).await, 1, "{kind}");
        assert_eq!(n_entries(&house).await - n_before, n_written, "{kind}");
        // A page that is asked for anew is another form, and ends that link.
        let page = house.get(&mut browser, &asked_at).await;
        let another = house.ask(&mut browser, "POST", &action, "", &form_of(&page, &action)).await;
        assert_ne!(shown_link(&house.get(&mut browser, another.location()).await), link);
        assert_ne!(house.get(&mut Browser::default(), &path).await.status, 200);
        assert_eq!(n_notices(&house, ben.id, kind).await, 2, "{kind}");
        let late = house.ask(&mut browser, "POST", &action, "", &body).await;
        let late = house.get(&mut browser, late.location()).await;
        assert!(late.body.contains("This link was shown before"), "{}", late.body);
        assert_eq!(n_notices(&house, ben.id, kind).await, 2, "{kind}");
        Arc::into_inner(house).unwrap().end().await;
    }
}

/// WP-5.
#[tokio::test]
async fn somebody_is_invited_once_however_often_the_form_is_sent() {
    let house = Arc::new(House::new().await);
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let page = house.get(&mut browser, "/people/new").await;
    let form = form_of(&page, "/people/new");
    let body = format!("{form}&name=Ben&address=ben%40practice.test&role=operator");
    let replies = eight_at_once(&house, &browser, "/people/new", &body).await;
    let first = replies[0].location().to_owned();
    assert!(first.contains("/link?form="), "{first}");
    assert!(replies.iter().all(|it| it.location() == first));
    let link = shown_link(&house.get(&mut browser, &first).await);
    let again = house.ask(&mut browser, "POST", "/people/new", "", &body).await;
    assert_eq!(again.location(), first);
    assert_eq!(shown_link(&house.get(&mut browser, &first).await), link);
    let all = house.rooms.identity.list_people(house.organisation).await.unwrap();
    let ben = all.iter().find(|it| it.address.as_str() == "ben@practice.test").unwrap();
    assert_eq!(n_notices(&house, ben.id, NoticeKind::Invitation).await, 1);
    Arc::into_inner(house).unwrap().end().await;
}
