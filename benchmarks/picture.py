"""The picture of `make bench`: seconds by rows, as SVG."""

from collections.abc import Callable, Iterable, Mapping
from math import ceil, floor, log10

from steps import Figures

Sizes = Mapping[int, Figures]

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 160, 64, 62
INSET, LINE = 30, 16
CURVES = (
    ("full", "full build", "#1f5a96"),
    ("floor", "floor", "#6b7280"),
    ("day", "one more day", "#c2571a"),
)


def plot(sizes: Sizes) -> str:
    """Seconds of full build, floor and one more day by rows, both logarithmic, as SVG."""
    xs = sorted(sizes)
    ys = [sizes[rows][name]["model_seconds"] for rows in xs for name, _, _ in CURVES]
    x_of = scale(xs, LEFT + INSET, WIDTH - RIGHT)
    y_of = scale(ys, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#1f2937">',
        "<!-- written by `make bench` -->",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 26, "How long a build takes", size=17, weight="bold"),
        text(LEFT, 46, "seconds of the models by rows of history; both axes logarithmic", colour="#4b5563"),
    ]
    for value in decades(ys):
        parts += [line(LEFT, y_of(value), WIDTH - RIGHT, y_of(value), "#e5e7eb")]
        parts += [text(LEFT - 8, y_of(value) + 4, f"{value:g}", anchor="end")]
    for value in decades(xs):
        parts += [line(x_of(value), TOP, x_of(value), HEIGHT - BOTTOM, "#e5e7eb")]
        parts += [text(x_of(value), HEIGHT - BOTTOM + 20, f"{value:,.0f}", anchor="middle")]
    parts += [
        line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#6b7280"),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "rows of history", anchor="middle"),
        f'<g transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">'
        + text(0, 0, "seconds", anchor="middle")
        + "</g>",
    ]
    for name, _, colour in CURVES:
        points = [(x_of(rows), y_of(sizes[rows][name]["model_seconds"])) for rows in xs]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>']
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
    for rows in xs:
        parts += labels(sizes[rows], x_of(rows), y_of, is_last=rows == xs[-1])
    return "\n".join([*parts, "</svg>", ""])


def labels(figures: Figures, x: float, y_of: Callable[[float], float], is_last: bool) -> list[str]:
    """The values at one size, from the greatest down, a line of text apart; the last also name the curve."""
    values = sorted(((figures[name]["model_seconds"], label, colour) for name, label, colour in CURVES), reverse=True)
    parts, free_from = [], 0.0
    for value, label, colour in values:
        number = f"{value:.1f}" if value < 10 else f"{value:,.0f}"
        y = max(y_of(value) + (4 if is_last else -9), free_from)
        if is_last:
            parts += [text(x + 12, y, f"{label}: {number} s", weight="bold", colour=colour)]
        else:
            # Under the point where the one above it has taken the room.
            y = y if y < y_of(value) - 7 else max(y_of(value) + 19, free_from)
            parts += [text(x, y, number, "middle", colour=colour)]
        free_from = y + LINE
    return parts


def decades(values: Iterable[float]) -> list[float]:
    """The powers of ten from below the least to above the greatest value."""
    logs = [log10(value) for value in values]
    first, last = floor(min(logs)), ceil(max(logs))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def scale(values: Iterable[float], start: float, end: float) -> Callable[[float], float]:
    """A logarithmic scale over whole decades, from `start` to `end` in pixels."""
    marks = decades(values)
    low, high = log10(marks[0]), log10(marks[-1])
    return lambda value: start + (log10(value) - low) / (high - low) * (end - start)


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def text(
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    size: int = 13,
    weight: str = "normal",
    colour: str = "#1f2937",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{colour}" stroke="#ffffff" stroke-width="3" paint-order="stroke">{words}</text>'
    )
