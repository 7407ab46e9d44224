"""The recipe of the embedding: its looks, its losses, training that learns, resumes and exports."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from filmroom.errors import InputError  # noqa: E402
from filmroom.observe.embedding import BLANK, HEIGHT, WIDTH, PersonEmbedder  # noqa: E402
from filmroom.tables import EMBEDDING_LENGTH  # noqa: E402
from filmroom.train.appearance import (  # noqa: E402
    GENERAL,
    AppearanceRecipe,
    CosineHead,
    EmbeddingNet,
    LookSource,
    as_input,
    embed,
    export_embedding,
    hold_out,
    mates_loss,
    nearest_sheet,
    told_apart,
    train_embedding,
    vary,
)
from filmroom.train.appearance_pictures import (  # noqa: E402
    TEAM,
    Looks,
    _beside_it,
    drawn_looks,
    load_looks,
    save_looks,
)
from filmroom.train.networks import ResNet50  # noqa: E402
from filmroom.train.video_appearance import (  # noqa: E402
    PAPER,
    FrameSource,
    _verdict,
    train_on_videos,
)
from filmroom.train.video_looks import _seen_together, _spread_out  # noqa: E402
from filmroom.video.encode import Writer  # noqa: E402

pytestmark = pytest.mark.train

SMALL = AppearanceRecipe(steps=6, people=6, each=2, checkpoint_every=3)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def looks() -> Looks:
    return drawn_looks(2 * TEAM, 3, seed=5)


def test_looks_show_a_person_and_nothing_else(looks: Looks) -> None:
    assert looks.pixels.shape == (2 * TEAM * 3, HEIGHT, WIDTH, 3)
    shown = (np.abs(looks.pixels.astype(int) - BLANK).max(axis=3) > 0).mean(axis=(1, 2))
    assert 0.15 < shown.mean() < 0.6 and shown.min() > 0.01
    assert (np.bincount(looks.person) == 3).all() and (np.bincount(looks.group) == 3 * TEAM).all()


def test_workers_draw_the_same_looks(looks: Looks) -> None:
    np.testing.assert_array_equal(drawn_looks(2 * TEAM, 3, seed=5, workers=2).pixels, looks.pixels)


def test_looks_survive_their_file(tmp_path: Path, looks: Looks) -> None:
    save_looks(tmp_path / "looks.npz", looks)
    back = load_looks(tmp_path / "looks.npz")
    np.testing.assert_array_equal(back.person, looks.person)
    np.testing.assert_array_equal(back.group, looks.group)
    assert np.abs(back.pixels.astype(int) - looks.pixels).mean() < 6
    (tmp_path / "other.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a file of looks"):
        load_looks(tmp_path / "other.npz")


def test_people_of_joined_looks_stay_different(looks: Looks) -> None:
    joined = Looks.joined([looks, looks])
    assert joined.person.max() == 4 * TEAM - 1 and joined.group.max() == 3
    learnt, aside = hold_out(Looks.joined([looks] * 10))
    assert len(learnt) == 19 * TEAM * 3 and len(aside) == TEAM * 3


def test_the_right_class_has_to_win_by_the_margin() -> None:
    head = CosineHead(4, 300, margin=0.35, scale=30.0)
    vectors, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 4])
    lowered = head(vectors, labels, 0.0) - head(vectors, labels)
    right = torch.nn.functional.one_hot(labels, 300).bool()
    torch.testing.assert_close(lowered[right], torch.full((5,), 30 * 0.35))
    assert (lowered[~right] == 0).all()
    assert CosineHead(4, 20, margin=0.35, scale=30.0).margin == pytest.approx(0.175)


def test_only_mates_are_held_against_a_look() -> None:
    labels, groups = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 0, 0, 1, 1])
    vectors = torch.eye(3)[labels]
    apart = mates_loss(vectors, labels, groups)
    strangers_alike = vectors.clone()
    strangers_alike[4:] = vectors[0]
    torch.testing.assert_close(mates_loss(strangers_alike, labels, groups), apart)
    mates_alike = vectors.clone()
    mates_alike[2:4] = vectors[0]
    assert mates_loss(mates_alike, labels, groups) > apart + 0.5


def test_batches_hold_mates_and_depend_on_their_step_alone(looks: Looks) -> None:
    source = LookSource(looks, SMALL)
    one, again, other = (source.batch(step, CPU) for step in (4, 4, 5))
    assert torch.equal(one.pixels, again.pixels) and not torch.equal(one.pixels, other.pixels)
    assert len(one.labels) == 12 and (torch.bincount(one.labels) % 2 == 0).all()
    assert torch.equal(one.groups, one.labels // TEAM)


def test_varied_looks_are_the_same_people(looks: Looks) -> None:
    whole = as_input(torch.from_numpy(looks.pixels[:20]))
    changed = vary(whole, 1.0, torch.Generator().manual_seed(1))
    assert changed.shape == whole.shape and torch.isfinite(changed).all()
    assert 0.05 < float((changed - whole).abs().mean()) < 0.6


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path, looks: Looks) -> None:
    class Interrupted(LookSource):
        def batch(self, step, device):
            if step == 4:
                raise KeyboardInterrupt
            return super().batch(step, device)

    def train(folder: Path, source: type[LookSource], resume: bool = False) -> Path:
        folder.mkdir(exist_ok=True)
        torch.manual_seed(0)
        net = EmbeddingNet()
        return train_embedding(
            source(looks, SMALL), net, EMBEDDING_LENGTH, folder, SMALL, resume=resume
        )

    whole = torch.load(train(tmp_path / "whole", LookSource), weights_only=True)["net"]
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", Interrupted)
    again = train(tmp_path / "parts", LookSource, resume=True)
    for name, value in torch.load(again, weights_only=True)["net"].items():
        torch.testing.assert_close(value, whole[name])
    export_embedding(again, tmp_path / "embedding.onnx", looks, calibrate=1)
    embedder = PersonEmbedder(parts=tmp_path)
    picture = np.full((200, 100, 3), 90, np.uint8)
    found = embedder.describe(picture, np.array([[10.0, 10, 48, 96]]), [np.ones((96, 48), bool)])
    assert found.vectors.shape == (1, EMBEDDING_LENGTH) and np.abs(found.vectors).max() > 0


def test_weights_find_the_network_they_belong_to() -> None:
    for widths in (GENERAL, (8, 8, 16, 24)):
        net = EmbeddingNet(widths).eval()
        again = EmbeddingNet.of(net.state_dict()).eval()
        pixels = torch.zeros(2, 3, HEIGHT, WIDTH)
        torch.testing.assert_close(again(pixels), net(pixels))


def test_a_silhouette_may_hold_a_part_of_those_who_stand_close_by_and_nothing_far_off() -> None:
    own, others = np.zeros((2, 96, 48), bool)
    own[10:90, 5:20] = True
    others[10:90, 22:48] = True
    taken = np.mean([_beside_it(own, others, np.random.default_rng(i)) for i in range(40)], axis=0)
    assert not taken[~others].any() and not taken[:, 30:].any()
    assert 0.3 < taken[20:80, 22:24].mean() < 0.7


def test_losses_and_what_was_learnt_are_shown_on_the_way(tmp_path: Path, looks: Looks) -> None:
    told: list[tuple[int, int, dict[str, float]]] = []
    source, net, sheet = LookSource(looks, SMALL), EmbeddingNet(), tmp_path / "nearest.jpg"
    train_embedding(
        source, net, EMBEDDING_LENGTH, tmp_path, SMALL,
        tell=lambda *step: told.append(step),
        show=lambda seen: nearest_sheet(seen, looks, sheet, rows=3, columns=4),
    )  # fmt: skip
    step, steps, losses = told[-1]
    assert step == steps == SMALL.steps
    assert set(losses) == {"classes", "mates"} and all(np.isfinite(list(losses.values())))
    assert cv2.imread(str(sheet)).shape == (3 * HEIGHT, 4 * WIDTH, 3)
    assert not list(tmp_path.glob("*.partial"))


def test_chances_are_those_of_the_looks() -> None:
    class Colour(torch.nn.Module):
        """The mean colour, which is all there is to see."""

        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x.mean(dim=(2, 3))

    pixels = np.zeros((8, HEIGHT, WIDTH, 3), np.uint8)
    for person, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]):
        pixels[2 * person : 2 * person + 2] = colour
    looks = Looks(pixels, np.repeat(np.arange(4), 2).astype(np.int32), np.zeros(8, np.int32))
    assert told_apart(Colour(), looks) == (1.0, 1.0)
    assert np.isnan(told_apart(Colour(), looks.take(np.arange(2)))).all()
    assert np.linalg.norm(embed(Colour(), pixels), axis=1) == pytest.approx(1)


# --- raw videos ------------------------------------------------------------------------------------


def test_the_published_setting_takes_a_step() -> None:
    frames = [np.random.default_rng(i).integers(0, 255, (256, 300, 3), np.uint8) for i in range(4)]
    recipe = replace(PAPER, steps=1, people=2, each=2)
    source = FrameSource(frames, np.array([0, 0, 1, 1], np.int32), recipe, (224, 224))
    batch = source.batch(0, CPU)
    assert batch.pixels.shape == (4, 224, 224, 3) and sorted(batch.labels.tolist()) == [0, 0, 1, 1]
    net = ResNet50(512)
    assert net(as_input(batch.pixels[:2])).shape == (2, 512)
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(24.6e6, rel=0.01)


def test_short_tracklets_are_no_class_and_long_ones_are_thinned_out() -> None:
    tracklet = np.repeat([0, 1, 2], [100, 5, 30])
    rows = np.arange(len(tracklet)) + 1000
    chosen, number = _spread_out(rows, tracklet, each=10, least=20)
    assert np.bincount(number).tolist() == [10, 10]
    assert chosen[0] == 1000 and chosen[9] == 1099 and chosen[10] == 1105


def test_only_those_in_view_at_one_instant_are_surely_different_people() -> None:
    number = np.repeat([0, 1, 2, 3], 2)
    frame = np.array([0, 60, 10, 55, 120, 140, 141, 149])
    group = _seen_together(number, frame, every=50)
    assert group[0] != group[1]  # 0 is in view at frame 0, 1 first at 50
    frame[0] = 5
    group = _seen_together(number, frame, every=50)
    assert group[0] == group[1]
    assert len(np.unique(group[1:])) == 3  # the last two are in view at no instant together


def test_what_cannot_be_learnt_from_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no video"):
        train_on_videos([], tmp_path)
    with pytest.raises(InputError, match="no such file"):
        train_on_videos([tmp_path / "gone.mp4"], tmp_path)


def test_a_video_that_shows_too_few_people_is_said_to(tmp_path: Path) -> None:
    video = tmp_path / "short.mp4"
    writer = Writer(video, 160, 96, Fraction(25), quality="good")
    for index in range(6):
        writer.write(np.full((96, 160, 3), 90, np.uint8), index / 25)
    writer.close()
    with pytest.raises(InputError, match="0 tracklets that surely hold one person; 8 are the least"):
        train_on_videos([video], tmp_path / "out", steps=1, drawn=0)


def test_the_report_says_whether_it_will_do() -> None:
    assert "good enough to" in _verdict(0.95)
    assert "some use" in _verdict(0.8)
    assert "not good enough" in _verdict(0.6)
    assert "too few" in _verdict(float("nan"))
