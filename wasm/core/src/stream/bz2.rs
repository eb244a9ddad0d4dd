//! bzip2 streams. Each part that is written is a whole stream: decoders join what follows each other.

use super::{Decoded, Encoded, StreamError};
use bzip2::{Action, Compress, Compression, Decompress, Status};

const LEVELS: std::ops::RangeInclusive<i32> = 1..=9;
/// How hard repetitive input is tried before the slower sort that has no bad case; 0 is the library's own choice.
const WORK_FACTOR: u32 = 0;

/// What bzip2's manual asks for: one percent more, and 600 bytes.
pub fn bound(length: usize) -> usize {
    length + length.div_ceil(100) + 600
}

pub struct Encoder(Compression);

impl Encoder {
    pub fn new(level: i32) -> Self {
        Self(Compression::new(level.clamp(*LEVELS.start(), *LEVELS.end()) as u32))
    }

    pub fn encode(&self, source: &[u8], target: &mut [u8]) -> Result<Encoded, StreamError> {
        let mut stream = Compress::new(self.0, WORK_FACTOR);
        match stream.compress(source, target, Action::Finish) {
            Ok(Status::StreamEnd) => Ok(Encoded { length: stream.total_out() as usize, adler32: 0 }),
            _ => Err(StreamError::Misused),
        }
    }
}

/// The start of a stream up to where it must be one: `BZh`, the level, and the mark of a block or of the stream's end.
const START_BYTES: usize = 10;
const SIGNATURE: [u8; 3] = *b"BZh";
const BLOCK_MARK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const END_MARK: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/// Python's `bz2.decompress` ignores what follows a stream when it is no stream. When it begins as one and is damaged later,
/// Python drops all of it without a word; here that is damage.
#[derive(Default)]
pub struct Decoder {
    state: State,
    streams: u64,
}

enum State {
    /// Between streams, or before the first: so many bytes of a start.
    Start {
        held: [u8; START_BYTES],
        count: usize,
    },
    Inside(Decompress),
    /// Behind the last stream.
    Ignoring,
}

impl Default for State {
    fn default() -> Self {
        Self::Start { held: [0; START_BYTES], count: 0 }
    }
}

impl Decoder {
    pub fn decode(&mut self, source: &[u8], target: &mut [u8]) -> Result<Decoded, StreamError> {
        let mut done = Decoded::default();
        loop {
            let rest = &source[done.consumed..];
            match &mut self.state {
                State::Ignoring => return Ok(Decoded { consumed: source.len(), ..done }),
                State::Start { held, count } => {
                    let Some(&byte) = rest.first() else { return Ok(done) };
                    done.consumed += 1;
                    held[*count] = byte;
                    *count += 1;
                    if !is_start(&held[..*count]) {
                        if self.streams == 0 {
                            return Err(StreamError::Damaged);
                        }
                        self.state = State::Ignoring;
                    } else if *count == START_BYTES {
                        let mut stream = Decompress::new(false);
                        let (start, _) = step(&mut stream, &held[..], &mut [])?;
                        if start.consumed != START_BYTES {
                            return Err(StreamError::Damaged);
                        }
                        self.state = State::Inside(stream);
                    }
                }
                State::Inside(stream) => {
                    let room = &mut target[done.produced..];
                    if room.is_empty() {
                        return Ok(done);
                    }
                    let (step, status) = step(stream, rest, room)?;
                    done.consumed += step.consumed;
                    done.produced += step.produced;
                    if status == Status::StreamEnd {
                        self.streams += 1;
                        self.state = State::default();
                    } else if step == Decoded::default() {
                        // With room left, only input is missing.
                        return if rest.is_empty() { Ok(done) } else { Err(StreamError::Damaged) };
                    }
                }
            }
        }
    }

    /// A start that stops before its mark is a stream cut off, as Python sees it too.
    pub fn is_whole(&self) -> bool {
        self.streams > 0 && matches!(self.state, State::Ignoring | State::Start { count: 0, .. })
    }
}

fn is_start(held: &[u8]) -> bool {
    held.iter().enumerate().all(|(at, &byte)| match at {
        0..3 => byte == SIGNATURE[at],
        3 => byte.is_ascii_digit() && byte != b'0',
        _ => byte == BLOCK_MARK[at - 4] || byte == END_MARK[at - 4],
    }) && (held.len() <= 4 || BLOCK_MARK.starts_with(&held[4..]) || END_MARK.starts_with(&held[4..]))
}

fn step(stream: &mut Decompress, source: &[u8], target: &mut [u8]) -> Result<(Decoded, Status), StreamError> {
    let (read, written) = (stream.total_in(), stream.total_out());
    let status = match stream.decompress(source, target) {
        Ok(Status::MemNeeded) => return Err(StreamError::OutOfMemory),
        Ok(status) => status,
        Err(_) => return Err(StreamError::Damaged),
    };
    let consumed = (stream.total_in() - read) as usize;
    Ok((Decoded { consumed, produced: (stream.total_out() - written) as usize }, status))
}
