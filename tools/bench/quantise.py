#!/usr/bin/env python3
"""Writes the weights of a GGUF file as another type, from their exact values: the test files of `./dev bench agreement`.

usage: quantise.py IN OUT F32|Q8_0|Q4_0|Q4_K

Matrices become the type; where its blocks do not fit into a row, Q5_0 stands in for Q4_K. An embedding that is also the output
head stays at Q8_0. Vectors stay F32. Plain rounding, no search: both engines get the same file. Needs NumPy.
"""
import pathlib
import sys

import numpy

import gguf_file
from gguf_file import Tensor

f16, f32, u8 = numpy.float16, numpy.float32, numpy.uint8


def halves(x: numpy.ndarray) -> numpy.ndarray:
    """f16 bits as two bytes per value."""
    return x.astype(f16).reshape(-1, 1).view(u8)


def nibbles(low_then_high: numpy.ndarray) -> numpy.ndarray:
    """(n, 32) values below 16 to (n, 16) bytes: column j below, column 16 + j above."""
    return (low_then_high[:, :16] | (low_then_high[:, 16:] << 4)).astype(u8)


def from_f32(raw):
    return raw.view(f32)


def from_f16(raw):
    return raw.view(f16).astype(f32)


def from_q8_0(raw):
    block = raw.reshape(-1, 34)
    return (block[:, :2].copy().view(f16).astype(f32) * block[:, 2:].view(numpy.int8).astype(f32)).ravel()


def from_q4_1(raw):
    block = raw.reshape(-1, 20)
    scale, low = block[:, :2].copy().view(f16).astype(f32), block[:, 2:4].copy().view(f16).astype(f32)
    codes = numpy.concatenate([block[:, 4:] & 15, block[:, 4:] >> 4], axis=1).astype(f32)
    return (codes * scale + low).ravel()


def from_q4_0(raw):
    block = raw.reshape(-1, 18)
    codes = numpy.concatenate([block[:, 2:] & 15, block[:, 2:] >> 4], axis=1).astype(f32) - 8
    return (codes * block[:, :2].copy().view(f16).astype(f32)).ravel()


def from_q5_0(raw):
    block = raw.reshape(-1, 22)
    high = numpy.unpackbits(block[:, 2:6], axis=1, bitorder="little")
    codes = numpy.concatenate([block[:, 6:] & 15, block[:, 6:] >> 4], axis=1) | (high << 4)
    return ((codes.astype(f32) - 16) * block[:, :2].copy().view(f16).astype(f32)).ravel()


def from_q4_k(raw):
    block = raw.reshape(-1, 144)
    d, dmin = block[:, :2].copy().view(f16).astype(f32), block[:, 2:4].copy().view(f16).astype(f32)
    s = block[:, 4:16]
    scales = numpy.concatenate([s[:, :4] & 63, (s[:, 8:] & 15) | (s[:, :4] >> 6 << 4)], axis=1).astype(f32)
    mins = numpy.concatenate([s[:, 4:8] & 63, (s[:, 8:] >> 4) | (s[:, 4:8] >> 6 << 4)], axis=1).astype(f32)
    q = block[:, 16:].reshape(-1, 4, 32)
    codes = numpy.stack([q & 15, q >> 4], axis=2).reshape(-1, 8, 32).astype(f32)
    return (codes * (d * scales)[:, :, None] - (dmin * mins)[:, :, None]).ravel()


def to_f32(x):
    return x.view(u8)


def inverse(x: numpy.ndarray) -> numpy.ndarray:
    return numpy.divide(1, x, out=numpy.zeros_like(x), where=x != 0)


def to_q8_0(x):
    block = x.reshape(-1, 32)
    scale = (numpy.abs(block).max(axis=1, keepdims=True) / 127).astype(f16).astype(f32)
    codes = numpy.clip(numpy.rint(block * inverse(scale)), -127, 127).astype(numpy.int8)
    return numpy.concatenate([halves(scale), codes.view(u8)], axis=1)


