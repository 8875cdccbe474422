//! The gamma distribution: its density, its distribution and its quantiles.

use std::f64::consts::PI;

/// What is added is smaller than a double's last digit.
const EPSILON: f64 = 1e-16;

/// `x^a e^-x / Γ(a + 1)`, by its saddle point, so that nothing cancels when `a` is
/// large (C. Loader, "Fast and Accurate Computation of Binomial Probabilities",
/// 2000). `a` and `x` are more than zero.
pub(super) fn peak(a: f64, x: f64) -> f64 {
    let away = (x - a) / a;
    let log = if away < -0.5 {
        (x / a).ln()
    } else {
        away.ln_1p()
    };
    (a * (log - away) - stirling_error(a)).exp() / (2.0 * PI * a).sqrt()
}

/// What Stirling's formula lacks: `ln Γ(a + 1) - (a + ½) ln a + a - ½ ln 2π`
/// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.1.41). Where the
/// series is not exact enough, it begins further up: `Γ(a + 1) = Γ(a + 2) / (a + 1)`.
fn stirling_error(mut a: f64) -> f64 {
    let mut error = 0.0;
    while a < 16.0 {
        error += (a + 0.5) * (1.0 / a).ln_1p() - 1.0;
        a += 1.0;
    }
    let square = a * a;
    let series = 1.0 / 1188.0;
    let series = 1.0 / 1680.0 - series / square;
    let series = 1.0 / 1260.0 - series / square;
    let series = 1.0 / 360.0 - series / square;
    let series = 1.0 / 12.0 - series / square;
    error + series / a
}

/// The regularised incomplete gamma functions `P(a, x)` and `Q(a, x) = 1 - P(a, x)`:
/// below the mean by the power series, above it by the continued fraction
/// (Abramowitz and Stegun, 6.5.29 and 6.5.31; the choice as in Press et al.,
/// "Numerical Recipes", 6.2).
pub(super) fn distribution(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x < a + 1.0 {
        let lower = (peak(a, x) * series(a, x)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (peak(a, x) * a * fraction(a, x)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// `1 + x/(a+1) + x²/((a+1)(a+2)) + …`. Its terms fall by themselves while
/// `x < a + 1`.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut below) = (1.0, 1.0, a);
    while term > sum * EPSILON {
        below += 1.0;
        term *= x / below;
        sum += term;
    }
    sum
}

/// `1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - …)))` by the modified method of
/// Lentz (Press et al., 5.2), for `x >= a + 1`.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    // It needs a few times √a steps; where rounding keeps it from standing still,
    // it is as exact as it gets.
    let steps_max = 200.0 + 20.0 * x.sqrt();
    let mut below = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away_from_zero(below);
    let mut value = d;
    let mut step = 1.0;
    while step < steps_max {
        let above = -step * (step - a);
        below += 2.0;
        d = 1.0 / away_from_zero(above * d + below);
        c = away_from_zero(below + above / c);
        value *= d * c;
        if (d * c - 1.0).abs() <= f64::EPSILON {
            break;
        }
        step += 1.0;
    }
    value
}

/// Where the distribution with shape `a` and scale 1 reaches `p`. Newton's method
/// from the estimate of Wilson and Hilferty (1931), kept between bounds that close
/// in; `a` is 1 or more, `p` between 0 and 1.
pub(super) fn quantile(a: f64, p: f64) -> f64 {
    const STEPS_MAX: usize = 200;
    let cube = 1.0 - 1.0 / (9.0 * a) + normal_quantile(p) / (3.0 * a.sqrt());
    // Far down the tail the estimate is none; there it falls as a power of x.
    let mut x = if cube > 0.0 {
        a * cube.powi(3)
    } else {
        p.powf(1.0 / a)
    };
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    for _ in 0..STEPS_MAX {
        let (lower, upper) = distribution(a, x);
        // Whichever tail is smaller is the exact one.
        let excess = if p < 0.5 {
            lower - p
        } else {
            (1.0 - p) - upper
        };
        if excess > 0.0 {
            high = high.min(x);
        } else {
            low = low.max(x);
        }
        let slope = peak(a, x) * a / x;
        let mut next = x - excess / slope;
        if !(next > low && next < high) {
            next = if high.is_finite() {
                f64::midpoint(low, high)
            } else {
                2.0 * x
            };
        }
        if (next - x).abs() <= 4.0 * f64::EPSILON * x {
            return next;
        }
        x = next;
    }
    x
}

/// The standard normal quantile to three digits, to begin with (Abramowitz and
/// Stegun, 26.2.23).
fn normal_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - above / below).copysign(p - 0.5)
}
