//! The security page: the check-up on top, then all there is.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::SessionId;
use gatepost_identity::{Contact, ContactKind, SecurityOverview};
use gatepost_web::Moment;

use super::check_up::{Finding, weaknesses};
use super::mine;
use crate::frame::{Answer, App, Nav, Page, Signed, show};
use crate::page::badge::{Badge, Shape};

/// One browser in which the person is signed in.
struct SessionRow {
    id: String,
    device: String,
    source: String,
    created: Moment,
    active: Moment,
    is_this: bool,
}

struct DeviceRow {
    id: String,
    device: String,
    source: String,
    last_used: Moment,
    /// Until when it is not asked for the second step.
    until: Option<Moment>,
}

struct ContactRow {
    id: String,
    value: String,
    badge: Option<Badge>,
    since: Moment,
    is_proven: bool,
}

#[derive(Template)]
#[template(path = "security/overview.html")]
struct OverviewPage {
    page: Page,
    findings: Vec<Finding>,
    n_findings: String,
    good: Badge,
    on: Badge,
    off: Badge,
    this: Badge,
    password_changed: Option<Moment>,
    two_step: Option<Moment>,
    has_to_keep_two_step: bool,
    recovery_codes: String,
    /// None or how many.
    app_passwords: String,
    address: String,
    contacts: Vec<ContactRow>,
    telephone: Option<ContactRow>,
    devices: Vec<DeviceRow>,
    sessions: Vec<SessionRow>,
}

pub(super) async fn overview(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let page = page.at(Nav::Security);
    let of = app.rooms.people.security_overview(signed.person()).await?;
    let app_passwords = mine::app_passwords(&app, &signed).await?;
    let findings = weaknesses(&of, &app_passwords, page.now);
    let is_on = of.two_step_at.is_some();
    let n = app_passwords.len() as u64;
    let t = page.t;
    let contact = |it: &Contact| contact_row(&page, it);
    let of_kind = |kind| of.contacts.iter().filter(move |it: &&Contact| it.kind == kind);
    Ok(show(
        StatusCode::OK,
        &OverviewPage {
            n_findings: t.count("security.found", findings.len() as u64, &[]),
            good: Badge::new("good", Shape::Tick, t.of("security.fine")),
            on: Badge::new("good", Shape::Tick, t.of("security.on")),
            off: Badge::new("bad", Shape::Cross, t.of("security.off")),
            this: Badge::new("calm", Shape::Dot, t.of("security.this")),
            findings: findings.into_iter().map(|it| Finding::of(&page, it)).collect(),
            password_changed: of.password_changed_at.map(|at| page.moment(at)),
            two_step: of.two_step_at.map(|at| page.moment(at)),
            has_to_keep_two_step: gatepost_identity::Policy::of(signed.person().role).needs_two_step,
            recovery_codes: t.count("security.codes_left", of.recovery_codes_left.unwrap_or(0).into(), &[]),
            app_passwords: match n {
                0 if !is_on => t.of("security.app_passwords_off").to_owned(),
                0 => t.of("security.app_passwords_none").to_owned(),
                n => t.count("security.app_passwords_some", n, &[]),
            },
            address: signed.person().address.to_string(),
            contacts: of_kind(ContactKind::Address).map(contact).collect(),
            telephone: of_kind(ContactKind::Telephone).map(contact).next(),
            devices: devices(&page, &of),
            sessions: sessions(&page, &of, signed.id),
            page,
        },
    ))
}

fn contact_row(page: &Page, it: &Contact) -> ContactRow {
    let badge = match (it.kind, it.proven_at) {
        (ContactKind::Telephone, _) => None,
        (_, Some(_)) => Some(Badge::new("good", Shape::Tick, page.t.of("security.proven"))),
        (_, None) => Some(Badge::new("warn", Shape::Clock, page.t.of("security.link_sent"))),
    };
    ContactRow {
        id: it.id.to_string(),
        value: it.value.clone(),
        badge,
        since: page.moment(it.proven_at.unwrap_or(it.created_at)),
        is_proven: it.proven_at.is_some(),
    }
}

fn devices(page: &Page, of: &SecurityOverview) -> Vec<DeviceRow> {
    let row = |it: &gatepost_identity::Device| DeviceRow {
        id: it.id.to_string(),
        device: it.device.clone(),
        source: it.source.clone(),
        last_used: page.moment(it.last_used_at),
        until: it.trusted_until.map(|at| page.moment(at)),
    };
    of.devices.iter().map(row).collect()
}

/// This one first.
fn sessions(page: &Page, of: &SecurityOverview, this: SessionId) -> Vec<SessionRow> {
    let row = |it: &gatepost_identity::OpenSession| SessionRow {
        id: it.id.to_string(),
        device: it.device.clone(),
        source: it.source.clone(),
        created: page.moment(it.created_at),
        active: page.moment(it.active_at),
        is_this: it.id == this,
    };
    let mut rows: Vec<_> = of.sessions.iter().map(row).collect();
    rows.sort_by_key(|it| !it.is_this);
    rows
}
