#!/usr/bin/env python3
"""Writes a model of the shape of TinyLlama-1.1B with random F16 weights: speed does not depend on what the weights say.

usage: make_model.py OUT [--layers N] [--seed S]      needs NumPy
"""
import argparse
import pathlib
import struct

import numpy

import gguf_file
from gguf_file import Tensor, f32_pair, text_pair, u32_pair

DIM, HEADS, KV_HEADS, FFN, CONTEXT, VOCAB = 2048, 32, 4, 5632, 2048, 32000
HEAD = DIM // HEADS
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # token types


def vocabulary() -> list[tuple[str, int]]:
    """Special tokens, every byte, then made-up words: all different, none of them meant."""
    tokens = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)] + [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    return tokens + [(f"\u2581w{i}", NORMAL) for i in range(VOCAB - len(tokens))]


def tokenizer_pairs() -> list[bytes]:
    tokens = vocabulary()
    return [text_pair("tokenizer.ggml.model", "llama"),
            gguf_file.array_pair("tokenizer.ggml.tokens", gguf_file.STRING, [gguf_file.encode_string(text) for text, _ in tokens]),
            gguf_file.array_pair("tokenizer.ggml.scores", gguf_file.F32, [struct.pack("<f", -i) for i in range(VOCAB)]),
            gguf_file.array_pair("tokenizer.ggml.token_type", gguf_file.I32, [struct.pack("<i", kind) for _, kind in tokens]),
            u32_pair("tokenizer.ggml.bos_token_id", 1), u32_pair("tokenizer.ggml.eos_token_id", 2),
            u32_pair("tokenizer.ggml.unknown_token_id", 0)]


def model_pairs(layers: int) -> list[bytes]:
    return [text_pair("general.architecture", "llama"), text_pair("general.name", "random-tinyllama-1.1b-shape"),
            u32_pair("general.file_type", 1), u32_pair("llama.vocab_size", VOCAB), u32_pair("llama.context_length", CONTEXT),
            u32_pair("llama.embedding_length", DIM), u32_pair("llama.block_count", layers),
            u32_pair("llama.feed_forward_length", FFN), u32_pair("llama.rope.dimension_count", HEAD),
            u32_pair("llama.attention.head_count", HEADS), u32_pair("llama.attention.head_count_kv", KV_HEADS),
            f32_pair("llama.attention.layer_norm_rms_epsilon", 1e-5), f32_pair("llama.rope.freq_base", 10000.0)]


def block_tensors(block: str) -> list[Tensor]:
    shapes = {"attn_q": (DIM, DIM), "attn_k": (DIM, HEAD * KV_HEADS), "attn_v": (DIM, HEAD * KV_HEADS), "attn_output": (DIM, DIM),
              "ffn_gate": (DIM, FFN), "ffn_up": (DIM, FFN), "ffn_down": (FFN, DIM)}
    norms = [Tensor(f"{block}.{name}.weight", (DIM,), "F32") for name in ("attn_norm", "ffn_norm")]
    return norms + [Tensor(f"{block}.{name}.weight", shape, "F16") for name, shape in shapes.items()]


def model_tensors(layers: int) -> list[Tensor]:
    blocks = [tensor for layer in range(layers) for tensor in block_tensors(f"blk.{layer}")]
    return [Tensor("token_embd.weight", (DIM, VOCAB), "F16"), *blocks, Tensor("output_norm.weight", (DIM,), "F32"),
            Tensor("output.weight", (DIM, VOCAB), "F16")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=22)
    parser.add_argument("--seed", type=int, default=1234)
    args = parser.parse_args()
    random = numpy.random.default_rng(args.seed)

    def data(tensor: Tensor) -> numpy.ndarray:
        if tensor.type == "F32":
            return numpy.ones(tensor.shape, numpy.float32)
        return (random.standard_normal(tensor.shape, numpy.float32) * numpy.float32(0.02)).astype(numpy.float16)

    gguf_file.write(args.out, model_pairs(args.layers) + tokenizer_pairs(), model_tensors(args.layers), data)


if __name__ == "__main__":
    main()
