from pathlib import Path

import pytest

from impasto.errors import OutputError
from impasto.files import make_folder, replacing, replacing_folder, write_text


def test_a_failure_keeps_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    target = tmp_path / "journal.txt"
    write_text(target, "old")
    with pytest.raises(KeyError), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_appears_completely_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "checkpoint"
    with pytest.raises(KeyError), replacing_folder(target) as temporary:
        (temporary / "weights").write_text("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with replacing_folder(target) as temporary:
        (temporary / "weights").write_text("whole")
        assert not target.exists()
    assert (target / "weights").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_the_error_for_an_unwritable_path_has_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        OutputError, match=r"file/sub cannot be written \(.*\); free some space or choose another folder"
    ):
        make_folder(tmp_path / "file" / "sub")
    with pytest.raises(OutputError, match="cannot be written"), replacing(tmp_path / "full") as temporary:
        temporary.symlink_to("/dev/full")
        temporary.write_text("x" * 10_000)
