//! Random offices and random days, and none may break an invariant or part from the
//! model.

use crate::transition::{Run, Size};
use crate::world::{Against, Figures};

/// Runs seeds, and tells what they have seen.
fn check(seeds: impl Iterator<Item = u64>, size: Size, against: Against, steps: u64) {
    let (mut total, mut count) = (Figures::default(), 0_u64);
    for seed in seeds {
        let mut run = Run::new(seed, size, against);
        run.go(steps);
        if run.world.violations.is_empty() && against == Against::Invariants {
            run.drain();
        }
        let violations = &run.world.violations;
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
        total.add(&run.world.figures);
        count += 1;
    }
    eprintln!("{count} seeds of {steps} steps, 0 violations: {total:?}");
}

/// TR6: ten thousand cases of two hundred operations, in four parts so that they run
/// beside each other.
const PART: u64 = 2_500;

#[test]
fn tr6_the_router_decides_as_the_model_first_part() {
    check(0..PART, Size::Small, Against::Model, 200);
}

#[test]
fn tr6_the_router_decides_as_the_model_second_part() {
    check(PART..2 * PART, Size::Small, Against::Model, 200);
}

#[test]
fn tr6_the_router_decides_as_the_model_third_part() {
    check(2 * PART..3 * PART, Size::Small, Against::Model, 200);
}

#[test]
fn tr6_the_router_decides_as_the_model_fourth_part() {
    check(3 * PART..4 * PART, Size::Small, Against::Model, 200);
}

#[test]
fn t12_no_invariant_breaks_first_part() {
    check(100_000..101_000, Size::Middle, Against::Invariants, 200);
}

#[test]
fn t12_no_invariant_breaks_second_part() {
    check(101_000..102_000, Size::Middle, Against::Invariants, 200);
}

/// A few long days.
#[test]
fn t12_no_invariant_breaks_in_long_days() {
    check(200_000..200_004, Size::Middle, Against::Invariants, 5_000);
}

/// `cargo test --release -p domain --test sim -- --ignored --nocapture million`, with
/// `SEEDS=5000` for fewer.
#[test]
#[ignore = "takes an hour"]
fn tr6_a_million_cases() {
    let seeds = told("SEEDS").unwrap_or(1_000_000);
    check(10_000..10_000 + seeds, Size::Small, Against::Model, 200);
}

/// As above, with `hundred_thousand`.
#[test]
#[ignore = "takes a quarter of an hour"]
fn t12_a_hundred_thousand_seeds() {
    let seeds = told("SEEDS").unwrap_or(100_000);
    let seeds = 1_000_000..1_000_000 + seeds;
    check(seeds, Size::Middle, Against::Invariants, 200);
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks into a failure says what to run"
)]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells everything that happens in one run: `SEED=7 SMALL=1 cargo test … one_seed`.
#[test]
#[ignore = "for looking into a failure"]
fn one_seed() {
    let seed = told("SEED").expect("which");
    let (size, against) = if told("SMALL").is_some() {
        (Size::Small, Against::Model)
    } else {
        (Size::Middle, Against::Invariants)
    };
    let mut run = Run::new(seed, size, against);
    run.world.tells = true;
    run.go(200);
    if run.world.violations.is_empty() {
        run.drain();
    }
    assert_eq!(run.world.violations, Vec::<String>::new());
}

/// Seeds that once found something.
#[test]
fn seeds_of_before() {
    for (size, against, seeds) in SEEDS_OF_BEFORE {
        check(seeds.iter().copied(), *size, *against, 200);
    }
}

const SEEDS_OF_BEFORE: &[(Size, Against, &[u64])] = &[
    // Taken while out of reach; a pause that ended while the client was gone.
    (
        Size::Small,
        Against::Model,
        &[1, 2_506, 5_003, 7_501, 7_569],
    ),
    // The same, and taken without room.
    (
        Size::Middle,
        Against::Invariants,
        &[100_059, 101_011, 101_016, 101_059],
    ),
];
