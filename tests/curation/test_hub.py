"""Datasets of the Hugging Face hub, streamed by the real libraries from a local imitation."""

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("datasets", reason="the hub's library is not installed: pip install 'impasto[hub]'")

import datasets
import huggingface_hub
import pyarrow.parquet

from impasto.cli import data_get
from impasto.curation.catalogue import find
from impasto.curation.get import Got, HubOptions, get
from impasto.curation.hub import HubFacts, HubOutcome, hub_facts, hub_to_folder
from impasto.data.layouts import read_collection
from impasto.errors import DataError, OutputError
from tests.conftest import picture
from tests.curation import hub_server
from tests.curation.hub_server import REVISION, Hub

STYLES = ["Cubism", "Pop_Art"]
FEATURES = datasets.Features(
    {
        "image": datasets.Image(),
        "style": datasets.ClassLabel(names=STYLES),
        "title": datasets.Value("string"),
        "year": datasets.Value("int32"),
        "filename": datasets.Value("string"),
        "score": datasets.Value("float32"),
    }
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("hub")
    with hub_server.running() as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "ENDPOINT", running.url)
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home / "hub"))
        patch.setattr(datasets.config, "HF_ENDPOINT", running.url)
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
        patch.setattr(datasets.config, "STREAMING_READ_MAX_RETRIES", 1)
        patch.setattr(datasets.config, "STREAMING_READ_RETRY_INTERVAL", 0)
        yield running
        huggingface_hub.close_session()


@pytest.fixture
def art(hub: Hub, request: pytest.FixtureRequest) -> str:
    """A separate dataset for each test: 8 training rows in two files, 2 test rows."""
    name = f"museum/{request.node.name.partition('[')[0]}"
    files = {"README.md": b"---\nlicense: cc0-1.0\n---\n"}
    for number, count in enumerate((5, 3)):
        files[f"data/train-0000{number}-of-00002.parquet"] = parquet(rows(10 * number, count))
    files["data/test-00000-of-00001.parquet"] = parquet(rows(50, 2))
    hub.repositories[name] = files
    hub.licences[name] = "cc0-1.0"
    return name


def encoded(seed: int, kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    content = io.BytesIO()
    picture(seed, *size).save(content, kind)
    return content.getvalue()


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "image": {"bytes": encoded(number, "JPEG" if number % 2 else "PNG"), "path": f"{number}"},
            "style": number % 2,
            "title": f"Number {number}, «Ölbild»",
            "year": 1900 + number,
            "filename": f"{number}.jpeg",
            "score": 0.5,
        }
        for number in range(first, first + count)
    ]


def parquet(content: list[dict[str, Any]], features: datasets.Features = FEATURES) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(datasets.Dataset.from_list(content, features=features).data.table, file)
    return file.getvalue()


