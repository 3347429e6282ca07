"""Who is calling, with which rights over which part of the place tree. Never asks how he came in."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from alerting.core.model import Actor
from alerting.store.views import Sight
from api.permissions import Grant, Role
from devices.store.scope import NOTHING, Scope, of_places


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request this is. On a route, `grants` are those that opened it."""

    key_id: str
    """Of the API key or of the login."""
    name: str
    grants: tuple[Grant, ...]
    person_id: str | None
    via: str = "key"
    """How it came in, for the audit: `key` or `session`."""

    @property
    def own_only(self) -> bool:
        """May see only what he was paged for."""
        return all(grant.role is Role.GRID_WORKER for grant in self.grants)

    @property
    def everywhere(self) -> bool:
        """One of his grants (as more than a worker) holds for every place."""
        return any(grant.place_id is None for grant in self._desk)

    @property
    def actor(self) -> Actor:
        via = "app" if self.own_only else "console"
        return Actor(id=self.person_id or self.key_id, name=self.name, via=via, person_id=self.person_id)

    def admitted(self, roles: frozenset[Role]) -> "Caller | None":
        """The caller with those of his grants that open a route for these roles; None when none does."""
        opening = tuple(grant for grant in self.grants if grant.role in roles)
        return replace(self, grants=opening) if opening else None

    def scope(self, conn: Connection) -> Scope:
        """The places whose things he may see on this route. As a worker alone: none; his own things are found by
        `person_id`."""
        return of_places(conn, (grant.place_id for grant in self._desk)) if self._desk else NOTHING

    def reach(self, conn: Connection) -> Scope:
        """The places from which he may report what he was told or found: as a worker too, those of his grants."""
        return of_places(conn, (grant.place_id for grant in self.grants))

    def sight(self, conn: Connection) -> Sight:
        """The incidents he may see on this route: those within his scope; as a worker also those he was paged for."""
        worker = len(self._desk) < len(self.grants)
        return Sight(self.scope(conn), (self.person_id or "") if worker else None)

    @property
    def _desk(self) -> tuple[Grant, ...]:
        return tuple(grant for grant in self.grants if grant.role is not Role.GRID_WORKER)
