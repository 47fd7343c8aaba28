"""Timing: how fast models are and how much they take, each in a process of its own, in turn.

    Variant --Worker--> Call, Call, …  --benchmark--> Benchmark (rows, table, JSON, plot)

A leaderboard times its rows with the same code.
"""

from zoo.timing.benchmark import benchmark as benchmark
from zoo.timing.result import Benchmark as Benchmark
from zoo.timing.result import Row as Row
from zoo.timing.steadiness import Steadiness as Steadiness
from zoo.timing.timed import Variant as Variant
