//! XXH64 with seed 0: the low four bytes end a frame that has a checksum (3.1.1).

use crate::words::{read_u32, read_u64};

const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

pub fn xxh64(bytes: &[u8]) -> u64 {
    let (stripes, rest) = bytes.as_chunks::<32>();
    let mut hash = if stripes.is_empty() {
        PRIMES[4]
    } else {
        let mut lanes = [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, 0u64.wrapping_sub(PRIMES[0])];
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
                *lane = round(*lane, u64::from_le_bytes(*word));
            }
        }
        let turned =
            [1, 7, 12, 18].iter().zip(lanes).fold(0u64, |sum, (&bits, lane)| sum.wrapping_add(lane.rotate_left(bits)));
        lanes.iter().fold(turned, |hash, &lane| (hash ^ round(0, lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]))
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    let mut at = 0;
    while at + 8 <= rest.len() {
        hash = (hash ^ round(0, read_u64(rest, at))).rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        at += 8;
    }
    if at + 4 <= rest.len() {
        let word = u64::from(read_u32(rest, at)).wrapping_mul(PRIMES[0]);
        hash = (hash ^ word).rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
        at += 4;
    }
    for &byte in &rest[at..] {
        hash = (hash ^ u64::from(byte).wrapping_mul(PRIMES[4])).rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
}

#[cfg(test)]
mod tests {
    #[test]
    fn published_hashes() {
        assert_eq!(super::xxh64(b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(super::xxh64(b"abc"), 0x44BC_2CF5_AD77_0999);
        assert_eq!(super::xxh64(b"Nobody inspects the spammish repetition"), 0xFBCE_A83C_8A37_8BF1);
    }
}
