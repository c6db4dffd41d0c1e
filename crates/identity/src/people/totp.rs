//! Codes of authenticator apps (RFC 6238).

use std::ops::RangeInclusive;

use gatepost_core::{AuthenticatorId, OrganisationId, SecretText, Timestamp, World};
use gatepost_vault::{Binding, DataKey, VaultError, open, seal};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

/// RFC 4226 §4 R6: 160 bits are recommended.
const SECRET_BYTES: usize = 20;
/// RFC 6238 §5.2.
const STEP_SECONDS: u64 = 30;
const DIGITS: u8 = 6;
/// How many steps the person's clock may be off (ID-12).
const WINDOW: u64 = 1;
/// A code that was right so many steps ago is called expired: ten minutes.
const REMEMBERED: u64 = 20;

/// What an authenticator app and this server share. No `Debug`.
pub(super) struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// What a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// That of a step of the window.
    Right {
        /// Which.
        step: u64,
    },
    /// That of a step some minutes ago.
    Expired {
        /// Which.
        step: u64,
    },
    /// Anything else.
    Wrong,
}

impl TotpSecret {
    pub(super) fn generate(world: &World) -> Self {
        Self(Zeroizing::new(world.random()))
    }

    /// What a code as it was typed is at that time. Spaces and hyphens in it mean nothing.
    pub(super) fn judge(&self, typed: &SecretText, now: Timestamp) -> Judged {
        let typed = typed.reveal();
        // No longer text is looked at.
        let code: Zeroizing<String> =
            Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect());
        let present = u64::try_from(now.seconds()).unwrap_or(0) / STEP_SECONDS;
        let first = present.saturating_sub(WINDOW);
        // The newest first, because it is the likeliest.
        if let Some(step) = self.step_of(&code, first..=present + WINDOW) {
            return Judged::Right { step };
        }
        match self.step_of(&code, present.saturating_sub(REMEMBERED)..=first) {
            Some(step) => Judged::Expired { step },
            None => Judged::Wrong,
        }
    }

    fn step_of(&self, code: &str, steps: RangeInclusive<u64>) -> Option<u64> {
        let totp = self.totp();
        steps.rev().find(|step| totp.check(code, step * STEP_SECONDS).is_some())
    }

    /// The code of that time.
    #[cfg(test)]
    pub(super) fn code(&self, now: Timestamp) -> SecretText {
        SecretText::new(self.totp().generate(u64::try_from(now.seconds()).unwrap()).to_string())
    }

    /// Each step alone: which of them count is decided here.
    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(0)
            .with_step_duration(STEP_SECONDS)
            .with_secret(*self.0)
    }

    /// For the QR code: `otpauth://totp/…`. A colon would separate issuer and account.
    pub(super) fn uri(&self, issuer: &str, account: &str) -> SecretText {
        let [issuer, account] = [issuer, account].map(|it| it.replace(':', " "));
        let totp = self.builder().with_issuer(Some(issuer)).with_account_name(account).build_noncompliant();
        SecretText::new(totp.to_url().unwrap_or_default())
    }

    /// For typing: base 32 (RFC 4648 §6) in groups of four.
    pub(super) fn key(&self) -> SecretText {
        let key = Zeroizing::new(totp_rs::Secret::from(*self.0).to_base32());
        let mut grouped = String::with_capacity(key.len() * 5 / 4);
        for (n, c) in key.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(c);
        }
        SecretText::new(grouped)
    }

    pub(super) fn seal(
        &self,
        key: &DataKey,
        organisation: OrganisationId,
        id: AuthenticatorId,
        world: &World,
    ) -> Vec<u8> {
        seal(key, &binding(organisation, id), self.0.as_slice(), world).into_bytes()
    }

    /// Opens what was sealed for this authenticator.
    pub(super) fn open(
        key: &DataKey,
        organisation: OrganisationId,
        id: AuthenticatorId,
        sealed: &[u8],
    ) -> Result<Self, VaultError> {
        let opened = open(key, &binding(organisation, id), sealed)?;
        let bytes = opened.reveal().try_into().map_err(|_| VaultError::DoesNotOpen)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

fn binding(organisation: OrganisationId, id: AuthenticatorId) -> Binding<'static> {
    Binding { organisation, table: "authenticator", column: "secret_sealed", row: id.uuid(), extra: &[] }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(TotpSecret: std::fmt::Debug, Clone, PartialEq);

    fn secret() -> TotpSecret {
        TotpSecret(Zeroizing::new(*b"12345678901234567890"))
    }

    fn judge(code: &str, seconds: i64) -> Judged {
        secret().judge(&SecretText::new(code.to_owned()), Timestamp::from_millis(seconds * 1_000))
    }

    /// RFC 6238 appendix B, SHA-1: the last six of its eight digits.
    #[test]
    fn the_vectors_of_rfc_6238_are_right() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(seconds).unwrap() / 30;
            assert_eq!(judge(code, seconds), Judged::Right { step }, "{seconds}");
            assert_eq!(judge(&format!(" {} {}\n", &code[..3], &code[3..]), seconds), Judged::Right { step });
        }
    }

    /// ID-12: steps -2 to +2, and the ten minutes that are called expired.
    #[test]
    fn one_step_each_way_is_right_and_ten_minutes_are_remembered() {
        let (at, step) = (1_111_111_111, 1_111_111_111 / 30);
        for (late, want) in [
            (-2, Judged::Wrong),
            (-1, Judged::Right { step }),
            (0, Judged::Right { step }),
            (1, Judged::Right { step }),
            (2, Judged::Expired { step }),
            (20, Judged::Expired { step }),
            (21, Judged::Wrong),
        ] {
            assert_eq!(judge("050471", at + late * 30), want, "{late}");
        }
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for text in ["", "05047", "0504710", "+50471", "05047a", "٠٥٠٤٧١", "050471\0", &"0".repeat(1_000_000)]
        {
            assert_eq!(judge(text, 1_111_111_111), Judged::Wrong);
        }
        assert_eq!(judge("050471", -5), Judged::Wrong);
    }

    #[test]
    fn the_app_gets_what_it_needs() {
        let uri = secret().uri("Gatepost Praxis: Süd", "anna@example.org");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/Gatepost%20Praxis%20%20S%C3%BCd:anna%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Gatepost%20Praxis%20%20S%C3%BCd"
        );
        assert_eq!(secret().key().reveal(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }

    #[test]
    fn a_secret_opens_in_its_own_place_alone() {
        let world = World::real();
        let (key, organisation) = (DataKey::generate(&world), OrganisationId::new(&world));
        let (id, other) = (AuthenticatorId::new(&world), AuthenticatorId::new(&world));
        let sealed = secret().seal(&key, organisation, id, &world);
        assert!(TotpSecret::open(&key, organisation, id, &sealed).is_ok_and(|it| it.0 == secret().0));
        assert!(TotpSecret::open(&key, organisation, other, &sealed).is_err());
        assert!(TotpSecret::open(&key, OrganisationId::new(&world), id, &sealed).is_err());
    }

    /// A program of somebody else's gives the same codes.
    #[test]
    fn oathtool_agrees() {
        let world = World::real();
        for seconds in [59, 1_234_567_890, 1_790_000_000, 4_000_000_000] {
            let secret = TotpSecret::generate(&world);
            let key = secret.key();
            let out = Command::new("oathtool")
                .args(["--totp", "--base32", "--now", &format!("@{seconds}"), key.reveal()])
                .output()
                .expect("oathtool is installed: run cargo xtask test");
            let code = String::from_utf8(out.stdout).unwrap();
            let step = u64::try_from(seconds).unwrap() / 30;
            let judged = secret.judge(&SecretText::new(code), Timestamp::from_millis(seconds * 1_000));
            assert_eq!(judged, Judged::Right { step });
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_judged(text in ".{0,40}", seconds in any::<i32>()) {
            judge(&text, seconds.into());
        }
    }
}
