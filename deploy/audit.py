"""`python -m deploy.audit`: asks whether known faults are in what a release is made of (pip-audit, extra `release`).

Known faults fail. Where the service can't be asked, that is said, and nothing fails: a machine without internet must be
able to build.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

from deploy import locks

_UNREACHABLE: Final = re.compile(
    r"ConnectionError|ServiceError|ConnectTimeout|ReadTimeout|Max retries|NameResolution|ProxyError|SSLError|HTTPError|Failed to query"
)


def main() -> int:
    worst = 0
    for extra in locks.EXTRAS:
        command = [
            "pip_audit",
            "-r",
            str(locks.path_of(extra)),
            "--require-hashes",
            "--disable-pip",
            "--timeout",
            "20",
        ]
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
        code, said = judge(done.returncode, done.stdout + done.stderr)
        print(f"{extra}: {said}")
        worst = max(worst, code)
    return worst


def judge(returned: int, said: str) -> tuple[int, str]:
    """(what to end with, what to say) of what pip-audit ended with and said."""
    if returned == 0:
        return 0, "no known faults"
    if "No module named" in said:
        return 1, "pip-audit is not installed: pip install -e '.[release]'"
    if _UNREACHABLE.search(said):
        return (
            0,
            "NOT AUDITED: the service that knows the faults can't be reached from here. Run `make audit` elsewhere.",
        )
    return 1, said.strip()


if __name__ == "__main__":
    sys.exit(main())
