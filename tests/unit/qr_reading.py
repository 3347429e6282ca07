"""Reads the bytes back out of a QR code's modules, as a phone's camera would after finding them; it holds no test.

Ours but for two tables of the standard (blocks per version, places of alignment marks), which it takes from segno.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from segno import consts

Modules = Sequence[Sequence[bool]]
_LEVELS = {
    0b01: consts.ERROR_LEVEL_L,
    0b00: consts.ERROR_LEVEL_M,
    0b11: consts.ERROR_LEVEL_Q,
    0b10: consts.ERROR_LEVEL_H,
}
_FORMAT_MASK = 0b101010000010010
_MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: (i * j) % 2 + (i * j) % 3,
    lambda i, j: ((i * j) % 2 + (i * j) % 3) % 2,
    lambda i, j: ((i + j) % 2 + (i * j) % 3) % 2,
)
_BYTE_MODE = 0b0100


def read_matrix(modules: Modules) -> bytes:
    """The text of one byte segment, which is all that the code may hold."""
    version = (len(modules) - 17) // 4
    level, mask = _format(modules)
    words = list(_codewords(modules, version, mask))
    bits = "".join(f"{word:08b}" for word in _in_order(words, version, level))
    assert int(bits[:4], 2) == _BYTE_MODE
    counts = 8 if version < 10 else 16
    length = int(bits[4 : 4 + counts], 2)
    begin = 4 + counts
    return bytes(int(bits[at : at + 8], 2) for at in range(begin, begin + 8 * length, 8))


def _format(modules: Modules) -> tuple[int, int]:
    """Level and mask, from beside the upper left mark."""
    places = [(8, column) for column in (0, 1, 2, 3, 4, 5, 7, 8)] + [(row, 8) for row in (7, 5, 4, 3, 2, 1, 0)]
    value = int("".join(str(int(modules[row][column])) for row, column in places), 2) ^ _FORMAT_MASK
    return _LEVELS[value >> 13], value >> 10 & 0b111


def _codewords(modules: Modules, version: int, mask: int) -> Iterator[int]:
    bits = "".join(
        str(int(modules[row][column]) ^ int(_MASKS[mask](row, column) == 0)) for row, column in _way(version)
    )
    for at in range(0, len(bits) // 8 * 8, 8):
        yield int(bits[at : at + 8], 2)


def _way(version: int) -> Iterator[tuple[int, int]]:
    """Data modules in their order: two columns at a time from the right, up and down in turns."""
    size, taken = 17 + 4 * version, _taken(version)
    upwards = True
    right = size - 1
    while right > 0:
        if right == 6:
            right -= 1
        for row in range(size - 1, -1, -1) if upwards else range(size):
            for column in (right, right - 1):
                if (row, column) not in taken:
                    yield row, column
        upwards = not upwards
        right -= 2


def _taken(version: int) -> set[tuple[int, int]]:
    """Marks, timing, format and version: no data."""
    size = 17 + 4 * version
    taken = {(6, at) for at in range(size)} | {(at, 6) for at in range(size)}
    for top, left, height, width in ((0, 0, 9, 9), (0, size - 8, 9, 8), (size - 8, 0, 8, 9)):
        taken |= {(top + row, left + column) for row in range(height) for column in range(width)}
    if version >= 7:
        taken |= {(row, size - 11 + column) for row in range(6) for column in range(3)}
        taken |= {(size - 11 + row, column) for row in range(3) for column in range(6)}
    centres: tuple[int, ...] = consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row in centres:
        for column in centres:
            if (row, column) not in corners:
                taken |= {(row + down, column + across) for down in range(-2, 3) for across in range(-2, 3)}
    return taken


def _in_order(words: Sequence[int], version: int, level: int) -> list[int]:
    """Data words, block by block: they stand in turns."""
    blocks_of: Any = consts.ECC[version]  # named tuples by level
    sizes = [info.num_data for info in blocks_of[level] for _ in range(info.num_blocks)]
    blocks: list[list[int]] = [[] for _ in sizes]
    stream = iter(words)
    for number in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if number < size:
                block.append(next(stream))
    return [word for block in blocks for word in block]
