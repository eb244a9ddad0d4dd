//! Execution of sequences (3.1.1.4): literals, then a match, each copied in steps that may write past their end, since
//! the next copy overwrites that.

use super::literals::{Buffer, Literals};
use crate::format::{BLOCK_BYTES_MAX, FRAME_BYTES_MAX};
use crate::words::read_u64;

/// How far the last copy of a sequence may write past its end. Nearer to the target's end, copies are exact.
const OVERRUN: usize = 32;
/// Lengths have at most 17 bits. Said again where they are used: then no sum can wrap, and a bounds check is one
/// comparison instead of two.
const LENGTH_MASK: usize = (1 << 18) - 1;

#[derive(Clone, Copy, Default)]
pub struct Sequence {
    pub literals: u32,
    pub match_length: u32,
    pub distance: u32,
}

pub struct Output<'a> {
    /// To where the block may reach.
    target: &'a mut [u8],
    at: usize,
    literals: &'a Buffer,
    literals_at: usize,
    literals_length: usize,
}

impl<'a> Output<'a> {
    pub fn new(target: &'a mut [u8], at: usize, literals: &'a Literals) -> Self {
        Self { target, at, literals: literals.buffer(), literals_at: 0, literals_length: literals.length() }
    }

    #[inline(never)]
    pub fn execute(&mut self, sequences: &[Sequence]) -> Option<()> {
        let (target, literals) = (&mut *self.target, self.literals);
        let limit = target.len().min(FRAME_BYTES_MAX);
        let (mut at, mut literals_at) = (self.at, self.literals_at);
        for sequence in sequences {
            let count = sequence.literals as usize & LENGTH_MASK;
            let length = sequence.match_length as usize & LENGTH_MASK;
            let distance = sequence.distance as usize;
            at %= 2 * FRAME_BYTES_MAX;
            let (match_at, end, literals_end) = (at + count, at + count + length, literals_at + count);
            if literals_end > self.literals_length || distance.wrapping_sub(1) >= match_at {
                return None;
            }
            let from = match_at - distance;
            if end + OVERRUN > limit {
                if end > limit {
                    return None;
                }
                target[at..match_at].copy_from_slice(&literals[literals_at..literals_end]);
                for to in match_at..end {
                    target[to] = target[to - distance];
                }
            } else {
                // The first steps stand before their loops: V8 begins every loop with a look for interrupts and no-ops.
                put(target, at, vector(literals, literals_at % BLOCK_BYTES_MAX));
                if count > 16 {
                    let mut done = 16;
                    while done < count {
                        put(target, at + done, vector(literals, (literals_at + done) % BLOCK_BYTES_MAX));
                        done += 16;
                    }
                }
                if distance >= 16 {
                    put(target, match_at, vector(target, from));
                    if length > 16 {
                        let mut done = 16;
                        while done < length {
                            put(target, match_at + done, vector(target, from + done));
                            done += 16;
                        }
                    }
                } else {
                    repeat(target, match_at, distance, length);
                }
            }
            (at, literals_at) = (end, literals_end);
        }
        (self.at, self.literals_at) = (at, literals_at);
        Some(())
    }

    /// The literals that no sequence took end the block; returns its end.
    pub fn finish(self) -> Option<usize> {
        let rest = self.literals.get(self.literals_at..self.literals_length)?;
        let end = self.at + rest.len();
        self.target.get_mut(self.at..end)?.copy_from_slice(rest);
        Some(end)
    }
}

#[inline(always)]
fn vector(bytes: &[u8], at: usize) -> [u8; 16] {
    bytes[at..at + 16].try_into().unwrap()
}

#[inline(always)]
fn put<const LENGTH: usize>(target: &mut [u8], at: usize, piece: [u8; LENGTH]) {
    target[at..at + LENGTH].copy_from_slice(&piece);
}

/// Whole repetitions that eight bytes have room for, in bytes.
const WHOLE: [usize; 8] = [8, 8, 8, 6, 8, 5, 6, 7];

/// A match that runs into itself within 16 bytes.
#[inline(never)]
fn repeat(target: &mut [u8], to: usize, distance: usize, length: usize) {
    let mut done = 0;
    if distance < 8 {
        let mut bits = 8 * distance as u32;
        let mut pattern = read_u64(target, to - distance) & ((1 << bits) - 1);
        while bits < 64 {
            pattern |= pattern << bits;
            bits *= 2;
        }
        while done < length {
            put(target, to + done, pattern.to_le_bytes());
            done += WHOLE[distance % 8];
        }
    } else {
        while done < length {
            let piece = read_u64(target, to + done - distance);
            put(target, to + done, piece.to_le_bytes());
            done += 8;
        }
    }
}
