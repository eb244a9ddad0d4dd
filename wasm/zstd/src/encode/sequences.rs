//! Sequences_Section (3.1.1.3.2): codes, the three tables that cost least, and the one stream, last sequence first.

use super::bits::{BitWriter, Space};
use super::fse::{Distribution, SYMBOLS_MAX, Table};
use super::parse::{Parse, SEQUENCES_MAX};
use crate::boxed::boxed;
use crate::format::{
    Kind, LITERALS_LENGTH, MATCH_BYTES_MIN, MATCH_LENGTH, MODE_COMPRESSED, MODE_PREDEFINED, MODE_REPEAT, MODE_RLE,
    OFFSET, literals_length, match_length,
};

const SHORT_LITERALS: usize = 64;
const SHORT_MATCHES: usize = 128;
/// A description is built and measured only for as many sequences; for fewer it seldom pays.
const DESCRIBED_MIN: u32 = 24;

struct Coder {
    kind: &'static Kind,
    predefined: Distribution,
    /// The distribution in `table`, if the decoder has it too.
    last: Option<Distribution>,
    table: Table,
}

/// A sequence as its stream has it.
#[derive(Clone, Copy, Default)]
struct Coded {
    /// Of both lengths and the offset, the literals length's lowest. At most 16 + 16 + 24: `FRAME_BYTES_MAX` bounds those
    /// of an offset.
    extra: u64,
    extra_bits: u8,
    literals: u8,
    match_: u8,
    offset: u8,
}

pub struct SequencesEncoder {
    lengths: Coder,
    offsets: Coder,
    matches: Coder,
    coded: Box<[Coded; SEQUENCES_MAX]>,
}

impl Default for SequencesEncoder {
    fn default() -> Self {
        Self {
            lengths: Coder::new(&LITERALS_LENGTH),
            offsets: Coder::new(&OFFSET),
            matches: Coder::new(&MATCH_LENGTH),
            coded: boxed(Coded::default()),
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
        let count = parse.sequences().len();
        let (head, bytes) = match count {
            0..128 => (count, 1),
            128..0x7F00 => (((count >> 8) + 128) | ((count & 255) << 8), 2),
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
        self.encode(count, space, end)
    }

    #[inline(never)]
    fn make_codes(&mut self, parse: &Parse) -> [[u32; SYMBOLS_MAX]; 3] {
        let (mut lengths, mut offsets, mut matches) = ([0; SYMBOLS_MAX], [0; SYMBOLS_MAX], [0; SYMBOLS_MAX]);
        for (coded, sequence) in self.coded.iter_mut().zip(parse.sequences()) {
            let (literals, over, offset_value) = (sequence.literals(), sequence.match_over(), sequence.offset_value());
            let (length, length_bits) = match SHORT_LITERALS_CODES.get(literals as usize) {
                Some(&[code, bits]) => (code, u32::from(bits)),
                None => (literals.ilog2() as u8 + 19, literals.ilog2()),
            };
            let (match_, match_bits) = match SHORT_MATCHES_CODES.get(over as usize) {
                Some(&[code, bits]) => (code, u32::from(bits)),
                None => (over.ilog2() as u8 + 36, over.ilog2()),
            };
            let offset = (offset_value | 1).ilog2();
            lengths[length as usize % SYMBOLS_MAX] += 1;
            matches[match_ as usize % SYMBOLS_MAX] += 1;
            offsets[offset as usize % SYMBOLS_MAX] += 1;
            // Baselines are multiples of what their extra bits count, so those are the value's low bits.
            *coded = Coded {
                extra: low(literals, length_bits)
                    | low(over, match_bits) << (length_bits % 64)
                    | low(offset_value, offset) << ((length_bits + match_bits) % 64),
                extra_bits: (length_bits + match_bits + offset) as u8,
                literals: length,
                match_,
                offset: offset as u8,
            };
        }
        [lengths, offsets, matches]
    }

    #[inline(never)]
    fn encode(&self, count: usize, space: &mut Space, at: usize) -> usize {
        let (lengths, offsets, matches) = (&self.lengths.table, &self.offsets.table, &self.matches.table);
        let mut bits = BitWriter::new(space, at);
        let last = self.coded[(count - 1) % SEQUENCES_MAX];
        let (mut length, mut offset, mut match_) =
            (lengths.first(last.literals), offsets.first(last.offset), matches.first(last.match_));
        bits.add(last.extra, last.extra_bits.into());
        bits.flush();
        for coded in self.coded[..count - 1].iter().rev() {
            let (offset_low, offset_count) = offsets.step(&mut offset, coded.offset);
            let (match_low, match_count) = matches.step(&mut match_, coded.match_);
            let (length_low, length_count) = lengths.step(&mut length, coded.literals);
            // At most 8 + 9 + 9 bits.
            let low = offset_low | match_low << (offset_count % 32) | length_low << ((offset_count + match_count) % 32);
            bits.add(low.into(), offset_count + match_count + length_count);
            bits.make_room(coded.extra_bits.into());
            bits.add(coded.extra, coded.extra_bits.into());
            bits.flush();
        }
        matches.finish(match_, &mut bits);
        offsets.finish(offset, &mut bits);
        lengths.finish(length, &mut bits);
        bits.flush();
        bits.finish()
    }
}

#[inline(always)]
fn low(value: u32, count: u32) -> u64 {
    u64::from(value & ((1 << (count % 32)) - 1))
}

/// (code, extra bits) of the values that have no code of their own power of two.
const SHORT_LITERALS_CODES: [[u8; 2]; SHORT_LITERALS] = {
    let (mut codes, mut code) = ([[0; 2]; SHORT_LITERALS], 0);
    while code < 25 {
        let (baseline, bits) = literals_length(code);
        fill(&mut codes, baseline as usize, code, bits);
        code += 1;
    }
    codes
};
const SHORT_MATCHES_CODES: [[u8; 2]; SHORT_MATCHES] = {
    let (mut codes, mut code) = ([[0; 2]; SHORT_MATCHES], 0);
    while code < 43 {
        let (baseline, bits) = match_length(code);
        fill(&mut codes, (baseline - MATCH_BYTES_MIN) as usize, code, bits);
        code += 1;
    }
    codes
};

const fn fill(codes: &mut [[u8; 2]], from: usize, code: usize, bits: u32) {
    let mut value = from;
    while value < from + (1 << bits) {
        codes[value] = [code as u8, bits as u8];
        value += 1;
    }
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
