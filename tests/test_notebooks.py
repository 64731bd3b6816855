"""Notebooks: the committed one runs, training shows a bar there, and interrupting the kernel saves."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest

import impasto
from impasto.clock import Clock
from impasto.data.atelier_pictures import atelier_folder
from impasto.engine.interrupts import InterruptedTraining
from impasto.notebook.progress import NotebookProgress, StoppedTraining, in_notebook
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))
FACTS = {"data": "7 <b>photos</b>", "device": "cpu", "precision": "fp32", "seed": "0"}
ENDLESS = """
import impasto
small = {"training.images": 10**9, "training.batch_size": 16, "method.width": 4, "method.discriminator_width": 4}
impasto.train("cdcgan-digits", "runs/digits", small)
"""


class Shown:
    """What a notebook shows: each display is a list of what it has shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        display = pytest.importorskip("IPython.display", reason="IPython is not installed")
        self.displays: list[list[Any]] = []
        monkeypatch.setattr(display, "display", self._display)

    def _display(self, thing: Any, display_id: bool) -> Any:
        assert display_id
        updates = [thing]
        self.displays.append(updates)
        return SimpleNamespace(update=updates.append)

    @property
    def bars(self) -> list[str]:
        return [thing.data for thing in self.displays[0]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(monkeypatch)


def begun(clock: Clock) -> NotebookProgress:
    progress = NotebookProgress()
    progress.started(load_recipe("cdcgan-digits"), RunFolder(Path("runs/<i>")), clock, FACTS, {})
    return progress


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that sets the time, in seconds."""
    times = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: times[0])
    return lambda seconds: times.__setitem__(0, seconds)


def test_the_bar_tells_how_far_how_fast_and_how_long(shown: Shown, now: Callable[[float], None]) -> None:
    clock = Clock(10_000, 2_000)
    progress = begun(clock)
    assert "2,000 of 10,000 images\n" in shown.bars[0], "no rate before the first step"
    now(10)
    clock.advance(1_000)
    progress.stepped(clock, {"generator/loss": 0.69314, "discriminator/loss": 12345.6})
    assert "3,000 of 10,000 images, 100 images/s, 1 min 10 s left" in shown.bars[-1]
    assert 'value="3000" max="10000"' in shown.bars[-1]
    assert "generator/loss <b>0.6931</b>, discriminator/loss <b>12,346</b>" in shown.bars[-1]
    now(20)
    clock.advance(7_000)
    progress.stepped(clock, None)
    assert "10,000 of 10,000 images, 400 images/s, finished in 20 s" in shown.bars[-1]
    assert "generator/loss" in shown.bars[-1], "losses stay until there are new ones"


def test_the_bar_moves_twice_a_second_and_notes_and_alarms_appear_at_once(
    shown: Shown, now: Callable[[float], None]
) -> None:
    clock = Clock(1_000)
    progress = begun(clock)
    for step in range(1, 21):
        now(0.1 * step)
        clock.advance(10)
        progress.stepped(clock, None)
    assert len(shown.bars) == 1 + 3
    progress.noted("few <pictures>")
    progress.alarmed(clock, "all alike")
    progress.measured(clock, {"fid": 31.24159})
    assert "note: few &lt;pictures&gt;" in shown.bars[-3]
    assert "alarm at 200 images: all alike" in shown.bars[-2]
    assert "fid <b>31.24</b>" in shown.bars[-1]
    assert "7 &lt;b&gt;photos&lt;/b&gt;" in shown.bars[-1]
    assert "runs/&lt;i&gt;" in shown.bars[-1]


def test_each_sample_sheet_takes_the_place_of_the_one_before(shown: Shown, tmp_path: Path) -> None:
    settings = {
        "training.images": 96,
        "training.batch_size": 32,
        "method.width": 4,
        "method.discriminator_width": 4,
        "every.samples": 64,
    }
    run = impasto.train("cdcgan-digits", tmp_path / "run", settings, listener=NotebookProgress())
    _, sheets = shown.displays
    assert [sheet.data for sheet in sheets[1:]] == [path.read_bytes() for path in run.samples]
    assert len(run.samples) == 3
    assert "finished in" in shown.bars[-1]


def test_a_notebook_gets_the_bar_and_a_stop_in_one_line(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped_train(recipe: Any, folder: Path, listener: NotebookProgress, **_: Any) -> None:
        listener.started(recipe, RunFolder(folder), Clock(recipe.training.images, 640), FACTS, {})
        raise InterruptedTraining(2, 640)

    monkeypatch.setattr("impasto.notebook.training.in_notebook", lambda: True)
    monkeypatch.setattr("impasto.notebook.training.train_recipe", stopped_train)
    with pytest.raises(StoppedTraining, match="stopped by SIGINT at 640 images") as stop:
        impasto.train("cdcgan-digits")
    assert stop.value._render_traceback_() == [
        "Training stopped at 640 images. Everything is saved; run the cell again to go on."
    ]
    assert "640 of 96,000 images, stopped, everything is saved" in shown.bars[-1]
    with pytest.raises(impasto.ImpastoError, match=r"training\.devices: a notebook trains in one process"):
        impasto.train("cdcgan-digits", settings=["training.devices=2"])


def test_a_program_without_a_kernel_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not in_notebook(), "IPython in a terminal"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    """A Python kernel that works in the test's own folder: (manager, client)."""
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    manager_module = pytest.importorskip("jupyter_client.manager", reason="jupyter_client is not installed")
    manager, client = manager_module.start_new_kernel(cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_interrupting_the_kernel_finishes_the_step_and_saves(kernel: Any, tmp_path: Path) -> None:
    manager, client = kernel
    request = client.execute(ENDLESS)
    _wait_until_shown(client, "images/s")
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=60)
    assert reply["parent_header"]["msg_id"] == request
    assert reply["content"]["ename"] == "StoppedTraining"
    (line,) = reply["content"]["traceback"]
    run = impasto.open_run(tmp_path / "runs" / "digits")
    assert line == f"Training stopped at {run.images_seen:,} images. Everything is saved; run the cell again to go on."
    assert 0 < run.images_seen < run.recipe.training.images
    _wait_until_shown(client, "stopped, everything is saved")
    assert client.execute_interactive("print('still alive')", timeout=60)["content"]["status"] == "ok"


def _wait_until_shown(client: Any, text: str) -> None:
    """Read what the kernel shows until the text is in it."""
    seen: list[str] = []
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        try:
            seen.append(json.dumps(client.get_iopub_msg(timeout=5)["content"]))
        except Empty:
            continue
        if text in seen[-1]:
            return
    pytest.fail(f"the kernel never showed {text!r}, but {seen[-3:]}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path, tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are committed without outputs"
    atelier_folder()  # rendered once, not by the kernel
    nbclient.NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") >= 5, "paintings, grids and the sample sheet"
    assert kinds.count("image/svg+xml") == 1, "the loss"
    assert "finished in" in json.dumps(outputs)


def test_there_is_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first-steps"]
