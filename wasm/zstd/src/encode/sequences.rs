//! Sequences_Section (3.1.1.3.2): codes, the three tables that cost least, and the one stream, last sequence first.

use super::bits::{BitWriter, Space};
use super::fse::{Distribution, SYMBOLS_MAX, Table};
use super::matches::{Parse, SEQUENCES_MAX};
use crate::format::{
    Kind, LITERALS_LENGTH, MATCH_LENGTH, MODE_COMPRESSED, MODE_PREDEFINED, MODE_REPEAT, MODE_RLE, OFFSET, literals_length,
    match_length,
};
use crate::words::boxed;

const SHORT_LITERALS: usize = 64;
const SHORT_MATCHES: usize = 128;
/// A description is built and measured only for as many sequences; for fewer it seldom pays.
const DESCRIBED_MIN: u32 = 24;
/// States take at most 9 + 9 + 8 bits: with as many extra bits, and the 7 that may be left, they fit a word. All extra
/// bits of one sequence fit by themselves: 24 + 16 + 16, with offsets of at most `FRAME_BYTES_MAX`.
const EXTRA_BITS_MAX: u32 = 63 - 7 - 26;

struct Coder {
    kind: &'static Kind,
    predefined: Distribution,
    /// The distribution in `table`, if the decoder has it too.
    last: Option<Distribution>,
    table: Table,
}

pub struct SequencesEncoder {
    lengths: Coder,
    offsets: Coder,
    matches: Coder,
    length_codes: [u8; SHORT_LITERALS],
    match_codes: [u8; SHORT_MATCHES],
    /// literals length code | match length code << 8 | offset code << 16 | extra bits << 24
    codes: Box<[u32; SEQUENCES_MAX]>,
}

impl Default for SequencesEncoder {
    fn default() -> Self {
        let code_of = |meaning: fn(usize) -> (u32, u32), value: usize| {
            (0..).take_while(|&code| meaning(code).0 as usize <= value).last().unwrap_or(0) as u8
        };
        Self {
            lengths: Coder::new(&LITERALS_LENGTH),
            offsets: Coder::new(&OFFSET),
            matches: Coder::new(&MATCH_LENGTH),
            length_codes: std::array::from_fn(|length| code_of(literals_length, length)),
            match_codes: std::array::from_fn(|over| code_of(match_length, over + 3)),
            codes: boxed(0),
        }
    }
}

impl SequencesEncoder {
    pub fn forget(&mut self) {
        for coder in [&mut self.lengths, &mut self.offsets, &mut self.matches] {
            coder.last = None;
        }
    }

    /// Writes the section at `at`; returns its end.
    pub fn write(&mut self, parse: &Parse, space: &mut Space, mut at: usize) -> usize {
        let count = parse.count();
        let (head, bytes) = match count {
            0..128 => (count, 1),
            128..0x7F00 => ((count >> 8) + 128 | (count & 255) << 8, 2),
            _ => (255 | (count - 0x7F00) << 8, 3),
        };
        space[at..at + bytes].copy_from_slice(&head.to_le_bytes()[..bytes]);
        at += bytes;
        if count == 0 {
            return at;
        }
        let [lengths, offsets, matches] = self.make_codes(parse);
        let modes = at;
        at += 1;
        let (mode, end) = self.lengths.choose(&lengths, count as u32, space, at);
        space[modes] = mode << 6;
        let (mode, end) = self.offsets.choose(&offsets, count as u32, space, end);
        space[modes] |= mode << 4;
        let (mode, end) = self.matches.choose(&matches, count as u32, space, end);
        space[modes] |= mode << 2;
        self.encode(parse, space, end)
    }

    fn make_codes(&mut self, parse: &Parse) -> [[u32; SYMBOLS_MAX]; 3] {
        let (mut lengths, mut offsets, mut matches) = ([0; SYMBOLS_MAX], [0; SYMBOLS_MAX], [0; SYMBOLS_MAX]);
        for (codes, sequence) in self.codes.iter_mut().zip(parse.sequences()) {
            let (literals, over) = (sequence.literals(), sequence.match_over());
            let length = match self.length_codes.get(literals as usize) {
                Some(&code) => u32::from(code),
                None => literals.ilog2() + 19,
            };
            let match_ = match self.match_codes.get(over as usize) {
                Some(&code) => u32::from(code),
                None => over.ilog2() + 36,
            };
            let offset = (sequence.offset_value() | 1).ilog2();
            lengths[length as usize % SYMBOLS_MAX] += 1;
            matches[match_ as usize % SYMBOLS_MAX] += 1;
            offsets[offset as usize % SYMBOLS_MAX] += 1;
            *codes = length | match_ << 8 | offset << 16;
        }
        [lengths, offsets, matches]
    }

