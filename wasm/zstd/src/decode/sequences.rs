//! Sequences_Section (3.1.1.3.2): its tables and its one stream, decoded in batches that are executed in turn. Decoding
//! and executing in separate loops keeps each within the registers there are.

use super::bits::bits_held;
use super::execute::{Output, Sequence};
use super::fse::{self, SYMBOLS_MAX};
use crate::format::{
    FSE_STATES_MAX, Kind, LITERALS_LENGTH, MATCH_LENGTH, MODE_COMPRESSED, MODE_PREDEFINED, MODE_RLE, OFFSET,
    literals_length, match_length,
};

/// Sequences a batch: 1.5 KiB on the way from one loop to the other.
const BATCH: usize = 128;
/// The stream is copied behind zeros, so that words are loaded without asking where it begins.
const STREAM_BYTES: usize = 1 << 18;
const PADDING: usize = 16;
/// Bits that a load leaves at least.
const WORD_BITS: u32 = 57;

/// Entries are baseline << 32 | next state's base << 16 | extra bits << 8 | next state's bits.
type Entries = [u64; FSE_STATES_MAX];

/// What is known of one kind of symbol besides its entries.
#[derive(Default)]
struct Table {
    log: u32,
    known: bool,
}

/// All that the loops touch stands behind one pointer: registers are what they lack.
struct Work {
    lengths: Entries,
    offsets: Entries,
    matches: Entries,
    batch: [Sequence; BATCH],
    stream: [u8; STREAM_BYTES + 8],
}

pub struct Sequences {
    lengths: Table,
    offsets: Table,
    matches: Table,
    work: Box<Work>,
}

impl Default for Sequences {
    fn default() -> Self {
        let entries = [0; FSE_STATES_MAX];
        Self {
            lengths: Table::default(),
            offsets: Table::default(),
            matches: Table::default(),
            work: Box::new(Work {
                lengths: entries,
                offsets: entries,
                matches: entries,
                batch: [Sequence::default(); BATCH],
                stream: [0; STREAM_BYTES + 8],
            }),
        }
    }
}

impl Sequences {
    /// A new frame begins.
    pub fn forget(&mut self) {
        for table in [&mut self.lengths, &mut self.offsets, &mut self.matches] {
            table.known = false;
        }
    }

    /// Decodes and executes the section, which is all of `source`; returns where its block ends.
    pub fn read(&mut self, source: &[u8], repeated: &mut [u32; 3], mut output: Output) -> Option<usize> {
        let (count, head_bytes) = count(source)?;
        if count == 0 {
            return if source.len() == head_bytes { output.finish() } else { None };
        }
        let (&modes, mut rest) = source.get(head_bytes..)?.split_first()?;
        if modes & 3 != 0 {
            return None;
        }
        let work = &mut *self.work;
        rest = self.lengths.read(&mut work.lengths, &LITERALS_LENGTH, modes >> 6, rest, literals_length)?;
        rest = self.offsets.read(&mut work.offsets, &OFFSET, modes >> 4 & 3, rest, |code| (1 << code, code as u32))?;
        rest = self.matches.read(&mut work.matches, &MATCH_LENGTH, modes >> 2 & 3, rest, match_length)?;
        self.run(rest, count, repeated, &mut output)?;
        output.finish()
    }

    fn run(&mut self, source: &[u8], count: usize, repeated: &mut [u32; 3], output: &mut Output) -> Option<()> {
        let bits = bits_held(source)?;
        let work = &mut *self.work;
        work.stream.get_mut(PADDING..PADDING + source.len())?.copy_from_slice(source);
        let mut reader = Reader::new(PADDING * 8 + bits);
        let mut states = [&self.lengths, &self.offsets, &self.matches].map(|table| {
            reader.load(&work.stream);
            reader.next(table.log)
        });
        let mut left = count;
        loop {
            let size = left.min(BATCH);
            let unmade = work.decode(size, &mut reader, &mut states);
            left -= size;
            if left == 0 {
                // There are no bits for states after the last sequence: give those back, then nothing may remain.
                if reader.left() + unmade as isize != PADDING as isize * 8 {
                    return None;
                }
            } else if reader.left() < PADDING as isize * 8 {
                // No batch takes so many bits that this could wrap twice.
                return None;
            }
            let batch = &mut work.batch[..size];
            resolve(batch, repeated);
            output.execute(batch)?;
            if left == 0 {
                return Some(());
            }
        }
    }
}

