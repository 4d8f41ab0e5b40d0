"""The chain as viem sees it (node/chain.mjs), and sums over it."""
import json
import os
import subprocess

from . import web
from .stack import ROOT, Stack

SCRIPT = ROOT / "tests/e2e/node/chain.mjs"
OPEN = "0x" + "0" * 63 + "1"


def ask(s: Stack, do: str, **more) -> dict:
    job = {"do": do, "rpc": s.up["rpc"], "chain_id": s.up["chain_id"], "registry": s.up["contracts"]["registry"],
           "ledger": s.up["contracts"]["ledger"], **more}
    env = dict(os.environ, PATH=f"{ROOT / '.venv/bin'}:{os.environ['PATH']}")
    done = subprocess.run(["node", SCRIPT], input=json.dumps(job), env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"chain.mjs {do}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def own_key(s: Stack, name: str, eth: int = 5) -> str:
    """Key file of a new account with ether of the development chain. A tab belongs to one session key, so each further proxy pays from
    an account of its own."""
    path = s.home / f"e2e-{name}.key"
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(ask(s, "newKey")["key"] + "\n")
    if eth:
        web.rpc(s.up["rpc"], "anvil_setBalance", ask(s, "address", key_file=str(path))["address"], hex(eth * 10**18))
    return str(path)


class Snapshot:
    """Everything about the money at one block."""

    def __init__(self, s: Stack):
        self.raw = ask(s, "snapshot")

    def events(self, name: str) -> list[dict]:
        return [e["args"] for e in self.raw["events"] if e["name"] == name]

    def total(self, name: str, field: str = "amount") -> int:
        return sum(int(e[field]) for e in self.events(name))

    @property
    def held(self) -> int:
        return int(self.raw["held"])

    def balance(self, who: str) -> int:
        return sum(int(i["value"]) for i in self.raw["balances"] if i["pair"].lower() == who.lower())

    def tab(self, user: str, line: str) -> dict | None:
        for item in self.raw["tabs"]:
            if [p.lower() for p in item["pair"]] == [user.lower(), line.lower()]:
                funded, spent, signer, epoch, close_at = item["value"]
                return {"funded": int(funded), "spent": int(spent), "signer": signer, "epoch": int(epoch), "close_at": int(close_at)}
        return None

    def record(self, query: str) -> str:
        return next(i["value"] for i in self.raw["records"] if i["pair"].lower() == query.lower())

    def open_queries(self) -> int:
        costs = {e["query"]: int(e["q"]["maxCost"]) for e in self.events("Opened")}
        return sum(costs[i["pair"]] for i in self.raw["records"] if i["value"] == OPEN)

    def owed(self) -> int:
        return sum(int(i["value"][2]) for i in self.raw["accounts"])

    def liabilities(self) -> dict[str, int]:
        return {"balances": sum(int(i["value"]) for i in self.raw["balances"]),
                "rest of tabs": sum(int(i["value"][0]) - int(i["value"][1]) for i in self.raw["tabs"]),
                "open queries": self.open_queries(), "owed": self.owed()}
