"""Downloads end complete and correct or with one clear sentence, whatever the server does."""

import hashlib
import json
import random
import re
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto import download
from impasto.download import Patience, announced_size, fetch, remember
from impasto.errors import DataError, OutputError
from tests.curation import server as http
from tests.curation.server import Server, cut, honest, redirected, stalled, status, then

CONTENT = random.Random(0).randbytes(50_000)
SIZE = len(CONTENT)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(stall=10.0, tries=3, pause=0.0)
STALLS_SOON = Patience(stall=0.3, tries=3, pause=0.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with http.running() as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "art.zip"


def left(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()}


@pytest.mark.parametrize("digest", [None, MD5, SHA256])
def test_a_file_is_downloaded_with_progress(server: Server, target: Path, digest: str | None) -> None:
    url = server.serve("/art.zip", CONTENT)
    told: list[tuple[int, int | None]] = []
    progress = lambda done, total: told.append((done, total))  # noqa: E731
    assert fetch([url], target, size=SIZE, digest=digest, progress=progress, patience=QUICK) == target
    assert target.read_bytes() == CONTENT
    assert told[-1] == (SIZE, SIZE)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert left(target) == {"art.zip"}


@pytest.mark.parametrize("digest", [None, MD5])
def test_interrupted_downloads_resume(server: Server, target: Path, digest: str | None) -> None:
    url = server.serve("/art.zip", CONTENT, cut(10_000), cut(30_000), stalled(40_000))
    fetch([url], target, digest=digest, patience=STALLS_SOON)
    assert target.read_bytes() == CONTENT
    assert server.ranges() == [None, "bytes=10000-", "bytes=30000-", "bytes=40000-"]
    assert {request.if_range for request in server.diary[1:]} == {http.etag_of(CONTENT)}


def test_another_call_resumes_where_the_first_was_interrupted(server: Server, target: Path) -> None:
    url = server.serve("/art.zip", CONTENT, cut(20_000))

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([url], target, progress=interrupt, patience=QUICK)
    kept = (target.parent / "art.zip.part").read_bytes()
    assert 0 < len(kept) <= 20_000
    assert CONTENT.startswith(kept)
    server.script["/art.zip"].clear()
    fetch([url], target, patience=QUICK)
    assert target.read_bytes() == CONTENT
    assert server.ranges() == [None, f"bytes={len(kept)}-"]


def test_a_file_that_changed_meanwhile_is_downloaded_again(server: Server, target: Path) -> None:
    other = CONTENT[::-1]
    change = lambda: server.files.update({"/art.zip": other})  # noqa: E731
    for behaviour in (honest, http.deaf_to_if_range):
        target.unlink(missing_ok=True)
        url = server.serve("/art.zip", CONTENT, cut(10_000), then(change, behaviour))
        fetch([url], target, patience=QUICK)
        assert target.read_bytes() == other


@pytest.mark.parametrize("behaviour", [http.without_ranges(), http.other_range, status(416), status(416, **{"Content-Range": "bytes */7"})])  # fmt: skip
def test_servers_that_cannot_resume_start_again(server: Server, target: Path, behaviour: http.Behaviour) -> None:
    url = server.serve("/art.zip", CONTENT, cut(10_000), behaviour)
    fetch([url], target, patience=QUICK)
    assert target.read_bytes() == CONTENT


def test_without_a_validator_only_a_hash_allows_resuming(server: Server, target: Path) -> None:
    url = server.serve("/art.zip", CONTENT, http.without_ranges(upto=10_000))
    fetch([url], target, patience=QUICK)
    assert server.ranges() == [None, None]
    target.unlink()
    server.serve("/art.zip", CONTENT, http.without_ranges(upto=10_000))
    fetch([url], target, digest=MD5, patience=QUICK)
    assert server.ranges()[2:] == [None, "bytes=10000-"]
    assert target.read_bytes() == CONTENT


def test_a_complete_part_is_only_checked(server: Server, target: Path) -> None:
    target.parent.mkdir()
    part = target.with_name("art.zip.part")
    part.write_bytes(CONTENT)
    fetch([server.url + "/gone"], target, size=SIZE, digest=MD5, patience=QUICK)
    assert server.diary == []
    assert target.read_bytes() == CONTENT
    target.unlink()
    part.write_bytes(CONTENT)  # of unknown size: the server says that nothing is missing
    fetch([server.serve("/art.zip", CONTENT)], target, digest=MD5, patience=QUICK)
    assert server.ranges() == [f"bytes={SIZE}-"]
    assert target.read_bytes() == CONTENT


def test_a_wrong_part_costs_one_more_attempt(server: Server, target: Path) -> None:
    target.parent.mkdir()
    for wrong in (b"x" * 10_000, b"x" * SIZE, b"x" * (SIZE + 1)):
        target.unlink(missing_ok=True)
        target.with_name("art.zip.part").write_bytes(wrong)
        fetch([server.serve("/art.zip", CONTENT)], target, size=SIZE, digest=MD5, patience=QUICK)
        assert target.read_bytes() == CONTENT


def test_mirrors_are_tried_in_turn_and_resume_each_other(server: Server, target: Path) -> None:
    gone = server.url + "/gone"
    server.always["/first"] = status(503)
    first = server.serve("/first", CONTENT, cut(15_000))
    second = server.serve("/second", CONTENT)
    fetch([gone, first, second], target, digest=SHA256, patience=QUICK)
    assert target.read_bytes() == CONTENT
    assert [request.path for request in server.diary] == ["/gone"] + 4 * ["/first"] + ["/second"]
    assert server.ranges()[-1] == "bytes=15000-"


@pytest.mark.parametrize("passing", [status(503), status(429), stalled(0), cut(0)])
def test_temporary_failures_are_retried(server: Server, target: Path, passing: http.Behaviour) -> None:
    fetch([server.serve("/art.zip", CONTENT, passing, passing)], target, patience=STALLS_SOON)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "reason", "attempts"),
    [
        (status(404), "answers 404 Not Found", 1),
        (status(204), "answers 204 No Content", 1),
        (status(500), "answers 500 Internal Server Error", 3),
        (cut(10_000), f"breaks the connection after 10,000 of {SIZE:,} bytes", 4),
        (stalled(0), "breaks the connection (no answer for too long)", 3),
        (http.web_page(), "answers with a web page instead of the file", 1),
        (http.announcing(SIZE + 1), f"announces {SIZE + 1:,} bytes instead of {SIZE:,}", 1),
        (http.announcing(SIZE - 1), f"announces {SIZE - 1:,} bytes instead of {SIZE:,}", 1),
        (http.chunked(10_000), "breaks the connection", 4),
        (redirected("ftp://example.org/art.zip"), "redirects to 'ftp://example.org/art.zip', which is not safe", 1),
        (redirected("file:///etc/passwd"), "answers 302 Found - Redirection to url 'file:///etc/passwd' is not", 1),
    ],
)
def test_every_failure_is_one_sentence_with_manual_instructions(
    server: Server, target: Path, behaviour: http.Behaviour, reason: str, attempts: int
) -> None:
    url = server.serve("/art.zip", CONTENT)
    server.always["/art.zip"] = behaviour
    with pytest.raises(DataError) as told:
        fetch([url], target, size=SIZE, patience=STALLS_SOON)
    assert str(told.value).startswith(f"art.zip cannot be downloaded (127.0.0.1 {reason}")
    assert str(told.value).endswith(f"open {url} in a browser, save it as {target} and run the command again")
    assert len(server.diary) == attempts
    assert not target.exists()


