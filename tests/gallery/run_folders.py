"""Small run folders for pages."""

import json

import yaml

from tests.gallery.pages import picture

EXTRACTOR = {"name": "inception-2015", "weights": "6726825d", "resize": "bilinear", "precision": "fp32"}
RECIPE = {"method": {"name": "cyclegan", "width": 4}, "training": {"images": 960, "seed": 0}}


def scalars(images_seen, **values):
    return {"kind": "scalars", "images_seen": images_seen, "seconds": images_seen / 10, "scalars": values}


def measure(name, value, better="lower", interval=None, spread=None):
    return {"name": name, "value": value, "spread": spread, "interval": interval, "better": better, "details": {}}


def evaluated(images_seen, *measures, warnings=(), **record):
    """A journal's entry of an evaluation."""
    record = {
        "reference": "paintings/test",
        "images": 751,
        "extractor": EXTRACTOR,
        "warnings": list(warnings),
        **record,
    }
    values = {each["name"]: each["value"] for each in measures}
    return {
        "kind": "metrics",
        "images_seen": images_seen,
        "seconds": images_seen / 10,
        "metrics": values,
        "record": {**record, "measures": list(measures)},
    }


def make_run(folder, *entries, sheets=(), recipe=RECIPE, seed=0, **method):
    """Write a run's recipe with this seed and these settings of its method, its journal and its sheets."""
    folder.mkdir(parents=True)
    recipe = {**recipe, "training": {**recipe["training"], "seed": seed}, "method": {**recipe["method"], **method}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "journal.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    for number, images_seen in enumerate(sheets):
        picture(folder / "samples" / f"{images_seen:09d}.png", noisy=False, seed=number + seed)
    return folder
