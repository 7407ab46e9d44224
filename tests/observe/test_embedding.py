"""People described one by one, cut out of whatever stands around them."""

from __future__ import annotations

import numpy as np
import pytest

from filmroom.observe.embedding import BLANK, HEIGHT, WIDTH, PersonEmbedder, person_crop
from filmroom.simulate.figures import Look, Pose, draw_figure, paste_sprite
from filmroom.simulate.kits import Kit
from filmroom.tables import EMBEDDING_LENGTH

RED = Kit((200, 30, 30), (240, 240, 240), "plain", (240, 240, 240), (200, 30, 30), (240, 240, 240))
BLUE = Kit((30, 40, 190), (240, 240, 240), "plain", (20, 20, 60), (30, 40, 190), (240, 240, 240))


@pytest.fixture(scope="module")
def embedder() -> PersonEmbedder:
    return PersonEmbedder()


def scene(kit: Kit, ground: int, heading: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture with one athlete, the box, and the silhouette in the box."""
    picture = np.full((200, 160, 3), ground, np.uint8)
    figure = draw_figure(Look(kit=kit), Pose(), height_px=90, heading=heading)
    alpha, (left, top) = paste_sprite(picture, figure, (80.0, 150.0))
    shown = np.zeros(picture.shape[:2], bool)
    shown[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha > 0.5
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    box = np.array([[columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]], float)
    mask = shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return picture, box, mask


def test_a_crop_shows_the_person_and_nothing_else() -> None:
    mask = np.zeros((120, 50), bool)
    mask[20:100, 10:40] = True
    crop = person_crop(np.full((120, 50, 3), 200, np.uint8), mask)
    assert crop.shape == (HEIGHT, WIDTH, 3)
    assert (crop[:10] == BLANK).all() and (crop[-10:] == BLANK).all()
    assert (crop[HEIGHT // 2, WIDTH // 2] == 200).all()


def test_vectors_have_length_one_and_do_not_depend_on_who_else_is_described(embedder) -> None:
    picture, box, mask = scene(RED, 90)
    alone = embedder.describe(picture, box, [mask])
    both = embedder.describe(picture, np.repeat(box, 40, axis=0), [mask] * 40)
    assert alone.vectors.shape == (1, EMBEDDING_LENGTH)
    assert np.linalg.norm(alone.vectors[0]) == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(both.vectors, np.repeat(alone.vectors, 40, axis=0), atol=1e-5)


def test_what_lies_around_a_person_does_not_matter(embedder) -> None:
    one, other = (embedder.describe(*_as_list(scene(RED, ground))) for ground in (30, 220))
    assert float(one.vectors[0] @ other.vectors[0]) > 0.9


def test_a_person_turned_round_is_more_like_himself_than_like_another(embedder) -> None:
    front, back, rival = (
        embedder.describe(*_as_list(scene(kit, 90, heading))).vectors[0]
        for kit, heading in ((RED, 0.3), (RED, 2.0), (BLUE, 0.3))
    )
    assert front @ back > front @ rival + 0.1


def test_who_is_hidden_or_tiny_is_not_described(embedder) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[10.0, 10, 20, 40], [50, 50, 3, 6]])
    found = embedder.describe(picture, boxes, [np.zeros((40, 20), bool), np.ones((6, 3), bool)])
    assert (found.quality == 0).all() and (found.vectors == 0).all()
    assert len(embedder.describe(picture, np.zeros((0, 4)), []).vectors) == 0


def _as_list(seen: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple:
    picture, box, mask = seen
    return picture, box, [mask]
