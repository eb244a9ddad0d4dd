//! The golden vectors in test/vectors/core.json, which the TypeScript implementations are held to as well.

mod common;

use blockvault_core::change_tag::ChangeTagger;
use blockvault_core::chunker::Chunker;
use blockvault_core::codec::{Codec, Codecs};
use blockvault_core::fingerprint::{derive, fingerprint};
use blockvault_core::scan::Scanner;
use common::{base64, generate, key, list, number, text, to_hex, vectors};
use serde_json::Value;

#[test]
fn fingerprints_are_keyed_blake3() {
    let vectors = vectors();
    for case in list(&vectors, "fingerprints") {
        let input = generate(text(case, "generator"), number(case, "length"));
        assert_eq!(to_hex(&fingerprint(&key(&vectors), &input)), text(case, "fingerprint"), "{case}");
    }
}

#[test]
fn change_tags_are_umacs_first_layer_under_keyed_blake3() {
    let vectors = vectors();
    let mut tagger = ChangeTagger::new(&key(&vectors));
    for case in list(&vectors, "changeTags") {
        let input = generate(text(case, "generator"), number(case, "length"));
        assert_eq!(to_hex(&tagger.tag(&input)), text(case, "changeTag"), "{case}");
    }
}

#[test]
fn the_gear_table_is_derived_from_the_key() {
    let vectors = vectors();
    let mut gear = [0; 2048];
    derive(&key(&vectors), b"blockvault/1 gear", &mut gear);
    let word = |number: usize| format!("{:#x}", u64::from_le_bytes(gear[number * 8..][..8].try_into().unwrap()));
    assert_eq!(word(0), text(&vectors["gear"], "first"));
    assert_eq!(word(255), text(&vectors["gear"], "last"));
    assert_eq!(to_hex(&fingerprint(&key(&vectors), &gear)), text(&vectors["gear"], "fingerprint"));
}

#[test]
fn scans_cut_flag_and_fingerprint() {
    let vectors = vectors();
    let key = key(&vectors);
    for case in list(&vectors, "scans") {
        let pieces = list(case, "pieces").iter();
        let segment: Vec<u8> =
            pieces.flat_map(|piece| generate(text(piece, "generator"), number(piece, "length"))).collect();
        let mut scanner = Scanner::new(chunker(&case["chunker"], &key), key);
        let found = scanner.scan(&segment);
        let listed = |name| list(case, name).iter().map(|value| value.as_u64().unwrap() as u32).collect::<Vec<_>>();
        assert_eq!(found.lengths, listed("lengths"), "{}", case["chunker"]);
        assert_eq!(
            found.zero.iter().map(|&flag| flag.into()).collect::<Vec<u32>>(),
            listed("zero"),
            "{}",
            case["chunker"]
        );
        let digest = fingerprint(&key, found.fingerprints.as_flattened());
        assert_eq!(to_hex(&digest), text(case, "fingerprintOfFingerprints"), "{}", case["chunker"]);
    }
}

#[test]
fn streams_are_decoded_or_refused() {
    let vectors = vectors();
    let mut codecs = Codecs::default();
    for case in list(&vectors, "streams") {
        let plain = generate(text(case, "generator"), number(case, "length"));
        let mut target = vec![0xEE; plain.len()];
        let accepted = codecs.decompress(codec(case), &base64(text(case, "bytes")), &mut target);
        assert_eq!(accepted, case["accepted"].as_bool().unwrap(), "{}: {}", case["codec"], case["madeBy"]);
        assert!(!accepted || target == plain, "{}: {}", case["codec"], case["madeBy"]);
    }
}

fn codec(case: &Value) -> Codec {
    match text(case, "codec") {
        "none" => Codec::None,
        "zstd" => Codec::Zstd,
        "lz4" => Codec::Lz4,
        "deflate" => Codec::Deflate,
        other => panic!("no codec {other}"),
    }
}

fn chunker(options: &Value, key: &[u8; 32]) -> Chunker {
    let size = |name| number(options, name) as u32;
    let chunker = match text(options, "kind") {
        "fixed" => Chunker::fixed(size("size")),
        _ => Chunker::fastcdc(size("min"), size("average"), size("max"), key),
    };
    chunker.expect("sizes are within bounds")
}
