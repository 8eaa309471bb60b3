"""Run by every Python process of an embedded Ray at its start (this folder is on its PYTHONPATH, and on no other).

Ray Serve imports pandas wherever it is installed, only to recognise data frames in replies. We send none, and eight processes that import it
cost seconds on two cores. A replica takes the block away again once Serve is loaded, since Open3D wants pandas.
"""

import sys

sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
