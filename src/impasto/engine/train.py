"""One training run, read top to bottom; it knows neither losses nor the roles of networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from impasto.chance import Draws, generator, seed_draws
from impasto.clock import Clock
from impasto.data.dataset import Dataset
from impasto.data.datasets import open_dataset
from impasto.engine.average import Average
from impasto.engine.checkpoint import Checkpoints, diverged
from impasto.engine.claim import check_folder, claimed
from impasto.engine.collapse_watch import CollapseWatch, Vitals, is_watched
from impasto.engine.facts import peak_megabytes, start_facts
from impasto.engine.interrupts import InterruptedTraining, Interrupts
from impasto.engine.journal import Journal
from impasto.engine.launch import launch
from impasto.engine.listener import TrainingListener
from impasto.engine.means import Means, not_finite
from impasto.engine.measurement import Measurement, check_measurable, in_eval_mode, measured
from impasto.engine.same_data import check_same_data, remember_data
from impasto.engine.schedule import set_learning_rates
from impasto.engine.start import begin_from
from impasto.engine.together import most, part_ways, raise_together
from impasto.errors import DataError, ImpastoError, RecipeError, TrainingDivergedError, did_you_mean
from impasto.method import Learner, TrainingState
from impasto.methods import METHODS
from impasto.networks.cpu.switch import fast_cpu
from impasto.painter import Painter
from impasto.painting.paint import paint_sheet
from impasto.recipe import Recipe, is_metric
from impasto.run_folder import RunFolder

SAMPLES = 6


def train(
    recipe: Recipe,
    run: Path | RunFolder,
    listener: TrainingListener | None = None,
    *,
    accept_changed_data: bool = False,
) -> Path:
    """Train from the start, or from where the run folder stands, to the end; return the last checkpoint.

    A run goes on with the pictures it began with only, unless changed ones are accepted.

    Raises InterruptedTraining after Ctrl-C or SIGTERM, with everything saved; ImpastoError for what the user can mend.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    with ExitStack() as held:
        fabric = launch(recipe.training)
        check_folder(folder, recipe)
        fabric.barrier()
        failure = None
        if fabric.is_global_zero:
            try:
                held.enter_context(claimed(folder, recipe))
            except ImpastoError as error:
                failure = error
        raise_together(fabric, failure)
        latest = folder.latest()
        if latest is not None and folder.told_finished():
            return latest
        held.enter_context(fast_cpu(wanted=recipe.training.fast_cpu))
        interrupts = held.enter_context(Interrupts())
        session = Session(
            recipe, folder, fabric, listener or TrainingListener(), accept_changed_data=accept_changed_data
        )
        held.callback(session.close)
        return session.run_to_end(interrupts)


