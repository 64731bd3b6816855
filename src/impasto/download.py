"""Downloads one file over HTTP: resumable, checked, and with timeouts.

`NAME.part` holds the bytes so far and `NAME.part.json` their source. NAME appears when it is complete and correct. If
the publisher gives no hash, `downloads.json` beside it keeps the hash of the first file that was good.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from impasto import __version__
from impasto.errors import DataError, OutputError
from impasto.files import make_folder, unwritable, write_text

try:
    import fcntl
except ImportError:  # Windows has no flock; two processes can then damage each other's part, which the hash detects
    fcntl = None  # type: ignore[assignment]

Progress = Callable[[int, int | None], None]
"""Called with (bytes so far, all bytes). All bytes is None if the server does not announce them."""

CHUNK = 1 << 20
"""Bytes read at once."""
LEDGER = "downloads.json"
"""The file beside the downloads with their hashes: name -> sha256."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP status codes after which another attempt can succeed."""


@dataclass(frozen=True)
class Patience:
    """Timeouts and retries."""

    stall: float = 30.0
    """Seconds without data after which a connection is closed."""
    tries: int = 5
    """Consecutive attempts without new data before the next mirror is tried."""
    pause: float = 1.0
    """Seconds before another attempt. It doubles each time."""


@dataclass(frozen=True)
class _Wanted:
    """The known properties of a file before the download."""

    target: Path
    size: int | None
    digest: str | None

    def trouble(self, path: Path) -> str | None:
        """Return the problem of the file at `path`, or None."""
        found = path.stat().st_size
        if self.size is not None and found != self.size:
            return f"has {found:,} bytes instead of {self.size:,}"
        expected, source = self.digest, "its publisher gives"
        if expected is None:
            ledger = self.target.parent / LEDGER
            expected = _read_json(ledger).get(self.target.name)
            source = f"{ledger} has from its first use; if you trust the new file, remove that line"
        if expected is None:
            return None
        kind = expected.partition(":")[0]
        digest = digest_of(path, kind)
        return None if digest == expected else f"has {digest} instead of {expected}, which {source}"


