//! Whose sign-in it is: answers, forms and drafts that are not, or not any more, those of whoever comes with them.

use gatepost_accounts::Settings;

use super::*;

impl Desk {
    /// The account serves somebody else from now on.
    async fn gives(&self, account: MailAccountId, serves: Serves) {
        let (accounts, of) = (&self.house.rooms.accounts, self.house.organisation);
        let settings = Settings { serves, ..accounts.get(of, account).await.unwrap().settings() };
        accounts.edit(of, account, settings, Actor::Command).await.unwrap();
    }

    /// What a form on the waiting page sends where this answer was pasted.
    fn pasted(&self, state: &str) -> String {
        let uri = format!("http://{}/oauth/callback/praxis", self.house.address);
        let uri = uri.replace("127.0.0.1", "localhost");
        format!("code_address={}", encoded(&format!("{uri}?code=code-1&state={state}")))
    }
}

/// OC-2.
#[tokio::test]
async fn what_is_pasted_for_another_draft_or_in_another_session_of_the_same_person_spends_nothing() {
    let it = Desk::new().await;
    it.provider.says().who = ("7", "paul@praxis.test");
    let (paul, mut browser) = it.operator("paul@practice.test").await;
    let id = it.begins(&mut browser, "paul@praxis.test").await;
    let other = it.begins(&mut browser, "second@praxis.test").await;
    let state = it.goes(&mut browser, id).await;
    it.goes(&mut browser, other).await;
    let mut elsewhere = Browser::default();
    elsewhere.keep("session", it.house.session(&paul).await.token.reveal());
    it.house.prove().await;
    it.does(&mut browser, other, "/waiting", &it.pasted(&state)).await;
    assert_eq!(it.codes(), 0, "another draft's");
    it.does(&mut elsewhere, id, "/waiting", &it.pasted(&state)).await;
    assert_eq!(it.codes(), 0, "another session's");
    let reply = it.does(&mut browser, id, "/waiting", &it.pasted(&state)).await;
    assert!(reply.location().ends_with("/check"), "{}", reply.head);
    assert_eq!(it.codes(), 1);
    it.house.end().await;
}

/// C4: an operator who has begun to sign in again to an account that is given to others meanwhile.
#[tokio::test]
async fn an_account_that_was_given_to_others_is_not_signed_in_to_by_whoever_had_it() {
    let it = Desk::new().await;
    let (paul, mut browser) = it.operator("paul@practice.test").await;
    let id = it.checked(&mut browser, "paul@praxis.test").await;
    let revision = it.draft(&browser, id).await.revision;
    it.does(&mut browser, id, "/check", &format!("revision={revision}&short_name=Paul")).await;
    let account = it.account("paul@praxis.test").await.unwrap();
    let reply = it.house.post(&mut browser, "/", &format!("/accounts/{account}/reauthenticate"), "").await;
    let draft: DraftId = reply.location().split('/').nth(3).unwrap().parse().unwrap();
    let state = it.goes(&mut browser, draft).await;
    for (serves, status) in [(Serves::Organisation, 404), (Serves::Person(paul.id), 200)] {
        it.gives(account, serves).await;
        let page = it.house.get(&mut browser, &super::super::path(draft, "/waiting")).await;
        assert_eq!(page.status, status, "{serves:?}");
        if status == 404 {
            let reply = it.answers(&mut led_by_the_provider(&browser), "praxis", &state, "code-1").await;
            assert_eq!((reply.status, it.codes()), (409, 0));
        }
    }
    it.house.end().await;
}

/// C4: a draft that opens another mailbox is an administrator's, whoever it serves.
#[tokio::test]
async fn an_operator_goes_on_with_no_draft_that_opens_another_mailbox() {
    let it = Desk::new().await;
    let (_, mut browser) = it.operator("paul@practice.test").await;
    let id = it.begins(&mut browser, "paul@praxis.test").await;
    let state = it.goes(&mut browser, id).await;
    let connecting = it.house.rooms.accounts.connecting(it.whose(&browser).await);
    let draft = connecting.get(id).await.unwrap();
    let details = Details { opens: Some("office@praxis.test".parse().unwrap()), ..draft.details.clone() };
    connecting.change(id, draft.revision, details).await.unwrap();
    for path in ["", "/waiting", "/password", "/servers", "/check"] {
        let reply = it.house.get(&mut browser, &super::super::path(id, path)).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    let reply = it.answers(&mut led_by_the_provider(&browser), "praxis", &state, "code-1").await;
    assert_eq!((reply.status, it.codes()), (409, 0));
    it.house.end().await;
}

#[tokio::test]
async fn a_form_of_an_older_page_begins_no_sign_in() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    for fields in ["revision=0", "revision=99", ""] {
        let reply = it.does(&mut chief, id, "/go", fields).await;
        assert_eq!((reply.status, reply.location()), (303, super::super::path(id, "").as_str()), "{fields}");
    }
    let connecting = it.house.rooms.accounts.connecting(it.whose(&chief).await);
    let draft = connecting.get(id).await.unwrap();
    assert_eq!(connecting.under_way(&draft).await.unwrap(), None);
    it.house.end().await;
}
