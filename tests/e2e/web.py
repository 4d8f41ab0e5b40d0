"""HTTP by hand: what a client library would hide."""
import http.client
import json
import urllib.parse
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        """OpenAI's error object; {} when there is none."""
        try:
            found = self.json.get("error", {})
            return found if isinstance(found, dict) else {}
        except (ValueError, AttributeError):
            return {}

    @property
    def content(self) -> str:
        """Text of the first choice of a chat answer."""
        if self.status != 200:
            raise RuntimeError(f"HTTP {self.status}: {self.text[:400]}")
        return self.json["choices"][0]["message"]["content"]


def request(method: str, url: str, body: bytes | None = None, headers: dict | None = None, timeout: float = 60) -> Answer:
    """One exchange on a connection of its own. OSError when there is none; http.client errors when it breaks off."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, path or "/", body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def get(url: str, timeout: float = 20) -> Answer:
    return request("GET", url, timeout=timeout)


def post(url: str, value, timeout: float = 120) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    kind = "application/octet-stream" if isinstance(value, bytes) else "application/json"
    return request("POST", url, body, {"Content-Type": kind}, timeout)


def post_json_text(url: str, text: bytes, timeout: float = 60) -> Answer:
    """Bytes that claim to be JSON."""
    return request("POST", url, text, {"Content-Type": "application/json"}, timeout)


def rpc(url: str, method: str, *params):
    answer = post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error'].get('message')}")
    return answer["result"]
