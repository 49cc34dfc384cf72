//! How long it takes to read what was dialled, and to load the numbering plans.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;

use phonenumber::metadata::DATABASE;
use tandem::flows::route::number::{Habits, read, warm_up};
use tokio::time::Instant;

/// Memory of this process in MiB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() / 256.0
}

fn main() {
    let start = Instant::now();
    warm_up();
    println!("numbering plans loaded in {:?}", start.elapsed());
    let habits = Habits { country: "US", area_code: "214", outside_prefix: "9" };
    for dialled in ["5125550123", "95550123", "011442079460000", "+8613812345678", "1001"] {
        let rounds = 2_000;
        for _ in 0..rounds / 10 {
            black_box(read(black_box(dialled), habits));
        }
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(read(black_box(dialled), habits));
        }
        println!("{dialled:>16}: {:?} each", start.elapsed() / rounds);
    }
    // Every country by turns.
    let world: Vec<String> = DATABASE
        .iter()
        .filter_map(|plan| Some(format!("+{}{}", plan.country_code(), plan.descriptors().fixed_line()?.example()?)))
        .collect();
    for (kept, countries) in [(100, 20), (100, 80), (1000, 20), (1000, 80), (1000, world.len()), (4000, world.len())] {
        if let Ok(mut patterns) = DATABASE.cache().lock() {
            patterns.set_capacity(kept);
        }
        let mut start = Instant::now();
        for round in 0..4 {
            if round == 1 {
                start = Instant::now();
            }
            for number in &world[..countries] {
                black_box(read(black_box(number), habits));
            }
        }
        let each = start.elapsed() / u32::try_from(3 * countries).unwrap_or(u32::MAX);
        let kept_now = DATABASE.cache().lock().map_or(0, |patterns| patterns.len());
        println!(
            "{countries:>3} countries by turns, {kept} patterns kept ({kept_now} there): {each:?} each; {:.0} MiB resident",
            resident()
        );
    }
}
