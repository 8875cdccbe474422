use std::f64::consts::{LN_2, LN_10};

use proptest::prelude::*;

use super::gamma::{distribution, quantile};
use super::*;

/// Equal to so many parts of the expected.
#[track_caller]
fn close(value: f64, expected: f64, parts: f64) {
    let apart = (value - expected).abs();
    assert!(
        apart <= expected.abs() * parts,
        "{value} is not {expected}, {apart} apart"
    );
}

fn traffic(load: f64, aht: i64) -> Traffic {
    Traffic::of_load(load, Millis::from_secs(aht)).expect("a load")
}

fn erlang_c(load: f64, operators: u32, aht: i64) -> ErlangC {
    ErlangC::new(traffic(load, aht), operators).expect("operators")
}

fn erlang_a(load: f64, operators: u32, aht: i64, patience: i64) -> ErlangA {
    let patience = Millis::from_secs(patience);
    ErlangA::new(traffic(load, aht), operators, patience).expect("operators")
}

/// Shape, and the quantiles .001, .1, .5, .9 and .999 to 15 digits, computed with 40.
#[rustfmt::skip]
const QUANTILES: [(u32, [f64; 5]); 12] = [
    (1, [0.001_000_500_333_583_53, 0.105_360_515_657_826, LN_2, LN_10, 6.907_755_278_982_14]),
    (2, [0.045_402_017_769_489_6, 0.531_811_608_389_612, 1.678_346_990_016_66, 3.889_720_169_867_43, 9.233_413_476_451_59]),
    (3, [0.190_533_377_568_403, 1.102_065_328_249_32, 2.674_060_313_723_56, 5.322_320_337_834_21, 11.228_872_242_412_7]),
    (5, [0.739_371_731_917_833, 2.432_591_025_962_66, 4.670_908_882_795_98, 7.993_589_586_052_63, 14.794_149_222_537_2]),
    (10, [2.960_520_372_743_76, 6.221_304_605_225_03, 9.668_714_614_714_13, 14.205_990_292_152_8, 22.657_373_309_062_9]),
    (20, [8.958_213_267_626_01, 14.525_261_465_272_8, 19.667_672_423_305_7, 25.902_528_606_658_8, 36.700_978_759_495_5]),
    (50, [30.958_969_603_468_3, 41.179_067_906_178_6, 49.667_064_617_994_2, 59.249_001_905_531_1, 74.724_626_389_519_4]),
    (100, [71.921_397_495_000_4, 87.417_636_499_593_7, 99.666_864_919_315_5, 113.010_523_859_844, 133.770_263_911_379]),
    (200, [159.129_801_174_489, 182.103_712_617_684, 199.666_765_612_466, 218.324_492_527_289, 246.565_879_369_974]),
    (500, [433.739_541_303_638, 471.566_281_171_446, 499.666_706_201_69, 528.861_950_690_807, 571.958_546_309_84]),
    (999, [904.169_660_144_485, 958.714_203_919_994, 998.666_686_446_752, 1_039.714_036_813_65, 1_099.529_228_281_58]),
    (1000, [905.120_790_934_977, 959.693_932_728_833, 999.666_686_426_965, 1_040.734_308_013_69, 1_100.578_098_293_31]),
];

#[test]
fn quantiles_are_as_computed_with_more_digits() {
    for (shape, expected) in QUANTILES {
        let shares = [0.001, 0.1, 0.5, 0.9, 0.999];
        for (share, expected) in shares.into_iter().zip(expected) {
            close(quantile(f64::from(shape), share), expected, 1e-12);
        }
    }
}

#[test]
fn a_quantile_is_where_the_distribution_reaches_it() {
    for shape in (1..=1_000).chain([10_000, 1_000_000]) {
        let shape = f64::from(shape);
        for share in [0.1, 0.9] {
            close(distribution(shape, quantile(shape, share)).0, share, 1e-11);
        }
    }
}

