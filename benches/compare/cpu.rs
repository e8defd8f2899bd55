//! CPU time of processes, as the kernel counts it.

use std::{fs, time::Duration};

/// Ticks a second in which the kernel tells times, on all that run Linux.
const TICKS_PER_SEC: f64 = 100.0;

/// What processes have used so far.
#[derive(Clone, Copy, Default)]
struct Used {
    itself: f64,
    /// Its children that have ended and were waited for.
    ended_children: f64,
}

/// A process without its children; nothing if it has ended.
pub fn of_process(pid: u32) -> Duration {
    seconds(read(&format!("/proc/{pid}/stat")).itself)
}

/// A thread, by the path that `/proc/thread-self` gave it.
pub fn of_thread(path: &str) -> Duration {
    seconds(read(&format!("/proc/{path}/stat")).itself)
}

/// The children that this process has waited for.
pub fn of_ended_children() -> Duration {
    seconds(read("/proc/self/stat").ended_children)
}

/// A server: the postmaster, its processes, and those of them that have ended.
pub fn of_server(postmaster: u32) -> Duration {
    let postmaster_used = read(&format!("/proc/{postmaster}/stat"));
    let living: f64 =
        children(postmaster).into_iter().map(|pid| read(&format!("/proc/{pid}/stat")).itself).sum();
    seconds(postmaster_used.itself + postmaster_used.ended_children + living)
}

/// The time for which the machine's cores had nothing to do, waiting for the disk included.
pub fn idle() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let all = text.lines().next().unwrap_or("");
    // cpu, user, nice, system, idle, iowait
    let ticks: f64 =
        all.split_whitespace().skip(4).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    seconds(ticks)
}

/// The processes that a process started and that still run.
pub fn children(parent: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn seconds(ticks: f64) -> Duration {
    Duration::from_secs_f64(ticks / TICKS_PER_SEC)
}

fn read(path: &str) -> Used {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The name stands in brackets and may hold blanks; behind it the state is the third field.
    let Some((_, fields)) = text.rsplit_once(')') else { return Used::default() };
    let fields: Vec<f64> = fields.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0.0);
    Used { itself: field(14) + field(15), ended_children: field(16) + field(17) }
}
