"""Checkpoints: the one text of each, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.translog.checkpoint import Checkpoint, read_checkpoint

# The example of C2SP tlog-checkpoint.
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_checkpoint_of_the_specification_is_read():
    checkpoint = read_checkpoint(TEXT)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.text() == TEXT


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_is_read_back(size, root):
    checkpoint = Checkpoint("regcert/bałkany/1", size, root)
    assert read_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n{2**63}\n{ROOT}\n",
        f"a\n{'9' * 400}\n{ROOT}\n",
        f"a\n١\n{ROOT}\n",
        f"a\n1_0\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a+b\n1\n{ROOT}\n",
        f"a\r\n1\r\n{ROOT}\r\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\nextension\n",
        f"{'a' * 256}\n1\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{ROOT[:-2]}J=\n",
        f"a\n1\n{ROOT[:-4]}\n",
        f"a\n1\n{ROOT.replace('+', '-').replace('/', '_')}\n",
        f"a\n\n{ROOT}\n",
        f"a\n1\n{ROOT}AAAA\n",
        f"\ufeffa b\n1\n{ROOT}\n",
        f"a\u2028b\n1\n{ROOT}\n",
    ],
)
def test_other_texts_are_no_checkpoints(text):
    with pytest.raises(Refusal) as refused:
        read_checkpoint(text)
    assert refused.value.code is Code.INVALID_CHECKPOINT
