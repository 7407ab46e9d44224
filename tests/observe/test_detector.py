import pytest

from filmroom.observe.decode import KINDS, Detections
from filmroom.observe.detector import with_close_people

HEIGHT = 720
PERSON, BALL = KINDS.index("person"), KINDS.index("ball")


player = (500, 100, 200, 600)


def test_a_player_who_fills_the_picture_takes_the_place_of_his_parts(found):
    legs, other = (560, 450, 90, 240), (900, 300, 60, 160)
    seen = Detections.concatenate([found([legs, other]), found([(600, 650, 20, 20)], kind=BALL)])
    together = with_close_people(seen, found([player], score=0.7), HEIGHT)
    people = together.boxes[together.kinds == PERSON].tolist()
    assert people == [list(map(float, other)), list(map(float, player))]
    assert (together.kinds == BALL).sum() == 1


@pytest.mark.parametrize(("box", "score"), [((500, 100, 60, 220), 0.8), (player, 0.4)])
def test_small_people_and_doubtful_ones_of_the_smaller_picture_change_nothing(found, box, score):
    team = found([(100 * place, 300, 30, 80) for place in range(8)])
    assert with_close_people(team, found([box], score), HEIGHT) is team
