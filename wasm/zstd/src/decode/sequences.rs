//! Sequences_Section (3.1.1.3.2): its tables and its one stream, decoded in batches that are executed in turn. Decoding
//! and executing in separate loops keeps each within the registers there are.

use super::bits::bits_held;
use super::execute::{Output, Sequence};
use super::fse::{self, SYMBOLS_MAX};
use super::literals::Literals;
use crate::format::{
    FSE_STATES_MAX, Kind, LITERALS_LENGTH, MATCH_LENGTH, MODE_COMPRESSED, MODE_PREDEFINED, MODE_RLE, OFFSET,
    literals_length, match_length,
};
use crate::words::boxed;

/// Sequences a batch: 1.5 KiB on the way from one loop to the other.
const BATCH: usize = 128;
/// The stream is copied behind zeros, so that words are loaded without asking where it begins.
const STREAM_BYTES: usize = 1 << 18;
const PADDING: usize = 16;
/// Bits that a load leaves at least.
const WORD_BITS: u32 = 57;

/// Entries are baseline << 32 | next state's base << 16 | extra bits << 8 | next state's bits.
struct Table {
    entries: Box<[u64; FSE_STATES_MAX]>,
    log: u32,
    known: bool,
}

pub struct Sequences {
    literals_lengths: Table,
    offsets: Table,
    match_lengths: Table,
    stream: Box<[u8; STREAM_BYTES + 8]>,
    batch: Box<[Sequence; BATCH]>,
}

impl Default for Sequences {
    fn default() -> Self {
        let table = || Table { entries: boxed(0), log: 0, known: false };
        Self {
            literals_lengths: table(),
            offsets: table(),
            match_lengths: table(),
            stream: boxed(0),
            batch: boxed(Sequence::default()),
        }
    }
}

impl Sequences {
    /// A new frame begins.
    pub fn forget(&mut self) {
        for table in [&mut self.literals_lengths, &mut self.offsets, &mut self.match_lengths] {
            table.known = false;
        }
    }

    /// Decodes and executes the section, which is all of `source`: appends to `target[..at]`, and returns the new end.
    pub fn read(
        &mut self,
        source: &[u8],
        literals: &Literals,
        repeated: &mut [u32; 3],
        target: &mut [u8],
        at: usize,
    ) -> Option<usize> {
        let mut output = Output::new(target, at, literals);
        let (count, head_bytes) = count(source)?;
        if count == 0 {
            return if source.len() == head_bytes { output.finish() } else { None };
        }
        let (&modes, mut rest) = source.get(head_bytes..)?.split_first()?;
        if modes & 3 != 0 {
            return None;
        }
        rest = self.literals_lengths.read(&LITERALS_LENGTH, modes >> 6, rest, literals_length)?;
        rest = self.offsets.read(&OFFSET, modes >> 4 & 3, rest, |code| (1 << code, code as u32))?;
        rest = self.match_lengths.read(&MATCH_LENGTH, modes >> 2 & 3, rest, match_length)?;
        self.run(rest, count, repeated, &mut output)?;
        output.finish()
    }

    fn run(&mut self, source: &[u8], count: usize, repeated: &mut [u32; 3], output: &mut Output) -> Option<()> {
        let bits = bits_held(source)?;
        self.stream.get_mut(PADDING..PADDING + source.len())?.copy_from_slice(source);
        let (stream, batch) = (&*self.stream, &mut *self.batch);
        let [lengths, offsets, matches] =
            [&self.literals_lengths, &self.offsets, &self.match_lengths].map(|table| &*table.entries);
        let mut reader = Reader::new(PADDING * 8 + bits);
        let [mut length, mut offset, mut match_] =
            [&self.literals_lengths, &self.offsets, &self.match_lengths].map(|table| reader.take(stream, table.log));
        let [mut r0, mut r1, mut r2] = *repeated;
        let (mut left, mut unmade) = (count, 0);
        while left > 0 {
            let size = left.min(BATCH);
            for sequence in &mut batch[..size] {
                let l = lengths[length as usize % FSE_STATES_MAX];
                let o = offsets[offset as usize % FSE_STATES_MAX];
                let m = matches[match_ as usize % FSE_STATES_MAX];
                let (l_extra, o_extra, m_extra) = (extra_bits(l), extra_bits(o), extra_bits(m));
                reader.load(stream);
                let raw = (o >> 32) as u32 + reader.next(o_extra);
                if o_extra + l_extra + m_extra > WORD_BITS - 26 {
                    reader.load(stream);
                }
                let match_length = (m >> 32) as u32 + reader.next(m_extra);
                let literals = (l >> 32) as u32 + reader.next(l_extra);
                if o_extra + l_extra + m_extra > WORD_BITS - 26 {
                    reader.load(stream);
                }
                // Repeated offsets (3.1.1.5). `raw` is 1 to 3 only with at most one extra bit.
                let distance = if raw > 3 {
                    (r2, r1, r0) = (r1, r0, raw - 3);
                    r0
                } else {
                    match raw + u32::from(literals == 0) {
                        1 => {}
                        2 => (r1, r0) = (r0, r1),
                        3 => (r2, r1, r0) = (r1, r0, r2),
                        // Zero when the last was 1: execution refuses it.
                        _ => (r2, r1, r0) = (r1, r0, r0.wrapping_sub(1)),
                    }
                    r0
                };
                *sequence = Sequence { literals, match_length, distance };
                length = (l >> 16) as u32 % 65536 + reader.next(l as u32 % 256);
                match_ = (m >> 16) as u32 % 65536 + reader.next(m as u32 % 256);
                offset = (o >> 16) as u32 % 65536 + reader.next(o as u32 % 256);
                unmade = l as u32 % 256 + m as u32 % 256 + o as u32 % 256;
            }
            left -= size;
            // No batch can take so many bits that this wraps twice.
            if left > 0 && reader.left() < PADDING as isize * 8 {
                return None;
            }
            output.execute(&batch[..size])?;
        }
        // The stream has no bits for states after the last sequence: give those back, then nothing may remain.
        if reader.left() + unmade as isize != PADDING as isize * 8 {
            return None;
        }
        *repeated = [r0, r1, r2];
        Some(())
    }
}

