"""The errors a user can meet, each with its exit code.

FilmroomError
├── InputError         2  the call or the input is wrong
├── DamagedInputError  3  the input ended early or is damaged; what could be done is kept
└── MachineError       4  the machine failed: disk, memory
"""

from __future__ import annotations


class FilmroomError(Exception):
    """Base of all errors that are told in one line; `exit_code` is what the command ends with."""

    exit_code = 1


class InputError(FilmroomError):
    """The call or the input is wrong."""

    exit_code = 2


class DamagedInputError(FilmroomError):
    """The input ended early or is damaged; what could be done is kept."""

    exit_code = 3


class MachineError(FilmroomError):
    """The machine failed: no disk space, no memory."""

    exit_code = 4
