"""Dense captions: BLEU, ROUGE-L, CIDEr, METEOR, recall, precision and SODA_c, as SoccerNet 0.2.0.

Mkhallati et al., "SoccerNet-Caption", CVPRW 2023; scorers as pycocoevalcap 1.2; SODA: Fujita et
al., ECCV 2020. Words are split by `caption_tokens`. METEOR (Denkowski and Lavie, 2014) is the
authors' Java program and is run where it is found.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from filmroom.errors import MachineError
from filmroom.evaluation.caption_tokens import tokenize
from filmroom.evaluation.matching import FloatArray

WINDOW = 30
"""Seconds a comment lasts; two overlap if they lie less than that apart."""

_UNMATCHED = ("\0unmatched",)
"""Stands for the random letters the official code compares an unmatched caption with."""

_ORDERS = 4
_SMALL, _TINY = 1e-9, 1e-15
_ROUGE_BETA = 1.2
_CIDER_SIGMA = 6.0

Words = tuple[str, ...]


@dataclass(frozen=True)
class HalfCaptions:
    """True and predicted captions of one half: seconds from its start and text."""

    truth: Sequence[tuple[int, str]]
    predictions: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Item:
    """A predicted caption and the true one it overlaps, in words."""

    prediction: Words
    truth: Words


def score_captions(
    halves: Sequence[HalfCaptions], meteor: Meteor | None = None, window: int = WINDOW
) -> list[dict[str, float | None]]:
    """Every score of each half, fractions (CIDEr may exceed 1); None for METEOR without Java.

    Halves without a true caption are the caller's to leave out. Every overlapping pair is one item;
    a prediction that overlaps nothing is compared with nothing; true captions nobody found cost
    recall only.
    """
    prepared = [_prepare(half, window) for half in halves]
    groups = [each.items for each in prepared] + [each.soda_items for each in prepared]
    answers = meteor.evaluate(groups) if meteor else None
    rows = []
    for index, each in enumerate(prepared):
        corpus = answers[index][1] if answers else None
        segments = answers[index + len(prepared)][0] if answers else None
        rows.append(_scores(each, corpus) | _soda(each, segments))
    return rows


def mean_scores(rows: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """The mean over halves of every score, None where a half has none."""
    means: dict[str, float | None] = {}
    for name in rows[0] if rows else []:
        values = [row[name] for row in rows]
        numbers = [value for value in values if value is not None]
        means[name] = float(np.mean(numbers)) if len(numbers) == len(values) else None
    return means


@dataclass(frozen=True)
class _Prepared:
    """A half in words: how many captions on each side, their overlap in time, the pairs to score."""

    truth: list[Words]
    found: list[Words]
    overlap: FloatArray
    items: list[Item]
    soda_items: list[Item]


def _prepare(half: HalfCaptions, window: int) -> _Prepared:
    truth = sorted(half.truth, key=lambda each: each[0])
    found = sorted(half.predictions, key=lambda each: each[0])
    truth_words = [tuple(tokenize(text)) for _, text in truth]
    found_words = [tuple(tokenize(text)) for _, text in found]
    overlap = interval_overlaps([time for time, _ in truth], [time for time, _ in found], window)
    items = []
    for index, words in enumerate(found_words):
        partners = np.flatnonzero(overlap[:, index]).tolist()
        items += [Item(words, truth_words[each]) for each in partners] or [Item(words, _UNMATCHED)]
    near = np.argwhere(overlap > 0).tolist()
    soda_items = [Item(found_words[column], truth_words[row]) for row, column in near]
    return _Prepared(truth_words, found_words, overlap, items, soda_items)


def _scores(half: _Prepared, meteor: float | None) -> dict[str, float | None]:
    items, near = half.items, half.overlap > 0
    scores: dict[str, float | None] = {
        f"Bleu_{order + 1}": value for order, value in enumerate(bleu(items))
    }
    scores["METEOR"] = meteor
    scores["ROUGE_L"] = float(np.mean([rouge_l(each) for each in items])) if items else 0.0
    scores["CIDEr"] = float(np.mean(cider(items))) if items else 0.0
    scores["Recall"] = float(near.any(axis=1).mean()) if half.truth else 0.0
    scores["Precision"] = float(near.any(axis=0).mean()) if half.found else 0.0
    return scores


def interval_overlaps(first: Sequence[int], second: Sequence[int], window: int = WINDOW) -> FloatArray:
    """Intersection over union in time of captions of `window` seconds, (first, second)."""
    apart = np.abs(np.subtract.outer(np.array(first, float), np.array(second, float)))
    shared = np.maximum(0.0, window - apart)
    return np.asarray(shared / (np.minimum(window + apart, 2.0 * window) + 1e-8))


def bleu(items: Sequence[Item]) -> list[float]:
    """BLEU-1 to BLEU-4 of all items as one corpus."""
    if not items:
        return [0.0] * _ORDERS
    counts = np.array([_bleu_counts(each) for each in items], dtype=float).sum(axis=0)
    return _bleu_from(counts)


def _bleu_counts(item: Item) -> list[int]:
    """Length of prediction and truth, then guesses and hits of each order."""
    found, truth = _grams(item.prediction), _grams(item.truth)
    row = [len(item.prediction), len(item.truth)]
    row += [max(0, len(item.prediction) - order) for order in range(_ORDERS)]
    return row + [
        sum(min(count, truth[order][gram]) for gram, count in found[order].items())
        for order in range(_ORDERS)
    ]


def _bleu_from(counts: FloatArray) -> list[float]:
    length, wanted = counts[:2]
    product, scores = 1.0, []
    for order in range(_ORDERS):
        product *= (counts[2 + _ORDERS + order] + _TINY) / (counts[2 + order] + _SMALL)
        scores.append(product ** (1.0 / (order + 1)))
    ratio = (length + _TINY) / (wanted + _SMALL)
    brevity = float(np.exp(1 - 1 / ratio)) if ratio < 1 else 1.0
    return [float(score * brevity) for score in scores]


@lru_cache(maxsize=1 << 7)  # about the captions of one half
def _grams(words: Words) -> tuple[Counter[Words], ...]:
    return tuple(
        Counter(words[start : start + order] for start in range(len(words) - order + 1))
        for order in range(1, _ORDERS + 1)
    )


def rouge_l(item: Item) -> float:
    """ROUGE-L of one item: longest common subsequence, recall weighted by 1.2."""
    # The official code splits an empty text into one empty word.
    found, truth = item.prediction or ("",), item.truth or ("",)
    common = _common_length(found, truth)
    if not common:
        return 0.0
    precision, recall = common / len(found), common / len(truth)
    beta = _ROUGE_BETA**2
    return (1 + beta) * precision * recall / (recall + beta * precision)


def _common_length(first: Words, second: Words) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for index, other in enumerate(second, start=1):
            above = row[index]
            row[index] = diagonal + 1 if word == other else max(above, row[index - 1])
            diagonal = above
    return row[-1]


def cider(items: Sequence[Item]) -> list[float]:
    """CIDEr-D of each item; every item's truth is one document of the corpus."""
    frequency: Counter[Words] = Counter()
    for item in items:
        for grams in _grams(item.truth):
            frequency.update(grams.keys())
    total = float(np.log(float(len(items))))
    rarity = {gram: total - float(np.log(count)) for gram, count in frequency.items()}
    return [_cider_item(item, rarity, total) for item in items]


