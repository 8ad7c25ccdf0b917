"""Signed notes: what others sign, we verify, and the other way round; what is bent in one place is refused."""

# ruff: noqa: E501 - signature lines are as long as they are

import pytest

from regcert.domain.verifier_key import NoteKeyKind, VerifierKey, read_verifier_key
from regcert.errors import Code, Refusal
from regcert.signing.note import (
    MOST_NOTE_BYTES,
    Note,
    Signature,
    cosign,
    list_cosignatures,
    log_key,
    read_cosignature,
    read_note,
    sign_note,
    verify_note,
    witness_key,
)
from regcert.signing.note_key import new_witness_key, read_witness_key
from regcert.signing.private_key import private_key_of

# The note by which implementations of golang.org/x/mod/sumdb/note check each other.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
# A checkpoint of a public log, cosigned by public witnesses; its first line is of a kind that we do not know.
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESSES = {
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2": 1_779_573_024,
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv": 1_779_573_024,
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO": 1_779_573_024,
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM": 1_779_573_024,
}
REAL_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
TEXT = "log.example\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
KEY = private_key_of(bytes(range(32)))
OTHER = private_key_of(bytes(32))
NOTE = sign_note(TEXT, KEY, "log.example")
LINE = NOTE.signatures[0].line


def code_of(check, *arguments) -> Code:
    with pytest.raises(Refusal) as refused:
        check(*arguments)
    return refused.value.code


def test_note_of_another_implementation_is_verified():
    note = read_note(GO_NOTE.encode())
    verify_note(note, read_verifier_key(GO_KEY))
    assert note.write() == GO_NOTE.encode()


def test_real_checkpoint_and_its_cosignatures_are_verified():
    note = read_note(REAL_NOTE.encode())
    verify_note(note, read_verifier_key(REAL_LOG))
    assert {text: read_cosignature(note, read_verifier_key(text)) for text in REAL_WITNESSES} == REAL_WITNESSES
    assert note.write() == REAL_NOTE.encode()


def test_what_we_sign_is_verified():
    verify_note(read_note(NOTE.write()), log_key("log.example", KEY))
    cosigned = NOTE.with_signature(cosign(TEXT, OTHER, "witness.example", 1_795_000_000))
    assert read_cosignature(read_note(cosigned.write()), witness_key("witness.example", OTHER)) == 1_795_000_000
    verify_note(cosigned, log_key("log.example", KEY))


def test_every_bit_of_text_and_signature_counts():
    """Each bit of a cosigned checkpoint, flipped: no log and no witness has signed that."""
    note = NOTE.with_signature(cosign(TEXT, OTHER, "w", 1_795_000_000)).write()
    passed = []
    for at in range(len(note)):
        for bit in range(8):
            bent = bytes([*note[:at], note[at] ^ 1 << bit, *note[at + 1 :]])
            try:
                read = read_note(bent)
                verify_note(read, log_key("log.example", KEY))
                read_cosignature(read, witness_key("w", OTHER))
            except Refusal:
                continue
            passed.append((at, bit))
    assert passed == []


