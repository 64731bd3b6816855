from pathlib import Path

import pytest

pytest.importorskip("tensorboard")

from impasto.engine.event_file import EventFile


def test_tensorboard_reads_what_we_write_and_drops_what_was_lost(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    first = EventFile(tmp_path, images_seen=0)
    for seen in (10, 20, 30):
        first.scalars({"cycle": seen / 10}, seen)
    first.close()
    resumed = EventFile(tmp_path, images_seen=20)
    resumed.scalars({"cycle": 9.0}, 30)
    resumed.picture(b"png", 3, 4, 30)
    resumed.close()
    found = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0, "images": 0}).Reload()
    assert [(e.step, e.value) for e in found.Scalars("cycle")] == [(10, 1.0), (20, 2.0), (30, 9.0)]
    assert found.Images("samples")[0].encoded_image_string == b"png"