/// The chi-squared distribution with 2k degrees of freedom is twice a gamma, and every
/// handbook of statistics has its table.
#[test]
fn quantiles_agree_with_printed_tables_of_chi_squared() {
    for (freedom, low, high) in [
        (2_u32, 0.211, 4.605),
        (4, 1.064, 7.779),
        (10, 4.865, 15.987),
        (20, 12.443, 28.412),
        (40, 29.051, 51.805),
        (60, 46.459, 74.397),
        (100, 82.358, 118.498),
    ] {
        let shape = f64::from(freedom / 2);
        assert!((2.0 * quantile(shape, 0.1) - low).abs() < 6e-4, "{freedom}");
        assert!(
            (2.0 * quantile(shape, 0.9) - high).abs() < 6e-4,
            "{freedom}"
        );
    }
}

#[test]
fn both_tails_are_as_computed_with_more_digits() {
    for (shape, x, lower, upper) in [
        (0.5, 0.1, 0.345_279_153_981_423, 0.654_720_846_018_577),
        (0.5, 3.0, 0.985_694_121_564_570, 0.014_305_878_435_429_4),
        (2.5, 2.5, 0.584_119_813_004_492, 0.415_880_186_995_508),
        (10.3, 5.0, 0.024_923_352_887_437_4, 0.975_076_647_112_563),
        (10.3, 20.0, 0.993_638_960_357_213, 0.006_361_039_642_786_63),
        (100.25, 90.0, 0.152_149_039_411_321, 0.847_850_960_588_677),
        (100.25, 120.0, 0.970_547_158_378_214, 0.029_452_841_621_786),
        (
            12_345.6,
            12_300.0,
            0.341_671_066_935_470,
            0.658_328_933_064_531,
        ),
        (
            12_345.6,
            12_500.0,
            0.917_256_281_020_247,
            0.082_743_718_979_752_8,
        ),
        (
            1e6,
            1_000_500.0,
            0.691_550_475_771_497,
            0.308_449_524_228_503,
        ),
    ] {
        let told = distribution(shape, x);
        close(told.0, lower, 1e-12);
        close(told.1, upper, 1e-11);
    }
    assert!(distribution(3.0, 0.0).0.abs() < f64::MIN_POSITIVE);
}

#[test]
fn the_wait_is_estimated_with_its_range() {
    let estimated = estimate(5, 10, Millis::from_secs(180));
    let expected = Estimate {
        expected: Millis(90_000),
        low: Millis(43_787),
        high: Millis(143_885),
    };
    assert_eq!(estimated, Some(expected));
    for (position, operators, aht) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, -1)] {
        assert_eq!(estimate(position, operators, Millis(aht)), None);
    }
    let most = estimate(u32::MAX, 1, Millis(i64::MAX)).expect("an estimate");
    assert_eq!(most.expected, Millis(i64::MAX));
}

#[test]
fn the_mean_handling_time_follows_the_latest() {
    let none = HandlingTime::default();
    assert_eq!(none.mean(), None);
    let plain = [90, 30, 60].map(Millis::from_secs).into_iter();
    let plain = plain.fold(none, HandlingTime::with);
    assert_eq!(plain.mean(), Some(Millis::from_secs(60)));
    let steady = (0..10).fold(none, |mean, _| mean.with(Millis::from_secs(60)));
    let longer = steady.with(Millis::from_secs(160));
    assert_eq!(longer.mean(), Some(Millis::from_secs(70)));
    assert_eq!(
        longer.with(Millis(-5)).mean(),
        Some(Millis::from_secs(63)),
        "less than nothing is nothing"
    );
    // After another hundred the old ones are forgotten.
    let anew = (0..100).fold(longer, |mean, _| mean.with(Millis::from_secs(10)));
    let away = anew.mean().expect("a mean").0 - 10_000;
    assert!((0..=5).contains(&away), "{away}");
}

