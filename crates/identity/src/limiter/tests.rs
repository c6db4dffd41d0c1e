use super::*;

/// A limiter with a clock of its own, and as many different wrong secrets as are asked for.
struct Doors {
    limiter: Arc<Limiter>,
    now: Timestamp,
    n: u32,
}

impl Doors {
    fn new() -> Self {
        let (world, _) = gatepost_testkit::world();
        Self { limiter: Arc::new(Limiter::new(&world)), now: world.now(), n: 0 }
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
        self.limiter.begin(Door::People, source.parse().unwrap(), user_name, Some(&secret), self.now)
    }

    fn succeed(&self, source: &str, user_name: &str) {
        self.try_secret(source, user_name, "right").ok().unwrap().succeeded();
    }

    /// How many different wrong secrets pass, at most `most`.
    fn n_misses(&mut self, sources: impl Fn(u32) -> String, most: u32) -> u32 {
        (0..most).take_while(|n| self.miss(&sources(*n)).is_ok()).count().try_into().unwrap()
    }
}

const OFFICE: &str = "192.0.2.7";

#[test]
fn what_is_right_and_one_too_many_counts_each_time_in_the_minute_alone() {
    let mut door = Doors::new();
    for minute in 0..20 {
        for n in 0..10 {
            let it = door.try_secret(OFFICE, "anna@example.org", "right").ok();
            it.unwrap_or_else(|| panic!("{minute} {n}")).one_too_many();
        }
        assert!(door.miss(OFFICE).is_err());
        door.wait(MINUTE);
    }
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10, "the day is as long as ever");
}

#[test]
fn ten_misses_a_minute_and_fifty_a_day_pass() {
    let mut door = Doors::new();
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
        let mut door = Doors::new();
        assert_eq!(
            door.n_misses(|n| source.replace("{}", &(n / 5).to_string()), 1_000),
            in_a_minute,
            "{source}"
        );
    }
    for source in ["192.0.{}.7", "2001:db8:{}::1"] {
        // Eight /26 of one /21, and /48 of one /32.
        let mut door = Doors::new();
        let n = door.n_misses(|n| source.replace("{}", &(n % 8).to_string()), 1_000);
        assert!(n <= 90, "{source}: {n}");
        assert!(n >= 80, "{source}: {n}");
    }
}

#[test]
fn ipv6_counts_by_its_64_and_mapped_ipv4_as_ipv4() {
    let mut door = Doors::new();
    assert_eq!(door.n_misses(|n| format!("fd00:1:2:3::{n:x}"), 20), 10);
    let mut door = Doors::new();
    assert_eq!(
        door.n_misses(|n| if n % 2 == 0 { OFFICE.into() } else { format!("::ffff:{OFFICE}") }, 20),
        10
    );
}

#[test]
fn the_same_wrong_secret_counts_once_a_day() {
    let mut door = Doors::new();
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
    let mut door = Doors::new();
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
fn a_success_is_no_miss_and_nor_is_a_try_under_way() {
    let mut door = Doors::new();
    for _ in 0..100 {
        door.succeed(OFFICE, "carl@example.org");
    }
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);

    // A whole office at eight in the morning, before any of them is judged.
    let mut door = Doors::new();
    let at_once: Vec<_> = (0..UNDER_WAY)
        .map(|n| door.try_secret(OFFICE, &format!("p{n}@example.org"), "x").ok().unwrap())
        .collect();
    assert_eq!(door.miss(OFFICE), Err(MOMENT), "no more than that");
    assert!(door.miss("192.0.2.100").is_ok(), "from elsewhere");
    // Nobody could check them, or the password was right and the second step comes next.
    for it in at_once {
        it.forgive();
    }
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);
}

#[test]
fn many_wrong_tries_at_once_are_as_many_as_have_a_place_and_no_more() {
    let mut door = Doors::new();
    let mut n_looked_at = 0;
    let mut under_way = std::collections::VecDeque::new();
    // Whoever is let in is judged only when the next one is refused: the most that can be under way.
    for n in 0..1_000 {
        match door.try_secret(OFFICE, &format!("p{n}@example.org"), "wrong") {
            Ok(it) => {
                n_looked_at += 1;
                under_way.push_back(it);
            }
            Err(_) => drop(under_way.pop_front()),
        }
    }
    assert!(n_looked_at <= UNDER_WAY + 10, "{n_looked_at}");
    under_way.clear();
    assert!(door.miss(OFFICE).is_err());
    // The wider block has three times the places, and no more.
    let door = Doors::new();
    let all: Vec<_> = (0..1_000)
        .filter_map(|n| door.try_secret(&format!("192.0.2.{}", n % 16), &n.to_string(), "x").ok())
        .collect();
    assert_eq!(all.len(), 3 * UNDER_WAY as usize);
}

#[test]
fn trust_is_earned_at_each_kind_of_door_by_itself() {
    let mut door = Doors::new();
    door.limiter.trust(Door::Applications, OFFICE.parse().unwrap(), "anna@example.org", door.now);
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);
    assert!(door.try_secret(OFFICE, "anna@example.org", "a guess").is_err());
    let at = |which| {
        let secret = SecretText::new("another guess".to_owned());
        door.limiter.begin(which, OFFICE.parse().unwrap(), "anna@example.org", Some(&secret), door.now)
    };
    assert!(at(Door::Applications).is_ok() && at(Door::People).is_err());
}

#[test]
fn what_has_few_possible_values_is_counted_each_time() {
    let door = Doors::new();
    let same = || door.limiter.begin(Door::People, OFFICE.parse().unwrap(), "a", None, door.now).is_ok();
    assert_eq!((0..20).filter(|_| same()).count(), 10);
    assert!(door.limiter.lock().wrong.is_empty(), "no hash of a code is kept");
}

#[test]
fn a_clock_that_is_set_back_slows_nobody_for_longer() {
    let mut door = Doors::new();
    assert_eq!(door.n_misses(|_| OFFICE.into(), 20), 10);
    door.now = door.now - Duration::from_hours(24 * 365);
    assert_eq!(door.miss(OFFICE), Err(Duration::from_secs(60)));
    door.wait(Duration::from_secs(60));
    assert_eq!(door.miss(OFFICE), Ok(()));
}

#[test]
fn memory_stays_in_bounds_under_a_flood_of_addresses() {
    let mut door = Doors::new();
    for n in 0..200_000_u32 {
        let source = IpAddr::from((n.wrapping_mul(2_654_435_761)).to_be_bytes());
        let _ = door.miss(&source.to_string());
    }
    let state = door.limiter.lock();
    assert!(state.blocks.len() <= MOST + 3 && state.wrong.len() <= MOST && state.trusted.len() <= MOST);
}
