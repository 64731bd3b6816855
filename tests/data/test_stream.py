import itertools
import threading

import pytest

from impasto.data.stream import ShuffledOrder, decoded_ahead, positions


def test_each_epoch_visits_every_picture_once_in_its_own_order() -> None:
    order = ShuffledOrder(7, seed=1, name="photos")
    epochs = [[order[e * 7 + i] for i in range(7)] for e in range(4)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_the_order_depends_on_seed_name_and_position_alone() -> None:
    forwards = [ShuffledOrder(5, 1, "photos")[p] for p in range(20)]
    order = ShuffledOrder(5, 1, "photos")
    assert [order[p] for p in reversed(range(20))] == forwards[::-1]
    assert [ShuffledOrder(5, 2, "photos")[p] for p in range(20)] != forwards
    assert [ShuffledOrder(5, 1, "paintings")[p] for p in range(20)] != forwards


def test_devices_share_a_batch_and_together_see_all_of_it() -> None:
    whole = list(itertools.islice(positions(8, 4), 3))
    assert whole == [range(8, 12), range(12, 16), range(16, 20)]
    first, second = (list(itertools.islice(positions(8, 4, rank, 2), 3)) for rank in (0, 1))
    assert [[*a, *b] for a, b in zip(first, second, strict=True)] == [list(batch) for batch in whole]


def test_decoding_keeps_order_runs_ahead_and_is_bounded() -> None:
    started: list[int] = []
    lock = threading.Lock()

    def decode(part: int) -> int:
        with lock:
            started.append(part)
        return part * 10

    batches = (range(i * 2, i * 2 + 2) for i in itertools.count())
    stream = decoded_ahead(decode, lambda batch, parts: (batch, parts), batches, workers=2, ahead=3)
    assert next(stream) == (range(2), [0, 10])
    assert len(started) <= 8
    assert next(stream) == (range(2, 4), [20, 30])
    stream.close()


def test_a_finite_stream_ends_and_errors_are_raised_in_order() -> None:
    def decode(part: int) -> int:
        if part == 2:
            raise ValueError(part)
        return part

    assert list(decoded_ahead(lambda p: p, lambda _, parts: sum(parts), [[0, 5], [1]], workers=1)) == [5, 1]
    stream = decoded_ahead(decode, lambda _, parts: parts, [[0], [1], [2]], workers=2)
    assert next(stream) == [0]
    assert next(stream) == [1]
    with pytest.raises(ValueError, match="2"):
        next(stream)
