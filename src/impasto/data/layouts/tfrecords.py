"""Pictures inside TFRecord files, found without TensorFlow.

A file is a sequence of records: length (8 bytes, little endian), its masked CRC-32C (4), the content, and the CRC of
the content (4). The content is a `tf.train.Example`, a protocol-buffers message that maps names to values. The picture
is the value `image`. Only positions are stored, so a picture is decoded when it is needed.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from impasto.data.collection import Item
from impasto.data.sources import Packed
from impasto.errors import DataError

HEADER = struct.Struct("<Q4s")
FOOTER_BYTES = 4
MOST_BYTES = 1 << 30
"""A longer record counts as damage."""
LENGTH_DELIMITED = 2
"""Wire type of strings, bytes and messages in protocol buffers."""


def tfrecord_items(file: Path, root: Path) -> list[Item]:
    """Return the pictures in a TFRecord file, named by `image_name` or by their number.

    Raises DataError if the file is damaged or a record has no value `image`.
    """
    try:
        with file.open("rb") as stream:
            return [_item(file, root, number, *record) for number, record in enumerate(_records(stream))]
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
    except (ValueError, struct.error) as error:
        raise DataError(f"{file} is not a TFRecord file of pictures or is damaged ({error}); copy it again") from error


def _item(file: Path, root: Path, number: int, start: int, content: bytes) -> Item:
    values = dict(_features(content, start))
    if "image" not in values:
        raise ValueError(f"record {number} has no value called image")
    offset, length = values["image"]
    given = values.get("image_name")
    name = content[given[0] - start :][: given[1]].decode() if given else f"{number:05d}"
    name = f"{file.relative_to(root).as_posix()}/{name}"
    return Item(Packed(file, offset, length, name), name)


def _records(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the content of each record."""
    while header := stream.read(HEADER.size):
        length, checksum = HEADER.unpack(header)
        if struct.pack("<I", masked_crc32c(header[:8])) != checksum or length > MOST_BYTES:
            raise ValueError("the checksum of a length is wrong")
        start = stream.tell()
        content = stream.read(length)
        if len(content) < length or len(stream.read(FOOTER_BYTES)) < FOOTER_BYTES:
            raise ValueError("it is cut off")
        yield start, content


def _features(content: bytes, start: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name and the position in the file of every bytes value of an Example.

    Example {1: Features {1, repeated: entry {1: name, 2: Feature {1: BytesList {1: bytes}}}}}
    """
    for features in _fields(content, 0, len(content), 1):
        for entry in _fields(content, *features, 1):
            name = next(_fields(content, *entry, 1), (0, 0))
            for feature in _fields(content, *entry, 2):
                for values in _fields(content, *feature, 1):
                    for begin, end in _fields(content, *values, 1):
                        yield content[slice(*name)].decode(), (start + begin, end - begin)


def _fields(content: bytes, begin: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the length-delimited fields with this number in a message. Skip other fields."""
    while begin < end:
        key, begin = _varint(content, begin, end)
        number, wire = key >> 3, key & 7
        if wire == LENGTH_DELIMITED:
            length, begin = _varint(content, begin, end)
            if begin + length > end:
                raise ValueError("a field is longer than its message")
            if number == wanted:
                yield begin, begin + length
            begin += length
        elif wire == 0:
            _, begin = _varint(content, begin, end)
        elif wire in (1, 5):
            begin += 8 if wire == 1 else 4
        else:
            raise ValueError(f"there is no wire type {wire}")


def _varint(content: bytes, begin: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(begin, min(end, begin + 10)):
        byte = content[place]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place + 1
    raise ValueError("a number is cut off")


def masked_crc32c(content: bytes) -> int:
    """Return the checksum that TFRecord files use (Castagnoli's polynomial, rotated and offset)."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)