class Session:
    """What one process holds while it trains."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        fabric: Fabric,
        listener: TrainingListener,
        *,
        accept_changed_data: bool,
    ) -> None:
        options = recipe.training
        self.recipe, self.folder, self.fabric, self.listener = recipe, folder, fabric, listener
        method_class = METHODS[recipe.method.name]
        assert issubclass(method_class, Learner)
        self.dataset = open_dataset(recipe.data, method_class.batch_type)
        _check_enough(self.dataset, options.batch_size)
        if not accept_changed_data:
            check_same_data(folder, self.dataset)
        seed_draws(fabric.device, options.seed, "weights")
        self.method: Learner[Any] = method_class(recipe.method, self.dataset.spec)
        check_measurable(recipe, self.method, self.dataset)
        seed_draws(fabric.device, options.seed, "training networks")
        self.state = self.method.prepare(fabric)
        self.evaluator = None
        if recipe.evaluation is not None and fabric.is_global_zero:
            from impasto.engine.evaluator import TrainingEvaluator  # imports scikit-image, which other runs do not need

            self.evaluator = TrainingEvaluator(recipe, self.dataset, fabric.device)
        self.layout = torch.channels_last if options.channels_last else torch.contiguous_format
        _arrange(self.method, self.state, self.layout, compiled=options.compile)
        begun = folder.latest() is not None  # then its own checkpoint has all it borrowed
        self.begins_with = None if begun else begin_from(recipe, folder, self.method, self.dataset.spec)
        self.average = Average(self.method.networks(), options.ema_halflife_images)
        self.clock = Clock(options.images)
        self.since_scalars, self.since_checkpoint = Means(), Means()
        means = {"scalars": self.since_scalars, "checkpoint": self.since_checkpoint}
        self.checkpoints = Checkpoints(
            folder, recipe, self.dataset.spec, self.method, self.state, self.average, self.clock, means
        )
        self.checkpoints.resume_latest()
        self.journal = Journal(folder, self.clock.images_seen) if fabric.is_global_zero else None
        self.collapse_watch = None
        if is_watched(self.method):
            self.collapse_watch = CollapseWatch(self.method, self.state, self.dataset)
        if self.collapse_watch is not None and self.journal is not None:
            self.collapse_watch.remember(folder.journal())

    def run_to_end(self, interrupts: Interrupts) -> Path:
        """Learn from batch after batch."""
        options, every, clock = self.recipe.training, self.recipe.every, self.clock
        self._start()
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        stream = self.dataset.stream(options.batch_size, options.seed, clock.images_seen, rank, world_size)
        while not clock.finished:
            batch = self._next_batch(stream)
            seed_draws(self.fabric.device, options.seed, rank, clock.images_seen)
            set_learning_rates(self.state.optimizers, options.schedule, clock, options.batch_size)
            with self.fabric.autocast():
                scalars = self.method.training_step(self._on_device(batch), clock)
            clock.advance(options.batch_size)
            self.average.update(options.batch_size, clock.images_seen)
            self._log(scalars)
            is_first = clock.images_seen == options.batch_size  # a sheet at once: it shows mistakes in the data
            if is_first or clock.due(every.samples) or clock.finished:
                self._show_samples()
                self._watch_for_collapse()
            metrics = self._measure() if self._measures_now() else {}
            stopped_by = most(self.fabric, interrupts.received)
            if clock.due(every.checkpoint) or clock.finished:
                self._save(candidate=True, metrics=metrics)
            elif stopped_by:
                self._save(candidate=False, metrics=metrics)
            if stopped_by and not clock.finished:
                part_ways(self.fabric)
                raise InterruptedTraining(stopped_by, clock.images_seen)
        return self._finish()

    def _next_batch(self, stream: Iterator[Any]) -> Any:
        batch, failure = None, None
        try:
            batch = next(stream)
        except DataError as error:
            failure = error
        self._raise_after_saving(failure)
        return batch

    def _raise_after_saving(self, failure: ImpastoError | None) -> None:
        """Where a picture broke on this or any device, keep what was learned, then raise; else return."""
        if most(self.fabric, int(failure is not None)):
            if self.clock.images_seen:
                self._save(candidate=False)
            raise_together(self.fabric, failure)

    def close(self) -> None:
        """Close what was opened."""
        if self.journal is not None:
            self.journal.close()

    def _start(self) -> None:
        facts = start_facts(self.recipe.training, self.dataset, self.fabric)
        if self.begins_with is not None:
            facts["begins_with"] = str(self.begins_with)
            if self.state.networks:
                facts["begins_afresh"] = ", ".join(self.state.networks)
        if self.journal is not None and not self.clock.finished:
            remember_data(self.folder, self.dataset)
            self.journal.note("start", self.clock.images_seen, **facts)
            self.listener.started(self.recipe, self.folder, self.clock, facts, self.dataset.histogram())
            for note in self._notes():
                self.listener.noted(note)

    def _notes(self) -> Iterator[str]:
        """Yield what the user should know before training."""
        yield from (*self.dataset.notes, *self.method.notes)
        if self.collapse_watch is not None:
            yield from self.collapse_watch.notes
        if self.begins_with is not None and self.state.networks and not self.method.borrowed:
            afresh = ", ".join(self.state.networks)
            yield f"the painting networks come from {self.begins_with}; these start untrained: {afresh}"

    def _finish(self) -> Path:
        latest = self.folder.latest()
        assert latest is not None
        if self.journal is not None:
            peak = peak_megabytes(self.fabric.device)
            self.journal.note("finish", self.clock.images_seen, checkpoint=latest.name, peak_megabytes=peak)
        return latest

    def _log(self, scalars: Mapping[str, Tensor]) -> None:
        self._check_best(scalars)
        self.since_scalars.add(scalars)
        self.since_checkpoint.add(scalars)
        means = None
        if self.clock.due(self.recipe.every.scalars) or self.clock.finished:
            means = self._finite(self.since_scalars.take(self.fabric))
            if self.journal is not None:
                self.journal.scalars(means, self.clock.images_seen)
                if self.collapse_watch is not None:
                    self.collapse_watch.hear(means)
        if self.fabric.is_global_zero:
            self.listener.stepped(self.clock, means)

    def _finite(self, means: dict[str, float]) -> dict[str, float]:
        name = not_finite(means)
        if name is not None:  # in the means of all devices, so on each of them
            part_ways(self.fabric)
            raise TrainingDivergedError(diverged(f"the loss {name}", self.clock, self.folder))
        return means

    def _save(self, *, candidate: bool, metrics: Mapping[str, float] | None = None) -> None:
        """Save, with what was measured of these weights; only at the end of its interval for a candidate."""
        means = self._finite(self.since_checkpoint.peek(self.fabric))
        if candidate:
            self.since_checkpoint.take(self.fabric)
        failure = None
        if self.journal is not None:
            try:
                path = self.checkpoints.save(means if candidate else None, metrics)
                self.journal.note("checkpoint", self.clock.images_seen, checkpoint=path.name)
                self.listener.saved(path)
            except ImpastoError as error:
                failure = error
        raise_together(self.fabric, failure)

    def _check_best(self, scalars: Mapping[str, Tensor]) -> None:
        """Refuse to choose by what is not logged, as soon as all that is was logged once."""
        best, all_logged = self.recipe.training.best, self.method.turns * self.recipe.training.batch_size
        if best is None or is_metric(best) or self.clock.images_seen != all_logged:
            return
        if best not in scalars:
            raise RecipeError("recipe", [f"training.best: {best} is not logged{did_you_mean(best, scalars)}"])

    def _measures_now(self) -> bool:
        interval = self.recipe.every.metrics
        return interval is not None and (self.clock.due(interval) or self.clock.finished)

    def _measure(self) -> Mapping[str, float]:
        """Measure, on the first device, and note what was found; the others wait."""
        found, failure = Measurement({}), None
        if self.journal is not None:
            try:
                with self._averaged():
                    batch_size = self.recipe.training.batch_size
                    found = measured(self.method, self.dataset, batch_size, self._on_device, self.evaluator)
                self.journal.metrics(found.metrics, self.clock.images_seen, found.record)
                self.listener.measured(self.clock, found.metrics)
            except ImpastoError as error:
                failure = error
        self._raise_after_saving(failure)
        return found.metrics

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Give the networks their averaged weights, in eval mode and without gradients, to paint or measure."""
        networks = self.method.networks()
        with torch.no_grad(), self.average.applied(), in_eval_mode(networks), self.fabric.autocast():
            yield

    def _show_samples(self) -> None:
        if self.journal is None or not isinstance(self.method, Painter):
            return
        prompt = self.dataset.prompt(self.method.prompt_type, SAMPLES)
        draws = Draws([generator(0, "samples", number) for number in range(prompt.count)])
        with self._averaged():
            sheet = paint_sheet(self.method, prompt, draws, self.recipe.paint, autocast=self.fabric.autocast)
        self.listener.saved(self.journal.sheet(sheet, self.clock.images_seen))

    def _watch_for_collapse(self) -> None:
        """Look at how an adversarial painter fares, on the first device, and tell what looks bad; the others wait."""
        if self.collapse_watch is None:
            return
        failure = None
        if self.journal is not None:
            try:
                with self._averaged():
                    vitals = self.collapse_watch.measure(self._image_on_device, self.fabric.autocast)
                self._tell(vitals, self.collapse_watch)
            except ImpastoError as error:
                failure = error
        self._raise_after_saving(failure)

    def _tell(self, vitals: Vitals, watch: CollapseWatch) -> None:
        assert self.journal is not None
        seen = self.clock.images_seen
        if found := vitals.measured():
            self.journal.scalars(found, seen)
            self.listener.measured(self.clock, found)
        news = watch.news(vitals, seen / self.clock.images)
        for sign, alarm in news.begun.items():
            self.journal.note("alarm", seen, sign=sign, alarm=alarm)
            self.listener.alarmed(self.clock, alarm)
        for sign in news.ended:
            self.journal.note("alarm-over", seen, sign=sign)

    def _on_device(self, batch: Any) -> Any:
        return type(batch)(*(self._image_on_device(part) for part in batch))

    def _image_on_device(self, images: Tensor) -> Tensor:
        return _laid_out(images.to(self.fabric.device, non_blocking=True), self.layout)


def _check_enough(dataset: Dataset, batch_size: int) -> None:
    if dataset.different_crops < batch_size:
        raise DataError(
            f"there are {dataset.size} pictures to learn from, fewer than a batch of {batch_size}; "
            "add pictures or lower training.batch_size"
        )


def _arrange(method: Learner[Any], state: TrainingState, layout: torch.memory_format, *, compiled: bool) -> None:
    for network in (*method.networks().values(), *state.networks.values()):
        network.to(memory_format=layout)
        if compiled:
            network.compile()


def _laid_out(tensor: Tensor, layout: torch.memory_format) -> Tensor:
    return tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor
