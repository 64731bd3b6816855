"""The catalogue, and downloads of its collections into folders for training."""

import gzip
import hashlib
import io
import json
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torchvision
import typer
from rich.console import Console

from impasto.cli import data_get
from impasto.curation import catalogue
from impasto.curation.catalogue import ENTRIES, KNOWN, Download, Entry, find
from impasto.curation.get import Got, HubOptions, default_folder, get, is_there, look_up
from impasto.data.layouts import LAYOUTS, read_collection
from impasto.download import Patience
from impasto.errors import DataError, OutputError
from tests.conftest import picture
from tests.curation import server as http
from tests.curation.server import Server

QUICK = Patience(stall=10.0, tries=2, pause=0.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with http.running() as running:
        yield running


def png(seed: int, width: int = 12, height: int = 10) -> bytes:
    content = io.BytesIO()
    picture(seed, width, height).save(content, "PNG")
    return content.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return content.getvalue()


def entry_of(
    server: Server, name: str, content: bytes, digest: str | None = None, layout: str = "two-domains"
) -> Entry:
    url = server.serve(f"/{name}", content)
    file = Download((url,), None if digest is None else len(content), digest)
    return Entry(name.partition(".")[0], "what", layout, "none", "rights", "cite", server.url, (file,), packed=True)


@pytest.fixture
def monets(server: Server) -> Entry:
    """An entry like those of CycleGAN: a zip that holds one folder."""
    folders = {f"monets/{f}/{n}.png": png(n) for n, f in enumerate(("trainA", "trainB", "testA", "testB"))}
    content = zipped({"monets/": b"", **folders})
    return entry_of(server, "monets.zip", content, "sha256:" + hashlib.sha256(content).hexdigest())


def test_the_catalogue_is_consistent() -> None:
    assert len(KNOWN) == len(ENTRIES)
    for entry in ENTRIES:
        assert find(entry.name) is entry
        assert entry.layout in LAYOUTS
        assert sum([bool(entry.files), entry.hub, entry.by_hand is not None]) == 1
        assert all((entry.what, entry.licence, entry.rights, entry.citation, entry.source.startswith("http")))
        for file in entry.files:
            assert all(re.fullmatch(r"https?://[\w./~-]+", url) and url.endswith("/" + file.name) for url in file.urls)
            assert file.digest is None or re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.digest)
            assert file.digest or all(url.startswith("https:") for url in file.urls), "nothing would tell a forgery"
            assert file.size or file.rough_size
    assert {"monet2photo", "cyclegan-maps", "pix2pix-maps", "edges2shoes", "mnist", "cifar-10"} <= set(KNOWN)


def test_mnist_has_the_hashes_of_torchvision() -> None:
    ours = {file.name: file.digest for file in find("mnist").files}
    assert ours == {name: f"md5:{md5}" for name, md5 in torchvision.datasets.MNIST.resources}
    assert {f"{mirror}{name}" for mirror in torchvision.datasets.MNIST.mirrors for name in ours} <= {
        url for file in find("mnist").files for url in file.urls
    }


def test_unknown_names_are_refused() -> None:
    with pytest.raises(DataError, match=r"monet2foto is neither .* did you mean monet2photo\?"):
        find("monet2foto")
    with pytest.raises(DataError, match="there are two collections maps; use cyclegan-maps or pix2pix-maps"):
        find("maps")
    assert find("somebody/paintings:small").hub
    with pytest.raises(
        DataError, match=r"cityscapes cannot be downloaded: its licence forbids .* register at https://www\."
    ):
        look_up("cityscapes")


@pytest.mark.parametrize(
    ("name", "folder"),
    [("monet2photo", "datasets/monet2photo"), ("huggan/wikiart", "datasets/wikiart"), ("a/b:c", "datasets/b-c")],
)
def test_the_folder_has_the_name_of_the_collection(name: str, folder: str) -> None:
    assert default_folder(find(name)) == Path(folder)


