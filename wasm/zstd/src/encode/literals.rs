//! Literals_Section (3.1.1.3.1): raw, of one byte, or Huffman-coded, whichever is smallest.

use super::bits::Space;
use super::huffman::Codes;
use crate::format::{LITERALS_COMPRESSED, LITERALS_RAW, LITERALS_RLE, LITERALS_TREELESS};

/// Fewer literals than this are stored raw: a table alone takes about as much.
const CODED_MIN: usize = 48;
/// From here on four streams: their Jump_Table takes 6 bytes, and decoding is three times as fast.
const FOUR_STREAMS_MIN: usize = 256;
/// Literals of which a sample decides whether counting them all is worth it.
const SAMPLED_MIN: usize = 8 << 10;
const SAMPLE: usize = 1 << 10;

#[derive(Default)]
pub struct LiteralsEncoder {
    codes: Codes,
    /// The table of the last coded block of this frame, for Treeless_Literals_Block.
    last: Codes,
    last_known: bool,
}

impl LiteralsEncoder {
    pub fn forget(&mut self) {
        self.last_known = false;
    }

    /// Writes the section at `at`; returns its end.
    pub fn write(&mut self, literals: &[u8], space: &mut Space, at: usize) -> usize {
        if literals.len() < CODED_MIN || looks_random(literals) {
            return raw(literals, space, at);
        }
        let counts = count(literals);
        let most = counts.iter().copied().max().unwrap_or(0) as usize;
        if most == literals.len() {
            return rle(literals, space, at);
        }
        // No code is shorter than one bit, and none of a flat distribution shorter than eight.
        if most <= (literals.len() >> 7) + 4 {
            return raw(literals, space, at);
        }
        self.codes.build(&counts);
        let head_bytes = if literals.len() < 1 << 10 {
            3
        } else if literals.len() < 1 << 14 {
            4
        } else {
            5
        };
        let body = at + head_bytes;
        let described = self.codes.describe(space, body);
        let fresh =
            described.map_or(usize::MAX, |end| end - body + self.codes.cost(&counts).unwrap_or(u32::MAX) as usize / 8);
        let reused = match (self.last_known, self.last.cost(&counts)) {
            (true, Some(bits)) => bits as usize / 8,
            _ => usize::MAX,
        };
        let least = fresh.min(reused);
        // What coding saves must be worth decoding it.
        if least >= literals.len() - literals.len() / 64 - 16 {
            return raw(literals, space, at);
        }
        let (kind, streams) = if reused <= fresh {
            (LITERALS_TREELESS, body)
        } else {
            std::mem::swap(&mut self.codes, &mut self.last);
            self.last_known = true;
            (LITERALS_COMPRESSED, described.unwrap_or(body))
        };
        let four = literals.len() >= FOUR_STREAMS_MIN;
        let end = if four {
            self.last.encode_four(literals, space, streams)
        } else {
            Some(self.last.encode_one(literals, space, streams))
        };
        let Some(end) = end.filter(|end| end - body < literals.len()) else {
            self.last_known = false;
            return raw(literals, space, at);
        };
        let (format, size_bits) = match head_bytes {
            3 => (u64::from(four), 10),
            4 => (2, 14),
            _ => (3, 18),
        };
        let head =
            u64::from(kind) | format << 2 | (literals.len() as u64) << 4 | ((end - body) as u64) << (4 + size_bits);
        space[at..body].copy_from_slice(&head.to_le_bytes()[..head_bytes]);
        end
    }
}

fn raw(literals: &[u8], space: &mut Space, at: usize) -> usize {
    let body = plain_head(LITERALS_RAW, literals.len(), space, at);
    space[body..body + literals.len()].copy_from_slice(literals);
    body + literals.len()
}

fn rle(literals: &[u8], space: &mut Space, at: usize) -> usize {
    let body = plain_head(LITERALS_RLE, literals.len(), space, at);
    space[body] = literals[0];
    body + 1
}

fn plain_head(kind: u8, length: usize, space: &mut Space, at: usize) -> usize {
    let (head, bytes) = match length {
        0..32 => (length << 3, 1),
        32..4096 => (1 << 2 | length << 4, 2),
        _ => (3 << 2 | length << 4, 3),
    };
    let head = u32::from(kind) | head as u32;
    space[at..at + bytes].copy_from_slice(&head.to_le_bytes()[..bytes]);
    at + bytes
}

/// Four tables, so that equal bytes in a row do not wait for each other's count.
fn count(literals: &[u8]) -> [u32; 256] {
    let mut tables = [[0u32; 256]; 4];
    let (words, rest) = literals.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        for byte in 0..8 {
            tables[byte % 4][(word >> (8 * byte)) as usize % 256] += 1;
        }
    }
    for &byte in rest {
        tables[0][byte as usize] += 1;
    }
    let [a, b, c, d] = &tables;
    std::array::from_fn(|byte| a[byte] + b[byte] + c[byte] + d[byte])
}

/// Two samples as flat as noise: already compressed or encrypted data.
fn looks_random(literals: &[u8]) -> bool {
    if literals.len() < SAMPLED_MIN {
        return false;
    }
    let middle = literals.len() / 2;
    [&literals[..SAMPLE], &literals[middle..middle + SAMPLE]].into_iter().all(|sample| {
        // Noise has four of each byte on average; the commonest is seldom more than 14.
        count(sample).into_iter().max().unwrap_or(0) <= 14
    })
}
