"""Measures speed and memory of models, each in its own process, in turn.

    Variant --Worker--> Call, Call, …  --benchmark--> Benchmark (rows, table, JSON, plot)

A leaderboard times its entries with the same code.
"""

from zoo.timing.benchmark import benchmark as benchmark
from zoo.timing.result import Benchmark as Benchmark
from zoo.timing.result import NotTimed as NotTimed
from zoo.timing.result import Row as Row
from zoo.timing.steadiness import Steadiness as Steadiness
from zoo.timing.timed import Variant as Variant
