import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = {
    requirement.name: requirement
    for requirement in map(Requirement, re.findall(r"^([^\s#].*?) \\$", LOCK, re.MULTILINE))
}


def test_the_lock_names_no_index_and_no_file() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*--(?!hash=)|@ ", LOCK, re.MULTILINE)


def test_every_pin_has_a_hash() -> None:
    assert all("--hash=sha256:" in pin for pin in re.split(r"^(?=[^\s#])", LOCK, flags=re.MULTILINE)[1:])


def test_dbt_core_installs_on_a_closed_network() -> None:
    (pin,) = PINNED["dbt-core"].specifier
    assert pin.version.startswith("1.11.")


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(text for extra in project["project"]["optional-dependencies"].values() for text in extra),
    ]
    for requirement in map(Requirement, wanted):
        if requirement.name == project["project"]["name"]:
            continue
        (pin,) = PINNED[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(pin.version), requirement
