"""How real traffic is spread: token counts of calls and calls per hour, relative to their mean."""

import csv
from functools import cache
from pathlib import Path
from random import Random

SHAPES_FILE = Path(__file__).with_name("trace_shapes.csv")


class Shape:
    """A distribution with mean 1, given by equally spaced quantiles; between them it is straight."""

    def __init__(self, quantiles: list[float]) -> None:
        self.quantiles = quantiles

    def draw(self, rng: Random) -> float:
        position = rng.random() * (len(self.quantiles) - 1)
        nth = int(position)
        low = self.quantiles[nth]
        return low + (self.quantiles[nth + 1] - low) * (position - nth)


@cache
def shape(trace: str, measure: str) -> Shape:
    """`trace` is conversation, code or long_conversation; `measure` is input, output or rate."""
    with SHAPES_FILE.open(encoding="utf-8", newline="") as file:
        return Shape([float(row[f"{trace}_{measure}"]) for row in csv.DictReader(file)])
