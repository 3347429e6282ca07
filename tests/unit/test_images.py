"""Pictures by their first bytes: what they are, how large, and that nothing cut off or hostile gets through."""

import random
import struct

import pytest

from devices.images import Image, ImageFault, pixels_max, read_header, side_px_max


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + b"\0" * 8


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC2, 11, 8, height, width, 1)
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + b"\0" * 9 + before + frame + b"\0" * 4


def webp(chunk: bytes, data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBP" + chunk + struct.pack("<I", len(data)) + data


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 4)


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 4)


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


# A 1x1 PNG and a 1x1 JPEG as programs write them.
REAL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff030000060005"
    "57bfabd40000000049454e44ae426082"
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(640, 480), Image("image/png", 640, 480)),
        (REAL_PNG, Image("image/png", 1, 1)),
        (jpeg(4000, 3000), Image("image/jpeg", 4000, 3000)),
        (jpeg(10, 20, b"\xff\xff\xfe\x00\x04ab"), Image("image/jpeg", 10, 20)),  # a fill byte, a comment
        (jpeg(10, 20, b"\xff\xd0\xff\xc4\x00\x02"), Image("image/jpeg", 10, 20)),  # a restart, a table that is no frame
        (lossy(800, 600), Image("image/webp", 800, 600)),
        (lossless(1, 8192), Image("image/webp", 1, 8192)),
        (extended(300, 7), Image("image/webp", 300, 7)),
    ],
)
def test_what_a_picture_says_of_itself(content: bytes, expected: Image) -> None:
    assert read_header(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a\x01\0\x01\0",
        png(0, 5),
        png(1, 1)[:20],
        png(1, 1).replace(b"IHDR", b"IDAT"),
        jpeg(5, 5)[:22],
        jpeg(5, 5).replace(b"\xff\xc2", b"\xff\xda"),  # the scan before any frame
        jpeg(5, 5).replace(b"\xff\xc2", b"\x00\xc2"),
        b"\xff\xd8\xff" + b"\xff" * 1000,
        extended(5, 5)[:28],
        webp(b"VP8 ", b"\0" * 20),
        webp(b"ANIM", b"\0" * 20),
    ],
)
def test_what_is_no_picture(content: bytes) -> None:
    assert read_header(content) is ImageFault.NOT_AN_IMAGE


def test_what_no_phone_could_unpack() -> None:
    for content in (png(side_px_max + 1, 1), png(1, 2**31), lossy(side_px_max, side_px_max), jpeg(65_535, 65_535)):
        assert read_header(content) is ImageFault.TOO_LARGE
    assert isinstance(read_header(png(side_px_max, pixels_max // side_px_max)), Image)


def test_no_bytes_break_it() -> None:
    dice = random.Random(7)
    whole = (png(9, 9), jpeg(9, 9), lossy(9, 9), lossless(9, 9), extended(9, 9))
    for number in range(20_000):
        content = bytearray(whole[number % 5])
        for _ in range(dice.randint(1, 4)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        read_header(bytes(content[: dice.randint(0, len(content))]))
