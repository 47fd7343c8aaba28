"""One flipped bit anywhere in a prediction file is an error or changes nothing, and never ends the
process."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest
from pyarrow import parquet

from zoo.errors import DataError
from zoo.evaluate import Predictions
from zoo.evaluate.predictions import checksum


@pytest.fixture
def seen(stored: Callable[[int], Path]) -> Path:
    return stored(28)


FLIP = """
import sys
from pathlib import Path
from zoo.errors import DataError
from zoo.evaluate import Predictions

path = Path(sys.argv[1])
whole, right = path.read_bytes(), Predictions.read(path)
columns = ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels")
refused = 0
for bit in map(int, sys.stdin.read().split()):
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(damaged)
    try:
        read = Predictions.read(path)
    except DataError:
        refused += 1
        continue
    for name in columns:
        assert getattr(read, name).tolist() == getattr(right, name).tolist(), bit
    assert (read.names, read.provenance) == (right.names, right.provenance), bit
print(refused)
"""


def flipped(path: Path, bits: list[int]) -> int:
    """How many of the files with one of these bits flipped are refused, in a process of its own."""
    words = "\n".join(map(str, bits))
    done = subprocess.run(
        [sys.executable, "-c", FLIP, str(path)], input=words, capture_output=True, text=True
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return int(done.stdout)


def footer_of(content: bytes) -> int:
    """Where the footer begins."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def test_a_flipped_bit_in_a_file_of_ours_is_found_before_it_is_parsed(seen: Path) -> None:
    content = seen.read_bytes()
    mark = content.index(checksum.MARK)
    assert mark == footer_of(content) - checksum.LENGTH
    places = [
        place
        for place in range(4, len(content) - 8)
        if not mark <= place < mark + len(checksum.MARK)
    ]
    bits = [8 * place + random.Random(place).randrange(8) for place in places]
    assert flipped(seen, bits) == len(bits)


def test_a_damaged_seal_costs_time_and_not_the_file(seen: Path) -> None:
    mark = seen.read_bytes().index(checksum.MARK)
    assert flipped(seen, [8 * mark + 8, 8 * mark + 70]) == 0


@pytest.mark.slow
def test_a_flipped_bit_in_a_file_without_a_seal_never_ends_the_process(seen: Path) -> None:
    parquet.write_table(
        parquet.read_table(seen), seen, compression="zstd", write_page_checksum=True
    )
    content = seen.read_bytes()
    start = footer_of(content)
    bits = random.Random(0).sample(range(8 * start, 8 * len(content)), 40)
    assert flipped(seen, bits) > 0


def test_a_file_that_ends_the_process_that_reads_it_is_refused(
    seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet.write_table(parquet.read_table(seen), seen)
    monkeypatch.setattr(checksum, "TRIAL", "import os; os.abort()")
    with pytest.raises(DataError, match="Reading it ends the process that does"):
        Predictions.read(seen)


def test_a_file_that_is_read_for_ever_is_refused(
    seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet.write_table(parquet.read_table(seen), seen)
    monkeypatch.setattr(checksum, "TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(checksum, "MAX_TRIAL_SECONDS", 0.5)
    with pytest.raises(DataError, match=r"takes more than 0\.5 seconds"):
        Predictions.read(seen)


def test_sealed_files_are_plain_parquet_to_other_tools(seen: Path) -> None:
    frame = pandas.read_parquet(seen)
    assert frame["file"].tolist() == [f"{number}.jpg" for number in range(28)]
    assert [len(scores) for scores in frame["scores"]] == (np.arange(28) % 7).tolist()


def test_another_tool_s_file_is_named_with_what_to_do_and_never_to_be_removed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "theirs.parquet"
    rows = {"image_id": [1], "category_id": [1], "bbox": [[0.0, 0.0, 4.0, 4.0]], "score": [0.5]}
    pandas.DataFrame(rows).to_parquet(path)
    with pytest.raises(
        DataError, match=r"not a file of zoo predict(.|\n)*It is an export of pandas"
    ) as error:
        Predictions.read(path)
    assert "to_json('results.json', orient='records')" in error.value.fix
    results = tmp_path / "results.json"
    pandas.read_parquet(path)[["image_id", "category_id", "bbox", "score"]].to_json(
        results, orient="records"
    )
    assert '"bbox":[0.0,0.0,4.0,4.0]' in results.read_text()
    table = parquet.read_table(path).select(["score"])
    for key, maker in (
        (b"huggingface", "a data set of Hugging Face"),
        (b"none", "not a file of zoo predict"),
    ):
        parquet.write_table(table.replace_schema_metadata({key: b"{}"}), path)
        with pytest.raises(DataError, match=maker) as error:
            Predictions.read(path)
        assert "the columns of zoo predict are image_id, file, height" in error.value.fix
        assert "emove" not in str(error.value)
