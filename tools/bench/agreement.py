#!/usr/bin/env python3
"""Does TeeTee choose the tokens that llama.cpp chooses, and is it as near to the exact weights? Over 1,000 positions of English.

usage: agreement.py TEXT [--ctx 512] [--chunks 4]        writes bench/results/DATE-MACHINE-agreement.{json,md}

From the default model's weights, taken as exact, files of F32, Q8_0, Q4_0 and Q4_K are made; both engines compute the logits of
the same positions of each. llama.cpp does so twice, whole chunks and token by token: what it agrees with itself in is about
what any other engine can reach. It also computes them from F32 of the quantised weights: the same weights without rounded
activations. Exit 1 when a bound does not hold. Run with the Python of the peer's environment (./dev bench agreement).
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy

import machine
import quantise
from machine import CACHE, PEER, TEETEE, TOOLS, say

FOLDER = CACHE / "bench" / "agreement"
KINDS = ("F32", "Q8_0", "Q4_0", "Q4_K", "Q4_1")  # Q4_1: the default model's own file
LEAST, LEAST_CLEAR, CLEAR = 0.98, 0.998, 0.25
BLOCK = 64  # rows compared at once


def make_files(source: pathlib.Path) -> dict[str, pathlib.Path]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = {"Q4_1": source}
    for kind in ("F32", "Q8_0", "Q4_0", "Q4_K"):
        files[kind] = FOLDER / f"smollm2-{kind}.gguf"
        if not files[kind].exists():
            say(f"  writing the weights as {kind} ...")
            quantise.convert(source, files[kind], kind)
    return files


def token_chunks(model: pathlib.Path, text: pathlib.Path, ctx: int, chunks: int) -> list[list[int]]:
    """As `teetee perplexity` cuts them: BOS in front of the text, then the first of each chunk becomes BOS."""
    ids = machine.run_json(TEETEE, "tokenize", "-m", model, "--json", stdin=text.read_bytes().decode())  # read_text would change line ends
    bos = 1
    ids = ids if ids[:1] == [bos] else [bos, *ids]
    if len(ids) < ctx * chunks:
        sys.exit(f"agreement: the text has {len(ids)} tokens, {ctx * chunks} are needed; give a longer one, or fewer --chunks")
    return [[bos, *ids[n * ctx + 1:(n + 1) * ctx]] for n in range(chunks)]


def our_logits(model: pathlib.Path, text: pathlib.Path, ctx: int, chunks: int, out: pathlib.Path) -> None:
    subprocess.run([TEETEE, "perplexity", "-m", model, "-f", text, "--ctx", str(ctx), "--chunks", str(chunks), "--logits", out],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def log_softmax(rows: numpy.ndarray) -> numpy.ndarray:
    rows = rows.astype(numpy.float64)
    rows -= rows.max(axis=1, keepdims=True)
    return rows - numpy.log(numpy.exp(rows).sum(axis=1, keepdims=True))


def divergence(exact: numpy.ndarray, other: numpy.ndarray) -> numpy.ndarray:
    """KL(exact || other) of each row of logits, in nats."""
    out = []
    for begin in range(0, len(exact), BLOCK):
        p, q = log_softmax(exact[begin:begin + BLOCK]), log_softmax(other[begin:begin + BLOCK])
        out.append((numpy.exp(p) * (p - q)).sum(axis=1))
    return numpy.concatenate(out)


def choices(ours: numpy.ndarray, peer: numpy.ndarray) -> dict:
    two = numpy.partition(numpy.asarray(peer), -2, axis=1)[:, -2:]
    clear = numpy.abs(two[:, 1] - two[:, 0]) > CLEAR
    same = numpy.asarray(ours).argmax(axis=1) == numpy.asarray(peer).argmax(axis=1)
    return {"positions": len(same), "same": float(same.mean()), "clear": int(clear.sum()), "same_where_clear": float(same[clear].mean())}


def mean_and_error(values: numpy.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / numpy.sqrt(len(values)))


def compare(kind: str, exact: numpy.ndarray, ours: numpy.ndarray, peer: numpy.ndarray, peer_by_token: numpy.ndarray) -> dict:
    row = {"type": kind, **choices(ours, peer)}
    row |= {f"self_{key}": value for key, value in choices(peer_by_token, peer).items() if key.startswith("same")}
    row |= {f"exact_{who}": choices(logits, exact)["same"] for who, logits in (("ours", ours), ("peer", peer))}
    kl_ours, kl_peer = divergence(exact, ours), divergence(exact, peer)
    row["kl_ours"], row["kl_ours_error"] = mean_and_error(kl_ours)
    row["kl_peer"], row["kl_peer_error"] = mean_and_error(kl_peer)
    row["kl_difference"], row["kl_difference_error"] = mean_and_error(kl_ours - kl_peer)
    row["met"] = bool(row["same"] >= LEAST and row["same_where_clear"] >= LEAST_CLEAR
                      and (kind == "F32" or row["kl_difference"] <= row["kl_difference_error"]))  # F32: nothing to be compared with
    return row


def peer_logits(model: pathlib.Path, chunks: list[list[int]], name: str, rows: int = 0) -> numpy.ndarray:
    ids, path = FOLDER / "ids.json", FOLDER / f"{name}.npy"
    ids.write_text(json.dumps(chunks))
    subprocess.run([PEER, TOOLS / "peer.py", "logits", model, ids, path, "--rows", str(rows)], check=True)
    return numpy.load(path, mmap_mode="r")


def exact_logits(model: pathlib.Path, kind: str, chunks: list[list[int]]) -> numpy.ndarray:
    """llama.cpp's logits from F32 of the same weights, the quantised ones."""
    widened = FOLDER / "widened.gguf"
    subprocess.run([PEER, TOOLS / "peer.py", "quantise", model, widened, "F32"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    exact = peer_logits(widened, chunks, f"{kind}-exact")
    widened.unlink()
    return exact


def measure(model: pathlib.Path, kind: str, text: pathlib.Path, chunks: list[list[int]]) -> dict:
    say(f"  {kind}: logits of both engines ...")
    path = FOLDER / f"{kind}-ours.npy"
    our_logits(model, text, len(chunks[0]), len(chunks), path)
    ours, peer = numpy.load(path, mmap_mode="r"), peer_logits(model, chunks, f"{kind}-peer")
    exact = peer if kind == "F32" else exact_logits(model, kind, chunks)
    row = compare(kind, exact, ours, peer, peer_logits(model, chunks, f"{kind}-by-token", 1))
    for used in FOLDER.glob("*.npy"):
        used.unlink()
    return row


def table(about: dict, rows: list[dict]) -> str:
    out = [f"# Agreement with llama.cpp, {about['date']}", "",
           f"{about['cpu']}; commit {about['commit']}; llama-cpp-python {about['peer']['llama-cpp-python']}. Command: `./dev bench agreement`.",
           f"SmolLM2-135M, {rows[0]['positions']} positions of {about['text']} in chunks of {about['ctx']}. KL in nats, against llama.cpp's own"
           " logits from F32 of the file's own (quantised) weights; the difference is paired by position. Asked: same choice >= 98 %, >= 99.8 % where"
           " llama.cpp's two best logits differ by more than 0.25, KL no larger than llama.cpp's within the standard error. For"
           " comparison: llama.cpp's choices for whole chunks and token by token, and how often each engine chooses as that F32 does.", "",
           "| file | same choice | where clear (positions) | llama.cpp with itself | where clear | as F32: TeeTee | llama.cpp | KL TeeTee | KL llama.cpp |"
           " difference | met |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        out.append(f"| {r['type']} | {r['same']:.2%} | {r['same_where_clear']:.2%} ({r['clear']}) | {r['self_same']:.2%} | {r['self_same_where_clear']:.2%} |"
                   f" {r['exact_ours']:.2%} | {r['exact_peer']:.2%} | {r['kl_ours']:.6f} +- {r['kl_ours_error']:.6f} |"
                   f" {r['kl_peer']:.6f} +- {r['kl_peer_error']:.6f} | {r['kl_difference']:+.6f} +- {r['kl_difference_error']:.6f} |"
                   f" {'yes' if r['met'] else 'no'} |")
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--ctx", type=int, default=512)
    parser.add_argument("--chunks", type=int, default=4)
    args = parser.parse_args()
    source = pathlib.Path(subprocess.run([sys.executable, machine.ROOT / "tools" / "fetch_model.py"], check=True, capture_output=True,
                                         text=True).stdout.strip())
    files = make_files(source)
    chunks = token_chunks(source, args.text, args.ctx, args.chunks)
    rows = [measure(files[kind], kind, args.text, chunks) for kind in KINDS]
    about = {**machine.description(), "text": args.text.name, "ctx": args.ctx, "peer": machine.run_json(PEER, TOOLS / "peer.py", "version")}
    machine.result_path("agreement", "json", about).write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    text = table(about, rows)
    machine.result_path("agreement", "md", about).write_text(text)
    print(text)
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
