//! Compression of whole objects as Cinder stores them: streams of any length, part by part, where `codec` has frames.
//!
//! Invariant: a decoder writes only into the target it is given and takes no more memory than its window, whatever the
//! bytes ask for. Anything that is no such stream is `Damaged`, and stays so.

mod bz2;
mod zlib;
mod zstd;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamError {
    /// The bytes are no such stream.
    Damaged,
    /// A zstd frame asks for a window of more than 128 MiB.
    WindowTooLarge,
    OutOfMemory,
    /// The caller broke the order of calls or a bound.
    Misused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Bytes in the target.
    pub length: usize,
    /// Adler-32 of the part's plaintext for zlib, 0 for the others.
    pub adler32: u32,
}

pub enum Encoder {
    Zlib(zlib::Encoder),
    Bz2(bz2::Encoder),
}

/// Of zlib and bz2. zstd's parts take a function of the C library that has no safe face: the binding has them.
impl Encoder {
    /// Levels beyond 0 to 9 mean the nearest.
    pub fn zlib(level: i32) -> Self {
        Self::Zlib(zlib::Encoder::new(level))
    }

    /// Levels beyond 1 to 9 mean the nearest.
    pub fn bz2(level: i32) -> Self {
        Self::Bz2(bz2::Encoder::new(level))
    }

    /// The most that `encode` writes for a part of `length` bytes.
    pub fn bound(&self, length: usize) -> usize {
        match self {
            Self::Zlib(_) => zlib::bound(length),
            Self::Bz2(_) => bz2::bound(length),
        }
    }

    /// Compresses a part; `last` ends the stream. A `target` shorter than `bound` may be too short: `Misused` then.
    pub fn encode(&mut self, source: &[u8], target: &mut [u8], last: bool) -> Result<Encoded, StreamError> {
        if source.is_empty() && !last {
            return Ok(Encoded { length: 0, adler32: matches!(self, Self::Zlib(_)) as u32 });
        }
        match self {
            Self::Zlib(encoder) => encoder.encode(source, target, last),
            Self::Bz2(encoder) => encoder.encode(source, target),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoded {
    pub consumed: usize,
    pub produced: usize,
}

enum Kind {
    Zlib(zlib::Decoder),
    Bz2(bz2::Decoder),
    Zstd(zstd::Decoder),
}

pub struct Decoder {
    kind: Kind,
    /// What the decoder said once, it says for ever.
    failed: Option<StreamError>,
}

impl Decoder {
    pub fn zlib() -> Self {
        Self::of(Kind::Zlib(zlib::Decoder::new()))
    }

    pub fn bz2() -> Self {
        Self::of(Kind::Bz2(bz2::Decoder::default()))
    }

    pub fn zstd() -> Result<Self, StreamError> {
        zstd::Decoder::new().map(|decoder| Self::of(Kind::Zstd(decoder)))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, failed: None }
    }

    /// Goes on until all of `source` is consumed or `target` is full. Output may wait in the decoder only when `target` is full.
    pub fn decode(&mut self, source: &[u8], target: &mut [u8]) -> Result<Decoded, StreamError> {
        let decoded = match (self.failed, &mut self.kind) {
            (Some(error), _) => Err(error),
            (None, Kind::Zlib(decoder)) => decoder.decode(source, target),
            (None, Kind::Bz2(decoder)) => decoder.decode(source, target),
            (None, Kind::Zstd(decoder)) => decoder.decode(source, target),
        };
        self.failed = decoded.err();
        decoded
    }

    /// All input was given and all output taken: is the stream whole?
    pub fn finish(&self) -> Result<(), StreamError> {
        let whole = match &self.kind {
            Kind::Zlib(decoder) => decoder.is_whole(),
            Kind::Bz2(decoder) => decoder.is_whole(),
            Kind::Zstd(decoder) => decoder.is_whole(),
        };
        match self.failed {
            Some(error) => Err(error),
            None if whole => Ok(()),
            None => Err(StreamError::Damaged),
        }
    }
}
