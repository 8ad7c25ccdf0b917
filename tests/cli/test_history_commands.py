"""What the operator does with a history: export it, compare it with the live state, and have that made anew."""

import json
import sqlite3

from regcert.history import extra


def test_history_is_exported_and_compared_until_the_live_state_is_wrong(founded):
    """Exit code 1 and a line for each difference; without one, nothing on standard output."""
    for _ in range(2):
        told = founded("history", "export", "var/history", "--json")
        assert (told.code, told.json["position"], told.json["parts"]) == (0, 0, 1)
    compared = founded("correlate", "--compare", "--rebuild")
    assert (compared.code, compared.out) == (0, "")
    assert "is what the history comes to" in compared.err
    with sqlite3.connect("var/regcert.db") as database:
        [scope, *_] = database.execute("SELECT scope FROM collections").fetchone()
        database.execute("INSERT INTO observables (key, kind, value) VALUES (x'01', 'domain', 'invented.example')")
        database.execute("INSERT INTO held_back (scope, key, countries, reason) VALUES (?, x'01', 'AL,RS', 'None.')", (scope,))
    compared = founded("correlate", "--compare")
    assert compared.code == 1
    assert json.loads(compared.out)["unfounded"]["held_back"]["value"] == "invented.example"
    assert founded("correlate", "--compare", "--rebuild").code == 1
    assert founded("correlate", "--compare").code == 0


def test_history_commands_refuse_what_they_cannot_do(founded, monkeypatch):
    """Each refusal says what to do instead; a host without the extra is told what to install, and still rebuilds."""
    for arguments, sentence in (
        (["--since", "2026-11-01"], "history export"),
        (["--compare", "--until", "2026-11-01"], "leave out --since"),
        (["--since", "yesterday"], "RFC 3339"),
        (["--engine", "abacus"], "--engine must be"),
    ):
        refused = founded("correlate", *arguments)
        assert refused.code == 1
        assert sentence in refused.err

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extra, "import_module", missing)
    refused = founded("history", "export", "var/history")
    assert refused.code == 1
    assert "pip install 'regcert[history]'" in refused.err
    assert founded("correlate", "--rebuild").code == 0