def test_an_archive_becomes_a_folder_for_training(server: Server, monets: Entry, tmp_path: Path) -> None:
    into = tmp_path / "data" / "monets"
    told: list[str] = []
    got = get(monets, into, progress=lambda what, done, total: told.append(what), patience=QUICK)
    assert got == Got(into)
    assert list(dict.fromkeys(told)) == ["fetching monets.zip", "unpacking monets.zip"]
    assert {path.name for path in into.iterdir()} == {"trainA", "trainB", "testA", "testB", ".source.json"}
    assert {path.name for path in into.parent.iterdir()} == {"monets"}
    assert read_collection(into).layout == monets.layout
    note = json.loads((into / ".source.json").read_text())
    assert note == {"name": "monets", "licence": "none", "rights": "rights", "citation": "cite", "source": server.url, "files": [monets.files[0].urls[0]]}  # fmt: skip
    assert get(monets, into, patience=QUICK) == Got(into, was_there=True)
    assert len(server.diary) == 1


def test_a_kept_archive_is_used_again(server: Server, monets: Entry, tmp_path: Path) -> None:
    get(monets, tmp_path / "one", keep_archive=True, patience=QUICK)
    assert (tmp_path / "monets.zip").read_bytes() == server.files["/monets.zip"]
    get(monets, tmp_path / "two", patience=QUICK)
    assert len(server.diary) == 1


def test_an_archive_put_there_by_hand_is_used(server: Server, monets: Entry, tmp_path: Path) -> None:
    content = server.files.pop("/monets.zip")
    with pytest.raises(DataError, match=f"save it as {tmp_path / 'monets.zip'} and run the command again"):
        get(monets, tmp_path / "monets", patience=QUICK)
    (tmp_path / "monets.zip").write_bytes(content)
    assert is_there(monets, get(monets, tmp_path / "monets", patience=QUICK).folder)


def test_side_by_side_pairs_without_a_published_hash(server: Server, tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz") as archive:
        for name in ("shoes/train/1.png", "shoes/train/2.png", "shoes/val/1.png"):
            info = tarfile.TarInfo(name)
            content = png(1, 20, 10)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    entry = entry_of(server, "shoes.tar.gz", plain.getvalue(), layout="side-by-side")
    into = tmp_path / "shoes"
    get(entry, into, patience=QUICK)
    collection = read_collection(into)
    assert (collection.layout, len(collection.of("train")), len(collection.of("test"))) == ("side-by-side", 2, 1)
    digest = f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}"
    assert json.loads((tmp_path / "downloads.json").read_text()) == {"shoes.tar.gz": digest}
    server.files["/shoes.tar.gz"] = gzip.compress(gzip.decompress(plain.getvalue()), 1)
    with pytest.raises(DataError, match="has from its first use"):
        get(entry, tmp_path / "again", patience=QUICK)


def test_an_archive_that_cannot_be_unpacked_is_not_remembered(server: Server, tmp_path: Path) -> None:
    entry = entry_of(server, "evil.zip", zipped({"../evil": b"x"}))
    with pytest.raises(DataError, match="points outside of its folder"):
        get(entry, tmp_path / "evil", patience=QUICK)
    assert {path.name for path in tmp_path.iterdir()} == {"evil.zip"}


def test_an_archive_bomb_is_refused_by_its_size(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.curation.get.EXPANSION", 2)
    monkeypatch.setattr("impasto.curation.get.LEAST_EXPANDED", 1000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000))
    with pytest.raises(DataError, match=r"exceeds the limit of 1,000 unpacked bytes"):
        get(entry_of(server, "bomb.zip", bomb.getvalue()), tmp_path / "bomb", patience=QUICK)


def test_plain_files_are_downloaded_into_the_folder(server: Server, tmp_path: Path) -> None:
    files = []
    for part, count in (("train", 3), ("t10k", 2)):
        images = struct.pack(">HBBIII", 0, 8, 3, count, 4, 4) + random.Random(0).randbytes(count * 16)
        labels = struct.pack(">HBBI", 0, 8, 1, count) + bytes(range(count))
        for name, content in ((f"{part}-images-idx3-ubyte.gz", images), (f"{part}-labels-idx1-ubyte.gz", labels)):
            packed = gzip.compress(content)
            url = server.serve(f"/{name}", packed)
            files.append(Download((url,), len(packed), f"md5:{hashlib.md5(packed).hexdigest()}"))
    entry = replace(find("mnist"), files=tuple(files))
    into = get(entry, tmp_path / "mnist", patience=QUICK).folder
    collection = read_collection(into)
    assert (collection.layout, len(collection.of("train")), len(collection.of("test"))) == ("mnist", 3, 2)
    (into / ".source.json").unlink()
    get(entry, into, patience=QUICK)
    assert len(server.diary) == 4


