"""The command line: one file per command; parse, call, print."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point: runs a command and ends with its exit code, errors told in one line."""
    from filmroom.errors import FilmroomError

    try:
        from filmroom.cli.app import app

        app()
    except FilmroomError as error:
        print(f"filmroom: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("filmroom: interrupted; a run goes on where it stopped with --resume", file=sys.stderr)
        sys.exit(130)
    except MemoryError:
        print("filmroom: out of memory; close other programs and try again", file=sys.stderr)
        sys.exit(4)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
