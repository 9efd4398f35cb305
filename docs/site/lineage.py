"""Pictures of what reads what: boxes in columns from left to right, as SVG that takes the page's colours."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

HEIGHT, GAP, BETWEEN_COLUMNS, CHARACTER, PADDING = 26, 8, 56, 7.3, 8
SWEEPS = 8

Edge = tuple[str, str]


@dataclass(frozen=True)
class Box:
    label: str
    kind: str
    """Its class in site.css."""
    href: str | None = None
    tooltip: str = ""


@dataclass(frozen=True)
class Place:
    x: float
    y: float
    width: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + HEIGHT / 2


def columns_by_depth(names: Collection[str], edges: Collection[Edge]) -> dict[str, int]:
    """For each name how many others stand before it on the longest way to it. The edges must have no circle."""
    before = defaultdict(list)
    for start, end in edges:
        if start in names and end in names:
            before[end].append(start)
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = max((depth(other) + 1 for other in before[name]), default=0)
        return depths[name]

    return {name: depth(name) for name in names}


def draw(
    boxes: Mapping[str, Box],
    edges: Collection[Edge],
    columns: Mapping[str, int],
    title: str,
    kinds: Mapping[str, str],
    weights: Mapping[Edge, int] | None = None,
) -> str:
    """HTML of the picture and of its legend, which has a word for each kind.

    An edge that does not lead to the right is dashed."""
    routes = {edge: _route(edge, columns) for edge in sorted(edges) if columns[edge[0]] < columns[edge[1]]}
    rows = _ordered(columns, routes.values())
    places, width, height = _placed(rows, boxes)
    drawn = []
    for edge in sorted(edges):
        line = _line([places[name] for name in routes[edge]]) if edge in routes else _back(*(places[n] for n in edge))
        thickness = f' style="stroke-width:{min(1 + weights[edge] / 4, 4):.1f}"' if weights else ""
        drawn.append(f'<path class="{"edge" if edge in routes else "edge back"}" d="{line}"{thickness}/>')
    drawn += [_box(box, places[name]) for name, box in boxes.items()]
    legend = [f'<span class="{kind}">{word}</span>' for kind, word in kinds.items() if _has(boxes, kind)]
    size = f'style="width:clamp({0.8 * width:.0f}px, 100%, {width:.0f}px)" viewBox="0 0 {width:.0f} {height:.0f}"'
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" {size} aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    return f'<div class="lineage">{picture}</div>\n<div class="lineage-legend">{" ".join(legend)}</div>'


def _has(boxes: Mapping[str, Box], kind: str) -> bool:
    return any(box.kind == kind for box in boxes.values())


def _route(edge: Edge, columns: Mapping[str, int]) -> list[str]:
    """Both ends, and a place to pass in each column between them."""
    start, end = edge
    between = range(columns[start] + 1, columns[end])
    return [start, *(f"{start}>{end}>{column}" for column in between), end]


def _ordered(columns: Mapping[str, int], routes: Collection[Sequence[str]]) -> list[list[str]]:
    """The names of each column from the top, near to what they are connected with."""
    column_of = dict(columns)
    beside = defaultdict(list)
    for route in routes:
        for number, name in enumerate(route):
            column_of[name] = columns[route[0]] + number if name not in columns else columns[name]
        for left, right in pairwise(route):
            beside[left].append(right)
            beside[right].append(left)
    rows = [[name for name in column_of if column_of[name] == number] for number in range(max(column_of.values()) + 1)]
    for sweep in range(SWEEPS):
        sides = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for number in sides:
            other = rows[number - 1] if sweep % 2 == 0 else rows[number + 1]
            heights = {name: (place + 0.5) / len(other) for place, name in enumerate(other)}
            own = {name: (place + 0.5) / len(rows[number]) for place, name in enumerate(rows[number])}

            def wanted(name: str, heights: Mapping[str, float] = heights, own: Mapping[str, float] = own) -> float:
                of_others = [heights[other] for other in beside[name] if other in heights]
                return sum(of_others) / len(of_others) if of_others else own[name]

            rows[number].sort(key=wanted)
    return rows


def _placed(rows: list[list[str]], boxes: Mapping[str, Box]) -> tuple[dict[str, Place], float, float]:
    heights = [sum(HEIGHT + GAP if name in boxes else GAP for name in row) for row in rows]
    places, x, tallest = {}, 2.0, max(heights)
    for row, height in zip(rows, heights, strict=True):
        width = max((len(boxes[name].label) * CHARACTER + 2 * PADDING for name in row if name in boxes), default=0)
        y = (tallest - height) / 2 + GAP / 2
        for name in row:
            places[name] = Place(x, y if name in boxes else y - HEIGHT / 2 + GAP / 2, width)
            y += HEIGHT + GAP if name in boxes else GAP
        x += width + BETWEEN_COLUMNS
    return places, x - BETWEEN_COLUMNS + 2, tallest + GAP


def _line(route: Sequence[Place]) -> str:
    """From the right of the first to the left of the last, through what lies between."""
    path = f"M{route[0].right:.0f},{route[0].middle:.0f}"
    for left, right in pairwise(route):
        bend = left.right + BETWEEN_COLUMNS / 2
        path += f" H{left.right:.0f} C{bend:.0f},{left.middle:.0f} {bend:.0f},{right.middle:.0f} "
        path += f"{right.x:.0f},{right.middle:.0f}"
    return path


def _back(start: Place, end: Place) -> str:
    """To the right of a box in the same column, or in one before it."""
    left = start.right if start.x == end.x else start.x
    bend = end.right + BETWEEN_COLUMNS / 2 if start.x == end.x else (start.x + end.right) / 2
    return (
        f"M{left:.0f},{start.middle:.0f} C{bend:.0f},{start.middle:.0f} {bend:.0f},{end.middle:.0f} "
        f"{end.right:.0f},{end.middle:.0f}"
    )


def _box(box: Box, place: Place) -> str:
    at = f'x="{place.x:.0f}" y="{place.y:.0f}"'
    shape = f'<rect class="{box.kind}" {at} width="{place.width:.0f}" height="{HEIGHT}" rx="4"/>'
    shape += f'<text x="{place.x + PADDING:.0f}" y="{place.middle + 4:.0f}">{escape(box.label)}</text>'
    shape = f"<title>{escape(box.tooltip)}</title>{shape}" if box.tooltip else shape
    return f'<a href="{escape(box.href)}">{shape}</a>' if box.href else f"<g>{shape}</g>"
