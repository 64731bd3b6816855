"""A local HTTP server with the faults of real ones: cut, stalled, redirected, wrong and refused answers."""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.serving import serving


class Request(NamedTuple):
    """One request that the server received."""

    method: str
    path: str
    range: str | None
    if_range: str | None


class Server:
    """Serves `files` with ETags and ranges; `script` holds, for a path, what to do with the next requests instead."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.script: dict[str, list[Behaviour]] = defaultdict(list)
        self.always: dict[str, Behaviour] = {}
        self.diary: list[Request] = []
        self.closing = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"server_of_ours": self}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def serve(self, path: str, content: bytes, *script: "Behaviour") -> str:
        """Serve a file after the scripted answers, and return its address."""
        self.files[path] = content
        self.script[path] = list(script)
        return self.url + path

    def ranges(self) -> list[str | None]:
        return [request.range for request in self.diary if request.method == "GET"]


class Handler(BaseHTTPRequestHandler):
    server_of_ours: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        server, headers = self.server_of_ours, self.headers
        server.diary.append(Request(self.command, self.path, headers.get("Range"), headers.get("If-Range")))
        script = server.script[self.path]
        behaviour = script.pop(0) if script else server.always.get(self.path, honest)
        self.close_connection = True
        behaviour(self)

    do_GET = do_HEAD = answer  # noqa: N815

    @property
    def content(self) -> bytes | None:
        return self.server_of_ours.files.get(self.path)

    def start(self, status: int, headers: dict[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def send(self, body: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(body)


Behaviour = Callable[[Handler], None]


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def asked_from(handler: Handler, content: bytes) -> int:
    """Return the first byte to send: that of the requested range if the content is the same, else 0."""
    match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
    condition = handler.headers.get("If-Range")
    return int(match[1]) if match and condition in (None, etag_of(content)) else 0


def respond(handler: Handler, upto: int | None = None, length: int | None = None, *, etag: bool = True) -> None:
    """Answer with the file or the requested range. Send only the bytes before `upto`; announce `length` instead."""
    content = handler.content
    if content is None:
        handler.start(404, {"Content-Length": 0})
        return
    begin = asked_from(handler, content)
    if begin >= len(content) > 0:
        handler.start(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": 0})
        return
    headers: dict[str, object] = {"Content-Length": len(content) - begin if length is None else length}
    if etag:
        headers["ETag"] = etag_of(content)
    if begin:
        headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
    handler.start(206 if begin else 200, headers)
    handler.send(content[begin:upto])


def honest(handler: Handler) -> None:
    respond(handler)


def without_etag(handler: Handler) -> None:
    respond(handler, etag=False)


def cut(upto: int) -> Behaviour:
    """Close the connection before this byte."""
    return lambda handler: respond(handler, upto=upto)


def stalled(upto: int) -> Behaviour:
    """Send nothing more from this byte on."""

    def behave(handler: Handler) -> None:
        respond(handler, upto=upto)
        handler.wfile.flush()
        handler.server_of_ours.closing.wait(5)

    return behave


def announcing(length: int) -> Behaviour:
    """Announce a wrong length."""
    return lambda handler: respond(handler, length=length)


def status(code: int, **headers: object) -> Behaviour:
    return lambda handler: handler.start(code, {"Content-Length": 0, **headers})


def redirected(to: str, code: int = 302) -> Behaviour:
    return lambda handler: handler.start(code, {"Location": to, "Content-Length": 0})


def without_ranges(upto: int | None = None, length: int | None = None) -> Behaviour:
    """Always answer with the whole file, from its beginning."""

    def behave(handler: Handler) -> None:
        content = handler.content or b""
        handler.start(200, {"Content-Length": len(content) if length is None else length})
        handler.send(content[:upto])

    return behave


def unannounced(upto: int | None = None) -> Behaviour:
    """Announce no length. The end of the connection is the end of the file."""

    def behave(handler: Handler) -> None:
        handler.start(200, {})
        handler.send((handler.content or b"")[:upto])

    return behave


def chunked(upto: int | None = None) -> Behaviour:
    """Send in chunks; without the last, empty one when cut."""

    def behave(handler: Handler) -> None:
        handler.start(200, {"Transfer-Encoding": "chunked"})
        body = (handler.content or b"")[:upto]
        handler.send(f"{len(body):x}\r\n".encode() + body + b"\r\n" + (b"0\r\n\r\n" if upto is None else b""))

    return behave


def web_page(kind: str = "text/html") -> Behaviour:
    """Answer with an error page and status 200."""

    def behave(handler: Handler) -> None:
        page = b"\n<!DOCTYPE html><html><body>Please log in</body></html>"
        handler.start(200, {"Content-Type": kind, "Content-Length": len(page)})
        handler.send(page)

    return behave


def deaf_to_if_range(handler: Handler) -> None:
    """Answer a range although the content has changed."""
    content = handler.content or b""
    match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
    begin = int(match[1]) if match else 0
    headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}", "ETag": etag_of(content)}
    handler.start(206 if match else 200, {"Content-Length": len(content) - begin, **(headers if match else {})})
    handler.send(content[begin:])


def other_range(handler: Handler) -> None:
    """Answer with a range that was not requested."""
    content = handler.content or b""
    headers = {"Content-Range": f"bytes 1-{len(content) - 1}/{len(content)}", "ETag": etag_of(content)}
    handler.start(206, {"Content-Length": len(content) - 1, **headers})
    handler.send(content[1:])


def then(change: Callable[[], None], behaviour: Behaviour = honest) -> Behaviour:
    """Change something before answering: the content, between two attempts."""

    def behave(handler: Handler) -> None:
        change()
        behaviour(handler)

    return behave


@contextmanager
def running() -> Iterator[Server]:
    """Run a server until the block ends."""
    server = Server()
    with serving(server.http):
        try:
            yield server
        finally:
            server.closing.set()
