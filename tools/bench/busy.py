#!/usr/bin/env python3
"""What one busy-looping thread costs a decode that uses every processor. A/B rounds: alone, then with the loop beside it.

usage: busy.py MODEL [--threads 2] [--rounds 5]        writes bench/results/DATE-MACHINE-busy.json

Asked: the speed with the loop is at least half of the speed alone, in the median. Exit 1 when it is not.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import machine

LEAST = 0.5
LOOP = "while True: pass"


def decode(model: pathlib.Path, threads: int) -> float:
    found = machine.run_json(machine.TEETEE, "bench", "-m", model, "-t", threads, "-p", 32, "-n", 64, "-b", "1", "--tries", 1, "--json")
    return found["results"][1]["tok_s"]


def beside_a_loop(model: pathlib.Path, threads: int) -> float:
    loop = subprocess.Popen([sys.executable, "-c", LOOP])
    try:
        return decode(model, threads)
    finally:
        loop.kill()
        loop.wait()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    rounds = []
    for i in range(args.rounds):
        alone, beside = decode(args.model, args.threads), beside_a_loop(args.model, args.threads)
        rounds.append({"alone": alone, "beside": beside, "ratio": round(beside / alone, 4)})
        machine.say(f"  round {i + 1}: alone {alone:.1f} tok/s, beside a busy loop {beside:.1f}, {beside / alone:.2f}")
    ratio = statistics.median(r["ratio"] for r in rounds)
    about = {**machine.description(), "threads": args.threads, "model": args.model.name, "isa": machine.probe(args.threads)["isa"]}
    result = {"about": about, "rounds": rounds, "median_ratio": ratio, "asked": LEAST, "met": ratio >= LEAST}
    machine.result_path("busy", "json", about).write_text(json.dumps(result, indent=1) + "\n")
    print(f"decode of one sequence, {args.threads} threads, one busy loop beside it: {ratio:.2f} of the speed alone (asked: at least {LEAST})")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