def signed_codes(x: numpy.ndarray, half: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Codes 0 .. 2*half - 1 around `half`; the value of largest size falls on code 0, where the range is longer."""
    block = x.reshape(-1, 32)
    extreme = numpy.take_along_axis(block, numpy.abs(block).argmax(axis=1)[:, None], axis=1)
    scale = (extreme / -half).astype(f16).astype(f32)
    return scale, numpy.clip(numpy.rint(block * inverse(scale)) + half, 0, 2 * half - 1).astype(u8)


def to_q4_0(x):
    scale, codes = signed_codes(x, 8)
    return numpy.concatenate([halves(scale), nibbles(codes)], axis=1)


def to_q5_0(x):
    scale, codes = signed_codes(x, 16)
    high = numpy.packbits(codes >> 4, axis=1, bitorder="little")
    return numpy.concatenate([halves(scale), high, nibbles(codes & 15)], axis=1)


def six_bits(values: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(n, 8) values >= 0 as an f16 unit and codes below 64."""
    unit = (values.max(axis=1, keepdims=True) / 63).astype(f16).astype(f32)
    return unit, numpy.clip(numpy.rint(values * inverse(unit)), 0, 63).astype(u8)


def to_q4_k(x):
    block = x.reshape(-1, 8, 32)
    low = numpy.minimum(block.min(axis=2), 0)
    d, scales = six_bits((block.max(axis=2).clip(0) - low) / 15)
    dmin, mins = six_bits(-low)
    scale, offset = d * scales.astype(f32), dmin * mins.astype(f32)
    codes = numpy.rint((block + offset[:, :, None]) * inverse(scale)[:, :, None]).clip(0, 15).astype(u8)
    codes = codes.reshape(-1, 4, 2, 32)
    packed = numpy.concatenate([scales[:, :4] | (scales[:, 4:] >> 4 << 6), mins[:, :4] | (mins[:, 4:] >> 4 << 6),
                                (scales[:, 4:] & 15) | ((mins[:, 4:] & 15) << 4)], axis=1)
    quants = (codes[:, :, 0] | (codes[:, :, 1] << 4)).reshape(-1, 128)
    return numpy.concatenate([halves(d), halves(dmin), packed, quants], axis=1)


READ = {"F32": from_f32, "F16": from_f16, "Q8_0": from_q8_0, "Q4_1": from_q4_1, "Q4_0": from_q4_0, "Q5_0": from_q5_0, "Q4_K": from_q4_k}
WRITE = {"F32": to_f32, "Q8_0": to_q8_0, "Q4_0": to_q4_0, "Q5_0": to_q5_0, "Q4_K": to_q4_k}
WORST = {"F32": 0, "Q8_0": 0.01, "Q5_0": 0.06, "Q4_0": 0.12, "Q4_K": 0.12}  # root mean square error, of that of the weights


def type_of(tensor: Tensor, wanted: str) -> str:
    if len(tensor.shape) < 2 or wanted == "F32":
        return "F32"
    if tensor.name == "token_embd.weight":
        return "Q8_0"
    return "Q5_0" if tensor.shape[0] % gguf_file.TYPES[wanted][1] else wanted


def check(name: str, kind: str, exact: numpy.ndarray, raw: numpy.ndarray) -> None:
    error = numpy.sqrt(numpy.mean((READ[kind](numpy.ascontiguousarray(raw).ravel()) - exact) ** 2) / numpy.mean(exact ** 2))
    if not error <= WORST[kind]:
        raise ValueError(f"{name} as {kind}: relative error {error:.4f}, expected at most {WORST[kind]}")


def convert(source: pathlib.Path, target: pathlib.Path, wanted: str) -> None:
    reader = gguf_file.Reader(source)
    old = {tensor.name: tensor for tensor in reader.tensors}

    def data(tensor: Tensor) -> numpy.ndarray:
        before = old[tensor.name]
        exact = READ[before.type](numpy.ascontiguousarray(reader.bytes_of(before)))
        raw = WRITE[tensor.type](exact)
        check(tensor.name, tensor.type, exact, raw)
        return raw

    tensors = [Tensor(t.name, t.shape, type_of(t, wanted)) for t in reader.tensors]
    pairs = [raw for key, raw in reader.pairs.items() if key != "general.file_type"]
    gguf_file.write(target, pairs, tensors, data)


if __name__ == "__main__":
    convert(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
