"""From observation tables to who was where: tables in, tables out, seconds, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom import tables
from filmroom.events.replays import in_replays
from filmroom.identify.by_number import join_by_number, mend_number_changes
from filmroom.identify.doubtful import tracks_in_kit
from filmroom.identify.mistaken import dwarfs, fixtures, light_spots
from filmroom.identify.numbers import Claim, claim_numbers, without_impossible
from filmroom.identify.overlays import overlay_tracks
from filmroom.identify.ownership import own_numbers
from filmroom.identify.roster import RosterEntry
from filmroom.identify.swaps import mend_swaps
from filmroom.identify.teams import NO_TEAM, Membership, find_teams
from filmroom.identify.votes import prior_nats, single_reads
from filmroom.observe.detector import LEAST_SURE_SCORE
from filmroom.pipeline.observing import Observations
from filmroom.pitch.sports import Sport
from filmroom.track.ball import track_ball
from filmroom.track.offline import OfflineSettings, track_people
from filmroom.track.settings import TrackerSettings
from filmroom.track.worn import NumberReads

# Chosen on simulated matches read by the shipped detector: it misses more people, and invents more,
# than the boxes on which the tracker's own defaults were chosen.
_FOLLOWING = OfflineSettings(online=TrackerSettings(evidence_bias=4.0))

# With looks that tell people apart, tracklets are cut at less doubt: what is cut too often is joined
# again by them. They are believed more than kits while following, too. Chosen on simulated corners.
_FOLLOWING_BY_LOOKS = replace(
    _FOLLOWING,
    online=replace(_FOLLOWING.online, fresh=0.2, looks_bounds=(-6.0, 4.0)),
    ambiguous=6.0,
)

_BELIEVED = 0.65  # score of people whom the detector doubted and their kit vouches for


class Resolved(NamedTuple):
    """TRACKS and PLAYERS of a clip; `team_names` maps `a` and `b` to the roster's names."""

    tracks: pa.Table
    players: pa.Table
    team_names: dict[str, str]


def resolve_observations(
    seen: Observations,
    *,
    fps: float,
    picture: tuple[int, int],
    sport: Sport | None = None,
    roster: Sequence[RosterEntry] = (),
) -> Resolved:
    """Track people and the ball, find teams and roles, claim numbers; nobody is followed in replays."""
    frames = seen.frames["frame"].to_numpy()
    live = ~in_replays(seen.shots, seen.detections["frame"].to_numpy())
    shown = seen.detections.filter(pa.array(live))
    everyone = shown.filter(pc.equal(shown["kind"], "person"))
    sure = everyone["score"].to_numpy() >= LEAST_SURE_SCORE
    balls = shown.filter(pc.equal(shown["kind"], "ball"))
    most_people = 2 * sport.players + sport.referees if sport is not None else None
    least, most = sport.numbers if sport is not None else (0, 99)
    worn = without_impossible(seen.number_reads, least, most)
    reads = own_numbers(worn, seen.detections, seen.masks)
    witnesses = _as_witnesses(reads)

    def follow(people: pa.Table) -> tuple[pa.Table, dict[int, str | None]]:
        tracks = track_people(
            people,
            seen.motion,
            seen.shots,
            seen.appearance,
            witnesses,
            frames=frames,
            fps=fps,
            picture=picture,
            most_people=most_people,
            settings=_FOLLOWING_BY_LOOKS if seen.embeddings.num_rows else _FOLLOWING,
            embeddings=seen.embeddings,
        )
        tracks = mend_swaps(tracks, seen.appearance, fps)
        tracks = _people_only(tracks, seen, picture, fps)
        return tracks, _teams(_membership(tracks, seen, sport))

    tracks, teams = follow(everyone.filter(pa.array(sure)))
    doubtful = everyone.filter(pa.array(~sure))
    believed = _in_kit(doubtful, tracks, teams, seen, frames, fps, picture)
    if believed.any():
        tracks, teams = follow(_believed(everyone, sure, believed))
    tracks = mend_number_changes(tracks, reads, teams)
    identities = _identities(tracks, seen, reads, sport, roster)
    numbers = {track: claim.number for track, claim in identities.claims.items()}
    joined = join_by_number(tracks, numbers, identities.teams, fps)
    if joined.num_rows < tracks.num_rows or not joined["track"].equals(tracks["track"]):
        tracks = joined
        identities = _identities(tracks, seen, reads, sport, roster)
    membership, teams, claims, team_names = identities
    next_track = int(membership.tracks.max(initial=0)) + 1
    ball = track_ball(
        balls,
        tracks,
        seen.motion,
        seen.shots,
        frames=frames,
        fps=fps,
        picture=picture,
        track=next_track,
    )
    roles = dict(zip(membership.tracks.tolist(), membership.roles, strict=True))
    everything = tables.concat(tables.TRACKS, [_with_roles(tracks, roles), ball]).sort_by(
        [("frame", "ascending"), ("track", "ascending")]
    )
    owner = everything["track"].to_numpy()
    frame = everything["frame"].to_numpy()
    scores = dict(zip(membership.tracks.tolist(), membership.scores.tolist(), strict=True))
    rows = []
    for track in np.unique(owner).tolist():
        when = frame[owner == track]
        team, claim = teams.get(track), claims.get(track)
        rows.append(
            {
                "track": track,
                "role": roles.get(track, "ball"),
                "first_frame": int(when.min()),
                "last_frame": int(when.max()),
                "team": team,
                "team_score": scores[track] if team is not None else None,
                "number": claim.number if claim else None,
                "number_score": claim.score if claim else None,
                "name": claim.name if claim else None,
            }
        )
    names = tables.PLAYERS.schema.names
    players = tables.PLAYERS.build({name: [row[name] for row in rows] for name in names})
    return Resolved(tables.TRACKS.check(everything), players, team_names)


