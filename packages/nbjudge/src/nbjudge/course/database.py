"""The gradebook's database: made where there is none, and errors that say what to do."""

from __future__ import annotations

import fcntl
import os
import sysconfig
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Course, Gradebook
from sqlalchemy import URL, Connection, create_engine, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from nbjudge.errors import CourseError

# Any number, as long as nothing else in the same database takes the same one.
_LOCK = 0x6E626A75
_EXAMPLE = "postgresql+psycopg://USER@HOST/DATABASE"
_PASSWORDS = "Passwords belong in ~/.pgpass or the environment variable PGPASSWORD."


def make_database(url: str, course_ids: Collection[str]) -> None:
    """Make nbgrader's tables and a row for each course; does nothing where they are there.

    Several processes may do this at once. ``url`` is SQLAlchemy's. Raises ``CourseError``, which
    never shows a password, when the database cannot be used.
    """
    address = _parse(url)
    with _errors_told(address):
        engine = create_engine(address, poolclass=NullPool)
        with engine.connect() as connection:
            if _has(connection, course_ids):
                return
            with _alone(connection), _scripts_on_path(), Gradebook(url) as gradebook:
                # nbgrader makes none for a course without a name, but PostgreSQL insists on it.
                for course_id in course_ids:
                    gradebook.db.merge(Course(id=course_id))
                gradebook.db.commit()


def _has(connection: Connection, course_ids: Collection[str]) -> bool:
    """Whether the rows are there, which are made after everything else."""
    if not inspect(connection).has_table(Course.__tablename__):
        return False
    return set(course_ids) <= set(connection.scalars(select(Course.id)))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Let one process at a time look whether there are tables, and make them."""
    if connection.dialect.name == "postgresql":
        # It is held until the connection's transaction ends, also when the process dies.
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        yield
    elif (file := connection.engine.url.database) and connection.dialect.name == "sqlite":
        folder = os.open(Path(file).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    else:
        yield


@contextmanager
def _scripts_on_path() -> Iterator[None]:
    # A new gradebook asks the `alembic` command for its version, and finds it by PATH only.
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([before, sysconfig.get_path("scripts")])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        address = None
    # An @ in a password, if not written %40, makes a part of it the host's name.
    if address is None or "@" in (address.host or ""):
        # Without the cause: it may quote a part of the password.
        raise CourseError(
            "CourseDirectory.db_url is not the address of a database. "
            f"One looks like {_EXAMPLE}. {_PASSWORDS}"
        )
    return address


def _shown(address: URL) -> str:
    secret = [name for name in address.query if "password" in name]
    return address.difference_update_query(secret).render_as_string(hide_password=True)


@contextmanager
def _errors_told(address: URL) -> Iterator[None]:
    """Turn what an instructor can fix into a ``CourseError``."""
    try:
        yield
    except (ImportError, NoSuchModuleError) as error:
        raise CourseError(
            f"The gradebook is {_shown(address)}, and the driver for it cannot be loaded: {error}. "
            "For PostgreSQL, install it with pip install '.[grading,postgresql]', and let "
            "CourseDirectory.db_url begin with postgresql+psycopg://"
        ) from error
    except SQLAlchemyError as error:
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        if "locked" in words:  # by another grader: whoever asked waits, and tries again
            raise
        raise CourseError(
            f"The gradebook {_shown(address)} cannot be opened: {words}. " + _advice(address, words)
        ) from error


def _advice(address: URL, words: str) -> str:
    """What to do about an error, by the words of the server or of the driver."""
    if address.get_backend_name() == "sqlite":
        return "See that the file's folder is there, and that you may write in it."
    user, database = address.username or "USER", address.database or "DATABASE"
    if "password" in words or "authentication failed" in words:
        return f"See that the role and its password are right. {_PASSWORDS}"
    if "permission denied" in words:
        return f'The role must own the database: ALTER DATABASE "{database}" OWNER TO "{user}";'
    if "does not exist" in words:
        return (
            "Make both, as the server's administrator: "
            f"createuser --pwprompt {user}; createdb --owner={user} {database}"
        )
    return "See that the server runs, and that CourseDirectory.db_url names it."
