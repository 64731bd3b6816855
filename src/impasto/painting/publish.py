"""Publishes painters on the Hugging Face hub: the weights, the recipe and a card."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from impasto.errors import ImpastoError, PainterError
from impasto.files import replacing, write_text
from impasto.painting.card import CARD, USE, card_of
from impasto.painting.painters import Found, LoadedPainter
from impasto.painting.usage import usage_of
from impasto.recipe import Recipe
from impasto.run_folder import RECIPE, WEIGHTS


def push_painter(loaded: LoadedPainter, found: Found, name: str, *, private: bool = False) -> str:
    """Upload a painter as the model OWNER/NAME; return its address.

    The repository is created if it does not exist; an existing one gets a new commit. Paths in the uploaded recipe are
    reduced to their last part. Raises PainterError for a painter without weights, ImpastoError if the library or a
    login is missing, or if the hub cannot be reached.
    """
    if found.folder is None:
        raise PainterError(f"{loaded.name} has no weights to publish; use a trained painter")
    hub = _library()
    if name.count("/") != 1:
        raise ImpastoError(_no_name(name))
    with tempfile.TemporaryDirectory(prefix="impasto-push-") as temporary:
        gather(loaded, found, name, Path(temporary))
        with _hub_errors(name):
            api = hub.HfApi(library_name="impasto")
            address = api.create_repo(name, repo_type="model", private=private or None, exist_ok=True)
            api.upload_folder(repo_id=name, folder_path=temporary, commit_message=f"Add {loaded.name}")
    return str(address)


def gather(loaded: LoadedPainter, found: Found, name: str, target: Path) -> None:
    """Write the files to publish into the folder `target`: a card, the recipe and the weights."""
    assert found.folder is not None
    assert isinstance(loaded.recipe, Recipe)
    usage = usage_of(loaded.painter)
    about = {
        "library_name": "impasto",
        "pipeline_tag": usage.pipeline_tag,
        "tags": ["impasto", loaded.recipe.method.name, "art"],
    }
    local = name.rpartition("/")[2]
    use = f"pip install impasto\nhf download {name} --local-dir {local}\n{usage.command_for(local)}\n"
    text = f"---\n{yaml.safe_dump(about, sort_keys=False)}---\n{card_of(loaded, found)}"
    write_text(target / CARD, f"{text}\n{USE}\n\n```sh\n{use}```\n")
    write_text(target / RECIPE, without_folders(loaded.recipe).to_yaml())
    with replacing(target / WEIGHTS) as temporary:
        shutil.copyfile(found.folder / WEIGHTS, temporary)


def without_folders(recipe: Recipe) -> Recipe:
    """Return a recipe with only the last part of each path. Paths of this machine are private."""
    changes = {name: _shortened(block) for name, block in recipe if isinstance(block, BaseModel)}
    if recipe.training.start_from is not None:
        start = Path(recipe.training.start_from).name
        changes["training"] = recipe.training.model_copy(update={"start_from": start})
    return recipe.model_copy(update=changes)


def _shortened(block: BaseModel) -> BaseModel:
    return block.model_copy(update={field: Path(value.name) for field, value in block if isinstance(value, Path)})


def _library() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImpastoError(
            "the Hugging Face hub needs a library that is not here: pip install 'impasto[hub]'"
        ) from error
    logging.getLogger(huggingface_hub.__name__).setLevel(logging.ERROR)
    return huggingface_hub


def _no_name(name: str) -> str:
    return f"{name} is not a model name; use OWNER/NAME, such as ada/monet"


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """Convert errors of the hub or its library to ImpastoError."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    network = cast("type[Exception]", HfHubHTTPError.__mro__[1])  # the error of its HTTP library
    try:
        yield
    except HFValidationError as error:
        raise ImpastoError(_no_name(name)) from error
    except (OSError, network, RuntimeError) as error:
        cause = error.__cause__ if isinstance(error, RuntimeError) else error  # raised during an upload
        if isinstance(cause, HfHubHTTPError):
            raise _refused(name, cause) from error
        if not isinstance(cause, OSError | network):
            raise
        reason = " ".join(str(cause).split()) or type(cause).__name__
        raise ImpastoError(
            f"the Hugging Face hub cannot be reached ({reason}); run the same command again later"
        ) from error


def _refused(name: str, error: Any) -> ImpastoError:
    """Return the hub's answer as an error."""
    status = error.response.status_code if error.response is not None else None
    reason = " ".join(str(error.server_message or error).split())
    if status in (401, 403):
        return ImpastoError(
            f"the Hugging Face hub does not let you write {name} ({reason}); run `hf auth login` with a token that may "
            "write there"
        )
    return ImpastoError(f"the Hugging Face hub did not accept {name} ({reason}); run the same command again")
