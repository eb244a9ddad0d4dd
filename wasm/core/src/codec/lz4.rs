//! LZ4: one raw block, without a frame or a length before it. Its length stands in the pack.

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

#[derive(Default)]
pub struct Lz4 {
    table: Option<CompressTable>,
    /// The encoder refuses a target shorter than the worst case, so it writes here first.
    worst_case: Vec<u8>,
}

impl Lz4 {
    pub fn compress(&mut self, source: &[u8], target: &mut [u8]) -> usize {
        let table = self.table.get_or_insert_with(CompressTable::large);
        let bound = get_maximum_output_size(source.len());
        if self.worst_case.len() < bound {
            self.worst_case.resize(bound, 0);
        }
        match compress_into_with_table(source, &mut self.worst_case, table) {
            Ok(length) if length <= target.len() => {
                target[..length].copy_from_slice(&self.worst_case[..length]);
                length
            }
            _ => 0,
        }
    }
}

pub fn decompress(source: &[u8], target: &mut [u8]) -> bool {
    decompress_into(source, target).is_ok_and(|length| length == target.len())
}
