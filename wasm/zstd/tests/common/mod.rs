//! Randomness with a printed seed (ZSTD_SEED repeats a run), and inputs that look like disk images.
#![allow(dead_code)]

pub struct Random(u64);

impl Random {
    pub fn seeded() -> Self {
        let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
        let seed = std::env::var("ZSTD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(now);
        println!("ZSTD_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn noise(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Runs, noise, skewed bytes, records with a few changing fields, and copies from near and far.
    pub fn image(&mut self, length: usize) -> Vec<u8> {
        let mut image = Vec::with_capacity(length);
        let scale = self.below(4);
        let piece_max = 1 + self.below([30, 300, 5_000, 100_000][scale]);
        while image.len() < length {
            let piece = 1 + self.below(piece_max.min(length - image.len()));
            match self.below(7) {
                0 => image.resize(image.len() + piece, self.next() as u8),
                1 => image.extend(self.noise(piece)),
                2 => {
                    let few = 1 + self.below(40) as u64;
                    image.extend((0..piece).map(|_| b'a' + (self.next() % few * (self.next() % few) / few) as u8));
                }
                3 => {
                    let size = 3 + self.below(60);
                    let record = self.noise(size);
                    for at in 0..piece {
                        image.push(record[at % record.len()] ^ u8::from(self.below(11) == 0));
                    }
                }
                _ if !image.is_empty() => {
                    let back = if self.below(2) == 0 { image.len().min(40) } else { image.len() };
                    let from = image.len() - 1 - self.below(back);
                    for at in 0..piece {
                        image.push(image[from + at]);
                    }
                }
                _ => {}
            }
        }
        image
    }
}