UNREADABLE = {
    "nothing": "",
    "no signature": TEXT,
    "no signature behind the empty line": TEXT + "\n",
    "no empty line": TEXT + LINE,
    "no last line break": TEXT + "\n" + LINE[:-1],
    "text behind": TEXT + "\n" + LINE + "more\n",
    "an empty line behind": TEXT + "\n" + LINE + "\n",
    "a hyphen": TEXT + "\n" + LINE.replace("—", "-"),
    "two blanks": TEXT + "\n" + LINE.replace("— ", "—  "),
    "no name": TEXT + "\n" + LINE.replace("log.example", ""),
    "a name with plus": TEXT + "\n" + LINE.replace("log.example", "log+example"),
    "a name with a wide blank": TEXT + "\n" + LINE.replace("log.example", "log\u3000example"),
    "a tab": TEXT + "\n" + LINE.replace("— log.example ", "— log.example\t"),
    "a carriage return": TEXT.replace("\n", "\r\n") + "\n" + LINE,
    "a zero": TEXT + "\0\n\n" + LINE,
    "base64 without its end": TEXT + "\n" + LINE.replace("=", ""),
    "base64 with bits left over": TEXT + "\n— log.example AAAAAAB=\n",
    "a key hash alone": TEXT + "\n— log.example AAAAAA==\n",
    "65 lines": TEXT + "\n" + LINE * 65,
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_other_texts_are_no_notes(content):
    assert code_of(read_note, content.encode()) is Code.INVALID_CHECKPOINT


def test_note_is_utf_8_and_bounded():
    assert code_of(read_note, b"\xff\n\n" + LINE.encode()) is Code.INVALID_CHECKPOINT
    assert code_of(read_note, b"a" * MOST_NOTE_BYTES + b"\n\n" + LINE.encode()) is Code.INVALID_CHECKPOINT


def test_64_lines_are_read_and_text_may_have_empty_lines():
    assert len(read_note(f"{TEXT}\n{LINE * 64}".encode()).signatures) == 64
    assert read_note(f"a\n\nb\n\n{LINE}".encode()).text == "a\n\nb\n"


@pytest.mark.parametrize(
    "verifier",
    [
        log_key("log.example", OTHER),
        log_key("other.example", KEY),
        VerifierKey("log.example", NoteKeyKind.COSIGNATURE, KEY.public.raw),
    ],
    ids=["another key", "another name", "another kind"],
)
def test_note_without_a_line_of_the_key_is_refused(verifier):
    assert code_of(verify_note, NOTE, verifier) is Code.INVALID_CHECKPOINT


def test_lines_of_unknown_keys_are_read_past():
    """Also where they borrow the name, or the hash, but not both."""
    mine = NOTE.signatures[0]
    strangers = (Signature("log.example", b"abcd", b"x"), Signature("other.example", mine.key_hash, b"y" * 5000))
    verify_note(Note(TEXT, (*strangers, mine)), log_key("log.example", KEY))


def test_one_bad_line_of_a_known_key_refuses_the_note():
    """Somebody else's signature under our log's name, beside the true one: neither is believed."""
    mine = NOTE.signatures[0]
    forged = Signature(mine.name, mine.key_hash, OTHER.sign(TEXT.encode()))
    for lines in ((mine, forged), (forged, mine), (forged,)):
        assert code_of(verify_note, Note(TEXT, lines), log_key("log.example", KEY)) is Code.INVALID_CHECKPOINT


def test_cosignature_is_none_of_the_log_and_the_other_way_round():
    """One key under two kinds: what it signed as the one is nothing as the other."""
    as_log, as_witness = log_key("log.example", KEY), witness_key("log.example", KEY)
    cosigned = Note(TEXT, (cosign(TEXT, KEY, "log.example", 7),))
    assert code_of(verify_note, cosigned, as_log) is Code.INVALID_CHECKPOINT
    assert code_of(read_cosignature, NOTE, as_witness) is Code.INVALID_COSIGNATURE
    moved = Note(TEXT, (Signature("log.example", as_witness.key_hash, NOTE.signatures[0].value),))
    assert code_of(read_cosignature, moved, as_witness) is Code.INVALID_COSIGNATURE
    assert code_of(read_cosignature, NOTE, as_log) is Code.INVALID_COSIGNATURE


def test_time_of_a_cosignature_is_signed():
    line = cosign(TEXT, OTHER, "w", 1_795_000_000)
    later = Signature(line.name, line.key_hash, (1_795_000_001).to_bytes(8) + line.value[8:])
    assert code_of(read_cosignature, Note(TEXT, (later,)), witness_key("w", OTHER)) is Code.INVALID_COSIGNATURE


def test_time_beyond_the_standard_is_refused():
    """At most 2^63 - 1: a reader with signed numbers would see a time long ago."""
    most = cosign(TEXT, OTHER, "w", 2**63 - 1)
    assert read_cosignature(Note(TEXT, (most,)), witness_key("w", OTHER)) == 2**63 - 1
    beyond = cosign(TEXT, OTHER, "w", 2**63)
    assert code_of(read_cosignature, Note(TEXT, (beyond,)), witness_key("w", OTHER)) is Code.INVALID_COSIGNATURE


@pytest.mark.parametrize("value", [b"1", bytes(8), bytes(71), bytes(73)])
def test_cosignature_of_another_length_is_refused(value):
    verifier = witness_key("w", OTHER)
    assert (
        code_of(list_cosignatures, Note(TEXT, (Signature("w", verifier.key_hash, value),)), verifier) is Code.INVALID_COSIGNATURE
    )


def test_several_cosignatures_are_listed_by_time():
    lines = tuple(cosign(TEXT, OTHER, "w", time_s) for time_s in (30, 10, 20))
    assert list_cosignatures(Note(TEXT, lines), witness_key("w", OTHER)) == [10, 20, 30]
    assert read_cosignature(Note(TEXT, lines), witness_key("w", OTHER)) == 10
    assert list_cosignatures(NOTE, witness_key("w", OTHER)) == []
    assert code_of(read_cosignature, NOTE, witness_key("w", OTHER)) is Code.INVALID_COSIGNATURE


def test_key_that_signs_for_everything_is_refused():
    """A small-order key: OpenSSL takes one constant signature of it for every text."""
    everybody = VerifierKey("log.example", NoteKeyKind.ED25519, bytes([1, *bytes(31)]))
    forged = Note(TEXT, (Signature("log.example", everybody.key_hash, bytes([1, *bytes(63)])),))
    assert code_of(verify_note, forged, everybody) is Code.UNSAFE_KEY


@pytest.mark.parametrize("text", [GO_KEY, REAL_LOG, *REAL_WITNESSES])
def test_verifier_keys_are_read_back(text):
    assert read_verifier_key(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        GO_KEY[1:],
        GO_KEY[:-1],
        GO_KEY + "A",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("+AR", "+AB"),
        GO_KEY.replace("+AR", "+BB"),
        " " + GO_KEY,
        GO_KEY + "\n",
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        "a" * 600 + GO_KEY,
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=",
    ],
)
def test_other_texts_are_no_verifier_keys(text):
    assert code_of(read_verifier_key, text) is Code.INVALID_SETTING


def test_witness_key_is_read_back_and_stays_secret():
    key = new_witness_key("cert.example/witness")
    assert read_witness_key(key.write()) == key
    assert key.verifier.text.startswith("cert.example/witness+")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "é" * 128, "\udc80"])
def test_witness_name_must_fit_a_signature_line(name):
    assert code_of(new_witness_key, name) is Code.INVALID_SETTING


def test_damaged_witness_key_is_refused_and_not_repeated():
    written = new_witness_key("w").write()
    secret = written.strip().split(b"+", 4)[4]  # base64 of it may hold a plus as well
    assert len(secret) > 40
    for data in (
        b"",
        b"\xff",
        written[:-2],
        written[1:],
        written.replace(b"+w+", b"+v+"),
        written * 2,
        b"PRIVATE+KEY+w+" + b"A" * 4096,
    ):
        with pytest.raises(Refusal) as refused:
            read_witness_key(data)
        assert refused.value.code is Code.INVALID_SETTING
        assert secret.decode() not in refused.value.message
