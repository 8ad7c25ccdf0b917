"""The commands of a witness, as a person types them."""

import stat

import pytest

from regcert.signing.note import sign_note
from regcert.signing.note_key import WitnessKey, read_witness_key
from regcert.signing.private_key import private_key_of
from regcert.translog.tiles import TileName, tile_width
from tests.cli.conftest import Regcert, regcert  # noqa: F401 - a fixture
from tests.translog.trees import Tree
from tests.verification.lying import LOG, ORIGIN, checkpoint, signed

FORK = 16


def test_new_key_is_for_its_owner_alone(regcert: Regcert, tmp_path):  # noqa: F811
    made = regcert("witness", "new", "--name", "cert.example/witness", "--out", "w.key")
    assert made.code == 0
    assert stat.S_IMODE((tmp_path / "w.key").stat().st_mode) == 0o600
    key = read_witness_key((tmp_path / "w.key").read_bytes())
    assert made.out == key.verifier.text + "\n"
    assert key.seed.hex() not in made.out + made.err


def test_new_key_never_replaces_one(regcert: Regcert, tmp_path):  # noqa: F811
    """A witness whose key is gone has to be entered again everywhere."""
    (tmp_path / "w.key").write_bytes(b"kept")
    made = regcert("witness", "new", "--name", "w", "--out", "w.key")
    assert (made.code, (tmp_path / "w.key").read_bytes()) == (1, b"kept")
    assert "[already-exists]" in made.err


def test_name_that_does_not_fit_makes_no_file(regcert: Regcert, tmp_path):  # noqa: F811
    assert regcert("witness", "new", "--name", "two words", "--out", "w.key").code == 1
    assert not (tmp_path / "w.key").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"--log": "nonsense"},
        {"--log": WitnessKey("w", bytes(32)).verifier.text},
        {"--every": "15"},
        {"--every": "0s"},
        {"--every": "1d"},
        {"--key": "nothing.key"},
        {"--key": "empty.key"},
        {"--server": "ftp://log.example"},
    ],
    ids=str,
)
def test_wrong_options_are_refused(regcert: Regcert, tmp_path, wrong):  # noqa: F811
    (tmp_path / "w.key").write_bytes(WitnessKey("w", bytes(32)).write())
    (tmp_path / "empty.key").write_bytes(b"")
    options = {"--key": "w.key", "--log": LOG.text, "--state": "state", "--token": "t", **wrong}
    ended = regcert("witness", "run", "--once", *(word for pair in options.items() for word in pair))
    assert ended.code == 1
    assert "[invalid-setting]" in ended.err


def compare(regcert: Regcert, tmp_path, one: bytes, other: bytes, *more: str):  # noqa: F811
    (tmp_path / "a.note").write_bytes(one)
    (tmp_path / "b.note").write_bytes(other)
    return regcert("checkpoint", "compare", "a.note", "b.note", "--log", LOG.text, *more)


def keep_tiles(folder, tree: Tree) -> None:
    for place, hashes in tree.tiles.items():
        path = folder / TileName(*place, tile_width(*place, tree.size)).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashes)


def test_two_notes_of_one_tree_agree(regcert: Regcert, tmp_path):  # noqa: F811
    found = compare(regcert, tmp_path, signed(5), signed(5))
    assert found.code == 0
    assert found.out == f"agree: {ORIGIN}, 5 and 5 entries are one history\n"


def test_two_roots_of_one_size_are_the_proof_of_a_fork(regcert: Regcert, tmp_path):  # noqa: F811
    found = compare(regcert, tmp_path, signed(5), signed(5, "other"))
    assert found.code == FORK
    assert found.out == f"{signed(5).decode()}\n{signed(5, 'other').decode()}\n"
    assert "[log-fork]" in found.err


def test_different_sizes_are_decided_by_tiles_alone(regcert: Regcert, tmp_path):  # noqa: F811
    assert compare(regcert, tmp_path, signed(5), signed(300)).code == 1
    keep_tiles(tmp_path / "copy", Tree(300))
    assert compare(regcert, tmp_path, signed(5), signed(300), "--tiles", "copy").code == 0
    assert compare(regcert, tmp_path, signed(300), signed(5), "--tiles", "copy").code == 0
    assert compare(regcert, tmp_path, signed(5, "other"), signed(300), "--tiles", "copy").code == FORK
    assert compare(regcert, tmp_path, signed(5), signed(300, "other"), "--tiles", "copy").code == 1, "not the tiles of that tree"
    assert compare(regcert, tmp_path, signed(5), signed(301), "--tiles", "copy").code == 1, "tiles are missing"


def test_only_what_the_log_signed_is_compared(regcert: Regcert, tmp_path):  # noqa: F811
    """Anybody can write a second root; it proves something only under the log's key."""
    forged = sign_note(checkpoint(5, "other").text(), private_key_of(bytes(32)), ORIGIN).write()
    found = compare(regcert, tmp_path, signed(5), forged)
    assert found.code == 1
    assert "[invalid-checkpoint]" in found.err