def test_a_folder_with_other_contents_is_not_changed(server: Server, monets: Entry, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.png").write_bytes(png(1))
    with pytest.raises(OutputError, match="mine exists; remove it or choose another folder"):
        get(monets, tmp_path / "mine", patience=QUICK)
    assert server.diary == []


def test_hub_options_are_for_the_hub_only(monets: Entry, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="monets is downloaded whole; split, limit and short side are for datasets of the hub"
    ):
        get(monets, tmp_path / "monets", options=HubOptions(limit=3))


def test_facts_come_from_the_catalogue_then_the_server(
    server: Server, monets: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(server.files["/monets.zip"])
    unknown = replace(monets, name="unknown", files=(Download(monets.files[0].urls, rough_size=7),))
    gone = replace(monets, name="gone", files=(Download((server.url + "/gone.zip",), rough_size=7),))
    monkeypatch.setattr(catalogue, "KNOWN", {entry.name: entry for entry in (monets, unknown, gone)})
    assert [look_up(name).size for name in ("monets", "unknown", "gone")] == [size, size, 7]
    assert [request.path for request in server.diary] == ["/monets.zip", "/gone.zip"]


def command(name: str, *, into: Path | None = None, limit: int | None = None, yes: bool = False) -> None:
    data_get.get_command(name, into, split=None, limit=limit, size=None, keep_archive=False, yes=yes)


@pytest.fixture
def known(monets: Entry, monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setattr(catalogue, "KNOWN", {"monets": monets})
    return monets


def test_the_list_shows_every_collection(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_get, "console", Console(width=150, highlight=False, soft_wrap=True))
    data_get.list_collections()
    shown = capsys.readouterr().out
    for entry in ENTRIES:
        line = next(line for line in shown.splitlines() if line.startswith(entry.name))
        assert entry.what in line
        assert entry.licence in line
        assert entry.source in shown
    assert re.search(r"monet2photo .* two-domains +305 MB +none stated", shown)
    assert re.search(r"cityscapes .* by hand", shown)


def test_licence_and_size_are_shown_before_the_download(
    known: Entry, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["n\n", "y\n"])
    asking = io.StringIO()
    monkeypatch.setattr(asking, "isatty", lambda: True)
    monkeypatch.setattr(asking, "readline", lambda *_: next(answers))
    monkeypatch.setattr("sys.stdin", asking)
    with pytest.raises(typer.Abort):
        command("monets")
    shown = capsys.readouterr().out
    for word in ("what", "licence none", "rights  rights", "cite    cite", server.url, "datasets/monets", "Fetch it?"):
        assert word in shown
    assert f"size    {data_get.size_in_words(known.files[0].size)}" in shown
    assert server.diary == []
    command("monets")
    assert "datasets/monets is ready" in capsys.readouterr().out
    command("monets")
    assert capsys.readouterr().out == "datasets/monets is there already\n"


def test_an_interrupt_is_reported_and_the_same_command_resumes(
    known: Entry, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    server.script["/monets.zip"] = [http.cut(100)]
    with monkeypatch.context() as patched, pytest.raises(typer.Exit) as stop:
        patched.setattr(data_get._FetchProgress, "show", interrupt)
        command("monets", yes=True)
    assert stop.value.exit_code == 130
    assert "Stopped; what was downloaded is kept, and the same command goes on from there." in capsys.readouterr().err
    kept = Path("datasets/monets.zip.part").stat().st_size
    command("monets", into=Path("datasets/monets"), yes=True)
    assert server.ranges() == [None, f"bytes={kept}-"]


def test_progress_shows_amount_and_speed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 20.0, 21.0, 40.0])
    monkeypatch.setattr(data_get.time, "monotonic", lambda: next(clock))
    with data_get._FetchProgress(data_get.console, "bytes") as progress:
        for done in (1_000_000, 41_000_000, 42_000_000, 81_000_000):
            progress.show("fetching art.zip", done, 100_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "  fetching art.zip: 41 MB of 100 MB, 2.0 MB/s",
        "  fetching art.zip: 81 MB of 100 MB, 2.0 MB/s",
    ]


@pytest.mark.parametrize(
    ("size", "words"),
    [(None, "unknown"), (7, "7 bytes"), (1500, "1.5 kB"), (30_168_306, "30 MB"), (1_476_754_427, "1.5 GB")],
)
def test_sizes_in_words(size: int | None, words: str) -> None:
    assert data_get.size_in_words(size) == words
