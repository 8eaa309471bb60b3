"""Download one file of a package with pip's own network code; run by the throw-away interpreter, never imported.

`pip download` would run setup.py of a source archive to learn its dependencies. Here the file is found and brought
as pip would (its configuration, certificates, proxies and mirrors), and nothing of it is run. The names used are
internal to pip, which is why `download.py` pins pip exactly.
"""

from __future__ import annotations

import sys

from pip._internal.commands import create_command  # type: ignore[import-not-found]
from pip._internal.network.download import Downloader  # type: ignore[import-not-found]


def main(package: str, version: str, filename: str, target: str) -> int:
    """Bring `filename` of `package` into the folder `target`."""
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", "--dest", target, f"{package}=={version}"])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        candidates = finder.find_all_candidates(package)
        links = [found.link for found in candidates if found.link.filename == filename]
        if not links:
            versions = ", ".join(sorted({str(found.version) for found in candidates})) or "none"
            print(f"no index offers {filename}; versions found: {versions}", file=sys.stderr)
            return 3
        Downloader(session, "off")(links[0], target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
