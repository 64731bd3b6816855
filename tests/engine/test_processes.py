"""Runs in processes of their own: signals, kill -9, a full disk, two devices."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from impasto.engine.train import train
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import assert_same_checkpoint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

SLOW_STEPS = ["training.images=120", "every.checkpoint=3", "every.samples=1000"]


def environment() -> dict[str, str]:
    """As for a user, without torchmetrics: Fabric imports it whole, which takes seconds in every process."""
    hidden = Path("hidden")
    hidden.mkdir(exist_ok=True)
    (hidden / "torchmetrics.py").write_text("raise ImportError")
    places = [str(hidden.absolute()), *sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}


def start(
    recipe: Path, *overrides: str, run: str = "run", limit: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "impasto", "train", str(recipe), *overrides, "--run", run]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), preexec_fn=limit
    )  # fmt: skip


def wait_for_images(process: subprocess.Popen[str], run: RunFolder, images: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(entry["images_seen"] >= images for entry in run.journal()):
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    pytest.fail("training did not start")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_prints_how_to_resume_and_sets_the_exit_code(
    number: signal.Signals, code: int, tiny_recipe: Path
) -> None:
    process = start(tiny_recipe, "training.images=100000", "every.checkpoint=100000")
    run = RunFolder(Path("run"))
    wait_for_images(process, run, 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err == ""
    latest = run.latest()
    assert latest is not None
    assert f"Stopped at {int(latest.name):,} of 100,000 images; everything is saved." in out
    assert f"Go on with: impasto train {tiny_recipe} training.images=100000 every.checkpoint=100000 --run run" in out
    assert max(entry["images_seen"] for entry in run.journal()) == int(latest.name)


def test_kill_9_at_any_moment_never_costs_a_checkpoint(tiny_recipe: Path) -> None:
    whole = train(load_recipe(tiny_recipe, SLOW_STEPS), Path("whole"))
    run = RunFolder(Path("run"))
    chance = random.Random(4)
    safe = 0
    for kill in range(3):
        process = start(tiny_recipe, *SLOW_STEPS)
        wait_for_images(process, run, safe + 4 + kill)
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.communicate()
        latest = run.latest()
        assert latest is not None
        assert sorted(p.name for p in latest.iterdir()) == ["recipe.yaml", "training.pt", "weights.safetensors"]
        reached = torch.load(latest / "training.pt", weights_only=True)["images_seen"]
        assert reached == int(latest.name) >= safe
        seen = [entry["images_seen"] for entry in run.journal()]
        assert max(seen) - reached <= 3 + 1, "no more than an interval's images are lost"
        safe = reached
    resumed = train(load_recipe(tiny_recipe, SLOW_STEPS), Path("run"))
    assert_same_checkpoint(whole, resumed)
    assert not list(run.checkpoints.glob(".*")), "half-written folders are cleared away"


def test_a_full_disk_gives_one_sentence_and_costs_no_checkpoint(tiny_recipe: Path) -> None:
    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = start(tiny_recipe, "method.width=16", limit=small_files_only)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "checkpoints/000000004 cannot be written (File too large); free some space or choose another folder" in err
    assert "Traceback" not in err
    assert RunFolder(Path("run")).checkpoint_folders() == []
    assert train(load_recipe(tiny_recipe, ["method.width=16"]), Path("run")).name == "000000008"


TWO_DEVICES = """
import sys
from pathlib import Path
from safetensors.torch import save_file
import impasto.engine.train as engine
from impasto.recipe import load_recipe

class Keeping(engine.Session):
    def close(self):
        weights = {f"{n}.{k}": t.detach().clone() for n, m in {**self.method.networks(), **self.state.networks}.items()
                   for k, t in m.named_parameters()}
        save_file({k: t.contiguous() for k, t in weights.items()}, f"rank{self.fabric.global_rank}.safetensors")
        super().close()

engine.Session = Keeping
engine.train(load_recipe(sys.argv[1], sys.argv[3:]), Path(sys.argv[2]))
"""


def test_two_processes_end_with_the_weights_of_one(tiny_recipe: Path) -> None:
    Path("two.py").write_text(TWO_DEVICES)
    overrides = ["training.batch_size=2", "training.images=12", "every.checkpoint=6", "training.accelerator=cpu"]
    for run, devices in [("one", 1), ("two", 2)]:
        command = [sys.executable, "two.py", str(tiny_recipe), run, *overrides, f"training.devices={devices}"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, timeout=200)
        assert done.returncode == 0, done.stderr
        if devices == 1:
            alone = load_file("rank0.safetensors")
            Path("rank0.safetensors").unlink()
    first, second = load_file("rank0.safetensors"), load_file("rank1.safetensors")
    for name, weight in alone.items():
        assert torch.equal(first[name], second[name]), name
        if name.endswith("weight"):  # biases before a norm follow rounding errors, which Adam scales to a step
            assert torch.allclose(first[name], weight, atol=2e-5), (name, (first[name] - weight).abs().max())
    pools = [
        torch.load(RunFolder(Path(run)).latest() / "training.pt", weights_only=True)["memory"] for run in ("one", "two")
    ]  # type: ignore[operator]
    pool = "discriminator_paintings_pool"
    assert len(pools[0][pool]["images"]) == len(pools[1][pool]["images"]) == 3
    kinds = [entry["kind"] for entry in RunFolder(Path("two")).journal()]
    assert kinds.count("start") == kinds.count("finish") == 1


LABELS = """
method: {name: cdcgan, width: 4, discriminator_width: 4, latent_size: 4, augment: {kind: ada, images_to_full: 16}}
data: {kind: labelled-folder, path: styles, image_size: 16, resize: 18}
training: {images: 32, batch_size: 4, precision: fp32, accelerator: cpu, devices: 2}
every: {scalars: 4, samples: 16, checkpoint: 16}
"""


def test_two_processes_learn_classes_and_keep_equal_weights(make_pictures: Callable[..., Path]) -> None:
    for number, style in enumerate(["dark", "light"]):
        make_pictures(Path("styles") / style, 4, seed=50 * number)
    Path("labels.yaml").write_text(LABELS)
    Path("two.py").write_text(TWO_DEVICES)
    command = [sys.executable, "two.py", "labels.yaml", "run"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    first, second = load_file("rank0.safetensors"), load_file("rank1.safetensors")
    assert {name.partition(".")[0] for name in first} == {"generator", "discriminator"}
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


def test_a_picture_that_breaks_on_one_device_stops_both_with_one_sentence(tiny_recipe: Path, collection: Path) -> None:
    for broken in sorted((collection / "photos").iterdir())[:2]:
        broken.write_bytes(broken.read_bytes()[:200])
    process = start(tiny_recipe, "training.batch_size=2", "training.devices=2", "training.accelerator=cpu")
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2, err
    assert err.count("is cut off or damaged") == 1
