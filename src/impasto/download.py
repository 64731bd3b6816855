"""Fetching one file over HTTP: what came is kept and gone on from, what is whole is checked, silence has an end.

`NAME.part` holds what came so far and `NAME.part.json` where from; NAME appears when it is whole and right. Where the
publisher gives no hash, `downloads.json` beside it keeps that of the first file that proved good.
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
except ImportError:  # Windows has no flock; there two processes may spoil each other's part, which the hash tells
    fcntl = None  # type: ignore[assignment]

Progress = Callable[[int, int | None], None]
"""Told how many bytes there are, of how many; None where the server does not say."""

CHUNK = 1 << 20
"""Bytes asked for at a time."""
LEDGER = "downloads.json"
"""The file beside the downloads that keeps hashes: name -> sha256."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP states after which another attempt may succeed."""


@dataclass(frozen=True)
class Patience:
    """How long to bear with a server."""

    stall: float = 30.0
    """Seconds without a byte after which a connection is given up."""
    tries: int = 5
    """Attempts in a row that bring nothing new before the next mirror is tried."""
    pause: float = 1.0
    """Seconds before another attempt; doubled each time."""


@dataclass(frozen=True)
class _Wanted:
    """What is known of a file before it comes."""

    target: Path
    size: int | None
    digest: str | None

    def trouble(self, path: Path) -> str | None:
        """Say what is wrong with the file at `path`, or None."""
        found = path.stat().st_size
        if self.size is not None and found != self.size:
            return f"has {found:,} bytes where {self.size:,} are expected"
        expected, source = self.digest, "its publisher gives"
        if expected is None:
            ledger = self.target.parent / LEDGER
            expected = _read_json(ledger).get(self.target.name)
            source = f"{ledger} keeps from its first use; if you trust the new file, remove that line"
        if expected is None:
            return None
        kind = expected.partition(":")[0]
        digest = digest_of(path, kind)
        return None if digest == expected else f"has {digest} and not the {expected} that {source}"


