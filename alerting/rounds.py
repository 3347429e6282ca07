"""What time brings: due steps, alarm tests, exercises, summaries, the digest, in that order. Never sends itself."""

from alerting.aftermath import Aftermath
from alerting.deciding import Deciding
from alerting.digests import Digests
from alerting.drills import Drills
from alerting.dues import Dues
from alerting.ports import Database, Priority
from alerting.summing import Summing


class Rounds:
    """One process of a deployment makes them, whenever its ticker says so."""

    def __init__(
        self,
        *,
        database: Database,
        deciding: Deciding,
        aftermath: Aftermath,
        dues: Dues,
        drills: Drills,
        summing: Summing,
        digests: Digests,
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._after = aftermath.of
        self._dues = dues
        self._drills = drills
        self._summing = summing
        self._digests = digests

    async def run(self) -> None:
        """Everything whose time has come, worst first, in small transactions."""
        await self._dues.run()  # first: nothing that goes wrong below may hold it up
        await self._tests()
        await self._exercises()
        await self._restraint()

    async def _tests(self) -> None:
        """Alarms held too long in test mode page; alarm tests end in time."""
        if await self._database.read(self._deciding.tests_due):
            self._after(await self._database.write(Priority.ALARM, self._deciding.tests))

    async def _exercises(self) -> None:
        """They end in time, and at once when a real alarm speaks in their grid."""
        if await self._database.read(self._drills.due):
            for written in await self._database.write(Priority.ATTEMPT, self._drills.look):
                self._after(written)

    async def _restraint(self) -> None:
        """Summaries, what waited for the morning, the daily digest: after everything that climbs."""
        if await self._database.read(self._summing.due):
            self._after(await self._database.write(Priority.ATTEMPT, self._summing.look))
        await self._digests.run_due()
