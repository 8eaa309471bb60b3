"""Recordings of real speech with what they say: 25 prompts of one speaker, from the Debian packages that recordings.json pins.

`python tests/audio/real_speech.py` brings them into the cache (`make speech`). They are CC BY-SA 3.0 and never stand in this repository.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from genlevel_evaluator.weights import fetching, manifest
from genlevel_evaluator.weights.errors import FetchFailed, WeightsError

ENTRIES = manifest.load(Path(__file__).with_name("recordings.json"))
SOUNDS, TEXTS = "asterisk-core-sounds-en-wav", "asterisk-core-sounds-en"


@cache
def prompts() -> list[tuple[Path, str]]:
    """Each recording with its words."""
    try:
        folder, table = (fetching.check(ENTRIES[name]) for name in (SOUNDS, TEXTS))
    except WeightsError as error:
        raise AssertionError(f"{error.message}: run `make speech`, which takes 18 MB from Debian's packages") from error
    lines = gzip.decompress(table.read_bytes()).decode("utf-8").splitlines()
    said = dict(found.groups() for line in lines if (found := re.fullmatch(r"([\w/-]+): (.*)", line)))
    return [(folder / file.name, said[Path(file.name).stem]) for file in ENTRIES[SOUNDS].files]


def _fetch() -> None:
    fetching.fetch(ENTRIES.values(), lambda name, what: print(f"{name}: {what}"))


def main() -> None:
    """Brings the recordings into the cache; where apt-get has no lists of packages, with lists of its own in a scratch folder."""
    try:
        _fetch()
        return
    except FetchFailed as error:
        print(f"{error.message}\nTrying again with fresh lists of packages.")
    with TemporaryDirectory() as scratch:
        for folder in ("lists/partial", "cache/archives/partial"):
            Path(scratch, folder).mkdir(parents=True)
        configuration = Path(scratch, "apt.conf")
        configuration.write_text(f'Dir::State::Lists "{scratch}/lists";\nDir::Cache "{scratch}/cache";\nAPT::Sandbox::User "";\n', encoding="utf-8")
        os.environ["APT_CONFIG"] = str(configuration)
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        _fetch()


if __name__ == "__main__":
    main()
