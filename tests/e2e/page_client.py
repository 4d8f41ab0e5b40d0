"""The pages' own client, in Node, against the running system: every way of paying, cancel, resume, a lying gateway."""
import json
import os
import subprocess
import tempfile

from .harness import Failed, check, test
from .stack import ROOT, Stack

FOLDER = ROOT / "web"


@test("page_client.all", limit=420)
def page_client(s: Stack):
    check((FOLDER / "node_modules/vitest").is_dir(), "the packages of web/ are not installed: ./dev setup")
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        env = dict(os.environ, PATH=f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", TEETEE_UP=str(s.home / "up.json"))
        done = subprocess.run(["npx", "--no-install", "vitest", "run", "--project", "stack", "--reporter=json", f"--outputFile={report}"],
                              cwd=FOLDER, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=410, check=False)
        check(os.path.exists(report), f"vitest wrote no report: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        with open(report, encoding="utf-8") as file:
            counts = json.load(file)
    tests = [t for f in counts["testResults"] for t in f["assertionResults"]]
    bad = [f"{t['title']}: {' '.join(t['failureMessages'])[:600]}" for t in tests if t["status"] != "passed"]
    if bad or done.returncode != 0:
        raise Failed("; ".join(bad) or done.stdout[-2000:] + done.stderr[-2000:])
    check(len(tests) >= 10, f"only {len(tests)} tests ran")
