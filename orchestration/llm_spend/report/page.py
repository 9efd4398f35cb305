"""Puts data, charts, style and scripts into one HTML file."""

import base64
import gzip
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import vl_convert

from llm_spend.report.charts import CONFIG, specs

SCRIPTS = ("values", "state", "elements", "tables", "overview", "focus", "topics", "incidents", "quality", "main")
"""One after the other they are one script."""


def page(data: dict[str, Any]) -> str:
    """The same data gives the same page.

    The data are packed, so that no name in them can be read as markup. The page's own policy lets the browser run these
    scripts only and fetch nothing.
    """
    content = {**data, "charts": specs(), "config": CONFIG}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
    scripts = [_vega(), "".join(_file(f"{name}.js") for name in SCRIPTS)]
    parts = {
        "policy": " ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        "style": _file("page.css"),
        "data": packed,
        "vega": scripts[0],
        "script": scripts[1],
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: parts[match[1]], _file("page.html"))


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed, as `window.vegaEmbed`."""
    bundle = vl_convert.javascript_bundle()
    return f"{bundle}\n".replace("</script", "<\\/script")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    return (files("llm_spend.report") / name).read_text(encoding="utf-8")
