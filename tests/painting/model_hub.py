"""A local look-alike of the Hugging Face hub's side that takes models: enough for the real library to upload one."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving


class ModelHub:
    """Keeps what was uploaded in `models`: name -> path -> content. Takes writes with `token` only."""

    token = "hf_secret"

    def __init__(self) -> None:
        self.models: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.large: dict[str, bytes] = {}
        self.full = False
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (Door,), {"hub": self}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"


class Door(BaseHTTPRequestHandler):
    hub: ModelHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.body()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self.say({"error": "Invalid username or password."}, 401)
        elif self.path == "/api/validate-yaml":
            self.say({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif self.path.endswith("/preupload/main"):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["size"] > 10_000 else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            self.say({"files": files})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**wanted, "actions": {"upload": {"href": f"{self.hub.url}/large/{wanted['oid']}"}}}
                for wanted in json.loads(body)["objects"]
            ]
            self.say({"transfer": "basic", "objects": objects}, kind="application/vnd.git-lfs+json")
        elif self.path.endswith("/commit/main"):
            self.commit(self.path.removeprefix("/api/models/").removesuffix("/commit/main"), body)
        else:
            self.say({"error": f"nothing at {self.path}"}, 404)

    def do_PUT(self) -> None:
        content = self.body()
        if self.hub.full:
            self.say({"error": "no room"}, 400)
        else:
            self.hub.large[self.path.rpartition("/")[2]] = content
            self.say({})

    def create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if wanted["organization"] != "ada":
            self.say({"error": "You don't have the rights to create a model under this namespace"}, 403)
            return
        known = name in self.hub.models
        self.hub.models.setdefault(name, {})
        self.hub.private.setdefault(name, wanted.get("private") is True or wanted.get("visibility") == "private")
        self.say({"url": f"{self.hub.url}/{name}"}, 409 if known else 200)

    def commit(self, name: str, body: bytes) -> None:
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                self.hub.models[name][value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                self.hub.models[name][value["path"]] = self.hub.large[value["oid"]]
        oid = "d" * 40
        self.say({"commitUrl": f"{self.hub.url}/{name}/commit/{oid}", "commitOid": oid, "success": True})

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def say(self, content: object, status: int = 200, kind: str = "application/json") -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[ModelHub]:
    """Run the imitation until the block ends."""
    hub = ModelHub()
    with serving(hub.http):
        yield hub
