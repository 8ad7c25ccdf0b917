"""A value that is written as a pattern is read from it again, whatever stands in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.stix.extract import observables_of
from regcert.stix.observable import Observable, ObservableKind, canonical
from regcert.stix.pattern_text import write_pattern
from tests.made import indicator

VALUES = {
    ObservableKind.IPV4: "198.51.100.7",
    ObservableKind.IPV6: "2001:db8::7",
    ObservableKind.CIDR: "198.51.100.0/24",
    ObservableKind.DOMAIN: "evil.example",
    ObservableKind.URL: "https://evil.example/a'b?c=\\d",
    ObservableKind.EMAIL: "o'hara@evil.example",
    ObservableKind.MD5: "0f" * 16,
    ObservableKind.SHA1: "0f" * 20,
    ObservableKind.SHA256: "0f" * 32,
    ObservableKind.SHA512: "0f" * 64,
    ObservableKind.SSDEEP: "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuyZvHYm8tKp/RWO",
    ObservableKind.TLSH: "T1" + "0A" * 35,
    ObservableKind.FILE_NAME: "a'b.exe",
    ObservableKind.MUTEX: "Global\\it's",
    ObservableKind.USER_AGENT: "Evil/1.0 (it's)",
    ObservableKind.ASN: "64512",
}


def read_back(observable: Observable) -> tuple[Observable, ...]:
    return observables_of(indicator(write_pattern(observable)))


@pytest.mark.parametrize("kind", list(ObservableKind), ids=str)
def test_value_of_every_kind_is_read_again(kind):
    """No kind is forgotten, and no quote or backslash gets out of its text."""
    observable = canonical(kind, VALUES[kind])
    assert observable.kind is kind
    assert read_back(observable) == (observable,)


@given(st.sampled_from((ObservableKind.MUTEX, ObservableKind.FILE_NAME)), st.text("ab'\\\" ]:=", min_size=1, max_size=20))
def test_text_stays_within_its_quotes(kind, text):
    """Whatever a team names a file, the pattern around it stays one comparison."""
    try:
        observable = canonical(kind, text)
    except Exception:  # noqa: BLE001 - a text that is no value is not what this is about
        return
    assert read_back(observable) == (observable,)
