//! What a process uses, by `/proc`, and on which core it may run.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// Of a second: the unit of the times in `/proc/<pid>/stat` (USER_HZ, 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process has used so far, in user space and in the kernel.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    // The second field, the program's name, may hold spaces; utime and stime are the 14th and 15th.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// Resident memory in MiB.
pub(crate) fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    kib / 1024.0
}

/// Keeps a process, threads and all, on some cores (`0`, `1-3`); false when it cannot be.
pub(crate) fn pin(pid: u32, cores: &str) -> bool {
    let pid = pid.to_string();
    let taskset = Command::new("taskset").args(["--all-tasks", "--cpu-list", "--pid", cores, &pid]).output();
    taskset.is_ok_and(|done| done.status.success())
}
