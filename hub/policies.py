"""Lets the database itself show only what lies in a scope, by the rule that each table has (`hub.schema_base.Seen`).

On PostgreSQL by row-level security: a role without log-in that only reads, a policy for each table, and the scope as a
setting of the transaction (https://www.postgresql.org/docs/current/ddl-rowsecurity.html). On SQLite, which has none,
by connections of their own, in which temporary views stand before the tables of the same name: names without a schema
are looked up among temporary objects first (https://www.sqlite.org/lang_naming.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.exc import ProgrammingError

from hub.errors import HubError
from hub.schema_base import Seen, metadata
from sync.errors import N_

_ROLE: Final = "lontar_seen"
_OF_ROW: Final = "(select code from temp.lontar_scope)"
_SETTING: Final = "current_setting('lontar.scope')"
_SCOPE: Final = re.compile(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")


@dataclass(frozen=True, slots=True)
class _Row:
    """SQLite: views take no parameters; the scope is the only row of a temporary table."""

    own: str

    def inside(self, column: str) -> str:
        return f"({column} >= {_OF_ROW} and {column} < {_OF_ROW} || '/')"

    def around(self, column: str) -> str:
        return f"({self.inside(column)} or {column} = '' or {_OF_ROW} like {column} || '.%')"

    def exact(self, column: str) -> str:
        return f"{column} = {_OF_ROW}"

    def belongs(self, column: str, table: str, target: str) -> str:
        return f"{column} in (select {target} from {table})"  # noqa: S608 our own names


@dataclass(frozen=True, slots=True)
class _Setting:
    """PostgreSQL: policies are made once and read the scope of the transaction.

    In the order of bytes "/" comes next to ".", so that an index on the bytes of a code serves. Of `exists` PostgreSQL
    chooses whether to look at each row's owner or at all of them first; of `in` it always looks at all of them,
    which for one village of a province takes seconds.
    """

    own: str

    def inside(self, column: str) -> str:
        code = f'{column} collate "C"'
        return f"({code} >= {_SETTING} and {code} < {_SETTING} || '/')"

    def around(self, column: str) -> str:
        return f"({self.inside(column)} or {column} = '' or {_SETTING} like {column} || '.%%')"

    def exact(self, column: str) -> str:
        return f"{column} = {_SETTING}"

    def belongs(self, column: str, table: str, target: str) -> str:
        return f"exists (select from {table} owner where owner.{target} = {self.own}.{column})"


def rule_of(table: Table) -> Seen:
    """
    Raises:
        KeyError: nobody said who sees the rows of this table.
    """
    rule = table.info[Seen]
    assert isinstance(rule, Seen)
    return rule


def narrow(connection: Connection, scope: str) -> None:
    """Show only what lies in `scope`, until the transaction is rolled back; on a connection of `db.narrowed`.

    Raises:
        ValueError: that is no code of a region.
    """
    if not _SCOPE.fullmatch(scope):
        raise ValueError(f"no region's code: {scope!r}")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"set local role {_ROLE}")
        connection.exec_driver_sql(f"set local lontar.scope = '{scope}'")
    else:
        connection.exec_driver_sql("update temp.lontar_scope set code = ?", (scope,))


def prepare_sqlite(connection: Any, record: object) -> None:
    """Put the views before the tables of a connection that was just opened; they show nothing yet."""
    connection.execute("create temp table lontar_scope (code text)")
    connection.execute("insert into lontar_scope values (null)")
    for table in metadata.sorted_tables:
        condition = rule_of(table).condition(_Row(table.name))
        connection.execute(
            f'create temp view "{table.name}" as select * from main."{table.name}" where {condition}'  # noqa: S608 our own names
        )


def install(connection: Connection) -> None:
    """Make the role and the policies of PostgreSQL new, as the tables now say.

    Raises:
        HubError: the account of the database may not make a role.
    """
    if connection.dialect.name != "postgresql":
        return
    _make_role(connection)
    for table in metadata.sorted_tables:
        condition = rule_of(table).condition(_Setting(table.name))
        for statement in (
            f"grant select on {table.name} to {_ROLE}",
            f"alter table {table.name} enable row level security",
            f"drop policy if exists {_ROLE} on {table.name}",
            f"create policy {_ROLE} on {table.name} for select to {_ROLE} using ({condition})",
        ):
            connection.exec_driver_sql(statement)


def _make_role(connection: Connection) -> None:
    # A role belongs to the whole server: another hub there may have made it, or be making it now.
    try:
        connection.exec_driver_sql(
            f"do $$ begin create role {_ROLE} nologin;"
            " exception when duplicate_object or unique_violation then null; end $$"
        )
        connection.exec_driver_sql(f"grant {_ROLE} to current_user")
        connection.exec_driver_sql(f"grant usage on schema public to {_ROLE}")
    except ProgrammingError as problem:
        raise HubError(
            N_(
                'Akun basis data ini tidak boleh membuat peran. Jalankan "ALTER ROLE %(user)s CREATEROLE" '
                "sebagai pengelola PostgreSQL, lalu ulangi."
            ),
            user=connection.engine.url.username or "",
        ) from problem
