"""`impasto data check`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from impasto.cli.bars import LINE_SECONDS, counting_bar, histogram_lines
from impasto.cli.console import complaints, console, escape
from impasto.cli.outputs import check_new
from impasto.curation.doctor.diagnosis import Diagnosis, Options, diagnose
from impasto.curation.doctor.findings import Finding, Severity
from impasto.curation.doctor.names import printable
from impasto.curation.doctor.quarantine import check_quarantine, quarantine
from impasto.durations import in_words
from impasto.files import write_text
from impasto.gallery.doctor_page import write_check_page
from impasto.gallery.doctor_words import interval_in_words, shape_in_words

STYLES: dict[Severity, str] = {"grave": "bold red", "warning": "yellow", "remark": "dim"}


@dataclass(frozen=True)
class CheckOptions:
    """What `impasto data check` writes."""

    output: Path | None = None
    """The page. Default: see `default_page`, replaced at each check."""
    output_json: Path | None = None
    quarantine: Path | None = None
    overwrite: bool = False


def check_command(folder: Path, outputs: CheckOptions, options: Options) -> None:
    """Examine a collection, print the findings, and write the page; exit code 1 if a finding is grave."""
    check_new(outputs.output, overwrite=outputs.overwrite)
    check_new(outputs.output_json, overwrite=outputs.overwrite, option="--output-json")
    try:
        diagnosis = _check(folder, outputs, options)
    except KeyboardInterrupt:
        complaints.print("Stopped; what was examined is remembered, and the same command goes on from there.")
        raise typer.Exit(130) from None
    if diagnosis.count("grave"):
        raise typer.Exit(1)


def default_page(folder: Path) -> Path:
    """Return `NAME-check.html` in the current folder, or beside the collection if the current folder is part of it."""
    whole, here = folder.resolve(), Path.cwd()
    inside = here == whole or whole in here.parents
    return (whole.parent if inside else Path()) / f"{printable(whole.name) or 'collection'}-check.html"


def _check(folder: Path, outputs: CheckOptions, options: Options) -> Diagnosis:
    page, json_file, quarantine_folder = outputs.output or default_page(folder), outputs.output_json, outputs.quarantine
    if quarantine_folder is not None:
        check_quarantine(folder, quarantine_folder)
    begun = time.monotonic()
    with counting_bar(console) as bar:
        progress = _Counting(bar)
        diagnosis = diagnose(folder, options, progress=progress.show)
    seconds = max(1.0, time.monotonic() - begun)
    _print_contents(diagnosis, seconds)
    _print_findings(diagnosis)
    if json_file is not None:
        write_text(json_file, json.dumps(diagnosis.to_json(), indent=1) + "\n")
    write_check_page(diagnosis, page, {"examined in": in_words(seconds)})  # before anything moves
    if quarantine_folder is not None:
        _move(diagnosis, quarantine_folder)
    if json_file is not None:
        console.print(f"All findings as JSON: {escape(printable(str(json_file)))}")
    console.print(f"Page with the pictures in question: {escape(printable(str(page.resolve())))}")
    return diagnosis


class _Counting:
    """Shows how many pictures a second are examined, then compared."""

    def __init__(self, bar: Progress) -> None:
        self._bar, self._task = bar, bar.add_task("reading the list", total=None)
        self._stage, self._begun, self._first, self._printed = "", 0.0, 0, time.monotonic()

    def show(self, stage: str, done: int, total: int) -> None:
        """Move the bar, or print a line now and then where there is no terminal."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._first = stage, now, done
            self._bar.reset(self._task, total=total)
        rate = (done - self._first) / max(now - self._begun, 1e-9)
        text = f"{stage} {rate:,.0f}/s" if rate else stage
        self._bar.update(self._task, completed=done, description=text)
        if not console.is_terminal and now - self._printed > LINE_SECONDS:
            self._printed = now
            left = in_words((total - done) / rate) if rate else "?"
            console.print(f"  {done:,} of {total:,} {text}, {left} left")


def _print_contents(diagnosis: Diagnosis, seconds: float) -> None:
    collection, surveyed = diagnosis.collection, diagnosis.survey
    console.print(escape(printable(collection.summary())))
    known = len(surveyed.subjects) - surveyed.opened
    remembered = f", {known:,} of them known from before" if known else ""
    console.print(f"Examined {len(surveyed.subjects):,} files in {in_words(seconds)}{remembered}")
    histograms = {
        f"by {diagnosis.attribute}": {printable(name): sum(of.values()) for name, of in diagnosis.classes.items()},
        "shorter side, pixels": {interval_in_words(bar): bar.pictures for bar in diagnosis.sides if bar.pictures},
        "shape, width : height": {shape_in_words(bar): bar.pictures for bar in diagnosis.aspects if bar.pictures},
    }
    for title, counts in histograms.items():
        if len(counts) > 1:
            console.print(f"\n[bold]{escape(title)}[/]")
            for line in histogram_lines(counts):
                console.print(f"  {escape(line)}")


def _print_findings(diagnosis: Diagnosis) -> None:
    console.print(f"\n[bold]{escape(diagnosis.verdict())}[/]")
    if not diagnosis.findings:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("severity", "files", "what"):
        table.add_column(column, no_wrap=True, justify="right" if column == "files" else "left")
    table.add_column("for example")  # the one that gives way
    for finding in diagnosis.findings:
        style = STYLES[finding.severity]
        table.add_row(
            f"[{style}]{finding.severity}[/]",
            f"{finding.files or len(finding.cases):,}",
            finding.title,
            Text(_example(finding), "dim", no_wrap=True, overflow="ellipsis"),
        )
    console.print(table, soft_wrap=False)
    console.print()
    for finding in diagnosis.findings:
        if finding.severity == "grave":
            console.print(f"[{STYLES[finding.severity]}]{finding.title}:[/] {escape(finding.says)}")


def _example(finding: Finding) -> str:
    case = finding.cases[0]
    if not case.names:
        return printable(case.note)
    text = " = ".join(printable(name) for name in case.names[:2])
    return f"{text} ({printable(case.note)})" if case.note and len(case.names) == 1 else text


def _move(diagnosis: Diagnosis, target: Path) -> None:
    with counting_bar(console) as bar:
        moves = quarantine(diagnosis, target, _Counting(bar).show)
    where = escape(printable(str(target)))
    if moves:
        files = f"{len(moves):,} file{'s' * (len(moves) != 1)}"
        console.print(f"Moved {files} to {where}; quarantine.csv there says why, and from where")
    else:
        console.print(f"Nothing had to be moved to {where}")
