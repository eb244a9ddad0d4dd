//! FSE for encoding: probabilities from counts, their description (4.1.1), tables, and what a table would cost.

use super::bits::BitWriter;
use crate::format::{FSE_LOG_MIN, FSE_STATES_MAX, spread};

pub const SYMBOLS_MAX: usize = 64;

/// Costs are in 1/256 of a bit.
const COST_ONE: u32 = 256;

/// A distribution whose probabilities sum to `1 << log`; -1 stands for "less than one".
#[derive(Clone)]
pub struct Distribution {
    pub probabilities: [i16; SYMBOLS_MAX],
    pub symbols: usize,
    pub log: u32,
}

impl Distribution {
    pub fn of(probabilities: &[i16], log: u32) -> Self {
        let mut all = [0; SYMBOLS_MAX];
        all[..probabilities.len()].copy_from_slice(probabilities);
        Self { probabilities: all, symbols: probabilities.len(), log }
    }

    /// Scales counts with at least two symbols among them to a power of two that suits their number.
    pub fn scaled(counts: &[u32; SYMBOLS_MAX], total: u32, log_max: u32) -> Self {
        let symbols = counts.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        // Two bits of precision beyond the number of samples buy nothing, and each symbol needs room.
        let wanted = (total.max(2) - 1).ilog2().saturating_sub(2);
        let needed = (total.ilog2() + 1).min((symbols as u32 - 1).max(1).ilog2() + 2);
        let log = wanted.max(needed).clamp(FSE_LOG_MIN, log_max);
        let mut probabilities = [0i16; SYMBOLS_MAX];
        let (mut left, mut largest) = (1i32 << log, 0);
        for (symbol, &count) in counts[..symbols].iter().enumerate().filter(|(_, count)| **count > 0) {
            let scaled = ((u64::from(count) << (log + 1)) / u64::from(total)) as i32;
            // Below one and a half the rounding that costs least is down.
            probabilities[symbol] = if scaled < 2 { -1 } else { (scaled + 1).max(2) / 2 } as i16;
            left -= i32::from(probabilities[symbol].abs());
            if probabilities[symbol] > probabilities[largest] || probabilities[largest] == 0 {
                largest = symbol;
            }
        }
        // What rounding left over or took too much goes where it is the smallest share.
        while left != 0 {
            let give = left.max(1 - i32::from(probabilities[largest].max(1)).div_euclid(2));
            probabilities[largest] += if left > 0 { left } else { give.min(-1) } as i16;
            left -= if left > 0 { left } else { give.min(-1) };
            largest = (0..symbols).max_by_key(|&symbol| probabilities[symbol]).unwrap_or(0);
        }
        Self { probabilities, symbols, log }
    }

    /// Writes the description; returns where it ends.
    pub fn describe(&self, bits: &mut BitWriter) {
        bits.add((self.log - FSE_LOG_MIN).into(), 4);
        let mut left = 1i32 << self.log;
        let mut symbol = 0;
        while left > 0 {
            let probability = i32::from(self.probabilities[symbol]);
            let length = 32 - (left + 1).leading_zeros();
            let (low_mask, spare) = ((1 << (length - 1)) - 1, (1 << length) - 2 - left);
            let value = probability + 1;
            if value < spare {
                bits.add(value as u64, length - 1);
            } else {
                // What shares its low bits with the short values stands `spare` higher.
                bits.add(if value > low_mask { value + spare } else { value } as u64, length);
            }
            left -= probability.abs();
            symbol += 1;
            if probability == 0 {
                let zeros = self.probabilities[symbol..self.symbols].iter().take_while(|&&next| next == 0).count();
                for _ in 0..zeros / 3 {
                    bits.add(3, 2);
                    bits.flush();
                }
                bits.add((zeros % 3) as u64, 2);
                symbol += zeros;
            }
            bits.flush();
        }
    }

