"""How each sport is played, as figures: formations, how a team shifts with the ball, speeds, ball play.

Formations are places (along, across) of the outfield players with the team attacking towards +1; both
run from -1 to 1 over the block a team forms, which is then laid over the surface by `Block`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

_ALIKE = 0.15
"""Surfaces of a sport whose lengths differ by less are played on alike."""

Places = tuple[tuple[float, float], ...]

_442: Places = (
    (-0.9, -0.8), (-1.0, -0.27), (-1.0, 0.27), (-0.9, 0.8), (0.0, -0.85), (-0.15, -0.25), (-0.15, 0.25),
    (0.0, 0.85), (0.95, -0.25), (0.85, 0.3),
)  # fmt: skip
_433: Places = (
    (-0.9, -0.8), (-1.0, -0.27), (-1.0, 0.27), (-0.9, 0.8), (-0.35, 0.0), (0.05, -0.4), (0.05, 0.4),
    (0.8, -0.8), (1.0, 0.0), (0.8, 0.8),
)  # fmt: skip
_352: Places = (
    (-1.0, -0.5), (-1.0, 0.0), (-1.0, 0.5), (-0.2, -0.95), (-0.3, -0.3), (0.1, 0.0), (-0.3, 0.3),
    (-0.2, 0.95), (0.9, -0.25), (0.9, 0.25),
)  # fmt: skip
_4231: Places = (
    (-0.85, -0.85), (-1.0, -0.27), (-1.0, 0.27), (-0.85, 0.85), (-0.35, -0.25), (-0.35, 0.25),
    (0.45, -0.75), (0.4, 0.0), (0.45, 0.75), (1.0, 0.05),
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Where a team's block lies, as shares of the half length and half width of the surface.

    Its centre is `offset + follow * (place of the ball along the attack)`, it reaches `depth` along
    and `spread` across, and shifts sideways by `sway` of the ball's place across.
    """

    offset: float
    follow: float
    depth: float
    spread: float
    sway: float = 0.3


@dataclass(frozen=True)
class Style:
    """The figures of one sport; metres, seconds, metres a second.

    `game` names the course of play: `possession`, `snap` or `rally`. `marking` is how strongly a
    defender is drawn to an opponent near him, `man_to_man` whether it is always the same one. `hands`
    says that the ball is carried and thrown; `boards` that it never leaves the surface. `dwell` is the
    median time on the ball and `at_once` the share of balls played on with the first touch, `rest` the
    distance from his place at which a player does not bother to move.
    `fouling` is the share of tackles that are fouls, `offside` of forbidden passes that the
    flag stops, `crossing` of balls from the wings that are crosses; `extras` the longest
    pauses before restarts. `falling` is the share of lost duels after which somebody lies on
    the ground; where people fall they celebrate goals too.

    `reserves` sit on each bench. At a stop a team changes people with chance `changes`, at most
    `most_changes` in all; with `returns` those taken off may come back. With a `shift` (mean seconds)
    half the team changes while play goes on; in American football the whole side changes with the
    possession, and at a down a few people with chance `changes`. `change_label` is noted when
    somebody comes on.

    `points` are what an event is worth to its own team; `lost_point` is an event that gives the other
    team one.
    """

    formations: tuple[Places, ...]
    attack: Block
    defence: Block
    game: str = "possession"
    marking: float = 0.5
    man_to_man: bool = False
    wander: float = 2.5
    jog: float = 3.6
    sprint: float = 8.2
    acceleration: float = 4.5
    rest: float = 2.2
    dwell: float = 1.4
    at_once: float = 0.0
    carry_speed: float = 4.5
    pass_speed: tuple[float, float] = (9.0, 19.0)
    pass_reach: float = 22.0
    high_pass: float = 0.18
    shot_range: float = 26.0
    shot_speed: tuple[float, float] = (20.0, 30.0)
    shot_rate: float = 0.5
    scoring: float = 0.12
    hands: bool = False
    boards: bool = False
    glide: float = 2.4
    referee_distance: float = 11.0
    side_referees: bool = False
    crowding: float = 0.75
    fouling: float = 0.0
    offside: float = 0.0
    crossing: float = 0.0
    extras: dict[str, float] = field(default_factory=dict)
    falling: float = 0.0
    reserves: int = 0
    changes: float = 0.0
    most_changes: int = 0
    returns: bool = True
    shift: float = 0.0
    change_haste: float = 0.1
    change_label: str = "SUBSTITUTION"
    points: dict[str, int] = field(default_factory=lambda: {"GOAL": 1})
    lost_point: str | None = None

    def on(self, share: float) -> Style:
        """The style on a surface `share` times as long as the usual one: shorter passes and shots."""
        if abs(share - 1.0) < _ALIKE:
            return self
        return replace(
            self,
            pass_reach=share * self.pass_reach,
            shot_range=share * self.shot_range,
            referee_distance=share * self.referee_distance,
            pass_speed=(share**0.5 * self.pass_speed[0], share**0.5 * self.pass_speed[1]),
        )


