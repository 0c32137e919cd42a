"""Packs a segment as docs/spec/journal-format.md says, and shares nothing with the product: python3 pack.py PLAIN PACKED BLOCK_BYTES"""
import struct, sys, zlib


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


plain, packed, size = open(sys.argv[1], "rb").read(), sys.argv[2], int(sys.argv[3])
base = struct.unpack_from("<Q", plain, 16)[0]
blocks = []
for at in range(0, len(plain), size):
    block = plain[at:at + size]
    small = zlib.compress(block, 9)
    blocks.append(small if len(small) < len(block) else block)
table, end = b"", 64 + 16 * len(blocks)
for block in blocks:
    table += struct.pack("<QII", end, len(block), crc32c(block))
    end += len(block)
head = b"\x89HFJ\r\n\x1a\n" + struct.pack("<HH", 2, 64)
rest = struct.pack("<QQIIIB19x", base, len(plain), size, len(blocks), crc32c(table), 1)
open(packed, "wb").write(head + struct.pack("<I", crc32c(head + rest)) + rest + table + b"".join(blocks))