def table(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_dataset_becomes_a_folder_with_its_labels(art: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    into = tmp_path / "art"
    outcome = hub_to_folder(art, into, progress=lambda done, total: told.append((done, total)))
    assert outcome == HubOutcome(into, 10, 0)
    assert [done for done, _ in told] == list(range(1, 11))
    lines = table(into)
    assert lines[1] == {
        "file_name": "train-000001.jpg",
        "split": "train",
        "style": "Pop_Art",
        "title": "Number 1, «Ölbild»",
        "year": "1901",
        "filename_": "1.jpeg",
    }
    for line, row in zip(lines, rows(0, 5) + rows(10, 3) + rows(50, 2), strict=True):
        assert (into / line["file_name"]).read_bytes() == row["image"]["bytes"]
        assert line["title"] == row["title"]
    assert set(tree(into)) == {line["file_name"] for line in lines} | {"metadata.jsonl", ".hub.json"}
    collection = read_collection(into)
    assert (collection.layout, len(collection.of("train")), len(collection.of("test"))) == ("plain", 8, 2)
    assert collection.histogram("style") == Counter(Cubism=6, Pop_Art=4)


def test_one_split_a_few_rows_and_more_later(art: str, hub: Hub, tmp_path: Path) -> None:
    into = tmp_path / "art"
    told: list[tuple[int, int | None]] = []
    assert hub_to_folder(art, into, split="train", limit=3).pictures == 3
    assert hub_to_folder(art, into, split="train", limit=7, progress=lambda d, t: told.append((d, t))).pictures == 7
    assert [done for done, _ in told] == [4, 5, 6, 7]
    whole = hub_to_folder(art, tmp_path / "whole", split="train")
    assert table(into) == table(whole.folder)[:7]
    before = len(hub.diary)
    assert hub_to_folder(art, into, split="train", limit=5).pictures == 7
    assert hub_to_folder(art, whole.folder, split="train").pictures == 8
    assert len(hub.diary) == before
    assert hub_to_folder(art, into).pictures == 10
    assert {line["file_name"] for line in table(into)} == set(tree(into)) - {"metadata.jsonl", ".hub.json"}


@pytest.mark.parametrize("stop_at", [1, 5, 9])
def test_an_interrupted_call_resumes(art: str, tmp_path: Path, stop_at: int) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done == stop_at:
            raise KeyboardInterrupt

    into = tmp_path / "art"
    with pytest.raises(KeyboardInterrupt):
        hub_to_folder(art, into, progress=interrupt)
    assert not (into / "metadata.jsonl").exists()
    with (into / "metadata.jsonl.part").open("a") as part:
        part.write('{"file_name": "train-00')  # the power failed
    told: list[int] = []
    hub_to_folder(art, into, progress=lambda done, total: told.append(done))
    assert told == list(range(stop_at + 1, 11))
    whole = hub_to_folder(art, tmp_path / "whole").folder
    assert {n: c for n, c in tree(into).items() if n != ".hub.json"} == {
        n: c for n, c in tree(whole).items() if n != ".hub.json"
    }


def test_large_pictures_are_shrunk_and_broken_ones_counted(hub: Hub, tmp_path: Path) -> None:
    large, small, webp = encoded(1, "JPEG", (300, 200)), encoded(2, "PNG", (50, 90)), encoded(3, "WEBP", (200, 120))
    broken = [large[:400], b"no picture", b"", None]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=STYLES)})
    contents = [large, small, webp, *broken, encoded(4, "BMP", (100, 100))]
    content = [{"image": None if c is None else {"bytes": c, "path": None}, "label": -1} for c in contents]
    hub.repositories["museum/large"] = {"train.parquet": parquet(content, features)}
    into = tmp_path / "art"
    assert hub_to_folder("museum/large", into, short_side=60) == HubOutcome(into, 4, 4)
    sizes = {}
    for line in table(into):
        assert "label" not in line
        with Image.open(into / line["file_name"]) as opened:
            sizes[line["file_name"]] = (opened.format, *opened.size)
    assert sizes == {
        "train-000000.jpg": ("JPEG", 90, 60),
        "train-000001.png": ("PNG", 50, 90),
        "train-000002.webp": ("WEBP", 100, 60),
        "train-000007.png": ("PNG", 60, 60),
    }
    assert (into / "train-000001.png").read_bytes() == small
    assert not list(into.glob(".scratch*"))
    assert hub_to_folder("museum/large", tmp_path / "as-is").pictures == 5  # half a JPEG still begins as one


def test_two_columns_of_pictures_become_pairs(hub: Hub, tmp_path: Path) -> None:
    features = datasets.Features(
        {"edges": datasets.Image(), "kind": datasets.Value("string"), "photo": datasets.Image()}
    )
    content = [{"edges": {"bytes": encoded(n, "PNG"), "path": None}, "kind": f"k{n}", "photo": {"bytes": encoded(n + 9, "JPEG"), "path": None}} for n in range(3)]  # fmt: skip
    hub.repositories["museum/pairs"] = {"train.parquet": parquet(content, features)}
    into = hub_to_folder("museum/pairs", tmp_path / "pairs").folder
    assert {path.name for path in (into / "B").iterdir()} == {f"train-00000{n}.jpg" for n in range(3)}
    collection = read_collection(into)
    assert collection.layout == "paired-folders"
    assert [item.labels["kind"] for item in collection.items] == ["k0", "k1", "k2"]


def test_picture_files_are_read_from_the_hub_but_never_from_this_machine(hub: Hub, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded(1, "PNG"))
    hub.repositories["museum/files"] = {f"train/{kind}/{n}.png": encoded(n, "PNG") for kind in STYLES for n in (1, 2)}
    into = hub_to_folder("museum/files", tmp_path / "files").folder
    assert Counter(line["label"] for line in table(into)) == {"Cubism": 2, "Pop_Art": 2}
    assert set(tree(into).values()) >= {encoded(1, "PNG"), encoded(2, "PNG")}
    features = datasets.Features({"image": datasets.Image()})
    content = [
        {"image": {"bytes": None, "path": path}} for path in (str(secret), secret.as_uri(), "hf://x::file:///etc")
    ]
    hub.repositories["museum/thief"] = {"train.parquet": parquet(content, features)}
    assert hub_to_folder("museum/thief", tmp_path / "thief") == HubOutcome(tmp_path / "thief", 0, 3)


def test_splits_of_other_names_become_an_attribute(hub: Hub, tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image()})
    content = parquet([{"image": {"bytes": encoded(1, "PNG"), "path": None}}], features)
    readme = "---\nconfigs:\n- config_name: {0}\n  data_files:\n  - split: painted\n    path: {0}/*.parquet\n"
    hub.repositories["museum/odd"] = {"README.md": (readme.format("one") + "---\n").encode(), "one/x.parquet": content}
    assert table(hub_to_folder("museum/odd", tmp_path / "odd").folder) == [
        {"file_name": "painted-000000.png", "hub_split": "painted"}
    ]
    two = readme.format("one") + readme.format("two").removeprefix("---\nconfigs:\n") + "---\n"
    hub.repositories["museum/two"] = {"README.md": two.encode(), "one/x.parquet": content, "two/x.parquet": content}
    with pytest.raises(
        DataError, match=r"museum/two cannot be opened \(Config name is missing.*OWNER/NAME:CONFIGURATION"
    ):
        hub_to_folder("museum/two", tmp_path / "two")
    assert hub_to_folder("museum/two:two", tmp_path / "two").pictures == 1


