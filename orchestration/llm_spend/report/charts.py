"""The charts, as Vega-Lite. Rows come from the page, by the name `rows`; colours are the page's style sheet's."""

from typing import Any

import altair as alt

HEIGHT = 240
ROWS = alt.NamedData(name="rows")
SERIES = [f"var(--series-{place})" for place in range(6)]
"""The last is everything else."""
SIGNED = "datum.value === 0 ? '0' : format(datum.value, '+.0%')"

CONFIG = {
    "aria": False,
    "autosize": {"type": "fit-x", "contains": "padding"},
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)", "gridColor": "var(--line)", "tickColor": "var(--line)",
        "labelColor": "var(--soft)", "titleColor": "var(--soft)", "titleFontWeight": "normal",
        "labelFontSize": 11, "titleFontSize": 11, "labelLimit": 180,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "text": {"color": "var(--text)", "fontSize": 11},
}  # fmt: skip
"""The charts are pictures with a text and a table of their own: the marks do not describe themselves, too."""


def specs() -> dict[str, dict[str, Any]]:
    """Name → Vega-Lite specification, without data and without configuration."""
    charts = {
        "spend": _stacked(),
        "cumulative": _cumulative(),
        "budgets": _budgets(),
        "waterfall": _waterfall(),
        "intervals": _intervals(),
        "unit_cost": _lines(alt.Y("value:Q", title=None, axis=alt.Axis(format="$,.4~r", tickCount=4))),
        "hit_rate": _lines(alt.Y("value:Q", title=None, axis=alt.Axis(format="%", tickCount=4))),
        "signed": _signed_bars(),
        "coverage": _share_bar(),
    }
    return {name: chart.properties(width="container").to_dict() | {"config": {}} for name, chart in charts.items()}


def _day() -> alt.X:
    return alt.X(
        "day:T",
        title=None,
        timeUnit="utcyearmonthdate",
        axis=alt.Axis(format="%-d %b", tickCount=6, labelOverlap=True, labelFlush=True),
    )


def _usd(field: str, **options: Any) -> alt.Y:
    return alt.Y(field, title=None, axis=alt.Axis(format="$,~r", tickCount=4), **options)


def _name(limit: int = 220) -> alt.Y:
    return alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=limit))


def _colour() -> alt.Color:
    return alt.Color("slot:O", scale=alt.Scale(domain=list(range(6)), range=SERIES), legend=None)


def _tooltip(*fields: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=field) for field in fields]


def _stacked() -> alt.Chart:
    """Dollars a day, by name."""
    return (
        alt.Chart(ROWS, height=HEIGHT)
        .mark_bar(stroke="var(--paper)", strokeWidth=0.5, cursor="pointer")
        .encode(
            x=_day(),
            y=_usd("usd:Q", stack="zero"),
            color=_colour(),
            order=alt.Order("slot:Q", sort="descending"),
            tooltip=_tooltip("date", "name", "spend"),
        )
    )


def _cumulative() -> alt.LayerChart:
    """The running month: what was spent, where it is heading, and the budget."""
    base = alt.Chart(ROWS, height=HEIGHT)
    line = base.mark_line(strokeWidth=2.5, color="var(--series-0)").encode(x=_day(), y=_usd("usd:Q"))
    return alt.layer(
        line.transform_filter("datum.kind == 'spent'").mark_area(
            line={"strokeWidth": 2.5, "color": "var(--series-0)"}, color="var(--series-0)", fillOpacity=0.12
        ),
        line.transform_filter("datum.kind == 'forecast'").mark_line(
            strokeWidth=2, strokeDash=[5, 4], color="var(--series-0)"
        ),
        base.transform_filter("datum.kind == 'budget'")
        .mark_rule(strokeWidth=1.5, color="var(--more)")
        .encode(y=_usd("usd:Q")),
        base.transform_filter("datum.label")
        .mark_text(align="right", dy=-8, dx=-2, fontSize=11, color="var(--text)")
        .encode(x=_day(), y=_usd("usd:Q"), text="label:N"),
        base.mark_point(size=60, opacity=0).encode(
            x=_day(), y=_usd("usd:Q"), tooltip=_tooltip("date", "what", "amount")
        ),
    )


