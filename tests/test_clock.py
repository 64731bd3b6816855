import pytest

from impasto.clock import Clock


def test_due_once_per_interval_for_any_batch_size() -> None:
    clock = Clock(images=100)
    due = []
    for _ in range(14):
        clock.advance(7)
        if clock.due(20):
            due.append(clock.images_seen)
    assert due == [21, 42, 63, 84]
    assert not clock.finished


def test_due_when_a_batch_is_larger_than_the_interval() -> None:
    clock = Clock(images=100)
    clock.advance(64)
    assert clock.due(10)
    assert not clock.due(65)


@pytest.mark.parametrize(("seen", "finished"), [(99, False), (100, True), (128, True)])
def test_finished(seen: int, finished: bool) -> None:
    assert Clock(images=100, images_seen=seen).finished is finished
