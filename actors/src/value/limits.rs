//! Limits of what a deployment may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Invalid;

/// What a [`CpuLimit`] looks like, as JSON Schema says it.
const CPU_PATTERN: &str =
    r"^(0\.(0[1-9][0-9]?|[1-9][0-9]{0,2})|([1-9][0-9]{0,2}|10[01][0-9]|102[0-3])(\.[0-9]{1,3})?|1024(\.0{1,3})?)$";
/// What a [`MemoryLimit`] looks like.
const MEMORY_PATTERN: &str = concat!(
    r"^((614[4-9]|61[5-9][0-9]|6[2-9][0-9]{2}|[7-9][0-9]{3}|[1-9][0-9]{4,9})[kK]",
    r"|([6-9]|[1-9][0-9]{1,6})[mM]",
    r"|([1-9][0-9]{0,3}|1[0-5][0-9]{3}|16[0-2][0-9]{2}|163[0-7][0-9]|1638[0-4])[gG])([bB]|[iI][bB]?)?$",
);

/// A number of CPUs as text, such as `"0.5"`: 0.01 to 1024, at most three decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = CPU_PATTERN, "examples" = ["0.5"]))]
pub struct CpuLimit {
    text: String,
    millis: u32,
}

impl CpuLimit {
    /// Returns the limit in thousandths of a CPU.
    pub fn millicpus(&self) -> u32 {
        self.millis
    }
}

impl TryFrom<String> for CpuLimit {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match millis(&text) {
            Some(millis @ 10..=1_024_000) => Ok(Self { text, millis }),
            _ => Err(Invalid::new(
                "must be a number of CPUs from \"0.01\" to \"1024\" with at most three decimals",
            )),
        }
    }
}

impl From<CpuLimit> for String {
    fn from(limit: CpuLimit) -> Self {
        limit.text
    }
}

/// Parses a plain decimal number with at most three decimals into thousandths.
fn millis(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(decimals)
}

/// An amount of memory with its unit, such as `"256m"` or `"1g"` (powers of 1024): 6 MiB, the least that an engine
/// starts a container with, to 16 TiB. A bare number is refused, because nobody agrees on what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = MEMORY_PATTERN, "examples" = ["256m"]))]
pub struct MemoryLimit {
    text: String,
    bytes: u64,
}

const MIB: u64 = 1024 * 1024;
const MIN_BYTES: u64 = 6 * MIB;
const MAX_BYTES: u64 = 16 * 1024 * 1024 * MIB;

impl MemoryLimit {
    /// Returns the limit in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl TryFrom<String> for MemoryLimit {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match memory_bytes(&text) {
            Some(bytes @ MIN_BYTES..=MAX_BYTES) => Ok(Self { text, bytes }),
            Some(_) => Err(Invalid::new("must be from \"6m\" to \"16384g\"")),
            None => Err(Invalid::new(
                "must be a whole number with a unit `k`, `m` or `g`, such as \"256m\"",
            )),
        }
    }
}

impl std::fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<MemoryLimit> for String {
    fn from(limit: MemoryLimit) -> Self {
        limit.text
    }
}

fn memory_bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let unit_start = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_start);
    let factor = match unit {
        "k" | "kb" | "ki" | "kib" => 1024,
        "m" | "mb" | "mi" | "mib" => MIB,
        "g" | "gb" | "gi" | "gib" => 1024 * MIB,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_decimal_numbers() {
        assert_eq!(CpuLimit::try_from("0.5".to_owned()).unwrap().millicpus(), 500);
        assert_eq!(CpuLimit::try_from("2".to_owned()).unwrap().millicpus(), 2000);
        for bad in [
            "",
            "0",
            "-1",
            "1e3",
            "NaN",
            "inf",
            "0.0001",
            ".5",
            "1.",
            "1025",
            "99999999999",
            "0x1",
            " 1",
        ] {
            assert!(CpuLimit::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_has_a_unit() {
        assert_eq!(MemoryLimit::try_from("256m".to_owned()).unwrap().bytes(), 256 * MIB);
        assert_eq!(MemoryLimit::try_from("1GB".to_owned()).unwrap().bytes(), 1024 * MIB);
        for bad in [
            "",
            "256",
            "m",
            "-1m",
            "1.5g",
            "1t",
            "5m",
            "99999999999999999999g",
            "18446744073709551615g",
            "1 g",
        ] {
            assert!(MemoryLimit::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