class _FailureError(Exception):
    """Why an attempt failed, as the end of a sentence that begins with the server."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        """Another attempt would fare no better."""
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
    """Fetch a file from the first of its mirrors that gives it whole, and return `target`; a right one is kept as is.

    `size` is in bytes; `digest` is `md5:HEX` or `sha256:HEX`. What an earlier call left in `NAME.part` is gone on from
    where server and digest allow.

    Raises DataError, with the way to do it by hand, when no mirror gives the file or what it gives is wrong;
    OutputError when there is no space for it or another process is fetching it.
    """
    wanted = _Wanted(target, size, digest)
    if target.exists():
        trouble = wanted.trouble(target)
        if trouble:
            raise DataError(f"{target} {trouble}; remove it and say the same command again")
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
        f"{target.name} cannot be fetched ({'; '.join(failures)}); open {urls[0]} in a browser, save it as "
        f"{target.absolute()} and say the same command again"
    )


def announced_size(urls: Sequence[str], patience: Patience | None = None) -> int | None:
    """Return how many bytes the first mirror that answers announces; None when none does."""
    for url in urls:
        with contextlib.suppress(_FailureError), _opened(url, "HEAD", {}, (patience or Patience()).stall) as answer:
            return _whole_number(answer.headers.get("Content-Length"))
    return None


def remember(target: Path) -> None:
    """Keep the hash of a file that proved good, so that another one under its name is noticed."""
    ledger = target.parent / LEDGER
    write_text(ledger, json.dumps(_read_json(ledger) | {target.name: digest_of(target, "sha256")}, indent=2) + "\n")


def digest_of(path: Path, kind: str) -> str:
    """Return `kind:HEX`, the hash of a file; `kind` is a name hashlib knows."""
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()}"


def _fetch_from(url: str, part: _Part, wanted: _Wanted, patience: Patience, progress: Progress | None) -> None:
    """Make the part whole and right from one mirror; raise _FailureError when it cannot give that."""
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
    """Ask for what is missing, once, and append what comes."""
    headers = part.conditions(url, wanted)
    try:
        with _opened(url, "GET", headers, stall) as answer:
            total = _agree(answer, url, part, wanted)
            _receive(answer, part, wanted.size if total is None else total, progress)
    except _UnsatisfiableError as refusal:
        if refusal.total != part.size:  # else all of it is there
            part.restart()
            raise _FailureError("has another file than it had") from refusal


def _agree(answer: http.client.HTTPResponse, url: str, part: _Part, wanted: _Wanted) -> int | None:
    """Bring the part to where the answer begins; return how many bytes the whole file has, as announced."""
    if answer.headers.get_content_type() == "text/html" and wanted.target.suffix != ".html":
        raise _FailureError("answers with a web page instead of the file", lasting=True)
    if answer.status == 206:
        begin, total = _content_range(answer.headers)
        if begin != part.size or part.contradicts(url, answer.headers):
            part.restart()
            raise _FailureError("goes on elsewhere than asked")
        part.in_pieces = True
    elif answer.status == 200:
        part.restart(_origin(url, answer.headers))
        total = _whole_number(answer.headers.get("Content-Length"))
    else:
        raise _FailureError(f"answers {answer.status} {answer.reason}", lasting=True)
    if None not in (total, wanted.size) and total != wanted.size:
        raise _FailureError(f"announces {total:,} bytes where {wanted.size:,} are expected", lasting=True)
    _check_space(wanted.target.parent, (total or 0) - part.size)
    return total


def _receive(answer: http.client.HTTPResponse, part: _Part, total: int | None, progress: Progress | None) -> None:
    """Append what comes until it ends; raise _FailureError when that is not at `total` bytes."""
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _FailureError(f"breaks off ({_words(error)})") from error
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
        raise _FailureError("answers with nothing")
    if total is not None and part.size < total:
        raise _FailureError(f"breaks off after {part.size:,} of {total:,} bytes")


def _check_whole(part: _Part, wanted: _Wanted) -> None:
    trouble = wanted.trouble(part.path)
    if trouble:
        in_pieces = part.in_pieces
        part.restart()
        raise _FailureError(f"gave a file that {trouble}", lasting=not in_pieces)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(f"{folder} has {free:,} bytes free where {needed:,} are needed; free some space")


class _Part:
    """What has come of a file: NAME.part, and in NAME.part.json where it came from. Held by one process at a time."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.notes = target.with_name(target.name + ".part.json")
        self.size = 0
        self.in_pieces = False
        """More than one answer is in it: should they be of two files, a fresh start helps."""

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
            raise OutputError(f"another process is fetching {self.target}; wait for it") from error
        self.size = self.path.stat().st_size
        self.in_pieces = self.size > 0
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if self.size == 0:
            self.path.unlink(missing_ok=True)
            self.notes.unlink(missing_ok=True)

    def conditions(self, url: str, wanted: _Wanted) -> dict[str, str]:
        """Return the headers that ask for the rest, if still of the same file; none where nothing could tell."""
        origin = _read_json(self.notes)
        same = origin.get("validator") if origin.get("url") == url else None
        too_long = wanted.size is not None and self.size > wanted.size
        if self.size == 0 or too_long or not (same or wanted.digest):
            return {}
        return {"Range": f"bytes={self.size}-"} | ({"If-Range": same} if same else {})

    def contradicts(self, url: str, headers: http.client.HTTPMessage) -> bool:
        """Tell whether the answer is about another file than the part, as servers answer that ignore If-Range."""
        origin = _read_json(self.notes)
        known = origin.get("validator") if origin.get("url") == url else None
        return known is not None and known != _origin(url, headers)["validator"]

    def restart(self, origin: Mapping[str, str | None] | None = None) -> None:
        """Throw away what there is; `origin` tells where the next bytes come from."""
        try:
            self.file.truncate(0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.size = 0
        self.in_pieces = False
        write_text(self.notes, json.dumps(origin or {}))

    def append(self, chunk: bytes) -> None:
        """Write what came; raise OutputError when the disk is full."""
        rest = memoryview(chunk)
        try:
            while rest:
                written = self.file.write(rest)
                self.size += written
                rest = rest[written:]
        except OSError as error:
            raise unwritable(self.target, error) from error

    def become_target(self) -> None:
        """Give the whole file its name."""
        try:
            os.fsync(self.file.fileno())
            self.path.replace(self.target)
        except OSError as error:
            raise unwritable(self.target, error) from error
        self.notes.unlink(missing_ok=True)


class _UnsatisfiableError(_FailureError):
    """The server has no bytes after those there are (416); `total` is how many it has."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        super().__init__("has no more bytes")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only; an address that began as https never ends as http."""

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
            raise _FailureError(f"leads to {newurl!r}, which is not safe to follow", lasting=True)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextlib.contextmanager
def _opened(url: str, method: str, headers: Mapping[str, str], stall: float) -> Iterator[http.client.HTTPResponse]:
    """Send a request; yield the answer when it is a success, else raise _FailureError or _UnsatisfiableError."""
    opener = urllib.request.OpenerDirector()  # build_opener's would also open file: and ftp:
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
    request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310 - the opener checks it
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
    """Return what an error says, without its number."""
    if isinstance(error, TimeoutError):
        return "silent for too long"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _origin(url: str, headers: http.client.HTTPMessage) -> dict[str, str | None]:
    """Return where a file comes from; a validator that may go into If-Range knows the file again byte for byte."""
    etag = headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return {"url": url, "validator": strong or headers.get("Last-Modified")}


def _content_range(headers: Message) -> tuple[int | None, int | None]:
    """Return first byte and length of the whole from `bytes 5-9/10`, `bytes */10` or `bytes 5-9/*`."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range") or "")
    return (_whole_number(match[1]), _whole_number(match[2])) if match else (None, None)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def _read_json(path: Path) -> dict[str, Any]:
    """Return what a small file of ours says; one that is missing or scrambled says nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
