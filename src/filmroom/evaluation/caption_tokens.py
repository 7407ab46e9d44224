"""Words of a caption as the Stanford tokenizer 3.4.1 (Penn Treebank rules, lower case) splits them.

A port of the rules that match commentary calls on, so that no Java is needed; docs/metrics.md says how
often it differs on real captions.
"""

from __future__ import annotations

import re

PUNCTUATION = frozenset(
    [
        "''",
        "'",
        "``",
        "`",
        "-LRB-",
        "-RRB-",
        "-LCB-",
        "-RCB-",
        ".",
        "?",
        "!",
        ",",
        ":",
        "-",
        "--",
        "...",
        ";",
    ]
)
"""Taken out after splitting. The brackets come out in small letters, so they stay."""

_NAMES = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-", '"': "''",
}  # fmt: skip

_ABBREVIATIONS = (
    "mr|mrs|ms|dr|prof|st|jr|sr|vs|gen|sen|rep|capt|col|lt|sgt|gov|pres|inc|co|corp|ltd|etc|no|"
    "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|cf|al|fig|art|vol"
)
_TOKEN = re.compile(
    rf"""
      (?:https?://|www\.)[^\s<>()\[\]]+[^\s<>()\[\].,!?;:'"]         # addresses
    | [a-z0-9._-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+                      # mail
    | (?<![a-z0-9])(?:{_ABBREVIATIONS})\.(?=\s|[a-z0-9,;:]|$)       # known abbreviations keep the dot
    | (?:[a-z]\.)+(?:[a-z]\.)                                       # initials: u.s.
    | (?<![a-z0-9'])[a-z]\.(?=\s|$|[a-z0-9])                        # one initial
    | (?:can)(?=not\b)                                              # cannot
    | (?:gon|wan)(?=na\b) | (?:got)(?=ta\b) | (?:gim|lem)(?=me\b)
    | [a-z]+(?=n't\b)                                               # do n't
    | n't\b
    | '(?:s|m|d|ll|re|ve)\b                                         # it 's
    | [+-]?\d+(?:[.,:/]\d+)*(?:-\d+)+                               # 4-2-3-1
    | \d+(?:st|nd|rd|th|s)\b
    | [+-]?(?:\d+(?:[.,:]\d+)*|\.\d+)(?![a-z0-9])                   # 1:0, 45.5, +2
    | (?:[odl]'(?=[a-z]{{2}}))?[a-z0-9]+(?:[-_][a-z0-9]+)*(?:'(?!(?:s|m|d|ll|re|ve)\b)[a-z]+)*
    | \.\.\.
    | -{{2,}}
    | \S
    """,
    re.VERBOSE,
)


def tokenize(text: str) -> list[str]:
    """Words of a caption, punctuation taken out; characters outside ASCII count as blanks."""
    ascii_text = "".join(each if ord(each) < 128 else " " for each in text)
    return [word for word in split_words(ascii_text) if word not in PUNCTUATION]


def split_words(text: str) -> list[str]:
    """All tokens of a text, brackets by their names, in small letters."""
    return [_NAMES.get(word, word) for word in _TOKEN.findall(text.lower())]