#[test]
fn a_queue_is_as_published() {
    // Load, operators, AHT, T; P(wait), service level, ASA, occupancy.
    for (load, operators, aht, within, wait, level, asa, occupancy) in [
        (48.0, 55, 240, 15, 0.23870, 0.84588, 8_184, 0.87273),
        (10.0, 14, 180, 20, 0.17413, 0.88835, 7_836, 0.71429),
    ] {
        let queue = erlang_c(load, operators, aht);
        assert!((queue.wait_probability() - wait).abs() < 5e-6);
        let told = queue.service_level(Millis::from_secs(within));
        assert!((told - level).abs() < 5e-6, "{told}");
        assert_eq!(queue.asa(), Some(Millis(asa)));
        assert!((queue.occupancy() - occupancy).abs() < 5e-6);
    }
}

#[test]
fn ten_thousand_operators_are_counted_exactly() {
    // As computed with 40 digits.
    for (load, operators, aht, wait, level, asa) in [
        (
            9_950.0,
            10_000,
            180,
            0.504_750_474_681_02,
            0.998_048_674_974_522,
            1.817_101_708_851_67,
        ),
        (
            9_999.0,
            10_000,
            300,
            0.987_556_252_434_486,
            0.076_134_227_735_891,
            296.266_875_730_346,
        ),
        (
            990.0,
            1_000,
            180,
            0.659_080_421_880_854,
            0.783_035_346_715_347,
            11.863_447_593_855_4,
        ),
    ] {
        let queue = erlang_c(load, operators, aht);
        close(queue.wait_probability(), wait, 1e-11);
        close(queue.service_level(Millis::from_secs(20)), level, 1e-10);
        close(queue.asa_seconds().expect("it ends"), asa, 1e-11);
    }
}

#[test]
fn a_queue_that_only_grows_is_told_as_such() {
    let queue = erlang_c(20.0, 20, 60);
    close(queue.wait_probability(), 1.0, 1e-15);
    close(queue.occupancy(), 1.0, 1e-15);
    assert_eq!(queue.asa(), None);
    assert!(queue.service_level(Millis(i64::MAX)).abs() < f64::MIN_POSITIVE);
    let idle = erlang_c(0.0, 1, 60);
    assert_eq!(idle.asa(), Some(Millis(0)));
    assert_eq!(ErlangC::new(traffic(1.0, 60), 0), None);
    assert_eq!(ErlangC::new(traffic(1.0, 60), OPERATORS_MAX + 1), None);
}

#[test]
fn loads_that_are_none_are_refused() {
    let minute = Millis::from_secs(60);
    for load in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(Traffic::of_load(load, minute), None);
    }
    assert_eq!(Traffic::of_load(1.0, Millis(0)), None);
    assert_eq!(Traffic::of_arrivals(1, Millis(0), minute), None);
    assert_eq!(Traffic::of_arrivals(1, Millis(-1), minute), None);
    let half_an_hour = Millis::from_secs(1_800);
    let told = Traffic::of_arrivals(360, half_an_hour, Millis::from_secs(240));
    close(told.expect("a load").load(), 48.0, 1e-15);
}

#[test]
fn the_operators_needed_are_the_fewest() {
    let target = |share, within| Target {
        share,
        within: Millis::from_secs(within),
    };
    assert_eq!(
        operators_needed(traffic(10.0, 180), target(0.8, 20)),
        Some(14)
    );
    assert_eq!(
        operators_needed(traffic(48.0, 240), target(0.8, 15)),
        Some(55)
    );
    assert_eq!(
        operators_needed(traffic(0.0, 240), target(0.8, 15)),
        Some(1)
    );
    assert_eq!(
        operators_needed(traffic(10_000.0, 60), target(0.8, 20)),
        None
    );
    assert_eq!(
        operators_needed(traffic(10.0, 60), target(f64::NAN, 20)),
        None
    );
}

#[test]
fn a_queue_with_impatient_clients_is_as_published() {
    let queue = erlang_a(48.0, 50, 60, 120);
    assert!((queue.abandon_probability() - 0.030_912).abs() < 5e-7);
    assert_eq!(queue.mean_wait(), Millis(3_709));
}