fn extra_bits(entry: u64) -> u32 {
    (entry >> 8) as u32 % 256
}

impl Table {
    /// Makes the table for one kind of symbol by its mode; returns what follows its description.
    fn read<'a>(
        &mut self,
        kind: &Kind,
        mode: u8,
        source: &'a [u8],
        meaning: impl Fn(usize) -> (u32, u32),
    ) -> Option<&'a [u8]> {
        let known = std::mem::replace(&mut self.known, true);
        match mode {
            MODE_PREDEFINED => {
                self.build(kind.predefined, kind.predefined_log, meaning);
                Some(source)
            }
            MODE_RLE => {
                let (&code, rest) = source.split_first()?;
                if code as usize >= kind.symbols {
                    self.known = false;
                    return None;
                }
                let (baseline, extra) = meaning(code as usize);
                self.entries[0] = u64::from(baseline) << 32 | u64::from(extra) << 8;
                self.log = 0;
                Some(rest)
            }
            MODE_COMPRESSED => {
                self.known = false;
                let mut probabilities = [0; SYMBOLS_MAX];
                let (log, symbols, bytes) =
                    fse::read_probabilities(source, kind.log_max, kind.symbols, &mut probabilities)?;
                self.build(&probabilities[..symbols], log, meaning);
                self.known = true;
                Some(&source[bytes..])
            }
            _ => known.then_some(source),
        }
    }

    fn build(&mut self, probabilities: &[i16], log: u32, meaning: impl Fn(usize) -> (u32, u32)) {
        self.log = log;
        fse::build(probabilities, log, |at, state| {
            let (baseline, extra) = meaning(state.symbol as usize);
            self.entries[at % FSE_STATES_MAX] =
                u64::from(baseline) << 32 | u64::from(state.base) << 16 | u64::from(extra) << 8 | u64::from(state.bits);
        });
    }
}

/// Number_of_Sequences (3.1.1.3.2.1): (count, bytes).
fn count(source: &[u8]) -> Option<(usize, usize)> {
    let byte = |index: usize| source.get(index).map(|&byte| byte as usize);
    match byte(0)? {
        first @ 0..128 => Some((first, 1)),
        first @ 128..255 => Some((((first - 128) << 8) + byte(1)?, 2)),
        _ => Some((byte(1)? + (byte(2)? << 8) + 0x7F00, 3)),
    }
}

/// Reads the padded stream backwards. Never fails: past the beginning it wraps, and `left` tells.
struct Reader {
    /// The loaded word, of which the top `used` bits are taken.
    word: u64,
    used: u32,
    /// First byte of the word.
    at: u32,
}

impl Reader {
    fn new(bits: usize) -> Self {
        let at = bits.div_ceil(8) - 8;
        Self { word: 0, used: (at * 8 + 64 - bits) as u32, at: at as u32 }
    }

    /// Makes `WORD_BITS` bits ready, whatever was taken.
    #[inline(always)]
    fn load(&mut self, stream: &[u8; STREAM_BYTES + 8]) {
        self.at = self.at.wrapping_sub(self.used / 8);
        self.used %= 8;
        let at = (self.at as usize) % STREAM_BYTES;
        self.word = u64::from_le_bytes(stream[at..at + 8].try_into().unwrap());
    }

    #[inline(always)]
    fn next(&mut self, count: u32) -> u32 {
        let bits = (self.word << (self.used % 64) >> 1) >> (63 - count) % 64;
        self.used += count;
        bits as u32
    }

    fn take(&mut self, stream: &[u8; STREAM_BYTES + 8], count: u32) -> u32 {
        self.load(stream);
        self.next(count)
    }

    /// Bits of stream and padding not yet taken; below zero after wrapping.
    fn left(&self) -> isize {
        self.at as i32 as isize * 8 + 64 - self.used as isize
    }
}
