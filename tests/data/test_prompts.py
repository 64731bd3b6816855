"""Prompts, and how a dataset makes the one that a method takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from impasto.data.batches import LabelledImages, UnpairedImages
from impasto.data.datasets import open_dataset
from impasto.data.prompts import ClassPrompt, PhotoPrompt, StylePrompt
from impasto.data.unpaired_folders import UnpairedFoldersOptions
from impasto.errors import RecipeError
from impasto.recipe import load_recipe


def test_a_prompt_moves_whole_and_keeps_what_is_not_given() -> None:
    prompt = ClassPrompt(torch.eye(3))
    moved = prompt.to(torch.device("meta"))
    assert moved.weights.device.type == "meta"
    assert moved.latents is None
    assert prompt.weights.device.type == "cpu"
    assert prompt.count == 3


def test_images_of_a_prompt_are_laid_out_channels_last_and_shown_on_sheets() -> None:
    photos, styles = torch.rand(2, 2, 3, 8, 10)
    prompt = StylePrompt(photos, styles).to(torch.device("cpu"))
    assert prompt.photos.is_contiguous(memory_format=torch.channels_last)
    assert list(prompt.rows()) == ["photo", "style"]
    assert torch.equal(prompt.rows()["style"], styles)
    assert ClassPrompt(torch.eye(2)).rows() == {}


@pytest.fixture
def unpaired(tmp_path: Path, make_pictures: Callable[..., Path]) -> UnpairedFoldersOptions:
    return UnpairedFoldersOptions(
        photos=make_pictures(tmp_path / "photos", 4),
        paintings=make_pictures(tmp_path / "paintings", 3, seed=50),
        image_size=16,
        resize=20,
    )


def test_unpaired_folders_prompt_every_kind_of_painter(unpaired: UnpairedFoldersOptions) -> None:
    """The method decides: a double U-Net learns from unpaired pictures and paints from noise."""
    dataset = open_dataset(unpaired, UnpairedImages)
    photos = dataset.prompt(PhotoPrompt, 2)
    assert photos.photos.shape == (2, 3, 20, 20)
    assert dataset.prompt(ClassPrompt, 5).weights.shape == (5, 0)
    both = dataset.prompt(StylePrompt, 4)
    assert both.photos.shape == both.styles.shape == (4, 3, 20, 20)
    assert torch.equal(both.photos[:2], photos.photos)
    assert torch.equal(both.styles[3], both.styles[0]), "three paintings take turns"
    assert not torch.equal(both.styles[0], both.photos[0])


def test_classes_take_turns_whatever_the_kind_of_data() -> None:
    recipe = load_recipe("cdcgan-atelier")
    weights = open_dataset(recipe.data, LabelledImages).prompt(ClassPrompt, 7).weights
    assert torch.equal(weights, torch.eye(5)[[0, 1, 2, 3, 4, 0, 1]])


def test_data_without_photos_is_refused_with_a_remedy() -> None:
    recipe = load_recipe("cdcgan-digits")
    dataset = open_dataset(recipe.data, LabelledImages)
    with pytest.raises(RecipeError, match=r"data\.kind: digits has no photos for this method to paint; use another"):
        dataset.prompt(PhotoPrompt, 2)
