//! BLAKE2b (RFC 7693) without a key, and H', the hash of any length that Argon2 makes of it (RFC 9106, 3.3).

const BLOCK_BYTES: usize = 128;
pub const HASH_BYTES_MAX: usize = 64;

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const SIGMA: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Fills `hash`, 1 to 64 bytes, whose length is part of what is hashed.
pub fn blake2b(parts: &[&[u8]], hash: &mut [u8]) {
    let mut state = IV;
    state[0] ^= 0x0101_0000 ^ hash.len() as u64;
    let (mut block, mut held, mut total) = ([0; BLOCK_BYTES], 0, 0u128);
    for &byte in parts.iter().copied().flatten() {
        // The last block is known as such only at the end, so a full one waits for the next byte.
        if held == BLOCK_BYTES {
            total += BLOCK_BYTES as u128;
            compress(&mut state, &block, total, false);
            held = 0;
        }
        block[held] = byte;
        held += 1;
    }
    block[held..].fill(0);
    compress(&mut state, &block, total + held as u128, true);
    for (place, byte) in hash.iter_mut().zip(state.iter().flat_map(|word| word.to_le_bytes())) {
        *place = byte;
    }
}

fn compress(state: &mut [u64; 8], block: &[u8; BLOCK_BYTES], total: u128, last: bool) {
    let words = block.as_chunks::<8>().0;
    let mut v: [u64; 16] = std::array::from_fn(|word| if word < 8 { state[word] } else { IV[word - 8] });
    v[12] ^= total as u64;
    v[13] ^= (total >> 64) as u64;
    if last {
        v[14] = !v[14];
    }
    for round in 0..12 {
        let order = &SIGMA[round % SIGMA.len()];
        let word = |place: usize| u64::from_le_bytes(words[order[place] as usize]);
        for (step, [a, b, c, d]) in STEPS.into_iter().enumerate() {
            mix(&mut v, [a, b, c, d], word(2 * step), word(2 * step + 1));
        }
    }
    for (place, word) in state.iter_mut().enumerate() {
        *word ^= v[place] ^ v[place + 8];
    }
}

/// Columns, then diagonals.
const STEPS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

/// H' of RFC 9106: fills `hash`, whatever its length. Longer than one hash, it is a chain of which each link gives 32 bytes.
pub fn long_hash(parts: &[&[u8]], hash: &mut [u8]) {
    let length = (hash.len() as u32).to_le_bytes();
    let parts = [&[&length[..]], parts].concat();
    if hash.len() <= HASH_BYTES_MAX {
        return blake2b(&parts, hash);
    }
    let mut link = [0; HASH_BYTES_MAX];
    blake2b(&parts, &mut link);
    let (mut rest, half) = (hash, HASH_BYTES_MAX / 2);
    while rest.len() > HASH_BYTES_MAX {
        let (here, behind) = rest.split_at_mut(half);
        here.copy_from_slice(&link[..half]);
        rest = behind;
        let before = link;
        if rest.len() > HASH_BYTES_MAX {
            blake2b(&[&before], &mut link);
        } else {
            blake2b(&[&before], rest);
        }
    }
}
