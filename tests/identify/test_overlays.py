import numpy as np

from filmroom import tables
from filmroom.identify.overlays import overlay_tracks

WIDTH = 1280


def clip(paths, pan_per_frame):
    """Tracks from (frame -> x) functions over 50 frames, under a steady pan."""
    frames = np.arange(50)
    frame = np.tile(frames, len(paths))
    track = np.repeat(np.arange(1, len(paths) + 1), len(frames))
    x = np.concatenate([path(frames) for path in paths]).astype(float)
    many = np.ones(len(x))
    tracks = tables.TRACKS.build(
        {
            "frame": frame,
            "track": track,
            "x": x,
            "y": 50 * many,
            "w": 20 * many,
            "h": 50 * many,
            "score": many,
            "role": ["player"] * len(x),
            "visible": many,
        }
    )
    matrix = np.tile([1, 0, pan_per_frame, 0, 1, 0, 0, 0, 1.0], (len(frames), 1))
    motion = tables.MOTION.build({"frame": frames, "matrix": matrix, "inliers": np.ones(len(frames))})
    return tracks, motion


def badge(frames):
    return 40 + 0.5 * np.sin(frames)


def followed_runner(frames):
    return 600 + 30 * np.sin(frames / 8)


def bystander(frames):
    return 200 + 8 * frames


def test_a_graphic_is_told_from_a_runner_whom_the_camera_follows():
    assert overlay_tracks(*clip([badge, followed_runner, bystander], 8), WIDTH).tolist() == [1]


def test_with_a_camera_at_rest_nobody_is_a_graphic():
    assert overlay_tracks(*clip([badge, followed_runner], 0), WIDTH).tolist() == []


def test_no_tracks():
    assert overlay_tracks(tables.TRACKS.empty(), tables.MOTION.empty(), WIDTH).tolist() == []


def trembling_badge(frames):
    """A badge whose box is cut now and then."""
    return 40 + np.where(frames % 4 == 0, 20, 0.5 * np.sin(frames))


def test_a_badge_with_a_trembling_box_gives_itself_away_on_a_long_way():
    assert overlay_tracks(*clip([trembling_badge, followed_runner], 12), WIDTH).tolist() == [1]
    assert overlay_tracks(*clip([trembling_badge, followed_runner], 5), WIDTH).tolist() == []


def test_what_is_found_again_in_the_place_of_a_graphic_is_the_same_graphic():
    again = [badge, lambda frames: 45 + 2 * np.sin(frames), followed_runner]
    tracks, motion = clip(again, 8)
    few = tracks.filter((tracks["track"].to_numpy() != 2) | (tracks["frame"].to_numpy() < 3))
    assert overlay_tracks(few, motion, WIDTH).tolist() == [1, 2]
