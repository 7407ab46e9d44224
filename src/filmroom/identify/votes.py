"""All number reads of one track to one number, or to none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

SINGLE_DIGIT = 0.25
"""Share of people with a number of one digit: 10 to 99 is the wider range, 1 to 9 the commoner wear."""

_LOWEST_SCORE, _HIGHEST_SCORE = 0.02, 0.995
_PART_OF_A_NUMBER = 0.35
# Of two digits misread as two others one is right in 133 of 138 cases (SoccerNet number crops, even
# ids): in nats, how much likelier than on average that makes each of those 18 numbers.
_ONE_DIGIT_RIGHT = float(np.log(0.95 / 18 * 98))
_CORRELATED_FRAMES = 5


class Support(NamedTuple):
    """Evidence for one number: log-likelihood with the prior, and how many whole reads speak for it."""

    nats: float
    reads: float


class WeighedReads(NamedTuple):
    """Reads that say something: `read` (N,) their places among all, `numbers` the K texts among them,
    `nats` (N, K) what each adds to the log-likelihood of each, `whole` (N,) its weight in whole reads.
    """

    read: NDArray[np.intp]
    numbers: list[str]
    nats: NDArray[np.float64]
    whole: NDArray[np.float64]


def vote(
    texts: Sequence[str],
    scores: FloatArray,
    legible: FloatArray,
    *,
    frames: NDArray[np.integer] | None = None,
    margin: float = 0.5,
    least: float = 0.5,
) -> tuple[str, float]:
    """The number that the reads of one track speak for, and the probability that it is right.

    texts, scores, legible: one entry a read, as in the table `number_reads`; empty texts say nothing.
    frames: when each read was made; reads within five frames of each other see the same picture and
    share their weight. Without them, reads of the same text count by the square root of their number.
    margin: least lead over the next number, in nats; least: least evidence in whole reads.

    Returns ("", 0.0) to abstain; see `evidence` for how reads are weighed.
    """
    found = evidence(texts, scores, legible, frames=frames)
    ranked = sorted(found, key=lambda number: (-found[number].nats, number))
    if not ranked:
        return "", 0.0
    best = ranked[0]
    lead = found[best].nats - found[ranked[1]].nats if len(ranked) > 1 else float("inf")
    if lead < margin or found[best].reads < least:
        return "", 0.0
    return best, probability(found, best)


def evidence(
    texts: Sequence[str],
    scores: FloatArray,
    legible: FloatArray,
    *,
    frames: NDArray[np.integer] | None = None,
) -> dict[str, Support]:
    """What the reads of one track say for every number that was read; arguments as in `vote`.

    Each read gives log(score) to its text and log of an even share of the rest to every other number,
    so that two doubtful reads do not outvote a sure one. More of the rest goes to numbers of which one
    digit is read, for seldom are both wrong; a read of one digit also half speaks for the numbers of
    two that hold it (a turned shirt hides a digit).
    """
    weighed = weigh_reads(texts, scores, legible, frames=frames)
    nats = weighed.nats.sum(axis=0) + [prior_nats(number) for number in weighed.numbers]
    whole = {number: 0.0 for number in weighed.numbers}
    for index, value in zip(weighed.read, weighed.whole, strict=True):
        whole[texts[int(index)]] += float(value)
    return {
        number: Support(float(value), whole[number])
        for number, value in zip(weighed.numbers, nats, strict=True)
    }


def weigh_reads(
    texts: Sequence[str],
    scores: FloatArray,
    legible: FloatArray,
    *,
    frames: NDArray[np.integer] | None = None,
) -> WeighedReads:
    """Read by read what `evidence` sums up; arguments as in `vote`."""
    single = single_reads(texts, scores, legible)
    read = [texts[int(index)] for index in single.read]
    share = _independence(read, None if frames is None else np.asarray(frames)[single.read])
    return single._replace(nats=single.nats * share[:, None], whole=single.whole * share)


def single_reads(texts: Sequence[str], scores: FloatArray, legible: FloatArray) -> WeighedReads:
    """The same where each read stands alone, an independent witness."""
    scores = np.asarray(scores, float)
    legible = np.asarray(legible, float)
    useful = np.array([bool(text) for text in texts], bool) & (legible > 0)
    chosen = np.flatnonzero(useful)
    read = [texts[int(index)] for index in chosen]
    weights = legible[chosen]
    numbers = sorted(set(read))
    chances = np.clip(scores[chosen], _LOWEST_SCORE, _HIGHEST_SCORE)
    nats = np.zeros((len(chosen), len(numbers)))
    for row, (text, chance, weight) in enumerate(zip(read, chances, weights, strict=True)):
        gain = np.log(chance) - np.log((1 - chance) / 98)
        for place, number in enumerate(numbers):
            if number == text:
                nats[row, place] = weight * gain
            elif len(text) == 1 and len(number) == 2 and text in number:
                nats[row, place] = weight * _PART_OF_A_NUMBER * gain
            elif len(text) == len(number) == 2 and (text[0] == number[0] or text[1] == number[1]):
                nats[row, place] = weight * _ONE_DIGIT_RIGHT
    return WeighedReads(chosen, numbers, nats, weights * scores[chosen])


def probability(found: Mapping[str, Support], number: str) -> float:
    """The probability that `number` is right, given the evidence for all numbers read.

    What nobody read may be right too: it keeps the even share that a read leaves it.
    """
    unread = unread_nats(len(found))
    values = np.array([support.nats for support in found.values()] + [unread])
    powers = np.exp(values - values.max())
    return float(powers[list(found).index(number)] / powers.sum())


def unread_nats(candidates: int) -> float:
    """Evidence in nats for "some number that nobody read"."""
    return float(np.log(max(1, 100 - candidates)) + np.log((1 - SINGLE_DIGIT) / 90))


def prior_nats(number: str) -> float:
    """Log of the share of people who wear this number."""
    return float(np.log(SINGLE_DIGIT / 10 if len(number) == 1 else (1 - SINGLE_DIGIT) / 90))


def _independence(texts: Sequence[str], frames: NDArray[np.integer] | None) -> FloatArray:
    """How much of an independent witness each read is, 0 to 1."""
    if frames is None:
        counts = {text: texts.count(text) for text in set(texts)}
        return np.array([1 / np.sqrt(counts[text]) for text in texts])
    near = np.abs(frames[:, None] - frames[None, :]) <= _CORRELATED_FRAMES
    return np.asarray(1 / near.sum(axis=1), float)
