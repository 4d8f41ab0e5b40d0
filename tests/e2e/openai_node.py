"""The official npm client, unmodified: node/openai.mjs prints one line of JSON per check."""
import json
import os
import subprocess

from .harness import Failed, check, test
from .stack import ROOT, Stack

FOLDER = ROOT / "tests/e2e/node"
EXPECTED = {"models", "chat", "stream", "stream_usage", "seed", "stop", "max_tokens", "logprobs", "n", "completions", "unknown_model",
            "oversized_prompt", "wrong_type"}


@test("openai_node.all", limit=180)
def npm_client(s: Stack):
    check((FOLDER / "node_modules/openai").is_dir(), "the npm package openai is not installed: ./dev setup")
    env = dict(os.environ, PATH=f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", BASE_URL=s.proxy + "/v1", MODEL=s.model)
    done = subprocess.run(["node", "openai.mjs"], cwd=FOLDER, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=170, check=False)
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    bad = [f"{r['check']}: {r['reason']}" for r in results if not r["ok"]]
    if bad or done.returncode != 0:
        raise Failed("; ".join(bad) or f"openai.mjs ended with {done.returncode}: {done.stderr[-500:]}")
    missing = EXPECTED - {r["check"] for r in results}
    check(not missing, f"checks that did not run: {sorted(missing)}")
