"""What happened in a simulated match, in the words of each task: SoccerNet's label sets, captions.

A play notes everything in its own words (`Play.events`); here they are told in the 17 actions of
SoccerNet-v2, the 12 ball actions of SoccerNet ball action spotting, the 8 of FOOTPASS, and in lines of
commentary. Times are exact: the frame in which it happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from filmroom.simulate.play import Event, Play

BALL_ACTIONS = (
    "PASS", "DRIVE", "HEADER", "HIGH PASS", "OUT", "CROSS", "THROW IN", "SHOT", "BALL PLAYER BLOCK",
    "PLAYER SUCCESSFUL TACKLE", "FREE KICK", "GOAL",
)  # fmt: skip
"""The labels of SoccerNet ball action spotting."""

ACTIONS = (
    "Penalty", "Kick-off", "Goal", "Substitution", "Offside", "Shots on target", "Shots off target",
    "Clearance", "Ball out of play", "Throw-in", "Foul", "Indirect free-kick", "Direct free-kick",
    "Corner", "Yellow card", "Red card", "Yellow->red card",
)  # fmt: skip
"""The labels of SoccerNet-v2."""

FOOTPASS_OF = {
    "DRIVE": "drive",
    "PASS": "pass",
    "HIGH PASS": "pass",
    "CROSS": "cross",
    "THROW IN": "throw-in",
    "SHOT": "shot",
    "HEADER": "header",
    "PLAYER SUCCESSFUL TACKLE": "tackle",
    "BALL PLAYER BLOCK": "block",
}
"""The class of FOOTPASS of each ball action that has one."""

_ACTION_OF = {
    "PENALTY": "Penalty",
    "KICK OFF": "Kick-off",
    "GOAL": "Goal",
    "SUBSTITUTION": "Substitution",
    "OFFSIDE": "Offside",
    "CLEARANCE": "Clearance",
    "GOAL KICK": "Clearance",
    "OUT": "Ball out of play",
    "THROW IN": "Throw-in",
    "FOUL": "Foul",
    "INDIRECT FREE KICK": "Indirect free-kick",
    "FREE KICK": "Direct free-kick",
    "CORNER KICK": "Corner",
    "YELLOW CARD": "Yellow card",
    "RED CARD": "Red card",
    "SECOND YELLOW CARD": "Yellow->red card",
}
_ON_TARGET = ("GOAL", "SAVE")
_OUTCOME_SECONDS = 3.0


@dataclass(frozen=True)
class Comment:
    """A line of commentary; `label` as in SoccerNet dense captions ('' for none)."""

    frame: int
    label: str
    text: str


def ball_actions(play: Play) -> list[Event]:
    """The ball actions of a play, in order of time."""
    return _renamed(
        play.events, {label: label for label in BALL_ACTIONS} | {"INDIRECT FREE KICK": "FREE KICK"}
    )


def actions(play: Play) -> list[Event]:
    """The 17 actions of a play, in order of time; a shot is on target if it is saved or a goal."""
    found = _renamed(play.events, _ACTION_OF)
    for index, event in enumerate(play.events):
        if event.label == "SHOT":
            on = _ends_on_target(play.events[index + 1 :], event.frame + _OUTCOME_SECONDS * play.fps)
            label = "Shots on target" if on else "Shots off target"
            found.append(Event(event.frame, label, event.team, event.person))
    return sorted(found, key=lambda event: event.frame)


def _ends_on_target(following: Iterable[Event], latest: float) -> bool:
    for event in following:
        if event.frame > latest or event.label == "OUT":
            return False
        if event.label in _ON_TARGET:
            return True
        if event.label not in ("HEADER", "BALL PLAYER BLOCK", "CORNER"):
            return False
    return False


def _renamed(events: Iterable[Event], names: dict[str, str]) -> list[Event]:
    return [
        Event(event.frame, names[event.label], event.team, event.person)
        for event in events
        if event.label in names
    ]


_LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Goal": (
        "soccer-ball",
        (
            "Goal! [PLAYER] ([TEAM]) puts the ball into the net.",
            "[PLAYER] ([TEAM]) scores, and the keeper had no chance.",
        ),
    ),
    "Corner": (
        "corner",
        ("[TEAM] are about to take a corner kick.", "[PLAYER] ([TEAM]) sends the corner into the box."),
    ),
    "Yellow card": ("y-card", ("[PLAYER] ([TEAM]) is booked for a late tackle.",)),
    "Red card": ("r-card", ("[PLAYER] ([TEAM]) is sent off.",)),
    "Yellow->red card": ("yr-card", ("A second yellow card for [PLAYER] ([TEAM]), who has to go.",)),
    "Penalty": ("penalty", ("[PLAYER] ([TEAM]) steps up to take the penalty.",)),
    "Foul": ("whistle", ("The referee blows for a foul by [PLAYER] ([TEAM]).",)),
    "Offside": ("whistle", ("The flag is up: [PLAYER] ([TEAM]) was offside.",)),
    "Substitution": ("substitution", ("[PLAYER] ([TEAM]) comes on.",)),
    "Shots on target": ("", ("[PLAYER] ([TEAM]) shoots, and it is on target.",)),
    "Shots off target": (
        "",
        ("[PLAYER] ([TEAM]) tries his luck, but misses the goal.", "A shot by [PLAYER] goes wide."),
    ),
}


_OWN_LINES: dict[str, tuple[str, ...]] = {
    "SCRUM": ("[PLAYER] ([TEAM]) covers the puck, and there is a scrum before the net.",),
    "FACE OFF": ("[PLAYER] ([TEAM]) wins the face-off.",),
    "TOUCHDOWN": (
        "Touchdown! [PLAYER] ([TEAM]) is in the end zone.",
        "[PLAYER] takes it all the way: touchdown for [TEAM].",
    ),
    "KICKOFF": ("[PLAYER] ([TEAM]) kicks off.",),
    "PUNT": ("[TEAM] have to punt, and [PLAYER] sends it deep.",),
    "FAIR CATCH": ("[PLAYER] ([TEAM]) signals for a fair catch.",),
    "TOUCHBACK": ("The kick goes into the end zone for a touchback.",),
    "FIELD GOAL": ("The kick by [PLAYER] ([TEAM]) is good: three points.",),
    "EXTRA POINT": ("[PLAYER] ([TEAM]) adds the extra point.",),
    "NO GOOD": ("The kick by [PLAYER] ([TEAM]) is no good.",),
}
"""Lines on what other sports than soccer note; none of it has a label in SoccerNet."""


def comments(play: Play, *, anonymous: bool = True) -> list[Comment]:
    """Commentary on the actions of a play; people and teams as tokens where `anonymous`."""
    known = _LINES | {label: ("", lines) for label, lines in _OWN_LINES.items()}
    told = actions(play) + [event for event in play.events if event.label in _OWN_LINES]
    written = []
    for index, event in enumerate(sorted(told, key=lambda event: event.frame)):
        if event.label not in known:
            continue
        label, lines = known[event.label]
        # The choice hangs on the event alone, so that a longer match begins like a shorter one.
        text = lines[(event.frame + index) % len(lines)]
        if not anonymous:
            name = play.cast.names[event.person] if event.person >= 0 else "somebody"
            text = text.replace("[PLAYER]", name)
            text = text.replace("[TEAM]", f"team {'ab'[event.team]}" if event.team >= 0 else "the team")
        written.append(Comment(event.frame, label, text))
    return written
