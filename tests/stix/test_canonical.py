"""The canonical form, against an independent implementation and the words of the standard."""

import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.canonical import canonical_bytes, digest

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ascii_texts = st.text(st.characters(max_codepoint=127), max_size=12)
integers = st.integers(-(2**53) + 1, 2**53 - 1)


def nested(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
    )


@given(nested(st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts, texts))
def test_form_equals_the_standards_when_values_are_anything(value):
    """The general way is RFC 8785, whatever the value."""
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(nested(st.none() | st.booleans() | integers | texts, ascii_texts | texts))
def test_quick_way_writes_the_same_bytes_when_it_is_allowed(value):
    """Without floats, the quick way and the standard's are one, whatever the keys."""
    assert canonical_bytes(value, simple=True) == rfc8785.dumps(value)


def test_form_is_the_one_of_the_standard():
    """RFC 8785 §3.2.2 and §3.2.3: numbers as ECMAScript writes them, keys in the order of UTF-16."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_bytes(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_bytes({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()
    assert canonical_bytes({"\ufb33": 1, "\U0001f600": 2}, simple=True) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("simple", [True, False])
@pytest.mark.parametrize("value", [{"x": "\ud800"}, {"\udc00": 1}, ["a\udfff"]])
def test_form_is_refused_when_a_text_is_no_text(value, simple):
    """Half of a surrogate pair has no UTF-8 and therefore no digest."""
    with pytest.raises(Refusal) as refused:
        canonical_bytes(value, simple=simple)
    assert refused.value.code is Code.UNSAFE_TEXT


def test_digest_is_sha256():
    """32 bytes of SHA-256 over the form."""
    assert digest(b"{}") == hashlib.sha256(b"{}").digest()
