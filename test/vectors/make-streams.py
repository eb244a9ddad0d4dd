#!/usr/bin/env python3
"""Makes streams.json: objects as Python writes and judges them, which is what Cinder does (cinder/backup/chunkeddriver.py).

Needs the zstd package of PyPI, as Cinder does, and the zstd command: python3 test/vectors/make-streams.py > test/vectors/streams.json
Each stream has Python's verdict, the length of what comes out or null where it refuses, and ours; `why` stands where we decide otherwise.
"""

import base64
import bz2
import gzip
import json
import subprocess
import sys
import zlib

import zstd

DECODE = {'zlib': zlib.decompress, 'bz2': bz2.decompress, 'zstd': zstd.decompress}
vectors = []


def xorshift(length):
    x, out = 2463534242, bytearray()
    for _ in range(length):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        out.append(x >> 24)
    return bytes(out)


GENERATORS = {
    'zero': bytes,
    'squares': lambda length: bytes((i * i + i // 7) & 255 for i in range(length)),
    'letters': lambda length: bytes(b'acgt'[byte >> 6] for byte in xorshift(length)),
    'xorshift': xorshift,
}


def add(codec, made_by, generator, length, stream, accepted=None, why=None):
    """`generator` and `length` are of the plaintext that comes out, when the stream is accepted. We decide as Python does, unless told why."""
    plain = GENERATORS[generator](length)
    try:
        out = DECODE[codec](stream)
    except Exception:
        out = None
    assert out is None or out == plain, (codec, made_by, len(out), length)
    by_python = out is not None
    assert bool(why) == (accepted is not None and accepted != by_python), (codec, made_by)
    vectors.append(
        {
            'codec': codec,
            'madeBy': made_by,
            'generator': generator,
            'length': length,
            'python': len(out) if by_python else None,
            'accepted': by_python if accepted is None else accepted,
            **({'why': why} if why else {}),
            'bytes': base64.b64encode(stream).decode(),
        }
    )


def add_damaged(codec, stream, generator, length):
    plain = (generator, length)
    middle = len(stream) // 2
    add(codec, 'its last byte is missing', *plain, stream[:-1])
    add(codec, 'its second half is missing', *plain, stream[:middle])
    add(codec, 'a byte is missing in the middle', *plain, stream[:middle] + stream[middle + 1 :])
    add(codec, 'its first byte is missing', *plain, stream[1:])
    add(codec, 'a bit of its first byte is flipped', *plain, bytes([stream[0] ^ 1]) + stream[1:])


def deflate(plain, level=6, window_bits=15, memory=8, strategy=zlib.Z_DEFAULT_STRATEGY, dictionary=None, flush=None):
    options = [dictionary] if dictionary else []
    compressor = zlib.compressobj(level, zlib.DEFLATED, window_bits, memory, strategy, *options)
    if flush is None:
        return compressor.compress(plain) + compressor.flush()
    half = len(plain) // 2
    return compressor.compress(plain[:half]) + compressor.flush(flush) + compressor.compress(plain[half:]) + compressor.flush()


for generator, length in [('squares', 3000), ('letters', 4000), ('zero', 400_000), ('xorshift', 500), ('zero', 0)]:
    plain = GENERATORS[generator](length)
    for level in (0, 1, 6, 9) if length < 4000 else (1, 6, 9):
        add('zlib', f'zlib.compress, level {level}', generator, length, zlib.compress(plain, level))
    for level in (1, 9):
        add('bz2', f'bz2.compress, level {level}', generator, length, bz2.compress(plain, level))
    for level in (1, 3, 19):
        add('zstd', f'zstd.compress, level {level}', generator, length, zstd.compress(plain, level, 1))

LETTERS = ('letters', 2000)
letters = GENERATORS['letters'](2000)
for bits in range(9, 16):
    add('zlib', f'a window of {bits} bits', *LETTERS, deflate(letters, window_bits=bits))
for name in ('Z_FIXED', 'Z_HUFFMAN_ONLY', 'Z_RLE', 'Z_FILTERED'):
    add('zlib', f'strategy {name}', *LETTERS, deflate(letters, strategy=getattr(zlib, name)))
for name in ('Z_SYNC_FLUSH', 'Z_FULL_FLUSH', 'Z_PARTIAL_FLUSH', 'Z_BLOCK'):
    add('zlib', f'{name} in the middle', *LETTERS, deflate(letters, flush=getattr(zlib, name)))
stream = zlib.compress(letters)
add('zlib', 'needs a dictionary', *LETTERS, deflate(letters, dictionary=b'acgt'))
add('zlib', 'bytes follow', *LETTERS, stream + b'what follows')
add('zlib', 'a second stream follows', *LETTERS, stream + stream)
add('zlib', 'Adler-32 is wrong', *LETTERS, stream[:-1] + bytes([stream[-1] ^ 1]))
add('zlib', 'raw deflate', *LETTERS, deflate(letters, window_bits=-15))
add('zlib', 'gzip', *LETTERS, gzip.compress(letters, mtime=0))
add('zlib', 'header check is wrong', *LETTERS, b'\x78\x9d' + stream[2:])
add('zlib', 'header says another method', *LETTERS, b'\x77\x85' + stream[2:])
add('zlib', 'header says a window of 64 KiB', *LETTERS, b'\x88\x1c' + stream[2:])
add('zlib', 'nothing at all', *LETTERS, b'')
add_damaged('zlib', stream, *LETTERS)

stream = bz2.compress(letters)
first, second = letters[:700], letters[700:]
pair = bz2.compress(first) + bz2.compress(second, 1)
add('bz2', 'two streams', *LETTERS, pair)
add('bz2', 'an empty stream between two', *LETTERS, bz2.compress(first) + bz2.compress(b'') + bz2.compress(second))
add('bz2', 'an empty stream only', 'zero', 0, bz2.compress(b''))
for junk in (b'\0', b'x', b'what follows', b'BX', b'BZh0', b'BZh9what follows', b'BZh91AY&what'):
    add('bz2', f'{junk!r} follows', *LETTERS, pair + junk)
for junk in (b'B', b'BZ', b'BZh', b'BZh9', b'BZh91AY&', b'BZh9\x17rE8P\x90'):
    add('bz2', f'{junk!r} follows: the start of a stream', *LETTERS, pair + junk)
add('bz2', 'the first of two streams is cut off', *LETTERS, stream[:-3] + stream)
add('bz2', 'the second of two streams is cut off', *LETTERS, pair[:-3])
damaged = bytearray(pair)
damaged[-40] ^= 0x10
add('bz2', 'the second of two streams is damaged', 'letters', 700, bytes(damaged), False, 'Python drops the second stream without a word')
add('bz2', 'a checksum is wrong', *LETTERS, stream[:-3] + bytes([stream[-3] ^ 1]) + stream[-2:])
add('bz2', 'no level', *LETTERS, b'BZh0' + stream[4:])
add('bz2', 'nothing at all', 'zero', 0, b'', False, 'each object holds some bytes')
add_damaged('bz2', stream, *LETTERS)


def command(plain, *options):
    return subprocess.run(['zstd', '-q', '-c', *options], input=plain, stdout=subprocess.PIPE, check=True).stdout


stream = zstd.compress(letters, 3, 1)
bare = command(letters, '-3', '--no-check')
checked = command(letters, '-3', '--check')
skippable = bytes.fromhex('5a2a4d18') + (7).to_bytes(4, 'little') + b'skipped'
add('zstd', 'no content size, no checksum', *LETTERS, bare)
add('zstd', 'no content size, a checksum', *LETTERS, checked)
mixed = zstd.compress(letters[:500]) + command(letters[500:900], '--check') + command(letters[900:], '--no-check')
add('zstd', 'frames of all kinds', *LETTERS, mixed, True, 'the PyPI package adds up the sizes that it finds, and falls short')
add('zstd', 'a skippable frame before', *LETTERS, skippable + stream)
add('zstd', 'skippable frames behind', *LETTERS, stream + skippable + skippable)
add('zstd', 'a skippable frame of no bytes between', *LETTERS, zstd.compress(letters[:9]) + skippable[:4] + bytes(4) + zstd.compress(letters[9:]))
add('zstd', 'only a skippable frame', 'zero', 0, skippable)
add('zstd', 'a skippable frame cut off', *LETTERS, stream + skippable[:-1])
add('zstd', 'a skippable header cut off', *LETTERS, stream + skippable[:7])
add('zstd', 'several threads', 'squares', 3000, zstd.compress(GENERATORS['squares'](3000), 3, 4))
for junk in (b'\0', b'x', bytes(4), b'what follows', stream[:4], stream[:7], stream[:-1]):
    add('zstd', f'{len(junk)} bytes follow: {junk[:8].hex()}', *LETTERS, stream + junk)
add('zstd', 'a checksum is wrong', *LETTERS, checked[:-1] + bytes([checked[-1] ^ 1]))
add('zstd', 'a checksum is cut off', *LETTERS, checked[:-2])
add('zstd', 'reserved bit', *LETTERS, stream[:4] + bytes([stream[4] | 8]) + stream[5:])
add('zstd', 'needs a dictionary', *LETTERS, stream[:4] + bytes([stream[4] | 1]) + b'\x05' + stream[5:])
add('zstd', 'names dictionary 0', *LETTERS, stream[:4] + bytes([stream[4] | 1]) + b'\0' + stream[5:])
add('zstd', 'content size is one less', *LETTERS, stream[:5] + bytes([stream[5] - 1]) + stream[6:])
add('zstd', 'content size is one more', *LETTERS, stream[:5] + bytes([stream[5] + 1]) + stream[6:])
add('zstd', 'nothing at all', *LETTERS, b'')
add_damaged('zstd', stream, *LETTERS)

json.dump(
    {
        'about': 'Objects as Python writes and judges them, made by make-streams.py beside this file. `python` is the length that comes out, null where it '
        'refuses; generators are those of core.json.',
        'versions': {'python': sys.version.split()[0], 'zlib': zlib.ZLIB_RUNTIME_VERSION, 'zstd': zstd.ZSTD_version()},
        'streams': 'STREAMS',
    },
    out := __import__('io').StringIO(),
    indent=2,
)
lines = ',\n'.join('    ' + json.dumps(vector) for vector in vectors)
print(out.getvalue().replace('"STREAMS"', f'[\n{lines}\n  ]'))
