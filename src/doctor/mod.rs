//! `heatstrip doctor` looks at everything that should be so, and says what to do where it is not.

mod cluster;
pub mod sql;
pub mod store;
mod stream;

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    clock::Clock,
    doctor::store::{Encryption, Examination, Hll, QueueHealth, SaltHealth, Server, SetAside},
    postgres::StoreError,
    viewers::epoch::SALT_KEPT,
};

/// The oldest server that has been tried.
const MIN_SERVER: i32 = 150_000;
/// With less memory than this, sketches are read slowly from disk.
const MIN_SHARED_BUFFERS: i64 = 128 << 20;
/// Below this size checkpoints follow each other while heartbeats are folded.
const MIN_MAX_WAL_SIZE: i64 = 1 << 30;
/// A queue this old is behind; at ten times that age nobody works on it.
const OLD_QUEUE: TimeDelta = TimeDelta::seconds(60);
const DEAD_QUEUE: TimeDelta = TimeDelta::minutes(10);
/// Late heartbeats and the coming night explain shard rows of so many days before today.
const USUAL_DAYS: usize = 3;
/// A salt is overdue only after this long, because the nightly job destroys salts once a day.
const OVERDUE_GRACE: TimeDelta = TimeDelta::hours(26);
/// Clocks further apart than this are warned of, and further apart than `SKEW_FAIL` they fail: `at` may be 5 minutes
/// ahead, and days end by the clock.
const SKEW_WARN: TimeDelta = TimeDelta::seconds(2);
const SKEW_FAIL: TimeDelta = TimeDelta::seconds(60);

/// A level says how it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The thing is as it should be.
    Ok,
    /// The thing works, but somebody should look.
    Warn,
    /// The thing does not work, or will not for long.
    Fail,
}

/// A finding is the outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    pub level: Level,
    pub seen: String,
    /// Tells what to do; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        write!(f, "{level}  {:<12}{}", self.check, self.seen)?;
        match &self.advice {
            Some(advice) => write!(f, "\n                  -> {advice}"),
            None => Ok(()),
        }
    }
}

fn ok(check: &'static str, seen: impl Into<String>) -> Finding {
    Finding { check, level: Level::Ok, seen: seen.into(), advice: None }
}

fn warn(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { check, level: Level::Warn, seen: seen.into(), advice: Some(advice.into()) }
}

fn fail(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { check, level: Level::Fail, seen: seen.into(), advice: Some(advice.into()) }
}

/// Looks at everything. A thing that cannot be looked at is a finding too.
pub async fn examine(database_url: &str, queue_url: Option<&str>, clock: &Clock) -> Vec<Finding> {
    let examination = match Examination::begin(database_url).await {
        Ok(examination) => examination,
        Err(error) => {
            let advice = "see that Postgres runs and that DATABASE_URL names it, with a role that may log in";
            return vec![fail("postgres", error.to_string(), advice)];
        }
    };
    let now = clock.now();
    let mut findings = Vec::new();
    match examination.server().await {
        Ok(server) => findings.extend(judge_server(&server, clock.now())),
        Err(error) => findings.push(unreadable("postgres", &error)),
    }
    let encryption = examination.encryption().await;
    findings.push(encryption.map_or_else(|error| unreadable("encryption", &error), judge_encryption));
    findings.push(examination.hll().await.map_or_else(|error| unreadable("hll", &error), judge_hll));
    match examination.schema().await {
        Ok(()) => findings.push(ok("schema", "the one this program knows")),
        Err(error) => {
            // The other checks read tables that may not be there.
            findings.push(fail(
                "schema",
                error.to_string(),
                "run `heatstrip migrate`, or the version of heatstrip that it names",
            ));
            return findings;
        }
    }
    match examination.salts(now.date_naive(), now - SALT_KEPT - OVERDUE_GRACE).await {
        Ok(salts) => {
            findings.extend([Some(judge_salts(&salts)), judge_overdue(&salts)].into_iter().flatten())
        }
        Err(error) => findings.push(unreadable("salts", &error)),
    }
    let faults = examination.partition_faults(now.date_naive() + Days::new(1)).await;
    findings.push(
        faults.map_or_else(|error| unreadable("partitions", &error), |faults| judge_partitions(&faults)),
    );
    match examination.cluster().await {
        Ok(cluster) => findings.extend(cluster.as_ref().map(cluster::judge)),
        Err(error) => findings.push(unreadable("cluster", &error)),
    }
    let queue = examination.queue().await;
    match stream::examine(database_url, queue_url).await {
        None => {
            let judged =
                queue.map_or_else(|error| unreadable("queue", &error), |queue| judge_queue(&queue, now));
            findings.push(judged);
        }
        Some((finding, depth)) => {
            findings.push(finding);
            findings.extend(depth.map(|depth| judge_queue(&depth, now)));
        }
    }
    let set_aside = examination.set_aside().await;
    findings.push(set_aside.map_or_else(|error| unreadable("set aside", &error), judge_set_aside));
    let days = examination.shard_days().await;
    let today = now.date_naive();
    findings.push(
        days.map_or_else(|error| unreadable("compaction", &error), |days| judge_compaction(&days, today)),
    );
    findings
}