    /// Bits that coding `counts` takes, without the description; none when a symbol has no probability.
    pub fn cost(&self, counts: &[u32; SYMBOLS_MAX]) -> Option<u32> {
        let mut cost = 0u64;
        for (&count, &probability) in counts.iter().zip(&self.probabilities).filter(|(count, _)| **count > 0) {
            if probability == 0 {
                return None;
            }
            let bits = self.log * COST_ONE - log2(probability.unsigned_abs().into());
            cost += u64::from(count) * u64::from(bits);
        }
        Some((cost / u64::from(COST_ONE)) as u32)
    }
}

/// log2 in 1/256, of 1 to 65535: the whole part, and a line between powers bent by what it lacks in the middle.
pub fn log2(value: u32) -> u32 {
    let whole = value.ilog2();
    let fraction = (value << 8 >> whole) & 255;
    whole * COST_ONE + fraction + ((fraction * (256 - fraction) * 88) >> 16)
}

/// How symbols move a state. Bits out = (state + low half of the step) >> 16, and the next state is
/// nexts[(state >> bits) + high half].
pub struct Table {
    nexts: [u16; FSE_STATES_MAX],
    steps: [u64; SYMBOLS_MAX],
    pub log: u32,
}

impl Default for Table {
    fn default() -> Self {
        Self { nexts: [0; FSE_STATES_MAX], steps: [0; SYMBOLS_MAX], log: 0 }
    }
}

impl Table {
    pub fn build(&mut self, distribution: &Distribution) {
        let (log, size) = (distribution.log, 1usize << distribution.log);
        let probabilities = &distribution.probabilities[..distribution.symbols];
        let mut symbols = [0; FSE_STATES_MAX];
        spread(probabilities, log, &mut symbols);
        let (mut total, mut places) = (0u32, [0u32; SYMBOLS_MAX]);
        for (symbol, &probability) in probabilities.iter().enumerate() {
            let states = u32::from(probability.unsigned_abs());
            places[symbol] = total;
            let bits = if states > 1 { log - (states - 1).ilog2() } else { log };
            // A symbol of no states is never coded.
            let bits_delta = (bits << 16).wrapping_sub(states << bits);
            self.steps[symbol] = u64::from(total.wrapping_sub(states)) << 32 | u64::from(bits_delta);
            total += states;
        }
        for (state, &symbol) in symbols.iter().enumerate().take(size) {
            let place = &mut places[symbol as usize % SYMBOLS_MAX];
            self.nexts[*place as usize % FSE_STATES_MAX] = (size + state) as u16;
            *place += 1;
        }
        self.log = log;
    }

    /// A table of one symbol, which takes no bits.
    pub fn single(&mut self) {
        *self = Self::default();
        self.nexts.fill(1);
    }

    /// The state that a stream's last symbol leaves; costs nothing.
    pub fn first(&self, symbol: u8) -> u32 {
        let step = self.steps[symbol as usize % SYMBOLS_MAX];
        let bits = (step as u32).wrapping_add(1 << 15) >> 16;
        self.next((bits << 16).wrapping_sub(step as u32) >> (bits % 32), step)
    }

    /// Moves the state; returns the bits that leave it, and how many.
    #[inline(always)]
    pub fn step(&self, state: &mut u32, symbol: u8) -> (u32, u32) {
        let step = self.steps[symbol as usize % SYMBOLS_MAX];
        let count = state.wrapping_add(step as u32) >> 16;
        let kept = *state >> (count % 32);
        // Cheaper than a mask made of the count.
        let bits = state.wrapping_sub(kept << (count % 32));
        *state = self.next(kept, step);
        (bits, count)
    }

    #[inline(always)]
    fn next(&self, kept: u32, step: u64) -> u32 {
        self.nexts[kept.wrapping_add((step >> 32) as u32) as usize % FSE_STATES_MAX].into()
    }

    /// The state itself, which the decoder begins with.
    pub fn finish(&self, state: u32, bits: &mut BitWriter) {
        bits.add(u64::from(state) & ((1 << self.log) - 1), self.log);
    }
}
