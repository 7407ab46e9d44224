import json

import pytest

from filmroom.errors import InputError
from filmroom.identify.roster import RosterEntry, read_roster

ENTRIES = [RosterEntry("Home", "7", "Ada"), RosterEntry("Away", "10", "Bo")]


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "team,number,name\nHome,7,Ada\nAway,10,Bo\n",
        "name, number, Team\nAda, 7, Home\nBo, 10, Away\n",
        "\ufeffteam,number,name\r\nHome,7,Ada\r\nAway,10,Bo\r\n",
        json.dumps([entry._asdict() for entry in ENTRIES]),
        json.dumps({"Home": {"7": "Ada"}, "Away": {"10": "Bo"}}),
        json.dumps(
            [{"team": "Home", "number": 7, "name": "Ada"}, {"team": "Away", "number": 10, "name": "Bo"}]
        ),
    ],
)
def test_all_spellings_of_a_roster_say_the_same(tmp_path, text):
    assert read_roster(written(tmp_path, "roster", text)) == ENTRIES


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("team,number\nHome,7\n", "line 1: no column name"),
        ("team,number,name\nHome,seven,Ada\n", "line 2: number 'seven'"),
        ("team,number,name\nHome,7,Ada\nHome,7,Eve\n", "line 3: number 7 of Home is already at line 2"),
        ("team,number,name\n,7,Ada\n", "line 2: team and number"),
        ("team,number,name\n", "no players"),
        ("[{]", "line 1: not JSON"),
        ("[3]", "entry 1: expected an object"),
    ],
)
def test_a_bad_roster_is_told_with_its_place(tmp_path, text, reason):
    with pytest.raises(InputError, match=reason):
        read_roster(written(tmp_path, "roster", text))


def test_a_missing_roster(tmp_path):
    with pytest.raises(InputError, match="no such roster"):
        read_roster(tmp_path / "none.csv")
