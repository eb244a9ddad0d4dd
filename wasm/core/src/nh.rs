//! NH (RFC 4418, section 5.2.2): sums of 32-bit by 32-bit products of key-shifted words, four passes over a block at once.
//! Pass p uses the key from its 16·p-th byte on (the Toeplitz construction), so the passes share their loads.

use crate::lanes64::{Keys, Sums, Words};

pub const BLOCK_BYTES: usize = 1024;
/// Four sums of 64 bits.
pub const SUM_BYTES: usize = 32;
const PASSES: usize = 4;
/// Words of 16 bytes in a block.
const BLOCK_WORDS: usize = BLOCK_BYTES / 16;
const KEY_WORDS: usize = BLOCK_WORDS + PASSES - 1;
pub const KEY_BYTES: usize = KEY_WORDS * 16;

pub struct Nh {
    keys: [Keys; KEY_WORDS],
}

impl Nh {
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let words = key.as_chunks::<16>().0;
        Self { keys: std::array::from_fn(|word| Keys::load(&words[word])) }
    }

    pub fn sum(&self, block: &[u8; BLOCK_BYTES]) -> [u8; SUM_BYTES] {
        let mut sums = [Sums::zero(); PASSES];
        let pairs = block.as_chunks::<32>().0;
        // Windows of a fixed length: every index below is known to the compiler.
        for (pair, keys) in pairs.iter().zip(self.keys.windows(PASSES + 1).step_by(2)) {
            let keys: &[Keys; PASSES + 1] = keys.try_into().expect("a window has its length");
            let [low, high] = pair.as_chunks::<16>().0 else { unreachable!("32 bytes are two words") };
            let (low, high) = (Words::load(low), Words::load(high));
            for (pass, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add_products(low.plus(keys[pass]), high.plus(keys[pass + 1]));
            }
        }
        let mut bytes = [0; SUM_BYTES];
        for (place, sum) in bytes.as_chunks_mut().0.iter_mut().zip(sums) {
            *place = sum.total().to_le_bytes();
        }
        bytes
    }
}