def _budgets() -> alt.LayerChart:
    """Each budget as far as it is used, and where its period will end."""
    base = alt.Chart(ROWS, height=alt.Step(26)).encode(y=_name())
    share = alt.X("share:Q", title=None, axis=alt.Axis(format="%", tickCount=5, grid=True))
    tooltip = _tooltip("name", "spent", "budget", "projected", "status")
    return alt.layer(
        base.mark_bar(height=10, tooltip=True).encode(
            x=share,
            color=alt.Color(
                "status:N",
                legend=None,
                scale=alt.Scale(
                    domain=["ok", "warning", "will exceed", "exceeded"],
                    range=["var(--series-0)", "var(--warn)", "var(--warn)", "var(--more)"],
                ),
            ),
            tooltip=tooltip,
        ),
        base.mark_tick(thickness=2.5, size=18, color="var(--text)").encode(x="projected_share:Q", tooltip=tooltip),
        alt.Chart(alt.Data(values=[{"at": 1}])).mark_rule(color="var(--soft)", strokeDash=[3, 3]).encode(x="at:Q"),
    )


def _waterfall() -> alt.LayerChart:
    """From the period before to this one, driver by driver."""
    base = alt.Chart(ROWS, height=HEIGHT).encode(
        x=alt.X("name:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')"))
    )
    return alt.layer(
        base.mark_bar(width={"band": 0.72}).encode(
            y=_usd("low:Q", scale=alt.Scale(zero=False, nice=True)),
            y2="high:Q",
            color=alt.Color(
                "kind:N",
                legend=None,
                scale=alt.Scale(
                    domain=["total", "more", "less"], range=["var(--series-5)", "var(--more)", "var(--less)"]
                ),
            ),
            tooltip=_tooltip("name", "amount"),
        ),
        base.mark_text(dy=-7).encode(y=alt.Y("high:Q"), text="amount:N"),
    )


def _intervals() -> alt.LayerChart:
    """Each new version's change of cost per request, with its bounds."""
    base = alt.Chart(ROWS, height=alt.Step(34)).encode(y=_name(260))
    change = alt.X(
        "change:Q",
        title="change of cost per request",
        axis=alt.Axis(labelExpr=SIGNED, tickCount=6, grid=True),
    )
    colour = alt.Color(
        "verdict:N",
        legend=None,
        scale=alt.Scale(
            domain=["regression", "improvement", "no clear change", "insufficient data"],
            range=["var(--more)", "var(--less)", "var(--soft)", "var(--soft)"],
        ),
    )
    return alt.layer(
        alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color="var(--text)").encode(x="at:Q"),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("lower:Q"), x2="upper:Q", color=colour),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=change, color=colour, tooltip=_tooltip("name", "moved", "interval", "verdict")
        ),
    )


def _lines(y: alt.Y) -> alt.LayerChart:
    """A measure by day and name."""
    base = alt.Chart(ROWS, height=HEIGHT).encode(x=_day(), y=y, color=_colour())
    return alt.layer(
        base.mark_line(strokeWidth=2, interpolate="monotone"),
        base.mark_point(filled=True, size=22, opacity=1).encode(tooltip=_tooltip("date", "name", "amount")),
    )


def _signed_bars() -> alt.LayerChart:
    """Dollars left or lost, by name."""
    base = alt.Chart(ROWS, height=alt.Step(24)).encode(y=_name(180))
    return alt.layer(
        base.mark_bar(height=12).encode(
            x=alt.X("usd:Q", title=None, axis=alt.Axis(format="$,~r", tickCount=5, grid=True)),
            color=alt.condition("datum.usd < 0", alt.value("var(--more)"), alt.value("var(--series-0)")),
            tooltip=_tooltip("name", "amount"),
        ),
        alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color="var(--soft)").encode(x="at:Q"),
    )


def _share_bar() -> alt.Chart:
    """What became of the rows."""
    return (
        alt.Chart(ROWS, height=34)
        .mark_bar(stroke="var(--paper)", strokeWidth=1)
        .encode(
            x=alt.X("rows:Q", title=None, stack="normalize", axis=alt.Axis(format="%", tickCount=5)),
            color=_colour(),
            order="slot:Q",
            tooltip=_tooltip("name", "count"),
        )
    )
