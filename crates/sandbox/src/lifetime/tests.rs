use gatepost_testkit::fresh_folder;

use super::*;

fn ready(process: u32) -> SandboxReady {
    SandboxReady {
        process,
        pages: "127.0.0.1:8026".parse().unwrap(),
        smtp: "127.0.0.1:2587".parse().unwrap(),
        imap: "127.0.0.1:2143".parse().unwrap(),
        pop3: "127.0.0.1:2110".parse().unwrap(),
        certificate: PathBuf::from("/x/authority.pem"),
    }
}

async fn take(data: &Path) -> Result<Residence, SandboxError> {
    std::fs::create_dir_all(folder(data)).unwrap();
    Residence::take(&folder(data)).await
}

#[tokio::test]
async fn a_living_sandbox_is_found_and_a_dead_one_is_not() {
    let data = fresh_folder();
    assert_eq!(find_living(data.path()).await.unwrap(), None);
    let mut residence = take(data.path()).await.unwrap();
    residence.announce(&ready(1)).unwrap();
    assert_eq!(find_living(data.path()).await.unwrap(), Some(ready(1)));
    // A kill leaves the file as it is; only the lock is gone.
    drop(residence);
    assert_eq!(find_living(data.path()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn one_folder_has_one_sandbox() {
    let data = fresh_folder();
    let residence = take(data.path()).await.unwrap();
    let refused = take(data.path()).await.err().unwrap().to_string();
    assert!(refused.starts_with("another sandbox is using "), "{refused}");
    drop(residence);
    assert!(take(data.path()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_is_starting_or_ending_is_waited_for() {
    let data = fresh_folder();
    let mut residence = take(data.path()).await.unwrap();
    let finding = find_living(data.path());
    let starting = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        residence.announce(&ready(2)).unwrap();
        residence
    };
    let (found, mut residence) = tokio::join!(finding, starting);
    assert_eq!(found.unwrap(), Some(ready(2)));
    residence.retire().unwrap();
    let ending = async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(residence);
    };
    let (found, ()) = tokio::join!(find_living(data.path()), ending);
    assert_eq!(found.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_outlives_its_demo_by_a_minute() {
    let data = fresh_folder();
    let demo = attend(data.path()).unwrap();
    let started = Instant::now();
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(300)).await;
        drop(demo);
        tokio::time::sleep(Duration::from_secs(50)).await;
        // Another demo comes in time, and stays a little.
        let another = attend(data.path()).unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(another);
    };
    let folder = folder(data.path());
    let (outlived, ()) = tokio::join!(outlive_demos(&folder), leaving);
    outlived.unwrap();
    let lived_for = started.elapsed().as_secs();
    assert!((428..=432).contains(&lived_for), "{lived_for}");
}
