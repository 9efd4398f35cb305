"""The same rules and the same bad day, with the outbox in a real Postgres. `make test-delivery` runs it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import test_alert_faults
import test_alert_news
from llm_spend.alerts.outbox import open_outbox
from llm_spend.errors import UserError
from servers.engine import Engine
from servers.postgres import postgres_engine
from test_alert_faults import Scene, bad_day
from test_alert_news import World

OF_SQLITE_FILES = ("test_an_outbox_of_the_first_release_is_carried_over",)

for module in (test_alert_news, test_alert_faults):
    rules = {name: test for name, test in vars(module).items() if name.startswith("test_")}
    globals().update({name: test for name, test in rules.items() if name not in OF_SQLITE_FILES})


@pytest.fixture(scope="module")
def postgres() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder, postgres_engine(Path(folder)) as engine:
        yield engine


@pytest.fixture(scope="module")
def url(postgres: Engine) -> str:
    where = {name.removeprefix("LLM_SPEND_POSTGRES_"): value for name, value in postgres.environment.items()}
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{DATABASE}".format(**where)


@pytest.fixture
def world(tmp_path: Path, postgres: Engine, url: str) -> World:
    postgres.execute("drop schema if exists llm_spend_alerts cascade")
    return World(tmp_path, url)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, postgres: Engine, url: str) -> Iterator[Scene]:
    postgres.execute("drop schema if exists llm_spend_alerts cascade")
    with bad_day(tmp_path_factory.mktemp("faults"), url) as scene:
        yield scene


def test_two_deliverers_take_turns(world: World) -> None:
    with (
        open_outbox(world.outbox),
        pytest.raises(UserError, match="another delivery holds the Postgres of LLM_SPEND_OUTBOX_URL"),
        open_outbox(world.outbox, wait_seconds=0.2),
    ):
        pass
    with open_outbox(world.outbox, wait_seconds=0.2):
        pass


def test_the_password_is_in_no_error(url: str) -> None:
    wrong = url.replace("@", "s3cr3t@").replace("postgresql://llm_spend", "postgresql://nobody")
    with pytest.raises(UserError) as caught, open_outbox(wrong):
        pass
    assert "s3cr3t" not in str(caught.value)
    assert url.split(":")[2].split("@")[0] not in str(caught.value)
