"""What every measurement of tools/bench shares: the paths, the commands, the machine, where results go."""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "teetee"
PEER = CACHE / "peer-venv" / "bin" / "python"
TEETEE = pathlib.Path(os.environ.get("TEETEE_BINARY", ROOT / "build" / "bin" / "teetee"))  # another build can be measured
TOOLS = ROOT / "tools" / "bench"
RESULTS = ROOT / "bench" / "results"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_json(*command, stdin: str = ""):
    """The JSON that a command prints; its stderr is shown only when it fails."""
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        say(done.stderr[-4000:])
        sys.exit(f"bench: {' '.join(str(word) for word in command[:3])} ... failed ({done.returncode})")
    return json.loads(done.stdout.strip().splitlines()[-1])


def probe(threads: int) -> dict:
    return run_json(TEETEE, "bench", "--machine", "-t", threads, "--json")["machine"]


def slug(cpu: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", cpu.lower()).strip("-") or "unknown"


def processor() -> str:
    """Name, and family and model, by which a hypervisor's "AMD EPYC" is still told from another."""
    fields = dict(line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    return f"{fields.get('model name', 'unknown')} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"


def description() -> dict:
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) // 1024
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return {"date": datetime.date.today().isoformat(), "cpu": processor(), "processors": os.cpu_count(), "memory_mib": memory, "commit": commit}


def result_path(name: str, suffix: str, about: dict) -> pathlib.Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    return RESULTS / f"{about['date']}-{slug(about['cpu'])}-{name}.{suffix}"