impl Work {
    /// Decodes the next sequences into the front of the batch, with the offset's value for a distance; returns how many
    /// bits the last states took.
    #[inline(never)]
    fn decode(&mut self, size: usize, from: &mut Reader, states: &mut [u32; 3]) -> u32 {
        let mut reader = Reader { ..*from };
        let [mut length, mut offset, mut match_] = *states;
        let mut state_bits = 0;
        for sequence in &mut self.batch[..size] {
            let l = self.lengths[length as usize % FSE_STATES_MAX];
            let o = self.offsets[offset as usize % FSE_STATES_MAX];
            let m = self.matches[match_ as usize % FSE_STATES_MAX];
            // One sum for both kinds of bits: neither carries into the other.
            let sum = (l as u32).wrapping_add(o as u32).wrapping_add(m as u32);
            state_bits = sum & 255;
            let bits = state_bits + (sum >> 8 & 255);
            reader.load(&self.stream);
            let mut word;
            let raw;
            if bits <= WORD_BITS {
                word = reader.next_u64(bits);
                raw = word >> ((bits - extra_bits(o)) % 64);
            } else {
                raw = reader.next_u64(extra_bits(o));
                reader.load(&self.stream);
                let high = reader.next_u64(extra_bits(m) + extra_bits(l));
                reader.load(&self.stream);
                word = high << state_bits | reader.next_u64(state_bits);
            }
            // From the lowest bit up, in the reverse of the order they are read in.
            offset = base(o) + low(&mut word, o as u32 % 256);
            match_ = base(m) + low(&mut word, m as u32 % 256);
            length = base(l) + low(&mut word, l as u32 % 256);
            let literals = (l >> 32) as u32 + low(&mut word, extra_bits(l));
            let match_length = (m >> 32) as u32 + low(&mut word, extra_bits(m));
            *sequence = Sequence { literals, match_length, distance: (o >> 32) as u32 + raw as u32 };
        }
        (*from, *states) = (reader, [length, offset, match_]);
        state_bits
    }
}

/// Offset values become distances (3.1.1.5). New ones, the last and the one before are told apart by selection: which it
/// is, no branch predictor knows.
#[inline(never)]
fn resolve(batch: &mut [Sequence], repeated: &mut [u32; 3]) {
    let [mut r0, mut r1, mut r2] = *repeated;
    for sequence in batch {
        let raw = sequence.distance;
        let (new, repeat) = (raw > 3, raw + u32::from(sequence.literals == 0));
        let (before, last) = (r1, r0);
        if !new && repeat > 2 {
            // Zero when the last was 1 and is to be one less: execution refuses it.
            r0 = if repeat == 3 { r2 } else { last.wrapping_sub(1) };
            (r2, r1) = (before, last);
        } else {
            r2 = if new { before } else { r2 };
            r1 = if new || repeat == 2 { last } else { before };
            r0 = if new {
                raw - 3
            } else if repeat == 2 {
                before
            } else {
                last
            };
        }
        sequence.distance = r0;
    }
    *repeated = [r0, r1, r2];
}

fn base(entry: u64) -> u32 {
    (entry >> 16) as u32 & 0xFFFF
}

/// Takes the lowest bits of a word.
#[inline(always)]
fn low(word: &mut u64, count: u32) -> u32 {
    let bits = *word as u32 & ((1 << (count % 32)) - 1);
    *word >>= count % 64;
    bits
}

fn extra_bits(entry: u64) -> u32 {
    (entry >> 8) as u32 % 256
}

impl Table {
    /// Makes the entries for one kind of symbol by its mode; returns what follows its description.
    fn read<'a>(
        &mut self,
        entries: &mut Entries,
        kind: &Kind,
        mode: u8,
        source: &'a [u8],
        meaning: impl Fn(usize) -> (u32, u32),
    ) -> Option<&'a [u8]> {
        let known = std::mem::replace(&mut self.known, true);
        match mode {
            MODE_PREDEFINED => {
                self.build(entries, kind.predefined, kind.predefined_log, meaning);
                Some(source)
            }
            MODE_RLE => {
                let (&code, rest) = source.split_first()?;
                if code as usize >= kind.symbols {
                    self.known = false;
                    return None;
                }
                let (baseline, extra) = meaning(code as usize);
                entries[0] = u64::from(baseline) << 32 | u64::from(extra) << 8;
                self.log = 0;
                Some(rest)
            }
            MODE_COMPRESSED => {
                self.known = false;
                let mut probabilities = [0; SYMBOLS_MAX];
                let (log, symbols, bytes) =
                    fse::read_probabilities(source, kind.log_max, kind.symbols, &mut probabilities)?;
                self.build(entries, &probabilities[..symbols], log, meaning);
                self.known = true;
                Some(&source[bytes..])
            }
            _ => known.then_some(source),
        }
    }

    fn build(&mut self, entries: &mut Entries, probabilities: &[i16], log: u32, meaning: impl Fn(usize) -> (u32, u32)) {
        self.log = log;
        fse::build(probabilities, log, |at, state| {
            let (baseline, extra) = meaning(state.symbol as usize);
            entries[at % FSE_STATES_MAX] =
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
    fn next_u64(&mut self, count: u32) -> u64 {
        let bits = (self.word << (self.used % 64) >> 1) >> (63 - count % 64);
        self.used += count;
        bits
    }

    fn next(&mut self, count: u32) -> u32 {
        self.next_u64(count) as u32
    }

    /// Bits of stream and padding not yet taken; below zero after wrapping.
    fn left(&self) -> isize {
        self.at as i32 as isize * 8 + 64 - self.used as isize
    }
}
