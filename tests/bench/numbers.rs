//! How long it takes to read what was dialled, and to load the numbering plans.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;

use tandem::flows::route::number::{Habits, read, warm_up};
use tokio::time::Instant;

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
}
