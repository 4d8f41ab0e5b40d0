#!/usr/bin/env python3
"""Runs the GoogleTest programs of one build folder and ends with `N passed, N failed, N skipped`.

usage: run_gtests.py BUILD_DIR [FILTER]     (FILTER: part of a program's or a test's name)

Fails when a module on disk has *_test.cc files but no test program, or when a program runs no test at all.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 900


def expected_programs() -> set[str]:
    return {path.relative_to(ROOT / "src").parts[0] + "_test" for path in (ROOT / "src").rglob("*_test.cc")
            if path.relative_to(ROOT / "src").parts[0] != "apps"}


def run(program: pathlib.Path, test_filter: str) -> dict:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [str(program), f"--gtest_output=json:{report.name}", "--gtest_brief=1"]
        if test_filter:
            command.append(f"--gtest_filter={test_filter}")
        try:
            done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
            code, output = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            code, output = -1, (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {TIMEOUT_S} s"
        try:
            parsed = json.loads(pathlib.Path(report.name).read_text())
        except ValueError:
            parsed = {"testsuites": []}
    counts = {"passed": 0, "failed": 0, "skipped": 0, "slow": [], "skips": []}
    for suite in parsed["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("result") == "SKIPPED":
                counts["skipped"] += 1
                counts["skips"].append(f"{suite['name']}.{test['name']}")
            elif "failures" in test:
                counts["failed"] += 1
            elif test.get("result") == "COMPLETED":
                counts["passed"] += 1
    if code != 0 and counts["failed"] == 0:
        counts["failed"] = 1  # crashed: the report is missing or incomplete
    counts["output"] = output if code != 0 else ""
    return counts


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    programs = sorted((build / "bin").glob("*_test"))
    missing = expected_programs() - {p.name for p in programs}
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for name in sorted(missing):
        print(f"  {name}: there are tests on disk, but the program was not built")
        total["failed"] += 1
    by_program = [p for p in programs if pattern in p.name]
    test_filter = "" if by_program or not pattern else f"*{pattern}*"
    chosen = by_program or programs
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 2))) as pool:
        for program, counts in zip(chosen, pool.map(lambda p: run(p, test_filter), chosen)):
            ran = counts["passed"] + counts["failed"] + counts["skipped"]
            if ran == 0 and test_filter:
                continue
            if ran == 0:
                counts["failed"] = 1
                counts["output"] += "ran no test"
            print(f"  {program.name}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
            for name in counts["skips"]:
                print(f"    skipped: {name}")
            if counts["output"]:
                print("    " + "\n    ".join(counts["output"].splitlines()[-80:]))
            for key in total:
                total[key] += counts[key]
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or total["passed"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