def _cider_item(item: Item, rarity: dict[Words, float], unseen: float) -> float:
    delta = max(0, len(item.prediction) - 1) - max(0, len(item.truth) - 1)
    values = []
    for found, truth in zip(_grams(item.prediction), _grams(item.truth), strict=True):
        a = {gram: count * rarity.get(gram, unseen) for gram, count in found.items()}
        b = {gram: count * rarity.get(gram, unseen) for gram, count in truth.items()}
        value = sum(min(weight, b.get(gram, 0.0)) * b.get(gram, 0.0) for gram, weight in a.items())
        norms = np.sqrt(sum(w * w for w in a.values())), np.sqrt(sum(w * w for w in b.values()))
        if norms[0] and norms[1]:
            value /= norms[0] * norms[1]
        values.append(value * np.e ** (-(delta**2) / (2 * _CIDER_SIGMA**2)))
    return float(np.mean(values) * 10.0)


def _soda(half: _Prepared, meteor: list[float] | None) -> dict[str, float | None]:
    """SODA_c with each scorer: the best order-keeping assignment of overlap times score."""
    items = half.soda_items
    per_item = [_bleu_from(np.array(_bleu_counts(each), dtype=float)) for each in items]
    scores: dict[str, list[float] | None] = {
        f"Bleu_{order + 1}": [each[order] for each in per_item] for order in range(_ORDERS)
    }
    scores["METEOR"] = meteor
    scores["ROUGE_L"] = [rouge_l(each) for each in items]
    # Every column of CIDEr's table has the same truth, so no word is rare and all scores are 0.
    scores["CIDEr"] = [0.0] * len(items)
    figures: dict[str, float | None] = {}
    for name, values in scores.items():
        if values is None:
            figures |= {f"SODA_{name}_{word}": None for word in ("precision", "recall", "f1")}
            continue
        table = np.zeros(half.overlap.shape)
        near = half.overlap > 0
        table[near] = half.overlap[near] * np.array(values)
        best = ordered_assignment(table)
        precision = best / len(half.found) if half.found else 0.0
        recall = best / len(half.truth) if half.truth else 0.0
        total = precision + recall
        figures[f"SODA_{name}_precision"] = precision
        figures[f"SODA_{name}_recall"] = recall
        figures[f"SODA_{name}_f1"] = 2 * precision * recall / total if total > 0 else 0.0
    return figures


