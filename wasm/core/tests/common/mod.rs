//! What the tests share: the golden vectors, their generators, and random numbers with a printed seed.
#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::Value;

pub const VECTORS: &str = include_str!("../../../../test/vectors/core.json");

pub fn vectors() -> Value {
    serde_json::from_str(VECTORS).expect("core.json is JSON")
}

pub fn list<'value>(value: &'value Value, name: &str) -> &'value [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

pub fn text<'value>(value: &'value Value, name: &str) -> &'value str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is text"))
}

pub fn number(value: &Value, name: &str) -> usize {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} is a number")) as usize
}

pub fn key(vectors: &Value) -> [u8; 32] {
    hex(text(vectors, "key")).try_into().expect("a key has 32 bytes")
}

/// The generators of core.json; their definitions stand there.
pub fn generate(generator: &str, length: usize) -> Vec<u8> {
    match generator {
        "squares" => (0..length as u64).map(|i| (i * i + i / 7) as u8).collect(),
        "zero" => vec![0; length],
        "letters" => generate("xorshift", length).iter().map(|byte| b"acgt"[(byte >> 6) as usize]).collect(),
        "xorshift" => {
            let mut x = 2463534242u32;
            let step = |_| {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                (x >> 24) as u8
            };
            (0..length).map(step).collect()
        }
        other => panic!("no generator {other}"),
    }
}

pub fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).expect("hex")).collect()
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn base64(digits: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = digits.bytes().filter_map(|digit| ALPHABET.iter().position(|&known| known == digit));
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for value in values {
        (held, bits) = (held << 6 | value as u32, bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

/// splitmix64 (Steele et al., OOPSLA '14). The seed is printed, so that a failure can be run again:
/// BLOCKVAULT_SEED=… cargo test.
pub struct Random(u64);

impl Random {
    pub fn seeded() -> Self {
        let now = || std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
        let seed = std::env::var("BLOCKVAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(now);
        println!("BLOCKVAULT_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn bytes<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        std::array::from_fn(|_| self.next() as u8)
    }

    /// Bytes as an image has them: runs of noise, of zeros, of few letters, and repeats of what came before.
    pub fn image(&mut self, length: usize) -> Vec<u8> {
        let mut image = Vec::with_capacity(length);
        while image.len() < length {
            let run = 1 + self.below(3000);
            match self.below(4) {
                0 => image.extend((0..run).map(|_| self.next() as u8)),
                1 => image.resize(image.len() + run, 0),
                2 => image.extend((0..run).map(|_| b"etaoin s"[self.below(8)])),
                _ => {
                    let from = self.below(image.len() + 1);
                    let until = image.len().min(from + run);
                    image.extend_from_within(from..until);
                }
            }
        }
        image.truncate(length);
        image
    }
}
