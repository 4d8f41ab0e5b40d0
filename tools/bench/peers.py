#!/usr/bin/env python3
"""TeeTee and llama.cpp in turn on the same files and threads, in rounds with a probe of the machine before, between and after.

usage: peers.py models                            makes the models in the cache
       peers.py run [--types Q8_0,Q4_0,Q4_K_M] [--rounds N] [--threads T]
                                                  adds rounds to what was measured today
       peers.py report                            writes bench/results/DATE-MACHINE-peers.{json,md} and docs/charts/peers.svg
       peers.py forget                            drops today's rounds

Rounds whose probes differ by more than 10 % are marked, and run again up to five times. `./dev bench peers` does all of it.
"""
import argparse
import json
import subprocess
import sys

import charts
import machine
import stats
from machine import CACHE, PEER, TEETEE, TOOLS, say

MODELS = CACHE / "bench"
TRIES = 5  # of one round
STEPS = {1: 128, 8: 32, 32: 32}  # of decode, by batch
PROMPT = 512


def model_path(kind: str):
    return MODELS / f"tinyllama-1.1b-shape-{kind}.gguf"


def make_models() -> None:
    MODELS.mkdir(parents=True, exist_ok=True)
    source = MODELS / "tinyllama-1.1b-shape-F16.gguf"
    missing = [kind for kind in stats.TYPES if not model_path(kind).exists()]
    if not missing:
        return
    if not source.exists():
        say("  random weights of the shape of TinyLlama-1.1B (2.2 GB) ...")
        subprocess.run([PEER, TOOLS / "make_model.py", source], check=True)
    for kind in missing:
        say(f"  quantising to {kind} ...")
        subprocess.run([PEER, TOOLS / "peer.py", "quantise", source, model_path(kind), kind], check=True)
    source.unlink()


def measure_ours(path, threads: int) -> tuple[dict, dict]:
    """Machine, and {phase: (tok/s, share)}."""
    def bench(prompt, steps, batches):
        return machine.run_json(TEETEE, "bench", "-m", path, "-t", threads, "-p", prompt, "-n", steps, "-b", batches, "--json")
    one = bench(PROMPT, STEPS[1], "1")
    many = bench(32, STEPS[8], "8,32")
    found = {"prefill": one["results"][0], "decode 1": one["results"][1], "decode 8": many["results"][1], "decode 32": many["results"][2]}
    return many["machine"], {phase: (r["tok_s"], r["share_of_limit"], r.get("noisy", False)) for phase, r in found.items()}


def measure_peer(path, threads: int) -> dict:
    decode = ",".join(f"{batch}:{steps}" for batch, steps in STEPS.items())
    found = machine.run_json(PEER, TOOLS / "peer.py", "speed", path, "--threads", threads, "--prompt", PROMPT, "--decode", decode)
    return {"prefill": found["prefill"], **{f"decode {batch}": found["decode"][str(batch)] for batch in STEPS}}


def run_round(kind: str, threads: int) -> tuple[dict, bool]:
    """{phase: round}, and whether every phase was quiet."""
    limits, ours = measure_ours(model_path(kind), threads)
    before = machine.probe(threads)
    peer = measure_peer(model_path(kind), threads)
    after = machine.probe(threads)
    found = {}
    for phase in stats.PHASES:
        tok_s, share, noisy = ours[phase]
        noisy = noisy or max(stats.drift(limits, before, phase), stats.drift(before, after, phase)) > stats.NOISE
        found[phase] = {"ours": tok_s, "peer": round(peer[phase], 2), "share": share, "noisy": noisy, "machine": before}
    return found, not any(r["noisy"] for r in found.values())


def state_path(about: dict):
    return CACHE / "bench" / f"rounds-{about['date']}.json"


def load(about: dict) -> dict:
    path = state_path(about)
    return json.loads(path.read_text()) if path.exists() else {"threads": None, "results": {}}


def quiet_rounds(rounds: dict) -> int:
    return min(sum(not r["noisy"] for r in rounds.get(phase, [])) for phase in stats.PHASES)


