//! How floats are printed: three ways, each as C++ does it.

/// Six digits after the point, as `toString` prints.
pub(crate) fn fixed_float(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    format!("{value:.6}")
}

/// Six significant digits, as values are shown (`%g`).
pub(crate) fn short_float(value: f64) -> String {
    if !value.is_finite() {
        return fixed_float(value);
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let fixed = format!("{value:.*}", (5 - exponent).max(0) as usize);
        return trimmed(&fixed).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Digits that read back the same, as `toJSON` prints.
pub(crate) fn json_float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    let (digits, last) = super::grisu::digits(value.abs());
    let digits = super::from_bytes(digits);
    let count = digits.len() as i32;
    let point = count + last;
    let exponent = point - 1;
    let body = if count <= point && point <= 15 {
        format!("{digits}{}.0", "0".repeat((point - count) as usize))
    } else if 0 < point && point <= 15 {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    } else if -4 < point && point <= 0 {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    } else {
        let fraction = if count > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}{fraction}e{sign}{:02}", &digits[..1], exponent.abs())
    };
    if value < 0.0 { format!("-{body}") } else { body }
}

#[cfg(test)]
mod tests {
    use super::{json_float, short_float};

    #[test]
    fn floats_print_as_in_c() {
        for (value, text) in [
            (1.5, "1.5"),
            (1e10, "1e+10"),
            (123_456_789.0, "1.23457e+08"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (100_000.0, "100000"),
        ] {
            assert_eq!(short_float(value), text);
        }
        for (value, text) in [
            (1.0, "1.0"),
            (1e20, "1e+20"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e-5, "1e-05"),
            (123_456.75, "123456.75"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9.5e-7, "9.5e-07"),
            // Not the shortest digits.
            (733.62106, "733.6210600000001"),
            (0.745860816412173, "0.7458608164121731"),
        ] {
            assert_eq!(json_float(value), text);
        }
    }
}