#[test]
fn impatience_is_counted_as_with_more_digits() {
    for (load, operators, aht, patience, wait, abandon) in [
        (
            48.0,
            50,
            60,
            120,
            0.467_774_068_553_79,
            0.030_912_249_162_193_2,
        ),
        (
            50.0,
            50,
            60,
            120,
            0.601_167_651_750_992,
            0.046_684_585_914_765_4,
        ),
        (
            60.0,
            50,
            60,
            120,
            0.975_241_393_519_026,
            0.168_228_589_447_157,
        ),
        (
            48.0,
            50,
            60,
            1,
            0.126_310_457_167_361,
            0.077_477_170_645_991_6,
        ),
        (
            48.0,
            50,
            60,
            600_000,
            0.694_201_699_723_328,
            3.462_555_725_825_14e-5,
        ),
        (200.0, 50, 60, 120, 1.0, 0.75),
        (
            9_990.0,
            10_000,
            180,
            180,
            0.461_482_425_709_364,
            0.003_511_508_236_505_23,
        ),
        (12_000.0, 10_000, 180, 600, 1.0, 1.0 / 6.0),
        (0.5, 1, 60, 30, 0.371_976_276_342_755, 0.256_047_447_314_489),
    ] {
        let queue = erlang_a(load, operators, aht, patience);
        close(queue.wait_probability(), wait, 1e-11);
        close(queue.abandon_probability(), abandon, 1e-11);
    }
}

#[test]
fn extremes_of_impatience_stay_numbers() {
    for load in [0.0, 1e-300, 1.0, 9_999.999, 10_000.0, 10_000.001, 1e300] {
        for operators in [1, OPERATORS_MAX] {
            for patience in [1, i64::MAX] {
                let queue = ErlangA::new(traffic(load, 60), operators, Millis(patience));
                let queue = queue.expect("operators");
                for share in [
                    queue.wait_probability(),
                    queue.abandon_probability(),
                    queue.occupancy(),
                ] {
                    assert!((0.0..=1.0 + 1e-9).contains(&share), "{queue:?}: {share}");
                }
            }
        }
    }
    let minute = Millis::from_secs(60);
    assert_eq!(ErlangA::new(traffic(1.0, 60), 1, Millis(0)), None);
    assert_eq!(ErlangA::new(traffic(1.0, 60), 0, minute), None);
    assert_eq!(
        ErlangA::new(traffic(1.0, 60), OPERATORS_MAX + 1, minute),
        None
    );
}

/// The balance of births and deaths, state by state, for queues that are small.
fn by_states(load: f64, operators: u32, aht: f64, patience: f64) -> (f64, f64, f64) {
    let (mut weight, mut all, mut busy, mut waiting) = (1.0_f64, 1.0, 0.0, 0.0);
    for state in 1..5_000_u32 {
        let served = f64::from(state.min(operators));
        let waits = f64::from(state.saturating_sub(operators));
        weight *= load / (served + waits * aht / patience);
        all += weight;
        if state >= operators {
            busy += weight;
        }
        waiting += waits * weight;
    }
    let mean_wait = waiting / all / load * aht;
    (busy / all, mean_wait / patience, mean_wait)
}

