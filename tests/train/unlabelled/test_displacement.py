import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train.unlabelled.displacement import (  # noqa: E402
    DisplacementNet,
    at_centres,
    displaced,
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
    np.testing.assert_allclose(displaced(net, picture, picture, step, boxes), [[45, 28, 10, 24]])
    assert displaced(net, picture, picture, step, boxes[:0]).shape == (0, 4)
