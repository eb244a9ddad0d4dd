//! Blocks of 1024 bytes, and G, which makes one of two (RFC 9106, 3.5 and 3.6). Words of 64 bits are as fast as vectors here: the
//! memory is what it waits for, and 128 bits would hold two words whose products take more moving about than they save.

pub const BLOCK_BYTES: usize = 1024;
pub const BLOCK_WORDS: usize = BLOCK_BYTES / 8;
/// A block is a matrix of eight rows and eight columns of pairs of words; P takes a row or a column.
const SIDE: usize = 8;
const ROW_WORDS: usize = 2 * SIDE;

#[derive(Clone, Copy)]
pub struct Block([u64; BLOCK_WORDS]);

impl Block {
    pub const ZERO: Self = Self([0; BLOCK_WORDS]);

    pub fn new(words: [u64; BLOCK_WORDS]) -> Self {
        Self(words)
    }

    pub fn from_bytes(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let words = bytes.as_chunks().0;
        Self(std::array::from_fn(|word| u64::from_le_bytes(words[word])))
    }

    pub fn to_bytes(self) -> [u8; BLOCK_BYTES] {
        let mut bytes = [0; BLOCK_BYTES];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    pub fn word(&self, word: usize) -> u64 {
        self.0[word]
    }

    #[inline(always)]
    pub fn xor(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] ^ other.0[word]))
    }

    /// G: the two are added, mixed by rows and by columns, and added to the result again.
    #[inline(always)]
    pub fn compress(&self, other: &Self) -> Self {
        let sum = self.xor(other);
        let mut mixed = sum;
        for row in mixed.0.as_chunks_mut::<ROW_WORDS>().0 {
            permute(row);
        }
        for column in 0..SIDE {
            let place = |word: usize| word / 2 * ROW_WORDS + 2 * column + word % 2;
            let mut words = std::array::from_fn(|word| mixed.0[place(word)]);
            permute(&mut words);
            for (word, value) in words.into_iter().enumerate() {
                mixed.0[place(word)] = value;
            }
        }
        mixed.xor(&sum)
    }
}

/// P: one round of BLAKE2b on a matrix of four by four words.
#[inline(always)]
fn permute(words: &mut [u64; ROW_WORDS]) {
    for column in 0..4 {
        mix(words, [column, 4 + column, 8 + column, 12 + column]);
    }
    for diagonal in 0..4 {
        mix(words, [diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4]);
    }
}

#[inline(always)]
fn mix(words: &mut [u64; ROW_WORDS], [a, b, c, d]: [usize; 4]) {
    words[a] = multiply_add(words[a], words[b]);
    words[d] = (words[d] ^ words[a]).rotate_right(32);
    words[c] = multiply_add(words[c], words[d]);
    words[b] = (words[b] ^ words[c]).rotate_right(24);
    words[a] = multiply_add(words[a], words[b]);
    words[d] = (words[d] ^ words[a]).rotate_right(16);
    words[c] = multiply_add(words[c], words[d]);
    words[b] = (words[b] ^ words[c]).rotate_right(63);
}

/// In place of BLAKE2b's additions: a + b + 2 · low half of a · low half of b.
#[inline(always)]
fn multiply_add(a: u64, b: u64) -> u64 {
    let product = u64::from(a as u32) * u64::from(b as u32);
    a.wrapping_add(b).wrapping_add(product.wrapping_mul(2))
}
