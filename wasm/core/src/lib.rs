//! The core of blockvault: cuts, fingerprints, codecs and the chunk index, as pure functions on slices.
//!
//! Invariant: no `unsafe`, no clock, no randomness, no I/O. The same bytes in give the same bytes out on every target.
#![forbid(unsafe_code)]

pub mod argon2id;
pub mod blake3;
pub mod change_tag;
pub mod chunk_index;
pub mod chunker;
pub mod codec;
mod fastcdc;
pub mod fingerprint;
pub mod fingerprint_set;
mod growing;
pub mod index_block;
mod lanes64;
mod nh;
pub mod scan;
mod slots;
pub mod stream;
mod zero;

/// The memory could not be grown: wasm32 ends at 4 GiB, and the host may end earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory;