def test_a_web_page_is_recognised_by_its_first_bytes(server: Server, target: Path) -> None:
    server.always["/art.zip"] = http.web_page("application/zip")
    with pytest.raises(DataError, match="answers with a web page instead of the file"):
        fetch([server.url + "/art.zip"], target, patience=QUICK)
    assert left(target) == set()


def test_without_a_network_the_error_comes_at_once(target: Path) -> None:
    with http.running() as gone:
        urls = [gone.url + "/art.zip", "http://nowhere.invalid/art.zip"]
    with pytest.raises(DataError) as told:
        fetch(urls, target, patience=QUICK)
    assert re.fullmatch(
        r"art\.zip cannot be downloaded \(127\.0\.0\.1 cannot be reached \(Connection refused\); nowhere\.invalid cannot be "
        rf"reached \(.*\)\); open {urls[0]} in a browser, save it as {target} and run the command again",
        str(told.value),
    )
    assert left(target) == set()


def test_unannounced_lengths_end_with_the_connection(server: Server, target: Path) -> None:
    for behaviour in (http.unannounced(), http.chunked()):
        target.unlink(missing_ok=True)
        fetch([server.serve("/art.zip", CONTENT, behaviour)], target, patience=QUICK)
        assert target.read_bytes() == CONTENT


def test_a_too_short_announced_length_is_detected_by_the_hash(server: Server, target: Path) -> None:
    server.always["/art.zip"] = http.without_ranges(length=SIZE - 10)
    with pytest.raises(DataError, match=rf"sent a file that has md5:\w+ instead of {MD5}, which its publisher gives"):
        fetch([server.serve("/art.zip", CONTENT)], target, digest=MD5, patience=QUICK)
    assert left(target) == set()


def test_more_bytes_than_expected_are_refused(server: Server, target: Path) -> None:
    server.always["/art.zip"] = http.unannounced()
    with pytest.raises(DataError, match=f"sends more than {SIZE - 1:,} bytes"):
        fetch([server.serve("/art.zip", CONTENT)], target, size=SIZE - 1, patience=QUICK)


def test_an_empty_answer_is_a_failure(server: Server, target: Path) -> None:
    with pytest.raises(DataError, match="sends no data"):
        fetch([server.serve("/art.zip", b"")], target, patience=QUICK)