proptest! {
    #[test]
    fn a_longer_position_waits_longer_and_more_operators_shorten_it(
        position in 1_u32..2_000,
        operators in 1_u32..200,
        aht in 1_000_i64..10_000_000,
    ) {
        let here = estimate(position, operators, Millis(aht)).expect("an estimate");
        let next = estimate(position + 1, operators, Millis(aht)).expect("an estimate");
        let more = estimate(position, operators + 1, Millis(aht)).expect("an estimate");
        prop_assert!(here.low <= here.expected && here.expected <= here.high);
        prop_assert!(here.low <= next.low && here.high <= next.high);
        prop_assert!(more.low <= here.low && more.high <= here.high);
    }

    #[test]
    fn more_operators_serve_better(
        operators in 1_u32..300,
        busy in 0.01_f64..0.99,
        aht in 1_i64..3_600,
        within in 0_i64..600,
    ) {
        let load = f64::from(operators) * busy;
        let (less, more) = (erlang_c(load, operators, aht), erlang_c(load, operators + 1, aht));
        let within = Millis::from_secs(within);
        prop_assert!(more.wait_probability() <= less.wait_probability());
        prop_assert!(more.service_level(within) >= less.service_level(within));
        prop_assert!(more.asa() <= less.asa());
        // Nobody is lost in Erlang C, so more wait than Erlang B sends away.
        prop_assert!(less.wait_probability() >= erlang_b(load, operators));
    }

    #[test]
    fn one_operator_less_than_needed_misses_the_target(
        load in 0.01_f64..500.0,
        aht in 1_i64..3_600,
        share in 0.01_f64..0.999,
        within in 0_i64..600,
    ) {
        let target = Target { share, within: Millis::from_secs(within) };
        let needed = operators_needed(traffic(load, aht), target).expect("enough");
        prop_assert!(erlang_c(load, needed, aht).service_level(target.within) >= share);
        if needed > 1 {
            let less = erlang_c(load, needed - 1, aht);
            prop_assert!(less.asa().is_none() || less.service_level(target.within) < share);
        }
    }

    #[test]
    fn impatience_is_the_balance_of_births_and_deaths(
        operators in 1_u32..40,
        busy in 0.05_f64..2.0,
        aht in 10_i64..600,
        patience in 10_i64..600,
    ) {
        let load = f64::from(operators) * busy;
        let queue = erlang_a(load, operators, aht, patience);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (wait, abandon, mean) = by_states(load, operators, aht as f64, patience as f64);
        close(queue.wait_probability(), wait, 1e-9);
        close(queue.abandon_probability(), abandon, 1e-9);
        close(queue.wait_seconds(), mean, 1e-9);
    }

    #[test]
    fn endless_patience_is_erlang_c(operators in 1_u32..200, busy in 0.05_f64..0.98) {
        let load = f64::from(operators) * busy;
        let patient = ErlangA::new(traffic(load, 60), operators, Millis(i64::MAX));
        let (patient, queue) = (patient.expect("operators"), erlang_c(load, operators, 60));
        close(patient.wait_probability(), queue.wait_probability(), 1e-3);
        let asa = queue.asa_seconds().expect("it ends");
        close(patient.wait_seconds(), asa, 1e-2);
        prop_assert!(patient.abandon_probability() < 1e-4);
    }

    #[test]
    fn no_patience_is_erlang_b(operators in 1_u32..200, busy in 0.05_f64..3.0) {
        let load = f64::from(operators) * busy;
        let queue = ErlangA::new(traffic(load, 36_000), operators, Millis(1));
        let queue = queue.expect("operators");
        close(queue.abandon_probability(), erlang_b(load, operators), 1e-3);
    }

    #[test]
    fn patience_load_and_operators_act_in_their_directions(
        operators in 1_u32..200,
        busy in 0.05_f64..2.0,
        patience in 1_i64..1_000,
    ) {
        let load = f64::from(operators) * busy;
        let here = erlang_a(load, operators, 60, patience);
        let more_operators = erlang_a(load, operators + 1, 60, patience);
        let more_load = erlang_a(load * 1.1, operators, 60, patience);
        let more_patience = erlang_a(load, operators, 60, patience * 2);
        // But for rounding.
        let slack = 1.0 + 1e-12;
        prop_assert!(more_operators.abandon_probability() <= here.abandon_probability() * slack);
        prop_assert!(more_operators.wait_seconds() <= here.wait_seconds() * slack);
        prop_assert!(more_load.abandon_probability() * slack >= here.abandon_probability());
        prop_assert!(more_patience.abandon_probability() <= here.abandon_probability() * slack);
        prop_assert!(more_patience.wait_seconds() * slack >= here.wait_seconds());
    }
}
