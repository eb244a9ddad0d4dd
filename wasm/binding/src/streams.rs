//! Encoders and decoders of whole objects: ranges in, numbers out.

use crate::memory::{bytes, bytes_mut, overlap};
use crate::zstd_parts::{self, Place};
use blockvault_core::stream::{Decoded, Decoder, Encoded, Encoder, StreamError};
use wasm_bindgen::prelude::wasm_bindgen;

const DONE: i32 = 0;
const DAMAGED: i32 = -1;
const OUT_OF_MEMORY: i32 = -2;
const MISUSED: i32 = -3;
const WINDOW_TOO_LARGE: i32 = -4;

fn number(error: StreamError) -> i32 {
    match error {
        StreamError::Damaged => DAMAGED,
        StreamError::OutOfMemory => OUT_OF_MEMORY,
        StreamError::Misused => MISUSED,
        StreamError::WindowTooLarge => WINDOW_TOO_LARGE,
    }
}

enum Parts {
    Core(Encoder),
    Zstd(zstd_parts::Encoder),
}

#[wasm_bindgen]
pub struct StreamEncoder {
    inner: Parts,
    encoded: Encoded,
}

#[wasm_bindgen]
impl StreamEncoder {
    pub fn zlib(level: i32) -> StreamEncoder {
        Self::of(Parts::Core(Encoder::zlib(level)))
    }

    pub fn bz2(level: i32) -> StreamEncoder {
        Self::of(Parts::Core(Encoder::bz2(level)))
    }

    /// Nothing when memory is out.
    pub fn zstd(level: i32) -> Option<StreamEncoder> {
        zstd_parts::Encoder::new(level).ok().map(|encoder| Self::of(Parts::Zstd(encoder)))
    }

    fn of(inner: Parts) -> StreamEncoder {
        StreamEncoder { inner, encoded: Encoded::default() }
    }

    pub fn bound(&self, length: usize) -> usize {
        match &self.inner {
            Parts::Core(encoder) => encoder.bound(length),
            Parts::Zstd(_) => zstd_parts::Encoder::bound(length),
        }
    }

    /// 0 when the part is encoded, or the number of an error; the ranges must not overlap. `object_bytes` is the object's length with
    /// its first part, and below 0 with the others.
    pub fn encode(
        &mut self,
        source: usize,
        length: usize,
        target: usize,
        capacity: usize,
        object_bytes: f64,
        last: bool,
    ) -> i32 {
        if overlap(source, length, target, capacity) {
            return MISUSED;
        }
        let (source, target) = (bytes(source, length), bytes_mut(target, capacity));
        let encoded = match &mut self.inner {
            Parts::Core(encoder) => encoder.encode(source, target, last),
            Parts::Zstd(encoder) => {
                let place = Place { first: (object_bytes >= 0.0).then_some(object_bytes as u64), last };
                encoder.encode(source, target, &place).map(|length| Encoded { length, adler32: 0 })
            }
        };
        match encoded {
            Ok(encoded) => {
                self.encoded = encoded;
                DONE
            }
            Err(error) => number(error),
        }
    }

    /// Bytes of the part encoded last.
    pub fn length(&self) -> usize {
        self.encoded.length
    }

    /// Adler-32 of the plaintext of the part encoded last.
    pub fn adler32(&self) -> u32 {
        self.encoded.adler32
    }
}

#[wasm_bindgen]
pub struct StreamDecoder {
    inner: Decoder,
    decoded: Decoded,
}

#[wasm_bindgen]
impl StreamDecoder {
    pub fn zlib() -> StreamDecoder {
        Self::of(Decoder::zlib())
    }

    pub fn bz2() -> StreamDecoder {
        Self::of(Decoder::bz2())
    }

    /// Nothing when memory is out.
    pub fn zstd() -> Option<StreamDecoder> {
        Decoder::zstd().ok().map(Self::of)
    }

    fn of(inner: Decoder) -> StreamDecoder {
        StreamDecoder { inner, decoded: Decoded::default() }
    }

    /// 0 when it went well, or the number of an error; the ranges must not overlap.
    pub fn decode(&mut self, source: usize, length: usize, target: usize, capacity: usize) -> i32 {
        if overlap(source, length, target, capacity) {
            return MISUSED;
        }
        match self.inner.decode(bytes(source, length), bytes_mut(target, capacity)) {
            Ok(decoded) => {
                self.decoded = decoded;
                DONE
            }
            Err(error) => number(error),
        }
    }

    pub fn consumed(&self) -> usize {
        self.decoded.consumed
    }

    pub fn produced(&self) -> usize {
        self.decoded.produced
    }

    /// 0 when the stream is whole, or the number of an error.
    pub fn finish(&self) -> i32 {
        self.inner.finish().map_or_else(number, |()| DONE)
    }
}