def test_redirects_are_followed_and_keep_the_range(server: Server, target: Path) -> None:
    server.serve("/real", CONTENT, cut(10_000))
    for code in (301, 302, 303, 307, 308):
        server.always["/art.zip"] = redirected("/real", code)
        target.unlink(missing_ok=True)
        fetch([server.url + "/art.zip"], target, patience=QUICK)
        assert target.read_bytes() == CONTENT
    assert [request.range for request in server.diary if request.path == "/real"][:2] == [None, "bytes=10000-"]


def test_circular_redirects_end(server: Server, target: Path) -> None:
    server.always["/art.zip"] = redirected("/art.zip")
    with pytest.raises(DataError, match="cannot be downloaded"):
        fetch([server.url + "/art.zip"], target, patience=QUICK)


def test_https_never_becomes_http() -> None:
    request = download.urllib.request.Request("https://example.org/art.zip")
    headers = download.Message()
    with pytest.raises(download._FailureError, match="not safe"):
        download._Redirects("https://example.org/art.zip").redirect_request(
            request, None, 302, "Found", headers, "http://example.org/art.zip"
        )
    followed = download._Redirects("http://example.org/art.zip").redirect_request(
        request, None, 302, "Found", headers, "http://example.org/art.zip"
    )
    assert followed.full_url == "http://example.org/art.zip"


def test_a_correct_file_is_not_downloaded_again_and_a_wrong_one_is_named(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    assert fetch([server.url], target, size=SIZE, digest=SHA256, patience=QUICK) == target
    target.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(DataError, match=rf"{target} has md5:\w+ instead of .* remove it and run the command"):
        fetch([server.url], target, size=SIZE, digest=MD5, patience=QUICK)
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=f"{target} has {SIZE - 1:,} bytes instead of {SIZE:,}; remove it"):
        fetch([server.url], target, size=SIZE, patience=QUICK)
    assert server.diary == []


def test_the_first_hash_is_kept_if_the_publisher_gives_none(server: Server, target: Path) -> None:
    url = server.serve("/art.zip", CONTENT)
    remember(fetch([url], target, patience=QUICK))
    ledger = target.parent / "downloads.json"
    assert json.loads(ledger.read_text()) == {"art.zip": SHA256}
    target.unlink()
    assert fetch([url], target, patience=QUICK).read_bytes() == CONTENT
    target.unlink()
    server.files["/art.zip"] = CONTENT + b"more"
    with pytest.raises(DataError, match=r"downloads\.json has from its first use; if you trust the new file, remove"):
        fetch([url], target, patience=QUICK)
    ledger.unlink()
    assert fetch([url], target, patience=QUICK).read_bytes() == CONTENT + b"more"


def test_free_space_is_checked_before_the_download(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = download.shutil.disk_usage(target.parent.parent)._replace(free=SIZE - 1)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match=f"has {SIZE - 1:,} free bytes and needs {SIZE:,}; free some space"):
        fetch([server.serve("/art.zip", CONTENT)], target, patience=QUICK)
    assert left(target) == set()


def test_a_full_disk_is_reported_in_one_sentence(server: Server, target: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    url = server.serve("/art.zip", CONTENT)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE - 1, hard))
    try:
        with pytest.raises(OutputError, match=r"art\.zip cannot be written \(File too large\); free some space"):
            fetch([url], target, patience=QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left(target) == {"art.zip.part", "art.zip.part.json"}
    fetch([url], target, patience=QUICK)
    assert server.ranges()[-1] == f"bytes={SIZE - 1}-"


def test_two_processes_do_not_download_into_one_file(server: Server, target: Path) -> None:
    url = server.serve("/art.zip", CONTENT, stalled(10_000))
    errors: list[OutputError] = []

    def second(done: int, total: int | None) -> None:
        try:
            fetch([url], target, patience=QUICK)
        except OutputError as error:
            errors.append(error)

    fetch([url], target, progress=second, patience=STALLS_SOON)
    assert str(errors[0]) == f"another process is downloading {target}; wait for it"
    assert target.read_bytes() == CONTENT


def test_the_announced_size_is_that_of_the_first_mirror_that_answers(server: Server) -> None:
    art = server.serve("/art.zip", CONTENT)
    assert announced_size([server.url + "/gone", art], QUICK) == SIZE
    assert announced_size([server.url + "/gone"], QUICK) is None
    assert [request.method for request in server.diary] == 3 * ["HEAD"]


def test_any_interruptions_end_in_the_same_bytes(server: Server, tmp_path: Path) -> None:
    chance = random.Random(1)
    for number in range(20):
        content = chance.randbytes(chance.randrange(1, 3000))
        places = sorted(chance.randrange(len(content)) for _ in range(4))
        behaviours = [chance.choice([cut(p), http.without_ranges(upto=p), http.chunked(p)]) for p in places]
        url = server.serve(f"/{number}", content, *behaviours)
        digest = chance.choice([None, "sha256:" + hashlib.sha256(content).hexdigest()])
        fetch([url], tmp_path / str(number), digest=digest, patience=Patience(stall=0.5, tries=6, pause=0))
        assert (tmp_path / str(number)).read_bytes() == content
    assert threading.active_count() < 40