_SEVEN: Places = ((-0.95, -0.5), (-0.95, 0.5), (0.0, -0.8), (-0.15, 0.0), (0.0, 0.8), (0.95, 0.0))
_SEVEN_BACK: Places = (
    (-0.9, -0.75), (-1.0, 0.0), (-0.9, 0.75), (0.05, -0.4), (0.05, 0.4), (0.95, 0.1),
)  # fmt: skip
_FIVE_OUT: Places = ((0.3, 0.0), (0.55, -0.72), (0.55, 0.72), (0.98, -0.86), (0.85, 0.3))
_FOUR_OUT: Places = ((0.3, 0.15), (0.5, -0.65), (0.6, 0.8), (0.72, -0.25), (0.99, 0.85))
_SIX_ZERO: Places = ((0.3, 0.0), (0.42, -0.55), (0.42, 0.55), (0.9, -0.9), (0.9, 0.9), (0.72, 0.1))
_SKATERS: Places = ((-0.8, -0.45), (-0.8, 0.45), (0.35, -0.7), (0.5, 0.0), (0.35, 0.7))
_DIAMOND: Places = ((-0.8, 0.0), (0.1, -0.8), (0.1, 0.8), (0.9, 0.0))
_RECEIVE: Places = (
    (-0.28, 0.7),
    (-0.22, 0.0),
    (-0.28, -0.7),
    (-0.8, -0.55),
    (-0.72, 0.05),
    (-0.8, 0.6),
)
_LINE_UP: Places = (
    *((-0.01, 0.056 * step) for step in (-2, -1, 0, 1, 2)),
    (-0.02, 0.2), (-0.01, -0.85), (-0.015, 0.88), (-0.03, -0.55), (-0.1, 0.0), (-0.14, 0.06),
)  # fmt: skip
_COVER: Places = (
    *((0.02, 0.07 * step) for step in (-1.5, -0.5, 0.5, 1.5)),
    (0.08, -0.22), (0.085, 0.0), (0.08, 0.25), (0.1, -0.84), (0.1, 0.86), (0.24, -0.35), (0.26, 0.35),
)  # fmt: skip

