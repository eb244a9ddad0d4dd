//! The numbers of RFC 8878 that the encoder needs.

pub const MAGIC: [u8; 4] = 0xFD2F_B528u32.to_le_bytes();
/// The longest frame the encoder takes: it keeps one in a buffer of this size, and its words have room for
/// offsets of 24 bits.
pub const FRAME_BYTES_MAX: usize = 16 << 20;
/// Block_Maximum_Size (3.1.1.2.4) for any window of at least as much.
pub const BLOCK_BYTES_MAX: usize = 128 << 10;

pub const BLOCK_RAW: u32 = 0;
pub const BLOCK_RLE: u32 = 1;
pub const BLOCK_COMPRESSED: u32 = 2;

pub const LITERALS_RAW: u8 = 0;
pub const LITERALS_RLE: u8 = 1;
pub const LITERALS_COMPRESSED: u8 = 2;
pub const LITERALS_TREELESS: u8 = 3;

/// Symbol_Compression_Modes (3.1.1.3.2.1).
pub const MODE_PREDEFINED: u8 = 0;
pub const MODE_RLE: u8 = 1;
pub const MODE_COMPRESSED: u8 = 2;
pub const MODE_REPEAT: u8 = 3;

/// A Huffman code has at most this many bits (4.2.1).
pub const HUFFMAN_BITS_MAX: u32 = 11;
/// Accuracy of the FSE table that codes Huffman weights, at most (4.2.1.2).
pub const WEIGHTS_LOG_MAX: u32 = 6;
/// The smallest accuracy an FSE table can have (4.1.1).
pub const FSE_LOG_MIN: u32 = 5;
/// The states of the largest FSE table here.
pub const FSE_STATES_MAX: usize = 1 << 9;

pub const REPEATED_OFFSETS: [u32; 3] = [1, 4, 8];
pub const MATCH_BYTES_MIN: u32 = 3;

/// One of the three symbols of a sequence (3.1.1.3.2.1.1).
pub struct Kind {
    pub log_max: u32,
    pub predefined_log: u32,
    pub predefined: &'static [i16],
}

pub const LITERALS_LENGTH: Kind = Kind {
    log_max: 9,
    predefined_log: 6,
    predefined: &[
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
    ],
};
pub const MATCH_LENGTH: Kind = Kind {
    log_max: 9,
    predefined_log: 6,
    predefined: &[
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
};
pub const OFFSET: Kind = Kind {
    log_max: 8,
    predefined_log: 5,
    predefined: &[1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
};

/// (baseline, extra bits) of a code.
pub const fn literals_length(code: usize) -> (u32, u32) {
    match code {
        0..16 => (code as u32, 0),
        16..20 => (16 + 2 * (code as u32 - 16), 1),
        20..22 => (24 + 4 * (code as u32 - 20), 2),
        22..24 => (32 + 8 * (code as u32 - 22), 3),
        24 => (48, 4),
        _ => (1 << (code as u32 - 19), code as u32 - 19),
    }
}

/// (baseline, extra bits) of a code.
pub const fn match_length(code: usize) -> (u32, u32) {
    let (over, bits) = match code {
        0..32 => (code as u32, 0),
        32..36 => (32 + 2 * (code as u32 - 32), 1),
        36..38 => (40 + 4 * (code as u32 - 36), 2),
        38..40 => (48 + 8 * (code as u32 - 38), 3),
        40..42 => (64 + 16 * (code as u32 - 40), 4),
        42 => (96, 5),
        _ => (1 << (code as u32 - 36), code as u32 - 36),
    };
    (over + MATCH_BYTES_MIN, bits)
}

/// Which symbol each state of an FSE table decodes to (4.1.1): the spread that the decoder makes too.
/// Symbols of probability "less than one" (-1) take the last states. Returns the states those leave.
pub fn spread(probabilities: &[i16], log: u32, symbols: &mut [u8; FSE_STATES_MAX]) {
    let size = 1usize << log;
    let mut end = size;
    for (symbol, &probability) in probabilities.iter().enumerate() {
        if probability == -1 {
            end -= 1;
            symbols[end % FSE_STATES_MAX] = symbol as u8;
        }
    }
    let step = (size >> 1) + (size >> 3) + 3;
    let mut at = 0;
    for (symbol, &probability) in probabilities.iter().enumerate() {
        for _ in 0..probability {
            symbols[at % FSE_STATES_MAX] = symbol as u8;
            loop {
                at = (at + step) & (size - 1);
                if at < end {
                    break;
                }
            }
        }
    }
}
