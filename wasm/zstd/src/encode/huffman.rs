//! Huffman codes for literals: lengths of at most 11 bits, their description (4.2.1), and the streams (4.2.2).

use super::bits::{BitWriter, Space};
use super::fse::{self, Distribution, SYMBOLS_MAX};
use crate::format::{HUFFMAN_BITS_MAX, WEIGHTS_LOG_MAX};

/// Symbols between two stores: 5 × 11 bits and the 7 that may be left fit a word.
const RUN: usize = 5;

/// Entries are code << 8 | length; length 0 means no code.
pub struct Codes {
    entries: [u32; 256],
    length_max: u32,
    symbols: usize,
}

impl Default for Codes {
    fn default() -> Self {
        Self { entries: [0; 256], length_max: 0, symbols: 0 }
    }
}

impl Codes {
    /// The codes for these counts, of which at least two are not zero.
    pub fn build(&mut self, counts: &[u32; 256]) {
        let mut order = [0u32; 256];
        let mut used = 0;
        for (symbol, &count) in counts.iter().enumerate() {
            if count > 0 {
                order[used] = count << 8 | symbol as u32;
                used += 1;
            }
        }
        let order = &mut order[..used];
        order.sort_unstable();
        let mut lengths = [0u32; 256];
        tree_depths(order, &mut lengths[..used]);
        limit(&mut lengths[..used]);
        self.length_max = lengths[0];
        self.symbols = counts.iter().rposition(|&count| count > 0).unwrap_or(0) + 1;
        self.entries = [0; 256];
        for (&entry, &length) in order.iter().zip(&lengths) {
            self.entries[entry as usize % 256] = length;
        }
        // Codes ascend from the longest length, and within a length by symbol (4.2.1.3).
        let mut starts = [0u32; 16];
        for &length in &lengths[..used] {
            starts[length as usize % 16] += 1;
        }
        let mut start = 0;
        for length in (1..=self.length_max).rev() {
            let count = std::mem::replace(&mut starts[length as usize % 16], start);
            start = (start + count) >> 1;
        }
        for entry in &mut self.entries {
            if *entry > 0 {
                let code = &mut starts[*entry as usize % 16];
                *entry |= *code << 8;
                *code += 1;
            }
        }
    }

    /// Bits of the streams; none when a symbol has no code.
    pub fn cost(&self, counts: &[u32; 256]) -> Option<u32> {
        let mut cost = 0;
        let mut missing = false;
        for (&count, &entry) in counts.iter().zip(&self.entries) {
            cost += count * (entry & 255);
            missing |= count > 0 && entry == 0;
        }
        (!missing).then_some(cost)
    }

    /// Writes the Huffman_Tree_Description at `at`; returns its end, or none when it cannot be described.
    pub fn describe(&self, space: &mut Space, at: usize) -> Option<usize> {
        let mut weights = [0u8; 256];
        for (weight, &entry) in weights.iter_mut().zip(&self.entries) {
            *weight = if entry > 0 { (self.length_max + 1 - (entry & 255)) as u8 } else { 0 };
        }
        // The last symbol's weight follows from the others.
        let weights = &weights[..self.symbols - 1];
        if let Some(end) = describe_by_fse(weights, space, at + 1) {
            let held = end - at - 1;
            if held < 128 && held < weights.len().div_ceil(2) {
                space[at] = held as u8;
                return Some(end);
            }
        }
        if weights.len() > 128 {
            return None;
        }
        space[at] = 127 + weights.len() as u8;
        for (byte, pair) in space[at + 1..].iter_mut().zip(weights.chunks(2)) {
            *byte = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
        }
        Some(at + 1 + weights.len().div_ceil(2))
    }

    /// One stream, last symbol first; returns its end.
    pub fn encode_one(&self, literals: &[u8], space: &mut Space, at: usize) -> usize {
        let mut bits = BitWriter::new(space, at);
        let (rest, runs) = literals.as_rchunks::<RUN>();
        for run in runs.iter().rev() {
            for &symbol in run.iter().rev() {
                let entry = self.entries[symbol as usize];
                bits.add((entry >> 8).into(), entry & 255);
            }
            bits.flush();
        }
        for &symbol in rest.iter().rev() {
            let entry = self.entries[symbol as usize];
            bits.add((entry >> 8).into(), entry & 255);
        }
        bits.flush();
        bits.finish()
    }

    /// Four streams behind their Jump_Table; returns their end, or none when a stream is too long for it.
    pub fn encode_four(&self, literals: &[u8], space: &mut Space, at: usize) -> Option<usize> {
        let quarter = literals.len().div_ceil(4);
        let mut end = at + 6;
        for (number, part) in literals.chunks(quarter).enumerate() {
            let start = end;
            end = self.encode_one(part, space, start);
            if number < 3 {
                let size = u16::try_from(end - start).ok()?;
                space[at + 2 * number..at + 2 * number + 2].copy_from_slice(&size.to_le_bytes());
            }
        }
        Some(end)
    }
}

