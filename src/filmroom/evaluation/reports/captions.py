"""Report of dense captions."""

from __future__ import annotations

from pathlib import Path

from filmroom.errors import InputError
from filmroom.evaluation.captions import HalfCaptions, Meteor, mean_scores, score_captions
from filmroom.evaluation.report import Options, Report, Row
from filmroom.formats.soccernet_captions import read_caption_results, read_caption_truth


def captions_report(truth: Path, predictions: Path, options: Options) -> Report:
    """METEOR, BLEU, ROUGE-L, CIDEr, recall, precision and SODA_c of dense captions."""
    happened, said = read_caption_truth(truth), read_caption_results(predictions)
    if len(happened) == 1 and len(said) == 1:
        said = {next(iter(happened)): next(iter(said.values()))}
    missing = [game for game in happened if game not in said]
    if missing:
        raise InputError(
            f"{predictions}: {len(missing)} of {len(happened)} games are missing: {missing[0]}"
        )
    notes = []
    halves: dict[str, HalfCaptions] = {}
    for game, truth_captions in happened.items():
        for word, side in (("truth", truth_captions), ("results", said[game])):
            if side.ignored:
                notes.append(f"{game}: {side.ignored} captions of the {word} left out: label or half")
        for half in (1, 2):
            sides = [
                [(each.seconds, each.text) for each in side.captions if each.half == half]
                for side in (truth_captions, said[game])
            ]
            if sides[0]:
                halves[f"{game} half {half}"] = HalfCaptions(*sides)
            else:
                notes.append(f"{game} half {half}: left out, no true caption ({len(sides[1])} results)")
    meteor = Meteor.find()
    if meteor is None:
        notes.append(
            "METEOR not scored: it needs Java and meteor-1.5.jar; name it in FILMROOM_METEOR_JAR"
        )
    rows = dict(zip(halves, score_captions(list(halves.values()), meteor), strict=True))
    combined: Row = dict(mean_scores(list(rows.values())))
    return Report(
        "captions",
        "SoccerNet 0.2.0, pycocoevalcap 1.2",
        combined,
        rows,
        "halves",
        (
            "METEOR", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "Recall", "Precision",
            "SODA_METEOR_f1", "SODA_ROUGE_L_f1",
        ),
        tuple(notes),
    )  # fmt: skip
