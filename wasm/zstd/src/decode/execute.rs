//! Execution of sequences (3.1.1.4): literals, then a match, each copied in steps of 16 bytes that may write past their
//! end, since the next copy overwrites that. Near the end of the target, or of a match on itself, exact copies.

use super::literals::{BUFFER_BYTES, Literals};
use crate::words::copy_16;

#[derive(Clone, Copy, Default)]
pub struct Sequence {
    pub literals: u32,
    pub match_length: u32,
    pub distance: u32,
}

/// How far a copy may write past its end.
const OVERRUN: usize = 32;

pub struct Output<'a> {
    target: &'a mut [u8],
    at: usize,
    literals: &'a [u8; BUFFER_BYTES],
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
        let (mut at, mut literals_at) = (self.at, self.literals_at);
        for sequence in sequences {
            let count = sequence.literals as usize;
            let length = sequence.match_length as usize;
            let distance = sequence.distance as usize;
            // Lengths have at most 17 bits and buffers far less than 2^31 bytes: no sum here wraps.
            let (match_at, end) = (at + count, at + count + length);
            if count > self.literals_length - literals_at || end > target.len() || distance.wrapping_sub(1) >= match_at
            {
                return None;
            }
            if end + OVERRUN > target.len() {
                target[at..match_at].copy_from_slice(&literals[literals_at..literals_at + count]);
                for to in match_at..end {
                    target[to] = target[to - distance];
                }
            } else {
                copy_16(target, at, literals, literals_at);
                if count > 16 {
                    let mut done = 16;
                    while done < count {
                        copy_16(target, at + done, literals, literals_at + done);
                        done += 16;
                    }
                }
                let from = match_at - distance;
                if distance >= 16 {
                    move_16(target, match_at, from);
                    let mut done = 16;
                    while done < length {
                        move_16(target, match_at + done, from + done);
                        done += 16;
                    }
                } else {
                    overlapping(target, match_at, distance, length);
                }
            }
            literals_at += count;
            at = end;
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

/// Sixteen bytes within one buffer: all are loaded before the first is stored.
#[inline(always)]
fn move_16(target: &mut [u8], to: usize, from: usize) {
    let piece: [u8; 16] = target[from..from + 16].try_into().unwrap();
    target[to..to + 16].copy_from_slice(&piece);
}

/// A match that runs into itself within 16 bytes repeats them: the first 16 bytes one by one, then the last whole
/// number of repetitions that fits 16 bytes is far enough away for copies of 8.
#[inline(never)]
fn overlapping(target: &mut [u8], to: usize, distance: usize, length: usize) {
    for at in to..to + 16 {
        target[at] = target[at - distance];
    }
    let apart = 16 / distance * distance;
    let mut done = 16;
    while done < length {
        let from = to + done - apart;
        let piece: [u8; 8] = target[from..from + 8].try_into().unwrap();
        target[to + done..to + done + 8].copy_from_slice(&piece);
        done += 8;
    }
}