def _in_kit(
    doubtful: pa.Table,
    tracks: pa.Table,
    teams: dict[int, str | None],
    seen: Observations,
    frames: NDArray[np.integer[Any]],
    fps: float,
    picture: tuple[int, int],
) -> NDArray[np.bool_]:
    """(N,) which of the doubtful people go on for a while in a team's kit."""
    if not doubtful.num_rows:
        return np.zeros(0, bool)
    found = track_people(
        tables.with_column(doubtful, "score", np.full(doubtful.num_rows, _BELIEVED)),
        seen.motion,
        seen.shots,
        seen.appearance,
        frames=frames,
        fps=fps,
        picture=picture,
        settings=_FOLLOWING,
    )
    believed = tracks_in_kit(found, tracks, teams, seen.appearance, fps)
    theirs = found.filter(pa.array(np.isin(found["track"].to_numpy(), believed)))
    keys = tables.detection_keys(theirs.filter(pc.is_valid(theirs["detection"])))
    return np.isin(tables.detection_keys(doubtful), keys)


def _believed(everyone: pa.Table, sure: NDArray[np.bool_], believed: NDArray[np.bool_]) -> pa.Table:
    """The sure people and the believed ones among the others, who count as sure from here on."""
    kept = sure.copy()
    kept[~sure] = believed
    scores = everyone["score"].to_numpy()
    lifted = np.where(sure, scores, _BELIEVED).astype(np.float32)
    return tables.with_column(everyone, "score", lifted).filter(pa.array(kept))


def _as_witnesses(reads: pa.Table) -> NumberReads:
    """What each of NUMBER_READS says of who it was read on."""
    single = single_reads(
        reads["text"].to_pylist(), reads["score"].to_numpy(), reads["legible"].to_numpy()
    )
    prior = np.exp([prior_nats(number) for number in single.numbers])
    return NumberReads(tables.detection_keys(reads)[single.read], single.nats, prior)


class _Identities(NamedTuple):
    membership: Membership
    teams: dict[int, str | None]
    claims: dict[int, Claim]
    team_names: dict[str, str]


def _identities(
    tracks: pa.Table,
    seen: Observations,
    reads: pa.Table,
    sport: Sport | None,
    roster: Sequence[RosterEntry],
) -> _Identities:
    """Teams, roles and numbers of these tracks."""
    membership = _membership(tracks, seen, sport)
    teams = _teams(membership)
    claims, team_names = claim_numbers(tracks, reads, teams, roster)
    return _Identities(membership, teams, claims, team_names)


def _membership(tracks: pa.Table, seen: Observations, sport: Sport | None) -> Membership:
    return find_teams(
        tracks,
        seen.detections,
        seen.appearance,
        goalkeepers=sport.goalkeeper if sport is not None else True,
    )


def _teams(membership: Membership) -> dict[int, str | None]:
    return dict(zip(membership.tracks.tolist(), membership.teams, strict=True))


def _people_only(
    tracks: pa.Table, seen: Observations, picture: tuple[int, int], fps: float
) -> pa.Table:
    """Tracks of filmed people only, numbered 1, 2, ... in their order."""
    width, height = picture
    mistaken = np.concatenate(
        [
            overlay_tracks(tracks, seen.motion, width),
            light_spots(tracks, seen.appearance),
            dwarfs(tracks, height),
            fixtures(tracks, fps),
        ]
    )
    people = tracks.filter(pa.array(~np.isin(tracks["track"].to_numpy(), mistaken)))
    ids = people["track"].to_numpy()
    dense = np.searchsorted(np.unique(ids), ids) + 1
    return tables.with_column(people, "track", dense)


def _with_roles(tracks: pa.Table, roles: dict[int, str]) -> pa.Table:
    return tables.with_column(tracks, "role", [roles[track] for track in tracks["track"].to_pylist()])


def joined_tracks(tracks: pa.Table, players: pa.Table, times: pa.Table) -> pa.Table:
    """One row per person and frame with all that is known: TRACKS, time, and PLAYERS' columns."""
    known = players.drop_columns(["role", "first_frame", "last_frame"])
    joined = tracks.join(known, "track", join_type="left outer").join(times, "frame", join_type="inner")
    order = [
        "frame",
        "time",
        "track",
        "role",
        "team",
        "number",
        "name",
        "x",
        "y",
        "w",
        "h",
        "score",
        "visible",
        "detection",
        "team_score",
        "number_score",
    ]
    return joined.select(order).sort_by([("frame", "ascending"), ("track", "ascending")])


def team_colours(
    tracks: pa.Table, players: pa.Table, appearance: pa.Table
) -> dict[str, tuple[int, int, int]]:
    """Mean shirt colour (RGB) of each team, referees under `none`."""
    import cv2

    from filmroom.identify.looks import looks_of_tracks

    looks = looks_of_tracks(tracks, appearance)
    team_of = dict(zip(players["track"].to_pylist(), players["team"].to_pylist(), strict=True))
    teams = np.array([team_of.get(track) or "" for track in looks.track.tolist()])
    colours = {}
    for team in ("a", "b", NO_TEAM):
        mine = teams == team
        if not mine.any():
            continue
        lab = np.average(looks.vectors[mine, 84:87] * 100, axis=0, weights=looks.quality[mine])
        pixel = np.array([[[lab[0], lab[1], lab[2]]]], dtype=np.float32)
        rgb = np.clip(cv2.cvtColor(pixel, cv2.COLOR_Lab2RGB)[0, 0] * 255, 0, 255)
        colours[team] = (int(rgb[0]), int(rgb[1]), int(rgb[2]))
    return colours
