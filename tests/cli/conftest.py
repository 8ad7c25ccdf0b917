"""Commands run as a person runs them: in a folder of their own, with an environment of their own."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from regcert.cli.app import run


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Regcert = Callable[..., Outcome]


@pytest.fixture
def regcert(tmp_path, monkeypatch, capsys) -> Regcert:
    """Run a command in an empty folder, with no setting but those that a test makes."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("REGCERT_") and not name.startswith("REGCERT_TEST_")]:
        monkeypatch.delenv(name)

    def command(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return command


@pytest.fixture
def founded(regcert: Regcert) -> Regcert:
    """The same on a host that was founded."""
    assert regcert("init").code == 0
    return regcert
