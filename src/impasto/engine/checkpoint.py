"""Checkpoints: folders that appear whole or not at all, from which a run goes on exactly and a painter paints."""

from __future__ import annotations

import io
import json
import math
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from impasto import __version__
from impasto.clock import Clock
from impasto.data.batches import ImageSpec
from impasto.engine.average import Average
from impasto.engine.means import Means
from impasto.errors import CheckpointError, TrainingDivergedError
from impasto.files import replacing_folder, write_text
from impasto.method import TrainingState
from impasto.painter import Networked
from impasto.recipe import Recipe, higher_is_better
from impasto.run_folder import RECIPE, TRAINING, WEIGHTS, RunFolder


class Checkpoints:
    """Saves and resumes one run; keeps the last checkpoint and the best."""

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        spec: ImageSpec,
        method: Networked,
        state: TrainingState,
        average: Average,
        clock: Clock,
        means: Mapping[str, Means],
    ) -> None:
        self.run, self.recipe, self.spec = run, recipe, spec
        self.method, self.state, self.average, self.clock, self.means = method, state, average, clock, means

    def save(self, scalars: Mapping[str, float] | None = None, metrics: Mapping[str, float] | None = None) -> Path:
        """Save everything at the clock's images.

        `scalars` are means since the last checkpoint and `metrics` what was measured of these weights, to choose the
        best by; without scalars, as when a run is interrupted, the checkpoint is no candidate. The metrics go with the
        weights: a classifier says how good it is.

        Raises TrainingDivergedError when a weight is not finite, OutputError when the disk is full.
        """
        target, metrics = self.run.checkpoints / f"{self.clock.images_seen:09d}", metrics or {}
        if not target.exists():
            weights = self.average.state_dict()
            self._check_finite({**weights, **self._live_weights()})
            with replacing_folder(target) as folder:
                (folder / WEIGHTS).write_bytes(self._packed(weights, metrics))
                (folder / RECIPE).write_text(self.recipe.to_yaml(), encoding="utf-8")
                training = (
                    io.BytesIO()
                )  # torch reports a full disk as a RuntimeError without a reason; Python as what it is
                torch.save(self._training(), training)
                (folder / TRAINING).write_bytes(training.getbuffer())
        if scalars is not None:
            self._note_best(target, {**scalars, **metrics})
        self._prune()
        return target

    def resume_latest(self) -> None:
        """Put everything back as the newest checkpoint has it; do nothing where there is none.

        Raises CheckpointError when it is damaged, naming what to delete to go on from an older one.
        """
        latest = self.run.latest()
        if latest is None:
            return
        try:
            averaged = load_file(latest / WEIGHTS)
            training = torch.load(latest / TRAINING, map_location="cpu", weights_only=True)
        except PermissionError as error:
            raise CheckpointError(f"{latest} cannot be read ({error.strerror}); mend its permissions") from error
        except (
            OSError,
            SafetensorError,
            RuntimeError,
            EOFError,
            pickle.UnpicklingError,
            ValueError,
            KeyError,
        ) as error:
            raise CheckpointError(self._damaged(latest, error)) from error
        self._check_frozen(training, latest)
        try:
            self._restore(training)
            self.average.load_state_dict(averaged)
        except torch.OutOfMemoryError:
            raise
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(self._damaged(latest, error)) from error

    def _training(self) -> dict[str, Any]:
        return {
            "images_seen": self.clock.images_seen,
            "networks": {name: network.state_dict() for name, network in self._all_networks().items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.state.optimizers.items()},
            "memory": {name: memory.state_dict() for name, memory in self.state.memory.items()},
            "means": {name: means.state_dict() for name, means in self.means.items()},
            **self._frozen_hashes(),
        }

    def _packed(self, weights: Mapping[str, Tensor], metrics: Mapping[str, float]) -> bytes:
        """Return the bytes of the weights' file."""
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        about = {
            "version": __version__,
            "method": self.recipe.method.name,
            "images_seen": self.clock.images_seen,
            "spec": self.spec._asdict(),
            **self._frozen_hashes(),
            **({"metrics": dict(metrics)} if metrics else {}),
        }
        return bytes(save(contiguous, {"impasto": json.dumps(about)}))  # one entry: several come in any order

    def _check_frozen(self, training: dict[str, Any], folder: Path) -> None:
        """Raise CheckpointError where a frozen network is not the one that the run began with."""
        recorded = training.get("frozen", {}) if isinstance(training, dict) else {}
        for name, frozen in self.method.frozen().items():
            if recorded.get(name) != frozen.sha256:
                raise CheckpointError(
                    f"{folder} was trained with other weights of {name} (SHA-256 "
                    f"{str(recorded.get(name, 'not recorded'))[:16]}, here {frozen.sha256[:16]}); provide those, or "
                    "start a new run"
                )

    def _frozen_hashes(self) -> dict[str, Any]:
        hashes = {name: frozen.sha256 for name, frozen in self.method.frozen().items()}
        return {"frozen": hashes} if hashes else {}

    def _restore(self, training: dict[str, Any]) -> None:
        for name, network in self._all_networks().items():
            network.load_state_dict(training["networks"][name])
        for name, optimizer in self.state.optimizers.items():
            optimizer.load_state_dict(training["optimizers"][name])
        for name, memory in self.state.memory.items():
            memory.load_state_dict(training["memory"][name])
        for name, means in self.means.items():
            means.load_state_dict(training["means"][name])
        self.clock.images_seen = training["images_seen"]

    def _all_networks(self) -> dict[str, nn.Module]:
        return {**self.method.networks(), **self.state.networks}

    def _live_weights(self) -> dict[str, Tensor]:
        networks = self._all_networks().items()
        return {f"{name}.{key}": tensor for name, network in networks for key, tensor in network.state_dict().items()}

    def _check_finite(self, weights: Mapping[str, Tensor]) -> None:
        broken = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
        if broken:
            raise TrainingDivergedError(diverged(f"the weight {broken[0]}", self.clock, self.run))

    def _damaged(self, folder: Path, error: Exception) -> str:
        older = self.run.checkpoint_folders()[:-1]
        reason = (str(error).splitlines() or ["it ends too early"])[0]
        remedy = f"delete it to go on from {older[-1].name}" if older else "delete it to start this run again"
        return f"{folder} is damaged ({reason}); {remedy}"

    def _note_best(self, target: Path, scalars: Mapping[str, float]) -> None:
        name = self.recipe.training.best
        if name is None or not math.isfinite(value := scalars.get(name, math.nan)):
            return
        if self.run.best_file.is_file():
            noted = json.loads(self.run.best_file.read_text(encoding="utf-8"))
            is_better = value > noted["value"] if higher_is_better(name) else value < noted["value"]
            if not is_better and (self.run.checkpoints / noted["checkpoint"]).is_dir():
                return
        write_text(self.run.best_file, json.dumps({"checkpoint": target.name, "scalar": name, "value": value}) + "\n")

    def _prune(self) -> None:
        best = self.run.best()
        for folder in self.run.checkpoint_folders()[:-1]:
            if folder != best:
                going = folder.with_name(f".{folder.name}.old")  # a deletion cut off must not leave half a checkpoint
                folder.rename(going)
                shutil.rmtree(going, ignore_errors=True)
        for leftover in self.run.checkpoints.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)


def diverged(what: str, clock: Clock, run: RunFolder) -> str:
    """Return the sentence for a run that broke down."""
    latest = run.latest()
    good = f"the last good checkpoint is {latest}" if latest else "there is no checkpoint yet"
    return (
        f"{what} became NaN or infinite before {clock.images_seen:,} images; {good}; "
        "start a new run with a lower method.learning_rate or training.precision=fp32"
    )
