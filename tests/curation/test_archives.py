"""Archives are unpacked completely or not at all, and never outside of the target folder."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from impasto.curation.archives import Limits, extract
from impasto.errors import DataError, ImpastoError, OutputError

FILES = {"a/one.txt": b"one", "a/b/two.bin": bytes(range(256)) * 20, "three.txt": b"", "ümlaut und raum.txt": b"3"}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}
Entry = tuple[tarfile.TarInfo, bytes]


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, entries: list[Entry], pack: Callable[[bytes], bytes] = bytes) -> Path:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(pack(plain.getvalue()))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        return zip_of(path, files)
    suffix = next(suffix for suffix in PACKERS if path.name.endswith(suffix))
    return tar_of(path, [(member(name), content) for name, content in files.items()], PACKERS[suffix])


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if not p.is_dir()}


@pytest.mark.parametrize("suffix", [".zip", *PACKERS])
def test_every_kind_of_archive_is_unpacked_with_progress(tmp_path: Path, suffix: str) -> None:
    archive = archive_of(tmp_path / f"art{suffix}", FILES)
    told: list[tuple[int, int]] = []
    into = tmp_path / "new" / "art"
    assert extract(archive, into, progress=lambda done, total: told.append((done, total))) == into
    assert tree(into) == FILES
    size = archive.stat().st_size
    assert told
    assert all(0 < done <= size and total == size for done, total in told)
    assert {path.name for path in into.parent.iterdir()} == {"art"}


def test_the_first_bytes_give_the_format_of_an_archive(tmp_path: Path) -> None:
    misnamed = archive_of(tmp_path / "art.tar.gz", FILES).rename(tmp_path / "art.zip")
    assert tree(extract(misnamed, tmp_path / "art")) == FILES
    (tmp_path / "page.zip").write_text("<!DOCTYPE html><html>")
    with pytest.raises(
        DataError, match=r"page\.zip is not a zip or tar archive but a web page; remove it and download"
    ):
        extract(tmp_path / "page.zip", tmp_path / "page")
    (tmp_path / "noise.zip").write_bytes(b"noise" * 200)
    with pytest.raises(DataError, match=r"noise\.zip is not a zip or tar archive but something else"):
        extract(tmp_path / "noise.zip", tmp_path / "noise")
    with pytest.raises(DataError, match=r"none\.zip cannot be read \(No such file or directory\); check the path"):
        extract(tmp_path / "none.zip", tmp_path / "none")


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/evil", "is an absolute path"),
        ("//evil", "is an absolute path"),
        ("C:/evil", "is an absolute path"),
        ("c:evil", "is an absolute path"),
        ("../evil", "points outside of its folder"),
        ("a/../../evil", "points outside of its folder"),
        ("a/b/..", "points outside of its folder"),
        ("..\\evil", "has a backslash or a control character"),
        ("\\\\host\\share\\evil", "has a backslash or a control character"),
        ("a\nb", "has a backslash or a control character"),
        ("a\x1b[2J", "has a backslash or a control character"),
        ("./.", "is a file without a name"),
        ("a/" * 40 + "deep", "has a name that is too long"),
        ("x" * 300, "has a name that is too long"),
        ("é" * 150, "has a name that is too long"),
    ],
)
def test_names_that_point_elsewhere_are_refused(tmp_path: Path, suffix: str, name: str, why: str) -> None:
    archive = archive_of(tmp_path / f"art{suffix}", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(DataError) as told:
        extract(archive, tmp_path / "w" / "art")
    shown = repr(name if len(name) <= 100 else name[:100] + "...")
    assert f"art{suffix} is not unpacked: its member {shown} {why}" in str(told.value)
    assert str(told.value).isprintable()
    assert list((tmp_path / "w").iterdir()) == []


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (member("l", tarfile.SYMTYPE, "/etc"), "is a symbolic link"),
        (member("l", tarfile.LNKTYPE, "good.txt"), "is a hard link"),
        (member("l", tarfile.CHRTYPE), "is a device or pipe"),
        (member("l", tarfile.BLKTYPE), "is a device or pipe"),
        (member("l", tarfile.FIFOTYPE), "is a device or pipe"),
        (member("l", b"Z"), "has a type that is not supported"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, info: tarfile.TarInfo, why: str) -> None:
    archive = tar_of(tmp_path / "art.tar", [(member("good.txt"), b"good"), (info, b"")])
    with pytest.raises(DataError, match=f"its member 'l' {why}"):
        extract(archive, tmp_path / "art")
    assert not (tmp_path / "art").exists()


@pytest.mark.parametrize(
    ("mode", "why"),
    [(stat.S_IFLNK, "is a symbolic link"), (stat.S_IFIFO, "is a device"), (stat.S_IFCHR, "is a device")],
)
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int, why: str) -> None:
    info = zipfile.ZipInfo("l")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "art.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(DataError, match=f"its member 'l' {why}"):
        extract(tmp_path / "art.zip", tmp_path / "art")


def test_a_link_cannot_redirect_later_members(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    entries = [(member("sub", tarfile.SYMTYPE, "../outside"), b""), (member("sub/evil"), b"evil")]
    with pytest.raises(DataError, match="is a symbolic link"):
        extract(tar_of(tmp_path / "art.tar", entries), tmp_path / "art")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a"), ("a//b", "a/b")])
def test_duplicate_names_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    tar = tar_of(tmp_path / "art.tar", [(member(name), b"x") for name in names])
    with zipfile.ZipFile(tmp_path / "art.zip", "w") as packed:
        for name in names:
            packed.writestr(name, b"x")
    for archive in (tar, tmp_path / "art.zip"):
        with pytest.raises(DataError, match=f"its member '{names[1]}' exists twice, or both as a file and as a folder"):
            extract(archive, tmp_path / "art")
        assert not (tmp_path / "art").exists()


def test_folders_can_be_repeated_and_modes_are_plain(tmp_path: Path) -> None:
    program = member("a/run.sh")
    program.mode = 0o6777
    entries = [(member("./", tarfile.DIRTYPE), b""), (member("a", tarfile.DIRTYPE), b""), (program, b"#!"), (member("a/", tarfile.DIRTYPE), b"")]  # fmt: skip
    entries[1][0].mode = 0o7000
    into = extract(tar_of(tmp_path / "art.tar", entries), tmp_path / "art")
    assert tree(into) == {"a/run.sh": b"#!"}
    assert stat.S_IMODE((into / "a/run.sh").stat().st_mode) & 0o7111 == 0
    assert stat.S_IMODE((into / "a").stat().st_mode) & 0o7000 == 0
    assert os.access(into / "a", os.R_OK | os.X_OK)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_limits_are_counted_while_writing(tmp_path: Path, suffix: str) -> None:
    many = archive_of(tmp_path / f"many{suffix}", {f"{n}.txt": b"" for n in range(5)})
    assert len(tree(extract(many, tmp_path / "five", limits=Limits(files=5)))) == 5
    with pytest.raises(DataError, match=r"its member '4.txt' exceeds the limit of 4 files"):
        extract(many, tmp_path / "many", limits=Limits(files=4))
    large = archive_of(tmp_path / f"large{suffix}", {"a": bytes(600_000), "b": bytes(600_000)})
    assert large.stat().st_size < 10_000
    extract(large, tmp_path / "whole", limits=Limits(bytes=1_200_000))
    with pytest.raises(DataError, match=r"its member 'b' exceeds the limit of 1,199,999 unpacked bytes"):
        extract(large, tmp_path / "large", limits=Limits(bytes=1_199_999))
    assert not (tmp_path / "large").exists()


def test_a_zip_with_wrong_sizes_cannot_exceed_the_limit(tmp_path: Path) -> None:
    content = zip_of(tmp_path / "art.zip", {"a": bytes(2_000_000)}).read_bytes()
    true, lie = struct.pack("<I", 2_000_000), struct.pack("<I", 10)
    assert content.count(true) == 2
    (tmp_path / "art.zip").write_bytes(content.replace(true, lie))
    with pytest.raises(DataError, match="damaged or cut off"):
        extract(tmp_path / "art.zip", tmp_path / "art", limits=Limits(bytes=1000))
    assert not (tmp_path / "art").exists()


def test_a_tar_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    header = member("pax", tarfile.XHDTYPE)
    header.size = 1 << 33
    block = header.tobuf(format=tarfile.GNU_FORMAT)
    (tmp_path / "art.tar").write_bytes(block + bytes(4096))
    with pytest.raises(DataError, match=r"damaged or cut off \(a header of 8,589,934,592 bytes\)"):
        extract(tmp_path / "art.tar", tmp_path / "art")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of(tmp_path / "art.zip", {"secret": b"x"}).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    (tmp_path / "art.zip").write_bytes(content)
    with pytest.raises(DataError, match="its member 'secret' is encrypted"):
        extract(tmp_path / "art.zip", tmp_path / "art")


@pytest.mark.parametrize("suffix", [".zip", *PACKERS])
def test_an_archive_cut_anywhere_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    whole = archive_of(tmp_path / f"art{suffix}", FILES | {"noise": os.urandom(3000)}).read_bytes()
    end = len(whole.rstrip(b"\0")) if suffix == ".tar" else len(whole)  # zeros at a tar's end may be missing
    for length in range(1, end, max(1, end // 15)):
        (tmp_path / f"cut{suffix}").write_bytes(whole[:length])
        with pytest.raises(DataError, match="remove it and download it again"):
            extract(tmp_path / f"cut{suffix}", tmp_path / "art")
    assert {path.name for path in tmp_path.iterdir()} == {f"art{suffix}", f"cut{suffix}"}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_changed_byte_is_noticed(tmp_path: Path, suffix: str) -> None:
    content = {"noise": os.urandom(2000)}
    whole = archive_of(tmp_path / f"art{suffix}", content).read_bytes()
    for place in range(100, 1900, 60):
        (tmp_path / f"art{suffix}").write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(DataError):
            extract(tmp_path / f"art{suffix}", tmp_path / "art")


def test_a_single_folder_can_be_unwrapped(tmp_path: Path) -> None:
    wrapped = zip_of(tmp_path / "art.zip", {"art/art/x": b"1", "art/.unwrapped/y": b"2", "art/z": b"3"})
    plain = extract(wrapped, tmp_path / "plain")
    assert set(tree(plain)) == {"art/art/x", "art/.unwrapped/y", "art/z"}
    bare = extract(wrapped, tmp_path / "bare", unwrap=True)
    assert tree(bare) == {"art/x": b"1", ".unwrapped/y": b"2", "z": b"3"}
    two = zip_of(tmp_path / "two.zip", {"a/x": b"1", "b/y": b"2"})
    assert set(tree(extract(two, tmp_path / "two", unwrap=True))) == {"a/x", "b/y"}


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "art.zip", FILES)
    (tmp_path / "art").mkdir()
    extract(archive, tmp_path / "art")
    with pytest.raises(OutputError, match="art exists; remove it or choose another folder"):
        extract(archive, tmp_path / "art")
    with pytest.raises(OutputError, match=r"art\.zip exists"):
        extract(archive, archive)
    assert tree(tmp_path / "art") == FILES


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(zip_of(tmp_path / "art.zip", FILES), tmp_path / "w" / "art", progress=interrupt)
    assert list((tmp_path / "w").iterdir()) == []


NAMES = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["a", "A", "b", "..", ".", "", " ", "C:", "\\", "..\\..", "é", "e\u0301", "\x00", "~", "CON"]),
        max_size=6,
    ).map("/".join),
)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=6), st.booleans())
@example([("../" * 20 + "tmp/evil", b"")], False)
@example([("a/", b""), ("a", b"x")], True)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_is_written_outside_whatever_the_names(
    tmp_path: Path, members: list[tuple[str, bytes]], zipped: bool
) -> None:
    room = tmp_path / "room"
    room.mkdir(exist_ok=True)
    archive = tmp_path / "any"
    try:
        if zipped:
            with zipfile.ZipFile(archive, "w") as packed:
                for name, content in members:
                    info = zipfile.ZipInfo("x")
                    info.filename = name  # what ZipInfo itself would have cleaned
                    packed.writestr(info, content)
        else:
            tar_of(archive, [(member(name), content) for name, content in members])
    except (UnicodeEncodeError, ValueError, struct.error):
        return  # such a name cannot be put into an archive
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path != room}
    try:
        into = extract(archive, room / "deep" / "art", unwrap=zipped)
    except ImpastoError:
        assert not (room / "deep" / "art").exists()
    else:
        kept = [path for path in into.rglob("*") if not path.is_dir()]
        assert sorted(path.read_bytes() for path in kept) == sorted(c for n, c in members if not n.endswith("/"))
        assert all(path.resolve().is_relative_to(into.resolve()) and not path.is_symlink() for path in kept)
    assert {path.name for path in room.iterdir()} <= {"deep"}
    if (room / "deep").exists():
        assert {path.name for path in (room / "deep").iterdir()} <= {"art"}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path != room} == before
    for path in sorted(room.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
