"""`python -m tests.vectors --write`: make the vectors again. Without it: say which would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.vectors.make import vectors

FOLDER = Path(__file__).parent


def main(write: bool) -> int:
    changed = 0
    for name, made in vectors().items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed += 1
            sys.stdout.write(f"{path.name} {'written' if write else 'would change'}\n")
            if write:
                path.write_text(text, encoding="utf-8")
    return 0 if write else min(changed, 1)


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
