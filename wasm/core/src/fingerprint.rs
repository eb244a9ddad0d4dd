//! Keyed BLAKE3-256: the identity of a chunk. The key is secret, so a store cannot confirm what a chunk holds.

use crate::blake3::{Blake3, HASH_BYTES, KEY_BYTES};

pub const FINGERPRINT_BYTES: usize = HASH_BYTES;

pub type Fingerprint = [u8; FINGERPRINT_BYTES];
pub type Key = [u8; KEY_BYTES];

pub fn fingerprint(key: &Key, bytes: &[u8]) -> Fingerprint {
    Blake3::keyed(key).hash(bytes)
}

/// Fills `output` with BLAKE3's extended output over `input`: how other secrets are derived from the fingerprint key.
pub fn derive(key: &Key, input: &[u8], output: &mut [u8]) {
    Blake3::keyed(key).extend(input, output);
}