    fn encode(&self, parse: &Parse, space: &mut Space, at: usize) -> usize {
        let (lengths, offsets, matches) = (&self.lengths.table, &self.offsets.table, &self.matches.table);
        let mut bits = BitWriter::new(space, at);
        let mut states = None;
        for (sequence, &codes) in parse.sequences().iter().zip(self.codes.iter()).rev() {
            let [length, match_, offset, _] = codes.to_le_bytes();
            let extra = [
                EXTRA_LENGTH[length as usize % SYMBOLS_MAX],
                EXTRA_MATCH[match_ as usize % SYMBOLS_MAX],
                offset,
            ].map(u32::from);
            match &mut states {
                None => states = Some((lengths.first(length), offsets.first(offset), matches.first(match_))),
                Some((length_state, offset_state, match_state)) => {
                    offsets.add(offset_state, offset, &mut bits);
                    matches.add(match_state, match_, &mut bits);
                    lengths.add(length_state, length, &mut bits);
                    if extra[0] + extra[1] + extra[2] > EXTRA_BITS_MAX {
                        bits.flush();
                    }
                }
            }
            bits.add(low(sequence.literals(), extra[0]), extra[0]);
            bits.add(low(sequence.match_over(), extra[1]), extra[1]);
            bits.add(low(sequence.offset_value(), extra[2]), extra[2]);
            bits.flush();
        }
        if let Some((length_state, offset_state, match_state)) = states {
            matches.finish(match_state, &mut bits);
            offsets.finish(offset_state, &mut bits);
            lengths.finish(length_state, &mut bits);
            bits.flush();
        }
        bits.finish()
    }
}

#[inline(always)]
fn low(value: u32, count: u32) -> u64 {
    u64::from(value) & ((1 << (count % 64)) - 1)
}

const EXTRA_LENGTH: [u8; SYMBOLS_MAX] = extra_bits(false);
const EXTRA_MATCH: [u8; SYMBOLS_MAX] = extra_bits(true);

const fn extra_bits(matches: bool) -> [u8; SYMBOLS_MAX] {
    let mut bits = [0; SYMBOLS_MAX];
    let mut code = 0;
    while code < if matches { MATCH_LENGTH.symbols } else { LITERALS_LENGTH.symbols } {
        bits[code] = if matches { match_length(code).1 } else { literals_length(code).1 } as u8;
        code += 1;
    }
    bits
}

impl Coder {
    fn new(kind: &'static Kind) -> Self {
        let predefined = Distribution::of(kind.predefined, kind.predefined_log);
        Self { kind, predefined, last: None, table: Table::default() }
    }

    /// Makes `table` the one that costs least, and describes it if need be; returns (mode, end of the description).
    fn choose(&mut self, counts: &[u32; SYMBOLS_MAX], total: u32, space: &mut Space, at: usize) -> (u8, usize) {
        if let Some(symbol) = counts.iter().position(|&count| count == total)
            && total > 2
        {
            space[at] = symbol as u8;
            self.last = None;
            self.table.single();
            return (MODE_RLE, at + 1);
        }
        let predefined = self.predefined.cost(counts).unwrap_or(u32::MAX);
        let repeated = self.last.as_ref().and_then(|last| last.cost(counts)).unwrap_or(u32::MAX);
        let several = counts.iter().filter(|&&count| count > 0).count() > 1;
        if several && (total >= DESCRIBED_MIN || predefined == u32::MAX) {
            let fresh = Distribution::scaled(counts, total, self.kind.log_max);
            let mut bits = BitWriter::new(space, at);
            fresh.describe(&mut bits);
            let end = bits.end();
            let cost = fresh.cost(counts).unwrap_or(u32::MAX).saturating_add((end - at) as u32 * 8);
            if cost < predefined && cost < repeated {
                self.table.build(&fresh);
                self.last = Some(fresh);
                return (MODE_COMPRESSED, end);
            }
        }
        if repeated <= predefined && repeated < u32::MAX {
            return (MODE_REPEAT, at);
        }
        self.table.build(&self.predefined);
        self.last = Some(self.predefined.clone());
        (MODE_PREDEFINED, at)
    }
}
