"""What one team posts, another gets: value for value, in the order in which it became visible."""

from tests.hosting import RunningHost
from tests.made import indicator


async def test_object_comes_back_value_for_value_when_another_team_polls(host: RunningHost) -> None:
    """What came in is handed back (law 1)."""
    sent = indicator(name="Ћирилица", x_custom={"a": [1, 2.5, None, True]})
    status, answer = await host.post([sent])
    assert (status, answer["success_count"]) == (202, 1)
    assert await host.objects("srb-cert") == [sent]
