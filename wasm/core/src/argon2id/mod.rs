//! Argon2id (RFC 9106), version 1.3: a key from a passphrase, at a cost in time and memory. Lanes run one after the other.
//!
//! Invariant: the answer depends on nothing but passphrase, salt and costs, and not on how the work is cut into steps.

mod blake2b;
mod block;

use crate::OutOfMemory;
use blake2b::{HASH_BYTES_MAX, blake2b, long_hash};
use block::{BLOCK_BYTES, BLOCK_WORDS, Block};

const VERSION: u32 = 0x13;
const TYPE_ID: u32 = 2;
/// Points where lanes wait for each other: they may look into the slices of other lanes that are done.
const SLICES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// Inputs beside the passphrase. `secret` and `associated` are empty for what blockvault stretches.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'bytes> {
    pub passphrase: &'bytes [u8],
    pub salt: &'bytes [u8],
    pub secret: &'bytes [u8],
    pub associated: &'bytes [u8],
}

pub struct Argon2id {
    costs: Costs,
    key_bytes: usize,
    /// Lane by lane.
    memory: Vec<Block>,
    next: Place,
    addresses: Block,
}

/// A block about to be made.
#[derive(Clone, Copy, Default)]
struct Place {
    pass: usize,
    slice: usize,
    lane: usize,
    /// In its segment, the part of a lane in a slice.
    index: usize,
}

impl Argon2id {
    /// Takes the memory and fills the first two blocks of each lane. `costs` are at least 1, and 8 KiB for each lane.
    pub fn new(inputs: Inputs, costs: Costs, key_bytes: usize) -> Result<Self, OutOfMemory> {
        let lanes = costs.lanes as usize;
        let blocks = costs.memory_kib as usize / (SLICES * lanes) * (SLICES * lanes);
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).map_err(|_| OutOfMemory)?;
        memory.resize(blocks, Block::ZERO);

        let first = first_hash(inputs, costs, key_bytes);
        for (number, lane) in memory.chunks_exact_mut(blocks / lanes).enumerate() {
            for (index, block) in lane[..2].iter_mut().enumerate() {
                let mut bytes = [0; BLOCK_BYTES];
                long_hash(&[&first, &(index as u32).to_le_bytes(), &(number as u32).to_le_bytes()], &mut bytes);
                *block = Block::from_bytes(&bytes);
            }
        }
        Ok(Self { costs, key_bytes, memory, next: Place { index: 2, ..Place::default() }, addresses: Block::ZERO })
    }

    /// Makes `blocks` blocks, fewer at the end, and says whether that was the end.
    pub fn run(&mut self, blocks: usize) -> bool {
        for _ in 0..blocks {
            if self.is_done() {
                break;
            }
            self.make();
            self.step();
        }
        self.is_done()
    }

    /// The key, once `run` has said that it is done.
    pub fn key(&self) -> Vec<u8> {
        let lane_blocks = self.lane_blocks();
        let last = self.memory.chunks_exact(lane_blocks).map(|lane| lane[lane_blocks - 1]);
        let sum = last.reduce(|sum, block| sum.xor(&block)).unwrap_or(Block::ZERO);
        let mut key = vec![0; self.key_bytes];
        long_hash(&[&sum.to_bytes()], &mut key);
        key
    }

    fn is_done(&self) -> bool {
        self.next.pass == self.costs.passes as usize
    }

    fn lane_blocks(&self) -> usize {
        self.memory.len() / self.costs.lanes as usize
    }

    fn segment_blocks(&self) -> usize {
        self.lane_blocks() / SLICES
    }

    fn step(&mut self) {
        self.next.index += 1;
        if self.next.index < self.segment_blocks() {
            return;
        }
        self.next.index = 0;
        self.next.lane += 1;
        if self.next.lane == self.costs.lanes as usize {
            self.next.lane = 0;
            self.next.slice += 1;
        }
        if self.next.slice == SLICES {
            self.next.slice = 0;
            self.next.pass += 1;
        }
        if self.next.pass == 0 && self.next.slice == 0 {
            self.next.index = 2;
        }
    }

    fn make(&mut self) {
        let (lane_blocks, segment_blocks) = (self.lane_blocks(), self.segment_blocks());
        let Place { pass, slice, lane, index } = self.next;
        let in_lane = slice * segment_blocks + index;
        let here = lane * lane_blocks + in_lane;
        let before = if in_lane == 0 { here + lane_blocks - 1 } else { here - 1 };

        // The first half of the first pass looks where the passphrase does not say: others who share the memory learn nothing.
        let pseudo_random =
            if pass == 0 && slice < SLICES / 2 { self.address(index) } else { self.memory[before].word(0) };
        let other_lane =
            if pass == 0 && slice == 0 { lane } else { (pseudo_random >> 32) as usize % self.costs.lanes as usize };
        let other = other_lane * lane_blocks + self.reference(pseudo_random as u32, other_lane == lane);

        let block = self.memory[before].compress(&self.memory[other]);
        self.memory[here] = if pass == 0 { block } else { block.xor(&self.memory[here]) };
    }

    /// Which block of a lane is looked at: the newer, the likelier (RFC 9106, 3.4.2).
    fn reference(&self, pseudo_random: u32, same_lane: bool) -> usize {
        let (lane_blocks, segment_blocks) = (self.lane_blocks(), self.segment_blocks());
        let Place { pass, slice, index, .. } = self.next;
        let finished_slices = if pass == 0 { slice } else { SLICES - 1 };
        let finished = finished_slices * segment_blocks;
        // In its own lane all but the block before it; in others only whole segments, less one at a segment's first block.
        let area = if same_lane { finished + index - 1 } else { finished - usize::from(index == 0) };
        let square = (u64::from(pseudo_random) * u64::from(pseudo_random)) >> 32;
        let back = ((area as u64 * square) >> 32) as usize;
        let start = if pass == 0 { 0 } else { (slice + 1) * segment_blocks };
        (start + area - 1 - back) % lane_blocks
    }

    fn address(&mut self, index: usize) -> u64 {
        let Place { pass, slice, lane, .. } = self.next;
        if index % BLOCK_WORDS == 0 || (slice == 0 && index == 2) {
            let counter = index / BLOCK_WORDS + 1;
            let mut words = [0; BLOCK_WORDS];
            let costs = [self.memory.len(), self.costs.passes as usize, TYPE_ID as usize];
            let input = [pass, lane, slice].into_iter().chain(costs).chain([counter]);
            for (word, value) in words.iter_mut().zip(input) {
                *word = value as u64;
            }
            self.addresses = Block::ZERO.compress(&Block::ZERO.compress(&Block::new(words)));
        }
        self.addresses.word(index % BLOCK_WORDS)
    }
}

fn first_hash(inputs: Inputs, costs: Costs, key_bytes: usize) -> [u8; HASH_BYTES_MAX] {
    let Costs { memory_kib, passes, lanes } = costs;
    let numbers = [lanes, key_bytes as u32, memory_kib, passes, VERSION, TYPE_ID].map(u32::to_le_bytes);
    let texts = [inputs.passphrase, inputs.salt, inputs.secret, inputs.associated];
    let lengths = texts.map(|text| (text.len() as u32).to_le_bytes());
    let mut parts: Vec<&[u8]> = numbers.iter().map(|number| &number[..]).collect();
    for (length, text) in lengths.iter().zip(texts) {
        parts.extend([&length[..], text]);
    }
    let mut hash = [0; HASH_BYTES_MAX];
    blake2b(&parts, &mut hash);
    hash
}