class _FailureError(Exception):
    """Why an attempt failed: the end of a sentence that begins with the server."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        """Whether another attempt would fail too."""
        super().__init__(reason)


def fetch(
    urls: Sequence[str],
    target: Path,
    *,
    size: int | None = None,
    digest: str | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Path:
    """Download a file from the first mirror that provides it, and return `target`. A correct file is kept.

    `size` is in bytes; `digest` is `md5:HEX` or `sha256:HEX`. A `NAME.part` of an earlier call is resumed if the server
    and the digest allow it.

    Raises DataError, with instructions for a download by hand, if no mirror provides a correct file; OutputError if
    there is no space or another process is downloading it.
    """
    wanted = _Wanted(target, size, digest)
    if target.exists():
        trouble = wanted.trouble(target)
        if trouble:
            raise DataError(f"{target} {trouble}; remove it and run the command again")
        return target
    make_folder(target.parent)
    failures = []
    with _Part(target) as part:
        for url in urls:
            try:
                _fetch_from(url, part, wanted, patience or Patience(), progress)
            except _FailureError as failure:
                failures.append(f"{urllib.parse.urlsplit(url).hostname} {failure}")
            else:
                part.become_target()
                return target
    raise DataError(
        f"{target.name} cannot be downloaded ({'; '.join(failures)}); open {urls[0]} in a browser, save it as "
        f"{target.absolute()} and run the command again"
    )


def announced_size(urls: Sequence[str], patience: Patience | None = None) -> int | None:
    """Return the number of bytes that the first answering mirror announces. None if no mirror does."""
    for url in urls:
        with contextlib.suppress(_FailureError), _opened(url, "HEAD", {}, (patience or Patience()).stall) as answer:
            return _whole_number(answer.headers.get("Content-Length"))
    return None


def remember(target: Path) -> None:
    """Keep the hash of a good file, so a different file of the same name is noticed."""
    ledger = target.parent / LEDGER
    write_text(ledger, json.dumps(_read_json(ledger) | {target.name: digest_of(target, "sha256")}, indent=2) + "\n")


def digest_of(path: Path, kind: str) -> str:
    """Return `kind:HEX`, the hash of a file. `kind` is a name in hashlib."""
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()}"


def _fetch_from(url: str, part: _Part, wanted: _Wanted, patience: Patience, progress: Progress | None) -> None:
    """Complete the part from one mirror and check it. Raises _FailureError if that fails."""
    most, in_vain = part.size, 0
    while True:
        try:
            if part.size != wanted.size:
                _attempt(url, part, wanted, patience.stall, progress)
            _check_whole(part, wanted)
        except _FailureError as failure:
            in_vain = 0 if part.size > most else in_vain + 1
            most = max(most, part.size)
            if failure.lasting or in_vain >= patience.tries:
                raise
            time.sleep(patience.pause * 2**in_vain)
        else:
            return


def _attempt(url: str, part: _Part, wanted: _Wanted, stall: float, progress: Progress | None) -> None:
    """Request the missing bytes once and append them."""
    headers = part.conditions(url, wanted)
    try:
        with _opened(url, "GET", headers, stall) as answer:
            total = _agree(answer, url, part, wanted)
            _receive(answer, part, wanted.size if total is None else total, progress)
    except _UnsatisfiableError as error:
        if error.total != part.size:  # otherwise the part is complete
            part.restart()
            raise _FailureError("has a different file now") from error


def _agree(answer: http.client.HTTPResponse, url: str, part: _Part, wanted: _Wanted) -> int | None:
    """Match the part to the start of the answer. Return the announced number of bytes of the whole file."""
    if answer.headers.get_content_type() == "text/html" and wanted.target.suffix != ".html":
        raise _FailureError("answers with a web page instead of the file", lasting=True)
    if answer.status == 206:
        begin, total = _content_range(answer.headers)
        if begin != part.size or part.contradicts(url, answer.headers):
            part.restart()
            raise _FailureError("answers with another range than requested")
        part.in_pieces = True
    elif answer.status == 200:
        part.restart(_origin(url, answer.headers))
        total = _whole_number(answer.headers.get("Content-Length"))
    else:
        raise _FailureError(f"answers {answer.status} {answer.reason}", lasting=True)
    if None not in (total, wanted.size) and total != wanted.size:
        raise _FailureError(f"announces {total:,} bytes instead of {wanted.size:,}", lasting=True)
    _check_space(wanted.target.parent, (total or 0) - part.size)
    return total


def _receive(answer: http.client.HTTPResponse, part: _Part, total: int | None, progress: Progress | None) -> None:
    """Append data until the end. Raises _FailureError if that is not at `total` bytes."""
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _FailureError(f"breaks the connection ({_words(error)})") from error
        if not chunk:
            break
        if part.size == 0 and chunk.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
            raise _FailureError("answers with a web page instead of the file", lasting=True)
        part.append(chunk)
        if progress:
            progress(part.size, total)
        if total is not None and part.size > total:
            part.restart()
            raise _FailureError(f"sends more than {total:,} bytes", lasting=True)
    if part.size == 0:
        raise _FailureError("sends no data")
    if total is not None and part.size < total:
        raise _FailureError(f"breaks the connection after {part.size:,} of {total:,} bytes")


def _check_whole(part: _Part, wanted: _Wanted) -> None:
    trouble = wanted.trouble(part.path)
    if trouble:
        in_pieces = part.in_pieces
        part.restart()
        raise _FailureError(f"sent a file that {trouble}", lasting=not in_pieces)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(f"{folder} has {free:,} free bytes and needs {needed:,}; free some space")


class _Part:
    """The downloaded part of a file: NAME.part, with its source in NAME.part.json. One process holds it at a time."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.notes = target.with_name(target.name + ".part.json")
        self.size = 0
        self.in_pieces = False
        """Whether it has data of several answers. They can be of different files; then a restart helps."""

    def __enter__(self) -> _Part:
        try:
            self.file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            if fcntl is not None:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.file.close()
            raise OutputError(f"another process is downloading {self.target}; wait for it") from error
        self.size = self.path.stat().st_size
        self.in_pieces = self.size > 0
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if self.size == 0:
            self.path.unlink(missing_ok=True)
            self.notes.unlink(missing_ok=True)

    def conditions(self, url: str, wanted: _Wanted) -> dict[str, str]:
        """Return the headers that request the rest of the same file. Empty if a change could not be detected."""
        origin = _read_json(self.notes)
        same = origin.get("validator") if origin.get("url") == url else None
        too_long = wanted.size is not None and self.size > wanted.size
        if self.size == 0 or too_long or not (same or wanted.digest):
            return {}
        return {"Range": f"bytes={self.size}-"} | ({"If-Range": same} if same else {})

    def contradicts(self, url: str, headers: http.client.HTTPMessage) -> bool:
        """Return whether the answer is of another file than the part, as from servers that ignore If-Range."""
        origin = _read_json(self.notes)
        known = origin.get("validator") if origin.get("url") == url else None
        return known is not None and known != _origin(url, headers)["validator"]

    def restart(self, origin: Mapping[str, str | None] | None = None) -> None:
        """Discard the part. `origin` is the source of the next bytes."""
        try:
            self.file.truncate(0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.size = 0
        self.in_pieces = False
        write_text(self.notes, json.dumps(origin or {}))

    def append(self, chunk: bytes) -> None:
        """Write data. Raises OutputError if the disk is full."""
        rest = memoryview(chunk)
        try:
            while rest:
                written = self.file.write(rest)
                self.size += written
                rest = rest[written:]
        except OSError as error:
            raise unwritable(self.target, error) from error

    def become_target(self) -> None:
        """Give the complete file its name."""
        try:
            os.fsync(self.file.fileno())
            self.path.replace(self.target)
        except OSError as error:
            raise unwritable(self.target, error) from error
        self.notes.unlink(missing_ok=True)


class _UnsatisfiableError(_FailureError):
    """The server has no bytes after the requested position (416). `total` is the number of bytes that it has."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        super().__init__("has no more bytes")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https to http."""

    def __init__(self, url: str) -> None:
        self.allowed = ("https",) if url.startswith("https:") else ("http", "https")

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in self.allowed:
            raise _FailureError(f"redirects to {newurl!r}, which is not safe", lasting=True)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextlib.contextmanager
def _opened(url: str, method: str, headers: Mapping[str, str], stall: float) -> Iterator[http.client.HTTPResponse]:
    """Send a request and yield the successful answer. Raises _FailureError or _UnsatisfiableError."""
    opener = urllib.request.OpenerDirector()  # build_opener would also open file: and ftp:
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(url),
    ):
        opener.add_handler(handler)
    headers = {"User-Agent": f"impasto/{__version__}", "Accept-Encoding": "identity", **headers}
    request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310 - the opener checks the scheme
    try:
        answer = opener.open(request, timeout=stall)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                raise _UnsatisfiableError(_content_range(error.headers)[1]) from error
            raise _FailureError(f"answers {error.code} {error.reason}", lasting=error.code not in PASSING) from error
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        lasting = isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError | http.client.InvalidURL | str)
        raise _FailureError(f"cannot be reached ({_words(cause)})", lasting=lasting) from error
    with answer:
        yield answer


def _words(error: object) -> str:
    """Return the text of an error without its number."""
    if isinstance(error, TimeoutError):
        return "no answer for too long"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _origin(url: str, headers: http.client.HTTPMessage) -> dict[str, str | None]:
    """Return the source of a file. The validator, for If-Range, identifies its exact bytes."""
    etag = headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return {"url": url, "validator": strong or headers.get("Last-Modified")}


def _content_range(headers: Message) -> tuple[int | None, int | None]:
    """Return the first byte and the whole length of `bytes 5-9/10`, `bytes */10` or `bytes 5-9/*`."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range") or "")
    return (_whole_number(match[1]), _whole_number(match[2])) if match else (None, None)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def _read_json(path: Path) -> dict[str, Any]:
    """Return the contents of a small file of ours. Empty if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
