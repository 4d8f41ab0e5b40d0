"""Records every TCP byte on loopback with a raw socket, and searches for secrets in all the forms that a leak might take."""
import base64
import contextlib
import json
import socket
import struct
import threading

ETH_P_ALL, PACKET_OUTGOING, SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 3, 4, 263, 6, 33


class Capture:
    def __init__(self):
        self.segments: dict[tuple[int, int], list[tuple[int, bytes]]] = {}  # (source port, destination port) -> (sequence number, bytes)
        self.drops = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.2)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                frame, address = self._socket.recvfrom(1 << 18)
            except TimeoutError:
                if self._stop.is_set():
                    return
                continue
            if address[2] != PACKET_OUTGOING:  # loopback shows each packet twice
                self._take(frame)

    def _take(self, frame: bytes) -> None:
        kind = frame[12:14]
        if kind == b"\x08\x00" and frame[23] == 6:
            at, end = 14 + (frame[14] & 15) * 4, 14 + int.from_bytes(frame[16:18], "big")
        elif kind == b"\x86\xdd" and frame[20] == 6:
            at, end = 54, len(frame)
        else:
            return
        source, destination, sequence = struct.unpack_from("!HHI", frame, at)
        end = end if end > at else len(frame)  # a huge offloaded packet has length 0
        data = frame[at + (frame[at + 12] >> 4) * 4:end]
        if data:
            self.segments.setdefault((source, destination), []).append((sequence, data))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.drops = struct.unpack("II", statistics)[1]
        self._socket.close()

    def streams(self) -> dict[tuple[int, int], bytes]:
        """The bytes of each direction in their order, retransmissions once. Port pairs that were used again stand one after another."""
        out = {}
        for ports, segments in self.segments.items():
            base = segments[0][0]
            joined, following = bytearray(), None
            for sequence, data in sorted(((s - base + (1 << 31)) % (1 << 32), d) for s, d in segments):
                known = 0 if following is None else max(0, min(following - sequence, len(data)))
                joined += data[known:]
                following = max(following or 0, sequence + len(data))
            out[ports] = bytes(joined)
        return out


@contextlib.contextmanager
def loopback():
    """PermissionError without CAP_NET_RAW."""
    capture = Capture()
    try:
        yield capture
    finally:
        capture.stop()


def forms(text: str) -> dict[str, bytes]:
    """The text as a leak might spell it."""
    raw = text.encode()
    out = {"plain": raw, "reversed": raw[::-1], "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
           "utf-16": text.encode("utf-16-le"), "json": json.dumps(text)[1:-1].encode()}
    for shift in range(3):  # base64 depends on where the text stands in its group of three
        whole = base64.b64encode(bytes(shift) + raw)
        middle = whole[4 if shift else 0:(len(raw) + shift) // 3 * 4]
        out[f"base64+{shift}"] = middle
        out[f"base64url+{shift}"] = middle.replace(b"+", b"-").replace(b"/", b"_")
    return out


def ids_form(ids: list[int]) -> bytes:
    """Token ids as a frame would hold them."""
    return b"".join(i.to_bytes(4, "little") for i in ids)


def search(hay: bytes, needles: dict[str, bytes]) -> list[str]:
    return [name for name, needle in needles.items() if len(needle) >= 8 and needle in hay]
