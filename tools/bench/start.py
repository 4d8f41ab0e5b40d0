#!/usr/bin/env python3
"""How soon a node serves a shard whose file is in the page cache, and how much memory it then holds.

usage: start.py MODEL.gguf [--rounds 5]        writes bench/results/DATE-MACHINE-start.json

MODEL is cut into one shard. A node is started with simulated evidence beside an empty chain (anvil); it serves when /healthz answers. Asked: within
2 s for a shard of 1.1 GB, resident memory at most 1.15 times the shard, plus the KV caches, plus 100 MB. Exit 1 when it is not.
"""
import argparse
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import machine

MOST_SECONDS, MOST_RATIO, MOST_EXTRA = 2.0, 1.15, 100e6
NODE = machine.TEETEE.parent / "teetee-node"
ANVIL = machine.ROOT / "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
NOBODY = "0x" + "11" * 20  # an address where the chain has no contract


def teetee(*command) -> str:
    return subprocess.run([machine.TEETEE, *map(str, command)], check=True, capture_output=True, text=True).stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare(model: pathlib.Path, folder: pathlib.Path) -> list[str]:
    """The files that a node needs, as its options."""
    split = json.loads(teetee("model", "split", model, "--slots", 1, "-o", folder / "shards", "--json").splitlines()[-1])
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    teetee("attest", "dev-pki", "--out", folder / "pki")
    slots = [{"weights": "0x" + slot["weights_root"].removeprefix("0x"), "share": int(slot["share"])} for slot in manifest["slots"]]
    params = {"manifest": split["manifest_hash"], "verifier": NOBODY, "price_in": "1", "price_out": "1", "timeout": 120, "lease": 604800, "slots": slots}
    (folder / "model.json").write_text(json.dumps(params))
    model_id = json.loads(teetee("model", "hash", folder / "model.json", "--json"))["model_id"]
    trust = {"class": "simulated", "chain_id": 31337, "registry": NOBODY, "ledger": NOBODY, "roots": [(folder / "pki" / "root.pem").read_text()],
             "measurements": [{"name": "this build", "mrtd": teetee("attest", "measure", NODE).strip()}], "models": {"model": model_id}, "accepted_tcb": ["UpToDate"]}
    (folder / "trust.json").write_text(json.dumps(trust))
    return ["--shard", folder / "shards" / manifest["slots"][0]["file"], "--manifest", folder / "shards" / "manifest.json", "--model-params",
            folder / "model.json", "--trust", folder / "trust.json", "--dev-pki", folder / "pki", "--host", NOBODY]


def memory(pid: int) -> dict:
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {key: int(fields[name].split()[0]) * 1024 for key, name in (("resident", "VmRSS"), ("most", "VmHWM"))}


@contextlib.contextmanager
def empty_chain():
    port = free_port()
    chain = subprocess.Popen([ANVIL, "--silent", "--port", str(port), "--chain-id", "31337"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        chain.terminate()
        chain.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def start_once(options: list, state: pathlib.Path, rpc: str) -> dict:
    port, channel = free_port(), free_port()
    command = [NODE, *options, "--state", state, "--listen", f"127.0.0.1:{port}", "--channel", f"127.0.0.1:{channel}", "--rpc", rpc]
    begin = time.perf_counter()
    node = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while not answers(port):
            if node.poll() is not None:
                sys.exit(f"start: the node stopped: {node.stderr.read()[-2000:]}")
            time.sleep(0.01)
        return {"seconds": round(time.perf_counter() - begin, 3), **memory(node.pid)}
    finally:
        node.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            node.wait(10)
        node.kill()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if not ANVIL.exists():
        sys.exit("start: the chain is not installed: ./dev setup")
    with tempfile.TemporaryDirectory(dir=machine.CACHE) as folder, empty_chain() as rpc:
        options = prepare(args.model, pathlib.Path(folder))
        shard = options[1].stat().st_size
        options[1].read_bytes()  # into the page cache
        rounds = [start_once(options, pathlib.Path(folder) / f"state{i}", rpc) for i in range(args.rounds)]
    seconds, most = statistics.median(r["seconds"] for r in rounds), max(r["most"] for r in rounds)
    met = seconds <= MOST_SECONDS and most <= MOST_RATIO * shard + MOST_EXTRA
    about = {**machine.description(), "model": args.model.name, "shard_bytes": shard}
    result = {"about": about, "rounds": rounds, "median_seconds": seconds, "most_bytes": most,
              "asked": {"seconds": MOST_SECONDS, "bytes": round(MOST_RATIO * shard + MOST_EXTRA)}, "met": met}
    machine.result_path("start", "json", about).write_text(json.dumps(result, indent=1) + "\n")
    print(f"a node with a shard of {shard / 1e9:.2f} GB serves after {seconds:.2f} s (asked: {MOST_SECONDS:.0f}) and held at most"
          f" {most / 1e9:.2f} GB, {most / shard:.2f} times the shard (asked: {MOST_RATIO} times and 0.1 GB)")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
