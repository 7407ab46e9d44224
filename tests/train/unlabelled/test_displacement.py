import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train.unlabelled.displacement import (  # noqa: E402
    DisplacementNet,
    Sighting,
    at_centres,
    displacement_of,
    flow_of_heat,
    gaussians,
    match_nearest,
    published_loss,
    soft_matches,
)

ONE = np.array([[100.0, 60, 16, 40]])


def moved(boxes, x, y):
    return boxes + np.array([x, y, 0, 0])


@pytest.mark.parametrize("step", [(3, 1), (-8, 4), (14, -6)])
def test_the_flow_of_the_heatmap_is_the_displacement(step):
    found = flow_of_heat(ONE, moved(ONE, *step), (320, 180), np.zeros((1, 2)))
    np.testing.assert_allclose(found, [step], atol=0.3)


def test_the_printed_loss_says_nothing_on_a_region_round_its_object():
    heat = torch.from_numpy(gaussians(ONE, (80, 45), 4.0))
    region = torch.from_numpy(gaussians(ONE, (80, 45), 4.0) > 0.1)[None].float()
    velocity = torch.zeros(1, 2, requires_grad=True)
    published_loss(heat, heat, velocity, region).backward()
    assert velocity.grad.abs().max() < 1e-3
    beside = region.clone()
    beside[:, :, 27:] = 0  # only the left half: now the slopes do not cancel
    after = torch.from_numpy(gaussians(moved(ONE, 4, 0), (80, 45), 4.0))
    published_loss(heat, after, velocity, beside).backward()
    assert velocity.grad.abs().max() > 0.1


def test_two_who_meet_do_not_both_go_to_the_same_box():
    first = np.array([[100.0, 60, 16, 40], [124.0, 60, 16, 40]])
    second = np.array([[106.0, 60, 16, 40], [118.0, 60, 16, 40]])
    found, sure = soft_matches(first, second)
    np.testing.assert_allclose(found[:, 0], [6, -6], atol=2.5)
    assert (sure > 0.2).all()


def test_who_is_not_found_again_is_not_trusted():
    first = np.array([[100.0, 60, 16, 40]])
    far = np.array([[250.0, 60, 16, 40]])
    _, sure = soft_matches(first, far)
    assert sure[0] < 0.05
    assert soft_matches(first, np.zeros((0, 4)))[1].tolist() == [0]


def test_matching_is_one_to_one_and_within_reach():
    expected = np.array([[100.0, 60, 16, 40], [124.0, 60, 16, 40], [10, 10, 16, 40]])
    found = np.array([[126.0, 61, 16, 40], [99.0, 60, 16, 40], [300, 10, 16, 40]])
    rows, columns = match_nearest(expected, found)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


def test_the_network_answers_at_the_middle_of_each_box():
    answer = torch.zeros(2, 45, 80)
    answer[1] = torch.arange(80.0)[None] + 0.5
    sampled = at_centres(answer, ONE)
    assert sampled[0, 1].item() == pytest.approx(108 / 4, abs=0.01)


def test_a_network_that_says_nothing_moves_leaves_the_boxes_to_the_camera():
    net = DisplacementNet()
    with torch.no_grad():
        net.out.weight.zero_()
        net.out.bias.zero_()
    picture = np.full((96, 160, 3), 90, np.uint8)
    step = np.array([[1, 0, 5.0], [0, 1, -2.0], [0, 0, 1]])
    boxes = np.array([[40.0, 30, 10, 24]])
    answer = displacement_of(net, picture, picture, step, boxes)
    there = Sighting.first(boxes).foreseen(step, answer)
    np.testing.assert_allclose(there, [[45, 28, 10, 24]])
    assert displacement_of(net, picture, picture, step, boxes[:0]).shape == (0, 2)


def test_two_who_ran_at_each_other_are_matched_through_their_crossing():
    still, seen = np.eye(3), None
    right = []
    for time in range(8):
        boxes = np.array([[100.0 + 9 * time, 60, 16, 40], [160.0 - 9 * time, 60, 16, 40]])
        order = [0, 1] if time % 2 else [1, 0]
        if seen is None:
            seen, owner = Sighting.first(boxes[order]), order
            continue
        expected = seen.foreseen(still)
        rows, columns = match_nearest(expected, boxes[order])
        right += [owner[a] == order[b] for a, b in zip(rows, columns, strict=True)]
        seen, owner = seen.seen_again(expected, boxes[order], rows, columns), order
    assert len(right) == 14 and all(right)


def test_who_is_new_has_not_moved_yet_and_who_is_lost_is_forgotten():
    seen = Sighting.first(np.array([[100.0, 60, 16, 40], [10.0, 60, 16, 40]]))
    found = np.array([[300.0, 60, 16, 40], [104.0, 60, 16, 40]])
    rows, columns = match_nearest(seen.foreseen(np.eye(3)), found)
    after = seen.seen_again(seen.foreseen(np.eye(3)), found, rows, columns)
    assert after.moved[0].tolist() == [0, 0] and after.known.tolist() == [False, True]
    answer = np.array([[8.0, 0], [8.0, 0]])  # the head's word counts for who is new
    assert after.foreseen(np.eye(3), answer)[0, 0] == 308
    assert after.foreseen(np.eye(3), answer)[1, 0] < 108
    assert 0 < after.moved[1, 0] < 4
    np.testing.assert_allclose(after.boxes[0], found[0])


def test_swinging_legs_do_not_move_anybody():
    seen = Sighting.first(ONE)
    for time in range(1, 20):
        wide = np.array([[100.0 - 3 * (time % 2), 60, 16 + 6 * (time % 2), 40]])
        expected = seen.foreseen(np.eye(3))
        seen = seen.seen_again(expected, wide, *match_nearest(expected, wide))
    assert np.abs(seen.moved).max() < 0.5
