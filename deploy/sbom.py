"""`python -m deploy.sbom`: what Lontar is made of, as CycloneDX 1.6 JSON, one file for each kind of installation, into dist/.

Made of the locks, so it names exactly what is installed, with hashes. The same locks give the same bytes: no date, and a
serial number made of the contents. Source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import argparse
import json
import uuid
from pathlib import Path
from typing import Any, Final

from deploy import locks
from sync import __version__

_SPACE: Final = uuid.UUID("5a7f1c1e-7e64-5c0b-9a0e-6c6f6e746172")


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.sbom", description=__doc__)
    parser.add_argument("--out", type=Path, default=locks.ROOT / "dist")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for extra in locks.EXTRAS:
        target = options.out / f"lontar-{__version__}-{extra}.cdx.json"
        target.write_text(json.dumps(bill(extra), indent=1) + "\n", encoding="utf-8")
        print(target)


def bill(extra: str) -> dict[str, Any]:
    components = [_component(one) for one in locks.read(extra)]
    itself = f"pkg:pypi/lontar@{__version__}"
    made = {
        "metadata": {
            "component": {
                "type": "application", "bom-ref": itself, "name": "lontar", "version": __version__, "purl": itself,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "lontar:extra", "value": extra}],
            }
        },
        "components": components,
        "dependencies": [{"ref": itself, "dependsOn": [one["bom-ref"] for one in components]}],
    }  # fmt: skip
    serial = uuid.uuid5(_SPACE, json.dumps(made, sort_keys=True))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return {**head, **made}


def _component(one: locks.Pinned) -> dict[str, Any]:
    address = f"pkg:pypi/{one.name}@{one.version}"
    made: dict[str, Any] = {
        "type": "library", "bom-ref": address, "name": one.name, "version": one.version, "purl": address, "scope": "required",
        "externalReferences": [
            {
                "type": "distribution", "url": f"https://pypi.org/project/{one.name}/{one.version}/#files",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in one.hashes],
            }
        ],
    }  # fmt: skip
    if one.marker:
        made["properties"] = [{"name": "lontar:only-where", "value": one.marker}]
    return made


if __name__ == "__main__":
    main()
