#!/usr/bin/env python3
"""What a cut costs and gains on one machine: two stages of one thread each, over attested channels on loopback, against one process with
one thread, in turn.

usage: stages.py [--rounds 5]        writes bench/results/DATE-MACHINE-stages.{json,md}; needs the models of `peers.py models`
"""
import argparse
import json
import statistics

import machine
import peers
import stats

# name, type, sequences, steps, what is compared, least median
CASES = (("one sequence", "Q8_0", 1, 64, "ratio", 0.95), ("32 sequences", "Q4_0", 32, 16, "ratio", 1.7), ("8 sequences", "Q8_0", 8, 32, "share", 0.85))


def decode(kind: str, batch: int, steps: int, stages: int) -> dict:
    found = machine.run_json(machine.TEETEE, "bench", "-m", peers.model_path(kind), "-t", 1, "--stages", stages, "-p", 16, "-n", steps,
                             "-b", batch, "--json")
    return found["results"][1]


def run_case(case: tuple, rounds: int) -> dict:
    name, kind, batch, steps, compared, least = case
    found = []
    for i in range(rounds):
        one, two = decode(kind, batch, steps, 1), decode(kind, batch, steps, 2)
        found.append({"one": one["tok_s"], "two": two["tok_s"], "ratio": round(two["tok_s"] / one["tok_s"], 4), "share": two["share_of_limit"],
                      "noisy": bool(one.get("noisy") or two.get("noisy"))})
        machine.say(f"  {name}, {kind}, round {i + 1}: {one['tok_s']:.1f} and {two['tok_s']:.1f} tok/s, {found[-1]['ratio']:.2f}x,"
                    f" share {two['share_of_limit']:.0%}{' noisy' if found[-1]['noisy'] else ''}")
    used = [r for r in found if not r["noisy"]] or found
    middle = statistics.median(r[compared] for r in used)
    return {"case": name, "type": kind, "compared": compared, "asked": least, "median": middle, "met": middle >= least,
            **{key: stats.spread([r[key] for r in used]) for key in ("one", "two", "ratio", "share")}, "rounds": found}


def table(about: dict, rows: list[dict]) -> str:
    out = [f"# Two stages on one machine, {about['date']}", "",
           f"{about['cpu']}, kernels {about['isa']}; commit {about['commit']}. Command: `./dev bench stages`. One process with one thread, and two"
           " stages with one thread each over attested channels on loopback, in turn. The share counts every pass over the weights.", "",
           "| load | type | one process tok/s | two stages tok/s | ratio | share of limit | asked | met |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        asked = f"{r['compared']} >= {r['asked']}"
        out.append(f"| {r['case']} | {r['type']} | {peers.spread(r['one'])} | {peers.spread(r['two'])} | {peers.spread(r['ratio'], 2, 1, 'x')} |"
                   f" {peers.spread(r['share'], 0, 100, ' %')} | {asked} | {'yes' if r['met'] else 'no'} |")
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    rows = [run_case(case, args.rounds) for case in CASES]
    about = {**machine.description(), "isa": machine.probe(1)["isa"]}
    machine.result_path("stages", "json", about).write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    text = table(about, rows)
    machine.result_path("stages", "md", about).write_text(text)
    print(text)


if __name__ == "__main__":
    main()