def run(kinds: list[str], wanted: int, threads: int) -> None:
    about = machine.description()
    state = load(about)
    if state["threads"] not in (None, threads):
        sys.exit(f"peers: today's rounds ran with {state['threads']} threads; `peers.py forget` drops them")
    state["threads"] = threads
    for kind in kinds:
        rounds = state["results"].setdefault(kind, {phase: [] for phase in stats.PHASES})
        target, tries = quiet_rounds(rounds) + wanted, 0
        while quiet_rounds(rounds) < target and tries < wanted + TRIES - 1:
            tries += 1
            say(f"  {kind}: round {tries} ...")
            found, quiet = run_round(kind, threads)
            for phase in stats.PHASES:
                rounds[phase].append(found[phase])
                say(f"    {phase:10} {found[phase]['ours']:8.1f} {found[phase]['share']:6.1%}   llama.cpp {found[phase]['peer']:8.1f}"
                    f"   {found[phase]['ours'] / found[phase]['peer']:5.2f}x{'' if not found[phase]['noisy'] else '  noisy'}")
            state_path(about).write_text(json.dumps(state))


def spread(values: dict, digits: int = 1, scale: float = 1, unit: str = "") -> str:
    median, low, high = (f"{values[name] * scale:.{digits}f}" for name in ("median", "min", "max"))
    return f"{median}{unit} ({low}-{high})"


def table(about: dict, rows: list[dict]) -> str:
    limits = about["machine"]
    out = [f"# TeeTee and llama.cpp, {about['date']}", "",
           f"{about['cpu']}, {about['processors']} processors, {about['memory_mib']} MiB, kernels {limits['isa']}, {about['threads']} threads;"
           f" commit {about['commit']}; llama-cpp-python {about['peer']['llama-cpp-python']} built for this machine.",
           "" if limits["isa"] in ("avx512", "amx") else "This machine has no AVX-512 and no VNNI: figures say nothing about machines that have it.",
           f"Medians of the rounds' probes: read {limits['read_gb_s']:.1f} GB/s, int8 {limits['int8_gops']:.0f} GOPS,"
           f" f32 {limits['f32_gflops']:.0f} GFLOPS.", "",
           "Command: `./dev bench peers`. TinyLlama-1.1B shape, random weights; prefill of 512 with the head on the last position; decode from"
           " an empty context, 128 steps alone, 32 steps in batches; tok/s of all sequences together. Medians (smallest-largest) of interleaved"
           " rounds; shares are of the limit in the same round, ratios within a round (docs/design/0007-bench.md).", "",
           "| type | phase | TeeTee tok/s | share of limit | llama.cpp tok/s | its share | ratio | asked | met | rounds |",
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        out.append(f"| {row['type']} | {row['phase']} | {spread(row['ours'])} | {spread(row['share'], 0, 100, ' %')} | {spread(row['peer'])} |"
                   f" {spread(row['peer_share'], 0, 100, ' %')} | {spread(row['ratio'], 2, 1, 'x')} | {row['goal']} |"
                   f" {'yes' if row['met'] else 'no'} | {row['rounds']}{' noisy' if row['noisy'] else ''} |")
    return "\n".join(line for line in out if line is not None) + "\n"


def median_machine(results: dict) -> dict:
    probes = [r["machine"] for rounds in results.values() for r in rounds["prefill"]]
    middle = {name: sorted(p[name] for p in probes)[len(probes) // 2] for name in ("read_gb_s", "int8_gops", "f32_gflops")}
    return {**middle, "isa": probes[0]["isa"]}


def report() -> None:
    about = machine.description()
    state = load(about)
    if not state["results"]:
        sys.exit("peers: nothing was measured today; `./dev bench peers` measures and reports")
    about |= {"threads": state["threads"], "machine": median_machine(state["results"]), "peer": machine.run_json(PEER, TOOLS / "peer.py", "version")}
    rows = stats.rows(state["results"])
    machine.result_path("peers", "json", about).write_text(json.dumps({"about": about, "rows": rows, "rounds": state["results"]}, indent=1) + "\n")
    text = table(about, rows)
    machine.result_path("peers", "md", about).write_text(text)
    folder = machine.ROOT / "docs" / "charts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.svg").write_text(charts.peers(about, rows))
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("models", "run", "report", "forget"))
    parser.add_argument("--types", default=",".join(stats.TYPES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    kinds = args.types.split(",")
    if unknown := [kind for kind in kinds if kind not in stats.TYPES]:
        sys.exit(f"peers: unknown type {unknown[0]}; there are {', '.join(stats.TYPES)}")
    if args.rounds < 1 or args.threads < 1:
        sys.exit("peers: --rounds and --threads are at least 1")
    if args.command == "models":
        make_models()
    elif args.command == "run":
        run(kinds, args.rounds, args.threads)
    elif args.command == "report":
        report()
    else:
        state_path(machine.description()).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
