"""Settings come from the environment over a file, and what is not known is refused in both."""

from pathlib import Path

import pytest

from regcert.errors import Code, Refusal
from regcert.settings import read_settings


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused() -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_settings()
    assert caught.value.code is Code.INVALID_SETTING
    return caught.value


def test_defaults_stand_when_nothing_is_set():
    """A host needs no settings, and its database lies in its data folder."""
    settings = read_settings()
    assert settings.data_dir == Path("var")
    assert settings.database_url == "sqlite:///var/regcert.db"
    assert (settings.max_content_bytes, settings.guard_files, settings.log_level) == (104_857_600, (), "INFO")


def test_environment_wins_when_file_says_otherwise(monkeypatch):
    """The environment is read over the file, key by key."""
    Path("regcert.toml").write_text('data_dir = "/srv/a"\nlog_level = "DEBUG"\nguard_files = ["x.json"]\n')
    monkeypatch.setenv("REGCERT_DATA_DIR", "/srv/b")
    settings = read_settings()
    assert settings.data_dir == Path("/srv/b")
    assert settings.database_url == "sqlite:////srv/b/regcert.db"
    assert settings.log_level == "DEBUG"
    assert settings.guard_files == (Path("x.json"),)


def test_guard_files_are_parted_by_colon_when_from_environment(monkeypatch):
    """A list of paths in the environment is written as PATH is."""
    monkeypatch.setenv("REGCERT_GUARD_FILES", "a.json:b.toml")
    assert read_settings().guard_files == (Path("a.json"), Path("b.toml"))


@pytest.mark.parametrize("name", ["REGCERT_MAX_CONTENT_BITES", "regcert_data_dirr"])
def test_unknown_variable_is_refused_and_named(monkeypatch, name):
    """A misspelt variable is no setting, and whoever misspelt it is told."""
    monkeypatch.setenv(name, "1")
    assert name.upper() in refused().message


def test_unknown_key_is_refused_and_named_when_in_file():
    """A misspelt key in the file likewise."""
    Path("regcert.toml").write_text("data_dirr = 'x'\n")
    assert "data_dirr" in refused().message


@pytest.mark.parametrize("name", ["REGCERT_SERVER", "REGCERT_TOKEN", "REGCERT_TEST_PG_BIN"])
def test_variables_of_others_are_let_be(monkeypatch, name):
    """The client commands' variables and those of the tests are no settings of a host."""
    monkeypatch.setenv(name, "x")
    read_settings()


@pytest.mark.parametrize("value", ["0", "99999999999", "many", ""])
def test_limit_is_refused_when_out_of_bounds(monkeypatch, value):
    """A limit outside its own limits is refused."""
    monkeypatch.setenv("REGCERT_MAX_CONTENT_BYTES", value)
    assert "max_content_bytes" in refused().message


@pytest.mark.parametrize("content", [b"data_dir = ", b"\xff", b"database_url = 'secret'\nlog_level = 'secret'\n"])
def test_file_is_refused_without_its_values_when_it_is_wrong(content):
    """What is wrong is said; what the file holds, which may be a password, is not."""
    Path("regcert.toml").write_bytes(content)
    assert "secret" not in refused().message


def test_password_is_not_shown_when_settings_are_printed(monkeypatch):
    """Settings in a log tell no password."""
    monkeypatch.setenv("REGCERT_DATABASE_URL", "postgresql://u:secret@db/regcert")
    assert "secret" not in repr(read_settings())
