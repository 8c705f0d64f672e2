import pytest

from stages.settings.propose import Propose
from stages.settings.section import from_json, from_values, to_values
from stages.settings.select import Select


def test_nothing_given_gives_the_defaults() -> None:
    assert from_json(Select, "{}", "select") == Select()


def test_given_keys_win_and_the_others_keep_their_defaults() -> None:
    select = from_json(Select, '{"pdg": {"exponent": 2}, "chunk": 3}', "select")
    assert (select.pdg.exponent, select.chunk) == (2.0, 3)
    assert select.pdg.apply == Select().pdg.apply


def test_settings_round_trip_through_plain_values() -> None:
    propose = from_values(Propose, {"prompts": [{"source": "point"}]}, "propose")
    assert from_values(Propose, to_values(propose), "propose") == propose


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"chunks": 3}', "config: unknown key select.chunks"),
        ('{"pdg": {"power": 3}}', "config: unknown key select.pdg.power"),
        ('{"chunk": 0}', "select.chunk: input should be greater than or equal to 1, seen 0"),
        ('{"chunk": "many"}', "select.chunk: input should be a valid integer.*seen 'many'"),
        ('{"pdg": {"apply": "all"}}', "select.pdg.apply: input should be 'score'.*seen 'all'"),
        ('{"pdg": 3}', "select.pdg: .*seen 3"),
        ("{chunk: 3}", "--settings: not JSON"),
        ('{"a": 1, "b": 2}', "unknown key select.a; unknown key select.b"),
    ],
)
def test_wrong_settings_are_named_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        from_json(Select, text, "select")
    assert "\n" not in str(caught.value)
