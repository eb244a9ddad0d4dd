//! Huffman codes: their description (4.2.1) and the decoding of one or four streams (4.2.2).
//!
//! A table has always 2^11 entries, whatever its longest code: the index is then the top bits of the reader's word by a
//! constant shift, which also proves to the compiler that it is in bounds.

use super::bits::{Backward, bits_held};
use super::fse::{self, SYMBOLS_MAX, State};
use crate::format::{HUFFMAN_BITS_MAX, WEIGHTS_LOG_MAX};
use crate::words::{boxed, read_u64};

const ENTRIES: usize = 1 << HUFFMAN_BITS_MAX;
const INDEX_SHIFT: u32 = 64 - HUFFMAN_BITS_MAX;
/// Symbols decoded between two loads: 5 × 11 bits fit in the 56 that a load leaves at least.
const RUN: usize = 5;
const RUN_BYTES_MAX: usize = 7;

/// Entries are symbol << 8 | bits.
pub struct Table {
    entries: Box<[u16; ENTRIES]>,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: boxed(0) }
    }
}

impl Table {
    /// Reads a Huffman_Tree_Description; returns the bytes it took.
    pub fn read(&mut self, source: &[u8]) -> Option<usize> {
        let (&head, rest) = source.split_first()?;
        let mut weights = [0u8; 256];
        let (held, count) = if head < 128 {
            let held = head as usize;
            (held, read_weights(rest.get(..held)?, &mut weights)?)
        } else {
            let count = head as usize - 127;
            let held = rest.get(..count.div_ceil(2))?;
            for (pair, byte) in weights.chunks_exact_mut(2).zip(held) {
                pair.copy_from_slice(&[byte >> 4, byte & 15]);
            }
            weights[count] = 0;
            (held.len(), count)
        };
        self.build(&mut weights, count)?;
        Some(1 + held)
    }

