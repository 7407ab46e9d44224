"""Athletes pasted into pictures: where their boxes lie, whom they hide, who can be cut out."""

import numpy as np
import pytest

from filmroom.observe.silhouettes import Silhouettes
from filmroom.train.paste import Cutout, cut_out_people, draw_post, head_of, paste_figures

RED = Cutout(np.full((40, 16, 3), (200, 0, 0), np.uint8), np.full((40, 16), 255, np.uint8), (8.0, 40.0))


class WholeBox:
    """A segmenter that takes the middle two thirds of every box for the person."""

    def segment(self, picture, boxes):
        masks = []
        for _, _, w, h in boxes.astype(int):
            mask = np.zeros((h, w), bool)
            mask[:, w // 6 : w - w // 6] = True
            masks.append(mask)
        return Silhouettes(masks, np.ones(len(boxes), np.float32))


def test_boxes_hold_the_pasted_figures():
    picture = np.full((200, 300, 3), 60, np.uint8)
    drawn = boxed = 0
    for seed in range(20):
        pasted = paste_figures(
            picture,
            np.zeros((0, 4)),
            [[RED]],
            np.random.default_rng(seed),
            highest_feet=120,
            usual_height=40,
        )
        red = pasted.pixels[:, :, 0] > 150
        covered = np.zeros_like(red)
        for x, y, w, h in pasted.boxes.astype(int):
            covered[y : y + h, x : x + w] = True
            assert red[y : y + h, x : x + w].all()
        drawn, boxed = drawn + int(red.sum()), boxed + int(red[covered].sum())
    # What hardly shows at the border has no box.
    assert 0.8 * drawn < boxed <= drawn > 0


def test_people_behind_pasted_ones_count_as_hidden():
    picture = np.full((200, 300, 3), 60, np.uint8)
    people = np.array([[100.0, 80, 16, 40], [5.0, 5, 16, 40]])
    for seed in range(40):
        pasted = paste_figures(
            picture, people, [[RED]], np.random.default_rng(seed), highest_feet=120, usual_height=40
        )
        red = pasted.pixels[80:120, 100:116, 0] > 150
        assert abs(pasted.hidden[0] - red.mean()) < 0.15
        if red.mean() > 0.5:
            return
    pytest.fail("nobody was ever pasted before the first person")


def test_only_people_standing_free_and_whole_are_cut_out():
    picture = np.zeros((100, 200, 3), np.uint8)
    free, beside, other, cut = (
        [20.0, 20, 18, 48],
        [60.0, 20, 18, 48],
        [70.0, 22, 18, 48],
        [0.0, 20, 18, 48],
    )
    team = cut_out_people(picture, np.array([free, beside, other, cut]), WholeBox())
    assert len(team) == 1
    assert team[0].alpha.shape == (48, 18) and team[0].rgb.shape == (48, 18, 3)


def test_heads_are_found_at_the_top_of_a_silhouette():
    leaning = np.zeros((50, 20), bool)
    leaning[:7, 15:19] = True
    leaning[7:, 4:16] = True
    assert head_of(leaning) == pytest.approx(17 / 20)
    assert head_of(np.zeros((50, 20), bool)) == 0.5


def test_a_pasted_figure_knows_its_head():
    alpha = np.zeros((40, 16), np.uint8)
    alpha[:6, 12:] = 255
    alpha[6:] = 255
    figure = Cutout(np.full((40, 16, 3), (200, 0, 0), np.uint8), alpha, (8.0, 40.0))
    pasted = paste_figures(
        np.full((300, 300, 3), 60, np.uint8),
        np.zeros((0, 4)),
        [[figure]],
        np.random.default_rng(3),
        highest_feet=90,
        usual_height=40,
    )
    assert len(pasted.heads) == len(pasted.boxes) > 0
    whole = (pasted.boxes[:, 0] > 0) & (pasted.boxes[:, :2].sum(1) < 280)
    assert np.allclose(np.abs(pasted.heads[whole] - 0.5), 14 / 16 - 0.5, atol=0.06)


@pytest.mark.parametrize("seed", range(5))
def test_a_post_is_upright_and_about_as_tall_as_people(seed):
    picture = np.full((400, 600, 3), 60, np.uint8)
    draw_post(picture, np.array([[280.0, 150.0, 40.0, 100.0]]), np.random.default_rng(seed))
    rows, columns = np.nonzero((picture != 60).any(axis=2))
    assert 60 <= np.ptp(rows) <= 200
    assert np.ptp(columns) <= 30


def test_pasting_depends_on_its_seed_alone():
    picture = np.full((200, 300, 3), 60, np.uint8)
    first, second = (
        paste_figures(
            picture,
            np.zeros((0, 4)),
            [[RED]],
            np.random.default_rng(3),
            highest_feet=90,
            usual_height=40,
        )
        for _ in range(2)
    )
    assert np.array_equal(first.pixels, second.pixels) and np.array_equal(first.boxes, second.boxes)
