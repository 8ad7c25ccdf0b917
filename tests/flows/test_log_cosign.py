"""A witness's word is kept when it is good, of a checkpoint of ours, and of a witness that the operator entered."""

import pytest

from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.add_witness import add_witness
from regcert.flows.authenticate import recognise
from regcert.flows.cosign import take_cosignature
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.read_log import describe_log, get_checkpoint, get_witnessed
from regcert.flows.remove_witness import remove_witness
from regcert.signing.note import Note, cosign, list_cosignatures, log_key, read_note, verify_note, witness_key
from regcert.signing.private_key import PrivateKey, private_key_of
from regcert.store.checkpoints import list_witnesses
from regcert.translog.checkpoint import read_checkpoint
from tests.logs import catch_up, enter, opened

KEYS = {name: private_key_of(name.encode() * 32) for name in "abc"}


@pytest.fixture
async def log(settings, database, clock):
    """A log whose witnesses are a and b; c is a stranger."""
    for name in "ab":
        await add_witness(database, clock, name, witness_key(name, KEYS[name]).text, None)
    log = await opened(settings, database, clock)
    await enter(database, 3)
    await catch_up(database, clock, log)
    return log


@pytest.fixture
async def principal(database, clock):
    token = await create_token(database, clock, "alcirt", TokenOrder(Role.CONSUMER, "test"))
    return (await recognise(database, clock, token)).principal


async def cosigned(database, name: str, time_s: int, key: PrivateKey | None = None) -> Note:
    """The newest checkpoint without the witnesses that it has, and one that cosigns it."""
    note = read_note(await get_checkpoint(database))
    own = Note(note.text, note.signatures[:1])
    return own.with_signature(cosign(note.text, key or KEYS[name], name, time_s))


async def test_cosignature_is_handed_out_with_its_checkpoint_when_it_was_taken(database, clock, log, principal):
    """Once, whatever is sent again; the log's own line need not come with it."""
    sent = await cosigned(database, "a", 1_000)
    assert await take_cosignature(database, clock, principal, sent.write())
    assert not await take_cosignature(database, clock, principal, sent.write())
    bare = await cosigned(database, "b", 1_001)
    assert await take_cosignature(database, clock, principal, Note(bare.text, bare.signatures[1:]).write())
    fetched = read_note(await get_checkpoint(database))  # with what the others said
    assert not await take_cosignature(database, clock, principal, fetched.write())
    again = fetched.with_signature(cosign(fetched.text, KEYS["b"], "b", 9_999))
    assert await take_cosignature(database, clock, principal, again.write())
    note = read_note(await get_checkpoint(database))
    verify_note(note, log.verifier)
    assert [line.name for line in note.signatures] == [log.origin, "a", "b", "b"]
    assert [list_cosignatures(note, witness_key(name, KEYS[name])) for name in "ab"] == [[1_000], [1_001, 9_999]]


async def test_first_and_last_word_stand_when_a_witness_speaks_again(database, clock, log, principal):
    """The first tells since when, the last until when; what is hardly newer, or older, changes nothing."""
    for time_s, is_new in ((5_000, True), (5_059, False), (4_000, False), (5_060, True), (9_000, True), (9_000, False)):
        sent = await cosigned(database, "a", time_s)
        assert (time_s, await take_cosignature(database, clock, principal, sent.write())) == (time_s, is_new)
    note = read_note(await get_checkpoint(database))
    assert list_cosignatures(note, witness_key("a", KEYS["a"])) == [5_000, 9_000]


async def test_cosignature_is_refused_when_it_is_not_a_good_one(database, clock, log, principal):
    """Of a stranger, under another's name, of another text, none, two at once, or a plain signature: and nothing is kept."""
    good = await cosigned(database, "a", 7_000)
    other = cosign("another text\n", KEYS["a"], "a", 7_000)
    two = (await cosigned(database, "b", 7_000)).with_signature(good.signatures[1])
    plain = log_key("a", KEYS["a"])
    for sent in (
        await cosigned(database, "c", 7_000),
        await cosigned(database, "a", 7_000, KEYS["b"]),
        Note(good.text, (other,)),
        Note(good.text, good.signatures[:1]),
        two,
        Note(good.text, (good.signatures[0], type(other)("a", plain.key_hash, KEYS["a"].sign(good.text.encode())))),
    ):
        with pytest.raises(Refusal) as refused:
            await take_cosignature(database, clock, principal, sent.write())
        assert refused.value.code is Code.INVALID_COSIGNATURE
    assert len(read_note(await get_checkpoint(database)).signatures) == 1