/// Depths of the leaves of a Huffman tree over ascending counts (entries are count << 8 | symbol), deepest first.
/// Inner nodes come out in ascending order too, so two queues suffice and nothing is sorted again.
fn tree_depths(order: &[u32], depths: &mut [u32]) {
    let leaves = order.len();
    let mut sums = [0u32; 256];
    // Parents of leaves, then of inner nodes, as numbers of inner nodes.
    let mut parents = [0u16; 512];
    let (mut leaf, mut inner) = (0, 0);
    for node in 0..leaves - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            if leaf < leaves && (inner >= node || order[leaf] >> 8 <= sums[inner]) {
                sum += order[leaf] >> 8;
                parents[leaf] = node as u16;
                leaf += 1;
            } else {
                sum += sums[inner];
                parents[256 + inner] = node as u16;
                inner += 1;
            }
        }
        sums[node] = sum;
    }
    // Parents have higher numbers than their children: from the root down, depths are known in time.
    let mut inner_depths = [0u32; 256];
    for node in (0..leaves.saturating_sub(2)).rev() {
        inner_depths[node] = inner_depths[parents[256 + node] as usize % 256] + 1;
    }
    for (depth, &parent) in depths.iter_mut().zip(&parents) {
        *depth = inner_depths[parent as usize % 256] + 1;
    }
}

/// Shortens codes over 11 bits, and pays by lengthening the rarest of the shorter ones. `lengths` descends.
fn limit(lengths: &mut [u32]) {
    if lengths[0] <= HUFFMAN_BITS_MAX {
        return;
    }
    // In units of the longest code allowed, how much more than all code space is taken.
    let mut over = -(1i32 << HUFFMAN_BITS_MAX);
    for length in lengths.iter_mut() {
        *length = (*length).min(HUFFMAN_BITS_MAX);
        over += 1 << (HUFFMAN_BITS_MAX - *length);
    }
    // Lengthening a code of length n by one frees 2^(10-n). The rarest code of the greatest length that can be
    // lengthened gives the least, so the sum falls below the total by little or nothing.
    let mut at = 0;
    while over > 0 {
        while lengths[at] == HUFFMAN_BITS_MAX {
            at += 1;
        }
        // The largest step that is not too large, among the first of each length.
        let mut best = at;
        for next in at..lengths.len() {
            if lengths[next] != lengths[best] && 1 << (HUFFMAN_BITS_MAX - lengths[next] - 1) <= over {
                best = next;
            }
        }
        over -= 1 << (HUFFMAN_BITS_MAX - lengths[best] - 1);
        lengths[best] += 1;
    }
    // Whatever is free now shortens the commonest codes that fit it.
    let mut free = -over;
    while free > 0 {
        let Some(at) =
            (0..lengths.len()).rev().find(|&at| lengths[at] > 1 && 1 << (HUFFMAN_BITS_MAX - lengths[at]) <= free)
        else {
            break;
        };
        free -= 1 << (HUFFMAN_BITS_MAX - lengths[at]);
        lengths[at] -= 1;
    }
    lengths.sort_unstable_by(|a, b| b.cmp(a));
}

/// Weights as FSE with two states in turn (4.2.1.2); returns the end, or none when they are too few or all the same.
fn describe_by_fse(weights: &[u8], space: &mut Space, at: usize) -> Option<usize> {
    let mut counts = [0u32; SYMBOLS_MAX];
    for &weight in weights {
        counts[weight as usize % SYMBOLS_MAX] += 1;
    }
    let most = counts.iter().copied().max()?;
    if weights.len() < 3 || most as usize == weights.len() || most == 1 {
        return None;
    }
    let distribution = Distribution::scaled(&counts, weights.len() as u32, WEIGHTS_LOG_MAX);
    let mut bits = BitWriter::new(space, at);
    distribution.describe(&mut bits);
    let end = bits.end();
    let mut table = fse::Table::default();
    table.build(&distribution);
    // The decoder takes the first weight from the first state: the last two weights begin, in the turn they end in.
    let last = weights.len() - 1;
    let mut bits = BitWriter::new(space, end);
    let mut turns = [0; 2];
    turns[last % 2] = table.first(weights[last]);
    turns[(last - 1) % 2] = table.first(weights[last - 1]);
    for at in (0..last - 1).rev() {
        let (low, count) = table.step(&mut turns[at % 2], weights[at]);
        bits.add(low.into(), count);
        bits.flush();
    }
    table.finish(turns[1], &mut bits);
    table.finish(turns[0], &mut bits);
    bits.flush();
    Some(bits.finish())
}
