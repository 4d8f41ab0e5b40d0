"""The running system: what `./dev up` wrote, and how to add a proxy, kill a process, start it again."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import web

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/bin"
PORT_BASE = 18080


def start_time(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat, which with the pid names a process for good; None when it is gone or a zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2:].split()
    return None if fields[0] == "Z" else fields[19]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Stack:
    """One `up`: its home folder (.teetee) and up.json."""

    def __init__(self, home: pathlib.Path = ROOT / ".teetee", bin_folder: pathlib.Path = BIN):
        self.home, self.bin = home, bin_folder
        self.up: dict = {}
        self.notes: dict = {}  # what tests remember for later tests
        self.children: list[subprocess.Popen] = []  # what was restarted here: polled, so that none stays a zombie

    # ---------------------------------------------------------------- facts

    def load(self) -> bool:
        """Reads up.json; true when something of it runs."""
        try:
            self.up = json.loads((self.home / "up.json").read_text())
        except (OSError, ValueError):
            return False
        return any(self.is_running(name) for name in self.up["processes"])

    @property
    def model(self) -> str:
        return self.up["model"]["name"]

    @property
    def proxy(self) -> str:
        return self.up["proxy"]

    @property
    def trust(self) -> pathlib.Path:
        return pathlib.Path(self.up["trust"])

    @property
    def receipts(self) -> pathlib.Path:
        return self.home / "proxy/receipts"

    def key_file(self, role: str) -> str:
        return self.up["keys"][role]

    def params(self) -> dict:
        return json.loads((self.home / "model.json").read_text())

    def log_path(self, name: str) -> pathlib.Path | None:
        entry = self.up.get("processes", {}).get(name)
        return pathlib.Path(entry["log"]) if entry else None

    def log_tail(self, name: str, lines: int) -> list[str]:
        path = self.log_path(name)
        try:
            return path.read_text(errors="replace").splitlines()[-lines:] if path else []
        except OSError:
            return []

    # ---------------------------------------------------------------- processes

    def is_running(self, name: str) -> bool:
        for child in self.children:
            child.poll()
        entry = self.up["processes"][name]
        return start_time(entry["pid"]) == entry["started"]

    def kill(self, name: str) -> None:
        """SIGKILL, and waits until it is gone."""
        os.kill(self.up["processes"][name]["pid"], signal.SIGKILL)
        for _ in range(200):
            if not self.is_running(name):
                return
            time.sleep(0.02)
        raise RuntimeError(f"{name} survived SIGKILL")

    def start_again(self, name: str) -> None:
        """The argv of up.json, its log appended; up.json learns the new pid, so that `down` finds it."""
        entry = self.up["processes"][name]
        with open(entry["log"], "ab") as log:
            child = subprocess.Popen(entry["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.children.append(child)
        entry.update(pid=child.pid, started=start_time(child.pid))
        self.up["pids"][name] = child.pid
        for node in self.up["nodes"]:
            if name == f"node-{node['slot']}":
                node["pid"] = child.pid
        (self.home / "up.json").write_text(json.dumps(self.up, indent=2) + "\n")

    # ---------------------------------------------------------------- asking

    def chat(self, text: str, url: str | None = None, timeout: float = 120, **more) -> web.Answer:
        body = {"model": self.model, "messages": [{"role": "user", "content": text}], "max_tokens": 16, "temperature": 0, **more}
        return web.post((url or self.proxy) + "/v1/chat/completions", body, timeout=timeout)

    def metric(self, slot: int, name: str) -> float:
        node = next(n for n in self.up["nodes"] if n["slot"] == slot)
        found = re.search(rf"^{name} (\S+)$", web.get(node["url"] + "/metrics").text, re.M)
        if not found:
            raise RuntimeError(f"node {slot} has no metric {name}")
        return float(found[1])

    def rows(self) -> dict[int, float]:
        """Rows that each slot has computed."""
        return {node["slot"]: self.metric(node["slot"], "teetee_rows_total") for node in self.up["nodes"]}

    def served(self) -> float:
        return self.metric(0, "teetee_served_total")

    def bundles(self, folder: pathlib.Path | None = None) -> list[pathlib.Path]:
        return sorted((folder or self.receipts).glob("*.json"), key=lambda p: p.stat().st_mtime)

    def bundle_of(self, answer: web.Answer, folder: pathlib.Path | None = None) -> pathlib.Path:
        name = answer.headers.get("x-teetee-receipt", "")
        if not re.fullmatch(r"[0-9A-Za-z_.-]+", name):
            raise RuntimeError(f"the answer names no receipt (x-teetee-receipt: {name!r})")
        path = (folder or self.receipts) / (name if name.endswith(".json") else name + ".json")
        if not path.is_file():
            raise RuntimeError(f"there is no bundle {path.name}")
        return path

    def teetee(self, *args, timeout: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run([self.bin / "teetee", *map(str, args)], capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, check=False)

    # ---------------------------------------------------------------- more of it

    @contextlib.contextmanager
    def own_proxy(self, *, gateway: str | None = None, rpc: str | None = None, trust: pathlib.Path | None = None, key: str | None = None,
                  extra=(), wait=True):
        """A second `teetee proxy` with a state folder of its own; gives an OwnProxy. It may have ended by itself."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))
        url = f"http://127.0.0.1:{free_port()}"
        argv = [self.bin / "teetee", "proxy", "--listen", url[7:], "--gateway", gateway or self.up["gateway"], "--rpc", rpc or self.up["rpc"],
                "--trust", trust or self.trust, "--key-file", key or self.key_file("user"), "--state", folder / "state", *extra]
        with open(folder / "log", "wb") as log:
            child = subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        proxy = OwnProxy(url, folder, child)
        try:
            if wait:
                proxy.wait()
            yield proxy
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            shutil.rmtree(folder, ignore_errors=True)


class OwnProxy:
    def __init__(self, url: str, folder: pathlib.Path, child: subprocess.Popen):
        self.url, self.folder, self.child = url, folder, child
        self.receipts = folder / "state/receipts"

    def wait(self, seconds: float = 30) -> None:
        """Until it listens or has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.child.poll() is None:
            with contextlib.suppress(OSError):
                web.get(self.url + "/healthz", timeout=5)
                return
            time.sleep(0.1)
        if self.child.poll() is None:
            raise RuntimeError("the proxy does not listen: " + self.log()[-500:])

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")
