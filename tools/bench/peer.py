#!/usr/bin/env python3
"""Runs llama.cpp through llama-cpp-python, for comparison. To be run with the Python of the peer's own environment.

usage: peer.py speed MODEL --threads T --prompt P --decode B:N[,B:N...]     {"prefill": tok/s, "decode": {"B": tok/s}} on stdout
       peer.py quantise IN OUT Q8_0|Q4_0|Q4_K_M|F32        F32: the values of the quantised weights, exactly
       peer.py logits MODEL IDS.json OUT.npy [--rows N]     one row of logits per scored position, as `teetee perplexity --logits` writes
                                                            them; N tokens at a time, or a whole chunk
       peer.py version

The defaults of the library hold (weights repacked where it can, its own choice of attention); F16 for the KV cache in both engines.
"""
import argparse
import ctypes
import importlib.metadata
import json
import os
import pathlib
import sys
import time

import llama_cpp
import numpy

FTYPES = {"F32": llama_cpp.LLAMA_FTYPE_ALL_F32, "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
          "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M}
QUIET = llama_cpp.llama_log_callback(lambda *_: None)


class Model:
    def __init__(self, path: str) -> None:
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), params)
        if not self.model:
            sys.exit(f"peer: {path} cannot be loaded")
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))


class Context:
    """Up to `sequences` sequences of `length` tokens; a batch holds at most `rows` tokens."""

    def __init__(self, model: Model, threads: int, length: int, sequences: int, rows: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = length * sequences
        params.n_seq_max = sequences
        params.n_batch = params.n_ubatch = rows
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self.model, self.rows = model, rows
        self.context = llama_cpp.llama_init_from_model(model.model, params)
        if not self.context:
            sys.exit("peer: no context")
        self.batch = llama_cpp.llama_batch_init(rows, 0, 1)

    def close(self) -> None:
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.context)

    def clear(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def decode(self, rows: list[tuple[int, int, int, bool]]) -> None:
        """Rows of (token, position, sequence, whether logits are wanted)."""
        self.batch.n_tokens = len(rows)
        for i, (token, position, sequence, wanted) in enumerate(rows):
            self.batch.token[i] = token
            self.batch.pos[i] = position
            self.batch.n_seq_id[i] = 1
            self.batch.seq_id[i][0] = sequence
            self.batch.logits[i] = wanted
        if llama_cpp.llama_decode(self.context, self.batch) != 0:
            sys.exit("peer: llama_decode failed")

    def logits(self, row: int) -> numpy.ndarray:
        pointer = llama_cpp.llama_get_logits_ith(self.context, row)
        return numpy.ctypeslib.as_array(pointer, (self.model.vocab,))


def some_id(i: int, vocab: int) -> int:
    return (i * 7919 + 1) % vocab


def prefill_seconds(context: Context, tokens: int) -> float:
    context.clear()
    rows = [(some_id(i, context.model.vocab), i, 0, i == tokens - 1) for i in range(tokens)]
    begin = time.perf_counter()
    context.decode(rows)
    context.logits(tokens - 1)
    return time.perf_counter() - begin


def decode_seconds(context: Context, batch: int, steps: int) -> float:
    context.clear()
    tokens = [some_id(i, context.model.vocab) for i in range(batch)]
    begin = time.perf_counter()
    for step in range(steps):
        context.decode([(tokens[i], step, i, True) for i in range(batch)])
        tokens = [int(context.logits(i).argmax()) for i in range(batch)]
    return time.perf_counter() - begin


def speed(args) -> dict:
    model = Model(args.model)
    context = Context(model, args.threads, args.prompt, 1, args.prompt)
    prefill_seconds(context, min(32, args.prompt))  # warm-up
    prefill = args.prompt / prefill_seconds(context, args.prompt)
    context.close()
    decode = {}
    for batch, steps in args.decode:
        context = Context(model, args.threads, max(steps, 64), batch, max(batch, 32))
        decode_seconds(context, batch, 2)  # warm-up
        decode[str(batch)] = batch * steps / decode_seconds(context, batch, steps)
        context.close()
    return {"prefill": prefill, "decode": decode}


def quantise(source: str, target: str, kind: str) -> None:
    params = llama_cpp.llama_model_quantize_default_params()
    params.nthread = os.cpu_count() or 1
    params.ftype = FTYPES[kind]
    params.allow_requantize = True
    part = target + ".part"
    if llama_cpp.llama_model_quantize(source.encode(), part.encode(), ctypes.byref(params)) != 0:
        sys.exit(f"peer: {source} cannot be quantised")
    os.replace(part, target)


def logits(model_path: str, ids_path: str, out: str, rows: int) -> None:
    """IDS.json: a list of chunks, each a list of ids. Scored are positions ctx/2 .. ctx-2 of each."""
    chunks = json.loads(pathlib.Path(ids_path).read_text())
    ctx = len(chunks[0])
    rows = rows or ctx
    context = Context(Model(model_path), len(os.sched_getaffinity(0)), ctx, 1, rows)
    first, scored = ctx // 2, ctx - 1 - ctx // 2
    table = numpy.lib.format.open_memmap(out, mode="w+", dtype="<f4", shape=(scored * len(chunks), context.model.vocab))
    for n, ids in enumerate(chunks):
        context.clear()
        for begin in range(0, ctx, rows):
            wanted = [first <= i < first + scored for i in range(begin, min(begin + rows, ctx))]
            context.decode([(ids[begin + i], begin + i, 0, is_wanted) for i, is_wanted in enumerate(wanted)])
            for i, is_wanted in enumerate(wanted):
                if is_wanted:
                    table[n * scored + begin + i - first] = context.logits(i)
    table.flush()


def batches(text: str) -> list[tuple[int, int]]:
    return [tuple(int(number) for number in part.split(":")) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("speed")
    one.add_argument("model")
    one.add_argument("--threads", type=int, required=True)
    one.add_argument("--prompt", type=int, default=512)
    one.add_argument("--decode", type=batches, default=[(1, 128)])
    for name, words in (("quantise", ("source", "target", "kind")), ("logits", ("model", "ids", "out")), ("version", ())):
        sub = commands.add_parser(name)
        for word in words:
            sub.add_argument(word)
        if name == "logits":
            sub.add_argument("--rows", type=int, default=0)
    args = parser.parse_args()
    llama_cpp.llama_log_set(QUIET, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    if args.command == "speed":
        print(json.dumps(speed(args)))
    elif args.command == "quantise":
        quantise(args.source, args.target, args.kind)
    elif args.command == "logits":
        logits(args.model, args.ids, args.out, args.rows)
    else:
        print(json.dumps({"llama-cpp-python": importlib.metadata.version("llama-cpp-python"),
                          "system": llama_cpp.llama_print_system_info().decode().strip()}))


if __name__ == "__main__":
    main()
