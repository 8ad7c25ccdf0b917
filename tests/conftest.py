"""What every test may ask for: a database of each kind, empty or founded, and a host that listens on a real socket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from regcert.assembly.parts import load_schemas
from regcert.settings import Settings
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database, open_database
from tests.founding import Templates
from tests.hosting import RunningHost, StillClock, run_host
from tests.postgres import fresh_database, postgres_server

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of this worker's own, with fsync on: the store refuses one without."""
    with postgres_server(fsync=True) as server:
        yield server


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The hosts that those of the tests are copies of."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database, once on SQLite and once on PostgreSQL; it is empty unless the test asks for `settings`, too."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/regcert.db"
        return
    server = request.getfixturevalue("postgres")
    # Whoever asks for a founded host gets a database in which it was founded.
    template = templates.found_on_postgresql(server) if "settings" in request.fixturenames else "template1"
    async with fresh_database(server, template) as url:
        yield url


@pytest.fixture
def clock() -> StillClock:
    """A clock that moves only when told to."""
    return StillClock()


@pytest.fixture
def settings(templates: Templates, tmp_path: Path, database_url: str) -> Settings:
    """The settings of a host that was founded with the sample region."""
    return templates.copy(tmp_path / "host", database_url)


@pytest.fixture
async def database(settings: Settings, clock: StillClock) -> AsyncIterator[Database]:
    """A founded host's database, open and serving writes."""
    async with open_database(settings.database_url, clock) as opened:
        yield opened


@pytest.fixture
async def host(settings: Settings, clock: StillClock) -> AsyncIterator[RunningHost]:
    """A founded host that listens on a real socket, with its worker at work."""
    async with run_host(settings, clock) as running:
        yield running


@pytest.fixture(scope="session")
def schemas() -> SchemaSet:
    """The compiled schemas of every STIX type."""
    return load_schemas()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real-world STIX, MISP events and lists, where they are at hand."""
    if not DATA.is_dir():
        pytest.skip("the collection of real-world data is not beside this checkout")
    return DATA