def ordered_assignment(scores: FloatArray) -> float:
    """Greatest sum of scores over pairs whose rows and columns both rise (SODA, eq. 1)."""
    best = np.zeros(scores.shape[1] + 1)
    for row in scores:
        best[1:] = np.maximum(best[1:], best[:-1] + row)
        best = np.maximum.accumulate(best)
    return float(best[-1])


class Meteor:
    """METEOR 1.5 (English, normalised): the authors' Java program, started twice for all captions."""

    def __init__(self, java: str, jar: Path) -> None:
        self.command = [java, "-jar", "-Xmx2G", str(jar), "-", "-", "-stdio", "-l", "en", "-norm"]

    @classmethod
    def find(cls) -> Meteor | None:
        """METEOR if Java and the jar are there: FILMROOM_METEOR_JAR, or the package pycocoevalcap."""
        java = shutil.which("java")
        jar = os.environ.get("FILMROOM_METEOR_JAR")
        package = importlib.util.find_spec("pycocoevalcap")
        if not jar and package and package.submodule_search_locations:
            jar = str(Path(package.submodule_search_locations[0]) / "meteor" / "meteor-1.5.jar")
        return cls(java, Path(jar)) if java and jar and Path(jar).is_file() else None

    def evaluate(self, groups: Sequence[Sequence[Item]]) -> list[tuple[list[float], float]]:
        """For each group of items the score of every item, and the score of the group as one corpus."""
        unique = list(dict.fromkeys(item for group in groups for item in group))
        if not unique:
            return [([], 0.0) for _ in groups]
        asked = [f"SCORE ||| {_plain(item.truth)} ||| {_plain(item.prediction)}" for item in unique]
        statistics = dict(zip(unique, self._ask(asked), strict=True))
        filled = [group for group in groups if group]
        lines = self._ask(
            ["EVAL ||| " + " ||| ".join(statistics[item] for item in group) for group in filled]
        )
        answers = iter([float(line) for line in lines])
        return [
            ([next(answers) for _ in group], next(answers)) if group else ([], 0.0) for group in groups
        ]

    def _ask(self, lines: list[str]) -> list[str]:
        environment = {**os.environ, "LC_ALL": "C"}
        answer = subprocess.run(
            self.command,
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if answer.returncode or not answer.stdout:
            reason = answer.stderr.strip().splitlines()[-1:] or ["no answer"]
            raise MachineError(f"METEOR's Java program failed: {reason[0]}")
        return answer.stdout.splitlines()


def _plain(words: Words) -> str:
    # Random letters in the official code; any word that no caption holds does the same.
    text = " ".join("qzxjvkwq" if word == _UNMATCHED[0] else word for word in words)
    return text.replace("|||", "").replace("  ", " ")
