use serde_json::Value;

/// The middle one of several.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A figure as JSON, with as many digits as it deserves.
pub fn figure(value: f64) -> Value {
    let scale = match value.abs() {
        size if size >= 100.0 => 1.0,
        size if size >= 1.0 => 100.0,
        _ => 10_000.0,
    };
    Value::from((value * scale).round() / scale)
}

/// How many wanted a processor in the last minute.
pub fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