STYLES: dict[str, Style] = {
    "soccer": Style(
        formations=(_442, _433, _352, _4231, _SEVEN, _SEVEN_BACK),
        attack=Block(0.08, 0.62, 0.38, 0.78),
        defence=Block(-0.18, 0.60, 0.27, 0.56),
        side_referees=True,
        jog=1.6,
        wander=1.5,
        marking=0.62,
        crowding=0.55,
        pass_speed=(9.0, 27.0),
        rest=3.4,
        dwell=1.8,
        at_once=0.22,
        shot_rate=0.22,
        fouling=0.85,
        offside=0.3,
        falling=0.3,
        crossing=0.75,
        extras={"THROW IN": 27.0, "GOAL KICK": 46.0, "KICK OFF": 50.0},
        reserves=4,
        changes=0.04,
        most_changes=4,
        returns=False,
    ),
    "futsal": Style(
        formations=(_DIAMOND,),
        attack=Block(0.1, 0.55, 0.45, 0.7),
        defence=Block(-0.35, 0.4, 0.25, 0.5),
        marking=0.8,
        jog=3.2,
        sprint=6.8,
        rest=1.2,
        wander=1.6,
        dwell=1.1,
        pass_speed=(7.0, 14.0),
        pass_reach=11.0,
        high_pass=0.05,
        shot_range=12.0,
        shot_speed=(15.0, 25.0),
        referee_distance=7.0,
        side_referees=True,
        reserves=4,
        shift=100.0,
        change_haste=0.5,
    ),
    "handball": Style(
        formations=(_SIX_ZERO,),
        attack=Block(0.0, 0.0, 0.78, 0.9, 0.0),
        defence=Block(-0.55, 0.0, 0.12, 0.55, 0.25),
        marking=0.6,
        jog=3.4,
        sprint=7.0,
        rest=1.0,
        wander=1.2,
        dwell=1.0,
        pass_speed=(10.0, 17.0),
        pass_reach=10.0,
        shot_range=10.0,
        shot_speed=(18.0, 27.0),
        shot_rate=0.35,
        scoring=0.5,
        hands=True,
        referee_distance=8.0,
        reserves=3,
        changes=0.05,
        most_changes=99,
        change_haste=0.4,
    ),
    "basketball": Style(
        formations=(_FIVE_OUT, _FOUR_OUT),
        attack=Block(0.0, 0.0, 0.92, 0.92, 0.0),
        defence=Block(-0.6, 0.0, 0.22, 0.5, 0.2),
        marking=0.97,
        man_to_man=True,
        jog=3.6,
        sprint=7.2,
        rest=0.9,
        wander=1.3,
        dwell=1.3,
        carry_speed=3.6,
        pass_speed=(9.0, 14.0),
        pass_reach=8.0,
        high_pass=0.1,
        shot_range=8.6,
        shot_rate=0.22,
        scoring=0.45,
        points={"GOAL": 2},
        hands=True,
        referee_distance=7.0,
        crowding=0.8,
        reserves=4,
        changes=0.08,
        most_changes=99,
        change_haste=0.3,
    ),
    "hockey": Style(
        formations=(_SKATERS,),
        attack=Block(0.1, 0.62, 0.36, 0.7),
        defence=Block(-0.18, 0.6, 0.28, 0.45),
        marking=0.6,
        jog=5.0,
        sprint=8.8,
        acceleration=4.0,
        rest=1.6,
        wander=2.2,
        dwell=1.0,
        carry_speed=5.5,
        pass_speed=(13.0, 22.0),
        pass_reach=14.0,
        high_pass=0.0,
        shot_range=15.0,
        shot_speed=(25.0, 38.0),
        scoring=0.06,
        boards=True,
        glide=0.7,
        referee_distance=8.0,
        reserves=5,
        shift=24.0,
        change_haste=0.8,
        change_label="LINE CHANGE",
    ),
    "football": Style(
        formations=(_LINE_UP,),
        attack=Block(0.0, 1.0, 1.0, 1.0, 0.0),
        defence=Block(0.0, 1.0, 1.0, 1.0, 0.0),
        game="snap",
        jog=2.2,
        sprint=8.4,
        acceleration=4.8,
        rest=0.4,
        wander=0.3,
        hands=True,
        carry_speed=7.5,
        pass_speed=(15.0, 24.0),
        referee_distance=12.0,
        crowding=0.65,
        reserves=11,
        changes=0.5,
        change_haste=0.5,
        change_label="PERSONNEL",
        points={"TOUCHDOWN": 6, "FIELD GOAL": 3, "EXTRA POINT": 1},
    ),
    "volleyball": Style(
        formations=(_RECEIVE,),
        attack=Block(0.0, 0.0, 1.0, 1.0, 0.0),
        defence=Block(0.0, 0.0, 1.0, 1.0, 0.0),
        game="rally",
        jog=2.4,
        sprint=5.5,
        rest=0.5,
        wander=0.35,
        hands=True,
        referee_distance=6.0,
        crowding=0.7,
        lost_point="POINT",
        reserves=4,
        changes=0.06,
        most_changes=6,
        change_haste=0.3,
    ),
}

DEFENSIVE_FORMATIONS: dict[str, tuple[Places, ...]] = {"football": (_COVER,)}
