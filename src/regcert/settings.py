"""Settings: one frozen object, read once, from `REGCERT_*` in the environment over `regcert.toml` in the working directory.

A key that is not known is refused in both places, because a misspelt limit that is silently ignored is no limit.

Who may read what is the operator's to arrange, and `regcert init` begins it: `data_dir` is made 0700 and `host.key` in it
0600, both for the user that the service runs as; nobody else needs either. A `regcert.toml` that holds the password of a
database belongs to the same user with 0600; one that holds none may be readable by all.
"""

import os
import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
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
_NOT_OURS = frozenset({"REGCERT_KEY_PASSPHRASE", "REGCERT_PASSWORD", "REGCERT_SECOND_TOKEN", "REGCERT_SERVER", "REGCERT_TOKEN"})
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

    guard_folder: Path | None = None
    """A folder of such lists, read again when its files change; what in it cannot be read is left out and named in the log."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks of the proxies that are believed about where a request comes from; in the environment parted by `,`."""

    certificate_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,64}$")
    """The header in which a trusted proxy names the client's certificate; it must overwrite what clients send under it."""

    tls_certificate: Path | None = None
    """The certificate chain (PEM) with which `serve` speaks TLS itself; left out, it speaks plain HTTP."""

    tls_key: Path | None = None
    """The key of `tls_certificate` (PEM)."""

    tls_client_ca: Path | None = None
    """Who signs client certificates (PEM); a client may come without one, and with none that others signed."""

    log_lock: Path | None = None
    """The last signed checkpoint of the transparency log, in a file that no backup holds; left out, `log.lock` in `data_dir`."""

    log_public: bool = False
    """Whether anybody may read the transparency log, without a token; what it tells is blinded."""

    oidc_issuer: str = Field(default="", max_length=500)
    """The OpenID provider through which people may sign in, as it writes itself; left out, there is none."""

    oidc_client_id: str = Field(default="", max_length=255)
    """This host's name at the provider."""

    oidc_client_secret: str = Field(default="", max_length=1000, repr=False)
    """What this host shows the provider, where it asks for that; never shown."""

    oidc_client_secret_file: Path | None = Field(default=None, repr=False)
    """A file that holds it instead."""

    oidc_label: str = Field(default="your organisation's account", max_length=60)
    """What people call the provider: the button says "Sign in with …"."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged; no level logs the content of an object or a token."""

    @field_validator("database_url")
    @classmethod
    def _name_database(cls, url: str, info: ValidationInfo) -> str:
        return url or f"sqlite:///{info.data.get('data_dir', '')}/regcert.db"

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _part_networks(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _require_both_halves(self) -> Self:
        if (self.tls_certificate is None) is not (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if bool(self.oidc_issuer) is not bool(self.oidc_client_id):
            raise ValueError("oidc_issuer and oidc_client_id go together")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate and tls_key")
        return self

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
