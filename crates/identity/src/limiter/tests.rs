use super::*;

/// A limiter with a clock of its own, and as many different wrong secrets as are asked for.
struct Door {
    limiter: Limiter,
    now: Timestamp,
    n: u32,
}

impl Door {
    fn new() -> Self {
        let (world, _) = gatepost_testkit::world();
        Self { limiter: Limiter::new(&world), now: world.now(), n: 0 }
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    /// One miss with a secret that was never tried before.
    fn miss(&mut self, source: &str) -> Result<(), Duration> {
        self.n += 1;
        self.try_secret(source, "anna@example.org", &format!("wrong {}", self.n)).map(drop)
    }

    fn try_secret(&self, source: &str, user_name: &str, secret: &str) -> Result<Try, Duration> {
        let secret = SecretText::new(secret.to_owned());
        self.limiter.begin(source.parse().unwrap(), user_name, &secret, self.now)
    }

    fn succeed(&self, source: &str, user_name: &str) {
        let it = self.try_secret(source, user_name, "right").ok().unwrap();
        self.limiter.forgive(&it, true, self.now);
    }

    /// How many different wrong secrets pass, at most `most`.
    fn n_misses(&mut self, sources: impl Fn(u32) -> String, most: u32) -> u32 {
        (0..most).take_while(|n| self.miss(&sources(*n)).is_ok()).count().try_into().unwrap()
    }
}

const OFFICE: &str = "192.0.2.7";

#[test]
fn ten_misses_a_minute_and_fifty_a_day_pass() {
    let mut door = Door::new();
    for minute in 0..5 {
        assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10, "minute {minute}");
        door.wait(Duration::from_secs(59));
        assert_eq!(
            door.miss(OFFICE),
            Err(Duration::from_secs(if minute < 4 { 1 } else { 86_400 - 4 * 60 - 59 }))
        );
        door.wait(Duration::from_secs(1));
    }
    assert!(door.miss(OFFICE).is_err());
    door.wait(Duration::from_secs(86_400 - 300));
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);
}

#[test]
fn wider_blocks_have_three_and_nine_times_as_many() {
    // Each source stays under its own limit.
    for (source, in_a_minute) in [
        ("192.0.2.{}", 30),       // one /26
        ("2001:db8:1:{}::1", 30), // one /48
    ] {
        let mut door = Door::new();
        assert_eq!(
            door.n_misses(|n| source.replace("{}", &(n / 5).to_string()), 1_000),
            in_a_minute,
            "{source}"
        );
    }
    for source in ["192.0.{}.7", "2001:db8:{}::1"] {
        // Eight /26 of one /21, and /48 of one /32.
        let mut door = Door::new();
        let n = door.n_misses(|n| source.replace("{}", &(n % 8).to_string()), 1_000);
        assert!(n <= 90, "{source}: {n}");
        assert!(n >= 80, "{source}: {n}");
    }
}

#[test]
fn ipv6_counts_by_its_64_and_mapped_ipv4_as_ipv4() {
    let mut door = Door::new();
    assert_eq!(door.n_misses(|n| format!("fd00:1:2:3::{n:x}"), 20), 10);
    let mut door = Door::new();
    assert_eq!(
        door.n_misses(|n| if n % 2 == 0 { OFFICE.into() } else { format!("::ffff:{OFFICE}") }, 20),
        10
    );
}

#[test]
fn the_same_wrong_secret_counts_once_a_day() {
    let mut door = Door::new();
    // A stale scanner, all day long.
    for _ in 0..1_000 {
        assert!(door.try_secret(OFFICE, "scanner@example.org", "stale").is_ok());
        door.wait(Duration::from_secs(60));
    }
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10, "the office is not offline");
    // Another login with the same secret is another try.
    assert!(door.try_secret(OFFICE, "other@example.org", "stale").is_err());
}

#[test]
fn whoever_got_in_within_thirty_days_is_always_checked() {
    let mut door = Door::new();
    door.succeed(OFFICE, "anna@example.org");
    for days in [0, 29] {
        door.wait(Duration::from_hours(24 * days));
        while door.try_secret(OFFICE, "bert@example.org", &door.n.to_string()).is_ok() {
            door.n += 1;
        }
        assert!(door.try_secret(OFFICE, "anna@example.org", &format!("typing error {days}")).is_ok());
        // From elsewhere, the same login has no such right.
        let near = "192.0.2.8";
        while door.try_secret(near, "bert@example.org", &door.n.to_string()).is_ok() {
            door.n += 1;
        }
        assert!(door.try_secret(near, "anna@example.org", "x").is_err());
    }
    door.wait(Duration::from_hours(24));
    while door.try_secret(OFFICE, "bert@example.org", &door.n.to_string()).is_ok() {
        door.n += 1;
    }
    assert!(door.try_secret(OFFICE, "anna@example.org", "x").is_err());
}

#[test]
fn a_success_is_no_miss_and_tries_at_the_same_moment_count_before_they_are_judged() {
    let mut door = Door::new();
    for _ in 0..100 {
        door.succeed(OFFICE, "carl@example.org");
    }
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);

    let door = Door::new();
    let at_once: Vec<_> = (0..20)
        .filter_map(|n| door.try_secret("198.51.100.1", "bert@example.org", &n.to_string()).ok())
        .collect();
    assert_eq!(at_once.len(), 10);
    // Nobody could check them: none was a miss.
    for it in &at_once {
        door.limiter.forgive(it, false, door.now);
    }
    assert!(door.try_secret("198.51.100.1", "bert@example.org", "again").is_ok());
}

#[test]
fn a_clock_that_is_set_back_slows_nobody_for_longer() {
    let mut door = Door::new();
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);
    door.now = door.now - Duration::from_hours(24 * 365);
    assert_eq!(door.miss(OFFICE), Err(Duration::from_secs(60)));
    door.wait(Duration::from_secs(60));
    assert_eq!(door.miss(OFFICE), Ok(()));
}

#[test]
fn memory_stays_in_bounds_under_a_flood_of_addresses() {
    let mut door = Door::new();
    for n in 0..200_000_u32 {
        let source = IpAddr::from((n.wrapping_mul(2_654_435_761)).to_be_bytes());
        let _ = door.miss(&source.to_string());
    }
    let state = door.limiter.lock();
    assert!(state.blocks.len() <= MOST + 3 && state.wrong.len() <= MOST && state.trusted.len() <= MOST);
}
