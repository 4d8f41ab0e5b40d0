"""./dev up and ./dev down themselves. The last tests: they stop the stack and start it again."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.parse

from .bundles import verify
from .harness import check, contains, equal, test
from .stack import ROOT, Stack


def dev(*args, seconds: int = 600) -> subprocess.CompletedProcess:
    return subprocess.run(["./dev", *args], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds, check=False)


def ports_of(s: Stack) -> list[int]:
    urls = [s.up["gateway"], s.up["proxy"], s.up["rpc"], *(n["url"] for n in s.up["nodes"])]
    return [urllib.parse.urlsplit(u).port for u in urls]


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def ours(home: pathlib.Path) -> list[str]:
    """Command lines of living processes that name this stack's home."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(home) in line and "tests.e2e" not in line:
                    found.append(line[:120])
    return found


@test("updown.second_up", limit=600, logs=())
def second_up_shows_what_runs(s: Stack):
    before = dict(s.up["pids"])
    done = dev("up", "--detach")
    equal(done.returncode, 0, f"exit code ({done.stdout[-300:]})")
    for url in (s.up["gateway"], s.up["proxy"], s.up["rpc"]):
        contains(done.stdout, url, "what the second up prints")
    check(s.load(), "nothing runs any more")
    equal(s.up["pids"], before, "pids")


@test("updown.taken_port", limit=120, logs=())
def taken_port_is_named_with_its_holder(s: Stack):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        base = port - 1 if port > 1025 else port  # the port stands for the proxy
        home = ROOT / "build/e2e-home"
        done = subprocess.run(["node", "tools/up/up.mjs", "up", "--detach", "--port-base", str(base), "--home", str(home)], cwd=ROOT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False)
    check(done.returncode != 0, "up started over a taken port")
    contains(done.stderr, f"port {port}", "the error")
    contains(done.stderr, f"pid {os.getpid()}", "the error")
    equal(ours(home), [], "processes left behind")


@test("updown.left_over", limit=60, logs=())
def down_stops_what_a_killed_up_left_behind(s: Stack):
    """An up that is killed half-way has no up.json yet; what it started stands in launched.json."""
    home = ROOT / "build/e2e-home-left"
    home.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["sleep", "300"]) as orphan, subprocess.Popen(["sleep", "300"]) as stranger:
        started = [pathlib.Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1].split()[19] for p in (orphan, stranger)]
        entries = [{"pid": orphan.pid, "started": started[0]}, {"pid": stranger.pid, "started": "1"}]  # the second pid was reused since
        (home / "launched.json").write_text(json.dumps(entries))
        done = subprocess.run(["node", "tools/up/up.mjs", "down", "--home", str(home)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=50, check=False)
        found = orphan.poll(), stranger.poll()
        for p in (orphan, stranger):
            p.kill()
    equal(done.returncode, 0, f"exit code ({done.stderr[-300:]})")
    contains(done.stderr, "stopped", "what down prints")
    check(found[0] is not None, "the process that was left behind still runs")
    check(found[1] is None, "a process that was never ours was stopped")


@test("updown.keys_are_private", limit=30, logs=())
def keys_are_for_the_owner_only(s: Stack):
    keys = [pathlib.Path(p) for p in s.up["keys"].values()] + sorted(s.home.rglob("*.key")) + s.bundles()[:3]
    check(len(keys) >= 5, "there are no key files")
    for path in keys:
        equal(oct(path.stat().st_mode & 0o777), "0o600", f"mode of {path.relative_to(s.home)}")
    ignored = subprocess.run(["git", "check-ignore", "-q", s.home / "up.json"], cwd=ROOT, check=False)
    equal(ignored.returncode, 0, "git check-ignore of the home folder")


@test("updown.down", limit=120, logs=())
def down_leaves_nothing(s: Stack):
    ports = ports_of(s)
    s.notes["base"] = ports[0]
    check(all(listens(p) for p in ports), "not all ports listen before")
    done = dev("down")
    equal(done.returncode, 0, f"exit code ({done.stdout[-300:]})")
    equal([p for p in ports if listens(p)], [], "ports that still listen")
    equal(ours(s.home), [], "processes left behind")
    check(not (s.home / "up.json").exists(), "up.json is still there")


@test("updown.again", limit=300, logs=())
def up_again_is_quick_and_remembers(s: Stack):
    check("base" in s.notes, "this test follows updown.down")
    old = s.bundles()
    began = time.monotonic()
    base = s.notes["base"]
    done = dev("up", "--detach", *([] if base == 8080 else ["--port-base", str(base)]))
    seconds = time.monotonic() - began
    equal(done.returncode, 0, f"exit code ({done.stdout[-500:]})")
    check(s.load(), "nothing runs")
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    check(seconds < 15 * busy, f"ready after {seconds:.1f} s, with {busy:.1f} runnable processes a core")
    check(s.chat("Hello again.").content, "no answer")
    check(old, "no receipt of before")
    equal(verify(s, old[0], "--rpc", s.up["rpc"])[0], 0, "verify of a receipt from before")
