"""HTTP: requests come in, faults are dealt out, routes answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.hub.answers import Answer, Asked
from tests.hub.faults import Fault
from tests.hub.hub import Hub, Request
from tests.hub.routes import answer

_PIECE = 1 << 16


@contextmanager
def serve() -> Iterator[Hub]:
    """A hub that serves while the block runs."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    server.block_on_close = False
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with self.hub.serving():
            self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        with self.hub.lock:
            fault = next((each for each in self.hub.faults if each.meets(self.command, path)), None)
        if fault is not None and self._goes_wrong(fault, path):
            return
        body = self._body()
        self.hub.requests.append(Request(self.command, path, len(body)))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        with self.hub.lock:
            reply = answer(self.hub, Asked(self.command, address.path, body, token, self.headers.get("Range")))
        self._send(reply)

    def _goes_wrong(self, fault: Fault, path: str) -> bool:
        """Do what a fault says; whether that was all."""
        if fault.when is not None:
            fault.when(fault.met - 1)
        time.sleep(fault.seconds)
        if fault.drop_after is not None:
            received = self._body(fault.drop_after)
            self.hub.requests.append(Request(self.command, path, len(received)))
            self.close_connection = True
            self.connection.close()
            return True
        if fault.status is None:
            return False
        self.hub.requests.append(Request(self.command, path, len(self._body())))
        said = json.dumps({"error": fault.message}).encode()
        self._send(Answer(fault.status, said, {"X-Error-Message": fault.message, **fault.headers}))
        return True

    def _body(self, most: int | None = None) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            return b"".join(self._chunks())
        size = int(self.headers.get("Content-Length") or 0)
        pieces, left = [], size if most is None else min(size, most)
        while left and (piece := self.rfile.read(min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, reply: Answer) -> None:
        try:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
        except (BrokenPipeError, ConnectionResetError):  # the client is gone
            self.close_connection = True
