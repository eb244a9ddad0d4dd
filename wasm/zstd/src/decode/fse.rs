//! FSE tables for decoding: their description (4.1.1) and what a state means.

use super::bits::Forward;
use crate::format::{FSE_LOG_MIN, FSE_STATES_MAX, spread};

/// Symbols an FSE table may have here: 53 match lengths are the most.
pub const SYMBOLS_MAX: usize = 64;

/// Probabilities as described; returns (accuracy, symbols, bytes read).
pub fn read_probabilities(
    source: &[u8],
    log_max: u32,
    symbols_max: usize,
    probabilities: &mut [i16; SYMBOLS_MAX],
) -> Option<(u32, usize, usize)> {
    let mut bits = Forward::new(source);
    let log = bits.peek(4) + FSE_LOG_MIN;
    bits.skip(4);
    if log > log_max {
        return None;
    }
    let (mut left, mut symbols) = (1i32 << log, 0);
    while left > 0 {
        if symbols >= symbols_max {
            return None;
        }
        // Values 0..=left + 1 are possible; the lowest of them take one bit less.
        let length = 32 - (left + 1).leading_zeros();
        let (low_mask, spare) = ((1 << (length - 1)) - 1, (1 << length) - 2 - left);
        let read = bits.peek(length) as i32;
        let value = if (read & low_mask) < spare {
            bits.skip(length - 1);
            read & low_mask
        } else {
            bits.skip(length);
            if read > low_mask { read - spare } else { read }
        };
        let probability = value - 1;
        left -= probability.abs();
        probabilities[symbols] = probability as i16;
        symbols += 1;
        if probability == 0 {
            loop {
                let zeros = bits.peek(2) as usize;
                bits.skip(2);
                if symbols + zeros > symbols_max {
                    return None;
                }
                probabilities[symbols..symbols + zeros].fill(0);
                symbols += zeros;
                if zeros < 3 {
                    break;
                }
            }
        }
    }
    if left < 0 {
        return None;
    }
    Some((log, symbols, bits.bytes()?))
}

/// One state: its symbol, and how the next state is made. `probabilities` must sum to `1 << log`.
pub fn build(probabilities: &[i16], log: u32, mut put: impl FnMut(usize, State)) {
    let mut symbols = [0; FSE_STATES_MAX];
    spread(probabilities, log, &mut symbols);
    let mut next = [0u32; SYMBOLS_MAX];
    for (next, &probability) in next.iter_mut().zip(probabilities) {
        *next = probability.unsigned_abs().into();
    }
    for (state, &symbol) in symbols.iter().enumerate().take(1 << log) {
        let number = &mut next[symbol as usize % SYMBOLS_MAX];
        let bits = log - number.ilog2();
        put(state, State { symbol, bits, base: (*number << bits) - (1 << log) });
        *number += 1;
    }
}

#[derive(Clone, Copy)]
pub struct State {
    pub symbol: u8,
    pub bits: u32,
    pub base: u32,
}
