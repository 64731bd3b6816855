"""Classes as users write them become class weights, and mistakes become sentences."""

import pytest
import torch

from impasto.errors import PainterError
from impasto.painting.class_requests import (
    attributes_of,
    completed,
    each_class,
    find_attribute,
    find_class,
    mixed,
    requested,
    requested_one,
    short_names,
)
from tests.painting.colour_painter import SPEC, TWO_ATTRIBUTES


def test_one_attribute_gives_a_request_for_each_class() -> None:
    requests = requested(SPEC, ["baroque", "ukiyo_e", "baroque"])
    assert [request.name for request in requests] == ["baroque", "ukiyo_e"]
    assert torch.equal(requests[0].weights, torch.tensor([0.0, 0.0, 1.0]))


def test_several_attributes_give_every_combination() -> None:
    assert [(one.name, list(one.places)) for one in attributes_of(TWO_ATTRIBUTES)] == [
        ("style", [0, 1, 2]),
        ("genre", [3, 4]),
    ]
    requests = requested(TWO_ATTRIBUTES, ["landscape", "ukiyo_e", "style=baroque"])
    assert [request.name for request in requests] == ["ukiyo_e + landscape", "baroque + landscape"]
    assert torch.equal(requests[1].weights, torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]))
    (alone,) = requested(TWO_ATTRIBUTES, ["landscape"])
    assert torch.equal(alone.weights, torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0])), "the style is left open"


def test_a_value_that_two_attributes_share_is_said_in_full() -> None:
    assert short_names(TWO_ATTRIBUTES) == ("ukiyo_e", "baroque", "style=other", "landscape", "genre=other")
    assert find_class(TWO_ATTRIBUTES, "genre=other") == 4
    with pytest.raises(
        PainterError, match="the class other is ambiguous; use the full name: style=other or genre=other"
    ):
        find_class(TWO_ATTRIBUTES, "other")


def test_names_are_found_however_they_are_spelled() -> None:
    assert [find_class(SPEC, name) for name in ("Ukiyo e", "UKIYO-E", "Baroque")] == [0, 0, 2]
    assert find_class(TWO_ATTRIBUTES, "Style=Ukiyo_e") == find_class(TWO_ATTRIBUTES, "ukiyo-e") == 0
    alike = SPEC._replace(classes=("a b", "a_b"))
    assert find_class(alike, "a_b") == 1, "as it is written goes first"
    with pytest.raises(PainterError, match="the class a-b is ambiguous; use the full name: a b or a_b"):
        find_class(alike, "a-b")


def test_what_is_left_open_becomes_the_first_class() -> None:
    request = completed(TWO_ATTRIBUTES, requested_one(TWO_ATTRIBUTES, ["baroque"]))
    assert (request.name, request.weights.tolist()) == ("baroque + landscape", [0, 1, 0, 1, 0])
    assert completed(TWO_ATTRIBUTES, requested_one(TWO_ATTRIBUTES, [])).name == "ukiyo_e + landscape"


def test_unknown_names_are_suggested_or_listed() -> None:
    with pytest.raises(PainterError, match=r"knows no class ukyo_e; did you mean ukiyo_e\?"):
        find_class(SPEC, "ukyo_e")
    with pytest.raises(PainterError, match="knows no class xyz; there are baroque, impressionism, ukiyo_e"):
        find_class(SPEC, "xyz")
    with pytest.raises(PainterError, match=r"no attribute gender; did you mean genre\?"):
        find_attribute(TWO_ATTRIBUTES, "gender")
    with pytest.raises(PainterError, match="ukiyo_e, baroque are several classes"):
        requested_one(SPEC, ["ukiyo_e", "baroque"])


def test_without_classes_there_is_one_request_that_asks_for_none() -> None:
    none = SPEC._replace(classes=())
    for requests in (each_class(none), requested(none, []), [completed(none, requested_one(none, []))]):
        assert [(request.name, request.weights.shape) for request in requests] == [("", (0,))]
    with pytest.raises(PainterError, match="knows no class baroque$"):
        find_class(none, "baroque")


def test_each_class_alone() -> None:
    assert torch.equal(torch.stack([request.weights for request in each_class(SPEC)]), torch.eye(3))


def test_each_class_of_each_attribute_comes_with_one_of_the_others() -> None:
    requests = each_class(TWO_ATTRIBUTES)
    assert [request.name for request in requests] == [
        "ukiyo_e + landscape", "baroque + genre=other", "style=other + landscape"
    ]  # fmt: skip
    assert torch.stack([request.weights for request in requests]).tolist() == [
        [1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0]
    ]  # fmt: skip


def test_a_mixture_that_adds_up_to_one_is_taken_as_it_is() -> None:
    request, notes = mixed(SPEC, "ukiyo_e=0.6, impressionism=0.4")
    assert request.name == "ukiyo_e 0.6 + impressionism 0.4"
    assert torch.allclose(request.weights, torch.tensor([0.6, 0.4, 0.0]))
    assert notes == []


def test_a_mixture_is_scaled_and_that_is_said() -> None:
    request, notes = mixed(SPEC, "ukiyo_e=0.6,impressionism=0.8")
    assert torch.allclose(request.weights, torch.tensor([0.6, 0.8, 0.0]) / 1.4)
    assert notes == ["The weights of --mix add up to 1.4; they are scaled to 0.43 and 0.57."]
    whole, twice = mixed(SPEC, "baroque=2")
    assert torch.equal(whole.weights, torch.tensor([0.0, 0.0, 1.0]))
    assert twice == ["The weights of --mix add up to 2; they are scaled to 1."]


def test_each_attribute_is_scaled_by_itself() -> None:
    request, notes = mixed(TWO_ATTRIBUTES, "ukiyo_e=0.5,style=other=0.5,landscape=3")
    assert torch.equal(request.weights, torch.tensor([0.5, 0.0, 0.5, 1.0, 0.0]))
    assert notes == ["The weights of --mix for genre add up to 3; they are scaled to 1."]


@pytest.mark.parametrize(
    ("mixture", "said"),
    [
        ("ukiyo_e", "--mix: ukiyo_e has no weight of 0 or more; use NAME=NUMBER"),
        ("ukiyo_e=-1,baroque=2", "--mix: ukiyo_e=-1 has no weight"),
        ("ukiyo_e=much", "--mix: ukiyo_e=much has no weight"),
        ("ukiyo_e=nan", "has no weight"),
        ("ukiyo_e=inf", "has no weight"),
        ("ukiyo_e=1,", "--mix: an empty part has no weight"),
        ("ukiyo_e=0,baroque=0", "--mix: the weights add up to 0"),
        ("ukiyo_e=1e308,baroque=1e308", "--mix: the weights add up to inf"),
        ("ukiyo_e=1,ukiyo_e=1", "--mix names ukiyo_e twice"),
        ("ukyo_e=1", r"knows no class ukyo_e; did you mean ukiyo_e\?"),
    ],
)
def test_mixtures_that_are_refused(mixture: str, said: str) -> None:
    with pytest.raises(PainterError, match=said):
        mixed(SPEC, mixture)