async def test_checkpoint_is_refused_when_this_host_did_not_publish_it(database, clock, log, principal):
    """Another size, another root, another log, or no checkpoint at all: a witness must not be made to seem to see it."""
    ours = read_checkpoint(read_note(await get_checkpoint(database)).text)
    texts = [
        log.sign(2, ours.root),
        log.sign(3, bytes(32)),
        Note(ours.text().replace("regcert/", "other/"), (cosign("x", KEYS["a"], "a", 1),)).write(),
        b"nothing\n",
    ]
    for text in texts:
        body = text
        if text.startswith(b"regcert/"):
            note = read_note(text)
            body = note.with_signature(cosign(note.text, KEYS["a"], "a", 1)).write()
        with pytest.raises(Refusal) as refused:
            await take_cosignature(database, clock, principal, body)
        assert refused.value.code is Code.INVALID_CHECKPOINT


async def test_witnessed_checkpoint_is_the_newest_with_the_most_witnesses(database, clock, log, principal):
    """Or with as many as are asked for; where no checkpoint has so many, there is none."""
    with pytest.raises(Refusal) as refused:
        await get_witnessed(database)
    assert refused.value.code is Code.NOT_FOUND
    for names in ("ab", "b", ""):
        for name in names:
            await take_cosignature(database, clock, principal, (await cosigned(database, name, 1_000)).write())
        await enter(database, 1)
        await catch_up(database, clock, log)
    sizes = [read_checkpoint(read_note(await get_witnessed(database, quorum)).text).size for quorum in (0, 1, 2)]
    assert sizes == [3, 4, 3]
    with pytest.raises(Refusal):
        await get_witnessed(database, 3)


async def test_witness_is_refused_when_it_is_entered_wrong(database, clock, log):
    """A log's key, another name, a key that is none, a name that is taken, a team that is none."""
    witness = witness_key("c", KEYS["c"])
    for name, verifier, team, code in (
        ("c", log.verifier.text, None, Code.INVALID_SETTING),
        ("d", witness.text, None, Code.INVALID_SETTING),
        ("c", witness.text[:-2], None, Code.INVALID_SETTING),
        ("c", type(witness)("c", witness.kind, bytes(32)).text, None, Code.UNSAFE_KEY),
        ("a", witness_key("a", KEYS["c"]).text, None, Code.ALREADY_EXISTS),
        ("c", witness.text, "nobody", Code.NOT_FOUND),
    ):
        with pytest.raises(Refusal) as refused:
            await add_witness(database, clock, name, verifier, team)
        assert refused.value.code is code
    await add_witness(database, clock, "c", witness.text, "alcirt")
    assert [(one.name, one.team) for one in (await describe_log(database)).witnesses] == [
        ("a", None),
        ("b", None),
        ("c", "alcirt"),
    ]


async def test_nothing_more_is_taken_of_a_witness_when_it_was_removed(database, clock, log, principal):
    """What it said stays."""
    await take_cosignature(database, clock, principal, (await cosigned(database, "a", 1_000)).write())
    await remove_witness(database, clock, "a")
    assert [one.name for one in await database.run(list_witnesses())] == ["b"]
    assert len(read_note(await get_checkpoint(database)).signatures) == 2
    with pytest.raises(Refusal) as refused:
        await take_cosignature(database, clock, principal, (await cosigned(database, "a", 2_000)).write())
    assert refused.value.code is Code.INVALID_COSIGNATURE
    with pytest.raises(Refusal) as refused:
        await remove_witness(database, clock, "a")
    assert refused.value.code is Code.NOT_FOUND