def test_unavailable_datasets_give_one_clear_sentence(art: str, hub: Hub, tmp_path: Path) -> None:
    into = tmp_path / "art"
    with pytest.raises(DataError, match=rf"{art} has no split 'trian'; did you mean train\?"):
        hub_to_folder(art, into, split="trian")
    with pytest.raises(
        DataError, match="the Hugging Face hub does not give access to museum/none; check its spelling, or request"
    ):
        hub_to_folder("museum/none", into)
    with pytest.raises(DataError, match=r"museum//x is not the name of a dataset; use OWNER/NAME"):
        hub_to_folder("museum//x", into)
    words = datasets.Features({"text": datasets.Value("string")})
    hub.repositories["museum/words"] = {"train.parquet": parquet([{"text": "x"}], words)}
    with pytest.raises(DataError, match="museum/words has no column of pictures, only text; use another dataset"):
        hub_to_folder("museum/words", into)
    hub.repositories["museum/empty"] = {"README.md": b"nothing"}
    with pytest.raises(DataError, match="museum/empty cannot be read as pictures"):
        hub_to_folder("museum/empty", into)
    hub.repositories["museum/damaged"] = {"train.parquet": b"PAR1" + b"x" * 100 + b"PAR1"}
    with pytest.raises(DataError, match="museum/damaged cannot be"):
        hub_to_folder("museum/damaged", into)
    assert not into.exists()


def test_a_dataset_that_needs_code_of_its_own_is_refused(hub: Hub, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
    hub.repositories["museum/script"] = {"script.py": trap.encode(), "x.png": encoded(1, "PNG")}
    with pytest.raises(DataError, match=r"museum/script cannot be opened \(Dataset scripts are no longer supported"):
        hub_to_folder("museum/script", tmp_path / "art")
    assert not (tmp_path / "ran").exists()


def test_a_folder_with_other_contents_is_not_changed(art: str, tmp_path: Path) -> None:
    into = hub_to_folder(art, tmp_path / "art", limit=1).folder
    with pytest.raises(OutputError, match=rf"art was begun with {art} in original size; use the same"):
        hub_to_folder(art, into, short_side=64)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.png").write_bytes(b"")
    with pytest.raises(OutputError, match="mine exists; remove it or choose another folder"):
        hub_to_folder(art, tmp_path / "mine")
    (into / ".hub.json").write_text("{}")
    with pytest.raises(OutputError, match=r"\.hub\.json is damaged; remove .*art and run the command again"):
        hub_to_folder(art, into)


def test_a_table_with_missing_rows_is_refused(art: str, tmp_path: Path) -> None:
    into = hub_to_folder(art, tmp_path / "art", limit=1).folder
    (into / "metadata.jsonl").write_text("")
    with pytest.raises(OutputError, match=r"metadata\.jsonl\.part is damaged; remove .*art and run the command again"):
        hub_to_folder(art, into)


def test_an_unreachable_hub_is_reported_and_resumed_from(
    art: str, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_server.running() as gone:
        pass
    with monkeypatch.context() as patched:
        patched.setattr(huggingface_hub.constants, "ENDPOINT", gone.url)
        with pytest.raises(
            DataError, match=rf"the Hugging Face hub cannot be reached for {art} \(.*same command again later"
        ):
            hub_facts(art)
    with pytest.raises(DataError, match="cannot be reached"):
        hub_to_folder(art, tmp_path / "art", progress=lambda done, total: hub.repositories[art].clear())
    del hub.repositories[art]


def test_facts_and_the_command(art: str, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = sum(map(len, hub.repositories[art].values()))
    assert hub_facts(art) == HubFacts(REVISION, "cc0-1.0", size)
    into = tmp_path / "art"
    assert get(find(art), into, options=HubOptions("test", 1, 20)) == Got(into, pictures=1)
    assert get(find(art), into, options=HubOptions("test", 1, 20)) == Got(into, was_there=True, pictures=1)
    data_get.get_command(art, None, split=None, limit=2, size=None, keep_archive=False, yes=True)
    shown = capsys.readouterr().out
    assert "licence cc0-1.0" in shown
    assert f"size    {data_get.size_in_words(size)}" in shown
    assert f"datasets/{art.partition('/')[2]} is ready with 4 pictures" in shown


def test_without_the_library_the_message_names_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"library that is not installed: pip install 'impasto\[hub\]'"):
        hub_to_folder("museum/art", tmp_path / "art")