    /// The last symbol's weight is what completes the sum to a power of two (4.2.1.1).
    fn build(&mut self, weights: &mut [u8; 256], count: usize) -> Option<()> {
        let mut sum = 0u32;
        for &weight in &weights[..count] {
            if u32::from(weight) > HUFFMAN_BITS_MAX {
                return None;
            }
            sum += (1 << weight) >> 1;
        }
        let bits_max = if sum > 0 { sum.ilog2() + 1 } else { return None };
        let last = (1 << bits_max) - sum;
        if bits_max > HUFFMAN_BITS_MAX || !last.is_power_of_two() || count >= 256 {
            return None;
        }
        weights[count] = last.ilog2() as u8 + 1;
        let mut starts = [0usize; 16];
        for &weight in &weights[..=count] {
            starts[(weight as usize + 1) % 16] +=
                if weight > 0 { 1 << (HUFFMAN_BITS_MAX - bits_max + u32::from(weight) - 1) } else { 0 };
        }
        // The two longest codes differ in their last bit, so there are at least two.
        if weights[..=count].iter().filter(|&&weight| weight == 1).count() < 2 {
            return None;
        }
        for weight in 1..16 {
            starts[weight] += starts[weight - 1];
        }
        for (symbol, &weight) in weights[..=count].iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let weight = u32::from(weight);
            let span = 1 << (HUFFMAN_BITS_MAX - bits_max + weight - 1);
            let start = &mut starts[weight as usize % 16];
            self.entries.get_mut(*start..*start + span)?.fill((symbol as u16) << 8 | (bits_max + 1 - weight) as u16);
            *start += span;
        }
        Some(())
    }

    /// One stream that fills `target`.
    pub fn decode_one(&self, source: &[u8], target: &mut [u8]) -> Option<()> {
        self.rest(source, bits_held(source)? as isize, target)
    }

    /// Four streams behind their Jump_Table (4.2.2), each but the last for a quarter of `target`, rounded up.
    pub fn decode_four(&self, source: &[u8], target: &mut [u8]) -> Option<()> {
        let (jumps, streams) = source.split_at_checked(6)?;
        let size = |number: usize| u16::from_le_bytes([jumps[2 * number], jumps[2 * number + 1]]) as usize;
        let (s0, streams) = streams.split_at_checked(size(0))?;
        let (s1, streams) = streams.split_at_checked(size(1))?;
        let (s2, s3) = streams.split_at_checked(size(2))?;
        let quarter = target.len().div_ceil(4);
        let (t0, target) = target.split_at_mut_checked(quarter)?;
        let (t1, target) = target.split_at_mut_checked(quarter)?;
        let (t2, t3) = target.split_at_mut_checked(quarter)?;
        let sources = [s0, s1, s2, s3];
        let (done, left) = self.decode_most(sources, [t0, t1, t2, t3])?;
        let targets = [t0, t1, t2, t3];
        for ((source, target), left) in sources.into_iter().zip(targets).zip(left) {
            self.rest(source, left, &mut target[done..])?;
        }
        Some(())
    }

    /// All four streams side by side, so that their chains of lookups overlap, until one of them is near an end.
    /// Returns the symbols decoded of each, and the bits left of each.
    fn decode_most(&self, sources: [&[u8]; 4], targets: [&mut [u8]; 4]) -> Option<(usize, [isize; 4])> {
        let entries = &*self.entries;
        let mut left = [0; 4];
        for (left, source) in left.iter_mut().zip(sources) {
            *left = bits_held(source)? as isize;
        }
        let room = targets.iter().map(|target| target.len()).min()?;
        if sources.iter().any(|source| source.len() < 8) {
            return Some((0, left));
        }
        // The lowest bit of a word is set as a mark: the zeros below it are the bits taken.
        let mut at = sources.map(|source| source.len() - 8);
        let mut words = [0; 4];
        for stream in 0..4 {
            let skip = sources[stream][at[stream] + 7].leading_zeros() + 1;
            words[stream] = (read_u64(sources[stream], at[stream]) | 1) << skip;
        }
        let [t0, t1, t2, t3] = targets;
        let mut done = 0;
        loop {
            let runs = ((room - done) / RUN).min(at.into_iter().min()? / RUN_BYTES_MAX);
            if runs == 0 {
                break;
            }
            let span = done..done + runs * RUN;
            let runs = t0[span.clone()]
                .as_chunks_mut::<RUN>()
                .0
                .iter_mut()
                .zip(t1[span.clone()].as_chunks_mut::<RUN>().0)
                .zip(t2[span.clone()].as_chunks_mut::<RUN>().0)
                .zip(t3[span.clone()].as_chunks_mut::<RUN>().0);
            for (((r0, r1), r2), r3) in runs {
                for symbol in 0..RUN {
                    for (stream, run) in [&mut *r0, &mut *r1, &mut *r2, &mut *r3].into_iter().enumerate() {
                        let entry = entries[(words[stream] >> INDEX_SHIFT) as usize];
                        words[stream] <<= entry & 63;
                        run[symbol] = (entry >> 8) as u8;
                    }
                }
                for stream in 0..4 {
                    let taken = words[stream].trailing_zeros();
                    at[stream] -= (taken / 8) as usize;
                    words[stream] = (read_u64(sources[stream], at[stream]) | 1) << (taken % 8);
                }
            }
            done = span.end;
        }
        for stream in 0..4 {
            left[stream] = at[stream] as isize * 8 + 64 - words[stream].trailing_zeros() as isize;
        }
        Some((done, left))
    }

    /// The symbols that must use up exactly the bits left.
    fn rest(&self, source: &[u8], left: isize, target: &mut [u8]) -> Option<()> {
        let mut bits = Backward::from_bit(source, left);
        for symbol in target {
            let entry = self.entries[bits.peek(HUFFMAN_BITS_MAX) as usize % ENTRIES];
            bits.skip(u32::from(entry & 63));
            *symbol = (entry >> 8) as u8;
        }
        (bits.left() == 0).then_some(())
    }
}

/// Weights coded by FSE with two states in turn, until the bits run out (4.2.1.2); returns how many.
fn read_weights(source: &[u8], weights: &mut [u8; 256]) -> Option<usize> {
    let mut probabilities = [0; SYMBOLS_MAX];
    let (log, symbols, bytes) =
        fse::read_probabilities(source, WEIGHTS_LOG_MAX, HUFFMAN_BITS_MAX as usize + 1, &mut probabilities)?;
    let mut states = [State { symbol: 0, bits: 0, base: 0 }; 1 << WEIGHTS_LOG_MAX];
    fse::build(&probabilities[..symbols], log, |at, state| states[at % (1 << WEIGHTS_LOG_MAX)] = state);
    let mut bits = Backward::new(&source[bytes..])?;
    let mut turns = [bits.take(log), bits.take(log)];
    if bits.left() < 0 {
        return None;
    }
    // One place is kept for the last weight, which is not coded.
    for at in 0..254 {
        let state = states[turns[at % 2] as usize % (1 << WEIGHTS_LOG_MAX)];
        weights[at] = state.symbol;
        turns[at % 2] = state.base + bits.take(state.bits);
        if bits.left() < 0 {
            weights[at + 1] = states[turns[(at + 1) % 2] as usize % (1 << WEIGHTS_LOG_MAX)].symbol;
            return Some(at + 2);
        }
    }
    None
}
