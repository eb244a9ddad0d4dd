//! The reader of the repository format as a WebAssembly component: the world of wit/reader.wit over the core and the modules
//! here, which are docs/format.md in code.
//!
//! Invariant: no I/O, no clock, no randomness; bytes from outside never make it panic, which a host would see as a trap.

mod config;
mod index;
mod keys;
mod manifest;
mod map_node;
mod seal;
mod slot;
mod world;

wit_bindgen::generate!({ world: "reader", path: "wit", pub_export_macro: false });

/// The world's types, as a host of the native tests sees them.
pub use exports::blockvault::reader::objects as types;
pub use world::Component;

use exports::blockvault::reader::codecs::Codec as WitCodec;
use exports::blockvault::reader::objects::Problem;

export!(Component);

/// The longest `config`, key slot, manifest, index object or directory, and the most key slots (docs/format.md, "Numbers").
const CONFIG_BYTES_MAX: usize = 65_536;
const KEY_SLOT_BYTES_MAX: usize = 65_536;
const KEY_SLOTS_MAX: usize = 64;
const MANIFEST_BYTES_MAX: usize = 1_048_576;
const INDEX_BYTES_MAX: usize = 134_217_728;

/// A list of 32 bytes that came from outside.
fn key32(bytes: &[u8]) -> Result<[u8; 32], Problem> {
    bytes.try_into().map_err(|_| Problem::Argument)
}

/// Lower-case hex of exactly these bytes.
fn from_hex<const BYTES: usize>(digits: &str) -> Option<[u8; BYTES]> {
    let bytes: Vec<u8> = hex_bytes(digits)?;
    bytes.try_into().ok()
}

fn hex_bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `8-4-4-4-12` in lower-case hex.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The two lines of `config` and key slots: a JSON object, then 64 hex digits; each ended by one newline.
fn two_lines(bytes: &[u8]) -> Result<(&str, [u8; 32]), Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Malformed)?;
    let (line, digits) = text.strip_suffix('\n').and_then(|text| text.split_once('\n')).ok_or(Problem::Malformed)?;
    Ok((line, from_hex(digits).ok_or(Problem::Malformed)?))
}

fn core_codec(codec: WitCodec) -> blockvault_core::codec::Codec {
    use blockvault_core::codec::Codec;
    match codec {
        WitCodec::None => Codec::None,
        WitCodec::Zstd => Codec::Zstd,
        WitCodec::Lz4 => Codec::Lz4,
        WitCodec::Deflate => Codec::Deflate,
    }
}

fn wit_codec(codec: blockvault_core::codec::Codec) -> WitCodec {
    use blockvault_core::codec::Codec;
    match codec {
        Codec::None => WitCodec::None,
        Codec::Zstd => WitCodec::Zstd,
        Codec::Lz4 => WitCodec::Lz4,
        Codec::Deflate => WitCodec::Deflate,
    }
}
