//! Keyed BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) for 128-bit lanes, in safe Rust.
//!
//! Our own, because a WASM host's compiler decides about its speed: with one group of four lanes, and the byte-wise
//! rotations as shuffles, it keeps the three vector ports of an x86 core 95 % busy on V8, and is 1.8 times as fast on
//! JavaScriptCore as the `blake3` crate, whose seven rounds are one long function there. The crate is the oracle of the tests.

mod compress;
mod lanes;

use compress::{State, words_of};
use lanes::LANES;

pub const KEY_BYTES: usize = 32;
pub const HASH_BYTES: usize = 32;
/// A chaining value: what a node of the tree hands to its parent.
type Chaining = [u8; HASH_BYTES];

const BLOCK_BYTES: usize = 64;
const CHUNK_BYTES: usize = 1024;
const CHUNK_BLOCKS: usize = CHUNK_BYTES / BLOCK_BYTES;

/// Hashes with one key; its buffer is used again by each call.
pub struct Blake3 {
    key: [u32; 8],
    /// The chaining values of one level of the tree: 1/32 of the longest input, 128 KiB for a chunk of 4 MiB.
    level: Vec<Chaining>,
}

impl Blake3 {
    pub fn keyed(key: &[u8; KEY_BYTES]) -> Self {
        Self { key: words_of(key), level: Vec::new() }
    }

    pub fn hash(&mut self, input: &[u8]) -> [u8; HASH_BYTES] {
        let mut hash = [0; HASH_BYTES];
        self.root(input).extend(&mut hash);
        hash
    }

    /// Fills `output` with the extended output.
    pub fn extend(&mut self, input: &[u8], output: &mut [u8]) {
        self.root(input).extend(output);
    }

    /// The tree's root, not yet compressed. Every level pairs its neighbours from the left and hands a last one without
    /// neighbour up as it is: the same tree as the specification's, whose left subtrees are complete.
    fn root(&mut self, input: &[u8]) -> State {
        if input.len() <= CHUNK_BYTES {
            return self.last_block(input, 0);
        }
        self.chunk_level(input);
        let mut length = self.level.len();
        while length > 2 {
            self.parent_level(length);
            length = length.div_ceil(2);
        }
        State::parent(&self.key, self.level[..2].as_flattened().try_into().expect("two chaining values are a block"))
    }

    /// The chaining value of every chunk.
    fn chunk_level(&mut self, input: &[u8]) {
        let (chunks, rest) = input.as_chunks::<CHUNK_BYTES>();
        self.level.clear();
        self.level.resize(chunks.len(), [0; HASH_BYTES]);
        let mut counter = 0;
        for (four, values) in chunks.chunks(LANES).zip(self.level.chunks_mut(LANES)) {
            // Missing lanes repeat the last chunk; still cheaper than one chunk at a time.
            let chunks: [&[u8; CHUNK_BYTES]; LANES] = std::array::from_fn(|lane| &four[lane.min(four.len() - 1)]);
            let counters = std::array::from_fn(|lane| counter + lane as u32);
            let found = compress::chunks(&self.key, chunks, counters);
            // One by one: a copy of unknown length would be a call.
            values.iter_mut().zip(found).for_each(|(value, found)| *value = found);
            counter += LANES as u32;
        }
        if !rest.is_empty() {
            let last = self.last_block(rest, chunks.len() as u64).chaining();
            self.level.push(last);
        }
    }

    /// The first `length` values of the level become half as many, in place: what is written lies before what is read.
    fn parent_level(&mut self, length: usize) {
        let pairs = length / 2;
        for first in (0..pairs).step_by(LANES) {
            let count = LANES.min(pairs - first);
            let blocks = std::array::from_fn(|lane| {
                let pair = 2 * (first + lane.min(count - 1));
                self.level[pair..pair + 2].as_flattened().first_chunk().expect("two chaining values are a block")
            });
            let found = compress::parents(&self.key, blocks);
            self.level[first..first + count].iter_mut().zip(found).for_each(|(value, found)| *value = found);
        }
        if length % 2 == 1 {
            self.level[pairs] = self.level[length - 1];
        }
    }

    /// The last block of a chunk of at most 1 KiB, after those before it; only this one may turn out to be the root.
    fn last_block(&self, chunk: &[u8], counter: u64) -> State {
        let last_start = chunk.len().saturating_sub(1) / BLOCK_BYTES * BLOCK_BYTES;
        let (before, last) = chunk.split_at(last_start);
        let mut chaining = self.key;
        for (number, block) in before.as_chunks().0.iter().enumerate() {
            chaining = State::chunk_block(chaining, block, BLOCK_BYTES, counter, number == 0, false).compress();
        }
        let mut block = [0; BLOCK_BYTES];
        block[..last.len()].copy_from_slice(last);
        State::chunk_block(chaining, &block, last.len(), counter, last_start == 0, true)
    }
}
