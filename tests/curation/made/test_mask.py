"""Masks over the lower half of detected faces, else over regions."""

import numpy as np
import pytest
from PIL import Image

from impasto.curation.made.faces import FaceBox, find_faces, middle_face
from impasto.curation.made.mask import REGION_PAINT, Mask, Shape, cover_faces, cover_regions
from impasto.data.atelier_pictures import source_photo
from impasto.data.renderers.canvas import Picture


@pytest.fixture(scope="module")
def astronaut() -> Picture:
    """A photo with one frontal face: eyes near row 43, mouth near row 66, columns 95 to 130; [256, 256, 3]."""
    return source_photo("astronaut")


def changed(before: Picture, after: Picture) -> Picture:
    return (before != after).any(axis=-1)


def test_the_astronauts_face_is_found(astronaut: Picture) -> None:
    (face,) = find_faces(astronaut)
    assert 25 < face.top < 43
    assert 66 < face.top + face.side < 90
    assert 80 < face.left < 95
    assert 130 < face.left + face.side < 145


def test_a_face_is_found_at_the_same_place_in_a_larger_photo(astronaut: Picture) -> None:
    large = np.asarray(Image.fromarray(astronaut).resize((768, 768), Image.Resampling.BICUBIC))
    (face,), (small,) = find_faces(large), find_faces(astronaut)
    assert np.allclose(np.array(face) / 3, small, atol=8)


def test_a_mask_covers_mouth_and_chin_but_not_the_eyes(astronaut: Picture) -> None:
    made = Mask().make(astronaut, 0)
    assert made.note == "masked on a face"
    covered = changed(astronaut, made.picture)
    assert covered[62:72, 100:125].all()
    assert not covered[36:46].any()
    assert 0.01 < covered.mean() < 0.05


def test_masks_have_several_colours(astronaut: Picture) -> None:
    cloths = {tuple(Mask().make(astronaut, seed).picture[68, 112].tolist()) for seed in range(12)}
    assert len(cloths) == 3


def test_a_face_at_the_border_is_masked_inside_the_picture() -> None:
    plain = np.full((40, 40, 3), 90, np.uint8)
    made = cover_faces(plain, [FaceBox(-10, -10, 30), FaceBox(25, 25, 30)], np.random.default_rng(0))
    assert made.shape == plain.shape
    assert changed(plain, made)[10, 5]
    assert changed(plain, made)[-1, -1]


def test_without_a_face_a_region_is_masked() -> None:
    rocket = source_photo("rocket")[:64, :64]
    made = Mask(share=0.3).make(rocket, 1)
    assert made.note == "masked on a region, because no face was found"
    assert changed(rocket, made.picture).mean() >= 0.28  # what was white already does not change


def test_the_default_face_box_is_inside_and_below_the_centre() -> None:
    face = middle_face(np.zeros((100, 60, 3), np.uint8))
    assert 0 < face.left < face.left + face.side < 60
    assert face.top > 40
    assert face.top + face.side < 100


@pytest.mark.parametrize("shape", ["strokes", "ellipses", "rectangles"])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.6])
def test_regions_cover_their_share_and_leave_the_rest(shape: Shape, share: float) -> None:
    ground = np.zeros((90, 120, 3), np.uint8)
    made = cover_regions(ground, shape, share, np.random.default_rng(0))
    assert {tuple(colour) for colour in np.unique(made.reshape(-1, 3), axis=0).tolist()} == {(0, 0, 0), REGION_PAINT}
    assert share <= changed(ground, made).mean() < share + 0.2
