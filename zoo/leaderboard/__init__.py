"""Leaderboards: models measured in one way on one page, with ranks that mean something and checks
that catch wrong tables."""

from zoo.leaderboard.board import Board as Board
from zoo.leaderboard.board import Row as Row
from zoo.leaderboard.build import build as build
from zoo.leaderboard.checks import check as check
from zoo.leaderboard.entry import Entry as Entry
from zoo.leaderboard.entry import Model as Model
from zoo.leaderboard.entry import Timing as Timing
from zoo.leaderboard.finding import Finding as Finding
from zoo.leaderboard.ranks import rank as rank
from zoo.leaderboard.table import Leaderboard as Leaderboard
