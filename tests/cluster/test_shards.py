"""Shards are whole batches; every image that is to be looked at is in one of them."""

from hypothesis import given
from hypothesis import strategies as st

from zoo.cluster.shards import IMAGES_PER_SHARD, Shard, shards_of

BATCHES = st.lists(st.integers(1, 9), max_size=60)


@given(sizes=BATCHES, workers=st.integers(1, 20), data=st.data())
def test_batches_stay_whole_and_in_order(
    sizes: list[int], workers: int, data: st.DataObject
) -> None:
    batches, start = [], 0
    for size in sizes:
        batches.append(list(range(start, start + size)))
        start += size
    todo = data.draw(st.sets(st.sampled_from(range(start)))) if start else set()
    shards = shards_of(batches, todo, workers=workers)
    kept = [batch for batch in batches if todo & set(batch)]
    assert [batch for shard in shards for batch in shard.batches] == kept
    assert all(len(shard.positions) < IMAGES_PER_SHARD + 9 for shard in shards)


def test_few_images_are_spread_over_all_workers() -> None:
    shards = shards_of([[image] for image in range(80)], range(80), workers=2)
    assert {len(shard.positions) for shard in shards} == {10}


def test_a_shard_is_taken_apart_by_batch() -> None:
    parts = Shard([[1, 2], [3]], deaths=2).parts()
    assert [(part.batches, part.deaths) for part in parts] == [([[1, 2]], 2), ([[3]], 2)]
