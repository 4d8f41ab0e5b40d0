"""Just enough of GGUF (version 3, little-endian) to read a model's tensors and to write a model with other ones.

Layout: github.com/ggml-org/ggml/blob/master/docs/gguf.md. Needs NumPy. For files that this repository's own tools made or pinned:
a parser of foreign files is in src/model/gguf.h.
"""
import dataclasses
import math
import pathlib
import struct

import numpy

TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q8_0": (8, 32, 34),
         "Q4_K": (12, 256, 144)}  # name -> id, elements and bytes of a block
NAMES = {number: name for name, (number, _, _) in TYPES.items()}
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of the fixed-size value types
U32, F32, STRING, ARRAY, I32 = 4, 6, 8, 9, 5
ALIGNMENT = 32


@dataclasses.dataclass
class Tensor:
    name: str
    shape: tuple[int, ...]  # GGUF order: columns first
    type: str
    offset: int = 0  # in the data section

    def bytes(self) -> int:
        _, elements, size = TYPES[self.type]
        return math.prod(self.shape) // elements * size


def encode_string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, value: bytes) -> bytes:
    return encode_string(key) + struct.pack("<I", kind) + value


def text_pair(key: str, value: str) -> bytes:
    return pair(key, STRING, encode_string(value))


def u32_pair(key: str, value: int) -> bytes:
    return pair(key, U32, struct.pack("<I", value))


def f32_pair(key: str, value: float) -> bytes:
    return pair(key, F32, struct.pack("<f", value))


def array_pair(key: str, kind: int, values: list[bytes]) -> bytes:
    return pair(key, ARRAY, struct.pack("<IQ", kind, len(values)) + b"".join(values))


class Reader:
    """The header of a file: encoded metadata pairs by key, and the tensors; data on request."""

    def __init__(self, path: pathlib.Path) -> None:
        self.data = numpy.memmap(path, dtype=numpy.uint8, mode="r")
        self.at = 0
        magic, version, n_tensors, n_pairs = self.unpack("<4sIQQ")
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError(f"{path} is not a GGUF file of version 2 or 3")
        self.pairs: dict[str, bytes] = {}
        for _ in range(n_pairs):
            begin = self.at
            key = self.string().decode()
            self.skip(*self.unpack("<I"))
            self.pairs[key] = bytes(self.data[begin:self.at])
        self.tensors = [self.tensor() for _ in range(n_tensors)]
        self.data_at = (self.at + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT

    def unpack(self, layout: str) -> tuple:
        size = struct.calcsize(layout)
        out = struct.unpack(layout, self.data[self.at:self.at + size].tobytes())
        self.at += size
        return out

    def string(self) -> bytes:
        (size,) = self.unpack("<Q")
        self.at += size
        return self.data[self.at - size:self.at].tobytes()

    def skip(self, kind: int) -> None:
        if kind in SIZES:
            self.at += SIZES[kind]
        elif kind == STRING:
            self.string()
        else:
            element, count = self.unpack("<IQ")
            if element in SIZES:
                self.at += SIZES[element] * count
            else:
                for _ in range(count):
                    self.skip(element)

    def tensor(self) -> Tensor:
        name = self.string().decode()
        (n_dims,) = self.unpack("<I")
        shape = self.unpack(f"<{n_dims}Q")
        number, offset = self.unpack("<IQ")
        return Tensor(name, shape, NAMES[number], offset)

    def bytes_of(self, tensor: Tensor) -> numpy.ndarray:
        begin = self.data_at + tensor.offset
        return self.data[begin:begin + tensor.bytes()]


def write(path: pathlib.Path, pairs: list[bytes], tensors: list[Tensor], data) -> None:
    """`data(tensor)` gives the bytes of each tensor, in the order of the list. Written beside `path` and renamed."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs)
    offset = 0
    for tensor in tensors:
        header += encode_string(tensor.name) + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        header += struct.pack("<IQ", TYPES[tensor.type][0], offset)
        offset += (tensor.bytes() + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    part = path.with_suffix(".part")
    with open(part, "wb") as out:
        out.write(header + b"\0" * (-len(header) % ALIGNMENT))
        for tensor in tensors:
            raw = data(tensor).tobytes()
            if len(raw) != tensor.bytes():
                raise ValueError(f"{tensor.name}: {len(raw)} bytes, expected {tensor.bytes()}")
            out.write(raw + b"\0" * (-len(raw) % ALIGNMENT))
    part.replace(path)
