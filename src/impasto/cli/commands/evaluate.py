"""`impasto evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.options import (
    DeviceName,
    FeaturesName,
    FeaturesWeights,
    LabelName,
    OverwriteSwitch,
    PaintedPhotos,
    PrecisionName,
    SeedNumber,
    output_file,
)


def evaluate(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A folder, archive, run or painter.")],
    against: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="Real pictures, or saved statistics of them.")
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            metavar="METRIC",
            help="One or more, with commas: fid, fid-by-class, kid, mifid, is, prdc, top1, ssim, colour.",
        ),
    ] = "fid,kid",
    features: FeaturesName = "inception-2015",
    features_weights: FeaturesWeights = None,
    precision: PrecisionName = "fp32",
    photos: PaintedPhotos = None,
    images: Annotated[
        int | None,
        typer.Option(min=2, help="Images of WHAT: this many from noise, or at most this many pictures, at random."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=16, help="Short side of the photos to paint. Default: as in training."),
    ] = None,
    label: LabelName = None,
    memorised: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Training pictures that may be copied, for mifid. Default: REFERENCE."),
    ] = None,
    mifid_threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="mifid penalises mean distances below this. Kaggle uses 0.1, with Inception."),
    ] = 0.1,
    output: Annotated[Path | None, output_file("The record as JSON. Default: none is written.")] = None,
    output_statistics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Statistics of WHAT as .safetensors, for --against.")
    ] = None,
    output_copies: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page that shows the nearest training pictures.")
    ] = None,
    overwrite: OverwriteSwitch = False,
    seed: SeedNumber = 0,
    allow_small: Annotated[
        bool, typer.Option("--allow-small", help="Compute FID even of fewer than 100 images.")
    ] = False,
    device: DeviceName = "auto",
) -> None:
    """Measure pictures, a run or a painter against other pictures.

    WHAT and REFERENCE are folders or archives in any layout, or a part of one: DIR:test, DIR:style=cubism. WHAT may
    also be a run or a painter, which then paints the images. REFERENCE may be a .safetensors file of saved statistics.

      impasto evaluate runs/monet --photos photos:test --against monets:test --metrics fid,kid,ssim

      impasto evaluate mine --against monets --memorised monets:train --metrics mifid --output-copies copies.html
    """
    from impasto.cli.evaluate import EvaluateOptions, evaluate_command
    from impasto.evaluation.subject import SubjectOptions

    evaluate_command(
        EvaluateOptions(
            what=what,
            against=against,
            metrics=metrics,
            features=features,
            features_weights=features_weights,
            precision=precision,
            device=device,
            subject=SubjectOptions(label, photos, images, size, seed),
            allow_small=allow_small,
            memorised=memorised,
            mifid_threshold=mifid_threshold,
            record_file=output,
            statistics_file=output_statistics,
            copies_page=output_copies,
            overwrite=overwrite,
        )
    )