fn unreadable(check: &'static str, error: &StoreError) -> Finding {
    fail(check, error.to_string(), "see that the role may read the tables and the catalog")
}

fn judge_server(server: &Server, now: DateTime<Utc>) -> Vec<Finding> {
    let version = format!("PostgreSQL {}", server.version);
    let mut findings = vec![match server.version_number >= MIN_SERVER {
        true => ok("postgres", version),
        false => fail("postgres", version, "upgrade to PostgreSQL 15 or newer"),
    }];
    findings.extend(judge_settings(server));

    let skew = server.now - now;
    let seen = format!("this host and Postgres are {} ms apart", skew.num_milliseconds().abs());
    let advice = "let both keep time by NTP: days and salts end by the clock";
    findings.push(match skew.abs() {
        skew if skew > SKEW_FAIL => fail("clock", seen, advice),
        skew if skew > SKEW_WARN => warn("clock", seen, advice),
        _ => ok("clock", seen),
    });

    let seen = format!("{} of {} connections in use", server.connections, server.max_connections);
    let advice = "raise max_connections, lower HEATSTRIP_SERVE_CONNECTIONS, or put a pooler in front";
    findings.push(match server.connections * 100 / server.max_connections.max(1) {
        95.. => fail("connections", seen, advice),
        80.. => warn("connections", seen, advice),
        _ => ok("connections", seen),
    });
    findings
}

fn judge_encryption(encryption: Encryption) -> Finding {
    match encryption {
        Encryption { tls: Some((version, cipher)), .. } => {
            ok("encryption", format!("sessions with Postgres are encrypted ({version}, {cipher})"))
        }
        Encryption { on_socket: true, .. } => {
            ok("encryption", "sessions go through a socket of this machine")
        }
        Encryption { on_this_machine: true, .. } => {
            ok("encryption", "sessions are not encrypted, and do not leave this machine")
        }
        _ => warn(
            "encryption",
            "sessions with Postgres cross a network and are not encrypted",
            "set ssl = on in postgresql.conf, and sslmode=verify-full with sslrootcert in DATABASE_URL",
        ),
    }
}

fn judge_settings(server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !server.fsync || !server.full_page_writes {
        let seen = "fsync or full_page_writes is off: a crash of the machine may destroy the database";
        findings.push(fail("durability", seen, "set both to on in postgresql.conf and reload"));
    }
    if server.synchronous_commit == "off" {
        let seen = "synchronous_commit is off: heartbeats that were answered 202 may be lost";
        findings.push(fail("durability", seen, "set synchronous_commit to on for this role or database"));
    }
    if findings.is_empty() {
        findings.push(ok("durability", "fsync, full_page_writes and synchronous_commit are on"));
    }
    findings.push(match server.autovacuum {
        true => ok("autovacuum", "on"),
        false => fail("autovacuum", "off: the queue grows without end", "set autovacuum to on and reload"),
    });
    let mebibytes = |bytes: i64| format!("{} MiB", bytes >> 20);
    let seen = format!(
        "shared_buffers {}, max_wal_size {}",
        mebibytes(server.shared_buffers),
        mebibytes(server.max_wal_size)
    );
    findings.push(
        match (server.shared_buffers < MIN_SHARED_BUFFERS, server.max_wal_size < MIN_MAX_WAL_SIZE) {
            (false, false) => ok("memory", seen),
            (true, _) => warn("memory", seen, "set shared_buffers to a quarter of the memory"),
            (_, true) => warn("memory", seen, "set max_wal_size to 4GB or more: checkpoints come too often"),
        },
    );
    findings
}

