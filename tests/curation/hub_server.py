"""A local imitation of the Hugging Face hub, sufficient for the real libraries to stream a dataset."""

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving

REVISION = "a" * 40


class Hub:
    """Serves `repositories`: name -> path -> content."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.licences: dict[str, str] = {}
        self.diary: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Page", (Page,), {"hub": self}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def opened(self, ending: str) -> int:
        """Return how often a file was read."""
        return sum(line.startswith("GET") and line.endswith(ending) for line in self.diary)


class Page(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(parts.path)
        self.hub.diary.append(f"{self.command} {path}")
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)/?(.*))?", path):
            name, kind, _, folder = match.groups()
            files = self.hub.repositories.get(name)
            if files is None:
                self.refuse("RepoNotFound")
            elif kind == "tree":
                self.say_json(listing(files, folder, recursive="recursive=true" in parts.query.lower()))
            else:
                self.say_json(self.about(name, files))
        elif match := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            content = self.hub.repositories.get(match[1], {}).get(match[2])
            self.refuse("EntryNotFound") if content is None else self.say_file(content)
        else:
            self.refuse("EntryNotFound")

    do_GET = do_HEAD = answer  # noqa: N815

    def about(self, name: str, files: dict[str, bytes]) -> dict[str, Any]:
        return {
            "id": name,
            "sha": REVISION,
            "siblings": [{"rfilename": path, "size": len(content)} for path, content in files.items()],
            "cardData": {"license": self.hub.licences[name]} if name in self.hub.licences else {},
            "tags": [],
            "private": False,
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
        }

    def say_file(self, content: bytes) -> None:
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:40]}"', "X-Repo-Commit": REVISION}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if match:
            begin, end = int(match[1]), min(int(match[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
            content = content[begin : end + 1]
        self.say(206 if match else 200, content, headers)

    def say_json(self, content: object) -> None:
        self.say(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def refuse(self, code: str) -> None:
        self.say(404, b"", {"X-Error-Code": code})

    def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def listing(files: dict[str, bytes], folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """Return the entries of a folder, with `recursive` also of its sub-folders."""
    prefix = f"{folder}/" if folder else ""
    inside = [path.removeprefix(prefix) for path in files if path.startswith(prefix)]
    folders = {"/".join(path.split("/")[:depth]): None for path in inside for depth in range(1, path.count("/") + 1)}
    entries = [{"type": "directory", "path": prefix + name, "oid": "c" * 40} for name in folders]
    entries += [{"type": "file", "path": prefix + n, "size": len(files[prefix + n]), "oid": "b" * 40} for n in inside]
    return [entry for entry in entries if recursive or "/" not in entry["path"].removeprefix(prefix)]


@contextmanager
def running() -> Iterator[Hub]:
    """Run the imitation until the block ends."""
    hub = Hub()
    with serving(hub.http):
        yield hub
