//! The load generator with little to do: what it finds wrong fails it, and it tells its
//! figures.

use std::process::Command;

use e2e::real::program;
use serde_json::Value;

#[test]
fn a_mailbox_is_taken_in_beside_a_bare_drain() {
    let mut bench = Command::new(program());
    bench.args(["bench", "mail", "--letters", "60", "--rounds", "1"]);
    let output = bench.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("needs Dovecot") {
        return println!("skipped: a_mailbox_is_taken_in_beside_a_bare_drain: {said}");
    }
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8_lossy(&output.stdout);
    let figures: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(figures["workload"], "mail");
    assert_eq!(figures["letters"], 60);
    for figure in ["rate", "limit_rate", "rate_ratio", "peak_rss_mb"] {
        let value = figures[figure].as_f64();
        assert!(value.is_some_and(|value| value > 0.0), "{figure}: {told}");
    }
}
