//! The compression function, once for a single block and once for four blocks side by side: the rounds are the same code
//! over a `Word`, which is a number or a vector of four.

use super::lanes::{LANES, Lanes, Word};
use super::{BLOCK_BYTES, CHUNK_BLOCKS, CHUNK_BYTES, Chaining, HASH_BYTES};

const IV: [u32; 4] = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];
const ROUNDS: usize = 7;
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

const CHUNK_START: u32 = 1 << 0;
const CHUNK_END: u32 = 1 << 1;
const PARENT: u32 = 1 << 2;
const ROOT: u32 = 1 << 3;
const KEYED_HASH: u32 = 1 << 4;

/// One block about to be compressed: only then is it known whether it is the root.
pub struct State {
    chaining: [u32; 8],
    message: [u32; 16],
    counter: u64,
    block_bytes: u32,
    flags: u32,
}

impl State {
    pub fn chunk_block(
        chaining: [u32; 8],
        block: &[u8; BLOCK_BYTES],
        length: usize,
        counter: u64,
        first: bool,
        last: bool,
    ) -> Self {
        let flags = KEYED_HASH | if first { CHUNK_START } else { 0 } | if last { CHUNK_END } else { 0 };
        Self { chaining, message: words_of(block), counter, block_bytes: length as u32, flags }
    }

    pub fn parent(key: &[u32; 8], block: &[u8; BLOCK_BYTES]) -> Self {
        let flags = KEYED_HASH | PARENT;
        Self { chaining: *key, message: words_of(block), counter: 0, block_bytes: BLOCK_BYTES as u32, flags }
    }

    pub fn compress(&self) -> [u32; 8] {
        let state = self.permuted(self.counter, self.flags);
        std::array::from_fn(|word| state[word] ^ state[word + 8])
    }

    pub fn chaining(&self) -> Chaining {
        let mut bytes = [0; HASH_BYTES];
        write_words(&self.compress(), &mut bytes);
        bytes
    }

    /// As the root: any length of output, 64 bytes a compression.
    pub fn extend(&self, output: &mut [u8]) {
        for (piece, number) in output.chunks_mut(BLOCK_BYTES).zip(0..) {
            let state = self.permuted(number, self.flags | ROOT);
            let words: [u32; 16] = std::array::from_fn(|word| {
                if word < 8 { state[word] ^ state[word + 8] } else { state[word] ^ self.chaining[word - 8] }
            });
            let mut bytes = [0; BLOCK_BYTES];
            write_words(&words, &mut bytes);
            piece.copy_from_slice(&bytes[..piece.len()]);
        }
    }

    fn permuted(&self, counter: u64, flags: u32) -> [u32; 16] {
        let mut state = initial(&self.chaining, counter as u32, (counter >> 32) as u32, self.block_bytes, flags);
        rounds(&mut state, self.message);
        state
    }
}

/// The chaining values of four whole chunks. Counters stay below 2^32: that is 4 TiB of one input.
pub fn chunks(key: &[u32; 8], chunks: [&[u8; CHUNK_BYTES]; LANES], counters: [u32; LANES]) -> [Chaining; LANES] {
    let mut chaining = key.map(Lanes::splat);
    for number in 0..CHUNK_BLOCKS {
        let edge = if number == 0 { CHUNK_START } else { 0 } | if number == CHUNK_BLOCKS - 1 { CHUNK_END } else { 0 };
        let blocks = chunks.map(|chunk| &chunk.as_chunks().0[number]);
        chaining = compress_lanes(&chaining, blocks, Lanes::from_array(counters), KEYED_HASH | edge);
    }
    Lanes::write(&chaining)
}

/// The chaining values of four parents, whose blocks are the chaining values of their two children.
pub fn parents(key: &[u32; 8], blocks: [&[u8; BLOCK_BYTES]; LANES]) -> [Chaining; LANES] {
    let chaining = key.map(Lanes::splat);
    Lanes::write(&compress_lanes(&chaining, blocks, Lanes::splat(0), KEYED_HASH | PARENT))
}

#[inline(always)]
fn compress_lanes(
    chaining: &[Lanes; 8],
    blocks: [&[u8; BLOCK_BYTES]; LANES],
    counter: Lanes,
    flags: u32,
) -> [Lanes; 8] {
    let mut state = initial(chaining, counter, Lanes::splat(0), Lanes::splat(BLOCK_BYTES as u32), Lanes::splat(flags));
    rounds(&mut state, Lanes::read(blocks));
    std::array::from_fn(|word| state[word].xor(state[word + 8]))
}

#[inline(always)]
fn initial<W: Word>(chaining: &[W; 8], counter_low: W, counter_high: W, block_bytes: W, flags: W) -> [W; 16] {
    let [c0, c1, c2, c3, c4, c5, c6, c7] = *chaining;
    let [i0, i1, i2, i3] = IV.map(W::splat);
    [c0, c1, c2, c3, c4, c5, c6, c7, i0, i1, i2, i3, counter_low, counter_high, block_bytes, flags]
}

/// A loop: unrolled, this is too large for JavaScriptCore's best optimiser (0.6 to 0.8 GiB/s instead of 1.2), and no faster on
/// V8. The last round stands behind it, so that the message is not permuted in vain.
#[inline(always)]
fn rounds<W: Word>(state: &mut [W; 16], mut message: [W; 16]) {
    for _ in 1..ROUNDS {
        round(state, &message);
        message = PERMUTATION.map(|word| message[word]);
    }
    round(state, &message);
}

#[inline(always)]
fn round<W: Word>(state: &mut [W; 16], message: &[W; 16]) {
    mix(state, [0, 4, 8, 12], message[0], message[1]);
    mix(state, [1, 5, 9, 13], message[2], message[3]);
    mix(state, [2, 6, 10, 14], message[4], message[5]);
    mix(state, [3, 7, 11, 15], message[6], message[7]);
    mix(state, [0, 5, 10, 15], message[8], message[9]);
    mix(state, [1, 6, 11, 12], message[10], message[11]);
    mix(state, [2, 7, 8, 13], message[12], message[13]);
    mix(state, [3, 4, 9, 14], message[14], message[15]);
}

#[inline(always)]
fn mix<W: Word>(state: &mut [W; 16], [a, b, c, d]: [usize; 4], first: W, second: W) {
    state[a] = state[a].add(state[b]).add(first);
    state[d] = state[d].xor(state[a]).rotate_16();
    state[c] = state[c].add(state[d]);
    state[b] = state[b].xor(state[c]).rotate::<12>();
    state[a] = state[a].add(state[b]).add(second);
    state[d] = state[d].xor(state[a]).rotate_8();
    state[c] = state[c].add(state[d]);
    state[b] = state[b].xor(state[c]).rotate::<7>();
}

pub fn words_of<const WORDS: usize>(bytes: &[u8]) -> [u32; WORDS] {
    let words = bytes.as_chunks().0;
    std::array::from_fn(|word| u32::from_le_bytes(words[word]))
}

fn write_words(words: &[u32], bytes: &mut [u8]) {
    for (word, place) in words.iter().zip(bytes.as_chunks_mut().0) {
        *place = word.to_le_bytes();
    }
}
