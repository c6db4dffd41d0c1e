//! An account with everything that moves: loaded, changed and written as one, under the lock of its row.

use gatepost_core::{CredentialId, EmailAddress, MailAccountId, OrganisationId, Timestamp};
use gatepost_store::{Row, Statement, StoreError, Transaction, Value, params};

use crate::account::MailAccount;
use crate::sql;
use crate::standing::{Standing, State};
use crate::status::{Direction, StatusName};

/// One account as its rows have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) account: MailAccount,
    pub(crate) sending: Standing,
    /// Absent while nothing has read.
    pub(crate) reading: Option<Standing>,
    /// The grant that it signs in with; absent while it has none.
    pub(crate) credential: Option<CredentialId>,
}

impl Record {
    pub(crate) fn new(account: MailAccount) -> Self {
        let sending = Standing::unchecked(account.created_at);
        Self { account, sending, reading: None, credential: None }
    }

    /// An account that is live, for this transaction alone.
    pub(crate) fn lock(
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        Ok(Self::load(tx, &sql::LOCK_ACCOUNT, organisation, id)?.filter(|it| it.account.is_live()))
    }

    /// One account, live or removed.
    pub(crate) fn find(
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        Self::load(tx, &sql::FIND_ACCOUNT, organisation, id)
    }

    fn load(
        tx: &mut Transaction<'_>,
        statement: &Statement,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        let Some(row) = tx.row(statement, params![organisation, id])? else { return Ok(None) };
        let mut record = Self::new(MailAccount::try_from(&row)?);
        for row in tx.rows(&sql::FIND_STATUSES, params![organisation, id])? {
            record.take_status(&row)?;
        }
        for row in tx.rows(&sql::FIND_ADDRESSES, params![organisation, id])? {
            record.take_address(&row)?;
        }
        let credential = tx.row(&sql::FIND_GRANT, params![organisation, id])?;
        record.credential = credential.map(|row| row.get(0)).transpose()?;
        Ok(Some(record))
    }

    /// Takes over a row of the status statements.
    pub(crate) fn take_status(&mut self, row: &Row) -> Result<(), StoreError> {
        let standing = Standing::try_from(row)?;
        match row.parse(1, "sending or reading")? {
            Direction::Sending => self.sending = standing,
            Direction::Reading => self.reading = Some(standing),
        }
        Ok(())
    }

    /// Takes over a row of the address statements.
    pub(crate) fn take_address(&mut self, row: &Row) -> Result<(), StoreError> {
        self.account.further_addresses.push(row.parse(1, "an address")?);
        Ok(())
    }

    /// Where a direction stands; nobody has read while there is no row.
    pub(crate) fn standing(&self, direction: Direction) -> Standing {
        match direction {
            Direction::Sending => self.sending.clone(),
            Direction::Reading => {
                self.reading.clone().unwrap_or_else(|| Standing::unchecked(self.account.created_at))
            }
        }
    }

    pub(crate) fn set_standing(&mut self, direction: Direction, standing: Standing) {
        match direction {
            Direction::Sending => self.sending = standing,
            Direction::Reading => self.reading = Some(standing),
        }
    }

    /// Both directions begin anew, or only the one there is.
    pub(crate) fn set_both(&mut self, standing: &Standing) {
        self.sending = standing.clone();
        if self.reading.is_some() {
            self.reading = Some(standing.clone());
        }
    }

    /// The directions that it has, or that somebody has tried.
    pub(crate) fn directions(&self) -> impl Iterator<Item = Direction> + use<> {
        let endpoints = &self.account.endpoints;
        let reads = self.reading.is_some() || endpoints.can_be_read();
        [Some(Direction::Sending), reads.then_some(Direction::Reading)].into_iter().flatten()
    }

    /// Whether its letters are held: the running clock stands still.
    pub(crate) fn is_held(&self) -> bool {
        self.account.paused_at.is_some() || self.sending.state == State::NeedsSignIn
    }

    /// The status shown first.
    pub(crate) fn shown(&self) -> StatusName {
        let sending = self.sending.state.name();
        let worse = self.reading.as_ref().map_or(sending, |reading| sending.min(reading.state.name()));
        if self.account.paused_at.is_some() { StatusName::Paused } else { worse }
    }

    /// Writes what differs from `before`, and turns the held clock to where the new status wants it.
    pub(crate) fn save(
        &mut self,
        tx: &mut Transaction<'_>,
        before: &Self,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.account.clock = self.account.clock.turned(self.is_held(), now);
        if self.account != before.account {
            self.write_account(tx)?;
        }
        if self.account.further_addresses != before.account.further_addresses {
            let MailAccount { organisation, id, .. } = self.account;
            tx.execute(&sql::DELETE_ADDRESSES, params![organisation, id])?;
            self.write_addresses(tx, now)?;
        }
        if self.sending != before.sending {
            self.write_standing(tx, Direction::Sending, &self.sending)?;
        }
        if let Some(reading) = &self.reading
            && self.reading != before.reading
        {
            self.write_standing(tx, Direction::Reading, reading)?;
        }
        self.mark_changed(tx)
    }

    /// Tells whoever remembers the account that it is to be read again. The last statement of its transaction: those of one
    /// organisation wait for each other here.
    pub(crate) fn mark_changed(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        let MailAccount { organisation, id, .. } = self.account;
        let serial = match tx.row(&sql::RAISE_CHANGE, params![organisation])? {
            Some(row) => row.get::<i64>(0)?,
            None => return Ok(()),
        };
        tx.execute(&sql::MARK_CHANGED, params![organisation, id, serial]).map(drop)
    }

    fn write_account(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        let it = &self.account;
        let mut values: Vec<Value<'_>> = vec![it.organisation.into(), it.id.into()];
        values.extend(it.endpoints.columns());
        let (person, location) = it.serves.columns();
        values.extend([
            (&it.short_name).into(),
            (&it.author_name).into(),
            (&it.user_name).into(),
            person.into(),
            location.into(),
            it.overrides.never_falls_back.into(),
            it.overrides.max_connections.into(),
            it.overrides.max_message_bytes.into(),
            it.opens.as_ref().map(EmailAddress::as_str).into(),
            it.paused_at.into(),
            u64::try_from(it.clock.held_for.as_millis()).unwrap_or(u64::MAX).into(),
            it.clock.held_since.into(),
            it.removed_at.into(),
            (&it.provider).into(),
        ]);
        tx.execute(&sql::UPDATE_ACCOUNT, &values).map(drop)
    }

    pub(crate) fn write_addresses(&self, tx: &mut Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        let MailAccount { organisation, id, further_addresses, .. } = &self.account;
        for it in further_addresses {
            tx.execute(&sql::INSERT_ADDRESS, params![*id, it.to_key(), *organisation, it, now])?;
        }
        Ok(())
    }

    pub(crate) fn write_standing(
        &self,
        tx: &mut Transaction<'_>,
        direction: Direction,
        it: &Standing,
    ) -> Result<(), StoreError> {
        let values = params![
            self.account.id,
            direction.word(),
            self.account.organisation,
            it.state.word(),
            it.rule.as_deref(),
            it.reply.as_deref(),
            it.since,
            it.checked_at,
            it.not_before,
            it.n_failures,
        ];
        tx.execute(&sql::PUT_STATUS, values).map(drop)
    }
}