fn judge_hll(hll: Option<Hll>) -> Finding {
    match hll {
        None => fail(
            "hll",
            "the extension is not in this database",
            "install its package on the server (Debian: postgresql-15-hll, with your server's version), then run `heatstrip migrate`",
        ),
        Some(Hll { version, supported: false }) => fail(
            "hll",
            format!("version {version}"),
            "2.15 is needed: run ALTER EXTENSION hll UPDATE as a superuser",
        ),
        Some(Hll { version, supported: true }) => ok("hll", format!("version {version}")),
    }
}

fn judge_salts(salts: &SaltHealth) -> Finding {
    let tomorrow = match salts.tomorrow {
        Some(true) => "tomorrow's is there",
        Some(false) => {
            return fail(
                "salts",
                "tomorrow's salt is destroyed before its time",
                "see that the clock is right",
            );
        }
        None => "tomorrow's is made when it is needed",
    };
    match salts.today {
        Some(true) => {
            ok("salts", format!("today's is there ({}), {tomorrow}", salts.rotation.as_deref().unwrap_or("")))
        }
        None => warn("salts", "none for today yet", "start `heatstrip serve`: it makes one"),
        Some(false) => fail(
            "salts",
            "today's salt is destroyed: heartbeats are refused",
            "see that the clock is right; the next epoch has a new salt",
        ),
    }
}

fn judge_overdue(salts: &SaltHealth) -> Option<Finding> {
    let advice = "run `heatstrip compact`, and every night from now on: until then people can be looked for in old sketches";
    let hours = SALT_KEPT.num_hours();
    (salts.overdue > 0).then(|| {
        fail(
            "old salts",
            format!("{} salts are kept longer than {hours} hours after their epoch", salts.overdue),
            advice,
        )
    })
}

fn judge_partitions(faults: &[String]) -> Finding {
    match faults {
        [] => ok("partitions", "none stray; those of a day are made when its first heartbeat is folded"),
        faults => fail(
            "partitions",
            faults.join(", "),
            "look what is in it, then attach it again or drop it; a day that has not come: see that the clocks are right",
        ),
    }
}

fn judge_queue(queue: &QueueHealth, now: DateTime<Utc>) -> Finding {
    let Some(age) = queue.oldest.map(|oldest| now - oldest) else {
        return ok("queue", "empty");
    };
    let seen = format!("{} heartbeats, the oldest {} s old", queue.heartbeats, age.num_seconds());
    match age {
        age if age > DEAD_QUEUE => {
            fail("queue", seen, "start `heatstrip work`, or see in its log why it does not fold")
        }
        age if age > OLD_QUEUE => warn(
            "queue",
            seen,
            "run more of `heatstrip work`, or raise HEATSTRIP_WORKER_CONNECTIONS up to the number of lanes",
        ),
        _ => ok("queue", seen),
    }
}

fn judge_set_aside(set_aside: SetAside) -> Finding {
    match set_aside {
        SetAside { heartbeats: 0, .. } => ok("set aside", "none"),
        SetAside { heartbeats, reason } => warn(
            "set aside",
            format!(
                "{heartbeats} heartbeats could not be folded, the last because: {}",
                reason.unwrap_or_default()
            ),
            "look at heartbeat_queue_failed, mend the cause, then delete its rows",
        ),
    }
}

fn judge_compaction(shard_days: &[NaiveDate], today: NaiveDate) -> Finding {
    let waiting: Vec<&NaiveDate> = shard_days.iter().filter(|day| **day < today).collect();
    match waiting.as_slice() {
        [] => ok("compaction", "no day waits"),
        [first, ..] if waiting.len() > USUAL_DAYS => warn(
            "compaction",
            format!("{} days wait, the first is {first}", waiting.len()),
            "run `heatstrip compact` every night, or see in its log why it fails",
        ),
        [first, ..] => {
            ok("compaction", format!("{} days wait for the next night, the first is {first}", waiting.len()))
        }
    }
}

#[cfg(test)]
mod tests;
