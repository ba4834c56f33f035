"""Nothing compares a secret with `==`: argon2 or `compare_digest` decide, or the database looks a hash up.

No clock is asked; the sources are read. `ALLOWED` says why each comparison that looks like one is none.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("sync", "content_packs", "web", "node", "hub", "courier")
SECRET = re.compile(
    r"(^|_)(pin|pins|password|secret|secrets|pepper|token|proof|mac|ticket|totp|passphrase|challenge)(s|_|$)",
    re.I,
)
ALLOWED = {
    ("content_packs/importers/pdf_pages.py", "problem.err_code in _PASSWORD"): "an error's number",
    ("content_packs/render.py", "token.type == 'image'"): "a token of Markdown",
    ("hub/api/answers.py", "asked == token.scope"): "a region",
    ("hub/invitations.py", "settings.c.key == _key(token)"): "the database looks a hash up",
    ("hub/tokens.py", "_t.digest == _digest(token)"): "the database looks a hash up",
    ("hub/operators.py", "connection.execute(known.values(password_hash=password_hash)).rowcount == 0"): "a number of rows",
    ("hub/sharing.py", "passphrase in passphrases"): "somebody's own, typed twice",
    ("hub/views/desk.py", "PROOF in request.form"): "a field's name",
    ("hub/views/desk.py", "key not in (PROOF, 'csrf_token')"): "a field's name",
    ("hub/views/typed.py", "password != request.form.get('again', '')"): "a new one, typed twice",
    ("node/views/learner.py", "pin != request.form.get('again', '').strip()"): "a new one, typed twice",
    ("node/views/operator.py", "password != again"): "a new one, typed twice",
    ("node/learners.py", "len(text) == PIN_DIGITS"): "a length",
    ("node/name_list.py", "one.number in with_pin"): "who has one",
    ("node/views/operator.py", "person.number in _with_pin()"): "who has one",
    ("node/restoring.py", "whose(opened) == key_id(own_secret(data))"): "a public key's id",
    ("node/restoring.py", "found.secrets['device'] != read_key(data / config.KEYS / 'device.key')"): "both lie on this disk",
    ("node/restoring.py", "len(secrets) == len(_SECRETS)"): "a length",
    ("node/sealed_copy.py", "len(typed) != SECRET_SIZE"): "a length",
    ("node/sealed_copy.py", "whose(file) != key_id(secret)"): "a public key's id",
    ("sync/registration.py", "len(plain) != _HANDLE + _SECRET"): "a length",
    ("web/data_folder.py", "len(secret) != size"): "a length",
}  # fmt: skip
DECIDE = {
    "web/passwords.py": "_hasher.verify",
    "node/learners.py": "password_fits",
    "hub/operators.py": "password_fits",
    "hub/second_factor.py": "hmac.compare_digest",
    "hub/registry.py": "hmac.compare_digest",
    "hub/health.py": "hmac.compare_digest",
    "node/views/welcome.py": "hmac.compare_digest",
    "node/cli_preview.py": "secrets.compare_digest",
    "sync/registration.py": "hmac.compare_digest",
    "sync/unlock.py": "hmac.compare_digest",
}
"""What decides in the modules that are asked whether a secret is right."""
_EQUAL = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def compared(source: str) -> set[str]:
    """The comparisons of a module in which something is called like a secret."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(how, _EQUAL) for how in node.ops):
            inside = list(ast.walk(node))
            names = {one.id for one in inside if isinstance(one, ast.Name)}
            names |= {one.attr for one in inside if isinstance(one, ast.Attribute)}
            if any(SECRET.search(name) for name in names):
                found.add(ast.unparse(node))
    return found


def calls(source: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}


def test_no_secret_is_compared_by_its_characters() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), comparison)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for comparison in compared(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


def test_a_comparison_of_secrets_would_be_found() -> None:
    assert compared("if given_pin == stored.pin: pass") == {"given_pin == stored.pin"}
    assert compared("token in known") == {"token in known"}


def test_what_decides_takes_the_same_time_for_every_wrong_secret() -> None:
    for path, decides in DECIDE.items():
        assert decides in calls((ROOT / path).read_text(encoding="utf-8")), path
