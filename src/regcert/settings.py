"""Settings: one frozen object, read once, from `REGCERT_*` in the environment over `regcert.toml` in the working directory.

A key that is not known is refused in both places, because a misspelt limit that is silently ignored is no limit.

Who may read what is the operator's to arrange, and `regcert init` begins it: `data_dir` is made 0700 and `host.key` in it
0600, both for the user that the service runs as; nobody else needs either. A `regcert.toml` that holds the password of a
database belongs to the same user with 0600; one that holds none may be readable by all.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from regcert.errors import Code, Refusal

SETTINGS_FILE = Path("regcert.toml")
_PREFIX = "REGCERT_"
# The client commands' own, and those of the tests, are settings of no host.
_NOT_OURS = frozenset({"REGCERT_PASSWORD", "REGCERT_SECOND_TOKEN", "REGCERT_SERVER", "REGCERT_TOKEN"})
_TESTS = "REGCERT_TEST_"


class Settings(BaseSettings):
    """What the operator decides about this host."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=_PREFIX, toml_file=SETTINGS_FILE, use_attribute_docstrings=True
    )

    data_dir: Path = Path("var")
    """Where the host keeps its key and, on SQLite, its database."""

    database_url: str = Field(default="", repr=False, validate_default=True)
    """`sqlite:///path` or `postgresql://…`; left empty, `regcert.db` in `data_dir`. May hold a password: never shown."""

    max_content_bytes: int = Field(default=104_857_600, ge=65_536, le=1_073_741_824)
    """The largest body that a client may post, 64 KiB to 1 GiB; clients read it as `max_content_length`."""

    guard_files: Annotated[tuple[Path, ...], NoDecode] = ()
    """More lists of benign values: MISP warninglists (.json) or guard lists (.toml); in the environment parted by `:`."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged; no level logs the content of an object or a token."""

    @field_validator("database_url")
    @classmethod
    def _name_database(cls, url: str, info: ValidationInfo) -> str:
        return url or f"sqlite:///{info.data.get('data_dir', '')}/regcert.db"

    @field_validator("guard_files", mode="before")
    @classmethod
    def _part_paths(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature; we read neither of these two
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what the caller says over the environment over the file, and nothing else."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """Read the settings of the host in the working directory.

    Raises:
        Refusal: INVALID_SETTING, naming the keys but never their values: one of them may be a password.
    """
    known = {_PREFIX + name.upper() for name in Settings.model_fields}
    strange = sorted(
        name
        for name in map(str.upper, os.environ)
        if name.startswith(_PREFIX) and name not in known | _NOT_OURS and not name.startswith(_TESTS)
    )
    if strange:
        raise _refusal(f"remove or correct the environment variable {strange[0][:60]}, no such setting is known")
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))[:60]}: {fault['msg'][:100]}" for fault in error.errors()[:3])
        raise _refusal(f"correct {faults}") from None  # the error itself shows the values
    except tomllib.TOMLDecodeError as error:
        raise _refusal(f"{SETTINGS_FILE} is not TOML: {error}") from None
    except (SettingsError, OSError, UnicodeDecodeError):
        raise _refusal(f"{SETTINGS_FILE} or a REGCERT_ variable cannot be read; check its form and permissions") from None


def _refusal(sentence: str) -> Refusal:
    return Refusal(Code.INVALID_SETTING, sentence)
