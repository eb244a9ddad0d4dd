//! zstd (RFC 8878) for frames of disk images: an encoder with one fast setting, and a strict decoder of everything.
//!
//! Why not the C library: compiled to wasm32 its `size_t`, and with it every bit container and match counter, has 32
//! bits. WASM has 64-bit integers, and this code is written around them.
//!
//! Invariant: no `unsafe`, no panic on any input, no allocation after `new`. Where a bounds check would cost, arrays
//! have a fixed power-of-two size and indices are masked; a masked index that was wrong is noticed afterwards.
#![forbid(unsafe_code)]

mod checksum;
mod decode;
mod encode;
mod format;
mod words;

pub use decode::Decoder;
pub use encode::Encoder;
