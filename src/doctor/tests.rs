use super::*;

fn server() -> Server {
    Server {
        version_number: 150_018,
        version: "15.18".into(),
        now: Utc::now(),
        fsync: true,
        full_page_writes: true,
        synchronous_commit: "on".into(),
        autovacuum: true,
        shared_buffers: 1 << 30,
        max_wal_size: 4 << 30,
        connections: 10,
        max_connections: 97,
    }
}

/// Returns the checks that are not ok, with their levels.
fn faults(findings: &[Finding]) -> Vec<(&'static str, Level)> {
    findings.iter().filter(|f| f.level != Level::Ok).map(|f| (f.check, f.level)).collect()
}

#[test]
fn a_server_is_judged_by_each_setting() {
    let good = server();
    assert_eq!(faults(&judge_server(&good, good.now)), []);
    for (change, fault) in [
        (Server { version_number: 140_000, ..server() }, ("postgres", Level::Fail)),
        (Server { fsync: false, ..server() }, ("durability", Level::Fail)),
        (Server { full_page_writes: false, ..server() }, ("durability", Level::Fail)),
        (Server { synchronous_commit: "off".into(), ..server() }, ("durability", Level::Fail)),
        (Server { autovacuum: false, ..server() }, ("autovacuum", Level::Fail)),
        (Server { shared_buffers: 16 << 20, ..server() }, ("memory", Level::Warn)),
        (Server { max_wal_size: 64 << 20, ..server() }, ("memory", Level::Warn)),
        (Server { connections: 80, ..server() }, ("connections", Level::Warn)),
        (Server { connections: 97, ..server() }, ("connections", Level::Fail)),
    ] {
        assert_eq!(faults(&judge_server(&change, change.now)), [fault], "{change:?}");
    }
    for (apart, level) in [(3, Level::Warn), (-3, Level::Warn), (61, Level::Fail), (-61, Level::Fail)] {
        let now = good.now + TimeDelta::seconds(apart);
        assert_eq!(faults(&judge_server(&good, now)), [("clock", level)], "{apart} s");
    }
}

#[test]
fn whoever_reads_a_fault_is_told_what_to_do() {
    let finding = judge_hll(None);
    assert_eq!(finding.level, Level::Fail);
    let text = finding.to_string();
    assert!(text.starts_with("FAIL  hll") && text.contains("-> install its package"), "{text}");
}
