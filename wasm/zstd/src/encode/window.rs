//! A frame's bytes in a buffer of fixed size: places are masked instead of checked, and words may be read past the end.
//! Copying a frame here is 3 % of the time of encoding it on Node 20; with checks instead, encoding took a third longer.

use crate::format::FRAME_BYTES_MAX;

/// Read by the last word and vector.
const SLACK: usize = 32;
pub type Window = [u8; FRAME_BYTES_MAX + SLACK];

#[inline(always)]
pub fn word(window: &Window, at: usize) -> u64 {
    let at = at % FRAME_BYTES_MAX;
    u64::from_le_bytes(window[at..at + 8].try_into().unwrap())
}

#[inline(always)]
pub fn vector(window: &Window, at: usize) -> &[u8; 16] {
    let at = at % FRAME_BYTES_MAX;
    window[at..at + 16].try_into().unwrap()
}

/// How many bytes before `at`, of at most 8, are those before `from`.
#[inline(always)]
pub fn common_before(window: &Window, at: usize, from: usize) -> usize {
    if from < 8 {
        return 0;
    }
    ((word(window, at - 8) ^ word(window, from - 8)).leading_zeros() / 8) as usize
}

/// How many bytes from `at` on are those from `from` on, counted to `end` and up to 15 further.
///
/// The first step stands before the loop, here and wherever one step is the rule: V8 looks for interrupts and pads with
/// no-ops at the head of every loop.
#[inline(always)]
pub fn common(window: &Window, at: usize, from: usize, end: usize) -> usize {
    let first = differing(vector(window, at), vector(window, from));
    if first != 0 {
        return first.trailing_zeros() as usize;
    }
    let mut done = 16;
    while at + done < end {
        let differing = differing(vector(window, at + done), vector(window, from + done));
        if differing != 0 {
            return done + differing.trailing_zeros() as usize;
        }
        done += 16;
    }
    done
}

/// Which of sixteen bytes differ, lowest bit first.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn differing(one: &[u8; 16], other: &[u8; 16]) -> u32 {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_ne, u64x2};
    // Two neighbouring words make one vector load.
    let word = |bytes: &[u8; 16], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let vector = |bytes: &[u8; 16]| u64x2(word(bytes, 0), word(bytes, 8));
    u32::from(u8x16_bitmask(u8x16_ne(vector(one), vector(other))))
}

#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn differing(one: &[u8; 16], other: &[u8; 16]) -> u32 {
    (0..16).fold(0, |mask, byte| mask | u32::from(one[byte] != other[byte]) << byte)
}
